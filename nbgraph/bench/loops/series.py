"""Hand-written loops over time series."""

from __future__ import annotations

import math

import numpy as np

from nbgraph.bench.loops import add, loop


@loop
def volatility(r):
    n = r.size
    total, squares = np.empty(n), np.empty(n)
    sum_r = sum_r2 = 0.0
    for i in range(n):
        sum_r += r[i]
        sum_r2 += r[i] * r[i]
        total[i] = sum_r
        squares[i] = sum_r2
    out = np.empty(n - 20)
    for i in range(n - 20):
        mean = (total[i + 20] - total[i]) / 20
        out[i] = math.sqrt(252 * ((squares[i + 20] - squares[i]) / 20 - mean * mean))
    return (out,)


@loop
def autoregression(y, phi, log_sigma):
    a, b, c = phi[0], phi[1], phi[2]
    inverse = math.exp(-log_sigma)
    squares = by_a = by_b = by_c = 0.0
    n = y.size - 3
    for i in range(n):
        z = (y[i + 3] - a * y[i + 2] - b * y[i + 1] - c * y[i]) * inverse
        squares = add(squares, z * z)
        by_a = add(by_a, z * y[i + 2])
        by_b = add(by_b, z * y[i + 1])
        by_c = add(by_c, z * y[i])
    return (-0.5 * squares - n * (log_sigma + 0.5 * math.log(2 * math.pi)),
            np.array([by_a * inverse, by_b * inverse, by_c * inverse]), squares - n)
