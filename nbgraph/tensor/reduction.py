"""Ops that reduce or run along axes: Reduce, ArgReduce, Cumulative, LinearRecurrence. Functions: `reductions`.

    Reduce("sum", axes=(1,), dtype="float32", acc_dtype="float64")(x)     z[i] = sum over j of x[i, j]

Reduced axes are gone from the result; the functions add them again where `keepdims` asks for it. LinearRecurrence
(s[i] = a[i] * s[i - 1] + b[i]) is what the gradients of cumulative products need, and its own gradients are such again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, ShapeError, ValueDomainError
from nbgraph.graph.basic import Apply
from nbgraph.graph.expression import Written, call
from nbgraph.graph.null_type import DisconnectedType
from nbgraph.graph.op import Op
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.masked import Support, pulled_back, support, times
from nbgraph.tensor.type import TensorType

NUMPY_REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": np.sum, "prod": np.prod, "max": np.max, "min": np.min, "all": np.all, "any": np.any}


class Reduce(Op):
    """`kind` ("sum", "prod", "max", "min", "all", "any") of x over `axes`, which the result lacks.

    Elements are converted to `acc_dtype`, combined in it, and the result is converted to `dtype`. For "max" and "min"
    both are the dtype of x, for "all" and "any" both are bool. NaN wins every "max" and "min", as in NumPy.
    With `of_nothing` the "max" of no real floats is -inf, the "min" inf, as for NumPy's initial=-inf.

    Raises (at run time)
    --------------------
    ValueDomainError   "max" or "min" over no elements, without `of_nothing`
    """

    __props__ = ("kind", "axes", "dtype", "acc_dtype", "of_nothing")

    def __init__(self, kind: str, axes: Sequence[int], dtype: str, acc_dtype: str, of_nothing: bool = False) -> None:
        assert kind in NUMPY_REDUCTIONS, f"no reduction {kind!r}"
        assert not of_nothing or (kind in ("max", "min") and dtype in dtypes.FLOATS), "of_nothing: max, min of floats"
        self.kind, self.axes, self.dtype, self.acc_dtype = kind, tuple(axes), dtype, acc_dtype
        self.of_nothing = of_nothing
        assert list(self.axes) == sorted(set(self.axes)), f"axes must be sorted and distinct, got {self.axes}"

    def __str__(self) -> str:
        return f"{self.kind}{{{', '.join(map(str, self.axes))}}}"

    def make_node(self, x: Any) -> Apply:
        x = _operand(self, x, self.axes)
        lossy = [(given, kept) for given, kept in ((x.type.dtype, self.acc_dtype), (self.acc_dtype, self.dtype))
                 if given in dtypes.COMPLEX and kept not in (*dtypes.COMPLEX, "bool")]
        if lossy:
            raise DTypeError(self, "of {} cannot be computed in {}: the imaginary part would be lost".format(*lossy[0]),
                             line=user_line(), x=x, fix="take real(x) or abs(x) first")
        return Apply(self, [x], [TensorType(self.dtype, _without(x.type.shape, self.axes))()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        (x,) = inputs
        options: dict[str, Any] = {"dtype": self.acc_dtype} if self.kind in ("sum", "prod") else {}
        if self.of_nothing:
            options["initial"] = -np.inf if self.kind == "max" else np.inf
        elif self.kind in ("max", "min"):
            check_not_empty(node, x.shape)
        with np.errstate(all="ignore"):
            result = NUMPY_REDUCTIONS[self.kind](x, axis=self.axes, **options)
            output_storage[0][0] = np.asarray(result).astype(self.dtype, copy=False)

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        return [_without(shapes[0], self.axes)]

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        return self.L_op(inputs, [self(*inputs)], output_gradients)

    def L_op(self, inputs: Sequence[Any], outputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        """`grad` in terms of the output that is there."""
        (x,), (z,), (g,) = inputs, outputs, output_gradients
        if isinstance(g.type, DisconnectedType):
            return [DisconnectedType()()]
        if dtypes.is_discrete(self.dtype) or dtypes.is_discrete(self.acc_dtype):
            return [zero_gradient(x)]
        if self.kind == "sum":
            return [spread(as_gradient_of(x, g), self.axes, x)]
        if self.kind == "prod":
            others = products_of_others(nt.cast(x, self.acc_dtype), self.axes)
            wide = nt.expand_dims(nt.cast(g, self.acc_dtype), self.axes)
            return [as_gradient_of(x, times(wide, nt.conj(others)))]
        # Ties share the gradient equally; where the extremum is NaN, nothing is equal to it and the gradient is 0.
        ties = nt.eq(x, nt.expand_dims(z, self.axes))
        count = nt.cast(nt.sum(ties, self.axes), dtypes.real_of(g.type.dtype))
        (each,) = pulled_back(g, lambda inner, n: (inner / n,), count)
        return [as_gradient_of(x, nt.switch(ties, nt.expand_dims(each, self.axes), 0))]

    def support(self, node: Apply, support_of: Support) -> Any:
        """A sum is zero where all that it adds is."""
        some = support_of(node.inputs[0]) if self.kind == "sum" else None
        return None if some is None else nt.any(some, self.axes)

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """The reduction is moved by `eval_points[0]` at the rate of its derivative."""
        (x,), (point,) = inputs, eval_points
        if point is None or dtypes.is_discrete(self.dtype) or dtypes.is_discrete(self.acc_dtype):
            return [None]
        if self.kind == "sum":
            return [self(point)]
        if self.kind == "prod":
            terms = products_of_others(nt.cast(x, self.acc_dtype), self.axes) * nt.cast(point, self.acc_dtype)
            return [nt.cast(nt.sum(terms, self.axes), self.dtype)]
        ties = nt.eq(x, nt.expand_dims(self(x), self.axes))
        count = nt.cast(nt.sum(ties, self.axes), dtypes.real_of(point.type.dtype))
        return [nt.sum(nt.switch(ties, point, 0), self.axes) / count]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """sum(x), sum(x, axis=0)"""
        return call(self.kind, *arguments, axis=_axes_text(self.axes, node.inputs[0].type.ndim))

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        """One operation an element."""
        return int(np.prod(inputs[0], dtype=np.int64))


class ArgReduce(Op):
    """The index of the largest ("argmax") or smallest ("argmin") element over `axes`, flattened in C order: int64.

    The first of equal elements; the first NaN where there is one.

    Raises (at run time)
    --------------------
    ValueDomainError   over no elements
    """

    __props__ = ("kind", "axes")

    def __init__(self, kind: str, axes: Sequence[int]) -> None:
        assert kind in ("argmax", "argmin"), f"no reduction {kind!r}"
        self.kind, self.axes = kind, tuple(axes)
        assert list(self.axes) == sorted(set(self.axes)), f"axes must be sorted and distinct, got {self.axes}"

    def __str__(self) -> str:
        return f"{self.kind}{{{', '.join(map(str, self.axes))}}}"

    def make_node(self, x: Any) -> Apply:
        x = _operand(self, x, self.axes)
        return Apply(self, [x], [TensorType("int64", _without(x.type.shape, self.axes))()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        (x,) = inputs
        check_not_empty(node, x.shape)
        kept = tuple(axis for axis in range(x.ndim) if axis not in self.axes)
        shape = [*(x.shape[axis] for axis in kept), _count(x.shape, self.axes)]
        rows = np.transpose(x, (*kept, *self.axes)).reshape(shape)
        output_storage[0][0] = np.asarray((np.argmax if self.kind == "argmax" else np.argmin)(rows, axis=-1), "int64")

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        return [_without(shapes[0], self.axes)]

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        if isinstance(output_gradients[0].type, DisconnectedType):
            return [DisconnectedType()()]
        return [zero_gradient(inputs[0])]

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """An index does not move with the elements."""
        return [None]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """argmax(x), argmax(x, axis=0)"""
        return call(self.kind, *arguments, axis=_axes_text(self.axes, node.inputs[0].type.ndim))


class Cumulative(Op):
    """Sums or products of the elements up to each place along `axis`, in the dtype of x.

    z[i] = x[0] + ... + x[i], or x[0] * ... * x[i]. The functions cast bool and small integers first, as NumPy does.
    """

    __props__ = ("kind", "axis")

    def __init__(self, kind: str, axis: int) -> None:
        assert kind in ("sum", "prod"), f"nothing cumulative is named {kind!r}"
        self.kind, self.axis = kind, axis

    def __str__(self) -> str:
        return f"cum{self.kind}{{{self.axis}}}"

    def make_node(self, x: Any) -> Apply:
        x = _operand(self, x, (self.axis,))
        return Apply(self, [x], [x.type.clone()()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        (x,) = inputs
        with np.errstate(all="ignore"):
            run = np.cumsum if self.kind == "sum" else np.cumprod
            output_storage[0][0] = run(x, axis=self.axis, dtype=x.dtype)

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        return [tuple(shapes[0])]

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        return self.L_op(inputs, [self(*inputs)], output_gradients)

    def L_op(self, inputs: Sequence[Any], outputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        """`grad` in terms of the output that is there."""
        (x,), (z,), (g,) = inputs, outputs, output_gradients
        if isinstance(g.type, DisconnectedType):
            return [DisconnectedType()()]
        if dtypes.is_discrete(x.type.dtype):
            return [zero_gradient(x)]
        if self.kind == "sum":
            return [flip(self(flip(g, self.axis)), self.axis)]
        # z[k] = x[0] ... x[k], so gx[i] = (product before i) * r[i] with r[i] = g[i] + x[i + 1] * r[i + 1].
        before = shifted(z, self.axis, 1)
        return [times(backward_recurrence(nt.conj(x), g, self.axis), nt.conj(before))]

    def support(self, node: Apply, support_of: Support) -> Any:
        """A sum is zero up to the first element that is not."""
        some = support_of(node.inputs[0]) if self.kind == "sum" else None
        return None if some is None else nt.gt(self(nt.cast(some, "int64")), 0)

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """z'[i] = z'[i - 1] + x'[i], or z'[i] = x[i] * z'[i - 1] + x'[i] * z[i - 1]."""
        (x,), (point,) = inputs, eval_points
        if point is None or dtypes.is_discrete(x.type.dtype):
            return [None]
        if self.kind == "sum":
            return [self(point)]
        return [LinearRecurrence(self.axis)(x, point * shifted(self(x), self.axis, 1))]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """cumsum(x), cumsum(x, axis=1)"""
        return call(f"cum{self.kind}", *arguments, axis=_axes_text((self.axis,), node.inputs[0].type.ndim))


class LinearRecurrence(Op):
    """s[i] = a[i] * s[i - 1] + b[i] along `axis`, s[-1] = 0, for `a` and `b` of equal shape and dtype.

    Raises
    ------
    ShapeError   the shapes differ (when built where known, else at run time)
    """

    __props__ = ("axis",)

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def __str__(self) -> str:
        return f"linear_recurrence{{{self.axis}}}"

    def make_node(self, a: Any, b: Any) -> Apply:
        a, b = _operand(self, a, (self.axis,)), nt.as_tensor_variable(b)
        if a.type.ndim != b.type.ndim or any(n is not None and m is not None and n != m
                                             for n, m in zip(a.type.shape, b.type.shape, strict=False)):
            raise ShapeError(self, f"needs equal shapes, got {a.type} and {b.type}", line=user_line(), a=a, b=b,
                             fix="broadcast one to the shape of the other with broadcast_to")
        dtype = dtypes.result_type(a.type.dtype, b.type.dtype)
        shape = [m if n is None else n for n, m in zip(a.type.shape, b.type.shape, strict=True)]
        return Apply(self, [nt.cast(a, dtype), nt.cast(b, dtype)], [TensorType(dtype, shape)()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        a, b = inputs
        check_equal_shapes(node, a.shape, b.shape)
        factors, result = np.moveaxis(a, self.axis, 0), b.copy()
        terms = np.moveaxis(result, self.axis, 0)
        with np.errstate(all="ignore"):
            for i in range(1, len(terms)):
                terms[i] += factors[i] * terms[i - 1]
        output_storage[0][0] = result

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        known = node.outputs[0].type.shape
        return [tuple(n if m is None else m for n, m in zip(shapes[0], known, strict=True))]

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        return self.L_op(inputs, [self(*inputs)], output_gradients)

    def L_op(self, inputs: Sequence[Any], outputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        """`grad` in terms of the output that is there."""
        (a, b), (s,), (g,) = inputs, outputs, output_gradients
        if isinstance(g.type, DisconnectedType):
            return [DisconnectedType()(), DisconnectedType()()]
        if dtypes.is_discrete(s.type.dtype):
            return [zero_gradient(a), zero_gradient(b)]
        gb = backward_recurrence(nt.conj(a), g, self.axis)
        return [times(gb, nt.conj(shifted(s, self.axis, 0))), gb]

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """s'[i] = a[i] * s'[i - 1] + a'[i] * s[i - 1] + b'[i]."""
        (a, b), (to_a, to_b) = inputs, eval_points
        s = self(a, b)
        if (to_a is None and to_b is None) or dtypes.is_discrete(s.type.dtype):
            return [None]
        moved = nt.zeros_like(b) if to_b is None else to_b
        if to_a is not None:
            moved = moved + to_a * shifted(s, self.axis, 0)
        return [self(a, moved)]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """linear_recurrence(a, b), linear_recurrence(a, b, axis=1)"""
        return call("linear_recurrence", *arguments, axis=_axes_text((self.axis,), node.inputs[0].type.ndim))


def backward_recurrence(a: Any, g: Any, axis: int) -> Any:
    """r[i] = g[i] + a[i + 1] * r[i + 1] along `axis`, from the end; zero where a condition makes all of g zero."""
    r = flip(LinearRecurrence(axis)(shifted(flip(a, axis), axis, 0), flip(g, axis)), axis)
    some = support(g)
    return r if some is None else nt.switch(nt.any(some, axis, keepdims=True), r, 0)


def flip(x: Any, axis: int) -> Any:
    """x with `axis` (>= 0) reversed: a view."""
    return nt.getitem(x, (slice(None),) * axis + (slice(None, None, -1),))


def shifted(x: Any, axis: int, first: float) -> Any:
    """x moved by one place along `axis` (>= 0), `first` in the place that is free: first, x[0], ..., x[n - 2]."""
    whole = (slice(None),) * axis
    tail = nt.getitem(nt.full_like(x, first), (*whole, slice(1, None)))
    return nt.set_subtensor(tail, nt.getitem(x, (*whole, slice(None, -1))))


def products_of_others(x: Any, axes: tuple[int, ...]) -> Any:
    """For each element of x, the product of all others over `axes`: right with zeros, and without a division.

    Products before and products after each place, along the axes in C order.
    """
    kept = tuple(axis for axis in range(x.type.ndim) if axis not in axes)
    order = (*kept, *axes)
    moved = nt.dimshuffle(x, *order)
    lengths, last = nt.lengths_of(moved), len(kept)
    line = nt.reshape(moved, (*lengths[:last], nt.product_of_lengths(lengths[last:])))
    before = shifted(Cumulative("prod", last)(line), last, 1)
    after = flip(shifted(Cumulative("prod", last)(flip(line, last)), last, 1), last)
    return nt.dimshuffle(nt.reshape(before * after, lengths), *(order.index(axis) for axis in range(x.type.ndim)))


def spread(g: Any, axes: Sequence[int], x: Any) -> Any:
    """g, which lacks `axes`, repeated along them to the shape of x."""
    kept = iter(range(g.type.ndim))
    return nt.broadcast_to(nt.dimshuffle(g, *("x" if axis in axes else next(kept) for axis in range(x.type.ndim))),
                           nt.lengths_of(x))


def zero_gradient(x: Any) -> Any:
    """Zeros in the shape and the gradient dtype of x."""
    return nt.zeros_like(x, dtype=dtypes.gradient_dtype(x.type.dtype))


def as_gradient_of(x: Any, term: Any) -> Any:
    """`term` in the dtype that a gradient with respect to x has; the real part where x is real."""
    wanted = dtypes.gradient_dtype(x.type.dtype)
    if term.type.dtype in dtypes.COMPLEX and wanted not in dtypes.COMPLEX:
        term = nt.real(term)
    return nt.cast(term, wanted)


def check_not_empty(node: Apply, shape: Sequence[int]) -> None:
    """ValueDomainError where the axes that `node` reduces hold no element."""
    op: Any = node.op
    if any(shape[axis] == 0 for axis in op.axes):
        raise empty_reduction_error(node, shape)


def empty_reduction_error(node: Apply, shape: Sequence[int]) -> ValueDomainError:
    """The error for the largest or smallest of no elements, at run time."""
    op: Any = node.op
    return ValueDomainError(op, f"{op.kind} of no elements: shape {tuple(shape)} reduced over axes {op.axes}",
                            line=node.line, x=node.inputs[0],
                            fix="join the array with a value that may be the result: nt.concatenate([x, [...]])")


def check_equal_shapes(node: Apply, first: Sequence[int], second: Sequence[int]) -> None:
    """ShapeError unless the two inputs of `node` have the same shape."""
    if tuple(first) != tuple(second):
        raise unequal_shapes_error(node, first, second)


def unequal_shapes_error(node: Apply, first: Sequence[int], second: Sequence[int]) -> ShapeError:
    """The error for two inputs whose shapes differ at run time."""
    return ShapeError(node.op, f"needs equal shapes, got {tuple(first)} and {tuple(second)}", line=node.line,
                      a=node.inputs[0], b=node.inputs[1], fix="pass arrays of one shape")


def _operand(op: Op, x: Any, axes: Sequence[int]) -> Any:
    x = nt.as_tensor_variable(x)
    beyond = [axis for axis in axes if not 0 <= axis < x.type.ndim]
    if beyond:
        raise ShapeError(op, f"{x} has {x.type.ndim} axes, there is no axis {beyond[0]}", line=user_line(), x=x,
                         fix=f"name axes from 0 to {x.type.ndim - 1}")
    return x


def _axes_text(axes: tuple[int, ...], ndim: int) -> Any:
    """Axes for a person to read: None for all of them, an int for one."""
    if len(axes) == ndim:
        return None
    return axes[0] if len(axes) == 1 else axes


def _without(shape: Sequence[Any], axes: Sequence[int]) -> tuple[Any, ...]:
    return tuple(n for axis, n in enumerate(shape) if axis not in axes)


def _count(shape: Sequence[int], axes: Sequence[int]) -> int:
    return int(np.prod([shape[axis] for axis in axes], dtype=np.int64))
