"""sin, cos, tan, and their inverses.

    x = k pi/2 + r,  |r| <= pi/4,  r as a sum of two
    the quadrant k chooses between the series of sin r and cos r, and between tan r and -1 / tan r
    arctan(x) = 0, pi/4 or pi/2  +  arctan(q),  q = x, (x - 1) / (x + 1) or -1 / x

pi / 2 is taken in three parts with all bits of a float each (Cody and Waite, Software Manual for the Elementary
Functions, 1980), whose products with k are exact: right up to `_LARGE`. Elements above that, which are rare, are
handed to the C library (`rare`).
"""

from __future__ import annotations

from collections.abc import Callable

from nbgraph.dispatch.scalar_value import Value, fabs, select
from nbgraph.dispatch.vmath.constants import PI
from nbgraph.dispatch.vmath.formats import (
    as_integer,
    fast_two_sum,
    fma,
    format_of,
    less_product,
    parts,
    series,
    two_product,
    with_sign,
)
from nbgraph.dispatch.vmath.rare import rarely

_LARGE = {64: 2.0**45, 32: 2.0**16}


def _reduced(x: Value) -> tuple[Value, Value, Value]:
    """k as an integer, and x - k pi/2 as a difference of two: of zeros the second is +0, so that -0 stays."""
    f = format_of(x)
    width = f.mantissa + 1
    first, second, third = parts(PI / 2, f.bits, width, width)
    t = fma(x, float(2 / PI), f.magic)
    k = t - f.magic
    near = less_product(x, k, first)
    product, lost = two_product(k, second)
    r = near - product
    return as_integer(t), r, fma(k, third, lost) - ((near - r) - product)


def _sin(r: Value, rest: Value, z: Value, square: Value) -> Value:
    return r - fma(r * z, series("sin", z, square), rest)


def _cos(r: Value, rest: Value, z: Value, square: Value) -> Value:
    half = z * 0.5
    near = 1 - half
    return near + (((1 - near) - half) + fma(square, series("cos", z, square), r * rest))


def _guarded(name: str, x: Value, formula: Callable[[Value], Value]) -> Value:
    """formula(x), but for a large x what the C library gives."""
    large = fabs(x) >= _LARGE[x.bits]
    # The call first: while it runs little else is in registers.
    rare = rarely(name, x, large)
    return select(large, rare, formula(x))


def _sine(x: Value, quadrants: int) -> Value:
    k, r, rest = _reduced(x)
    k = k + quadrants
    z = r * r
    square = z * z
    y = select((k & 1) != 0, _cos(r, rest, z, square), _sin(r, rest, z, square))
    return select((k & 2) != 0, -y, y)


def sin(x: Value) -> Value:
    """the sine of x (radians)"""
    return _guarded("sin", x, lambda x: _sine(x, 0))


def cos(x: Value) -> Value:
    """the cosine of x (radians)"""
    return _guarded("cos", x, lambda x: _sine(x, 1))


def _tangent(x: Value) -> Value:
    k, r, rest = _reduced(x)
    z = r * r
    small = fma(r * z, series("tan", z, z * z), -rest)
    y, low = fast_two_sum(r, small)
    odd = (k & 1) != 0
    inverse = -1 / y
    # -1 / (y + low)
    return select(odd, fma(inverse * inverse, low, inverse), y)


def tan(x: Value) -> Value:
    """the tangent of x (radians)"""
    return _guarded("tan", x, _tangent)


def _turned(eighths: Value, q: Value) -> Value:
    """eighths pi/4 + arctan(q) for |q| <= 1/2."""
    z = q * q
    high, low = parts(PI / 4, q.bits, format_of(q).mantissa - 3)
    return fma(eighths, high, q + fma(q * z, series("arctan", z), eighths * low))


def arctan(x: Value) -> Value:
    """the angle in (-pi/2, pi/2) with tangent x"""
    a = fabs(x)
    middle, large = a > 0.5, a > 2.5
    above = select(large, -1.0, select(middle, a - 1, a))
    below = select(large, a, select(middle, a + 1, 1.0))
    eighths = select(large, 2.0, select(middle, 1.0, a.constant(0)))
    return with_sign(_turned(eighths, above / below), x)


def arctan2(y: Value, x: Value) -> Value:
    """the angle of the point (x, y), in [-pi, pi]"""
    a, b = fabs(y), fabs(x)
    infinite = (a == float("inf")) & (b == float("inf"))
    a, b = select(infinite, 1.0, a), select(infinite, 1.0, b)
    scale = select((a > 2.0**(format_of(x).bias - 2)) | (b > 2.0**(format_of(x).bias - 2)), 2.0**-8, x.constant(1))
    a, b = a * scale, b * scale
    middle, large = a > b * 0.5, a > b * 2.5
    above = select(large, -b, select(middle, a - b, a))
    below = select(large, a, select(middle, a + b, b))
    q = above / select(below == 0.0, 1.0, below)
    eighths = select(large, 2.0, select(middle, 1.0, a.constant(0)))
    backwards = as_integer(x) < 0
    return with_sign(_turned(select(backwards, 4 - eighths, eighths), select(backwards, -q, q)), y)


def _arcsin_parts(x: Value) -> tuple[Value, Value, Value]:
    """|x| > 1/2, and arcsin(|x|), or there arcsin(sqrt((1 - |x|) / 2)), as a sum of two."""
    a = fabs(x)
    large = a > 0.5
    z = select(large, (1 - a) * 0.5, a * a)
    s = select(large, z.intrinsic("sqrt"), a)
    return large, s, s * z * series("arcsin", z)


def arcsin(x: Value) -> Value:
    """the angle in [-pi/2, pi/2] with sine x"""
    large, s, tail = _arcsin_parts(x)
    high, low = parts(PI / 2, x.bits, format_of(x).mantissa)
    far = high - ((s + s) + (tail + tail - low))
    return with_sign(select(large, far, s + tail), x)


def arccos(x: Value) -> Value:
    """the angle in [0, pi] with cosine x"""
    large, s, tail = _arcsin_parts(x)
    high, low = parts(PI / 2, x.bits, format_of(x).mantissa)
    negative = x < 0.0
    near = select(negative, s, -s), select(negative, tail, -tail)
    # 2 arcsin(s) from 0 or from pi.
    doubled = select(negative, -2.0, x.constant(2))
    start = select(large, select(negative, 2.0, x.constant(0)), 1.0)
    a, b = select(large, s * doubled, near[0]), select(large, tail * doubled, near[1])
    return fma(start, high, a + fma(start, low, b))
