"""Bits and uniform numbers: what every other draw is made of. They cost no jitted function.

    next_64(rng)    next_32(rng)    random(rng)    random_32(rng)

Bit for bit what `np.random.Generator` draws: random() is `random`, random_32 is `random(dtype="float32")`.
"""

from __future__ import annotations

from numba import types

from nbgraph.dispatch.random import bits
from nbgraph.dispatch.random.stream import Words, draw, stream_of
from nbgraph.dispatch.scalar_value import Value

STREAMS = {kind: stream_of(kind) for kind in bits.KINDS}
pcg64, pcg64dxsm, sfc64, philox, mt19937 = STREAMS.values()


@draw(types.uint64)
def next_64(kind: str, words: Words) -> Value:
    """uint64: 64 random bits."""
    return bits.whole(kind, words)


@draw(types.uint32)
def next_32(kind: str, words: Words) -> Value:
    """uint32: 32 random bits; those of 64 are used one half after the other."""
    return bits.half(kind, words)


@draw(types.float64)
def random(kind: str, words: Words) -> Value:
    """float64 in [0, 1), a multiple of 2**-53."""
    return bits.unit(kind, words)


@draw(types.float32)
def random_32(kind: str, words: Words) -> Value:
    """float32 in [0, 1), a multiple of 2**-24."""
    return bits.unit32(kind, words)
