"""Outline: long runs of scalar statements move out of the main function, a hundred to a kernel.

    v0 = sin(x); v1 = sin(v0); … 20,000 of them     fused_0(x, …);  fused_1(…); …

LLVM's time grows faster than linearly with the length of a function, and equal pieces are compiled once. What one piece
computes and another needs goes through memory: a buffer without axes, which `workspace` puts among others of its kind.
"""

from __future__ import annotations

from typing import Any

from nbgraph.dispatch.expressions import Assign, Buffer, Draw, Load, Local, Store
from nbgraph.lowering.program import Allocate, CallKernel, Program, kernel_of, locals_in

LONG, PIECE = 300, 100  # statements
_SCALAR = (Assign, Draw)


def outline(program: Program) -> Program:
    """The same program without long runs of scalar statements."""
    statements = program.statements
    if sum(isinstance(s, _SCALAR) for s in statements) <= LONG:
        return program
    users = _users(program)
    result: list[Any] = []
    position = 0
    while position < len(statements):
        end = position
        while end < len(statements) and isinstance(statements[end], _SCALAR):
            end += 1
        run: list[Any] = statements[position:end]
        result += _pieces(run, users) if len(run) > LONG else run or [statements[position]]
        position = max(end, position + 1)
    program.statements[:] = result
    return program


def _users(program: Program) -> dict[Local, list[Any]]:
    """The statements that read each local; None for the return statement."""
    found: dict[Local, list[Any]] = {}
    for statement in program.statements:
        for local in locals_in(statement):
            found.setdefault(local, []).append(statement)
    for value in program.outputs:
        if isinstance(value, Local):
            found.setdefault(value, []).append(None)
    return found


def _pieces(run: list[Any], users: dict[Local, list[Any]]) -> list[Any]:
    """Allocations, a call for each piece, and loads of what the rest of the program reads."""
    piece_of: dict[Any, int] = {s: k // PIECE for k, s in enumerate(run)}
    buffers: dict[Local, Buffer] = {}
    for s in run:
        if s.target is not None and any(piece_of.get(user) != piece_of[s] for user in users.get(s.target, ())):
            buffers[s.target] = Buffer(s.target.hint, s.target.dtype, ())
    found: list[Any] = [Allocate(buffer) for buffer in buffers.values()]
    for start in range(0, len(run), PIECE):
        piece = run[start:start + PIECE]
        made = {s.target for s in piece}
        needed = dict.fromkeys(e for s in piece for e in locals_in(s) if e in buffers and e not in made)
        body: list[Any] = [*(Assign(e, Load(buffers[e], ())) for e in needed), *piece,
                *(Store(buffers[s.target], (), s.target) for s in piece if s.target in buffers)]
        found.append(CallKernel(kernel_of(body, [])))
    outside = [local for local in buffers if any(user not in piece_of for user in users[local])]
    return [*found, *(Assign(local, Load(buffers[local], ())) for local in outside)]
