"""Variable.eval."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.errors import ArgumentError, DTypeError, GraphError

X, Y = nt.dvector("x"), nt.dscalar("y")


def test_a_variable_has_the_value_that_its_inputs_give_it():
    z = X * Y
    np.testing.assert_array_equal(z.eval({X: [1, 2], Y: 3}), [3, 6])
    np.testing.assert_array_equal(z.eval({"y": 2, "x": [1, 2]}), [2, 4])
    np.testing.assert_array_equal(z.eval({Y: 1, X: [5]}), [5])


def test_a_function_is_compiled_once_for_a_set_of_inputs(monkeypatch):
    z = X + 1
    z.eval({X: [1]})
    monkeypatch.setattr("nbgraph.compile.function.evaluate.function", None)
    np.testing.assert_array_equal(z.eval({X: [2]}), [3])


def test_shared_variables_and_constants_need_no_value():
    w = nbgraph.shared(np.ones(2), "w")
    z = w + 1
    np.testing.assert_array_equal(z.eval(), [2, 2])
    w.set_value(np.zeros(2))
    np.testing.assert_array_equal(z.eval(), [1, 1])
    assert nt.constant(3).eval() == 3


def test_a_wrong_set_of_inputs_is_an_error():
    z = X + 1
    with pytest.raises(GraphError, match="needs x"):
        z.eval()
    with pytest.raises(GraphError, match="no output or update needs the input y"):
        z.eval({X: [1], Y: 2})
    with pytest.raises(ArgumentError, match="no inputs of add have the name 'q'"):
        z.eval({"q": 1})
    with pytest.raises(DTypeError, match="got int 3"):
        z.eval({3: 1})


def test_what_was_compiled_is_not_pickled_or_cloned():
    z = nt.exp(X)
    z.eval({X: [0]})
    copy = pickle.loads(pickle.dumps(z))
    np.testing.assert_array_equal(copy.eval({"x": [0]}), [1])
    assert z.clone()._evaluators is None
