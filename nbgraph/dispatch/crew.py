"""Crew: the threads that do the pieces of a loop, besides the one that calls.

    share(content, pieces, size)      content: the worker, counters, the arguments of the kernel

Each takes the next piece until there is none. The caller waits for pieces that somebody has taken, never for a thread:
one that begins late finds nothing left to do, and a busy machine costs nothing. A helper that has done its work looks
out for more for two milliseconds, then ends: calls in a row start no threads and wake no core. A single short loop
starts none, either: that would cost as much as it gains. There is no pool that a fork could lose: whoever does not take
what is posted for him is forgotten, and another is started the next time. Any number of threads may call at once. Where
there are no POSIX threads, the caller does all pieces.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils

from nbgraph.dispatch import threads
from nbgraph.dispatch.threads import FOR_TWO, IN_A_ROW, LONG, MOST, PATIENCE

_LENGTH, _NUMBER, _BOOL = ir.IntType(64), ir.IntType(32), ir.IntType(1)
_POINTER = ir.IntType(8).as_pointer()
_NAME = "nbgraph_crew"
# A place where a helper may wait: nobody, somebody, or the address of the content that is posted for him.
_NOBODY, _SOMEBODY = ir.Constant(_LENGTH, 0), ir.Constant(_LENGTH, 1)

# What content begins with: the worker; the next piece; how many are done; how many still look at it.
HEAD = (_POINTER, _LENGTH, _LENGTH, _LENGTH)
WORKER, NEXT, DONE, HOLDERS = range(4)


def share(module: ir.Module) -> Any:
    """void crew(content, pieces, size): the worker in several threads, one function for all loops of a module."""
    if _NAME in module.globals:
        return module.globals[_NAME]
    function, builder = function_of(module, _NAME, ir.VoidType(), [_POINTER, _LENGTH, _LENGTH])
    content, pieces, size = function.args
    if llvm.address_of_symbol("pthread_create"):
        known, useful = builder.load(external(module, threads.SYMBOL)), builder.sdiv(pieces, _length(FOR_TWO))
        helpers = builder.sub(builder.select(builder.icmp_signed("<", known, useful), known, useful), _length(1))
        with builder.if_then(builder.icmp_signed(">", helpers, _length(0))):
            _with_helpers(builder, content, pieces, size, helpers)
            _leave(builder)
    _work(builder, content)
    builder.ret_void()
    return function


def function_of(module: ir.Module, name: str, result: ir.Type, kinds: Sequence[ir.Type]) -> tuple[Any, ir.IRBuilder]:
    """A function of this module alone, not worth LLVM's time: it runs once a call. And what writes it."""
    function = ir.Function(module, ir.FunctionType(result, kinds), name)
    function.linkage = "internal"
    for attribute in ("noinline", "optnone"):
        function.attributes.add(attribute)
    return function, ir.IRBuilder(function.append_basic_block("entry"))


# The caller -----------------------------------------------------------------------------------------------------------

def _with_helpers(builder: ir.IRBuilder, content: Any, pieces: Any, size: Any, helpers: Any) -> None:
    """Call helpers, work, and wait for pieces that are not done.

    The content is on the heap: a helper that comes late finds no piece left there, and nobody else.
    """
    module = builder.module
    heap = builder.call(_library(module, "malloc", _POINTER, _LENGTH), [size])
    with builder.if_then(cgutils.is_null(builder, heap), likely=False):
        _work(builder, content)
        _leave(builder)
    builder.call(_library(module, "memcpy", _POINTER, _POINTER, _POINTER, _LENGTH), [heap, content, size])
    builder.store(builder.add(helpers, _length(1)), _member(builder, heap, HOLDERS))
    worth_it = _worth_a_thread(builder, pieces)
    with cgutils.for_range(builder, helpers):
        called = builder.call(_call_one(module), [heap, worth_it])
        with builder.if_then(builder.not_(called)):  # the others do its work
            builder.atomic_rmw("sub", _member(builder, heap, HOLDERS), _length(1), "monotonic")
    _work(builder, heap)
    with cgutils.for_range(builder, _length(MOST)) as loop:  # nobody needs to come any more
        withdrawn = _exchange(builder, _place(builder, loop.index), builder.ptrtoint(heap, _LENGTH), _NOBODY)
        with builder.if_then(withdrawn):
            builder.atomic_rmw("sub", _member(builder, heap, HOLDERS), _length(1), "monotonic")
    wait, end = builder.append_basic_block("wait"), builder.append_basic_block("end")
    builder.branch(wait)
    builder.position_at_end(wait)
    done = builder.load_atomic(_member(builder, heap, DONE), "acquire", 8)
    builder.call(_library(module, "sched_yield", _NUMBER), [])
    builder.cbranch(builder.icmp_signed("<", done, pieces), wait, end)
    builder.position_at_end(end)
    _release(builder, heap)


