"""Inlining: which values of a Program may stand where they are read instead of having a name.

    t = x[i] + b;  z[i] = exp(t)     ->     z[i] = exp(x[i] + b)

A value may move to its only reader where nothing that it is made of changes on the way there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from nbgraph.dispatch.expressions import Assign, Call, Combine, Expr, For, Keep, Load, Local
from nbgraph.lowering.program import (
    Allocate,
    CallKernel,
    Kernel,
    Program,
    ReadLength,
    Test,
    expressions_of,
    locals_in,
    parts_of,
    walk,
    written_by,
)

MEMORY = "memory"  # what loads depend on


def used_once(body: Sequence[Any], results: Sequence[Local]) -> frozenset[Local]:
    """Locals of a kernel that get one value and are read once, in the same loop body, while it would be the same."""
    statements = walk(body)
    uses: Counter[Local] = Counter(dict.fromkeys(results, 2))
    uses.update(e for s in statements for e in _locals_shown(s))
    assigned = Counter(s.target for s in statements if isinstance(s, Assign))
    changing = {e for s in statements for e in _changed_by(s)} | {e for e, n in assigned.items() if n > 1}
    found: set[Local] = set()
    for group in [body, *(s.body for s in statements if isinstance(s, For))]:
        found |= _used_in(group, {e for e in assigned if uses[e] == 1 and e not in changing}, changing)
    return frozenset(found)


def _used_in(group: Sequence[Any], single: set[Local], changing: set[Local]) -> set[Local]:
    """Those of `single` that are assigned and read in this one loop body."""
    found: set[Local] = set()
    made_of: dict[Local, set[Any]] = {}  # what the values that can still move depend on
    for s in group:
        found.update(e for e in _locals_shown(s) if e in made_of)
        if isinstance(s, For):
            made_of.clear()
        changed: set[Any] = {*_changed_by(s), *([s.target] if isinstance(s, Assign) and s.target in changing else [])}
        if written_by(s):
            changed.add(MEMORY)
        if changed:
            made_of = {e: parts for e, parts in made_of.items() if not parts & changed}
        if isinstance(s, Assign) and s.target in single:
            made_of[s.target] = _made_of(s.value, made_of, changing)
    return found


def _made_of(value: Expr, known: dict[Local, set[Any]], changing: set[Local]) -> set[Any]:
    found: set[Any] = set()
    for e in parts_of(value):
        if isinstance(e, Load):
            found.add(MEMORY)
        elif isinstance(e, Local):
            found |= {e} if e in changing else known.get(e, set())
    return found


def _locals_shown(s: Any) -> list[Local]:
    """The locals that a statement's text mentions, as often as it does."""
    shown = expressions_of(s)
    if isinstance(s, Combine) and isinstance(s.target, Load):
        shown = [*shown, s.target]  # on both sides of the equals sign
    elif isinstance(s, Keep):
        shown = [*shown, s.value]   # compared, and then kept
    elif isinstance(s, For) and s.first is not None:
        shown = [*shown, s.first]   # in every turn
    return [e for expression in shown for e in parts_of(expression) if isinstance(e, Local)]


def _changed_by(s: Any) -> list[Local]:
    """The locals that get another value: accumulators."""
    if isinstance(s, Keep):
        return [s.best, s.place]
    return [s.target] if isinstance(s, Combine) and isinstance(s.target, Local) else []


def copies(kernel: Kernel) -> dict[Local, Expr]:
    """Locals that are no more than another one, which does not change while they are read; and casts to be returned.

        total = add(total, x[i]);  (after the loop)  s = total;  return s      s is total
    """
    statements = walk(kernel.body)
    once = {e for e, n in Counter(s.target for s in statements if isinstance(s, Assign)).items() if n == 1}
    once -= {e for s in statements for e in _changed_by(s)}
    found: dict[Local, Expr] = {}
    for group in [kernel.body, *(s.body for s in statements if isinstance(s, For))]:
        changed_later: set[Local] = set()
        for s in reversed(group):
            if isinstance(s, Assign) and s.target in once and _is_copy(s.value, s.target in kernel.results):
                if not changed_later.intersection(parts_of(s.value)):
                    found[s.target] = s.value
            for inner in walk([s]):
                changed_later.update(_changed_by(inner), [inner.target] if isinstance(inner, Assign) else [])
    return found


def _is_copy(value: Expr, returned: bool) -> bool:
    if isinstance(value, Call):
        return returned and value.function == "identity" and isinstance(value.arguments[0], Local)
    return isinstance(value, Local)


def used_once_in_main(program: Program) -> frozenset[Local]:
    """Scalars of the main function whose only reader is another scalar."""
    scalars = [s for s in program.statements if isinstance(s, Assign)]
    inner = {s for s in scalars if not isinstance(s.value, Load)}
    others = [s for s in program.statements if s not in inner]
    uses = Counter(e for s in inner for e in _locals_shown(s))
    fixed = {e for s in others for e in locals_in(s)} | {v for v in program.outputs if isinstance(v, Local)}
    changing = {e for s in others for e in _changed_by(s)}
    fixed |= changing | {e for e, n in Counter(s.target for s in scalars).items() if n > 1}
    return frozenset(s.target for s in inner if uses[s.target] == 1 and s.target not in fixed
                     and not changing.intersection(_locals_shown(s)))


def lengths_of_checks(program: Program) -> frozenset[Local]:
    """Lengths that only checks read."""
    read = {s.target for s in program.statements if isinstance(s, ReadLength)}
    others = {e for s in program.statements if not isinstance(s, Test) for e in locals_in(s)}
    return frozenset(read - others - {v for v in program.outputs if isinstance(v, Local)})


def lengths_used(program: Program) -> set[Local]:
    """What is the length of an axis or of a loop."""
    found = {e for s in program.statements if isinstance(s, Allocate) for e in locals_in(s)}
    for kernel in program.kernels:
        found.update(s.extent for s in walk(kernel.body) if isinstance(s, For) and isinstance(s.extent, Local))
    pieces = [s.pieces for s in program.statements if isinstance(s, CallKernel) and s.pieces is not None]
    found.update(turns for _, turns in pieces if isinstance(turns, Local))
    return found - {number for number, _ in pieces}
