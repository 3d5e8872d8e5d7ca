"""Elemwise: a scalar function applied to every element, with NumPy's broadcasting inside.

    x: float64[?, 3]   y: float64[3]     add(x, y): float64[?, 3], no DimShuffle inserted

A length broadcasts only where it is known to be 1 when the graph is built; two unknown lengths must agree at run time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, ShapeError, ValueDomainError
from nbgraph.graph.basic import Apply
from nbgraph.graph.expression import Written, call, infix, prefix
from nbgraph.graph.null_type import DisconnectedType
from nbgraph.graph.op import Op
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.masked import Support, pulled_back, same_shape
from nbgraph.tensor.scalar_function import ScalarFunction
from nbgraph.tensor.type import tensor_type

# How rows of the scalar table are written that Python has an operator for.
OPERATORS = {"add": "+", "sub": "-", "mul": "*", "true_divide": "/", "floor_divide": "//", "mod": "%", "power": "**",
             "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "neq": "!=", "and_": "&", "or_": "|", "xor": "^",
             "left_shift": "<<", "right_shift": ">>"}
SIGNS = {"neg": "-", "invert": "~"}


class Elemwise(Op):
    """`function` applied to every element of its broadcast inputs.

    z[i, j, …] = function(x[i, j, …], y[i, j, …], …)
    """

    __props__ = ("function",)

    def __init__(self, function: ScalarFunction) -> None:
        self.function = function

    def __str__(self) -> str:
        return self.function.name

    def make_node(self, *inputs: Any) -> Apply:
        operands = self._operands(inputs)
        signature = self._signature([x.type.dtype for x in operands], operands)
        return Apply(self, operands, [tensor_type(signature[-1], self.broadcast_static(operands))()])

    def _operands(self, inputs: Sequence[Any]) -> list[Any]:
        """Inputs as tensors; a Python scalar takes the dtype that the others give it."""
        if len(inputs) != self.function.nin:
            raise TypeError(f"{self} takes {self.function.nin} inputs, got {len(inputs)}")
        weak = [dtypes.weak_kind(x) for x in inputs]
        if not any(weak) or all(weak):
            return [nt.as_tensor_variable(x) for x in inputs]
        tensors = [None if kind else nt.as_tensor_variable(x) for kind, x in zip(weak, inputs, strict=True)]
        kinds = [kind or x.type.dtype for kind, x in zip(weak, tensors, strict=True)]  # type: ignore[union-attr]
        signature = self._signature(kinds, [x if t is None else t for x, t in zip(inputs, tensors, strict=True)])
        named = _named([t for t in tensors if t is not None])
        return [nt.weak_constant(x, dtype, self, **named) if t is None else t
                for x, t, dtype in zip(inputs, tensors, signature[:-1], strict=True)]

    def _signature(self, kinds: Sequence[Any], operands: Sequence[Any]) -> tuple[str, ...]:
        try:
            return self.function.signature(*kinds)
        except TypeError as error:
            shown = ", ".join(k if isinstance(k, str) else f"a Python {k.__name__}" for k in kinds)
            raise DTypeError(self, f"is not defined for {shown} ({error})", line=user_line(),
                             fix="cast the operands with .astype(...) first", **_named(operands)) from None

    def broadcast_static(self, operands: Sequence[Any]) -> tuple[int | None, ...]:
        """The static shape of the result; a ShapeError where known lengths differ."""
        shapes = {x.type.shape for x in operands} - {()}
        if len(shapes) <= 1:
            return shapes.pop() if shapes else ()
        ndim = max(map(len, shapes))
        shape: list[int | None] = [1] * ndim
        for axis in range(ndim):
            lengths = [x.type.shape[axis - ndim + x.type.ndim] for x in operands if axis >= ndim - x.type.ndim]
            known = {n for n in lengths if n is not None and n != 1}
            if len(known) > 1:
                raise ShapeError(self, f"lengths {' and '.join(map(str, sorted(known)))} of axis {axis - ndim} do "
                                 "not broadcast", line=user_line(), **_named(operands),
                                 fix="lengths must be equal or 1; x[:, None] and reshape change them")
            shape[axis] = known.pop() if known else (1 if all(n == 1 for n in lengths) else None)
        return tuple(shape)

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        check_run_time_lengths(node, [np.shape(x) for x in inputs])
        *wanted, result = self.function.signature(*(x.type.dtype for x in node.inputs))
        arrays = [np.asarray(x).astype(dtype, copy=False) for x, dtype in zip(inputs, wanted, strict=True)]
        if self.function.needs and result in dtypes.SIGNED and np.any(arrays[self.function.needs[0]] < 0):
            raise negative_power_error(node)
        with np.errstate(all="ignore"):
            value = np.asarray(self.function.numpy(*arrays), dtype=result)
        # The real part of an array is a view of it.
        output_storage[0][0] = value.copy() if any(np.may_share_memory(value, x) for x in inputs) else value

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        out = node.outputs[0].type
        dims: list[Any] = list(out.shape)
        for axis in range(out.ndim):
            if dims[axis] is None:
                # Unknown lengths agree (checked at run time), so the first that does not broadcast will do.
                dims[axis] = next(shape[axis - out.ndim + len(shape)]
                                  for x, shape in zip(node.inputs, shapes, strict=True) if axis >= out.ndim - len(shape)
                                  and x.type.shape[axis - out.ndim + len(shape)] != 1)
        return [tuple(dims)]

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        return self.L_op(inputs, [self(*inputs)], output_gradients)

    def L_op(self, inputs: Sequence[Any], outputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        """`grad` in terms of the output that is there: d exp(x) is exp(x) itself, not another node."""
        (output,), (g,) = outputs, output_gradients
        if isinstance(g.type, DisconnectedType):
            return [DisconnectedType()() for _ in inputs]
        if dtypes.is_discrete(output.type.dtype) or self.function.pullback is None:
            return [nt.zeros_like(x, dtype=dtypes.gradient_dtype(x.type.dtype)) for x in inputs]
        pullback = self.function.pullback
        # Where nothing is multiplied, zeros stay zeros without a condition round them.
        terms = (pullback(g, *inputs, output) if self.function.plain
                 else pulled_back(g, pullback, *inputs, output))
        return [self._gradient_like(x, term) for x, term in zip(inputs, terms, strict=True)]

    def support(self, node: Apply, support_of: Support) -> Any:
        """x + y is zero where both are, an outer product where one of its factors is."""
        if self.function.name == "add":
            first = support_of(node.inputs[1])
            second = None if first is None else support_of(node.inputs[0])
            return None if second is None else nt.or_(first, second)
        if self.function.name != "mul" or any(same_shape(x, node.outputs[0]) for x in node.inputs):
            return None
        rows, columns = (support_of(x) for x in node.inputs)
        return columns if rows is None else rows if columns is None else nt.and_(rows, columns)

    @staticmethod
    def _gradient_like(x: Any, term: Any) -> Any:
        """The gradient term summed to the shape of x, in the dtype of x."""
        if term is None:
            return nt.zeros_like(x, dtype=dtypes.gradient_dtype(x.type.dtype))
        term = nt.sum_to_like(nt.as_tensor_variable(term), x)
        wanted = dtypes.gradient_dtype(x.type.dtype)
        if term.type.dtype in dtypes.COMPLEX and wanted not in dtypes.COMPLEX:
            term = nt.real(term)
        return nt.cast(term, wanted)

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """How the output moves with the inputs: the sum over inputs of the derivative times the direction."""
        output = self(*inputs)
        if dtypes.is_discrete(output.type.dtype) or self.function.pullback is None:
            return [None]
        terms = [self._pushed(position, nt.as_tensor_variable(point), inputs, output)
                 for position, point in enumerate(eval_points) if point is not None]
        terms = [term for term in terms if term is not None]
        if not terms:
            return [None]
        moved = sum(terms[1:], terms[0])
        same = moved.type.shape == output.type.shape
        return [moved if same else nt.broadcast_to(moved, nt.broadcast_shape(*inputs))]

    def _pushed(self, position: int, point: Any, inputs: Sequence[Any], output: Any) -> Any:
        """The direction `point` of one input, carried to the output by the pullback P, the transpose of the derivative.

        P(dx) for real numbers: a diagonal matrix is its own transpose. With complex ones and <a, b> = Re(conj(a) b):
        <P(1), dx> + i <P(i), dx>, which holds for functions that are not holomorphic too.
        """
        pullback = self.function.pullback
        assert pullback is not None
        kinds = inputs[position].type.dtype, output.type.dtype
        if not any(dtype in dtypes.COMPLEX for dtype in kinds):
            return pullback(point, *inputs, output)[position]

        def component(unit: complex) -> Any:
            term = pullback(nt.constant(unit, dtype=kinds[1]), *inputs, output)[position]
            if term is None:
                return nt.zeros_like(point, dtype=dtypes.real_of(kinds[1]))
            return nt.real(nt.conj(term) * point)

        return nt.complex(component(1), component(1j)) if kinds[1] in dtypes.COMPLEX else component(1)

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """x + y, -x, exp(x), float64(x)"""
        name = self.function.name
        if name in OPERATORS:
            return infix(OPERATORS[name], *arguments)
        if name in SIGNS:
            return prefix(SIGNS[name], *arguments)
        return call(name.removeprefix("cast_"), *arguments)

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        """One operation an element."""
        return int(np.prod(outputs[0], dtype=np.int64))


def check_run_time_lengths(node: Apply, shapes: Sequence[tuple[int, ...]]) -> None:
    """ShapeError unless all lengths that are not known to be 1 agree, axis by axis."""
    ndim = node.outputs[0].type.ndim
    for axis in range(1, ndim + 1):
        actual = {shape[-axis] for x, shape in zip(node.inputs, shapes, strict=True)
                  if axis <= len(shape) and x.type.shape[-axis] != 1}
        if len(actual) > 1:
            raise broadcast_error(node, -axis, shapes)


def broadcast_error(node: Apply, axis: int, shapes: Sequence[Sequence[int]]) -> ShapeError:
    """The error for lengths of `axis` (negative) that differ at run time."""
    differing = [shape[axis] for x, shape in zip(node.inputs, shapes, strict=True)
                 if -axis <= len(shape) and x.type.shape[axis] != 1]
    names = _named(node.inputs)
    actual = ", ".join(f"{name} has shape {tuple(shape)}" for name, shape in zip(names, shapes, strict=True))
    return ShapeError(node.op, f"lengths {' and '.join(map(str, dict.fromkeys(differing)))} of axis {axis} differ: "
                      f"{actual}", line=node.line, **names,
                      fix="a length broadcasts only where it is known to be 1 when the graph is built: declare it "
                          "(shape=(1, None), at.row, at.col) or write x[None, :]")


def negative_power_error(node: Apply) -> ValueDomainError:
    """The error for an integer raised to a negative integer, at run time."""
    return ValueDomainError(node.op, "an integer is raised to a negative integer power", line=node.line,
                            base=node.inputs[0], exponent=node.inputs[1], fix="cast the base to a float dtype first")


def _named(operands: Sequence[Any]) -> dict[str, Any]:
    """Operands under names for a message: their own, else x0, x1, …"""
    named: dict[str, Any] = {}
    for i, operand in enumerate(operands):
        name = getattr(operand, "name", None)
        named[name if name and name.isidentifier() and name not in named else f"x{i}"] = operand
    return named
