"""nanoseconds(): the clock, read inside a generated function.

    record[0] = nanoseconds()
    gemv(1.0, x, False, w, 0.0, z)
    record[1] = nanoseconds()           record[1] - record[0]: what the product took

It is the clock by which `crew` waits, and Python's `time.monotonic_ns`. Reading it takes some 25 nanoseconds, and LLVM
moves no call of a kernel past it, since it can't see what a call of the C library does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from numba import types
from numba.extending import lower_builtin, type_callable

from nbgraph.dispatch import crew


def nanoseconds() -> int:
    """int64: nanoseconds since some time or other, never less than before."""
    return time.monotonic_ns()


@type_callable(nanoseconds)
def _type_nanoseconds(context: Any) -> Callable[..., Any]:
    return lambda: types.int64


@lower_builtin(nanoseconds)
def _lower_nanoseconds(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return builder.call(crew.clock(builder.module), [])
