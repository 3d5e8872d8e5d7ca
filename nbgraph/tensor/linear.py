"""Dot and BatchedDot, and the products that are built from them: dot, matmul, tensordot …

    dot(x, y)         float64[n, k], float64[k, m]           ->  float64[n, m]       Dot
    matmul(x, y)      float64[b, n, k], float64[b, k, m]     ->  float64[b, n, m]    BatchedDot

Both Ops see operands of one dtype: others are cast to NumPy's common dtype when the node is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import ShapeError
from nbgraph.graph.basic import Apply
from nbgraph.graph.null_type import DisconnectedType
from nbgraph.graph.op import Op
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.masked import Support, times
from nbgraph.tensor.type import TensorType


class Product(Op):
    """What Dot and BatchedDot share: bilinear, two inputs of one dtype, one output of it."""

    __props__ = ()

    def operands(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Both as tensors of their common dtype."""
        x, y = nt.as_tensor_variable(x), nt.as_tensor_variable(y)
        dtype = dtypes.result_type(x.type.dtype, y.type.dtype)
        return nt.cast(x, dtype), nt.cast(y, dtype)

    def pullbacks(self, x: Any, y: Any, g: Any) -> list[Any]:
        """The gradients of x and y; x and y are conjugated already."""
        raise NotImplementedError

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        (g,) = output_gradients
        if isinstance(g.type, DisconnectedType):
            return [DisconnectedType()() for _ in inputs]
        dtype = dtypes.result_type(*(x.type.dtype for x in inputs))
        if dtypes.is_discrete(dtype):
            return [nt.zeros_like(x, dtype="float64") for x in inputs]
        x, y = (nt.conj(v) if dtype in dtypes.COMPLEX else v for v in inputs)
        return self.pullbacks(x, y, g)

    def support(self, node: Apply, support_of: Support) -> Any:
        """A row of the product is zero where that of x is, and a column where that of y is."""
        (x, y), found = node.inputs, None
        rows, columns = support_of(x), support_of(y)
        if rows is not None:
            found = nt.any(rows, -1, keepdims=y.type.ndim > 1)
        if columns is not None:
            some = nt.any(columns, max(y.type.ndim - 2, 0), keepdims=y.type.ndim > 1 and x.type.ndim > 1)
            found = some if found is None else nt.and_(found, some)
        return None if found is None else nt.broadcast_to(found, nt.lengths_of(node.outputs[0]))

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """d(x y) = dx y + x dy"""
        (x, y), (dx, dy) = inputs, eval_points
        terms = ([] if dx is None else [self(dx, y)]) + ([] if dy is None else [self(x, dy)])
        return [terms[0] + terms[1] if len(terms) == 2 else terms[0] if terms else None]


