"""Which parameters a distribution takes, and what NumPy says of others.

    DOMAINS["gamma"]     (shape, not_negative, "shape < 0"), (scale, not_negative, "scale < 0")

Kernels cannot fail: a generated function looks at the parameters first, in this order, and draws only where all hold.
Predicates are true of what is allowed. Each is plain Python where Python calls it; compiled, it costs no jitted
function.
NaN is allowed where nothing else is said, and the draw is NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir

from nbgraph.dispatch.scalar_value import Value, boolean, fabs, native

# The largest mean of a Poisson number, which is an int64: ten standard deviations below 2**63 - 1.
LARGEST_MEAN = float(np.iinfo(np.int64).max - np.sqrt(np.iinfo(np.int64).max) * 10)
LARGEST_URN = 10**9


@dataclass(frozen=True)
class Domain:
    """What must hold of parameters.

    parameters : as NumPy names them
    holds : the predicate of them, in Python and in compiled code
    message : what NumPy says where it does not hold
    error : what NumPy raises
    """

    parameters: tuple[str, ...]
    holds: Callable[..., Any]
    message: str
    error: type[Exception] = ValueError


def _predicate(reference: Callable[..., Any]) -> Callable[[Callable[..., Value]], Callable[..., Any]]:
    """A kernel; `reference` is what it computes of whole arrays."""
    return native(lambda *x: reference(*map(np.asarray, x)), boolean)


def _unsigned(x: Value) -> Value:
    """Whether the sign is not set; of NaN too."""
    bits = x.builder.bitcast(x.ir, ir.IntType(x.bits)) if x.kind == "f" else x.ir
    return (x != x) | (Value(x.builder, bits, "i") >= 0)


@_predicate(lambda x: np.isnan(x) | ~np.signbit(x.astype(float)))
def not_negative(x: Value) -> Value:
    """not below 0, nor -0.0"""
    return _unsigned(x)


@_predicate(lambda x: ~(x <= 0))
def positive(x: Value) -> Value:
    """above 0"""
    return ~(x <= 0)


@_predicate(lambda x: ~(x < 0))
def not_below_zero(x: Value) -> Value:
    """not below 0; -0.0 and NaN are allowed"""
    return ~(x < 0)


@_predicate(lambda x: x > 0)
def above_zero(x: Value) -> Value:
    """above 0, not NaN"""
    return x > 0


@_predicate(lambda x: ~np.isnan(x))
def is_number(x: Value) -> Value:
    """not NaN"""
    return x == x


@_predicate(lambda x: x >= 0)
def at_least_zero(x: Value) -> Value:
    """at least 0, not NaN"""
    return x >= 0


@_predicate(lambda x: x > 1)
def above_one(x: Value) -> Value:
    """above 1, not NaN"""
    return x > 1


@_predicate(lambda p: (p >= 0) & (p <= 1))
def probability(p: Value) -> Value:
    """in [0, 1], not NaN"""
    return (p >= 0) & (p <= 1)


@_predicate(lambda p: (p > 0) & (p <= 1))
def possible(p: Value) -> Value:
    """in (0, 1], not NaN"""
    return (p > 0) & (p <= 1)


@_predicate(lambda p: (p >= 0) & (p < 1))
def uncertain(p: Value) -> Value:
    """in [0, 1), not NaN"""
    return (p >= 0) & (p < 1)


@_predicate(lambda lam: lam <= LARGEST_MEAN)
def countable(lam: Value) -> Value:
    """a mean whose Poisson numbers fit into an int64, not NaN"""
    return lam <= LARGEST_MEAN


@_predicate(lambda n, p: (1.0 - p) / p * (n + 10.0 * np.sqrt(n)) <= LARGEST_MEAN)
def countable_failures(n: Value, p: Value) -> Value:
    """a negative binomial number fits into an int64"""
    return (1.0 - p) / p * (n + 10.0 * n.intrinsic("sqrt")) <= LARGEST_MEAN


@_predicate(lambda low, high: np.isfinite(high - low))
def finite_range(low: Value, high: Value) -> Value:
    """high - low is finite"""
    return fabs(high - low) < np.inf


@_predicate(lambda low, high: np.isnan(high - low) | ~np.signbit(high - low))
def rising_range(low: Value, high: Value) -> Value:
    """high - low is not below 0, nor -0.0; NaN is for `finite_range`"""
    return _unsigned(high - low)


@_predicate(lambda x, y: ~(x > y))
def in_order(x: Value, y: Value) -> Value:
    """x is not above y"""
    return ~(x > y)


@_predicate(lambda x, y: x != y)
def different(x: Value, y: Value) -> Value:
    """x is not y"""
    return x != y


@_predicate(lambda good, bad: (good < LARGEST_URN) & (bad < LARGEST_URN))
def in_an_urn(good: Value, bad: Value) -> Value:
    """both are below 10**9"""
    return (good < LARGEST_URN) & (bad < LARGEST_URN)


@_predicate(lambda good, bad, sample: good + bad >= sample)
def enough(good: Value, bad: Value, sample: Value) -> Value:
    """there are as many as are taken"""
    return good + bad >= sample


def _not_negative(*names: str) -> tuple[Domain, ...]:
    return tuple(Domain((name,), not_negative, f"{name} < 0") for name in names)


def _positive(*names: str) -> tuple[Domain, ...]:
    return tuple(Domain((name,), positive, f"{name} <= 0") for name in names)


_EDGES = ("low", "high")
_URN = ("ngood", "nbad", "nsample")
_POSSIBLE = Domain(("p",), possible, "p <= 0, p > 1 or p contains NaNs")
_RISING = Domain(_EDGES, rising_range, "high - low < 0")
_COUNTABLE = Domain(("lam",), countable, "lam value too large")

DOMAINS: dict[str, tuple[Domain, ...]] = {
    **{name: _not_negative("scale") for name in ("normal", "exponential", "laplace", "logistic", "gumbel", "rayleigh")},
    **{name: _positive("df") for name in ("chisquare", "standard_t")},
    **{name: _positive("a") for name in ("pareto", "power")},
    "uniform": (Domain(_EDGES, finite_range, "high - low range exceeds valid bounds", OverflowError), _RISING),
    "lognormal": _not_negative("sigma"),
    "standard_gamma": _not_negative("shape"),
    "gamma": _not_negative("shape", "scale"),
    "weibull": _not_negative("a"),
    "vonmises": _not_negative("kappa"),
    "noncentral_chisquare": (*_positive("df"), *_not_negative("nonc")),
    "f": _positive("dfnum", "dfden"),
    "noncentral_f": (*_positive("dfnum", "dfden"), *_not_negative("nonc")),
    "beta": _positive("a", "b"),
    "wald": _positive("mean", "scale"),
    "triangular": (Domain(("left", "mode"), in_order, "left > mode"),
                   Domain(("mode", "right"), in_order, "mode > right"),
                   Domain(("left", "right"), different, "left == right")),
    "poisson": (Domain(("lam",), at_least_zero, "lam < 0 or lam is NaN"), _COUNTABLE),
    "binomial": (Domain(("p",), probability, "p < 0, p > 1 or p is NaN"), *_not_negative("n")),
    "negative_binomial": (Domain(("n",), is_number, "n must not be NaN"), *_positive("n"), _POSSIBLE,
                          Domain(("n", "p"), countable_failures,
                                 "n too large or p too small, see Generator.negative_binomial Notes")),
    "geometric": (_POSSIBLE,),
    "logseries": (Domain(("p",), uncertain, "p < 0, p >= 1 or p is NaN"),),
    "zipf": (Domain(("a",), above_one, "a <= 1 or a is NaN"),),
    "hypergeometric": (Domain(_URN[:2], in_an_urn, "both ngood and nbad must be less than 1000000000"),
                       Domain(_URN, enough, "ngood + nbad < nsample"), *_not_negative(*_URN)),
}

# Where NumPy looks in another order at arrays, or says it in other words.
OF_ARRAYS: dict[str, tuple[Domain, ...]] = {
    "uniform": (Domain(_EDGES, finite_range, "Range exceeds valid bounds", OverflowError), _RISING),
    "poisson": (_COUNTABLE, Domain(("lam",), at_least_zero, "lam < 0 or lam contains NaNs")),
    "binomial": (Domain(("p",), probability, "p < 0, p > 1 or p contains NaNs"), *_not_negative("n")),
    "logseries": (Domain(("p",), uncertain, "p < 0, p >= 1 or p contains NaNs"),),
    "zipf": (Domain(("a",), above_one, "a <= 1 or a contains NaNs"),),
}
