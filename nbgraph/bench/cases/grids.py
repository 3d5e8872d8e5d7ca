"""Bench cases on grids and of distances: stencils, reaction and diffusion, all pairs of points, a kernel matrix."""

from __future__ import annotations

import numpy as np

from nbgraph.bench.case import Problem, collector
from nbgraph.bench.cases.regression import breast_cancer

TABLE, case = collector()

INNER = np.s_[1:-1, 1:-1]


def laplacian(u):
    """Of the inner points: the four neighbours, minus four times the point."""
    return u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4 * u[1:-1, 1:-1]


def heat_problem(rng: np.random.Generator, shape: tuple[int, int], steps: int) -> Problem:
    """Heat that spreads for some steps; the border stays as it is."""
    def spread(m, u):
        for _ in range(steps):
            u = m.increment(u, INNER, 0.2 * laplacian(u))
        return [u]

    def numpy(u):
        u = u.copy()
        for _ in range(steps):
            u[INNER] += 0.2 * laplacian(u)
        return [u]

    return Problem(spread, {"u": rng.random(shape)}, numpy=numpy)


@case("5-point heat stencil on 256 x 256, four steps", quick=True)
def heat(rng: np.random.Generator) -> Problem:
    return heat_problem(rng, (256, 256), 4)


@case("5-point heat stencil on 1500 x 1500, one step")
def heat_step(rng: np.random.Generator) -> Problem:
    return heat_problem(rng, (1500, 1500), 1)


@case("Gray-Scott reaction and diffusion on 512 x 512: the inner points after a step")
def reaction(rng: np.random.Generator) -> Problem:
    def react(m, u, v, feed, kill):
        a, b = u[1:-1, 1:-1], v[1:-1, 1:-1]
        rate = a * b * b
        return [a + 0.16 * laplacian(u) - rate + feed * (1 - a), b + 0.08 * laplacian(v) + rate - (feed + kill) * b]

    return Problem(react, {"u": rng.random((512, 512)), "v": rng.random((512, 512)), "feed": 0.035, "kill": 0.065})


@case("squared distances of 600 x 600 points in 16 dimensions, exp, row sums", quick=True)
def pairwise(rng: np.random.Generator) -> Problem:
    def near(m, x, y):
        return [m.exp(-0.1 * ((x[:, None, :] - y[None, :, :]) ** 2).sum(axis=2)).sum(axis=1)]

    return Problem(near, {"x": rng.standard_normal((600, 16)), "y": rng.standard_normal((600, 16))})


@case("Gaussian kernel matrix of the breast cancer data, 569 x 569, 30 features")
def rbf_kernel(rng: np.random.Generator) -> Problem:
    def kernel(m, x, gamma):
        squares = (x ** 2).sum(axis=1)
        apart = squares[:, None] + squares[None, :] - 2 * m.dot(x, x.T)
        return [m.exp(-gamma * m.maximum(apart, 0.0))]

    return Problem(kernel, {"x": breast_cancer()[0], "gamma": 0.03})
