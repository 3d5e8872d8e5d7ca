"""NumPy's reductions on symbolic arrays: sum, prod, max, mean, var, argmax, cumsum …

    sum(x, axis=1, keepdims=True)     float64[?, ?] -> float64[?, 1]

They build the Ops of `reduction` and decide the dtypes. Where NumPy would add up float32 in float32, the accumulator is
float64: results are rounded once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.tensor import dtypes
from nbgraph.tensor.reduction import ArgReduce, Cumulative, Reduce
from nbgraph.tensor.shape_functions import normalize_axes, normalize_axis


def sum(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, acc_dtype: Any = None) -> Any:
    """The sum of x over `axis`; 0 over no elements.

    Parameters
    ----------
    x : tensor
    axis : None (all), int or several
    dtype : dtype, optional       of the result; default that of x, bool and small integers as int64 or uint64
    keepdims : bool               reduced axes stay, with length 1
    acc_dtype : dtype, optional   to add up in; default `dtype`, float64 for float32, complex128 for complex64

    Raises
    ------
    ShapeError   no such axis
    DTypeError   complex elements added up in a real dtype
    """
    return _accumulate("sum", x, axis, dtype, keepdims, acc_dtype)


def prod(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, acc_dtype: Any = None) -> Any:
    """The product of x over `axis`; 1 over no elements. Parameters and errors as for `sum`.

    The gradient is right where elements are zero, in every order.
    """
    return _accumulate("prod", x, axis, dtype, keepdims, acc_dtype)


def _accumulate(kind: str, x: Any, axis: Any, dtype: Any, keepdims: bool, acc_dtype: Any) -> Any:
    x = nt.as_tensor_variable(x)
    axes = normalize_axes(axis, x.type.ndim)
    result = _sum_dtype(x.type.dtype) if dtype is None else dtypes.canonical(dtype)
    if result == "bool":
        return (any if kind == "sum" else all)(x, axes, keepdims)
    working = _wide(result) if acc_dtype is None else dtypes.canonical(acc_dtype)
    return _with_axes(Reduce(kind, axes, result, working)(x), axes, keepdims)


def _sum_dtype(dtype: str) -> str:
    """What NumPy gives for sums of `dtype`."""
    return np.dtype(np.sum(np.zeros(0, dtype)).dtype).name


def _wide(dtype: str) -> str:
    return {"float32": "float64", "complex64": "complex128"}.get(dtype, dtype)


def _with_axes(reduced: Any, axes: Sequence[int], keepdims: bool) -> Any:
    return nt.expand_dims(reduced, axes) if keepdims and axes else reduced


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element of x over `axis`; NaN where there is one. Elements that tie share the gradient equally.

    Raises
    ------
    ShapeError         no such axis
    ValueDomainError   over no elements, at run time
    """
    return _extremum("max", x, axis, keepdims)


def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest element of x over `axis`; NaN where there is one. Elements that tie share the gradient equally.

    Raises
    ------
    ShapeError         no such axis
    ValueDomainError   over no elements, at run time
    """
    return _extremum("min", x, axis, keepdims)


amax, amin = max, min


def _extremum(kind: str, x: Any, axis: Any, keepdims: bool) -> Any:
    x = nt.as_tensor_variable(x)
    axes = normalize_axes(axis, x.type.ndim)
    return _with_axes(Reduce(kind, axes, x.type.dtype, x.type.dtype)(x), axes, keepdims)


def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """True where every element over `axis` is true (not zero): bool."""
    return _logical("all", x, axis, keepdims)


def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """True where an element over `axis` is true (not zero): bool."""
    return _logical("any", x, axis, keepdims)


def _logical(kind: str, x: Any, axis: Any, keepdims: bool) -> Any:
    x = nt.as_tensor_variable(x)
    axes = normalize_axes(axis, x.type.ndim)
    return _with_axes(Reduce(kind, axes, "bool", "bool")(x), axes, keepdims)


def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The index of the first largest element over `axis`, of the first NaN where there is one: int64.

    Several axes (None: all) count as one, flattened in C order.

    Raises
    ------
    ShapeError         no such axis
    ValueDomainError   over no elements, at run time
    """
    return _arg_extremum("argmax", x, axis, keepdims)


