"""Integers of a range: `integers` of NumPy's Generator, by the number of bits of the dtype.

    integers(rng, low, last)       low <= k <= last, for 32 and 64 bits
    integers_16, integers_8        the same for fewer
    booleans                       for bool

int64 in and out. For 8 and 16 bits and bool, `forget_small` stands before the first draw of a call.
The length of a range may be no int64: it is computed in uint64, where compiled code wraps. Of int64 LLVM is told that
nothing overflows.
"""

from __future__ import annotations

from typing import Any

from numba import int64, uint64

from nbgraph.dispatch.jit import kernel
from nbgraph.dispatch.random.bounded import below, coin, small_below


@kernel
def integers(rng: Any, low: Any, last: Any) -> Any:
    """Any range"""
    return int64(uint64(low) + below(rng, uint64(last) - uint64(low)))


@kernel
def integers_16(rng: Any, low: Any, last: Any) -> Any:
    """last - low < 2**16"""
    return low + small_below(rng, last - low, int64(16))


@kernel
def integers_8(rng: Any, low: Any, last: Any) -> Any:
    """last - low < 2**8"""
    return low + small_below(rng, last - low, int64(8))


@kernel
def booleans(rng: Any, low: Any, last: Any) -> Any:
    """last - low < 2"""
    return low + int64(coin(rng)) if last > low else low
