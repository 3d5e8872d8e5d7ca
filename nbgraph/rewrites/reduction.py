"""Rules on reductions: axes of length 1, sums of sums, sums of a constant.

    sum(x, axis=0), x: float64[1, ?]   ->   dimshuffle(1) of x
    sum(broadcast_to(0.5, n))          ->   0.5 * n
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.graph.basic import Apply, Variable
from nbgraph.rewrites.driver import Context
from nbgraph.rewrites.rule import node_rule
from nbgraph.rewrites.shapes import as_scalar
from nbgraph.rewrites.values import constant_value
from nbgraph.tensor.reduction import Reduce
from nbgraph.tensor.shape import BroadcastTo
from nbgraph.tensor.shape_functions import never_negative


def _one_examples() -> Iterable[Any]:
    r, f, t = nt.drow("r"), nt.frow("f"), nt.tensor("t", dtype="float64", shape=(1, None, 1))
    return [nt.sum(r, 0), nt.sum(f, 0), nt.max(t, 0), nt.prod(t, (0, 1)), nt.any(t, 2), nt.sum(t),
            nt.sum(nt.tensor("i", dtype="int8", shape=(1,))), Reduce("sum", (), "float64", "float64")(r)]


@node_rule(Reduce, example=_one_examples, near_misses=lambda: [nt.sum(nt.drow("r"), 1), nt.sum(nt.dmatrix("x"))])
def reduced_axis_of_one(node: Apply) -> Variable | None:
    """sum(x, axis) -> x without the axis     where its length is known to be 1; also prod, max, min, all, any"""
    op: Any = node.op
    (x,) = node.inputs
    gone = [axis for axis in op.axes if x.type.shape[axis] == 1]
    if not gone and op.axes:
        return None
    left = [axis for axis in range(x.type.ndim) if axis not in gone]
    narrow = nt.dimshuffle(x, *left)
    axes = tuple(left.index(axis) for axis in op.axes if axis not in gone)
    if axes:
        return Reduce(op.kind, axes, op.dtype, op.acc_dtype, op.of_nothing)(narrow)
    return nt.cast(nt.cast(narrow, op.acc_dtype), op.dtype)


def _twice_examples() -> Iterable[Any]:
    x, t = nt.dmatrix("x"), nt.dtensor3("t")
    return [nt.sum(nt.sum(x, 1)), nt.sum(nt.sum(t, 1), 0), nt.all(nt.all(nt.gt(x, 0), 0)), nt.any(nt.any(x, 0), 0)]


def _twice_near_misses() -> Iterable[Any]:
    x = nt.dmatrix("x")
    rows = nt.sum(x, 1)
    return [nt.sum(nt.max(x, 1)), nt.sum(rows) + rows, nt.sum(nt.sum(nt.fmatrix("f"), 1)), nt.max(nt.max(x, 0), 0)]


@node_rule(Reduce, example=_twice_examples, near_misses=_twice_near_misses, ulp=8)
def sum_of_sum(node: Apply, context: Context) -> Variable | None:
    """sum(sum(x, a), b) -> sum(x, a and b)     where nothing else reads the inner one; also all, any

    Not max and min, which have no value over an empty axis; not float32, whose inner sum is rounded.
    """
    op: Any = node.op
    (inner,) = node.inputs
    if inner.owner is None or not isinstance(inner.owner.op, Reduce) or not context.has_one_reader(inner):
        return None
    first = inner.owner.op
    if first.kind != op.kind or op.kind not in ("sum", "all", "any") or first.dtype != op.dtype \
            or first.acc_dtype != op.acc_dtype or (op.kind == "sum" and op.dtype != op.acc_dtype):
        return None
    (x,) = inner.owner.inputs
    left = [axis for axis in range(x.type.ndim) if axis not in first.axes]
    axes = sorted((*first.axes, *(left[axis] for axis in op.axes)))
    return Reduce(op.kind, axes, op.dtype, op.acc_dtype)(x)


def _constant_examples() -> Iterable[Any]:
    x = nt.dmatrix("x")
    return [nt.sum(nt.ones_like(x)), nt.sum(nt.full_like(x, 0.5), 0), nt.sum(nt.zeros((nt.lscalar("n"), 3)), 1),
            nt.sum(nt.ones_like(nt.fvector("f")))]


def _constant_near_misses() -> Iterable[Any]:
    x = nt.dvector("x")
    return [nt.sum(nt.full_like(x, np.inf)), nt.sum(nt.fill(x, nt.dscalar("s"))), nt.prod(nt.ones_like(x)), nt.sum(x),
            nt.sum(nt.ones((nt.lscalar("n"), 3)))]


@node_rule(Reduce, example=_constant_examples, near_misses=_constant_near_misses, ulp=8)
def sum_of_constant(node: Apply, context: Context) -> Variable | None:
    """sum(broadcast_to(c, n)) -> c * n     a finite constant: over no elements, an infinite one would give NaN

    Not where n might be negative: broadcast_to raises then.
    """
    op: Any = node.op
    (x,) = node.inputs
    if op.kind != "sum" or x.owner is None or not isinstance(x.owner.op, BroadcastTo):
        return None
    value = constant_value(x)
    if value is None or not np.isfinite(value) or op.acc_dtype not in ("float64", "int64", "complex128"):
        return None
    lengths = context.shapes.of(x)
    if not all(never_negative(lengths[axis]) for axis in op.axes):
        return None
    count: Any = nt.cast(as_scalar(1), op.acc_dtype)
    for axis in op.axes:
        count = count * nt.cast(as_scalar(lengths[axis]), op.acc_dtype)
    total = nt.cast(nt.constant(np.asarray(value).astype(op.acc_dtype)) * count, op.dtype)
    return nt.broadcast_to(total, tuple(as_scalar(n) for n in context.shapes.of(node.outputs[0])))
