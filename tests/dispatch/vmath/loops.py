"""Loops that call a function of vmath on every element, as fused kernels do, and the unit in the last place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np
from numba import njit, types

from nbgraph.dispatch.jit import apart


def compiled(function: Callable[..., Any], dtype: str, arity: int = 1) -> Any:
    """A loop out[i] = function(x[i], ...) over arrays of this dtype."""
    def one(x: Any, out: Any) -> None:
        apart()
        for i in range(out.size):
            out[i] = function(x[i])

    def two(x: Any, y: Any, out: Any) -> None:
        apart()
        for i in range(out.size):
            out[i] = function(x[i], y[i])

    dispatcher = njit(error_model="numpy")((one, two)[arity - 1])
    dispatcher.compile((types.Array(getattr(types, dtype), 1, "C"),) * (arity + 1))
    return dispatcher


def values(loop: Any, *arrays: np.ndarray) -> np.ndarray:
    """What the loop gives."""
    out = np.empty_like(arrays[0])
    loop(*arrays, out)
    return out


def exact_values(function: Callable[..., Any], *arrays: np.ndarray) -> list[Any]:
    """The values by mpmath, as its numbers; 120 bits, since logarithms near 1 and the like lose half of them."""
    with mpmath.workprec(120):
        return [function(*map(mpmath.mpf, numbers)) for numbers in zip(*(a.tolist() for a in arrays), strict=True)]


def ulps(result: np.ndarray, exact: Sequence[Any]) -> np.ndarray:
    """|result - exact| in units in the last place of the exact number; what should overflow counts as infinite."""
    f = np.finfo(result.dtype)
    largest = mpmath.mpf(float(f.max)) * (1 + mpmath.mpf(float(f.eps)) / 4)
    errors = []
    for value, wanted in zip(result.tolist(), exact, strict=True):
        if abs(wanted) >= largest:
            errors.append(0.0 if np.isinf(value) and (value > 0) == (wanted > 0) else np.inf)
            continue
        exponent = max(mpmath.frexp(wanted)[1] - 1, f.minexp) - f.nmant
        errors.append(float(abs(mpmath.mpf(value) - wanted) * mpmath.mpf(2) ** -exponent))
    return np.array(errors)
