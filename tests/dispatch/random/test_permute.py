"""Shuffles and choices against NumPy's Generator, to the bit."""

from __future__ import annotations

import numpy as np
import pytest

from nbgraph.dispatch.jit import entry
from nbgraph.dispatch.random import permute
from nbgraph.dispatch.random.bounded import below
from nbgraph.dispatch.random.derived import categorical
from nbgraph.dispatch.random.uniform import pcg64
from tests.dispatch.random.streams import check_call, check_stream

LENGTHS = (0, 1, 2, 3, 10, 1000)


@pytest.mark.parametrize("n", LENGTHS)
def test_permutations_are_those_of_numpy(n):
    check_call(permute.permutation, (), np.empty(n, np.int64), lambda g: g.permutation(n))


@entry
def _shuffled(state, x):
    rng = pcg64(state)
    for i in range(x.shape[0]):
        x[i] = i
    permute.shuffle(rng, x)


@entry
def _rows_permuted(state, x):
    rng = pcg64(state)
    for row in range(x.shape[0]):
        for i in range(x.shape[1]):
            x[row, i] = i
        permute.shuffle(rng, x[row])


@pytest.mark.parametrize("n", LENGTHS)
def test_shuffles_are_those_of_numpy(n):
    def draw(g):
        x = np.arange(float(n))
        g.shuffle(x)
        return x

    check_call(None, (), np.empty(n), draw, compiled=lambda _: lambda state, _, out: _shuffled(state, out))


@pytest.mark.parametrize("n", LENGTHS)
def test_permuted_rows_are_those_of_numpy(n):
    check_call(None, (), np.empty((5, n)), lambda g: g.permuted(np.tile(np.arange(float(n)), (5, 1)), axis=1),
               compiled=lambda _: lambda state, _, out: _rows_permuted(state, out))


@pytest.mark.parametrize("n", LENGTHS)
def test_numpy_shuffles_arrays_of_several_axes_by_their_first_index(n):
    x = np.arange(float(3 * n)).reshape(n, 3)
    order = np.random.default_rng(5).permutation(n)
    np.testing.assert_array_equal(np.random.default_rng(5).permutation(x), x[order])
    moved = x.copy()
    np.random.default_rng(5).shuffle(moved)
    np.testing.assert_array_equal(moved, x[order])


@pytest.mark.parametrize("n", [1, 10, 70_000])
def test_choices_with_replacement_are_integers(n):
    check_stream(below, lambda g, most, count: g.choice(int(most) + 1, count), (np.uint64(n - 1),), np.int64)


def _scratch(population, size):
    return np.empty(max(3 * size + 2, population if population > 10_000 and size > population // 50 else 0), np.int64)


@pytest.mark.parametrize("shuffled", [True, False])
@pytest.mark.parametrize(("population", "size"), [
    (0, 0), (1, 1), (5, 0), (10, 3), (10, 10), (9999, 5000), (10_000, 10_000), (10_001, 200), (10_001, 201),
    (10_001, 500), (10_001, 501), (20_001, 20_001), (100_000, 3)])
def test_choices_without_replacement_are_those_of_numpy(population, size, shuffled):
    check_call(permute.choice, (population, shuffled, _scratch(population, size)), np.empty(size, np.int64),
               lambda g: g.choice(population, size, replace=False, shuffle=shuffled))


WEIGHTS = [np.ones(10) / 10, np.array([0.5, 0.3, 0.1, 0.05, 0.05]), np.array([0.9999, 0.0001, 0.0]),
           np.random.default_rng(3).dirichlet(np.ones(500))]


@pytest.mark.parametrize("p", WEIGHTS, ids=len)
def test_weighted_choices_without_replacement_are_those_of_numpy(p):
    n = len(p)
    for size in (0, 1, 2, n - 1):
        check_call(permute.weighted_choice, (p, np.empty((2, n)), np.empty(n, np.int64)), np.empty(size, np.int64),
                   lambda g, size=size: g.choice(n, size, replace=False, p=p))


@entry
def _categories(state, p, cdf, out):
    rng = pcg64(state)
    permute.cumulative(p, cdf)
    for i in range(out.shape[0]):
        out[i] = categorical(rng, cdf)


@pytest.mark.parametrize("p", WEIGHTS, ids=len)
def test_weighted_choices_with_replacement_are_those_of_numpy(p):
    check_call(None, (), np.empty(3000, np.int64), lambda g: g.choice(len(p), 3000, p=p),
               compiled=lambda _: lambda state, _, out: _categories(state, p, np.empty(len(p)), out))


def test_every_element_of_a_choice_without_replacement_is_as_frequent():
    """100,000 samples of 3 of 7: how often each comes up, by chi-square with 6 degrees of freedom (0.999: 22.5)."""
    rng, population, size, turns = np.random.default_rng(11), 7, 3, 100_000
    found = np.zeros((size, population))
    from nbgraph.dispatch.random.states import state_of
    state, out = state_of(rng), np.empty((turns, size), np.int64)
    _many_choices(state, population, _scratch(population, size), out)
    for place in range(size):
        found[place] = np.bincount(out[:, place], minlength=population)
    assert (((found - turns / population) ** 2) / (turns / population)).sum(axis=1).max() < 22.5
    assert (np.sort(out, axis=1)[:, 1:] > np.sort(out, axis=1)[:, :-1]).all()


@entry
def _many_choices(state, population, scratch, out):
    rng = pcg64(state)
    for i in range(out.shape[0]):
        permute.choice(rng, population, True, scratch, out[i])
