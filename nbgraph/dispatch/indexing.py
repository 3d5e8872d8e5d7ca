"""Indexing into index arithmetic: slices and gathers are loads at another index, updates are writes into a copy.

    x[2::3]           z[i] = x[2 + 3 * i]
    x[k]              z[j] = x[p, j]            p = k, or k + n where k is negative, worked out once
    x[idx]            z[a, c] = x[p, c]         p = idx[a], or idx[a] + n
    inc x[idx] by y   z = copy of x;   z[p, c] = z[p, c] + y[a, c]

Bounds are checked before the loops.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

import nbgraph.tensor as nt
from nbgraph.dispatch.elemwise import broadcast_index
from nbgraph.dispatch.expressions import Call, Element, Expr, Literal, add, multiply
from nbgraph.dispatch.rules import GATHER, Check, Dims, Library, Part, Pointwise, Writes, checks, lowers
from nbgraph.graph.basic import Apply, Variable
from nbgraph.tensor.creation import ARange
from nbgraph.tensor.indexing_advanced import AdvancedSubtensor, Nonzero, index_shape_error
from nbgraph.tensor.indexing_basic import Subtensor, bounds_error, index_entries
from nbgraph.tensor.indexing_tables import TableElements, TableOrElements
from nbgraph.tensor.indexing_update import AdvancedIncSubtensor, IncSubtensor, region_error
from nbgraph.tensor.shape import Length, static_length
from nbgraph.tensor.slices import slice_facts, zero_step_error

# For each indexed axis: (first, step, loop axis), the loop axis None for an integer index. Ints or int64 scalars.
Places = list[tuple[Any, Any, int | None]]
Request = Generator[Element, Expr, Any]


def _places(node: Apply, scalars: Sequence[Variable]) -> Places:
    """Where the elements that a basic index selects lie on each indexed axis of the node's first input."""
    found: Places = []
    x, loop = node.inputs[0], 0
    for axis, entry in enumerate(index_entries(node.op.pattern, scalars)):
        length = _length(x, axis)
        if isinstance(entry, tuple):
            first, _, step = slice_facts(entry[0], entry[1], entry[2], length)
            found.append((first, step, loop))
            loop += 1
        else:
            found.append((_from_front(entry, length), 0, None))
    return found


def _from_front(index: Any, length: Any) -> Any:
    known = static_length(index)
    if known is None:
        return nt.switch(nt.lt(index, 0), index + length, index)
    return known if known >= 0 else length + known


def _scalars(places: Places) -> tuple[Variable, ...]:
    return tuple(s for first, step, _ in places for s in (first, step) if isinstance(s, Variable))


def _value(scalar: Any) -> Request:
    if not isinstance(scalar, Variable):
        return Literal(int(scalar))
    return (yield Element(scalar, ()))


def _index(places: Places, index: tuple[Expr, ...]) -> Request:
    """The index into the whole array for an index into what is selected."""
    found, loops = [], 0
    for first, step, loop in places:
        place = yield from _value(first)
        if loop is not None:
            stride = yield from _value(step)
            place = add(place, multiply(index[loop], stride))
            loops += 1
        found.append(place)
    return (*found, *index[loops:])


@lowers(Subtensor)
def subtensor(node: Apply) -> Pointwise:
    """z[i] = x[first + i * step]"""
    places = _places(node, node.inputs[1:])

    def element(node: Apply, index: tuple[Expr, ...]) -> Request:
        return (yield Element(node.inputs[0], (yield from _index(places, index))))

    return Pointwise(element, cost=0, scalars=_scalars(places))


@lowers(IncSubtensor)
def inc_subtensor(node: Apply) -> Writes:
    """A copy of x, then z[first + i * step] = y[i], or + y[i]."""
    places = _places(node, node.inputs[2:])
    region = nt.Subtensor(node.op.pattern)(node.inputs[0], *node.inputs[2:])

    def place(node: Apply, index: tuple[Expr, ...]) -> Request:
        target = yield from _index(places, index)
        value = yield Element(node.inputs[1], broadcast_index(node.inputs[1], index))
        return target, value

    part = Part(region, place, None if node.op.set_instead_of_inc else _increment(node))
    return Writes(node.inputs[0], (part,), scalars=_scalars(places))


def _increment(node: Apply) -> str:
    """An addition in its order: many may go to one place."""
    return "|" if node.outputs[0].type.dtype == "bool" else "+"


