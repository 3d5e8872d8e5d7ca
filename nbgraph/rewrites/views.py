"""Rules on views and casts: what changes nothing goes, two in a row become one.

    dimshuffle(1, 0) of dimshuffle(1, 0) of x   ->   x
    broadcast_to(0., n) + y, y of length n      ->   0. + y       the loop broadcasts a scalar for nothing
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.gradient.blocks import GradientRule, consider_constant, disconnected_grad, grad_clip
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.graph.verify import can_stand_for
from nbgraph.rewrites.driver import Context
from nbgraph.rewrites.rule import node_rule
from nbgraph.tensor import dtypes
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.shape import BroadcastTo, DimShuffle, Reshape, SpecifyShape
from nbgraph.tensor.special import HeldConstant


def _cast_examples() -> Iterable[Any]:
    return [nt.tensor_copy(x) for x in (nt.dvector("x"), nt.imatrix("i"), nt.zscalar("z"))]


def _cast_near_misses() -> Iterable[Any]:
    return [nt.cast(nt.dvector("x"), "float32"), nt.cast(nt.ivector("i"), "int64")]


@node_rule(*(f"cast_{d}" for d in dtypes.ALL), example=_cast_examples, near_misses=_cast_near_misses)
def cast_to_same(node: Apply) -> Variable | None:
    """cast(x, dtype of x) -> x"""
    (x,) = node.inputs
    return x if x.type.dtype == node.outputs[0].type.dtype else None


def _cast_twice_examples() -> Iterable[Any]:
    x, i = nt.fvector("x"), nt.tensor("i", dtype="int8", shape=(None,))
    return [nt.cast(nt.cast(x, "float64"), "float32"), nt.cast(nt.cast(i, "int32"), "float64")]


def _cast_twice_near_misses() -> Iterable[Any]:
    x, i = nt.dvector("x"), nt.ivector("i")
    return [nt.cast(nt.cast(x, "float32"), "float64"), nt.cast(nt.cast(i, "int8"), "int64"),
            nt.cast(nt.cast(x, "bool"), "float64"), nt.cast(nt.cast(nt.lvector("l"), "float64"), "int64")]


@node_rule(*(f"cast_{d}" for d in dtypes.ALL), example=_cast_twice_examples, near_misses=_cast_twice_near_misses)
def cast_of_widening_cast(node: Apply) -> Variable | None:
    """cast(cast(x, wider), dtype) -> cast(x, dtype)     where the first cast keeps every value"""
    (inner,) = node.inputs
    if not _is_cast(inner):
        return None
    (x,) = inner.owner.inputs
    if not _keeps_every_value(x.type.dtype, inner.type.dtype):
        return None
    target = node.outputs[0].type.dtype
    if x.type.dtype in dtypes.CONTINUOUS and target not in (*dtypes.CONTINUOUS, "bool"):
        return None  # what NaN and numbers out of range become depends on the dtype they come from
    if x.type.dtype in dtypes.COMPLEX and target in dtypes.FLOATS:
        return None
    return nt.cast(x, target)


def _keeps_every_value(source: str, target: str) -> bool:
    # NumPy calls int64 to float64 safe, which rounds beyond 2**53.
    rounds = source in ("int64", "uint64") and target in dtypes.CONTINUOUS
    return not rounds and bool(np.can_cast(source, target, "safe"))


def _is_cast(x: Any) -> bool:
    return x.owner is not None and isinstance(x.owner.op, Elemwise) and x.owner.op.function.name.startswith("cast_")


def _real_examples() -> Iterable[Any]:
    return [nt.conj(nt.dvector("x")), nt.real(nt.fmatrix("x"))]


def _real_near_misses() -> Iterable[Any]:
    return [nt.conj(nt.zvector("z")), nt.real(nt.zvector("z"))]


@node_rule("conj", "real", example=_real_examples, near_misses=_real_near_misses)
def conj_of_real(node: Apply) -> Variable | None:
    """conj(x) -> x, real(x) -> x     for x that is not complex"""
    (x,) = node.inputs
    return x if x.type.dtype not in dtypes.COMPLEX else None


def _identity_examples() -> Iterable[Any]:
    x = nt.dvector("x")
    return [HeldConstant()(x), consider_constant(x), grad_clip(x, -1, 1), disconnected_grad(x)]


@node_rule(HeldConstant, GradientRule, example=_identity_examples, near_misses=lambda: [nt.exp(nt.dvector("x"))])
def gradient_rule_done(node: Apply) -> Variable | None:
    """consider_constant(x) -> x, grad_clip(x) -> x …     they had their say when gradients were taken"""
    return node.inputs[0]


def _dimshuffle_examples() -> Iterable[Any]:
    x, y = nt.dmatrix("x"), nt.dvector("y")
    return [x.T.T, y.dimshuffle("x", 0).dimshuffle(1, 0), y.dimshuffle("x", 0, "x").dimshuffle(1),
            DimShuffle((0, 1))(x)]


@node_rule(DimShuffle, example=_dimshuffle_examples, near_misses=lambda: [nt.dmatrix("x").T])
def dimshuffle_of_dimshuffle(node: Apply) -> Variable | None:
    """dimshuffle(dimshuffle(x, a), b) -> dimshuffle(x, a[b]); dimshuffle(x, 0, 1, …) -> x"""
    (x,) = node.inputs
    op: Any = node.op
    order = op.order
    if order == tuple(range(x.type.ndim)):
        return x
    if x.owner is None or not isinstance(x.owner.op, DimShuffle):
        return None
    inner = x.owner.op.order
    return nt.dimshuffle(x.owner.inputs[0], *("x" if axis == "x" else inner[axis] for axis in order))


def _reshape_examples() -> Iterable[Any]:
    x, y = nt.tensor("x", dtype="float64", shape=(2, 3)), nt.dmatrix("y")
    return [Reshape()(nt.reshape(x, (3, 2)), 6), Reshape()(x, 2, 3), Reshape()(y, *nt.lengths_of(y)),
            Reshape()(nt.reshape(y, (-1,)), *nt.lengths_of(y))]


@node_rule(Reshape, example=_reshape_examples,
           near_misses=lambda: [nt.reshape(nt.tensor("x", dtype="float64", shape=(2, 3)), (3, 2))])
def reshape_of_reshape(node: Apply, context: Context) -> Variable | None:
    """reshape(reshape(x, n), m) -> reshape(x, m); reshape(x, shape of x) -> x

    The first only where lengths are known to fit, so that a wrong number of elements stays an error of its own line.
    """
    x, *lengths = node.inputs
    if _has_shape(context, x, lengths):
        return x
    if x.owner is None or not isinstance(x.owner.op, Reshape):
        return None
    source = x.owner.inputs[0]
    if _has_shape(context, source, lengths):
        return source
    known = None not in source.type.shape and None not in x.type.shape
    return Reshape()(source, *lengths) if known else None


def _has_shape(context: Context, x: Any, lengths: list[Any]) -> bool:
    own = context.shapes.of(x)
    return len(own) == len(lengths) and all(context.shapes.same(n, m) for n, m in zip(own, lengths, strict=True))


def _broadcast_examples() -> Iterable[Any]:
    x, y = nt.dmatrix("x"), nt.dscalar("y")
    n = nt.lscalar("n")
    return [BroadcastTo()(x, *nt.lengths_of(x)), nt.broadcast_to(nt.broadcast_to(y, (n,)), (2, n))]


def _broadcast_near_misses() -> Iterable[Any]:
    x, y = nt.dvector("x"), nt.dvector("y")
    return [BroadcastTo()(x, *nt.lengths_of(y)), nt.broadcast_to(nt.dscalar("s"), (3,))]


@node_rule(BroadcastTo, example=_broadcast_examples, near_misses=_broadcast_near_misses)
def broadcast_to_same(node: Apply, context: Context) -> Variable | None:
    """broadcast_to(x, shape of x) -> x; broadcast_to(broadcast_to(scalar, n), m) -> broadcast_to(scalar, m)"""
    x, *lengths = node.inputs
    if _has_shape(context, x, lengths):
        # Where the types know different lengths, the driver would have to broadcast x again.
        return x if can_stand_for(node.outputs[0].type, x.type) else None
    if x.owner is None or not isinstance(x.owner.op, BroadcastTo) or x.owner.inputs[0].type.ndim:
        return None
    own, offset = context.shapes.of(x), len(lengths) - x.type.ndim
    fits = all(x.type.shape[axis] == 1 or context.shapes.same(n, lengths[offset + axis]) for axis, n in enumerate(own))
    return nt.broadcast_to(x.owner.inputs[0], tuple(lengths)) if fits else None


def _operand_examples() -> Iterable[Any]:
    x, s, r = nt.dmatrix("x"), nt.dscalar("s"), nt.drow("r")
    return [x * nt.fill(x, s), nt.exp(x) + nt.fill(x, s), nt.fill(x, r) / x,
            nt.tensor("y", dtype="float64", shape=(3,)) * nt.broadcast_to(s, (3,))]


def _operand_near_misses() -> Iterable[Any]:
    x, y, s = nt.dvector("x"), nt.dvector("y"), nt.dscalar("s")
    return [x * nt.fill(y, s), nt.fill(x, s) * nt.fill(y, s)]


def _elemwise(context: Context, node: Apply) -> list[Variable] | None:
    """The node's inputs without BroadcastTo where another input has the same shape; None where nothing changes."""
    kept = list(node.inputs)
    ndim = node.outputs[0].type.ndim
    for position, x in enumerate(node.inputs):
        if x.owner is None or not isinstance(x.owner.op, BroadcastTo) or x.type.ndim != ndim:
            continue
        others = [v for i, v in enumerate(kept) if i != position]
        if any(v.type.ndim == ndim and context.shapes.same_shape(v, x) for v in others):
            kept[position] = x.owner.inputs[0]
    return kept if any(a is not b for a, b in zip(kept, node.inputs, strict=True)) else None


