"""Draws are as fast as NumPy's: measured side by side, several times, so that a busy machine slows both."""

from __future__ import annotations

import time

import numpy as np

from nbgraph.dispatch.jit import entry
from nbgraph.dispatch.random.states import state_of
from nbgraph.dispatch.random.uniform import pcg64
from nbgraph.dispatch.random.ziggurat import standard_normal

COUNT = 1_000_000


@entry
def _mean(state, out):
    rng, total = pcg64(state), 0.0
    for i in range(out.shape[0]):
        out[i] = standard_normal(rng)
        total += out[i]
    return total / out.shape[0]


def test_a_million_normal_numbers_and_their_mean_take_no_longer_than_numpys_draws():
    rng, out = np.random.default_rng(1), np.empty(COUNT)
    state = state_of(rng)
    _mean(state, out)

    def seconds(function):
        start = time.perf_counter()
        function()
        return time.perf_counter() - start

    pairs = [(seconds(lambda: _mean(state, out)), seconds(lambda: rng.standard_normal(COUNT, out=out)))
             for _ in range(7)]
    ours, numpys = (min(times) for times in zip(*pairs))
    assert ours <= 1.1 * numpys, f"{ours:.4f} s, NumPy's draws {numpys:.4f} s"
