"""How far results are from NumPy's.

    relative_error(np.array([1.0, 2.2]), np.array([1.0, 2.0]))  ->  0.1
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

# What float32 results may differ by, where NumPy's are float64: peers compute some counts so.
SINGLE = 1e-5


def relative_error(ours: np.ndarray, theirs: np.ndarray) -> float:
    """max |ours - theirs| / max |theirs|; infinity for another shape, dtype, or NaN in one of them only."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return math.inf
    if ours.dtype == bool:
        return 0.0 if np.array_equal(ours, theirs) else math.inf
    if not np.array_equal(np.isnan(ours), np.isnan(theirs)):
        return math.inf
    difference = float(np.nanmax(np.abs(ours - theirs), initial=0.0))
    size = float(np.nanmax(np.abs(theirs), initial=0.0))
    return difference / size if size else (0.0 if difference == 0 else math.inf)


def disagreement(found: Sequence[np.ndarray], expected: Sequence[np.ndarray], strict: bool = True) -> float:
    """The largest relative error over all results; where not `strict`, float32 may stand for float64."""
    if len(found) != len(expected):
        return math.inf
    return max(relative_error(a, b) if strict else _lenient_error(a, b) for a, b in zip(found, expected, strict=True))


def _lenient_error(found: np.ndarray, expected: np.ndarray) -> float:
    error = relative_error(found.astype(expected.dtype), expected)
    return 0.0 if found.dtype == np.float32 != expected.dtype and error <= SINGLE else error
