"""Shape Ops into index arithmetic: a transpose or a broadcast is a load at another index, never a copy."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from nbgraph.dispatch.elemwise import broadcast_index
from nbgraph.dispatch.expressions import Element, Expr, Literal
from nbgraph.dispatch.rules import Alias, Check, Dims, Extent, Part, Pointwise, Rule, Writes, checks, lowers
from nbgraph.errors import ShapeError
from nbgraph.graph.basic import Apply
from nbgraph.tensor.shape import (
    BroadcastTo,
    DimShuffle,
    Length,
    MakeVector,
    Reshape,
    SpecifyShape,
    check_broadcast,
    reshape_error,
    specify_shape_error,
)
from nbgraph.tensor.shape_functions import never_negative


def _shuffled(node: Apply, index: tuple[Expr, ...]) -> Generator[Element, Expr, Expr]:
    order = node.op.order
    x = node.inputs[0]
    return (yield Element(x, tuple(index[order.index(axis)] if axis in order else Literal(0)
                                   for axis in range(x.type.ndim))))


def _broadcast(node: Apply, index: tuple[Expr, ...]) -> Generator[Element, Expr, Expr]:
    x = node.inputs[0]
    return (yield Element(x, broadcast_index(x, index)))


def _same(node: Apply, index: tuple[Expr, ...]) -> Generator[Element, Expr, Expr]:
    return (yield Element(node.inputs[0], index))


@lowers(DimShuffle)
def dimshuffle(node: Apply) -> Pointwise:
    """z[i, j] = x[j, i]"""
    return Pointwise(_shuffled, cost=0)


@lowers(BroadcastTo)
def broadcast_to(node: Apply) -> Pointwise:
    """z[i, j] = x[0, j]"""
    return Pointwise(_broadcast, cost=0)


@lowers(SpecifyShape)
def specify_shape(node: Apply) -> Pointwise:
    """z[i] = x[i]"""
    return Pointwise(_same, cost=0)


@lowers(Reshape)
def reshape(node: Apply) -> Alias:
    """The same memory."""
    return Alias(node.inputs[0])


@lowers(Length)
def length(node: Apply) -> Extent:
    """Read from the array, or worked out from other lengths."""
    return Extent(node.inputs[0], node.op.axis)


@lowers(MakeVector)
def make_vector(node: Apply) -> Rule:
    """v[k] = input k"""
    if not node.inputs:
        return Pointwise(_nothing, cost=0)
    return Writes(None, tuple(Part(x, _entry(k)) for k, x in enumerate(node.inputs)))


def _nothing(node: Apply, index: tuple[Expr, ...]) -> Generator[Element, Expr, Expr]:
    """The element of a vector that has none."""
    yield from ()
    return Literal(0, node.op.dtype)


def _entry(k: int) -> Any:
    def place(node: Apply, index: tuple[Expr, ...]) -> Generator[Element, Expr, tuple[tuple[Expr, ...], Expr]]:
        value = yield Element(node.inputs[k], ())
        return (Literal(k),), value
    return place


@checks(BroadcastTo)
def broadcast_fits(node: Apply, dims: Dims) -> list[Check]:
    """Every length of x that is not known to be 1 is the wanted one."""
    x, *wanted = node.inputs
    actual = dims(x)
    offset = len(wanted) - len(actual)
    shown = (*actual, *wanted)

    def report(values: Any) -> Exception:
        try:
            check_broadcast(node, values[:len(actual)], values[len(actual):])
        except ShapeError as error:
            return error
        raise AssertionError("the compiled check failed and the reference check does not")

    found = [Check("equal", (n, wanted[offset + axis]), shown, report, node)
             for axis, n in enumerate(actual) if x.type.shape[axis] != 1]
    free = [n for axis, n in enumerate(wanted)
            if (axis < offset or x.type.shape[axis - offset] == 1) and not never_negative(n)]
    return [*found, Check("natural", tuple(free), shown, report, node)]


@checks(SpecifyShape)
def lengths_as_declared(node: Apply, dims: Dims) -> list[Check]:
    """The lengths are what the user vouched for."""
    x, *wanted = node.inputs
    actual = dims(x)

    def report(axis: int) -> Any:
        return lambda values: specify_shape_error(node, axis, *values)

    return [Check("equal", (actual[axis], n), (actual[axis], n), report(axis), node)
            for axis, n in zip(node.op.axes, wanted, strict=True)]


@checks(Reshape)
def same_number_of_elements(node: Apply, dims: Dims) -> list[Check]:
    """The product of the lengths stays the same, and none is negative."""
    x, *wanted = node.inputs
    actual = dims(x)

    def report(values: Any) -> Exception:
        return reshape_error(node, values[:len(actual)], values[len(actual):])

    shown = (*actual, *wanted)
    unsure = tuple(n for n in wanted if not never_negative(n))
    return [Check("natural", unsure, shown, report, node),
            Check("same_size", (tuple(actual), tuple(wanted)), shown, report, node)]
