"""MRG31k3p in compiled code against its recurrences in NumPy, which other tests check with published values."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.dispatch.jit import entry
from nbgraph.dispatch.random import mrg
from nbgraph.tensor.random.mrg import MRG_RandomStream
from nbgraph.tensor.random.mrg_steps import M1, M2, as_uniform, checked_seed, stepped, substreams

START = checked_seed(12345)


@entry
def _uniform(states, after, out):
    mrg.mrg_uniform(states, after, out)


def drawn(states, shape, dtype=np.float64):
    after, out = np.empty_like(states), np.empty(shape, dtype)
    before = states.copy()
    _uniform(states, after, out)
    np.testing.assert_array_equal(states, before)
    return after, out


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 700])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_streams_take_turns_and_move_together(count, dtype):
    states = substreams(START, 7)
    after, out = drawn(states, count, dtype)
    expected, z = stepped(states, -(-count // 7))
    np.testing.assert_array_equal(out, as_uniform(z.reshape(-1)[:count], dtype))
    np.testing.assert_array_equal(after, expected)


def test_numbers_fill_arrays_in_c_order():
    _, flat = drawn(substreams(START, 5), 24)
    _, cube = drawn(substreams(START, 5), (2, 3, 4))
    np.testing.assert_array_equal(cube.reshape(-1), flat)


def test_numbers_are_inside_the_unit_interval_at_its_ends():
    """z = 0 counts as M1; the largest z is below 1 in float32 too."""
    inverse = pow(32769, -1, M2)
    for z in (0, 1, M1 - 1):
        # With two zeros, x[n] = 129 * x2 and y[n] = 32769 * y2.
        x, y = (5 + z) % M1, 5
        state = np.array([[0, 0, x * pow(129, -1, M1) % M1, 0, 0, y * inverse % M2]])
        for dtype in (np.float64, np.float32):
            _, out = drawn(state, 1, dtype)
            assert 0 < out[0] < 1
            assert out[0] == as_uniform(np.array([z or M1]), np.dtype(dtype).name)[0]


@pytest.mark.parametrize("name", ["uniform", "normal", "binomial", "multinomial", "choice"])
def test_all_of_a_stream_is_native(name):
    stream = MRG_RandomStream(3)
    p = nt.constant(np.array([[0.2, 0.5, 0.3]]))
    draws = {"uniform": lambda: stream.uniform((3, 5)), "normal": lambda: stream.normal((7,), 1.0, 2.0),
             "binomial": lambda: stream.binomial((4,), 9, 0.3), "multinomial": lambda: stream.multinomial(n=5, pvals=p),
             "choice": lambda: stream.choice((6,), 4)}
    x = draws[name]()
    native, reference = (nbgraph.function([], x, mode=mode, allow_python=False, no_default_updates=True)
                         for mode in ("FAST_RUN", "reference"))
    np.testing.assert_allclose(native(), reference(), rtol=1e-14)


def test_debug_mode_finds_nothing_wrong():
    stream = MRG_RandomStream(3)
    nbgraph.function([], [stream.uniform((3, 5)), stream.normal(()), stream.choice((6,), 4)], mode="DebugMode")()