@node_rule(example=_operand_examples, near_misses=_operand_near_misses)
def broadcast_operand(node: Apply, context: Context) -> Variable | None:
    """f(x, broadcast_to(y, shape of x)) -> f(x, y)     Elemwise broadcasts by itself"""
    if not isinstance(node.op, Elemwise) or node.op.function.nin == 1:
        return None
    kept = _elemwise(context, node)
    return None if kept is None else node.op(*kept)


def _outer_examples() -> Iterable[Any]:
    x, s, n = nt.dvector("x"), nt.dscalar("s"), nt.lscalar("n")
    same = nt.fill(x, s)
    return [nt.exp(nt.fill(x, s)), nt.broadcast_to(s, (n, 3)) * nt.dscalar("t"), nt.maximum(same, -2 * same) * 3]


@node_rule(example=_outer_examples, near_misses=lambda: [nt.dvector("x") + nt.fill(nt.dvector("y"), 1.0)])
def broadcast_after(node: Apply) -> Variable | None:
    """f(broadcast_to(s, n), t) -> broadcast_to(f(s, t), n)     for scalars s, t: computed once

    Not functions that may fail: over no elements they do not.
    """
    if not isinstance(node.op, Elemwise) or node.op.function.needs:
        return None
    wide = list(dict.fromkeys(v for v in node.inputs if v.type.ndim))
    if len(wide) != 1 or wide[0].owner is None or not isinstance(wide[0].owner.op, BroadcastTo):
        return None
    scalar, *lengths = wide[0].owner.inputs
    if scalar.type.ndim:
        return None
    return nt.broadcast_to(node.op(*(scalar if v is wide[0] else v for v in node.inputs)), tuple(lengths))


