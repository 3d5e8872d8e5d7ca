"""The examples of the tutorial "More Examples" of the library that nbgraph follows, with their printed results.

Sections in the tutorial's order; random streams are not among them. Every section runs in every mode.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as at
from tests.example_text import run

LOGISTIC = """
>>> import nbgraph
>>> import nbgraph.tensor as at
>>> x = at.dmatrix('x')
>>> s = 1 / (1 + at.exp(-x))
>>> logistic = nbgraph.function([x], s)
>>> logistic([[0, 1], [-1, -2]])
array([[ 0.5       ,  0.73105858],
       [ 0.26894142,  0.11920292]])
>>> s2 = (1 + at.tanh(x / 2)) / 2
>>> logistic2 = nbgraph.function([x], s2)
>>> logistic2([[0, 1], [-1, -2]])
array([[ 0.5       ,  0.73105858],
       [ 0.26894142,  0.11920292]])
"""

SEVERAL = """
>>> import nbgraph
>>> import nbgraph.tensor as at
>>> a, b = at.dmatrices('a', 'b')
>>> diff = a - b
>>> abs_diff = abs(diff)
>>> diff_squared = diff**2
>>> f = nbgraph.function([a, b], [diff, abs_diff, diff_squared])
>>> f([[1, 1], [1, 1]], [[0, 1], [2, 3]])
[array([[ 1.,  0.],
       [-1., -2.]]), array([[ 1.,  0.],
       [ 1.,  2.]]), array([[ 1.,  0.],
       [ 1.,  4.]])]
