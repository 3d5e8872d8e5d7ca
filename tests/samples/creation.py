"""Samples of Eye and ARange."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import ShapeError, ValueDomainError
from nbgraph.tensor import dtypes
from nbgraph.tensor.creation import ARange, Eye
from tests.samples.case import Case, Failure, Row, tensor, values

INT, FLOAT = tensor("int64"), tensor("float64")


def rows() -> list[Row]:
    """A Row for each of the two."""
    return [Row("Eye", eye, (Eye,), eye_fails,
                no_gradient="made of lengths and an offset, which are integers: its elements do not move"),
            Row("ARange", arange, (ARange,), arange_fails)]


def eye() -> Iterator[Case]:
    """Offsets inside and outside, no rows, every dtype."""
    for dtype in dtypes.ALL:
        yield Case(dtype, lambda k, dtype=dtype: Eye(dtype)(3, 4, k), (INT,), (values("0", 0), values("1", 1)),
                   lambda k, dtype=dtype: np.eye(3, 4, int(k), dtype=dtype))
    yield Case("lengths given", Eye("float64"), (INT, INT, INT),
               tuple(values(str(v), *v) for v in ((3, 4, 0), (4, 3, -1), (2, 2, 2), (2, 2, -5), (0, 3, 0), (3, 0, 1),
                                                  (0, 0, 0), (1, 1, 0))),
               lambda n, m, k: np.eye(int(n), int(m), int(k)))
    yield Case("in a product", lambda n: nt.sum(Eye("float64")(n, n, 0) * 2, axis=0), (INT,),
               (values("3", 3), values("0", 0)), lambda n: np.full(int(n), 2.0))


def eye_fails() -> Iterator[Failure]:
    """Negative lengths."""
    yield Failure("rows", Eye("float64"), (INT, INT, INT), (np.int64(2), np.int64(2), np.int64(0)),
                  (np.int64(-1), np.int64(2), np.int64(0)), ShapeError, "a length is negative: (-1, 2)")
    yield Failure("columns", lambda m: Eye("int8")(3, m, 1), (INT,), (np.int64(2),), (np.int64(-3),), ShapeError,
                  "a length is negative: (3, -3)")


def arange() -> Iterator[Case]:
    """Up and down, by whole and by broken steps, to nothing, into every dtype."""
    for dtype in (*dtypes.INTEGERS, *dtypes.FLOATS):
        yield Case(dtype, lambda n, dtype=dtype: ARange(dtype)(0, n, 1), (INT,),
                   (values("5", 5), values("0", 0), values("-2", -2)),
                   lambda n, dtype=dtype: np.arange(0, int(n), 1, dtype=dtype))
    yield Case("integers", ARange("int64"), (INT, INT, INT), tuple(
        values(str(v), *v) for v in ((2, 9, 3), (9, 2, -3), (9, 2, 3), (2, 9, -3), (-5, 5, 2), (5, 6, 100), (3, 3, 1),
                                     (0, 10, 5), (10, 0, -5), (2**62, 2**62 + 5, 2))),
        lambda a, b, c: np.arange(int(a), int(b), int(c)))
    smooth = [(0.5, 3.1, 0.3), (3.0, -1.0, -0.7)]
    edges = [(0.0, 1.0, 0.1), (1.0, 0.0, 0.5), (0.1, 0.1, 1.0), (1e10, 1e10 + 3, 0.5), (0.0, 5.0, 1.0)]
    yield Case("floats", ARange("float64"), (FLOAT, FLOAT, FLOAT),
               (*(values(str(v), *v) for v in smooth), *(values(str(v), *v, smooth=False) for v in edges)),
               lambda a, b, c: np.arange(float(a), float(b), float(c)))
    yield Case("floats to integers", ARange("int64"), (FLOAT, FLOAT, FLOAT), tuple(
        values(str(v), *v) for v in ((0.5, 3.2, 1.0), (3.0, -1.5, -1.5), (0.0, 4.0, 0.5))),
        lambda a, b, c: np.arange(float(a), float(b), float(c), dtype="int64"))
    yield Case("floats to single precision", ARange("float32"), (FLOAT, FLOAT, FLOAT), tuple(
        values(str(v), *v) for v in ((0.5, 3.1, 0.3), (3.0, -1.0, -1.5))),
        lambda a, b, c: np.arange(float(a), float(b), float(c), dtype="float32"))
    yield Case("integers to floats", ARange("float64"), (INT, INT, INT),
               (values("2 to 9", 2, 9, 3), values("9 to 2", 9, 2, -2)),
               lambda a, b, c: np.arange(int(a), int(b), int(c), dtype="float64"))
    yield Case("of a length", lambda x: x * ARange("int64")(0, nt.lengths_of(x)[0], 1), (tensor("float64", None),),
               (values("3", [1.0, 2.0, 3.0]), values("0", np.zeros(0))), lambda x: x * np.arange(len(x)))
    yield Case("known", lambda: ARange("float32")(0.0, 1.0, 0.25), (), (values("none"),),
               lambda: np.arange(0.0, 1.0, 0.25, dtype="float32"))


def arange_fails() -> Iterator[Failure]:
    """No finite number of elements."""
    good = np.int64(0), np.int64(5), np.int64(1)
    yield Failure("step 0", ARange("int64"), (INT, INT, INT), good, (*good[:2], np.int64(0)), ValueDomainError,
                  "has no finite number of elements")
    floats = np.float64(0), np.float64(2), np.float64(0.5)
    for label, bad in (("step 0.0", (0.0, 2.0, 0.0)), ("to infinity", (0.0, np.inf, 1.0)), ("from NaN", (np.nan, 1, 1)),
                       ("by NaN", (0.0, 1.0, np.nan)), ("by infinity", (0.0, 1.0, np.inf))):
        yield Failure(label, ARange("float64"), (FLOAT, FLOAT, FLOAT), floats, tuple(map(np.float64, bad)),
                      ValueDomainError, "has no finite number of elements")
