"""Cores: kernels with much to do are cut into pieces of their outer loop, for `dispatch.cores.spread` to share out.

    s = fused_0(x, n)     ->     pieces = pieces_of(n, 8)
                                 parts = on_stack(1, np.float64)
                                 spread(fused_0, pieces, n, x, parts)    parts[0, piece] = sum of x[first:first + count]
                                 s = sum_of(parts, 0, pieces)

That is done where no turn of the loop touches an element that another one writes. A temporary row gets one row a piece,
and so does a row to which all turns add: a second kernel adds the rows of the pieces up, in their order.
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
from nbgraph.lowering.elements import nested
from nbgraph.lowering.program import (
    Allocate,
    CallKernel,
    CombineParts,
    Kernel,
    Program,
    StackArray,
    accesses_of,
    expressions_of,
    kernel_of,
    parts_of,
    targets_of,
    walk,
    written_by,
)
from nbgraph.lowering.reuse import buffers_in, copied_by
from nbgraph.lowering.substitute import substituted
from nbgraph.tensor.scalar_function import TABLE

TURNS = 64          # of a piece at least, where it leaves a row
APART = 16          # elements between such rows: two cores that write into one line of the cache wait for each other
ARGUMENTS = 25      # of a kernel in pieces: Python and Numba make a detour over a tuple where a call has more than 30
_OPERATION, _MEMORY, _FUNCTION = 4, 10, 80  # what an element costs in a loop of vectors, in the unit of GRAIN
_ELSEWHERE = -60    # what sharing gains for an element that one core has just written: the other one waits for it
_IN_PIECES = {"sum", "prod", "max", "min", "all", "any"}


def spread_over_cores(program: Program) -> Program:
    """The same program; kernels that can be are called in pieces."""
    temporaries = _temporaries(program)
    result: list[Any] = []
    replaced: set[Buffer] = set()
    elsewhere: set[Buffer] = set()
    for s in program.statements:
        if isinstance(s, CallKernel) and s.copies is None:
            split = _Split.of(s.kernel, temporaries.get(s, set()), elsewhere)
            copied = copied_by(s.kernel)
            if split is None and (copied is None or copied[1] in elsewhere):
                elsewhere.update(s.kernel.writes)
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
    """How a kernel is cut: its loop, its accumulators with what combines them, rows that each piece needs.

    fills, casts : loops before and after it, over rows to which all turns add
    added : what combines such rows
    """

    kernel: Kernel
    loop: For
    cost: Expr
    before: list[Any]
    after: list[Any]
    fills: dict[Buffer, For] = field(default_factory=dict)
    casts: list[For] = field(default_factory=list)
    combined: dict[Local, str] = field(default_factory=dict)
    added: dict[Buffer, str] = field(default_factory=dict)
    rows: set[Buffer] = field(default_factory=set)

    @classmethod
    def of(cls, kernel: Kernel, temporaries: set[Buffer], elsewhere: set[Buffer]) -> _Split | None:
        """None where the kernel is one piece; `elsewhere` is what kernels of one piece have written."""
        loop = kernel.outer
        if loop is None or loop not in kernel.body or copied_by(kernel) is not None:
            return None
        place = kernel.body.index(loop)
        (fills, before), (casts, after) = _parted(kernel.body[:place]), _parted(kernel.body[place + 1:])
        if not all(isinstance(s, Assign) and isinstance(s.value, Literal) for s in before):
            return None
        if not all(isinstance(s, Assign) for s in after) or not all(map(_is_fill, fills)):
            return None
        filled = {walk([s])[-1].buffer: s for s in fills}
        split = cls(kernel, loop, _cost(loop.body, elsewhere), before, after, filled, casts)
        known = isinstance(loop.extent, Literal) and isinstance(split.cost, Literal)
        if known and loop.extent.value * split.cost.value < 2 * GRAIN:
            return None
        if len(kernel.reads) + len(kernel.scalars) + len(kernel.writes) + len(before) > ARGUMENTS:
            return None
        if filled and isinstance(loop.extent, Literal) and loop.extent.value < 2 * TURNS:
            return None
        return split if split._accumulates() and split._adds_rows() and split._apart(temporaries) else None

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

    def _adds_rows(self) -> bool:
        """True where all that is done with filled rows is adding to them; fills `added`."""
        places: list[tuple[Expr, ...]] = []
        for s in walk(self.loop.body):
            if isinstance(s, Store) and s.buffer in self.fills:
                return False
            places += [index for b, index, _ in accesses_of(s) if b in self.fills]
            if isinstance(s, Combine) and isinstance(s.target, Load) and s.target.buffer in self.fills:
                self.added[s.target.buffer] = s.combine
        once = len(places) == len(self.fills) == len(self.added) and _IN_PIECES.issuperset(self.added.values())
        cast = {b for loop in self.casts for s in walk([loop]) for b, _, _ in accesses_of(s)} - set(self.fills)
        apart = not any(b in cast for s in walk(self.loop.body) for b, _, _ in accesses_of(s))
        if self.casts and (not self.added or set(kernel_of([*self.casts], []).scalars) - set(self.kernel.scalars)):
            return False
        return once and apart and not any(e is self.loop.index for place in places for i in place for e in parts_of(i))

    def _apart(self, temporaries: set[Buffer]) -> bool:
        """True where no turn touches what another one writes; fills `rows`."""
        places: dict[Buffer, list[tuple[Expr, ...]]] = {}
        for s in walk(self.loop.body):
            for b, index, _ in accesses_of(s):
                places.setdefault(b, []).append(index)
        turns = _other_in_every_turn(self.loop)
        for b in self.kernel.writes:
            turn = self.loop.index
            if b in self.added or b not in places:
                continue
            if any(len({place[axis] for place in places[b]}) == 1 and places[b][0][axis] in turns
                   for axis in range(b.ndim)):
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
        rows |= {b: Buffer(b.hint, b.dtype, (pieces, *b.dims[:-1], add(b.dims[-1], Literal(APART))))
                 for b in self.added}
        fills, turns = (substituted(body, loads=lambda e: Load(rows[e.buffer], (piece, *e.index))
                                    if e.buffer in rows else e) for body in ([*self.fills.values()], self.loop.body))
        loop = For(self.loop.index, count, turns, first, offset)
        places = self._places()
        body: list[Any] = [*fills, *self.before, loop,
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
        return [self._number_of(pieces), *(StackArray(b) for b in arrays), *(Allocate(b) for b in rows.values()),
                CallKernel(kernel, call.variables, pieces=(pieces, self.loop.extent)), *combined,
                *self._rows_combined(rows, pieces, call), *after]

    def _number_of(self, pieces: Local) -> Assign:
        turns, cost = self.loop.extent, self.cost
        if self.added:
            turns, cost = integer("floor_divide", turns, Literal(TURNS)), multiply(cost, Literal(TURNS))
        return Assign(pieces, integer("pieces_of", turns, cost))

    def _rows_combined(self, rows: dict[Buffer, Buffer], pieces: Local, call: CallKernel) -> list[CallKernel]:
        """The call of a kernel that combines the rows of all pieces."""
        if not self.added:
            return []
        piece, offset = Local("piece"), Local("offset")
        body: list[Any] = []
        following: list[Any] = []
        for b, kind in self.added.items():
            loops, index = _loops_of(self.fills[b])
            variable = walk([self.fills[b]])[-1].variable
            body += nested(*loops, [Store(b, index, Load(rows[b], (Literal(0), *index)), variable)])
            following += nested(*loops, [Combine(Load(b, index), kind, Load(rows[b], (piece, *index)), variable)])
        loop = For(piece, integer("-", pieces, Literal(1)), following, Literal(1), offset)
        return [CallKernel(kernel_of([*body, loop, *self.casts], []), call.variables)]

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


def _parted(statements: list[Any]) -> tuple[list[For], list[Any]]:
    """Loops, and the rest."""
    return [s for s in statements if isinstance(s, For)], [s for s in statements if not isinstance(s, For)]


def _is_fill(loop: For) -> bool:
    *loops, last = walk([loop])
    return all(isinstance(s, For) for s in loops) and isinstance(last, Store) and isinstance(last.value, Literal)


def _loops_of(fill: For) -> tuple[tuple[list[Local], list[Expr]], tuple[Expr, ...]]:
    """Indices and lengths of the loops, and the index of what they fill."""
    *loops, last = walk([fill])
    return ([s.index for s in loops], [s.extent for s in loops]), last.index


def _other_in_every_turn(loop: For) -> set[Local]:
    """The index of the loop, and what is that far from a number that does not change."""
    made = {e for s in walk([loop]) for e in targets_of(s)}
    found = {loop.index}
    for s in loop.body:
        if isinstance(s, Assign) and isinstance(s.value, Call) and s.value.function in ("+", "-"):
            turn, far = s.value.arguments
            if turn is loop.index and far not in made and s.target.dtype == "int64":
                found.add(s.target)
    return found


def _cost(body: list[Any], elsewhere: set[Buffer]) -> Expr:
    """What one turn costs, as far as sharing gains by it."""
    loops: Expr = Literal(0)
    here = 0
    for s in body:
        here += _OPERATION
        if isinstance(s, For):
            loops = add(loops, multiply(s.extent, _cost(s.body, elsewhere)))
            continue
        here += _MEMORY * len(written_by(s))
        for e in (e for x in expressions_of(s) for e in parts_of(x)):
            if isinstance(e, Load):
                here += _ELSEWHERE if e.buffer in elsewhere else _MEMORY
            elif isinstance(e, Call):
                row = TABLE.get(e.function)
                here += _FUNCTION if row is not None and row.expensive else _OPERATION
    return add(loops, Literal(here))
