"""Arrays put together and taken apart: the Op Join, and concatenate, stack, split, hstack, vstack, repeat, tile.

    concatenate([x, y], axis=1)     float64[?, 2], float64[?, 3] -> float64[?, 5]

stack joins arrays that have a new axis of length 1, split takes slices; repeat and tile broadcast and reshape.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, ShapeError, ValueDomainError
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.graph.expression import Written, call
from nbgraph.graph.null_type import DisconnectedType
from nbgraph.graph.op import Op
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.purpose import made_for, purpose
from nbgraph.tensor.reduction import zero_gradient
from nbgraph.tensor.shape import MakeVector, Reshape, as_length, static_length
from nbgraph.tensor.shape_functions import normalize_axis
from nbgraph.tensor.type import TensorType


class Join(Op):
    """The inputs one after the other along `axis`, in their common dtype; all other lengths must agree.

    Raises
    ------
    ShapeError   ranks or other lengths differ (when built where known, else at run time)
    """

    __props__ = ("axis",)

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def __str__(self) -> str:
        return f"join{{{self.axis}}}"

    def make_node(self, *tensors: Any) -> Apply:
        if not tensors:
            raise ShapeError(self, "needs at least one array", line=user_line(), fix="pass a list of arrays")
        inputs = [nt.as_tensor_variable(x) for x in tensors]
        if any(x.type.ndim != inputs[0].type.ndim for x in inputs) or not 0 <= self.axis < inputs[0].type.ndim:
            raise ShapeError(self, f"needs arrays of one rank above {self.axis}, got ranks "
                             f"{', '.join(str(x.type.ndim) for x in inputs)}", line=user_line(), **_numbered(inputs),
                             fix="add axes with x[None] or expand_dims; stack joins along a new axis")
        dtype = dtypes.result_type(*(x.type.dtype for x in inputs))
        return Apply(self, [nt.cast(x, dtype) for x in inputs], [TensorType(dtype, self._static_shape(inputs))()])

    def _static_shape(self, inputs: Sequence[Any]) -> tuple[int | None, ...]:
        shape: list[int | None] = []
        for axis, lengths in enumerate(zip(*(x.type.shape for x in inputs), strict=True)):
            known = {n for n in lengths if n is not None}
            if axis == self.axis:
                shape.append(None if None in lengths else sum(lengths))
                continue
            if len(known) > 1:
                raise ShapeError(self, f"lengths {' and '.join(map(str, sorted(known)))} of axis {axis} differ",
                                 line=user_line(), **_numbered(inputs), fix=JOIN_FIX)
            shape.append(known.pop() if known else None)
        return tuple(shape)

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        check_join_lengths(node, [x.shape for x in inputs])
        output_storage[0][0] = np.concatenate(inputs, axis=self.axis)

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        known = node.outputs[0].type.shape
        dims = [shapes[0][axis] if n is None else n for axis, n in enumerate(known)]
        if known[self.axis] is None:
            dims[self.axis] = sum((shape[self.axis] for shape in shapes[1:]), shapes[0][self.axis])
        return [tuple(dims)]

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        (g,) = output_gradients
        if isinstance(g.type, DisconnectedType):
            return [DisconnectedType()() for _ in inputs]
        if dtypes.is_discrete(dtypes.result_type(*(x.type.dtype for x in inputs))):
            return [zero_gradient(x) for x in inputs]
        pieces = _slices(g, [nt.lengths_of(x)[self.axis] for x in inputs], self.axis)
        return [nt.cast(piece, dtypes.gradient_dtype(x.type.dtype)) for x, piece in zip(inputs, pieces, strict=True)]

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """The directions, joined; zeros where there is none."""
        if all(point is None for point in eval_points):
            return [None]
        return [self(*(nt.zeros_like(x) if p is None else p for x, p in zip(inputs, eval_points, strict=True)))]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """concatenate([x, y]), concatenate([x, y], axis=1)"""
        return call("concatenate", f"[{', '.join(a.text for a in arguments)}]", axis=self.axis or None)


JOIN_FIX = "all lengths but that of the joined axis must agree; broadcast_to and slices change them"


def check_join_lengths(node: Apply, shapes: Sequence[Sequence[int]]) -> None:
    """ShapeError unless all lengths but those of the joined axis agree."""
    op: Any = node.op
    for axis in range(len(shapes[0])):
        if axis != op.axis and len({shape[axis] for shape in shapes}) > 1:
            raise join_error(node, axis, shapes)


def join_error(node: Apply, axis: int, shapes: Sequence[Sequence[int]]) -> ShapeError:
    """The error for lengths of `axis` that differ at run time."""
    lengths = dict.fromkeys(shape[axis] for shape in shapes)
    return ShapeError(node.op, f"lengths {' and '.join(map(str, lengths))} of axis {axis} differ: shapes "
                      f"{', '.join(str(tuple(shape)) for shape in shapes)}", line=node.line, **_numbered(node.inputs),
                      fix=JOIN_FIX)


def _numbered(tensors: Sequence[Any]) -> dict[str, Any]:
    return {f"x{i}": x for i, x in enumerate(tensors)}


def concatenate(tensors: Sequence[Any], axis: int = 0) -> Any:
    """Arrays of equal rank, one after the other along `axis`; axis=None flattens them first.

    Raises
    ------
    ShapeError   no array, a rank of 0, or ranks or other lengths that differ (built or run)
    """
    arrays = [nt.as_tensor_variable(x) for x in tensors]
    if axis is None:
        arrays, axis = [nt.flatten(x) for x in arrays], 0
    if not arrays:
        raise ShapeError(None, "concatenate needs at least one array", line=user_line(), fix="pass a list of arrays")
    if arrays[0].type.ndim == 0:
        raise ShapeError(None, "concatenate takes no scalars", line=user_line(), **_numbered(arrays),
                         fix="use stack to make a vector of scalars")
    return arrays[0] if len(arrays) == 1 else Join(normalize_axis(axis, arrays[0].type.ndim))(*arrays)


def join(axis: int, *tensors: Any) -> Any:
    """The same as concatenate(tensors, axis)."""
    return concatenate(tensors, axis)


def stack(*tensors: Any, axis: int = 0) -> Any:
    """Arrays of equal shape along a new axis: stack([x, y], axis=0) or stack(x, y, axis=0).

    stack([x, y], 1) takes the axis by position, as NumPy does.

    Raises
    ------
    ShapeError   no array, or shapes that differ (built or run)
    """
    if tensors and isinstance(tensors[0], (list, tuple)):
        axis = tensors[1] if len(tensors) == 2 else axis
        tensors = tuple(tensors[0])
    elif len(tensors) == 1 and isinstance(tensors[0], (Variable, np.ndarray)):
        tensors = tuple(iter(tensors[0]))  # type: ignore[arg-type]
    arrays = [nt.as_tensor_variable(x) for x in tensors]
    if not arrays:
        raise ShapeError(None, "stack needs at least one array", line=user_line(), fix="pass a list of arrays")
    place = normalize_axis(axis, arrays[0].type.ndim + 1)
    if all(x.type.ndim == 0 for x in arrays):
        return MakeVector(dtypes.result_type(*(x.type.dtype for x in arrays)))(*arrays)
    if any(x.type.ndim != arrays[0].type.ndim for x in arrays):
        raise ShapeError(None, "stack needs arrays of one rank", line=user_line(), **_numbered(arrays),
                         fix="add axes with x[None] or expand_dims")
    return concatenate([nt.expand_dims(x, place) for x in arrays], place)


def hstack(tensors: Sequence[Any]) -> Any:
    """Arrays side by side: along axis 1, vectors and scalars along axis 0."""
    arrays = [nt.atleast_1d(x) for x in tensors]
    return concatenate(arrays, 0 if arrays and arrays[0].type.ndim == 1 else 1)


def vstack(tensors: Sequence[Any]) -> Any:
    """Arrays one above the other: along axis 0, vectors as rows."""
    return concatenate([nt.atleast_2d(x) for x in tensors], 0)


def split(x: Any, splits_size: Any, n_splits: int | None = None, axis: int = 0) -> list[Any]:
    """x cut into pieces along `axis`: views.

    Parameters
    ----------
    splits_size : int, or a list or vector of int
        an int is the number of equal pieces (as in NumPy); a list or vector holds the lengths of the pieces
    n_splits : int, optional    how many pieces, where `splits_size` is a vector of unknown length

    Raises
    ------
    ShapeError   the pieces do not make up the axis (when built where known, else at run time)
    """
    x = nt.as_tensor_variable(x)
    place = normalize_axis(axis, x.type.ndim)
    if isinstance(splits_size, (int, np.integer)):
        return _equal_pieces(x, int(splits_size), place)
    sizes = _sizes(splits_size, n_splits)
    if n_splits is not None and n_splits != len(sizes):
        raise ShapeError(None, f"split: n_splits is {n_splits}, {len(sizes)} lengths are given", line=user_line(), x=x,
                         fix="give one length for every piece")
    known = [n for n in map(static_length, sizes) if n is not None]
    if any(n < 0 for n in known):
        raise ShapeError(None, f"split: a length is negative: {min(known)}", line=user_line(), x=x,
                         fix="lengths are >= 0")
    total = nt.sum_of_lengths(sizes)
    whole = nt.specify_shape(x, [total if i == place else None for i in range(x.type.ndim)],
                             purpose("split", "the pieces hold {wanted} elements together, axis {axis} of x has "
                                     "{actual}", "the lengths of the pieces must add up to that of the axis", x=x))
    pieces = _slices(whole, sizes, place)
    natural = purpose("split", "a length is negative: the piece of length {wanted} on axis {axis} would have {actual}",
                      "the lengths of the pieces are >= 0", x=x)
    # A length that turns out negative would make the pieces overlap; where it is known the slice says it already.
    return [piece if static_length(n) is not None
            else nt.specify_shape(piece, [n if i == place else None for i in range(x.type.ndim)], natural)
            for piece, n in zip(pieces, sizes, strict=True)]


def _sizes(splits_size: Any, n_splits: int | None) -> list[Any]:
    if isinstance(splits_size, (list, tuple)):
        return [as_length(n) for n in splits_size]
    vector = nt.as_tensor_variable(splits_size)
    if vector.type.ndim != 1:
        raise ShapeError(None, f"split takes the number of pieces or a vector of lengths, got {vector.type}",
                         line=user_line(), splits_size=vector, fix="pass an int or a list of lengths")
    known = vector.type.shape[0]
    if known is None and n_splits is None:
        raise ShapeError(None, "split: the number of pieces is not known", line=user_line(), splits_size=vector,
                         fix="pass n_splits")
    if known is None:
        vector = nt.specify_shape(vector, (n_splits,), purpose(
            "split", "n_splits is {wanted}, {actual} lengths are given", "give one length for every piece",
            splits_size=vector))
    return nt.as_lengths(vector)


def _equal_pieces(x: Any, count: int, axis: int) -> list[Any]:
    if count < 1:
        raise ShapeError(None, f"split: the number of pieces must be > 0, got {count}", line=user_line(), x=x,
                         fix="pass the number of pieces, or a list of lengths")
    lengths = nt.lengths_of(x)
    # A new axis counts the pieces, so that reshape checks that they are equal.
    each = nt.length_quotient(lengths[axis], count)
    equal = made_for(Reshape(), purpose("split", f"axis {axis} of x does not fall into {count} equal pieces",
                                        "give the lengths of the pieces as a list", x=x))
    blocks = equal(x, *lengths[:axis], count, each, *lengths[axis + 1:])
    return [nt.getitem(blocks, (*[slice(None)] * axis, i)) for i in range(count)]


def _slices(x: Any, sizes: Sequence[Any], axis: int) -> list[Any]:
    """Pieces of x of these lengths along `axis`, one after the other."""
    pieces, start = [], nt.constant(0, dtype="int64")
    for size in sizes:
        stop = nt.sum_of_lengths([start, size])
        pieces.append(nt.getitem(x, (*[slice(None)] * axis, slice(start, stop))))
        start = stop
    return pieces


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each element of x `repeats` times, next to each other along `axis`; None takes the elements in C order.

    Parameters
    ----------
    repeats : int, int scalar or int vector    a vector says it for each place along `axis`; values must be >= 0

    Raises
    ------
    ShapeError         a vector of another length than the axis (when built where known, else at run time), or a
                       negative value at run time
    ValueDomainError   a value that is known to be negative when built
    """
    x, counts = nt.as_tensor_variable(x), nt.as_tensor_variable(repeats)
    if counts.type.dtype not in dtypes.INTEGERS or counts.type.ndim > 1:
        raise DTypeError(None, f"repeats must be an integer or a vector of integers, got {counts.type}",
                         line=user_line(), repeats=counts, fix="cast it with .astype('int64')")
    if isinstance(counts, Constant) and (counts.data < 0).any():
        raise ValueDomainError("repeat", f"a number of repeats is negative: {counts.data.min()}", line=user_line(), x=x,
                               repeats=counts, fix="give numbers >= 0; 0 leaves an element out")
    if axis is None:
        x, axis = nt.flatten(x), 0
    place = normalize_axis(axis, x.type.ndim)
    if counts.type.ndim == 1 and counts.type.shape[0] != 1:
        return _repeat_each(x, nt.cast(counts, "int64"), place)
    count = as_length(nt.squeeze(counts))
    lengths = nt.lengths_of(x)
    spread = nt.broadcast_to(nt.expand_dims(x, place + 1), (*lengths[:place + 1], count, *lengths[place + 1:]))
    merged = nt.product_of_lengths([lengths[place], count])
    return nt.reshape(spread, (*lengths[:place], merged, *lengths[place + 1:]))


