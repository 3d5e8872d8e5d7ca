"""Bench cases that normalise: over the rows of a matrix, where memory is in order, or over its columns.

    logsumexp, layer normalisation, cross-entropy of a softmax, standardised columns
"""

from __future__ import annotations

import numpy as np

from nbgraph.bench.case import Problem, collector

TABLE, case = collector()


@case("log(sum(exp(x))) over rows, 1000 x 1000", quick=True)
def logsumexp_rows(rng: np.random.Generator) -> Problem:
    def numpy(x):
        top = x.max(axis=1, keepdims=True)
        return [np.log(np.exp(x - top).sum(axis=1)) + top[:, 0]]

    return Problem(lambda m, x: [m.logsumexp(x, axis=1)], {"x": rng.standard_normal((1000, 1000))}, numpy=numpy)


@case("normalised rows, a squared loss and its gradients, 512 x 768", quick=True)
def layer_norm(rng: np.random.Generator) -> Problem:
    def model(m, x, target, scale, shift):
        centred = x - x.mean(axis=1, keepdims=True)
        unit = centred / m.sqrt((centred ** 2).mean(axis=1, keepdims=True) + 1e-5)
        return [((unit * scale + shift - target) ** 2).mean()]

    def numpy(x, target, scale, shift):
        centred = x - x.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred ** 2).mean(axis=1, keepdims=True) + 1e-5)
        unit = centred / spread
        error = unit * scale + shift - target
        g = 2 * error / error.size
        g_unit = g * scale
        g_x = (g_unit - g_unit.mean(axis=1, keepdims=True)
               - unit * (g_unit * unit).mean(axis=1, keepdims=True)) / spread
        return [(error ** 2).mean(), g_x, (g * unit).sum(axis=0), g.sum(axis=0)]

    return Problem(model, {"x": rng.standard_normal((512, 768)), "target": rng.standard_normal((512, 768)),
                           "scale": rng.standard_normal(768), "shift": rng.standard_normal(768)},
                   ["x", "scale", "shift"], numpy=numpy)


@case("cross-entropy of a softmax over rows, and its gradient, 2,000 x 100")
def softmax_xent(rng: np.random.Generator) -> Problem:
    def loss(m, x, label):
        return [-m.log_softmax(x, axis=1)[m.arange(label.shape[0]), label].mean()]

    def numpy(x, label):
        shifted = x - x.max(axis=1, keepdims=True)
        g = np.exp(shifted)
        total = g.sum(axis=1, keepdims=True)
        rows = np.arange(len(label))
        value = -(shifted[rows, label] - np.log(total[:, 0])).mean()
        g /= total
        g[rows, label] -= 1
        return [value, g / len(label)]

    return Problem(loss, {"x": rng.standard_normal((2_000, 100)), "label": rng.integers(0, 100, 2_000)}, ["x"],
                   numpy=numpy)


@case("softmax over rows, float32, 1000 x 1000")
def softmax_float32(rng: np.random.Generator) -> Problem:
    def softmax(m, x):
        e = m.exp(x - x.max(axis=1, keepdims=True))
        return [e / e.sum(axis=1, keepdims=True)]

    return Problem(softmax, {"x": rng.standard_normal((1000, 1000), np.float32)}, tolerance=1e-6)


@case("columns with mean 0 and deviation 1, 20,000 x 50")
def standardise(rng: np.random.Generator) -> Problem:
    return Problem(lambda m, x: [(x - x.mean(axis=0)) / x.std(axis=0)], {"x": rng.gamma(2.0, 3.0, (20_000, 50))})