def _gathered(x: Variable | None, lengths: Sequence[Any], indices: Sequence[Variable],
              index: tuple[Expr, ...]) -> Request:
    """The index into x, whose leading axes have these lengths, for an index into x[indices]."""
    rank = max(i.type.ndim for i in indices) if indices else 0
    found = []
    for axis, (n, positions) in enumerate(zip(lengths, indices, strict=True)):
        at = yield Element(positions, broadcast_index(positions, index[:rank]))
        if _is_natural(x, axis, positions):
            found.append(at)
            continue
        length = yield from _value(n)
        negative = Call("<", (at, Literal(0)), ("int64", "int64"), "bool")
        from_end = Call("+", (at, length), ("int64", "int64"), "int64")
        found.append(Call("switch", (negative, from_end, at), ("bool", "int64", "int64"), "int64"))
    return (*found, *index[rank:])


def _length(x: Variable, axis: int) -> Any:
    known = x.type.shape[axis]
    return Length(axis)(x) if known is None else known


def _unknown(lengths: Sequence[Any]) -> tuple[Variable, ...]:
    return tuple(n for n in lengths if isinstance(n, Variable))


def _arrays(x: Variable | None, indices: Sequence[Variable]) -> tuple[Variable, ...]:
    return tuple(i for axis, i in enumerate(indices) if i.type.ndim and not _is_natural(x, axis, i))


def _is_natural(x: Variable | None, axis: int, index: Variable) -> bool:
    """True where no element of an index into x is negative."""
    return _counted(index) is not None or _is_drawn_within(x, axis, index)


def _is_drawn_within(x: Variable | None, axis: int, index: Variable) -> bool:
    """True where the index is one of random integers from 0 on, all below the length of that axis of x."""
    if x is None or index.owner is None or not hasattr(index.owner.op, "below"):
        return False
    bound, length = index.owner.op.below(index.owner), x.type.shape[axis]
    if isinstance(bound, int):
        return length is not None and bound <= length
    node = None if bound is None else bound.owner
    return node is not None and node.op == Length(axis) and node.inputs[0] is x


def _counted(index: Variable) -> Variable | None:
    """n where the index is arange(n): never negative, and at most n - 1."""
    if index.owner is None or not isinstance(index.owner.op, ARange):
        return None
    start, stop, step = index.owner.inputs
    return stop if static_length(start) == 0 and static_length(step) == 1 else None


@lowers(AdvancedSubtensor)
def gather(node: Apply) -> Pointwise:
    """z[a, c] = x[i[a], c]"""
    x, *indices = node.inputs
    lengths = [_length(x, axis) for axis in range(len(indices))]

    def element(node: Apply, index: tuple[Expr, ...]) -> Request:
        return (yield Element(x, (yield from _gathered(x, lengths, indices, index))))

    return Pointwise(element, cost=GATHER, needs_buffer=_arrays(x, indices), scalars=_unknown(lengths))


def _at(index: Variable, i: Expr, length: Any) -> Request:
    """index[i], counted from the front."""
    (at,) = yield from _gathered(None, [length], [index], (i,))
    return at


@lowers(TableOrElements)
def table_or_elements(node: Apply) -> Pointwise:
    """z[i] = x[i] or x[index[i]]"""
    x, index = node.inputs
    n = _length(x, 0)
    whole = _is_shorter(n, index)

    def element(node: Apply, at: tuple[Expr, ...]) -> Request:
        place = yield from _at(index, at[0], n)
        return (yield Element(x, (_chosen((yield Element(whole, ())), at[0], place),)))

    return Pointwise(element, cost=GATHER, needs_buffer=_arrays(None, [index]), scalars=(whole, *_unknown([n])))


@lowers(TableElements)
def table_elements(node: Apply) -> Pointwise:
    """z[i] = y[index[i]] or y[i]"""
    y, n, index = node.inputs
    whole = _is_shorter(n, index)

    def element(node: Apply, at: tuple[Expr, ...]) -> Request:
        place = yield from _at(index, at[0], n)
        return (yield Element(y, (_chosen((yield Element(whole, ())), place, at[0]),)))

    return Pointwise(element, cost=GATHER, needs_buffer=(y, *_arrays(None, [index])), scalars=(whole, n))


def _is_shorter(n: Any, index: Variable) -> Variable:
    """Whether a table of n elements has no more than the index selects."""
    return nt.le(n, _length(index, 0))


def _chosen(condition: Expr, x: Expr, y: Expr) -> Expr:
    return Call("switch", (condition, x, y), ("bool", "int64", "int64"), "int64")


