"""gammaln and digamma. float32 is computed in 64 bits.

    gammaln(x):  8 <= x   Stirling's series
                 x < 8    (1 + d) d P(d) for x = 2 + d in [1.5, 2.5), elsewhere moved there by Gamma(x + 1) = x Gamma(x)

Numbers below the poles (`rare`) go to the C library, or to the reflection formula. Source: NIST Digital Library of
Mathematical Functions, 5.5 and 5.11.
"""

from __future__ import annotations

import math
from fractions import Fraction

from nbgraph.dispatch.scalar_value import Value, select
from nbgraph.dispatch.vmath.formats import fma, horner, series
from nbgraph.dispatch.vmath.logarithm import log, log1p
from nbgraph.dispatch.vmath.rare import rarely

_FAR = 8.0


def _bernoulli(count: int) -> list[Fraction]:
    """The Bernoulli numbers B[0], B[1], ..., from sum over k of binomial(n + 1, k) B[k] = 0."""
    found: list[Fraction] = []
    for n in range(count):
        found.append(Fraction(n == 0) - sum((math.comb(n, k) * b / (n - k + 1) for k, b in enumerate(found)),
                                            Fraction(0)))
    return found


BERNOULLI = _bernoulli(27)
# digamma(x) ~ log(x) - 1 / (2 x) - sum of B[2 j] / (2 j x**(2 j)); from the second on the terms are enough.
_ASYMPTOTIC = tuple(float(BERNOULLI[2 * j] / (2 * j)) for j in range(1, 10))
_ROOT_FAR = 10
# Where digamma is 0, as the float and what the float lacks.
_ROOT = (1.4616321449683622, 9.5499954299657e-17)
_NEGATIVE_ROOT = (-0.5040830082644554, -8.1542820624381e-18)


def _positive_gammaln(x: Value) -> Value:
    far = x >= _FAR
    # The factors from x down to the interval, or up to it.
    product, n = select(x < 1.5, x, 1.0), select(x < 1.5, -1.0, x.constant(0))
    product, n = select(x < 0.5, x * (x + 1), product), select(x < 0.5, -2.0, n)
    for i in range(1, 7):
        above = x >= i + 1.5
        product, n = select(above, product * (x - i), product), select(above, float(i), n)
    logarithm = log(select(far, x, product))
    d = x - n - 2
    d = select(x < 1.5, select(x < 0.5, x, x - 1), d)
    near = fma((d + 1) * d, series("gammaln", d), select(x < 1.5, -logarithm, logarithm))
    z = 1 / x
    stirling = fma(x - 0.5, logarithm - 1, fma(z, series("stirling", z * z), math.log(2 * math.pi) / 2 - 0.5))
    return select(far, stirling, near)


def gammaln(x: Value) -> Value:
    """log |Gamma(x)|"""
    negative = x <= 0.0
    rare = rarely("lgamma", x, negative)
    y = select(negative, rare, _positive_gammaln(x))
    return select(x == -math.inf, x, select(x == math.inf, x, y))


def _digamma_from_root(x: Value) -> Value:
    """digamma of -1 < x < 10, with its relative accuracy where it is 0.

    For a root r and d = x - r the sum of 1 / (k + r) - 1 / (k + x) over all k has only terms of the sign of d: the
    first ten are added up, the rest is the difference of the asymptotic expansions at a = x + 10 and b = r + 10.
    """
    negative = x < 0.0
    root = select(negative, _NEGATIVE_ROOT[0], x.constant(_ROOT[0]))
    d = (x - root) - select(negative, _NEGATIVE_ROOT[1], x.constant(_ROOT[1]))
    terms = 1 / (root * x)
    for k in range(1, _ROOT_FAR, 3):
        # Three terms over one denominator: divisions are what this costs.
        u, v, w = ((root + i) * (x + i) for i in range(k, k + 3))
        terms = terms + (u * (v + w) + v * w) / (u * v * w)
    a, b = x + _ROOT_FAR, root + _ROOT_FAR
    u, v = 1 / (a * a), 1 / (b * b)
    # The divided difference of the polynomial at u and v, by Horner's rule.
    value, difference = x.constant(0), x.constant(0)
    for coefficient in reversed((0.0, *_ASYMPTOTIC)):
        difference = difference * u + value
        value = value * v + coefficient
    return d * (terms + 0.5 / (a * b) + (a + b) * u * v * difference) + log1p(d / b)


def _digamma_far(x: Value) -> Value:
    """digamma of x >= 10."""
    u = 1 / x
    return log(x) - fma(u * u, horner(u * u, _ASYMPTOTIC), u * 0.5)


def _direct_digamma(x: Value) -> Value:
    """digamma of x > -1."""
    far = x >= float(_ROOT_FAR)
    return select(far, _digamma_far(select(far, x, 10.0)), _digamma_from_root(select(far, 1.0, x)))


def _reflected_digamma(x: Value) -> Value:
    """digamma of x <= -1."""
    part = x - x.intrinsic("rint")
    mirrored = _direct_digamma(1 - x) - math.pi / (part * math.pi).libm("tan")
    return select(part == 0.0, math.nan, mirrored)


def digamma(x: Value) -> Value:
    """the derivative of gammaln"""
    negative = x <= -1.0
    rare = rarely("digamma", x, negative, _reflected_digamma)
    return select(negative, rare, select(x == math.inf, x, _direct_digamma(x)))
