"""The C library's allocator, told to keep freed memory for the next call.

Arrays of a call are allocated and freed by every call. By default glibc gives what is larger than 128 kB back to the
system at once, and each call then pays for fresh pages: up to ten times its work. A process that has ever freed a large
array is spared that; here every one is.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from nbgraph.config import config

# From malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _PERTURB = -1, -3, -6
_LARGEST_MMAP_THRESHOLD = 32 * 2**20
# What fresh memory holds inside `patterned_memory`.
PATTERN = 0xA5


def keep_freed_memory() -> bool:
    """Let this process keep `config.keep_bytes` of freed memory. True where the C library can be told."""
    return bool(config.keep_bytes) and _tell(config.keep_bytes)


@contextmanager
def patterned_memory() -> Iterator[bool]:
    """Inside the block, memory that is allocated holds bytes PATTERN. True where the C library can be told."""
    mallopt = _mallopt()
    if mallopt is None:
        yield False
        return
    mallopt(_PERTURB, PATTERN ^ 0xFF)
    try:
        yield True
    finally:
        mallopt(_PERTURB, 0)


def _mallopt() -> Any:
    try:
        return ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return None  # not glibc


@lru_cache(maxsize=1)
def _tell(kept: int) -> bool:
    mallopt = _mallopt()
    if mallopt is None:
        return False
    most = min(kept, 2**31 - 1)
    return bool(mallopt(_TRIM_THRESHOLD, most) and mallopt(_MMAP_THRESHOLD, min(most, _LARGEST_MMAP_THRESHOLD)))
