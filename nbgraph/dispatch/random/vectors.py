"""Distributions of vectors: multinomial, Dirichlet, and multivariate normal.

    multinomial(rng, n, p, out)    dirichlet(rng, alpha, out)    multivariate_normal(rng, mean, factor, z, out)

One draw each, written into `out`. Bit for bit what the methods of `np.random.Generator` draw; of the multivariate
normal, the normal numbers are, and the product with the factor is rounded as its sums are ordered here.
"""

from __future__ import annotations

from typing import Any

from nbgraph.dispatch.jit import kernel
from nbgraph.dispatch.random.binomial import binomial
from nbgraph.dispatch.random.gamma import beta, standard_gamma
from nbgraph.dispatch.random.ziggurat import standard_normal

_SMALL_ALPHA = 0.1


@kernel
def multinomial(rng: Any, n: Any, p: Any, out: Any) -> Any:
    """How often each of k outcomes comes up in n trials: one binomial number after the other.

    Parameters
    ----------
    n : int64
    p : float64[k], k > 0    the last one is what is left of 1
    out : int64[k]
    """
    left, probability = n, 1.0
    last = p.shape[0] - 1
    for i in range(p.shape[0]):
        out[i] = 0
    for i in range(last):
        out[i] = binomial(rng, left, p[i] / probability)
        left -= out[i]
        if left <= 0:
            break
        probability -= p[i]
    if left > 0:
        out[last] = left


@kernel
def dirichlet(rng: Any, alpha: Any, out: Any) -> Any:
    """Standard gamma numbers of shapes alpha, divided by their sum; a broken stick where all alpha are below 0.1.

    The second: a stick of length 1 is broken at beta numbers (Ishwaran & James, JASA 96 (2001)), since gamma numbers
    of small shapes would all be 0.

    Parameters
    ----------
    alpha : float64[k]
    out : float64[k]
    """
    k = alpha.shape[0]
    if k == 0:
        return
    small = True
    for i in range(k):
        if not alpha[i] < _SMALL_ALPHA:
            small = False
    if small:
        _broken_stick(rng, alpha, out)
        return
    total = 0.0
    for i in range(k):
        out[i] = standard_gamma(rng, alpha[i])
        total += out[i]
    inverse = 1.0 / total
    for i in range(k):
        out[i] *= inverse


@kernel
def _broken_stick(rng: Any, alpha: Any, out: Any) -> Any:
    last = alpha.shape[0] - 1
    total = 0.0
    for step in range(last + 1):
        total += alpha[last - step]
        out[last - step] = total
    length = 1.0
    for i in range(last):
        after = out[i + 1]
        part = beta(rng, alpha[i], after)
        out[i] = length * part
        length *= 1.0 - part
        if after == 0.0:
            for j in range(i + 1, last):
                out[j] = 0.0
            break
    out[last] = length


@kernel
def multivariate_normal(rng: Any, mean: Any, factor: Any, z: Any, out: Any) -> Any:
    """mean + factor @ z, z standard normal: of covariance factor @ factor.T

    Parameters
    ----------
    mean : float64[k]
    factor : float64[k, k]    of the covariance, by any of NumPy's methods
    z : float64[k]            written
    out : float64[k]
    """
    for i in range(z.shape[0]):
        z[i] = standard_normal(rng)
    for i in range(out.shape[0]):
        total = 0.0
        for j in range(z.shape[0]):
            total += factor[i, j] * z[j]
        out[i] = mean[i] + total
