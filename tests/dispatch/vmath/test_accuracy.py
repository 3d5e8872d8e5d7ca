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


def power_points(dtype):
    """Numbers whose powers neither overflow nor vanish, and few whose powers are exact."""
    rng, (reach, tens) = np.random.default_rng(9), {"float64": (745, 300), "float32": (104, 37)}[dtype]
    close = 1 + rng.choice([-1, 1], 800) * 10.0 ** rng.uniform(-16 if dtype == "float64" else -7, -0.3, 800)
    x = np.concatenate([10.0 ** rng.uniform(-tens, tens, 800), rng.uniform(0, 3, 800), close]).astype(dtype)
    x = x[(x > 0) & (x != 1)]
    return x, (rng.uniform(-reach, reach, x.size) / np.log(x.astype(float))).astype(dtype)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("dtype", DTYPES)
def test_power_errs_by_hardly_more_than_a_unit_in_the_last_place(dtype, fused, monkeypatch):
    fused = fused and formats.has_fma()
    monkeypatch.setattr(formats, "has_fma", lambda: fused)
    check_pairs("power", mpmath.power, *power_points(dtype), {"float64": 1.2, "float32": 0.7}[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_power_of_integers_is_exact_where_it_fits(dtype):
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(-40, 41.0), np.arange(0, 12.0)))
    exact = x**y
    fits = np.abs(exact) <= 2.0 ** (np.finfo(dtype).nmant + 1)
    result = values(compiled(vmath.power, dtype, 2), x[fits].astype(dtype), y[fits].astype(dtype))
    np.testing.assert_array_equal(result, exact[fits])


@pytest.mark.parametrize("dtype", DTYPES)
def test_power_of_zeros_infinities_and_extremes_is_that_of_numpy(dtype):
    f = np.finfo(dtype)
    bases = [0, f.smallest_subnormal, f.tiny / 2, f.tiny, 1e-3, 0.5, 1 - f.epsneg, 1, 1 + f.eps, 2, 3, 1e10, f.max,
             np.inf, np.nan]
    exponents = [0, f.smallest_subnormal, f.tiny, f.eps, 0.5, 1, 1.5, 2, 3, 4, 149, 1000, 1001, 1074.5, 1e10,
                 2.0**23 - 1, 2.0**24, 2.0**52 - 1, 2.0**53 - 1, 2.0**53, f.max, np.inf, np.nan]
    x, y = np.meshgrid([*bases, *(-b for b in bases)], [*exponents, *(-e for e in exponents)])
    x, y = x.ravel().astype(dtype), y.ravel().astype(dtype)
    with np.errstate(all="ignore"):
        expected = np.power(x, y)
    result = values(compiled(vmath.power, dtype, 2), x, y)
    np.testing.assert_array_equal(np.signbit(result[~np.isnan(expected)]), np.signbit(expected[~np.isnan(expected)]))
    np.testing.assert_allclose(result, expected, rtol=2 * f.eps, atol=f.smallest_subnormal)
