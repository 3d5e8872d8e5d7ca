"""Distributions whose draws are vectors: multivariate normal, Dirichlet, multinomial, multivariate hypergeometric.

    dirichlet(alpha)      alpha: float64[n, k]: n draws of k numbers, one after the other, as n calls of NumPy's
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import ArgumentError
from nbgraph.graph.source import user_line
from nbgraph.tensor.random.discrete import DiscreteRV
from nbgraph.tensor.random.op import RandomVariable
from nbgraph.tensor.random.parameters import Parameter, vector, whole


def one_by_one(draw: Callable[..., Any], batch: tuple[int, ...], last: int, params: Sequence[Any],
               ndims: Sequence[int]) -> np.ndarray:
    """draw(*parameters of one draw) for each place of `batch`, in C order: float64[*batch, last]."""
    spread = [np.broadcast_to(p, batch + np.shape(p)[np.ndim(p) - k:]) for p, k in zip(params, ndims, strict=True)]
    found = np.empty((*batch, last))
    for place in np.ndindex(batch):
        found[place] = draw(*(p[place] for p in spread))
    return found


class MvNormalRV(RandomVariable):
    """Multivariate normal: density proportional to exp(-(x - mean)^T cov^-1 (x - mean) / 2), all real vectors x.

    `method` is "svd", "eigh" or "cholesky": how the root of cov is found; `check_valid` ("warn", "raise", "ignore") and
    `tol` say what is done where cov is not symmetric with eigenvalues >= 0, as in NumPy. The normal numbers that are
    drawn are NumPy's; what is made of them is rounded as SciPy's BLAS and LAPACK round.
    """

    __props__ = (*RandomVariable.__props__, "check_valid", "tol", "method")
    name = "multivariate_normal"
    ndim_supp = 1
    parameters = (vector("mean", "the mean: float64[..., k]"),
                  Parameter("cov", "the covariance: float64[..., k, k]", ndim=2))
    no_slope = ("the root of a covariance that NumPy finds is not differentiated: write mean + dot(root, z) with z of "
                "normal, root of a Cholesky factorisation")

    def __init__(self, check_valid: str = "warn", tol: float = 1e-8, method: str = "svd") -> None:
        super().__init__()
        if check_valid not in ("warn", "raise", "ignore") or method not in ("svd", "eigh", "cholesky"):
            raise ArgumentError(self, f"check_valid={check_valid!r}, method={method!r}", line=user_line(),
                                fix="check_valid is 'warn', 'raise' or 'ignore', method 'svd', 'eigh' or 'cholesky'")
        self.check_valid, self.tol, self.method = check_valid, tol, method

    def called(self, mean: Any, cov: Any, size: Any = None, check_valid: str | None = None, tol: float | None = None,
               *, method: str | None = None, **options: Any) -> Any:
        """Vectors; see the class."""
        op = MvNormalRV(check_valid or self.check_valid, self.tol if tol is None else tol, method or self.method)
        return op.draws((mean, cov), size=size, **options)

    def drawn(self, rng: np.random.Generator, params: Sequence[Any], size: Any, batch: Any, dtype: Any) -> Any:
        mean, cov = params
        how: Any = {"check_valid": self.check_valid, "tol": self.tol, "method": self.method}
        if mean.ndim == 1 and cov.ndim == 2:
            return rng.multivariate_normal(mean, cov, size, **how)
        return one_by_one(lambda m, c: rng.multivariate_normal(m, c, **how), batch, mean.shape[-1], params, (1, 2))

    def slopes(self, x: Any, mean: Any, cov: Any) -> tuple[Any, ...]:
        return nt.ones_like(x), None


class DirichletRV(RandomVariable):
    """Dirichlet: density proportional to the product of x[k]**(alpha[k] - 1); x[k] >= 0, of sum 1."""

    name = "dirichlet"
    ndim_supp = 1
    parameters = (vector("alpha", "> 0"),)
    no_slope = "draws are accepted or rejected by alpha: with the state fixed they jump"

    def drawn(self, rng: np.random.Generator, params: Sequence[Any], size: Any, batch: Any, dtype: Any) -> Any:
        (alpha,) = params
        if alpha.ndim == 1:
            return rng.dirichlet(alpha, size)
        return one_by_one(rng.dirichlet, batch, alpha.shape[-1], params, (1,))


class MultinomialRV(DiscreteRV):
    """Multinomial: how many of n trials come out as k, each with probability pvals[k]; integers >= 0 of sum n."""

    name = "multinomial"
    ndim_supp = 1
    parameters = (whole("n", "number of trials, >= 0"), vector("pvals", "probabilities, >= 0, of sum 1"))

    def _supp_shape_from_params(self, dist_params: Sequence[Any], rep_param_idx: int = 1,
                                param_shapes: Sequence[Any] | None = None) -> Sequence[Any]:
        return super()._supp_shape_from_params(dist_params, rep_param_idx, param_shapes)

    def drawn(self, rng: np.random.Generator, params: Sequence[Any], size: Any, batch: Any, dtype: Any) -> Any:
        n, pvals = params
        if n.ndim == 0 and pvals.ndim == 1:
            return rng.multinomial(n, pvals, size)
        return rng.multinomial(np.broadcast_to(n, batch), np.broadcast_to(pvals, (*batch, pvals.shape[-1])))


class MvHyperGeometricRV(DiscreteRV):
    """Multivariate hypergeometric: how many of each colour are among nsample, taken from colors[k] of colour k.

    `method` is "marginals" (one hypergeometric number after the other) or "count" (a shuffle of all that there are),
    which draw different numbers, as in NumPy.
    """

    __props__ = (*DiscreteRV.__props__, "method")
    name = "multivariate_hypergeometric"
    ndim_supp = 1
    parameters = (Parameter("colors", "how many there are of each, >= 0", dtype="int64", ndim=1),
                  whole("nsample", "0 <= nsample <= sum(colors)"))

    def __init__(self, method: str = "marginals") -> None:
        super().__init__()
        if method not in ("marginals", "count"):
            raise ArgumentError(self, f"method={method!r}", line=user_line(), fix="it is 'marginals' or 'count'")
        self.method = method

    def called(self, colors: Any, nsample: Any, size: Any = None, method: str | None = None, **options: Any) -> Any:
        """Vectors of integers; see the class."""
        return MvHyperGeometricRV(method or self.method).draws((colors, nsample), size=size, **options)

    def drawn(self, rng: np.random.Generator, params: Sequence[Any], size: Any, batch: Any, dtype: Any) -> Any:
        colors, sample = params
        how: Any = self.method
        if colors.ndim == 1 and sample.ndim == 0:
            return rng.multivariate_hypergeometric(colors, int(sample), size, how)
        return one_by_one(lambda c, n: rng.multivariate_hypergeometric(c, int(n), method=how), batch,
                          colors.shape[-1], params, (1, 0))


multivariate_normal, dirichlet, multinomial = MvNormalRV(), DirichletRV(), MultinomialRV()
multivariate_hypergeometric = MvHyperGeometricRV()
