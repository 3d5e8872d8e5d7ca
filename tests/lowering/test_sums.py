"""Sums in blocks: as exact as NumPy's, whatever the shape; infinities and NaN stay."""

from __future__ import annotations

import math

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.dispatch.expressions import For
from nbgraph.dispatch.scalar_combine import rounding, settled
from nbgraph.lowering.program import walk
from nbgraph.lowering.sums import BLOCK
from tests.lowering.stages import staged

x = nt.dvector("x")
X = nt.dmatrix("X")
total = nbgraph.function([x], [x.sum(), x.mean(), (2 * x).sum()])
LENGTHS = (1, 7, BLOCK - 1, BLOCK, BLOCK + 1, 1000, 4096, 100_003)


def ill_conditioned(rng, n):
    """Numbers of very different size that almost cancel."""
    values = rng.normal(size=n) * 10.0 ** rng.uniform(0, 12, n)
    values[n // 2:] = -values[:n - n // 2][::-1] * (1 + 1e-9 * rng.normal(size=n - n // 2))
    return rng.permutation(values)


def test_ill_conditioned_sums_are_at_least_as_exact_as_numpys():
    rng = np.random.default_rng(3)
    for n in LENGTHS[3:]:
        ours, numpys = [], []
        for _ in range(1000 if n < 10_000 else 60):
            values = ill_conditioned(rng, n)
            exact, size = math.fsum(values), np.abs(values).max()
            ours.append((float(total(values)[0]) - exact) / size)
            numpys.append((float(values.sum()) - exact) / size)
            # 16 partial sums of 16 elements and 4 levels that add them up: 20 roundings; one more at the end.
            bound = np.finfo(float).eps / 2 * (20 * np.abs(values).sum() + abs(exact))
            assert abs(ours[-1]) * size <= bound, n
        assert np.sqrt(np.mean(np.square(ours))) <= np.sqrt(np.mean(np.square(numpys))), n


@pytest.mark.parametrize("n", LENGTHS)
def test_every_element_is_added_once(n):
    values = np.arange(1.0, n + 1)
    assert [float(v) for v in total(values)] == [n * (n + 1) / 2, (n + 1) / 2, n * (n + 1.0)]


def test_an_empty_sum_is_zero():
    assert float(total(np.zeros(0))[0]) == 0


@pytest.mark.parametrize("n", [3, 700])
@pytest.mark.parametrize("special", [[np.inf], [-np.inf], [np.inf, -np.inf], [np.nan], [1e308, 1e308], [-1.7e308] * 2])
def test_infinities_and_nan_are_numpys(n, special):
    for place in (0, n - len(special)):
        values = np.ones(n)
        values[place:place + len(special)] = special
        with np.errstate(all="ignore"):
            np.testing.assert_equal(float(total(values)[0]), float(values.sum()))


def test_sums_of_rows_and_of_all_elements():
    rng = np.random.default_rng(4)
    f = nbgraph.function([X], [X.sum(axis=1), X.sum(), X.sum(axis=0), (X * X).sum(axis=1).max()])
    for shape in [(3, 1000), (1000, 3), (1, 257), (300, 300)]:
        values = rng.normal(size=shape) * 1e6
        rows, everything, columns, largest = f(values)
        np.testing.assert_allclose(rows, [math.fsum(row) for row in values], rtol=1e-14, atol=1e-8)
        np.testing.assert_allclose(everything, math.fsum(values.ravel()), rtol=1e-14, atol=1e-7)
        np.testing.assert_allclose(columns, values.sum(axis=0), rtol=1e-12, atol=1e-6)
        np.testing.assert_allclose(largest, (values * values).sum(axis=1).max(), rtol=1e-14)


def test_float32_is_added_up_in_float64_and_needs_no_blocks():
    v = nt.fvector("v")
    (kernel,) = staged(v.sum()).program.kernels
    assert sum(isinstance(s, For) for s in walk(kernel.body)) == 1
    values = (np.random.default_rng(5).normal(size=100_000) * 1e4).astype("float32")
    result = nbgraph.function([v], v.sum())(values)
    assert result.dtype == np.float32
    assert abs(float(result) - math.fsum(values)) <= abs(math.fsum(values)) * 2.0 ** -23


def test_float32_accumulators_are_blocked():
    v = nt.fvector("v")
    f = nbgraph.function([v], nt.sum(v, acc_dtype="float32"))
    values = np.random.default_rng(6).uniform(size=200_000).astype("float32")
    exact = math.fsum(values)
    assert abs(float(f(values)) - exact) <= abs(float(values.sum(dtype="float32")) - exact) + exact * 2.0 ** -23


def test_a_short_sum_of_known_length_has_one_loop():
    short = nt.tensor("short", dtype="float64", shape=(BLOCK,))
    (kernel,) = staged(short.sum()).program.kernels
    assert sum(isinstance(s, For) for s in walk(kernel.body)) == 1


def test_the_rounding_of_an_addition_is_what_it_is_short_of():
    from fractions import Fraction

    rng = np.random.default_rng(7)
    for a, b in rng.normal(size=(200, 2)) * 10.0 ** rng.integers(-20, 20, size=(200, 2)):
        assert Fraction(a) + Fraction(b) == Fraction(a + b) + Fraction(float(rounding(a, b)))
    assert settled(np.inf, np.nan) == np.inf and settled(1.0, 0.5) == 1.5
