"""Poisson numbers, and those made of them.

    poisson(rng, lam)    negative_binomial(rng, n, p)

float64 in, int64 out. Bit for bit what the methods of `np.random.Generator` draw, for numbers and arrays of parameters.
"""

from __future__ import annotations

from typing import Any

from numba import float64, int64

from nbgraph.dispatch.jit import apart, kernel
from nbgraph.dispatch.random.libm import exp, floor, log, sqrt
from nbgraph.dispatch.random.tables64 import STIRLING
from nbgraph.dispatch.random.uniform import random
from nbgraph.dispatch.random.ziggurat import table

_HALF_LOG_TWO_PI = 0.5 * 1.8378770664093453
_stirling = table(STIRLING, float64)


@kernel
def log_gamma(x: Any) -> Any:
    """log(gamma(x)), x > 0: Stirling's series at x >= 7, the recurrence below (Zhang & Jin, Computation of Special
    Functions, 1996, 3.1). NumPy's Poisson and binomial numbers compare with it."""
    apart()
    if x == 1.0 or x == 2.0:
        return 0.0
    shift = int64(7.0 - x) if x < 7.0 else 0
    x0 = x + shift
    inverse_square = (1.0 / x0) * (1.0 / x0)
    series = _stirling(9)
    for k in range(9):
        series = series * inverse_square + _stirling(8 - k)
    result = series / x0 + _HALF_LOG_TWO_PI + (x0 - 0.5) * log(x0) - x0
    for _ in range(shift):
        result -= log(x0 - 1.0)
        x0 -= 1.0
    return result


@kernel
def poisson(rng: Any, lam: Any) -> Any:
    """The number of events where lam are expected.

    lam >= 10: transformed rejection with squeeze, PTRS of Hörmann, Insurance: Mathematics and Economics 12 (1993).
    Below, uniform numbers are multiplied until they are below exp(-lam): Knuth, TAOCP 2, 3.4.1.
    """
    if lam >= 10.0:
        return _large_poisson(rng, lam)
    if lam == 0.0:
        return 0
    least = exp(-lam)
    count = 0
    product = random(rng)
    while product > least:
        count += 1
        product *= random(rng)
    return count


@kernel
def _large_poisson(rng: Any, lam: Any) -> Any:
    root = sqrt(lam)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    accepted = 0.9277 - 3.6224 / (b - 2.0)
    while True:
        u = random(rng) - 0.5
        v = random(rng)
        us = 0.5 - abs(u)
        k = floor((2.0 * a / us + b) * u + lam + 0.43)
        if us >= 0.07 and v <= accepted:
            return int64(k)
        if k < 0.0 or (us < 0.013 and v > us):
            continue
        bound = log(v) + log(inverse_alpha) - log(a / (us * us) + b)
        if bound <= -lam + k * log(lam) - log_gamma(k + 1.0):
            return int64(k)
