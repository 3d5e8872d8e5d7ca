"""The last example of the tutorial "More Examples" of the library that nbgraph follows: logistic regression.

Its other examples are in `test_seeds_function`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import nbgraph
import nbgraph.tensor as at

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
