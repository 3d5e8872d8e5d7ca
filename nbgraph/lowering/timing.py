"""Timing: a Program that reads the clock around all that takes time, for the profile. The last pass, run for no other.

    gemv(1.0, x, False, w, 0.0, z)        record[0] = nanoseconds()
    s = fused_0(z, n)                     gemv(1.0, x, False, w, 0.0, z)
    return s                              record[1] = nanoseconds()
                                          s = fused_0(z, n)
                                          record[2] = nanoseconds()
                                          record[3] = n
                                          return s

The kernels are those that ship, text by text, and so are the results. `record` is the last argument: each call has its
own. Behind the readings stand the lengths that bytes and operations follow from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from nbgraph.dispatch.expressions import Assign, Buffer, Combine, Literal, Local, Store
from nbgraph.graph.basic import Variable
from nbgraph.lowering.plan import Plan
from nbgraph.lowering.program import CallKernel, CallLibrary, CombineParts, Program, ReadClock, ReadLength, walk
from nbgraph.lowering.work import Doing, Evaluation, Lengths, doing, is_work, needed_by
from nbgraph.tensor import dtypes


@dataclass(frozen=True)
class Span:
    """A statement, and the numbers of the readings before and after it."""

    statement: Any
    begin: int
    end: int


@dataclass(frozen=True)
class Timing:
    """What the record of a call holds: `readings` of the clock, then the values of `evaluation.lengths.locals`."""

    readings: int
    spans: tuple[Span, ...]
    evaluation: Evaluation

    @property
    def size(self) -> int:
        """Numbers in a record."""
        return self.readings + len(self.evaluation.lengths.locals)


def timed(program: Program, plan: Plan, works: dict[Any, Doing]) -> tuple[Program, Timing]:
    """A program that does the same and fills a record, and what the record holds.

    works : what its statements do, as far as it was found while their loops were plain
    """
    record = Buffer("record", "int64", (Literal(-1),))
    statements, spans = _with_clock(program, record)
    readings = sum(isinstance(s, ReadClock) for s in statements)
    lengths = Lengths(plan, local_of=dict(_scalars(program, plan)))
    late = _read_lengths(program, lengths, statements)
    found = _each_reduction_once([works.get(span.statement) or doing(span.statement) for span in spans])
    needed = needed_by(found, lengths)
    there = dict.fromkeys(_locals(program, [*statements, *late]))
    lengths.locals += [e for e in there if e in needed and e.dtype in dtypes.INTEGERS]
    kept = [s for s in late if s.target in needed]
    places = [Store(record, (Literal(readings + k),), e) for k, e in enumerate(lengths.locals)]
    made = replace(program, statements=[*statements, *kept, *places], record=record)
    return made, Timing(readings, tuple(spans), Evaluation(lengths, tuple(found)))


def _with_clock(program: Program, record: Buffer) -> tuple[list[Any], list[Span]]:
    """All statements; what ends where the next begins shares a reading with it."""
    result: list[Any] = [ReadClock(record, 0)]
    spans = []
    place = 0
    for s in program.statements:
        if not is_work(s):
            result.append(s)
            continue
        if not isinstance(result[-1], ReadClock):
            place += 1
            result.append(ReadClock(record, place))
        result += [s, ReadClock(record, place + 1)]
        spans.append(Span(s, place, place + 1))
        place += 1
    if place == 0 or not isinstance(result[-1], ReadClock):
        result.append(ReadClock(record, place + 1))
    return result, spans


def _scalars(program: Program, plan: Plan) -> Iterator[tuple[Variable, Local]]:
    """The scalars of the graph that the main function has in Locals."""
    for v, value in zip(plan.fgraph.inputs, program.inputs, strict=True):
        if isinstance(value, Local):
            yield v, value
    for s in program.statements:
        if isinstance(s, CallKernel):
            inner = [e for e in walk(s.kernel.body) if isinstance(e, (Assign, Combine))]
            made = [(e.variable, e.target) for e in inner if e.target in s.kernel.results]
        else:
            made = [(s.variable, s.target)] if isinstance(s, (Assign, ReadLength, CombineParts)) else []
        for variable, target in made:
            if variable is not None and getattr(variable.type, "ndim", 1) == 0 and target.dtype == variable.type.dtype:
                yield variable, target


def _read_lengths(program: Program, lengths: Lengths, statements: list[Any]) -> list[ReadLength]:
    """Statements for lengths of arguments, which may stand last; those of arrays that a library made come behind it."""
    known = {(s.buffer, s.axis): s.target for s in program.statements if isinstance(s, ReadLength)}

    def reads(variable: Variable, buffer: Buffer) -> list[ReadLength]:
        found = []
        dims = list(buffer.dims)
        for axis, n in enumerate(lengths.lengths_of(variable)):
            if dims[axis] != Literal(-1):
                continue
            if isinstance(n, int):
                dims[axis] = Literal(n)
                continue
            if (buffer, axis) not in known:
                known[buffer, axis] = Local("n")
                found.append(ReadLength(known[buffer, axis], buffer, axis, n))
            dims[axis] = known[buffer, axis]
            lengths.local_of.setdefault(n, known[buffer, axis])
        lengths.dims[buffer] = tuple(dims)
        return found

    for place in range(len(statements) - 1, -1, -1):
        s = statements[place]
        if isinstance(s, CallLibrary) and s.allocates:
            statements[place + 2:place + 2] = [r for v, b in zip(s.node.outputs, s.outputs, strict=True)
                                               for r in reads(v, b)]
    arguments = zip(lengths.plan.fgraph.inputs, program.inputs, strict=True)
    return [r for v, b in arguments if isinstance(b, Buffer) for r in reads(v, b)]


def _each_reduction_once(works: list[Doing]) -> list[Doing]:
    """The first kernel of a reduction does it; what combines the pieces does little."""
    seen: set[Any] = set()
    found = []
    for work in works:
        found.append(replace(work, reductions=tuple(node for node in work.reductions if node not in seen)))
        seen.update(work.reductions)
    return found


def _locals(program: Program, statements: list[Any]) -> Iterator[Local]:
    """The scalars of the main function, in the order in which they have their values."""
    yield from (v for v in program.inputs if isinstance(v, Local))
    for s in statements:
        if isinstance(s, (Assign, ReadLength, CombineParts)):
            yield s.target
        elif isinstance(s, CallKernel):
            yield from s.kernel.results
