"""Workspace: temporaries of one shape that one kernel has dozens of, or a program hundreds, become rows of one array.

    v0 = empty((n,)); … v999 = empty((n,))          work = empty((1000, n))
    fused_0(x, v0, v1);  fused_0(v1, v2, v3)        fused_0(x, 0, work, n);  fused_0(work, 1, 2, …)

A kernel is told the first row of each run of rows that it touches, so that equal kernels at other rows stay equal, and
are compiled once. Small programs keep their buffers: those may reuse memory, and vectorise better.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nbgraph.dispatch.expressions import Assign, Buffer, Literal, Load, Local, add
from nbgraph.lowering.program import Allocate, CallKernel, Program, kernel_of
from nbgraph.lowering.reuse import buffers_in
from nbgraph.lowering.substitute import replaced, substituted

MANY = 200      # temporaries of one shape
ARGUMENTS = 48  # arrays of one kernel


@dataclass(eq=False)
class _Workspace:
    """One array for many buffers, each with a row."""

    array: Buffer
    row: dict[Buffer, int] = field(default_factory=dict)


def pack_temporaries(program: Program) -> Program:
    """The same program with few arrays."""
    spaces = _workspaces(program)
    if not spaces:
        return program
    home = {buffer: space for space in spaces for buffer in space.row}
    result: list[Any] = []
    opened: set[_Workspace] = set()
    for s in program.statements:
        if isinstance(s, Allocate) and s.buffer in home:
            if home[s.buffer] not in opened:
                opened.add(home[s.buffer])
                result.append(Allocate(home[s.buffer].array))
        elif isinstance(s, CallKernel) and any(b in home for b in buffers_in(s)):
            result += _moved_call(s, home)
        elif isinstance(s, Assign) and any(b in home for b in buffers_in(s)):
            result.append(Assign(s.target, replaced(s.value, loads=lambda e: _literal_row(e, home)), s.variable))
        else:
            result.append(s)
    program.statements[:] = result
    return program


def _workspaces(program: Program) -> list[_Workspace]:
    """The groups of temporaries that only kernels touch, with a row for each."""
    excluded = {v for v in program.outputs if isinstance(v, Buffer)}
    producer: dict[Buffer, CallKernel] = {}
    for s in program.statements:
        if isinstance(s, CallKernel) and s.copies is None:
            for buffer in s.kernel.writes:
                producer.setdefault(buffer, s)
        elif not isinstance(s, (Allocate, Assign)):
            excluded.update(buffers_in(s))
    groups: dict[Any, list[Buffer]] = {}
    crowded = {b for s in program.statements if isinstance(s, CallKernel) and len(list(buffers_in(s))) > ARGUMENTS
               for b in buffers_in(s)}
    for s in program.statements:
        if isinstance(s, Allocate) and s.buffer not in excluded and s.buffer in producer:
            groups.setdefault((s.buffer.dtype, s.buffer.dims, s.buffer in crowded), []).append(s.buffer)
    order = {s: k for k, s in enumerate(program.statements)}
    found = []
    for (dtype, dims, together), members in groups.items():
        if together or len(members) > MANY or not dims:
            space = _Workspace(Buffer("work", dtype, (Literal(len(members)), *dims)))
            for row, buffer in enumerate(sorted(members, key=lambda b: order[producer[b]])):
                space.row[buffer] = row
            found.append(space)
    return found


def _moved_call(call: CallKernel, home: dict[Buffer, _Workspace]) -> list[Any]:
    """The rows that the kernel works on, then the call."""
    touched: dict[_Workspace, set[int]] = {}
    for buffer in buffers_in(call):
        if buffer in home:
            touched.setdefault(home[buffer], set()).add(home[buffer].row[buffer])
    first: list[Assign] = []
    place: dict[tuple[_Workspace, int], tuple[Local, int]] = {}
    for space, rows in touched.items():
        for row in sorted(rows):
            start, offset = place.get((space, row - 1), (None, -1))
            if start is None:
                start = Local("row")
                first.append(Assign(start, Literal(row)))
            place[space, row] = start, offset + 1

    def move(e: Load) -> Load:
        if e.buffer not in home:
            return e
        space = home[e.buffer]
        start, offset = place[space, space.row[e.buffer]]
        return Load(space.array, (add(start, Literal(offset)), *e.index))

    body = substituted(call.kernel.body, loads=move)
    outer = None if call.kernel.outer is None else body[call.kernel.body.index(call.kernel.outer)]
    return [*first, CallKernel(kernel_of(body, call.kernel.results, outer), call.variables)]


def _literal_row(e: Load, home: dict[Buffer, _Workspace]) -> Load:
    if e.buffer not in home:
        return e
    space = home[e.buffer]
    return Load(space.array, (Literal(space.row[e.buffer]), *e.index))
