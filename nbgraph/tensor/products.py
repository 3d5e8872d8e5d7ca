"""NumPy's products as functions: dot, matmul, tensordot, inner, outer, vdot, kron and their batched forms.

    tensordot(x, y, axes=(1, 0))     x and y as matrices (transposed, reshaped), one Dot, the result reshaped

Each is a Dot or BatchedDot between views, or an elementwise product where nothing is summed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import nbgraph.tensor as nt
from nbgraph.errors import ShapeError
from nbgraph.graph.source import user_line
from nbgraph.tensor.linear import BatchedDot, Dot
from nbgraph.tensor.purpose import Purpose, made_for, purpose
from nbgraph.tensor.shape_functions import normalize_axis, product_of_lengths, whole_number


def dot(x: Any, y: Any) -> Any:
    """NumPy's dot: the matrix product, the inner product of vectors, x * y where one is 0-d.

    With more axes: z[i…, j…, m] = sum_k x[i…, k] y[j…, k, m].

    Returns
    -------
    tensor    of the common dtype, x.shape[:-1] + y.shape without its last but one axis

    Raises
    ------
    ShapeError   the summed lengths differ (when built where known, else at run time)
    """
    x, y = nt.as_tensor_variable(x), nt.as_tensor_variable(y)
    if x.type.ndim == 0 or y.type.ndim == 0:
        return nt.mul(x, y)
    if x.type.ndim <= 2 and y.type.ndim <= 2:
        return Dot()(x, y)
    return _tensordot("dot", x, y, ([-1], [max(y.type.ndim - 2, 0)]))


def matmul(x: Any, y: Any) -> Any:
    """NumPy's matmul, x @ y: the product of the last two axes, matrix by matrix; the axes before them broadcast.

    A vector is a row on the left, a column on the right, and the axis that this adds goes again.

    Raises
    ------
    ShapeError   a 0-d operand; lengths that differ or do not broadcast (when built where known, else at run time)
    """
    x, y = nt.as_tensor_variable(x), nt.as_tensor_variable(y)
    if x.type.ndim == 0 or y.type.ndim == 0:
        raise ShapeError("matmul", "a 0-d operand has no axis to sum over", line=user_line(), x=x, y=y, fix="use x * y")
    if x.type.ndim <= 2 and y.type.ndim <= 2:
        return Dot()(x, y)
    if y.type.ndim <= 2:
        return _tensordot("matmul", x, y, ([-1], [0]))
    if x.type.ndim > 1:
        return _stacked(x, y)
    z = _stacked(nt.shape_padleft(x), y)
    return nt.dimshuffle(z, *range(z.type.ndim - 2), z.type.ndim - 1)


def _stacked(x: Any, y: Any) -> Any:
    """matmul of at least two axes each, one of them with more."""
    if x.type.ndim == y.type.ndim == 3 and (x.type.shape[0] == 1) == (y.type.shape[0] == 1):
        return BatchedDot()(x, y)
    batch = _batch_lengths(x, y)
    stacks = []
    for v in (x, y):
        matrix = nt.lengths_of(v)[-2:]
        whole = nt.broadcast_to(v, (*batch, *matrix))
        stacks.append(whole if len(batch) == 1 else nt.reshape(whole, (product_of_lengths(batch), *matrix)))
    z = BatchedDot()(*stacks)
    return z if len(batch) == 1 else nt.reshape(z, (*batch, *nt.lengths_of(z)[-2:]))


def _batch_lengths(x: Any, y: Any) -> list[Any]:
    """The lengths that the axes before the last two broadcast to; only a length known to be 1 broadcasts."""
    lengths = []
    for axis in range(-max(x.type.ndim, y.type.ndim), -2):
        varied = [v for v in (x, y) if -axis <= v.type.ndim and v.type.shape[axis] != 1]
        varied.sort(key=lambda v: v.type.shape[axis] is None)
        lengths.append(nt.lengths_of(varied[0])[axis] if varied else nt.constant(1, dtype="int64"))
    return lengths


def batched_dot(x: Any, y: Any) -> Any:
    """z[b] = dot(x[b], y[b]), for matrices, vectors or scalars x[b], y[b]; with more axes as batched_tensordot.

    Raises
    ------
    ShapeError   a 0-d operand; lengths that differ (when built where known, else at run time)
    """
    x, y = nt.as_tensor_variable(x), nt.as_tensor_variable(y)
    if x.type.ndim == 0 or y.type.ndim == 0:
        raise ShapeError("batched_dot", "each operand needs a first axis, which is not summed", line=user_line(),
                         x=x, y=y, fix="give x[b, ...] and y[b, ...]")
    if x.type.ndim == 1 or y.type.ndim == 1:
        return nt.shape_padright(x, max(0, y.type.ndim - x.type.ndim)) * nt.shape_padright(
            y, max(0, x.type.ndim - y.type.ndim))
    return batched_tensordot(x, y, axes=([x.type.ndim - 1], [max(1, y.type.ndim - 2)]))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sum of products over pairs of axes; the other axes of a, then those of b, are left.

    Parameters
    ----------
    axes : int n    the last n axes of a with the first n of b
         or (axes of a, axes of b), each an int or a sequence

    Raises
    ------
    ShapeError   lengths of a pair differ (when built where known, else at run time); an axis that is not there
    """
    return _tensordot("tensordot", nt.as_tensor_variable(a), nt.as_tensor_variable(b), axes)


