"""The algebraic normal form: neutral elements, signs, powers, constants brought together.

    -(-x) -> x     x + (-y) -> x - y     x ** 2 -> square(x)     2 * (3 * x) -> 6 * x

Values stay what they are, NaN and infinities too: no x * 0 -> 0, no x - x -> 0, no x / x -> 1 in floating point. One
thing is given up: signs of zero (x + 0 -> x keeps the one that the sum would lose, -(x - y) -> y - x exchanges them).
A complex infinity keeps its other part in x * 1 -> x, where the product may make that NaN.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.graph.basic import Apply, Variable
from nbgraph.rewrites.driver import Context
from nbgraph.rewrites.rule import Sides, node_rule, rule
from nbgraph.rewrites.softmax import is_function
from nbgraph.rewrites.values import constant_value
from nbgraph.tensor import dtypes
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.reduction import Reduce
from nbgraph.tensor.shape import DimShuffle

NUMBERS = ("int", "float", "complex")
POSITIVE = (0.1, 4.0)
# Constants beyond these magnitudes are not multiplied together: intermediate values might over- or underflow.
COMBINED = (1e-6, 1e6)


def _negate_alike(x: Any, y: Any) -> bool:
    """False where the negative of one wraps in a smaller integer dtype before it meets the other."""
    return x.type.dtype == y.type.dtype or {x.type.dtype, y.type.dtype} <= set(dtypes.CONTINUOUS)


@rule(kinds=NUMBERS)
def plus_zero(x: Any) -> Sides:
    """x + 0 -> x     -0.0 stays -0.0"""
    return x + 0, x


@rule(kinds=NUMBERS)
def minus_zero(x: Any) -> Sides:
    """x - 0 -> x"""
    return x - 0, x


@rule(kinds=("int", "float", "complex"))
def zero_minus(x: Any) -> Sides:
    """0 - x -> -x     0.0 becomes -0.0"""
    return 0 - x, -x


@rule(kinds=NUMBERS)
def times_one(x: Any) -> Sides:
    """x * 1 -> x"""
    return x * 1, x


@rule(kinds=("float",))
def times_minus_one(x: Any) -> Sides:
    """x * -1 -> -x"""
    return x * -1, -x


@rule(kinds=NUMBERS)
def over_one(x: Any) -> Sides:
    """x / 1 -> x"""
    return x / 1, x


@rule(kinds=("float",))
def over_minus_one(x: Any) -> Sides:
    """x / -1 -> -x"""
    return x / -1, -x


@rule(kinds=("int", "float", "complex"))
def negated_twice(x: Any) -> Sides:
    """-(-x) -> x"""
    return nt.neg(nt.neg(x)), x


@rule(kinds=NUMBERS, where=_negate_alike)
def plus_negative(x: Any, y: Any) -> Sides:
    """x + (-y) -> x - y"""
    return x + (-y), x - y


@rule(kinds=NUMBERS, where=_negate_alike)
def minus_negative(x: Any, y: Any) -> Sides:
    """x - (-y) -> x + y"""
    return x - (-y), x + y


def _difference_examples() -> Iterable[Any]:
    x, y = nt.dvector("x"), nt.dvector("y")
    return [-(x - y), nt.exp(-(1 - x)), -(nt.ivector("i") - 2), -(nt.zscalar("z") - nt.zvector("w"))]


def _difference_near_misses() -> Iterable[Any]:
    read_twice = 1 - nt.dvector("x")
    return [-read_twice * nt.exp(read_twice), -(nt.dvector("x") + nt.dvector("y"))]


@node_rule("neg", example=_difference_examples, near_misses=_difference_near_misses)
def negative_of_difference(node: Apply, context: Context) -> Variable | None:
    """-(x - y) -> y - x     -0.0 where x = y becomes 0.0; not where x - y is needed anyway"""
    (difference,) = node.inputs
    if not is_function(difference, "sub") or len(context.readers(difference)) > 1:
        return None
    x, y = difference.owner.inputs
    return nt.sub(y, x)


@rule(kinds=NUMBERS, where=_negate_alike)
def negative_minus(x: Any, y: Any) -> Sides:
    """(-x) - y -> -(x + y)     one spelling of the negative of a sum"""
    return (-x) - y, -(x + y)


@rule(kinds=("int", "float"), where=_negate_alike)
def product_of_negatives(x: Any, y: Any) -> Sides:
    """(-x) * (-y) -> x * y"""
    return (-x) * (-y), x * y


@rule(kinds=("float",))
def negative_factor(x: Any, y: Any) -> Sides:
    """(-x) * y -> -(x * y)     signs meet further out, and cancel there"""
    return (-x) * y, -(x * y)


@rule(kinds=("float",), domain=POSITIVE)
def negative_numerator(x: Any, y: Any) -> Sides:
    """(-x) / y -> -(x / y)"""
    return (-x) / y, -(x / y)


@rule(kinds=("float",), domain=POSITIVE)
def negative_denominator(x: Any, y: Any) -> Sides:
    """x / (-y) -> -(x / y)"""
    return x / (-y), -(x / y)


@rule(kinds=("float",))
def square_of_negative(x: Any) -> Sides:
    """square(-x) -> square(x)"""
    return nt.square(-x), nt.square(x)


@rule(kinds=("float",))
def abs_of_negative(x: Any) -> Sides:
    """abs(-x) -> abs(x)"""
    return nt.abs(-x), nt.abs(x)


@rule(kinds=("float",), domain=POSITIVE)
def over_reciprocal(x: Any, y: Any) -> Sides:
    """x * (1 / y) -> x / y     1 / y is no longer rounded, and overflows no more for subnormal y"""
    return x * (1 / y), x / y


@rule(kinds=("float",), domain=POSITIVE, near_misses=lambda: [nt.reciprocal(nt.lvector("i")), nt.sqrt(nt.dvector("x"))])
def reciprocal_spelled(x: Any) -> Sides:
    """reciprocal(x) -> 1 / x     one spelling for all rules"""
    return nt.reciprocal(x), 1 / x


@rule(kinds=NUMBERS)
def product_with_itself(x: Any) -> Sides:
    """x * x -> square(x)"""
    return x * x, nt.square(x)


@rule(kinds=NUMBERS)
def power_one(x: Any) -> Sides:
    """x ** 1 -> x"""
    return nt.power(x, 1), x


@rule(kinds=("int", "float"))
def power_two(x: Any) -> Sides:
    """x ** 2 -> square(x)"""
    return nt.power(x, 2), nt.square(x)


@rule(kinds=("float",), domain=POSITIVE, ulp=6)
def power_three(x: Any) -> Sides:
    """x ** 3 -> square(x) * x"""
    return nt.power(x, 3), nt.square(x) * x


@rule(kinds=("float",))
def power_zero(x: Any) -> Sides:
    """x ** 0 -> 1     also for NaN and infinities"""
    return nt.power(x, 0), nt.ones_like(x)


@rule(kinds=("float",), domain=POSITIVE)
def power_half(x: Any) -> Sides:
    """x ** 0.5 -> sqrt(x)     -inf ** 0.5 is inf, sqrt(-inf) NaN; -0.0 ** 0.5 is 0.0, sqrt(-0.0) is -0.0"""
    return nt.power(x, 0.5), nt.sqrt(x)


@rule(kinds=("float",), domain=POSITIVE)
def power_minus_one(x: Any) -> Sides:
    """x ** -1 -> 1 / x"""
    return nt.power(x, -1), 1 / x


@rule(kinds=("float",), domain=POSITIVE)
def power_minus_two(x: Any) -> Sides:
    """x ** -2 -> 1 / square(x)     square(x) over- and underflows where the power does, but for subnormal results"""
    return nt.power(x, -2), 1 / nt.square(x)


def _dimshuffled_examples() -> Iterable[Any]:
    return [(-nt.dmatrix("x")).T, (-nt.dvector("y")).dimshuffle("x", 0)]


@node_rule(DimShuffle, example=_dimshuffled_examples, near_misses=lambda: [nt.exp(nt.dmatrix("x")).T])
def dimshuffle_of_negative(node: Apply) -> Variable | None:
    """dimshuffle(-x) -> -dimshuffle(x)     signs meet further out"""
    (x,) = node.inputs
    return nt.neg(node.op(x.owner.inputs[0])) if _is_negative(x) else None


def _is_negative(x: Any) -> bool:
    return (x.owner is not None and isinstance(x.owner.op, Elemwise) and x.owner.op.function.name == "neg"
            and x.type.dtype in dtypes.CONTINUOUS)


def _summed_examples() -> Iterable[Any]:
    return [nt.sum(-nt.dmatrix("x"), 1), nt.sum(-nt.fvector("f")), nt.sum(-nt.zmatrix("z"), 0)]


def _summed_near_misses() -> Iterable[Any]:
    read_twice = -nt.dvector("x")
    return [nt.max(-nt.dvector("x")), nt.prod(-nt.dvector("x")), nt.sum(-nt.ivector("i")),
            nt.sum(read_twice) * read_twice]


@node_rule(Reduce, example=_summed_examples, near_misses=_summed_near_misses)
def sum_of_negative(node: Any, context: Context) -> Variable | None:
    """sum(-x) -> -sum(x)     floats, where nothing else reads -x: signs meet further out"""
    (x,) = node.inputs
    if node.op.kind != "sum" or not _is_negative(x) or not context.has_one_reader(x):
        return None
    return nt.neg(node.op(x.owner.inputs[0]))


def _scaled_examples() -> Iterable[Any]:
    x = nt.dvector("x")
    return [2 * (3 * x), (x * 2) * 3, (x / 4) * 2, 2 * (x / 3), (3 * x) / 2, -(2 * x), 2 * (-x), (2 / x) * -4,
            (x * 2) / 3, (x / 3) / 4, -(x / 3), 0.5 * (2 * x), 0.5 * (3 / x), nt.fvector("f") * 2 * 3]


def _scaled_near_misses() -> Iterable[Any]:
    x, i = nt.dvector("x"), nt.ivector("i")
    return [2 + (3 * x), 1e300 * (1e10 * x), (2 * i) * 3.0, 0 * (3 * x), np.inf * (2 * x), x * 2, 5 * (3 * x),
            (x * 1e5) * 1e-5, (x / 3) * 3, (2 / x) * 3, (x + 1) - 1, (x - 1) + 1, 0.5 * (x + 3)]


@dataclass(frozen=True)
class Scaled:
    """y * factor, y / divisor or (where `inverted`) factor / y; a divisor that is a power of two is a factor."""

    y: Any
    factor: float = 1.0
    divisor: float = 1.0
    inverted: bool = False


@node_rule("mul", "true_divide", "neg", example=_scaled_examples, near_misses=_scaled_near_misses)
def constant_factors(node: Apply) -> Variable | None:
    """2 * (3 * x) -> 6 * x, 2 * (x / 3) -> x / 1.5, -(2 * x) -> -2 * x     floats; one of the constants a power of two

    Of two other constants the result would be rounded once where it is rounded twice: 10 * (0.1 * x) is not x.
    """
    outer = _scaled(node.outputs[0])
    inner = None if outer is None or outer.inverted else _scaled(outer.y)
    if outer is None or inner is None or not _exact_together(outer, inner):
        return None
    if outer.factor == inner.factor == -1 and inner.divisor == 1:
        return None
    dtype = node.outputs[0].type.dtype
    factor, divisor = outer.factor * inner.factor, outer.divisor * inner.divisor
    if inner.inverted:
        return nt.constant(np.asarray(factor / divisor, dtype)) / inner.y
    if divisor != 1:
        return inner.y / nt.constant(np.asarray(divisor / factor, dtype))
    return nt.neg(inner.y) if factor == -1 else inner.y if factor == 1 else nt.constant(
        np.asarray(factor, dtype)) * inner.y


def _exact_together(outer: Scaled, inner: Scaled) -> bool:
    """True where nothing but one multiplication or division rounds: all other constants are powers of two."""
    if not _power_of_two(outer.factor) or outer.divisor != 1:
        return not inner.inverted and inner.divisor == 1 and _power_of_two(inner.factor)
    return True


def _power_of_two(value: float) -> bool:
    return abs(np.frexp(value)[0]) == 0.5


def _scaled(x: Any) -> Scaled | None:
    """x as a constant times a variable, or over one; floats, moderate constants."""
    node = x.owner
    if node is None or not isinstance(node.op, Elemwise) or x.type.dtype not in dtypes.FLOATS:
        return None
    if any(v.type.dtype != x.type.dtype for v in node.inputs):
        return None
    name = node.op.function.name
    if name == "neg":
        return Scaled(node.inputs[0], -1.0)
    if name == "mul":
        for c, y in (node.inputs, node.inputs[::-1]):
            if (value := _moderate(c)) is not None:
                return Scaled(y, value)
    if name == "true_divide":
        if (value := _moderate(node.inputs[1])) is not None:
            return Scaled(node.inputs[0], 1.0 / value) if _power_of_two(value) else Scaled(node.inputs[0], 1.0, value)
        if (value := _moderate(node.inputs[0])) is not None:
            return Scaled(node.inputs[1], value, inverted=True)
    return None


def _moderate(x: Any) -> float | None:
    value = constant_value(x)
    return None if value is None or not COMBINED[0] <= abs(value) <= COMBINED[1] else float(value)


def _signed_examples() -> Iterable[Any]:
    x, y = nt.dvector("x"), nt.dvector("y")
    return [x + -2.0 * y, x - -2.0 * y, -0.5 * y + x, y * -3.0 + x, nt.fvector("f") - nt.fvector("g") * -2]


@node_rule("add", "sub", example=_signed_examples,
           near_misses=lambda: [nt.dvector("x") - 2.0 * nt.dvector("y"), nt.dvector("x") + -2.0,
                                nt.ivector("i") - -2 * nt.ivector("j"), -2.0 * nt.dvector("y") - nt.dvector("x")])
def negative_constant_added(node: Any) -> Variable | None:
    """x + (-2 * y) -> x - 2 * y, x - (-2 * y) -> x + 2 * y     floats"""
    is_sum = node.op.function.name == "add"
    for x, term in (node.inputs, node.inputs[::-1])[:1 + is_sum]:
        positive = _without_sign(term, node.outputs[0].type.dtype)
        if positive is not None:
            return nt.sub(x, positive) if is_sum else nt.add(x, positive)
    return None


def _without_sign(x: Any, dtype: str) -> Variable | None:
    """2 * y where x is -2 * y; None for anything else."""
    node = x.owner
    if node is None or dtype not in dtypes.FLOATS or str(node.op) != "mul":
        return None
    for factor, y in (node.inputs, node.inputs[::-1]):
        value = constant_value(factor)
        if value is not None and value < 0 and x.type.dtype == dtype == factor.type.dtype:
            return nt.mul(nt.constant(-value), y)
    return None


def _switch_examples() -> Iterable[Any]:
    x, y, c = nt.dvector("x"), nt.dscalar("y"), nt.scalar("c", dtype="bool")
    return [nt.switch(c, x, x), nt.switch(nt.gt(x, 0), x, x), nt.switch(nt.constant(True), x, 2 * x),
            nt.switch(nt.constant(0), x, y + x), nt.switch(nt.constant(0), x, y), nt.switch(nt.constant(1), x, y)]


def _switch_near_misses() -> Iterable[Any]:
    x, y, c = nt.dvector("x"), nt.dvector("y"), nt.vector("c", dtype="bool")
    return [nt.switch(c, x, y), nt.switch(c, x, x), nt.switch(nt.constant(True), x, y)]


@node_rule("switch", example=_switch_examples, near_misses=_switch_near_misses)
def switch_decided(node: Apply, context: Context) -> Variable | None:
    """switch(c, x, x) -> x; switch(true, x, y) -> x; switch(false, x, y) -> y

    Only where no check of lengths is lost: what goes is a scalar, or is known to have the shape of what stays.
    """
    condition, x, y = node.inputs
    value = constant_value(condition)
    if x is not y and value is None:
        return None
    kept, gone = (x, y) if x is y or value else (y, x)
    fits = all(v.type.ndim == 0 or context.shapes.same_shape(v, kept) or kept.type.ndim == 0 for v in (condition, gone))
    return nt.cast(kept, node.outputs[0].type.dtype) if fits else None
