"""x[index] with all that NumPy takes there, and take, take_along_axis, nonzero.

    x[2, ::-1]       integers and slices: Subtensor
    x[:, None]       new axes: DimShuffle
    x[i], x[mask]    integer arrays and masks: AdvancedSubtensor, masks through Nonzero

An index becomes a list of `Item`, one for each axis, from which the Ops are built.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import BoundsError, DTypeError, IndexShapeError, ShapeError
from nbgraph.graph.basic import Constant, Variable
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.indexing_advanced import AdvancedSubtensor, Nonzero
from nbgraph.tensor.indexing_basic import WHOLE, Subtensor, too_many_indices
from nbgraph.tensor.purpose import Purpose, purpose
from nbgraph.tensor.shape import MakeVector, as_length, static_length
from nbgraph.tensor.shape_functions import normalize_axis
from nbgraph.tensor.slices import LIMIT
from nbgraph.tensor.variable import TensorConstant


@dataclass(frozen=True)
class Item:
    """One part of an index.

    kind    value                    axes of x that it takes
    new     None                     0, gives an axis of length 1
    gap     None                     0, an ellipsis that stands for no axis
    int     int64 scalar             1, gives none
    slice   (start, stop, step)      1
    array   integer tensor           1
    mask    boolean tensor           its ndim; becomes as many arrays, where it has none one that takes a new axis
    """

    kind: str
    value: Any = None

    @property
    def axes(self) -> int:
        """How many axes of x it takes."""
        return self.value.type.ndim if self.kind == "mask" else int(self.kind in ("int", "slice", "array"))


WHOLE_AXIS = Item("slice", (None, None, None))


def getitem(x: Any, index: Any) -> Any:
    """x[index], with NumPy's meaning; integers, bounds, index arrays and masks may be symbolic.

    Parameters
    ----------
    index : int, slice, None, ..., integer array, boolean mask, or a tuple of these

    Returns
    -------
    tensor    of x's dtype. Integers and slices give a view; arrays and masks gather.

    Raises
    ------
    DTypeError    an index that is no integer, slice or mask
    BoundsError   too many indices; an index out of bounds (when built where known, else at run time)
    ShapeError    a mask whose lengths are not those of x, index arrays that do not broadcast
    """
    x = nt.as_tensor_variable(x)
    parts = index if isinstance(index, tuple) else (index,)
    scalars = _of_scalars(x, parts)
    if scalars is not None:
        return scalars
    given = _fill_axes(x, [Ellipsis if part is Ellipsis else _item(x, part) for part in parts])
    scalar_masks = any(item.kind == "mask" and not item.axes for item in given)
    x, given = _with_axes_of_scalar_masks(x, given) if scalar_masks else (x, given)
    items = _place_masks(x, given)
    return _gather(x, items, int(scalar_masks)) if any(item.kind == "array" for item in items) else _view(x, items)


def _of_scalars(x: Any, parts: tuple[Any, ...]) -> Any:
    """x[part] of a vector that was made of scalars, such as x.shape: the scalar, or a vector of fewer; else None."""
    if len(parts) != 1 or x.owner is None or not isinstance(x.owner.op, MakeVector):
        return None
    (part,), scalars = parts, x.owner.inputs
    if isinstance(part, slice):
        bounds = [part.start, part.stop, part.step]
        if all(b is None or isinstance(b, (int, np.integer)) for b in bounds) and part.step != 0:
            return MakeVector(x.owner.op.dtype)(*scalars[part])
        return None
    if isinstance(part, TensorConstant) and part.type.ndim == 0 and part.type.dtype in dtypes.INTEGERS:
        part = int(part.data)
    if isinstance(part, (int, np.integer)) and not isinstance(part, bool) and -len(scalars) <= part < len(scalars):
        return scalars[part]
    return None


def _item(x: Any, part: Any) -> Item:
    """One part of an index as an Item."""
    if part is None:
        return Item("new")
    if isinstance(part, slice):
        return Item("slice", _bounds(part))
    if isinstance(part, (list, tuple)) and len(part) == 0:
        part = np.empty(0, np.int64)
    if isinstance(part, (str, bytes)):
        raise _bad_index(x, part)
    tensor = nt.as_tensor_variable(part)
    if tensor.type.dtype == "bool":
        return Item("mask", tensor)
    if tensor.type.dtype not in dtypes.INTEGERS:
        raise _bad_index(x, part)
    return Item("array", tensor) if tensor.type.ndim else Item("int", as_length(tensor))


def _bad_index(x: Any, part: Any) -> DTypeError:
    shown = f"{part} of type {part.type}" if isinstance(part, Variable) else f"{type(part).__name__} {part!r}"
    return DTypeError(None, f"an index must be an integer, a slice, None, ..., an integer array or a mask, got {shown}",
                      line=user_line(), x=x, fix="cast it with .astype('int64')")


def _bounds(part: slice) -> tuple[Any, Any, Any]:
    """start, stop and step as scalars, None for those that change nothing."""
    start, stop, step = (_bound(value) for value in (part.start, part.stop, part.step))
    stride = 1 if step is None else static_length(step)
    if stride is not None and stride > 0:
        start = None if start is not None and static_length(start) == 0 else start
        stop = None if stop is not None and static_length(stop) == LIMIT else stop
    return start, stop, None if stride == 1 else step


def _bound(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        value = nt.constant(max(-LIMIT, min(int(value), LIMIT)), dtype="int64")
    return as_length(value)


def _fill_axes(x: Any, parts: Sequence[Any]) -> list[Item]:
    """Items for all axes of x: the ellipsis, and what is missing at the end, become whole axes.

    Raises
    ------
    BoundsError   more than one ellipsis, or more indices than axes
    """
    places = [i for i, part in enumerate(parts) if part is Ellipsis]
    if len(places) > 1:
        raise BoundsError(None, "an index can have only one ellipsis (...)", line=user_line(), x=x,
                          fix="write : for the other axes")
    taken = sum(part.axes for part in parts if part is not Ellipsis)
    if taken > x.type.ndim:
        raise too_many_indices(None, x, taken)
    whole = [WHOLE_AXIS] * (x.type.ndim - taken)
    if not places:
        return [*parts, *whole]
    # NumPy separates index arrays by an ellipsis even where it stands for no axis.
    return [*parts[:places[0]], *(whole or [Item("gap")]), *parts[places[0] + 1:]]


def _with_axes_of_scalar_masks(x: Any, items: Sequence[Item]) -> tuple[Any, list[Item]]:
    """x with a new axis for every mask without axes, and items where an index array, [0] or [], selects from it."""
    order: list[Any] = []
    placed: list[Item] = []
    axis = 0
    for item in items:
        if item.kind == "mask" and not item.axes:
            order.append("x")
            known = isinstance(item.value, Constant)
            count = int(item.value.data) if known else nt.cast(item.value, "int64")
            zeros = nt.constant(np.zeros(count, np.int64)) if known else nt.zeros((count,), "int64")
            placed.append(Item("array", zeros))
            continue
        order += range(axis, axis + item.axes)
        axis += item.axes
        placed.append(item)
    return nt.dimshuffle(x, *order), placed


def _place_masks(x: Any, items: Sequence[Item]) -> list[Item]:
    """Every mask replaced by the positions of its True elements, an array for each axis it covers."""
    placed: list[Item] = []
    axis = 0
    for item in items:
        placed += [Item("array", v) for v in _mask_positions(x, axis, item.value)] if item.kind == "mask" else [item]
        axis += item.axes
    return placed


def _mask_positions(x: Any, axis: int, mask: Any) -> Sequence[Any]:
    """Index vectors for a mask on the axes of x from `axis` on.

    Raises
    ------
    ShapeError   known lengths differ; others are checked at run time
    """
    covered = x.type.shape[axis:axis + mask.type.ndim]
    for k, (n, m) in enumerate(zip(covered, mask.type.shape, strict=True)):
        if n is not None and m is not None and n != m:
            raise _mask_purpose(x, axis, mask).error(user_line(), k, m, n)
    if isinstance(mask, Constant) and None not in covered:
        return [nt.constant(positions, dtype="int64") for positions in np.nonzero(mask.data)]
    checked = nt.specify_shape(mask, nt.lengths_of(x)[axis:axis + mask.type.ndim], _mask_purpose(x, axis, mask))
    return Nonzero()(checked, return_list=True)


def _mask_purpose(x: Any, axis: int, mask: Any) -> Purpose:
    return purpose("boolean index", "axis {axis} of the mask has length {actual}, axis {partner} of x has length "
                   "{wanted}", "a mask must have the lengths of the axes that it covers",
                   {k: axis + k for k in range(mask.type.ndim)}, IndexShapeError, x=x, mask=mask)


def _subtensor(x: Any, items: Sequence[Item]) -> Any:
    """x with the integers and slices among `items` applied, axes of index arrays whole."""
    entries: list[Any] = []
    scalars: list[Any] = []
    for item in items:
        if item.kind == "int":
            entries.append("i")
            scalars.append(item.value)
        elif item.axes:
            bounds = item.value if item.kind == "slice" else (None, None, None)
            entries.append(tuple(bound is not None for bound in bounds))
            scalars += [bound for bound in bounds if bound is not None]
    while entries and entries[-1] == WHOLE:
        entries.pop()
    return Subtensor(tuple(entries))(x, *scalars) if entries else x


def _view(x: Any, items: Sequence[Item]) -> Any:
    """An index of integers, slices and new axes."""
    new = any(item.kind == "new" for item in items)
    selected = _subtensor(x, items)
    if selected is x and not new:
        # x[:] and x[...] stay index expressions, for set_subtensor.
        return Subtensor(())(x)
    axes = iter(range(selected.type.ndim))
    return nt.dimshuffle(selected, *("x" if item.kind == "new" else next(axes)
                                     for item in items if item.kind in ("new", "slice")))


def _gather(x: Any, items: Sequence[Item], prepared: int = 0) -> Any:
    """An index with integer arrays: their axes go to the front, the gather is there, and its axes to their place.

    `prepared` says how many views of what the user indexes x is.
    """
    selected = _subtensor(x, items)
    axes = iter(range(selected.type.ndim))
    fronts: list[int] = []
    others: list[Any] = []
    for item in items:
        if item.kind in ("array", "slice"):
            (fronts if item.kind == "array" else others).append(next(axes))
        elif item.kind == "new":
            others.append("x")
    moved = nt.dimshuffle(selected, *fronts, *others)
    prepared += (selected is not x) + (moved is not selected)
    z = AdvancedSubtensor(prepared)(moved, *(item.value for item in items if item.kind == "array"))
    place, width = _result_place(items), z.type.ndim - len(others)
    rest = range(width, z.type.ndim)
    return nt.dimshuffle(z, *rest[:place], *range(width), *rest[place:])


def _result_place(items: Sequence[Item]) -> int:
    """Before which of the other axes the axes of the index arrays go.

    NumPy's rule: where the arrays (an integer counts as one) stand together, there; else in front.
    """
    advanced = [i for i, item in enumerate(items) if item.kind in ("array", "int")]
    together = advanced[-1] - advanced[0] == len(advanced) - 1
    return sum(item.kind in ("slice", "new") for item in items[:advanced[0]]) if together else 0


def nonzero(x: Any, return_matrix: bool = False) -> Any:
    """The positions of the elements of x that are not zero, in C order.

    Returns
    -------
    tuple of int64[?], one for each axis; with `return_matrix` int64[x.ndim, ?]

    Raises
    ------
    ShapeError   x is 0-d
    """
    positions = Nonzero()(x, return_list=True)
    return nt.stack(positions) if return_matrix else tuple(positions)


def flatnonzero(x: Any) -> Any:
    """The positions of the elements of x that are not zero, in x flattened: int64[?]."""
    return nonzero(nt.flatten(x))[0]


def nonzero_values(x: Any) -> Any:
    """The elements of x that are not zero, in C order: one axis, x's dtype."""
    flat = nt.flatten(x)
    return getitem(flat, flatnonzero(flat))


