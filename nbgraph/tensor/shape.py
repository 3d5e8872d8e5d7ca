"""Ops on shapes: DimShuffle, Reshape, BroadcastTo, SpecifyShape, Length, MakeVector. Functions: `shape_functions`.

All but Length and MakeVector give other views of the same elements; lengths are separate int64 scalars among the
inputs, so that a shape is ordinary scalar arithmetic in the graph.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, ShapeError
from nbgraph.graph.basic import Apply, Constant
from nbgraph.graph.expression import Written, attribute, call, indexed, tuple_of
from nbgraph.graph.null_type import DisconnectedType
from nbgraph.graph.op import Op
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.type import TensorType


def as_length(value: Any) -> Any:
    """A length, bound or index as an int64 scalar.

    Raises
    ------
    DTypeError   not an integer
    ShapeError   not a scalar
    """
    scalar = nt.as_tensor_variable(value)
    if scalar.type.dtype not in dtypes.INTEGERS:
        raise DTypeError(None, f"a length or index must be an integer, got {scalar} of type {scalar.type}",
                         line=user_line(), value=scalar, fix="cast it with .astype('int64')")
    if scalar.type.ndim != 0:
        raise ShapeError(None, f"a length or index must be a scalar, got {scalar} of type {scalar.type}",
                         line=user_line(), value=scalar, fix="give one scalar for each axis")
    return nt.cast(scalar, "int64")


def static_length(scalar: Any) -> int | None:
    """The value of a constant length; None where it is not known when the graph is built."""
    return int(scalar.data) if isinstance(scalar, Constant) else None


def checked_static_shape(op: Op, x: Any, lengths: Sequence[Any]) -> list[int | None]:
    """The values of constant lengths, None for the others.

    Raises
    ------
    ShapeError   a constant length is negative
    """
    shape = [static_length(n) for n in lengths]
    if any(n is not None and n < 0 for n in shape):
        shown = tuple("?" if n is None else n for n in shape)
        if op.purpose is not None:
            raise ShapeError(op.purpose.subject, f"a length is negative: {shown}", line=user_line(),
                             fix="lengths are >= 0", **op.purpose.operands)
        raise ShapeError(op, f"a length is negative: {shown}", line=user_line(), x=x,
                         fix="lengths are >= 0; reshape takes one -1 for what is left")
    return shape


def as_lengths(shape: Any) -> list[Any]:
    """A shape (int, tuple, constant or symbolic vector) as a list of int64 scalars."""
    if isinstance(shape, (list, tuple)):
        return [as_length(n) for n in shape]
    vector = nt.as_tensor_variable(shape)
    if vector.type.ndim == 0:
        return [as_length(vector)]
    if vector.owner is not None and isinstance(vector.owner.op, MakeVector):
        return [as_length(n) for n in vector.owner.inputs]
    if vector.type.ndim != 1 or vector.type.shape[0] is None:
        raise ShapeError(None, f"a shape must have a known number of axes, got {vector} of type {vector.type}",
                         line=user_line(), shape=vector, fix="pass a tuple of lengths")
    return [as_length(vector[i]) for i in range(vector.type.shape[0])]


def shape_text(lengths: Sequence[Any], written: Sequence[Written]) -> str:
    """(n, 3), or x.shape where these are all the lengths of x."""
    found = {v.owner.inputs[0]: (v.owner.op.axis, w) for v, w in zip(lengths, written, strict=True)
             if v.owner is not None and isinstance(v.owner.op, Length)}
    for x, (axis, length) in found.items():
        same = len(lengths) == x.type.ndim and all(
            static_length(v) == x.type.shape[i] if v.owner is None or not isinstance(v.owner.op, Length)
            else v.owner.inputs[0] is x and v.owner.op.axis == i for i, v in enumerate(lengths))
        if same and length.text.endswith(f".shape[{axis}]"):
            return length.text.removesuffix(f"[{axis}]")
    return tuple_of(written)


class ViewOp(Op):
    """An Op whose output shows the elements of input 0; further inputs are lengths or bounds, disconnected."""

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """The elements of the lengths do not affect the elements of the output."""
        return [[True]] + [[False]] * (len(node.inputs) - 1)

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        (g,) = output_gradients
        if isinstance(g.type, DisconnectedType):
            return [DisconnectedType()() for _ in inputs]
        x = inputs[0]
        # An integer output is a step function of its input: its gradient is zero, whatever arrives.
        gx = nt.zeros_like(x, dtype="float64") if dtypes.is_discrete(x.type.dtype) else self.pullback(g, *inputs)
        return [gx, *(DisconnectedType()() for _ in inputs[1:])]

    def pullback(self, g: Any, x: Any, *lengths: Any) -> Any:
        """The gradient of the viewed input."""
        raise NotImplementedError

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """Views are linear: the same view of the direction."""
        return [None if eval_points[0] is None else self(eval_points[0], *inputs[1:])]


class DimShuffle(ViewOp):
    """Axes in the order `order`; "x" is a new axis of length 1, axes left out must have length 1.

    order=(1, 0): z[i, j] = x[j, i]      order=("x", 0): z[0, i] = x[i]
    """

    __props__ = ("order",)
    view_map = {0: [0]}  # noqa: RUF012

    def __init__(self, order: Sequence[int | str]) -> None:
        self.order = tuple(order)
        self.kept: tuple[Any, ...] = tuple(axis for axis in self.order if axis != "x")
        if len(set(self.kept)) != len(self.kept):
            raise ShapeError(f"dimshuffle{self.order}", "an axis is named twice", line=user_line(),
                             fix="name each axis once; 'x' is a new axis of length 1")

    def __str__(self) -> str:
        return f"dimshuffle({', '.join(map(str, self.order))})"

    def dropped(self, ndim: int) -> tuple[int, ...]:
        """The axes of the input that are left out."""
        return tuple(axis for axis in range(ndim) if axis not in self.kept)

    def make_node(self, x: Any) -> Apply:
        x = nt.as_tensor_variable(x)
        if any(not isinstance(axis, int) or not 0 <= axis < x.type.ndim for axis in self.kept):
            raise ShapeError(self, f"{x} has {x.type.ndim} axes", line=user_line(), x=x,
                             fix=f"name axes from 0 to {x.type.ndim - 1}, or 'x' for a new one")
        for axis in self.dropped(x.type.ndim):
            if x.type.shape[axis] != 1:
                raise ShapeError(self, f"axis {axis} of {x} is left out, and its length is "
                                 f"{'not known' if x.type.shape[axis] is None else x.type.shape[axis]}",
                                 line=user_line(), x=x, fix="only an axis whose length is known to be 1 can go; "
                                 "declare it with shape=(..., 1) or specify_shape")
        shape = [1 if axis == "x" else x.type.shape[axis] for axis in self.order]  # type: ignore[index]
        return Apply(self, [x], [TensorType(x.type.dtype, shape)()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        (x,) = inputs
        moved = np.transpose(x, (*self.kept, *self.dropped(x.ndim)))
        output_storage[0][0] = moved.reshape([1 if axis == "x" else x.shape[int(axis)] for axis in self.order])

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        return [tuple(1 if axis == "x" else shapes[0][int(axis)] for axis in self.order)]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """x.T, x[:, None], transpose(x, (0, 2, 1)), squeeze(x, axis=1)"""
        (x,), ndim = arguments, node.inputs[0].type.ndim
        gone, in_order = self.dropped(ndim), list(self.kept) == sorted(self.kept)
        if ndim > 1 and self.order == tuple(reversed(range(ndim))):
            return attribute(x, "T")
        if in_order and not gone:
            return indexed(x, ["None" if axis == "x" else ":" for axis in self.order])
        if in_order and "x" not in self.order:
            return call("squeeze", x, axis=gone[0] if len(gone) == 1 else gone)
        if "x" not in self.order and not gone:
            return call("transpose", x, str(self.order))
        return call("dimshuffle", x, *map(repr, self.order))

    def pullback(self, g: Any, x: Any, *lengths: Any) -> Any:
        return nt.dimshuffle(g, *(self.order.index(axis) if axis in self.kept else "x" for axis in range(x.type.ndim)))


class Reshape(ViewOp):
    """The elements of x in C order, arranged to the given lengths: inputs (x, n0, n1, …), no length -1.

    Raises (at run time)
    --------------------
    ShapeError   the number of elements differs
    """

    __props__ = ()
    view_map = {0: [0]}  # noqa: RUF012

    def __str__(self) -> str:
        return "reshape"

    def make_node(self, x: Any, *lengths: Any) -> Apply:
        x, sizes = nt.as_tensor_variable(x), [as_length(n) for n in lengths]
        shape = checked_static_shape(self, x, sizes)
        if None not in x.type.shape and None not in shape:
            actual, wanted = math.prod(x.type.shape), math.prod(map(int, shape))  # type: ignore[arg-type]
            if actual != wanted and self.purpose is not None:
                raise self.purpose.error(user_line())
            if actual != wanted:
                raise ShapeError(self, f"cannot arrange {x.type} in shape {tuple(shape)}: {actual} elements against "
                                 f"{wanted}", line=user_line(), x=x,
                                 fix="the product of the lengths must stay the same; -1 stands for what is left")
        return Apply(self, [x, *sizes], [TensorType(x.type.dtype, shape)()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        x, *lengths = inputs
        shape = tuple(int(n) for n in lengths)
        if x.size != np.prod(shape, dtype=np.int64) or min(shape, default=0) < 0:
            raise reshape_error(node, x.shape, shape)
        output_storage[0][0] = np.reshape(x, shape)

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        return [tuple(node.inputs[1:])]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """flatten(x), reshape(x, (n, 3))"""
        x, *lengths = arguments
        lengths = [Written("-1") if _left_over(v) else w for v, w in zip(node.inputs[1:], lengths, strict=True)]
        return call("flatten", x) if len(lengths) == 1 else call("reshape", x, shape_text(node.inputs[1:], lengths))

    def pullback(self, g: Any, x: Any, *lengths: Any) -> Any:
        return Reshape()(g, *nt.lengths_of(x))


def _left_over(length: Any) -> bool:
    """True for the length that reshape puts in the place of -1: switch(others == 0, -1, size // others)."""
    node = length.owner
    return (node is not None and isinstance(node.op, Elemwise) and node.op.function.name == "switch"
            and static_length(node.inputs[1]) == -1)


def reshape_error(node: Apply, actual: Sequence[int], wanted: Sequence[int]) -> ShapeError:
    """The error for a reshape whose number of elements differs at run time."""
    if node.op.purpose is not None:
        return node.op.purpose.error(node.line)
    unknown = [n for n, v in zip(wanted, node.inputs[1:], strict=True) if n == -1 and _left_over(v)]
    if unknown:
        return ShapeError(node.op, f"cannot arrange shape {tuple(actual)} in shape {tuple(wanted)}: -1 stands for no "
                          "length where the others multiply to 0", line=node.line, x=node.inputs[0],
                          fix="give all lengths of an array without elements")
    return ShapeError(node.op, f"cannot arrange shape {tuple(actual)} in shape {tuple(wanted)}: the number of elements "
                      "differs", line=node.line, x=node.inputs[0], fix="the product of the lengths must stay the same")


class BroadcastTo(ViewOp):
    """x repeated to the given lengths: inputs (x, n0, n1, …). Axes are added in front.

    Raises (at run time)
    --------------------
    ShapeError   a length of x that is not known to be 1 differs from the wanted one
    """

    __props__ = ()
    view_map = {0: [0]}  # noqa: RUF012

    def __str__(self) -> str:
        return "broadcast_to"

    def make_node(self, x: Any, *lengths: Any) -> Apply:
        x, sizes = nt.as_tensor_variable(x), [as_length(n) for n in lengths]
        shape = checked_static_shape(self, x, sizes)
        if x.type.ndim > len(shape):
            raise ShapeError(self, f"{x} has {x.type.ndim} axes, the wanted shape only {len(shape)}", line=user_line(),
                             x=x, fix="give one length for every axis of x")
        offset = len(shape) - x.type.ndim
        for axis, known in enumerate(x.type.shape):
            wanted = shape[offset + axis]
            if known not in (None, 1) and wanted is None:
                shape[offset + axis] = known
            elif known not in (None, 1) and wanted != known:
                raise ShapeError(self, f"axis {axis} of {x} has length {known}, which does not broadcast to {wanted}",
                                 line=user_line(), x=x, fix="only axes of length 1 are repeated")
        return Apply(self, [x, *sizes], [TensorType(x.type.dtype, shape)()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        x, *lengths = inputs
        shape = tuple(int(n) for n in lengths)
        check_broadcast(node, x.shape, shape)
        # A copy: the read-only view that NumPy gives is no value that others may keep.
        output_storage[0][0] = np.array(np.broadcast_to(x, shape))

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        return [tuple(node.inputs[1:])]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """zeros((n, 3)), ones(x.shape), broadcast_to(x, (n, 3))"""
        x, *lengths = arguments
        shape = shape_text(node.inputs[1:], lengths)
        filler = node.inputs[0]
        while filler.owner is not None and isinstance(filler.owner.op, DimShuffle):
            filler = filler.owner.inputs[0]
        if isinstance(filler, Constant) and filler.data.ndim == 0 and filler.data in (0, 1):
            return call("ones" if filler.data else "zeros", shape)
        return call("broadcast_to", x, shape)

    def pullback(self, g: Any, x: Any, *lengths: Any) -> Any:
        return nt.sum_to_like(g, x)


def check_broadcast(node: Apply, actual: Sequence[int], wanted: Sequence[int]) -> None:
    """ShapeError unless every length of x that is not known to be 1 is the wanted one."""
    x = node.inputs[0]
    offset = len(wanted) - len(actual)
    subject, operands = (node.op, {"x": x}) if node.op.purpose is None else (node.op.purpose.subject,
                                                                             node.op.purpose.operands)
    if min(wanted, default=0) < 0:
        raise ShapeError(subject, f"a length is negative: {tuple(wanted)}", line=node.line, fix="lengths are >= 0",
                         **operands)
    for axis, length in enumerate(actual):
        if x.type.shape[axis] != 1 and length != wanted[offset + axis]:
            raise ShapeError(subject, f"axis {axis} of {x} has length {length}, the wanted one is "
                             f"{wanted[offset + axis]}", line=node.line, **{"x": x, **operands},
                             fix="a length broadcasts only where it is known to be 1 when the graph is built")


class SpecifyShape(ViewOp):
    """x, with lengths that the user vouches for: inputs (x, n for every axis in `axes`). Checked at run time.

    Raises (at run time)
    --------------------
    ShapeError   a length differs
    """

    __props__ = ("axes",)
    view_map = {0: [0]}  # noqa: RUF012

    def __init__(self, axes: Sequence[int]) -> None:
        self.axes = tuple(axes)

    def __str__(self) -> str:
        return "specify_shape"

    def make_node(self, x: Any, *lengths: Any) -> Apply:
        x, sizes = nt.as_tensor_variable(x), [as_length(n) for n in lengths]
        shape = list(x.type.shape)
        for axis, size in zip(self.axes, sizes, strict=True):
            known = static_length(size)
            if known is not None and shape[axis] not in (None, known):
                if self.purpose is not None:
                    raise self.purpose.error(user_line(), axis, shape[axis], known)
                raise ShapeError(self, f"axis {axis} of {x} has length {shape[axis]}, not {known}", line=user_line(),
                                 x=x, fix="vouch for the length that the array has")
            shape[axis] = shape[axis] if known is None else known
        return Apply(self, [x, *sizes], [TensorType(x.type.dtype, shape)()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        x, *lengths = inputs
        for axis, wanted in zip(self.axes, lengths, strict=True):
            if x.shape[axis] != wanted:
                raise specify_shape_error(node, axis, x.shape[axis], int(wanted))
        output_storage[0][0] = x

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        dims = list(shapes[0])
        for axis, size in zip(self.axes, node.inputs[1:], strict=True):
            dims[axis] = size
        return [tuple(dims)]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """specify_shape(x, (None, 3)); x where another function needed the check"""
        x, *lengths = arguments
        if self.purpose is not None:
            return x
        given = dict(zip(self.axes, lengths, strict=True))
        return call("specify_shape", x, tuple_of([given.get(i, "None") for i in range(node.inputs[0].type.ndim)]))

    def pullback(self, g: Any, x: Any, *lengths: Any) -> Any:
        return g


def specify_shape_error(node: Apply, axis: int, actual: int, wanted: int) -> ShapeError:
    """The error for a length that is not what the user vouched for."""
    if node.op.purpose is not None:
        return node.op.purpose.error(node.line, axis, actual, wanted)
    return ShapeError(node.op, f"axis {axis} of {node.inputs[0]} must have length {wanted}, it has {actual}",
                      line=node.line, x=node.inputs[0], fix="pass an array of the declared shape")


class Length(Op):
    """x.shape[axis]: int64[]. Never computes x."""

    __props__ = ("axis",)

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def __str__(self) -> str:
        return f"length({self.axis})"

    def make_node(self, x: Any) -> Apply:
        x = nt.as_tensor_variable(x)
        if not 0 <= self.axis < x.type.ndim:
            raise ShapeError(self, f"{x} has {x.type.ndim} axes, there is no axis {self.axis}", line=user_line(), x=x)
        return Apply(self, [x], [TensorType("int64", ())()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        output_storage[0][0] = np.array(inputs[0].shape[self.axis], "int64")

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        return [()]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """x.shape[0]"""
        return indexed(attribute(arguments[0], "shape"), [str(self.axis)])

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """A length does not depend on the elements."""
        return [[False]]

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        return [DisconnectedType()()]

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """A length does not move with the elements."""
        return [None]


class MakeVector(Op):
    """Scalars of one dtype, as a vector."""

    __props__ = ("dtype",)

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def __str__(self) -> str:
        return "make_vector"

    def make_node(self, *scalars: Any) -> Apply:
        inputs = [nt.cast(x, self.dtype) for x in scalars]
        if any(x.type.ndim for x in inputs):
            raise ShapeError(self, "takes scalars only", line=user_line(), fix="use nt.stack for arrays")
        return Apply(self, inputs, [TensorType(self.dtype, (len(inputs),))()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        output_storage[0][0] = np.array([x[()] for x in inputs], self.dtype)

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        return [(len(node.inputs),)]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """x.shape, [a, b]"""
        shape = shape_text(node.inputs, arguments)
        return Written(shape if not shape.startswith("(") else f"[{', '.join(a.text for a in arguments)}]")

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        (g,) = output_gradients
        if isinstance(g.type, DisconnectedType):
            return [DisconnectedType()() for _ in inputs]
        if dtypes.is_discrete(self.dtype):
            return [nt.zeros_like(x, dtype="float64") for x in inputs]
        return [nt.cast(g[i], x.type.dtype) for i, x in enumerate(inputs)]

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """The vector of the directions."""
        points = [nt.zeros_like(x) if p is None else p for x, p in zip(inputs, eval_points, strict=True)]
        return [MakeVector(points[0].type.dtype)(*points) if points else None]
