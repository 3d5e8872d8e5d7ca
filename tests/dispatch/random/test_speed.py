"""Draws are as fast as NumPy's: measured side by side, several times, so that a busy machine slows both."""

from __future__ import annotations

import time

import numpy as np

from nbgraph import function, shared
from nbgraph.tensor.random import normal

COUNT = 1_000_000


def test_a_million_normal_numbers_and_their_mean_take_no_longer_than_numpys_draws():
    rng = np.random.default_rng(1)
    x = normal(size=COUNT, rng=shared(rng))
    mean = function([], x.mean(), updates=[x.update], allow_python=False)
    np.testing.assert_allclose(mean(), rng.normal(size=COUNT).mean(), rtol=1e-12)

    def seconds(call):
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    pairs = [(seconds(mean), seconds(lambda: rng.normal(size=COUNT))) for _ in range(7)]
    ours, numpys = (min(times) for times in zip(*pairs))
    assert ours <= 1.1 * numpys, f"{ours:.4f} s, NumPy's draws {numpys:.4f} s"
