"""Shuffles, and choices without replacement.

    shuffle(rng, x)                                     of x[:], in place
    permutation(rng, out)                               of 0, 1, ..., n - 1
    choice(rng, population, shuffled, scratch, out)     of 0, 1, ..., population - 1, none twice
    weighted_choice(rng, p, left, seen, out)            the same with probabilities p

Bit for bit what the methods of `np.random.Generator` draw: `shuffle` and `permutation` of arrays of several axes are
those of their first index, `permuted` shuffles each row (or, without an axis, the flat array).
With replacement, `choice` is `below(rng, population - 1)`, or `categorical` where there are probabilities.
"""

from __future__ import annotations

from typing import Any

from numba import int64

from nbgraph.dispatch.jit import kernel
from nbgraph.dispatch.random.bounded import below, below_masked
from nbgraph.dispatch.random.uniform import random

# NumPy shuffles the end of the whole population where it is this large, and the sample is not a small part of it.
LARGE = 10000
PART, PART_IN_ORDER = 50, 20


@kernel
def _shuffle_end(rng: Any, x: Any, first: Any, n: Any) -> Any:
    """Exchange x[i], i = n - 1, ..., first, with x[k], 0 <= k <= i: Durstenfeld, CACM 7 (1964)."""
    for step in range(n - first):
        i = n - 1 - step
        k = int64(below(rng, i))
        held = x[i]
        x[i] = x[k]
        x[k] = held


@kernel
def shuffle(rng: Any, x: Any) -> Any:
    """Shuffle x[:] in place: as `_shuffle_end`, with masked bits."""
    for step in range(x.shape[0] - 1):
        i = x.shape[0] - 1 - step
        k = int64(below_masked(rng, i))
        held = x[i]
        x[i] = x[k]
        x[k] = held


@kernel
def permutation(rng: Any, out: Any) -> Any:
    """Write a permutation of 0, 1, ..., n - 1 into out[:]."""
    for i in range(out.shape[0]):
        out[i] = i
    shuffle(rng, out)


@kernel
def _shuffles_all(population: Any, size: Any, shuffled: Any) -> Any:
    return population > LARGE and size > population // (PART if shuffled else PART_IN_ORDER)


@kernel
def choice(rng: Any, population: Any, shuffled: Any, scratch: Any, out: Any) -> Any:
    """A sample of 0, 1, ..., population - 1 without replacement.

    The end of a shuffle of all of them, or Floyd's method, which keeps a set (Bentley & Floyd, CACM 30 (1987)): k of
    [0, j] for each of the last j, or j itself where k is taken.

    Parameters
    ----------
    population : int64
    shuffled : bool       False: the order of the sample is not random
    scratch : int64[3 size + 2], or int64[population] where that is above 10,000, and size above population // 50
    out : int64[size], size <= population
    """
    size = out.shape[0]
    if _shuffles_all(population, size, shuffled):
        for i in range(population):
            scratch[i] = i
        _shuffle_end(rng, scratch, population - size if size < population else 1, population)
        for i in range(size):
            out[i] = scratch[population - size + i]
        return
    length = 1
    while length <= int64(1.2 * size):
        length *= 2
    mask = length - 1
    for i in range(length):
        scratch[i] = -1
    for i in range(size):
        j = population - size + i
        k = int64(below(rng, j))
        out[i] = k if _added(scratch, mask, k) else j
        if out[i] == j and k != j:
            _added(scratch, mask, j)
    if shuffled:
        _shuffle_end(rng, out, 1, size)


@kernel
def _added(table: Any, mask: Any, k: Any) -> Any:
    """Add a number to a set, which is a table of 2**m places; False where it is in it."""
    at = k & mask
    while table[at] != -1 and table[at] != k:
        at = (at + 1) & mask
    new = table[at] == -1
    table[at] = k
    return new


@kernel
def weighted_choice(rng: Any, p: Any, left: Any, seen: Any, out: Any) -> Any:
    """A sample of 0, 1, ..., n - 1 without replacement, with probabilities.

    In rounds: as many numbers as are wanted yet are drawn with the probabilities of those that are left, and what
    comes up again in a round is dropped.

    Parameters
    ----------
    p : float64[n], at least `size` of them positive
    left : float64[2, n]    scratch
    seen : int64[n]         scratch
    out : int64[size]
    """
    n, size = p.shape[0], out.shape[0]
    for i in range(n):
        left[0, i] = p[i]
        seen[i] = 0
    found, turn = 0, 0
    while found < size:
        turn += 1
        total = 0.0
        for i in range(n):
            total += left[0, i]
            left[1, i] = total
        for i in range(n):
            left[1, i] /= total
        last = found
        for _ in range(size - found):
            k = place(left[1], random(rng))
            if seen[k] != turn:
                seen[k] = turn
                out[found] = k
                found += 1
        for i in range(last, found):
            left[0, out[i]] = 0.0


@kernel
def cumulative(p: Any, out: Any) -> Any:
    """out[i] = (p[0] + ... + p[i]) / sum(p)"""
    total = 0.0
    for i in range(p.shape[0]):
        total += p[i]
        out[i] = total
    for i in range(p.shape[0]):
        out[i] /= total


@kernel
def place(edges: Any, u: Any) -> Any:
    """The number of edges that are at most u, of edges[:] in rising order."""
    low, high = 0, edges.shape[0]
    while low < high:
        middle = (low + high) >> 1
        if edges[middle] <= u:
            low = middle + 1
        else:
            high = middle
    return low
