"""IncSubtensor and AdvancedIncSubtensor: an array with indexed elements replaced or incremented.

    IncSubtensor(pattern, True)(x, y, *scalars)       x with x[index] = y
    AdvancedIncSubtensor(False)(x, y, i, j)           x with y[a] added at [i[a], j[a]], each time a place comes up

Both are pure: x stays as it is. `indexing_set` finds them for what a user writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, ShapeError
from nbgraph.graph.basic import Apply
from nbgraph.graph.expression import Written, call, indexed
from nbgraph.graph.null_type import DisconnectedType
from nbgraph.graph.op import Op
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.indexing_advanced import (
    check_gather,
    gather_indices,
    mask_of,
    static_broadcast,
    written_indices,
)
from nbgraph.tensor.indexing_basic import (
    check_pattern,
    check_static_region,
    index_inputs,
    index_texts,
    numpy_index,
    pattern_text,
    region_shape,
)
from nbgraph.tensor.masked import Support, is_zero


def update_value(op: Op, x: Any, y: Any, region_ndim: int) -> Any:
    """`y` as a tensor of x's dtype with at most `region_ndim` axes.

    A Python scalar is weak: it takes x's dtype. Leading axes of length 1 that the region does not have go.

    Raises
    ------
    DTypeError   NumPy's casting rule "same_kind" does not let y into x
    """
    wanted, kind = x.type.dtype, dtypes.weak_kind(y)
    # Any Python integer goes into any integer dtype that can hold it, which the rule on dtypes would not say of uint8.
    if kind and ((kind is int and wanted in dtypes.INTEGERS) or np.can_cast(kind, wanted, "same_kind")):
        return nt.weak_constant(y, wanted, op, x=x)
    y = nt.as_tensor_variable(y)
    if not np.can_cast(y.type.dtype, wanted, "same_kind"):
        raise DTypeError(op, f"a value of dtype {y.type.dtype} cannot go into an array of dtype {wanted}",
                         line=user_line(), x=x, y=y, fix=f"cast the value with .astype({wanted!r}), or the array")
    extra = y.type.ndim - region_ndim
    if extra > 0 and all(n == 1 for n in y.type.shape[:extra]):
        y = nt.dimshuffle(y, *range(extra, y.type.ndim))
    return nt.cast(y, wanted)


def check_region(node: Apply, value: Sequence[int], region: Sequence[int]) -> None:
    """ShapeError unless every length of the value that is not known to be 1 is that of the region."""
    static = node.inputs[1].type.shape
    for axis in range(-len(value), 0):
        if static[axis] != 1 and value[axis] != region[axis]:
            raise region_error(node, value, region)


def region_error(node: Apply, value: Sequence[int], region: Sequence[int]) -> ShapeError:
    """The error for a value that does not have the lengths of the indexed elements at run time."""
    return ShapeError(node.op, f"a value of shape {tuple(value)} does not broadcast to the indexed elements, of shape "
                      f"{tuple(region)}", line=node.line, x=node.inputs[0], y=node.inputs[1],
                      fix="a length broadcasts only where it is known to be 1 when the graph is built")


class UpdateOp(Op):
    """What IncSubtensor and AdvancedIncSubtensor share: inputs (x, y, *positions), one output like x."""

    set_instead_of_inc: bool

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        return [tuple(shapes[0])]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """set_subtensor(x[1:], y), inc_subtensor(x[i, j], y)"""
        x, y, *positions = arguments
        name = "set_subtensor" if self.set_instead_of_inc else "inc_subtensor"
        return call(name, indexed(x, self.index_texts(node.inputs[2:], positions)), y)

    def index_texts(self, positions: Sequence[Any], written: Sequence[Written]) -> list[str]:
        """What stands between the brackets, entry by entry."""
        return written_indices(positions, written)

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Scalars and index arrays are positions: the elements do not vary with them."""
        return [[True], [True]] + [[False]] * (len(node.inputs) - 2)

    def region(self, x: Any, positions: Sequence[Any]) -> Any:
        """The indexed elements of x, as an expression."""
        raise NotImplementedError

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        (g,), (x, y, *positions) = output_gradients, inputs
        disconnected = [DisconnectedType()() for _ in positions]
        if isinstance(g.type, DisconnectedType):
            return [DisconnectedType()(), DisconnectedType()(), *disconnected]
        if dtypes.is_discrete(x.type.dtype):
            return [nt.zeros_like(v, dtype="float64") for v in (x, y)] + disconnected
        zero = nt.constant(0, dtype=g.type.dtype)
        gx = self(g, zero, *positions) if self.set_instead_of_inc else g
        return [gx, nt.sum_to_like(self.region(g, positions), y), *disconnected]

    def support(self, node: Apply, support_of: Support) -> Any:
        """The same update of truth values, where a condition lets something into zeros; there a sum is `or`.

        That no slice or index comes to a place would take another array to remember.
        """
        x, y, *positions = node.inputs
        some = support_of(y) if is_zero(x) else None
        return None if some is None else self(nt.zeros_like(x, dtype="bool"), some, *positions)

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """Updates are linear in x and y together: the same update of the directions."""
        if eval_points[0] is None and eval_points[1] is None:
            return [None]
        dx, dy = (nt.zeros_like(v) if p is None else p for v, p in zip(inputs[:2], eval_points[:2], strict=True))
        return [self(dx, dy, *inputs[2:])]


