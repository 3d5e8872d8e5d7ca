"""Samples of the scalar table: every row over its domain, in every dtype that it takes, and at the edges of these.

A row here is made from a row there; what a person has to add stands in the tables below: NumPy's expression, other
values, other tolerances, the word that there is no derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import ShapeError, ValueDomainError
from nbgraph.tensor import dtypes
from nbgraph.tensor.functions import FUNCTIONS
from nbgraph.tensor.scalar_function import TABLE, ScalarFunction
from tests.samples.case import Case, Failure, Row, Values, draw, generator, specials, tensor, values
from tests.samples.oracles import oracle

N = 24
MIXED = [("int8", "uint8"), ("int64", "uint64"), ("bool", "int16"), ("float32", "int16"), ("float32", "int32"),
         ("int64", "float64"), ("uint8", "float32"), ("float64", "float32"), ("complex64", "float32"),
         ("float64", "complex64"), ("complex64", "int64"), ("bool", "complex128"), ("bool", "float32")]


# Rows that are tried with every mixture of dtypes and every shape: the ways to all others are the same.
THOROUGH = ("add", "mul", "exp", "neg", "lt", "power", "switch", "clip")
STEPS = ("floor", "ceil", "trunc", "round_half_to_even", "round_half_away_from_zero", "sign")
TRUTH = "the result is a truth value or an integer, constant between its steps: nothing to differentiate"
NO_GRADIENT = dict.fromkeys(
    ["lt", "le", "gt", "ge", "eq", "neq", "logical_and", "logical_or", "logical_xor", "logical_not", "and_", "or_",
     "xor", "invert", "left_shift", "right_shift", "isnan", "isinf", "isfinite", "cast_bool",
     *(f"cast_{d}" for d in dtypes.INTEGERS)], TRUTH)


def rows() -> list[Row]:
    """A Row for each row of the scalar table."""
    return [Row(name, partial(_cases, function), (name,), partial(_fails, function), whole=False,
                no_gradient=NO_GRADIENT.get(name, "")) for name, function in TABLE.items()]


def taken(function: ScalarFunction) -> Iterator[tuple[str, ...]]:
    """Dtypes of the operands that the function is defined for: all of one dtype, and mixtures."""
    same = [(d,) * function.nin for d in dtypes.ALL]
    mixed = {1: [], 2: MIXED, 3: [("bool", *pair) for pair in MIXED]}[function.nin]
    for kinds in (*same, *mixed):
        try:
            function.signature(*kinds)
        except TypeError:
            continue
        yield kinds


def _cases(function: ScalarFunction) -> Sequence[Case]:
    """All dtypes; of mixtures, Python numbers and shapes a few, other ones in each row, and all where a row says so."""
    combinations = list(taken(function))
    same = [kinds for kinds in combinations if len(set(kinds[-2:])) == 1]
    others = [_of_dtypes(function, kinds) for kinds in combinations if kinds not in same]
    weak, shapes = list(_weak(function)), list(_of_shapes(function, combinations))
    if function.name not in THOROUGH:
        others, weak, shapes = (_some(function, found, 3) for found in (others, weak, shapes))
    return [*(_of_dtypes(function, kinds) for kinds in same), *others, *weak, *shapes]


def _some(function: ScalarFunction, found: list[Case], count: int) -> list[Case]:
    chosen = generator(function.name, len(found)).permutation(len(found))[:count]
    return [found[k] for k in sorted(chosen)]


def _of_dtypes(function: ScalarFunction, kinds: tuple[str, ...]) -> Case:
    """One length for all dtypes, so that they share a loop; called over the domain and at the edges."""
    drawn = sample(function, kinds, (N,))
    edges = [Values(f"edges {k}", arrays, smooth=False) for k, arrays in enumerate(_edges(function, kinds))]
    return Case(", ".join(kinds), FUNCTIONS[function.name], tuple(tensor(d, N) for d in kinds),
                (Values("domain", drawn), *edges), oracle(function.name))


def sample(function: ScalarFunction, kinds: Sequence[str], shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Operands in the domain of the function."""
    arrays = [draw(d, shape, low, high, seed=(function.name, k))
              for k, (d, (low, high)) in enumerate(zip(kinds, function.domain, strict=True))]
    return tuple(_allowed(function, [_off_steps(function, k, arrays) for k in range(function.nin)]))


