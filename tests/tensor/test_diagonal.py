"""diagonal, diag, trace against NumPy, by reference evaluation."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.errors import ShapeError
from nbgraph.gradient import grad, verify_grad
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph

RNG = np.random.default_rng(13)
OFFSETS = [-5, -2, -1, 0, 1, 3]


def run(output, *pairs):
    """The value of `output` where each (variable, value) pair gives an input."""
    return evaluate(FunctionGraph([v for v, _ in pairs], [output]), [np.asarray(value) for _, value in pairs])[0]


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2), (0, 3), (3, 0)])
def test_the_diagonal_of_a_matrix_is_that_of_numpy(shape, offset):
    value = RNG.random(shape)
    unknown, known = nt.dmatrix("x"), nt.tensor("x", dtype="float64", shape=shape)
    wanted = np.diagonal(value, offset)
    for x in (unknown, known):
        np.testing.assert_array_equal(run(nt.diagonal(x, offset), (x, value)), wanted, strict=True)
        np.testing.assert_array_equal(run(nt.diag(x, offset), (x, value)), wanted, strict=True)
    assert nt.diagonal(known, offset).type.shape == wanted.shape


@pytest.mark.parametrize(("axis1", "axis2"), [(0, 1), (1, 0), (0, 2), (2, 1), (-1, -3)])
@pytest.mark.parametrize("offset", [-1, 0, 2])
def test_the_diagonal_goes_over_any_two_axes(axis1, axis2, offset):
    value = RNG.random((2, 3, 4))
    x = nt.dtensor3("x")
    wanted = np.diagonal(value, offset, axis1, axis2)
    np.testing.assert_array_equal(run(x.diagonal(offset, axis1, axis2), (x, value)), wanted, strict=True)
    np.testing.assert_allclose(run(nt.trace(x, offset, axis1, axis2), (x, value)),
                               np.trace(value, offset, axis1, axis2), rtol=1e-14)


@pytest.mark.parametrize("k", OFFSETS)
@pytest.mark.parametrize("n", [0, 1, 3])
def test_diag_of_a_vector_is_that_of_numpy(n, k):
    value = RNG.random(n)
    unknown, known = nt.dvector("v"), nt.tensor("v", dtype="float64", shape=(n,))
    for v in (unknown, known):
        np.testing.assert_array_equal(run(nt.diag(v, k), (v, value)), np.diag(value, k), strict=True)
    assert nt.diag(known, k).type.shape == np.diag(value, k).shape


def test_diag_keeps_dtype_nan_and_infinity():
    v = nt.fvector("v")
    value = np.array([np.nan, np.inf, 1], "float32")
    np.testing.assert_array_equal(run(nt.diag(v), (v, value)), np.diag(value), strict=True)


def test_the_trace_of_small_integers_is_int64_as_in_numpy():
    x = nt.tensor("x", dtype="int8", shape=(None, None))
    value = np.full((3, 3), 100, "int8")
    np.testing.assert_array_equal(run(x.trace(), (x, value)), np.trace(value), strict=True)


@pytest.mark.parametrize("function", [lambda x: nt.diagonal(x, 1), lambda x: nt.trace(x[:, ::-1]),
                                      lambda x: nt.diag(x[0], -1), lambda x: nt.diag(nt.diag(x) ** 2)])
def test_the_gradient_is_that_of_finite_differences(function):
    verify_grad(function, [RNG.random((3, 4))])
    verify_grad(lambda x: grad(nt.sum(nt.sin(function(x))), x), [RNG.random((3, 4))])


def test_a_wrong_rank_is_an_error():
    with pytest.raises(ShapeError, match="at least two axes"):
        nt.diagonal(nt.dvector("v"))
    with pytest.raises(ShapeError, match="vector or a matrix"):
        nt.diag(nt.dtensor3("x"))
    with pytest.raises(ShapeError, match="both 1"):
        nt.diagonal(nt.dmatrix("x"), 0, 1, -1)
