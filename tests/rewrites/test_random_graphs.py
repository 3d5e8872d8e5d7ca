"""Random graphs: all passes keep values and types, with the graph verified after each pass."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.config import config
from nbgraph.gradient import grad
from nbgraph.graph import FunctionGraph
from nbgraph.graph.evaluate import evaluate
from nbgraph.rewrites import FAST_COMPILE, FAST_RUN, rewrite

UNARY = [nt.neg, nt.exp, nt.tanh, nt.sigmoid, nt.softplus, nt.abs, nt.square, nt.expm1, nt.erf,
         lambda x: nt.log(1 + nt.exp(x)), lambda x: 1 / (1 + nt.exp(-x)), lambda x: 1 - x, lambda x: x * 1,
         lambda x: x + 0, lambda x: 2 * x, lambda x: x / 4, lambda x: nt.exp(x) - 1,
         lambda x: nt.log(nt.sigmoid(x)), lambda x: 1 - nt.sigmoid(x), lambda x: x ** 2]
BINARY = [nt.add, nt.sub, nt.mul, nt.maximum, nt.minimum, lambda x, y: x / (1 + nt.exp(y)), lambda x, y: x + -y,
          lambda x, y: nt.switch(nt.gt(x, 0), x, y), lambda x, y: x * nt.sigmoid(y), lambda x, y: -x - y,
          lambda x, y: x * nt.exp(-y) * nt.sigmoid(y), lambda x, y: x + nt.zeros_like(y), lambda x, y: x - -2.0 * y]
MATRIX = [lambda x: x.T.T, lambda x: nt.sum(x, 1, keepdims=True) + x, lambda x: nt.log(nt.sum(nt.exp(x), 0)) + x,
          lambda x: nt.exp(x) / nt.sum(nt.exp(x), 1, keepdims=True), lambda x: x[:], lambda x: x - nt.mean(x, 0),
          lambda x: nt.dot(x, x), lambda x: x - 0.5 * nt.dot(x.T, x), lambda x: nt.reshape(x, x.shape),
          lambda x: nt.set_subtensor(x[0], x[1]), lambda x: nt.inc_subtensor(nt.zeros_like(x)[:], x),
          lambda x: x * nt.cast(x.shape[0], x.type.dtype), lambda x: nt.fill(x, nt.sum(x)) + x]


def _random_graph(rng, dtype):
    leaves = [nt.tensor(f"x{i}", dtype=dtype, shape=(None, None)) for i in range(3)]
    pool = [*leaves, nt.constant(np.full((4, 4), 1, dtype)), nt.zeros_like(leaves[0])]
    for _ in range(int(rng.integers(3, 14))):
        one, other = (pool[i] for i in rng.integers(0, len(pool), 2))
        kind = rng.integers(0, 3)
        choice = (UNARY, MATRIX, BINARY)[kind][rng.integers(len((UNARY, MATRIX, BINARY)[kind]))]
        made = choice(one, other) if kind == 2 else choice(one)
        # Values stay moderate, so that both sides may be compared closely.
        pool.append(nt.tanh(0.5 * made) if rng.integers(0, 2) else nt.clip(made, -3, 3))
    return FunctionGraph(leaves, [pool[-1], nt.sum(pool[-2]), nt.shape(pool[-1])])


@pytest.mark.parametrize("seed", range(150))
def test_all_passes_keep_values_and_types_of_a_random_graph(seed):
    rng = np.random.default_rng(seed)
    dtype = ["float64", "float32"][seed % 2]
    before = _random_graph(rng, dtype)
    values = [rng.uniform(-2, 2, (4, 4)).astype(dtype) for _ in before.inputs]
    expected = evaluate(before, values)
    precision = 1e-10 if dtype == "float64" else 5e-5
    for passes in (FAST_RUN, FAST_COMPILE):
        with config.change_flags(verify=True):
            after, report = rewrite(before, passes)
        for old, new in zip(expected, evaluate(after, values), strict=True):
            assert old.dtype == new.dtype
            np.testing.assert_allclose(new, old, rtol=precision, atol=precision, err_msg=f"seed {seed}\n{report}")
        assert rewrite(after, passes)[0] is after, f'seed {seed}\n{rewrite(after, passes)[1]}'


@pytest.mark.parametrize("seed", range(60))
def test_all_passes_keep_the_gradients_of_a_random_graph(seed):
    rng = np.random.default_rng(1000 + seed)
    graph = _random_graph(rng, "float64")
    gradients = grad(graph.outputs[1], list(graph.inputs), disconnected_inputs="ignore")
    before = FunctionGraph(graph.inputs, gradients)
    values = [rng.uniform(-2, 2, (4, 4)) for _ in before.inputs]
    with config.change_flags(verify=True):
        after, report = rewrite(before, FAST_RUN)
    for old, new in zip(evaluate(before, values), evaluate(after, values), strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-9, atol=1e-9, err_msg=f"seed {seed}\n{report}")
