"""Prepare: a rewritten graph in the form that the schedule expects.

- inputs are leaves;
- draws of random numbers are Drawing nodes, and states of generators arrays of words;
- what only Python can compute is a Foreign node, and every value a tensor;
- a length is that of an input, or arithmetic on such: asking for it never computes an array;
- outputs share no memory with inputs, constants or each other: where they would, they are copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nbgraph.graph.basic import Constant, Variable
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.replace import rebuilt
from nbgraph.lowering.dims import Lengths
from nbgraph.lowering.foreign import PythonParts, with_python_calls
from nbgraph.lowering.states import States
from nbgraph.tensor import constant
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.scalar_function import lookup
from nbgraph.tensor.shape import Length, Reshape

Forward = dict[Variable, Variable]


@dataclass(frozen=True)
class Prepared:
    """A graph that computes the same, in that form.

    Attributes
    ----------
    graph : FunctionGraph
    forward : dict           what stands in it for variables that are not there any more
    python : PythonParts     what is left to Python
    states : States          which inputs and outputs are generators that it takes as arrays
    """

    graph: FunctionGraph
    forward: Forward
    python: PythonParts
    states: States


def prepare(fgraph: FunctionGraph, allow_python: bool = True, generators: Sequence[str | None] = ()) -> Prepared:
    """The graph in that form; `generators` as in `compile_graph`.

    Raises
    ------
    KernelError   a node is left to Python, and that is not allowed
    """
    fgraph, leaves = _with_leaf_inputs(fgraph)
    drawn: Forward = {}
    states = States()
    if any(generators):
        # Distributions are loaded where there are any.
        from nbgraph.lowering.random_variables import with_native_draws
        fgraph, drawn, states = with_native_draws(fgraph, generators)
    fgraph, foreign, python = with_python_calls(fgraph, allow_python)
    fgraph, lengths = _with_known_lengths(fgraph)
    forward: Forward = {}
    for step in (lengths, foreign, drawn, leaves):
        forward = {**forward, **{old: forward.get(new, new) for old, new in step.items()}}
    return Prepared(fgraph.with_outputs(_unshared_outputs(fgraph)), forward, python, states)


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
