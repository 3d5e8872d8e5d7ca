"""What a sample is: how to build a node, values for its inputs, what NumPy gives for them.

    Case("rows", lambda x: Reduce("sum", (1,), "float64", "float64")(x), [tensor("float64", None, None)],
         [values("2 x 3", np.ones((2, 3)))], numpy=lambda x: x.sum(axis=1))

A Row holds the cases of one Op, or of one row of the scalar table, and what it must refuse when it runs.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nbgraph.tensor import dtypes
from nbgraph.tensor.type import TensorType

Build = Callable[..., Any]


@dataclass(frozen=True)
class Values:
    """Arrays for the inputs of a case; `smooth` where derivatives can be compared there."""

    label: str
    arrays: tuple[np.ndarray, ...]
    smooth: bool = True


@dataclass(frozen=True)
class Case:
    """A node (or a few) and values for it.

    Attributes
    ----------
    label : str                 for messages
    build : callable            symbolic inputs -> output, or list of outputs
    types : Types of the inputs
    values : Values             the first is where gradients are compared with finite differences
    numpy : callable            the same of arrays, written without nbgraph
    differentiate : bool        False: derivatives of this case are not compared (another case of the row has them)
    """

    label: str
    build: Build
    types: tuple[TensorType, ...]
    values: tuple[Values, ...]
    numpy: Build
    differentiate: bool = True

    def inputs(self) -> list[Any]:
        """A new variable without a name for each input."""
        return [kind() for kind in self.types]

    def outputs(self, inputs: Sequence[Any]) -> list[Any]:
        """The outputs for these inputs, as a list."""
        built = self.build(*inputs)
        return list(built) if isinstance(built, (list, tuple)) else [built]


@dataclass(frozen=True)
class Failure:
    """Values that an Op must refuse when it runs, with this error and with these words in its message."""

    label: str
    build: Build
    types: tuple[TensorType, ...]
    good: tuple[np.ndarray, ...]
    bad: tuple[np.ndarray, ...]
    error: type[Exception]
    words: str

    def inputs(self, suffix: str) -> list[Any]:
        """A new variable for each input, with a name that messages show."""
        return [kind(f"x{i}_{suffix}") for i, kind in enumerate(self.types)]


@dataclass(frozen=True)
class Row:
    """All samples of one Op, or of one row of the scalar table.

    Attributes
    ----------
    name : str
    cases, fails : callables    make them when a test asks, not when tests are collected
    subjects : tuple            the Op classes, or the name of the scalar row, that the samples are of
    rtol : {dtype: float}       other tolerances than `case.RTOL`, with a `reason`
    no_gradient : str           why there is none, in a sentence; empty where there is one
    whole : bool                errors count in proportion to the largest element, not each to its own: sums cancel
    """

    name: str
    cases: Callable[[], Sequence[Case]]
    subjects: tuple[Any, ...]
    fails: Callable[[], Sequence[Failure]] = tuple
    rtol: dict[str, float] = field(default_factory=dict)
    reason: str = ""
    no_gradient: str = ""
    whole: bool = True


# What a result may differ by in proportion, unless a row says otherwise and why.
RTOL = {"float64": 1e-12, "complex128": 1e-12, "float32": 1e-5, "complex64": 1e-5}


def tensor(dtype: str, *shape: int | None) -> TensorType:
    """The Type of arrays of `dtype` with these lengths, None where unknown."""
    return TensorType(dtype, shape)


def values(label: str, *arrays: Any, smooth: bool = True) -> Values:
    """Values of these arrays."""
    return Values(label, tuple(np.asarray(a) for a in arrays), smooth)


def generator(*seed: Any) -> np.random.Generator:
    """Random numbers that depend on the seed alone."""
    return np.random.default_rng(zlib.crc32(repr(seed).encode()))


def draw(dtype: str, shape: Sequence[int], low: float = -3.0, high: float = 3.0, seed: Any = 0) -> np.ndarray:
    """An array of `dtype` with elements from low to high; below 0 only where the dtype can be."""
    rng = generator(dtype, tuple(shape), low, high, seed)
    if dtype == "bool":
        return rng.integers(int(low > 0), 2, shape).astype(bool)
    if dtype in dtypes.INTEGERS:
        low = max(low, 0) if dtype in dtypes.UNSIGNED else low
        least = int(np.ceil(low))
        return rng.integers(least, max(least, int(np.floor(high))) + 1, shape).astype(dtype)
    real = rng.uniform(low, high, shape)
    return np.asarray(real + 1j * rng.uniform(low, high, shape) if dtype in dtypes.COMPLEX else real, dtype)


def specials(dtype: str) -> np.ndarray:
    """What goes wrong first: ends of the range, zeros of both signs, NaN, infinities, tiny and huge numbers."""
    if dtype == "bool":
        return np.array([False, True])
    if dtype in dtypes.INTEGERS:
        ends = np.iinfo(dtype)
        found = [0, 1, 2, 3, 7, ends.max, ends.max - 1, ends.min, ends.min + 1]
        return np.array(found + ([-1, -2, -7] if ends.min < 0 else []), dtype)
    real = dtypes.real_of(dtype)
    facts = np.finfo(real)
    numbers = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1e-3, 40.0, -40.0, facts.max, -facts.max, facts.tiny,
                        facts.smallest_subnormal, np.inf, -np.inf, np.nan], real)
    if dtype in dtypes.FLOATS:
        return numbers
    # No numbers near the overflow: whether NumPy's own products of these are inf or NaN depends on its SIMD loops.
    few = np.array([0.0, -0.0, 1.0, -2.5, 12.5, np.inf, -np.inf, np.nan], real)
    whole = np.empty((len(few), len(few)), dtype)
    whole.real, whole.imag = few[:, None], few[None, :]
    return whole.ravel()
