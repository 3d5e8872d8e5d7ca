"""Bench cases on arrays: elementwise chains, rows, gathers, pairwise distances, a stencil.

Gradients of the NumPy versions are written by hand.
"""

from __future__ import annotations

import numpy as np

import nbgraph.tensor as nt
from nbgraph.bench.case import Problem, collector
from nbgraph.gradient import grad

TABLE, case = collector()


@case("2 * x on a scalar")
def scalar(rng: np.random.Generator) -> Problem:
    x = nt.dscalar("x")
    return Problem([x], [2 * x], [3.5], lambda x: [2 * x])


@case("ten vectors of length 5, a chain of multiply-add")
def short_vectors(rng: np.random.Generator) -> Problem:
    vectors = nt.dvectors([f"x{i}" for i in range(10)])

    def chain(*xs):  # type: ignore[no-untyped-def]
        total = xs[0]
        for x in xs[1:]:
            total = total * 0.5 + x
        return [total]

    return Problem(vectors, chain(*vectors), list(rng.standard_normal((10, 5))), chain)


@case("1 / (1 + exp(-x)), n = 1,000,000")
def sigmoid(rng: np.random.Generator) -> Problem:
    x = nt.dvector("x")
    return Problem([x], [1 / (1 + nt.exp(-x))], [rng.standard_normal(1_000_000)], lambda x: [1 / (1 + np.exp(-x))])


@case("log(sum(exp(x))) over rows, 1000 x 1000")
def logsumexp_rows(rng: np.random.Generator) -> Problem:
    x = nt.dmatrix("x")

    def numpy(x: np.ndarray) -> list[np.ndarray]:
        top = x.max(axis=1, keepdims=True)
        return [np.log(np.exp(x - top).sum(axis=1)) + top[:, 0]]

    return Problem([x], [nt.log(nt.exp(x).sum(axis=1))], [rng.standard_normal((1000, 1000))], numpy)


@case("normalised rows, a squared loss and its gradients, 512 x 768")
def layer_norm(rng: np.random.Generator) -> Problem:
    x, target = nt.dmatrices("x", "target")
    scale, shift = nt.dvectors("scale", "shift")
    centred = x - x.mean(axis=1, keepdims=True)
    unit = centred / nt.sqrt((centred ** 2).mean(axis=1, keepdims=True) + 1e-5)
    loss = ((unit * scale + shift - target) ** 2).mean()

    def numpy(x: np.ndarray, target: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> list[np.ndarray]:
        centred = x - x.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred ** 2).mean(axis=1, keepdims=True) + 1e-5)
        unit = centred / spread
        error = unit * scale + shift - target
        g = 2 * error / error.size
        g_unit = g * scale
        g_x = (g_unit - g_unit.mean(axis=1, keepdims=True)
               - unit * (g_unit * unit).mean(axis=1, keepdims=True)) / spread
        return [(error ** 2).mean(), g_x, (g * unit).sum(axis=0), g.sum(axis=0)]

    values = [rng.standard_normal((512, 768)), rng.standard_normal((512, 768)), rng.standard_normal(768),
              rng.standard_normal(768)]
    return Problem([x, target, scale, shift], [loss, *grad(loss, [x, scale, shift])], values, numpy)


@case("gather, tanh, sum, and the scatter gradient, 500,000 of 10,000")
def gather_scatter(rng: np.random.Generator) -> Problem:
    table, index = nt.dvector("table"), nt.lvector("index")
    total = nt.tanh(table[index]).sum()

    def numpy(table: np.ndarray, index: np.ndarray) -> list[np.ndarray]:
        t = np.tanh(table[index])
        return [t.sum(), np.bincount(index, weights=1 - t ** 2, minlength=len(table))]

    values = [rng.standard_normal(10_000), rng.integers(0, 10_000, 500_000)]
    return Problem([table, index], [total, grad(total, table)], values, numpy)


@case("squared distances of 600 x 600 points in 16 dimensions, exp, row sums")
def pairwise(rng: np.random.Generator) -> Problem:
    x, y = nt.dmatrices("x", "y")
    near = nt.exp(-0.1 * ((x[:, None, :] - y[None, :, :]) ** 2).sum(axis=2)).sum(axis=1)

    def numpy(x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
        return [np.exp(-0.1 * ((x[:, None, :] - y[None, :, :]) ** 2).sum(axis=2)).sum(axis=1)]

    return Problem([x, y], [near], [rng.standard_normal((600, 16)), rng.standard_normal((600, 16))], numpy)


@case("5-point heat stencil on 256 x 256, four steps")
def heat(rng: np.random.Generator) -> Problem:
    u = nt.dmatrix("u")

    def flow(u):  # type: ignore[no-untyped-def]
        return 0.2 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4 * u[1:-1, 1:-1])

    now = u
    for _ in range(4):
        now = nt.inc_subtensor(now[1:-1, 1:-1], flow(now))

    def numpy(u: np.ndarray) -> list[np.ndarray]:
        now = u.copy()
        for _ in range(4):
            now[1:-1, 1:-1] += flow(now)
        return [now]

    return Problem([u], [now], [rng.random((256, 256))], numpy)
