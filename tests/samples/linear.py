"""Samples of products: Dot, BatchedDot, Gemm, Gemv."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import ShapeError
from nbgraph.graph.op import Op
from nbgraph.tensor import dtypes
from nbgraph.tensor.linear import BatchedDot, Dot
from nbgraph.tensor.linear_forms import Gemm, Gemv
from tests.samples.case import Case, Failure, Row, draw, tensor, values

VECTOR, MATRIX, STACK = tensor("float64", None), tensor("float64", None, None), tensor("float64", None, None, None)
LATE = "made by rewriting when gradients have been taken; it has none itself, and nobody asks for one"


def rows() -> list[Row]:
    """A Row for each Op."""
    return [Row("Dot", dot, (Dot,), dot_fails), Row("BatchedDot", batched_dot, (BatchedDot,), batched_dot_fails),
            Row("Gemm", gemm, (Gemm,), gemm_fails, no_gradient=LATE),
            Row("Gemv", gemv, (Gemv,), gemv_fails, no_gradient=LATE)]


def _drawn(*shapes: tuple[int, ...], dtype: str = "float64") -> list[np.ndarray]:
    return [draw(dtype, shape, seed=k) for k, shape in enumerate(shapes)]


def dot() -> Iterator[Case]:
    """Vectors and matrices in all four pairs, transposed, computed, without elements, in every dtype."""
    for dtype in dtypes.ALL:
        for shapes in (((3,), (3,)), ((2, 3), (3, 4)), ((2, 3), (3,)), ((3,), (3, 2))):
            yield Case(f"{dtype} {shapes}", Dot(), tuple(tensor(dtype, *s) for s in shapes),
                       (values("few", *_drawn(*shapes, dtype=dtype)),), np.dot,
                       differentiate=dtype != "complex64" and shapes[0] != (3,))
    for pair in (("int8", "uint8"), ("float32", "int32"), ("complex64", "float64")):
        yield Case(" and ".join(pair), Dot(), (tensor(pair[0], 2, 3), tensor(pair[1], 3, 2)),
                   (values("few", draw(pair[0], (2, 3)), draw(pair[1], (3, 2))),), np.dot, differentiate=False)
    yield Case("vectors", Dot(), (VECTOR, VECTOR), tuple(values(str(n), *_drawn((n,), (n,))) for n in (4, 0, 1, 100)),
               np.dot)
    yield Case("matrices", Dot(), (MATRIX, MATRIX), tuple(
        values(f"{n} x {k} x {m}", *_drawn((n, k), (k, m))) for n, k, m in
        ((2, 3, 4), (1, 1, 1), (0, 3, 2), (2, 0, 3), (2, 3, 0), (17, 9, 33), (1, 5, 1))), np.dot)
    yield Case("matrix and vector", Dot(), (MATRIX, VECTOR), tuple(
        values(f"{n} x {k}", *_drawn((n, k), (k,))) for n, k in ((2, 3), (0, 3), (2, 0), (1, 1), (40, 30))), np.dot)
    yield Case("vector and matrix", Dot(), (VECTOR, MATRIX), tuple(
        values(f"{k} x {m}", *_drawn((k,), (k, m))) for k, m in ((2, 3), (0, 3), (2, 0), (1, 1), (40, 30))), np.dot)
    yield Case("transposed", lambda x, y: [Dot()(x.T, y), Dot()(y.T, x), Dot()(x.T, y.T.T)], (MATRIX, MATRIX),
               (values("2 x 3, 2 x 4", *_drawn((2, 3), (2, 4))), values("0 x 3, 0 x 4", *_drawn((0, 3), (0, 4)))),
               lambda x, y: [x.T @ y, y.T @ x, x.T @ y], differentiate=False)
    yield Case("with itself", lambda x: Dot()(x.T, x), (MATRIX,), (values("2 x 3", *_drawn((2, 3))),),
               lambda x: x.T @ x)
    yield Case("computed", lambda x, y: nt.exp(Dot()(x / 2, y[::-1])) + 1, (MATRIX, MATRIX),
               (values("2 x 3 x 2", *_drawn((2, 3), (3, 2))),), lambda x, y: np.exp((x / 2) @ y[::-1]) + 1)
    yield Case("NaN and infinities", Dot(), (MATRIX, VECTOR), (values(
        "2 x 3", [[np.nan, 1.0, 0.0], [1.0, np.inf, 2.0]], [1.0, 1.0, 1.0], smooth=False),), np.dot,
        differentiate=False)


def dot_fails() -> Iterator[Failure]:
    """Inner lengths that differ."""
    x, y = np.ones((2, 3)), np.ones(3)
    words = "inner lengths differ"
    yield Failure("matrices", Dot(), (MATRIX, MATRIX), (x, x.T), (x, x), ShapeError, words)
    yield Failure("matrix and vector", Dot(), (MATRIX, VECTOR), (x, y), (x.T, y), ShapeError, words)
    yield Failure("vector and matrix", Dot(), (VECTOR, MATRIX), (y, x.T), (y, x), ShapeError, words)
    yield Failure("vectors", Dot(), (VECTOR, VECTOR), (y, y), (y, y[:2]), ShapeError, words)
    yield Failure("transposed", lambda x, y: Dot()(x.T, y), (MATRIX, VECTOR), (x.T, y), (x, y), ShapeError, words)


def batched_dot() -> Iterator[Case]:
    """Stacks, transposed, without elements, in every dtype."""
    for dtype in dtypes.ALL:
        shapes = ((2, 2, 3), (2, 3, 2))
        yield Case(dtype, BatchedDot(), tuple(tensor(dtype, *s) for s in shapes),
                   (values("few", *_drawn(*shapes, dtype=dtype)),), np.matmul)
    yield Case("unknown lengths", BatchedDot(), (STACK, STACK), tuple(
        values(f"{b} of {n} x {k} x {m}", *_drawn((b, n, k), (b, k, m))) for b, n, k, m in
        ((3, 2, 3, 4), (1, 1, 1, 1), (0, 2, 3, 2), (2, 0, 3, 2), (2, 3, 0, 2), (2, 3, 2, 0))), np.matmul)
    yield Case("transposed", lambda x, y: BatchedDot()(nt.dimshuffle(x, 0, 2, 1), nt.dimshuffle(y, 0, 2, 1)),
               (STACK, STACK), (values("2 of 3 x 2 x 4", *_drawn((2, 2, 3), (2, 4, 2))),),
               lambda x, y: x.transpose(0, 2, 1) @ y.transpose(0, 2, 1))
    yield Case("computed", lambda x, y: BatchedDot()(x + 1, nt.exp(y)) * 2, (STACK, STACK),
               (values("2 of 2 x 3 x 2", *_drawn((2, 2, 3), (2, 3, 2))),), lambda x, y: ((x + 1) @ np.exp(y)) * 2)


def batched_dot_fails() -> Iterator[Failure]:
    """Numbers of matrices and inner lengths that differ."""
    x, y = np.ones((2, 2, 3)), np.ones((2, 3, 2))
    yield Failure("numbers", BatchedDot(), (STACK, STACK), (x, y), (x, y[:1]), ShapeError,
                  "numbers of matrices differ: 2 and 1")
    yield Failure("inner lengths", BatchedDot(), (STACK, STACK), (x, y), (x, y[:, :2]), ShapeError,
                  "inner lengths differ: 3 and 2")


def _added(c: Any, alpha: Any, a: Any, b: Any, beta: Any) -> Any:
    return beta * c + alpha * (a @ b)


def gemm() -> Iterator[Case]:
    """In every dtype of BLAS, transposed, factors that are known and that are not."""
    for dtype in dtypes.CONTINUOUS:
        kind, one = tensor(dtype, None, None), tensor(dtype)
        yield Case(dtype, Gemm(), (kind, one, kind, kind, one), tuple(
            values(f"{n} x {k} x {m}", *_scaled(dtype, (n, m), (n, k), (k, m))) for n, k, m in
            ((2, 3, 4), (1, 1, 1), (0, 3, 2), (2, 0, 3), (9, 7, 5))), _added, differentiate=False)
    yield Case("known factors", lambda c, a, b: Gemm()(c, 1.0, a, b, -2.0), (MATRIX, MATRIX, MATRIX),
               (values("2 x 3 x 4", *_drawn((2, 4), (2, 3), (3, 4))),), lambda c, a, b: a @ b - 2 * c,
               differentiate=False)
    yield Case("transposed and computed", lambda c, a, b: Gemm()(c.T, 2.0, a.T, nt.exp(b).T, 1.0) + 1,
               (MATRIX, MATRIX, MATRIX), (values("2 x 3 x 4", *_drawn((4, 2), (3, 2), (4, 3))),),
               lambda c, a, b: c.T + 2 * (a.T @ np.exp(b).T) + 1, differentiate=False)
    yield Case("to a value that is used again", lambda c, a, b: [Gemm()(c * 2, 1.0, a, b, 1.0), c * 2],
               (MATRIX, MATRIX, MATRIX), (values("2 x 3 x 4", *_drawn((2, 4), (2, 3), (3, 4))),),
               lambda c, a, b: [2 * c + a @ b, 2 * c], differentiate=False)


def _scaled(dtype: str, c: tuple[int, ...], a: tuple[int, ...], b: tuple[int, ...]) -> list[np.ndarray]:
    first, second, third = _drawn(c, a, b, dtype=dtype)
    return [first, draw(dtype, (), 0.5, 2, seed=5), second, third, draw(dtype, (), 0.5, 2, seed=6)]


def _unscaled(op: Op) -> Callable[..., Any]:
    return lambda c, a, b: op(c, 1.0, a, b, 1.0)


def gemm_fails() -> Iterator[Failure]:
    """Inner lengths, and the array that is added."""
    c, a, b = np.ones((2, 4)), np.ones((2, 3)), np.ones((3, 4))
    yield Failure("inner", _unscaled(Gemm()), (MATRIX,) * 3, (c, a, b), (c, a, b[:2]), ShapeError,
                  "inner lengths differ: 3 and 2")
    yield Failure("added", _unscaled(Gemm()), (MATRIX,) * 3, (c, a, b), (c[:1], a, b), ShapeError,
                  "an array of shape (1, 4) is added to a product of shape (2, 4)")


def gemv() -> Iterator[Case]:
    """In every dtype of BLAS, transposed, factors that are known and that are not."""
    for dtype in dtypes.CONTINUOUS:
        vector, one = tensor(dtype, None), tensor(dtype)
        yield Case(dtype, Gemv(), (vector, one, tensor(dtype, None, None), vector, one), tuple(
            values(f"{n} x {k}", *_scaled(dtype, (n,), (n, k), (k,))) for n, k in
            ((2, 3), (1, 1), (0, 3), (2, 0), (9, 7))), _added, differentiate=False)
    yield Case("known factors, transposed", lambda c, a, b: Gemv()(c, -1.0, a.T, b, 0.5), (VECTOR, MATRIX, VECTOR),
               (values("2 x 3", *_drawn((2,), (3, 2), (3,))),), lambda c, a, b: 0.5 * c - a.T @ b, differentiate=False)


def gemv_fails() -> Iterator[Failure]:
    """Inner lengths, and the array that is added."""
    c, a, b = np.ones(2), np.ones((2, 3)), np.ones(3)
    kinds = VECTOR, MATRIX, VECTOR
    yield Failure("inner", _unscaled(Gemv()), kinds, (c, a, b), (c, a, b[:2]), ShapeError,
                  "inner lengths differ: 3 and 2")
    yield Failure("added", _unscaled(Gemv()), kinds, (c, a, b), (b, a, b), ShapeError,
                  "an array of shape (3,) is added to a product of shape (2,)")
