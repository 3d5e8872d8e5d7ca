"""Samples of the Ops on shapes: DimShuffle, Reshape, BroadcastTo, SpecifyShape, Length, MakeVector."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import ShapeError
from nbgraph.tensor import dtypes
from nbgraph.tensor.shape import BroadcastTo, DimShuffle, Length, MakeVector, Reshape, SpecifyShape
from tests.samples.case import Case, Failure, Row, draw, specials, tensor, values

INT = tensor("int64")


def rows() -> list[Row]:
    """A Row for each Op of `nbgraph.tensor.shape`."""
    return [Row("DimShuffle", dimshuffle, (DimShuffle,)),
            Row("Reshape", reshape, (Reshape,), reshape_fails),
            Row("BroadcastTo", broadcast_to, (BroadcastTo,), broadcast_to_fails),
            Row("SpecifyShape", specify_shape, (SpecifyShape,), specify_shape_fails),
            Row("Length", length, (Length,), no_gradient="a length is an integer, and does not move with the elements"),
            Row("MakeVector", make_vector, (MakeVector,))]


def _transposed(order: tuple[int | str, ...], x: np.ndarray) -> np.ndarray:
    kept = [axis for axis in order if axis != "x"]
    moved = np.transpose(x, (*kept, *(axis for axis in range(x.ndim) if axis not in kept)))
    return moved.reshape([1 if axis == "x" else x.shape[int(axis)] for axis in order])


def dimshuffle() -> Iterator[Case]:
    """Transpositions, new axes, axes that go."""
    for dtype in dtypes.ALL:
        x = draw(dtype, (2, 3))
        yield Case(dtype, DimShuffle((1, 0)), (tensor(dtype, 2, 3),), (values("2 x 3", x),), np.transpose)
    for order, shape in (((1, 0), (None, None)), (("x", 0), (None,)), ((0, "x"), (None,)), (("x", "x"), ()),
                         ((2, "x", 0, 1), (None, None, None)), ((1,), (1, None)), ((), (1, 1)), ((2, 0), (None, 1, 3)),
                         ((1, 2, 0), (None, 0, 2)), ((0, 1), (None, None))):
        calls = [tuple(n if n is not None else given for n, given in zip(shape, lengths, strict=False))
                 for lengths in ((2, 3, 4), (0, 5, 1), (1, 1, 1))]
        edges = np.resize(specials("float64"), calls[0])
        yield Case(str(order), DimShuffle(order), (tensor("float64", *shape),),
                   (*(values(str(s), draw("float64", s)) for s in calls), values("edges", edges, smooth=False)),
                   partial(_transposed, order))


def reshape() -> Iterator[Case]:
    """Ranks up and down, lengths that are known and that are computed."""
    for dtype in dtypes.ALL:
        yield Case(dtype, lambda x: Reshape()(x, 3, 2), (tensor(dtype, 2, 3),), (values("2 x 3", draw(dtype, (2, 3))),),
                   lambda x: x.reshape(3, 2))
    x = draw("float64", (2, 3, 4))
    yield Case("lengths given", lambda x, n, m: Reshape()(x, n, m), (tensor("float64", None, None, None), INT, INT),
               (values("6 x 4", x, 6, 4), values("1 x 24", x, 1, 24), values("empty", x[:, :0], 0, 7)),
               lambda x, n, m: x.reshape(int(n), int(m)))
    yield Case("flat", lambda x: Reshape()(x, nt.size(x)), (tensor("float64", None, None),),
               (values("2 x 3", x[:, :, 0]), values("empty", x[:0, 0]), values("1 x 1", x[:1, :1, 0])), np.ravel)
    yield Case("of a transpose", lambda x: Reshape()(x.T, nt.size(x)), (tensor("float64", None, None),),
               (values("2 x 3", x[:, :, 0]), values("3 x 4", x[0])), lambda x: x.T.reshape(-1))
    yield Case("of a sum", lambda x: Reshape()(x + 1, nt.lengths_of(x)[1], nt.lengths_of(x)[0]),
               (tensor("float64", None, None),), (values("2 x 3", x[:, :, 0]), values("edges", np.resize(
                   specials("float64"), (4, 4)), smooth=False)), lambda x: (x + 1).reshape(x.shape[::-1]))
    yield Case("0-d to vector", lambda x: Reshape()(x, 1), (tensor("float64"),), (values("0-d", 1.5),),
               lambda x: x.reshape(1))
    yield Case("vector to 0-d", lambda x: Reshape()(x), (tensor("float64", None),), (values("1", [1.5]),),
               lambda x: x.reshape(()))
    yield Case("of a scalar sum", lambda x: Reshape()(x + x, 1, 1), (tensor("float64"),), (values("0-d", 1.5),),
               lambda x: (x + x).reshape(1, 1))


def reshape_fails() -> Iterator[Failure]:
    """Another number of elements, negative lengths."""
    x, kind = np.ones((2, 3)), tensor("float64", None, None)
    yield Failure("number of elements", lambda x, n: Reshape()(x, n), (kind, INT), (x, np.int64(6)), (x, np.int64(5)),
                  ShapeError, "number of elements differs")
    yield Failure("known length", lambda x: Reshape()(x, 3, 2), (kind,), (x,), (np.ones((2, 2)),), ShapeError,
                  "number of elements differs")
    yield Failure("negative lengths", lambda x, n, m: Reshape()(x, n, m), (kind, INT, INT),
                  (x, np.int64(2), np.int64(3)),
                  (x, np.int64(-2), np.int64(-3)), ShapeError, "")
    yield Failure("to a scalar", lambda x: Reshape()(x), (tensor("float64", None),), (np.ones(1),), (np.ones(2),),
                  ShapeError, "number of elements differs")


def broadcast_to() -> Iterator[Case]:
    """New axes in front, lengths of 1 that are repeated, nothing to repeat."""
    for dtype in dtypes.ALL:
        yield Case(dtype, lambda x: BroadcastTo()(x, 3, 2), (tensor(dtype, 2),), (values("2", draw(dtype, (2,))),),
                   lambda x: np.broadcast_to(x, (3, 2)))
    x = draw("float64", (3, 4))
    yield Case("scalar", lambda x, n, m: BroadcastTo()(x, n, m), (tensor("float64"), INT, INT),
               (values("2 x 3", 1.5, 2, 3), values("empty", 1.5, 0, 3), values("NaN", np.nan, 1, 1, smooth=False)),
               lambda x, n, m: np.broadcast_to(x, (int(n), int(m))))
    yield Case("row", lambda x, n: BroadcastTo()(x, n, nt.lengths_of(x)[1]), (tensor("float64", 1, None), INT),
               (values("3", x[:1], 3), values("0", x[:1], 0), values("nothing", x[:1, :0], 2)),
               lambda x, n: np.broadcast_to(x, (int(n), x.shape[1])))
    yield Case("column", lambda x, n, m: BroadcastTo()(x, 2, n, m), (tensor("float64", None, 1), INT, INT),
               (values("3 x 4", x[:, :1], 3, 4), values("3 x 1", x[:, :1], 3, 1)),
               lambda x, n, m: np.broadcast_to(x, (2, int(n), int(m))))
    yield Case("nothing to repeat", lambda x, n: BroadcastTo()(x, n),
                  (tensor("float64", None), INT),
               (values("4", x[0], 4), values("0", x[0, :0], 0)), lambda x, n: x)
    yield Case("to 0-d", lambda x: BroadcastTo()(x), (tensor("float64"),), (values("0-d", 1.5),), lambda x: x)
    yield Case("then summed", lambda x, n: nt.sum(BroadcastTo()(x, n, nt.lengths_of(x)[0]) * x, axis=0),
               (tensor("float64", None), INT), (values("3", x[0], 3), values("0", x[0], 0)),
               lambda x, n: int(n) * x * x)


def broadcast_to_fails() -> Iterator[Failure]:
    """Lengths that are not what is wanted, negative lengths."""
    x = np.ones(3)
    yield Failure("length", lambda x, n: BroadcastTo()(x, 2, n), (tensor("float64", None), INT), (x, np.int64(3)),
                  (x, np.int64(4)), ShapeError, "the wanted one is")
    yield Failure("a length of 1 that was not declared", lambda x, n: BroadcastTo()(x, n),
                  (tensor("float64", None), INT), (x, np.int64(3)), (x[:1], np.int64(3)), ShapeError,
                  "the wanted one is")
    yield Failure("negative length", lambda x, n: BroadcastTo()(x, n, 3), (tensor("float64", None), INT),
                  (x, np.int64(2)), (x, np.int64(-2)), ShapeError, "a length is negative")
    yield Failure("negative length of a scalar", lambda x, n: BroadcastTo()(x, n), (tensor("float64"), INT),
                  (x[0], np.int64(2)), (x[0], np.int64(-1)), ShapeError, "a length is negative")


def specify_shape() -> Iterator[Case]:
    """Lengths that are numbers, and that are computed."""
    for dtype in dtypes.ALL:
        yield Case(dtype, lambda x: SpecifyShape((0,))(x, 2), (tensor(dtype, None, 3),),
                   (values("2 x 3", draw(dtype, (2, 3))),), lambda x: x)
    x = draw("float64", (2, 3))
    yield Case("computed", lambda x, n, m: SpecifyShape((0, 1))(x, n, m), (tensor("float64", None, None), INT, INT),
               (values("2 x 3", x, 2, 3), values("empty", x[:0], 0, 3)), lambda x, n, m: x)
    yield Case("one of two", lambda x: SpecifyShape((1,))(x, 3), (tensor("float64", None, None),),
               (values("2 x 3", x), values("edges", np.resize(specials("float64"), (5, 3)), smooth=False)), lambda x: x)
    yield Case("of a sum", lambda x, n: nt.exp(SpecifyShape((0,))(x + 1, n)), (tensor("float64", None), INT),
               (values("3", x[0], 3),), lambda x, n: np.exp(x + 1))


def specify_shape_fails() -> Iterator[Failure]:
    """Lengths that are other ones."""
    x = np.ones((2, 3))
    yield Failure("number", lambda x: SpecifyShape((1,))(x, 3), (tensor("float64", None, None),), (x,), (x.T,),
                  ShapeError, "must have length 3")
    yield Failure("computed", lambda x, n: SpecifyShape((0,))(x, n), (tensor("float64", None, None), INT),
                  (x, np.int64(2)), (x, np.int64(1)), ShapeError, "must have length 1")


def length() -> Iterator[Case]:
    """Of inputs and of what is computed from them."""
    for dtype in dtypes.ALL:
        yield Case(dtype, Length(1), (tensor(dtype, None, None),), (values("2 x 3", draw(dtype, (2, 3))),
                                                                     values("2 x 0", draw(dtype, (2, 0)))),
                   lambda x: np.int64(x.shape[1]))
    yield Case("known", Length(0), (tensor("float64", 2, None),), (values("2 x 3", draw("float64", (2, 3))),),
               lambda x: np.int64(2))
    yield Case("of a product", lambda x: Length(0)(nt.dot(x.T, x)), (tensor("float64", None, None),),
               (values("2 x 3", draw("float64", (2, 3))),), lambda x: np.int64(x.shape[1]))
    yield Case("of what is counted", lambda x: Length(0)(nt.nonzero(x)[0]), (tensor("float64", None),),
               (values("2 of 3", [1.0, 0.0, 2.0]), values("none", [0.0])), lambda x: np.int64(np.count_nonzero(x)))


def make_vector() -> Iterator[Case]:
    """Scalars of one dtype and of several."""
    for dtype in dtypes.ALL:
        yield Case(dtype, MakeVector(dtype), (tensor(dtype),) * 2,
                   (values("two", draw(dtype, (), seed=1), draw(dtype, (), seed=2)),
                    values("edges", specials(dtype)[0], specials(dtype)[-1], smooth=False)),
                   lambda *xs: np.array([x[()] for x in xs]))
    yield Case("cast", MakeVector("float64"), (tensor("int32"), tensor("float64"), tensor("float32")),
               (values("three", np.int32(3), 1.5, np.float32(2.5)),), lambda *xs: np.array([float(x) for x in xs]))
    yield Case("none", MakeVector("int64"), (), (values("none"),), lambda: np.zeros(0, "int64"))
    yield Case("of reductions", lambda x: MakeVector("float64")(nt.sum(x), nt.max(x), 2.0), (tensor("float64", None),),
               (values("3", draw("float64", (3,))),), lambda x: np.array([x.sum(), x.max(), 2.0]))
