"""erf, erfc, erfcx, erfinv: the error function, its complements and its inverse.

    erfc(x) = e**(-x**2) erfcx(x),    (1 + 2 x) erfcx(x) = P((x - 4) / (x + 4)) for all x >= 0
    erfinv(x) = x sqrt(w + 10) P(2 w / (w + 10) - 3/4),    w = -log(1 - x**2)

One polynomial for the half-line: Shepherd and Laframboise, Mathematics of Computation 36 (1981). x**2 is kept as a sum
of two. That erfinv(x) / x is smooth in w: Giles, GPU Computing Gems Jade Edition, 2011, chapter 10. float32 is computed
in 64 bits.
"""

from __future__ import annotations

import math

from nbgraph.dispatch.scalar_value import Value, fabs, select
from nbgraph.dispatch.vmath.coefficients import TABLES
from nbgraph.dispatch.vmath.constants import ERFCX_MIDDLE, ERFINV_MIDDLE
from nbgraph.dispatch.vmath.exponential import exp_parts
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
_END = 28.0
_END_OF_SQUARES = 26.7
# The polynomial of erfinv has its argument from -_MIDDLE on, and has this slope there.
_MIDDLE = 0.75
_SLOPE = 0.3


def _times_erfcx(a: Value, factor: Value | None = None) -> Value:
    """erfcx(a) for 0 <= a < inf, times the factor, which is rounded once with it."""
    from_end = a / (a + ERFCX_MIDDLE) * 2
    t = from_end - 1
    first, *others = (0.5 * c for c in TABLES["erfcx", 64])
    p, lost = fast_two_sum(t.constant(first), t * horner(t, others))
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


def _erfc(a: Value) -> Value:
    """erfc of a >= 0."""
    a = at_most(a, _END)
    y, k, t = _exp_of_square(a, -1)
    return times_power_of_two(_times_erfcx(a, y), k, t)


def erfc(x: Value) -> Value:
    """1 - erf(x), accurate for large x"""
    y = _erfc(fabs(x))
    return select(x < 0.0, 2 - y, y)


def erf(x: Value) -> Value:
    """2 / sqrt(pi) times the integral of e**-t**2 from 0 to x"""
    a = fabs(x)
    near = fma(a, series("erf", at_most(a * a, 1.0)), a)
    return with_sign(select(a < 0.9, near, 1 - _erfc(a)), x)


def erfcx(x: Value) -> Value:
    """e**(x**2) erfc(x), which neither overflows nor vanishes for large x"""
    a = fabs(x)
    y = select(a == math.inf, 0.0, _times_erfcx(a))
    square, k, t = _exp_of_square(at_most(a, _END_OF_SQUARES), 1)
    mirrored = times_power_of_two(square, k, t) * 2 - y
    return select(x < 0.0, mirrored, y)


def erfinv(x: Value) -> Value:
    """the inverse of erf; infinite at -1 and 1, NaN outside"""
    a = fabs(x)
    k, m = split((1 - a) * (1 + a))
    w = -of_parts(k, m - 1)
    above = w + ERFINV_MIDDLE
    from_end = w / above * 2
    t = from_end - _MIDDLE
    first, *others = TABLES["erfinv", 64]
    p, lost = fast_two_sum(t.constant(first), t * horner(t, others))
    # The rounding of t counts at the left end.
    lost = fma(from_end - (t + _MIDDLE), _SLOPE, lost)
    root = above.intrinsic("sqrt")
    y = x * fma(root, p, root * lost)
    return select(a < 1.0, y, select(a == 1.0, x * math.inf, math.nan))
