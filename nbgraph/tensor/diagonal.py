"""Diagonals: diagonal, diag, trace.

    diagonal(x)     x flattened, every (columns + 1)-th element: a view where x is contiguous

The gradient of a strided slice writes into zeros at these places only.
"""

from __future__ import annotations

from typing import Any

import nbgraph.tensor as nt
from nbgraph.errors import ShapeError
from nbgraph.graph.source import user_line
from nbgraph.tensor.shape import static_length
from nbgraph.tensor.shape_functions import normalize_axis


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """x[..., i, i + offset, ...] for the axes `axis1` and `axis2`, which a last axis replaces.

    Parameters
    ----------
    x : tensor of at least two axes
    offset : int      > 0 is above the main diagonal

    Raises
    ------
    ShapeError   fewer than two axes, no such axis, or axis1 = axis2
    """
    x = nt.as_tensor_variable(x)
    if x.type.ndim < 2:
        raise ShapeError(None, f"diagonal takes at least two axes, got {x} of type {x.type}", line=user_line(), x=x,
                         fix="use diag to make a matrix of a vector")
    first, second = normalize_axis(axis1, x.type.ndim), normalize_axis(axis2, x.type.ndim)
    if first == second:
        raise ShapeError(None, f"diagonal: axis1 and axis2 are both {first}", line=user_line(), x=x,
                         fix="name two different axes")
    if first > second:  # the same elements, and no transposition where these are the last two axes
        first, second, offset = second, first, -offset
    x = nt.moveaxis(x, (first, second), (-2, -1))
    *outer, rows, columns = nt.lengths_of(x)
    flat = nt.reshape(x, (*outer, nt.product_of_lengths([rows, columns])))
    return nt.getitem(flat, (..., _places(rows, columns, int(offset))))


def _places(rows: Any, columns: Any, offset: int) -> slice:
    """Where the diagonal is among the elements in C order."""
    known_rows, known_columns = static_length(rows), static_length(columns)
    if known_rows is not None and known_columns is not None:
        count = max(0, min(known_rows + min(offset, 0), known_columns - max(offset, 0)))
        start = offset if offset >= 0 else -offset * known_columns
        return slice(start, start + count * (known_columns + 1), known_columns + 1)
    below = rows if offset >= 0 else rows + offset
    right = columns if offset <= 0 else columns - offset
    count = nt.maximum(nt.minimum(below, right), 0)
    start = nt.constant(offset, dtype="int64") if offset >= 0 else columns * -offset
    step = columns + 1
    return slice(start, count * step if offset == 0 else start + count * step, step)


def diag(x: Any, k: int = 0) -> Any:
    """A matrix with the vector x on its k-th diagonal; of a matrix x, its k-th diagonal.

    Raises
    ------
    ShapeError   x has another rank
    """
    x = nt.as_tensor_variable(x)
    if x.type.ndim == 2:
        return diagonal(x, k)
    if x.type.ndim != 1:
        raise ShapeError(None, f"diag takes a vector or a matrix, got {x} of type {x.type}", line=user_line(), x=x,
                         fix="use diagonal for higher ranks")
    n = nt.lengths_of(x)[0]
    side = nt.sum_of_lengths([n, nt.constant(abs(k), dtype="int64")])
    places = _places(side, side, int(k))
    flat = nt.zeros((nt.product_of_lengths([side, side]),), x.type.dtype)
    return nt.reshape(nt.set_subtensor(nt.getitem(flat, places), x), (side, side))


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    """The sum of the diagonal: sum over i of x[i, i + offset]. dtype as for `sum`."""
    return nt.sum(diagonal(x, offset, axis1, axis2), axis=-1, dtype=dtype)
