"""The lengths of every variable as scalar expressions of the graph's inputs, never computing an array.

    z = x[1:] + y      lengths of z: (length(0)(x) - 1,)

Equal expressions are the same object, so that equal lengths are seen to be equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import nbgraph.tensor as nt
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.graph.op import perform
from nbgraph.rewrites.shapes import lengths_given
from nbgraph.tensor import dtypes
from nbgraph.tensor.shape import Length
from nbgraph.tensor.type import TensorType

Dim = Any  # int, or a 0-d int64 Variable


class Lengths:
    """`lengths(v)`: a tuple of ints and interned int64 scalar variables, one for each axis of v."""

    def __init__(self, inputs: Iterable[Variable], nodes: Sequence[Apply]) -> None:
        self._of: dict[Variable, tuple[Dim, ...]] = {}
        self._inputs = set(inputs)
        self._interned: dict[Any, Variable] = {}
        self._same: dict[Variable, Dim] = {}
        for node in nodes:
            self._infer(node)

    def __call__(self, variable: Variable) -> tuple[Dim, ...]:
        if variable not in self._of:
            for node in _nodes_before(variable, lambda v: v in self._of or v in self._inputs):
                self._infer(node)
            self._of.setdefault(variable, self._leaf(variable))
        return self._of[variable]

    def _leaf(self, variable: Variable) -> tuple[Dim, ...]:
        static = variable.type.shape if isinstance(variable.type, TensorType) else ()
        return tuple(self.intern(Length(axis)(variable)) if n is None else n for axis, n in enumerate(static))

    def _infer(self, node: Apply) -> None:
        tensors = [isinstance(v.type, TensorType) for v in node.outputs]
        unknown = any(t and None in v.type.shape for t, v in zip(tensors, node.outputs, strict=True))
        if not unknown or not hasattr(node.op, "infer_shape"):
            self._of.update((v, self._leaf(v)) for v in node.outputs)
            return
        shapes = lengths_given(None, node, [self(v) for v in node.inputs])
        for output, shape in zip(node.outputs, shapes, strict=True):
            if shape is None:
                self._of[output] = self._leaf(output)
                continue
            self._of[output] = tuple(known if known is not None else self.intern(n)
                                     for known, n in zip(output.type.shape, shape, strict=True))

    def intern(self, length: Any) -> Dim:
        """The canonical form of a scalar integer expression: an int where it is constant."""
        if not isinstance(length, Variable):
            return int(length)
        for node in _nodes_before(length, lambda v: v in self._same or v in self._inputs or not _is_whole(v)):
            self._intern_node(node)
        return self._canonical(length)

    def _canonical(self, v: Variable) -> Dim:
        if isinstance(v, Constant):
            return int(v.data)
        return self._same.get(v, v)

    def _intern_node(self, node: Apply) -> None:
        if isinstance(node.op, Length):
            self._same[node.outputs[0]] = self._length(node)
            return
        if not all(_is_whole(v) for v in node.inputs):
            # Reads elements of an array, or real numbers: left as it is.
            self._same.update((v, v) for v in node.outputs)
            return
        arguments = [self._canonical(v) if isinstance(v, Constant) or v in self._same else v for v in node.inputs]
        simple = self._simplify(node, arguments)
        self._same[node.outputs[0]] = self._apply(node, arguments) if simple is None else simple

    def _length(self, node: Apply) -> Dim:
        (x,), axis = node.inputs, node.op.axis
        if x.type.shape[axis] is not None:
            return x.type.shape[axis]
        if x in self._of:
            known = self._of[x][axis]
            if known is not node.outputs[0]:
                return known
        return self._interned.setdefault((node.op, x), node.outputs[0])

    def _simplify(self, node: Apply, arguments: list[Any]) -> Dim | None:
        """n + 0, n * 1, min(n, n) … and arithmetic of constants; None where nothing applies."""
        if all(isinstance(a, int) for a in arguments):
            values = [nt.constant(a, dtype=v.type.dtype).data for a, v in zip(arguments, node.inputs, strict=True)]
            return int(perform(node, values)[0])
        name = str(node.op)
        if any(not isinstance(a, int) and a.type.dtype != node.outputs[0].type.dtype for a in arguments):
            return None
        a, b = arguments if len(arguments) == 2 else (None, None)
        if (name in ("add", "sub") and b == 0) or (name in ("mul", "floor_divide") and b == 1):
            return a
        if (name == "add" and a == 0) or (name == "mul" and a == 1):
            return b
        if name in ("minimum", "maximum") and a is b:
            return a
        if name == "maximum" and b == 0 and isinstance(a, Variable) and a.owner is not None:
            return a if isinstance(a.owner.op, Length) else None
        if name == "sub" and a is b:
            return 0
        return arguments[0] if name == "cast_int64" else None

    def _apply(self, node: Apply, arguments: list[Any]) -> Variable:
        key = (node.op, tuple(a if isinstance(a, int) else id(a) for a in arguments),
               tuple(v.type.dtype for v in node.inputs))
        if key not in self._interned:
            inputs = [nt.constant(a, dtype=v.type.dtype) if isinstance(a, int) else a
                      for a, v in zip(arguments, node.inputs, strict=True)]
            self._interned[key] = node.clone_with_new_inputs(inputs, strict=False).outputs[0]
        return self._interned[key]


def _is_whole(v: Variable) -> bool:
    """True for scalars of integers and truth values."""
    return isinstance(v.type, TensorType) and v.type.ndim == 0 and v.type.dtype in dtypes.DISCRETE


def _nodes_before(variable: Variable, known: Callable[[Variable], bool]) -> list[Apply]:
    """The nodes that `variable` needs and that are not known yet, in an order of computation."""
    order: list[Apply] = []
    done: set[Apply] = set()
    stack = [] if variable.owner is None or known(variable) else [variable.owner]
    while stack:
        node = stack[-1]
        waiting = [v.owner for v in node.inputs if v.owner is not None and v.owner not in done and not known(v)]
        if waiting and node not in done:
            stack.extend(reversed(waiting))
            continue
        stack.pop()
        if node not in done:
            done.add(node)
            order.append(node)
    return order


class SameLengths:
    """Lengths that checks have shown to be equal: union-find, the earliest one standing for its class."""

    def __init__(self) -> None:
        self._parent: dict[Dim, Dim] = {}

    def find(self, length: Dim) -> Dim:
        """The length that stands for all that are known to equal this one."""
        root = length
        while root in self._parent:
            root = self._parent[root]
        while length is not root and length != root:
            self._parent[length], length = root, self._parent[length]
        return root

    def unite(self, a: Dim, b: Dim, prefer_a: bool) -> None:
        """From here on a and b are the same length."""
        a, b = self.find(a), self.find(b)
        if a is b or (isinstance(a, int) and isinstance(b, int)):
            return
        if isinstance(b, int) or (not isinstance(a, int) and not prefer_a):
            a, b = b, a
        self._parent[b] = a
