"""Prepare: a rewritten graph in the form that the schedule expects.

- inputs are leaves;
- a length is that of an input, or arithmetic on such: asking for it never computes an array;
- outputs share no memory with inputs, constants or each other: where they would, they are copied.
"""

from __future__ import annotations

from nbgraph.errors import KernelError
from nbgraph.graph.basic import Constant, Variable
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.replace import rebuilt
from nbgraph.lowering.dims import Lengths
from nbgraph.tensor import constant
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.scalar_function import lookup
from nbgraph.tensor.shape import Length, Reshape
from nbgraph.tensor.type import TensorType

Forward = dict[Variable, Variable]


def prepare(fgraph: FunctionGraph) -> tuple[FunctionGraph, Forward]:
    """A graph that computes the same, in that form; and what stands in it for variables that are not there any more.

    Raises
    ------
    KernelError   a variable is no tensor
    """
    fgraph, leaves = _with_leaf_inputs(fgraph)
    fgraph, lengths = _with_known_lengths(fgraph)
    for v in fgraph.variables:
        if not isinstance(v.type, TensorType):
            node = v.owner or next((n for n, _ in fgraph.clients[v] if n is not None), None)
            raise KernelError(None if node is None else node.op,
                              f"{v} has type {v.type}, and only tensors have native kernels", variable=v,
                              line=None if node is None else node.line, fix="compile with mode='reference'")
    forward = {old: lengths.get(new, new) for old, new in {**lengths, **leaves}.items()}
    return fgraph.with_outputs(_unshared_outputs(fgraph)), forward


def _with_leaf_inputs(fgraph: FunctionGraph) -> tuple[FunctionGraph, Forward]:
    fresh = {v: v.clone() for v in fgraph.inputs if v.owner is not None}
    if not fresh:
        return fgraph, {}
    forward = rebuilt(fgraph.outputs, fresh)
    return FunctionGraph([fresh.get(v, v) for v in fgraph.inputs], [forward.get(v, v) for v in fgraph.outputs]), forward


def _with_known_lengths(fgraph: FunctionGraph) -> tuple[FunctionGraph, Forward]:
    asked = [node.outputs[0] for node in fgraph.nodes if isinstance(node.op, Length)]
    if not asked:
        return fgraph, {}
    lengths = Lengths(fgraph.inputs, fgraph.nodes)
    known = {v: lengths.intern(v) for v in asked}
    changed = {v: constant(n, dtype="int64") if isinstance(n, int) else n for v, n in known.items() if n is not v}
    forward = rebuilt(fgraph.outputs, changed) if changed else {}
    return fgraph.with_outputs([forward.get(v, v) for v in fgraph.outputs]), forward


def _unshared_outputs(fgraph: FunctionGraph) -> list[Variable]:
    inputs, seen, outputs = set(fgraph.inputs), set(), []
    for v in fgraph.outputs:
        memory = v
        while memory.owner is not None and memory not in inputs and isinstance(memory.owner.op, Reshape):
            memory = memory.owner.inputs[0]
        shared = memory in inputs or memory in seen or isinstance(memory, Constant)
        seen.add(memory)
        # A 0-d result is a number of its own in any case.
        outputs.append(Elemwise(lookup(f"cast_{v.type.dtype}"))(v) if shared and v.type.ndim else v)
    return outputs