class IncSubtensor(UpdateOp):
    """x with x[index] = y, or x[index] += y, for integers and slices: inputs (x, y, *scalars as in Subtensor).

    y broadcasts to x[index] and has its dtype.

    Raises (at run time)
    --------------------
    ShapeError         y does not have the lengths of x[index]
    BoundsError        an integer out of bounds
    ValueDomainError   a step that is 0
    """

    __props__ = ("pattern", "set_instead_of_inc")

    def __init__(self, pattern: Sequence[Any], set_instead_of_inc: bool = False) -> None:
        self.pattern = check_pattern(pattern)
        self.set_instead_of_inc = bool(set_instead_of_inc)

    def __str__(self) -> str:
        return f"{'set' if self.set_instead_of_inc else 'inc'}{pattern_text(self.pattern)}"

    def make_node(self, x: Any, y: Any, *scalars: Any) -> Apply:
        x = nt.as_tensor_variable(x)
        values = index_inputs(self, self.pattern, x, scalars)
        region = region_shape(self.pattern, x.type.shape, values)
        y = update_value(self, x, y, len(region))
        check_static_region(self, x, y, region)
        return Apply(self, [x, y, *values], [x.type.clone()()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        x, y, *scalars = inputs
        result = np.array(x)
        region = result[numpy_index(node, self.pattern, x.shape, scalars)]
        check_region(node, y.shape, region.shape)
        if self.set_instead_of_inc:
            region[...] = y
        else:
            np.add(region, y, out=region)
        output_storage[0][0] = result

    def index_texts(self, positions: Sequence[Any], written: Sequence[Written]) -> list[str]:
        return index_texts(self.pattern, written)

    def region(self, x: Any, positions: Sequence[Any]) -> Any:
        return nt.Subtensor(self.pattern)(x, *positions)


class AdvancedIncSubtensor(UpdateOp):
    """x with x[i, j, …] = y, or y added there: inputs (x, y, i, j, …), integer arrays on the leading axes of x.

    y broadcasts to x[i, j, …] and has its dtype. A place that comes up several times is incremented as often; set
    leaves there the value that comes last in C order. The gradient of set is taken as if no place came up twice.

    Raises (at run time)
    --------------------
    ShapeError    y does not have the lengths of x[i, j, …], or the index arrays do not broadcast
    BoundsError   an index out of bounds
    """

    __props__ = ("set_instead_of_inc",)

    def __init__(self, set_instead_of_inc: bool = False) -> None:
        self.set_instead_of_inc = bool(set_instead_of_inc)

    def __str__(self) -> str:
        return "set_at" if self.set_instead_of_inc else "inc_at"

    def make_node(self, x: Any, y: Any, *indices: Any) -> Apply:
        x = nt.as_tensor_variable(x)
        arrays = gather_indices(self, x, indices)
        region = (*static_broadcast(self, arrays), *x.type.shape[len(arrays):])
        y = update_value(self, x, y, len(region))
        check_static_region(self, x, y, region)
        return Apply(self, [x, y, *arrays], [x.type.clone()()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        x, y, *indices = inputs
        check_gather(node, x, indices, 2)
        shape = (*np.broadcast_shapes(*(i.shape for i in indices)), *x.shape[len(indices):])
        check_region(node, y.shape, shape)
        result = np.array(x)
        if self.set_instead_of_inc:
            result[tuple(indices)] = y
        else:
            np.add.at(result, tuple(indices), y)
        output_storage[0][0] = result

    def region(self, x: Any, positions: Sequence[Any]) -> Any:
        return nt.AdvancedSubtensor()(x, *positions)

    def support(self, node: Apply, support_of: Support) -> Any:
        """As for all updates; and what a mask, which the indices are of, lets into zeros, or sets to zero."""
        x, y, *indices = node.inputs
        mask = mask_of(indices)
        if mask is None:
            return super().support(node, support_of)
        chosen = nt.shape_padright(nt.neq(mask, 0), x.type.ndim - mask.type.ndim)
        if is_zero(x):
            return nt.broadcast_to(chosen, nt.lengths_of(x))
        if not self.set_instead_of_inc or not is_zero(y):
            return None
        some, rest = support_of(x), nt.broadcast_to(nt.logical_not(chosen), nt.lengths_of(x))
        return rest if some is None else nt.and_(some, rest)
