"""Identities that change a gradient on its way back: consider_constant, zero_grad, grad_clip …

    cost = (x * disconnected_grad(x)).sum()      d cost / d x = x, as if the second factor were data

Each is a GradientRule: an Op whose output is its input, so a compiled function may leave it out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError
from nbgraph.gradient.backward import zero_gradient
from nbgraph.graph.basic import Apply, Variable
from nbgraph.graph.expression import Written, call
from nbgraph.graph.null_type import DisconnectedType, grad_undefined
from nbgraph.graph.op import Op
from nbgraph.graph.source import user_line
from nbgraph.tensor.batching import batches
from nbgraph.tensor.batching_rules import same_for_each_element


class GradientRule(Op):
    """The value of its input; subclasses say what becomes of the gradient."""

    __props__: ClassVar[tuple[str, ...]] = ()
    view_map = {0: [0]}  # noqa: RUF012

    def make_node(self, x: Any) -> Apply:
        x = x if isinstance(x, Variable) else nt.as_tensor_variable(x)
        return Apply(self, [x], [x.type()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        output_storage[0][0] = inputs[0]

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        return [tuple(shapes[0])]

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        (g,) = output_gradients
        return [g if isinstance(g.type, DisconnectedType) else self.pullback(inputs[0], g)]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """zero_grad(x), grad_clip(x, -1.0, 1.0)"""
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower()
        return call(name, *arguments, *(str(getattr(self, prop)) for prop in self.__props__))

    def pullback(self, x: Any, g: Any) -> Any:
        """The gradient of x, from that of the output."""
        raise NotImplementedError

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """Forward mode meets a block like reverse mode: what is held constant does not move."""
        return [None]


batches(GradientRule)(same_for_each_element)


class ConsiderConstant(GradientRule):
    """x; the gradient is zero."""

    def pullback(self, x: Any, g: Any) -> Any:
        return zero_gradient(x)


class ZeroGrad(ConsiderConstant):
    """x; the gradient is zero."""


class DisconnectedGrad(GradientRule):
    """x; as if the output did not depend on x."""

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Not connected, for gradients."""
        return [[False]]

    def pullback(self, x: Any, g: Any) -> Any:
        return DisconnectedType()()


class UndefinedGrad(GradientRule):
    """x; asking for the gradient is an error."""

    def pullback(self, x: Any, g: Any) -> Any:
        return grad_undefined(self, 0, x, "undefined_grad was put there to forbid it.")

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """Undefined forwards as it is backwards."""
        return [None if eval_points[0] is None else self.pullback(inputs[0], eval_points[0])]


class GradClip(GradientRule):
    """x; the gradient is clipped to [lower, upper], elementwise."""

    __props__ = ("lower", "upper")

    def __init__(self, lower: float, upper: float) -> None:
        if not lower <= upper:
            raise ValueError(f"grad_clip needs lower <= upper, got {lower} and {upper}")
        self.lower, self.upper = float(lower), float(upper)

    def make_node(self, x: Any) -> Apply:
        node = super().make_node(x)
        if getattr(node.inputs[0].type, "dtype", "").startswith("complex"):
            raise DTypeError(self, "complex gradients have no order to clip by", line=user_line(), x=node.inputs[0],
                             fix="clip the gradients of the real and the imaginary part")
        return node

    def pullback(self, x: Any, g: Any) -> Any:
        return nt.clip(g, self.lower, self.upper)

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """Clipping acts on gradients that come back; a direction passes unchanged."""
        return [eval_points[0]]


class GradScale(GradientRule):
    """x; the gradient is multiplied by `multiplier`."""

    __props__ = ("multiplier",)

    def __init__(self, multiplier: float) -> None:
        self.multiplier = float(multiplier)

    def pullback(self, x: Any, g: Any) -> Any:
        return g * self.multiplier

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """Linear: a direction is scaled alike."""
        return [None if eval_points[0] is None else eval_points[0] * self.multiplier]


def consider_constant(x: Any) -> Any:
    """x, as a constant to gradients: the gradient with respect to what it is computed from is zero."""
    return ConsiderConstant()(x)


def zero_grad(x: Any) -> Any:
    """x, with a gradient of zeros."""
    return ZeroGrad()(x)


def disconnected_grad(x: Any) -> Any:
    """x, disconnected: where a cost depends on a variable only through it, `grad` raises DisconnectedInputError."""
    return DisconnectedGrad()(x)


def undefined_grad(x: Any) -> Any:
    """x, whose gradient must not be asked for: `grad` raises NullGradError."""
    return UndefinedGrad()(x)


def grad_clip(x: Any, lower_bound: float, upper_bound: float) -> Any:
    """x; the gradient that comes back is clipped to [lower_bound, upper_bound], element by element.

    Raises
    ------
    ValueError   lower_bound > upper_bound
    DTypeError   x is complex
    """
    return GradClip(lower_bound, upper_bound)(x)


def grad_scale(x: Any, multiplier: float) -> Any:
    """x; the gradient that comes back is multiplied by `multiplier`."""
    return GradScale(multiplier)(x)


__all__ = ["GradientRule", "consider_constant", "disconnected_grad", "grad_clip", "grad_scale",
           "undefined_grad", "zero_grad"]
