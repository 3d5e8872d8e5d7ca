"""gammaln and digamma. float32 is computed in 64 bits, with shorter polynomials: `digits` is 32 for it.

    gammaln(x):  2.5 <= x   Stirling's formula      x < 2.5   (1 + d) d P(d) for x = 2 + d, d in [-1/2, 1/2)
    digamma(x):    2 <= x   its derivative          x < 2     d Q(d) for a d from the zero at 1.46

Below these intervals Gamma(x + 1) = x Gamma(x). What Stirling's formula leaves is a minimax polynomial in 1 / x**2 also
where its series would need larger numbers. Numbers below 0 (`rare`) go to the C library, or to the reflection formula.
Source: NIST Digital Library of Mathematical Functions, 5.5 and 5.11.
"""

from __future__ import annotations

import math

from nbgraph.dispatch.scalar_value import Value, select
from nbgraph.dispatch.vmath.constants import DIGAMMA_NEGATIVE_ROOT, DIGAMMA_ROOT
from nbgraph.dispatch.vmath.formats import fma, parts, series
from nbgraph.dispatch.vmath.logarithm import normal, of_parts, split
from nbgraph.dispatch.vmath.rare import rarely


def _positive_gammaln(x: Value, digits: int) -> Value:
    far, low, lowest = x >= 2.5, x < 1.5, x < 0.5
    k, m = split(*normal(select(lowest, fma(x, x, x), x)))
    # log(x) - 1 is small next to x = e.
    logarithm = of_parts(k, m - 1, start=select(far, -1.0, x.constant(0)), digits=digits)
    d = select(lowest, x, x - select(low, 1.0, x.constant(2)))
    near = fma(d, d, d) * series("gammaln", d, d * d, digits)
    u = 1 / x
    z = u * u
    rest = fma(u, series("stirling", z, z * z, digits), math.log(2 * math.pi) / 2 - 0.5)
    return select(far, fma(x - 0.5, logarithm, rest), select(low, near - logarithm, near))


def gammaln(x: Value, digits: int = 64) -> Value:
    """log |Gamma(x)|"""
    negative = x <= 0.0
    rare = rarely("lgamma", x, negative, lambda y: select(y == -math.inf, y, y.libm("lgamma")))
    return select(negative, rare, _positive_gammaln(x, digits))


def _positive_digamma(x: Value, digits: int) -> Value:
    low = x < 1.0
    root, root_low = parts(DIGAMMA_ROOT, 64, 53)
    d = (select(low, x + 1, x) - root) - root_low
    u = 1 / x
    near = fma(d, series("digamma", d, d * d, digits), select(low, -u, 0.0))
    z = u * u
    k, m = split(x)
    rest = fma(z, series("digamma_far", z, z * z, digits), u * 0.5)
    return select(x < 2.0, near, select(x < math.inf, of_parts(k, m - 1, digits=digits) - rest, x))


def _negative_digamma(x: Value) -> Value:
    """digamma of x < 0: by reflection, but between the first two poles with its relative accuracy where it is 0."""
    root, root_low = parts(DIGAMMA_NEGATIVE_ROOT, 64, 53)
    d = (x - root) - root_low
    first = d * series("digamma_negative", d) / (x * (x + 1))
    part = x - x.intrinsic("rint")
    mirrored = _positive_digamma(1 - x, 64) - math.pi / (part * math.pi).libm("tan")
    return select(x > -1.0, first, select(part == 0.0, math.nan, mirrored))


def digamma(x: Value, digits: int = 64) -> Value:
    """the derivative of gammaln"""
    negative = x < 0.0
    rare = rarely("digamma", x, negative, _negative_digamma)
    return select(negative, rare, _positive_digamma(x, digits))
