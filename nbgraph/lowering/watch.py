"""Watch: a compiled function also returns the values that it computes on the way, for modes that look at them.

    watch = Watch();  program = lower(plan, name, names, watch)
    results = entry(*arguments)             outputs, then what `watch.returned` says

The loops are those of the function that is not watched: where a fused loop computes an element, it is stored as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nbgraph.dispatch.expressions import Buffer, Expr, Local
from nbgraph.graph.basic import Variable
from nbgraph.graph.fg import FunctionGraph
from nbgraph.lowering.program import Allocate, CallLibrary, Program


@dataclass(frozen=True)
class Watched:
    """A value that is returned.

    Attributes
    ----------
    variable : Variable
    buffer : Buffer or Local
    mark : Buffer or None      which elements were computed; None: all
    """

    variable: Variable
    buffer: Any
    mark: Buffer | None = None


class Watch:
    """What is to be returned besides the outputs.

    Attributes
    ----------
    found : list of Watched     in the order in which they are computed, by each loop that does
    """

    def __init__(self) -> None:
        self.found: list[Watched] = []
        self._fresh: list[Buffer] = []

    def array(self, variable: Variable, dims: Sequence[Expr], whole: bool) -> Watched:
        """A place for elements of a variable that has no array of its own."""
        hint = variable.name or "watched"
        place = Watched(variable, Buffer(hint, variable.type.dtype, tuple(dims)),
                        None if whole else Buffer(f"{hint}_mark", "bool", tuple(dims)))
        self.found.append(place)
        self._fresh += [place.buffer] if place.mark is None else [place.buffer, place.mark]
        return place

    def new_buffers(self) -> list[Buffer]:
        """The buffers that have been asked for since the last time."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def see(self, known: Any, program: Program, fgraph: FunctionGraph) -> None:
        """All that the finished program has in memory of its own, and all scalars; they become its outputs."""
        own = {s.buffer for s in program.statements if isinstance(s, Allocate)}
        own |= {b for s in program.statements if isinstance(s, CallLibrary) for b in s.outputs}
        taken = {v for v in program.outputs if isinstance(v, Buffer)}
        for node in fgraph.nodes:
            for v in node.outputs:
                value = known.scalars.get(v) if v.type.ndim == 0 else known.buffers.get(v)
                if isinstance(value, Local) or (value in own and value not in taken):
                    self.found.append(Watched(v, value))
        for watched in self.found:
            program.outputs += [watched.buffer] if watched.mark is None else [watched.buffer, watched.mark]
