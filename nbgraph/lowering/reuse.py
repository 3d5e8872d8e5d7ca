"""Reuse: a Program whose temporaries take the memory of temporaries that nothing reads any more.

    dz = empty((n,));  fused_0(z, y, dz, n)       z never read again:  dz = z;  fused_0(dz, y, n)

A kernel may write where it reads if every element is loaded in the same turn of the loops that stores it. Inputs,
constants and outputs keep their memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from nbgraph.dispatch.expressions import Assign, Buffer, For, Load, Local, Store
from nbgraph.lowering.program import (
    Allocate,
    CallKernel,
    CallLibrary,
    CombineParts,
    Kernel,
    MakeAlias,
    Program,
    ReadLength,
    StackArray,
    Test,
    expressions_of,
    parts_of,
    walk,
    written_by,
)


def reuse_buffers(program: Program) -> Program:
    """The same program; its Allocate statements say which of them reuse memory. Copies into dead memory go."""
    memory = _Memory(program)
    kept = []
    for place, statement in enumerate(program.statements):
        if isinstance(statement, Allocate):
            statement.reuses = memory.dead_buffer(statement.buffer, place)
        elif isinstance(statement, CallKernel):
            copied = statement.copies or copied_by(statement.kernel)
            if copied is not None and memory.root(copied[0]) is memory.root(copied[1]):
                continue
        kept.append(statement)
    program.statements[:] = kept
    return program


def copied_by(kernel: Kernel) -> tuple[Buffer, Buffer] | None:
    """(target, source) of a kernel that stores what it loads, each element in its place, and does nothing else."""
    inner = [s for s in walk(kernel.body) if not isinstance(s, For)]
    if len(inner) != 2 or not isinstance(inner[0], Assign) or not isinstance(inner[1], Store):
        return None
    load, store = inner[0].value, inner[1]
    same = isinstance(load, Load) and load.index == store.index and store.value is inner[0].target
    return (store.buffer, load.buffer) if same else None


class _Memory:
    """Which buffers share memory, and when each piece of memory is used for the last time."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._root: dict[Buffer, Buffer] = {}
        self.last: dict[Buffer, int] = {}
        for place, statement in enumerate(program.statements):
            if isinstance(statement, MakeAlias):
                self._root[statement.buffer] = self.root(statement.source)
            for buffer in buffers_in(statement):
                self.last[self.root(buffer)] = place
        end = len(program.statements)
        for value in program.outputs:
            if isinstance(value, Buffer):
                self.last[self.root(value)] = end
        self.owned: list[Buffer] = []  # allocated so far, not fixed

    def root(self, buffer: Buffer) -> Buffer:
        """The buffer whose memory this one shares."""
        while buffer in self._root:
            buffer = self._root[buffer]
        return buffer

    def dead_buffer(self, wanted: Buffer, place: int) -> Buffer | None:
        """A buffer of the same dtype and lengths that is dead when `wanted` is first written."""
        writer = self._writer(wanted, place)
        fitting = [b for b in reversed(self.owned) if b.dtype == wanted.dtype and b.dims == wanted.dims]
        for candidate in [b for b in fitting if self.last[b] == writer] + [b for b in fitting if self.last[b] < place]:
            if self.last[candidate] < place or self._in_place(self.program.statements[writer], candidate, wanted):
                self._root[wanted] = candidate
                self.last[candidate] = max(self.last[candidate], self.last[wanted])
                return candidate
        self.owned.append(wanted)
        return None

    def _writer(self, buffer: Buffer, place: int) -> int:
        statements = self.program.statements
        return next(k for k in range(place + 1, len(statements)) if buffer in buffers_in(statements[k]))

    def _in_place(self, statement: Any, old: Buffer, new: Buffer) -> bool:
        if not isinstance(statement, CallKernel):
            return False
        if statement.copies is not None:
            return self.root(statement.copies[1]) is old
        kernel = statement.kernel
        olds = [b for b in (*kernel.reads, *kernel.writes, *kernel.shares) if self.root(b) is old]
        if not _same_turn(kernel, olds, new):
            return False
        # One argument for both: the compiler then sees that each element is read before it is written.
        kernel.shares.update(dict.fromkeys((new, *olds[1:]), olds[0]))
        kernel.reads = [b for b in kernel.reads if b not in olds]
        kernel.writes = [olds[0] if b is new else b for b in kernel.writes]
        return True


def _same_turn(kernel: Kernel, olds: list[Buffer], new: Buffer) -> bool:
    """True where every element of `olds` is loaded before the only store of `new` writes there.

    A load has the index of the store; or it comes before the loop with the store, in a turn of loops around both that
    touches other elements than all other turns do: row i is summed up, and then written over.
    """
    loads: list[tuple[Any, Any]] = []
    stores: list[tuple[Any, Any]] = []
    for path, statement in _with_loops(kernel.body, ()):
        for e in (p for expression in expressions_of(statement) for p in parts_of(expression)):
            if isinstance(e, Load) and (e.buffer is new or (e.buffer.dims != new.dims and e.buffer in olds)):
                return False
            if isinstance(e, Load) and e.buffer in olds:
                if stores:
                    return False
                loads.append((path, e.index))
        if new in written_by(statement):
            stores.append((path, statement))
        elif any(old in written_by(statement) for old in olds):
            return False
    if len(stores) != 1 or not isinstance(stores[0][1], Store):
        return False
    path, store = stores[0]
    if not set(path) <= set(store.index):
        return False  # an element is written again in another turn, which may load what was there
    return all(index == store.index or _earlier_turn(before, index, path, store.index) for before, index in loads)


def _earlier_turn(before: tuple[Local, ...], load: tuple[Any, ...], path: tuple[Local, ...],
                  store: tuple[Any, ...]) -> bool:
    """True where a load outside the store's innermost loop is in the same row as the store."""
    common = [one for one, other in zip(before, path) if one is other]
    return len(common) < len(path) and any(one is other and one in common for one, other in zip(load, store))


def _with_loops(body: Sequence[Any], path: tuple[Local, ...]) -> Iterator[tuple[tuple[Local, ...], Any]]:
    """The statements in order, each with the indices of the loops around it."""
    for statement in body:
        yield path, statement
        if isinstance(statement, For):
            yield from _with_loops(statement.body, (*path, statement.index))


def buffers_in(statement: Any) -> Iterable[Buffer]:
    """The buffers that a statement of the main function mentions."""
    if isinstance(statement, (Allocate, StackArray)):
        return [statement.buffer]
    if isinstance(statement, CombineParts):
        return [statement.parts]
    if isinstance(statement, MakeAlias):
        return [statement.buffer, statement.source]
    if isinstance(statement, ReadLength):
        return [statement.buffer]
    if isinstance(statement, CallKernel):
        return [*statement.kernel.reads, *statement.kernel.writes]
    if isinstance(statement, CallLibrary):
        return [a for a in (*statement.arguments, *statement.scratch, *statement.outputs) if isinstance(a, Buffer)]
    if isinstance(statement, Test):
        return [] if statement.array is None else [statement.array]
    loads = [e.buffer for expression in expressions_of(statement) for e in parts_of(expression) if isinstance(e, Load)]
    return [*loads, *written_by(statement)]
