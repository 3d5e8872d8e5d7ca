"""Warnings of compiled code: a Python function behind a name that object code refers to. Nothing here imports Numba.

`symbols` registers it with all the others.
"""

from __future__ import annotations

import ctypes
import warnings

from nbgraph.graph.source import user_line

SYMBOL = "nbgraph_warn"
INDEFINITE = "covariance is not symmetric positive-semidefinite."
MESSAGES = (INDEFINITE,)
# For each file what `warnings` knows of lines that have warned: by default a line warns once.
_WARNED: dict[str, dict[str | tuple[str, type[Warning], int], int]] = {}


def warned(number: int) -> bool:
    """Warn with message `number` at the user's line, that of the call; True where warnings are errors."""
    line = user_line()
    try:
        if line is None:
            warnings.warn(MESSAGES[number], RuntimeWarning, stacklevel=1)
        else:
            registry = _WARNED.setdefault(line.file, {})
            warnings.warn_explicit(MESSAGES[number], RuntimeWarning, line.file, line.number, registry=registry)
    except RuntimeWarning:  # the caller raises it again: no exception crosses native code
        return True
    return False


_callable = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(warned)


def address() -> int:
    """Where the C function is."""
    found = ctypes.cast(_callable, ctypes.c_void_p).value
    assert found is not None, "a C function is somewhere"
    return found
