"""Kernels of complex numbers: the rows of `tensor.scalar_complex`, order, division, powers, roots.

    less(1 + 2j, 1 + 3j) = True (lexicographic)      true_divide(1j, 0j) = nan + infj, never an exception
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba.core import types

from nbgraph.dispatch.scalar_value import (
    HYPOT,
    Complex,
    Value,
    boolean,
    copysign,
    fabs,
    isnan,
    native,
    real_part,
    same,
    select,
)


@native(np.real, real_part)
def real(z: Any) -> Any:
    """the real part"""
    return z.real if isinstance(z, Complex) else z


@native(lambda z: np.asarray(z).imag[()], real_part)
def imag(z: Any) -> Any:
    """the imaginary part; 0 for a real number"""
    return z.imag if isinstance(z, Complex) else z.constant(0)


@native(np.conjugate, same)
def conj(z: Any) -> Any:
    """the complex conjugate"""
    return Complex(z.real, -z.imag) if isinstance(z, Complex) else z


@native(np.angle, real_part)
def angle(z: Any) -> Any:
    """the angle in [-pi, pi]"""
    return z.imag.libm("atan2", z.real) if isinstance(z, Complex) else z.constant(0).libm("atan2", z)


def _joined(x: Any, y: Any) -> Any:
    parts = np.array([x, y])
    return parts.view(np.result_type(parts.dtype, np.complex64))[0]


@native(_joined, lambda x, y: types.complex64 if x == types.float32 else types.complex128)
def from_parts(x: Value, y: Value) -> Complex:
    """x + iy"""
    return Complex(x, y)


def any_nan(z: Complex) -> Value:
    """A part is NaN."""
    return isnan(z.real) | isnan(z.imag)


def ordered(operator: str, x: Complex, y: Complex) -> Value:
    """x < y, by the real parts, by the imaginary ones where those are equal; False with NaN, as in NumPy."""
    apart = x.real.compare(operator[0], y.real) & ~(isnan(x.imag) | isnan(y.imag))
    return apart | ((x.real == y.real) & x.imag.compare(operator, y.imag))


@native(np.less, boolean)
def less(x: Complex, y: Complex) -> Value:
    """x < y, lexicographic"""
    return ordered("<", x, y)


@native(np.less_equal, boolean)
def less_equal(x: Complex, y: Complex) -> Value:
    """x <= y, lexicographic"""
    return ordered("<=", x, y)


@native(np.greater, boolean)
def greater(x: Complex, y: Complex) -> Value:
    """x > y, lexicographic"""
    return ordered(">", x, y)


@native(np.greater_equal, boolean)
def greater_equal(x: Complex, y: Complex) -> Value:
    """x >= y, lexicographic"""
    return ordered(">=", x, y)


def quotient(x: Complex, y: Complex) -> Complex:
    # Smith (1962), "Algorithm 116: Complex division": the smaller part of y is divided by the larger.
    wide = fabs(y.real) >= fabs(y.imag)
    large, small = select(wide, y.real, y.imag), select(wide, y.imag, y.real)
    ratio = small / large
    scale = 1 / (large + small * ratio)
    a, b = select(wide, x.real, x.real * ratio), select(wide, x.imag * ratio, x.imag)
    c, d = select(wide, x.imag, x.imag * ratio), select(wide, x.real * ratio, x.real)
    zero = (y.real == 0) & (y.imag == 0)
    bottom = fabs(y.real)
    return Complex(select(zero, x.real / bottom, (a + b) * scale), select(zero, x.imag / bottom, (c - d) * scale))


@native(np.multiply, same)
def multiply(x: Complex, y: Complex) -> Complex:
    """x * y; the operator * costs Numba 50 ms more to compile"""
    return x * y


@native(np.true_divide, same)
def true_divide(x: Complex, y: Complex) -> Complex:
    """x / y"""
    return quotient(x, y)


def reciprocal_formula(z: Complex) -> Complex:
    """1 / z, as NumPy computes it."""
    wide = fabs(z.imag) <= fabs(z.real)
    large, small = select(wide, z.real, z.imag), select(wide, z.imag, z.real)
    ratio = small / large
    bottom = large + small * ratio
    return Complex(select(wide, 1, ratio) / bottom, select(wide, -ratio, -1) / bottom)


def modulus(z: Complex) -> Value:
    """|z|"""
    return z.real.libm(HYPOT, z.imag)


def sign_formula(z: Complex) -> Complex:
    """z / |z|; 0 for 0, NaN for NaN, the direction of the infinite part; NaN where both parts are infinite."""
    size = modulus(z)
    infinite = size == math.inf
    both = (fabs(z.real) == math.inf) & (fabs(z.imag) == math.inf)

    def of_part(part: Value) -> Value:
        direction = select(fabs(part) == math.inf, copysign(part.constant(1), part), 0)
        finite = select(size == 0, 0, part / size)
        return select(infinite, select(both, math.nan, direction), finite)

    return Complex(of_part(z.real), of_part(z.imag))