def take(x: Any, indices: Any, axis: int | None = None, mode: str = "raise") -> Any:
    """Elements of x at `indices` along `axis` (None: of x flattened).

    Parameters
    ----------
    indices : int array of any shape
    mode : "raise", "wrap" or "clip"    what an index out of bounds is: an error, taken modulo the length (indices
                                        count round and round), or the nearest end (negative indices become 0)

    Returns
    -------
    tensor    x.shape[:axis] + indices.shape + x.shape[axis + 1:]

    Raises
    ------
    BoundsError   an index out of bounds (mode "raise", or an empty axis)
    """
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(f"mode must be raise, wrap or clip, got {mode!r}")
    x = nt.flatten(x) if axis is None else nt.as_tensor_variable(x)
    axis = normalize_axis(0 if axis is None else axis, x.type.ndim)
    positions = nt.cast(_integers(indices), "int64")
    if mode != "raise":
        length = nt.lengths_of(x)[axis]
        positions = nt.mod(positions, length) if mode == "wrap" else nt.clip(positions, 0, length - 1)
    return getitem(x, (*[slice(None)] * axis, positions))


def _integers(indices: Any) -> Any:
    empty = isinstance(indices, (list, tuple)) and np.size(indices) == 0
    tensor = nt.as_tensor_variable(np.asarray(indices, np.int64) if empty else indices)
    if not dtypes.is_discrete(tensor.type.dtype):
        raise DTypeError(None, f"indices must be integers, got {tensor} of type {tensor.type}", line=user_line(),
                         indices=tensor, fix="cast them with .astype('int64')")
    return tensor


def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    """z[i, …, k, …] = x[i, …, indices[i, …, k, …], …], the index standing on `axis` (None: of x flattened).

    The other axes of x and `indices` broadcast where a length is known to be 1.

    Raises
    ------
    ShapeError    x and `indices` differ in their number of axes or in their lengths
    BoundsError   an index out of bounds
    """
    x, positions = nt.as_tensor_variable(x), nt.cast(_integers(indices), "int64")
    if axis is None:
        x, axis = nt.flatten(x), 0
    if positions.type.ndim != x.type.ndim:
        raise ShapeError(None, f"take_along_axis: x has {x.type.ndim} axes, indices have {positions.type.ndim}",
                         line=user_line(), x=x, indices=positions, fix="give both the same number of axes")
    axis, ndim = normalize_axis(axis, x.type.ndim), x.type.ndim
    lengths, first = nt.lengths_of(x), nt.constant(np.zeros((1,) * ndim, np.int64))
    grid = [positions if k == axis else first if x.type.shape[k] == 1 else
            nt.dimshuffle(nt.arange(lengths[k]), *("x" if j != k else 0 for j in range(ndim))) for k in range(ndim)]
    return getitem(x, tuple(grid))

