"""Bench cases of regression: a training step, or a loss with its gradients, most on data bundled with scikit-learn.

Breast cancer: 569 rows, 30 features, two classes. Diabetes: 442 rows, 10 features, a measure of progress.
"""

from __future__ import annotations

import math

import numpy as np

from nbgraph.bench.case import Problem, collector

TABLE, case = collector()


def breast_cancer() -> tuple[np.ndarray, np.ndarray]:
    """Features with mean 0 and deviation 1, and the class as 0.0 or 1.0."""
    from sklearn.datasets import load_breast_cancer  # slow to import, and an extra
    data, target = load_breast_cancer(return_X_y=True)
    return (data - data.mean(axis=0)) / data.std(axis=0), target.astype(float)


def diabetes() -> tuple[np.ndarray, np.ndarray]:
    """Features and target with mean 0 and deviation 1."""
    from sklearn.datasets import load_diabetes
    data, target = load_diabetes(return_X_y=True)
    return (data - data.mean(axis=0)) / data.std(axis=0), (target - target.mean()) / target.std()


@case("logistic regression on the breast cancer data: a training step with its updates, 569 x 30", quick=True)
def logistic_regression(rng: np.random.Generator) -> Problem:
    def model(m, x, y, w, b):
        p_1 = 1 / (1 + m.exp(-m.dot(x, w) - b))
        xent = -y * m.log(p_1) - (1 - y) * m.log(1 - p_1)
        return [xent.mean() + 0.01 * (w ** 2).sum(), p_1 > 0.5, xent]

    def numpy(x, y, w, b):
        z = x @ w + b
        p_1 = 1 / (1 + np.exp(-z))
        xent = y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)
        dz = (p_1 - y) / len(y)
        return [xent.mean() + 0.01 * (w ** 2).sum(), p_1 > 0.5, xent, w - 0.1 * (x.T @ dz + 0.02 * w),
                b - 0.1 * dz.sum()]

    x, y = breast_cancer()
    return Problem(model, {"x": x, "y": y}, state={"w": 0.1 * rng.standard_normal(x.shape[1]), "b": 0.0}, numpy=numpy)


@case("linear regression: a training step with its updates, float32, 2,000 x 50")
def linear_float32(rng: np.random.Generator) -> Problem:
    def model(m, x, y, w, b):
        return [((m.dot(x, w) + b - y) ** 2).mean()]

    def numpy(x, y, w, b):
        residual = x @ w + b - y
        g = 2 * residual / np.float32(len(y))
        return [(residual ** 2).mean(), w - np.float32(0.1) * (x.T @ g), b - np.float32(0.1) * g.sum()]

    x = rng.standard_normal((2_000, 50), np.float32)
    y = (x @ rng.standard_normal(50, np.float32) + rng.standard_normal(2_000, np.float32))
    return Problem(model, {"x": x, "y": y}, state={"w": np.zeros(50, np.float32), "b": np.float32(0)}, numpy=numpy,
                   tolerance=1e-5)


@case("Poisson regression: loss and gradients, 5,000 x 20")
def poisson_regression(rng: np.random.Generator) -> Problem:
    def loss(m, x, y, w, b):
        eta = m.dot(x, w) + b
        return [(m.exp(eta) - y * eta).sum()]

    def numpy(x, y, w, b):
        eta = x @ w + b
        rate = np.exp(eta)
        return [(rate - y * eta).sum(), x.T @ (rate - y), (rate - y).sum()]

    x, truth = rng.standard_normal((5_000, 20)), 0.2 * rng.standard_normal(20)
    y = rng.poisson(np.exp(x @ truth + 0.5)).astype(float)
    return Problem(loss, {"x": x, "y": y, "w": 0.1 * rng.standard_normal(20), "b": 0.2}, ["w", "b"], numpy=numpy)


@case("Student t regression on the diabetes data: log-density and gradients, 442 x 10")
def robust_regression(rng: np.random.Generator) -> Problem:
    nu = 4.0

    def density(m, x, y, w, b, log_sigma):
        z = (y - m.dot(x, w) - b) / m.exp(log_sigma)
        return [(-(nu + 1) / 2 * m.log1p(z ** 2 / nu) - log_sigma).sum() - 0.5 * (w ** 2).sum()]

    def numpy(x, y, w, b, log_sigma):
        sigma = math.exp(log_sigma)
        z = (y - x @ w - b) / sigma
        weight = (nu + 1) * z / (nu + z ** 2)
        return [(-(nu + 1) / 2 * np.log1p(z ** 2 / nu)).sum() - len(y) * log_sigma - 0.5 * (w @ w),
                x.T @ weight / sigma - w, weight.sum() / sigma, weight @ z - len(y)]

    x, y = diabetes()
    return Problem(density, {"x": x, "y": y, "w": 0.1 * rng.standard_normal(10), "b": 0.1, "log_sigma": -0.4},
                   ["w", "b", "log_sigma"], numpy=numpy)
