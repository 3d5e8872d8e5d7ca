"""power: x**y = 2**(y log2 |x|), with a logarithm and a product with y that have more digits than the result.

    float64   sums of two floats:    log2 |x| = k + s (A + z (B + z P(z))),   s = (m - 1) / (m + 1),   z = s**2
    float32   in 64 bits:            log2 |x| = k + f P(f),     f = m - 1,    |x| = 2**k m

An error of the exponent is one of the result, times up to 745: only z**2 P(z) may err by a whole ulp. Sums of two:
Dekker, Numerische Mathematik 18 (1971); their use here: Muller, Elementary Functions, 3rd edition, 2016, chapter 11.
Zeros, signs, infinities and NaN are those of C99, annex F.10.4.4.
"""

from __future__ import annotations

import math

from nbgraph.dispatch.scalar_value import Value, fabs, select
from nbgraph.dispatch.vmath.coefficients import TABLES
from nbgraph.dispatch.vmath.constants import LOG2_E
from nbgraph.dispatch.vmath.formats import (
    as_float,
    as_integer,
    at_least,
    at_most,
    fast_two_sum,
    fma,
    horner,
    less_product,
    parts,
    power_of_two,
    rounder,
    series,
    times_power_of_two,
    two_product,
)
from nbgraph.dispatch.vmath.logarithm import normal, split

# 2**n is infinite, 2**-n is 0; and a y that gives no other power than 1, 0 and infinity.
_END = {64: 1100.0, 32: 160.0}
_MOST = {64: 2.0**70, 32: 2.0**40}
# More than the second part of an exponent.
_TINY = 2.0**-30


def _times(a: tuple[Value, Value], b: tuple[Value, Value]) -> tuple[Value, Value]:
    """The product of sums of two, but for that of their small parts."""
    product, lost = two_product(a[0], b[0])
    return product, fma(a[0], b[1], fma(a[1], b[0], lost))


def _log2(a: Value) -> tuple[Value, Value]:
    """log2 of a >= 0 as a sum of two."""
    k, m = split(*normal(a))
    f, inverse = m - 1, 1 / (m + 1)
    s = f * inverse
    # f - s (2 + f); 2 s is so close to f that the difference is exact.
    s_low = less_product(fma(s, -2.0, f), s, f) * inverse
    z, lost = two_product(s, s)
    z_low = fma(s + s, s_low, lost)
    (first, first_low), (second, second_low) = (parts(LOG2_E * 2 / n, 64, 53) for n in (1, 3))
    high, low = fast_two_sum(z.constant(second), fma(z, series("power", z, z * z), second_low))
    inner, lost = two_product(z, high)
    outer, rest = fast_two_sum(z.constant(first), inner)
    rest = rest + (lost + fma(z, low, fma(z_low, high, first_low)))
    logarithm, rest = _times((s, s_low), (outer, rest))
    total, lost = fast_two_sum(k, logarithm)
    return select(a == 0.0, -math.inf, select(a < math.inf, total, a)), lost + rest


def _within_ends(exponent: Value, width: int) -> Value:
    return at_most(at_least(exponent, -_END[width]), _END[width])


def _exp2(x: Value, low: Value) -> Value:
    """2**(x + low) for a low that is tiny, or anything (NaN, too) where the power is 0 or infinite."""
    x = _within_ends(x, 64)
    shift = rounder(x)
    t = x + shift
    k = t - shift
    d = x - k
    z = d * d
    tail = z * series("exp2", d, z)
    low = select(low < _TINY, low, _TINY)
    low = select(low > -_TINY, low, -_TINY)
    # low is known last: what it is multiplied with need not wait for it.
    rough = fma(d, math.log(2.0), tail) + 1
    tail = fma(low * math.log(2.0), rough, tail)
    return times_power_of_two(fma(d, math.log(2.0), tail) + 1, k, t)


def _power_of_double(a: Value, y: Value) -> Value:
    logarithm, low = _log2(a)
    exponent, lost = two_product(y, logarithm)
    return _exp2(exponent, fma(y, low, lost))


def _power_of_single(a: Value, y: Value) -> Value:
    """a**y for float32, rounded once more."""
    wide = a.to_float(64)
    k, m = split(wide)
    f = m - 1
    logarithm = fma(f, series("power_single", f, f * f, 32), k)
    logarithm = select(a == 0.0, -math.inf, select(a < math.inf, logarithm, wide))
    exponent = _within_ends(y.to_float(64) * logarithm, 32)
    shift = rounder(exponent)
    t = exponent + shift
    d = exponent - (t - shift)
    scale = power_of_two(t)
    return fma(d * horner(d, (math.log(2.0), *TABLES["exp2", 32]), d * d), scale, scale).to_float(32)


def power(x: Value, y: Value) -> Value:
    """x ** y"""
    a, bounded = fabs(x), at_most(at_least(y, -_MOST[x.bits]), _MOST[x.bits])
    result = (_power_of_double if x.bits == 64 else _power_of_single)(a, bounded)
    # 0 or 1 of a whole number.
    left = fma((bounded * 0.5).intrinsic("floor"), -2.0, bounded)
    odd = left == 1.0
    sign = as_integer(x) & (-1 << (x.bits - 1))
    result = as_float(as_integer(result) | select(odd, sign, 0))
    result = select((x < 0.0) & (a < math.inf) & ~(odd | (left == 0.0)), math.nan, result)
    return select((x == 1.0) | (y == 0.0), 1.0, result)
