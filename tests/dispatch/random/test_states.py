"""States of NumPy's generators as arrays, and back."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from nbgraph.dispatch.random.states import kind_of, restore, state_of
from nbgraph.dispatch.random.uniform import STREAMS
from nbgraph.errors import KernelError
from tests.dispatch.random.streams import generator, where

KINDS = ("PCG64", "PCG64DXSM", "SFC64", "Philox", "MT19937")


def test_every_bit_generator_of_numpy_has_a_stream():
    found = {name for name, kind in vars(np.random).items()
             if isinstance(kind, type) and issubclass(kind, np.random.BitGenerator)} - {"BitGenerator"}
    assert found == set(KINDS) == set(STREAMS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("draws", [0, 1, 2, 3, 700])
def test_a_state_that_is_put_back_is_the_state(kind, draws):
    first, second = generator(kind, 5), generator(kind, 6)
    first.random(draws, dtype=np.float32)
    state = state_of(first)
    assert state.dtype == np.uint64 and state.ndim == 1
    restore(second, state)
    assert where(second) == where(first)
    np.testing.assert_array_equal(second.random(700), first.random(700))


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_is_a_copy(kind):
    rng = generator(kind, 5)
    before = where(rng)
    state = state_of(rng)
    restore(rng, state)
    state[:] = 0
    assert where(rng) == before


def test_a_bit_generator_that_is_not_known_is_named():
    class Other:
        pass

    class Holder:
        bit_generator = Other()

    with pytest.raises(KernelError, match="no compiled streams of Other"):
        kind_of(Holder())


def test_states_are_read_without_numba():
    code = ("import sys, numpy; from nbgraph.dispatch.random.states import state_of; "
            "state_of(numpy.random.default_rng(1)); sys.exit('numba' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_streams_and_draws_are_of_compiled_code():
    from nbgraph.dispatch.random.uniform import pcg64, random

    with pytest.raises(KernelError, match="compiled code"):
        pcg64(state_of(generator("PCG64", 1)))
    with pytest.raises(KernelError, match="compiled code"):
        random(None)
