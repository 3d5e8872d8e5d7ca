"""Results against what is expected of them, and the layouts of memory in which arrays are passed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tests.samples.case import RTOL, Row


def assert_result(row: Row, actual: Any, expected: Any, where: str) -> None:
    """The same dtype and shape; integers and bools equal, NaN and infinities in the same places, numbers close."""
    assert type(actual) is np.ndarray, f"{where}: a {type(actual).__name__}, not an array"
    assert actual.dtype == expected.dtype, f"{where}: dtype {actual.dtype}, expected {expected.dtype}"
    assert actual.shape == expected.shape, f"{where}: shape {actual.shape}, expected {expected.shape}"
    rtol = row.rtol.get(actual.dtype.name, RTOL.get(actual.dtype.name, 0.0))
    wrong = differs(actual, expected, rtol, row.whole)
    if np.any(wrong):
        first = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise AssertionError(f"{where}: {np.count_nonzero(wrong)} of {wrong.size} elements differ, the first at "
                             f"{list(first)}: {actual[first]!r}, expected {expected[first]!r}")


def differs(actual: np.ndarray, expected: np.ndarray, rtol: float, whole: bool) -> np.ndarray:
    """True where an element is not what is expected."""
    if actual.dtype.kind == "c":
        parts = [(actual.real, expected.real), (actual.imag, expected.imag)]
        lost = np.logical_or.reduce([_elsewhere(a, e) for a, e in parts])
    elif actual.dtype.kind == "f":
        lost = _elsewhere(actual, expected)
    else:
        return actual != expected
    finite = np.isfinite(expected) & np.isfinite(actual)
    with np.errstate(all="ignore"):
        # Halved, as the difference of two finite numbers may overflow.
        error = np.abs(actual / 2 - expected / 2) * 2
        size = np.abs(expected)
        if whole and np.any(finite):
            size = np.full_like(size, size[finite].max())
        return lost | (finite & (error > rtol * size + np.finfo(actual.dtype).smallest_normal * rtol))


def _elsewhere(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """True where only one is NaN, or only one is this infinity."""
    return (np.isnan(actual) != np.isnan(expected)) | (
        (np.isinf(actual) | np.isinf(expected)) & (actual != expected) & ~np.isnan(expected))


def layouts(arrays: Sequence[np.ndarray]) -> Iterator[tuple[str, list[np.ndarray]]]:
    """The same arrays in other layouts of memory."""
    yield "Fortran order", [np.asfortranarray(a) if a.ndim else a for a in arrays]
    yield "every second element", [_every_second(a) for a in arrays]
    yield "reversed", [np.ascontiguousarray(a[..., ::-1])[..., ::-1] if a.ndim else a for a in arrays]
    yield "read-only", [_read_only(a) for a in arrays]
    yield "not aligned", [_not_aligned(a) for a in arrays]


def _every_second(a: np.ndarray) -> np.ndarray:
    spread = np.zeros([2 * n for n in a.shape], a.dtype)
    view = spread[(*(slice(None, None, 2) for _ in a.shape), ...)]
    view[...] = a
    return view


def _read_only(a: np.ndarray) -> np.ndarray:
    copy = a.copy()
    copy.flags.writeable = False
    return copy


def _not_aligned(a: np.ndarray) -> np.ndarray:
    moved = np.empty(a.nbytes + 1, np.uint8)[1:].view(a.dtype).reshape(a.shape)
    moved[...] = a
    return moved
