"""New arrays: zeros, ones, full and their `_like` forms, eye, arange, tri; the Ops Eye and ARange.

    zeros((n, 3))     broadcast_to(0.0, n, 3): no array is filled where a reader can take the scalar
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, ShapeError, ValueDomainError
from nbgraph.graph.basic import Apply, Constant
from nbgraph.graph.expression import Written, call
from nbgraph.graph.null_type import DisconnectedType
from nbgraph.graph.op import Op
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.purpose import purpose
from nbgraph.tensor.shape import as_length, static_length
from nbgraph.tensor.type import TensorType


class Eye(Op):
    """Inputs (n, m, k): n rows, m columns, 1 where column - row = k, 0 elsewhere.

    Raises (at run time)
    --------------------
    ShapeError   n or m is negative
    """

    __props__ = ("dtype",)

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def __str__(self) -> str:
        return "eye"

    def make_node(self, n: Any, m: Any, k: Any) -> Apply:
        inputs = [as_length(n), as_length(m), as_length(k)]
        shape = [static_length(length) for length in inputs[:2]]
        if any(length is not None and length < 0 for length in shape):
            raise ShapeError(self, f"a length is negative: {tuple(shape)}", line=user_line(), fix="lengths are >= 0")
        return Apply(self, inputs, [TensorType(self.dtype, shape)()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        n, m, k = (int(x) for x in inputs)
        if n < 0 or m < 0:
            raise negative_length_error(node, (n, m))
        output_storage[0][0] = np.eye(n, m, k, dtype=self.dtype)

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        return [(node.inputs[0], node.inputs[1])]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """The elements do not depend on the lengths."""
        return [[False], [False], [False]]

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        return [DisconnectedType()() for _ in inputs]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """eye(n), eye(n, m), eye(n, m, k)"""
        n, m, k = arguments
        return call("eye", n, *([] if m == n and k.text == "0" else [m] if k.text == "0" else [m, k]))

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """The elements do not move."""
        return [None]


def negative_length_error(node: Apply, lengths: Sequence[int]) -> ShapeError:
    """The error for a negative length at run time."""
    return ShapeError(node.op, f"a length is negative: {tuple(lengths)}", line=node.line, fix="lengths are >= 0")


class ARange(Op):
    """Inputs (start, stop, step), all int64 or all float64: first + i * delta for i = 0, 1, …, in `dtype`.

    There are max(0, ceil((stop - start) / step)) elements. As in NumPy, first is start in `dtype` and delta is
    (start + step) - start, both converted to `dtype` before they are subtracted.

    Raises (at run time)
    --------------------
    ValueDomainError   step is 0, or the number of elements is not finite
    """

    __props__ = ("dtype",)

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def __str__(self) -> str:
        return "arange"

    def make_node(self, start: Any, stop: Any, step: Any) -> Apply:
        inputs = [nt.as_tensor_variable(x) for x in (start, stop, step)]
        refused = [x for x in inputs if x.type.ndim or x.type.dtype in dtypes.COMPLEX]
        if refused:
            raise DTypeError(self, f"takes real scalars, got {refused[0]} of type {refused[0].type}", line=user_line(),
                             start=inputs[0], stop=inputs[1], step=inputs[2], fix="pass one number for each")
        common = dtypes.result_type("int64", *(x.type.dtype for x in inputs))
        inputs = [nt.constant(x.data, dtype=common) if isinstance(x, Constant) else nt.cast(x, common) for x in inputs]
        return Apply(self, inputs, [TensorType(self.dtype, (_static_count(inputs),))()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        start, stop, step = (x.item() for x in inputs)
        if step == 0 or not all(map(math.isfinite, (start, stop, step))):
            raise arange_error(node, start, stop, step)
        output_storage[0][0] = np.arange(start, stop, step, dtype=self.dtype)

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        known = node.outputs[0].type.shape[0]
        return [(arange_length(*node.inputs) if known is None else known,)]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """arange(n), arange(start, stop), arange(start, stop, step)"""
        start, stop, step = arguments
        if step.text != "1":
            return call("arange", start, stop, step)
        return call("arange", stop) if start.text == "0" else call("arange", start, stop)

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """The elements depend on start and step; stop only decides how many there are."""
        return [[True], [False], [True]]

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        (g,) = output_gradients
        start, _, step = inputs
        if isinstance(g.type, DisconnectedType):
            return [DisconnectedType()() for _ in inputs]
        if dtypes.is_discrete(self.dtype):
            return [zeros_like(start, "float64"), DisconnectedType()(), zeros_like(step, "float64")]
        places = arange(nt.lengths_of(g)[0], dtype=self.dtype)
        return [nt.cast(nt.sum(g), "float64"), DisconnectedType()(), nt.cast(nt.sum(g * places), "float64")]


def _static_count(inputs: Sequence[Any]) -> int | None:
    if not all(isinstance(x, Constant) for x in inputs):
        return None
    start, stop, step = (x.data.item() for x in inputs)
    if step == 0 or not all(map(math.isfinite, (start, stop, step))):
        return None
    whole = isinstance(start, int) and isinstance(step, int)
    return max(0, -((start - stop) // step) if whole else math.ceil((stop - start) / step))


def arange_length(start: Any, stop: Any, step: Any) -> Any:
    """max(0, ceil((stop - start) / step)): int64[]."""
    if start.type.dtype not in dtypes.INTEGERS:
        return nt.cast(nt.maximum(nt.ceil((stop - start) / step), 0.0), "int64")
    first, stride = static_length(start), static_length(step)
    distance = stop if first == 0 else stop - start
    return nt.maximum(distance if stride == 1 else -nt.floor_divide(-distance, step), 0)


def arange_error(node: Apply, start: float, stop: float, step: float) -> ValueDomainError:
    """The error for a range without a finite number of elements, at run time."""
    return ValueDomainError(node.op, f"from {start} to {stop} by {step} has no finite number of elements",
                            line=node.line, start=start, stop=stop, step=step,
                            fix="step must not be 0, and all three must be finite")


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    """start, start + step, …, all before `stop`; arange(n) counts 0, 1, …, n - 1.

    Parameters
    ----------
    start, stop, step : real scalars
    dtype : dtype, optional    default int64, float64 where one of the three is no integer

    Raises
    ------
    DTypeError         an operand is no real scalar, or `dtype` is bool or complex
    ValueDomainError   step is 0, or the number of elements is not finite, at run time
    """
    if stop is None:
        start, stop = 0, start
    bounds = [nt.as_tensor_variable(x) for x in (start, stop, step)]
    result = dtypes.result_type("int64", *(x.type.dtype for x in bounds)) if dtype is None else dtypes.canonical(dtype)
    if result not in (*dtypes.INTEGERS, *dtypes.FLOATS) and not any_complex(bounds):
        raise DTypeError(None, f"arange has no dtype {result}", line=user_line(), fix="cast the result instead")
    return ARange(result)(*bounds)


def any_complex(tensors: Sequence[Any]) -> bool:
    """True where one of `tensors` is complex."""
    return any(x.type.dtype in dtypes.COMPLEX for x in tensors)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """An array of `shape` that holds `fill_value` everywhere; its dtype is that of the value unless given.

    Parameters
    ----------
    shape : int, tuple of ints and int scalars, or an int vector
    fill_value : tensor or number, broadcast to `shape`
    """
    return _filled("full", shape, nt.as_tensor_variable(fill_value), dtype)


def _filled(name: str, shape: Any, value: Any, dtype: Any = None) -> Any:
    """`value` broadcast to `shape`, for the function `name`."""
    return nt.broadcast_to(value if dtype is None else nt.cast(value, dtype), shape, purpose(name))


def zeros(shape: Any, dtype: Any = None) -> Any:
    """Zeros of `shape`; dtype config.floatX unless given."""
    return _filled("zeros", shape, _constant(0, dtype))


def ones(shape: Any, dtype: Any = None) -> Any:
    """Ones of `shape`; dtype config.floatX unless given."""
    return _filled("ones", shape, _constant(1, dtype))


def empty(shape: Any, dtype: Any = None) -> Any:
    """An array of `shape` whose values nobody should read; they are zeros. dtype config.floatX unless given."""
    return _filled("empty", shape, _constant(0, dtype))


def _constant(value: int, dtype: Any) -> Any:
    return nt.constant(value, dtype=nt.config.floatX if dtype in (None, "floatX") else dtypes.canonical(dtype))


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """`fill_value` everywhere in the shape of x, and in its dtype unless another is given."""
    x = nt.as_tensor_variable(x)
    wanted = dtypes.canonical(dtype or x.type.dtype)
    weak = dtypes.weak_kind(fill_value) is not None
    value = nt.constant(fill_value, dtype=wanted) if weak else nt.cast(fill_value, wanted)
    return nt.broadcast_to(value, nt.lengths_of(x))


def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Zeros in the shape of x, and in its dtype unless another is given."""
    return _constant_like(x, 0, dtype)


