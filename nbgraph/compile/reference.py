"""The reference executor: the graph computed node by node with `perform`, NumPy alone. The oracle.

    ReferenceExecutor(fgraph).entry(*values of fgraph.inputs)  ->  tuple of the values of fgraph.outputs

It has the same interface as what `nbgraph.lowering.compile_graph` gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nbgraph.errors import GraphError
from nbgraph.graph.basic import Constant
from nbgraph.graph.evaluate import Compute, evaluate, unaliased
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.timeline import Timeline


@dataclass(frozen=True, repr=False)
class ReferenceStages:
    """The stages of a function that is not lowered: its graph."""

    graph: FunctionGraph
    plan: None = None
    program: None = None

    def __repr__(self) -> str:
        return f"<stages .graph: {len(self.graph)} nodes, each computed by NumPy>"

    def __str__(self) -> str:
        return f"graph\n{self.graph}"


class ReferenceExecutor:
    """Runs `fgraph` with `evaluate`.

    Attributes
    ----------
    source : None                  nothing is generated
    stages : ReferenceStages
    scalar_inputs : tuple of bool  all False: 0-d inputs are taken as 0-d arrays
    constants, failure : empty     nothing is passed besides the inputs, no error is a code
    refuses : False                arguments are not looked at
    states : none                  generators are taken as they are
    timeline, stage_seconds        see `Executor`
    """

    source: str | None = None
    constants: tuple[Any, ...] = ()
    destinations: tuple[tuple[int, int], ...] = ()
    failure: tuple[type[Exception], ...] = ()
    refuses = False
    states: frozenset[int] = frozenset()
    timeline: Timeline | None = None

    def __init__(self, fgraph: FunctionGraph) -> None:
        self.stages = ReferenceStages(fgraph)
        self.stage_seconds: dict[str, float] = {}
        self.scalar_inputs: tuple[bool, ...] = (False,) * len(fgraph.inputs)
        self._constants = [v.data for v in fgraph.variables if isinstance(v, Constant)]

    def error_of(self, failed: Exception) -> Exception:
        """What `perform` raises needs no explanation."""
        return failed

    def entry(self, *values: Any) -> tuple[Any, ...]:
        """Output values, none of which shares memory with an input, a constant or another output."""
        return self._run(values)

    def _run(self, values: Sequence[Any], compute: Compute | None = None) -> tuple[Any, ...]:
        return tuple(unaliased(evaluate(self.stages.graph, values, compute), (*values, *self._constants)))

    def explain(self) -> str:
        """One sentence: there is no plan to show."""
        return f"reference mode: {len(self.stages.graph)} nodes, each computed by the perform of its Op"

    def memory_estimate(self, arguments: Sequence[Any]) -> Any:
        """Not for this mode: NumPy makes an array for every node."""
        raise GraphError("memory_estimate: reference mode makes an array for every node",
                         fix="ask a function of a compiled mode")

    def cache_info(self) -> str:
        """One sentence: there is nothing to cache."""
        return "reference mode: nothing is compiled, nothing is cached"
