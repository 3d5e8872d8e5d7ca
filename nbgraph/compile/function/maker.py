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
    collecting_seconds : float what `collect` took before
    profiled : bool            the executor times what it does
    allow_python : bool        Ops without a native kernel are let through
    """

    def __init__(self, collected: Collected, mode: Mode, name: str | None = None, profiled: bool = False,
                 collecting_seconds: float = 0.0, allow_python: bool = True) -> None:
        self.collected, self.mode, self.name, self.profiled = collected, mode, name, profiled
        self.collecting_seconds, self.allow_python = collecting_seconds, allow_python
        start = time.perf_counter()
        self.fgraph, self.report = mode.rewrite(collected.fgraph)
        self.rewriting_seconds = time.perf_counter() - start
        # What was compiled, profiled or not: copies share it.
        self._executors = {profiled: self._execute(self.fgraph, range(len(self.fgraph.outputs)))}
        self.seconds = time.perf_counter() - start
        # Copies have graphs of their own, and run what was compiled for this one.
        self._compiled = self.fgraph
        self._subsets: dict[tuple[bool, tuple[int, ...]], Executor] = {}

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
        return FunctionMaker, (self.collected, self.mode, self.name, self.profiled, self.collecting_seconds,
                               self.allow_python)

    def __repr__(self) -> str:
        return f"<maker of {self.name or 'function'}{self.collected}, mode {self.mode}>"

    def with_profile(self, profiled: bool) -> FunctionMaker:
        """This one, or one of the same graph whose executor is profiled, or is not; compiled when first asked for."""
        if profiled == self.profiled:
            return self
        other = object.__new__(type(self))
        vars(other).update(vars(self), profiled=profiled)
        if profiled not in self._executors:
            self._executors[profiled] = other._execute(self._compiled, range(len(self._compiled.outputs)))
        return other

    @property
    def executor(self) -> Executor:
        """What runs the graph."""
        return self._executors[self.profiled]

    def stage_seconds(self) -> dict[str, float]:
        """What each stage of making it took, in order."""
        passes = {f"rewrite: {row.name}": row.ms / 1e3 for row in getattr(self.report, "rows", ())}
        return {"collect": self.collecting_seconds, **passes, **self.executor.stage_seconds}

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
        read = [slot for slot in self.collected.slots if slot.read]
        updates = [(list(outputs).index(slot.update), i) for i, slot in enumerate(read)
                   if slot.update is not None and slot.role != "argument"]
        return self.mode.execute(fgraph, self.name or "function", [label_of(slot) for slot in read],
                                 [slot.role == "shared" for slot in read], self.names,
                                 lambda: [self.collected.output_names()[i] for i in outputs], updates, self.profiled,
                                 written=self.collected.fgraph, report=self.report, allow_python=self.allow_python,
                                 generators=[_bit_generator(slot) for slot in read])

    def subset(self, positions: tuple[int, ...]) -> Executor:
        """What computes these outputs and all updates, and nothing else; made when first asked for."""
        if (self.profiled, positions) not in self._subsets:
            kept = [*positions, *range(len(self.outputs), len(self.fgraph.outputs))]
            self._subsets[self.profiled, positions] = self._execute(
                self._compiled.with_outputs([self._compiled.outputs[i] for i in kept]), kept)
        return self._subsets[self.profiled, positions]

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


def _bit_generator(slot: Slot) -> str | None:
    """What draws from the generator that a function reads there: the one that is held now, or the Type's default."""
    default: str | None = getattr(slot.variable.type, "bit_generator", None)
    if default is None:
        return None
    given: Any = slot.variable if slot.spec is None else slot.spec.value
    held = getattr(given, "container", given)
    value = held.storage[0] if isinstance(held, Container) else held
    return default if value is None else type(value.bit_generator).__name__


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
