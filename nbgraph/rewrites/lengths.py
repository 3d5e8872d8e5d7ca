"""Shape lifting: a length is worked out from the inputs' lengths, and never computes the array.

    length(0)(exp(x @ w))   ->   length(0)(x)

Besides, the arithmetic of integer scalars that lengths are made of.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import nbgraph.tensor as nt
from nbgraph.graph.basic import Apply, Variable
from nbgraph.rewrites.driver import Context
from nbgraph.rewrites.rule import Sides, node_rule, rule
from nbgraph.rewrites.shapes import as_scalar
from nbgraph.rewrites.values import constant_value
from nbgraph.tensor.shape import Length


def _length_examples() -> Iterable[Any]:
    x, y = nt.dmatrix("x"), nt.tensor("y", dtype="float64", shape=(2, None))
    return [Length(0)(nt.exp(x)), Length(0)(x.T), Length(0)(y), Length(1)(y * 2)]


@node_rule(Length, example=_length_examples, near_misses=lambda: [Length(0)(nt.dvector("x"))])
def length_lifted(node: Any, context: Context) -> Variable | None:
    """length(axis)(op(x, …)) -> what op.infer_shape says of it"""
    (x,) = node.inputs
    length = context.shapes.of(x)[node.op.axis]
    if isinstance(length, Variable) and length.owner is not None and length.owner.op == node.op \
            and length.owner.inputs[0] is x:
        return None
    return as_scalar(length)


@rule(kinds=("int",))
def integer_times_zero(n: Any) -> Sides:
    """n * 0 -> 0     integers only: a float may be NaN or infinite"""
    return n * 0, nt.zeros_like(n)


@rule(kinds=("int", "bool"))
def integer_minus_itself(n: Any) -> Sides:
    """n - n -> 0     integers only"""
    return n - n, nt.zeros_like(n)


@rule(kinds=("int",))
def integer_divided_by_one(n: Any) -> Sides:
    """n // 1 -> n     integers only: a float is rounded"""
    return nt.floor_divide(n, 1), n


@rule(kinds=("int", "bool", "float"))
def minimum_with_itself(x: Any) -> Sides:
    """minimum(x, x) -> x"""
    return nt.minimum(x, x), x


@rule(kinds=("int", "bool", "float"))
def maximum_with_itself(x: Any) -> Sides:
    """maximum(x, x) -> x"""
    return nt.maximum(x, x), x


def _length_floor_examples() -> Iterable[Any]:
    n = Length(0)(nt.dvector("x"))
    return [nt.maximum(n, 0), nt.maximum(0, n)]


@node_rule("maximum", example=_length_floor_examples,
           near_misses=lambda: [nt.maximum(nt.lscalar("n"), 0), nt.maximum(Length(0)(nt.dvector("x")), 1)])
def length_is_not_negative(node: Apply) -> Variable | None:
    """maximum(length, 0) -> length"""
    for x, bound in (node.inputs, node.inputs[::-1]):
        value = constant_value(bound)
        if value is not None and value <= 0 and x.owner is not None and isinstance(x.owner.op, Length):
            return nt.cast(x, node.outputs[0].type.dtype)
    return None


def _sum_examples() -> Iterable[Any]:
    n = nt.lscalar("n")
    return [(n + 2) + 3, (n - 2) + 5, (n + 2) - 2, 3 + (2 + n)]


@node_rule("add", "sub", example=_sum_examples,
           near_misses=lambda: [(nt.dscalar("x") + 2) + 3, (2 - nt.lscalar("n")) - 1])
def integer_constants_added(node: Apply) -> Variable | None:
    """(n + 2) + 3 -> n + 5     int64 only: floats would round differently, small integers wrap elsewhere"""
    parts = _with_constant(node.outputs[0])
    inner = None if parts is None else _with_constant(parts[0])
    if parts is None or inner is None:
        return None
    total = parts[1] + inner[1]
    if abs(total) >= 2**62:
        return None
    return inner[0] if total == 0 else nt.add(inner[0], nt.constant(total, dtype="int64"))


def _with_constant(x: Any) -> tuple[Any, int] | None:
    """(n, c) where x is the int64 scalar n + c or n - c."""
    if x.owner is None or x.type.dtype != "int64" or x.type.ndim or str(x.owner.op) not in ("add", "sub"):
        return None
    one, other = x.owner.inputs
    value = constant_value(other)
    if value is not None and one.type.dtype == "int64":
        return one, int(value) if str(x.owner.op) == "add" else -int(value)
    value = constant_value(one)
    if value is not None and other.type.dtype == "int64" and str(x.owner.op) == "add":
        return other, int(value)
    return None
