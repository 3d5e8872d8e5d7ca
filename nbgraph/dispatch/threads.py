"""Threads: how loops are cut for them, and where object code reads how many a call may use.

That is `config.threads`, by a name that llvmlite knows. Whoever compiles or loads code that reads it registers first.
Nothing here imports Numba.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache

import llvmlite.binding as llvm

from nbgraph.config import threads_cell

SYMBOL = "nbgraph_threads"
MOST = 64           # pieces of a loop
GRAIN = 5_000_000   # what a piece costs at least, in hundredths of a nanosecond: twice what starting a thread does
FOR_TWO = 4         # pieces for each thread, at least: what a loop costs is estimated on the high side


@lru_cache(maxsize=1)
def register() -> None:
    """Make the place known to llvmlite. Only the first call does anything."""
    llvm.add_symbol(SYMBOL, ctypes.addressof(threads_cell))
