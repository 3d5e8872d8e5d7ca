"""Kernels of the rows of `tensor.scalar_logic`: logic, bits, choice, tests for NaN, casts of floats to integers.

    left_shift(1, 64) = 0      switch(True, x, y) = x      to_uint8(-1.0) = 255
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import from_dtype

from nbgraph.dispatch import scalar_value
from nbgraph.dispatch.scalar_value import Complex, Value, as_type, boolean, fabs, native, same, select
from nbgraph.tensor import dtypes


def _true(x: Any) -> Value:
    if isinstance(x, Complex):
        return (x.real != 0) | (x.imag != 0)
    return x if x.kind == "b" else x != 0


@native(np.logical_and, boolean)
def logical_and(x: Any, y: Any) -> Value:
    """x and y are not zero"""
    return _true(x) & _true(y)


@native(np.logical_or, boolean)
def logical_or(x: Any, y: Any) -> Value:
    """x or y is not zero"""
    return _true(x) | _true(y)


@native(np.logical_xor, boolean)
def logical_xor(x: Any, y: Any) -> Value:
    """exactly one of x and y is not zero"""
    return _true(x) ^ _true(y)


@native(np.logical_not, boolean)
def logical_not(x: Any) -> Value:
    """x is zero"""
    return ~_true(x)


@native(np.invert, same)
def invert(x: Value) -> Value:
    """all bits flipped"""
    return ~x


def _in_range(x: Value, y: Value) -> Value:
    """y, taken as unsigned, is below the number of bits."""
    return y.to_integer("u", y.bits) < x.bits


@native(np.left_shift, same)
def left_shift(x: Value, y: Value) -> Value:
    """x * 2**y; 0 where y is negative or not below the number of bits"""
    fits = _in_range(x, y)
    return select(fits, x << select(fits, y, 0), 0)


@native(np.right_shift, same)
def right_shift(x: Value, y: Value) -> Value:
    """floor(x / 2**y); only the sign is left where y is negative or not below the number of bits"""
    fits = _in_range(x, y)
    if x.kind == "i":
        return x >> select(fits, y, x.bits - 1)
    return select(fits, x >> select(fits, y, 0), 0)


def _any_part(test: Callable[[Value], Value], x: Any) -> Value:
    return test(x.real) | test(x.imag) if isinstance(x, Complex) else test(x)


@native(np.isnan, boolean)
def isnan(x: Any) -> Value:
    """x is NaN"""
    return _any_part(scalar_value.isnan, x)


@native(np.isinf, boolean)
def isinf(x: Any) -> Value:
    """x is infinite"""
    return _any_part(lambda part: fabs(part) == float("inf") if part.kind == "f" else part != part, x)


@native(np.isfinite, boolean)
def isfinite(x: Any) -> Value:
    """x is neither NaN nor infinite"""
    return ~_any_part(lambda part: ~(fabs(part) < float("inf")) if part.kind == "f" else part != part, x)


@native(lambda c, x, y: x if c else y, same)
def switch(c: Value, x: Any, y: Any) -> Any:
    """x where c, else y"""
    return select(c, x, y)


def _cast_kernel(dtype: str) -> Any:
    target = from_dtype(np.dtype(dtype))

    def cast(x: Value) -> Value:
        return _to_integer(x, "i" if target.signed else "u", target.bitwidth)

    cast.__name__ = f"to_{dtype}"
    cast.__doc__ = f"a float as {dtype}, its fraction dropped; as NumPy where it does not fit"
    return native(lambda x: np.asarray(x).astype(dtype)[()], as_type(target))(cast)


def _to_integer(x: Value, kind: str, bits: int) -> Value:
    if kind == "i" and bits >= 32:
        return x.truncated(bits)
    if bits < 64:
        return x.truncated(64 if bits == 32 else 32).to_integer(kind, bits)
    # Above 2**63 a signed conversion does not fit.
    high = x >= 2.0**63
    whole = select(high, x - 2.0**63, x).truncated(64).to_integer("u", 64)
    return select(high, whole ^ (1 << 63), whole)


to_int8, to_int16, to_int32, to_int64 = (_cast_kernel(name) for name in dtypes.SIGNED)
to_uint8, to_uint16, to_uint32, to_uint64 = (_cast_kernel(name) for name in dtypes.UNSIGNED)
