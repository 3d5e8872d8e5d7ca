"""Symbols: types of Python's and NumPy's, and what warns, by names that object code refers to.

Nothing here imports Numba. Whoever compiles or loads the code of an entry registers first.
"""

from __future__ import annotations

from functools import lru_cache

import llvmlite.binding as llvm
import numpy as np

from nbgraph.dispatch import warn

NDARRAY, FLOATS = "nbgraph_ndarray", ("nbgraph_float", "nbgraph_float64")
_TYPES: dict[str, type] = {NDARRAY: np.ndarray, FLOATS[0]: float, FLOATS[1]: np.float64}


@lru_cache(maxsize=1)
def register() -> None:
    """Make them known to llvmlite. Only the first call does anything."""
    for name, kind in _TYPES.items():
        llvm.add_symbol(name, id(kind))
    llvm.add_symbol(warn.SYMBOL, warn.address())
