"""What a computation is: variables, nodes, FunctionGraph, traversal, NumPy evaluation, printing."""

from typing import Any

from nbgraph.graph.basic import Apply, Constant, Type, Variable
from nbgraph.graph.equal import equal_computations
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.generic_type import Generic
from nbgraph.graph.op import Op
from nbgraph.graph.replace import clone_replace, graph_replace
from nbgraph.graph.traversal import ancestors, graph_inputs, io_toposort, toposort, walk

__all__ = ["Apply", "Constant", "FunctionGraph", "Generic", "Op", "Type", "Variable", "ancestors", "clone_replace",
           "equal_computations", "graph_inputs", "graph_replace", "io_toposort", "toposort", "vectorize_graph",
           "walk"]


def __getattr__(name: str) -> Any:
    """vectorize_graph, which needs tensors and is imported when first used."""
    if name == "vectorize_graph":
        from nbgraph.graph import replace
        return replace.vectorize_graph
    raise AttributeError(f"nbgraph.graph has no {name!r}")
