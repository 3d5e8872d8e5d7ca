"""Kernels of digamma and polygamma.

    digamma(1.0) = -0.5772...      digamma(0.0) = -inf      digamma(-1.0) = nan      polygamma(1, 1.0) = pi**2 / 6

Source of the expansions: NIST Digital Library of Mathematical Functions, 5.5.2, 5.5.4, 5.7.6, 5.11.2 and 25.11.
"""

from __future__ import annotations

import math
from fractions import Fraction

from nbgraph.dispatch.scalar_value import Value, branch, native, same, select
from nbgraph.tensor.scalar_function import TABLE


def _bernoulli(count: int) -> list[Fraction]:
    """The Bernoulli numbers B[0], B[1], ..., from sum over k of binomial(n + 1, k) B[k] = 0."""
    found: list[Fraction] = []
    for n in range(count):
        found.append(Fraction(n == 0) - sum((math.comb(n, k) * b / (n - k + 1) for k, b in enumerate(found)),
                                            Fraction(0)))
    return found


_B = _bernoulli(27)
# digamma(x) ~ log(x) - 1 / (2 x) - sum of B[2 j] / (2 j x**(2 j))
_ASYMPTOTIC = tuple(float(_B[2 * j] / (2 * j)) for j in range(1, 10))
# From here on the terms above are enough.
_FAR = 10
# Where digamma is 0, as the float and what the float lacks.
_ROOT = (1.4616321449683622, 9.5499954299657e-17)
_NEGATIVE_ROOT = (-0.5040830082644554, -8.1542820624381e-18)
# The last, infinite, stands for all above it.
_FACTORIALS = (*(float(math.factorial(n)) for n in range(171)), math.inf)
# Euler and Maclaurin's sum: B[2 j] / (2 j)!
_EULER_MACLAURIN = tuple(float(_B[2 * j] / math.factorial(2 * j)) for j in range(1, 13))


def _from_root(x: Value) -> Value:
    """digamma of -1 < x < 10, with its relative accuracy where it is 0.

    For a root r and d = x - r the sum of 1 / (k + r) - 1 / (k + x) over all k has only terms of the sign of d: the
    first ten are added up, the rest is the difference of the asymptotic expansions at a = x + 10 and b = r + 10.
    """
    negative = x < 0
    root = select(negative, _NEGATIVE_ROOT[0], x.constant(_ROOT[0]))
    d = (x - root) - select(negative, _NEGATIVE_ROOT[1], x.constant(_ROOT[1]))
    terms = 1 / (root * x)
    for k in range(1, _FAR):
        terms = terms + 1 / ((root + k) * (x + k))
    a, b = x + _FAR, root + _FAR
    u, v = 1 / (a * a), 1 / (b * b)
    # The divided difference of the polynomial at u and v, by Horner's rule.
    value, difference = x.constant(0), x.constant(0)
    for coefficient in reversed((0.0, *_ASYMPTOTIC)):
        difference = difference * u + value
        value = value * v + coefficient
    return d * (terms + 0.5 / (a * b) + (a + b) * u * v * difference) + (d / b).libm("log1p")


def _far(x: Value) -> Value:
    """digamma of x >= 10."""
    u, series = 1 / (x * x), x.constant(0)
    for coefficient in reversed(_ASYMPTOTIC):
        series = (series + coefficient) * u
    return x.intrinsic("log") - 0.5 / x - series


def _digamma(x: Value) -> Value:
    reflected = x <= -1
    y = select(reflected, 1 - x, x)
    direct = branch(y < _FAR, lambda: _from_root(y), lambda: _far(y))
    part = x - x.intrinsic("rint")
    mirrored = branch(reflected, lambda: direct - math.pi / (part * math.pi).libm("tan"), lambda: direct)
    return select(reflected & (part == 0), math.nan, mirrored)


@native(TABLE["digamma"].numpy, same)
def digamma(x: Value) -> Value:
    """the derivative of gammaln"""
    return _digamma(x.to_float())


def _hurwitz_zeta(s: Value, q: Value) -> Value:
    """The sum of (q + k)**-s over all k >= 0, for s > 1 and q > 0, by Euler and Maclaurin's formula."""
    terms = [(q + k).intrinsic("pow", -s) for k in range(_FAR)]
    a, power = q + (_FAR - 1), terms[-1]
    rest = a.intrinsic("pow", 1 - s) / (s - 1)
    factor = s
    for j, coefficient in enumerate(_EULER_MACLAURIN):
        power = power / a
        rest = rest + coefficient * factor * power
        factor = factor * (s + (2 * j + 1)) * (s + (2 * j + 2))
        power = power / a
    # The last term of the sum counts half. The smallest come first.
    total = rest + terms[-1] * 0.5
    for term in reversed(terms[:-1]):
        total = total + term
    return total


def _mirrored_zeta(s: Value, x: Value, sign: Value) -> Value:
    """The same sum for q = x < 0: its terms with x + k < 0 are a finite piece of the sum from the other side."""
    part = -x - (-x).intrinsic("floor")
    zeta = (_hurwitz_zeta(s, 1 - part) + sign * _hurwitz_zeta(s, part)) - sign * _hurwitz_zeta(s, 1 - x)
    return select(x == x.intrinsic("floor"), math.inf, zeta)


def _higher(n: Value, x: Value) -> Value:
    """polygamma for n >= 1: n! times a sum of powers."""
    s = n.to_float() + 1
    sign = select((n & 1) != 0, s.constant(1), -1)
    zeta = branch(x > 0, lambda: _hurwitz_zeta(s, x), lambda: _mirrored_zeta(s, x, sign))
    return sign * x.table(_FACTORIALS, select((n >= 0) & (n < len(_FACTORIALS)), n, len(_FACTORIALS) - 1)) * zeta


@native(TABLE["polygamma"].numpy, same)
def polygamma(n: Value, x: Value) -> Value:
    """the derivative of order n of digamma; infinite at the poles, NaN for n < 0"""
    x = x.to_float()
    return select(n < 0, math.nan, branch(n == 0, lambda: _digamma(x), lambda: _higher(n, x)))
