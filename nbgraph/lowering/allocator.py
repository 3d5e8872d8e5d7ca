"""The C library's allocator, told to keep freed memory for the next call.

Arrays of a call are allocated and freed by every call. By default glibc gives what is larger than 128 kB back to the
system at once, and each call then pays for fresh pages: up to ten times its work. A process that has ever freed a large
array is spared that; here every one is.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache

from nbgraph.config import config

# From malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP_THRESHOLD = 32 * 2**20


def keep_freed_memory() -> bool:
    """Let this process keep `config.keep_bytes` of freed memory. True where the C library can be told."""
    return bool(config.keep_bytes) and _tell(config.keep_bytes)


@lru_cache(maxsize=1)
def _tell(kept: int) -> bool:
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False  # not glibc
    most = min(kept, 2**31 - 1)
    return bool(mallopt(_TRIM_THRESHOLD, most) and mallopt(_MMAP_THRESHOLD, min(most, _LARGEST_MMAP_THRESHOLD)))
