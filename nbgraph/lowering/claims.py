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

MOST_VALUES, MOST_CLAIMS = 20, 100  # of one test: Python passes more arguments in another, slower way


def joins(test: Test, claim: Claim) -> bool:
    """True where the claim may be tested with those of `test`: all are about scalars, and not too many.

    What only warns stands alone: afterwards nobody could tell whether the warning is what has failed.
    """
    if len(test.claims) == MOST_CLAIMS or Test(0, [claim]).array is not None:
        return False
    if any(c.check.test == "warned" for c in (*test.claims, claim)):
        return False
    return len(Test(0, [*test.claims, claim]).values()) <= MOST_VALUES


def error(test: Test, values: Sequence[Any]) -> Exception:
    """The error of the first claim that does not hold, for what CheckFailed has brought."""
    if test.array is not None or test.claims[0].check.test == "warned":
        return test.claims[0].check.report(values)
    known = dict(zip(test.values(), values, strict=True))
    names = {e: f"v{k}" for k, e in enumerate(known)}
    scope = {"isfinite": math.isfinite, **{names[e]: value for e, value in known.items()}}
    for claim in test.claims:
        operands = [repr(e.value) if isinstance(e, Literal) else names[e] for e in claim.operands]
        if eval(_condition(claim.check.test, operands, lambda name: name.rpartition(".")[2]), scope):
            return claim.check.report([e.value if isinstance(e, Literal) else known[e] for e in claim.shown])
    raise AssertionError(f"all claims of test {test.number} hold for {known}")


def conditions(test: Test, text: Callable[[Expr], str], imported: Callable[[str], str]) -> list[str]:
    """What is true where a claim does not hold: one for each, but for indices into one length, and equal lengths."""
    found: list[str] = []
    indices: dict[Expr, list[int]] = {}
    equal: dict[Expr, list[Expr]] = {}
    for claim in test.claims:
        first, *rest = claim.operands
        if claim.check.test == "index" and isinstance(first, Literal):
            indices.setdefault(rest[0], []).append(first.value)
        elif claim.check.test == "equal":
            equal.setdefault(first, []).extend(rest)
        else:
            found.append(_condition(claim.check.test, list(map(text, claim.operands)), imported))
    needed = [f"{text(n)} < {max(max(places) + 1, -min(places))}" for n, places in indices.items()]
    for first, rest in equal.items():
        others = list(dict.fromkeys(map(text, rest)))
        differ = imported("nbgraph.dispatch.checks.differ") if len(others) > 1 else ""
        needed.append(f"{differ}({', '.join([text(first), *others])})" if differ else f"{text(first)} != {others[0]}")
    return list(dict.fromkeys(needed + found))


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
    if test == "warned":
        return f"not {first} and {imported('nbgraph.dispatch.checks.warned')}({rest[0]})"
    if test == "holds":
        return f"not {first}" if len(operands) == 1 else f"not ({' and '.join(operands)})"
    sign = {"positive": "<= 0", "natural": "< 0", "nonzero": "== 0"}[test]
    return " or ".join(f"{e} {sign}" for e in operands)

