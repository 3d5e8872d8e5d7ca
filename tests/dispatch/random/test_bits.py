"""Bits, uniform, normal and exponential numbers of every kind of bit generator, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from nbgraph.dispatch.jit import entry
from nbgraph.dispatch.random import ziggurat
from nbgraph.dispatch.random.states import restore, state_of
from nbgraph.dispatch.random.uniform import STREAMS, next_32, next_64, random, random_32
from tests.dispatch.random.streams import check_stream, generator, where
from tests.dispatch.random.test_states import KINDS

DRAWS = {
    "random": (random, lambda g, n: g.random(n), np.float64),
    "random, float32": (random_32, lambda g, n: g.random(n, dtype=np.float32), np.float32),
    "64 bits": (next_64, lambda g, n: g.integers(0, 2**64 - 1, n, dtype=np.uint64, endpoint=True), np.uint64),
    "32 bits": (next_32, lambda g, n: g.integers(0, 2**32 - 1, n, dtype=np.uint32, endpoint=True), np.uint32),
    "normal": (ziggurat.standard_normal, lambda g, n: g.standard_normal(n), np.float64),
}
OF_ONE_KIND = {
    "normal, float32": (ziggurat.standard_normal_32, lambda g, n: g.standard_normal(n, dtype=np.float32), np.float32),
    "exponential": (ziggurat.standard_exponential, lambda g, n: g.standard_exponential(n), np.float64),
    "exponential, float32": (ziggurat.standard_exponential_32,
                             lambda g, n: g.standard_exponential(n, dtype=np.float32), np.float32),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_those_of_numpy(name, kind):
    kernel, draw, dtype = DRAWS[name]
    check_stream(kernel, draw, (), dtype, kind)


@pytest.mark.parametrize("name", OF_ONE_KIND)
def test_draws_in_rare_places_are_those_of_numpy(name):
    kernel, draw, dtype = OF_ONE_KIND[name]
    check_stream(kernel, draw, (), dtype, count=200_000)


def test_normal_numbers_of_the_tail_are_those_of_numpy():
    check_stream(*DRAWS["normal"][:2], (), count=1_000_000)
    assert abs(generator("PCG64", 1).standard_normal(1_000_000)).max() > 3.7


@pytest.mark.parametrize("kind", KINDS)
def test_halves_wholes_and_floats_may_follow_each_other(kind):
    stream = STREAMS[kind]

    @entry
    def fill(state, out):
        rng = stream(state)
        for i in range(out.shape[0]):
            out[i, 0] = random_32(rng)
            out[i, 1] = random(rng)
            out[i, 2] = random_32(rng)
            out[i, 3] = random_32(rng)

    ours, numpys = generator(kind, 3), generator(kind, 3)
    out, state = np.empty((501, 4)), state_of(ours)
    fill(state, out)
    restore(ours, state)
    f = np.float32
    expected = [[numpys.random(dtype=f), numpys.random(), numpys.random(dtype=f), numpys.random(dtype=f)]
                for _ in range(501)]
    np.testing.assert_array_equal(out, np.array(expected, dtype=np.float64))
    assert where(ours) == where(numpys)