def _off_steps(function: ScalarFunction, k: int, arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Operand k, moved away from the steps of the function, where its derivative does not exist."""
    x = arrays[k]
    if x.dtype.kind != "f" or k:
        return x
    if function.name in STEPS:
        return (np.floor(x * 4) / 4 + 0.125).astype(x.dtype)
    if function.name in ("mod", "floor_divide"):
        return ((np.floor(x) + 0.3) * arrays[1].astype(x.dtype)).astype(x.dtype)
    return x


def _allowed(function: ScalarFunction, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What makes no sense is taken out."""
    arrays = list(arrays)
    if function.name == "polygamma":  # n! overflows above 170, and what then comes of inf * 0 means nothing
        arrays[0] = np.where(arrays[0] > 170, arrays[0].dtype.type(7), arrays[0])
    # Each C library has its own answer to these.
    if function.name == "power" and any(a.dtype.kind == "c" for a in arrays):
        arrays = [np.where(np.isfinite(a), a, a.dtype.type(1.5)) for a in arrays]
    if function.name == "gammaln":  # SciPy gives inf for numbers below the normal ones, instead of 744.4
        arrays = [np.where(np.abs(a) < 1e-300, a.dtype.type(0), a) for a in arrays]
    if function.name.startswith("cast_") and arrays[0].dtype.kind == "f" and function.name[5:] in dtypes.INTEGERS:
        # What becomes of a float that does not fit is not defined, by NumPy neither.
        ends = np.iinfo(function.name[5:])
        fits = (arrays[0] > float(ends.min)) & (arrays[0] < float(ends.max))
        arrays[0] = np.where(fits, arrays[0], arrays[0].dtype.type(7))
    # An integer raised to a negative integer is a failure of its own.
    if function.name == "power" and all(a.dtype.kind in "biu" for a in arrays):
        arrays[1] = np.where(arrays[1] < 0, arrays[1].dtype.type(3), arrays[1])
    return arrays


def _edges(function: ScalarFunction, kinds: Sequence[str]) -> Iterator[tuple[np.ndarray, ...]]:
    """The edges of the dtypes in all combinations, N at a time."""
    found = list(product(*(specials(d) for d in kinds)))
    chosen = generator(function.name, kinds).permutation(len(found))[:120]
    found = [found[k] for k in sorted(chosen)]
    found += found[:1] * (-len(found) % N)
    for start in range(0, len(found), N):
        columns = zip(*found[start:start + N], strict=True)
        yield tuple(_allowed(function, [np.array(c, d) for c, d in zip(columns, kinds, strict=True)]))


def _of_shapes(function: ScalarFunction, combinations: Sequence[tuple[str, ...]]) -> Iterator[Case]:
    """Ranks, lengths that are known when called only, broadcasting."""
    kinds = next((k for k in combinations if "float64" in k), combinations[-1])
    n = function.nin
    layouts: dict[str, tuple[list[tuple[int | None, ...]], list[list[tuple[int, ...]]]]] = {
        "0-d": ([()] * n, [[()] * n]),
        "vectors": ([(None,)] * n, [[(5,)] * n, [(0,)] * n, [(1,)] * n]),
        "three axes": ([(None,) * 3] * n, [[(2, 3, 4)] * n, [(2, 0, 4)] * n, [(1, 1, 1)] * n]),
        "known lengths": ([(2, 3)] * n, [[(2, 3)] * n]),
        "a length of 0": ([(0, 3)] * n, [[(0, 3)] * n]),
    }
    if n > 1:
        layouts |= {
            "row and column": ([(None, 1), (1, None), (None, None)][:n], [[(3, 1), (1, 4), (3, 4)][:n],
                                                                          [(0, 1), (1, 4), (0, 4)][:n]]),
            "ranks": ([(None,), (), (None, None)][:n], [[(3,), (), (2, 3)][:n]]),
        }
    for label, (types, calls) in layouts.items():
        yield Case(label, FUNCTIONS[function.name], tuple(tensor(d, *s) for d, s in zip(kinds, types, strict=True)),
                   tuple(values(str(shapes), *_of_each_shape(function, kinds, shapes)) for shapes in calls),
                   oracle(function.name))


def _of_each_shape(function: ScalarFunction, kinds: Sequence[str], shapes: Sequence[Any]) -> list[np.ndarray]:
    return [sample(function, kinds, shape)[k] for k, shape in enumerate(shapes)]


def _weak(function: ScalarFunction) -> Iterator[Case]:
    """A Python number on the right takes the dtype that the array gives it."""
    if function.nin != 2:
        return
    for number, kind in ((2, "int8"), (2, "float32"), (1.5, "float32"), (1.5, "int64"), (2, "bool"), (1.5j, "float32")):
        try:
            function.signature(kind, type(number))
        except TypeError:
            continue
        (x, _) = sample(function, (kind, "int64"), (N,))
        yield Case(f"{kind} and {number!r}", partial(_with_number, FUNCTIONS[function.name], number),
                   (tensor(kind, N),), (values("domain", x),), partial(_with_number, oracle(function.name), number))


def _with_number(function: Callable[..., Any], number: Any, x: Any) -> Any:
    return function(x, number)


def _fails(function: ScalarFunction) -> Iterator[Failure]:
    """Lengths that differ; an integer raised to a negative one."""
    if function.nin == 1:
        return
    kinds = next((k for k in taken(function) if "float64" in k), next(taken(function)))
    for label, ranks, good, bad in (
            ("lengths", [(None,)] * function.nin, [(3,)] * function.nin, [(3,), (4,), (3,)]),
            ("a length of 1 that was not declared", [(None, None)] * function.nin, [(2, 3)] * function.nin,
             [(2, 3), (2, 1), (2, 3)]),
            ("the last axis of another rank", [(None, None), (None,), ()], [(2, 3), (3,), ()], [(2, 3), (2,), ()])):
        shapes = zip(kinds, ranks[:function.nin], strict=True)
        yield Failure(label, FUNCTIONS[function.name], tuple(tensor(d, *s) for d, s in shapes),
                      tuple(_of_each_shape(function, kinds, good[:function.nin])),
                      tuple(_of_each_shape(function, kinds, bad[:function.nin])), ShapeError, "differ")
    if function.name == "power":
        x, y = np.array([2, 3]), np.array([1, 2])
        yield Failure("negative power", nt.power, (tensor("int64", None), tensor("int64", None)), (x, y), (x, -y),
                      ValueDomainError, "negative integer power")
        yield Failure("negative power of a scalar", nt.power, (tensor("int8"), tensor("int8")),
                      (np.int8(2), np.int8(3)), (np.int8(2), np.int8(-3)), ValueDomainError, "negative integer power")
