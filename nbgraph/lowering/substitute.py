"""Statements with other expressions in them: what passes over a Program are made of.

    substituted(body, loads=lambda e: Load(work, (row, *e.index)))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nbgraph.dispatch.expressions import Assign, Call, Combine, Draw, Expr, For, Keep, Load, Local, Store


def _same(e: Any) -> Any:
    return e


def substituted(body: Sequence[Any], local: Callable[[Local], Expr] = _same,
                loads: Callable[[Load], Expr] = _same) -> list[Any]:
    """The statements with every Local that is read, and every Load and store, exchanged.

    `loads` is also asked where a store goes; a Local as its answer makes the store an assignment.
    """
    return [_statement(s, local, loads) for s in body]


def _statement(s: Any, local: Callable[[Local], Expr], loads: Callable[[Load], Expr]) -> Any:
    def new(e: Expr) -> Expr:
        return replaced(e, local, loads)

    if isinstance(s, For):
        return For(s.index, new(s.extent), substituted(s.body, local, loads), new(s.first), s.offset)
    if isinstance(s, Assign):
        return Assign(s.target, new(s.value), s.variable)
    if isinstance(s, Store):
        target = loads(Load(s.buffer, tuple(map(new, s.index))))
        if isinstance(target, Local):
            return Assign(target, new(s.value), s.variable)
        return Store(target.buffer, target.index, new(s.value), s.variable)
    if isinstance(s, Combine):
        return Combine(new(s.target), s.combine, new(s.value), s.variable)
    if isinstance(s, Draw):
        return Draw(s.target, s.function, s.stream, tuple(map(new, s.arguments)), s.variable)
    return Keep(s.best, s.place, s.better, new(s.value), new(s.position), s.variable)


def replaced(e: Expr, local: Callable[[Local], Expr] = _same, loads: Callable[[Load], Expr] = _same) -> Expr:
    """The expression with its Locals and Loads exchanged. Expressions of a program are flat: this does not go deep."""
    if isinstance(e, Local):
        return local(e)
    if isinstance(e, Load):
        return loads(Load(e.buffer, tuple(replaced(i, local, loads) for i in e.index)))
    if isinstance(e, Call):
        return Call(e.function, tuple(replaced(a, local, loads) for a in e.arguments), e.operand_dtypes, e.dtype)
    return e
