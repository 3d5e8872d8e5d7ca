"""log and its relatives: log1p, softplus, log2, log10, logaddexp, log1mexp.

    log(x) = k log 2 + log(1 + f),  1 + f = x / 2**k between sqrt(1/2) and sqrt(2)
    log(1 + f) = 2 artanh(s),  s = f / (2 + f)

The series in s is taken apart so that its first terms are f - f**2 / 2, whose rounding is small beside f: Tang (ACM
Transactions on Mathematical Software 16, 1990) and Muller (Elementary Functions, 3rd edition, 2016, chapter 11).
"""

from __future__ import annotations

import math
from fractions import Fraction

from nbgraph.dispatch.scalar_value import Value, fabs, isnan, select
from nbgraph.dispatch.vmath.constants import LOG2_E, LOG10_2, LOG10_E, LOG_2
from nbgraph.dispatch.vmath.exponential import exp_of_negative, expm1_parts, reduced
from nbgraph.dispatch.vmath.formats import (
    as_float,
    as_integer,
    at_least,
    at_most,
    fast_two_sum,
    fma,
    format_of,
    logical_shift,
    parts,
    power_of_two,
    rounder,
    series,
    two_sum,
    with_sign,
)

_LEADING = {64: 40, 32: 14}
_BITS_OF_ROOT_HALF = {64: 0x3FE6A09E667F3BCD, 32: 0x3F3504F3}


def split(x: Value) -> tuple[Value, Value]:
    """k, and x / 2**k between sqrt(1/2) and sqrt(2), of a positive normal x."""
    f, root = format_of(x), _BITS_OF_ROOT_HALF[x.bits]
    moved = as_integer(x) + ((f.bias << f.mantissa) - root)
    # The float whose last bits are the exponent, less the float with none of them.
    exponent = as_float(logical_shift(moved, f.mantissa) | as_integer(x.constant(2.0**f.mantissa)))
    significand = as_float((moved & ((1 << f.mantissa) - 1)) + root)
    return exponent - (2.0**f.mantissa + f.bias), significand


def normal(x: Value) -> tuple[Value, Value]:
    """x, times a power of two where it is subnormal, and the exponent of that."""
    f = format_of(x)
    low = x < f.tiny
    return select(low, x * 2.0 ** (f.mantissa + 2), x), select(low, -float(f.mantissa + 2), x.constant(0))


def of_parts(k: Value, f: Value, low: Value | None = None) -> Value:
    """k log(2) + log(1 + f + low) for a small f and a tiny low."""
    s = f / (f + 2)
    z = s * s
    half = f * f * 0.5
    leading, rest = parts(LOG_2, f.bits, _LEADING[f.bits])
    small = fma(k, rest, low) if low is not None else k * rest
    return fma(k, leading, f - (half - fma(s, half + z * series("log", z), small)))


def _ends(x: Value, y: Value, least: float) -> Value:
    """y, a function that grows without bounds from -inf at `least`, but for x there or outside."""
    outside = select(x == least, -math.inf, x.constant(math.nan))
    y = select(x > least, y, outside)
    return select(x == math.inf, x, y)


def log(x: Value) -> Value:
    """the natural logarithm of x"""
    scaled, lifted = normal(x)
    k, m = split(scaled)
    return _ends(x, of_parts(k + lifted, m - 1), 0.0)


def _to_base(x: Value, of_two: Fraction, of_e: Fraction) -> Value:
    scaled, lifted = normal(x)
    k, m = split(scaled)
    # The logarithm of 2 to the base 2 has no bits to lose.
    leading, rest = parts(of_two, x.bits, _LEADING[x.bits]) if of_two != 1 else (1.0, 0.0)
    k = k + lifted
    near = of_parts(x.constant(0), m - 1)
    return _ends(x, fma(k, leading, fma(near, float(of_e), k * rest)), 0.0)


def log2(x: Value) -> Value:
    """the logarithm of x to base 2"""
    return _to_base(x, Fraction(1), LOG2_E)


def log10(x: Value) -> Value:
    """the logarithm of x to base 10"""
    return _to_base(x, LOG10_2, LOG10_E)


def of_sum(total: Value, low: Value, doublings: Value | None = None) -> Value:
    """log((total + low) 2**doublings) for a normal total > 0 and what it lacks; relative to total + low - 1."""
    k, m = split(total)
    # low / 2**k; beside a total of 2**1000 it does not count.
    low = low * power_of_two(rounder(k) - at_most(k, format_of(k).bias - 23.0))
    f, rest = fast_two_sum(m - 1, low)
    return of_parts(k if doublings is None else k + doublings, f, rest)


def log1p(x: Value) -> Value:
    """log(1 + x), accurate near 0"""
    return with_sign(_ends(x, of_sum(*two_sum(x.constant(1), x)), -1.0), x)


def _log1p_of_small(x: Value) -> Value:
    """log1p for 0 <= x <= 1."""
    return of_sum(*fast_two_sum(x.constant(1), x))


def softplus(x: Value) -> Value:
    """log(1 + e**x)"""
    return select((x >= 0.0) | isnan(x), x, 0) + _log1p_of_small(exp_of_negative(-fabs(x)))


def logaddexp(x: Value, y: Value) -> Value:
    """log(e**x + e**y)"""
    apart = x - y
    total = select(apart > 0.0, x, y) + _log1p_of_small(exp_of_negative(-fabs(apart)))
    # Equal infinities, whose difference is NaN, too.
    return select(x == y, x + math.log(2.0), total)


def log1mexp(x: Value) -> Value:
    """log(1 - e**x) for x < 0

    The logarithm of -expm1(x) for small x, else of 1 - e**x (Maechler 2012), both as sums of two.
    """
    close = at_least(x, -1.0)
    k, t, r, rest = reduced(close)
    scale = -power_of_two(t)
    near = fast_two_sum(*expm1_parts(r, rest, power_of_two(rounder(k) - k)))
    far = fast_two_sum(x.constant(1), -exp_of_negative(at_most(x, 0.0)))
    small = x > -math.log(2.0)
    lifted, doublings = normal(select(small, near[0] * scale, far[0]))
    y = of_sum(lifted, select(small, near[1] * scale, far[1]), doublings)
    return select(x < 0.0, -fabs(y), select(x == 0.0, -math.inf, x.constant(math.nan)))
