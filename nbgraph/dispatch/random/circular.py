"""von Mises and Wald (inverse Gaussian) numbers.

float64 in and out. Bit for bit what the methods of `np.random.Generator` draw, for numbers and arrays of parameters.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nbgraph.dispatch.jit import kernel
from nbgraph.dispatch.random.libm import acos, cos, fmod, log, sqrt
from nbgraph.dispatch.random.uniform import random
from nbgraph.dispatch.random.ziggurat import standard_normal

# Uniform below the first; with the second, the rounding errors of s are avoided; a normal number above the third.
_UNIFORM_BELOW, _SERIES_BELOW, _NORMAL_ABOVE = 1e-8, 1e-5, 1e6


@kernel
def vonmises(rng: Any, mu: Any, kappa: Any) -> Any:
    """An angle in [-pi, pi], of density proportional to exp(kappa cos(x - mu)).

    Best & Fisher, Applied Statistics 28 (1979): rejection from a wrapped Cauchy density. A normal number of variance
    1 / kappa for kappa > 1e6, a uniform one for kappa < 1e-8.
    """
    if kappa != kappa:
        return np.nan
    if kappa < _UNIFORM_BELOW:
        return math.pi * (2.0 * random(rng) - 1.0)
    if kappa > _NORMAL_ABOVE:
        angle = mu + sqrt(1.0 / kappa) * standard_normal(rng)
        if angle < -math.pi:
            angle += 2.0 * math.pi
        if angle > math.pi:
            angle -= 2.0 * math.pi
        return angle
    if kappa < _SERIES_BELOW:
        s = 1.0 / kappa + kappa
    else:
        r = 1.0 + sqrt(1.0 + 4.0 * kappa * kappa)
        rho = (r - sqrt(2.0 * r)) / (2.0 * kappa)
        s = (1.0 + rho * rho) / (2.0 * rho)
    while True:
        z = cos(math.pi * random(rng))
        w = (1.0 + s * z) / (s + z)
        y = kappa * (s - w)
        v = random(rng)
        if y * (2.0 - y) - v >= 0.0 or log(y / v) + 1.0 - y >= 0.0:
            break
    angle = acos(w)
    if random(rng) < 0.5:
        angle = -angle
    angle += mu
    folded = fmod(abs(angle) + math.pi, 2.0 * math.pi) - math.pi
    return -folded if angle < 0.0 else folded


@kernel
def wald(rng: Any, mean: Any, scale: Any) -> Any:
    """The inverse Gaussian distribution: a root of a quadratic in a squared normal number, or the other root.

    Michael, Schucany & Haas, The American Statistician 30 (1976); the smaller root is written without their difference
    of large numbers.
    """
    z = standard_normal(rng)
    y = mean * z * z
    x = mean * (1.0 - 2.0 / (1.0 + sqrt(1.0 + 4.0 * scale / y)))
    if random(rng) <= mean / (mean + x):
        return x
    return mean * mean / x
