"""Samples of Join."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import ShapeError
from nbgraph.tensor import dtypes
from nbgraph.tensor.join import Join
from tests.samples.case import Case, Failure, Row, draw, specials, tensor, values

VECTOR, MATRIX = tensor("float64", None), tensor("float64", None, None)


def rows() -> list[Row]:
    """One Row."""
    return [Row("Join", join, (Join,), join_fails)]


def join() -> Iterator[Case]:
    """Dtypes that are alike and that are not, both axes, pieces without elements, pieces that are computed."""
    for dtype in dtypes.ALL:
        yield Case(dtype, Join(0), (tensor(dtype, 2), tensor(dtype, 3)),
                   (values("2 and 3", draw(dtype, (2,)), draw(dtype, (3,))),), lambda x, y: np.concatenate([x, y]))
    for pair in (("int8", "uint8"), ("float32", "int16"), ("int64", "complex64"), ("bool", "float64")):
        yield Case(" and ".join(pair), Join(0), (tensor(pair[0], 2), tensor(pair[1], 3)),
                   (values("2 and 3", draw(pair[0], (2,)), draw(pair[1], (3,))),), lambda x, y: np.concatenate([x, y]))
    x, y = draw("float64", (4, 5)), draw("float64", (4, 5), seed=1)
    edges = specials("float64")
    yield Case("vectors", Join(0), (VECTOR, VECTOR, VECTOR),
               (values("5, 0, 2", x[0], x[0, :0], x[1, :2]), values("none", x[0, :0], x[0, :0], x[0, :0]),
                values("edges", edges, edges[:2], edges[::2], smooth=False)), lambda *xs: np.concatenate(xs))
    yield Case("rows", Join(0), (MATRIX, MATRIX), (values("4 and 2", x, y[:2]), values("0 and 4", x[:0], y)),
               lambda *xs: np.concatenate(xs))
    yield Case("columns", Join(1), (MATRIX, MATRIX), (values("5 and 2", x, y[:, :2]), values("0 and 5", x[:, :0], y),
                                                      values("no rows", x[:0], y[:0])),
               lambda *xs: np.concatenate(xs, axis=1))
    yield Case("known lengths", Join(1), (tensor("float64", None, 2), MATRIX, tensor("float64", 4, 1)),
               (values("2, 5, 1", x[:, :2], y, x[:, :1]),), lambda *xs: np.concatenate(xs, axis=1))
    yield Case("three axes", Join(1), (tensor("float64", None, None, 5),) * 2,
               (values("4 and 1", x[None], y[None, :1]),), lambda *xs: np.concatenate(xs, axis=1))
    yield Case("one", Join(0), (VECTOR,), (values("5", x[0]),), lambda x: x)
    yield Case("computed", lambda x, y: Join(0)(nt.exp(x), x * y, y[::-1]) + 1, (VECTOR, VECTOR),
               (values("5", x[0], y[0]),), lambda x, y: np.concatenate([np.exp(x), x * y, y[::-1]]) + 1)
    yield Case("itself", lambda x: Join(0)(x, x), (VECTOR,), (values("5", x[0]),), lambda x: np.concatenate([x, x]))


def join_fails() -> Iterator[Failure]:
    """Other lengths that differ."""
    x = np.ones((2, 3))
    yield Failure("columns", Join(0), (MATRIX, MATRIX), (x, x), (x, x.T), ShapeError,
                  "lengths 3 and 2 of axis 1 differ")
    yield Failure("rows of the third", Join(1), (MATRIX, MATRIX, MATRIX), (x, x, x), (x, x, x.T), ShapeError,
                  "lengths 2 and 3 of axis 0 differ")
    yield Failure("a known length", Join(1), (tensor("float64", 2, None), MATRIX), (x, x), (x, x.T), ShapeError,
                  "lengths 2 and 3 of axis 0 differ")
