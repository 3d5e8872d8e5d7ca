"""Which nodes lie between the variables of a gradient and its outputs.

    z = exp(x) * f(y)      connect([z], wrt=[x])      exp and mul, not f; reached: x, exp(x), z

"Between" is a matter of elements, not of arrows: `Op.connection_pattern` says which inputs the elements of an output
depend on, so that x.shape[0] * y does not connect x.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from nbgraph.graph.basic import Apply, Variable
from nbgraph.graph.op import connection_pattern
from nbgraph.graph.traversal import toposort


@dataclass(frozen=True)
class Connections:
    """What lies between `wrt` and the outputs.

    Attributes
    ----------
    nodes : list[Apply]                  in an order of computation
    patterns : {Apply: list[list[bool]]}  the connection pattern of each of `nodes`
    reached : set[Variable]              variables whose elements depend on a variable of `wrt`, `wrt` among them
    known : set[Variable]                every variable of the graph of the outputs
    """

    nodes: list[Apply]
    patterns: dict[Apply, list[list[bool]]]
    reached: set[Variable]
    known: set[Variable]


def connect(outputs: Iterable[Variable], wrt: Iterable[Variable], constants: Collection[Variable] = (),
            fixed: Collection[Variable] = ()) -> Connections:
    """The nodes between `wrt` and `outputs`.

    Parameters
    ----------
    constants    nothing behind these is connected
    fixed        variables whose own gradient is given: not connected to what they feed, only to what feeds them
    """
    outputs = list(outputs)
    cut = {*constants, *fixed}
    reached = set(wrt).difference(fixed)
    found = Connections([], {}, reached, set(outputs))
    for node in toposort(outputs, stop=constants):
        found.known.update(node.inputs)
        found.known.update(node.outputs)
        if not any(x in reached for x in node.inputs):
            continue
        pattern = connection_pattern(node)
        moved = [any(row[j] and x in reached for x, row in zip(node.inputs, pattern, strict=True))
                 for j in range(len(node.outputs))]
        if not any(moved):
            continue
        found.nodes.append(node)
        found.patterns[node] = pattern
        reached.update(v for v, moves in zip(node.outputs, moved, strict=True) if moves and v not in cut)
    return found
