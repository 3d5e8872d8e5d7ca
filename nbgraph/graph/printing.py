"""Graphs as text: `dprint` draws a tree, `pp` writes one line of mathematics (see `expression`).

    dprint(1 / (1 + nt.exp(x)))       true_divide #0  float64[?]
                                      ├─ 1  float64[]
                                      └─ add #1  float64[?]
                                         ├─ 1  float64[]
                                         └─ exp #2  float64[?]
                                            └─ x  float64[?]

A node is drawn once; where it is used again stands "-> #2".
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.graph.expression import expression, pp
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import HasInnerGraph

# A subtree that would be indented further is drawn below, by itself: a chain of 100,000 nodes has narrow lines.
DEEPEST = 40
IDS = ("int", "CHAR", "auto", "")


class Root(NamedTuple):
    """A variable to draw, and what stands in front of it."""

    variable: Variable
    label: str = ""


class Row(NamedTuple):
    """A line that is to be drawn: `branch` is in front of it, `margin` in front of what is below it."""

    variable: Variable
    branch: str
    margin: str
    indent: int
    depth: int


def dprint(graph: Any, depth: int = -1, print_type: bool = True, file: Any = None, ids: str = "int",
           stop_on_name: bool = False, done: dict[Any, str] | None = None) -> Any:
    """Draw what variables are computed from, as a tree of text.

    Parameters
    ----------
    graph : Variable, Apply, FunctionGraph, Function, or a list or dict of these
        of a Function, the graph that runs, with its updates
    depth : int            levels that are drawn, -1 for all; "…" stands for what is left out
    print_type : bool      the Type of every variable
    file : optional        None: print it; "str": return it; else an open file, which is written and returned
    ids : str              how nodes are numbered: "int" (#0), "CHAR" (#A), "auto" (by id()), "" (not at all)
    stop_on_name : bool    do not look behind named variables
    done : dict, optional  node -> its id, of what was drawn before and is only referred to; new ones are added
    """
    if ids not in IDS:
        raise ValueError(f"ids must be one of {', '.join(map(repr, IDS))}, got {ids!r}")
    roots, leaves = roots_of(graph)
    tree = _Tree(leaves, depth, print_type, ids, stop_on_name, {} if done is None else done)
    text = "".join(f"{line}\n" for line in tree.lines(roots))
    if file == "str":
        return text
    (sys.stdout if file is None else file).write(text)
    return file


debugprint = dprint


def roots_of(graph: Any) -> tuple[list[Root], set[Variable]]:
    """What there is to draw of `graph`, and the variables behind which it ends."""
    if isinstance(graph, Variable):
        return [Root(graph)], set()
    if isinstance(graph, Apply):
        return [Root(graph.outputs[graph.op.default_output or 0])], set()
    if isinstance(graph, FunctionGraph):
        return [Root(v) for v in graph.outputs], set(graph.inputs)
    if hasattr(graph, "maker"):
        return _roots_of_function(graph)
    items = graph.items() if isinstance(graph, dict) else ((None, v) for v in graph) if _is_listed(graph) else None
    if items is None:
        raise TypeError(f"dprint draws symbolic variables, graphs and functions, got {type(graph).__name__} "
                        f"{str(graph)[:60]!r}")
    roots: list[Root] = []
    leaves: set[Variable] = set()
    for key, item in items:
        found, ends = roots_of(item)
        roots += found if key is None else [Root(root.variable, f"{key} = {root.label}") for root in found]
        leaves |= ends
    return roots, leaves


def _is_listed(graph: Any) -> bool:
    return isinstance(graph, Iterable) and not isinstance(graph, (str, bytes))


def _roots_of_function(function: Any) -> tuple[list[Root], set[Variable]]:
    """The outputs of a Function as they are computed, and its updates: w <- w - g."""
    outputs = function.maker.fgraph.outputs
    updates = [(slot.variable, outputs[slot.update]) for slot in function.slots if slot.update is not None]
    keys = function.output_keys or [None] * len(function.maker.outputs)
    roots = [Root(v, "" if key is None else f"{key} = ") for key, v in zip(keys, outputs, strict=False)]
    return roots + [Root(v, f"{target} <- ") for target, v in updates], set(function.maker.fgraph.inputs)


class _Tree:
    """One drawing. `done` has the id of all that is drawn, or will be drawn below."""

    def __init__(self, leaves: Collection[Variable], depth: int, print_type: bool, ids: str, stop_on_name: bool,
                 done: dict[Any, str]) -> None:
        self.leaves, self.depth, self.print_type, self.ids, self.done = leaves, depth, print_type, ids, done
        self.stop_on_name = stop_on_name
        self.below: deque[Row] = deque()
        self.inner: deque[tuple[str, HasInnerGraph]] = deque()

    def lines(self, roots: Iterable[Root]) -> Iterator[str]:
        """The drawing, line by line; after it the graphs that Ops are made of, indented."""
        yield from self._trees(roots)
        shown: set[int] = set()
        while self.inner:
            title, op = self.inner.popleft()
            if id(op.fgraph) in shown:
                continue
            shown.add(id(op.fgraph))
            yield ""
            yield f"{title}({', '.join(map(str, op.fgraph.inputs))}):"
            for line in self._trees([Root(v) for v in op.fgraph.outputs]):
                yield f"   {line}"

    def _trees(self, roots: Iterable[Root]) -> Iterator[str]:
        for root in roots:
            yield from self._tree(Row(root.variable, root.label, "", 0, 0))
            while self.below:
                yield from self._tree(self.below.popleft(), again=True)

    def _tree(self, root: Row, again: bool = False) -> Iterator[str]:
        """The lines of one tree; the root of a tree that is drawn `again` has its id already."""
        stack = [root]
        while stack:
            row = stack.pop()
            node = self._node(row.variable)
            if node is None:
                yield row.branch + self._leaf(row.variable)
                continue
            if node in self.done and not (again and row is root):
                yield f"{row.branch}{_name(row.variable)} -> {self._reference(node, 'above')}"
            elif node.inputs and row.depth + 1 == self.depth:
                yield f"{row.branch}{_name(row.variable)} …"
            elif row.indent == DEEPEST and node.inputs:
                self.done[node] = self._new_id(node)
                self.below.append(Row(row.variable, "", "", 0, row.depth))
                yield f"{row.branch}{_name(row.variable)} -> {self._reference(node, 'far')} below"
            else:
                number = self.done.setdefault(node, self._new_id(node))
                if isinstance(node.op, HasInnerGraph):
                    self.inner.append((f"{node.op} #{number}" if self.ids else str(node.op), node.op))
                yield row.branch + self._described(row.variable, _name(row.variable), number)
                stack += reversed(list(_rows_below(row, node)))

    def _node(self, variable: Variable) -> Apply | None:
        """What the variable is computed by, as far as it is drawn."""
        ends = variable in self.leaves or (self.stop_on_name and variable.name is not None)
        return None if ends else variable.owner

    def _reference(self, node: Any, where: str) -> str:
        return f"#{self.done[node]}" if self.ids else where

    def _leaf(self, variable: Variable) -> str:
        """A leaf, numbered where it has no name to be known by."""
        if isinstance(variable, Constant) and variable.name is None:
            return self._described(variable, variable.type.value_text(variable.data), "")
        if variable.name is not None:
            return self._described(variable, variable.name, "")
        if variable in self.done:
            return f"{variable} -> {self._reference(variable, 'above')}"
        return self._described(variable, str(variable), self.done.setdefault(variable, self._new_id(variable)))

    def _described(self, variable: Variable, name: str, number: str) -> str:
        parts = [name, f" #{number}" if number and self.ids else "",
                 f" {variable.name!r}" if variable.name not in (None, name) else "",
                 f"  {variable.type}" if self.print_type else "", "  shared" if hasattr(variable, "container") else ""]
        return "".join(parts)

    def _new_id(self, key: Any) -> str:
        if self.ids == "CHAR":
            return _letters(len(self.done))
        return str(id(key) if self.ids == "auto" else len(self.done))


def _rows_below(row: Row, node: Apply) -> Iterator[Row]:
    for i, variable in enumerate(node.inputs):
        last = i == len(node.inputs) - 1
        yield Row(variable, row.margin + ("└─ " if last else "├─ "), row.margin + ("   " if last else "│  "),
                  row.indent + 1, row.depth + 1)


def _name(variable: Any) -> str:
    """What makes a variable: the Op, and which of several outputs."""
    node = variable.owner
    return str(node.op) if len(node.outputs) == 1 else f"{node.op}.{variable.index}"


def _letters(number: int) -> str:
    """A, B, … Z, AA, AB, …"""
    text = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        text = chr(ord("A") + digit) + text
    return text


__all__ = ["debugprint", "dprint", "expression", "pp"]
