"""Integers of a range and bytes against NumPy's Generator, over dtypes, to the bit."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from nbgraph.dispatch.jit import entry
from nbgraph.dispatch.random.bounded import below, below_masked, coin, forget_small, small_below
from nbgraph.dispatch.random.states import restore, state_of
from nbgraph.dispatch.random.uniform import pcg64
from tests.dispatch.random.streams import check_stream, generator, where

DTYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


@cache
def _filler(bits):
    """fill(state, low, most, out): integers as a generated function of that width draws them."""
    if bits > 16:
        @entry
        def fill(state, low, most, out):
            rng = pcg64(state)
            for i in range(out.shape[0]):
                out[i] = low + below(rng, most)
    else:
        @entry
        def fill(state, low, most, out):
            rng = pcg64(state)
            forget_small(rng)
            for i in range(out.shape[0]):
                out[i] = low + small_below(rng, most, bits)
    return fill


def _ranges(dtype):
    """(low, high), the ends of the dtype among them; both may come up."""
    least, largest = np.iinfo(dtype).min, np.iinfo(dtype).max
    lengths = {0, 1, 2, 9, 100, 127, 200, 255, 256, 999, 2**15, 2**16 - 2, 2**16 - 1, 2**16, 3 * 2**29, 2**31 - 1,
               3 * 2**30, 2**32 - 2, 2**32 - 1, 2**32, 3 * 2**61, 2**63, 3 * 2**62, 2**64 - 2, 2**64 - 1}
    return [(low, low + most) for most in sorted(lengths) for low in (least, 3) if low + most <= largest]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 1001])
def test_integers_are_those_of_numpy(dtype, count):
    bits, unsigned = np.dtype(dtype).itemsize * 8, np.dtype(dtype).kind == "u"
    for low, high in _ranges(dtype):
        ours, numpys, arrays = (generator("PCG64", 7) for _ in range(3))
        out, state = np.empty(count, dtype), state_of(ours)
        wide = (np.uint64(low % 2**64), np.uint64(high - low)) if bits > 16 else (low, high - low)
        _filler(bits)(state, *wide, out)
        restore(ours, state)
        np.testing.assert_array_equal(out, numpys.integers(low, high, count, dtype=dtype, endpoint=True))
        assert where(ours) == where(numpys), (low, high)
        lows = np.full(count, low, dtype="uint64" if unsigned else "int64")
        np.testing.assert_array_equal(out, arrays.integers(lows, high, dtype=dtype, endpoint=True))
        assert where(ours) == where(arrays), (low, high)


@entry
def _each_range(state, most, bits, out):
    rng = pcg64(state)
    forget_small(rng)
    for i in range(out.shape[0]):
        if bits < 32:
            out[i] = small_below(rng, most[i], bits)
        else:
            out[i] = below(rng, most[i])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64"])
def test_integers_of_a_range_for_each_element_are_those_of_numpy(dtype):
    """A range of one number takes no bits, and the others share what is left."""
    largest = np.iinfo(dtype).max
    most = np.random.default_rng(2).choice(np.array([0, 1, 6, largest - 1, largest, largest // 3], dtype), 3001)
    ours, numpys = generator("PCG64", 7), generator("PCG64", 7)
    out, state = np.empty(3001, dtype), state_of(ours)
    _each_range(state, most.astype(np.int64) if largest < 2**32 else most, np.dtype(dtype).itemsize * 8, out)
    restore(ours, state)
    np.testing.assert_array_equal(out, numpys.integers(0, most, dtype=dtype, endpoint=True))
    assert where(ours) == where(numpys)


@entry
def _coins(state, out):
    rng = pcg64(state)
    forget_small(rng)
    for i in range(out.shape[0]):
        out[i] = coin(rng)


@pytest.mark.parametrize("count", [0, 1, 32, 33, 1001])
def test_booleans_are_those_of_numpy(count):
    ours, numpys = generator("PCG64", 7), generator("PCG64", 7)
    out, state = np.empty(count, bool), state_of(ours)
    _coins(state, out)
    restore(ours, state)
    np.testing.assert_array_equal(out, numpys.integers(0, 2, count, dtype=bool))
    assert where(ours) == where(numpys)


@pytest.mark.parametrize("kind", ["SFC64", "MT19937"])
def test_integers_of_another_kind_are_those_of_numpy(kind):
    for most in (9, 2**32 - 1, 2**32, 2**63):
        check_stream(below, lambda g, m, n: g.integers(0, m, n, dtype=np.uint64, endpoint=True), (np.uint64(most),),
                     np.uint64, kind)


def test_masked_integers_are_in_their_range_and_even():
    """A range above 32 bits is met only where an array of that length is shuffled."""
    for most in (0, 4, 2**40 + 1):
        state, out = state_of(generator("PCG64", 2)), np.empty(50_000, np.uint64)
        _masked(state, np.uint64(most), out)
        assert out.max() <= most and out.min() >= 0
        assert abs(out.mean() - most / 2) <= 0.01 * most


@entry
def _masked(state, most, out):
    rng = pcg64(state)
    for i in range(out.shape[0]):
        out[i] = below_masked(rng, most)
