"""power: x**y = 2**(y log2 |x|), with the logarithm and its product with y as sums of two floats.

    log2 |x| = k + s (A + z (B + z P(z))),   s = (m - 1) / (m + 1),   z = s**2,   |x| = 2**k m

An error of the exponent is one of the result, times up to 745: only z**2 P(z) may err by a whole ulp. Sums of two:
Dekker, Numerische Mathematik 18 (1971); their use here: Muller, Elementary Functions, 3rd edition, 2016, chapter 11.
Zeros, signs, infinities and NaN are those of C99, annex F.10.4.4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from nbgraph.dispatch.scalar_value import Value, fabs, select
from nbgraph.dispatch.vmath.coefficients import TABLES
from nbgraph.dispatch.vmath.constants import LOG2_E, LOG_2
from nbgraph.dispatch.vmath.formats import (
    as_float,
    as_integer,
    at_least,
    at_most,
    fast_two_sum,
    fma,
    format_of,
    less_product,
    parts,
    rounder,
    times_power_of_two,
    two_product,
)
from nbgraph.dispatch.vmath.logarithm import normal, split

# 2**n is infinite, 2**-n is 0; and a y that gives no other power than 1, 0 and infinity.
_END = {64: 1100.0, 32: 160.0}
_MOST = {64: 2.0**70, 32: 2.0**40}


def _times(a: tuple[Value, Value], b: tuple[Value, Value]) -> tuple[Value, Value]:
    """The product of sums of two, but for that of their small parts."""
    product, lost = two_product(a[0], b[0])
    return product, fma(a[0], b[1], fma(a[1], b[0], lost))


def _in_pairs(x: Value, coefficients: Sequence[Any]) -> Value:
    """The polynomial with these coefficients, by pairs, pairs of pairs, ...: fewer steps wait for each other."""
    while len(coefficients) > 1:
        pairs = zip(coefficients[::2], coefficients[1::2], strict=False)
        coefficients = [fma(x, b, a) for a, b in pairs] + list(coefficients[len(coefficients) & ~1:])
        x = x * x
    return coefficients[0]


def _log2(a: Value) -> tuple[Value, Value]:
    """log2 of a >= 0 as a sum of two."""
    scaled, lifted = normal(a)
    k, m = split(scaled)
    f = m - 1
    below, low = fast_two_sum(f.constant(2), f)
    inverse = 1 / below
    s = f * inverse
    quotient = s, fma(-s, low, less_product(f, s, below)) * inverse
    z, z_low = _times(quotient, quotient)
    width = format_of(a).mantissa + 1
    (first, first_low), (second, second_low) = (parts(LOG2_E * 2 / n, a.bits, width) for n in (1, 3))
    high, low = fast_two_sum(z.constant(second), fma(z, _in_pairs(z, TABLES["power", a.bits]), second_low))
    inner, lost = two_product(z, high)
    outer, rest = fast_two_sum(z.constant(first), inner)
    rest = rest + (lost + fma(z, low, fma(z_low, high, first_low)))
    logarithm, rest = _times(quotient, (outer, rest))
    total, lost = fast_two_sum(k + lifted, logarithm)
    total = select(a < math.inf, total, a)
    return select(a == 0.0, -math.inf, total), lost + rest


def _exp2(x: Value, low: Value) -> Value:
    """2**(x + low) for a low that is tiny, or of any size where the power is 0 or infinite."""
    x = at_most(at_least(x, -_END[x.bits]), _END[x.bits])
    shift = rounder(x)
    t = x + shift
    k = t - shift
    low = select(fabs(low) < 1.0, low, 0.0)
    high, below = parts(LOG_2, x.bits, format_of(x).mantissa + 1)
    r, lost = two_product(x - k, high)
    rest = fma(low, high, fma(x - k, below, lost))
    a, tail = 1 + r, r * r * _in_pairs(r, TABLES["exp", x.bits])
    return times_power_of_two(a + fma(a + tail, rest, (r - (a - 1)) + tail), k, t)


def power(x: Value, y: Value) -> Value:
    """x ** y"""
    bounded = at_most(at_least(y, -_MOST[x.bits]), _MOST[x.bits])
    logarithm, low = _log2(fabs(x))
    exponent, lost = two_product(bounded, logarithm)
    result = _exp2(exponent, fma(bounded, low, lost))
    half = y * 0.5
    whole = y == y.intrinsic("floor")
    odd = whole & (half != half.intrinsic("floor"))
    sign = as_integer(x) & (-1 << (x.bits - 1))
    result = as_float(as_integer(result) | select(odd, sign, 0))
    result = select((x < 0.0) & (x > -math.inf) & ~whole, math.nan, result)
    return select((x == 1.0) | (y == 0.0), 1.0, result)
