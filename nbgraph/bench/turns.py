"""Several timings in one process, in turns, so that noise hits all alike.

    in_turns({"a": f, "b": g}, rounds=15, turn_s=0.02)  ->  {"a": 1.2, "b": 3.4}       microseconds, medians
"""

from __future__ import annotations

import statistics
import timeit
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

# Just below the largest size up to which glibc's malloc learns to keep memory (mallopt(3), M_MMAP_THRESHOLD).
LEARNED_BYTES = 31 << 20


def steady_memory() -> None:
    """Let the allocator keep memory that is freed, as that of a program does which has freed some large array.

    In a process that never has, glibc gives every array of more than some 100 kB back to the system, and pays a page
    fault for each 4 kB of the next: up to eight times the time of a call, by what else the process happened to do.
    """
    np.empty(LEARNED_BYTES, np.uint8)


def in_turns(calls: Mapping[str, Callable[[], Any]], rounds: int, turn_s: float) -> dict[str, float]:
    """Median microseconds of each call over so many rounds, in each of which it has about `turn_s` seconds."""
    numbers = {name: calls_of(call, turn_s) for name, call in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            times[name].append(timeit.timeit(call, number=numbers[name]) / numbers[name])
    return {name: 1e6 * statistics.median(found) for name, found in times.items()}


def calls_of(call: Callable[[], Any], turn_s: float) -> int:
    """How many calls take about `turn_s` seconds; the call is made at least twice."""
    call()
    number = 1
    for _ in range(3):
        seconds = max(timeit.timeit(call, number=number), 1e-7)
        if seconds > turn_s / 2:
            break
        number = max(1, int(number * min(turn_s / seconds, 1000)))
    return number
