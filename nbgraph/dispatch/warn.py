"""Warnings of compiled code: a Python function behind a name that object code refers to. Nothing here imports Numba.

Whoever compiles or loads code that warns registers first.
"""

from __future__ import annotations

import ctypes
import warnings
from functools import lru_cache

import llvmlite.binding as llvm

from nbgraph.graph.source import user_line

SYMBOL = "nbgraph_warn"
INDEFINITE = "covariance is not symmetric positive-semidefinite."
MESSAGES = (INDEFINITE,)
# For each file what `warnings` knows of lines that have warned: by default a line warns once.
_WARNED: dict[str, dict[str | tuple[str, type[Warning], int], int]] = {}


def _warn(number: int) -> int:
    """Warn with message `number` at the user's line, that of the call; 1 where warnings are errors."""
    line = user_line()
    try:
        if line is None:
            warnings.warn(MESSAGES[number], RuntimeWarning, stacklevel=1)
        else:
            registry = _WARNED.setdefault(line.file, {})
            warnings.warn_explicit(MESSAGES[number], RuntimeWarning, line.file, line.number, registry=registry)
    except RuntimeWarning:  # the caller raises it again: no exception crosses native code
        return 1
    return 0


_callable = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(_warn)


@lru_cache(maxsize=1)
def register() -> None:
    """Make the function known to llvmlite. Only the first call does anything."""
    address = ctypes.cast(_callable, ctypes.c_void_p).value
    assert address is not None, "a C function is somewhere"
    llvm.add_symbol(SYMBOL, address)
