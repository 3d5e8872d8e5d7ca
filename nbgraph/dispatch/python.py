"""Calls of Python code from a generated function: for Ops that have no kernel of their own.

    if run_python(python, 0, x, s, n):                    the Python code number 0, on copies of x and s; it is told n,
        raise CheckFailed(-1)                             the length that it must give
    z = python_array(python, 0, np.float64, (-1,))        what it has made as array number 0

`python` is int64[3], the last argument of such a function: where the two functions of Python's side are, and which call
this is. So the compiled code holds no address, and is kept on disk as any other. Both take the GIL while they run. Why
the first one fails, Python's side knows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin, type_callable
from numba.np import arrayobj

from nbgraph.dispatch.memory import empty

RUN, FETCH, CALL = range(3)     # what `python` holds
_word = ir.IntType(64)


def run_python(python: np.ndarray, number: int, *values: Any) -> bool:
    """Run the Python code of this number on copies of arrays and scalars; True where it has failed."""
    raise NotImplementedError("called by compiled code alone")


def python_array(python: np.ndarray, place: int, dtype: Any, like: tuple[int, ...]) -> np.ndarray:
    """A new array, of as many axes as `like`, with what Python code has made."""
    raise NotImplementedError("called by compiled code alone")


@infer_global(run_python)
class _RunTemplate(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        return signature(types.boolean, *(types.unliteral(kind) for kind in args))


@lower_builtin(run_python, types.VarArg(types.Any))
def _lower_run(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
    places = [word for value, kind in zip(arguments[2:], sig.args[2:], strict=True)
              for word in _described(context, builder, value, kind)]
    words = _words(builder, max(1, len(places)))
    for k, place in enumerate(places):
        builder.store(place, builder.gep(words, [_word(k)]))
    failed = _call(context, builder, sig.args[0], arguments[0], RUN, arguments[1], words)
    return builder.icmp_signed("!=", failed, _word(0))


def _described(context: Any, builder: Any, value: Any, kind: Any) -> list[Any]:
    """An array as its place and lengths, a scalar as a place."""
    if isinstance(kind, types.Array):
        array = arrayobj.make_array(kind)(context, builder, value)
        return [builder.ptrtoint(array.data, _word), *cgutils.unpack_tuple(builder, array.shape, kind.ndim)]
    place = cgutils.alloca_once(builder, context.get_data_type(kind))
    context.pack_value(builder, kind, value, place)
    return [builder.ptrtoint(place, _word)]


@type_callable(python_array)
def _type_array(context: Any) -> Callable[..., Any]:
    def typer(python: Any, place: Any, dtype: Any, like: Any) -> Any:
        return types.Array(dtype.dtype, len(like), "C")
    return typer


@lower_builtin(python_array, types.Array, types.Integer, types.Any, types.BaseTuple)
def _lower_array(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
    python, place, dtype, _ = arguments
    ndim = len(sig.args[3])
    words = _words(builder, ndim + 1)
    _call(context, builder, sig.args[0], python, FETCH, place, words)
    actual = [builder.load(builder.gep(words, [_word(k)])) for k in range(ndim)]
    source = builder.inttoptr(builder.load(builder.gep(words, [_word(ndim)])), cgutils.voidptr_t)
    shape = types.UniTuple(types.int64, ndim)
    make = context.get_function(empty, signature(sig.return_type, shape, sig.args[2]))
    result = make(builder, (cgutils.pack_array(builder, actual, ty=_word), dtype))
    array = arrayobj.make_array(sig.return_type)(context, builder, result)
    size = array.itemsize
    for n in actual:
        size = builder.mul(size, n)
    cgutils.raw_memcpy(builder, builder.bitcast(array.data, cgutils.voidptr_t), source, size, 1)
    return result


def _words(builder: Any, count: int) -> Any:
    return cgutils.alloca_once(builder, _word, size=_word(count))


def _call(context: Any, builder: Any, kind: Any, python: Any, what: int, number: Any, words: Any) -> Any:
    """What one of Python's two functions gives."""
    cells = arrayobj.make_array(kind)(context, builder, python).data
    address, call = (builder.load(builder.gep(cells, [_word(k)])) for k in (what, CALL))
    function = builder.inttoptr(address, ir.FunctionType(_word, [_word, _word, words.type]).as_pointer())
    if number.type != _word:
        number = builder.sext(number, _word)
    return builder.call(function, [call, number, words])