def _tensordot(name: str, a: Any, b: Any, axes: Any) -> Any:
    """tensordot, for the function `name`."""
    summed_a, summed_b = _pairs(name, a, b, axes, 0)
    return _contract(name, a, b, False, summed_a, summed_b)


def batched_tensordot(x: Any, y: Any, axes: Any = 2) -> Any:
    """z[i] = tensordot(x[i], y[i]); axes are counted in x and y, whose first axis is the one of i.

    Raises
    ------
    ShapeError   lengths differ, or an axis is not there or is the first
    """
    x, y = nt.as_tensor_variable(x), nt.as_tensor_variable(y)
    summed_x, summed_y = _pairs("batched_tensordot", x, y, axes, 1)
    if 0 in summed_x or 0 in summed_y:
        raise ShapeError("batched_tensordot", "the first axis cannot be summed", line=user_line(), x=x, y=y,
                         fix="use nt.tensordot to sum over it")
    return _contract("batched_tensordot", x, y, True, summed_x, summed_y)


def _pairs(name: str, a: Any, b: Any, axes: Any, skip: int) -> tuple[list[int], list[int]]:
    """The axes that are summed, of a and of b; known lengths checked."""
    if isinstance(axes, (list, tuple)):
        given = [list(part) if isinstance(part, (list, tuple)) else [part] for part in axes]
    else:
        count = whole_number(axes, "the number of axes")
        given = [list(range(a.type.ndim - count, a.type.ndim)), list(range(skip, skip + count))]
    if len(given) != 2 or len(given[0]) != len(given[1]):
        raise ShapeError(name, f"axes must name as many axes of a as of b, got {axes}", line=user_line(),
                         a=a, b=b, fix="give an int, or a pair of sequences of the same length")
    left, right = ([normalize_axis(k, v.type.ndim) for k in part] for v, part in zip((a, b), given, strict=True))
    if len(set(left)) < len(left) or len(set(right)) < len(right):
        raise ShapeError(name, f"an axis is summed twice in {axes}", line=user_line(), a=a, b=b,
                         fix="name each axis once, and no more axes than there are")
    for i, j in zip(left, right, strict=True):
        n, m = a.type.shape[i], b.type.shape[j]
        if n is not None and m is not None and n != m:
            raise ShapeError(name, f"axis {i} of a has length {n}, axis {j} of b has length {m}",
                             line=user_line(), a=a, b=b, fix="axes that are summed together must have the same length")
    return left, right


def _contract(name: str, a: Any, b: Any, batched: bool, left: list[int], right: list[int]) -> Any:
    """The sum over `left` of a and `right` of b; where `batched`, their first axes go together and stay."""
    batch = [[0]] if batched else []
    free_a = [k for k in range(batched, a.type.ndim) if k not in left]
    free_b = [k for k in range(batched, b.type.ndim) if k not in right]
    if not left:
        return (nt.shape_padright(a, len(free_b))
                * nt.dimshuffle(b, *range(batched), *["x"] * len(free_a), *range(batched, b.type.ndim)))
    if len(left) > 1:
        b = _with_lengths_of_pairs(name, a, b, left, right)
    groups_a, groups_b = [free_a, left], [right, free_b]
    product = made_for(BatchedDot() if batched else Dot(), _pair_purpose(name, a, b, left, right))
    if batched:
        z = product(_grouped(a, [[0], *groups_a]), _grouped(b, [[0], *groups_b]))
    else:
        z = product(_grouped(a, [group for group in groups_a if group]),
                    _grouped(b, [group for group in groups_b if group]))
    if z.type.ndim == len(batch) + len(free_a) + len(free_b) and len(free_a) < 2 and len(free_b) < 2:
        return z
    lengths_a, lengths_b = nt.lengths_of(a), nt.lengths_of(b)
    return nt.reshape(z, [*lengths_a[:batched], *(lengths_a[k] for k in free_a), *(lengths_b[k] for k in free_b)])


