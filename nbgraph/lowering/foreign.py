"""Foreign: nodes computed by code of users, in a form that the schedule understands.

    z = MyOp()(x, settings)     z = foreign(x, handle)     handle: int64, stands for an object

An Op with a kernel of a user is a call of that; one with Python code only is a call of Python. Every value is a tensor
then: an object of Python is a number, under which Python's side finds it again. A 0-d result comes as an array of one
element. Lengths that `infer_shape` gives are inputs of a call of Python, and are checked when it has run; those of what
a kernel gives are looked at, and checked where the Type of the output declares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import nbgraph.tensor as nt
from nbgraph.dispatch.rules import Library, UserKernel, has_rule, is_user_kernel, lowers, rule_for
from nbgraph.errors import KernelError
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.graph.expression import Written, call
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import Op, perform
from nbgraph.graph.replace import rebuild
from nbgraph.graph.source import attributed_to
from nbgraph.rewrites.shapes import Shapes
from nbgraph.tensor.purpose import purpose
from nbgraph.tensor.shape import static_length
from nbgraph.tensor.type import TensorType

HANDLE = TensorType("int64", ())


@dataclass
class PythonParts:
    """What of a graph is left to Python.

    Attributes
    ----------
    nodes : list of Apply         the nodes as they were written, in the order of their numbers
    places : dict                 (node number, output) of everything they make -> its place number
    constants : list              objects that the graph holds, in the order of their handles
    inputs, outputs : for each input and output of the graph, whether it is an object
    """

    nodes: list[Apply] = field(default_factory=list)
    places: dict[tuple[int, int], int] = field(default_factory=dict)
    constants: list[Any] = field(default_factory=list)
    inputs: tuple[bool, ...] = ()
    outputs: tuple[bool, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.nodes) or any(self.inputs) or any(self.outputs)


class Foreign(Op):
    """A node that is computed by code of a user.

    Attributes
    ----------
    node : Apply          as it was written
    kernel : str          the dotted name of a function for Numba; empty for Python code
    number : int          of the node, among those of Python or among kernels
    place : int           number of its first output among all of them
    lengths : tuple       for each output, for each axis: an int, ~k for input k, None where it is not known before
    """

    __props__ = ("kernel", "number")

    def __init__(self, node: Apply, number: int, place: int, lengths: tuple[tuple[Any, ...], ...],
                 kernel: str = "") -> None:
        self.node, self.number, self.place, self.lengths, self.kernel = node, number, place, lengths, kernel
        self.view_map, self.destroy_map = node.op.view_map, node.op.destroy_map
        self.default_output = node.op.default_output

    def __str__(self) -> str:
        return str(self.node.op)

    def make_node(self, *inputs: Any) -> Apply:
        kinds = [TensorType("int64", (1,)) if not isinstance(v.type, TensorType)
                 else TensorType(v.type.dtype, (None,) * (v.type.ndim or 1)) if self.kernel
                 else TensorType(v.type.dtype, v.type.shape or (1,)) for v in self.node.outputs]
        return Apply(self, list(inputs), [kind() for kind in kinds])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        """The Op's own; not for objects, which only a call knows."""
        results = perform(self.node, inputs[:len(self.node.inputs)])
        for cell, v, result in zip(output_storage, self.node.outputs, results, strict=True):
            cell[0] = result if v.type.ndim else result.reshape(1)

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """As the Op is written: lengths are not its inputs."""
        own, given = self.node.op, arguments[:len(self.node.inputs)]
        return own.expression(self.node, given) if hasattr(own, "expression") else call(str(own), *given)

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [None if None in known else tuple(node.inputs[~n] if n < 0 else n for n in known)
                for known in self.lengths]


@lowers(Foreign)
def foreign(node: Apply) -> Library:
    """A call of the code."""
    return Library(node.op.kernel or "python", tuple(node.inputs), allocates=True)


def with_python_calls(fgraph: FunctionGraph, allowed: bool = True) -> tuple[FunctionGraph, dict[Variable, Variable],
                                                                             PythonParts]:
    """The same graph of tensors alone, what stands for variables that are not there any more, what is left to Python.

    Raises
    ------
    KernelError   a node is left to Python, and that is not `allowed`; its Op has no Python code either
    """
    parts = PythonParts(inputs=tuple(map(_is_object, fgraph.inputs)), outputs=tuple(map(_is_object, fgraph.outputs)))
    chosen = {node: kernel for node in fgraph.nodes if (kernel := _kernel_of(node)) is not None}
    if not chosen and not parts:
        return fgraph, {}, parts
    python = [node for node, kernel in chosen.items() if not kernel]
    for node in python:
        if type(node.op).perform is Op.perform and not hasattr(node.op, "make_thunk"):
            raise KernelError(node.op, "has no native kernel, and defines neither perform nor make_thunk",
                              line=node.line, fix="define perform(self, node, inputs, output_storage)")
    if python and not allowed:
        raise KernelError(python[0].op, "has Python code only, and allow_python=False forbids it", line=python[0].line,
                          fix="give it a kernel with nbgraph.dispatch.numba_kernel, or pass allow_python=True")
    return _Conversion(fgraph, parts, chosen).done()


