"""Ops as users write them, one of every kind, in a module so that they pickle."""

from __future__ import annotations

from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.dispatch import numba_kernel
from nbgraph.gradient import DisconnectedType, grad_undefined
from nbgraph.graph import Apply, Op


class Own(Op):
    """One vector in, one out."""

    __props__ = ()

    def make_node(self, *inputs: Any) -> Apply:
        given = [nt.as_tensor_variable(v) for v in inputs]
        return Apply(self, given, [given[0].type()])

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Any) -> list[Any]:
        return [shapes[0]]


class PerformOnly(Own):
    """z = factor * x**2"""

    __props__ = ("factor",)

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        output_storage[0][0] = self.factor * inputs[0] ** 2

    def grad(self, inputs: Any, output_gradients: Any) -> list[Any]:
        return [output_gradients[0] * 2 * self.factor * inputs[0]]

    def R_op(self, inputs: Any, eval_points: Any) -> list[Any]:
        return [None if eval_points[0] is None else eval_points[0] * 2 * self.factor * inputs[0]]


class ThunkOnly(Own):
    """z = exp(x)"""

    def make_thunk(self, node: Apply, storage_map: Any, compute_map: Any, no_recycling: Any, impl: Any = None) -> Any:
        (x,), (z,) = node.inputs, node.outputs

        def thunk() -> None:
            storage_map[z][0] = np.exp(storage_map[x][0])
            compute_map[z][0] = True
        return thunk

    def grad(self, inputs: Any, output_gradients: Any) -> list[Any]:
        return [output_gradients[0] * nt.exp(inputs[0])]


class WithKernel(PerformOnly):
    """The same as PerformOnly, compiled."""

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        output_storage[0][0] = self.factor * inputs[0] ** 2


@numba_kernel(WithKernel)
def with_kernel(op: Any, node: Apply) -> Any:
    """factor * x**2"""
    factor = op.factor

    def kernel(x):
        return factor * x * x
    return kernel


class SumAndDifference(Own):
    """z0 = x + y, z1 = x - y, of which z1 is what a call gives"""

    default_output = 1

    def make_node(self, x: Any, y: Any) -> Apply:
        return Apply(self, [x, y], [x.type(), x.type()])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        x, y = inputs
        output_storage[0][0], output_storage[1][0] = x + y, x - y

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Any) -> list[Any]:
        return [shapes[0], shapes[0]]

    def grad(self, inputs: Any, output_gradients: Any) -> list[Any]:
        plus, minus = ([g, sign * g] if not isinstance(g.type, DisconnectedType) else [0, 0]
                       for g, sign in zip(output_gradients, (1, -1), strict=True))
        return [plus[0] + minus[0], plus[1] + minus[1]]


class View(Own):
    """z = x[::-1], in the memory of x"""

    view_map = {0: [0]}

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        output_storage[0][0] = inputs[0][::-1]

    def grad(self, inputs: Any, output_gradients: Any) -> list[Any]:
        return [output_gradients[0][::-1]]


class Destroying(Own):
    """z = 3 x, written over x"""

    destroy_map = {0: [0]}

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        inputs[0] *= 3
        output_storage[0][0] = inputs[0]

    def grad(self, inputs: Any, output_gradients: Any) -> list[Any]:
        return [3 * output_gradients[0]]


class Spread(Own):
    """z has the elements of v, as many times as x is long: x decides about the shape alone"""

    def make_node(self, v: Any, x: Any) -> Apply:
        return Apply(self, [v, x], [nt.dvector()])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        output_storage[0][0] = np.full(len(inputs[1]), float(inputs[0]))

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Any) -> list[Any]:
        return [shapes[1]]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True], [False]]

    def grad(self, inputs: Any, output_gradients: Any) -> list[Any]:
        return [output_gradients[0].sum(), DisconnectedType()()]


class Largest(Own):
    """z = the place of the largest element of x along axis k"""

    def make_node(self, x: Any, k: Any) -> Apply:
        return Apply(self, [x, nt.as_tensor_variable(k)], [nt.lvector()])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        output_storage[0][0] = np.argmax(inputs[0], axis=int(inputs[1]))

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Any) -> list[Any]:
        raise NotImplementedError

    def grad(self, inputs: Any, output_gradients: Any) -> list[Any]:
        return [nt.zeros_like(inputs[0]), grad_undefined(self, 1, inputs[1], "an axis is no fraction")]


class ToInteger(Own):
    """z = int(x)"""

    def make_node(self, x: Any) -> Apply:
        return Apply(self, [x], [nt.lscalar()])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        output_storage[0][0] = np.asarray(int(inputs[0]))

    def grad(self, inputs: Any, output_gradients: Any) -> list[Any]:
        return [nt.zeros_like(inputs[0])]


class ToFloat(Own):
    """z = float(x)"""

    def make_node(self, x: Any) -> Apply:
        return Apply(self, [x], [nt.dscalar()])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        output_storage[0][0] = np.asarray(float(inputs[0]))

    def grad(self, inputs: Any, output_gradients: Any) -> list[Any]:
        return [output_gradients[0]]


class Failing(Own):
    """z = x, where no element is negative"""

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        if (inputs[0] < 0).any():
            raise ArithmeticError("negative")
        output_storage[0][0] = inputs[0].copy()

    def grad(self, inputs: Any, output_gradients: Any) -> list[Any]:
        return [output_gradients[0]]
