"""Samples of indexing: Subtensor, AdvancedSubtensor, Table…, Nonzero, IncSubtensor, AdvancedIncSubtensor."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import BoundsError, IndexShapeError, ShapeError, ValueDomainError
from nbgraph.tensor import dtypes
from nbgraph.tensor.indexing_advanced import AdvancedSubtensor, Nonzero
from nbgraph.tensor.indexing_basic import Subtensor
from nbgraph.tensor.indexing_tables import TableElements, TableOrElements
from nbgraph.tensor.indexing_update import AdvancedIncSubtensor, IncSubtensor
from tests.samples.case import Case, Failure, Row, Values, draw, specials, tensor, values

INT, VECTOR, MATRIX = tensor("int64"), tensor("float64", None), tensor("float64", None, None)
INDEX = tensor("int64", None)
LATE = "the rewriting makes it, after gradients are taken"
# Patterns of Subtensor: an integer, all of start, stop and step, only some of them.
FULL, FROM, TO, BY = (True, True, True), (True, False, False), (False, True, False), (False, False, True)


def rows() -> list[Row]:
    """A Row for each Op; updates have one for setting and one for adding."""
    place = "the results are places, integers that are constant between the steps"
    return [Row("Subtensor", subtensor, (Subtensor,), subtensor_fails),
            Row("AdvancedSubtensor", gather, (AdvancedSubtensor,), gather_fails),
            Row("TableOrElements", table_or_elements, (TableOrElements,), table_fails, no_gradient=LATE),
            Row("TableElements", table_elements, (TableElements,), no_gradient=LATE),
            Row("Nonzero", nonzero, (Nonzero,), no_gradient=place),
            *(Row(f"IncSubtensor {what}", partial(update, what == "set"), (IncSubtensor,),
                  partial(update_fails, what == "set")) for what in ("set", "inc")),
            *(Row(f"AdvancedIncSubtensor {what}", partial(scatter, what == "set"), (AdvancedIncSubtensor,),
                  partial(scatter_fails, what == "set")) for what in ("set", "inc"))]


def _index(pattern: tuple[Any, ...], scalars: Any) -> tuple[Any, ...]:
    rest = iter([int(s) for s in scalars])
    return tuple(next(rest) if entry == "i" else slice(*(next(rest) if given else None for given in entry))
                 for entry in pattern)


# (pattern, values of its scalars that suit 5 x 4 elements, each a call)
BASIC: tuple[tuple[tuple[Any, ...], tuple[tuple[int, ...], ...]], ...] = (
    (("i",), ((0,), (4,), (-1,), (-5,))),
    (("i", "i"), ((1, 2), (-1, -4))),
    ((FULL,), ((1, 4, 1), (0, 5, 2), (4, 0, -1), (-1, -6, -2), (3, 2, 1), (2, 9, 3), (-9, 9, 4), (9, -9, -1),
               (0, 0, 1), (1, 3, 2**62), (3, 1, -2**62))),
    ((FROM, TO), ((1, 3), (-2, -1), (9, 9), (0, 0), (-9, -9), (5, 4))),
    ((BY, BY), ((1, -1), (-2, 3), (7, -7))),
    (((False, False, False), "i"), ((0,), (3,), (-2,))),
    (((False, False, False), FROM), ((0,), (2,), (-2,), (7,))),
    ((), ((),)),
)


def subtensor() -> Iterator[Case]:
    """Integers, bounds and steps of every sign, inside and outside, known and computed."""
    for dtype in dtypes.ALL:
        yield Case(dtype, lambda x: Subtensor((FULL, "i"))(x, 4, 0, -2, 1), (tensor(dtype, 5, 4),),
                   (values("5 x 4", draw(dtype, (5, 4))),), lambda x: x[4:0:-2, 1])
    for pattern, calls in BASIC:
        given = tuple(values(str(c), draw("float64", (5, 4)), *c) for c in calls)
        yield Case(f"{Subtensor(pattern)}", Subtensor(pattern), (MATRIX, *[INT] * len(calls[0])), given,
                   partial(lambda pattern, x, *scalars: x[_index(pattern, scalars)], pattern),
                   differentiate=pattern in (("i",), (FULL,), (BY, BY)))
    for label, index in (("3:-1", slice(3, -1)), ("-3:", slice(-3, None)), ("::-1", slice(None, None, -1)),
                         ("-2::-2", slice(-2, None, -2)), (":2", slice(None, 2)), ("1:2", slice(1, 2)),
                         ("5:2:-1", slice(5, 2, -1)), (":-9:-1", slice(None, -9, -1))):
        yield Case(f"x[{label}]", lambda x, index=index: nt.exp(x[index]), (VECTOR,),
                   tuple(values(str(n), draw("float64", (n,))) for n in (6, 3, 1, 0)),
                   lambda x, index=index: np.exp(x[index]), differentiate=label in ("-2::-2", "3:-1"))
    x = draw("float64", (4, 4))
    yield Case("diagonal", lambda x: x.flatten()[::nt.lengths_of(x)[0] + 1] + 0, (MATRIX,), (values("4 x 4", x),),
               np.diagonal)
    yield Case("a slice and its neighbour", lambda x: x[1:] - x[:-1], (VECTOR,),
               (values("4", x[0]), values("1", x[0, :1])), np.diff)
    yield Case("edges", lambda x: x[1:-1], (VECTOR,), (values("edges", specials("float64"), smooth=False),),
               lambda x: x[1:-1], differentiate=False)


def subtensor_fails() -> Iterator[Failure]:
    """Integers out of bounds, a step of 0."""
    x = np.ones((3, 2))
    yield Failure("too large", Subtensor(("i",)), (MATRIX, INT), (x, np.int64(2)), (x, np.int64(3)), BoundsError,
                  "index 3 is out of bounds for axis 0, whose length is 3")
    yield Failure("too small", Subtensor(("i",)), (MATRIX, INT), (x, np.int64(-3)), (x, np.int64(-4)), BoundsError,
                  "index -4 is out of bounds")
    yield Failure("second axis", lambda x: x[:, 1] + 1, (MATRIX,), (x,), (x[:, :1],), BoundsError,
                  "index 1 is out of bounds for axis 1, whose length is 1")
    yield Failure("nothing there", lambda x: nt.exp(x[-1]), (VECTOR,), (x[0],), (x[0, :0],), BoundsError,
                  "the axis is empty")
    yield Failure("step 0", lambda x, k: x[::k], (MATRIX, INT), (x, np.int64(1)), (x, np.int64(0)), ValueDomainError,
                  "the step of a slice is 0")


def gather() -> Iterator[Case]:
    """Index arrays of every shape, broadcast against each other, negative, of other integers, empty."""
    for dtype in dtypes.ALL:
        yield Case(dtype, AdvancedSubtensor(), (tensor(dtype, 5, 4), tensor("int64", 3)),
                   (values("3 of 5", draw(dtype, (5, 4)), [0, -1, 2]),), lambda x, i: x[i])
    x = draw("float64", (5, 4))
    for dtype in dtypes.INTEGERS:
        yield Case(f"index {dtype}", AdvancedSubtensor(), (tensor("float64", 5), tensor(dtype, 3)),
                   (values("3 of 5", x[:, 0], np.array([4, 0, 4], dtype)),), lambda x, i: x[i], differentiate=False)
    square = np.array([[0, 4, -5], [1, 1, -1]])
    yield Case("vector", AdvancedSubtensor(), (MATRIX, INDEX),
               (values("4", x, [0, 4, -5, 0]), values("none", x, np.zeros(0, int)),
                values("none of nothing", x[:0], np.zeros(0, int)), values("no columns", x[:, :0], [1, 2]),
                values("edges", np.resize(specials("float64"), (4, 5)), [0, 1, 2, 3], smooth=False)), lambda x, i: x[i])
    yield Case("matrix", AdvancedSubtensor(), (VECTOR, tensor("int64", None, None)),
               (values("2 x 3", x[:, 0], square), values("0 x 3", x[:, 0], square[:0])), lambda x, i: x[i])
    yield Case("two", AdvancedSubtensor(), (MATRIX, INDEX, INDEX),
               (values("3", x, [0, 4, -5], [3, -4, 1]), values("none", x, square[:0, 0], square[:0, 0])),
               lambda x, i, j: x[i, j])
    yield Case("two that broadcast", AdvancedSubtensor(),
               (MATRIX, tensor("int64", None, 1), tensor("int64", 1, None)),
               (values("2 x 3", x, [[0], [4]], [[3, -4, 1]]),), lambda x, i, j: x[i, j])
    yield Case("two of other ranks", AdvancedSubtensor(), (MATRIX, tensor("int64", None, None), INT),
               (values("2 x 3", x, square, 2),), lambda x, i, j: x[i, int(j)], differentiate=False)
    yield Case("one scalar", AdvancedSubtensor(), (MATRIX, INT), (values("-2", x, -2),), lambda x, i: x[int(i)],
               differentiate=False)
    yield Case("of a product, by a sum", lambda x, y, i: (x * y)[i + 1] * 2, (MATRIX, VECTOR, INDEX),
               (values("3", x, x[0], [0, -1, 3]),), lambda x, y, i: (x * y)[i + 1] * 2)
    yield Case("between slices", lambda x, i: x[1:, i, None], (tensor("float64", None, None, None), INDEX),
               (values("2 x 3 x 4", draw("float64", (2, 3, 4)), [2, 0]),), lambda x, i: x[1:, i, None],
               differentiate=False)
    yield Case("mask", lambda x: x[x > 0] + 1, (MATRIX,),
               (values("some", x), values("none", -np.abs(x)), values("NaN", np.resize(specials("float64"), (4, 5)),
                                                                       smooth=False)), lambda x: x[x > 0] + 1)
    yield Case("mask of rows", lambda x, m: nt.sum(x[m], axis=0), (MATRIX, tensor("bool", None)),
               (values("3 of 5", x, [True, False, True, False, True]), values("none", x, [False] * 5)),
               lambda x, m: x[m].sum(axis=0))


def gather_fails() -> Iterator[Failure]:
    """Indices out of bounds, index arrays that do not broadcast, a mask of another length."""
    x, i = np.ones((3, 2)), np.array([0, 1])
    yield Failure("too large", AdvancedSubtensor(), (MATRIX, INDEX), (x, i), (x, i + 2), BoundsError,
                  "index 3 is out of bounds for axis 0, whose length is 3")
    yield Failure("too small", lambda x, i: nt.exp(x)[i], (MATRIX, INDEX), (x, i), (x, i - 4), BoundsError,
                  "index -4 is out of bounds for axis 0")
    yield Failure("second axis", AdvancedSubtensor(), (MATRIX, INDEX, INDEX), (x, i, i), (x, i, i + 1), BoundsError,
                  "index 2 is out of bounds for axis 1, whose length is 2")
    yield Failure("matrix of indices", AdvancedSubtensor(), (VECTOR, tensor("int8", None, None)),
                  (x[:, 0], np.ones((2, 2), "int8")), (x[:, 0], np.full((2, 2), 7, "int8")), BoundsError, "index 7")
    yield Failure("scalar", AdvancedSubtensor(), (MATRIX, INT), (x, np.int64(1)), (x, np.int64(-9)), BoundsError,
                  "index -9 is out of bounds")
    yield Failure("shapes", AdvancedSubtensor(), (MATRIX, INDEX, INDEX), (x, i, i), (x, i, i[:1]), IndexShapeError,
                  "index arrays do not broadcast")
    yield Failure("mask", lambda x, m: x[m], (MATRIX, tensor("bool", None)),
                  (x, np.ones(3, bool)), (x, np.ones(2, bool)),
                  IndexShapeError, "boolean index: axis 0 of the mask has length 2, axis 0 of x has length 3")
    yield Failure("empty axis", AdvancedSubtensor(), (VECTOR, INDEX), (x[0], i), (x[0, :0], i), BoundsError,
                  "the axis is empty")


def _tables() -> tuple[Values, ...]:
    x = draw("float64", (5,))
    return (values("5 by 3", x, [4, -5, 4]), values("5 by 5", x, [4, 3, 2, -5, 4]), values("5 by 7", x, [0] * 6 + [-1]),
            values("5 by 0", x, np.zeros(0, int)), values("0 by 0", x[:0], np.zeros(0, int)),
            values("1 by 3", x[:1], [0, -1, 0]))


def table_or_elements() -> Iterator[Case]:
    """A table that is shorter than the index, as long, longer, empty; of every dtype, computed as well."""
    def numpy(x: Any, i: Any) -> Any:
        return x if len(x) <= len(i) else x[i]

    for dtype in dtypes.ALL:
        yield Case(dtype, TableOrElements(), (tensor(dtype, 5), tensor("int64", None)),
                   (values("by 3", draw(dtype, (5,)), [0, -1, 2]), values("by 6", draw(dtype, (5,)), [0, -1, 2] * 2)),
                   numpy, differentiate=False)
    yield Case("vector", TableOrElements(), (VECTOR, INDEX), _tables(), numpy, differentiate=False)
    yield Case("computed", lambda x, i: TableOrElements()(x * 2, i + 0) + 1, (VECTOR, INDEX), _tables(),
               lambda x, i: numpy(x * 2, i) + 1, differentiate=False)


def table_fails() -> Iterator[Failure]:
    """Indices out of bounds, whichever is computed; the same words as for a gather."""
    for label, x in ("shorter", np.ones(2)), ("longer", np.ones(9)):
        i, n = np.array([0, 1, 1]), len(x)
        yield Failure(label, TableOrElements(), (VECTOR, INDEX), (x, i), (x, i + n), BoundsError,
                      f"gather: index {n} is out of bounds for axis 0, whose length is {n}")
        yield Failure(f"{label}, rewritten", lambda x, i: nt.exp(x[i]), (VECTOR, INDEX), (x, i), (x, -n - i),
                      BoundsError, f"index {-n - 1} is out of bounds")


def table_elements() -> Iterator[Case]:
    """What follows from the table, and from the elements: the same values."""
    yield Case("of a function", lambda x, i: TableElements()(nt.exp(TableOrElements()(x, i)), x.shape[0], i),
               (VECTOR, INDEX), _tables(), lambda x, i: np.exp(x)[i],
               differentiate=False)
    yield Case("as it is", lambda x, i: TableElements()(TableOrElements()(x, i), x.shape[0], i), (VECTOR, INDEX),
               _tables(), lambda x, i: x[i], differentiate=False)


def nonzero() -> Iterator[Case]:
    """Of every dtype and rank; NaN is not zero, both zeros are."""
    for dtype in dtypes.ALL:
        yield Case(dtype, lambda x: Nonzero()(x, return_list=True), (tensor(dtype, None),),
                   (values("edges", specials(dtype)), values("none", np.zeros(3, dtype)),
                    values("nothing", np.zeros(0, dtype))), lambda x: list(np.nonzero(x)))
    for shape in ((None, None), (None, 3, 2), (2, 0)):
        lengths = tuple(4 if n is None else n for n in shape)
        yield Case(str(shape), lambda x: Nonzero()(x, return_list=True), (tensor("int64", *shape),),
                   (values("some", draw("int64", lengths, -1, 1)), values("none", np.zeros(lengths, int))),
                   lambda x: list(np.nonzero(x)))
    yield Case("of a comparison", lambda x: nt.nonzero(x > 0)[1] * 2, (MATRIX,),
               (values("some", draw("float64", (3, 4))),), lambda x: np.nonzero(x > 0)[1] * 2)


def _updated(to: bool, x: np.ndarray, y: np.ndarray, index: Any) -> np.ndarray:
    x = x.copy()
    if to:
        x[index] = y
    elif x.dtype == bool:
        np.logical_or.at(x, index, y)
    else:
        np.add.at(x, index, y)
    return x


def update(to: bool) -> Iterator[Case]:
    """Into integers and slices; values that are scalars, rows, or of the same shape."""
    def of(pattern: Any) -> IncSubtensor:
        return IncSubtensor(pattern, to)

    for dtype in dtypes.ALL:
        yield Case(dtype, lambda x, y: of((FULL, "i"))(x, y, 4, 0, -2, 1), (tensor(dtype, 5, 4), tensor(dtype, 2)),
                   (values("5 x 4", draw(dtype, (5, 4)), draw(dtype, (2,), seed=1)),),
                   lambda x, y: _updated(to, x, y, (slice(4, 0, -2), 1)))
    x, y = draw("float64", (5, 4)), draw("float64", (5, 4), seed=1)
    for pattern, calls in BASIC:
        given = tuple(values(str(c), x, y[:1, :1].squeeze(), *c) for c in calls)
        yield Case(f"{of(pattern)} scalar", of(pattern), (MATRIX, tensor("float64"), *[INT] * len(calls[0])), given,
                   partial(lambda pattern, x, y, *scalars: _updated(to, x, y, _index(pattern, scalars)), pattern),
                   differentiate=pattern == (FULL,))
    yield Case("slice", lambda x, y, n: of((TO,))(x, y, n), (MATRIX, MATRIX, INT),
               (values("3 rows", x, y[:3], 3), values("no rows", x, y[:0], 0), values("all", x, y, 9)),
               lambda x, y, n: _updated(to, x, y, slice(None, int(n))))
    yield Case("row", lambda x, y: of((FROM,))(x, y, 1), (MATRIX, VECTOR), (values("5 x 4", x, y[0]),),
               lambda x, y: _updated(to, x, y, slice(1, None)))
    yield Case("column", lambda x, y: of(())(x, y), (MATRIX, tensor("float64", None, 1)),
               (values("5 x 4", x, y[:, :1]),), lambda x, y: _updated(to, x, y, ...), differentiate=False)
    yield Case("reversed, of computed", lambda x, y: of((BY,))(x * 2, nt.exp(y), -1) + x, (MATRIX, MATRIX),
               (values("5 x 4", x, y),), lambda x, y: _updated(to, x * 2, np.exp(y), slice(None, None, -1)) + x)
    yield Case("of itself", lambda x: of((FROM,))(x, x[:-1], 1), (VECTOR,), (values("4", x[0]), values("1", x[0, :1])),
               lambda x: _updated(to, x, x[:-1].copy(), slice(1, None)))
    yield Case("twice", lambda x, y: of(("i",))(of(("i",))(x, y, 0), y, 1), (MATRIX, VECTOR),
               (values("5 x 4", x, y[0]),), lambda x, y: _updated(to, _updated(to, x, y, 0), y, 1))
    edges = specials("float64")
    yield Case("edges", lambda x, y: of((TO,))(x, y, 5), (VECTOR, VECTOR), (values("edges", edges, edges[-5:]),),
               lambda x, y: _updated(to, x, y, slice(None, 5)), differentiate=False)


def update_fails(to: bool) -> Iterator[Failure]:
    """Out of bounds, a step of 0, values of other lengths."""
    x = np.ones((3, 2))
    yield Failure("out of bounds", IncSubtensor(("i",), to), (MATRIX, VECTOR, INT), (x, x[0], np.int64(0)),
                  (x, x[0], np.int64(5)), BoundsError, "index 5 is out of bounds for axis 0, whose length is 3")
    yield Failure("value", IncSubtensor((FROM,), to), (MATRIX, MATRIX, INT), (x, x[1:], np.int64(1)),
                  (x, x, np.int64(1)), ShapeError, "does not broadcast to the indexed elements")
    yield Failure("a length of 1 that was not declared", IncSubtensor((TO,), to), (MATRIX, MATRIX, INT),
                  (x, x[:2], np.int64(2)), (x, x[:1], np.int64(2)), ShapeError,
                  "does not broadcast to the indexed elements")
    yield Failure("step 0", lambda x, y, k: IncSubtensor((BY,), to)(x, y, k), (MATRIX, tensor("float64"), INT),
                  (x, np.float64(1), np.int64(2)), (x, np.float64(1), np.int64(0)), ValueDomainError,
                  "the step of a slice is 0")


def scatter(to: bool) -> Iterator[Case]:
    """Into index arrays; where a place comes up again, the last value stays, or all are added."""
    op = AdvancedIncSubtensor(to)
    for dtype in dtypes.ALL:
        yield Case(dtype, op, (tensor(dtype, 5, 4), tensor(dtype, 3, 4), tensor("int64", 3)),
                   (values("3 of 5", draw(dtype, (5, 4)), draw(dtype, (3, 4), seed=1), [0, -1, 2]),
                    values("repeated", draw(dtype, (5, 4)), draw(dtype, (3, 4), seed=1), [1, 1, -4], smooth=not to)),
                   lambda x, y, i: _updated(to, x, y, i))
    x, y, i = draw("float64", (5, 4)), draw("float64", (6, 4), seed=1), np.array([0, 4, -5, 2, 2, 2])
    apart = np.array([0, 3, 1, 2])
    yield Case("rows", op, (MATRIX, MATRIX, INDEX),
               (values("4", x, y[:4], apart), values("6", x, y, i, smooth=not to), values("none", x, y[:0], i[:0]),
                values("nothing", x[:0], y[:0], i[:0]), values("no columns", x[:, :0], y[:, :0], i)),
               lambda x, y, i: _updated(to, x, y, i))
    yield Case("a scalar", op, (VECTOR, tensor("float64"), INDEX),
               (values("4", x[:, 0], 1.5, apart), values("6", x[:, 0], 1.5, i, smooth=not to)),
               lambda x, y, i: _updated(to, x, y, i))
    yield Case("a row", op, (MATRIX, VECTOR, INDEX),
               (values("4", x, y[0], apart), values("6", x, y[0], i, smooth=not to)),
               lambda x, y, i: _updated(to, x, y, i))
    yield Case("two", op, (MATRIX, VECTOR, INDEX, INDEX),
               (values("3", x, y[0, :3], i[:3], [3, -4, 1]), values("repeated", x, y[0, :3], i[3:], [1, 1, 1],
                                                                     smooth=not to)),
               lambda x, y, i, j: _updated(to, x, y, (i, j)))
    yield Case("two that broadcast", op, (MATRIX, MATRIX, tensor("int64", None, 1), tensor("int64", 1, None)),
               (values("2 x 3", x, y[:2, :3], [[0], [4]], [[3, -3, 2]]),),
               lambda x, y, i, j: _updated(to, x, y, (i, j)))
    yield Case("of computed, by a sum", lambda x, y, i: op(x * 2, nt.exp(y), i + 1) + x, (MATRIX, MATRIX, INDEX),
               (values("3", x, y[:3], [0, -1, 3], smooth=not to), values("4", x, y[:4], apart)),
               lambda x, y, i: _updated(to, x * 2, np.exp(y), i + 1) + x)
    yield Case("of itself", lambda x, i: op(x, x[i] * 2, i), (MATRIX, INDEX), (values("4", x, apart),),
               lambda x, i: _updated(to, x, x[i] * 2, i))
    yield Case("one scalar index", op, (MATRIX, VECTOR, INT), (values("-2", x, y[0], -2),),
               lambda x, y, i: _updated(to, x, y, int(i)), differentiate=False)


def scatter_fails(to: bool) -> Iterator[Failure]:
    """Out of bounds, index arrays that do not broadcast, values of other lengths."""
    op = AdvancedIncSubtensor(to)
    x, i = np.ones((3, 2)), np.array([0, 1])
    yield Failure("out of bounds", op, (MATRIX, MATRIX, INDEX), (x, x[:2], i), (x, x[:2], i + 2), BoundsError,
                  "index 3 is out of bounds for axis 0, whose length is 3")
    yield Failure("value", op, (MATRIX, MATRIX, INDEX), (x, x[:2], i), (x, x, i), ShapeError,
                  "does not broadcast to the indexed elements")
    yield Failure("shapes", op, (MATRIX, tensor("float64"), INDEX, INDEX), (x, np.float64(1), i, i),
                  (x, np.float64(1), i, i[:1]), IndexShapeError, "index arrays do not broadcast")
