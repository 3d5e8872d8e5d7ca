"""Batch axes of Ops on elements, shapes, axes and products; those of indexing are in `batching_indexing`.

    sum{0}(x)     x: float64[n]      sum{1}(xs)     xs: float64[b, n]
    dot(a, x)     a: float64[m, n]   dot(xs, a.T)   one library call for the whole batch
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nbgraph.tensor as nt
from nbgraph.tensor.batching import Batch, batches, unbatched, vectorize_graph
from nbgraph.tensor.creation import ARange, Eye
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.join import Join
from nbgraph.tensor.linear import BatchedDot, Dot
from nbgraph.tensor.linear_forms import Gemm, Gemv
from nbgraph.tensor.purpose import made_for
from nbgraph.tensor.reduction import ArgReduce, Cumulative, LinearRecurrence, Reduce
from nbgraph.tensor.shape import BroadcastTo, DimShuffle, Length, MakeVector, Reshape, SpecifyShape
from nbgraph.tensor.special import HeldConstant

LENGTHS = "its lengths would differ from element to element of the batch"
unbatched(ARange, LENGTHS)
unbatched(Eye, LENGTHS)


@batches(Elemwise)
def elementwise(batch: Batch) -> list[Any]:
    """Each input with its axes under those of the output."""
    core = batch.node.outputs[0].type.ndim
    return [batch.op(*(batch.padded(place, core) for place in range(len(batch.inputs))))]


@batches(HeldConstant)
def same_for_each_element(batch: Batch) -> list[Any]:
    """The Op itself: it does not look at axes. For Ops of one input and one output of its shape."""
    return [batch.op(batch.inputs[0])]


# Shapes -------------------------------------------------------------------------------------------------------------

@batches(DimShuffle)
def dimshuffle(batch: Batch) -> list[Any]:
    """Batch axes stay in front."""
    order = [axis if axis == "x" else axis + batch.count for axis in batch.op.order]
    return [nt.dimshuffle(batch.inputs[0], *range(batch.count), *order)]


@batches(Reshape)
def reshape(batch: Batch) -> list[Any]:
    """To the same lengths, batch axes in front."""
    x, *lengths = batch.inputs
    batch.refuse(range(1, len(batch.inputs)), LENGTHS)
    return [made_for(Reshape(), batch.op.purpose)(x, *batch.lengths, *lengths)]


@batches(BroadcastTo)
def broadcast_to(batch: Batch) -> list[Any]:
    """To the same lengths, batch axes in front."""
    lengths = batch.inputs[1:]
    batch.refuse(range(1, len(batch.inputs)), LENGTHS)
    return [made_for(BroadcastTo(), batch.op.purpose)(batch.padded(0, len(lengths)), *batch.lengths, *lengths)]


@batches(SpecifyShape)
def specify_shape(batch: Batch) -> list[Any]:
    """The same lengths of the same axes."""
    batch.refuse(range(1, len(batch.inputs)), LENGTHS)
    axes = [axis + batch.count for axis in batch.op.axes]
    return [made_for(SpecifyShape(axes), batch.op.purpose)(*batch.inputs)]


@batches(Length)
def length(batch: Batch) -> list[Any]:
    """The length is the same for each element of the batch: it has no batch axes."""
    return [nt.lengths_of(batch.inputs[0])[batch.op.axis + batch.count]]


@batches(MakeVector)
def make_vector(batch: Batch) -> list[Any]:
    """The scalars along a last axis."""
    return [nt.stack([batch.spread(place) for place in range(len(batch.inputs))], axis=batch.count)]


@batches(Join)
def join(batch: Batch) -> list[Any]:
    """Along the same axis; inputs without batch axes are repeated."""
    return [Join(batch.op.axis + batch.count)(*map(batch.spread, range(len(batch.inputs))))]


# Axes ---------------------------------------------------------------------------------------------------------------

@batches(Reduce)
def reduce(batch: Batch) -> list[Any]:
    """Over the same axes."""
    op = batch.op
    axes = [axis + batch.count for axis in op.axes]
    return [Reduce(op.kind, axes, op.dtype, op.acc_dtype, op.of_nothing)(batch.inputs[0])]


@batches(ArgReduce)
def arg_reduce(batch: Batch) -> list[Any]:
    """Over the same axes."""
    return [ArgReduce(batch.op.kind, [axis + batch.count for axis in batch.op.axes])(batch.inputs[0])]


@batches(Cumulative)
def cumulative(batch: Batch) -> list[Any]:
    """Along the same axis."""
    return [Cumulative(batch.op.kind, batch.op.axis + batch.count)(batch.inputs[0])]


@batches(LinearRecurrence)
def linear_recurrence(batch: Batch) -> list[Any]:
    """Along the same axis; both of one shape."""
    return [LinearRecurrence(batch.op.axis + batch.count)(batch.spread(0), batch.spread(1))]


# Products -----------------------------------------------------------------------------------------------------------

@batches(Dot)
def dot(batch: Batch) -> list[Any]:
    """One library call where only one operand has batch axes; a product for each element where both have."""
    (x, y), rows = batch.inputs, batch.core(0) == 2
    if not batch.counts[1]:
        return [nt.dot(x, y)]
    if batch.counts[0]:
        return [_dot_of_both(batch)]
    if batch.core(1) == 1:
        return [nt.dot(y, x.T)]
    z = nt.dot(x, y)
    return [nt.dimshuffle(z, *range(1, batch.count + 1), 0, batch.count + 1) if rows else z]


def _dot_of_both(batch: Batch) -> Any:
    x, y = batch.inputs
    if batch.core(0) == batch.core(1) == 1:
        return nt.sum(x * y, axis=-1, dtype=batch.node.outputs[0].type.dtype)
    z = nt.matmul(nt.expand_dims(x, -2) if batch.core(0) == 1 else x,
                  nt.expand_dims(y, -1) if batch.core(1) == 1 else y)
    gone = [axis for axis, core in ((z.type.ndim - 2, batch.core(0)), (z.type.ndim - 1, batch.core(1))) if core == 1]
    return nt.squeeze(z, gone)


@batches(BatchedDot)
def batched_dot(batch: Batch) -> list[Any]:
    """The product of each pair of matrices; batch axes of one operand alone are further rows or columns."""
    (x, y), n = batch.inputs, batch.count
    if not batch.counts[1]:
        z = nt.batched_tensordot(nt.dimshuffle(x, n, *range(n), n + 1, n + 2), y, ([n + 2], [1]))
        return [nt.dimshuffle(z, *range(1, n + 1), 0, n + 1, n + 2)]
    if not batch.counts[0]:
        z = nt.batched_tensordot(x, nt.dimshuffle(y, n, n + 1, *range(n), n + 2), ([2], [1]))
        return [nt.dimshuffle(z, *range(2, n + 2), 0, 1, n + 2)]
    # matmul would broadcast a number of matrices that is known to be 1.
    known = [batch.inputs[i].type.shape[batch.counts[i]] for i in (0, 1)]
    x, y = (nt.specify_shape(v, [None] * batch.counts[i] + [1 if 1 in known else None, None, None])
            for i, v in enumerate((x, y)))
    return [nt.matmul(x, y)]


@batches(Gemm, Gemv)
def added_product(batch: Batch) -> list[Any]:
    """As the sum and the product that it stands for."""
    return through(batch, lambda c, alpha, a, b, beta: beta * c + alpha * Dot()(a, b))


def through(batch: Batch, expression: Callable[..., Any]) -> list[Any]:
    """The rule for a node that computes the same as `expression` of its inputs, by the rules of what that is."""
    leaves = [v.type() for v in batch.node.inputs]
    return [vectorize_graph(expression(*leaves), dict(zip(leaves, batch.inputs, strict=True)))]
