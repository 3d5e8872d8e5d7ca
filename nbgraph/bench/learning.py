"""Bench cases that train on real data, bundled with scikit-learn (the `bench` extra).

Breast cancer: 569 rows, 30 features, two classes. Digits: 1,797 images of 64 pixels, ten classes.
"""

from __future__ import annotations

import numpy as np

import nbgraph.tensor as nt
from nbgraph.bench.case import Problem, collector
from nbgraph.compile.shared import shared
from nbgraph.gradient import grad

TABLE, case = collector()


def _breast_cancer() -> tuple[np.ndarray, np.ndarray]:
    """Features with mean 0 and deviation 1, and the class as 0.0 or 1.0."""
    from sklearn.datasets import load_breast_cancer  # slow to import, and an extra
    data, target = load_breast_cancer(return_X_y=True)
    return (data - data.mean(axis=0)) / data.std(axis=0), target.astype(float)


def _digits() -> tuple[np.ndarray, np.ndarray]:
    """Pixels from 0 to 1, and the class as an int64."""
    from sklearn.datasets import load_digits
    data, target = load_digits(return_X_y=True)
    return data / 16.0, target.astype(np.int64)


@case("logistic regression on the breast cancer data: a training step with its updates, 569 x 30")
def logistic_regression(rng: np.random.Generator) -> Problem:
    data, target = _breast_cancer()
    x, y = nt.dmatrix("x"), nt.dvector("y")
    first = 0.1 * rng.standard_normal(data.shape[1])
    w, b = shared(first, name="w"), shared(0.0, name="b")
    p_1 = 1 / (1 + nt.exp(-nt.dot(x, w) - b))
    xent = -y * nt.log(p_1) - (1 - y) * nt.log(1 - p_1)
    cost = xent.mean() + 0.01 * (w ** 2).sum()
    gw, gb = grad(cost, [w, b])

    def numpy(x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
        z = x @ first + 0.0
        p_1 = 1 / (1 + np.exp(-z))
        xent = y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)
        dz = (p_1 - y) / len(y)
        return [p_1 > 0.5, xent, first - 0.1 * (x.T @ dz + 0.02 * first), np.asarray(0.0 - 0.1 * dz.sum())]

    return Problem([x, y], [p_1 > 0.5, xent], [data, target], numpy, [(w, w - 0.1 * gw), (b, b - 0.1 * gb)])


@case("a network of 64-128-10 on the digits data: loss, accuracy and updates of a step, 1797 rows")
def mlp(rng: np.random.Generator) -> Problem:
    data, target = _digits()
    x, y = nt.dmatrix("x"), nt.lvector("y")
    starts = [0.2 * rng.standard_normal((64, 128)), np.zeros(128), 0.2 * rng.standard_normal((128, 10)), np.zeros(10)]
    parameters = w1, b1, w2, b2 = [shared(s, name=n) for s, n in zip(starts, ("w1", "b1", "w2", "b2"), strict=True)]
    logits = nt.dot(nt.tanh(nt.dot(x, w1) + b1), w2) + b2
    log_p = logits - nt.log(nt.exp(logits).sum(axis=1, keepdims=True))
    loss = -log_p[nt.arange(y.shape[0]), y].mean()
    accuracy = nt.eq(nt.argmax(logits, axis=1), y).mean()
    updates = [(p, p - 0.1 * g) for p, g in zip(parameters, grad(loss, parameters), strict=True)]

    def numpy(x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
        w1, b1, w2, b2 = starts
        hidden = np.tanh(x @ w1 + b1)
        logits = hidden @ w2 + b2
        top = logits.max(axis=1, keepdims=True)
        log_p = logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
        rows = np.arange(len(y))
        g = np.exp(log_p)
        g[rows, y] -= 1
        g /= len(y)
        g_hidden = (g @ w2.T) * (1 - hidden ** 2)
        gradients = [x.T @ g_hidden, g_hidden.sum(axis=0), hidden.T @ g, g.sum(axis=0)]
        return [-log_p[rows, y].mean(), (logits.argmax(axis=1) == y).mean(),
                *(s - 0.1 * d for s, d in zip(starts, gradients, strict=True))]

    return Problem([x, y], [loss, accuracy], [data, target], numpy, updates)
