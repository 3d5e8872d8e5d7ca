"""Simplify: what a fused kernel computes twice is computed once.

    x_0 = x[i, j];  …;  x_1 = x[i, j]      (nothing stored in x)      x_0 = x[i, j];  …
"""

from __future__ import annotations

from typing import Any

from nbgraph.dispatch.expressions import Assign, Combine, Expr, For, Keep, Load, Local
from nbgraph.lowering.program import Kernel, kernel_of, parts_of, walk
from nbgraph.lowering.substitute import replaced, substituted


def simplified(kernel: Kernel) -> Kernel:
    """The kernel with equal values merged, inside a loop body and what it encloses."""
    changing = _changing(kernel.body)
    written = set(kernel.writes)
    same: dict[Local, Expr] = {}
    outer: list[Any] = []

    def fixed(value: Expr) -> bool:
        return not any(e in changing if isinstance(e, Local) else isinstance(e, Load) and e.buffer in written
                       for e in parts_of(value))

    def visit(body: list[Any], known: dict[Expr, Local]) -> list[Any]:
        known, result = dict(known), []
        for s in body:
            if isinstance(s, For):
                loop = For(s.index, replaced(s.extent, lambda e: same.get(e, e)), visit(s.body, known))
                if s is kernel.outer:
                    outer.append(loop)
                result.append(loop)
                continue
            (s,) = substituted([s], local=lambda e: same.get(e, e))
            if isinstance(s, Assign) and s.target not in changing and fixed(s.value):
                if isinstance(s.value, Local):
                    same[s.target] = s.value
                    continue
                if s.value in known:
                    same[s.target] = known[s.value]
                    continue
                known[s.value] = s.target
            result.append(s)
        return result

    body = visit(kernel.body, {})
    fresh = kernel_of(body, [same.get(r, r) for r in kernel.results], outer[0] if outer else None)
    fresh.shares = kernel.shares
    return fresh


def _changing(body: list[Any]) -> set[Local]:
    """Locals that get more than one value."""
    seen: set[Local] = set()
    found: set[Local] = set()
    for s in walk(body):
        if isinstance(s, Assign):
            (found if s.target in seen else seen).add(s.target)
        elif isinstance(s, Combine) and isinstance(s.target, Local):
            found.add(s.target)
        elif isinstance(s, Keep):
            found |= {s.best, s.place}
    return found
