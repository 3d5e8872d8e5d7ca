"""Tables: the flat form in which graphs are pickled and deep-copied, whatever their depth.

    z = exp(x) + 1      table    leaves x, 1;  rows exp(0) -> 2, add(2, 1) -> 3         z is number 3 of it

A pickler asks one object after another what it is made of, and would recurse along a chain. A computed variable says
that it is a number of a table; the table has all that it is computed from in order, numbers in place of variables.
Whoever pickles two variables of one graph gets one table: it lives as long as the pickler that was given it.
"""

from __future__ import annotations

import threading
from typing import Any
from weakref import WeakValueDictionary

from nbgraph.graph.basic import Apply, Variable
from nbgraph.graph.traversal import toposort


class _Live(threading.local):
    """The tables that a pickler of this thread holds, by the id of every variable that they describe."""

    def __init__(self) -> None:
        self.tables: WeakValueDictionary[int, Table] = WeakValueDictionary()


_live = _Live()


class Table:
    """What computed variables are made of.

    Attributes
    ----------
    leaves : tuple of Variable    what the nodes read and do not compute: inputs, constants, variables of other tables
    nodes : list of Apply         each after what it is computed from
    numbers : dict                place of each variable in leaves and outputs; ~place of each Apply in nodes
    found : dict                  what was asked for while the table is being read, by number
    """

    __slots__ = ("__weakref__", "found", "leaves", "nodes", "numbers")

    def __init__(self) -> None:
        self.leaves: tuple[Variable, ...] = ()
        self.nodes: list[Apply] = []
        self.numbers: dict[Variable | Apply, int] = {}
        self.found: dict[int, Any] = {}

    def get(self, number: int, kind: Any) -> Any:
        """The variable or Apply of this number, an empty one where the table itself is not read yet.

        That is so where something in the table refers to what the table describes, such as a tag.
        """
        if number not in self.found:
            self.found[number] = kind.__new__(kind)
        return self.found[number]

    def __reduce__(self) -> tuple[Any, ...]:
        rows = [(type(node), node.op, node.line, [self.numbers[v] for v in node.inputs],
                 [(type(v), v.__getstate__()) for v in node.outputs]) for node in self.nodes]
        return Table, (), (self.leaves, rows)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.leaves, rows = state
        variables = list(self.leaves)
        for number, (kind, op, line, inputs, outputs) in enumerate(rows):
            node = self.get(~number, kind)
            made = [self.get(i, cls) for i, (cls, _) in enumerate(outputs, start=len(variables))]
            for index, (variable, (_, values)) in enumerate(zip(made, outputs, strict=True)):
                variable.__setstate__(values)
                variable.owner, variable.index = node, index
            variables += made
            node.op, node.line = op, line
            node.inputs, node.outputs = tuple(variables[i] for i in inputs), tuple(made)


def of_table(table: Table, number: int, kind: type) -> Any:
    """What unpickling calls for a computed variable or an Apply."""
    return table.get(number, kind)


def reduced_variable(variable: Variable) -> tuple[Any, ...]:
    """How a computed variable is pickled: as a number of a table."""
    table = _table_of(variable)
    return of_table, (table, table.numbers[variable], type(variable))


def reduced_node(node: Apply) -> tuple[Any, ...]:
    """How an Apply is pickled: as a number of a table."""
    table = _table_of(node.outputs[0])
    return of_table, (table, table.numbers[node], type(node))


def _table_of(variable: Variable) -> Table:
    """The table of a computed variable: one that a pickler holds already, or a new one for what none has."""
    found = _live.tables.get(id(variable))
    if found is not None:
        return found
    table = Table()
    roots = [variable]
    while roots:
        fresh = toposort(roots, barrier=_live.tables)
        table.nodes += fresh
        _live.tables.update((id(v), table) for node in fresh for v in node.outputs)
        # A shared variable brings the graph of its default update, and that of others in turn.
        updates = [getattr(v, "default_update", None) for node in fresh for v in node.inputs if v.owner is None]
        roots = [v for v in updates if v is not None and v.owner is not None and id(v) not in _live.tables]
    computed = [v for node in table.nodes for v in node.outputs]
    own = set(computed)
    read = dict.fromkeys(v for node in table.nodes for v in node.inputs if v not in own)
    table.leaves = tuple(read)
    table.numbers = {v: number for number, v in enumerate((*table.leaves, *computed))}
    table.numbers |= {node: ~number for number, node in enumerate(table.nodes)}
    return table
