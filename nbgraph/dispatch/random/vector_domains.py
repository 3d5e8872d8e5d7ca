"""What must hold of arrays of parameters before a vector is drawn, and what NumPy says where it does not.

    VECTOR_DOMAINS["multinomial"]     every p, then their sum, then n

Predicates are kernels of whole arrays, and of the numbers beside them: true of what is allowed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nbgraph.dispatch.jit import kernel
from nbgraph.dispatch.random.domains import LARGEST_URN, Domain, not_negative

_ABOVE_ONE, _NEXT_TO_ONE = 1e-12, float(np.sqrt(np.finfo(np.float64).eps))


@kernel
def compensated_sum(x: Any, count: Any) -> Any:
    """x[0] + ... + x[count - 1], with what rounding loses: Kahan, CACM 8 (1965)."""
    total = lost = 0.0
    for i in range(count):
        part = x[i] - lost
        together = total + part
        lost = (together - total) - part
        total = together
    return total


@kernel
def all_probabilities(p: Any) -> Any:
    """All are in [0, 1]."""
    for i in range(p.shape[0]):
        if not (p[i] >= 0.0 and p[i] <= 1.0):
            return False
    return True


@kernel
def leave_something(p: Any) -> Any:
    """All but the last add up to at most 1."""
    return compensated_sum(p, p.shape[0] - 1) <= 1.0 + _ABOVE_ONE


@kernel
def none_negative(x: Any) -> Any:
    """None is below 0; NaN and -0.0 are allowed."""
    for i in range(x.shape[0]):
        if x[i] < 0:
            return False
    return True


@kernel
def no_nan(p: Any) -> Any:
    """None is NaN."""
    for i in range(p.shape[0]):
        if p[i] != p[i]:
            return False
    return True


@kernel
def add_up_to_one(p: Any) -> Any:
    """Their sum is 1, but for rounding of half the digits."""
    return abs(compensated_sum(p, p.shape[0]) - 1.0) <= _NEXT_TO_ONE


@kernel
def enough_possible(p: Any, size: Any) -> Any:
    """At least `size` are above 0."""
    count = 0
    for i in range(p.shape[0]):
        count += p[i] > 0.0
    return count >= size


@kernel
def enough_colors(colors: Any, sample: Any) -> Any:
    """There are as many as are taken."""
    total = 0
    for i in range(colors.shape[0]):
        total += colors[i]
    return sample <= total


@kernel
def colors_in_an_urn(colors: Any) -> Any:
    """Their sum is below 10**9."""
    total = 0
    for i in range(colors.shape[0]):
        total += colors[i]
    return total < LARGEST_URN


_COLORS = (
    Domain(("nsample",), not_negative, "nsample must be nonnegative."),
    Domain(("colors",), none_negative,
           "colors must be a one-dimensional sequence of nonnegative integers not exceeding 9223372036854775807."),
    Domain(("colors", "nsample"), enough_colors, "nsample > sum(colors)"))
_WEIGHTS = (
    Domain(("p",), no_nan, "Probabilities contain NaN"),
    Domain(("p",), none_negative, "Probabilities are not non-negative"),
    Domain(("p",), add_up_to_one,
           "Probabilities do not sum to 1. See Notes section of docstring for more information."))

VECTOR_DOMAINS: dict[str, tuple[Domain, ...]] = {
    "multinomial": (Domain(("pvals",), all_probabilities, "pvals < 0, pvals > 1 or pvals contains NaNs"),
                    Domain(("pvals",), leave_something, "sum(pvals[:-1]) > 1.0"),
                    Domain(("n",), not_negative, "n < 0")),
    "dirichlet": (Domain(("alpha",), none_negative, "alpha < 0"),),
    "multivariate_hypergeometric": (*_COLORS, Domain(
        ("colors",), colors_in_an_urn, 'When method is "marginals", sum(colors) must be less than 1000000000.')),
    "multivariate_hypergeometric, count": _COLORS,
    "choice, p": _WEIGHTS,
    "choice, p, replace=False": (
        *_WEIGHTS, Domain(("p", "size"), enough_possible, "Fewer non-zero entries in p than size")),
}
