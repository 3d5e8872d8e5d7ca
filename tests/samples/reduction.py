"""Samples of Reduce, ArgReduce, Cumulative and LinearRecurrence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import ShapeError, ValueDomainError
from nbgraph.tensor import dtypes
from nbgraph.tensor.reduction import NUMPY_REDUCTIONS, ArgReduce, Cumulative, LinearRecurrence, Reduce
from tests.samples.case import Case, Failure, Row, draw, specials, tensor, values

# Kinds that are reduced over every set of axes: the loops of the others are the same.
THOROUGH = ("sum", "max", "any")
AXES = ((0,), (1,), (0, 1), ())
TRUTH = "the result is a truth value: it is constant between its steps, so there is nothing to differentiate"
PLACE = "the result is the place of an element, an integer: it is constant between its steps"


def rows() -> list[Row]:
    """A Row for each kind, as they differ in the dtypes of results and in what there is over nothing."""
    truths = {"all": TRUTH, "any": TRUTH}
    return [*(Row(f"Reduce {kind}", partial(reduce, kind), (Reduce,), partial(reduce_fails, kind),
                  no_gradient=truths.get(kind, "")) for kind in NUMPY_REDUCTIONS),
            *(Row(f"ArgReduce {kind}", partial(arg_reduce, kind), (ArgReduce,), partial(arg_reduce_fails, kind),
                  no_gradient=PLACE) for kind in ("argmax", "argmin")),
            *(Row(f"Cumulative {kind}", partial(cumulative, kind), (Cumulative,)) for kind in ("sum", "prod")),
            Row("LinearRecurrence", recurrence, (LinearRecurrence,), recurrence_fails)]


def _dtypes_of(kind: str, dtype: str) -> tuple[str, str]:
    """(dtype, acc_dtype) that the functions use."""
    if kind in ("all", "any"):
        return "bool", "bool"
    if kind in ("max", "min"):
        return dtype, dtype
    result = np.sum(np.zeros(1, dtype)).dtype.name
    return result, {"float32": "float64", "complex64": "complex128"}.get(result, result)


def _numpy(kind: str, axes: Sequence[int], dtype: str, acc_dtype: str, x: np.ndarray) -> Any:
    options = {"dtype": acc_dtype} if kind in ("sum", "prod") else {}
    if x.size == 0 and kind in ("max", "min"):
        options["initial"] = -np.inf if kind == "max" else np.inf
    return np.asarray(getattr(np, kind)(x, axis=tuple(axes), **options)).astype(dtype)


def _reduce(kind: str, axes: tuple[int, ...], dtype: str, acc_dtype: str, label: str, types: Any, calls: Any,
            of_nothing: bool = False, differentiate: bool = True) -> Case:
    return Case(label, Reduce(kind, axes, dtype, acc_dtype, of_nothing), (types,), tuple(calls),
                partial(_numpy, kind, axes, dtype, acc_dtype), differentiate)


def _drawn(kind: str, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    x = draw(dtype, shape, 0.5 if kind == "prod" else -3.0, 2.0)
    # Distinct elements: a tie is a kink of max and min.
    return x if x.dtype.kind != "f" else (x + np.arange(x.size).reshape(shape) * 0.01).astype(dtype)


def reduce(kind: str) -> Iterator[Case]:
    """All dtypes, all sets of axes, accumulators, nothing at all, NaN and infinities in every place."""
    for dtype in dtypes.ALL:
        calls = [values("3 x 4", _drawn(kind, dtype, (3, 4))),
                 values("edges", np.resize(specials(dtype), (3, 4)), smooth=False)]
        yield _reduce(kind, (1,), *_dtypes_of(kind, dtype), dtype, tensor(dtype, 3, 4), calls)
    result = _dtypes_of(kind, "float64")
    fine = kind in ("max", "min")
    for axes in AXES if kind in THOROUGH else AXES[:1]:
        kept = [n for axis, n in enumerate((0, 3)) if axis not in axes]
        shapes = [(2, 3), (1, 1), (5, 7), *([] if fine and 0 in axes else [(0, 3)]),
                  *([] if fine and 1 in axes else [(3, 0)])]
        calls = [values(str(s), _drawn(kind, "float64", s)) for s in shapes]
        nan = draw("float64", (3, 3))
        nan[1, 2], nan[0, 1], nan[2, 2] = np.nan, np.inf, -np.inf
        yield _reduce(kind, axes, *result, f"axes {axes}, {len(kept)} kept", tensor("float64", None, None),
                      [*calls, values("NaN", nan, smooth=False)])
    yield _reduce(kind, (), *result, "0-d", tensor("float64"), [values("0-d", 1.5)])
    yield _reduce(kind, (0,), *result, "vector", tensor("float64", None),
                  [values("5", _drawn(kind, "float64", (5,))), values("1", [1.5]),
                   values("1000", _drawn(kind, "float64", (1000,)) / 10 + 0.9, smooth=False)], differentiate=False)
    for axes in ((1,), (0, 2), (2,), (0, 1)) if kind in THOROUGH else ():
        yield _reduce(kind, axes, *result, f"axes {axes} of three", tensor("float64", None, 3, None),
                      [values("2 x 3 x 4", _drawn(kind, "float64", (2, 3, 4))),
                       values("1 x 3 x 1", _drawn(kind, "float64", (1, 3, 1)))], differentiate=axes == (0, 2))
    yield from _of_computed(kind, *result)
    if kind in ("sum", "prod"):
        yield from _accumulators(kind)
    if fine:
        yield _reduce(kind, (1,), *result, "of nothing", tensor("float64", None, None),
                      [values("3 x 4", _drawn(kind, "float64", (3, 4))), values("3 x 0", np.zeros((3, 0)))], True)
        yield _reduce(kind, (0, 1), "float32", "float32", "of nothing, in single", tensor("float32", None, None),
                      [values("3 x 4", _drawn(kind, "float32", (3, 4))),
                       values("0 x 2", np.zeros((0, 2), "float32"))], True)


def _of_computed(kind: str, dtype: str, acc_dtype: str) -> Iterator[Case]:
    """What is reduced is computed in the same loop, transposed, or broadcast."""
    x, row = _drawn(kind, "float64", (3, 4)), _drawn(kind, "float64", (4,))
    numpy = partial(_numpy, kind, (0,), dtype, acc_dtype)
    op = Reduce(kind, (0,), dtype, acc_dtype)
    yield Case("of a product", lambda x, y: op(x * y), (tensor("float64", None, None), tensor("float64", None)),
               (values("3 x 4", x, row), values("1 x 4", x[:1], row)), lambda x, y: numpy(x * y))
    yield Case("of a transpose", lambda x: op(x.T), (tensor("float64", None, None),), (values("3 x 4", x),),
               lambda x: numpy(x.T))
    yield Case("and the elements", lambda x: [op(x), nt.exp(x)], (tensor("float64", None, None),),
               (values("3 x 4", x),), lambda x: [numpy(x), np.exp(x)], differentiate=dtype != "bool")


def _accumulators(kind: str) -> Iterator[Case]:
    """Dtypes to add up in and of the result that are not the usual ones."""
    for given, result, working in (("float64", "float32", "float64"), ("float32", "float32", "float32"),
                                   ("int8", "int8", "int8"), ("int8", "float64", "int64"), ("bool", "int32", "int32"),
                                   ("uint8", "uint8", "uint64"), ("int32", "complex128", "float64"),
                                   ("float32", "int64", "float64"), ("bool", "bool", "bool"),
                                   ("float64", "complex64", "complex128")):
        for axes in ((0,), (0, 1)) if kind in THOROUGH else ((0,),):
            yield _reduce(kind, axes, result, working, f"{given} in {working} to {result} over {axes}",
                          tensor(given, 3, 4), [values("3 x 4", _drawn(kind, given, (3, 4)))])


def reduce_fails(kind: str) -> Iterator[Failure]:
    """The largest of nothing."""
    if kind not in ("max", "min"):
        return
    for axes in ((1,), (0, 1), (0,)):
        bad = np.ones((0, 3)) if 0 in axes else np.ones((3, 0))
        yield Failure(f"of nothing over {axes}", Reduce(kind, axes, "float64", "float64"),
                      (tensor("float64", None, None),), (np.ones((3, 2)),), (bad,), ValueDomainError, "of no elements")


def _arg_numpy(kind: str, axes: Sequence[int], x: np.ndarray) -> Any:
    rows = np.moveaxis(x, axes, range(-len(axes), 0))
    rows = rows.reshape(*rows.shape[:x.ndim - len(axes)], int(np.prod([x.shape[a] for a in axes])))
    return np.asarray(getattr(np, kind)(rows, axis=-1))


def arg_reduce(kind: str) -> Iterator[Case]:
    """Ties, NaN first, all sets of axes."""
    for dtype in dtypes.ALL:
        x = draw(dtype, (3, 4))
        yield Case(dtype, ArgReduce(kind, (1,)), (tensor(dtype, 3, 4),),
                   (values("3 x 4", x), values("ties", np.ones_like(x)),
                    *(values("edges", np.resize(np.roll(specials(dtype), k), (3, 4))) for k in range(0, 12, 3))),
                   partial(_arg_numpy, kind, (1,)))
    nan = draw("float64", (3, 3))
    nan[1, 2], nan[0, 1], nan[1, 1], nan[2, 2] = np.nan, np.inf, np.nan, -np.inf
    for axes in ((0,), (1,), (0, 1)):
        yield Case(f"axes {axes}", ArgReduce(kind, axes), (tensor("float64", None, None),),
                   (values("2 x 3", draw("float64", (2, 3))), values("1 x 1", [[np.nan]]), values("NaN", nan),
                    values("infinite", np.full((2, 2), -np.inf)), values("infinite", np.full((2, 2), np.inf)),
                    values("zeros", [[0.0, -0.0], [-0.0, 0.0]])), partial(_arg_numpy, kind, axes))
    for axes in ((1,), (0, 2)):
        yield Case(f"axes {axes} of three", ArgReduce(kind, axes), (tensor("float64", None, 3, None),),
                   (values("2 x 3 x 4", draw("float64", (2, 3, 4))),), partial(_arg_numpy, kind, axes))
    yield Case("nothing kept", ArgReduce(kind, (1,)), (tensor("float64", None, None),),
               (values("0 x 3", np.zeros((0, 3))), values("2 x 3", draw("float64", (2, 3)))),
               partial(_arg_numpy, kind, (1,)))
    yield Case("0-d", ArgReduce(kind, ()), (tensor("float64"),), (values("0-d", 1.5), values("NaN", np.nan)),
               lambda x: np.int64(0))


def arg_reduce_fails(kind: str) -> Iterator[Failure]:
    """The place of the largest of nothing."""
    yield Failure("of nothing", ArgReduce(kind, (1,)), (tensor("float64", None, None),), (np.ones((3, 2)),),
                  (np.ones((3, 0)),), ValueDomainError, "of no elements")
    yield Failure("of nothing over all", ArgReduce(kind, (0, 1)), (tensor("int8", None, None),),
                  (np.ones((3, 2), "int8"),), (np.ones((0, 2), "int8"),), ValueDomainError, "of no elements")


def cumulative(kind: str) -> Iterator[Case]:
    """Every axis, in the dtype of the elements."""
    run = {"sum": np.cumsum, "prod": np.cumprod}[kind]
    for dtype in dtypes.ALL:
        yield Case(dtype, Cumulative(kind, 1), (tensor(dtype, 3, 4),), (
            values("3 x 4", _drawn(kind, dtype, (3, 4))),
            values("edges", np.resize(specials(dtype), (3, 4)), smooth=False)),
                   partial(lambda d, x: run(x, axis=1, dtype=d), dtype))
    zeros = _drawn(kind, "float64", (3, 4))
    zeros[1] = 0.0
    for axis, shape in ((0, (None, None)), (1, (None, None)), (1, (None, 3, None)), (0, (None,)), (0, (1, None))):
        known = [tuple(n if n is not None else m for n, m in zip(shape, lengths, strict=False))
                 for lengths in ((3, 4, 2), (1, 1, 1), (0, 0, 0))]
        calls = [values(str(s), _drawn(kind, "float64", s)) for s in known]
        calls += [values("zeros", zeros)] if shape == (None, None) else []
        yield Case(f"axis {axis} of {shape}", Cumulative(kind, axis), (tensor("float64", *shape),), tuple(calls),
                   partial(run, axis=axis))
    yield Case("of a sum, reversed", lambda x: Cumulative(kind, 0)((x + 1)[::-1]) * 2, (tensor("float64", None),),
               (values("4", _drawn(kind, "float64", (4,))),), lambda x: run((x + 1)[::-1]) * 2)


def _recurrence(axis: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, s = np.moveaxis(a, axis, 0), np.moveaxis(b.copy(), axis, 0)
    for i in range(1, len(s)):
        s[i] = a[i] * s[i - 1] + s[i]
    return np.moveaxis(s, 0, axis)


def recurrence() -> Iterator[Case]:
    """Every axis and dtype."""
    for dtype in dtypes.ALL:
        yield Case(dtype, LinearRecurrence(1), (tensor(dtype, 3, 4),) * 2,
                   (values("3 x 4", draw(dtype, (3, 4), -1, 1, 1), draw(dtype, (3, 4), -1, 1, 2)),),
                   partial(_recurrence, 1))
    for axis in (0, 1):
        kind = tensor("float64", None, None)
        yield Case(f"axis {axis}", LinearRecurrence(axis), (kind, kind), tuple(
            values(str(s), draw("float64", s, -1, 1, 1), draw("float64", s, -1, 1, 2))
            for s in ((3, 4), (1, 1), (0, 3), (3, 0))), partial(_recurrence, axis))
    nan = np.array([1.0, np.nan, np.inf, 0.0])
    yield Case("vectors", LinearRecurrence(0), (tensor("float64", None), tensor("float64", None)),
               (values("4", draw("float64", (4,), seed=1), draw("float64", (4,), seed=2)),
                values("NaN", nan, nan[::-1], smooth=False)), partial(_recurrence, 0))
    yield Case("mixed", LinearRecurrence(0), (tensor("float32", None), tensor("int64", None)),
               (values("4", draw("float32", (4,)), draw("int64", (4,))),),
               lambda a, b: _recurrence(0, a.astype("float64"), b.astype("float64")))


def recurrence_fails() -> Iterator[Failure]:
    """Shapes that differ."""
    kind = tensor("float64", None, None)
    x = np.ones((2, 3))
    yield Failure("shapes", LinearRecurrence(0), (kind, kind), (x, x), (x, x.T), ShapeError, "needs equal shapes")
    yield Failure("the other axis", LinearRecurrence(0), (kind, kind), (x, x), (x, x[:, :1]), ShapeError,
                  "needs equal shapes")