"""

DEFAULTS = """
>>> import nbgraph.tensor as at
>>> from nbgraph.compile.io import In
>>> from nbgraph import function
>>> x, y = at.dscalars('x', 'y')
>>> z = x + y
>>> f = function([x, In(y, value=1)], z)
>>> f(33)
array(34.0)
>>> f(33, 2)
array(35.0)
>>> x, y, w = at.dscalars('x', 'y', 'w')
>>> z = (x + y) * w
>>> f = function([x, In(y, value=1), In(w, value=2, name='w_by_name')], z)
>>> f(33)
array(68.0)
>>> f(33, 2)
array(70.0)
>>> f(33, 0, 1)
array(33.0)
>>> f(33, w_by_name=1)
array(34.0)
>>> f(33, w_by_name=1, y=0)
array(33.0)
"""

SHARED = """
>>> import nbgraph.tensor as at
>>> from nbgraph import function
>>> from nbgraph import shared
>>> state = shared(0)
>>> inc = at.iscalar('inc')
>>> accumulator = function([inc], state, updates=[(state, state+inc)])
>>> print(state.get_value())
0
>>> accumulator(1)
array(0)
>>> print(state.get_value())
1
>>> accumulator(300)
array(1)
>>> print(state.get_value())
301
>>> state.set_value(-1)
>>> accumulator(3)
array(-1)
>>> print(state.get_value())
2
>>> decrementor = function([inc], state, updates=[(state, state-inc)])
>>> decrementor(2)
array(2)
>>> print(state.get_value())
0
>>> fn_of_state = state * 2 + inc
>>> foo = at.scalar(dtype=state.dtype)
>>> skip_shared = function([inc, foo], fn_of_state, givens=[(state, foo)])
>>> skip_shared(1, 3)
array(7)
>>> print(state.get_value())
0
"""

COPIES = """
>>> import nbgraph
>>> import nbgraph.tensor as at
>>> state = nbgraph.shared(0)
>>> inc = at.iscalar('inc')
>>> accumulator = nbgraph.function([inc], state, updates=[(state, state+inc)])
>>> accumulator(10)
array(0)
>>> print(state.get_value())
10
>>> new_state = nbgraph.shared(0)
>>> new_accumulator = accumulator.copy(swap={state:new_state})
>>> new_accumulator(100)
[array(0)]
>>> print(new_state.get_value())
100
>>> print(state.get_value())
10
>>> null_accumulator = accumulator.copy(delete_updates=True)
>>> null_accumulator(9000)
[array(10)]
>>> print(state.get_value())
10
"""

SECTIONS = {"logistic function": LOGISTIC, "more than one thing at the same time": SEVERAL,
            "a default value for an argument": DEFAULTS, "shared variables": SHARED, "copying functions": COPIES}


@pytest.mark.parametrize("section", SECTIONS)
def test_section_prints_what_the_tutorial_says(section: str, mode: str):
    ran = run(SECTIONS[section], {})
    assert ran == SECTIONS[section].count(">>>")


def test_runner_notices_a_wrong_result():
    with pytest.raises(AssertionError, match="Got"):
        run(">>> 1 + 1\n3\n", {})


# A real example: logistic regression

N, FEATURES = 400, 784  # training sample size, number of input variables


def tutorial_data(mode: str) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """(inputs, targets) and the first weights, drawn in the tutorial's order.

    The tutorial's weights give probabilities that round to 1, and log(1 - p) with p = 1 is no number. Rewriting is
    what saves it; the other modes do not rewrite for stability, so there the weights are smaller.
    """
    rng = np.random.default_rng(2882)
    data = (rng.standard_normal((N, FEATURES)), rng.integers(size=N, low=0, high=2))
    return data, rng.standard_normal(FEATURES) * (1.0 if mode == "FAST_RUN" else 0.1)


def tutorial_functions(first_weights: np.ndarray) -> tuple[Any, Any, Any, Any]:
    """w, b, train and predict as the tutorial builds them."""
    x, y = at.dmatrix("x"), at.dvector("y")
    w = nbgraph.shared(first_weights, name="w")
    b = nbgraph.shared(0., name="b")
    p_1 = 1 / (1 + at.exp(-at.dot(x, w) - b))
    prediction = p_1 > 0.5
    xent = -y * at.log(p_1) - (1 - y) * at.log(1 - p_1)
    cost = xent.mean() + 0.01 * (w ** 2).sum()
    gw, gb = at.grad(cost, [w, b])
    train = nbgraph.function(inputs=[x, y], outputs=[prediction, xent],
                             updates=((w, w - 0.1 * gw), (b, b - 0.1 * gb)))
    predict = nbgraph.function(inputs=[x], outputs=prediction)
    return w, b, train, predict


def numpy_step(x: np.ndarray, y: np.ndarray, w: np.ndarray, b: float) -> tuple[np.ndarray, float, np.ndarray]:
    """The new weights and bias, and the cross-entropies before the step, from the formulas by hand."""
    z = x @ w + b
    xent = y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)
    dz = (1 / (1 + np.exp(-z)) - y) / len(y)
    return w - 0.1 * (x.T @ dz + 0.02 * w), b - 0.1 * dz.sum(), xent


def test_logistic_regression_trains_as_numpy_does(mode: str):
    (x, y), first = tutorial_data(mode)
    w, b, train, _ = tutorial_functions(first)
    w_numpy, b_numpy = first, 0.0
    for _ in range(50):
        _, xent = train(x, y)
        w_numpy, b_numpy, xent_numpy = numpy_step(x, y, w_numpy, b_numpy)
        # Where p is near 1, 1 - p has few digits left without rewriting.
        np.testing.assert_allclose(xent, xent_numpy, rtol=1e-9, atol=0 if mode == "FAST_RUN" else 1e-12)
    np.testing.assert_allclose(w.get_value(), w_numpy, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(b.get_value(), b_numpy, rtol=1e-9)


def test_logistic_regression_learns_the_targets(mode: str):
    (x, y), first = tutorial_data(mode)
    _, _, train, predict = tutorial_functions(first)
    _, first_xent = train(x, y)
    assert np.mean(predict(x) == y) < 0.7
    for _ in range(10_000 if mode == "FAST_RUN" else 500):
        prediction, xent = train(x, y)
    assert prediction.dtype == bool
    np.testing.assert_array_equal(predict(x), y)
    assert xent.mean() < 0.2 * first_xent.mean()
