"""MRG31k3p: two recurrences modulo primes, many streams of it side by side.

    x[n] = (2**22 x[n-2] + (2**7 + 1) x[n-3]) mod M1
    y[n] = (2**15 y[n-1] + (2**15 + 1) y[n-3]) mod M2
    z[n] = (x[n] - y[n]) mod M1, from 1 on; the number is z / (M1 + 1)

A state is int64[6]: x[n], x[n-1], x[n-2], y[n], y[n-1], y[n-2]. Its period is nearly 2**185. The generator is that of
L'Ecuyer and Touzin, "Fast Combined Multiple Recursive Generators with Multipliers of the Form a = ±2^q ± 2^r",
Proceedings of the 2000 Winter Simulation Conference.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

M1, M2 = 2**31 - 1, 2**31 - 21069
FIRST = ((0, 2**22, 2**7 + 1), (1, 0, 0), (0, 1, 0))
SECOND = ((2**15, 0, 2**15 + 1), (1, 0, 0), (0, 1, 0))
# Streams of one variable are 2**72 steps apart, those of two variables 2**134.
STREAM, VARIABLE = 72, 134

Matrix = tuple[tuple[int, ...], ...]


def checked_seed(seed: Any) -> np.ndarray:
    """A state: `seed` six times, or six integers.

    Raises
    ------
    ValueError   out of range: 0 < seed < M2; of six, three in 0 … M1 - 1 and three in 0 … M2 - 1, neither all 0
    """
    state = np.asarray(seed)
    if state.ndim == 0 and state.dtype.kind in "iu" and 0 < int(state) < M2:
        return np.full(6, int(state), np.int64)
    if state.shape == (6,) and state.dtype.kind in "iu":
        x, y = state[:3].astype(object), state[3:].astype(object)
        if all(0 <= n < M1 for n in x) and all(0 <= n < M2 for n in y) and any(x) and any(y):
            return state.astype(np.int64)
    raise ValueError(f"a seed is an integer from 1 to {M2 - 1}, or six: three below {M1}, three below {M2}, "
                     f"neither three all 0; got {seed!r}")


@lru_cache(maxsize=256)
def power(matrix: Matrix, doublings: int, modulus: int) -> Matrix:
    """matrix ** (2 ** doublings) modulo a prime."""
    found = matrix
    for _ in range(doublings):
        found = tuple(tuple(sum(row[k] * found[k][j] for k in range(3)) % modulus for j in range(3)) for row in found)
    return found


def jumped(states: np.ndarray, doublings: int) -> np.ndarray:
    """States (along the last axis) 2 ** doublings steps later."""
    found = np.empty_like(states)
    for at, matrix, modulus in ((0, FIRST, M1), (3, SECOND, M2)):
        rows = power(matrix, doublings, modulus)
        for i, row in enumerate(rows):
            # Each product is less than 2**62.
            found[..., at + i] = sum(row[k] * states[..., at + k] % modulus for k in range(3)) % modulus
    return found


def substreams(state: np.ndarray, count: int) -> np.ndarray:
    """`count` states, each 2**72 steps after the one before it: int64[count, 6]."""
    found, k = state.reshape(1, 6), 0
    while len(found) < count:
        found = np.concatenate([found, jumped(found, STREAM + k)])
        k += 1
    return found[:count]


def stepped(states: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """(the states after so many steps, z at each step: int64[steps, streams])."""
    x, xx, xxx, y, yy, yyy = np.ascontiguousarray(states.T)
    drawn = np.empty((steps, len(states)), np.int64)
    for k in range(steps):
        x, xx, xxx = (FIRST[0][1] * xx + FIRST[0][2] * xxx) % M1, x, xx
        y, yy, yyy = (SECOND[0][0] * y + SECOND[0][2] * yyy) % M2, y, yy
        drawn[k] = np.where(x <= y, x - y + M1, x - y)
    return np.stack([x, xx, xxx, y, yy, yyy], axis=1), drawn


def as_uniform(z: np.ndarray, dtype: str) -> np.ndarray:
    """z / (M1 + 1), from 2**-31 to 1 - 2**-31; of what rounds to 1 in float32, the number before 1."""
    numbers = (z * (1.0 / (M1 + 1))).astype(dtype)
    return np.minimum(numbers, np.nextafter(np.ones(1, dtype), np.zeros(1, dtype)))