class Dot(Product):
    """z[i, j] = sum_k x[i, k] y[k, j]; either operand may be a vector, which has no i, or no j.

    Raises
    ------
    ShapeError   the last length of x is not the first of y (when built where known, else at run time)
    """

    def __str__(self) -> str:
        return "dot"

    def make_node(self, x: Any, y: Any) -> Apply:
        x, y = self.operands(x, y)
        if x.type.ndim not in (1, 2) or y.type.ndim not in (1, 2):
            raise ShapeError(self, f"takes vectors and matrices, got {x.type.ndim} and {y.type.ndim} axes",
                             line=user_line(), x=x, y=y,
                             fix="use nt.matmul or nt.tensordot for more axes, * for scalars")
        n, m = x.type.shape[-1], y.type.shape[0]
        if n is not None and m is not None and n != m:
            raise ShapeError(self, f"inner lengths differ: {n} and {m}", line=user_line(), x=x, y=y, fix=_DOT_FIX)
        return Apply(self, [x, y], [TensorType(x.type.dtype, x.type.shape[:-1] + y.type.shape[1:])()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        x, y = inputs
        if x.shape[-1] != y.shape[0]:
            raise dot_error(node, x.shape, y.shape)
        with np.errstate(all="ignore"):
            output_storage[0][0] = np.asarray(np.dot(x, y), dtype=node.outputs[0].type.dtype)

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        return [(*shapes[0][:-1], *shapes[1][1:])]

    def pullbacks(self, x: Any, y: Any, g: Any) -> list[Any]:
        """gx = g y^T and gy = x^T g, with outer products where an operand is a vector."""
        if x.type.ndim == 1 and y.type.ndim == 1:
            return [times(g, y), times(g, x)]
        if y.type.ndim == 1:
            return [_outer(g, y), Dot()(x.T, g)]
        if x.type.ndim == 1:
            return [Dot()(y, g), _outer(x, g)]
        return [Dot()(g, y.T), Dot()(x.T, g)]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        """A multiplication and an addition for each term."""
        return 2 * int(np.prod(outputs[0], dtype=np.int64)) * int(inputs[0][-1])


_DOT_FIX = "the last axis of x and the first axis of y must have the same length; x.T transposes"


def dot_error(node: Apply, x_shape: Sequence[int], y_shape: Sequence[int]) -> ShapeError:
    """The error for a product whose inner lengths differ at run time."""
    if node.op.purpose is not None:
        return node.op.purpose.error(node.line, 0, y_shape[0], x_shape[-1])
    return ShapeError(node.op, f"inner lengths differ: {x_shape[-1]} and {y_shape[0]} (x has shape {tuple(x_shape)}, "
                      f"y has shape {tuple(y_shape)})", line=node.line, x=node.inputs[0], y=node.inputs[1],
                      fix=_DOT_FIX)


class BatchedDot(Product):
    """z[b, i, j] = sum_k x[b, i, k] y[b, k, j]; both operands have the same number of matrices.

    Raises
    ------
    ShapeError   the numbers of matrices or the inner lengths differ (when built where known, else at run time)
    """

    def __str__(self) -> str:
        return "batched_dot"

    def make_node(self, x: Any, y: Any) -> Apply:
        x, y = self.operands(x, y)
        if x.type.ndim != 3 or y.type.ndim != 3:
            raise ShapeError(self, f"takes two stacks of matrices, got {x.type.ndim} and {y.type.ndim} axes",
                             line=user_line(), x=x, y=y, fix="use nt.matmul, which takes any number of axes")
        for what, n, m in (("numbers of matrices", x.type.shape[0], y.type.shape[0]),
                           ("inner lengths", x.type.shape[2], y.type.shape[1])):
            if n is not None and m is not None and n != m:
                raise ShapeError(self, f"{what} differ: {n} and {m}", line=user_line(), x=x, y=y, fix=_BATCHED_FIX)
        batch = y.type.shape[0] if x.type.shape[0] is None else x.type.shape[0]
        return Apply(self, [x, y], [TensorType(x.type.dtype, (batch, x.type.shape[1], y.type.shape[2]))()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        x, y = inputs
        if x.shape[0] != y.shape[0] or x.shape[2] != y.shape[1]:
            raise batched_dot_error(node, x.shape, y.shape)
        with np.errstate(all="ignore"):
            output_storage[0][0] = np.asarray(np.matmul(x, y), dtype=node.outputs[0].type.dtype)

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        return [(shapes[0][0], shapes[0][1], shapes[1][2])]

    def pullbacks(self, x: Any, y: Any, g: Any) -> list[Any]:
        """gx = g y^T and gy = x^T g, matrix by matrix."""
        return [BatchedDot()(g, nt.dimshuffle(y, 0, 2, 1)), BatchedDot()(nt.dimshuffle(x, 0, 2, 1), g)]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        """A multiplication and an addition for each term."""
        return 2 * int(np.prod(outputs[0], dtype=np.int64)) * int(inputs[0][2])


_BATCHED_FIX = "x must be [b, n, k] and y [b, k, m] with the same b and k; nt.matmul broadcasts b"


def batched_dot_error(node: Apply, x_shape: Sequence[int], y_shape: Sequence[int]) -> ShapeError:
    """The error for a batched product whose lengths differ at run time."""
    if node.op.purpose is not None and x_shape[0] == y_shape[0]:
        return node.op.purpose.error(node.line, 1, y_shape[1], x_shape[2])
    what = (f"numbers of matrices differ: {x_shape[0]} and {y_shape[0]}" if x_shape[0] != y_shape[0] else
            f"inner lengths differ: {x_shape[2]} and {y_shape[1]}")
    return ShapeError(node.op, f"{what} (x has shape {tuple(x_shape)}, y has shape {tuple(y_shape)})", line=node.line,
                      x=node.inputs[0], y=node.inputs[1], fix=_BATCHED_FIX)


def _outer(x: Any, y: Any) -> Any:
    return nt.dimshuffle(x, 0, "x") * nt.dimshuffle(y, "x", 0)
