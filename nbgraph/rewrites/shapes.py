"""Lengths without arrays: what `Op.infer_shape` says, memoised over a graph.

    y = nt.exp(x)[2:]     Shapes(fgraph).of(y)     (maximum(length(0)(x) - 2, 0),)     exp is not in there

Every length is an int, or an int64 scalar variable built from inputs, constants and Ops that say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import ShapeError
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.graph.fg import FunctionGraph
from nbgraph.tensor import dtypes
from nbgraph.tensor.shape import Length
from nbgraph.tensor.type import TensorType

# How deep two expressions of lengths are compared before they count as different.
COMPARED_DEPTH = 8


class Shapes:
    """The lengths of the variables of `fgraph` and of what rewriting puts in their place.

    Iterative; the lengths of a variable are worked out once.
    """

    def __init__(self, fgraph: FunctionGraph) -> None:
        self._fgraph = fgraph
        self._leaves = set(fgraph.inputs)
        self._known: dict[Variable, tuple[Any, ...]] = {}

    def of(self, variable: Variable) -> tuple[Any, ...]:
        """The lengths of `variable`: ints and int64 scalars; () for what is no tensor."""
        stack = [variable]
        while stack:
            current = stack[-1]
            if current in self._known:
                stack.pop()
                continue
            node = current.owner
            if node is None or self._is_leaf(current, node):
                self._known[current] = _own_lengths(current)
                continue
            waiting = [v for v in node.inputs if v not in self._known]
            if waiting:
                stack.extend(waiting)
            else:
                self._infer(node)
        return self._known[variable]

    def _is_leaf(self, variable: Variable, node: Apply) -> bool:
        return (variable in self._leaves or not isinstance(variable.type, TensorType)
                or None not in variable.type.shape or not hasattr(node.op, "infer_shape"))

    def _infer(self, node: Apply) -> None:
        inferred = lengths_given(self._fgraph, node, [self._known[v] for v in node.inputs])
        for output, lengths in zip(node.outputs, inferred, strict=True):
            own = _own_lengths(output)
            if lengths is not None and own:
                own = tuple(n if isinstance(n, int) else _tidy(given) for n, given in zip(own, lengths, strict=True))
            self._known[output] = own

    def same(self, a: Any, b: Any, depth: int = COMPARED_DEPTH) -> bool:
        """True where two lengths are known to be equal: equal ints, or the same expression."""
        a, b = self._lifted(a), self._lifted(b)
        if isinstance(a, int) or isinstance(b, int):
            return isinstance(a, int) and isinstance(b, int) and a == b
        if a is b:
            return True
        if depth == 0 or a.owner is None or b.owner is None or a.index != b.index:
            return False
        one, other = a.owner, b.owner
        return (one.op == other.op and len(one.inputs) == len(other.inputs)
                and all(v is w or (_is_scalar(v) and _is_scalar(w) and self.same(v, w, depth - 1))
                        for v, w in zip(one.inputs, other.inputs, strict=True)))

    def _lifted(self, length: Any) -> Any:
        if isinstance(length, Variable) and length.owner is not None and isinstance(length.owner.op, Length):
            return self.of(length.owner.inputs[0])[length.owner.op.axis]
        return _tidy(length) if _is_integer(length) else length

    def same_shape(self, a: Variable, b: Variable) -> bool:
        """True where two variables are known to have the same shape."""
        if a is b:
            return True
        one, other = self.of(a), self.of(b)
        return len(one) == len(other) and all(self.same(n, m) for n, m in zip(one, other, strict=True))

    def covers(self, a: Any, b: Any) -> bool:
        """True where b is known to broadcast to the shape of a: each of its lengths is 1 or that of a."""
        one, other = self.of(a), self.of(b)
        return len(one) >= len(other) and all(
            b.type.shape[axis] == 1 or self.same(one[axis], other[axis]) for axis in range(-len(other), 0))


def lengths_given(fgraph: Any, node: Apply, shapes: Sequence[Any]) -> Sequence[Any]:
    """What the `infer_shape` of a node gives: for each output its lengths, or None where it says nothing.

    What it raises is raised with the user's line in a note.

    Raises
    ------
    ShapeError   not one element for each output, or not one length for each axis of a tensor
    """
    op: Any = node.op
    try:
        inferred = op.infer_shape(fgraph, node, list(shapes))
    except NotImplementedError:  # the contract's way to say: not for this node
        return [None] * len(node.outputs)
    except Exception as error:
        error.add_note(f"in infer_shape of {op}, made at {node.line}")
        raise
    if not isinstance(inferred, (list, tuple)) or len(inferred) != len(node.outputs):
        raise _wrong_lengths(node, f"{inferred!r} for {len(node.outputs)} output{'s' * (len(node.outputs) != 1)}")
    for k, (output, lengths) in enumerate(zip(node.outputs, inferred, strict=True)):
        if lengths is None or not isinstance(output.type, TensorType):
            continue
        if not isinstance(lengths, (list, tuple)) or len(lengths) != output.type.ndim:
            raise _wrong_lengths(node, f"{lengths!r} for output {k} of type {output.type}")
        for axis, length in enumerate(lengths):
            if not (_is_scalar(length) if isinstance(length, Variable) else hasattr(length, "__int__")):
                raise _wrong_lengths(node, f"{length!r} for axis {axis} of output {k}")
    return inferred


def _wrong_lengths(node: Apply, given: str) -> ShapeError:
    return ShapeError(node.op, f"infer_shape gives {given}", line=node.line,
                      fix="give a list with, for each output, the tuple of its lengths, integers or scalar variables; "
                          "or raise NotImplementedError")


def _is_scalar(variable: Variable) -> bool:
    return isinstance(variable.type, TensorType) and variable.type.ndim == 0


def _is_integer(length: Any) -> bool:
    if not isinstance(length, Variable):
        return True
    return isinstance(length, Constant) and np.asarray(length.data).dtype.name in dtypes.INTEGERS


def _own_lengths(variable: Any) -> tuple[Any, ...]:
    if not isinstance(variable.type, TensorType):
        return ()
    return tuple(Length(axis)(variable) if n is None else n for axis, n in enumerate(variable.type.shape))


def _tidy(length: Any) -> Any:
    """An int where it is known, else the int64 scalar."""
    if isinstance(length, Constant):
        return int(length.data)
    return nt.cast(length, "int64") if isinstance(length, Variable) else int(length)


def as_scalar(length: Any) -> Any:
    """A length as an int64 scalar variable."""
    return length if isinstance(length, Variable) else nt.constant(length, dtype="int64")
