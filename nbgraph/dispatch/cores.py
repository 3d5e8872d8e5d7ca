"""Loops on several cores: a kernel called for pieces of its outer loop, by as many threads as `config.threads` says.

    pieces = pieces_of(n, 40)                      1 where one core is quicker
    spread(fused_0, pieces, n, x, y, parts)        fused_0(piece, first, count, x, y, parts) for each piece

How a loop is cut follows from its lengths alone, so results do not depend on the number of threads. Threads are the
operating system's, started for one call and joined before it returns: nothing lives on that a fork would lose, and any
number of threads may call the same function. Where there are no POSIX threads, all pieces are done in turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_untracked
from numba.core.typing import signature
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.extending import lower_builtin, type_callable
from numba.np import arrayobj

from nbgraph.dispatch import threads
from nbgraph.dispatch.scalar_combine import larger, rounding, settled, smaller
from nbgraph.dispatch.scalar_value import Value, as_type, native, packed, unpacked
from nbgraph.dispatch.threads import GRAIN, MOST

_CREW = "nbgraph_crew"

_LENGTH, _BYTE = ir.IntType(64), ir.IntType(8)
_POINTER = _BYTE.as_pointer()
_CREATE = ir.FunctionType(ir.IntType(32), [_POINTER, _POINTER, _POINTER, _POINTER])
_JOIN = ir.FunctionType(ir.IntType(32), [_LENGTH, _POINTER])


def _pieces_of(turns: int, cost: int) -> int:
    return max(1, min(turns, turns * cost // GRAIN, MOST))


@native(_pieces_of, as_type(types.int64))
def pieces_of(turns: Value, cost: Value) -> Value:
    """into how many pieces a loop is cut, for the cost of a turn in tenths of a nanosecond"""
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


def _keep_plain(function: ir.Function) -> None:
    """Not worth LLVM's time: it runs once a call."""
    for attribute in ("noinline", "optnone"):
        function.attributes.add(attribute)


def _combining(context: Any, module: ir.Module, name: str, kind: str, dtype: Any) -> Any:
    """dtype name(dtype *parts, pieces): one function of a module for all reductions of a kind."""
    element = context.get_data_type(dtype).as_pointer()
    function = ir.Function(module, ir.FunctionType(context.get_value_type(dtype), [element, _LENGTH]), name)
    function.linkage = "internal"
    _keep_plain(function)
    builder = ir.IRBuilder(function.append_basic_block("entry"))
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
    content = ir.LiteralStructType([_LENGTH, *(v.type for v in values)])
    shared = cgutils.alloca_once(builder, content)
    builder.store(ir.Constant(_LENGTH, 0), cgutils.gep_inbounds(builder, shared, 0, 0))
    for k, value in enumerate(values):
        builder.store(value, cgutils.gep_inbounds(builder, shared, 0, 1 + k))
    worker = _worker(builder.module, content, call)
    pointers = [builder.bitcast(place, _POINTER) for place in (worker, shared)]
    builder.call(_crew(builder.module), [*pointers, values[0]])


def _crew(module: ir.Module) -> Any:
    """void crew(worker, shared, pieces): worker(shared) in several threads, one function for all loops of a module."""
    if _CREW in module.globals:
        return module.globals[_CREW]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_POINTER, _POINTER, _LENGTH]), _CREW)
    function.linkage = "internal"
    _keep_plain(function)
    worker, shared, pieces = function.args
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    work = builder.bitcast(worker, ir.FunctionType(_POINTER, [_POINTER]).as_pointer())
    if llvm.address_of_symbol("pthread_create"):
        _with_helpers(builder, worker, shared, pieces, lambda: builder.call(work, [shared]))
    else:
        builder.call(work, [shared])
    builder.ret_void()
    return function


def _with_helpers(builder: ir.IRBuilder, worker: Any, shared: Any, pieces: Any, own_part: Callable[[], Any]) -> None:
    most = ir.Constant(_LENGTH, MOST)
    allowed = builder.load(_threads(builder.module))
    helpers = builder.sub(_smaller(builder, _smaller(builder, allowed, pieces), most), ir.Constant(_LENGTH, 1))
    handles = cgutils.alloca_once(builder, _LENGTH, size=most)
    started = cgutils.alloca_once_value(builder, ir.Constant(_LENGTH, 0))
    create = cgutils.get_or_insert_function(builder.module, _CREATE, "pthread_create")
    join = cgutils.get_or_insert_function(builder.module, _JOIN, "pthread_join")
    nothing = ir.Constant(_POINTER, None)
    with cgutils.for_range(builder, helpers):
        handle = builder.gep(handles, [builder.load(started)], inbounds=True)
        failed = builder.call(create, [builder.bitcast(handle, _POINTER), nothing, worker, shared])
        # A thread that can't be started is not waited for; the others do its work.
        good = builder.zext(builder.icmp_signed("==", failed, ir.Constant(failed.type, 0)), _LENGTH)
        builder.store(builder.add(builder.load(started), good), started)
    own_part()
    with cgutils.for_range(builder, builder.load(started)) as loop:
        builder.call(join, [builder.load(builder.gep(handles, [loop.index], inbounds=True)), nothing])


def _threads(module: ir.Module) -> Any:
    known = module.globals.get(threads.SYMBOL)
    return ir.GlobalVariable(module, _LENGTH, threads.SYMBOL) if known is None else known


def _smaller(builder: ir.IRBuilder, a: Any, b: Any) -> Any:
    return builder.select(builder.icmp_signed("<", a, b), a, b)


def _worker(module: ir.Module, content: ir.Type, call: _Call) -> Any:
    """void *worker(void *shared): the pieces that no other thread has taken."""
    function = ir.Function(module, ir.FunctionType(_POINTER, [_POINTER]), module.get_unique_name("worker"))
    function.linkage = "internal"
    _keep_plain(function)
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    shared = builder.bitcast(function.args[0], content.as_pointer())
    counter, *places = (cgutils.gep_inbounds(builder, shared, 0, k) for k in range(len(content.elements)))
    pieces, turns, *rest = map(builder.load, places)
    take, work, end = (function.append_basic_block(name) for name in ("take", "work", "end"))
    builder.branch(take)
    builder.position_at_end(take)
    one = ir.Constant(_LENGTH, 1)
    piece = builder.atomic_rmw("add", counter, one, "monotonic")
    builder.cbranch(builder.icmp_signed("<", piece, pieces), work, end)
    builder.position_at_end(work)
    first = builder.sdiv(builder.mul(piece, turns), pieces)
    last = builder.sdiv(builder.mul(builder.add(piece, one), turns), pieces)
    call.make(builder, [piece, first, builder.sub(last, first), *rest])
    builder.branch(take)
    builder.position_at_end(end)
    builder.ret(ir.Constant(_POINTER, None))
    return function
