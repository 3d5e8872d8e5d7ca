"""The gamma distribution, and those made of gamma numbers: chi-square, F, beta, Student's t, and non-central ones.

    standard_gamma(rng, shape)    chisquare(rng, df)    beta(rng, a, b)    standard_t(rng, df)

float64 in and out, standard_gamma_32 float32. Bit for bit what the methods of `np.random.Generator` draw, for numbers
and for arrays of parameters alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nbgraph.dispatch.jit import apart, kernel
from nbgraph.dispatch.random.libm import exp, log, log1p, power, sqrt
from nbgraph.dispatch.random.poisson import poisson
from nbgraph.dispatch.random.uniform import random, random_32
from nbgraph.dispatch.random.ziggurat import (
    standard_exponential,
    standard_exponential_32,
    standard_normal,
    standard_normal_32,
)

# Where u**(1 / a) is 0 for nearly all u.
_TINY = 3e-103
_ONE, _THIRD, _HALF = np.float32(1), np.float32(1 / 3), np.float32(0.5)
_NINE, _SQUEEZE = np.float32(9), np.float32(0.0331)


@kernel
def standard_gamma(rng: Any, shape: Any) -> Any:
    """The gamma distribution of this shape and scale 1.

    shape > 1: a transformed normal number, Marsaglia & Tsang, ACM TOMS 26 (2000). shape < 1: rejection from an
    exponential density beyond a power, Ahrens & Dieter, Computing 12 (1974), with an exponential number for the second
    uniform one. shape = 1: standard exponential.
    """
    if shape == 1.0:
        return standard_exponential(rng)
    if shape < 1.0:
        return _small_gamma(rng, shape)
    d = shape - 1.0 / 3.0
    c = 1.0 / sqrt(9.0 * d)
    while True:
        v = -1.0
        while v <= 0.0:
            x = standard_normal(rng)
            v = 1.0 + c * x
        v = v * v * v
        u = random(rng)
        if u < 1.0 - 0.0331 * (x * x) * (x * x) or log(u) < 0.5 * x * x + d * (1.0 - v + log(v)):
            return d * v


@kernel
def _small_gamma(rng: Any, shape: Any) -> Any:
    if shape == 0.0:
        return 0.0
    while True:
        u = random(rng)
        e = standard_exponential(rng)
        if u <= 1.0 - shape:
            x = power(u, 1.0 / shape)
            if x <= e:
                return x
        else:
            y = -log((1.0 - u) / shape)
            x = power(1.0 - shape + shape * y, 1.0 / shape)
            if x <= e + y:
                return x


@kernel
def standard_gamma_32(rng: Any, shape: Any) -> Any:
    """`standard_gamma` in float32, with float32 draws."""
    if shape == _ONE:
        return standard_exponential_32(rng)
    if shape < _ONE:
        return _small_gamma_32(rng, shape)
    d = shape - _THIRD
    c = _ONE / sqrt(_NINE * d)
    while True:
        v = -_ONE
        while v <= 0.0:
            x = standard_normal_32(rng)
            v = _ONE + c * x
        v = v * v * v
        u = random_32(rng)
        if u < _ONE - _SQUEEZE * (x * x) * (x * x) or log(u) < _HALF * x * x + d * (_ONE - v + log(v)):
            return d * v


@kernel
def _small_gamma_32(rng: Any, shape: Any) -> Any:
    if shape == 0.0:
        return np.float32(0.0)
    while True:
        u = random_32(rng)
        e = standard_exponential_32(rng)
        if u <= _ONE - shape:
            x = power(u, _ONE / shape)
            if x <= e:
                return x
        else:
            y = -log((_ONE - u) / shape)
            x = power(_ONE - shape + shape * y, _ONE / shape)
            if x <= e + y:
                return x


@kernel
def gamma(rng: Any, shape: Any, scale: Any) -> Any:
    """scale g,   g standard gamma"""
    return scale * standard_gamma(rng, shape)


@kernel
def chisquare(rng: Any, df: Any) -> Any:
    """2 g,   g standard gamma of shape df / 2"""
    return 2.0 * standard_gamma(rng, df / 2.0)


@kernel
def f(rng: Any, dfnum: Any, dfden: Any) -> Any:
    """(c1 / dfnum) / (c2 / dfden) of two chi-square numbers"""
    above = chisquare(rng, dfnum) * dfden
    return above / (chisquare(rng, dfden) * dfnum)


@kernel
def standard_t(rng: Any, df: Any) -> Any:
    """z sqrt(df / 2) / sqrt(g),   z standard normal, g standard gamma of shape df / 2"""
    z = standard_normal(rng)
    g = standard_gamma(rng, df / 2.0)
    return sqrt(df / 2.0) * z / sqrt(g)


@kernel
def noncentral_chisquare(rng: Any, df: Any, nonc: Any) -> Any:
    """(z + sqrt(nonc))**2 + c, c chi-square of df - 1; for df <= 1 chi-square of df + 2 i, i Poisson of nonc / 2

    Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions, volume 2, 1995, chapter 29.
    """
    if nonc != nonc:
        return np.nan
    if nonc == 0.0:
        return chisquare(rng, df)
    if df > 1.0:
        c = chisquare(rng, df - 1.0)
        z = standard_normal(rng) + sqrt(nonc)
        return c + z * z
    return chisquare(rng, df + 2.0 * poisson(rng, nonc / 2.0))


@kernel
def noncentral_f(rng: Any, dfnum: Any, dfden: Any, nonc: Any) -> Any:
    """(n / dfnum) / (c / dfden),   n non-central chi-square of dfnum and nonc, c chi-square of dfden"""
    above = noncentral_chisquare(rng, dfnum, nonc) * dfden
    return above / (chisquare(rng, dfden) * dfnum)


@kernel
def beta(rng: Any, a: Any, b: Any) -> Any:
    """g1 / (g1 + g2) of two standard gamma numbers; where a and b are at most 1, by two powers of uniform numbers

    The second method: Jöhnk, Metrika 8 (1964); where a power is 0, in logarithms.
    """
    if a <= 1.0 and b <= 1.0:
        return _small_beta(rng, a, b)
    first = standard_gamma(rng, a)
    return first / (first + standard_gamma(rng, b))


@kernel
def _small_beta(rng: Any, a: Any, b: Any) -> Any:
    apart()
    if a < _TINY and b < _TINY:
        return 1.0 if (a + b) * random(rng) < a else 0.0
    while True:
        u = random(rng)
        v = random(rng)
        x = power(u, 1.0 / a)
        y = power(v, 1.0 / b)
        if x + y <= 1.0 and u + v > 0.0:
            if x > 0.0 and y > 0.0:
                return x / (x + y)
            ratio = log(u) / a - log(v) / b
            if ratio > 0.0:
                return exp(-log1p(exp(-ratio)))
            return exp(ratio - log1p(exp(ratio)))