@lowers(AdvancedIncSubtensor)
def scatter(node: Apply) -> Writes:
    """A copy of x, then z[i[a], c] = y[a, c], or + y[a, c], in C order."""
    x, y, *indices = node.inputs
    lengths = [_length(x, axis) for axis in range(len(indices))]
    region = nt.AdvancedSubtensor()(x, *indices)

    def place(node: Apply, index: tuple[Expr, ...]) -> Request:
        target = yield from _gathered(x, lengths, indices, index)
        value = yield Element(y, broadcast_index(y, index))
        return target, value

    part = Part(region, place, None if node.op.set_instead_of_inc else _increment(node),
                scattered=len(indices) == x.type.ndim)
    return Writes(x, (part,), needs_buffer=_arrays(x, indices), scalars=_unknown(lengths))


@lowers(Nonzero)
def nonzero(node: Apply) -> Library:
    """How many there are is known when they are counted, so the call makes its arrays."""
    return Library("numpy.nonzero", (node.inputs[0],), allocates=True)


# Checks ---------------------------------------------------------------------------------------------------------------

def _basic_checks(node: Apply, scalars: Sequence[Variable], dims: Dims) -> list[Check]:
    found, lengths = [], dims(node.inputs[0])
    for axis, entry in enumerate(index_entries(node.op.pattern, scalars)):
        if not isinstance(entry, tuple):
            found.append(Check("index", (entry, lengths[axis]), (entry, lengths[axis]), _outside(node, axis), node))
        elif entry[2] is not None and static_length(entry[2]) is None:
            found.append(Check("nonzero", (entry[2],), (), lambda values: zero_step_error(node), node))
    return found


def _outside(node: Apply, axis: int) -> Callable[[Sequence[int]], Exception]:
    return lambda values: bounds_error(node, axis, values[0], values[1])


@checks(Subtensor)
def indices_in_bounds(node: Apply, dims: Dims) -> list[Check]:
    """Integers within their axis, steps not 0."""
    return _basic_checks(node, node.inputs[1:], dims)


@checks(IncSubtensor)
def value_fits_slice(node: Apply, dims: Dims) -> list[Check]:
    """The same, and the value has the lengths of what is selected."""
    region = nt.Subtensor(node.op.pattern)(node.inputs[0], *node.inputs[2:])
    return [*_basic_checks(node, node.inputs[2:], dims), *_value_checks(node, dims(region), dims)]


def _value_checks(node: Apply, region: Sequence[Any], dims: Dims) -> list[Check]:
    y = node.inputs[1]
    lengths = dims(y)
    shown = (*lengths, *region)

    def report(values: Any) -> Exception:
        return region_error(node, values[:len(lengths)], values[len(lengths):])

    return [Check("equal", (lengths[axis], region[axis]), shown, report, node)
            for axis in range(-len(lengths), 0) if y.type.shape[axis] != 1]


def _gather_checks(node: Apply, first: int, dims: Dims) -> list[Check]:
    x, indices = node.inputs[0], node.inputs[first:]
    shapes = [dims(i) for i in indices]
    shown = tuple(n for shape in shapes for n in shape)
    found = []
    for axis in range(-max((i.type.ndim for i in indices), default=0), 0):
        lengths = tuple(shape[axis] for i, shape in zip(indices, shapes, strict=True)
                        if -axis <= i.type.ndim and i.type.shape[axis] != 1)
        if len(lengths) > 1:
            found.append(Check("equal", lengths, shown, _unequal_indices(node, indices, first), node))
    for axis, index in enumerate(indices):
        length = dims(x)[axis]
        count = _counted(index)
        if _is_drawn_within(x, axis, index):
            continue
        if count is not None:
            found.append(Check("at_most", (count, length), (length, length), _outside(node, axis), node))
            continue
        found.append(Check("bounds" if index.type.ndim else "index", (index, length), (index, length),
                           _outside(node, axis), node))
    return found


def _unequal_indices(node: Apply, indices: Sequence[Variable], first: int) -> Any:
    def report(values: Any) -> Exception:
        rest = iter(values)
        return index_shape_error(node, [tuple(next(rest) for _ in range(i.type.ndim)) for i in indices], first)
    return report


@checks(AdvancedSubtensor)
def gather_in_bounds(node: Apply, dims: Dims) -> list[Check]:
    """All indices within their axis, index arrays of one shape."""
    return _gather_checks(node, 1, dims)


@checks(TableOrElements)
def table_index_in_bounds(node: Apply, dims: Dims) -> list[Check]:
    """All indices within the table."""
    return _gather_checks(node, 1, dims)


@checks(AdvancedIncSubtensor)
def scatter_in_bounds(node: Apply, dims: Dims) -> list[Check]:
    """The same, and the value has the lengths of what is selected."""
    region = nt.AdvancedSubtensor()(node.inputs[0], *node.inputs[2:])
    return [*_gather_checks(node, 2, dims), *_value_checks(node, dims(region), dims)]
