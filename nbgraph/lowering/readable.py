"""The generated function as people read it: the user's names, short expressions in place, comments.

    for i in range(n):
        # p_1 = 1 / (1 + exp(-z - b))
        p_1 = 1.0 / (1.0 + exp(-z[i] - b))
"""

from __future__ import annotations

from nbgraph.graph.fg import FunctionGraph
from nbgraph.lowering.emit import SourceWriter
from nbgraph.lowering.names import Hinted, identifier
from nbgraph.lowering.program import Program


def readable_source(program: Program, fgraph: FunctionGraph) -> str:
    """The text that `f.source` shows."""
    return SourceWriter(program, Hinted({})).source(identifier(program.name))
