"""Functions of the C library, called as NumPy's distributions call them: to the last bit.

`vmath` is faster and as exact, but rounds some results the other way, and a draw that is compared with one of them
may then be another draw. LLVM must not know the calls either: it would make x*x of pow(x, 2).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from nbgraph.dispatch.scalar_value import Value, native, same


def _call(name: str, *operands: Value) -> Value:
    x = operands[0]
    kind = ir.FunctionType(x.ir.type, [x.ir.type] * len(operands))
    function = cgutils.insert_pure_function(x.builder.module, kind, name + ("f" if x.bits == 32 else ""))
    call = x.builder.call(function, [operand.ir for operand in operands])
    set.add(call.attributes, "nobuiltin")  # llvmlite does not know it
    return x.like(call)


def _unary(name: str, reference: Callable[..., Any]) -> Callable[..., Any]:
    def function(x: Value) -> Value:
        return _call(name, x)

    function.__name__, function.__doc__ = name, f"{name}(x) of the C library"
    return native(reference, same)(function)


exp = _unary("exp", np.exp)
expm1 = _unary("expm1", np.expm1)
log = _unary("log", np.log)
log1p = _unary("log1p", np.log1p)
cos = _unary("cos", np.cos)
acos = _unary("acos", np.arccos)


@native(np.power, same)
def power(x: Value, y: Value) -> Value:
    """x**y of the C library"""
    return _call("pow", x, y)


@native(np.sqrt, same)
def sqrt(x: Value) -> Value:
    """the square root, which is exact"""
    return x.intrinsic("sqrt")


@native(np.floor, same)
def floor(x: Value) -> Value:
    """the largest integer that is not larger, as a float"""
    return x.intrinsic("floor")


@native(np.ceil, same)
def ceil(x: Value) -> Value:
    """the smallest integer that is not smaller, as a float"""
    return x.intrinsic("ceil")


@native(math.fmod, same)
def fmod(x: Value, y: Value) -> Value:
    """x - y * trunc(x / y), exact"""
    return x.remainder(y)


__all__ = ["acos", "ceil", "cos", "exp", "expm1", "floor", "fmod", "log", "log1p", "power", "sqrt"]
