"""Hand-written loops of elementwise work."""

from __future__ import annotations

import math

import numpy as np

from nbgraph.bench.loops import add, loop
from nbgraph.dispatch import vmath


@loop
def short_vectors(x0, x1, x2, x3, x4, x5, x6, x7, x8, x9):
    out = np.empty_like(x0)
    for i in range(out.size):
        total = x0[i] * 0.5 + x1[i]
        total = total * 0.5 + x2[i]
        total = total * 0.5 + x3[i]
        total = total * 0.5 + x4[i]
        total = total * 0.5 + x5[i]
        total = total * 0.5 + x6[i]
        total = total * 0.5 + x7[i]
        total = total * 0.5 + x8[i]
        out[i] = total * 0.5 + x9[i]
    return (out,)


@loop
def sigmoid(x):
    out = np.empty_like(x)
    for i in range(x.size):
        out[i] = 1 / (1 + vmath.exp(-x[i]))
    return (out,)


sigmoid_small = sigmoid


@loop
def black_scholes(spot, strike, years, rate, volatility):
    call, put = np.empty_like(spot), np.empty_like(spot)
    root = math.sqrt(0.5)
    for i in range(spot.size):
        spread = volatility * math.sqrt(years[i])
        d1 = (vmath.log(spot[i] / strike[i]) + (rate + volatility * volatility / 2) * years[i]) / spread
        discounted = strike[i] * vmath.exp(-rate * years[i])
        above, below = 0.5 * (1 + vmath.erf(d1 * root)), 0.5 * (1 + vmath.erf((d1 - spread) * root))
        value = spot[i] * above - discounted * below
        call[i] = value
        put[i] = value - spot[i] + discounted
    return call, put


@loop
def great_circle(lat1, lon1, lat2, lon2):
    out = np.empty_like(lat1)
    for i in range(out.size):
        up, across = vmath.sin((lat2[i] - lat1[i]) / 2), vmath.sin((lon2[i] - lon1[i]) / 2)
        h = up * up + vmath.cos(lat1[i]) * vmath.cos(lat2[i]) * across * across
        out[i] = 2 * 6371.0 * vmath.arcsin(math.sqrt(h))
    return (out,)


@loop
def rosenbrock(x):
    g = np.empty_like(x)
    total, before = 0.0, 0.0
    for i in range(x.size - 1):
        rise, left = x[i + 1] - x[i] * x[i], 1 - x[i]
        total = add(total, 100 * rise * rise + left * left)
    for i in range(1, x.size - 1):
        before, rise = x[i] - x[i - 1] * x[i - 1], x[i + 1] - x[i] * x[i]
        g[i] = 200 * before - 400 * x[i] * rise - 2 * (1 - x[i])
    g[0] = -400 * x[0] * (x[1] - x[0] * x[0]) - 2 * (1 - x[0])
    g[-1] = 200 * (x[-1] - x[-2] * x[-2])
    return total, g
