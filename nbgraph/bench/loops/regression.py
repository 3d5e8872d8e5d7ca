"""Hand-written loops of regression: a product, one pass over what it gives, a product back."""

from __future__ import annotations

import numpy as np

from nbgraph.bench.loops import add, loop
from nbgraph.dispatch import vmath


@loop
def logistic_regression(x, y, w, b):
    n = y.size
    z, p_1, xent = np.dot(x, w), np.empty(n, np.bool_), np.empty(n)
    total = moved = 0.0
    for i in range(n):
        t = z[i] + b
        entropy = vmath.softplus(t) - y[i] * t
        p = vmath.sigmoid(t)
        p_1[i] = p > 0.5
        xent[i] = entropy
        total = add(total, entropy)
        z[i] = (p - y[i]) / n
        moved = add(moved, z[i])
    return (total / n + 0.01 * (w * w).sum(), p_1, xent, w - 0.1 * (np.dot(z, x) + 0.02 * w), b - 0.1 * moved)


@loop
def poisson_regression(x, y, w, b):
    eta = np.dot(x, w)
    value = residual = 0.0
    for i in range(y.size):
        t = eta[i] + b
        rate = vmath.exp(t)
        value = add(value, rate - y[i] * t)
        eta[i] = rate - y[i]
        residual = add(residual, eta[i])
    return value, np.dot(eta, x), residual
