"""Subtensor: integers and slices, one for each leading axis; the axes after them are whole.

    x[2, :n]      Subtensor(("i", (False, True, False)))(x, 2, n)
    x[:, ::-1]    Subtensor(((False, False, False), (False, False, True)))(x, -1)

The pattern says what there is on each axis; the values are int64 scalars among the inputs, constants too. `slices`
has the arithmetic, `indexing` the function that takes what a user writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import BoundsError, ShapeError
from nbgraph.graph.basic import Apply
from nbgraph.graph.expression import Written, indexed
from nbgraph.graph.op import Op
from nbgraph.graph.source import user_line
from nbgraph.tensor.shape import DimShuffle, ViewOp, as_length, static_length
from nbgraph.tensor.slices import slice_facts, static_count, zero_step_error
from nbgraph.tensor.type import TensorType

# "i" for an integer, or for a slice whether start, stop and step are among the inputs.
Entry = str | tuple[bool, bool, bool]
Pattern = tuple[Entry, ...]
WHOLE: Entry = (False, False, False)


def check_pattern(pattern: Sequence[Any]) -> Pattern:
    """`pattern` as a tuple of entries.

    Raises
    ------
    ValueError   an entry is neither "i" nor three booleans
    """
    for entry in pattern:
        if entry != "i" and not (isinstance(entry, tuple) and len(entry) == 3 and all(type(b) is bool for b in entry)):
            raise ValueError(f"an entry of an index pattern must be 'i' or three booleans, got {entry!r}")
    return tuple(pattern)


def index_entries(pattern: Pattern, scalars: Sequence[Any]) -> list[Any]:
    """For each entry of `pattern` its scalar, or its (start, stop, step) with None for what is not given."""
    rest = iter(scalars)
    return [next(rest) if entry == "i" else tuple(next(rest) if given else None for given in entry)
            for entry in pattern]


def pattern_text(pattern: Pattern) -> str:
    """The pattern as one would write it: [i, :, start::step]."""
    shown = []
    for entry in pattern:
        if isinstance(entry, tuple):
            names = zip(("start", "stop", "step"), entry, strict=True)
            start, stop, step = (name if given else "" for name, given in names)
            shown.append(f"{start}:{stop}" + (f":{step}" if step else ""))
        else:
            shown.append(entry)
    return f"[{', '.join(shown) or '...'}]"


def index_texts(pattern: Pattern, scalars: Sequence[Written]) -> list[str]:
    """What stands between the brackets, entry by entry: 2, 1:, ::-1."""
    shown = []
    for entry in index_entries(pattern, scalars):
        if isinstance(entry, Written):
            shown.append(entry.text)
            continue
        start, stop, step = ("" if value is None else value.text for value in entry)
        shown.append(f"{start}:{stop}" + (f":{step}" if step else ""))
    return shown


def index_inputs(op: Op, pattern: Pattern, x: Any, scalars: Sequence[Any]) -> list[Any]:
    """The scalars of an index as int64 variables, checked against x as far as is known.

    Raises
    ------
    TypeError          another number of scalars than the pattern has
    BoundsError        more entries than axes, or an integer that is out of bounds
    ValueDomainError   a step that is 0
    """
    wanted = sum(sum(entry) if isinstance(entry, tuple) else 1 for entry in pattern)
    if len(scalars) != wanted:
        raise TypeError(f"{op} takes an array and {wanted} scalars, got {len(scalars)} scalars")
    if len(pattern) > x.type.ndim:
        raise too_many_indices(op, x, len(pattern))
    values = [as_length(value) for value in scalars]
    for axis, entry in enumerate(index_entries(pattern, values)):
        if isinstance(entry, tuple):
            if entry[2] is not None and static_length(entry[2]) == 0:
                raise zero_step_error(None)
            continue
        index, length = static_length(entry), x.type.shape[axis]
        if index is not None and length is not None and not -length <= index < length:
            raise BoundsError(op, out_of_bounds(index, axis, length), line=user_line(), x=x, fix=index_fix(length))
    return values


def region_shape(pattern: Pattern, shape: Sequence[int | None], scalars: Sequence[Any]) -> tuple[int | None, ...]:
    """The static shape of what the index selects from an array of static shape `shape`."""
    entries = index_entries(pattern, scalars)
    selected = [static_count(entry[0], entry[1], entry[2], shape[axis])
                for axis, entry in enumerate(entries) if isinstance(entry, tuple)]
    return (*selected, *shape[len(pattern):])


def numpy_index(node: Apply, pattern: Pattern, shape: Sequence[int], scalars: Sequence[Any]) -> tuple[Any, ...]:
    """The index for NumPy, ending in an ellipsis so that it always gives a view.

    Raises
    ------
    BoundsError        an integer out of bounds
    ValueDomainError   a step that is 0
    """
    index: list[Any] = []
    for axis, entry in enumerate(index_entries(pattern, [int(value) for value in scalars])):
        if isinstance(entry, tuple):
            if entry[2] == 0:
                raise zero_step_error(node)
            index.append(slice(*entry))
            continue
        if not -shape[axis] <= entry < shape[axis]:
            raise bounds_error(node, axis, entry, shape[axis])
        index.append(entry)
    return (*index, Ellipsis)


class Subtensor(ViewOp):
    """x[index] for integers and slices: inputs (x, *scalars in the order of the pattern). A view of x.

    Raises (at run time)
    --------------------
    BoundsError        an integer out of bounds
    ValueDomainError   a step that is 0
    """

    __props__ = ("pattern",)
    view_map = {0: [0]}  # noqa: RUF012

    def __init__(self, pattern: Sequence[Any]) -> None:
        self.pattern = check_pattern(pattern)

    def __str__(self) -> str:
        return f"getitem{pattern_text(self.pattern)}"

    def make_node(self, x: Any, *scalars: Any) -> Apply:
        x = nt.as_tensor_variable(x)
        values = index_inputs(self, self.pattern, x, scalars)
        shape = region_shape(self.pattern, x.type.shape, values)
        return Apply(self, [x, *values], [TensorType(x.type.dtype, shape)()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        x, *scalars = inputs
        output_storage[0][0] = np.asarray(x[numpy_index(node, self.pattern, x.shape, scalars)])

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        static, lengths = node.outputs[0].type.shape, shapes[0]
        dims: list[Any] = []
        for axis, entry in enumerate(index_entries(self.pattern, node.inputs[1:])):
            if isinstance(entry, tuple):
                fixed = static[len(dims)]
                dims.append(slice_facts(entry[0], entry[1], entry[2], lengths[axis])[1] if fixed is None else fixed)
        return [(*dims, *lengths[len(self.pattern):])]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """x[1:, i]"""
        return indexed(arguments[0], index_texts(self.pattern, arguments[1:]))

    def pullback(self, g: Any, x: Any, *lengths: Any) -> Any:
        return nt.IncSubtensor(self.pattern, False)(nt.zeros_like(x, dtype=g.type.dtype), g, *lengths)


def out_of_bounds(index: int, axis: int, length: int) -> str:
    """What is wrong with an index, in words."""
    return f"index {index} is out of bounds for axis {axis}, whose length is {length}"


def index_fix(length: int) -> str:
    """The indices that an axis of `length` takes, in words."""
    return f"use an index from {-length} to {length - 1}" if length else "the axis is empty: no index is valid"


def bounds_error(node: Apply, axis: int, index: int, length: int) -> BoundsError:
    """The error for an index that is out of bounds at run time. `axis` is an axis of the node's first input."""
    x, axis = seen_by_user(node.inputs[0], axis)
    return BoundsError(node.op, out_of_bounds(index, axis, length), line=node.line, x=x, fix=index_fix(length))


