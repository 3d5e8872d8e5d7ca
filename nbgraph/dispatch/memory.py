"""empty and reshape for generated functions: NumPy's meaning, a tenth of the compile time of Numba's own.

    out = empty((n, m), np.float64)       C-contiguous, not filled
    rows = reshape(x, (n, m))             the memory of x, C-contiguous; as many elements (checked before)
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_borrowed, impl_ret_new_ref
from numba.extending import lower_builtin, type_callable
from numba.np import arrayobj

LARGE = 2**22   # bytes from which on it pays to ask for large pages
ALIGNMENT = 64  # of an array, in bytes: a cache line, and the widest vector there is
_LENGTH = ir.IntType(64)
_NO_MEMORY = "no_memory"


def empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array of this shape and dtype, not filled."""
    return np.empty(shape, dtype)


def reshape(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The memory of a C-contiguous x in another shape."""
    return np.reshape(x, shape)


@type_callable(empty)
def _type_empty(context: Any) -> Callable[..., Any]:
    def typer(shape: Any, dtype: Any) -> Any:
        return types.Array(dtype.dtype, len(shape), "C")
    return typer


@lower_builtin(empty, types.BaseTuple, types.Any)
def _lower_empty(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    lengths = _lengths(context, builder, signature.args[0], arguments[0])
    kind = signature.return_type
    itemsize = ir.Constant(_LENGTH, arrayobj.get_itemsize(context, kind))
    meminfo = builder.call(_allocator(context, builder.module, len(lengths)), [itemsize, *lengths])
    following = builder.append_basic_block("allocated")
    builder.cbranch(cgutils.is_null(builder, meminfo), _no_memory(context, builder), following)
    builder.position_at_end(following)
    data = context.nrt.meminfo_data(builder, meminfo)
    array = _array(context, builder, kind, data, lengths, itemsize)
    array.meminfo = meminfo
    return impl_ret_new_ref(context, builder, kind, array._getvalue())


def _allocator(context: Any, module: Any, ndim: int) -> Any:
    """meminfo *allocate(itemsize, lengths ...), NULL without enough memory: one function of a module for each rank."""
    name = f"nbgraph_allocate_{ndim}"
    if name in module.globals:
        return module.globals[name]
    function = ir.Function(module, ir.FunctionType(cgutils.voidptr_t, [_LENGTH] * (1 + ndim)), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    size, *lengths = function.args
    over = ir.Constant(ir.IntType(1), 0)
    for length in lengths:
        product = builder.smul_with_overflow(size, length)
        size, over = builder.extract_value(product, 0), builder.or_(over, builder.extract_value(product, 1))
    with builder.if_then(over, likely=False):
        builder.ret(ir.Constant(cgutils.voidptr_t, None))
    meminfo = context.nrt.meminfo_alloc_aligned_unchecked(builder, size, ALIGNMENT)
    if sys.platform == "linux":
        large = builder.icmp_signed(">=", size, ir.Constant(_LENGTH, LARGE))
        with builder.if_then(builder.and_(large, cgutils.is_not_null(builder, meminfo)), likely=False):
            _ask_for_large_pages(context, builder, meminfo, size)
    builder.ret(meminfo)
    return function


def _ask_for_large_pages(context: Any, builder: Any, meminfo: Any, size: Any) -> None:
    """As NumPy does for its own: fresh memory then costs one fault for 2 MB."""
    page = ir.Constant(_LENGTH, 4096)
    start = builder.ptrtoint(context.nrt.meminfo_data(builder, meminfo), _LENGTH)
    skipped = builder.sub(page, builder.urem(start, page))
    kind = ir.FunctionType(ir.IntType(32), [_LENGTH, _LENGTH, ir.IntType(32)])
    advise = cgutils.get_or_insert_function(builder.module, kind, "madvise")
    builder.call(advise, [builder.add(start, skipped), builder.sub(size, skipped), ir.Constant(ir.IntType(32), 14)])


def _no_memory(context: Any, builder: Any) -> Any:
    """The block that raises MemoryError, one in a function."""
    for block in builder.function.blocks:
        if block.name == _NO_MEMORY:
            return block
    block = builder.append_basic_block(_NO_MEMORY)
    with builder.goto_block(block):
        context.call_conv.return_user_exc(builder, MemoryError, ("an array of these lengths can't be allocated",))
    return block


@type_callable(reshape)
def _type_reshape(context: Any) -> Callable[..., Any]:
    def typer(x: Any, shape: Any) -> Any:
        return types.Array(x.dtype, len(shape), "C")
    return typer


@lower_builtin(reshape, types.Array, types.BaseTuple)
def _lower_reshape(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    source = arrayobj.make_array(signature.args[0])(context, builder, arguments[0])
    lengths = _lengths(context, builder, signature.args[1], arguments[1])
    target = _array(context, builder, signature.return_type, source.data, lengths, source.itemsize)
    target.meminfo, target.parent = source.meminfo, source.parent
    return impl_ret_borrowed(context, builder, signature.return_type, target._getvalue())


def _array(context: Any, builder: Any, kind: Any, data: Any, lengths: list[Any], itemsize: Any) -> Any:
    """A C-contiguous array at this place, without an owner."""
    strides: list[Any] = []
    stride = itemsize
    for length in reversed(lengths):
        strides.insert(0, stride)
        stride = builder.mul(stride, length)
    array = arrayobj.make_array(kind)(context, builder)
    arrayobj.populate_array(
        array, data=builder.bitcast(data, context.get_data_type(kind.dtype).as_pointer()),
        shape=cgutils.pack_array(builder, lengths, ty=_LENGTH),
        strides=cgutils.pack_array(builder, strides, ty=_LENGTH), itemsize=itemsize, meminfo=None)
    return array


def _lengths(context: Any, builder: Any, kind: Any, shape: Any) -> list[Any]:
    values = cgutils.unpack_tuple(builder, shape, len(kind))
    return [context.cast(builder, value, of, types.intp) for value, of in zip(values, kind, strict=True)]
