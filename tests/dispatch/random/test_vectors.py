"""Distributions of vectors against NumPy's Generator, to the bit."""

from __future__ import annotations

import numpy as np
import pytest

from nbgraph.dispatch.jit import entry
from nbgraph.dispatch.random import hypergeometric, vectors
from nbgraph.dispatch.random.uniform import pcg64
from tests.dispatch.random.streams import check_call, generator, row_filler, where

ROWS = 200


@pytest.mark.parametrize("p", [[0.2, 0.3, 0.5], [1.0, 0.0], [0.0, 1.0], [0.5, 0.5, 0.0], [1.0], [0.2] * 5, [1 / 3] * 3])
@pytest.mark.parametrize("n", [0, 1, 10, 1000, 10**12])
def test_multinomial_numbers_are_those_of_numpy(n, p):
    check_call(vectors.multinomial, (n, np.array(p)), np.empty((ROWS, len(p)), np.int64),
               lambda g: g.multinomial(n, p, ROWS), row_filler)
    arrays, numbers = generator("PCG64", 1), generator("PCG64", 1)
    np.testing.assert_array_equal(arrays.multinomial([n] * ROWS, [p] * ROWS), numbers.multinomial(n, p, ROWS))
    assert where(arrays) == where(numbers)


@pytest.mark.parametrize("alpha", [
    [0.2, 0.3, 0.5], [1.0, 2.0], [5.0], [0.0, 1.0], [0.09, 0.1], [0.05], [0.01, 0.02, 0.03], [0.05, 0.0, 0.0],
    [0.0, 0.05, 0.0, 0.0, 0.03, 0.0], [0.01, 0.05, 0.01, 0.0, 0.0], [1e-5] * 4,
    [np.nan, 0.01], [0.01, np.nan, 2.0], [0.0, 0.0], [0.0]])
def test_dirichlet_numbers_are_those_of_numpy(alpha):
    check_call(vectors.dirichlet, (np.array(alpha),), np.empty((ROWS, len(alpha))),
               lambda g: g.dirichlet(alpha, ROWS), row_filler)


COLORS = [[10, 20, 30], [100, 200], [5], [3, 0, 5, 0], [0, 0], [1000, 2000, 50]]
PARTS = (0, 0.1, 0.49, 0.5, 0.51, 0.9, 1)


@pytest.mark.parametrize("colors", COLORS, ids=str)
@pytest.mark.parametrize("part", PARTS)
def test_multivariate_hypergeometric_numbers_are_those_of_numpy(colors, part):
    sample = int(sum(colors) * part)
    check_call(hypergeometric.multivariate_hypergeometric, (np.array(colors), sample),
               np.empty((ROWS, len(colors)), np.int64),
               lambda g: g.multivariate_hypergeometric(colors, sample, ROWS, method="marginals"), row_filler)


@entry
def _counted(state, arguments, out):
    rng = pcg64(state)
    colors, sample, choices = arguments
    hypergeometric.colors_of(colors, choices)
    for i in range(out.shape[0]):
        hypergeometric.multivariate_hypergeometric_count(rng, colors, sample, choices.shape[0], choices, out[i])


@pytest.mark.parametrize("colors", COLORS, ids=str)
@pytest.mark.parametrize("part", PARTS)
def test_the_method_that_counts_draws_what_numpy_draws(colors, part):
    sample = int(sum(colors) * part)
    check_call(None, (np.array(colors), sample, np.empty(sum(colors), np.int64)),
               np.empty((ROWS, len(colors)), np.int64),
               lambda g: g.multivariate_hypergeometric(colors, sample, ROWS, method="count"), lambda _: _counted)
