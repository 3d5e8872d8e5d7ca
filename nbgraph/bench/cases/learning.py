"""Bench cases of small networks: training steps on the digits that scikit-learn bundles.

Digits: 1,797 images of 64 pixels, ten classes.
"""

from __future__ import annotations

import numpy as np

from nbgraph.bench.case import Problem, collector

TABLE, case = collector()


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Pixels from 0 to 1, and the class as an int64."""
    from sklearn.datasets import load_digits  # slow to import, and an extra
    data, target = load_digits(return_X_y=True)
    return data / 16.0, target.astype(np.int64)


@case("softmax regression on the digits data: loss and updates of a step, 1,797 x 64, ten classes")
def softmax_regression(rng: np.random.Generator) -> Problem:
    def model(m, x, y, w, b):
        log_p = m.log_softmax(m.dot(x, w) + b, axis=1)
        return [-log_p[m.arange(y.shape[0]), y].mean() + 0.001 * (w ** 2).sum()]

    def numpy(x, y, w, b):
        logits = x @ w + b
        top = logits.max(axis=1, keepdims=True)
        log_p = logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
        rows, g = np.arange(len(y)), np.exp(log_p)
        g[rows, y] -= 1
        g /= len(y)
        return [-log_p[rows, y].mean() + 0.001 * (w ** 2).sum(), w - 0.1 * (x.T @ g + 0.002 * w),
                b - 0.1 * g.sum(axis=0)]

    x, y = digits()
    return Problem(model, {"x": x, "y": y}, state={"w": 0.1 * rng.standard_normal((64, 10)), "b": np.zeros(10)},
                   numpy=numpy)


@case("a network of 64-128-10 on the digits data: loss, accuracy and updates of a step, 1,797 rows", quick=True)
def mlp(rng: np.random.Generator) -> Problem:
    def model(m, x, y, w1, b1, w2, b2):
        logits = m.dot(m.tanh(m.dot(x, w1) + b1), w2) + b2
        log_p = logits - m.log(m.exp(logits).sum(axis=1, keepdims=True))
        return [-log_p[m.arange(y.shape[0]), y].mean(), m.equal(m.argmax(logits, axis=1), y).mean()]

    def numpy(x, y, w1, b1, w2, b2):
        hidden = np.tanh(x @ w1 + b1)
        logits = hidden @ w2 + b2
        top = logits.max(axis=1, keepdims=True)
        log_p = logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
        rows, g = np.arange(len(y)), np.exp(log_p)
        g[rows, y] -= 1
        g /= len(y)
        g_hidden = (g @ w2.T) * (1 - hidden ** 2)
        gradients = [x.T @ g_hidden, g_hidden.sum(axis=0), hidden.T @ g, g.sum(axis=0)]
        return [-log_p[rows, y].mean(), (logits.argmax(axis=1) == y).mean(),
                *(p - 0.1 * d for p, d in zip((w1, b1, w2, b2), gradients, strict=True))]

    x, y = digits()
    state = {"w1": 0.2 * rng.standard_normal((64, 128)), "b1": np.zeros(128),
             "w2": 0.2 * rng.standard_normal((128, 10)), "b2": np.zeros(10)}
    return Problem(model, {"x": x, "y": y}, state=state, numpy=numpy)
