"""Products and quotients as bags of factors: cancellations that no pattern of two nodes can see.

    y / sigmoid(z) * (sigmoid(z) * sigmoid(-z))   ->   y * sigmoid(-z)

Gradients of losses written in plain spelling are full of these: where sigmoid(z) underflows they are 0 / 0. Only
factors that are 0 or infinite by under- and overflow alone (and at infinite z) cancel: sigmoid, exp, and sums of exp.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import is_
from typing import Any

import nbgraph.tensor as nt
from nbgraph.graph.basic import Apply, Variable
from nbgraph.rewrites.driver import Context
from nbgraph.rewrites.rule import node_rule
from nbgraph.rewrites.softmax import is_function, shifted_softmax, sum_of_exp, without_dimshuffle
from nbgraph.rewrites.values import constant_value
from nbgraph.tensor import dtypes
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.shape import DimShuffle

# A longer product is looked at in pieces of this many factors, so that a chain of n products costs O(n).
FACTORS = 12


@dataclass
class Product:
    """(-1)**negative * product of `above` / product of `below`."""

    above: list[Any]
    below: list[Any]
    negative: bool = False

    def build(self) -> Any:
        """The product as an expression."""
        above, below = _times(self.above), _times(self.below)
        whole = 1.0 if above is None else above
        value = whole if below is None else nt.true_divide(whole, below)
        value = nt.as_tensor_variable(value)
        return nt.neg(value) if self.negative else value


def _times(factors: list[Any]) -> Any:
    product = None
    for factor in factors:
        product = factor if product is None else nt.mul(product, factor)
    return product


def factors_of(x: Any) -> Product:
    """`x` taken apart at mul, true_divide, neg and square, and at dimshuffles of these; at most FACTORS factors."""
    found = Product([], [])
    pending: list[tuple[Any, bool, tuple[DimShuffle, ...]]] = [(x, True, ())]
    while pending:
        factor, is_above, views = pending.pop()
        room = len(pending) + len(found.above) + len(found.below) < FACTORS
        parts = _parts(factor, x.type.dtype) if room else None
        if parts is None or (views and not _keep_axes(factor)):
            for view in reversed(views) if factor.type.ndim else ():
                factor = view(factor)
            (found.above if is_above else found.below).append(factor)
            continue
        found.negative ^= is_function(factor, "neg")
        for part, same_side, view in reversed(parts):
            pending.append((part, is_above == same_side, views if view is None else (*views, view)))
    return found


def _parts(x: Any, dtype: str) -> list[tuple[Any, bool, DimShuffle | None]] | None:
    """(factor, stays on its side of the fraction, view over it) of a product; None where x is a factor itself."""
    node = x.owner
    if node is None:
        return None
    if isinstance(node.op, DimShuffle):
        inner = node.inputs[0]
        return [(inner, True, node.op)] if is_function(inner, "true_divide") and _keep_axes(inner) else None
    if not isinstance(node.op, Elemwise) or any(v.type.dtype != dtype for v in node.inputs):
        return None
    name = node.op.function.name
    if name == "mul":
        return [(v, True, None) for v in node.inputs]
    if name == "true_divide":
        return [(node.inputs[0], True, None), (node.inputs[1], False, None)]
    if name == "neg":
        return [(node.inputs[0], True, None)]
    return [(node.inputs[0], True, None)] * 2 if name == "square" else None


def _keep_axes(x: Any) -> bool:
    """True where a dimshuffle of `x` can be taken of its operands instead: they have its axes, or are scalars."""
    return all(v.type.ndim == 0 or v.type.shape == x.type.shape for v in x.owner.inputs)


def linear_terms(z: Any) -> dict[Any, float]:
    """z as a sum: variable -> coefficient, None -> the constant. Looks through neg, factors and one add or sub.

    Not through two: (x + 1e17) - 1e17 is not x, nor are any three floats added in another order the same number.
    """
    terms: dict[Any, float] = {}
    pending = [(z, 1.0)]
    looked_at = 0
    while pending:
        x, scale = pending.pop()
        looked_at += 1
        value = constant_value(x)
        parts = _linear_parts(x) if looked_at < FACTORS else None
        if parts is not None and len(parts) + len(pending) + len(terms) > 2:
            parts = None
        if value is not None:
            terms[None] = terms.get(None, 0.0) + scale * float(value)
        elif parts is not None:
            pending += [(part, scale * c) for part, c in parts]
        else:
            terms[x] = terms.get(x, 0.0) + scale
    return terms


def _linear_parts(x: Any) -> list[tuple[Any, float]] | None:
    """x as terms (y, c) of a sum of c * y, one step deep."""
    name = x.owner.op.function.name if x.owner is not None and isinstance(x.owner.op, Elemwise) else ""
    if name == "neg":
        return [(x.owner.inputs[0], -1.0)]
    if name in ("add", "sub"):
        return [(x.owner.inputs[0], 1.0), (x.owner.inputs[1], -1.0 if name == "sub" else 1.0)]
    if name == "mul":
        for factor, y in (x.owner.inputs, x.owner.inputs[::-1]):
            if (value := constant_value(factor)) is not None:
                return [(y, float(value))]
    return None


def are_negatives(a: Any, b: Any) -> bool:
    """True where a = -b is known."""
    if a is b:
        return False
    if any(is_function(x, "neg") and x.owner.inputs[0] is y for x, y in ((a, b), (b, a))):
        return True
    one, other = linear_terms(a), linear_terms(b)
    return one.keys() == other.keys() and all(other[x] == -scale for x, scale in one.items())


def cancelled(product: Product, context: Context, witnesses: Sequence[Any] = ()) -> bool:
    """Do in place what cancels in `product`; False where nothing does.

    `witnesses` are factors of what is added to the product: they keep its shape and its check of lengths, too.
    """
    changed = False
    while _cancel_quotient(product, context, witnesses) or _join_sigmoid_with_exp(product) or _shift_softmax(product):
        changed = True
    return changed


def cancels(x: Any) -> bool:
    """True for a factor that is 0 or infinite by under- and overflow alone."""
    return is_function(x, "sigmoid") or is_function(x, "exp") or sum_of_exp(without_dimshuffle(x)) is not None


def _cancel_quotient(product: Product, context: Context, witnesses: Sequence[Any]) -> bool:
    """sigmoid(z) / sigmoid(z) -> 1, where another factor, or a witness, keeps the shape."""
    for i, factor in enumerate(product.above):
        if not cancels(factor):
            continue
        for j, other in enumerate(product.below):
            if other is not factor:
                continue
            above, below = product.above[:i] + product.above[i + 1:], product.below[:j] + product.below[j + 1:]
            if factor.type.ndim == 0 or any(context.shapes.covers(v, factor)
                                                for v in (*above, *below, *witnesses)):
                product.above, product.below = above, below
                return True
    return False


def _join_sigmoid_with_exp(product: Product) -> bool:
    """sigmoid(z) * exp(-z) -> sigmoid(-z), on the same side of the fraction."""
    for side in (product.above, product.below):
        for i, s in enumerate(side):
            if not is_function(s, "sigmoid"):
                continue
            for j, e in enumerate(side):
                if is_function(e, "exp") and are_negatives(e.owner.inputs[0], s.owner.inputs[0]):
                    side[i] = nt.sigmoid(e.owner.inputs[0])
                    del side[j]
                    return True
    return False


def _shift_softmax(product: Product) -> bool:
    """exp(x) / sum(exp(x)) -> exp(x - m) / sum(exp(x - m))"""
    for i, e in enumerate(product.above):
        for j, total in enumerate(product.below):
            quotient = shifted_softmax(e, total)
            if quotient is not None:
                product.above[i], product.below[j] = quotient.owner.inputs
                return True
    return False


def _examples() -> Iterable[Any]:
    y, z, x, v = nt.dvector("y"), nt.dvector("z"), nt.dmatrix("x"), nt.dvector("v")
    s, t = nt.sigmoid(z), nt.sigmoid(-z)
    return [y / s * (s * t), (nt.square(s) * y) * nt.exp(-z), -(s * 2) / (t * s), (y * nt.exp(z)) * t,
            (nt.constant(2.0) / nt.sum(nt.exp(x), 1)).dimshuffle(0, "x") * nt.exp(x),
            (nt.sigmoid(v - z) * y) * nt.exp(z - v),
            (nt.sigmoid(2 * z - 1) * y) * nt.exp(z * -2 + 1), (nt.sigmoid(v + z + y) * y) * nt.exp(-(v + z + y))]


def _near_misses() -> Iterable[Any]:
    y, z = nt.dvector("y"), nt.dvector("z")
    s = nt.sigmoid(z)
    return [y / s * nt.sigmoid(-z), z / y * y, (y * s) * nt.exp(z), (y * nt.tanh(z)) / nt.tanh(z), (y / s) * s,
            (nt.sigmoid((z + 1e17) - 1e17) * y) * nt.exp(-z), (nt.sigmoid(z + (y - z)) * y) * nt.exp(-y)]


@node_rule("mul", "true_divide", example=_examples, near_misses=_near_misses, ulp=16)
def factors_cancel(node: Apply, context: Context) -> Variable | None:
    """s * y / s -> y for s = sigmoid(z); sigmoid(z) * y * exp(-z) -> sigmoid(-z) * y; softmax in its shifted form"""
    x = node.outputs[0]
    if x.type.dtype not in dtypes.FLOATS:
        return None
    product = factors_of(x)
    if not any(cancels(v) for v in product.above + product.below) or not cancelled(product, context):
        return None
    return product.build()


def _difference_examples() -> Iterable[Any]:
    x, z = nt.dvector("x"), nt.dvector("z")
    s = nt.sigmoid(z)
    return [x * s - x * s * s, x - x * s, x * s * nt.exp(x) - nt.exp(x) * x, -(x * s) + x, (x / s) * s - x / s,
            (x - z) * s * s + (z - x) * s]


def _difference_near_misses() -> Iterable[Any]:
    x, z = nt.dvector("x"), nt.dvector("z")
    return [x - z * nt.sigmoid(z), x + x * nt.sigmoid(z), x - x * nt.tanh(z), x - x / nt.sigmoid(z), x - x]


@node_rule("sub", "add", example=_difference_examples, near_misses=_difference_near_misses, ulp=64)
def difference_of_products(node: Apply) -> Variable | None:
    """x - x * sigmoid(z) -> x * sigmoid(-z)     accurate where sigmoid(z) is near 1; x is any product"""
    out = node.outputs[0]
    if out.type.dtype not in dtypes.FLOATS or any(v.type.dtype != out.type.dtype for v in node.inputs):
        return None
    left, right = (factors_of(v) for v in node.inputs)
    right.negative ^= is_function(out, "sub")
    _turn_differences(right, left)
    if left.negative == right.negative:
        return None
    for short, long in ((left, right), (right, left)):
        extra = _one_more(short.above, long.above)
        if extra is None or not is_function(extra, "sigmoid"):
            continue
        if _one_more(short.below, [*long.below, extra]) is extra:
            return Product([*short.above, nt.sigmoid(-extra.owner.inputs[0])], short.below, short.negative).build()
    return None


def _turn_differences(product: Product, model: Product) -> None:
    """Write b - a in `product` as -(a - b) where `model` has a - b."""
    for i, v in enumerate(product.above):
        for w in model.above:
            if is_function(v, "sub") and is_function(w, "sub") and all(map(is_, v.owner.inputs, w.owner.inputs[::-1])):
                product.above[i] = w
                product.negative = not product.negative
                break


def _one_more(short: list[Any], long: list[Any]) -> Any:
    """The factor that `long` has and `short` lacks, where it is the only difference; else None."""
    if len(long) != len(short) + 1:
        return None
    rest = list(long)
    for factor in short:
        place = next((i for i, v in enumerate(rest) if v is factor), None)
        if place is None:
            return None
        del rest[place]
    return rest[0]
