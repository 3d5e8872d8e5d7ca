"""Products into library calls, transposes as flags; the product of two vectors is a loop like any other sum.

    dot(x.T, g)     gemv(1.0, x, True, g, 0.0, out)
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from nbgraph.dispatch.expressions import Call, Element, Expr
from nbgraph.dispatch.reduction import identity_of
from nbgraph.dispatch.rules import Check, Dims, Library, Reduction, Rule, checks, lowers
from nbgraph.graph.basic import Apply, Variable
from nbgraph.tensor.linear import BatchedDot, Dot, batched_dot_error, dot_error
from nbgraph.tensor.linear_forms import Gemm, Gemv, added_shape_error
from nbgraph.tensor.shape import DimShuffle

PRODUCTS = "nbgraph.dispatch.products"


def _untransposed(x: Variable) -> tuple[Variable, bool]:
    """(y, True) where x is y with its last two axes exchanged; else (x, False)."""
    exchanged = {2: (1, 0), 3: (0, 2, 1)}.get(x.type.ndim)
    flag = False
    while x.owner is not None and isinstance(x.owner.op, DimShuffle) and x.owner.op.order == exchanged:
        x, flag = x.owner.inputs[0], not flag
    return x, flag


def _term(node: Apply, index: tuple[Expr, ...]) -> Generator[Element, Expr, Expr]:
    x = yield Element(node.inputs[0], index)
    y = yield Element(node.inputs[1], index)
    dtype = node.outputs[0].type.dtype
    return Call("*", (x, y), (dtype, dtype), dtype)


@lowers(Dot)
def dot(node: Apply) -> Rule:
    """gemm, gemv, or the sum of x[i] * y[i]."""
    x, y = node.inputs
    dtype = node.outputs[0].type.dtype
    if x.type.ndim == y.type.ndim == 1:
        combine = "any" if dtype == "bool" else "sum"
        return Reduction(x, _term, (0,), combine, identity_of(combine, dtype), dtype)
    (a, a_flag), (b, b_flag) = _untransposed(x), _untransposed(y)
    if y.type.ndim == 1:
        return Library(f"{PRODUCTS}.gemv", (1.0, a, a_flag, b, 0.0))
    if x.type.ndim == 1:
        return Library(f"{PRODUCTS}.gemv", (1.0, b, not b_flag, a, 0.0))
    return Library(f"{PRODUCTS}.gemm", (1.0, a, a_flag, b, b_flag, 0.0))


@lowers(BatchedDot)
def batched_dot(node: Apply) -> Library:
    """A gemm for each pair of matrices."""
    (a, a_flag), (b, b_flag) = map(_untransposed, node.inputs)
    return Library(f"{PRODUCTS}.batched_gemm", (a, a_flag, b, b_flag))


@lowers(Gemm)
def gemm(node: Apply) -> Library:
    """out = c; out = alpha * a @ b + beta * out"""
    c, alpha, x, y, beta = node.inputs
    (a, a_flag), (b, b_flag) = _untransposed(x), _untransposed(y)
    return Library(f"{PRODUCTS}.gemm", (alpha, a, a_flag, b, b_flag, beta), out_from=c)


@lowers(Gemv)
def gemv(node: Apply) -> Library:
    """out = c; out = alpha * a @ x + beta * out"""
    c, alpha, matrix, x, beta = node.inputs
    a, flag = _untransposed(matrix)
    return Library(f"{PRODUCTS}.gemv", (alpha, a, flag, x, beta), out_from=c)


def _shapes(node: Apply, dims: Dims, operands: tuple[Variable, Variable], error: Any) -> tuple[Any, Any]:
    first, second = map(dims, operands)

    def report(values: Any) -> Exception:
        return error(node, values[:len(first)], values[len(first):])

    return (*first, *second), report


@checks(Dot)
def inner_lengths_agree(node: Apply, dims: Dims) -> list[Check]:
    """The last length of x is the first of y."""
    x, y = node.inputs
    shown, report = _shapes(node, dims, (x, y), dot_error)
    return [Check("equal", (dims(x)[-1], dims(y)[0]), shown, report, node)]


@checks(BatchedDot)
def batches_agree(node: Apply, dims: Dims) -> list[Check]:
    """As many matrices, and inner lengths that agree."""
    x, y = node.inputs
    shown, report = _shapes(node, dims, (x, y), batched_dot_error)
    return [Check("equal", (dims(x)[0], dims(y)[0]), shown, report, node),
            Check("equal", (dims(x)[2], dims(y)[1]), shown, report, node)]


@checks(Gemm, Gemv)
def product_fits(node: Apply, dims: Dims) -> list[Check]:
    """Inner lengths agree, and the array that is added has the shape of the product."""
    c, _, a, b, _ = node.inputs
    shown, report = _shapes(node, dims, (a, b), dot_error)
    added, product = dims(c), (*dims(a)[:1], *dims(b)[1:])

    def report_added(values: Any) -> Exception:
        return added_shape_error(node, values[:len(added)], values[len(added):])

    return [Check("equal", (dims(a)[1], dims(b)[0]), shown, report, node),
            *(Check("equal", pair, (*added, *product), report_added, node)
              for pair in zip(added, product, strict=True))]
