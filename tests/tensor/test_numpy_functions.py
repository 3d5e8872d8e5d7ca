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


UFUNCS = [lambda x: np.exp(x), lambda x: np.add(x, 2), lambda x: np.subtract(2.5, x), lambda x: np.abs(x),
          lambda x: np.maximum(x, VALUE), lambda x: np.matmul(x, VALUE.T), lambda x: np.less(VALUE, x),
          lambda x: np.isnan(x), lambda x: np.positive(x), lambda x: np.divmod(x, 2.0)[1], lambda x: np.equal(x, VALUE),
          lambda x: np.logical_not(x), lambda x: VALUE + x, lambda x: VALUE @ x.T, lambda x: VALUE < x,
          lambda x: np.float32(2) * x, lambda x: np.float64(2) - x, lambda x: VALUE**x, lambda x: divmod(VALUE, x)[0]]


@pytest.mark.parametrize("call", UFUNCS)
def test_a_ufunc_of_a_variable_is_the_function_of_that_name(call):
    x = nt.dmatrix("x")
    with np.errstate(invalid="ignore"):
        symbolic, expected = call(x), np.asarray(call(VALUE))
        actual = evaluate(FunctionGraph([x], [symbolic]), [VALUE])[0]
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(actual, expected, rtol=1e-14)
    assert symbolic.line is None or symbolic.line.file == __file__


def test_an_array_that_a_variable_is_added_to_is_a_variable_afterwards():
    x, kept = nt.dvector("x"), np.ones(2)
    total = kept
    total += x
    np.testing.assert_array_equal(kept, [1, 1])
    np.testing.assert_array_equal(evaluate(FunctionGraph([x], [total]), [np.array([2.0, 3.0])])[0], [3, 4])


@pytest.mark.parametrize(("call", "words"), [
    (lambda x: np.add.reduce(x), "numpy.add.reduce: takes arrays.*fix: use functions of nbgraph.tensor"),
    (lambda x: np.cbrt(x), "numpy.cbrt: takes arrays"), (lambda x: np.frompyfunc(abs, 1, 1)(x), "takes arrays"),
    (lambda x: np.exp(x, out=np.zeros(3)), "unexpected keyword argument 'out'.*fix: use nbgraph.tensor.exp"),
    (lambda x: np.exp(x, where=[True]), "unexpected keyword argument 'where'"),
])
def test_a_ufunc_that_is_not_there_or_lacks_an_argument_is_an_error_at_the_users_line(call, words):
    with pytest.raises(ArgumentError, match=f"(?s){words}") as caught:
        call(nt.dvector("x"))
    assert "here   test_numpy_functions.py" in str(caught.value)


@pytest.mark.parametrize("name", ["all", "any", "argmax", "argmin", "cumprod", "cumsum", "max", "mean", "min", "prod",
                                  "std", "sum", "var"])
def test_a_method_takes_out_none_as_numpy_calls_it_and_says_what_else_it_takes(name):
    x = nt.dvector("x")
    assert getattr(x, name)(axis=0, out=None).type == getattr(x, name)(axis=0).type
    with pytest.raises(ArgumentError, match=rf"(?s){name} of x: has no argument out.*x +float64.*fix: it takes axis"):
        getattr(x, name)(out=np.zeros(()))
    with pytest.raises(ArgumentError, match="has no argument where"):
        getattr(x, name)(where=True)


@pytest.mark.parametrize("call", [lambda x: np.linalg.norm(x, 2), lambda x: np.percentile(x, 3),
                                  lambda x: np.split(x, [1])])
def test_a_function_that_differs_here_or_is_not_there_is_an_error(call):
    with pytest.raises(ArgumentError, match="takes arrays, not symbolic variables"):
        call(nt.dmatrix("x"))
