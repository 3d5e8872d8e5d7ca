"""Quotients that only sums see: a product with the reciprocal of a divisor that is the same in every turn.

    for i: z = (x[i] - mu) / sigma               per, scale = inverse(sigma), inverse_scale(sigma)
           total = add(total, z * z)             for i: z = (x[i] - mu) * per * scale; …

A division takes as long as ten multiplications. The product is within 2 ulp of the quotient for all divisors, and NaN,
infinite or 0 where that is (`scale` is 1 but for the smallest and largest). So it stands where its last bit is lost in
a sum anyway, after at most additions and multiplications: x / x stays 1 where a user can see it, but for the sum of
one element.
"""

from __future__ import annotations

from typing import Any

from nbgraph.dispatch.expressions import Assign, Call, Combine, For, Local
from nbgraph.lowering.program import CallKernel, Kernel, Program, expressions_of, kernel_of, parts_of, walk

_THROUGH = frozenset({"+", "-", "*", "square", "neg"})
_TWO = ("float64", "float64")


def multiply_by_reciprocals(program: Program) -> Program:
    """The same program with fewer divisions."""
    known: dict[Local, tuple[Local, Local]] = {}
    result: list[Any] = []
    for s in program.statements:
        if isinstance(s, CallKernel) and s.copies is None:
            quotients = _quotients(s.kernel)
            for divisor in dict.fromkeys(divisor for _, divisor in quotients.values()):
                if divisor not in known:
                    known[divisor] = Local("per", "float64"), Local("scale", "float64")
                    result += [Assign(local, Call(name, (divisor,), ("float64",), "float64"))
                               for local, name in zip(known[divisor], ("inverse", "inverse_scale"), strict=True)]
            if quotients:
                s.kernel = _multiplied(s.kernel, quotients, known)
        result.append(s)
    program.statements[:] = result
    return program


def _quotients(kernel: Kernel) -> dict[Assign, tuple[Any, Local]]:
    """(numerator, divisor) of statements whose value is a quotient by an argument, and goes to sums alone."""
    statements = walk(kernel.body)
    divisors = set(kernel.scalars)
    shown: set[Any] = set(kernel.results)  # locals that somebody sees as they are
    found: dict[Assign, tuple[Any, Local]] = {}
    for s in reversed(statements):
        if isinstance(s, Combine) and s.combine == "sum" and isinstance(s.target, Local):
            continue
        call = s.value if isinstance(s, Assign) else None
        linear = isinstance(call, Call) and call.function in _THROUGH and call.dtype == "float64"
        if isinstance(call, Call) and call.function == "true_divide" and call.operand_dtypes == _TWO:
            numerator, divisor = call.arguments
            if s.target not in shown and divisor in divisors:
                found[s] = numerator, divisor
                continue
        if isinstance(s, Assign) and linear and s.target not in shown:
            continue
        shown.update(e for x in expressions_of(s) for e in parts_of(x) if isinstance(e, Local))
    return found


def _multiplied(kernel: Kernel, quotients: dict[Assign, tuple[Any, Local]],
                known: dict[Local, tuple[Local, Local]]) -> Kernel:
    """The kernel with products in place of quotients."""
    def body_of(body: list[Any]) -> list[Any]:
        return [statement(s) for s in body]

    def statement(s: Any) -> Any:
        if isinstance(s, For):
            return For(s.index, s.extent, body_of(s.body), s.first, s.offset)
        if s not in quotients:
            return s
        numerator, divisor = quotients[s]
        per, scale = known[divisor]
        product = Call("*", (numerator, per), _TWO, "float64")
        return Assign(s.target, Call("*", (product, scale), _TWO, "float64"), s.variable)

    body = body_of(kernel.body)
    outer = None if kernel.outer is None else body[kernel.body.index(kernel.outer)]
    return kernel_of(body, kernel.results, outer)
