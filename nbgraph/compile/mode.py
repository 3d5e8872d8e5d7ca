"""Mode: which rewriting passes a graph goes through, and what runs it.

| name         | passes                    | runs as                  |
|--------------|---------------------------|--------------------------|
| FAST_RUN     | all                       | one native function      |
| FAST_COMPILE | the few that cost little  | one native function      |
| reference    | none                      | NumPy, node by node      |
| DebugMode    | all, each rule checked    | FAST_RUN, and every node checked against `perform` (`debug`)      |
| NanGuardMode | all                       | FAST_RUN, and every value looked at (`nan_guard`)                 |
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from nbgraph.compile.profiled_reference import ProfiledReference
from nbgraph.compile.reference import ReferenceExecutor
from nbgraph.graph.basic import Variable
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import HasInnerGraph
from nbgraph.graph.timeline import Timeline


class Executor(Protocol):
    """What runs a graph: `nbgraph.lowering.compile_graph` gives one, ReferenceExecutor is another.

    `entry` takes the values of the graph's inputs, then `constants`, then an array for each of `destinations`, the
    (output, input) positions of updates that are written into it; it gives the values of its outputs. Where it raises a
    `failure`, `error_of` says what the user is to be told. One that `refuses` gives None, and has done nothing, for
    arguments that it can't take; to any other the right ones must be given. Where an input is among its `states`, it
    takes a cell's value as it is held, a generator or what stands for one. One with a `timeline` takes a record last,
    int64[timeline.size], and fills it.
    """

    @property
    def scalar_inputs(self) -> tuple[bool, ...]: ...
    @property
    def source(self) -> str | None: ...
    @property
    def stages(self) -> Any: ...
    @property
    def constants(self) -> tuple[Any, ...]: ...
    @property
    def destinations(self) -> tuple[tuple[int, int], ...]: ...
    @property
    def refuses(self) -> bool: ...
    @property
    def states(self) -> frozenset[int]: ...
    @property
    def failure(self) -> tuple[type[Exception], ...]: ...
    @property
    def timeline(self) -> Timeline | None: ...
    @property
    def stage_seconds(self) -> dict[str, float]: ...
    @property
    def entry(self) -> Callable[..., tuple[Any, ...]]: ...
    def error_of(self, failed: Exception) -> Exception: ...
    def explain(self) -> str: ...
    def cache_info(self) -> Any: ...
    def memory_estimate(self, arguments: Sequence[Any]) -> Any: ...


@dataclass(frozen=True)
class Mode:
    """How a function is made from its graph.

    Attributes
    ----------
    name : str
    passes : str or sequence of Pass      the list of this name in `nbgraph.rewrites.passes`, or one's own; () for none
    executor : "native" or "reference"
    """

    name: str = "FAST_RUN"
    passes: str | Sequence[Any] = "FAST_RUN"
    executor: str = "native"

    def including(self, *added: Any, into: str | None = None, before: str | None = None,
                  after: str | None = None) -> Mode:
        """The same mode with more rewriting.

        Parameters
        ----------
        *added : Rule or Pass         rules become a pass of their own, named after the first, or join another
        into : str, optional          the pass that rules join, behind its own
        before, after : str, optional     the pass beside which new ones stand; default: before the last pass

        Raises
        ------
        ValueError   no pass has that name, or a pass of the same name is there
        TypeError    neither a Rule nor a Pass; a Pass and `into`
        """
        from nbgraph.rewrites.editing import included  # as for `rewrite`
        return dataclasses.replace(self, passes=included(self._passes(), added, into, before, after))

    def excluding(self, *names: str) -> Mode:
        """The same mode without the passes and rules of these names.

        Raises
        ------
        ValueError   nothing has that name
        """
        from nbgraph.rewrites.editing import excluded
        return dataclasses.replace(self, passes=excluded(self._passes(), names))

    def _passes(self) -> Sequence[Any]:
        from nbgraph.rewrites import passes
        found: Sequence[Any] = getattr(passes, self.passes) if isinstance(self.passes, str) else self.passes
        return found

    def rewrite(self, fgraph: FunctionGraph) -> tuple[FunctionGraph, Any]:
        """The rewritten graph, and a report that prints (None without passes)."""
        inner = self.executor == "native" and any(isinstance(node.op, HasInnerGraph) for node in fgraph.nodes)
        if not self.passes and not inner:
            return fgraph, None
        # Rewriting is loaded by the first function that needs it: reference mode never does.
        from nbgraph.rewrites import passes
        return passes.rewrite(fgraph, self._passes())

    def execute(self, fgraph: FunctionGraph, name: str, input_names: Sequence[str | None],
                shared_inputs: Sequence[bool], names: Callable[[], dict[Variable, str]],
                output_names: Callable[[], Sequence[str | None]],
                updates: Sequence[tuple[int, int]] = (), profiled: bool = False, *,
                written: FunctionGraph | None = None, report: Any = None, allow_python: bool = True,
                generators: Sequence[str | None] = ()) -> Executor:
        """What runs `fgraph`: compiled now, so that no call ever compiles.

        `written` is the graph as the user wrote it, `report` what `rewrite` said of its way from there, `generators`
        the bit generator that each input will have, None for what is none.
        """
        if self.executor == "reference":
            return ProfiledReference(fgraph, names) if profiled else ReferenceExecutor(fgraph)
        # Lowering brings Numba in, which `import nbgraph` must not.
        from nbgraph.lowering import compile_graph
        return compile_graph(fgraph, name=name, input_names=tuple(input_names), shared_inputs=tuple(shared_inputs),
                             names=names, output_names=output_names, updates=tuple(updates), profiled=profiled,
                             allow_python=allow_python, generators=tuple(generators))

    def __str__(self) -> str:
        return self.name


FAST_RUN = Mode("FAST_RUN", "FAST_RUN", "native")
FAST_COMPILE = Mode("FAST_COMPILE", "FAST_COMPILE", "native")
REFERENCE = Mode("reference", (), "reference")

__all__ = ["FAST_COMPILE", "FAST_RUN", "REFERENCE", "Executor", "Mode"]
