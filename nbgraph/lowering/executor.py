"""Compiled: what runs a graph natively, and shows every stage on the way there.

    compile_graph(fgraph, name="train", ...).entry(*values)  ->  tuple of results
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from nbgraph.dispatch.checks import CheckFailed
from nbgraph.errors import NbgraphError
from nbgraph.graph.basic import Variable
from nbgraph.graph.fg import FunctionGraph
from nbgraph.lowering.build import Argument, Native, build
from nbgraph.lowering.claims import error
from nbgraph.lowering.cores import spread_over_cores
from nbgraph.lowering.donation import donate
from nbgraph.lowering.emit import canonical_source
from nbgraph.lowering.fission import split_like_terms
from nbgraph.lowering.foreign import Foreign, PythonParts
from nbgraph.lowering.fusion import fuse_rows
from nbgraph.lowering.lower import lower
from nbgraph.lowering.memory import MemoryEstimate, estimate
from nbgraph.lowering.outline import outline
from nbgraph.lowering.overlay import overlay
from nbgraph.lowering.plan import LibraryStep, Plan
from nbgraph.lowering.prepare import Forward, prepare
from nbgraph.lowering.program import Allocate, Program
from nbgraph.lowering.python_calls import with_python
from nbgraph.lowering.quotients import multiply_by_reciprocals
from nbgraph.lowering.reuse import reuse_buffers
from nbgraph.lowering.schedule import schedule
from nbgraph.lowering.states import Kinds, States
from nbgraph.lowering.sums import sum_in_blocks
from nbgraph.lowering.tiles import tile_short_rows
from nbgraph.lowering.timeline import NativeTimeline
from nbgraph.lowering.timing import Timing, timed
from nbgraph.lowering.user_functions import check_user_functions
from nbgraph.lowering.watch import Watch
from nbgraph.lowering.work import works_of
from nbgraph.lowering.workspace import pack_temporaries


@dataclass(frozen=True, repr=False)
class Stages:
    """The graph after rewriting, the plan of its computation, and the program that was compiled.

    timing : of a function that is profiled, what the record of a call holds
    python : what is left to Python
    states : which inputs and outputs are generators of random numbers
    """

    graph: FunctionGraph
    plan: Plan
    program: Program
    timing: Timing | None = None
    python: PythonParts = field(default_factory=PythonParts)
    states: States = field(default_factory=States)

    def __repr__(self) -> str:
        return f"<stages .graph, .plan, .program: {summary(self)}>"

    def __str__(self) -> str:
        return f"graph\n{self.graph}\n\nplan\n{self.plan}\n\nprogram\n{self.program}"


@dataclass(frozen=True)
class Signature:
    """What only people see: which inputs are shared, and what variables and outputs are called."""

    shared_inputs: tuple[bool, ...]
    names: Callable[[], dict[Variable, str]]
    output_names: Callable[[], Sequence[str | None]]


class Compiled:
    """Native code for one graph.

    Attributes
    ----------
    stages : Stages
    native : Native                what was built, or loaded from the cache
    scalar_inputs : tuple of bool  which inputs are taken as Python or NumPy scalars
    destinations : (output, input) positions of updates that are computed into memory of the caller's
    entry : callable               the compiled function: values of the inputs, then `constants`, then memory for each
                                   of `destinations` -> tuple of outputs, 0-d ones as Python numbers; raises CheckFailed
    timeline : Timeline or None    what the record that `entry` takes last means, where the function is profiled
    stage_seconds : dict           what each stage from the graph to native code took
    failure : classes              of what `entry` raises and `error_of` is to see
    states : set of int            inputs that may be a `Moved` in the place of a generator
    refuses : bool                 whether `entry` gives None, and has done nothing, for arguments that it can't take
    """

    def __init__(self, stages: Stages, native: Native, signature: Signature, stage_seconds: dict[str, float],
                 updates: Collection[int], other: Callable[[Kinds], Compiled]) -> None:
        self.stages, self.native, self.signature = stages, native, signature
        self.stage_seconds = stage_seconds
        self.timeline = NativeTimeline(stages, signature) if stages.timing is not None else None
        self.scalar_inputs = tuple(v.type.ndim == 0 and not is_object for v, is_object in
                                   zip(stages.graph.inputs, stages.python.inputs, strict=True))
        self.constants = tuple(value for _, value in stages.program.constants)
        self.destinations = tuple((d.output, d.state) for d in stages.program.destinations)
        self.entry = entry_of(native, stages, updates, lambda kinds: other(kinds).called_alone)
        self.refuses, self.states = native.result is not None, frozenset(stages.states.inputs)
        self.user_kernels = [node for node in stages.graph.nodes if isinstance(node.op, Foreign) and node.op.kernel]
        self.failure: tuple[type[Exception], ...] = (Exception,) if self.user_kernels else (CheckFailed,)

    def called_alone(self, *values: Any) -> Any:
        """The outputs for what was to go to the function for other bit generators: inputs, and last the record.

        Nothing else is the caller's, nor are errors.
        """
        record = () if self.timeline is None else values[-1:]
        try:
            return self.entry(*values[:len(self.stages.graph.inputs)], *self.constants, *record)
        except CheckFailed as failed:
            raise self.error_of(failed) from None

    def error_of(self, failed: Exception) -> Exception:
        """The error for a CheckFailed of `entry`: what is wrong with which operands, and how to fix it.

        What a kernel of a user raises is told where that kernel is applied.
        """
        if not isinstance(failed, CheckFailed):
            if not isinstance(failed, (NbgraphError, MemoryError)) and not hasattr(failed, "__notes__"):
                places = [str(n.op) + (f", made at {n.line}" if n.line else "") for n in self.user_kernels]
                failed.add_note(f"while computing {'one of: ' * (len(places) > 1)}{'; '.join(places)}")
            return failed
        number, *values = failed.args
        return error(self.stages.program.checks[number], values)

    @cached_property
    def source(self) -> str:
        """The generated function, with the user's names."""
        from nbgraph.lowering.readable import readable_source  # read by few, so loaded by few
        return readable_source(self.stages.program, self.stages.graph, self.signature, summary(self.stages))

    def explain(self) -> str:
        """What is computed where, and what it took to build."""
        left = [f"{node.op}   {node.line or ''}" for node in self.stages.python.nodes]
        python = ["\n".join(["computed by Python code:", *(f"  {line}" for line in left)])] if left else []
        return "\n\n".join([summary(self.stages), *python, str(self.stages.plan), str(self.native)])

    def memory_estimate(self, arguments: Sequence[Any]) -> MemoryEstimate:
        """What a call allocates, for the shape of each input of the graph, or the value of a scalar."""
        return estimate(self.stages.program, arguments)

    def cache_info(self) -> Native:
        """Where the compiled code is kept, and whether it came from there."""
        return self.native


