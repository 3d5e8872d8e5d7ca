"""How kernels are compiled: the options of every @njit in nbgraph, in one place.

    @kernel
    def fused_0(x, out): ...

error_model="numpy": 1 / 0 is inf, and no branch in the loop looks for it. Kernels get no wrappers, which only Python
callers need and which cost a third of the compile time; `entry` is what Python calls, without the GIL.
"""

from __future__ import annotations

from numba import njit

kernel = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
entry = njit(error_model="numpy", no_cfunc_wrapper=True, nogil=True)
