"""round, rint, where, conj and powers of bool against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.errors import ArgumentError, DTypeError
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph

ARRAYS = [np.array([1.005, -2.345, 2.675, np.nan, 1234.5, np.inf, -0.5]), np.array([1.255, 2.5, -3.5], "float32"),
          np.array([15, 25, -15, -25, 3]), np.array([15, -15, 99], "int8"), np.array([250, 12], "uint8"),
          np.array([1.255 + 2.345j, -0.5 - 1.5j]), np.array([1.25 - 2.5j], "complex64")]


def run(output, x, value):
    return evaluate(FunctionGraph([x], [output]), [value])[0]


def variable(value):
    return nt.tensor("x", dtype=value.dtype.name, shape=(None,) * value.ndim)


def assert_same(actual, expected):
    dtype = "float32" if expected.dtype == "float16" else expected.dtype
    assert (actual.dtype, actual.shape) == (dtype, expected.shape)
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("decimals", [0, 1, 2, -1, -2])
@pytest.mark.parametrize("value", ARRAYS, ids=lambda value: value.dtype.name)
def test_round_takes_numpys_decimals(value, decimals):
    x = variable(value)
    expected = np.round(value, decimals)
    for output in (nt.round(x, decimals), nt.around(x, decimals=decimals), x.round(decimals), round(x, decimals)):
        assert_same(run(output, x, value), expected)


def test_round_of_booleans_is_a_float():
    x, value = nt.vector("x", dtype="bool"), np.array([True, False])
    assert_same(run(nt.round(x), x, value), np.round(value))


def test_a_string_says_where_halves_go():
    x, value = nt.dvector("x"), np.array([0.5, 1.5, -2.5])
    np.testing.assert_array_equal(run(nt.round(x, "half_away_from_zero"), x, value), [1, 2, -3])
    np.testing.assert_array_equal(run(x.round("half_away_from_zero"), x, value), [1, 2, -3])
    np.testing.assert_array_equal(run(nt.round(x, 1, mode="half_away_from_zero"), x, value / 10), [0.1, 0.2, -0.3])
    with pytest.raises(ValueError, match="mode must be"):
        nt.round(x, "half_up")


def test_decimals_that_are_no_integer_are_an_error():
    with pytest.raises(DTypeError, match=r"decimals must be an integer, got 1\.5"):
        nt.round(nt.dvector("x"), 1.5)


@pytest.mark.parametrize("value", [*ARRAYS, np.array([True, False])], ids=lambda value: value.dtype.name)
def test_rint_gives_floats_as_numpys(value):
    x = variable(value)
    assert_same(run(nt.rint(x), x, value), np.rint(value))


def test_the_square_and_the_conjugate_of_booleans_are_int8():
    x, value = nt.vector("x", dtype="bool"), np.array([True, False])
    for build in (lambda v: v**2, lambda v: v**3, np.conj):
        output = nt.conj(x) if build is np.conj else build(x)
        assert_same(run(output, x, value), build(value))


def test_the_method_conj_leaves_booleans_as_they_are():
    x, value = nt.vector("x", dtype="bool"), np.array([True, False])
    assert_same(run(x.conj(), x, value), value.conj())


def test_where_of_one_argument_gives_positions():
    x, value = nt.dmatrix("x"), np.array([[0.0, 2.0], [3.0, 0.0]])
    for found, expected in zip(nt.where(x > 1), np.where(value > 1), strict=True):
        assert_same(run(found, x, value), expected)
    assert_same(run(nt.where(x > 1, x=x, y=0), x, value), np.where(value > 1, value, 0))


def test_where_of_two_arguments_and_switch_of_one_are_errors_that_name_them():
    x = nt.dvector("x")
    with pytest.raises(ArgumentError, match="where: takes a condition"):
        nt.where(x > 0, x)
    with pytest.raises(TypeError, match="switch: missing a required argument"):
        nt.switch(x > 0)
