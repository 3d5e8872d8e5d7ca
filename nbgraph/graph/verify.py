"""What must hold for every graph, checked: for tests and for `config.verify`, after each rewriting pass.

    verify(fgraph)                 no cycles, every leaf an input or a constant, owner links and types consistent
    verify_rewrite(before, after)  besides: the same inputs, and outputs of the same dtype and rank
"""

from __future__ import annotations

from collections.abc import Iterable

from nbgraph.errors import GraphError
from nbgraph.graph.basic import Apply, Constant, Type, Variable
from nbgraph.graph.fg import FunctionGraph


def verify(fgraph: FunctionGraph) -> None:
    """Check one graph.

    Raises
    ------
    GraphError   a cycle, a leaf without a value, a wrong owner link, or a type that make_node would not give
    """
    inputs = set(fgraph.inputs)
    check_acyclic(fgraph.outputs, inputs)
    for node in fgraph.nodes:
        _check_links(node)
        _check_types(node)
        for leaf in node.inputs:
            if leaf.owner is None and leaf not in inputs and not isinstance(leaf, Constant):
                raise GraphError(node.op, f"reads {leaf}, which is neither an input nor a constant", line=node.line,
                                 variable=leaf, fix="a rewrite must build on the variables that it matched")


def verify_rewrite(before: FunctionGraph, after: FunctionGraph) -> None:
    """Check a rewritten graph against the one it came from.

    Raises
    ------
    GraphError   as `verify`; or inputs differ, or an output has a Type that cannot stand for the old one
    """
    if len(before.inputs) != len(after.inputs) or any(a is not b for a, b in
                                                      zip(before.inputs, after.inputs, strict=True)):
        raise GraphError(None, "a rewrite changed the inputs of the graph", fix="inputs are the same objects")
    if len(before.outputs) != len(after.outputs):
        raise GraphError(None, f"a rewrite made {len(after.outputs)} outputs of {len(before.outputs)}",
                         fix="every output has one that stands for it")
    for position, (old, new) in enumerate(zip(before.outputs, after.outputs, strict=True)):
        if not can_stand_for(old.type, new.type):
            raise GraphError(None, f"a rewrite gave output {position} the type {new.type}, it was {old.type}",
                             old=old, new=new, fix="keep dtype, rank and known lengths")
    verify(after)


def can_stand_for(old: Type, new: Type) -> bool:
    """True where a variable of type `new` may take the place of one of type `old`.

    A length that becomes known is allowed, except that it becomes 1: an axis of length 1 broadcasts, one of unknown
    length does not, so the meaning of what reads it would change.
    """
    if old == new:
        return True
    if not old.is_super(new):
        return False
    flags = getattr(old, "broadcastable", None), getattr(new, "broadcastable", None)
    return flags[0] == flags[1]


def check_acyclic(outputs: Iterable[Variable], stop: Iterable[Variable] = ()) -> None:
    """GraphError where a node depends on itself."""
    barrier = set(stop)
    opened: set[Apply] = set()
    done: set[Apply] = set()
    stack = [v.owner for v in outputs if v.owner is not None and v not in barrier]
    while stack:
        node = stack[-1]
        if node in opened or node in done:
            opened.discard(node)
            done.add(node)
            stack.pop()
            continue
        opened.add(node)
        for variable in node.inputs:
            if variable.owner is None or variable in barrier or variable.owner in done:
                continue
            if variable.owner in opened:
                raise GraphError(node.op, f"depends on itself through {variable}", line=node.line, variable=variable,
                                 fix="nodes are immutable: build new ones instead of changing .inputs")
            stack.append(variable.owner)


def _check_links(node: Apply) -> None:
    for index, output in enumerate(node.outputs):
        if output.owner is not node or output.index != index:
            raise GraphError(node.op, f"output {index} ({output}) says that it is output {output.index} of "
                             f"{output.owner}", line=node.line, fix="make new output Variables in make_node")


def _check_types(node: Apply) -> None:
    again = node.op.make_node(*node.inputs)
    for index, (output, expected) in enumerate(zip(node.outputs, again.outputs, strict=True)):
        if not (output.type.is_super(expected.type) or expected.type.is_super(output.type)):
            raise GraphError(node.op, f"output {index} has type {output.type}, make_node gives {expected.type}",
                             line=node.line, output=output, fix="build nodes with the Op, not with Apply")
