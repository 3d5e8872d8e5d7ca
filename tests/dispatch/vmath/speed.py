"""Time of every function on 100,000 numbers, against NumPy, and against the C library in a loop of Numba.

    python -m tests.dispatch.vmath.speed [name ...]

Interleaved, medians of nine; ratios in one run count, not nanoseconds. The last column is what a call of the function
adds to the time to compile a loop.
"""

from __future__ import annotations

import math
import operator
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numba import njit

from nbgraph.dispatch import vmath
from tests.dispatch.vmath.loops import compiled

COUNT = 100_000
LIBM = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh",
        "arctanh": "atanh", "gammaln": "lgamma", "arctan2": "atan2", "power": "pow"}
SHORT = {"arcsin": (-1, 1), "arccos": (-1, 1), "arctanh": (-1, 1), "arccosh": (1, 50), "log": (0, 50), "log2": (0, 50),
         "log10": (0, 50), "log1p": (0, 50), "gammaln": (0, 50), "digamma": (0, 50), "log1mexp": (-30, 0),
         "arctan": (-5, 5), "arcsinh": (-5, 5), "erf": (-6, 6), "erfc": (-6, 20), "erfcx": (-20, 50), "erfinv": (-1, 1)}
PAIRS = {"power": ((0.01, 30), (-10, 10)), "arctan2": ((-5, 5), (-5, 5)), "logaddexp": ((-30, 30), (-30, 30))}


def medians(calls: list[Callable[[], Any]]) -> list[float]:
    """Nanoseconds for each number."""
    times: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    for _ in range(9):
        for call, found in zip(calls, times, strict=True):
            start = time.perf_counter()
            for _ in range(5):
                call()
            found.append((time.perf_counter() - start) / 5 / COUNT * 1e9)
    return [statistics.median(found) for found in times]


def libm(name: str) -> Any:
    """Numba's function of the C library, or None."""
    function = getattr(math, LIBM.get(name, name), None)
    if function is None:
        return None
    return njit(error_model="numpy")((lambda x, y: function(x, y)) if name in PAIRS else lambda x: function(x))


def compile_ms(function: Any, dtype: str, arity: int = 1) -> float:
    """Milliseconds to compile a loop, the least of three."""
    found = []
    for _ in range(3):
        start = time.perf_counter()
        compiled(function, dtype, arity)
        found.append(time.perf_counter() - start)
    return min(found) * 1e3


def main() -> None:
    """Print a line for each function and each width."""
    names = sys.argv[1:] or vmath.__all__
    print(f"{'function':10} {'dtype':8} {'ns':>6} {'/ numpy':>8} {'libm /':>8} {'compile ms':>11}")
    for name in names:
        for dtype in ("float64", "float32"):
            rng, ranges = np.random.default_rng(0), PAIRS.get(name, (SHORT.get(name, (-30, 30)),))
            x, n = [rng.uniform(*ends, COUNT).astype(dtype) for ends in ranges], len(ranges)
            out, loop = np.empty_like(x[0]), compiled(getattr(vmath, name), dtype, n)
            numpy, scalar = getattr(np, name, None), libm(name)
            calls = [partial(loop, *x, out)]
            if numpy is not None:
                calls.append(partial(numpy, *x, out=out))
            if scalar is not None:
                calls.append(partial(compiled(scalar, dtype, n), *x, out))
            ours, *others = medians(calls)
            against_numpy = f"{ours / others[0]:8.2f}" if numpy is not None else " " * 8
            against_libm = f"{others[-1] / ours:8.1f}" if scalar is not None else " " * 8
            cost = compile_ms(getattr(vmath, name), dtype, n) - compile_ms((abs, operator.add)[n - 1], dtype, n)
            print(f"{name:10} {dtype:8} {ours:6.2f} {against_numpy} {against_libm} {cost:11.0f}", flush=True)


if __name__ == "__main__":
    main()
