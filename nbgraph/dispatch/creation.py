"""Eye and ARange into loop bodies: an element follows from its place, so that no array is filled for a reader.

    arange(start, stop, step)[i]     first + i * delta
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from nbgraph.dispatch.expressions import Call, Element, Expr, add, multiply
from nbgraph.dispatch.rules import Check, Dims, Pointwise, checks, lowers
from nbgraph.graph.basic import Apply
from nbgraph.tensor import dtypes
from nbgraph.tensor.creation import ARange, Eye, arange_error, negative_length_error

_WHOLE = ("int64", "int64")


def _diagonal(node: Apply, index: tuple[Expr, ...]) -> Generator[Element, Expr, Expr]:
    offset = yield Element(node.inputs[2], ())
    row, column = index
    on = Call("==", (Call("-", (column, row), _WHOLE, "int64"), offset), _WHOLE, "bool")
    return Call("identity", (on,), ("bool",), node.op.dtype)


def _progression(node: Apply, index: tuple[Expr, ...]) -> Generator[Element, Expr, Expr]:
    start, _, step = node.inputs
    wide, dtype = start.type.dtype, node.op.dtype
    first = yield Element(start, ())
    stride = yield Element(step, ())

    def narrow(value: Expr) -> Expr:
        return Call("identity", (value,), (wide,), dtype)

    if wide == dtype == "int64":
        return add(first, multiply(index[0], stride))
    # As NumPy has it: the difference of the first two elements, each converted before they are subtracted.
    second = Call("+", (first, stride), (wide, wide), wide)
    delta = Call("-", (narrow(second), narrow(first)), (dtype, dtype), dtype)
    place = Call("identity", index, ("int64",), dtype)
    moved = Call("*", (place, delta), (dtype, dtype), dtype)
    return Call("+", (narrow(first), moved), (dtype, dtype), dtype)


@lowers(Eye)
def eye(node: Apply) -> Pointwise:
    """z[i, j] = (j - i == k)"""
    return Pointwise(_diagonal)


@lowers(ARange)
def arange(node: Apply) -> Pointwise:
    """z[i] = first + i * delta"""
    return Pointwise(_progression)


@checks(Eye)
def lengths_not_negative(node: Apply, dims: Dims) -> list[Check]:
    """n, m >= 0"""
    lengths = tuple(node.inputs[:2])
    return [Check("natural", lengths, lengths, lambda values: negative_length_error(node, values), node)]


@checks(ARange)
def finite_number(node: Apply, dims: Dims) -> list[Check]:
    """step != 0, and all three finite."""
    shown = tuple(node.inputs)

    def report(values: Any) -> Exception:
        return arange_error(node, *values)

    found = [Check("nonzero", (node.inputs[2],), shown, report, node)]
    if node.inputs[0].type.dtype in dtypes.FLOATS:
        found.append(Check("finite", shown, shown, report, node))
    return found