def arguments_of(stages: Stages) -> list[Argument]:
    """The types of all that native code takes."""
    program = stages.program
    arguments = [Argument(v.type.dtype, v.type.ndim) for v in stages.graph.inputs]
    buffers = (*(buffer for buffer, _ in program.constants), *(d.buffer for d in program.destinations),
               *(b for b in (program.record, program.python) if b is not None))
    return arguments + [Argument(buffer.dtype, buffer.ndim) for buffer in buffers]


def entry_of(native: Native, stages: Stages, updates: Collection[int],
             other: Callable[[Kinds], Callable[..., Any]]) -> Callable[..., Any]:
    """What is called with values of the graph; for `updates` and `other` see `with_generators`."""
    entry = with_python(native.entry, stages.python) if stages.python else native.entry
    if not stages.states:
        return entry
    from nbgraph.lowering.generators import with_generators  # distributions are loaded where there are any
    return with_generators(entry, stages.states, updates, other)


def summary(stages: Stages) -> str:
    """One line: nodes, library calls, fused loops, buffers."""
    program = stages.program
    calls = sum(isinstance(step, LibraryStep) for step in stages.plan.steps)
    buffers = [s for s in program.statements if isinstance(s, Allocate)]
    reused = sum(s.reuses is not None for s in buffers)
    return (f"{_count(len(stages.graph), 'node')} -> {_count(calls, 'library call')}, "
            f"{_count(len(program.kernels), 'fused loop')}.   {_count(len(buffers), 'buffer')}, {reused} reused.")


def _count(n: int, what: str) -> str:
    return f"{n} {what}" + ("" if n == 1 else "s")


