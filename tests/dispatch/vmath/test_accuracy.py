"""vmath against mpmath: every function, both widths, with and without a fused multiply-add."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from nbgraph.dispatch import vmath
from nbgraph.dispatch.vmath import formats
from tests.dispatch.vmath.cases import CASES, points
from tests.dispatch.vmath.loops import compiled, exact_values, ulps, values

DTYPES = ("float64", "float32")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_functions_err_by_few_units_in_the_last_place(name, dtype, monkeypatch):
    x = points(name, dtype)
    assert x.size >= 500
    exact = exact_values(CASES[name].exact, x)
    for fused in (formats.has_fma(), False):
        monkeypatch.setattr(formats, "has_fma", lambda fused=fused: fused)
        errors = ulps(values(compiled(getattr(vmath, name), dtype), x), exact)
        worst = np.argmax(errors)
        assert errors[worst] <= CASES[name].most, f"{name}({x[worst]!r}), fused={fused}"
    assert errors.max() > 0.3, "a test that finds no rounding tests nothing"


def check_pairs(name, exact, y, x, most):
    wanted = exact_values(exact, y, x)
    errors = ulps(values(compiled(getattr(vmath, name), y.dtype.name, 2), y, x), wanted)
    worst = np.argmax(errors)
    assert errors[worst] <= most, f"{name}({y[worst]!r}, {x[worst]!r})"


@pytest.mark.parametrize("dtype", DTYPES)
def test_arctan2_errs_by_few_units_in_the_last_place(dtype):
    rng = np.random.default_rng(7)
    size = 10.0 ** rng.uniform(-30, 30, 800)
    y = (size * rng.normal(size=800)).astype(dtype)
    x = np.concatenate([size[:400] * rng.normal(size=400), 10.0 ** rng.uniform(-30, 30, 400)]).astype(dtype)
    check_pairs("arctan2", mpmath.atan2, y, x, 2)


@pytest.mark.parametrize("dtype", DTYPES)
def test_arctan2_of_zeros_infinities_and_extremes_is_that_of_numpy(dtype):
    f = np.finfo(dtype)
    ends = np.array([0.0, f.smallest_subnormal, f.tiny, 1, 3, f.max / 2, f.max, np.inf, np.nan], dtype)
    ends = np.concatenate([ends, -ends])
    y, x = (grid.ravel() for grid in np.meshgrid(ends, ends))
    result = values(compiled(vmath.arctan2, dtype, 2), y, x)
    with np.errstate(all="ignore"):
        expected = np.arctan2(y.astype(float), x.astype(float)).astype(dtype)
    np.testing.assert_array_equal(np.signbit(result[~np.isnan(expected)]), np.signbit(expected[~np.isnan(expected)]))
    np.testing.assert_allclose(result, expected, rtol=3 * f.eps, atol=0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_logaddexp_errs_by_few_units_in_the_last_place(dtype):
    rng = np.random.default_rng(8)
    x = rng.uniform(0, 60, 800).astype(dtype)
    y = (x + rng.normal(size=800) * 10.0 ** rng.uniform(-5, 2, 800)).astype(dtype)
    check_pairs("logaddexp", lambda a, b: mpmath.log(mpmath.exp(a) + mpmath.exp(b)), x, y, 2)
    ends = np.array([0, 1, -1e30, 1e30, np.inf, -np.inf, np.nan], dtype)
    x, y = (grid.ravel() for grid in np.meshgrid(ends, ends))
    np.testing.assert_allclose(values(compiled(vmath.logaddexp, dtype, 2), x, y), vmath.logaddexp(x, y), rtol=1e-6)
