"""WatchedFunction: a compiled function that hands out every value that it computes.

    outputs, seen = WatchedFunction(fgraph, "f", names)(values)

Modes that look at values use it; the loops and calls are those of the function that ships.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from nbgraph.dispatch.random.states import state_of
from nbgraph.graph.basic import Variable
from nbgraph.graph.fg import FunctionGraph
from nbgraph.lowering.build import build
from nbgraph.lowering.emit import canonical_source
from nbgraph.lowering.executor import arguments_of, stages_of
from nbgraph.lowering.python_calls import with_python
from nbgraph.lowering.user_functions import check_user_functions
from nbgraph.lowering.watch import Watch
from nbgraph.tensor.random.type import Moved


@dataclass(frozen=True)
class Seen:
    """A value that was computed; `mark` is True at the elements that were, None where that is all of them."""

    variable: Variable
    value: Any
    mark: Any = None


class WatchedFunction:
    """The loops and calls that `compile_graph` makes of a graph, with all that they compute.

    Attributes
    ----------
    graph : FunctionGraph      the graph that runs: that of the function, or one that computes the same
    python : PythonParts       which inputs and outputs are objects
    states : States            which are generators that it takes as words
    """

    def __init__(self, fgraph: FunctionGraph, name: str, input_names: Sequence[str | None],
                 generators: Sequence[str | None] = ()) -> None:
        watch = Watch()
        stages, _ = stages_of(fgraph, name, input_names, watch=watch, generators=generators)
        self.graph, self.python, self.states = stages.graph, stages.python, stages.states
        self._constants = tuple(value for _, value in stages.program.constants)
        native = build(canonical_source(stages.program), arguments_of(stages),
                       partial(check_user_functions, stages.graph))
        self._entry = with_python(native.entry, stages.python) if stages.python else native.entry
        # Behind the outputs stands each value, and its mark behind it where it has one.
        place, places = len(self.graph.outputs), []
        for w in watch.found:
            places.append((w.variable, place, None if w.mark is None else place + 1))
            place += 1 if w.mark is None else 2
        order = {v: k for k, v in enumerate(self.graph.variables)}
        self._places = sorted(places, key=lambda found: order[found[0]])

    def taken(self, values: Sequence[Any], outputs: bool = False) -> list[Any]:
        """Values of inputs (or outputs) as the graph has them: words of generators, everything else as it is."""
        generators = self.states.outputs if outputs else self.states.inputs
        return [value if k not in generators else value.words if isinstance(value, Moved) else state_of(value)
                for k, value in enumerate(values)]

    def __call__(self, values: Sequence[Any]) -> tuple[tuple[Any, ...], list[Seen]]:
        """The outputs, and every value on the way in the order of the graph, some of them more than once.

        Parameters
        ----------
        values : of the inputs: C-contiguous arrays, scalars of their dtypes, words of generators

        Raises
        ------
        CheckFailed   as the function itself
        """
        results = self._entry(*values, *self._constants)
        seen = [Seen(v, results[value], None if mark is None else results[mark]) for v, value, mark in self._places]
        return results[:len(self.graph.outputs)], seen
