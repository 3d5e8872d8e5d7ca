"""sinh, cosh, and the inverses of hyperbolic functions.

    e**x = 2**k (cosh r + sinh r),  sinh x = (A - B) cosh r + (A + B) sinh r,  A = 2**k / 2,  B = 2**-k / 2

For k = 0 sinh x is sinh r: nothing cancels. The inverses are logarithms of 1 + u, with u made without cancellation.
Source: addition theorems, NIST Digital Library of Mathematical Functions, 4.35 and 4.37.
"""

from __future__ import annotations

import math

from nbgraph.dispatch.scalar_value import Value, fabs, select
from nbgraph.dispatch.vmath.exponential import reduced
from nbgraph.dispatch.vmath.formats import at_most, fast_two_sum, fma, power_of_two, rounder, series, two_sum, with_sign
from nbgraph.dispatch.vmath.logarithm import of_sum

# A little above where both become infinite.
_END = {64: 710.6, 32: 89.6}
# From here on 1 is nothing beside x**2.
_FAR = {64: 2.0**28, 32: 2.0**13}


def _halved(x: Value, even: int) -> Value:
    """Half of sinh(|x|), or of cosh(|x|) for even = 1: p cosh r + q sinh r with p and q from 2**k and 2**-k."""
    k, t, r, rest = reduced(at_most(fabs(x), _END[x.bits]))
    a, b = power_of_two(t - 2), power_of_two(rounder(k) - 2.0 - at_most(k, 60.0))
    p, q = (a + b, a - b) if even else (a - b, a + b)
    z = r * r
    cosh_tail = z * fma(z, series("cosh", z), 0.5)
    sinh_tail = fma(r * z, series("sinh", z), rest)
    # What is left beside p + q r is small.
    total, lost = fast_two_sum(p, q * r)
    return total + (lost + fma(p, cosh_tail, q * sinh_tail))


def sinh(x: Value) -> Value:
    """(e**x - e**-x) / 2"""
    y = _halved(x, 0)
    return with_sign(y + y, x)


def cosh(x: Value) -> Value:
    """(e**x + e**-x) / 2"""
    y = _halved(x, 1)
    return y + y


def _log_of_sum(x: Value, u: Value) -> Value:
    """log(1 + u), or log(2 x) for a large x."""
    total, low = two_sum(x.constant(1), u)
    large = x > _FAR[x.bits]
    y = of_sum(select(large, x, total), select(large, 0.0, low), select(large, 1.0, x.constant(0)))
    return select(x < math.inf, y, x)


def arcsinh(x: Value) -> Value:
    """the inverse of sinh"""
    a = fabs(x)
    square = a * a
    return with_sign(_log_of_sum(a, a + square / ((square + 1).intrinsic("sqrt") + 1)), x)


def arccosh(x: Value) -> Value:
    """the inverse of cosh, >= 0"""
    t = x - 1
    y = _log_of_sum(x, t + fma(t, t, t + t).intrinsic("sqrt"))
    return select(x >= 1.0, y, math.nan)


def arctanh(x: Value) -> Value:
    """the inverse of tanh"""
    a = fabs(x)
    total, low = two_sum(x.constant(1), (a + a) / (1 - a))
    y = of_sum(total, low) * 0.5
    return with_sign(select(a < 1.0, y, select(a == 1.0, math.inf, x.constant(math.nan))), x)
