"""Draws in loops: what is made of them is computed where they are drawn, and nothing is drawn twice."""

from __future__ import annotations

import re

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph import function, shared
from nbgraph.tensor.random import RandomStream, basic
from nbgraph.tensor.random.type import same_state
from tests.tensor.random.test_native import generator


def test_what_is_made_of_a_million_draws_needs_no_array_of_them():
    n, mu, sigma = nt.lscalar("n"), nt.dscalar("mu"), nt.dscalar("sigma")
    x = basic.normal(size=n, rng=shared(generator(), name="rng"))
    f = function([n, mu, sigma], [(mu + sigma * x).sum(), (x > mu).sum()], updates=[x.update], allow_python=False)
    assert "empty" not in f.source and f.source.count("normal(pcg64(rng), 0.0, 1.0)") == 1
    total, above = f(1_000_000, 0.5, 2.0)
    drawn = generator().normal(size=1_000_000)
    np.testing.assert_allclose(total, (0.5 + 2.0 * drawn).sum(), rtol=1e-13)
    assert above == (drawn > 0.5).sum()


def test_parameters_and_functions_of_draws_are_in_the_loop_of_the_draws():
    x, y = nt.dmatrix("x"), nt.dvector("y")
    drawn = basic.normal(x + y, nt.abs(x), rng=shared(generator()))
    f = function([x, y], [2 * drawn, drawn.sum(axis=1)], allow_python=False)
    loops = re.findall(r"def fused_\d+\(.*?\n\n", f.source, re.S)
    (with_draws,) = [text for text in loops if "pcg64" in text]
    assert "empty" in f.source and "add(" in with_draws and "2.0 *" in with_draws
    a, b = np.arange(12.0).reshape(3, 4), np.ones(4)
    expected = generator().normal(a + b, a)
    doubled, sums = f(a, b)
    np.testing.assert_array_equal(doubled, 2 * expected)
    np.testing.assert_allclose(sums, expected.sum(axis=1), rtol=1e-14)


def test_expensive_functions_of_draws_keep_a_loop_that_is_vectorised():
    x = basic.normal(size=100_000, rng=shared(generator()))
    f = function([], nt.exp(x).sum())
    loops = re.findall(r"def fused_\d+\(.*?\n\n", f.source, re.S)
    assert not any("pcg64" in text and "exp" in text for text in loops)
    np.testing.assert_allclose(f(), np.exp(generator().normal(size=100_000)).sum(), rtol=1e-13)


def test_places_that_are_drawn_within_an_array_are_not_looked_at_again():
    """A bootstrap is one loop: neither the places nor what is there is an array of all resamples."""
    x, count = nt.dvector("x"), nt.lscalar("count")
    values = np.random.default_rng(1).normal(size=15)
    places = generator().integers(0, 15, size=(7, 15))
    for resamples in (x[basic.integers(0, x.shape[0], size=(count, x.shape[0]), rng=shared(generator()))],
                      basic.choice(x, size=(count, x.shape[0]), rng=shared(generator()))):
        f = function([x, count], resamples.mean(axis=1))
        assert f.source.count("def fused") == 1 and "first_outside" not in f.source and "switch" not in f.source
        np.testing.assert_allclose(f(values, 7), values[places].mean(axis=1), rtol=1e-14)


@pytest.mark.parametrize(("low", "high", "within"), [(0, 5, True), (1, 5, True), (0, 4, True), (0, 6, False),
                                                     (-2, 5, False), (-5, 0, False), (0, "n", False), (1, "n", False)])
def test_places_that_may_lie_outside_are_looked_at(low, high, within):
    n = nt.lscalar("n")
    table = np.arange(5.0) * 10
    places = basic.integers(low, n if high == "n" else high, size=50, rng=shared(generator()))
    f = function([n], nt.constant(table)[places], on_unused_input="ignore")
    assert ("first_outside" in f.source) != within
    for end in (5, 9) if high == "n" else (high,):
        drawn = generator().integers(low, end, size=50)
        if drawn.max() > 4:
            with pytest.raises(IndexError, match="out of bounds"):
                f(end)
        else:
            np.testing.assert_array_equal(f(end), table[drawn])


def test_one_draw_is_a_statement_of_the_main_function():
    mu = nt.dscalar("mu")
    f = function([mu], basic.normal(mu, rng=shared(generator(), name="rng")))
    assert "def fused" not in f.source and f(2.0) == generator().normal(2.0)


def test_hundreds_of_draws_are_no_function_of_hundreds_of_draws():
    rng, x = shared(generator()), nt.dscalar("x")
    y, k, state = x, nt.constant(0), rng
    for _ in range(160):
        state, drawn = basic.normal(y, 1.0, rng=state, return_next_rng=True)
        state, small = basic.integers(0, 50, dtype="int8", rng=state, return_next_rng=True)
        y, k = nt.sin(y) + drawn, k + small
    f = function([x], [y, k], updates=[(rng, state)])
    main = f.source[f.source.index("@entry"):]
    assert "pcg64" in f.source and "pcg64" not in main
    expected, total, counted = generator(), 0.5, 0
    for _ in range(160):
        drawn = expected.normal(total, 1.0)
        total, counted = np.sin(total) + drawn, counted + int(expected.integers(0, 50, dtype="int8"))
    found = f(0.5)
    np.testing.assert_allclose(found[0], total, rtol=1e-9)
    assert found[1] == counted and same_state(rng.get_value(), expected)


def test_a_variable_is_drawn_once_however_often_it_is_used():
    stream = RandomStream(3)
    x = stream.normal(size=(50, 3))
    f = function([], [x, nt.exp(x), (x - x), x.sum(axis=0), x.T])
    assert f.source.count("pcg64(") == 1
    drawn, functions, zeros, sums, transposed = f()
    np.testing.assert_allclose(functions, np.exp(drawn), rtol=1e-14)
    assert not zeros.any()
    np.testing.assert_allclose(sums, drawn.sum(axis=0), rtol=1e-13)
    np.testing.assert_array_equal(transposed, drawn.T)


def test_threads_change_no_draw():
    stream = RandomStream(3)
    x = stream.normal(size=300_000)
    f = function([], [nt.exp(x), nt.tanh(x).sum()], no_default_updates=True)
    before = nbgraph.config.threads
    try:
        results = []
        for count in (1, 2):
            nbgraph.config.threads = count
            results.append(f())
    finally:
        nbgraph.config.threads = before
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)
