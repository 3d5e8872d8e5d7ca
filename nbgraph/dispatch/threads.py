"""Threads: how loops are cut for them, and where object code reads how many a call may use, and finds those that wait.

The first is `config.threads`. Both have names that llvmlite knows. Whoever compiles or loads code that reads them
registers first. Nothing here imports Numba.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache

import llvmlite.binding as llvm

from nbgraph.config import threads_cell

SYMBOL, PLACES = "nbgraph_threads", "nbgraph_helpers"
MOST = 64           # pieces of a loop; helpers that wait
PATIENCE = 2_000_000  # nanoseconds that a helper looks out for more work
LONG = 32           # pieces of a loop for which a thread is started in any case
IN_A_ROW = 2_000_000  # nanoseconds between two shorter ones for which it is
GRAIN = 1_000_000   # what a piece costs at least, in hundredths of a nanosecond
FOR_TWO = 4         # pieces for each thread, at least: what a loop costs is estimated on the high side


@lru_cache(maxsize=1)
def register() -> None:
    """Make the places known to llvmlite. Only the first call does anything."""
    llvm.add_symbol(SYMBOL, ctypes.addressof(threads_cell))
    # Never freed: a helper may look there while the interpreter ends.
    reserve = ctypes.pythonapi.PyMem_RawCalloc
    reserve.restype, reserve.argtypes = ctypes.c_void_p, [ctypes.c_size_t, ctypes.c_size_t]
    llvm.add_symbol(PLACES, reserve(MOST + 1, 8))  # the last one: when a loop was shared, in nanoseconds
