"""Hand-written loops on grids and over pairs of points."""

from __future__ import annotations

import numpy as np

from nbgraph.bench.loops import add, loop
from nbgraph.dispatch import vmath
from nbgraph.dispatch.scalar_combine import larger


@loop
def spread_once(u, out):
    """A step of the heat stencil from `u` to `out`."""
    rows, columns = u.shape
    for i in range(rows - 2):
        # Indices that are never negative: Numba would test each for it.
        for j in range(columns - 2):
            around = u[i, j + 1] + u[i + 2, j + 1] + u[i + 1, j] + u[i + 1, j + 2]
            out[i + 1, j + 1] = u[i + 1, j + 1] + 0.2 * (around - 4 * u[i + 1, j + 1])
    for i in range(rows):
        out[i, 0], out[i, -1] = u[i, 0], u[i, -1]
    out[0], out[-1] = u[0], u[-1]


@loop
def heat(u):
    one, other = np.empty_like(u), np.empty_like(u)
    spread_once(u, one)
    spread_once(one, other)
    spread_once(other, one)
    spread_once(one, other)
    return (other,)


@loop
def heat_step(u):
    out = np.empty_like(u)
    spread_once(u, out)
    return (out,)


@loop
def reaction(u, v, feed, kill):
    rows, columns = u.shape
    a, b = np.empty((rows - 2, columns - 2)), np.empty((rows - 2, columns - 2))
    for i in range(rows - 2):
        for j in range(columns - 2):
            p, q = u[i + 1, j + 1], v[i + 1, j + 1]
            rate = p * q * q
            over_u = u[i, j + 1] + u[i + 2, j + 1] + u[i + 1, j] + u[i + 1, j + 2] - 4 * p
            over_v = v[i, j + 1] + v[i + 2, j + 1] + v[i + 1, j] + v[i + 1, j + 2] - 4 * q
            a[i, j] = p + 0.16 * over_u - rate + feed * (1 - p)
            b[i, j] = q + 0.08 * over_v + rate - (feed + kill) * q
    return a, b


@loop
def pairwise(x, y):
    rows, depth = x.shape
    flipped = y.T.copy()
    count = flipped.shape[1]
    apart = np.empty(count)
    out = np.empty(rows)
    for i in range(rows):
        apart[:] = 0.0
        for k in range(depth):
            for j in range(count):
                d = x[i, k] - flipped[k, j]
                apart[j] += d * d
        total = 0.0
        for j in range(count):
            total = add(total, vmath.exp(-0.1 * apart[j]))
        out[i] = total
    return (out,)


@loop
def rbf_kernel(x, gamma):
    n = x.shape[0]
    out = np.dot(x, x.T)
    squares = np.empty(n)
    for i in range(n):
        squares[i] = out[i, i]
    for i in range(n):
        for j in range(n):
            out[i, j] = vmath.exp(-gamma * larger(squares[i] + squares[j] - 2 * out[i, j], 0.0))
    return (out,)