def _repeat_each(x: Any, counts: Any, axis: int) -> Any:
    """Element i of `axis` counts[i] times, by a gather: the result's place p shows the element
    whose number is the number of elements that have ended before or at p."""
    natural = counts if isinstance(counts, Constant) else nt.maximum(counts, 0)
    ends = nt.cumsum(nt.specify_shape(natural, (nt.lengths_of(x)[axis],)))
    places = nt.sum(natural) + 1
    if natural is not counts:
        # A negative number is an error at run time: it asks for an array of a negative length, and for nothing else
        # that fails.
        places = nt.switch(nt.any(nt.lt(counts, 0)), -1, places)
    ended = nt.getitem(nt.zeros((places,), "int64"), ends)
    sources = nt.getitem(nt.cumsum(nt.inc_subtensor(ended, nt.constant(1, dtype="int64"))), slice(None, -1))
    return nt.getitem(x, (*[slice(None)] * axis, sources))


def tile(x: Any, reps: Any, ndim: int | None = None) -> Any:
    """x, repeated as a whole reps[i] times along axis i.

    Parameters
    ----------
    reps : int, or a sequence of int and int scalars    counted from the last axis; missing ones are 1
    ndim : int, optional                                rank of the result, at least that of x and of reps
    """
    x = nt.as_tensor_variable(x)
    counts = nt.as_lengths(reps)
    rank = max(x.type.ndim, len(counts), ndim or 0)
    counts = [nt.constant(1, dtype="int64")] * (rank - len(counts)) + counts
    x = nt.shape_padleft(x, rank - x.type.ndim)
    lengths: list[Any] = nt.lengths_of(x)
    order: list[Any] = []
    spread: list[Any] = []
    for axis, (count, length) in enumerate(zip(counts, lengths, strict=True)):
        repeated = static_length(count) != 1
        order += ["x", axis] if repeated else [axis]
        spread += [count, length] if repeated else [length]
    if len(spread) == rank:
        return x
    merged = [nt.product_of_lengths([n, m]) for n, m in zip(lengths, counts, strict=True)]
    return nt.reshape(nt.broadcast_to(nt.dimshuffle(x, *order), spread), merged)
