"""Ops that are graphs, replaced by what their graphs compute.

    z = softplus(x, w)     an OpFromGraph        z = log1p(exp(dot(x, w)))     its graph, on the inputs of the node
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from nbgraph.graph.basic import Apply, Variable
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import HasInnerGraph
from nbgraph.graph.replace import rebuild

# What was done: how often for the nodes of each Op, and what now stands for each output of theirs.
Expansion = tuple[FunctionGraph, Counter[tuple[str, str]], dict[Variable, Variable]]


def inner_graphs(fgraph: FunctionGraph, inline_only: bool = False) -> list[Apply]:
    """The nodes of `fgraph` whose Ops are graphs; with `inline_only` those that ask to be expanded at once."""
    return [node for node in fgraph.nodes
            if isinstance(node.op, HasInnerGraph) and (node.op.inline or not inline_only)]


def expanded(fgraph: FunctionGraph, inline_only: bool = False) -> Expansion:
    """`fgraph` with the graphs of these nodes in their place, and of those that stand in these, to any depth."""
    firings: Counter[tuple[str, str]] = Counter()
    forward: dict[Variable, Variable] = {}
    while chosen := inner_graphs(fgraph, inline_only):
        firings.update((str(node.op), "" if node.line is None else str(node.line)) for node in chosen)
        fgraph, moved = _once(fgraph, set(chosen))
        forward = {old: moved.get(new, new) for old, new in forward.items()} | moved
    return fgraph, firings, forward


def _once(fgraph: FunctionGraph, chosen: set[Apply]) -> tuple[FunctionGraph, dict[Variable, Variable]]:
    mapping: dict[Variable, Variable] = {}
    leaves = set(fgraph.inputs)
    for node in fgraph.nodes:
        inputs = [mapping.get(v, v) for v in node.inputs]
        news: Sequence[Variable]
        if node in chosen:
            inner: FunctionGraph = node.op.fgraph
            news = rebuild(inner.outputs, dict(zip(inner.inputs, inputs, strict=True)), strict=False)
        else:
            news = node.clone_with_new_inputs(inputs, strict=False).outputs
        mapping.update((old, new) for old, new in zip(node.outputs, news, strict=True)
                       if old is not new and old not in leaves)
    return fgraph.with_outputs([mapping.get(v, v) for v in fgraph.outputs]), mapping
