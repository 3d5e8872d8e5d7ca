"""NumPy's functions on shapes: reshape, transpose, squeeze, broadcast_to, moveaxis …

Each builds the Ops of `shape`; one that would change nothing gives its input back.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, ShapeError
from nbgraph.graph.basic import Constant, Variable
from nbgraph.graph.source import user_line
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.purpose import Purpose, made_for, purpose
from nbgraph.tensor.shape import (
    BroadcastTo,
    DimShuffle,
    Length,
    MakeVector,
    Reshape,
    SpecifyShape,
    as_length,
    as_lengths,
    static_length,
)

# Functions of numbers that are not negative that give such a number.
NOT_NEGATIVE = ("add", "mul", "floor_divide", "minimum")


def normalize_axis(axis: Any, ndim: int, what: str = "axis") -> int:
    """An axis counted from the front.

    Raises
    ------
    DTypeError   `axis` is no integer, or is symbolic
    ShapeError   there is no such axis
    """
    number = whole_number(axis, what)
    if not -ndim <= number < ndim:
        raise ShapeError(None, f"{what} {number} is out of range for {ndim} axes", line=user_line(),
                         fix=f"name an axis from {-ndim} to {ndim - 1}")
    return number % ndim


def whole_number(axis: Any, what: str) -> int:
    """An axis as an int.

    Raises
    ------
    DTypeError   it is no integer, or is symbolic
    """
    if isinstance(axis, Variable) and not isinstance(axis, Constant):
        raise DTypeError(None, f"{what} must be known when the graph is built, got the symbolic variable {axis}",
                         line=user_line(), axis=axis, fix="give an int; a constant may be an int, too")
    try:
        return operator.index(axis.data if isinstance(axis, Constant) else axis)
    except TypeError:
        raise DTypeError(None, f"{what} must be an integer, got {type(axis).__name__} {str(axis)[:60]!r}",
                         line=user_line(), fix="give an int, None for all axes, or a tuple of ints where several are "
                         "meant") from None


def normalize_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """None (all), an int or several, as a sorted tuple without repeats.

    Raises
    ------
    DTypeError   an axis is no integer, or is symbolic
    ShapeError   there is no such axis, or one is named twice
    """
    if axis is None:
        return tuple(range(ndim))
    axes = [normalize_axis(a, ndim) for a in (axis if isinstance(axis, (list, tuple)) else [axis])]
    if len(set(axes)) != len(axes):
        raise ShapeError(None, f"an axis is named twice in {axis}", line=user_line(), fix="name each axis once")
    return tuple(sorted(axes))


def lengths_of(x: Any) -> list[Any]:
    """The lengths of x: a constant where known, else Length(axis) of it."""
    x = nt.as_tensor_variable(x)
    return [nt.constant(n, dtype="int64") if n is not None else Length(axis)(x) for axis, n in enumerate(x.type.shape)]


def shape(x: Any) -> Any:
    """The lengths of the axes of x: int64[ndim]."""
    return MakeVector("int64")(*lengths_of(x))


def shape_tuple(x: Any) -> tuple[Any, ...]:
    """The lengths of the axes of x as a tuple of scalars."""
    return tuple(lengths_of(x))


def size(x: Any) -> Any:
    """The number of elements of x: int64[]."""
    return product_of_lengths(lengths_of(x))


def product_of_lengths(lengths: Sequence[Any]) -> Any:
    """The product of int64 scalars, 1 of none: a constant where all are, and at most one constant factor else."""
    known = math.prod(n for n in map(static_length, lengths) if n is not None)
    unknown = [n for n in lengths if static_length(n) is None]
    product = unknown[0] if unknown else nt.constant(known, dtype="int64")
    for length in unknown[1:]:
        product = product * length
    return product if known == 1 or not unknown else product * known


def sum_of_lengths(lengths: Sequence[Any]) -> Any:
    """The sum of int64 scalars, 0 of none: a constant where all are, and at most one constant term else."""
    known = sum(n for n in map(static_length, lengths) if n is not None)
    unknown = [n for n in lengths if static_length(n) is None]
    total = unknown[0] if unknown else nt.constant(known, dtype="int64")
    for length in unknown[1:]:
        total = total + length
    return total if known == 0 or not unknown else total + known


def length_quotient(length: Any, divisor: Any) -> Any:
    """length // divisor, rounded down, 0 where the divisor is 0: a constant where both are."""
    divisor = as_length(divisor)
    known, by = static_length(length), static_length(divisor)
    if known is not None and by is not None:
        return nt.constant(known // by if by else 0, dtype="int64")
    return length if by == 1 else nt.floor_divide(length, divisor)


def never_negative(length: Any) -> bool:
    """True for lengths of arrays, for what is made of them without a subtraction, and for maximum(n, 0)."""
    pending = [length]
    while pending:
        n = pending.pop()
        if not isinstance(n, Variable):
            found = int(n) >= 0
        elif isinstance(n, Constant):
            found = int(n.data) >= 0
        else:
            node = n.owner
            found = node is not None and isinstance(node.op, Length)
            if node is not None and isinstance(node.op, Elemwise):
                name = node.op.function.name
                if name == "maximum":
                    found = any(isinstance(v, Constant) and int(v.data) >= 0 for v in node.inputs)
                elif name in NOT_NEGATIVE:
                    found = True
                    pending += node.inputs
        if not found:
            return False
    return True


def dimshuffle(x: Any, *order: Any) -> Any:
    """Axes of x in a new order; "x" is a new axis of length 1, axes left out must have length 1."""
    x = nt.as_tensor_variable(x)
    given = order[0] if len(order) == 1 and isinstance(order[0], (list, tuple)) else order
    axes = [a if isinstance(a, str) and a == "x" else normalize_axis(a, x.type.ndim) for a in given]
    return x if axes == list(range(x.type.ndim)) else DimShuffle(axes)(x)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """The axes of x in the order `axes`, reversed where it is None."""
    x = nt.as_tensor_variable(x)
    order = tuple(reversed(range(x.type.ndim))) if axes is None else axes
    if len(order) != x.type.ndim or len({normalize_axis(a, x.type.ndim) for a in order}) != len(order):
        raise ShapeError("transpose", f"the axes must be 0 to {x.type.ndim - 1} in some order, got {tuple(order)}",
                         line=user_line(), x=x, fix="name each axis once, or none to reverse them")
    return dimshuffle(x, *order)


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """x with two axes exchanged."""
    x = nt.as_tensor_variable(x)
    order = list(range(x.type.ndim))
    a, b = normalize_axis(axis1, x.type.ndim), normalize_axis(axis2, x.type.ndim)
    order[a], order[b] = order[b], order[a]
    return dimshuffle(x, *order)


def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """x with the axes `source` at the places `destination`, the others in their order."""
    x = nt.as_tensor_variable(x)
    sources = [normalize_axis(a, x.type.ndim) for a in (source if isinstance(source, (list, tuple)) else [source])]
    places = [normalize_axis(a, x.type.ndim, "destination")
              for a in (destination if isinstance(destination, (list, tuple)) else [destination])]
    if len(set(sources)) != len(set(places)):
        raise ShapeError("moveaxis", f"source {source} and destination {destination} must name as many axes",
                         line=user_line(), x=x, fix="give each axis one place")
    order = [axis for axis in range(x.type.ndim) if axis not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return dimshuffle(x, *order)


def expand_dims(x: Any, axis: Any) -> Any:
    """x with new axes of length 1 at the places `axis` of the result."""
    x = nt.as_tensor_variable(x)
    places = axis if isinstance(axis, (list, tuple)) else [axis]
    ndim = x.type.ndim + len(places)
    new = normalize_axes(list(places), ndim)
    old = iter(range(x.type.ndim))
    return dimshuffle(x, *("x" if i in new else next(old) for i in range(ndim)))


def squeeze(x: Any, axis: Any = None) -> Any:
    """x without the axes `axis`, whose lengths must be 1 (checked at run time where unknown).

    None: all axes whose length is known to be 1.
    """
    x = nt.as_tensor_variable(x)
    gone = (tuple(i for i, n in enumerate(x.type.shape) if n == 1) if axis is None
            else normalize_axes(axis, x.type.ndim))
    unknown = {i: 1 for i in gone if x.type.shape[i] is None}
    if unknown:
        x = SpecifyShape(tuple(unknown))(x, *unknown.values())
    return dimshuffle(x, *(i for i in range(x.type.ndim) if i not in gone))


def shape_padleft(x: Any, n_ones: int = 1) -> Any:
    """x with `n_ones` axes of length 1 in front."""
    x = nt.as_tensor_variable(x)
    return dimshuffle(x, *["x"] * n_ones, *range(x.type.ndim))


def shape_padright(x: Any, n_ones: int = 1) -> Any:
    """x with `n_ones` axes of length 1 at the end."""
    x = nt.as_tensor_variable(x)
    return dimshuffle(x, *range(x.type.ndim), *["x"] * n_ones)


def shape_padaxis(x: Any, axis: int) -> Any:
    """x with an axis of length 1 at `axis`."""
    return expand_dims(x, axis)


def atleast_1d(x: Any) -> Any:
    """x with at least one axis."""
    x = nt.as_tensor_variable(x)
    return shape_padleft(x) if x.type.ndim == 0 else x


def atleast_2d(x: Any) -> Any:
    """x with at least two axes, new ones in front."""
    x = nt.as_tensor_variable(x)
    return shape_padleft(x, max(0, 2 - x.type.ndim))


def reshape(x: Any, newshape: Any, ndim: int | None = None) -> Any:
    """The elements of x in C order in another shape.

    Parameters
    ----------
    newshape : int, tuple of int or int scalars, or an int vector    one may be -1: what is left
    ndim : int, optional    the number of axes, where `newshape` is a vector of unknown length

    Raises
    ------
    ShapeError   the number of elements differs (when built where known, else at run time)
    """
    x = nt.as_tensor_variable(x)
    if ndim is not None and hasattr(newshape, "type") and newshape.type.ndim == 1 and newshape.type.shape[0] is None:
        told = purpose("reshape", "ndim is {wanted}, {actual} lengths are given", "give one length for every axis",
                       newshape=newshape)
        newshape = specify_shape(newshape, (ndim,), told)
    wanted = as_lengths(newshape)
    if ndim is not None and len(wanted) != ndim:
        raise ShapeError(None, f"reshape: ndim={ndim} but {len(wanted)} lengths are given", line=user_line(), x=x)
    open_axes = [i for i, n in enumerate(wanted) if static_length(n) == -1]
    if len(open_axes) > 1:
        raise ShapeError(None, "reshape: only one length may be -1", line=user_line(), x=x)
    if open_axes:
        others = product_of_lengths([n for i, n in enumerate(wanted) if i != open_axes[0]])
        wanted[open_axes[0]] = _what_is_left(size(x), others)
    if [static_length(n) for n in wanted] == list(x.type.shape) and None not in x.type.shape:
        return x
    return Reshape()(x, *wanted)


def _what_is_left(whole: Any, others: Any) -> Any:
    """whole // others; -1, which Reshape refuses, where the others are 0: any length would do."""
    if static_length(others):
        return length_quotient(whole, others)
    return nt.switch(nt.eq(others, 0), nt.constant(-1, dtype="int64"), nt.floor_divide(whole, others))


def flatten(x: Any, ndim: int = 1) -> Any:
    """The elements of x in C order with `ndim` axes: the first ndim - 1 stay, the last holds all that is left."""
    x = nt.as_tensor_variable(x)
    if ndim < 1 or (ndim > x.type.ndim and ndim != 1):
        raise ShapeError(None, f"flatten: ndim must be from 1 to {max(1, x.type.ndim)}, got {ndim}", line=user_line(),
                         x=x, fix="leave ndim out for a vector")
    if x.type.ndim == ndim:
        return x
    lengths = lengths_of(x)
    return Reshape()(x, *lengths[:ndim - 1], product_of_lengths(lengths[ndim - 1:]))


def broadcast_to(x: Any, shape: Any, told: Purpose | None = None) -> Any:
    """x repeated along its axes of length 1 to `shape`.

    Parameters
    ----------
    shape : int, tuple of ints and int scalars, or an int vector
    told : optional    what errors are to say where another function needs this

    Raises
    ------
    ShapeError   an axis of x that is not known to have length 1 has another length (built or run)
    """
    x, wanted = nt.as_tensor_variable(x), as_lengths(shape)
    if None not in x.type.shape and [static_length(n) for n in wanted] == list(x.type.shape):
        return x
    return made_for(BroadcastTo(), told)(x, *wanted)


def broadcast_shape(*xs: Any) -> tuple[Any, ...]:
    """The lengths that `xs` broadcast to, as scalars."""
    tensors = [nt.as_tensor_variable(x) for x in xs]
    ndim = max(x.type.ndim for x in tensors)
    found: list[Any] = []
    for axis in range(-ndim, 0):
        candidates = [x for x in tensors if -axis <= x.type.ndim and x.type.shape[axis] != 1]
        known = [x for x in candidates if x.type.shape[axis] is not None]
        chosen = (known or candidates or [None])[0]
        found.append(nt.constant(1, dtype="int64") if chosen is None else lengths_of(chosen)[axis])
    return tuple(found)


def broadcast_arrays(*xs: Any) -> list[Any]:
    """All of `xs` in their common shape."""
    lengths = broadcast_shape(*xs)
    return [broadcast_to(x, lengths) for x in xs]


def specify_shape(x: Any, shape: Any, told: Purpose | None = None) -> Any:
    """x with lengths that the user vouches for (None: not said), checked at run time.

    Parameters
    ----------
    shape : sequence of (int, int scalar or None), or an int vector
    told : optional    what the error says where another function needs the check

    Raises
    ------
    ShapeError   a length differs (when built where known, else at run time)
    """
    x = nt.as_tensor_variable(x)
    wanted = list(shape) if isinstance(shape, (list, tuple)) else as_lengths(shape)
    if len(wanted) != x.type.ndim:
        raise ShapeError(None, f"specify_shape: {x} has {x.type.ndim} axes, {len(wanted)} lengths are given",
                         line=user_line(), x=x)
    lengths = {i: as_length(n) for i, n in enumerate(wanted) if n is not None}
    news = {i: n for i, n in lengths.items() if static_length(n) is None or static_length(n) != x.type.shape[i]}
    return made_for(SpecifyShape(tuple(news)), told)(x, *news.values()) if news else x


def unbroadcast(x: Any, *axes: int) -> Any:
    """x itself: lengths are known or not, there is no flag to take away."""
    return nt.as_tensor_variable(x)
