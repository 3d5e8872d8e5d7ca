"""Objects that no Op touches: what is only returned, or stored as the next value, does not reach compiled code.

    function([], [], updates=[(state, [3])])      state holds a list, for which native code has no type and needs none
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from nbgraph.compile.mode import Executor
from nbgraph.graph.basic import Constant, Variable
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.generic_type import Generic

# (graph, positions of its inputs, positions of its outputs) -> what runs it
MakeExecutor = Callable[[FunctionGraph, Sequence[int], Sequence[int]], Executor]


def executor_of(fgraph: FunctionGraph, make: MakeExecutor) -> Executor:
    """What runs `fgraph`: what `make` gives for it, or for the part of it where values are computed."""
    passed = [isinstance(v.type, Generic) and v.owner is None for v in fgraph.outputs]
    read = {v for node in fgraph.nodes for v in node.inputs}
    read.update(v for v, past in zip(fgraph.outputs, passed, strict=True) if not past)
    inputs = [i for i, v in enumerate(fgraph.inputs) if v in read or not isinstance(v.type, Generic)]
    outputs = [i for i, past in enumerate(passed) if not past]
    if len(inputs) == len(fgraph.inputs) and not any(passed):
        return make(fgraph, inputs, outputs)
    part = FunctionGraph([fgraph.inputs[i] for i in inputs], [fgraph.outputs[i] for i in outputs])
    sources = [v if past else None for v, past in zip(fgraph.outputs, passed, strict=True)]
    return PassingExecutor(make(part, inputs, outputs), fgraph, inputs, outputs, sources)


class PassingExecutor:
    """Runs an executor of a part of a graph, and passes on copies of the objects that it does not see.

    Attributes
    ----------
    part : Executor         everything that is not about arguments and results is its own
    """

    def __init__(self, part: Executor, fgraph: FunctionGraph, inputs: Sequence[int], outputs: Sequence[int],
                 sources: Sequence[Variable | None]) -> None:
        self.part = part
        self._count, self._inputs = len(fgraph.inputs), tuple(inputs)
        # For each output None where the part computes it, else a constant's value or the position of an input.
        self._constants = {i: v.data for i, v in enumerate(sources) if isinstance(v, Constant)}
        self._positions = {i: fgraph.inputs.index(v) for i, v in enumerate(sources)
                           if v is not None and not isinstance(v, Constant)}
        self._outputs = range(len(sources))
        scalar = dict(zip(inputs, part.scalar_inputs, strict=True))
        self.scalar_inputs = tuple(scalar.get(i, False) for i in range(self._count))
        self.destinations = tuple((outputs[output], inputs[state]) for output, state in part.destinations)
        self.stages, self.constants, self.refuses, self.failure = (part.stages, part.constants, part.refuses,
                                                                   part.failure)
        self.error_of, self.explain, self.cache_info = part.error_of, part.explain, part.cache_info

    @property
    def source(self) -> str | None:
        """The source of the part."""
        return self.part.source

    def entry(self, *values: Any) -> Any:
        """A tuple of the values of the outputs; None where the part refuses its arguments."""
        results = self.part.entry(*(values[i] for i in self._inputs), *values[self._count:])
        if results is None:
            return None
        computed = iter(results)
        return tuple(copy.deepcopy(values[self._positions[i]]) if i in self._positions
                     else copy.deepcopy(self._constants[i]) if i in self._constants
                     else next(computed) for i in self._outputs)

    def memory_estimate(self, arguments: Sequence[Any]) -> Any:
        """What the part allocates; objects are not counted."""
        return self.part.memory_estimate([arguments[i] for i in self._inputs])