def _pair_purpose(name: str, a: Any, b: Any, left: Sequence[int], right: Sequence[int]) -> Purpose:
    """What to say where the lengths of a pair differ."""
    i, j = (left[0], right[0]) if len(left) == 1 else ("{partner}", "{axis}")
    return purpose(name, f"axis {i} of a has length {{wanted}}, axis {j} of b has {{actual}}",
                   "axes that are summed together must have the same length", dict(zip(right, left, strict=True)),
                   a=a, b=b)


def _with_lengths_of_pairs(name: str, a: Any, b: Any, left: Sequence[int], right: Sequence[int]) -> Any:
    """b, whose summed lengths are checked one by one: their products would not show that (2, 6) is not (3, 4)."""
    wanted: list[Any] = [None] * b.type.ndim
    for i, j in zip(left, right, strict=True):
        if a.type.shape[i] is None or b.type.shape[j] is None:
            wanted[j] = nt.lengths_of(a)[i]
    return nt.specify_shape(b, wanted, _pair_purpose(name, a, b, left, right))


def _grouped(x: Any, groups: Sequence[Sequence[int]]) -> Any:
    """x with its axes in the order of the groups, and every group made one axis (of length 1 where it is empty)."""
    ordered = nt.dimshuffle(x, *(axis for group in groups for axis in group))
    if all(len(group) == 1 for group in groups):
        return ordered
    lengths = nt.lengths_of(x)
    return nt.reshape(ordered, [product_of_lengths([lengths[axis] for axis in group]) for group in groups])


def outer(x: Any, y: Any) -> Any:
    """z[i, j] = x[i] y[j]; operands are flattened."""
    return nt.dimshuffle(nt.flatten(x), 0, "x") * nt.dimshuffle(nt.flatten(y), "x", 0)


def inner(x: Any, y: Any) -> Any:
    """The sum over the last axes of x and y; x * y where one is 0-d.

    Raises
    ------
    ShapeError   the last lengths differ (when built where known, else at run time)
    """
    x, y = nt.as_tensor_variable(x), nt.as_tensor_variable(y)
    if x.type.ndim == 0 or y.type.ndim == 0:
        return nt.mul(x, y)
    return _tensordot("inner", x, y, ([-1], [-1]))


def vdot(x: Any, y: Any) -> Any:
    """sum conj(x) y over all elements, both flattened.

    Raises
    ------
    ShapeError   the numbers of elements differ (when built where known, else at run time)
    """
    return Dot()(nt.flatten(nt.conj(x)), nt.flatten(y))


def matrix_dot(*matrices: Any) -> Any:
    """The product of several matrices, from left to right."""
    if not matrices:
        raise TypeError("matrix_dot takes at least one matrix")
    return reduce(dot, matrices[1:], nt.as_tensor_variable(matrices[0]))


def kron(x: Any, y: Any) -> Any:
    """The Kronecker product: z[i m + k, j n + l] = x[i, j] y[k, l] for y of shape (m, n), and so for other ranks.

    Returns
    -------
    tensor    of the larger rank; each length is the product of theirs
    """
    x, y = nt.as_tensor_variable(x), nt.as_tensor_variable(y)
    ndim = max(x.type.ndim, y.type.ndim)
    x, y = (nt.shape_padleft(v, ndim - v.type.ndim) for v in (x, y))
    blocks = (nt.dimshuffle(x, *(axis for k in range(ndim) for axis in (k, "x")))
              * nt.dimshuffle(y, *(axis for k in range(ndim) for axis in ("x", k))))
    lengths = zip(nt.lengths_of(x), nt.lengths_of(y), strict=True)
    return nt.reshape(blocks, [product_of_lengths(pair) for pair in lengths])
