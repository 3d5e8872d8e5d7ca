"""Values into tensors: as_tensor_variable, constant.

    as_tensor_variable(9.0)            float64[]     a constant: dtype as NumPy would choose
    as_tensor_variable([x, 1.0])       stacked
"""

from __future__ import annotations

from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, RangeError, ShapeError, ValueDomainError
from nbgraph.graph.basic import Apply, Variable
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.type import TensorType
from nbgraph.tensor.variable import TensorConstant, TensorOperators


def constant(value: Any, name: str | None = None, dtype: Any = None) -> Any:
    """`value` as a constant tensor; its shape is known.

    Raises
    ------
    DTypeError         `value` is no number or array of a tensor dtype
    ShapeError         a list whose rows have different lengths
    RangeError         a number that `dtype` cannot hold
    ValueDomainError   what `dtype` has no value for
    """
    array = _array(value, dtype)
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    if array.dtype.name not in dtypes.ALL:
        raise DTypeError(None, f"no tensor can hold {type(value).__name__} {str(value)[:60]!r} "
                         f"(NumPy dtype {array.dtype})", line=user_line(), fix=f"tensors hold {', '.join(dtypes.ALL)}")
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    array.setflags(write=False)
    return TensorConstant(TensorType(array.dtype, array.shape), array, name=name)


def _array(value: Any, dtype: Any) -> np.ndarray:
    wanted = None if dtype is None else np.dtype(dtypes.canonical(dtype))
    shown = f"{type(value).__name__} {str(value)[:60]!r}"
    try:
        return np.array(value, dtype=wanted, copy=True, order="C")
    except OverflowError as error:
        raise RangeError("constant", str(error), line=user_line(), fix="choose a wider dtype") from None
    except TypeError:
        raise DTypeError("constant", f"cannot make {wanted} of {shown}", line=user_line(),
                         fix="give numbers, or arrays of numbers") from None
    except ValueError as error:
        if "inhomogeneous" in str(error):
            raise ShapeError("constant", f"rows of different lengths in {shown}", line=user_line(),
                             fix="give every row the same length") from None
        raise ValueDomainError("constant", f"cannot make {wanted} of {shown}", line=user_line(),
                               fix="give numbers, or arrays of numbers") from None


def weak_constant(value: Any, dtype: str, subject: Any = None, **operands: Any) -> Any:
    """A Python scalar as a constant of the dtype that the other operands of an operation, `subject`, give it.

    Raises
    ------
    RangeError   an integer that `dtype` cannot hold, an OverflowError as in NumPy
    """
    try:
        return constant(np.dtype(dtype).type(value) if dtype not in dtypes.INTEGERS else np.array(value, dtype))
    except OverflowError:
        raise RangeError(subject, f"the Python integer {_short(value)} is out of range for {dtype}", line=user_line(),
                         fix="cast the other operand to a wider dtype first, or give the number one: np.int64(...)",
                         **operands) from None


def _short(number: int) -> str:
    """A number, in digits where these are few."""
    return str(number) if abs(number) < 10**25 else f"of {number.bit_length()} bits"


def as_tensor_variable(x: Any, name: str | None = None, ndim: int | None = None, dtype: Any = None) -> Any:
    """`x` as a tensor variable.

    Parameters
    ----------
    x : Variable, Apply, array, number, or a list of these
    ndim : int, optional      lengths of 1 are added in front, or taken from there, to reach it
    dtype : optional          what to cast to

    Raises
    ------
    DTypeError   `x` is a variable of another Type, or nothing that a tensor holds
    """
    tensor = x if isinstance(x, TensorOperators) else _convert(x, name)
    if dtype is not None and tensor.type.dtype != dtypes.canonical(dtype):
        tensor = nt.cast(tensor, dtype)
    return tensor if ndim is None else _with_rank(tensor, ndim)


def _convert(x: Any, name: str | None) -> Any:
    if isinstance(x, Apply):
        x = x.default_output()
    if isinstance(x, Variable):
        if not isinstance(x.type, TensorType):
            held = x.get_value(borrow=True) if hasattr(x, "get_value") else None
            raise DTypeError(None, f"expected a tensor, got {x} of type {x.type}", line=user_line(), x=x,
                             fix="make it of an array: shared(np.asarray(value))" if isinstance(held, (list, tuple))
                             else "tensor functions take arrays; use an Op that takes this Type")
        return x
    if hasattr(x, "__nbgraph_tensor__"):
        return x.__nbgraph_tensor__()
    if isinstance(x, (list, tuple)) and _holds_variable(x):
        return nt.stack([as_tensor_variable(item) for item in x])
    return constant(x, name)


def _holds_variable(items: Any) -> bool:
    return any(isinstance(item, (Variable, Apply)) or (isinstance(item, (list, tuple)) and _holds_variable(item))
               for item in items)


def _with_rank(tensor: Any, ndim: int) -> Any:
    extra = ndim - tensor.type.ndim
    if extra >= 0:
        return nt.shape_padleft(tensor, extra)
    if any(n != 1 for n in tensor.type.shape[:-extra]):
        raise ShapeError(None, f"{tensor} of type {tensor.type} cannot lose {-extra} leading axes", line=user_line(),
                         x=tensor, fix="only axes whose length is known to be 1 can go")
    return nt.squeeze(tensor, tuple(range(-extra)))
