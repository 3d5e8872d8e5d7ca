"""FunctionGraph: the graph of one function, immutable.

    FunctionGraph([x, y], [x + y])     inputs, outputs, and everything between, in an order of computation

A rewrite gives back a new FunctionGraph; parts it leaves alone are the same objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from nbgraph.errors import GraphError
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.graph.traversal import toposort


class FunctionGraph:
    """Inputs (shared variables among them), outputs (updates among them) and the nodes between.

    Raises
    ------
    GraphError   a leaf is neither an input nor a constant, or an input is given twice
    """

    def __init__(self, inputs: Sequence[Variable], outputs: Sequence[Variable]) -> None:
        self.inputs: tuple[Variable, ...] = tuple(inputs)
        self.outputs: tuple[Variable, ...] = tuple(outputs)
        known = {id(v) for v in self.inputs}
        if len(known) != len(self.inputs):
            twice = next(v for i, v in enumerate(self.inputs) if any(v is w for w in self.inputs[:i]))
            raise GraphError(None, f"the input {twice} is given twice", input=twice, fix="list every input once")
        for node in self.nodes:
            for leaf in node.inputs:
                self._check_leaf(leaf, known, node)
        for output in self.outputs:
            self._check_leaf(output, known, None)

    def _check_leaf(self, leaf: Variable, known: set[int], user: Apply | None) -> None:
        if leaf.owner is None and id(leaf) not in known and not isinstance(leaf, Constant):
            where = "an output" if user is None else f"{user.op}"
            raise GraphError(None, f"{where} needs {leaf}, which is neither an input nor shared nor a constant",
                             variable=leaf, line=None if user is None else user.line,
                             fix="add it to the inputs, give it a default with In(variable, value=...), "
                                 "or replace it with givens")

    @cached_property
    def nodes(self) -> tuple[Apply, ...]:
        """Every Apply, each after the nodes it depends on."""
        return tuple(toposort(self.outputs, stop=self.inputs))

    @cached_property
    def clients(self) -> dict[Variable, list[tuple[Apply | None, int]]]:
        """Who reads a variable: (node, position); (None, i) for output i of the function."""
        found: dict[Variable, list[tuple[Apply | None, int]]] = {v: [] for v in self.inputs}
        for node in self.nodes:
            for output in node.outputs:
                found[output] = []
        for node in self.nodes:
            for position, variable in enumerate(node.inputs):
                found.setdefault(variable, []).append((node, position))
        for position, variable in enumerate(self.outputs):
            found.setdefault(variable, []).append((None, position))
        return found

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """Every variable, leaves first seen first."""
        return tuple(self.clients)

    @property
    def apply_nodes(self) -> tuple[Apply, ...]:
        """The same as `nodes`."""
        return self.nodes

    def toposort(self) -> list[Apply]:
        """The nodes in an order of computation, as a new list."""
        return list(self.nodes)

    def with_outputs(self, outputs: Sequence[Variable]) -> FunctionGraph:
        """A FunctionGraph of the same inputs; self where the outputs are the same objects."""
        if len(outputs) == len(self.outputs) and all(a is b for a, b in zip(outputs, self.outputs, strict=True)):
            return self
        return FunctionGraph(self.inputs, outputs)

    def __reduce__(self) -> tuple[Any, ...]:
        return FunctionGraph, (self.inputs, self.outputs)

    def __copy__(self) -> FunctionGraph:
        twin = object.__new__(FunctionGraph)
        vars(twin).update(vars(self))
        return twin

    def __len__(self) -> int:
        return len(self.nodes)

    def __str__(self) -> str:
        from nbgraph.graph.printing import dprint  # which imports this module
        return dprint(self, file="str").rstrip("\n")

    def __repr__(self) -> str:
        return f"FunctionGraph({list(self.inputs)} -> {list(self.outputs)}, {len(self)} nodes)"
