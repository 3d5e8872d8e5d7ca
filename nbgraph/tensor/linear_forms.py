"""Gemm and Gemv: a product added to an array in one library call. Rewriting makes them, users write + and dot.

    Gemm()(C, alpha, A, B, beta)     beta * C + alpha * dot(A, B)      matrices
    Gemv()(y, alpha, A, x, beta)     beta * y + alpha * dot(A, x)      y and x vectors

They come in when gradients have been taken, and have none themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, ShapeError
from nbgraph.graph.basic import Apply
from nbgraph.graph.expression import Written, call, infix
from nbgraph.graph.op import Op
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.linear import dot_error

_FIX = "the array that is added must have the shape of the product"


class AddedProduct(Op):
    """What Gemm and Gemv share: inputs (c, alpha, a, b, beta) of one dtype, alpha and beta scalars, output like c.

    Neither alpha nor beta may be 0: a library call then skips the other factor, and its NaN with it.

    Raises
    ------
    DTypeError   dtypes differ, or are no float or complex dtype
    ShapeError   wrong ranks, or lengths that do not fit (when built where known, else at run time)
    """

    __props__ = ()
    ranks: tuple[int, int, int]

    def make_node(self, c: Any, alpha: Any, a: Any, b: Any, beta: Any) -> Apply:
        c, a, b = (nt.as_tensor_variable(x) for x in (c, a, b))
        alpha, beta = (nt.weak_constant(x, c.type.dtype) if dtypes.weak_kind(x) else nt.as_tensor_variable(x)
                       for x in (alpha, beta))
        found = {x.type.dtype for x in (c, alpha, a, b, beta)}
        if len(found) > 1 or not found <= set(dtypes.CONTINUOUS):
            raise DTypeError(self, f"takes operands of one float or complex dtype, got {', '.join(sorted(found))}",
                             line=user_line(), c=c, a=a, b=b, fix="cast them with .astype(...)")
        if tuple(x.type.ndim for x in (c, a, b, alpha, beta)) != (*self.ranks, 0, 0):
            raise ShapeError(self, f"takes {self.ranks} axes and two scalars, got {c.type}, {a.type}, {b.type}",
                             line=user_line(), c=c, a=a, b=b, fix="use nt.dot and + for other ranks")
        product = (*a.type.shape[:1], *b.type.shape[1:])
        pairs = [*zip(c.type.shape, product, strict=True), (a.type.shape[1], b.type.shape[0])]
        if any(n is not None and m is not None and n != m for n, m in pairs):
            raise ShapeError(self, f"lengths do not fit: {c.type} + {a.type} @ {b.type}", line=user_line(), c=c, a=a,
                             b=b, fix=_FIX)
        shape = [m if n is None else n for n, m in zip(c.type.shape, product, strict=True)]
        return Apply(self, [c, alpha, a, b, beta], [c.type.clone(shape=shape)()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        c, alpha, a, b, beta = inputs
        if a.shape[1] != b.shape[0]:
            raise dot_error(node, a.shape, b.shape)
        if c.shape != (*a.shape[:1], *b.shape[1:]):
            raise added_shape_error(node, c.shape, (*a.shape[:1], *b.shape[1:]))
        with np.errstate(all="ignore"):
            output_storage[0][0] = np.asarray(beta * c + alpha * np.dot(a, b), dtype=node.outputs[0].type.dtype)

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        return [tuple(shapes[0])]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """c + dot(a, b), 2 * c - 3 * dot(a, b)"""
        c, alpha, a, b, beta = arguments
        left = c if beta.text == "1" else infix("*", beta, c)
        minus, size = alpha.text.startswith("-"), Written(alpha.text.removeprefix("-"), alpha.binds)
        product = call("dot", a, b)
        return infix("-" if minus else "+", left, product if size.text == "1" else infix("*", size, product))

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        """A multiplication and an addition for each term, and two for each element that is added."""
        size = int(np.prod(outputs[0], dtype=np.int64))
        return 2 * size * (int(inputs[2][1]) + 1)


class Gemm(AddedProduct):
    """z[i, j] = beta * c[i, j] + alpha * sum_k a[i, k] b[k, j]"""

    ranks = (2, 2, 2)

    def __str__(self) -> str:
        return "gemm"


class Gemv(AddedProduct):
    """z[i] = beta * c[i] + alpha * sum_k a[i, k] b[k]"""

    ranks = (1, 2, 1)

    def __str__(self) -> str:
        return "gemv"


def added_shape_error(node: Apply, added: Sequence[int], product: Sequence[int]) -> ShapeError:
    """The error for an array that has not the shape of the product it is added to, at run time."""
    return ShapeError(node.op, f"an array of shape {tuple(added)} is added to a product of shape {tuple(product)}",
                      line=node.line, c=node.inputs[0], a=node.inputs[2], b=node.inputs[3], fix=_FIX)
