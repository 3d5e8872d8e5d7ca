"""Rows of the scalar table: comparison, logic, bits, choice, tests for NaN and infinity, casts."""

from __future__ import annotations

from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.tensor import dtypes
from nbgraph.tensor.scalar_function import Signature, common, like, row, to_bool

row("lt", 2, np.less, like(np.less), "x < y", kernel="<")
row("le", 2, np.less_equal, like(np.less_equal), "x <= y", kernel="<=")
row("gt", 2, np.greater, like(np.greater), "x > y", kernel=">")
row("ge", 2, np.greater_equal, like(np.greater_equal), "x >= y", kernel=">=")
row("eq", 2, np.equal, like(np.equal), "x == y", kernel="==")
row("neq", 2, np.not_equal, like(np.not_equal), "x != y", kernel="!=")

row("logical_and", 2, np.logical_and, to_bool(2), "both x and y are true")
row("logical_or", 2, np.logical_or, to_bool(2), "x or y is true")
row("logical_xor", 2, np.logical_xor, to_bool(2), "exactly one of x and y is true")
row("logical_not", 1, np.logical_not, to_bool(1), "x is zero or false")

row("and_", 2, np.bitwise_and, like(np.bitwise_and), "bits set in x and y", kernel="&")
row("or_", 2, np.bitwise_or, like(np.bitwise_or), "bits set in x or y", kernel="|")
row("xor", 2, np.bitwise_xor, like(np.bitwise_xor), "bits set in exactly one of x and y", kernel="^")
row("invert", 1, np.invert, like(np.invert), "the bits of x, all flipped; not, for booleans")
row("left_shift", 2, np.left_shift, like(np.left_shift), "x * 2**y; 0 where y is not below the number of bits",
    domain=((0, 9), (0, 5)))
row("right_shift", 2, np.right_shift, like(np.right_shift), "floor(x / 2**y)", domain=((0, 99), (0, 5)))

row("isnan", 1, np.isnan, lambda kind: (dtypes.result_type(kind), "bool"), "x is NaN")
row("isinf", 1, np.isinf, lambda kind: (dtypes.result_type(kind), "bool"), "x is infinite, of either sign")
row("isfinite", 1, np.isfinite, lambda kind: (dtypes.result_type(kind), "bool"), "x is neither NaN nor infinite")

row("switch", 3, lambda c, x, y: np.where(c, x, y), common(3, skip=1), "x where c is true, y elsewhere",
    pullback=lambda g, c, x, y, z: (None, nt.switch(c, g, 0), nt.switch(c, 0, g)), plain=True)


def _cast_to(dtype: str) -> Signature:
    def signature(kind: Any) -> tuple[str, ...]:
        source = dtypes.result_type(kind)
        if source in dtypes.COMPLEX and dtype not in (*dtypes.COMPLEX, "bool"):
            raise TypeError(f"casting {source} to {dtype} would drop the imaginary part; use real(x) first")
        return source, dtype
    return signature


def _cast_function(dtype: str) -> Any:
    return lambda x: x.astype(dtype)


for _dtype in dtypes.ALL:
    row(f"cast_{_dtype}", 1, _cast_function(_dtype), _cast_to(_dtype), f"x as {_dtype}", kernel="identity",
        pullback=lambda g, x, z: (g,), domain=(0, 9), plain=True)
