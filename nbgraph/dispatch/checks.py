"""What a generated function calls to find out that its arrays hold what they must not, and how it says so.

    at = first_outside(reshape(idx, (n,)), m)
    if at >= 0:
        raise CheckFailed(3, idx_flat[at], m)

The number of the check, and the values it is about, are all that native code knows; the executor makes the error that
names operands and lines.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin, type_callable

from nbgraph.dispatch import warn
from nbgraph.dispatch.jit import kernel

# The number of a CheckFailed that stands for an exception of Python code.
PYTHON_FAILED = -1


class CheckFailed(Exception):
    """Check `args[0]` does not hold, for the values `args[1:]`."""


def differ(length: int, *others: int) -> bool:
    """True unless all of `others` are equal to `length`."""
    return any(other != length for other in others)


@infer_global(differ)
class _DifferTemplate(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        return signature(types.boolean, *(types.int64 for _ in args))


@lower_builtin(differ, types.VarArg(types.Any))
def _lower_differ(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
    return builder.call(_differing(builder.module, len(arguments)), arguments)


def _differing(module: Any, count: int) -> Any:
    """A function of a module for so many lengths: where it stood, LLVM would ask what each says of all others."""
    name = f"nbgraph_differ_{count}"
    if name in module.globals:
        return module.globals[name]
    function = ir.Function(module, ir.FunctionType(ir.IntType(1), [ir.IntType(64)] * count), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    length, *others = function.args
    found = ir.Constant(ir.IntType(1), 0)
    for other in others:
        found = builder.or_(found, builder.icmp_signed("!=", length, other))
    builder.ret(found)
    return function


BLOCK = 1024      # a loop that may be left early is not vectorised, so one that goes to the end of a block looks first


@kernel
def first_outside(index: Any, length: int) -> int:
    """The place of the first element that is no index of an axis of `length`; -1 where all are."""
    for first in range(0, index.shape[0], BLOCK):
        last = min(first + BLOCK, index.shape[0])
        found = False
        for k in range(first, last):
            found |= (index[k] < -length) | (index[k] >= length)
        if found:
            for k in range(first, last):
                if index[k] < -length or index[k] >= length:
                    return k
    return -1


@kernel
def first_negative(values: Any) -> int:
    """The place of the first element below 0; -1 where there is none."""
    for first in range(0, values.shape[0], BLOCK):
        last = min(first + BLOCK, values.shape[0])
        found = False
        for k in range(first, last):
            found |= values[k] < 0
        if found:
            for k in range(first, last):
                if values[k] < 0:
                    return k
    return -1


def warned(number: int) -> bool:
    """Warn with a message of `dispatch.warn`; True where warnings are errors."""
    return warn.warned(number)


@type_callable(warned)
def _type_warned(context: Any) -> Any:
    return lambda number: types.boolean


@lower_builtin(warned, types.Integer)
def _lower_warned(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kind = ir.IntType(64)
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind]), warn.SYMBOL)
    number = context.cast(builder, arguments[0], signature.args[0], types.int64)
    return cgutils.is_not_null(builder, builder.call(function, [number]))
