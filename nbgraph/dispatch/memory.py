"""empty and reshape for generated functions: NumPy's meaning, a tenth of the compile time of Numba's own.

    out = empty((n, m), np.float64)       C-contiguous, not filled
    rows = reshape(x, (n, m))             the memory of x, C-contiguous; as many elements (checked before)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_borrowed, impl_ret_new_ref
from numba.extending import lower_builtin, type_callable
from numba.np import arrayobj


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
    # Numba's own allocation: aligned, counted by its run-time system.
    array = arrayobj._empty_nd_impl(context, builder, signature.return_type, lengths)
    return impl_ret_new_ref(context, builder, signature.return_type, array._getvalue())


@type_callable(reshape)
def _type_reshape(context: Any) -> Callable[..., Any]:
    def typer(x: Any, shape: Any) -> Any:
        return types.Array(x.dtype, len(shape), "C")
    return typer


@lower_builtin(reshape, types.Array, types.BaseTuple)
def _lower_reshape(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    source = arrayobj.make_array(signature.args[0])(context, builder, arguments[0])
    target = arrayobj.make_array(signature.return_type)(context, builder)
    lengths = _lengths(context, builder, signature.args[1], arguments[1])
    strides: list[Any] = []
    stride = source.itemsize
    for length in reversed(lengths):
        strides.insert(0, stride)
        stride = builder.mul(stride, length)
    arrayobj.populate_array(
        target, data=source.data, shape=cgutils.pack_array(builder, lengths),
        strides=cgutils.pack_array(builder, strides), itemsize=source.itemsize, meminfo=source.meminfo,
        parent=source.parent)
    return impl_ret_borrowed(context, builder, signature.return_type, target._getvalue())


def _lengths(context: Any, builder: Any, kind: Any, shape: Any) -> list[Any]:
    values = cgutils.unpack_tuple(builder, shape, len(kind))
    return [context.cast(builder, value, of, types.intp) for value, of in zip(values, kind, strict=True)]
