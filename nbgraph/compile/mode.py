"""Mode: which rewriting passes a graph goes through, and what runs it.

| name         | passes                    | runs as                  |
|--------------|---------------------------|--------------------------|
| FAST_RUN     | all                       | one native function      |
| FAST_COMPILE | the few that cost little  | one native function      |
| reference    | none                      | NumPy, node by node      |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from nbgraph.compile.profiled_reference import ProfiledReference
from nbgraph.compile.reference import ReferenceExecutor
from nbgraph.config import config
from nbgraph.graph.basic import Variable
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.timeline import Timeline


class Executor(Protocol):
    """What runs a graph: `nbgraph.lowering.compile_graph` gives one, ReferenceExecutor is another.

    `entry` takes the values of the graph's inputs, then `constants`, then an array for each of `destinations`, the
    (output, input) positions of updates that are written into it; it gives the values of its outputs. Where it raises a
    `failure`, `error_of` says what the user is to be told. One that `refuses` gives None, and has done nothing, for
    arguments that it can't take; to any other the right ones must be given. One with a `timeline` takes a record last,
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

    def rewrite(self, fgraph: FunctionGraph) -> tuple[FunctionGraph, Any]:
        """The rewritten graph, and a report that prints (None without passes)."""
        if not self.passes:
            return fgraph, None
        # Rewriting is loaded by the first function that needs it: reference mode never does.
        from nbgraph.rewrites import passes
        chosen: Any = getattr(passes, self.passes) if isinstance(self.passes, str) else self.passes
        return passes.rewrite(fgraph, chosen)

    def execute(self, fgraph: FunctionGraph, name: str, input_names: Sequence[str | None],
                shared_inputs: Sequence[bool], names: Callable[[], dict[Variable, str]],
                output_names: Callable[[], Sequence[str | None]],
                updates: Sequence[tuple[int, int]] = (), profiled: bool = False) -> Executor:
        """What runs `fgraph`: compiled now, so that no call ever compiles."""
        if self.executor == "reference":
            return ProfiledReference(fgraph, names) if profiled else ReferenceExecutor(fgraph)
        # Lowering brings Numba in, which `import nbgraph` must not.
        from nbgraph.lowering import compile_graph
        return compile_graph(fgraph, name=name, input_names=tuple(input_names), shared_inputs=tuple(shared_inputs),
                             names=names, output_names=output_names, updates=tuple(updates), profiled=profiled)

    def __str__(self) -> str:
        return self.name


FAST_RUN = Mode("FAST_RUN", "FAST_RUN", "native")
FAST_COMPILE = Mode("FAST_COMPILE", "FAST_COMPILE", "native")
REFERENCE = Mode("reference", (), "reference")
MODES = {mode.name: mode for mode in (FAST_RUN, FAST_COMPILE, REFERENCE)}


def get_mode(mode: Mode | str | None = None) -> Mode:
    """The Mode of this name; a Mode as it is; None: the default.

    Raises
    ------
    ValueError   no such mode
    TypeError    neither a name nor a Mode
    """
    if mode is None:
        return get_default_mode()
    if isinstance(mode, Mode):
        return mode
    if not isinstance(mode, str):
        raise TypeError(f"mode must be None, a name or a Mode, got {mode!r}")
    if mode not in MODES:
        raise ValueError(f"there is no mode {mode!r}; there are {', '.join(MODES)}")
    return MODES[mode]


def get_default_mode() -> Mode:
    """What config.mode (NBGRAPH_MODE) names."""
    return MODES[config.mode]


__all__ = ["FAST_COMPILE", "FAST_RUN", "MODES", "REFERENCE", "Executor", "Mode", "get_default_mode",
           "get_mode"]
