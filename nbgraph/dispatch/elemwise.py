"""Elemwise into loop bodies: out[i, j] = f(x[i, j], y[j]), broadcasting by leaving indices out."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from nbgraph.dispatch.expressions import Call, Element, Expr, Literal
from nbgraph.dispatch.rules import CHEAP, EXPENSIVE, Check, Dims, Pointwise, checks, lowers
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.tensor import dtypes
from nbgraph.tensor.elemwise import Elemwise, broadcast_error, negative_power_error

_DIVISIONS = ("true_divide", "reciprocal", "sqrt")


def broadcast_index(x: Variable, index: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """The index into x for an index into the broadcast result."""
    offset = len(index) - x.type.ndim
    return tuple(Literal(0) if n == 1 else index[offset + axis] for axis, n in enumerate(x.type.shape))


def element(node: Apply, index: tuple[Expr, ...]) -> Generator[Element, Expr, Expr]:
    """f of the elements of the inputs."""
    arguments = []
    for x in node.inputs:
        arguments.append((yield Element(x, broadcast_index(x, index))))
    *operand_dtypes, dtype = node.op.function.signature(*(x.type.dtype for x in node.inputs))
    return Call(node.op.function.kernel, tuple(arguments), tuple(operand_dtypes), dtype)


@lowers(Elemwise)
def elemwise(node: Apply) -> Pointwise:
    """A chain of these becomes one loop."""
    function = node.op.function
    complex_valued = any(x.type.dtype in dtypes.COMPLEX for x in node.inputs)
    cost = EXPENSIVE if function.expensive else CHEAP * (4 if complex_valued else 1)
    needed = (node.inputs[function.needs[0]],) if _is_integer_power(node) else ()
    return Pointwise(element, cost, needs_buffer=tuple(v for v in needed if v.type.ndim),
                     slow=function.expensive or function.name in _DIVISIONS)


def _is_integer_power(node: Apply) -> bool:
    """True where an exponent must not be negative, and might be."""
    function = node.op.function
    if not function.needs:
        return False
    exponent = node.inputs[function.needs[0]]
    known = exponent.data if isinstance(exponent, Constant) else None
    return (exponent.type.dtype in dtypes.SIGNED and dtypes.is_discrete(node.outputs[0].type.dtype)
            and (known is None or bool((known < 0).any())))


@checks(Elemwise)
def lengths_agree(node: Apply, dims: Dims) -> list[Check]:
    """Lengths that are not known to be 1 agree, axis by axis; an integer power has no negative exponent."""
    found = []
    shapes = [dims(x) for x in node.inputs]
    flat = tuple(n for shape in shapes for n in shape)
    for axis in range(-node.outputs[0].type.ndim, 0):
        lengths = [shape[axis] for x, shape in zip(node.inputs, shapes, strict=True)
                   if -axis <= len(shape) and x.type.shape[axis] != 1]
        if len(lengths) > 1:
            found.append(Check("equal", tuple(lengths), flat, _broadcast_report(node, axis), node))
    if _is_integer_power(node):
        found.append(Check("natural", (node.inputs[node.op.function.needs[0]],), (),
                           lambda values: negative_power_error(node), node))
    return found


def _broadcast_report(node: Apply, axis: int) -> Any:
    def report(values: Sequence[int]) -> Exception:
        shapes, start = [], 0
        for x in node.inputs:
            shapes.append(tuple(values[start:start + x.type.ndim]))
            start += x.type.ndim
        return broadcast_error(node, axis, shapes)
    return report
