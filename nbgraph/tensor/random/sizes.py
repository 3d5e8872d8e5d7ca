"""Sizes of draws, and the shapes that parameters broadcast to.

    normalize_size_param((2, n))       int64[2]: a vector of lengths
    normalize_size_param(None)         int64[0]: as many draws as the parameters say
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, ShapeError
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.shape import MakeVector, as_length, as_lengths, static_length


def normalize_size_param(size: Any) -> Any:
    """`size` as an int64 vector of known length; of length 0 for None, which leaves it to the parameters.

    Parameters
    ----------
    size : None, int, int scalar, tuple or list of these, int vector

    Raises
    ------
    DTypeError   lengths that are no integers
    ShapeError   a negative length, a vector of unknown length, an array of more axes
    """
    if size is None or (isinstance(size, (tuple, list)) and not size):
        return nt.constant(np.zeros(0, "int64"))
    if isinstance(size, Constant) or not (isinstance(size, Variable) or _has_variables(size)):
        return _constant(size.data if isinstance(size, Constant) else size)
    if isinstance(size, Variable) and size.type.ndim == 1:
        if size.type.shape[0] is None:
            raise ShapeError("size", f"the number of axes must be known, got {size} of type {size.type}",
                             line=user_line(), size=size, fix="write specify_shape(size, (2,)), or a tuple of lengths")
        if size.type.dtype not in dtypes.INTEGERS:
            raise DTypeError("size", f"lengths are integers, got {size} of type {size.type}", line=user_line(),
                             size=size, fix="cast it with .astype('int64')")
        return nt.cast(size, "int64")
    lengths = [as_length(size)] if isinstance(size, Variable) else as_lengths(tuple(size))
    _refuse_negative([static_length(n) for n in lengths])
    return MakeVector("int64")(*lengths)


def _has_variables(size: Any) -> bool:
    return isinstance(size, (tuple, list)) and any(isinstance(n, Variable) and not isinstance(n, Constant)
                                                   for n in size)


def _constant(size: Any) -> Any:
    entries = [n.data if isinstance(n, Constant) else n for n in size] if isinstance(size, (tuple, list)) else size
    lengths = np.atleast_1d(np.asarray(entries))
    if lengths.dtype.kind not in "iu" and lengths.size:
        raise DTypeError("size", f"lengths are integers, got {size!r}", line=user_line(), fix="give ints")
    if lengths.ndim != 1:
        raise ShapeError("size", f"one int for each axis, got {size!r}", line=user_line(), fix="give a tuple of ints")
    _refuse_negative(lengths.tolist())
    return nt.constant(lengths.astype("int64"))


def _refuse_negative(lengths: Sequence[int | None]) -> None:
    if any(n is not None and n < 0 for n in lengths):
        shown = tuple("?" if n is None else n for n in lengths)
        raise ShapeError("size", f"negative dimensions are not allowed: {shown}", line=user_line(),
                         fix="lengths are >= 0")


def lengths_of_size(size: Any) -> list[Any]:
    """The entries of a normalised size as int64 scalars: constants where they are known."""
    if isinstance(size, Constant):
        return [nt.constant(n, dtype="int64") for n in size.data.tolist()]
    return as_lengths(size)


def broadcast_params(params: Sequence[Any], ndims_params: Sequence[int]) -> list[Any]:
    """Parameters repeated to the batch axes that they have in common.

    Parameters
    ----------
    params : arrays or variables
    ndims_params : for each, the axes at its end that belong to one draw

    Returns
    -------
    list of arrays where all are arrays, else of variables
    """
    if not any(isinstance(p, Variable) for p in params):
        arrays = [np.asarray(p) for p in params]
        batches = [p.shape[:p.ndim - k] for p, k in zip(arrays, ndims_params, strict=True)]
        whole = np.broadcast_shapes(*batches)
        return [np.broadcast_to(p, whole + p.shape[p.ndim - k:]) for p, k in zip(arrays, ndims_params, strict=True)]
    tensors = [nt.as_tensor_variable(p) for p in params]
    lengths = batch_lengths("broadcast_params", tensors, ndims_params, [nt.lengths_of(p) for p in tensors])
    return [nt.broadcast_to(p, (*lengths, *nt.lengths_of(p)[p.type.ndim - k:]))
            for p, k in zip(tensors, ndims_params, strict=True)]


def batch_shape(op: Any, params: Sequence[Any], ndims: Sequence[int]) -> list[int | None]:
    """The known lengths that the batch axes of parameters broadcast to.

    Raises
    ------
    ShapeError   known lengths that do not broadcast
    """
    batches = [p.type.shape[:p.type.ndim - k] for p, k in zip(params, ndims, strict=True)]
    ndim = max(map(len, batches), default=0)
    shape: list[int | None] = []
    for axis in range(-ndim, 0):
        lengths = [batch[axis] for batch in batches if -axis <= len(batch)]
        known = {n for n in lengths if n is not None and n != 1}
        if len(known) > 1:
            raise ShapeError(op, f"lengths {' and '.join(map(str, sorted(known)))} of axis {axis} of the parameters do "
                             "not broadcast", line=user_line(), **{f"parameter{i}": p for i, p in enumerate(params)},
                             fix="lengths must be equal or 1")
        shape.append(known.pop() if known else 1 if all(n == 1 for n in lengths) else None)
    return shape


def batch_lengths(op: Any, params: Sequence[Any], ndims: Sequence[int], shapes: Sequence[Any]) -> list[Any]:
    """The lengths that the batch axes broadcast to, as what `shapes` has: the first that is not known to be 1."""
    found: list[Any] = []
    for axis, known in zip(range(-len(static := batch_shape(op, params, ndims)), 0), static, strict=True):
        if known is not None:
            found.append(nt.constant(known, dtype="int64"))
            continue
        for p, k, shape in zip(params, ndims, shapes, strict=True):
            batch = shape[:len(shape) - k]
            if -axis <= len(batch) and p.type.shape[:p.type.ndim - k][axis] is None:
                found.append(batch[axis])
                break
    return found


def lengths_error(node: Apply, params: Sequence[Any], axis: int, found: set[int], shapes: Sequence[Sequence[int]],
                  size: Sequence[int] | None) -> ShapeError:
    """The error for lengths of an axis (negative) that differ at run time."""
    shown = ", ".join(str(tuple(shape)) for shape in shapes)
    different = " and ".join(map(str, sorted(found)))
    return ShapeError(node.op, f"lengths {different} of axis {axis} do not broadcast: parameters of shape {shown}"
                      + ("" if size is None else f", size {tuple(size)}"), line=node.line,
                      **{f"parameter{i}": p for i, p in enumerate(params)},
                      fix="a length broadcasts only where it is known to be 1 when the graph is built")


def check_batches(node: Apply, params: Sequence[Any], ndims: Sequence[int], values: Sequence[Any],
                  size: tuple[int, ...] | None) -> tuple[int, ...]:
    """The batch shape at run time: `size`, or what the parameters broadcast to.

    Raises
    ------
    ShapeError   a length that is not known to be 1 and is not that of the others
    """
    batches = [np.shape(value)[:np.ndim(value) - k] for value, k in zip(values, ndims, strict=True)]
    ndim = len(size) if size is not None else max(map(len, batches), default=0)
    shape = []
    for axis in range(-ndim, 0):
        found = {batch[axis] for p, k, batch in zip(params, ndims, batches, strict=True)
                 if -axis <= len(batch) and p.type.shape[:p.type.ndim - k][axis] != 1}
        found |= set() if size is None else {size[axis]}
        if len(found) > 1:
            raise lengths_error(node, params, axis, found, [np.shape(value) for value in values], size)
        shape.append(found.pop() if found else 1)
    return tuple(shape)
