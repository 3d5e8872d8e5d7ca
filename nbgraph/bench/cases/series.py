"""Bench cases of time series: running sums, shifted slices."""

from __future__ import annotations

import math

import numpy as np

from nbgraph.bench.case import Problem, collector

TABLE, case = collector()


@case("volatility over a window of 20 days, by running sums, n = 100,000")
def volatility(rng: np.random.Generator) -> Problem:
    def rolling(m, r):
        total, squares = m.cumsum(r), m.cumsum(r ** 2)
        mean = (total[20:] - total[:-20]) / 20
        return [m.sqrt(252 * ((squares[20:] - squares[:-20]) / 20 - mean ** 2))]

    return Problem(rolling, {"r": rng.normal(0.0003, 0.01, 100_000)})


@case("autoregression of order 3: log-density and gradients, n = 50,000")
def autoregression(rng: np.random.Generator) -> Problem:
    def density(m, y, phi, log_sigma):
        mean = phi[0] * y[2:-1] + phi[1] * y[1:-2] + phi[2] * y[:-3]
        z = (y[3:] - mean) / m.exp(log_sigma)
        return [(-0.5 * z ** 2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum()]

    def numpy(y, phi, log_sigma):
        sigma = math.exp(log_sigma)
        past = (y[2:-1], y[1:-2], y[:-3])
        z = (y[3:] - sum(p * lag for p, lag in zip(phi, past, strict=True))) / sigma
        return [-0.5 * (z @ z) - len(z) * (log_sigma + 0.5 * math.log(2 * math.pi)),
                np.array([z @ lag for lag in past]) / sigma, z @ z - len(z)]

    return Problem(density, {"y": rng.standard_normal(50_000).cumsum() * 0.1, "phi": np.array([0.6, 0.2, 0.1]),
                             "log_sigma": -1.5}, ["phi", "log_sigma"], numpy=numpy)