def _worth_a_thread(builder: ir.IRBuilder, pieces: Any) -> Any:
    """Whether a loop is long, or one of several in a row."""
    now = builder.call(clock(builder.module), [])
    last = _place(builder, _length(MOST))  # behind the helpers' places: when a loop was shared last
    before = builder.atomic_rmw("xchg", last, now, "monotonic")
    recent = builder.icmp_signed("<", builder.sub(now, before), _length(IN_A_ROW))
    return builder.or_(recent, builder.icmp_signed(">=", pieces, _length(LONG)))


def clock(module: ir.Module) -> Any:
    """int64 clock(): nanoseconds since some time or other."""
    name = f"{_NAME}_clock"
    if name in module.globals:
        return module.globals[name]
    function, builder = function_of(module, name, _LENGTH, [])
    now = cgutils.alloca_once(builder, ir.LiteralStructType([_LENGTH, _LENGTH]))
    read = _library(module, "clock_gettime", _NUMBER, _NUMBER, _POINTER)
    builder.call(read, [ir.Constant(_NUMBER, time.CLOCK_MONOTONIC), builder.bitcast(now, _POINTER)])
    seconds, rest = (builder.load(cgutils.gep_inbounds(builder, now, 0, k)) for k in range(2))
    builder.ret(builder.add(builder.mul(seconds, _length(10**9)), rest))
    return function


def _call_one(module: ir.Module) -> Any:
    """bool call(content, start): post it for a helper that waits, or start one; False where neither can be."""
    name = f"{_NAME}_call"
    if name in module.globals:
        return module.globals[name]
    function, builder = function_of(module, name, _BOOL, [_POINTER, _BOOL])
    content, start = function.args
    with cgutils.for_range(builder, _length(MOST)) as loop:
        posted = _exchange(builder, _place(builder, loop.index), _SOMEBODY, builder.ptrtoint(content, _LENGTH))
        with builder.if_then(posted):
            builder.ret(_BOOL(1))
    with builder.if_then(builder.not_(start)):
        builder.ret(_BOOL(0))
    handle, nothing = cgutils.alloca_once(builder, _LENGTH), ir.Constant(_POINTER, None)
    create = _library(module, "pthread_create", _NUMBER, _POINTER, _POINTER, _POINTER, _POINTER)
    failed = builder.call(create, [builder.bitcast(handle, _POINTER), nothing,
                                   builder.bitcast(_helper(module), _POINTER), content])
    begun = builder.icmp_signed("==", failed, ir.Constant(_NUMBER, 0))
    with builder.if_then(begun):
        builder.call(_library(module, "pthread_detach", _NUMBER, _LENGTH), [builder.load(handle)])
    builder.ret(begun)
    return function


# The helper -----------------------------------------------------------------------------------------------------------

