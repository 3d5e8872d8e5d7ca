"""Integers of a range, as NumPy draws them: `integers`, `bytes`, and what shuffles and choices are made of.

    below(rng, most)                0 <= k <= most: what is added to `low` for integers of 32 and 64 bits
    small_below(rng, most, bits)    the same for integers of 8 and 16 bits, of which 32 random bits give four or two
    coin(rng)                       for bool, of which they give 32

What 32 bits have left goes to the next small draw of the same call: `forget_small(rng)` stands before the first.
An integer of a dtype is low + k, wrapped: `low` and the length of the range are cast before.

Lemire, Fast random integer generation in an interval, ACM TOMACS 29 (2019): the upper half of a product of random bits
and the length of the range; the lower half says what has to be drawn again.
"""

from __future__ import annotations

from typing import Any

from numba import int64, types, uint32, uint64

from nbgraph.dispatch.jit import apart, kernel
from nbgraph.dispatch.random import bits as _bits
from nbgraph.dispatch.random.stream import Words, draw
from nbgraph.dispatch.random.uniform import next_32, next_64
from nbgraph.dispatch.scalar_value import Value, as_type, branch, native

_MOST_32, _MOST_64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF


@native(lambda x, y: (int(x) * int(y)) >> 64, as_type(types.uint64))
def high_product(x: Value, y: Value) -> Value:
    """floor(x y / 2**64) of two uint64"""
    return ((x.to_integer("u", 128) * y.to_integer("u", 128)) >> 64).to_integer("u", 64)


@draw(types.none)
def forget_small(kind: str, words: Words) -> None:
    """Small draws begin anew: a call of NumPy's keeps no bits for the next one."""
    words.store(_bits.SMALL, 0)


@draw(types.int64)
def small(kind: str, words: Words, width: Value) -> Value:
    """int64 in [0, 2**width), width 1, 8 or 16, of bits that are left, or of 32 new ones.

    A bit above those that are left says where they end.
    """
    left, width = words.load(_bits.SMALL), width.to_integer("u", 64)
    bits = branch(left <= 1, lambda: _bits.half(kind, words).to_integer("u", 64) | (1 << 32), lambda: left)
    words.store(_bits.SMALL, bits >> width)
    return (bits & ((bits.constant(1) << width) - 1)).to_integer("i", 64)


@kernel
def coin(rng: Any) -> Any:
    """bool, each half of the time: `integers(0, 2, dtype=bool)`"""
    return small(rng, int64(1)) != 0


@kernel
def small_below(rng: Any, most: Any, width: Any) -> Any:
    """int64 in [0, most], most < 2**width; no draw where most is 0.

    Parameters
    ----------
    most : int64
    width : int64, 8 or 16
    """
    whole = int64(1) << width
    if most == 0:
        return int64(0)
    if most == whole - 1:
        return small(rng, width)
    length = most + 1
    product = small(rng, width) * length
    if product & (whole - 1) < length:
        threshold = (whole - length) % length
        while product & (whole - 1) < threshold:
            product = small(rng, width) * length
    return product >> width


@kernel
def below(rng: Any, most: Any) -> Any:
    """uint64 in [0, most]: 32 bits where most < 2**32, else 64; none where most is 0."""
    most = uint64(most)
    if most == uint64(0):
        return uint64(0)
    if most < uint64(_MOST_32):
        return uint64(below_32(rng, uint32(most)))
    if most == uint64(_MOST_32):
        return uint64(next_32(rng))
    if most == uint64(_MOST_64):
        return next_64(rng)
    return _below_64(rng, most)


@kernel
def below_32(rng: Any, most: Any) -> Any:
    """uint32 in [0, most], most < 2**32 - 1."""
    length = uint64(most) + uint64(1)
    product = uint64(next_32(rng)) * length
    low = uint32(product)
    if low < length:
        threshold = uint32((uint64(_MOST_32) - uint64(most)) % length)
        while low < threshold:
            product = uint64(next_32(rng)) * length
            low = uint32(product)
    return uint32(product >> uint64(32))


@kernel
def _below_64(rng: Any, most: Any) -> Any:
    apart()
    length = most + uint64(1)
    bits = next_64(rng)
    low = bits * length
    if low < length:
        threshold = (uint64(_MOST_64) - most) % length
        while low < threshold:
            bits = next_64(rng)
            low = bits * length
    return high_product(bits, length)


@kernel
def below_masked(rng: Any, most: Any) -> Any:
    """uint64 in [0, most]: the lowest bits of 32 or 64, drawn until they are no more than that."""
    most = uint64(most)
    if most == uint64(0):
        return uint64(0)
    mask = most
    for shift in (1, 2, 4, 8, 16, 32):
        mask |= mask >> uint64(shift)
    while True:
        bits = uint64(next_32(rng)) & mask if most <= uint64(_MOST_32) else next_64(rng) & mask
        if bits <= most:
            return bits
