"""OpFromGraph: an Op made of a graph.

    x, w = nt.dvectors("x", "w")
    score = OpFromGraph([x, w], [nt.tanh(nt.dot(x, w))])      score(a, b)     one node in the graph, printed as such

Compiled functions hold its graph and no trace of the Op, so that loops fuse across it; what it may change is the
derivative (`builders_gradient`). Reference mode evaluates the graph node by node.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import nbgraph.tensor as nt
from nbgraph.compile.builders_gradient import (
    BatchedPullback,
    BatchedPushforward,
    Override,
    checked_override,
    pull,
    push,
)
from nbgraph.compile.container import operand
from nbgraph.errors import ArgumentError, DTypeError, GraphError, NbgraphError, ShapeError
from nbgraph.graph.basic import Apply, Constant, Type, Variable
from nbgraph.graph.equal import equal_computations
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import HasInnerGraph, connection_pattern
from nbgraph.graph.replace import rebuild
from nbgraph.graph.source import user_line
from nbgraph.graph.traversal import ancestors, graph_inputs
from nbgraph.tensor import dtypes
from nbgraph.tensor.batching import Batch, batches, vectorize_graph
from nbgraph.tensor.type import TensorType


class OpFromGraph(HasInnerGraph):
    """An Op whose outputs are computed by the graph between `inputs` and `outputs`.

    Parameters
    ----------
    inputs : list of Variable     leaves of the graph or intermediate variables, none of them constant or shared
    outputs : list of Variable    what the Op gives; shared variables among their leaves are read when it runs
    inline : bool                 the graph takes the place of the node before the first rewriting pass, not after the
                                  last one. Either way derivatives are the overridden ones: they are taken before.
    grad_overrides, lop_overrides : optional, one of both
        how gradients come back, in place of what the graph says:
        - a callable (inputs, output_gradients), or with three parameters (inputs, outputs, output_gradients), which
          gives a gradient for each input;
        - an OpFromGraph that takes the same, one after the other;
        - a list with an entry for each input: None (what the graph says), a callable or an OpFromGraph that gives the
          one gradient, or a variable of NullType or DisconnectedType.
    rop_overrides : optional
        how the outputs move: a callable (inputs, eval_points) that gives a direction or None for each output, an
        OpFromGraph of the same, or a list with an entry for each output, None for what the graph says
    connection_pattern : list, optional    pattern[i][j]: input i affects output j; default: what the graph says, and
                                           all that an override is given for
    name : str, optional          what it prints as

    Two of them are equal, so that their applications merge, where their graphs, their overrides and `inline` are.

    Raises
    ------
    GraphError    a leaf that is neither an input nor shared nor constant; an input given twice, or that is constant
    ArgumentError overrides that do not fit

    Examples
    --------
    >>> import nbgraph.tensor as nt
    >>> x = nt.dvector("x")
    >>> square = OpFromGraph([x], [x * x], name="square")
    >>> square(nt.dvector("y"))
    square
    """

    def __init__(self, inputs: Sequence[Any], outputs: Sequence[Any], *, inline: bool = False,
                 grad_overrides: Override = None, lop_overrides: Override = None, rop_overrides: Override = None,
                 connection_pattern: Sequence[Sequence[bool]] | None = None, name: str | None = None) -> None:
        given, results = _variables("inputs", inputs), _variables("outputs", outputs)
        for v in given:
            if isinstance(v, Constant) or hasattr(v, "container"):
                kind = "constant" if isinstance(v, Constant) else "shared"
                raise GraphError("OpFromGraph", f"the input {v} is {kind}", line=user_line(), **operand(v),
                                 fix="leave it out: constants and shared variables are found in the graph; to pass "
                                 "others, give a variable of its type in its place")
        self.shared_inputs = tuple(v for v in graph_inputs(results, given) if hasattr(v, "container"))
        leaves = {v: v.type.make_variable(v.name) for v in (*given, *self.shared_inputs)}
        if len(leaves) < len(given) + len(self.shared_inputs):
            raise GraphError("OpFromGraph", "an input is given twice", line=user_line(), fix="list every input once")
        self.fgraph = FunctionGraph(list(leaves.values()), rebuild(results, leaves))
        self.inline, self.name = bool(inline), name
        self.pullback = checked_override(lop_overrides, grad_overrides, len(given), len(results))
        self.pushforward = checked_override(rop_overrides, None, len(results), 0)
        self.pattern = _checked_pattern(connection_pattern, len(given), len(results))
        self._special: dict[tuple[Type, ...], OpFromGraph] = {}
        self._hash: int | None = None

    @property
    def explicit(self) -> int:
        """How many inputs a call gives; the shared variables come after them."""
        return len(self.fgraph.inputs) - len(self.shared_inputs)

    @property
    def inner_inputs(self) -> tuple[Variable, ...]:
        """The inputs of the graph, those that stand for shared variables last."""
        return self.fgraph.inputs

    @property
    def inner_outputs(self) -> tuple[Variable, ...]:
        """The outputs of the graph."""
        return self.fgraph.outputs

    def __str__(self) -> str:
        return self.name or "OpFromGraph"

    def _meaning(self) -> tuple[Any, ...]:
        return (self.inline, self.pullback, self.pushforward, self.pattern, len(self.shared_inputs),
                tuple(v.type for v in self.fgraph.inputs))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other) or not isinstance(other, OpFromGraph) or self._meaning() != other._meaning():
            return False
        one, two = self.fgraph, other.fgraph
        return len(one.outputs) == len(two.outputs) and equal_computations(one.outputs, two.outputs, one.inputs,
                                                                           two.inputs)

    def __hash__(self) -> int:
        if self._hash is None:
            # As a set: equal graphs may have a part once or several times.
            self._hash = hash((type(self), self._meaning(), frozenset(node.op for node in self.fgraph.nodes)))
        return self._hash

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_special": {}, "_hash": None}

    def make_node(self, *inputs: Any) -> Apply:
        if len(inputs) == self.explicit:
            inputs = (*inputs, *self.shared_inputs)
        if len(inputs) != len(self.fgraph.inputs):
            raise ArgumentError(self, f"takes {self.explicit} inputs, got {len(inputs)}", line=user_line(),
                                fix="give a variable for each input of its graph")
        fitted = [self._fitted(v, x) for v, x in zip(self.fgraph.inputs, inputs, strict=True)]
        op = self._specialised(tuple(v.type for v in fitted))
        return Apply(op, fitted, [v.type.make_variable() for v in op.fgraph.outputs])

    def _fitted(self, leaf: Any, x: Any) -> Any:
        """An input for `leaf`: of its dtype and rank, with the lengths that it is known to have."""
        if isinstance(leaf.type, TensorType):
            weak = dtypes.weak_kind(x) is not None
            x = nt.weak_constant(x, leaf.type.dtype, self) if weak else nt.as_tensor_variable(x)
            lengths = [None if n == m else n for n, m in zip(leaf.type.shape, x.type.shape, strict=False)]
            if x.type.dtype == leaf.type.dtype and x.type.ndim == leaf.type.ndim:
                return nt.specify_shape(x, lengths)
        elif isinstance(x, Variable) and leaf.type.is_super(x.type):
            return x
        else:
            raise DTypeError(self, f"the input {leaf} is {leaf.type}, got {x!r}", line=user_line(),
                             fix="pass a variable of that type")
        error = DTypeError if x.type.dtype != leaf.type.dtype else ShapeError
        raise error(self, f"the input {leaf} is {leaf.type}, got {x} of type {x.type}", line=user_line(), x=x,
                    fix=f"cast it with .astype({leaf.type.dtype!r}), or give it as many axes as its graph expects")

    def _specialised(self, types: tuple[Type, ...]) -> OpFromGraph:
        """This Op for inputs of which more lengths are known than its graph says; itself where none is."""
        if types == tuple(v.type for v in self.fgraph.inputs):
            return self
        if types not in self._special:
            leaves = {v: kind.make_variable(v.name) for v, kind in zip(self.fgraph.inputs, types, strict=True)}
            found = copy.copy(self)
            found.fgraph = FunctionGraph(list(leaves.values()), rebuild(self.fgraph.outputs, leaves, strict=False))
            self._special[types] = found
        return self._special[types]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        # What stands in the graph may overwrite its inputs, and give views of them.
        destroys = any(inner.op.destroy_map for inner in self.fgraph.nodes)
        values = [copy.deepcopy(x) for x in inputs] if destroys else inputs
        try:
            results = evaluate(self.fgraph, values)
        except NbgraphError:
            self._fail_outside(node, inputs)
            raise
        for cell, v, result in zip(output_storage, self.fgraph.outputs, results, strict=True):
            shared = not isinstance(v.type, TensorType) or isinstance(v, Constant) or result.base is not None
            cell[0] = copy.deepcopy(result) if shared or any(result is x for x in values) else result

    def _fail_outside(self, node: Apply, inputs: Sequence[Any]) -> None:
        """Run the graph on the variables of `node`, so that an error names these and not those inside."""
        given = {v: x for v, x in zip(node.inputs, inputs, strict=True) if not isinstance(v, Constant)}
        outputs = rebuild(self.fgraph.outputs, dict(zip(self.fgraph.inputs, node.inputs, strict=True)), strict=False)
        evaluate(FunctionGraph(list(given), outputs), list(given.values()))

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[Any]:
        # Loaded by who asks for lengths, and not by reference mode.
        from nbgraph.rewrites.shapes import Shapes, as_scalar
        known: dict[Variable, Any] = dict(zip(self.fgraph.inputs, node.inputs, strict=True))
        inner = Shapes(self.fgraph)
        for v, lengths in zip(self.fgraph.inputs, shapes, strict=True):
            if isinstance(v.type, TensorType):
                known |= {own: as_scalar(n) for own, n in zip(inner.of(v), lengths, strict=True)
                          if isinstance(own, Variable)}
        found: list[Any] = []
        for v in self.fgraph.outputs:
            lengths = [as_scalar(n) for n in inner.of(v)] if isinstance(v.type, TensorType) else []
            found.append(tuple(rebuild(lengths, known, strict=False)) if _follow_from(lengths, known) else None)
        return found

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """What the graph says; connected where an override says how the gradient comes back."""
        found = _reached(self.fgraph)
        if self.pattern is not None:
            return [list(row) for row in self.pattern] + found[self.explicit:]
        return [[True] * len(row) if self._is_overridden(i) else row for i, row in enumerate(found)]

    def _is_overridden(self, position: int) -> bool:
        override = self.pullback
        if override is None or position >= self.explicit:
            return False
        entry = override[position] if isinstance(override, tuple) else override
        return entry is not None and not isinstance(entry, Variable)

    def L_op(self, inputs: Sequence[Any], outputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        return pull(self, inputs, outputs, output_gradients)

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        return self.L_op(inputs, self(*inputs, return_list=True), output_gradients)

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """How the outputs move: as overridden, else as those of the graph."""
        return push(self, inputs, eval_points)


def _variables(what: str, given: Any) -> list[Any]:
    if not isinstance(given, (list, tuple)) or not all(isinstance(v, Variable) for v in given):
        raise ArgumentError("OpFromGraph", f"{what} must be a list of symbolic variables, got {given!r}",
                            line=user_line(), fix="write OpFromGraph([x, y], [z])")
    return list(given)


def _checked_pattern(pattern: Any, n_inputs: int, n_outputs: int) -> tuple[tuple[bool, ...], ...] | None:
    if pattern is None:
        return None
    if len(pattern) != n_inputs or any(len(row) != n_outputs for row in pattern):
        raise ArgumentError("OpFromGraph", f"connection_pattern must be {n_inputs} lists of {n_outputs} booleans",
                            line=user_line(), fix="give a list for each input, an entry for each output")
    return tuple(tuple(map(bool, row)) for row in pattern)


def _follow_from(lengths: Sequence[Any], known: dict[Variable, Any]) -> bool:
    """True where lengths are arithmetic of what is known outside: no array is computed for them."""
    return all(v in known or (isinstance(v.type, TensorType) and v.type.ndim == 0)
               for v in ancestors(lengths, list(known)))


def _reached(fgraph: FunctionGraph) -> list[list[bool]]:
    """For each input of a graph the outputs that its elements affect."""
    sources: dict[Variable, int] = {v: 1 << i for i, v in enumerate(fgraph.inputs)}
    for node in fgraph.nodes:
        pattern = connection_pattern(node)
        for j, output in enumerate(node.outputs):
            moved = 0
            for i, x in enumerate(node.inputs):
                moved |= sources.get(x, 0) if pattern[i][j] else 0
            sources.setdefault(output, moved)
    return [[bool(sources.get(v, 0) >> i & 1) for v in fgraph.outputs] for i in range(len(fgraph.inputs))]


@batches(OpFromGraph)
def batch_of_graph(batch: Batch) -> list[Any]:
    """An Op of the batched graph; overridden derivatives are those of the elements."""
    op: OpFromGraph = batch.op
    leaves = [x.type() for x in batch.inputs]
    outputs = vectorize_graph(list(op.fgraph.outputs), list(zip(op.fgraph.inputs, leaves, strict=True)))
    made = OpFromGraph(leaves, outputs, inline=op.inline, name=op.name,
                       lop_overrides=None if op.pullback is None else BatchedPullback(op),
                       rop_overrides=None if op.pushforward is None else BatchedPushforward(op))
    return made(*batch.inputs, return_list=True)


__all__ = ["OpFromGraph"]