def _helper(module: ir.Module) -> Any:
    """void *helper(content): what a thread does: its share, then what is posted for it while it waits."""
    name = f"{_NAME}_helper"
    if name in module.globals:
        return module.globals[name]
    function, builder = function_of(module, name, _POINTER, [_POINTER])
    labels = ("work", "wait", "again", "nothing", "leave", "look", "late", "end")
    work, wait, again, nothing, leave, look, late, end = map(function.append_basic_block, labels)
    held = cgutils.alloca_once_value(builder, function.args[0])
    place = cgutils.alloca_once(builder, _LENGTH.as_pointer())
    builder.branch(work)

    builder.position_at_end(work)
    content = builder.load(held)
    _work(builder, content)
    _release(builder, content)
    with cgutils.for_range(builder, _length(MOST)) as loop:
        builder.store(_place(builder, loop.index), place)
        with builder.if_then(_exchange(builder, builder.load(place), _NOBODY, _SOMEBODY)):
            builder.branch(wait)
            builder.position_at_end(function.append_basic_block("taken"))
    builder.branch(end)

    builder.position_at_end(wait)
    until = builder.add(builder.call(clock(module), []), _length(PATIENCE))
    builder.branch(again)

    builder.position_at_end(again)
    found = builder.load_atomic(builder.load(place), "monotonic", 8)
    builder.cbranch(builder.icmp_unsigned("!=", found, _SOMEBODY), look, nothing)

    builder.position_at_end(nothing)
    builder.call(_library(module, "sched_yield", _NUMBER), [])
    builder.cbranch(builder.icmp_signed("<", builder.call(clock(module), []), until), again, leave)

    builder.position_at_end(leave)
    builder.cbranch(_exchange(builder, builder.load(place), _SOMEBODY, _NOBODY), end, look)

    builder.position_at_end(look)  # what was posted may have been withdrawn, and another helper wait there
    posted = builder.load_atomic(builder.load(place), "acquire", 8)
    builder.cbranch(builder.icmp_unsigned("<=", posted, _SOMEBODY), end, late)

    builder.position_at_end(late)  # it may be withdrawn at this moment
    builder.store(builder.inttoptr(posted, _POINTER), held)
    builder.cbranch(_exchange(builder, builder.load(place), posted, _NOBODY), work, end)

    builder.position_at_end(end)
    builder.ret(ir.Constant(_POINTER, None))
    return function


def _work(builder: ir.IRBuilder, content: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [_POINTER]).as_pointer()
    builder.call(builder.bitcast(builder.load(_member(builder, content, WORKER)), kind), [content])


def _release(builder: ir.IRBuilder, heap: Any) -> None:
    """Look at the content no more; whoever is the last frees it."""
    holders = builder.atomic_rmw("sub", _member(builder, heap, HOLDERS), _length(1), "acq_rel")
    with builder.if_then(builder.icmp_signed("==", holders, _length(1))):
        builder.call(_library(builder.module, "free", ir.VoidType(), _POINTER), [heap])


# LLVM -----------------------------------------------------------------------------------------------------------------

def _length(n: int) -> Any:
    return ir.Constant(_LENGTH, n)


def _member(builder: ir.IRBuilder, content: Any, which: int) -> Any:
    head = builder.bitcast(content, ir.LiteralStructType(HEAD).as_pointer())
    return cgutils.gep_inbounds(builder, head, 0, which)


def _place(builder: ir.IRBuilder, index: Any) -> Any:
    """One of the places where helpers of this process wait."""
    first = builder.bitcast(external(builder.module, threads.PLACES), _LENGTH.as_pointer())
    return builder.gep(first, [index])


def _exchange(builder: ir.IRBuilder, place: Any, expected: Any, new: Any) -> Any:
    """Whether `place` held what was expected; then it holds the new value."""
    return builder.extract_value(builder.cmpxchg(place, expected, new, "acq_rel", "monotonic"), 1)


def external(module: ir.Module, name: str) -> Any:
    """A place outside the module that has a name for llvmlite."""
    known = module.globals.get(name)
    return ir.GlobalVariable(module, _LENGTH, name) if known is None else known


def _library(module: ir.Module, name: str, result: ir.Type, *arguments: ir.Type) -> Any:
    return cgutils.get_or_insert_function(module, ir.FunctionType(result, arguments), name)


def _leave(builder: ir.IRBuilder) -> None:
    """Return; what is written next is never reached from here."""
    builder.ret_void()
    builder.position_at_end(builder.append_basic_block("after"))
