"""Formulas of the complex exponential, logarithm, trigonometric and hyperbolic functions, roots and powers.

    exp(x + iy) = e**x * (cos y + i sin y)      log(0) = -inf      arccos(2 + 0j) = 0 - 1.317j

Branch cuts, infinities, NaN and signed zeros are those of C99, Annex G, which NumPy follows. Both parts are floats of
64 bits, also for complex64. Sources: Kahan (1987), "Branch cuts for complex elementary functions"; Hull, Fairgrieve &
Tang (1994), "Implementing complex elementary functions using exception handling".
"""

from __future__ import annotations

import math
from collections.abc import Callable

from nbgraph.dispatch.scalar_complex import quotient
from nbgraph.dispatch.scalar_value import (
    HYPOT,
    Complex,
    Value,
    branch,
    copysign,
    fabs,
    isnan,
    product_of_squares,
    select,
)

Formula = Callable[[Complex], Complex]
_INF = math.inf
_LOG_2 = math.log(2.0)
# Beyond this 1 is nothing beside the number, and its square may overflow.
_LARGE = 2.0**510


def _finite(x: Value) -> Value:
    return fabs(x) < _INF


def _infinite(x: Value) -> Value:
    return fabs(x) == _INF


def _exp(x: Value) -> Value:
    return x.intrinsic("exp")


def swapped(formula: Formula) -> Formula:
    """z = x + iy -> i conj(f(i conj(z))): f on the imaginary axis, as sin is sinh there."""
    def turned(z: Complex) -> Complex:
        w = formula(Complex(z.imag, z.real))
        return Complex(w.imag, w.real)
    return turned


def scaled(factor: float, formula: Formula, inside: bool = False) -> Formula:
    """factor * f(z), or f(factor * z)."""
    def result(z: Complex) -> Complex:
        z = Complex(z.real * factor, z.imag * factor) if inside else formula(z)
        return formula(z) if inside else Complex(z.real * factor, z.imag * factor)
    return result


def exp(z: Complex) -> Complex:
    """e**z"""
    x, y = z.real, z.imag
    # e**x may overflow where e**x * cos(y) does not.
    high = x > 709
    size = _exp(select(high, x - 700, x))
    back = select(high, math.exp(700), x.constant(1))
    real, imag = size * y.intrinsic("cos") * back, size * y.intrinsic("sin") * back
    endless = _infinite(x) & ~_finite(y)
    real = select(endless, select(x > 0, x, 0), real)
    imag = select(y == 0, y, select(endless & (x < 0), copysign(y.constant(0), y), imag))
    return Complex(select(y == 0, _exp(x), real), imag)


def expm1(z: Complex) -> Complex:
    """e**z - 1, accurate near 0"""
    x, y = z.real, z.imag
    half = (y * 0.5).intrinsic("sin")
    real = x.libm("expm1") * y.intrinsic("cos") - 2 * half * half
    return Complex(real, _exp(x) * y.intrinsic("sin"))


def _hyperbolic(z: Complex) -> tuple[Value, Value, Value, Value]:
    """sinh x cos y, cosh x sin y, cosh x cos y, sinh x sin y, which overflow only where the product does."""
    x, y = z.real, z.imag
    high = fabs(x) > 709
    half = _exp(fabs(x) - 700) * 0.5
    sinh = select(high, copysign(half, x), x.libm("sinh"))
    cosh = select(high, half, x.libm("cosh"))
    back = select(high, math.exp(700), x.constant(1))
    cos, sin = y.intrinsic("cos"), y.intrinsic("sin")
    return sinh * cos * back, cosh * sin * back, cosh * cos * back, sinh * sin * back


def sinh(z: Complex) -> Complex:
    """sinh x cos y + i cosh x sin y"""
    x, y = z.real, z.imag
    real, imag, _, _ = _hyperbolic(z)
    real = select(_finite(y), real, select(x == 0, x, select(_infinite(x), fabs(x), real)))
    return Complex(real, select(y == 0, y, imag))


def cosh(z: Complex) -> Complex:
    """cosh x cos y + i sinh x sin y"""
    x, y = z.real, z.imag
    _, _, real, imag = _hyperbolic(z)
    real = select(_infinite(x) & ~_finite(y), fabs(x), real)
    # 0 * inf: a zero with the sign of the product.
    lost = ((x == 0) | (y == 0)) & isnan(imag)
    return Complex(real, select(lost, copysign(x.constant(0), x) * copysign(y.constant(1), y), imag))


def cos(z: Complex) -> Complex:
    """cosh(iz)"""
    return cosh(Complex(-z.imag, z.real))


