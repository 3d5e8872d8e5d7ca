"""erf, erfc, erfcx, erfinv: the error function, its complements and its inverse.

    erfc(x) = e**(-x**2) erfcx(x),    (1 + 2 x) erfcx(x) = P((x - 4) / (x + 4)) for all x >= 0
    erfinv(x) = x sqrt(w + 10) P(2 w / (w + 10) - 3/4),    w = -log(1 - x**2)

One polynomial for the half-line: Shepherd and Laframboise, Mathematics of Computation 36 (1981). x**2 is kept as a sum
of two. That erfinv(x) / x is smooth in w: Giles, GPU Computing Gems Jade Edition, 2011, chapter 10. float32 is computed
in 64 bits, with shorter polynomials and without what the roundings lose: `digits` is 32 for it.
"""

from __future__ import annotations

import math

from nbgraph.dispatch.scalar_value import Value, fabs, select
from nbgraph.dispatch.vmath.coefficients import TABLES
from nbgraph.dispatch.vmath.constants import ERFCX_MIDDLE, ERFINV_MIDDLE
from nbgraph.dispatch.vmath.exponential import exp_parts, exp_within_range
from nbgraph.dispatch.vmath.formats import (
    at_most,
    fast_two_sum,
    fma,
    horner,
    quotient,
    series,
    times_power_of_two,
    two_product,
    with_sign,
)
from nbgraph.dispatch.vmath.logarithm import of_parts, split

# Where erfc has long been 0, and where e**(x**2) is infinite.
_END = {64: 28.0, 32: 11.0}
_END_OF_SQUARES = {64: 26.7, 32: 11.0}
# The polynomial of erfinv has its argument from -_MIDDLE on, and has this slope there.
_MIDDLE = 0.75
_SLOPE = 0.3


def _times_erfcx(a: Value, digits: int, factor: Value | None = None) -> Value:
    """erfcx(a) for 0 <= a < inf, times the factor, which is rounded once with it."""
    from_end = a / (a + ERFCX_MIDDLE) * 2
    t = from_end - 1
    if digits == 32:
        p = series("erfcx", t, t * t, digits)
        return (p if factor is None else p * factor) / (a + a + 1)
    first, *others = (0.5 * c for c in TABLES["erfcx", 64])
    p, lost = fast_two_sum(t.constant(first), t * horner(t, others, t * t))
    # The rounding of t counts where P is steep: its slope is 1.74 at -1, and falls to 0. Here is half of it.
    steep = (1 - t) * t
    lost = fma(steep * steep * 0.2175, from_end - (t + 1), lost)
    if factor is not None:
        p, low = two_product(p, factor)
        lost = fma(factor, lost, low)
    large = a > 0.5
    return quotient(p, lost, *fast_two_sum(select(large, a, 0.5), select(large, 0.5, a)))


def _exp_of_square(a: Value, sign: int) -> tuple[Value, Value, Value]:
    """e**(sign a**2) as a number near 1, and the power of two."""
    high, low = two_product(a, a)
    return exp_parts(high * sign, low * sign)


def _erfc(a: Value, digits: int) -> Value:
    """erfc of a >= 0."""
    a = at_most(a, _END[digits])
    if digits == 32:
        return _times_erfcx(a, digits, exp_within_range(-(a * a), digits))
    y, k, t = _exp_of_square(a, -1)
    return times_power_of_two(_times_erfcx(a, digits, y), k, t)


def erfc(x: Value, digits: int = 64) -> Value:
    """1 - erf(x), accurate for large x"""
    y = _erfc(fabs(x), digits)
    return select(x < 0.0, 2 - y, y)


def erf(x: Value, digits: int = 64) -> Value:
    """2 / sqrt(pi) times the integral of e**-t**2 from 0 to x"""
    a = fabs(x)
    z = at_most(a * a, 1.0)
    near = fma(a, series("erf", z, z * z, digits), a)
    return with_sign(select(a < 0.9, near, 1 - _erfc(a, digits)), x)


def erfcx(x: Value, digits: int = 64) -> Value:
    """e**(x**2) erfc(x), which neither overflows nor vanishes for large x"""
    a = fabs(x)
    y = select(a == math.inf, 0.0, _times_erfcx(a, digits))
    a = at_most(a, _END_OF_SQUARES[digits])
    square = exp_within_range(a * a, digits) if digits == 32 else times_power_of_two(*_exp_of_square(a, 1))
    return select(x < 0.0, square * 2 - y, y)


def erfinv(x: Value, digits: int = 64) -> Value:
    """the inverse of erf; infinite at -1 and 1, NaN outside"""
    a = fabs(x)
    k, m = split((1 - a) * (1 + a))
    w = -of_parts(k, m - 1, digits=digits)
    above = w + ERFINV_MIDDLE
    from_end = w / above * 2
    t = from_end - _MIDDLE
    root = above.intrinsic("sqrt")
    if digits == 32:
        y = x * root * series("erfinv_single", t, t * t, digits)
    else:
        first, *others = TABLES["erfinv", 64]
        p, lost = fast_two_sum(t.constant(first), t * horner(t, others, t * t))
        # The rounding of t counts at the left end.
        lost = fma(from_end - (t + _MIDDLE), _SLOPE, lost)
        y = x * fma(root, p, root * lost)
    return select(a < 1.0, y, select(a == 1.0, x * math.inf, math.nan))
