"""Distributions on the integers: geometric, negative binomial, logarithmic series and Zipf.

float64 in, int64 out. Bit for bit what the methods of `np.random.Generator` draw, for numbers and arrays of parameters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import int64

from nbgraph.dispatch.jit import kernel
from nbgraph.dispatch.random.gamma import gamma
from nbgraph.dispatch.random.libm import ceil, expm1, floor, log, log1p, power
from nbgraph.dispatch.random.poisson import poisson
from nbgraph.dispatch.random.uniform import random
from nbgraph.dispatch.random.ziggurat import standard_exponential

_LARGEST = np.iinfo(np.int64).max
# As a float it is 2**63.
_TOO_LARGE = float(_LARGEST)
_SEARCHED_FROM = 0.333333333333333333333333
# From here on, everything but 1 is less probable than 2**-1024.
_ZIPF_IS_ONE = 1025.0


@kernel
def geometric(rng: Any, p: Any) -> Any:
    """The number of trials up to the first success; 2**63 - 1 where it is larger.

    The smallest k with 1 - (1 - p)**k >= u: by adding up for p >= 1/3, else ceil(-e / log(1 - p)), e exponential.
    """
    if p >= _SEARCHED_FROM:
        k = 1
        total = probability = p
        u = random(rng)
        while u > total:
            probability *= 1.0 - p
            total += probability
            k += 1
        return k
    z = ceil(-standard_exponential(rng) / log1p(-p))
    return _LARGEST if z >= _TOO_LARGE else int64(z)


@kernel
def negative_binomial(rng: Any, n: Any, p: Any) -> Any:
    """Failures before n successes: a Poisson number whose mean is a gamma one of shape n and scale (1 - p) / p."""
    return poisson(rng, gamma(rng, n, (1.0 - p) / p))


@kernel
def logseries(rng: Any, p: Any) -> Any:
    """k with probability -p**k / (k log(1 - p)): LK of Kemp, Applied Statistics 30 (1981)."""
    r = log1p(-p)
    while True:
        v = random(rng)
        if v >= p:
            return 1
        q = -expm1(r * random(rng))
        if v <= q * q:
            k = int64(floor(1.0 + log(v) / log(q)))
            if k >= 1 and v > 0.0:
                return k
        elif v >= q:
            return 1
        else:
            return 2


@kernel
def zipf(rng: Any, a: Any) -> Any:
    """k with probability proportional to k**-a, k < 2**63: Devroye 1986, chapter X.6.1."""
    if a >= _ZIPF_IS_ONE:
        return 1
    less = a - 1.0
    b = power(2.0, less)
    least = power(_TOO_LARGE, -less)
    while True:
        u = random(rng)
        v = random(rng)
        x = floor(power(u * least + (1.0 - u), -1.0 / less))
        if x >= _TOO_LARGE or x < 1.0:
            continue
        t = power(1.0 + 1.0 / x, less)
        if v * x * (t - 1.0) / (b - 1.0) <= t / b:
            return int64(x)


