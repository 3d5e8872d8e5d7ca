"""AdvancedSubtensor, a gather on leading axes, and Nonzero, which makes indices of a mask.

    x[i]        AdvancedSubtensor()(x, i)                    z[a, c] = x[i[a], c]
    x[i, j]     AdvancedSubtensor()(x, i, j)                 z[a] = x[i[a], j[a]]
    x[:, i]     the gather on x with its second axis in front, and the result transposed back

All that NumPy's integer arrays and masks can do is brought to this form in `indexing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import BoundsError, DTypeError, IndexShapeError, ShapeError
from nbgraph.graph.basic import Apply, Constant
from nbgraph.graph.expression import Written, indexed
from nbgraph.graph.null_type import DisconnectedType
from nbgraph.graph.op import Op
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.indexing_basic import bounds_error, index_fix, out_of_bounds, seen_by_user, too_many_indices
from nbgraph.tensor.masked import Support
from nbgraph.tensor.type import TensorType


def gather_indices(op: Op, x: Any, indices: Sequence[Any]) -> list[Any]:
    """Index arrays as int64 variables, checked against the leading axes of x as far as is known.

    Raises
    ------
    DTypeError    an index is no integer
    BoundsError   more indices than axes, or a constant index that is out of bounds
    """
    if len(indices) > x.type.ndim:
        raise too_many_indices(op, x, len(indices))
    arrays = [nt.as_tensor_variable(index) for index in indices]
    for axis, index in enumerate(arrays):
        if index.type.dtype not in dtypes.INTEGERS:
            raise DTypeError(op, f"an index must be an integer, got {index} of type {index.type}", line=user_line(),
                             index=index, fix="cast it with .astype('int64'); a mask goes through nt.nonzero")
        length = x.type.shape[axis]
        bad = first_out_of_bounds(index.data, length) if isinstance(index, Constant) and length is not None else None
        if bad is not None and length is not None:
            source, place = seen_by_user(x, axis)
            raise BoundsError(op, out_of_bounds(bad, place, length), line=user_line(), x=source, index=index,
                              fix=index_fix(length))
    return [nt.cast(index, "int64") for index in arrays]


def first_out_of_bounds(index: np.ndarray, length: int) -> int | None:
    """The first element, in C order, that is no index of an axis of `length`; None where all are."""
    bad = (index < -length) | (index >= length)
    return int(index[bad].flat[0]) if np.any(bad) else None


def static_broadcast(op: Op, indices: Sequence[Any]) -> tuple[int | None, ...]:
    """The static shape of index arrays broadcast against each other; only a length known to be 1 broadcasts.

    Raises
    ------
    ShapeError   known lengths that differ
    """
    shape: list[int | None] = []
    for axis in range(-max((i.type.ndim for i in indices), default=0), 0):
        lengths = [i.type.shape[axis] for i in indices if -axis <= i.type.ndim]
        fixed = {n for n in lengths if n is not None and n != 1}
        if len(fixed) > 1:
            raise IndexShapeError(op, f"index arrays of lengths {' and '.join(map(str, sorted(fixed)))} on axis {axis} "
                                  "do not broadcast", line=user_line(),
                                  **{f"index{k}": i for k, i in enumerate(indices)},
                                  fix="index arrays must have equal lengths, or 1; i[:, None] adds an axis")
        shape.append(fixed.pop() if fixed else (1 if all(n == 1 for n in lengths) else None))
    return tuple(shape)


def check_gather(node: Apply, x: np.ndarray, indices: Sequence[np.ndarray], first: int) -> None:
    """Raise unless the index arrays agree in their lengths and stay within the leading axes of x.

    `first` is the place of the first index among the node's inputs.
    """
    symbols = node.inputs[first:]
    ndim = max((i.ndim for i in indices), default=0)
    for axis in range(-ndim, 0):
        actual = {i.shape[axis] for i, s in zip(indices, symbols, strict=True)
                  if -axis <= i.ndim and s.type.shape[axis] != 1}
        if len(actual) > 1:
            raise index_shape_error(node, [i.shape for i in indices], first)
    for axis, index in enumerate(indices):
        bad = first_out_of_bounds(index, x.shape[axis])
        if bad is not None:
            raise bounds_error(node, axis, bad, x.shape[axis])


def index_shape_error(node: Apply, shapes: Sequence[Sequence[int]], first: int) -> IndexShapeError:
    """The error for index arrays whose lengths differ at run time."""
    named = {f"index{k}": index for k, index in enumerate(node.inputs[first:])}
    actual = ", ".join(f"{name} has shape {tuple(shape)}" for name, shape in zip(named, shapes, strict=True))
    return IndexShapeError(node.op, f"index arrays do not broadcast: {actual}", line=node.line, **named,
                           fix="a length broadcasts only where it is known to be 1 when the graph is built: i[:, None]")


def gathered_shape(node: Apply, shapes: Sequence[Sequence[Any]], first: int) -> tuple[Any, ...]:
    """The lengths of x[indices]: those of the broadcast indices, then the axes of x that are not indexed."""
    symbols, lengths = node.inputs[first:], shapes[first:]
    dims: list[Any] = list(static_broadcast(node.op, symbols))
    for axis in range(-len(dims), 0):
        if dims[axis] is None:
            # Unknown lengths agree (checked at run time), so the first that does not broadcast will do.
            dims[axis] = next(shape[axis] for i, shape in zip(symbols, lengths, strict=True)
                              if -axis <= i.type.ndim and i.type.shape[axis] != 1)
    return (*dims, *shapes[0][len(symbols):])


def mask_of(indices: Sequence[Any]) -> Any:
    """The array whose elements that are not zero are at these indices; None where they are of another kind."""
    node = indices[0].owner if indices else None
    if node is None or not isinstance(node.op, Nonzero) or len(indices) != len(node.outputs):
        return None
    return node.inputs[0] if all(map(is_, indices, node.outputs)) else None


def written_indices(indices: Sequence[Any], written: Sequence[Written]) -> list[str]:
    """What stands between the brackets: the mask where index arrays are the positions of its True elements."""
    shown: list[str] = []
    place = 0
    while place < len(indices):
        node = indices[place].owner
        group = [] if node is None else indices[place:place + len(node.outputs)]
        mask = None
        if node is not None and isinstance(node.op, Nonzero) and all(map(is_, group, node.outputs)):
            suffix = "" if len(node.outputs) == 1 else "[0]"
            text = written[place].text.removesuffix(suffix)
            # A name, or what is left out of a long text, stays what it is.
            mask = text[len("nonzero("):-1] if text.startswith("nonzero(") else None
        shown.append(written[place].text if mask is None else mask)
        place += 1 if mask is None else len(group)
    return shown


class AdvancedSubtensor(Op):
    """z[a, …, c, …] = x[i[a, …], j[a, …], …, c, …]: inputs (x, i, j, …), integer arrays that broadcast.

    Parameters
    ----------
    prepared : int    how many Ops under this one (DimShuffle, Subtensor) belong to the same index expression.
                      Only `set_subtensor` reads it, to find what was indexed; it decides nothing that is computed.

    Raises (at run time)
    --------------------
    BoundsError   an index out of bounds; negative indices count from the end
    ShapeError    index arrays that do not broadcast
    """

    __props__ = ()

    def __init__(self, prepared: int = 0) -> None:
        self.prepared = prepared

    def __str__(self) -> str:
        return "gather"

    def make_node(self, x: Any, *indices: Any) -> Apply:
        x = nt.as_tensor_variable(x)
        arrays = gather_indices(self, x, indices)
        shape = (*static_broadcast(self, arrays), *x.type.shape[len(arrays):])
        return Apply(self, [x, *arrays], [TensorType(x.type.dtype, shape)()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        x, *indices = inputs
        check_gather(node, x, indices, 1)
        output_storage[0][0] = np.array(x[tuple(indices)])

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        return [gathered_shape(node, shapes, 1)]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Indices are positions: the elements do not vary with them."""
        return [[True]] + [[False]] * (len(node.inputs) - 1)

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        (g,), (x, *indices) = output_gradients, inputs
        positions = [DisconnectedType()() for _ in indices]
        if isinstance(g.type, DisconnectedType):
            return [DisconnectedType()(), *positions]
        if dtypes.is_discrete(x.type.dtype):
            return [nt.zeros_like(x, dtype="float64"), *positions]
        return [nt.AdvancedIncSubtensor(False)(nt.zeros_like(x, dtype=g.type.dtype), g, *indices), *positions]

    def support(self, node: Apply, support_of: Support) -> Any:
        """What is gathered is zero where it comes from zeros."""
        support = support_of(node.inputs[0])
        return None if support is None else self(support, *node.inputs[1:])

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """A gather is linear: the same gather of the direction."""
        return [None if eval_points[0] is None else self(eval_points[0], *inputs[1:])]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """x[i, j], x[mask]"""
        return indexed(arguments[0], written_indices(node.inputs[1:], arguments[1:]))


