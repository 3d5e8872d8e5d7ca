"""What of a sample can be differentiated, and its gradient as a function of its own.

    pulled_back(case)(x, y, weight)      the gradients of sum(weight * case.build(x, y)) by x and y
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from nbgraph.gradient import Lop
from nbgraph.tensor import dtypes
from tests.samples.case import Case, Row


def moved_among(types: Iterable[Any]) -> list[int]:
    """The positions of those that a derivative can be taken of."""
    return [k for k, kind in enumerate(types) if not dtypes.is_discrete(kind.dtype)]


def differentiable(case: Case) -> bool:
    """True where an input and an output are of float or complex dtype."""
    outputs = case.outputs(case.inputs())
    return case.differentiate and bool(moved_among(case.types)) and bool(moved_among(z.type for z in outputs))


def in_double(row: Row) -> list[Case]:
    """The cases whose derivatives can be compared to many digits: in double precision, and smooth.

    Where all of a row convert to single precision, those from double precision.
    """
    smooth = [case for case in row.cases() if case.values[0].smooth and all(a.size for a in case.values[0].arrays)
              and not single(case.types) and differentiable(case)]
    return [case for case in smooth if not single(z.type for z in case.outputs(case.inputs()))] or smooth


def single(types: Iterable[Any]) -> bool:
    """True where one of these is of single precision."""
    return any(kind.dtype in ("float32", "complex64") for kind in types)


def exact_arrays(case: Case) -> tuple[np.ndarray, ...]:
    """The values of a case; where it converts to single precision, numbers that lose nothing by it."""
    arrays = case.values[0].arrays
    if not single(z.type for z in case.outputs(case.inputs())):
        return arrays
    return tuple(a if dtypes.is_discrete(a.dtype.name) else np.round(a * 64) / 64 for a in arrays)


def pulled_back(case: Case) -> Callable[..., list[Any]]:
    """(inputs of the case, weights of its outputs) -> the gradients of its inputs."""
    def gradients(*given: Any) -> list[Any]:
        inputs, weights = given[:len(case.types)], list(given[len(case.types):])
        outputs = case.outputs(inputs)
        smooth = [outputs[k] for k in moved_among(z.type for z in outputs)]
        moved = [inputs[k] for k in moved_among(case.types)]
        return list(Lop(smooth, moved, weights, disconnected_inputs="ignore"))

    return gradients
