"""Rows of the scalar table: arithmetic, powers, rounding, minimum and maximum.

A pullback multiplies by the conjugate of the derivative, so that one rule serves real and complex dtypes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.tensor import dtypes
from nbgraph.tensor.scalar_function import Signature, common, like, row

POSITIVE = (0.1, 4.0)


def _power_pullback(g: Any, x: Any, y: Any, z: Any) -> tuple[Any, ...]:
    # d/dx is 0 where y is 0, also at x = 0; d/dy takes log(x) as 0 where x is 0, so that 0**y stays finite.
    gx = nt.switch(nt.eq(y, 0), 0, y * nt.power(x, nt.switch(nt.eq(y, 0), 1, y - 1)))
    gy = z * nt.log(nt.switch(nt.eq(x, 0), 1, x))
    return g * nt.conj(gx), g * nt.conj(gy)


def _abs_pullback(g: Any, x: Any, z: Any) -> tuple[Any, ...]:
    return (g * nt.sign(x),)


def _extremum_pullback(g: Any, x: Any, y: Any, z: Any) -> tuple[Any, ...]:
    # A tie goes to x, as one side must take it.
    takes_x = nt.eq(x, z)
    return nt.switch(takes_x, g, 0), nt.switch(takes_x, 0, g)


def _mod_pullback(g: Any, x: Any, y: Any, z: Any) -> tuple[Any, ...]:
    return g, -g * nt.floor_divide(x, y)


def _clip_pullback(g: Any, x: Any, low: Any, high: Any, z: Any) -> tuple[Any, ...]:
    inside = nt.and_(nt.ge(x, low), nt.le(x, high))
    below = nt.and_(nt.lt(x, low), nt.le(low, high))
    return nt.switch(inside, g, 0), nt.switch(below, g, 0), nt.switch(nt.or_(inside, below), 0, g)


def _sign_pullback(g: Any, x: Any, z: Any) -> tuple[Any, ...]:
    # Constant on the reals; on the complex plane z = x / |x| turns with x.
    if x.type.dtype not in dtypes.COMPLEX:
        return (None,)
    return ((g - z * nt.real(nt.conj(z) * g)) / nt.abs(x),)


def _rounding(ufunc: np.ufunc) -> Signature:
    """Integers stay as they are; NumPy 2 has that loop for floor, ceil, trunc; rint gives floats."""
    def signature(*kinds: Any) -> tuple[str, ...]:
        dtype = dtypes.result_type(*kinds)
        return (dtype, dtype) if dtypes.is_discrete(dtype) else like(ufunc)(*kinds)
    return signature


def _whole(numpy: Any) -> Any:
    """A rounding function that leaves integers alone."""
    return lambda x: x if x.dtype.kind in "biu" else numpy(x)


def _half_away(x: np.ndarray) -> np.ndarray:
    whole = np.trunc(x)
    return whole + np.where(np.abs(x - whole) >= 0.5, np.copysign(1.0, x), 0.0).astype(x.dtype)


row("add", 2, np.add, like(np.add), "x + y", kernel="+", pullback=lambda g, x, y, z: (g, g), plain=True)
row("sub", 2, np.subtract, like(np.subtract), "x - y", kernel="-", pullback=lambda g, x, y, z: (g, -g), plain=True)
row("mul", 2, np.multiply, like(np.multiply), "x * y", kernel="*",
    pullback=lambda g, x, y, z: (g * nt.conj(y), g * nt.conj(x)))
row("true_divide", 2, np.true_divide, like(np.true_divide), "x / y; integers give floats",
    domain=((-3, 3), (0.3, 3)),
    pullback=lambda g, x, y, z: (g / nt.conj(y), -g * nt.conj(z / y)))
row("floor_divide", 2, np.floor_divide, like(np.floor_divide), "floor(x / y); integer x // 0 is 0",
    domain=((-9, 9), (0.6, 3)), expensive=True)
row("mod", 2, np.remainder, like(np.remainder), "x - y * floor(x / y), with the sign of y; integer x % 0 is 0",
    domain=((-9, 9), (0.6, 3)), pullback=_mod_pullback, expensive=True)
row("power", 2, np.power, like(np.power), "x ** y", domain=(POSITIVE, (-2, 2)), pullback=_power_pullback,
    expensive=True, needs=(1, "no_negative_integer"))
row("neg", 1, np.negative, like(np.negative), "-x", pullback=lambda g, x, z: (-g,), plain=True)
row("abs", 1, np.absolute, like(np.absolute), "|x|; the modulus of a complex number", domain=(0.2, 3),
    pullback=_abs_pullback)
row("sign", 1, np.sign, like(np.sign), "-1, 0 or 1, the sign of x; NaN for NaN; x / |x| for a complex number",
    pullback=_sign_pullback)
row("reciprocal", 1, np.reciprocal, like(np.reciprocal), "1 / x; 0 for most integers, as NumPy has it",
    domain=POSITIVE, pullback=lambda g, x, z: (-g * nt.conj(z * z),))
row("square", 1, np.square, like(np.square), "x * x", pullback=lambda g, x, z: (g * nt.conj(2 * x),))
row("sqrt", 1, np.sqrt, like(np.sqrt), "the square root of x", domain=POSITIVE,
    pullback=lambda g, x, z: (g * nt.conj(0.5 / z),))
row("floor", 1, _whole(np.floor), _rounding(np.floor), "the largest integer <= x", domain=(-5, 5))
row("ceil", 1, _whole(np.ceil), _rounding(np.ceil), "the smallest integer >= x", domain=(-5, 5))
row("trunc", 1, _whole(np.trunc), _rounding(np.trunc), "x without its fraction", domain=(-5, 5))
row("round_half_to_even", 1, _whole(np.rint), _rounding(np.trunc),
    "the nearest integer, halves to the even one (as np.round)", domain=(-5, 5))
row("round_half_away_from_zero", 1, _whole(_half_away), _rounding(np.trunc),
    "the nearest integer, halves away from zero", domain=(-5, 5))
row("maximum", 2, np.maximum, like(np.maximum), "the larger of x and y; NaN where one is NaN",
    pullback=_extremum_pullback, plain=True)
row("minimum", 2, np.minimum, like(np.minimum), "the smaller of x and y; NaN where one is NaN",
    pullback=_extremum_pullback, plain=True)
row("clip", 3, lambda x, low, high: np.minimum(np.maximum(x, low), high), common(3),
    "x, or the bound that it passes: minimum(maximum(x, low), high)",
    domain=((-3, 3), (-1, -0.5), (0.5, 1)), pullback=_clip_pullback, plain=True)
