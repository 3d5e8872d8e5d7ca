"""Claims: what must hold at run time, tested together, told apart where one fails.

    if m != n or n <= 7:  raise CheckFailed(0, m, n)        of (m, n) the first claim that does not hold makes the error

A raise costs Numba 10 ms, a comparison next to nothing. So the tests between two loops are one `if`; which of its
claims is wrong, and the values to show, are worked out from the lengths it was about, when it has failed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from nbgraph.dispatch.expressions import Expr, Literal
from nbgraph.lowering.program import Claim, Test

MOST_VALUES = 20  # of one test: Python passes more arguments in another, slower way

_HOLDS: dict[str, Callable[..., bool]] = {
    "equal": lambda *values: len(set(values)) <= 1,
    "same_size": lambda *values: len(set(values)) <= 1,
    "at_most": lambda a, b: a <= b,
    "index": lambda i, n: -n <= i < n,
    "finite": lambda *values: all(map(math.isfinite, values)),
    "positive": lambda *values: all(v > 0 for v in values),
    "natural": lambda *values: all(v >= 0 for v in values),
    "nonzero": lambda *values: all(v != 0 for v in values),
}


def joins(test: Test, claim: Claim) -> bool:
    """True where the claim may be tested with those of `test`: all are about scalars, and not too many."""
    if test.array is not None or Test(0, [claim]).array is not None:
        return False
    return len(Test(0, [*test.claims, claim]).values()) <= MOST_VALUES


def error(test: Test, values: Sequence[Any]) -> Exception:
    """The error of the first claim that does not hold, for what CheckFailed has brought."""
    if test.array is not None:
        return test.claims[0].check.report(values)
    known = dict(zip(test.values(), values, strict=True))
    for claim in test.claims:
        operands = [_value(e, known) for e in claim.operands]
        if not _HOLDS[claim.check.test](*operands):
            return claim.check.report([_value(e, known) for e in claim.shown])
    raise AssertionError(f"all claims of test {test.number} hold for {known}")


def _value(e: Expr, known: dict[Expr, Any]) -> Any:
    return e.value if isinstance(e, Literal) else known[e]


def conditions(test: Test, text: Callable[[Expr], str], imported: Callable[[str], str]) -> list[str]:
    """What is true where a claim does not hold, one for each; indices into one length are one comparison."""
    found: dict[str, None] = {}
    indices: dict[Expr, list[int]] = {}
    for claim in test.claims:
        if claim.check.test == "index" and isinstance(claim.operands[0], Literal):
            indices.setdefault(claim.operands[1], []).append(claim.operands[0].value)
    for n, places in indices.items():
        needed = max(max(places) + 1, -min(places))
        found[f"{text(n)} < {needed}"] = None
    for claim in test.claims:
        if claim.check.test != "index" or not isinstance(claim.operands[0], Literal):
            found[_condition(claim.check.test, list(map(text, claim.operands)), imported)] = None
    return list(found)


def _condition(test: str, operands: list[str], imported: Callable[[str], str]) -> str:
    first, *rest = operands
    if test in ("equal", "same_size"):
        return f"{first} != {rest[0]}" if len(rest) == 1 else f"not ({' == '.join(operands)})"
    if test == "at_most":
        return f"{first} > {rest[0]}"
    if test == "index":
        return f"not -{rest[0]} <= {first} < {rest[0]}"
    if test == "finite":
        finite = imported("math.isfinite")
        return f"not ({' and '.join(f'{finite}({e})' for e in operands)})"
    sign = {"positive": "<= 0", "natural": "< 0", "nonzero": "== 0"}[test]
    return " or ".join(f"{e} {sign}" for e in operands)

