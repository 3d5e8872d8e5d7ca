"""How kernels are compiled: the options of every @njit in nbgraph, in one place.

    @kernel
    def fused_0(x, out):
        apart()
        for i in range(x.shape[0]): ...

error_model="numpy": 1 / 0 is inf, and no branch in the loop looks for it. Kernels get no wrappers, which only Python
callers need and which cost a third of the compile time; `entry` is what Python calls, without the GIL.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from numba import njit, types
from numba.extending import lower_builtin, type_callable

from nbgraph.dispatch.linked import EntryCompiler, LinkedCompiler

_KERNEL: dict[str, Any] = {"error_model": "numpy", "no_cfunc_wrapper": True, "no_cpython_wrapper": True,
                           "pipeline_class": LinkedCompiler, "_nrt": False}
_ENTRY: dict[str, Any] = {"error_model": "numpy", "no_cfunc_wrapper": True, "nogil": True,
                          "pipeline_class": EntryCompiler}
kernel = njit(**_KERNEL)
entry = njit(**_ENTRY)


# How Numba names the data pointer of an array among the arguments of a function.
_DATA = re.compile(r"arg\.\w+\.4")


def apart() -> None:
    """Keep the kernel that says so a function of its own, whose arrays share no memory with one that it writes.

    LLVM does not copy it to where it is called, and does not ask at each call whether arrays overlap: one loop, not a
    vectorised one and a scalar one, and the same bits whatever the addresses are.
    """


@type_callable(apart)
def _type_apart(context: Any) -> Callable[..., Any]:
    return lambda: types.none


@lower_builtin(apart)
def _lower_apart(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    builder.function.attributes.add("noinline")
    align_stack(builder.function)
    for argument in builder.function.args:
        if _DATA.fullmatch(argument.name):
            argument.add_attribute("noalias")
    return context.get_dummy_value()


def align_stack(function: Any) -> None:
    """Let a function that is being compiled keep vectors at multiples of their size.

    Where there are more values than registers, some wait on the stack: Numba's functions take it as they find it, and
    a vector that lies across two lines of the cache costs twice. LLVM's attribute; it may be asked for again.
    """
    set.add(function.attributes, '"stackrealign"')  # llvmlite does not know it
