"""FunctionMaker: a graph, rewritten and compiled once, from which any number of Functions are made.

Takes what `collect` gives and a Mode; holds the final graph, the report of the rewriting and the executor.
`copy.copy` of a Function shares its maker; `f.copy()` has one of its own, which shares what was compiled.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import Any

from nbgraph.compile.collect import Collected, Slot
from nbgraph.compile.container import Container, filter_for, stored
from nbgraph.compile.function.passing import executor_of
from nbgraph.compile.io import In, Out
from nbgraph.compile.mode import Executor, Mode
from nbgraph.graph.basic import Variable
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.replace import rebuild


class FunctionMaker:
    """The graph of a Function and what was compiled for it, which `copy.copy` of the Function shares.

    Attributes
    ----------
    collected : Collected      the graph as the user wrote it, and the roles of its inputs and outputs
    fgraph : FunctionGraph     the graph that runs
    mode : Mode
    report                     of the rewriting; None where no pass ran
    executor : Executor        runs `fgraph`
    seconds : float            what making it took;  rewriting_seconds : and the passes of the rewriting
    """

    def __init__(self, collected: Collected, mode: Mode, name: str | None = None) -> None:
        self.collected, self.mode, self.name = collected, mode, name
        start = time.perf_counter()
        self.fgraph, self.report = mode.rewrite(collected.fgraph)
        self.rewriting_seconds = time.perf_counter() - start
        self.executor = self._execute(self.fgraph, range(len(self.fgraph.outputs)))
        self.seconds = time.perf_counter() - start
        # Copies have graphs of their own, and run what was compiled for this one.
        self._compiled = self.fgraph
        self._subsets: dict[tuple[int, ...], Executor] = {}

    def copied(self, slots: Sequence[Slot], name: str | None) -> FunctionMaker:
        """The maker of a copy, whose slots have other variables. Nothing is rewritten or compiled."""
        twin = object.__new__(type(self))
        pairs = list(zip(self.collected.slots, slots, strict=True))
        swap = {old.variable: new.variable for old, new in pairs if old.variable is not new.variable}
        # Updates are compiled, also for a copy that leaves them out.
        collected = replace(self.collected, fgraph=_exchanged(self.collected.fgraph, swap),
                            slots=tuple(replace(new, update=old.update) for old, new in pairs))
        vars(twin).update(vars(self), collected=collected, fgraph=_exchanged(self.fgraph, swap), name=name)
        return twin

    def __reduce__(self) -> tuple[Any, ...]:
        # What is compiled comes back from the cache: the same graph makes the same code.
        return FunctionMaker, (self.collected, self.mode, self.name)

    def __repr__(self) -> str:
        return f"<maker of {self.name or 'function'}{self.collected}, mode {self.mode}>"

    @property
    def inputs(self) -> tuple[In, ...]:
        """The inputs as the user gave them."""
        return self.collected.inputs

    @property
    def outputs(self) -> tuple[Out, ...]:
        """The outputs as the user gave them."""
        return self.collected.outputs

    def names(self) -> dict[Variable, str]:
        """What the user calls the variables of the graph that runs."""
        names = self.collected.names()
        return names if self.report is None else self.report.carried(names)

    def _execute(self, fgraph: FunctionGraph, outputs: Sequence[int]) -> Executor:
        """What runs `fgraph`, whose outputs are those at the positions `outputs` of the collected graph."""
        every = [slot for slot in self.collected.slots if slot.read]

        def make(part: FunctionGraph, inputs: Sequence[int], kept: Sequence[int]) -> Executor:
            read, computed = [every[i] for i in inputs], [outputs[i] for i in kept]
            updates = [(computed.index(slot.update), i) for i, slot in enumerate(read)
                       if slot.update in computed and slot.role != "argument"]
            return self.mode.execute(part, self.name or "function", [label_of(slot) for slot in read],
                                     [slot.role == "shared" for slot in read], self.names,
                                     lambda: [self.collected.output_names()[i] for i in computed], updates)

        return executor_of(fgraph, make)

    def subset(self, positions: tuple[int, ...]) -> Executor:
        """What computes these outputs and all updates, and nothing else; made when first asked for."""
        if positions not in self._subsets:
            kept = [*positions, *range(len(self.outputs), len(self.fgraph.outputs))]
            self._subsets[positions] = self._execute(
                self._compiled.with_outputs([self._compiled.outputs[i] for i in kept]), kept)
        return self._subsets[positions]

    def containers(self, allow_downcast: bool | None) -> list[Container]:
        """A container for every slot: the shared variables' own, those that inputs name, new ones for the rest."""
        return [_container(slot.variable, slot.spec, allow_downcast) for slot in self.collected.slots]


def _exchanged(fgraph: FunctionGraph, swap: dict[Variable, Variable]) -> FunctionGraph:
    """Another graph of the same computation, inputs exchanged."""
    if not swap:
        return copy(fgraph)
    outputs = rebuild(fgraph.outputs, swap)
    return FunctionGraph([swap.get(v, v) for v in fgraph.inputs], outputs)


def label_of(slot: Slot) -> str | None:
    """What people read for a slot."""
    return None if slot.name is None else str(slot.name)


def _container(variable: Any, spec: In | None, allow_downcast: bool | None) -> Container:
    if spec is None:
        return variable.container
    if isinstance(spec.value, Container):
        return spec.value
    downcast = allow_downcast if spec.allow_downcast is None else spec.allow_downcast
    container = Container(variable.type, None, spec.name, strict=spec.strict, allow_downcast=downcast)
    if spec.value is not None:
        value = filter_for(variable, spec.value, f"default of input {variable}", strict=spec.strict,
                           allow_downcast=downcast)
        container.put(stored(value, spec.value, spec.borrow))
    return container
