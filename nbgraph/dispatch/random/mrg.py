"""MRG31k3p: L'Ecuyer & Touzin, Fast combined multiple recursive generators with multipliers of the form a = 2^q ± 2^r,
Winter Simulation Conference 2000.

    x[n] = (2**22 x[n-2] + (2**7 + 1) x[n-3]) mod m1        m1 = 2**31 - 1
    y[n] = (2**15 y[n-1] + (2**15 + 1) y[n-3]) mod m2       m2 = 2**31 - 21069
    u[n] = z / 2**31,   z = (x[n] - y[n]) mod m1, or m1 where that is 0

A state is int32[6]: x[n], x[n-1], x[n-2], y[n], y[n-1], y[n-2]. Streams are 2**72 steps apart, and what is split from a
stream of streams 2**134: `ahead` jumps there. Compiled code draws from int32[s, 6], s streams side by side: number i
comes from stream i % s.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import float32, int32, int64

from nbgraph.dispatch import vmath
from nbgraph.dispatch.jit import kernel
from nbgraph.dispatch.random.libm import sqrt

M1, M2 = 2**31 - 1, 2**31 - 21069
STREAM, SPLIT = 72, 134
# One step of (x[n], x[n-1], x[n-2]), and of y.
STEP_1 = ((0, 2**22, 2**7 + 1), (1, 0, 0), (0, 1, 0))
STEP_2 = ((2**15, 0, 2**15 + 1), (1, 0, 0), (0, 1, 0))
_UNIT = 2.0**-31
# In float32, numbers next to 1 would be 1.
_UNIT_32 = np.float32(1 / (2**31 + 65))

Matrix = tuple[tuple[int, ...], ...]


def jump(step: Matrix, modulus: int, exponent: int) -> Matrix:
    """The matrix of 2**exponent steps."""
    for _ in range(exponent):
        step = tuple(tuple(sum(a * b for a, b in zip(row, column)) % modulus for column in zip(*step))
                     for row in step)
    return step


def ahead(state: np.ndarray, exponent: int) -> np.ndarray:
    """int32[6]: the state after 2**exponent steps."""
    words = state.tolist()
    halves = ((jump(STEP_1, M1, exponent), M1, words[:3]), (jump(STEP_2, M2, exponent), M2, words[3:]))
    return np.array([sum(a * x for a, x in zip(row, half)) % modulus
                     for matrix, modulus, half in halves for row in matrix], dtype=np.int32)


def streams(state: np.ndarray, count: int) -> np.ndarray:
    """int32[count, 6]: the stream at this state, and those after it, each 2**72 steps after the one before."""
    rows = [state]
    for _ in range(count - 1):
        rows.append(ahead(rows[-1], STREAM))
    return np.array(rows, dtype=np.int32).reshape(count, 6)


@kernel
def mrg_uniform(states: Any, out: Any) -> Any:
    """Fill out[:] with numbers in (0, 1).

    Parameters
    ----------
    states : int32[s, 6], moved
    out : float64[n] or float32[n]
    """
    n, s = out.shape[0], states.shape[0]
    for row in range(s):
        x0, x1, x2 = int64(states[row, 0]), int64(states[row, 1]), int64(states[row, 2])
        y0, y1, y2 = int64(states[row, 3]), int64(states[row, 4]), int64(states[row, 5])
        for turn in range((n - row + s - 1) // s):
            x = ((x1 << 22) + 129 * x2) % M1
            y = ((y0 << 15) + 32769 * y2) % M2
            x0, x1, x2 = x, x0, x1
            y0, y1, y2 = y, y0, y1
            z = x - y
            out[row + turn * s] = _scaled(z + M1 if z <= 0 else z, out)
        states[row, 0], states[row, 1], states[row, 2] = int32(x0), int32(x1), int32(x2)
        states[row, 3], states[row, 4], states[row, 5] = int32(y0), int32(y1), int32(y2)


@kernel
def _scaled(z: Any, out: Any) -> Any:
    return float32(z) * _UNIT_32 if out.itemsize == 4 else z * _UNIT


@kernel
def mrg_normal(states: Any, out: Any) -> Any:
    """Fill out[:] with standard normal numbers: Box & Muller, Ann. Math. Stat. 29 (1958).

    The first half are r cos(t), the second r sin(t), of r = sqrt(-2 log(u)) and t = 2 pi v, where u is the first half
    of the uniform numbers and v the second.

    Parameters
    ----------
    states : int32[s, 6], moved
    out : float64[n] or float32[n], n even
    """
    mrg_uniform(states, out)
    half = out.shape[0] // 2
    for i in range(half):
        r = sqrt(-2.0 * vmath.log(out[i]))
        t = 2.0 * np.pi * out[half + i]
        out[i] = r * vmath.cos(t)
        out[half + i] = r * vmath.sin(t)
