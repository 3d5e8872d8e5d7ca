"""Distributions of vectors: multinomial and Dirichlet.

    multinomial(rng, n, p, out)    dirichlet(rng, alpha, out)

One draw each, written into `out`, bit for bit what the methods of `np.random.Generator` draw.
"""

from __future__ import annotations

from typing import Any

from nbgraph.dispatch.jit import kernel
from nbgraph.dispatch.random.binomial import binomial
from nbgraph.dispatch.random.gamma import beta, standard_gamma

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
    if total == 0.0:
        return
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