def _scalar_examples() -> Iterable[Any]:
    x, s = nt.dmatrix("x"), nt.dscalar("s")
    spread = s.dimshuffle("x", "x")
    return [x * spread, spread - nt.drow("r"), nt.exp(s).dimshuffle("x") + x, x / nt.constant([[2.0]]),
            nt.broadcast_to(spread, (3, 2)), nt.broadcast_to(nt.constant([1.5]), (nt.lscalar("n"),))]


def _scalar_near_misses() -> Iterable[Any]:
    x, s = nt.dvector("x"), nt.dscalar("s")
    return [s.dimshuffle("x", "x") * x, nt.exp(s.dimshuffle("x")), x.dimshuffle("x", 0) * s,
            x * nt.constant([1.0, 2.0])]


@node_rule(example=_scalar_examples, near_misses=_scalar_near_misses)
def scalar_operand(node: Apply) -> Variable | None:
    """f(x, dimshuffle("x", "x") of s) -> f(x, s)     scalars are literals and registers in a loop, arrays are not

    Only where another operand gives the result its axes. broadcast_to takes a scalar as it is, too.
    """
    spreads = isinstance(node.op, BroadcastTo)
    if not spreads and (not isinstance(node.op, Elemwise) or node.op.function.nin == 1):
        return None
    narrow = [_scalar_of(v) for v in (node.inputs[:1] if spreads else node.inputs)]
    if not any(v is not None for v in narrow):
        return None
    inputs = [old if new is None else new for old, new in zip(node.inputs, narrow, strict=False)]
    fresh: Any = node.op(*inputs, *node.inputs[len(inputs):])
    return fresh if fresh.type == node.outputs[0].type else None


def _scalar_of(x: Any) -> Any:
    """The scalar that `x`, an array of axes of length 1, consists of; None for anything else."""
    if isinstance(x, Constant):
        return nt.constant(x.data.reshape(())) if set(np.shape(x.data)) == {1} else None
    if x.owner is None or not isinstance(x.owner.op, DimShuffle):
        return None
    (source,) = x.owner.inputs
    return source if source.type.ndim == 0 else None


def _specify_examples() -> Iterable[Any]:
    x = nt.tensor("x", dtype="float64", shape=(3, None))
    return [SpecifyShape((0,))(x, 3), SpecifyShape((1,))(nt.exp(x), nt.lengths_of(x)[1])]


@node_rule(SpecifyShape, example=_specify_examples,
           near_misses=lambda: [nt.specify_shape(nt.dvector("x"), (3,))])
def specified_shape_known(node: Apply, context: Context) -> Variable | None:
    """specify_shape(x, n) -> x     where x is known to have these lengths"""
    x, *lengths = node.inputs
    op: Any = node.op
    own = context.shapes.of(x)
    known = all(context.shapes.same(own[axis], n) for axis, n in zip(op.axes, lengths, strict=True))
    return x if known else None

