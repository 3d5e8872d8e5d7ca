"""Loops on several cores: a kernel called for pieces of its outer loop, by as many threads as `config.threads` says.

    pieces = pieces_of(n, 40)                      1 where one core is quicker
    spread(fused_0, pieces, n, x, y, parts)        fused_0(piece, first, count, x, y, parts) for each piece

How a loop is cut follows from its lengths alone, so results do not depend on the number of threads. Who does the
pieces is the business of `crew`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_untracked
from numba.core.typing import signature
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.extending import lower_builtin, type_callable
from numba.np import arrayobj

from nbgraph.dispatch import crew, threads
from nbgraph.dispatch.scalar_combine import larger, rounding, settled, smaller
from nbgraph.dispatch.scalar_value import Value, as_type, native, packed, unpacked
from nbgraph.dispatch.threads import GRAIN, MOST

_LINE = 64  # bytes: a vector that lies across two lines of the cache takes twice the time
_LENGTH, _BYTE = ir.IntType(64), ir.IntType(8)
_POINTER = _BYTE.as_pointer()


def _pieces_of(turns: int, cost: int) -> int:
    return max(1, min(turns, turns * cost // GRAIN, MOST))


@native(_pieces_of, as_type(types.int64))
def pieces_of(turns: Value, cost: Value) -> Value:
    """into how many pieces a loop is cut, for the cost of a turn in hundredths of a nanosecond"""
    wanted = (turns * cost).quotient(GRAIN).intrinsic("smin", turns)
    return wanted.intrinsic("smin", MOST).intrinsic("smax", 1)


def on_stack(rows: int, dtype: Any) -> np.ndarray:
    """[rows, MOST], not filled, for as many partial results; it lives until the function returns.

    rows : int    a literal
    """
    return np.empty((rows, MOST), dtype)


@infer_global(on_stack)
class _OnStackTemplate(AbstractTemplate):
    prefer_literal = True

    def generic(self, args: Any, kws: Any) -> Any:
        rows, dtype = args
        if not isinstance(rows, types.IntegerLiteral):
            return None
        return signature(types.Array(dtype.dtype, 2, "C"), rows, dtype)


@lower_builtin(on_stack, types.IntegerLiteral, types.Any)
def _lower_on_stack(context: Any, builder: ir.IRBuilder, sig: Any, arguments: Any) -> Any:
    kind, rows = sig.return_type, sig.args[0].literal_value
    element = context.get_data_type(kind.dtype)
    data = cgutils.alloca_once(builder, element, size=ir.Constant(_LENGTH, rows * MOST))
    data.align = _LINE
    size = context.get_abi_sizeof(element)
    array = arrayobj.make_array(kind)(context, builder)
    shape, strides = (cgutils.pack_array(builder, [ir.Constant(_LENGTH, n) for n in numbers])
                      for numbers in ((rows, MOST), (size * MOST, size)))
    arrayobj.populate_array(array, data=data, shape=shape, strides=strides, itemsize=ir.Constant(_LENGTH, size),
                            meminfo=None)
    return impl_ret_untracked(context, builder, kind, array._getvalue())


def spread(kernel: Any, pieces: int, turns: int, *arguments: Any) -> None:
    """kernel(piece, first, count, *arguments) for all pieces of `turns` turns, in any order, at the same time."""
    for piece in range(pieces):
        first, end = piece * turns // pieces, (piece + 1) * turns // pieces
        kernel(piece, first, end - first, *arguments)


def _formula(kernel: Any) -> Callable[..., Any]:
    return kernel.formula  # what `native` has made it of


def _combine(kind: str, x: Any, y: Any) -> Any:
    """What a reduction makes of two of its results."""
    if x.kind == "b":
        return x | y if kind in ("sum", "max", "any") else x & y
    if kind in ("sum", "prod"):
        return x + y if kind == "sum" else x * y
    return _formula(larger if kind == "max" else smaller)(x, y)


def _combining(context: Any, module: ir.Module, name: str, kind: str, dtype: Any) -> Any:
    """dtype name(dtype *parts, pieces): one function of a module for all reductions of a kind."""
    element = context.get_data_type(dtype).as_pointer()
    function, builder = crew.function_of(module, name, context.get_value_type(dtype), [element, _LENGTH])
    parts, pieces = function.args

    def load(place: Any) -> Any:
        value = context.unpack_value(builder, dtype, builder.gep(parts, [place], inbounds=True))
        return unpacked(context, builder, dtype, value)

    def held() -> list[Any]:
        return [unpacked(context, builder, dtype, builder.load(place)) for place in places]

    first = load(ir.Constant(_LENGTH, 0))
    started = [first, first.constant(0.0)] if kind == "sum" and first.kind == "f" else [first]
    places = [cgutils.alloca_once_value(builder, packed(context, builder, dtype, value)) for value in started]
    with cgutils.for_range(builder, pieces, ir.Constant(_LENGTH, 1)) as loop:
        total, *lost = held()
        part = load(loop.index)
        following = [_combine(kind, total, part), *(e + _formula(rounding)(total, part) for e in lost)]
        for value, place in zip(following, places, strict=True):
            builder.store(packed(context, builder, dtype, value), place)
    total, *lost = held()
    builder.ret(packed(context, builder, dtype, _formula(settled)(total, lost[0]) if lost else total))
    return function


def _of_parts(kind: str, reference: Callable[..., Any]) -> Callable[..., Any]:
    """A function of (parts, row, pieces): what a reduction gives, from what it gave for each piece."""
    def combined(parts: np.ndarray, row: int, pieces: int) -> Any:
        return reference(parts[row, :pieces])

    def lower(context: Any, builder: ir.IRBuilder, sig: Any, arguments: Any) -> Any:
        parts = arrayobj.make_array(sig.args[0])(context, builder, arguments[0])
        name = f"nbgraph_{kind}_of_{sig.return_type}"
        function = builder.module.globals.get(name) or _combining(context, builder.module, name, kind, sig.return_type)
        first = builder.gep(parts.data, [builder.mul(arguments[1], ir.Constant(_LENGTH, MOST))], inbounds=True)
        return builder.call(function, [first, arguments[2]])

    combined.__name__ = combined.__qualname__ = f"{kind}_of"
    combined.__doc__ = f"The {kind} of the first `pieces` in a row of `parts`."
    type_callable(combined)(lambda context: lambda parts, row, pieces: parts.dtype)
    lower_builtin(combined, types.Array, types.Integer, types.Integer)(lower)
    return combined


sum_of = _of_parts("sum", lambda parts: np.sum(parts, dtype=parts.dtype))
prod_of = _of_parts("prod", lambda parts: np.prod(parts, dtype=parts.dtype))
max_of = _of_parts("max", np.max)
min_of = _of_parts("min", np.min)
any_of = _of_parts("any", np.any)
all_of = _of_parts("all", np.all)

_OWN = (types.int64, types.int64, types.int64)  # piece, first, count


@infer_global(spread)
class _SpreadTemplate(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        kernel, _, _, *rest = args
        called = kernel.get_call_type(self.context, (*_OWN, *rest), {})
        return signature(types.none, kernel, types.int64, types.int64, *called.args[3:])


@lower_builtin(spread, types.VarArg(types.Any))
def _lower_spread(context: Any, builder: ir.IRBuilder, sig: Any, arguments: Any) -> Any:
    threads.register()
    kernel, (pieces, turns), rest = sig.args[0], arguments[1:3], arguments[3:]
    call = _Call(context, kernel.dispatcher.overloads[(*_OWN, *sig.args[3:])])
    zero = ir.Constant(_LENGTH, 0)
    with builder.if_else(builder.icmp_signed("==", pieces, ir.Constant(_LENGTH, 1)), likely=True) as (one, several):
        with one:
            call.make(builder, [zero, zero, turns, *rest])
        with several:
            _share(context, builder, call, [pieces, turns, *rest])
    return context.get_dummy_value()


class _Call:
    """Calls of one compiled kernel."""

    def __init__(self, context: Any, compiled: Any) -> None:
        self.context, self.compiled = context, compiled
        context.active_code_library.add_linking_library(compiled.library)

    def make(self, builder: ir.IRBuilder, values: list[Any]) -> None:
        """The call. Kernels do not fail."""
        function = self.context.declare_function(builder.module, self.compiled.fndesc)
        kinds = self.compiled.signature
        self.context.call_conv.call_function(builder, function, kinds.return_type, kinds.args, values)


def _share(context: Any, builder: ir.IRBuilder, call: _Call, values: list[Any]) -> None:
    """Threads that take the next piece until there is none; this one does so, too."""
    content = ir.LiteralStructType([*crew.HEAD, *(v.type for v in values)])
    shared = cgutils.alloca_once(builder, content)
    worker = builder.bitcast(_worker(builder.module, content, call), _POINTER)
    zero = ir.Constant(_LENGTH, 0)
    for k, value in enumerate([worker, zero, zero, zero, *values]):
        builder.store(value, cgutils.gep_inbounds(builder, shared, 0, k))
    size = ir.Constant(_LENGTH, context.get_abi_sizeof(content))
    builder.call(crew.share(builder.module), [builder.bitcast(shared, _POINTER), values[0], size])


def _worker(module: ir.Module, content: ir.Type, call: _Call) -> Any:
    """void worker(shared): the pieces of a kernel that no other thread has taken; one for all calls of it."""
    name = f"worker.{call.compiled.fndesc.llvm_func_name}"
    if name in module.globals:
        return module.globals[name]
    function, builder = crew.function_of(module, name, ir.VoidType(), [_POINTER])
    shared = builder.bitcast(function.args[0], content.as_pointer())
    places = [cgutils.gep_inbounds(builder, shared, 0, k) for k in range(len(content.elements))]
    pieces, turns, *rest = map(builder.load, places[len(crew.HEAD):])
    take, work, end = (function.append_basic_block(name) for name in ("take", "work", "end"))
    builder.branch(take)
    builder.position_at_end(take)
    one = ir.Constant(_LENGTH, 1)
    piece = builder.atomic_rmw("add", places[crew.NEXT], one, "monotonic")
    builder.cbranch(builder.icmp_signed("<", piece, pieces), work, end)
    builder.position_at_end(work)
    first = builder.sdiv(builder.mul(piece, turns), pieces)
    last = builder.sdiv(builder.mul(builder.add(piece, one), turns), pieces)
    call.make(builder, [piece, first, builder.sub(last, first), *rest])
    builder.atomic_rmw("add", places[crew.DONE], one, "release")
    builder.branch(take)
    builder.position_at_end(end)
    builder.ret_void()
    return function