def tanh(z: Complex) -> Complex:
    """(sinh x cosh x + i sin y cos y) / (sinh(x)**2 + cos(y)**2)"""
    x, y = z.real, z.imag
    sinh, cosh, sin, cos = x.libm("sinh"), x.libm("cosh"), y.intrinsic("sin"), y.intrinsic("cos")
    bottom = sinh * sinh + cos * cos
    # Far from the imaginary axis the squares overflow.
    far = fabs(x) > 22
    small = _exp(-fabs(x))
    real = select(far, copysign(x.constant(1), x), sinh * cosh / bottom)
    imag = select(far, 4 * sin * cos * small * small, sin * cos / bottom)
    # C99 leaves the sign of the zero open.
    imag = select(_infinite(x) & ~_finite(y), copysign(y.constant(0), y), select(y == 0, y, imag))
    real = select(_finite(y) | _infinite(x), real, select(x == 0, x, y - y))
    return Complex(real, imag)


def _two_sum(a: Value, b: Value) -> tuple[Value, Value]:
    """a + b as a float and its error: Knuth, TAOCP 2, 4.2.2."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _two_square(a: Value) -> tuple[Value, Value]:
    """a * a as a float and its error: Dekker (1971), without a fused multiplication."""
    big = a * 134217729.0
    high = big - (big - a)
    low = a - high
    square = a * a
    return square, ((high * high - square) + 2 * high * low) + low * low


def _norm_minus_one(x: Value, y: Value) -> Value:
    """x**2 + y**2 - 1 without cancellation."""
    (a, a_error), (b, b_error) = _two_square(x), _two_square(y)
    first, first_error = _two_sum(a, a.constant(-1))
    total, error = _two_sum(first, b)
    return total + ((error + first_error) + (a_error + b_error))


def _norm_of_next(x: Value, y: Value) -> Value:
    """|1 + z|**2 - 1 = 2 x + x**2 + y**2 without cancellation."""
    (a, a_error), (b, b_error) = _two_square(x), _two_square(y)
    first, first_error = _two_sum(2 * x, b)
    total, error = _two_sum(first, a)
    return total + ((error + first_error) + (a_error + b_error))


def log_modulus(x: Value, y: Value) -> Value:
    """log |x + iy|, also where |x + iy| overflows, underflows or is close to 1."""
    large = select(fabs(x) > fabs(y), fabs(x), fabs(y))
    high, low = large > 2.0**1022, large < 2.0**-960
    factor = select(high, 2.0**-2, select(low, 2.0**108, x.constant(1)))
    size = (x * factor).libm(HYPOT, y * factor)
    plain = size.intrinsic("log") - select(high, -2 * _LOG_2, select(low, 108 * _LOG_2, x.constant(0)))
    near = (size > 0.5) & (size < 2) & (factor == 1)
    return select(near, _norm_minus_one(x, y).libm("log1p") * 0.5, plain)


def log(z: Complex) -> Complex:
    """log |z| + i angle(z)"""
    return Complex(log_modulus(z.real, z.imag), z.imag.libm("atan2", z.real))


def log1p(z: Complex) -> Complex:
    """log(1 + z), accurate near 0"""
    x, y = z.real, z.imag
    near = (fabs(x) < 0.5) & (fabs(y) < 0.5)
    real = select(near, _norm_of_next(x, y).libm("log1p") * 0.5, log_modulus(x + 1, y))
    return Complex(real, y.libm("atan2", x + 1))


def sqrt(z: Complex) -> Complex:
    """the root with real part >= 0"""
    x, y = z.real, z.imag
    large = select(fabs(x) > fabs(y), fabs(x), fabs(y))
    high, low = large > 2.0**1020, large < 2.0**-960
    factor = select(high, 0.25, select(low, 2.0**108, x.constant(1)))
    back = select(high, 2, select(low, 2.0**-54, x.constant(1)))
    x, y = x * factor, y * factor
    root = ((fabs(x) + x.libm(HYPOT, y)) * 0.5).intrinsic("sqrt")
    other = select(root == 0, y, y / (2 * root))
    real, imag = select(x < 0, fabs(other), root), select(x < 0, copysign(root, y), other)
    tall = _infinite(y)
    return Complex(select(tall, _INF, real * back), select(tall, y, imag * back))


def _shifted(z: Complex, real: float, sign: int) -> Complex:
    """real + sign * z, the sign of a zero imaginary part kept."""
    return Complex(z.real * sign + real, z.imag if sign > 0 else -z.imag)


def _is_large(z: Complex) -> Value:
    return (fabs(z.real) > _LARGE) | (fabs(z.imag) > _LARGE)


def _log_twice(z: Complex) -> Value:
    """log |2 z| of a large z."""
    return (z.real * 0.5).libm(HYPOT, z.imag * 0.5).intrinsic("log") + 2 * _LOG_2


def arccos(z: Complex) -> Complex:
    """2 atan(Re sqrt(1 - z) / Re sqrt(1 + z)) + i asinh(Im(conj(sqrt(1 + z)) sqrt(1 - z)))"""
    x, y = z.real, z.imag
    s, t = sqrt(_shifted(z, 1, -1)), sqrt(_shifted(z, 1, 1))
    real = 2 * s.real.libm("atan2", t.real)
    imag = (t.real * s.imag - t.imag * s.real).libm("asinh")
    real = select((x == 0) & isnan(y), math.pi / 2, real)
    large = _is_large(z)
    return Complex(select(large, fabs(y).libm("atan2", x), real),
                   select(large, -copysign(_log_twice(z), y), imag))


def arccosh(z: Complex) -> Complex:
    """asinh(Re(conj(sqrt(z - 1)) sqrt(z + 1))) + 2i atan(Im sqrt(z - 1) / Re sqrt(z + 1))"""
    x, y = z.real, z.imag
    s, t = sqrt(_shifted(z, -1, 1)), sqrt(_shifted(z, 1, 1))
    real = (s.real * t.real + s.imag * t.imag).libm("asinh")
    imag = 2 * s.imag.libm("atan2", t.real)
    imag = select((x == 0) & isnan(y), math.pi / 2, imag)
    large = _is_large(z)
    return Complex(select(large, _log_twice(z), real), select(large, y.libm("atan2", x), imag))


def arcsinh(z: Complex) -> Complex:
    """asinh(Re(...)) + i atan(y / Re(sqrt(1 + iz) sqrt(1 - iz)))"""
    x, y = z.real, z.imag
    s, t = sqrt(Complex(y + 1, -x)), sqrt(Complex(1 - y, x))
    real = (s.real * t.imag - t.real * s.imag).libm("asinh")
    imag = y.libm("atan2", s.real * t.real - s.imag * t.imag)
    imag = select(isnan(x) & (y == 0), y, imag)
    large = _is_large(z)
    return Complex(select(large, copysign(_log_twice(z), x), real), select(large, y.libm("atan2", fabs(x)), imag))


def arctanh(z: Complex) -> Complex:
    """log1p(4 x / ((1 - x)**2 + y**2)) / 4 + i atan2(2 y, (1 - x)(1 + x) - y**2) / 2 for x >= 0; odd"""
    x, y = fabs(z.real), z.imag
    real = (4 * x / ((1 - x) * (1 - x) + y * y)).libm("log1p") * 0.25
    imag = (2 * y).libm("atan2", (1 - x) * (1 + x) - y * y) * 0.5
    # Beside the pole the squares underflow, far away they overflow.
    pole = (x == 1) & (fabs(y) < 2.0**-510)
    real = select(pole, (fabs(y) * 0.5).intrinsic("log") * -0.5, real)
    large = _is_large(z)
    half = (x * 0.5).libm(HYPOT, y * 0.5)
    far = select(_infinite(half), 0, x / 4 / half / half)
    real = select(large, far, real)
    real = select((x == 0) & isnan(y), 0, real)
    known = large & (_infinite(x) & ~isnan(y) | _infinite(y) | ~(isnan(x) | isnan(y)))
    imag = select(known, copysign(x.constant(math.pi / 2), y), imag)
    return Complex(copysign(real, z.real), imag)


def _whole_power(x: Complex, y: Value) -> Complex:
    """x**y for whole |y| < 100, by multiplication; for 1, 2, 3 without the factor 1, which turns inf into NaN."""
    few = (y > 0) & (y < 4)
    one = Complex(x.real.constant(1), x.real.constant(0))
    bits = fabs(y).truncated(32)
    powered = product_of_squares(x, bits, lambda a, b: a * b, one)
    square = x * x
    powered = select(few, select(y == 1, x, select(y == 2, square, square * x)), powered)
    return select(y < 0, quotient(one, powered), powered)


def power(x: Complex, y: Complex) -> Complex:
    """x**y; by multiplication where y is a small whole number; of 0 as NumPy has it: 1, 0 where Re y > 0, else NaN"""
    n = y.real
    whole = (y.imag == 0) & (fabs(n) < 100) & (n.intrinsic("trunc") == n)
    result = branch(whole, lambda: _whole_power(x, n), lambda: exp(y * log(x)))
    of_zero = select(n > 0, n.constant(0), n.constant(math.nan))
    zero = (x.real == 0) & (x.imag == 0) & ((n != 0) | (y.imag != 0))
    return select(zero, Complex(of_zero, of_zero), result)
