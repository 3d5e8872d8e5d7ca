"""Distributions on the integers: Bernoulli, binomial and its kin, geometric, Poisson, categorical, integers.

    poisson(3.5, size=(2,))      int64[2]; dtype="float32" gives the same numbers as floats
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nbgraph.tensor.random.continuous import _shape
from nbgraph.tensor.random.op import RandomVariable
from nbgraph.tensor.random.parameters import real, vector, whole


def slack(dtype: str) -> float:
    """How far from 1 probabilities of this dtype may sum to: what NumPy's choice allows."""
    return float(np.sqrt(np.finfo("float32" if dtype == "float32" else "float64").eps))


def given_dtype(p: Any) -> str:
    """"float32" for probabilities that are given in it, which have its precision; else "float64"."""
    dtype = getattr(getattr(p, "type", p), "dtype", None)
    return "float32" if str(dtype) == "float32" else "float64"


class DiscreteRV(RandomVariable):
    """Base of distributions whose draws are integers."""

    dtype = "int64"
    no_slope = "draws are integers, which jump where they move at all"


class BernoulliRV(DiscreteRV):
    """Bernoulli: 1 with probability p, else 0: where a number of random() is less than p."""

    name = "bernoulli"
    parameters = (real("p", "the probability of 1, from 0 to 1"),)

    @classmethod
    def rng_fn(cls, rng: np.random.Generator, p: Any, size: Any) -> Any:
        if not np.all((p >= 0) & (p <= 1)):
            raise ValueError("p < 0, p > 1 or p is NaN")
        return rng.random(_shape(size, p)) < p


class BinomialRV(DiscreteRV):
    """Binomial: how many of n trials succeed, each with probability p."""

    name = "binomial"
    parameters = (whole("n", "number of trials, >= 0"), real("p", "the probability of success, from 0 to 1"))


class NegBinomialRV(DiscreteRV):
    """Negative binomial: how many trials fail before n have succeeded, each with probability p."""

    name = "negative_binomial"
    parameters = (real("n", "number of successes, > 0"), real("p", "the probability of success, 0 < p <= 1"))


class BetaBinomialRV(DiscreteRV):
    """Beta-binomial: how many of n trials succeed, where the probability is itself a draw of beta(a, b)."""

    name = "betabinom"
    parameters = (whole("n", "number of trials, >= 0"), real("a", "> 0"), real("b", "> 0"))

    @classmethod
    def rng_fn(cls, rng: np.random.Generator, n: Any, a: Any, b: Any, size: Any) -> Any:
        shape = _shape(size, n, a, b)
        return rng.binomial(n, rng.beta(a, b, shape))


class GeometricRV(DiscreteRV):
    """Geometric: how many trials there are up to the first success, each with probability p; from 1 on."""

    name = "geometric"
    parameters = (real("p", "the probability of success, 0 < p <= 1"),)


class HyperGeometricRV(DiscreteRV):
    """Hypergeometric: how many good ones there are among nsample, taken from ngood good and nbad bad ones."""

    name = "hypergeometric"
    parameters = (whole("ngood", ">= 0"), whole("nbad", ">= 0"), whole("nsample", "0 <= nsample <= ngood + nbad"))


class PoissonRV(DiscreteRV):
    """Poisson: probability lam**k exp(-lam) / k!, k = 0, 1, …"""

    name = "poisson"
    parameters = (real("lam", "the mean, >= 0", 1.0),)


class LogSeriesRV(DiscreteRV):
    """Logarithmic series: probability -p**k / (k log(1 - p)), k = 1, 2, …"""

    name = "logseries"
    parameters = (real("p", "0 <= p < 1"),)


class ZipfRV(DiscreteRV):
    """Zipf: probability k**-a / zeta(a), k = 1, 2, …"""

    name = "zipf"
    parameters = (real("a", "> 1"),)


class CategoricalRV(DiscreteRV):
    """Categorical: k with probability p[..., k], k = 0, 1, …; for a vector p what choice(len(p), p=p) draws.

    The first k whose sum of p[0] to p[k], by the sum of all, is larger than a number of random().
    """

    __props__ = (*DiscreteRV.__props__, "of_dtype")
    name = "categorical"
    parameters = (vector("p", "probabilities along the last axis, >= 0, of sum 1"),)

    def __init__(self, of_dtype: str = "float64") -> None:
        super().__init__()
        self.of_dtype = of_dtype

    def called(self, p: Any, size: Any = None, dtype: Any = None, **options: Any) -> Any:
        """Integers; see the class."""
        return CategoricalRV(given_dtype(p)).draws((p,), size=size, dtype=dtype, **options)

    def rng_fn(self, rng: np.random.Generator, p: Any, size: Any) -> Any:
        refuse_bad_probabilities(p, "p", slack(self.of_dtype))
        sums = np.cumsum(p, axis=-1)
        sums /= sums[..., -1:]
        u = rng.random(p.shape[:-1] if size is None else size)
        if p.ndim == 1:
            return sums.searchsorted(u, side="right")
        return np.sum(sums <= u[..., None], axis=-1)


def refuse_bad_probabilities(p: Any, name: str, slack: float) -> None:
    """ValueError unless all are from 0 on, and sum to 1 along the last axis."""
    if p.shape[-1] == 0:
        raise ValueError(f"{name} has no probabilities")
    if np.any(np.isnan(p)):
        raise ValueError(f"{name} contains NaN")
    if np.any(p < 0):
        raise ValueError(f"{name} has negative probabilities")
    if np.any(np.abs(np.sum(p, axis=-1) - 1) > slack):
        raise ValueError(f"the probabilities {name} do not sum to 1")


class IntegersRV(DiscreteRV):
    """Integers: each of low, low + 1, … high - 1 as likely as another, high too with `endpoint`.

    Given one bound, that is `high`, and low is 0. An integer dtype is drawn in its own way, as in NumPy.
    """

    __props__ = (*DiscreteRV.__props__, "endpoint")
    name = "integers"
    parameters = (whole("low", "the least integer"), whole("high", "the end, > low"))

    def __init__(self, endpoint: bool = False) -> None:
        super().__init__()
        self.endpoint = endpoint

    def called(self, low: Any, high: Any = None, size: Any = None, dtype: Any = None, endpoint: bool | None = None,
               **options: Any) -> Any:
        """Integers; see the class."""
        op = self if endpoint in (None, self.endpoint) else IntegersRV(bool(endpoint))
        bounds = (0, low) if high is None else (low, high)
        return op.draws(bounds, size=size, dtype=dtype, **options)

    def drawn(self, rng: np.random.Generator, params: Sequence[Any], size: Any, batch: Any, dtype: Any) -> Any:
        low, high = params
        own = np.dtype("int64") if dtype.kind == "f" else dtype
        return rng.integers(low, high, size=size, dtype=own, endpoint=self.endpoint)


class RandIntRV(IntegersRV):
    """Integers: each of low, low + 1, … high - 1 as likely as another; one bound alone is `high`, and low is 0."""

    parameters = IntegersRV.parameters


bernoulli, binomial, betabinom = BernoulliRV(), BinomialRV(), BetaBinomialRV()
negative_binomial = nbinom = NegBinomialRV()
geometric, hypergeometric, poisson = GeometricRV(), HyperGeometricRV(), PoissonRV()
logseries, zipf, categorical = LogSeriesRV(), ZipfRV(), CategoricalRV()
integers, randint = IntegersRV(), RandIntRV()
