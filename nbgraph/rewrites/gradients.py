"""What only helps when all products of a graph are in their final form: sums of products with cancelling factors.

    (y / sigmoid(z) + w) * (sigmoid(z) * sigmoid(-z))   ->   y * sigmoid(-z) + w * (sigmoid(z) * sigmoid(-z))

A pass of its own after `stability`: multiplied out too early, terms no longer show what they have in common.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import nbgraph.tensor as nt
from nbgraph.graph.basic import Apply, Variable
from nbgraph.rewrites.driver import Context
from nbgraph.rewrites.factors import Product, cancelled, cancels, factors_of
from nbgraph.rewrites.rule import node_rule
from nbgraph.rewrites.softmax import is_function
from nbgraph.tensor import dtypes


def _sum_examples() -> Iterable[Any]:
    y, z = nt.dvector("y"), nt.dvector("z")
    s, t = nt.sigmoid(z), nt.sigmoid(-z)
    return [((1 - y) / t - y / s) * (s * t), s * (y + z / s) * t, (y / s + y) * s]


@node_rule("mul", "true_divide", example=_sum_examples, ulp=64,
           near_misses=lambda: [(nt.dvector("y") + 1 / nt.sigmoid(nt.dvector("z"))) * nt.sigmoid(nt.dvector("v"))])
def sum_of_cancelling_factors(node: Apply, context: Context) -> Variable | None:
    """(a / s + b) * s * t -> a * t + b * s * t     for s = sigmoid(z), which cancels in a term"""
    x = node.outputs[0]
    if x.type.dtype not in dtypes.FLOATS:
        return None
    product = factors_of(x)
    if not any(cancels(v) for v in product.above):
        return None
    for position, factor in enumerate(product.above):
        if not (is_function(factor, "add") or is_function(factor, "sub")):
            continue
        rest = Product(product.above[:position] + product.above[position + 1:], product.below)
        first, second = (_joined(factors_of(v), rest) for v in factor.owner.inputs)
        changed = cancelled(first, context, [*second.above, *second.below])
        if cancelled(second, context, [*first.above, *first.below]) or changed:
            total = factor.owner.op(first.build(), second.build())
            return nt.neg(total) if product.negative else total
    return None


def _joined(one: Product, other: Product) -> Product:
    return Product(one.above + other.above, one.below + other.below, one.negative != other.negative)