def too_many_indices(subject: Any, x: Any, count: int) -> BoundsError:
    """The error for an index of more axes than the array has."""
    return BoundsError(subject, f"{count} indices are given, {x} has {x.type.ndim} axes", line=user_line(), x=x,
                       fix=f"give at most {x.type.ndim} integers, slices or arrays" if x.type.ndim else
                       "a 0-d tensor takes no index but () and ...")


def seen_by_user(x: Any, axis: int) -> tuple[Any, int]:
    """The variable and axis that `axis` of x is before it was transposed, as far as its length stayed the same.

    Index expressions move axes to the front; a message should name the axis that the user indexed.
    """
    while x.owner is not None and axis >= 0:
        op, source = x.owner.op, x.owner.inputs[0]
        if isinstance(op, DimShuffle) and op.order[axis] != "x":
            x, axis = source, int(op.order[axis])
        elif isinstance(op, Subtensor):
            before = [a for a in range(source.type.ndim) if a >= len(op.pattern) or op.pattern[a] != "i"][axis]
            if before < len(op.pattern) and op.pattern[before] != WHOLE:
                break
            x, axis = source, before
        else:
            break
    return x, axis


def check_static_region(op: Op, x: Any, y: Any, region: Sequence[int | None]) -> None:
    """ShapeError where y is known not to broadcast to a region of static shape `region`."""
    fits = y.type.ndim <= len(region) and all(
        n in (1, None) or m in (n, None)
        for n, m in zip(reversed(y.type.shape), reversed(list(region)), strict=False))
    if not fits:
        shown = ", ".join("?" if n is None else str(n) for n in region)
        raise ShapeError(op, f"a value of type {y.type} does not broadcast to the indexed elements, of shape [{shown}]",
                         line=user_line(), x=x, y=y, fix="lengths must be equal, or 1 in the value")
