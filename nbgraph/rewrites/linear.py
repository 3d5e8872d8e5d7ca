"""Library forms: a product that is scaled and added to an array of its shape becomes one call.

    W - 0.1 * dot(X, R)   ->   gemm(W, -0.1, X, R, 1.0)

Only where nothing else reads the product, and where the sum is not read by elementwise Ops alone: their loop does the
addition for nothing. Scales are constants: with a scale of 0 the library would skip a factor, and its NaN with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.graph.basic import Apply, Variable
from nbgraph.rewrites.driver import Context
from nbgraph.rewrites.rule import node_rule
from nbgraph.rewrites.softmax import is_function
from nbgraph.rewrites.values import constant_value
from nbgraph.tensor import dtypes
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.linear import Dot
from nbgraph.tensor.linear_forms import Gemm, Gemv


def _examples() -> Iterable[Any]:
    a, b, c = nt.dmatrices("a", "b", "c")
    x, y, f = nt.dvector("x"), nt.dvector("y"), nt.fmatrix("f")
    z = nt.zmatrix("z")
    return [c + nt.dot(a, b), c - 0.5 * nt.dot(a, b), nt.dot(a, b) - c, 2 * c + nt.dot(a.T, b) * 3, y + nt.dot(a, x),
            y - nt.dot(x, a), -nt.dot(a, x) - y, f.T - 0.5 * nt.dot(f, f), z + nt.dot(z, z)]


def _near_misses() -> Iterable[Any]:
    a, b, c = nt.dmatrices("a", "b", "c")
    x, s, product = nt.dvector("x"), nt.dscalar("s"), nt.dot(a, b)
    return [nt.dot(a, b) + x, nt.dot(a, b) + s, nt.dot(a, x) + nt.dmatrix("m"), c + s * nt.dot(a, b),
            (c + product) * nt.sum(product), nt.exp(c + nt.dot(a, b)), nt.drow("r") + nt.dot(a, b),
            nt.lmatrix("i") + nt.dot(nt.lmatrix("j"), nt.lmatrix("k")), c + np.inf * nt.dot(a, b), nt.dot(x, x) + s]


@node_rule("add", "sub", example=_examples, near_misses=_near_misses, ulp=32)
def product_added(node: Apply, context: Context) -> Variable | None:
    """beta * c + alpha * dot(a, b) -> gemm(c, alpha, a, b, beta), or gemv for a vector"""
    out = node.outputs[0]
    if out.type.dtype not in dtypes.CONTINUOUS or out.type.ndim not in (1, 2) or _read_by_loops_only(context, out):
        return None
    left, right = node.inputs
    minus = -1.0 if is_function(out, "sub") else 1.0
    for product, sign, added, other_sign in ((right, minus, left, 1.0), (left, 1.0, right, minus)):
        alpha, dot = _scaled(context, product, sign)
        if dot.owner is None or not isinstance(dot.owner.op, Dot) or not context.has_one_reader(dot):
            continue
        beta, c = _scaled(context, added, other_sign)
        if dot.type.dtype == c.type.dtype == out.type.dtype and dot.type.broadcastable == c.type.broadcastable:
            return _form(c, alpha, dot.owner.inputs[0], dot.owner.inputs[1], beta)
    return None


def _form(c: Any, alpha: float, a: Any, b: Any, beta: float) -> Variable | None:
    if a.type.ndim == 2 and b.type.ndim == 2:
        return Gemm()(c, alpha, a, b, beta)
    if a.type.ndim == 1:
        a, b = b.T, a
    return Gemv()(c, alpha, a, b, beta) if (a.type.ndim, b.type.ndim) == (2, 1) else None


def _read_by_loops_only(context: Context, x: Any) -> bool:
    readers = context.readers(x)
    return bool(readers) and all(reader is not None and isinstance(reader.op, Elemwise) for reader in readers)


def _scaled(context: Context, x: Any, scale: float) -> tuple[float, Any]:
    """(c, y) where scale * x is c * y, and nothing but this reads x; c finite and not 0."""
    if not context.has_one_reader(x):
        return scale, x
    if is_function(x, "neg"):
        return -scale, x.owner.inputs[0]
    if is_function(x, "mul"):
        for factor, y in (x.owner.inputs, x.owner.inputs[::-1]):
            value = constant_value(factor)
            if value is not None and value != 0 and np.isfinite(value) and factor.type.ndim == 0 and np.isreal(value):
                return scale * float(value.real), y
    return scale, x