def _kernel_of(node: Apply) -> str | None:
    """The user's function that computes a node, "" for its Python code; None where the node is an ordinary one."""
    if not has_rule(node.op) or any(map(_is_object, (*node.inputs, *node.outputs))):
        return ""
    if not is_user_kernel(node.op):
        return None
    rule = rule_for(node)
    assert isinstance(rule, UserKernel), "what gives_user_kernel registers gives one"
    return rule.function


def touches_objects(node: Apply) -> bool:
    """True for a node that takes or gives numbers that stand for objects."""
    return isinstance(node.op, Foreign) and any(map(_is_object, (*node.op.node.inputs, *node.op.node.outputs)))


def _is_object(v: Variable) -> bool:
    return not isinstance(v.type, TensorType)


class _Conversion:
    """One graph on its way."""

    def __init__(self, fgraph: FunctionGraph, parts: PythonParts, chosen: dict[Apply, str]) -> None:
        self.fgraph, self.parts, self.chosen = fgraph, parts, chosen
        self.kernels = 0
        self.shapes = Shapes(fgraph)
        self.forward: dict[Variable, Variable] = {v: HANDLE(v.name) for v in fgraph.inputs if _is_object(v)}

    def done(self) -> tuple[FunctionGraph, dict[Variable, Variable], PythonParts]:
        """All of it."""
        for node in self.fgraph.nodes:
            if node in self.chosen:
                self._convert(node, self.chosen[node])
            elif any(v in self.forward for v in node.inputs):
                fresh = node.clone_with_new_inputs([self.forward.get(v, v) for v in node.inputs], strict=False)
                self.forward.update(zip(node.outputs, fresh.outputs, strict=True))
        outputs = [self._handle(v) if _is_object(v) else self.forward.get(v, v) for v in self.fgraph.outputs]
        return (FunctionGraph([self.forward.get(v, v) for v in self.fgraph.inputs], outputs), self.forward, self.parts)

    def _convert(self, node: Apply, kernel: str) -> None:
        inputs = [self._handle(v) if _is_object(v) else self.forward.get(v, v) for v in node.inputs]
        if kernel:
            op = Foreign(node, self.kernels, 0, tuple((None,) for _ in node.outputs), kernel)
            self.kernels += 1
        else:
            lengths = tuple(tuple(self._length(n, v, inputs) for n in self._lengths_of(v)) for v in node.outputs)
            op = Foreign(node, len(self.parts.nodes), len(self.parts.places), lengths)
            self.parts.places.update(((op.number, k), op.place + k) for k in range(len(node.outputs)))
            self.parts.nodes.append(node)
        made = op.make_node(*inputs)
        made.line = node.line
        for k, (old, given) in enumerate(zip(node.outputs, made.outputs, strict=True)):
            new = _with_declared_lengths(given, old, k) if kernel else given
            new.name, new.line = old.name, old.line
            self.forward[old] = new if isinstance(old.type, TensorType) and old.type.ndim else new[0]

    def _lengths_of(self, v: Variable) -> Sequence[Any]:
        return self.shapes.of(v) if isinstance(v.type, TensorType) and v.type.ndim else (1,)

    def _length(self, n: Any, v: Variable, inputs: list[Any]) -> int | None:
        """A length that is known before v is computed, as `Foreign.lengths` has it; variables become inputs."""
        known = n if isinstance(n, int) else static_length(n)
        if known is not None:
            return known
        if v in _computed_from(n):
            return None
        inputs += rebuild([n], self.forward)
        return ~(len(inputs) - 1)

    def _handle(self, v: Variable) -> Variable:
        """The number that stands for an object."""
        if v in self.forward:
            return self.forward[v]
        assert isinstance(v, Constant), f"{v} is an object that nothing has made"
        self.parts.constants.append(v.data)
        self.forward[v] = nt.constant(len(self.parts.constants) - 1, dtype="int64")
        return self.forward[v]


def _with_declared_lengths(given: Variable, declared: Variable, number: int) -> Any:
    """What a kernel gives, of the lengths that the Type of an output has; checked when it has run."""
    node = declared.owner
    assert node is not None, "an output of a node"
    told = purpose(str(node.op), f"its kernel gives output {number} length {{actual}} along axis {{axis}}, where "
                   f"{declared.type} has {{wanted}}", "mend the kernel, or declare the length as None in make_node")
    with attributed_to(node.line):
        return nt.specify_shape(given, declared.type.shape or (1,), told)


def _computed_from(length: Variable) -> set[Variable]:
    """All that a scalar is computed from."""
    found: set[Variable] = set()
    pending = [length]
    while pending:
        v = pending.pop()
        if v not in found:
            found.add(v)
            pending += v.owner.inputs if v.owner is not None else []
    return found