def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The index of the first smallest element over `axis`, of the first NaN where there is one: int64.

    Several axes (None: all) count as one, flattened in C order.

    Raises
    ------
    ShapeError         no such axis
    ValueDomainError   over no elements, at run time
    """
    return _arg_extremum("argmin", x, axis, keepdims)


def _arg_extremum(kind: str, x: Any, axis: Any, keepdims: bool) -> Any:
    x = nt.as_tensor_variable(x)
    axes = normalize_axes(axis, x.type.ndim)
    return _with_axes(ArgReduce(kind, axes)(x), axes, keepdims)


def max_and_argmax(x: Any, axis: Any = None, keepdims: bool = False) -> tuple[Any, Any]:
    """(max(x), argmax(x)) over `axis`."""
    return max(x, axis, keepdims), argmax(x, axis, keepdims)


def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """max(x) - min(x) over `axis`."""
    return max(x, axis, keepdims) - min(x, axis, keepdims)


def mean(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, acc_dtype: Any = None) -> Any:
    """sum(x) / n over `axis`; NaN over no elements. bool and integers give float64.

    Parameters as for `sum`; the division is done in `acc_dtype`. As in NumPy, with an integer `dtype` elements are
    added up in that, whose numbers wrap, and the quotient is cut off.
    """
    x = nt.as_tensor_variable(x)
    axes = normalize_axes(axis, x.type.ndim)
    natural = "float64" if dtypes.is_discrete(x.type.dtype) else x.type.dtype
    result = natural if dtype is None else dtypes.canonical(dtype)
    working = _mean_dtype(natural, result) if acc_dtype is None else dtypes.canonical(acc_dtype)
    return _divided(sum(x, axes, working, keepdims, working), _count(x, axes), result)


def _mean_dtype(natural: str, result: str) -> str:
    """What a mean is added up in."""
    if dtypes.is_discrete(result):
        return result
    return dtypes.result_type(_wide(result), natural if dtypes.is_discrete(natural) else result)


def _divided(total: Any, count: Any, result: str) -> Any:
    """total / count as `result`: in float64 for integers, with the imaginary part gone where `result` is discrete."""
    total = nt.cast(total, "float64") if dtypes.is_discrete(total.type.dtype) else total
    return nt.cast(total / nt.cast(count, dtypes.real_of(total.type.dtype)), result)


def _count(x: Any, axes: Sequence[int]) -> Any:
    """The number of elements along `axes`: int64[]."""
    lengths = nt.lengths_of(x)
    return nt.product_of_lengths([lengths[axis] for axis in axes])


def var(x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False, dtype: Any = None,
        acc_dtype: Any = None) -> Any:
    """sum(|x - mean(x)|**2) / (n - ddof) over `axis`: real, float64 for integers.

    NaN over no elements; as in NumPy the divisor is not below 0.

    Parameters
    ----------
    ddof : number
    dtype : dtype, optional       of the mean, the sum and the result
    acc_dtype : dtype, optional   to add up in; default as for `mean`
    """
    x = nt.as_tensor_variable(x)
    axes = normalize_axes(axis, x.type.ndim)
    deviations = x - mean(x, axes, dtype, True, acc_dtype)
    if deviations.type.dtype in dtypes.COMPLEX:
        squares = nt.square(nt.real(deviations)) + nt.square(nt.imag(deviations))
    elif dtypes.is_discrete(deviations.type.dtype):
        squares = deviations * deviations
    else:
        squares = nt.square(deviations)
    if ddof == 0:
        return mean(squares, axes, dtype, keepdims, acc_dtype)
    result = squares.type.dtype if dtype is None else dtypes.canonical(dtype)
    working = _mean_dtype("float64", result) if acc_dtype is None else dtypes.canonical(acc_dtype)
    freedom = nt.maximum(nt.cast(_count(x, axes), "float64") - ddof, 0)
    total = sum(squares, axes, working, keepdims, working)
    return nt.cast(total / freedom, result)


def std(x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False, dtype: Any = None,
        acc_dtype: Any = None) -> Any:
    """sqrt(var(x)) over `axis`, with the parameters of `var`.

    The gradient is 0 where all elements are equal, where the standard deviation has a kink like |x| at 0: the smallest
    of its subgradients, as for `norm`.
    """
    variance = var(x, axis, ddof, keepdims, dtype, acc_dtype)
    return nt.cast(nt.switch(nt.eq(variance, 0), 0, nt.sqrt(variance)), variance.type.dtype)


def norm(x: Any, L: Any = 2, axis: Any = None, keepdims: bool = False) -> Any:
    """sum(|x|**L) ** (1 / L) over `axis`; None (all) takes the array as one vector.

    L=0 counts the elements that are not zero, inf takes the largest |x|, -inf the smallest.

    The gradient is 0 where all elements are 0, where the norm has a kink: the smallest of its subgradients.
    """
    x = nt.as_tensor_variable(x)
    L = 2 if L is None else L
    if isinstance(L, (int, float)) and L in (0, np.inf, -np.inf):
        if L == 0:
            return nt.cast(sum(nt.neq(x, 0), axis, keepdims=keepdims), _norm_dtype(x))
        return (max if L > 0 else min)(nt.abs(x), axis, keepdims)
    size = nt.cast(nt.abs(x), _norm_dtype(x))
    if isinstance(L, (int, float)) and L == 1:
        return sum(size, axis, keepdims=keepdims)
    squared = isinstance(L, (int, float)) and L == 2
    total = sum(nt.square(size) if squared else nt.power(size, L), axis, keepdims=keepdims)
    result = nt.sqrt(total) if squared else nt.power(total, 1.0 / L)
    if isinstance(L, (int, float)) and L < 0:
        return result
    zero = nt.eq(total, 0)
    return nt.switch(zero if isinstance(L, (int, float)) else nt.and_(zero, nt.gt(L, 0)), 0, result)


def _norm_dtype(x: Any) -> str:
    return dtypes.real_of(dtypes.gradient_dtype(x.type.dtype))


def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """x[0] + ... + x[i] at each place along `axis`; None takes the elements in C order.

    bool and small integers give int64 or uint64, as in NumPy, unless `dtype` is given, which x is cast to first.
    """
    return _cumulative("sum", x, axis, dtype)


def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """x[0] * ... * x[i] at each place along `axis`; None takes the elements in C order.

    bool and small integers give int64 or uint64, as in NumPy, unless `dtype` is given, which x is cast to first.
    The gradient is right where elements are zero.
    """
    return _cumulative("prod", x, axis, dtype)


def _cumulative(kind: str, x: Any, axis: int | None, dtype: Any) -> Any:
    x = nt.as_tensor_variable(x)
    if axis is None:
        x, axis = nt.flatten(x), 0
    place = normalize_axis(axis, x.type.ndim)
    wanted = _sum_dtype(x.type.dtype) if dtype is None else dtypes.canonical(dtype)
    if wanted == "bool":
        # Of booleans NumPy's sum is "or", its product "and".
        return nt.neq(_cumulative(kind, nt.cast(x, "bool"), place, None), 0)
    return Cumulative(kind, place)(nt.cast(x, wanted))


def sum_to_like(g: Any, x: Any) -> Any:
    """g summed to the shape of x: the inverse of broadcasting x to the shape of g, for gradients.

    Leading axes that x lacks are summed; axes whose length is known to be 1 in x and not in g are summed and stay.
    """
    extra = g.type.ndim - x.type.ndim
    kept = tuple(axis for axis, n in enumerate(x.type.shape) if n == 1 and g.type.shape[extra + axis] != 1)
    if not extra and not kept:
        return g
    reduced = sum(g, (*range(extra), *(extra + axis for axis in kept)), dtype=g.type.dtype)
    return nt.expand_dims(reduced, kept) if kept else reduced
