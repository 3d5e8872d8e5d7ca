"""Graphs that once came out wrong, each as small as it gets: compiled, they give what reference mode gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.errors import ValueDomainError

NATIVE = ("FAST_RUN", "FAST_COMPILE")


def check(inputs: list[Any], outputs: list[Any], *arguments: Any) -> None:
    """Compiled in both native modes, the outputs are those of reference mode."""
    expected = nbgraph.function(inputs, outputs, mode="reference", on_unused_input="ignore")(*arguments)
    for mode in NATIVE:
        results = nbgraph.function(inputs, outputs, mode=mode, on_unused_input="ignore")(*arguments)
        for result, wanted in zip(results, expected, strict=True):
            assert (result.dtype, result.shape) == (wanted.dtype, wanted.shape)
            np.testing.assert_allclose(result, wanted, rtol=1e-12, err_msg=mode)


# Lengths


def test_how_many_elements_are_nonzero_is_known_to_all_that_ask_for_it():
    x, m = nt.dmatrix("x"), nt.matrix("m", dtype="bool")
    rows, columns = nt.nonzero(m)
    check([x, m], [x[m].shape[0], rows.shape[0] + columns.shape[0], x[rows].T.shape[1]], np.ones((2, 3)),
          np.array([[True, False, True], [False, True, True]]))


def test_of_two_lengths_that_are_equal_the_one_known_first_stands_for_both():
    x, y, n = nt.tensor("x", dtype="int64", shape=(5, None)), nt.lrow("y"), nt.lscalar("n")
    check([x, y, n], [y > nt.reshape(x, (5, 1, n))[:, 0][[0, 3]]], np.arange(15).reshape(5, 3), np.array([[9, 0, 1]]),
          3)


# Memory


def test_two_results_of_a_nest_do_not_both_take_the_memory_of_one_that_dies_there():
    x, i = nt.tensor("x", dtype="int8", shape=(None,)), nt.ivector("i")
    angle = nt.arccos(nt.mod(nt.cast(x[i], "int64"), 1))
    check([x, i], [angle + 1, nt.stack([angle, angle], axis=1)], np.array([5, 6, 7], "int8"),
          np.array([2, 0, 1], "int32"))


def test_an_array_of_more_than_four_axes_is_an_argument_of_a_kernel():
    x = nt.tensor("x", dtype="float64", shape=(None,) * 6)
    value = np.arange(2.0 * 3 * 2 * 2).reshape(2, 3, 2, 1, 2, 1)
    assert np.array_equal(nbgraph.function([x], x * 2)(value), value * 2)


def test_constants_may_have_any_layout():
    backwards = nt.TensorConstant(nt.TensorType("float64", (2, 3)), np.arange(12.0).reshape(3, 4).T[::-2])
    x = nt.dmatrix("x")
    check([x], [nt.constant(np.arange(6.0).reshape(2, 3)).T, backwards + x, backwards.T], np.ones((2, 3)))


# Errors


@pytest.mark.parametrize("mode", ["reference", *NATIVE])
def test_an_integer_raised_to_a_negative_integer_is_an_error_of_three_parts(mode):
    i, j = nt.lvector("i"), nt.lvector("j")
    f = nbgraph.function([i, j], i ** j, mode=mode)
    with pytest.raises(ValueDomainError, match="negative integer power"):
        f([2, 3], [1, -1])
