"""log and its relatives: log1p, softplus, log2, log10, logaddexp, log1mexp.

    log(x) = k log 2 + log(1 + f),  1 + f = x / 2**k between sqrt(1/2) and sqrt(2)
    log(1 + f) = 2 artanh(s),  s = f / (2 + f);  float32: f - f**2 / 2 + f**3 P(f), which needs no division

The series in s is taken apart so that its first terms are f - f**2 / 2, whose rounding is small beside f: Tang (ACM
Transactions on Mathematical Software 16, 1990) and Muller (Elementary Functions, 3rd edition, 2016, chapter 11).
"""

from __future__ import annotations

import math

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
# Makes the smallest subnormal number a normal one.
LIFT = {64: 54, 32: 149}
_BITS_OF_ROOT_HALF = {64: 0x3FE6A09E667F3BCD, 32: 0x3F3504F3}


def split(x: Value, lifted: Value | None = None) -> tuple[Value, Value]:
    """k, and x / 2**k between sqrt(1/2) and sqrt(2), of a positive normal x.

    lifted : boolean; where it holds, x is 2**`LIFT` times the number that k is of
    """
    f, root = format_of(x), _BITS_OF_ROOT_HALF[x.bits]
    # The exponent in all but the last bits.
    moved = as_integer(x) - root
    significand = as_float((moved & ((1 << f.mantissa) - 1)) + root)
    if x.bits == 32:
        if lifted is not None:
            moved = moved - select(lifted, LIFT[32] << f.mantissa, moved.constant(0))
        return (moved >> f.mantissa).to_float(32), significand
    # Not all processors convert 64 bits: the float whose last bits are the exponent, less what is before them.
    moved = logical_shift(moved + (f.bias << f.mantissa), f.mantissa)
    magic = 2.0**f.mantissa + f.bias
    start = magic if lifted is None else select(lifted, magic + LIFT[64], x.constant(magic))
    return as_float(moved | as_integer(x.constant(2.0**f.mantissa))) - start, significand


def normal(x: Value) -> tuple[Value, Value]:
    """x, times 2**`LIFT` where it is subnormal (or negative), and where that is."""
    low = x < format_of(x).tiny
    # The bits of a subnormal number count the smallest one.
    lifted = as_integer(x).to_float(32) if x.bits == 32 else x * 2.0 ** LIFT[64]
    return select(low, lifted, x), low


def of_parts(k: Value | None, f: Value, low: Value | None = None, start: Value | None = None,
             digits: int = 0) -> Value:
    """start + k log(2) + log(1 + f + low) for a small f, a tiny low, and a start of 0 or -1."""
    leading, rest = parts(LOG_2, f.bits, _LEADING[f.bits])
    small = low if k is None else k * rest if low is None else fma(k, rest, low)
    z = f * f
    if f.bits == 32:
        tail = fma(f, series("log_of_f", f, z), -0.5)
        near = fma(z, tail, f) if small is None else f + fma(z, tail, small)
    else:
        s, half = f / (f + 2), z * 0.5
        squared = s * s
        tail = fma(squared, series("log", squared, digits=digits), half)
        near = f - (half - (s * tail if small is None else fma(s, tail, small)))
    if k is None:
        return near
    return fma(k, leading, near) if start is None else fma(k, leading, start) + near


def _ends(x: Value, y: Value) -> Value:
    """y, the logarithm of x > 0, but for the other x: -inf at 0, infinity at infinity, NaN."""
    # All bits of a negative x are 1: NaN.
    y = as_float(as_integer(y) | (as_integer(x) >> (x.bits - 1)))
    return select(x == 0.0, -math.inf, select(x < math.inf, y, x))


def log(x: Value) -> Value:
    """the natural logarithm of x"""
    k, m = split(*normal(x))
    return _ends(x, of_parts(k, m - 1))


def log2(x: Value) -> Value:
    """the logarithm of x to base 2"""
    k, m = split(*normal(x))
    f = m - 1
    y = fma(f, series("log2_of_f", f), k) if x.bits == 32 else fma(of_parts(None, f), float(LOG2_E), k)
    return _ends(x, y)


def log10(x: Value) -> Value:
    """the logarithm of x to base 10"""
    k, m = split(*normal(x))
    f = m - 1
    if x.bits == 32:
        return _ends(x, fma(k, float(LOG10_2), f * series("log10_of_f", f)))
    leading, rest = parts(LOG10_2, 64, _LEADING[64])
    return _ends(x, fma(k, leading, fma(of_parts(None, f), float(LOG10_E), k * rest)))


def of_sum(total: Value, low: Value, doublings: Value | None = None) -> Value:
    """log((total + low) 2**doublings) for a normal total > 0 and what it lacks; relative to total + low - 1."""
    k, m = split(total)
    # low / 2**k; beside a total of 2**1000 it does not count.
    low = low * power_of_two(rounder(k) - at_most(k, format_of(k).bias - 23.0))
    f, rest = fast_two_sum(m - 1, low)
    return of_parts(k if doublings is None else k + doublings, f, rest)


def log1p(x: Value) -> Value:
    """log(1 + x), accurate near 0"""
    total, low = two_sum(x.constant(1), x)
    return with_sign(_ends(total, of_sum(total, low)), x)


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
    total, lifted = normal(select(small, near[0] * scale, far[0]))
    doublings = select(lifted, -float(LIFT[x.bits]), x.constant(0))
    y = of_sum(total, select(small, near[1] * scale, far[1]), doublings)
    return select(x < 0.0, -fabs(y), select(x == 0.0, -math.inf, x.constant(math.nan)))
