"""TensorVariable and TensorConstant: NumPy's operators and methods on symbolic arrays.

Each operator calls the function of the same meaning in `nbgraph.tensor`, which is imported by name here: a stated
exception to the layers, since the functions build variables and the variables call the functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError
from nbgraph.graph.basic import Constant, Variable
from nbgraph.graph.source import user_line
from nbgraph.tensor import numpy_functions
from nbgraph.tensor.numpy_functions import as_numpy_calls
from nbgraph.tensor.type import TensorType


class TensorOperators:
    """What TensorVariable, TensorConstant and shared tensors have in common."""

    __slots__ = ()
    type: TensorType

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return numpy_functions.call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return numpy_functions.call(function, args, kwargs)

    @property
    def dtype(self) -> str:
        """The dtype's name."""
        return self.type.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.type.ndim

    @property
    def broadcastable(self) -> tuple[bool, ...]:
        """For each axis, whether its length is known to be 1."""
        return self.type.broadcastable

    @property
    def shape(self) -> Any:
        """The lengths of the axes: int64[ndim]."""
        return nt.shape(self)

    @property
    def size(self) -> Any:
        """The number of elements: int64[]."""
        return nt.size(self)

    @property
    def T(self) -> Any:
        """The axes in reverse order."""
        return nt.transpose(self)

    @property
    def real(self) -> Any:
        """The real part."""
        return nt.real(self)

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return nt.imag(self)

    # Arithmetic
    def __neg__(self) -> Any: return nt.neg(self)
    def __pos__(self) -> Any: return self
    def __abs__(self) -> Any: return nt.abs(self)
    def __invert__(self) -> Any: return nt.invert(self)
    def __add__(self, other: Any) -> Any: return nt.add(self, other)
    def __radd__(self, other: Any) -> Any: return nt.add(other, self)
    def __sub__(self, other: Any) -> Any: return nt.sub(self, other)
    def __rsub__(self, other: Any) -> Any: return nt.sub(other, self)
    def __mul__(self, other: Any) -> Any: return nt.mul(self, other)
    def __rmul__(self, other: Any) -> Any: return nt.mul(other, self)
    def __truediv__(self, other: Any) -> Any: return nt.true_divide(self, other)
    def __rtruediv__(self, other: Any) -> Any: return nt.true_divide(other, self)
    def __floordiv__(self, other: Any) -> Any: return nt.floor_divide(self, other)
    def __rfloordiv__(self, other: Any) -> Any: return nt.floor_divide(other, self)
    def __mod__(self, other: Any) -> Any: return nt.mod(self, other)
    def __rmod__(self, other: Any) -> Any: return nt.mod(other, self)
    def __divmod__(self, other: Any) -> Any: return nt.floor_divide(self, other), nt.mod(self, other)
    def __rdivmod__(self, other: Any) -> Any: return nt.floor_divide(other, self), nt.mod(other, self)
    def __pow__(self, other: Any) -> Any:
        # NumPy's ** squares where the exponent is the number 2, which makes int8 of bool; its power makes int64.
        return nt.square(self) if self.dtype == "bool" and type(other) is int and other == 2 else nt.power(self, other)

    def __rpow__(self, other: Any) -> Any: return nt.power(other, self)
    def __matmul__(self, other: Any) -> Any: return nt.matmul(self, other)
    def __rmatmul__(self, other: Any) -> Any: return nt.matmul(other, self)
    def __and__(self, other: Any) -> Any: return nt.and_(self, other)
    def __rand__(self, other: Any) -> Any: return nt.and_(other, self)
    def __or__(self, other: Any) -> Any: return nt.or_(self, other)
    def __ror__(self, other: Any) -> Any: return nt.or_(other, self)
    def __xor__(self, other: Any) -> Any: return nt.xor(self, other)
    def __rxor__(self, other: Any) -> Any: return nt.xor(other, self)
    def __lshift__(self, other: Any) -> Any: return nt.left_shift(self, other)
    def __rlshift__(self, other: Any) -> Any: return nt.left_shift(other, self)
    def __rshift__(self, other: Any) -> Any: return nt.right_shift(self, other)
    def __rrshift__(self, other: Any) -> Any: return nt.right_shift(other, self)
    def __lt__(self, other: Any) -> Any: return nt.lt(self, other)
    def __le__(self, other: Any) -> Any: return nt.le(self, other)
    def __gt__(self, other: Any) -> Any: return nt.gt(self, other)
    def __ge__(self, other: Any) -> Any: return nt.ge(self, other)
    # == and != compare identity: variables are keys of dictionaries. eq and neq compare elements.

    def __bool__(self) -> bool:
        raise DTypeError(None, f"{self} is symbolic: it is neither true nor false before it is computed",
                         line=user_line(), x=self,
                         fix="choose with nt.switch(condition, x, y); nbgraph.function or .eval(...) gives a value")

    def __len__(self) -> int:
        if self.ndim == 0:
            raise DTypeError(None, f"{self} is 0-d and has no length", line=user_line(), x=self, fix="use x.size")
        if self.type.shape[0] is None:
            raise DTypeError(None, f"the length of {self} is not known before it is computed", line=user_line(), x=self,
                             fix="use x.shape[0], or declare it with shape=(...)")
        return self.type.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise DTypeError(None, f"{self} is 0-d and cannot be iterated over", line=user_line(), x=self,
                             fix="make a vector of it with nt.atleast_1d(x)")
        if self.type.shape[0] is None:
            raise DTypeError(None, f"cannot iterate over {self}: its length is not known before it is computed",
                             line=user_line(), x=self, fix="declare it with shape=(...)")
        return (self[i] for i in range(self.type.shape[0]))

    def __getitem__(self, index: Any) -> Any: return nt.getitem(self, index)
    def take(self, indices: Any, axis: int | None = None, mode: str = "raise") -> Any:
        """Elements at `indices` along `axis`."""
        return nt.take(self, indices, axis, mode)

    # Shape
    def reshape(self, *shape: Any, ndim: int | None = None) -> Any:
        """The same elements in C order with another shape; one length may be -1."""
        return nt.reshape(self, shape[0] if len(shape) == 1 else shape, ndim=ndim)

    def dimshuffle(self, *order: Any) -> Any:
        """Axes in a new order; "x" is a new axis of length 1."""
        return nt.dimshuffle(self, *order)

    def flatten(self, ndim: int = 1) -> Any:
        """The elements in C order with `ndim` axes, the last holding all that is left."""
        return nt.flatten(self, ndim)

    def ravel(self) -> Any:
        """The elements in C order, one axis."""
        return nt.flatten(self)

    def transpose(self, *axes: Any) -> Any:
        """The axes in a new order; reversed where none is given."""
        return nt.transpose(self, axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """Two axes exchanged."""
        return nt.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Any = None) -> Any:
        """Without axes of length 1."""
        return nt.squeeze(self, axis)

    def repeat(self, repeats: Any, axis: int | None = None) -> Any:
        """Each element `repeats` times along `axis`."""
        return nt.repeat(self, repeats, axis)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        """The elements x[..., i, i + offset]."""
        return nt.diagonal(self, offset, axis1, axis2)

    # Elementwise
    def astype(self, dtype: Any) -> Any:
        """As another dtype."""
        return nt.cast(self, dtype)

    def clip(self, min: Any, max: Any) -> Any:
        """Values outside [min, max] replaced by the bound they pass."""
        return nt.clip(self, min, max)

    def conj(self) -> Any:
        """The complex conjugate; booleans as they are, where the function gives int8: so are NumPy's two."""
        return self if self.dtype == "bool" else nt.conj(self)

    def round(self, decimals: Any = 0, mode: str = "half_to_even") -> Any:
        """To so many decimals; a string is the mode, see nt.round."""
        return nt.round(self, decimals, mode)

    def __round__(self, ndigits: int | None = None) -> Any:
        return nt.round(self, 0 if ndigits is None else ndigits)

    def copy(self, name: str | None = None) -> Any:
        """A variable of the same value."""
        return nt.tensor_copy(self, name)

    def zeros_like(self, dtype: Any = None) -> Any:
        """Zeros of the same shape."""
        return nt.zeros_like(self, dtype=dtype)

    def ones_like(self, dtype: Any = None) -> Any:
        """Ones of the same shape."""
        return nt.ones_like(self, dtype=dtype)

    def fill(self, value: Any) -> Any:
        """`value` in this shape and dtype."""
        return nt.full_like(self, value)

    def nonzero(self) -> Any:
        """The indices of the elements that are not zero, an int64 vector for each axis."""
        return nt.nonzero(self)

    def set(self, value: Any) -> Any:
        """For x[index]: x with these elements replaced."""
        return nt.set_subtensor(self, value)

    def inc(self, value: Any) -> Any:
        """For x[index]: x with `value` added to these elements."""
        return nt.inc_subtensor(self, value)

    # Reductions
    @as_numpy_calls
    def sum(self, axis: Any = None, dtype: Any = None, keepdims: bool = False, acc_dtype: Any = None) -> Any:
        """Sum over `axis`."""
        return nt.sum(self, axis, dtype, keepdims, acc_dtype)

    @as_numpy_calls
    def prod(self, axis: Any = None, dtype: Any = None, keepdims: bool = False, acc_dtype: Any = None) -> Any:
        """Product over `axis`."""
        return nt.prod(self, axis, dtype, keepdims, acc_dtype)

    @as_numpy_calls
    def mean(self, axis: Any = None, dtype: Any = None, keepdims: bool = False, acc_dtype: Any = None) -> Any:
        """Mean over `axis`."""
        return nt.mean(self, axis, dtype, keepdims, acc_dtype)

    @as_numpy_calls
    def var(self, axis: Any = None, ddof: float = 0, keepdims: bool = False, dtype: Any = None,
            acc_dtype: Any = None) -> Any:
        """Variance over `axis`."""
        return nt.var(self, axis, ddof, keepdims, dtype, acc_dtype)

    @as_numpy_calls
    def std(self, axis: Any = None, ddof: float = 0, keepdims: bool = False, dtype: Any = None,
            acc_dtype: Any = None) -> Any:
        """Standard deviation over `axis`."""
        return nt.std(self, axis, ddof, keepdims, dtype, acc_dtype)

    @as_numpy_calls
    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Largest element over `axis`."""
        return nt.max(self, axis, keepdims)

    @as_numpy_calls
    def min(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Smallest element over `axis`."""
        return nt.min(self, axis, keepdims)

    @as_numpy_calls
    def argmax(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Index of the largest element along `axis`."""
        return nt.argmax(self, axis, keepdims)

    @as_numpy_calls
    def argmin(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Index of the smallest element along `axis`."""
        return nt.argmin(self, axis, keepdims)

    @as_numpy_calls
    def all(self, axis: Any = None, keepdims: bool = False) -> Any:
        """True where all elements along `axis` are."""
        return nt.all(self, axis, keepdims)

    @as_numpy_calls
    def any(self, axis: Any = None, keepdims: bool = False) -> Any:
        """True where an element along `axis` is."""
        return nt.any(self, axis, keepdims)

    @as_numpy_calls
    def cumsum(self, axis: int | None = None, dtype: Any = None) -> Any:
        """Sums of the elements up to each place."""
        return nt.cumsum(self, axis, dtype)

    @as_numpy_calls
    def cumprod(self, axis: int | None = None, dtype: Any = None) -> Any:
        """Products of the elements up to each place."""
        return nt.cumprod(self, axis, dtype)

    def norm(self, L: Any = 2, axis: Any = None, keepdims: bool = False) -> Any:
        """sum(|x|**L) ** (1 / L) over `axis`."""
        return nt.norm(self, L, axis, keepdims)

    def dot(self, other: Any) -> Any:
        """Matrix product, inner product of vectors."""
        return nt.dot(self, other)

    def trace(self) -> Any:
        """Sum of the diagonal."""
        return nt.trace(self)


class TensorVariable(TensorOperators, Variable):
    """A symbolic array."""

    __slots__ = ()
    type: TensorType


class TensorConstant(TensorOperators, Constant):
    """An array that is known when the graph is built."""

    __slots__ = ("_signature",)
    type: TensorType
    _signature: tuple[str, tuple[int, ...], bytes]

    def signature(self) -> Any:
        """dtype, shape and bytes: equal for arrays that are equal bit by bit."""
        try:
            return self._signature
        except AttributeError:
            self._signature = (self.data.dtype.str, self.data.shape, self.data.tobytes())
            return self._signature

    def __str__(self) -> str:
        if self.name is not None:
            return self.name
        if self.data.ndim == 0:
            return str(self.data.item())
        text = np.array2string(self.data, threshold=6, precision=4, separator=", ").replace("\n", "")
        return text if len(text) < 40 else f"constant {self.type}"


TensorType.variable_type = TensorVariable
TensorType.constant_type = TensorConstant
