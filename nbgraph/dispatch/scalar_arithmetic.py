"""Kernels of the rows of `tensor.scalar_arithmetic`: division, powers, rounding, minimum and maximum.

    mod(-7, 3) = 2      mod(7, 0) = 0      floor_divide(-7.0, 0.0) = -inf      maximum(nan, 1.0) = nan

Each is NumPy's function, at the width of its operands. The complex ones are in `scalar_complex`, powers of real floats
in `vmath`.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from nbgraph.dispatch import scalar_complex, scalar_complex_math
from nbgraph.dispatch.scalar_value import (
    Complex,
    Value,
    copysign,
    fabs,
    isnan,
    native,
    product_of_squares,
    real_part,
    same,
    select,
)


def _divided(x: Value, y: Value) -> tuple[Value, Value]:
    """The quotient rounded down and the remainder of integers; both 0 where y is 0."""
    # Division by these traps, or overflows: their results are put in afterwards.
    odd = (y == 0) | (y == -1) if x.kind == "i" else y == 0
    divisor = select(odd, 1, y)
    quotient, rest = x.quotient(divisor), x.remainder(divisor)
    if x.kind == "u":
        return select(y == 0, 0, quotient), select(y == 0, 0, rest)
    across = (rest != 0) & ((rest < 0) ^ (y < 0))
    quotient, rest = select(across, quotient - 1, quotient), select(across, rest + y, rest)
    return select(y == 0, 0, select(y == -1, -x, quotient)), select(odd, 0, rest)


def _float_divided(x: Value, y: Value) -> tuple[Value, Value]:
    """floor(x / y) and the remainder with the sign of y, as NumPy computes them, from the exact fmod."""
    rest = x.remainder(y)
    quotient = (x - rest) / y
    across = (rest != 0) & ((rest < 0) ^ (y < 0))
    quotient = select(across, quotient - 1, quotient)
    whole = quotient.intrinsic("floor")
    # The division rounded down below the integer that it should have been.
    whole = select(quotient - whole > 0.5, whole + 1, whole)
    whole = select(quotient == 0, copysign(x.constant(0), x / y), whole)
    signed = select(across, rest + y, select(rest == 0, copysign(x.constant(0), y), rest))
    return select(y == 0, x / y, whole), select(y == 0, rest, signed)


@native(np.floor_divide, same)
def floor_divide(x: Value, y: Value) -> Value:
    """floor(x / y); 0 for integers where y is 0"""
    return (_float_divided if x.kind == "f" else _divided)(x, y)[0]


@native(np.remainder, same)
def mod(x: Value, y: Value) -> Value:
    """x - y * floor(x / y); 0 for integers where y is 0"""
    return (_float_divided if x.kind == "f" else _divided)(x, y)[1]


@native(np.power, same)
def power(x: Any, y: Any) -> Any:
    """x ** y"""
    if isinstance(x, Complex):
        return scalar_complex_math.power(x, y)
    assert x.kind != "f", "real numbers go to vmath.power"
    return product_of_squares(x, y, operator.mul, x.constant(1))


@native(np.negative, same)
def neg(x: Any) -> Any:
    """-x; of an unsigned integer 2**bits - x"""
    return -x


@native(np.absolute, real_part)
def absolute(x: Any) -> Any:
    """|x|"""
    if isinstance(x, Complex):
        return scalar_complex.modulus(x)
    if x.kind in "bu":
        return x
    return fabs(x) if x.kind == "f" else select(x < 0, -x, x)


@native(np.sign, same)
def sign(x: Any) -> Any:
    """-1, 0 or 1; NaN for NaN; x / |x| for a complex number"""
    if isinstance(x, Complex):
        return scalar_complex.sign_formula(x)
    if x.kind == "u":
        return select(x == 0, 0, x.constant(1))
    zero = x if x.kind == "i" else select(isnan(x), x, 0)
    return select(x > 0, 1, select(x < 0, -1, zero))


@native(np.reciprocal, same)
def reciprocal(x: Any) -> Any:
    """1 / x; 0 for integers other than 1 and -1, and for 0 what NumPy has on this machine"""
    if isinstance(x, Complex):
        return scalar_complex.reciprocal_formula(x)
    if x.kind == "f":
        return 1 / x
    with np.errstate(all="ignore"):
        of_zero = np.reciprocal(np.zeros(1, f"{x.kind}{x.bits // 8}")).item()
    unit = x == 1 if x.kind == "u" else (x == 1) | (x == -1)
    return select(x == 0, of_zero, select(unit, x, 0))


@native(np.square, same)
def square(x: Any) -> Any:
    """x * x"""
    return x * x


def _whole(reference: Any) -> Any:
    """NumPy's function; integers stay as they are."""
    return lambda x: reference(x) if np.asarray(x).dtype.kind == "f" else x


def _rounded(name: str, x: Value) -> Value:
    return x.intrinsic(name) if x.kind == "f" else x


@native(_whole(np.floor), same)
def floor(x: Value) -> Value:
    """the largest integer <= x"""
    return _rounded("floor", x)


@native(_whole(np.ceil), same)
def ceil(x: Value) -> Value:
    """the smallest integer >= x"""
    return _rounded("ceil", x)


@native(_whole(np.trunc), same)
def trunc(x: Value) -> Value:
    """x without its fraction"""
    return _rounded("trunc", x)


@native(_whole(np.rint), same)
def round_half_to_even(x: Value) -> Value:
    """the nearest integer, halves to the even one"""
    return _rounded("rint", x)


def _half_away(x: Any) -> Any:
    whole = np.trunc(x)
    return whole + (np.copysign(type(x)(1), x) if np.abs(x - whole) >= 0.5 else type(x)(0))


@native(_whole(_half_away), same)
def round_half_away_from_zero(x: Value) -> Value:
    """the nearest integer, halves away from zero"""
    if x.kind != "f":
        return x
    whole = x.intrinsic("trunc")
    return whole + select(fabs(x - whole) >= 0.5, copysign(x.constant(1), x), 0)


def extreme(operator: str, x: Any, y: Any) -> Any:
    """x where x > y (or <) or x is NaN, else y: of two zeros y, as in NumPy's loops."""
    if isinstance(x, Complex):
        return select(scalar_complex.ordered(operator + "=", x, y) | scalar_complex.any_nan(x), x, y)
    if x.kind == "f":
        return select(x.compare(operator, y) | isnan(x), x, y)
    names = {"b>": "umax", "b<": "umin", "i>": "smax", "i<": "smin", "u>": "umax", "u<": "umin"}
    return x.intrinsic(names[x.kind + operator], y)


@native(np.maximum, same)
def maximum(x: Any, y: Any) -> Any:
    """the larger of x and y; NaN where one is NaN"""
    return extreme(">", x, y)


@native(np.minimum, same)
def minimum(x: Any, y: Any) -> Any:
    """the smaller of x and y; NaN where one is NaN"""
    return extreme("<", x, y)


@native(lambda x, low, high: np.minimum(np.maximum(x, low), high), same)
def clip(x: Any, low: Any, high: Any) -> Any:
    """minimum(maximum(x, low), high)"""
    return extreme("<", extreme(">", x, low), high)
