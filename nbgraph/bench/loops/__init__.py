"""The best loop that a person would write with Numba, for many of the cases: one core, the mathematics of vmath.

A file has the name of the file of cases, and a function that of its case; it takes the inputs and gives what the NumPy
version gives. Sums of floats may be reordered where they are added up with `add`: only so does LLVM vectorise them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

loop: Callable[..., Any] = njit(error_model="numpy")


@njit(fastmath={"reassoc", "nsz"})
def add(a, b):
    """a + b, in any order."""
    return a + b
