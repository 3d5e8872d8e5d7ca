"""Zeros, infinities, NaN, subnormal numbers, ends of the range, and float32 everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from nbgraph.dispatch import vmath
from tests.dispatch.vmath.cases import CASES
from tests.dispatch.vmath.loops import compiled, values

# Every so many bit patterns of float32.
STEP = 1009


def edges(dtype):
    f = np.finfo(dtype)
    least = float(f.smallest_subnormal)
    positive = [0.0, least, 5 * least, f.tiny / 2, f.tiny, f.tiny * 1.5, f.eps, 1 - f.eps / 2, 1, 1 + f.eps, 0.5, 1.5,
                2, 2.5, 3, 20, 50, 1e5, 1e10, 1e30, f.max / 4, f.max / 2, f.max, np.inf, np.nan,
                88.8, 103.9, 104.1, 708.5, 709.7, 709.8, 710.4, 710.6, 745.1, 745.2]
    return np.array([*positive, *(-x for x in positive)], dtype)


def apart(result, wide, dtype):
    """How many float ulp `result` is from the number in 64 bits; inf where zeros, signs or infinities differ."""
    with np.errstate(all="ignore"):
        rounded = wide.astype(dtype)
        error = np.abs(result - wide) / np.spacing(np.abs(rounded))
        same = (result == rounded) & (np.signbit(result) == np.signbit(rounded)) | np.isnan(result) & np.isnan(rounded)
        # Next to overflow, and next to 0.
        size = np.minimum(np.abs(rounded), np.finfo(dtype).max)
        near = (np.abs(rounded.astype(float) - result) <= 2 * np.spacing(size)) & (rounded != result)
    return np.where(same, 0, np.where(np.isfinite(rounded) & np.isfinite(result) & (near | (error > 0)), error, np.inf))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.strict])
def test_ends_of_the_range_are_those_of_numpy(name, dtype):
    function, x = getattr(vmath, name), edges(dtype)
    errors = apart(values(compiled(function, dtype), x), np.asarray(function(x.astype(float))), dtype)
    # NumPy errs by as much as we do.
    worst = np.argmax(errors)
    assert errors[worst] <= CASES[name].most + 2, f"{name}({x[worst]!r})"


@pytest.mark.parametrize("name", CASES)
def test_float32_is_right_everywhere(name):
    x = np.arange(0, 2**32, STEP, dtype=np.uint32).view(np.float32)
    function = getattr(vmath, name)
    with np.errstate(all="ignore"):
        exact = np.asarray(function(x.astype(float)))
    errors = apart(values(compiled(function, "float32"), x), exact, "float32")
    worst = np.argmax(errors)
    assert errors[worst] <= CASES[name].most, f"{name}({x[worst]!r})"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_gammaln_near_its_zeros_poles_and_ends(dtype):
    f = np.finfo(dtype)
    x = np.array([0, -0.0, -1, -2, np.inf, -np.inf, np.nan, 1, 2, f.max,
                  1 + f.eps, 1 - f.eps / 2, 2 + 2 * f.eps], dtype)
    slope = 0.42278433509846713
    expected = np.array([np.inf, np.inf, np.inf, np.inf, np.inf, -np.inf, np.nan, 0, 0, np.inf,
                         (slope - 1) * f.eps, (1 - slope) * f.eps / 2, slope * 2 * f.eps])
    np.testing.assert_allclose(values(compiled(vmath.gammaln, dtype), x), expected, rtol=8 * f.eps, atol=0)
