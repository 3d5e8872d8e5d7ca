"""exp and its relatives: expm1, tanh, sigmoid.

    exp(x) = 2**k e**r,  k = round(x / log 2),  r = x - k log 2 in two steps

The reduction is Cody and Waite's (Software Manual for the Elementary Functions, 1980), without a table; the polynomial
is minimax. Nothing branches: range ends are bounds on x, and 2**k is multiplied in two factors.
"""

from __future__ import annotations

import math

from nbgraph.dispatch.scalar_value import Value, fabs, select
from nbgraph.dispatch.vmath.constants import LOG_2
from nbgraph.dispatch.vmath.formats import (
    at_least,
    at_most,
    fma,
    parts,
    power_of_two,
    rounder,
    series,
    times_power_of_two,
    with_sign,
)

# Below the first e**x rounds to 0, above the second to infinity.
_ENDS = {64: (-746.0, 710.0), 32: (-104.0, 89.0)}
# Multiples of the leading part of log(2) are exact for all k.
_LEADING = {64: 40, 32: 14}


def _in_steps(x: Value) -> tuple[Value, Value, Value, Value]:
    """k, its sum with `rounder`, x - k A exactly, and k B, for log(2) = A + B and a small B."""
    shift = rounder(x)
    t = fma(x, 1 / math.log(2.0), shift)
    k = t - shift
    high, low = parts(LOG_2, x.bits, _LEADING[x.bits])
    return k, t, fma(k, -high, x), k * low


def reduced(x: Value) -> tuple[Value, Value, Value, Value]:
    """k, its sum with `rounder`, and x - k log(2) as a sum of two."""
    k, t, near, product = _in_steps(x)
    r = near - product
    return k, t, r, (near - r) - product


def _tail(r: Value, start: Value | None = None, digits: int = 0) -> Value:
    """e**r - 1 - r, plus start."""
    z = r * r
    s = series("exp", r, z, digits)
    return z * s if start is None else fma(z, s, start)


def exp_within_range(x: Value, digits: int = 0) -> Value:
    """e**x where that is a normal number."""
    _, t, r, _ = reduced(x)
    return (_tail(r, r, digits) + 1) * power_of_two(t)


def exp(x: Value) -> Value:
    """e**x"""
    low, high = _ENDS[x.bits]
    k, t, near, product = _in_steps(at_most(at_least(x, low), high))
    return times_power_of_two((_tail(near - product, -product) + near) + 1, k, t)


def exp2(x: Value) -> Value:
    """2**x"""
    low, high = (-1080.0, 1025.0) if x.bits == 64 else (-155.0, 129.0)
    x = at_most(at_least(x, low), high)
    shift = rounder(x)
    t = x + shift
    k = t - shift
    r = (x - k) * math.log(2.0)
    return times_power_of_two(_tail(r, r) + 1, k, t)


def exp_parts(x: Value, low: Value) -> tuple[Value, Value, Value]:
    """y 2**k = e**(x + low) for a tiny low, within 0.6 ulp: y, k, and the sum of k with `rounder`."""
    k, t, r, rest = reduced(x)
    a, tail = 1 + r, _tail(r)
    return a + fma(a + tail, rest + low, (r - (a - 1)) + tail), k, t


def exp_of_negative(x: Value) -> Value:
    """e**x for x <= 0, within 0.6 ulp: the sum is made as in expm1."""
    k, t, r, rest = reduced(at_least(x, _ENDS[x.bits][0]))
    a = 1 + r
    return times_power_of_two(a + ((r - (a - 1)) + _tail(r, rest)), k, t)


def expm1_parts(r: Value, rest: Value, inverse: Value) -> tuple[Value, Value]:
    """(e**x - 1) / 2**k = (1 - 2**-k + r) + (e**r - 1 - r): the first sum, and the rest with what its rounding loses.

    For k = 0 the first is r itself, so that nothing cancels. inverse is 2**-k.
    """
    one = 1 - inverse
    a = one + r
    return a, (r - (a - one)) + _tail(r, rest)


def expm1(x: Value) -> Value:
    """e**x - 1, accurate near 0"""
    k, t, r, rest = reduced(at_most(at_least(x, -60.0), _ENDS[x.bits][1]))
    # Nothing is left of 2**-k beside 1 from there on.
    a, b = expm1_parts(r, rest, select(k > 60.0, 0.0, power_of_two(rounder(k) - k)))
    y = a + b
    return with_sign((y + y) * power_of_two(t - 1), x)


def tanh(x: Value) -> Value:
    """sinh(x) / cosh(x)"""
    a = fabs(x)
    z = a * a
    near = fma(a * z, series("tanh", z, z * z), a)
    far = 1 - 2 / (exp_within_range(at_most(a + a, 60.0)) + 1)
    return with_sign(select(a < 0.55, near, far), x)


def sigmoid(x: Value) -> Value:
    """1 / (1 + e**-x)"""
    small = exp_of_negative(-fabs(x))
    below = small + 1
    q = select(x >= 0.0, 1.0, small) / below
    # What the sum below has lost.
    return fma(-q, small - (below - 1), q)