def stages_of(fgraph: FunctionGraph, name: str, input_names: Sequence[str | None],
              updates: Sequence[tuple[int, int]] = (), *, profiled: bool = False, stopwatch: Stopwatch | None = None,
              watch: Watch | None = None, allow_python: bool = True,
              generators: Sequence[str | None] = ()) -> tuple[Stages, Forward]:
    """All stages up to the text, and what stands in the graph for variables that `prepare` has exchanged."""
    lap = (stopwatch or Stopwatch()).lap
    prepared = prepare(fgraph, allow_python, generators)
    lap("prepare")
    plan = schedule(prepared.graph)
    lap("schedule")
    program = lower(plan, name, input_names, watch)
    lap("lower")
    program = split_like_terms(fuse_rows(overlay(program)))
    program = spread_over_cores(pack_temporaries(outline(multiply_by_reciprocals(program))))
    arrays = [(output, state) for output, state in updates if state not in prepared.states.inputs]
    program = donate(reuse_buffers(program), plan, arrays)
    works = works_of(program) if profiled else {}
    program = sum_in_blocks(tile_short_rows(program))
    timing = None
    if profiled:
        program, timing = timed(program, plan, works)
    lap("passes over the program")
    return Stages(prepared.graph, plan, program, timing, prepared.python, prepared.states), prepared.forward


class Stopwatch:
    """What each stage takes, in seconds: `lap` ends one."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> float:
        """Seconds since the last one."""
        now = time.perf_counter()
        self.seconds[stage], self._last = now - self._last, now
        return self.seconds[stage]


def compile_graph(fgraph: FunctionGraph, name: str, input_names: Sequence[str | None],
                  shared_inputs: Sequence[bool], names: Callable[[], dict[Variable, str]],
                  output_names: Callable[[], Sequence[str | None]],
                  updates: Sequence[tuple[int, int]] = (), profiled: bool = False,
                  allow_python: bool = True, generators: Sequence[str | None] = ()) -> Compiled:
    """Native code for a rewritten graph; afterwards no call compiles, but one with a generator of another kind.

    Parameters
    ----------
    fgraph : FunctionGraph
    name : str                      of the function, for people
    input_names : for each input    what the user calls it
    shared_inputs : for each input  whether it is a shared variable
    names, output_names : callables what the user calls variables, and each output; asked when someone looks
    updates : (output, input)       positions of what becomes the next value of an input
    profiled : bool                 the function reads the clock, and takes a record to be filled as its last argument
    allow_python : bool             False: an Op without a native kernel is an error
    generators : for each input     the bit generator that it will have; None for one that nbgraph does not know, and
                                    for what is no generator

    Raises
    ------
    KernelError   an Op has Python code only, and that is not allowed
    """
    stopwatch = Stopwatch()
    stages, forward = stages_of(fgraph, name, input_names, updates, profiled=profiled, stopwatch=stopwatch,
                                allow_python=allow_python, generators=generators)
    source = canonical_source(stages.program)
    stopwatch.lap("emit")
    native = build(source, arguments_of(stages), partial(check_user_functions, stages.graph))
    stopwatch.seconds |= _parts_of_build(native, stopwatch.lap("build"))
    del stopwatch.seconds["build"]

    def carried() -> dict[Variable, str]:
        return {forward.get(v, v): name for v, name in names().items()}

    def other(kinds: Kinds) -> Compiled:
        moved = [(output, state) for output, state in updates if state in stages.states.inputs]
        # Timed as this one: the record means the same, where nothing is left to Python.
        alike = profiled and all(kinds[i] is not None for i in stages.states.inputs)
        return compile_graph(fgraph, name, input_names, shared_inputs, names, output_names, moved, alike, allow_python,
                             kinds[:len(fgraph.inputs)])

    return Compiled(stages, native, Signature(tuple(shared_inputs), carried, output_names), stopwatch.seconds,
                    [output for output, _ in updates], other)


def _parts_of_build(native: Native, seconds: float) -> dict[str, float]:
    """What building consisted of: looking it up, loading it, or compiling it."""
    if native.seconds > seconds:
        return {"known to this process": seconds}
    if native.hit:
        return {"load from the cache": seconds}
    return {"Numba": seconds - native.llvm_seconds, "LLVM": native.llvm_seconds}
