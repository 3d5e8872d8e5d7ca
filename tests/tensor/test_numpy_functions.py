"""NumPy's own functions on symbolic arrays."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.errors import ArgumentError
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph

VALUE = np.array([[3.0, -1.25, 2.0], [0.5, 7.0, -4.0]])
CALLS = [lambda x: np.sum(x), lambda x: np.sum(x, axis=1, keepdims=True), lambda x: np.mean(x, 0),
         lambda x: np.var(x, 1, None, None, 1), lambda x: np.std(x, axis=0, dtype="float32"), lambda x: np.max(x, 0),
         lambda x: np.amin(x), lambda x: np.prod(x, axis=0, out=None), lambda x: np.argmax(x, 1),
         lambda x: np.any(x > 5),
         lambda x: np.cumsum(x, 0), lambda x: np.cumprod(x), lambda x: np.clip(x, 0, 2), lambda x: np.round(x, 1),
         lambda x: np.where(x > 0, x, 0), lambda x: np.concatenate([x, x], 1), lambda x: np.stack([x, x]),
         lambda x: np.dot(x, x.T), lambda x: np.transpose(x), lambda x: np.reshape(x, (3, 2)), lambda x: np.ravel(x),
         lambda x: np.squeeze(x[:1], 0), lambda x: np.take(x, [1, 0], 1), lambda x: np.trace(x),
         lambda x: np.tile(x, 2),
         lambda x: np.dot(VALUE.T, x)]


@pytest.mark.parametrize("call", CALLS)
def test_a_numpy_function_of_a_variable_is_the_function_of_that_name(call):
    x = nt.dmatrix("x")
    symbolic, expected = call(x), np.asarray(call(VALUE))
    actual = evaluate(FunctionGraph([x], [symbolic]), [VALUE])[0]
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(actual, expected, rtol=1e-6 if expected.dtype == "float32" else 1e-14)


def test_the_rank_of_a_variable_is_a_number():
    assert np.ndim(nt.dmatrix("x")) == 2


@pytest.mark.parametrize("call", [lambda x: np.sum(x, where=np.array([True])), lambda x: np.mean(x, out=np.zeros(())),
                                  lambda x: np.max(x, initial=3.0)])
def test_an_argument_that_is_missing_here_is_an_error_that_names_our_function(call):
    with pytest.raises(TypeError, match=r"use nbgraph\.tensor\.(sum|mean|max)\(x, axis") as caught:
        call(nt.dmatrix("x"))
    assert isinstance(caught.value, ArgumentError) and "test_numpy_functions.py" in str(caught.value)


@pytest.mark.parametrize("call", [lambda x: np.linalg.norm(x, 2), lambda x: np.percentile(x, 3),
                                  lambda x: np.split(x, [1])])
def test_a_function_that_differs_here_or_is_not_there_is_an_error(call):
    with pytest.raises(ArgumentError, match="takes arrays, not symbolic variables"):
        call(nt.dmatrix("x"))