def ones_like(x: Any, dtype: Any = None) -> Any:
    """Ones in the shape of x, and in its dtype unless another is given."""
    return _constant_like(x, 1, dtype)


def empty_like(x: Any, dtype: Any = None) -> Any:
    """The shape of x with values that nobody should read; they are zeros."""
    return zeros_like(x, dtype)


def _constant_like(x: Any, value: int, dtype: Any) -> Any:
    x = nt.as_tensor_variable(x)
    return nt.broadcast_to(_constant(value, dtype or x.type.dtype), nt.lengths_of(x))


def fill(a: Any, b: Any) -> Any:
    """`b` broadcast to the shape of `a`; the dtype is that of `b`."""
    return nt.broadcast_to(b, nt.lengths_of(a))


def alloc(value: Any, *shape: Any) -> Any:
    """`value` broadcast to the lengths `shape`."""
    return _filled("alloc", shape[0] if len(shape) == 1 and not _is_scalar(shape[0]) else shape,
                   nt.as_tensor_variable(value))


def _is_scalar(length: Any) -> bool:
    return np.ndim(length) == 0 if not hasattr(length, "type") else length.type.ndim == 0


def eye(n: Any, m: Any = None, k: Any = 0, dtype: Any = None) -> Any:
    """n rows, m (default n) columns, 1 where column - row = k, 0 elsewhere; dtype config.floatX unless given.

    Raises
    ------
    ShapeError   a length is negative (when built where known, else at run time)
    """
    return Eye(nt.config.floatX if dtype in (None, "floatX") else dtypes.canonical(dtype))(n, n if m is None else m, k)


