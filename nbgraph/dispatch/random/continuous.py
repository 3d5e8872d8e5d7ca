"""Continuous distributions that are a function of one or two uniform, normal or exponential numbers.

    normal(rng, loc, scale)    laplace(rng, loc, scale)    weibull(rng, a)    triangular(rng, left, mode, right)

float64 in and out. Bit for bit what the methods of `np.random.Generator` draw, for numbers and for arrays of parameters
(element by element, in C order). The inverse of a distribution function is taken where nothing else is said (Devroye,
Non-Uniform Random Variate Generation, 1986, chapter II).
"""

from __future__ import annotations

from typing import Any

from nbgraph.dispatch.jit import kernel
from nbgraph.dispatch.random.libm import exp, expm1, log, power, sqrt
from nbgraph.dispatch.random.uniform import random
from nbgraph.dispatch.random.ziggurat import standard_exponential, standard_normal


@kernel
def uniform(rng: Any, low: Any, high: Any) -> Any:
    """low + (high - low) u"""
    return low + (high - low) * random(rng)


@kernel
def normal(rng: Any, loc: Any, scale: Any) -> Any:
    """loc + scale z,   z standard normal"""
    return loc + scale * standard_normal(rng)


@kernel
def lognormal(rng: Any, mean: Any, sigma: Any) -> Any:
    """exp(mean + sigma z),   z standard normal"""
    return exp(mean + sigma * standard_normal(rng))


@kernel
def exponential(rng: Any, scale: Any) -> Any:
    """scale e,   e standard exponential"""
    return scale * standard_exponential(rng)


@kernel
def standard_cauchy(rng: Any) -> Any:
    """z1 / z2 of two standard normal numbers"""
    first = standard_normal(rng)
    return first / standard_normal(rng)


@kernel
def laplace(rng: Any, loc: Any, scale: Any) -> Any:
    """loc + scale log(2 u) where u < 1/2, else loc - scale log(2 - 2 u)"""
    while True:
        u = random(rng)
        if u >= 0.5:
            return loc - scale * log(2.0 - u - u)
        if u > 0.0:
            return loc + scale * log(u + u)


@kernel
def logistic(rng: Any, loc: Any, scale: Any) -> Any:
    """loc + scale log(u / (1 - u))"""
    while True:
        u = random(rng)
        if u > 0.0:
            return loc + scale * log(u / (1.0 - u))


@kernel
def gumbel(rng: Any, loc: Any, scale: Any) -> Any:
    """loc - scale log(-log(1 - u))"""
    while True:
        u = 1.0 - random(rng)
        if u < 1.0:
            return loc - scale * log(-log(u))


@kernel
def weibull(rng: Any, a: Any) -> Any:
    """e**(1 / a), e standard exponential; 0 for a = 0"""
    if a == 0.0:
        return 0.0
    return power(standard_exponential(rng), 1.0 / a)


@kernel
def pareto(rng: Any, a: Any) -> Any:
    """exp(e / a) - 1,   e standard exponential (Lomax)"""
    return expm1(standard_exponential(rng) / a)


@kernel
def power_function(rng: Any, a: Any) -> Any:
    """(1 - exp(-e))**(1 / a), e standard exponential: NumPy's `power`"""
    return power(-expm1(-standard_exponential(rng)), 1.0 / a)


@kernel
def rayleigh(rng: Any, scale: Any) -> Any:
    """scale sqrt(2 e),   e standard exponential"""
    return scale * sqrt(2.0 * standard_exponential(rng))


@kernel
def triangular(rng: Any, left: Any, mode: Any, right: Any) -> Any:
    """left + sqrt(u (mode - left) (right - left)) below the mode, and likewise from the right above it"""
    base = right - left
    rising = mode - left
    u = random(rng)
    if u <= rising / base:
        return left + sqrt(u * (rising * base))
    return right - sqrt((1.0 - u) * ((right - mode) * base))
