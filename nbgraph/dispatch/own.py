"""own: what a kernel of a user gives, as an array that the generated function may keep.

    z = own(result, np.float64, (-1,))      C-contiguous, float64[?], memory that nothing else has
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.core.typing.templates import signature
from numba.extending import lower_builtin, type_callable
from numba.np import arrayobj

from nbgraph.dispatch.memory import empty


def own(result: Any, dtype: Any, like: tuple[int, ...]) -> np.ndarray:
    """A copy of an array or a number, of this dtype and of as many axes as `like`; a number as one element."""
    return np.array(result, dtype, ndmin=len(like))


@type_callable(own)
def _type_own(context: Any) -> Callable[..., Any]:
    def typer(result: Any, dtype: Any, like: Any) -> Any:
        ndim = result.ndim if isinstance(result, types.Array) else 0
        if not isinstance(result, (types.Array, types.Number, types.Boolean)) or (ndim or 1) != len(like):
            raise TypingError(f"a kernel gives {result} where an array of {len(like)} axes is due")
        return types.Array(dtype.dtype, len(like), "C")
    return typer


@lower_builtin(own, types.Any, types.Any, types.BaseTuple)
def _lower_own(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
    kind, target = sig.args[0], sig.return_type
    is_array = isinstance(kind, types.Array) and kind.ndim
    source: Any = arrayobj.make_array(kind)(context, builder, arguments[0]) if isinstance(kind, types.Array) else None
    one = context.get_constant(types.int64, 1)
    lengths = cgutils.unpack_tuple(builder, source.shape, kind.ndim) if is_array else [one]
    shape = types.UniTuple(types.int64, len(lengths))
    make = context.get_function(empty, signature(target, shape, sig.args[1]))
    result = make(builder, (cgutils.pack_array(builder, lengths), arguments[1]))
    array = arrayobj.make_array(target)(context, builder, result)
    if not is_array:
        value = arguments[0] if source is None else context.unpack_value(builder, kind.dtype, source.data)
        number = kind if source is None else kind.dtype
        context.pack_value(builder, target.dtype, context.cast(builder, value, number, target.dtype), array.data)
        return result
    with cgutils.loop_nest(builder, lengths, lengths[0].type) as indices:
        strides = cgutils.unpack_tuple(builder, source.strides, kind.ndim)
        place = cgutils.get_item_pointer2(context, builder, source.data, lengths, strides, kind.layout, list(indices))
        value = context.cast(builder, context.unpack_value(builder, kind.dtype, place), kind.dtype, target.dtype)
        to = cgutils.get_item_pointer2(context, builder, array.data, lengths,
                                       cgutils.unpack_tuple(builder, array.strides, target.ndim), "C", list(indices))
        context.pack_value(builder, target.dtype, value, to)
    return result
