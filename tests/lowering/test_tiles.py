"""Short rows in tiles: NumPy's results for every shape, and loops only where they pay."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

import nbgraph
import nbgraph.tensor as nt
from nbgraph.dispatch.expressions import For
from nbgraph.lowering import tiles
from nbgraph.lowering.program import StackArray, walk
from nbgraph.lowering.tiles import FEW, MEDIUM, SHORT, TILE
from tests.lowering.stages import staged

X, Y = nt.dmatrix("X"), nt.dmatrix("Y")
F = nt.fmatrix("F")
b = nt.dvector("b")
label = nt.lvector("label")
ROWS = (0, 1, FEW - 1, FEW, TILE - 1, TILE, TILE + 1, 3 * TILE + 5)
LENGTHS = (1, 2, 3, 7, 8, MEDIUM, MEDIUM + 1, SHORT, SHORT + 1, 300)


def shifted(x):
    return x - x.max(axis=1, keepdims=True)


def softmax(m, x):
    return m.exp(shifted(x)) / m.exp(shifted(x)).sum(axis=1, keepdims=True)


def apart(x, y):
    return (x[:, None, :] - y[None, :, :]) ** 2


CASES = {
    "sum and product": lambda m, x: [x.sum(axis=1), x.prod(axis=1), (x * x).sum()],
    "largest and smallest": lambda m, x: [x.max(axis=1), x.min(axis=1)],
    "normalised": lambda m, x: [x - x.mean(axis=1, keepdims=True)],
    "softmax": lambda m, x: [softmax(m, x)],
    "exp of rows": lambda m, x: [m.exp(x + x[0])],
    "sum over columns of softmax": lambda m, x: [softmax(m, x).sum(axis=0), m.log(m.exp(x).sum(axis=1)).sum()],
    "place of the largest": lambda m, x: [x.argmax(axis=1), m.exp(x).sum(axis=1)],
    "running sums": lambda m, x: [m.cumsum(x, axis=1) * x.sum(axis=1)[:, None]],
}
with pytest.MonkeyPatch.context() as patch:
    patch.setattr(tiles, "COLUMNS", True)
    FUNCTIONS = {name: nbgraph.function([X], case(nt, X)) for name, case in CASES.items()}


@pytest.fixture
def columns(monkeypatch):
    """Rows that may be long are in tiles, too, where columns are fetched."""
    monkeypatch.setattr(tiles, "COLUMNS", True)


@pytest.mark.parametrize("name", CASES)
def test_short_and_long_rows_have_numpys_results(name):
    rng = np.random.default_rng(0)
    for n in ROWS[1:]:
        for m in LENGTHS:
            values = rng.uniform(-1, 1, (n, m))
            for ours, numpys in zip(FUNCTIONS[name](values), CASES[name](np, values), strict=True):
                np.testing.assert_allclose(ours, numpys, rtol=1e-12, atol=1e-13, err_msg=f"{n} rows of {m}")


def test_no_rows_and_empty_rows(columns):
    f = nbgraph.function([X], [X.sum(axis=1), nt.exp(X).sum(axis=0)])
    for shape in [(0, 3), (5, 0), (100, 0), (0, 0)]:
        by_row, by_column = f(np.zeros(shape))
        np.testing.assert_array_equal(by_row, np.zeros(shape[0]))
        np.testing.assert_array_equal(by_column, np.zeros(shape[1]))


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_nan_and_infinities_stay_in_their_row(special, columns):
    values = np.ones((100, 3))
    values[70, 1] = special
    f = nbgraph.function([X], [X.sum(axis=1), X.max(axis=1), X.min(axis=1), X.prod(axis=1)])
    for ours, numpys in zip(f(values), (values.sum(1), values.max(1), values.min(1), values.prod(1)), strict=True):
        np.testing.assert_array_equal(ours, numpys)


def test_short_rows_of_float32(columns):
    f = nbgraph.function([F], softmax(nt, F))
    for n, m in [(100, 3), (65, 16), (9, 7), (64, 40)]:
        values = np.random.default_rng(1).normal(size=(n, m)).astype("float32")
        np.testing.assert_allclose(f(values), scipy.special.softmax(values, axis=1), rtol=1e-6)


def test_distances_between_points_of_few_coordinates():
    f = nbgraph.function([X, Y], [apart(X, Y).sum(axis=2), nt.exp(-apart(X, Y).sum(axis=2)).sum(axis=1)])
    rng = np.random.default_rng(2)
    for n, k in [(1, 1), (5, 70), (70, 5), (130, 200)]:
        for m in (0, 1, 3, SHORT, SHORT + 1):
            x, y = rng.normal(size=(n, m)), rng.normal(size=(k, m))
            distance = apart(x, y).sum(axis=2)
            ours, kernel = f(x, y)
            np.testing.assert_allclose(ours, distance, rtol=1e-13)
            np.testing.assert_allclose(kernel, np.exp(-distance).sum(axis=1), rtol=1e-12)


def test_an_element_of_a_row_that_an_array_names_and_its_gradient(columns):
    loss = -nt.log(softmax(nt, X))[nt.arange(label.shape[0]), label].mean()
    f = nbgraph.function([X, label], [loss, nbgraph.grad(loss, X)])
    rng = np.random.default_rng(3)
    for n, m in [(100, 3), (9, 2), (200, 10), (30, 50)]:
        x, y = rng.normal(size=(n, m)), rng.integers(0, m, n)
        p = scipy.special.softmax(x, axis=1)
        value, gradient = f(x, y)
        np.testing.assert_allclose(value, -np.log(p[np.arange(n), y]).mean(), rtol=1e-12)
        np.testing.assert_allclose(gradient, (p - np.eye(m)[y]) / n, rtol=1e-11, atol=1e-14)


def test_rows_that_are_written_over_where_they_are_read(columns):
    state = nbgraph.shared(np.ones((100, 3)), name="state")
    f = nbgraph.function([X], [], updates=[(state, softmax(nt, state + X) + nt.exp(X))])
    values, expected = np.random.default_rng(4).normal(size=(100, 3)), np.ones((100, 3))
    for _ in range(3):
        f(values)
        expected = scipy.special.softmax(expected + values, axis=1) + np.exp(values)
        np.testing.assert_allclose(state.get_value(), expected, rtol=1e-12)


def test_results_are_the_same_for_any_number_of_threads():
    values = np.random.default_rng(5).normal(size=(30_000, 3))
    found = []
    for threads in (1, 2, 3):
        with nbgraph.config.change_flags(threads=threads):
            found.append(FUNCTIONS["sum over columns of softmax"](values))
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


def tiles_of(*outputs):
    """For each kernel with tiles how many loops it has outermost."""
    return [sum(isinstance(s, For) for s in k.body) for k in staged(*outputs).program.kernels
            if any(isinstance(s, StackArray) for s in walk(k.body))]


def test_rows_of_unknown_length_are_there_twice_where_no_column_is_fetched():
    short = nt.tensor("short", dtype="float64", shape=(None, 3))
    long = nt.tensor("long", dtype="float64", shape=(None, SHORT + 1))
    assert tiles_of(X.sum(axis=1)) == []
    assert tiles_of((b[:, None] * Y[0]).max(axis=1)) == [2]
    assert tiles_of(short.sum(axis=1)) == [1]
    assert tiles_of(long.sum(axis=1)) == []


def test_what_gains_nothing_is_left_alone():
    assert tiles_of(X + b) == tiles_of(X.sum(axis=0)) == tiles_of(X.argmax(axis=1)) == []


@pytest.mark.parametrize("columns", (3, 300))
def test_what_a_row_leaves_for_the_next_one_is_no_matter_of_its_own(columns):
    total = nt.cumsum(X.T.sum(axis=1))
    x = np.random.default_rng(3).normal(size=(columns, 70))
    for found, expected in zip(nbgraph.function([X], [total, total - total.mean()])(x),
                               (x.sum(axis=0).cumsum(), x.sum(axis=0).cumsum() - x.sum(axis=0).cumsum().mean()),
                               strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
