"""Functions of machine learning: logsumexp, softmax, log_softmax, relu.

    softmax(x, axis=-1)     e / sum(e, axis=-1, keepdims=True) with e = exp(x - max(x, axis=-1, keepdims=True))

They are written out in exp, log, sum and max, so that they fuse with what is round them. The maximum that is taken out
changes no result, so no gradient goes through it: HeldConstant says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import nbgraph.tensor as nt
from nbgraph.graph.basic import Apply
from nbgraph.graph.expression import Written
from nbgraph.graph.null_type import DisconnectedType
from nbgraph.graph.op import Op
from nbgraph.tensor import dtypes


class HeldConstant(Op):
    """x, which derivatives take as a constant: for a term that cancels, so that its derivative is 0 as a whole."""

    __props__ = ()
    view_map = {0: [0]}  # noqa: RUF012

    def __str__(self) -> str:
        return "held_constant"

    def make_node(self, x: Any) -> Apply:
        x = nt.as_tensor_variable(x)
        return Apply(self, [x], [x.type.clone()()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        output_storage[0][0] = inputs[0]

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        return [tuple(shapes[0])]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Not connected, for derivatives."""
        return [[False]]

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        return [DisconnectedType()()]

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """A constant does not move."""
        return [None]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """x: the value is the same"""
        return arguments[0]


def _as_float(x: Any) -> Any:
    x = nt.as_tensor_variable(x)
    return nt.cast(x, dtypes.gradient_dtype(x.type.dtype))


def _largest(x: Any, axis: Any) -> Any:
    """max(x) over `axis`, which stays; by the real part for complex numbers."""
    real = nt.real(x) if x.type.dtype in dtypes.COMPLEX else x
    return HeldConstant()(nt.max(real, axis, keepdims=True))


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) over `axis`, without overflow; -inf where every element is -inf, inf where one is inf.

    Parameters
    ----------
    x : tensor; integers count as float64
    axis : None (all), int or several
    keepdims : bool    reduced axes stay, with length 1

    Raises
    ------
    ShapeError         no such axis
    ValueDomainError   over no elements, at run time

    Notes
    -----
    The largest element is taken out first: Blanchard, Higham & Higham, IMA J. Numer. Anal. 41 (2021).
    """
    x = _as_float(x)
    axes = nt.normalize_axes(axis, x.type.ndim)
    largest = _largest(x, axes)
    # inf - inf would be NaN: an infinite maximum stays in.
    shift = nt.switch(nt.isfinite(largest), largest, 0)
    total = nt.log(nt.sum(nt.exp(x - shift), axes, keepdims=True)) + shift
    return total if keepdims else nt.squeeze(total, axes)


def softmax(x: Any, axis: Any = None) -> Any:
    """exp(x) / sum(exp(x)) over `axis`, without overflow; NaN where an element is inf or all are -inf.

    Parameters
    ----------
    x : tensor; integers count as float64
    axis : None (all, as in SciPy), int or several

    Raises
    ------
    ShapeError         no such axis
    ValueDomainError   over no elements, at run time
    """
    x = _as_float(x)
    e = nt.exp(x - _largest(x, axis))
    return e / nt.sum(e, axis, keepdims=True)


def log_softmax(x: Any, axis: Any = None) -> Any:
    """x - log(sum(exp(x))) over `axis`, without overflow. Parameters and errors as for `softmax`."""
    x = _as_float(x)
    shifted = x - _largest(x, axis)
    return shifted - nt.log(nt.sum(nt.exp(shifted), axis, keepdims=True))


def relu(x: Any, alpha: Any = 0) -> Any:
    """x where x > 0, alpha * x elsewhere; the derivative at 0 is alpha.

    Parameters
    ----------
    x : tensor
    alpha : number or tensor that broadcasts    the slope below 0
    """
    x = nt.as_tensor_variable(x)
    below = 0 if isinstance(alpha, (int, float)) and alpha == 0 else alpha * x
    return nt.switch(nt.le(x, 0), below, x)
