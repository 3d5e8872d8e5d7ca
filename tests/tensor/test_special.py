"""logsumexp, softmax, log_softmax, relu against SciPy, by reference evaluation."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

import nbgraph.tensor as nt
from nbgraph.errors import ValueDomainError
from nbgraph.gradient import grad, verify_grad
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.traversal import ancestors
from nbgraph.tensor.reduction import Reduce

RNG = np.random.default_rng(17)


def run(output, *pairs):
    """The value of `output` where each (variable, value) pair gives an input."""
    return evaluate(FunctionGraph([v for v, _ in pairs], [output]), [np.asarray(value) for _, value in pairs])[0]


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
@pytest.mark.parametrize("name", ["logsumexp", "softmax", "log_softmax"])
def test_values_are_those_of_scipy_also_where_exp_overflows(name, axis):
    x = nt.dmatrix("x")
    for scale in (1.0, 1e3, 1e-3):
        value = RNG.standard_normal((3, 4)) * scale
        np.testing.assert_allclose(run(getattr(nt, name)(x, axis), (x, value)),
                                   getattr(scipy.special, name)(value, axis=axis), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize(("dtype", "result"), [("float32", "float32"), ("int8", "float64"), ("bool", "float64")])
def test_float32_stays_and_integers_become_float64(dtype, result):
    x = nt.tensor("x", dtype=dtype, shape=(None,))
    for function in (nt.logsumexp, nt.softmax, nt.log_softmax):
        assert function(x).dtype == result
        assert run(function(x), (x, np.ones(3, dtype))).dtype == result


def test_unsigned_integers_do_not_wrap():
    x = nt.tensor("x", dtype="uint8", shape=(None,))
    np.testing.assert_allclose(run(nt.softmax(x), (x, np.array([0, 3], "uint8"))), scipy.special.softmax([0.0, 3.0]))


def test_logsumexp_of_infinities():
    x = nt.dmatrix("x")
    rows = np.array([[-np.inf, -np.inf], [np.inf, 0.0], [-np.inf, 1.0], [np.nan, 1.0], [np.inf, -np.inf]])
    np.testing.assert_array_equal(run(nt.logsumexp(x, axis=1), (x, rows)), [-np.inf, np.inf, 1.0, np.nan, np.inf])
    assert nt.logsumexp(x, axis=1, keepdims=True).type.shape == (None, 1)


def test_logsumexp_of_complex_numbers():
    z = nt.zvector("z")
    value = np.array([1 + 2j, 3 - 1j])
    np.testing.assert_allclose(run(nt.logsumexp(z), (z, value)), scipy.special.logsumexp(value), rtol=1e-14)


def test_no_elements_are_an_error():
    x = nt.dvector("x")
    with pytest.raises(ValueDomainError, match="max of no elements"):
        run(nt.logsumexp(x), (x, np.zeros(0)))


@pytest.mark.parametrize("name", ["logsumexp", "softmax", "log_softmax"])
def test_the_gradient_is_that_of_finite_differences(name):
    def function(x):
        return getattr(nt, name)(x, axis=1)
    verify_grad(function, [RNG.standard_normal((3, 4))])
    verify_grad(lambda x: grad(nt.sum(nt.sin(function(x))), x), [RNG.standard_normal((2, 3))])


def test_no_gradient_goes_through_the_maximum():
    x = nt.dmatrix("x")
    cost = nt.sum(nt.softmax(x, axis=1) * x)
    nodes = {v.owner for v in ancestors([grad(cost, x)]) if v.owner is not None}
    kinds = [node.op.kind for node in nodes if isinstance(node.op, Reduce)]
    assert kinds.count("max") == 1
    assert not any(str(node.op) == "eq" for node in nodes), "the gradient of max compares with eq"


def test_relu_and_its_derivative_at_zero():
    x = nt.dvector("x")
    value = np.array([-2.0, 0.0, 3.0, np.nan])
    np.testing.assert_array_equal(run(nt.relu(x), (x, value)), [0.0, 0.0, 3.0, np.nan])
    np.testing.assert_array_equal(run(nt.relu(x, 0.1), (x, value)), [-0.2, 0.0, 3.0, np.nan])
    np.testing.assert_array_equal(run(grad(nt.sum(nt.relu(x)), x), (x, value[:3])), [0.0, 0.0, 1.0])
    np.testing.assert_array_equal(run(grad(nt.sum(nt.relu(x, 0.1)), x), (x, value[:3])), [0.1, 0.1, 1.0])
    assert nt.relu(nt.fvector("x")).dtype == "float32"
