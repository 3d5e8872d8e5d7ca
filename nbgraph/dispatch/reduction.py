"""Reductions, arg-reductions and recurrences: what is combined, searched or carried along axes.

    sum(x * y, axis=1)     for i: acc = 0.0;  for j: acc = acc + x[i, j] * y[i, j];  z[i] = acc
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from nbgraph.dispatch.expressions import Call, Element, Expr
from nbgraph.dispatch.rules import Check, Dims, Reduction, Scan, Search, checks, lowers
from nbgraph.graph.basic import Apply
from nbgraph.tensor import dtypes
from nbgraph.tensor.reduction import (
    ArgReduce,
    Cumulative,
    LinearRecurrence,
    Reduce,
    empty_reduction_error,
    unequal_shapes_error,
)


def lowest(dtype: str) -> Any:
    """The value that is below all others (NaN apart)."""
    if dtype == "bool":
        return False
    if dtype in dtypes.INTEGERS:
        return int(np.iinfo(dtype).min)
    return complex(-np.inf, -np.inf) if dtype in dtypes.COMPLEX else -np.inf


def highest(dtype: str) -> Any:
    """The value that is above all others (NaN apart)."""
    if dtype == "bool":
        return True
    if dtype in dtypes.INTEGERS:
        return int(np.iinfo(dtype).max)
    return complex(np.inf, np.inf) if dtype in dtypes.COMPLEX else np.inf


def identity_of(kind: str, dtype: str) -> Any:
    """The value that leaves every other one as it is when combined with it."""
    kinds = {"sum": 0, "prod": 1, "all": True, "any": False}
    if kind in kinds:
        return np.dtype(dtype).type(kinds[kind]).item()
    return lowest(dtype) if kind == "max" else highest(dtype)


def _element(node: Apply, index: tuple[Expr, ...]) -> Generator[Element, Expr, Expr]:
    x = node.inputs[0]
    value = yield Element(x, index)
    wanted = node.op.acc_dtype
    return value if x.type.dtype == wanted else Call("identity", (value,), (x.type.dtype,), wanted)


@lowers(Reduce)
def reduce(node: Apply) -> Reduction:
    """acc = combine(acc, x[i])"""
    op: Any = node.op
    return Reduction(node.inputs[0], _element, op.axes, op.kind, identity_of(op.kind, op.acc_dtype), op.acc_dtype)


@lowers(ArgReduce)
def arg_reduce(node: Apply) -> Search:
    """The place of the first element that no other beats."""
    op: Any = node.op
    worst = lowest if op.kind == "argmax" else highest
    return Search(node.inputs[0], op.axes, f"{op.kind}_better", worst(node.inputs[0].type.dtype))


@lowers(Cumulative)
def cumulative(node: Apply) -> Scan:
    """z[j] = z[j - 1] + x[j]"""
    (x,), sign = node.inputs, "+" if node.op.kind == "sum" else "*"
    dtype = x.type.dtype
    return Scan((x,), node.op.axis, lambda before, here: Call(sign, (before, here), (dtype, dtype), dtype))


@lowers(LinearRecurrence)
def linear_recurrence(node: Apply) -> Scan:
    """s[j] = a[j] * s[j - 1] + b[j]"""
    dtype = node.outputs[0].type.dtype
    both = (dtype, dtype)

    def step(before: Expr, a: Expr, b: Expr) -> Expr:
        return Call("+", (Call("*", (a, before), both, dtype), b), both, dtype)

    return Scan(tuple(node.inputs), node.op.axis, step)


@checks(Reduce, ArgReduce)
def not_empty(node: Apply, dims: Dims) -> list[Check]:
    """There is no largest or smallest of nothing."""
    op: Any = node.op
    if op.kind in ("sum", "prod", "all", "any") or (isinstance(op, Reduce) and op.of_nothing):
        return []
    lengths = dims(node.inputs[0])
    reduced = tuple(lengths[axis] for axis in op.axes)
    return [Check("positive", reduced, lengths, lambda values: empty_reduction_error(node, values), node)]


@checks(LinearRecurrence)
def equal_shapes(node: Apply, dims: Dims) -> list[Check]:
    """a and b have the same shape."""
    first, second = (dims(x) for x in node.inputs)

    def report(values: Any) -> Exception:
        return unequal_shapes_error(node, values[:len(first)], values[len(first):])

    return [Check("equal", pair, (*first, *second), report, node) for pair in zip(first, second, strict=True)]