def identity(n: Any, dtype: Any = None) -> Any:
    """The n by n identity matrix."""
    return eye(n, dtype=dtype)


def identity_like(x: Any, dtype: Any = None) -> Any:
    """Ones on the diagonal, zeros elsewhere, in the shape of the matrix x, and in its dtype unless another is given."""
    x = nt.as_tensor_variable(x)
    if x.type.ndim != 2:
        raise ShapeError(None, f"identity_like takes a matrix, got {x} of type {x.type}", line=user_line(), x=x,
                         fix="use eye(n) for the identity of a length n")
    n, m = nt.lengths_of(x)
    return eye(n, m, dtype=dtype or x.type.dtype)


def tri(n: Any, m: Any = None, k: Any = 0, dtype: Any = None) -> Any:
    """n rows, m (default n) columns, 1 where column - row <= k, 0 elsewhere; dtype config.floatX unless given."""
    wanted = nt.config.floatX if dtype in (None, "floatX") else dtypes.canonical(dtype)
    return nt.cast(_lower(n, n if m is None else m, k), wanted)


def _lower(n: Any, m: Any, k: Any) -> Any:
    """True where column - row <= k: bool[n, m]."""
    rows, columns = arange(as_length(n)), arange(as_length(m))
    return nt.le(nt.dimshuffle(columns, "x", 0) - as_length(k), nt.dimshuffle(rows, 0, "x"))


def tril(x: Any, k: Any = 0) -> Any:
    """x with zeros above the `k`-th diagonal of its last two axes."""
    x = _with_matrices(x, "tril")
    *_, n, m = nt.lengths_of(x)
    return nt.switch(_lower(n, m, k), x, _constant(0, x.type.dtype))


def triu(x: Any, k: Any = 0) -> Any:
    """x with zeros below the `k`-th diagonal of its last two axes."""
    x = _with_matrices(x, "triu")
    *_, n, m = nt.lengths_of(x)
    return nt.switch(_lower(n, m, as_length(k) - 1), _constant(0, x.type.dtype), x)


def _with_matrices(x: Any, what: str) -> Any:
    x = nt.as_tensor_variable(x)
    if x.type.ndim < 2:
        raise ShapeError(None, f"{what} takes at least two axes, got {x} of type {x.type}", line=user_line(), x=x,
                         fix="use diag to make a matrix of a vector")
    return x


def tensor_copy(x: Any, name: str | None = None) -> Any:
    """A new variable of the value of x."""
    x = nt.as_tensor_variable(x)
    return nt.FUNCTIONS[f"cast_{x.type.dtype}"](x, name=name)
