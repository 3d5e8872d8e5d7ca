"""Donation: an update is computed into memory that its shared variable no longer needs.

    w_next = empty((n,));  fused_0(w, g, w_next)         def train(w, g, w_next):  fused_0(w, g, w_next)

The caller hands over the array that held the value before the last update, where nobody else holds it, and gets it back
as the new value: two arrays take turns. The value that is being read is never written, so a call that fails, a thread
that reads and whoever has borrowed the value see nothing of it; and no call allocates, or pays for fresh pages.
"""

from __future__ import annotations

from collections.abc import Sequence

from nbgraph.dispatch.expressions import Buffer
from nbgraph.lowering.plan import Plan
from nbgraph.lowering.program import Allocate, Destination, Program, Test


def donate(program: Program, plan: Plan, updates: Sequence[tuple[int, int]]) -> Program:
    """The program with memory for updates among its arguments; `updates` are (output, input) positions.

    Only where the lengths are known to be those of the input when the memory is written: no test comes after that.
    """
    allocated = {s.buffer: place for place, s in enumerate(program.statements) if isinstance(s, Allocate)}
    tests = [place for place, s in enumerate(program.statements) if isinstance(s, Test)]
    last_test = max(tests, default=-1)
    for output, state in updates:
        buffer = program.outputs[output]
        if not isinstance(buffer, Buffer) or not _same_lengths(plan, output, state):
            continue
        root = _root(program, buffer, allocated)
        if root is None or allocated[root] < last_test or any(d.buffer is root for d in program.destinations):
            continue
        program.destinations.append(Destination(root, output, state))
    given = {d.buffer for d in program.destinations}
    program.statements[:] = [s for s in program.statements if not (isinstance(s, Allocate) and s.buffer in given)]
    return program


def _same_lengths(plan: Plan, output: int, state: int) -> bool:
    now, before = plan.fgraph.outputs[output], plan.fgraph.inputs[state]
    if now.type.dtype != before.type.dtype or now.type.ndim != before.type.ndim:
        return False
    lengths = [[plan.same.find(n) for n in plan.lengths_of(v)] for v in (now, before)]
    return all(a is b or a == b for a, b in zip(*lengths, strict=True))


def _root(program: Program, buffer: Buffer, allocated: dict[Buffer, int]) -> Buffer | None:
    """The buffer that was allocated for what this one holds; None where its memory was made by a library call."""
    while buffer in allocated:
        statement = program.statements[allocated[buffer]]
        assert isinstance(statement, Allocate), "by its making"
        if statement.reuses is None:
            return buffer
        buffer = statement.reuses
    return None
