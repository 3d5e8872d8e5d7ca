"""Cores: kernels with much to do are cut into pieces of their outer loop, for `dispatch.cores.spread` to share out.

    s = fused_0(x, n)     ->     pieces = pieces_of(n, 8)
                                 parts = on_stack(1, np.float64)
                                 spread(fused_0, pieces, n, x, parts)    parts[0, piece] = sum of x[first:first + count]
                                 s = sum_of(parts, 0, pieces)

That is done where no turn of the loop touches an element that another one writes. A temporary row gets one row a piece.
What a short loop pays is a comparison.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nbgraph.dispatch.expressions import (
    Assign,
    Buffer,
    Call,
    Combine,
    Expr,
    For,
    Keep,
    Literal,
    Load,
    Local,
    Store,
    add,
    integer,
    multiply,
)
from nbgraph.dispatch.threads import GRAIN, MOST
from nbgraph.lowering.program import (
    Allocate,
    CallKernel,
    CombineParts,
    Kernel,
    Program,
    StackArray,
    expressions_of,
    kernel_of,
    parts_of,
    walk,
    written_by,
)
from nbgraph.lowering.reuse import buffers_in, copied_by
from nbgraph.lowering.substitute import substituted
from nbgraph.tensor.scalar_function import TABLE

ARGUMENTS = 25      # of a kernel in pieces: Python and Numba make a detour over a tuple where a call has more than 30
_OPERATION, _MEMORY, _FUNCTION = 2, 3, 20  # what an element costs, in the unit of GRAIN
_IN_PIECES = {"sum", "prod", "max", "min", "all", "any"}


def spread_over_cores(program: Program) -> Program:
    """The same program; kernels that can be are called in pieces."""
    temporaries = _temporaries(program)
    result: list[Any] = []
    replaced: set[Buffer] = set()
    for s in program.statements:
        if isinstance(s, CallKernel) and s.copies is None:
            split = _Split.of(s.kernel, temporaries.get(s, set()))
            result += [s] if split is None else split.statements(s)
            replaced |= set() if split is None else split.rows
        else:
            result.append(s)
    program.statements[:] = [s for s in result if not (isinstance(s, Allocate) and s.buffer in replaced)]
    return program


def _temporaries(program: Program) -> dict[Any, set[Buffer]]:
    """For each call the arrays that are allocated for it alone."""
    users: dict[Buffer, list[Any]] = {}
    for s in program.statements:
        for b in set(buffers_in(s)):
            users.setdefault(b, []).append(s)
    outputs = {v for v in program.outputs if isinstance(v, Buffer)}
    found: dict[Any, set[Buffer]] = {}
    for b, (first, *others) in users.items():
        if isinstance(first, Allocate) and len(others) == 1 and b not in outputs:
            found.setdefault(others[0], set()).add(b)
    return found


@dataclass
class _Split:
    """How a kernel is cut: its loop, its accumulators with what combines them, rows that each piece needs."""

    kernel: Kernel
    loop: For
    cost: Expr
    before: list[Any]
    after: list[Any]
    combined: dict[Local, str] = field(default_factory=dict)
    rows: set[Buffer] = field(default_factory=set)

    @classmethod
    def of(cls, kernel: Kernel, temporaries: set[Buffer]) -> _Split | None:
        """None where the kernel is one piece."""
        loop = kernel.outer
        if loop is None or loop not in kernel.body or copied_by(kernel) is not None:
            return None
        place = kernel.body.index(loop)
        before, after = kernel.body[:place], kernel.body[place + 1:]
        if not all(isinstance(s, Assign) and isinstance(s.value, Literal) for s in before):
            return None
        if not all(isinstance(s, Assign) for s in after):
            return None
        split = cls(kernel, loop, _cost(loop.body), before, after)
        known = isinstance(loop.extent, Literal) and isinstance(split.cost, Literal)
        if known and loop.extent.value * split.cost.value < 2 * GRAIN:
            return None
        if len(kernel.reads) + len(kernel.scalars) + len(kernel.writes) + len(before) > ARGUMENTS:
            return None
        return split if split._accumulates() and split._apart(temporaries) else None

    def _accumulates(self) -> bool:
        """True where all that a turn hands to the next can be combined at the end."""
        outside = {s.target: s for s in self.before}
        for s in walk(self.loop.body):
            if isinstance(s, Combine) and isinstance(s.target, Local) and s.target in outside:
                if s.combine not in _IN_PIECES or s.target in self.combined:
                    return False
                self.combined[s.target] = s.combine
                read = parts_of(s.value)
            else:
                changed = [s.best, s.place] if isinstance(s, Keep) else [s.target] if isinstance(s, Assign) else []
                read = [*changed, *(e for x in expressions_of(s) for e in parts_of(x))]
            if any(e in outside for e in read if isinstance(e, Local)):
                return False
        return len(self.combined) == len(outside)

    def _apart(self, temporaries: set[Buffer]) -> bool:
        """True where no turn touches what another one writes; fills `rows`."""
        places: dict[Buffer, list[tuple[Expr, ...]]] = {}
        for s in walk(self.loop.body):
            for b, index in _accesses(s):
                places.setdefault(b, []).append(index)
        for b in self.kernel.writes:
            turn = self.loop.index
            if any(all(place[axis] is turn for place in places[b]) for axis in range(b.ndim)):
                continue
            if b not in temporaries or any(e is turn for place in places[b] for x in place for e in parts_of(x)):
                return False
            self.rows.add(b)
        return True

    def statements(self, call: CallKernel) -> list[Any]:
        """What stands in the main function."""
        piece, first, count, pieces = Local("piece"), Local("first"), Local("count"), Local("pieces")
        offset = Local("offset")
        rows = {b: Buffer(b.hint, b.dtype, (pieces, *b.dims)) for b in self.kernel.writes if b in self.rows}
        turns = substituted(self.loop.body, loads=lambda e: Load(rows[e.buffer], (piece, *e.index))
                            if e.buffer in rows else e)
        loop = For(self.loop.index, count, turns, first, offset)
        places = self._places()
        body: list[Any] = [*self.before, loop,
                *(Store(b, (Literal(row), piece), total) for total, (b, row) in places.items())]
        kernel = kernel_of(body, [], loop)
        kernel.turns = (piece, first, count)
        kernel.scalars = [e for e in kernel.scalars if e not in kernel.turns]
        names = {s.value: s.target for s in reversed(self.after) if s.value in places}
        combined = [CombineParts(names.get(s.target, s.target), self.combined[s.target], *places[s.target], pieces,
                                 s.variable) for s in self.before]
        after = substituted([s for s in self.after if names.get(s.value) is not s.target],
                            local=lambda e: names.get(e, e))
        arrays = dict.fromkeys(b for b, _ in places.values())
        return [Assign(pieces, integer("pieces_of", self.loop.extent, self.cost)),
                *(StackArray(b) for b in arrays), *(Allocate(b) for b in rows.values()),
                CallKernel(kernel, call.variables, pieces=(pieces, self.loop.extent)), *combined, *after]

    def _places(self) -> dict[Local, tuple[Buffer, int]]:
        """Where a piece leaves its part of each reduction: an array for each dtype, a row for each reduction."""
        groups: dict[str, list[Local]] = {}
        for total in self.combined:
            groups.setdefault(total.dtype, []).append(total)
        found: dict[Local, tuple[Buffer, int]] = {}
        for dtype, totals in groups.items():
            parts = Buffer("parts", dtype, (Literal(len(totals)), Literal(MOST)))
            found.update((total, (parts, row)) for row, total in enumerate(totals))
        return found


def _accesses(s: Any) -> list[tuple[Buffer, tuple[Expr, ...]]]:
    found = [(e.buffer, e.index) for x in expressions_of(s) for e in parts_of(x) if isinstance(e, Load)]
    return [*found, (s.buffer, s.index)] if isinstance(s, Store) else found


def _cost(body: list[Any]) -> Expr:
    """What one turn costs."""
    loops: Expr = Literal(0)
    here = 0
    for s in body:
        here += _OPERATION
        if isinstance(s, For):
            loops = add(loops, multiply(s.extent, _cost(s.body)))
            continue
        here += _MEMORY * len(written_by(s))
        for e in (e for x in expressions_of(s) for e in parts_of(x)):
            if isinstance(e, Load):
                here += _MEMORY
            elif isinstance(e, Call):
                row = TABLE.get(e.function)
                here += _FUNCTION if row is not None and row.expensive else _OPERATION
    return add(loops, Literal(here))