class Nonzero(Op):
    """The positions of the elements that are not zero, in C order: int64[?] for each axis of x.

    How many there are is not known before x is computed, so there is no infer_shape: Length of an output is it.
    """

    __props__ = ()

    def __str__(self) -> str:
        return "nonzero"

    def make_node(self, x: Any) -> Apply:
        x = nt.as_tensor_variable(x)
        if x.type.ndim == 0:
            raise ShapeError(self, f"{x} has no axes, so there are no positions", line=user_line(), x=x,
                             fix="use nt.atleast_1d(x), or nt.neq(x, 0)")
        return Apply(self, [x], [TensorType("int64", (None,))() for _ in range(x.type.ndim)])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        for cell, positions in zip(output_storage, np.nonzero(inputs[0]), strict=True):
            # NumPy gives strided views of one array that has a row for each element.
            cell[0] = np.ascontiguousarray(positions, dtype=np.int64)

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Positions do not vary with the elements, but where these cross zero."""
        return [[True] * len(node.outputs)]

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        if all(isinstance(g.type, DisconnectedType) for g in output_gradients):
            return [DisconnectedType()()]
        (x,) = inputs
        return [nt.zeros_like(x, dtype=dtypes.gradient_dtype(x.type.dtype))]

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """The outputs are integers: no derivative."""
        return [None for _ in range(inputs[0].type.ndim)]
