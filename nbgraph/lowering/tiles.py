"""Tiles: where rows turn out to be short, 64 of them are worked on at a time, each step for all of them.

    for i in range(n):                          for tile in range(floor_divide(short + 63, 64)):
        total = 0.0                                 for r in range(minimum(short - tile * 64, 64)):
        for j in range(m):                              total[0, r] = 0.0
            total = add(total, f(x[i], j))          for j in range(m):
        z[i] = log(total)                               for r in range(…):  i = tile * 64 + r
                                                            total[0, r] = add(total[0, r], f(x[i], j))
                                                    for r in range(…):  i = tile * 64 + r;  z[i] = log(total[0, r])

The innermost loop is then over rows, and vectorises however short they are. What one step leaves for the next is on the
stack. `short` is n where m is at most SHORT, else 0: the loop as it was does the others. Only sums change their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nbgraph.dispatch.expressions import (
    Assign,
    Buffer,
    Call,
    Combine,
    Draw,
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
from nbgraph.dispatch.threads import MOST
from nbgraph.lowering.cores import ARGUMENTS
from nbgraph.lowering.program import (
    Allocate,
    CallKernel,
    Kernel,
    Program,
    StackArray,
    accesses_of,
    expressions_of,
    kernel_of,
    parts_of,
    walk,
)
from nbgraph.lowering.reuse import buffers_in
from nbgraph.lowering.substitute import substituted
from nbgraph.tensor.scalar_function import TABLE

TILE = MOST         # rows, as many as a row of `on_stack` has elements
SHORT = 32          # elements of a row that is short
NARROW = 7          # where a column of an array is fetched or put element by element, and no function is worth it
MEDIUM = 16         # the same with such functions and sums
COLUMNS = False     # also where such rows may be long: they gain up to five times, all others compile for twice as long
FEW = 8             # rows that are not worth it
STATEMENTS = 80     # of a loop that is there twice
STACK = 128 * 1024  # bytes
# What a reduction starts with, where its parts may be combined in any order.
_STARTS = {"sum": 0, "prod": 1, "max": None, "min": None}


def tile_short_rows(program: Program) -> Program:
    """The same program; loops over rows that may be short are there in tiles, too."""
    result: list[Any] = []
    users = _users(program)
    for s in program.statements:
        if isinstance(s, CallKernel) and s.copies is None:
            tiling = _Tiling(s.kernel, {b for b, by in users.items() if by == {s}})
            body = tiling.body(s.kernel.body, False)
            s.kernel.body = [*(StackArray(b) for b in tiling.stack), *body]
            result += tiling.before()
        result.append(s)
    program.statements[:] = result
    return program


def _users(program: Program) -> dict[Buffer, set[Any]]:
    """For each allocated array that is no output the statements that look at it."""
    outputs = {v for v in program.outputs if isinstance(v, Buffer)}
    found: dict[Buffer, set[Any]] = {s.buffer: set() for s in program.statements
                                     if isinstance(s, Allocate) and s.buffer not in outputs}
    for s in program.statements:
        touched = list(buffers_in(s)) if not isinstance(s, Allocate) else []
        if isinstance(s, CallKernel):
            touched += s.kernel.shares
        for b in touched:
            if b in found:
                found[b].add(s)
    return found


@dataclass
class _Rows:
    """What is known of a loop over rows.

    Attributes
    ----------
    segments : loops of the body, and what stands between them
    extents : of the inner loops
    made : Local -> segments that give it a value;  used : Local -> segments that read it
    carried : Local or Buffer -> how all rows together change it
    """

    loop: For
    segments: list[Any] = field(default_factory=list)
    extents: list[Expr] = field(default_factory=list)
    made: dict[Local, set[int]] = field(default_factory=dict)
    used: dict[Local, set[int]] = field(default_factory=dict)
    carried: dict[Any, str] = field(default_factory=dict)
    changed: set[Local] = field(default_factory=set)

    @classmethod
    def of(cls, loop: For) -> _Rows | None:
        """None where the loop has no inner ones, or they have loops inside, or lengths that are not short."""
        inner = [s for s in loop.body if isinstance(s, For)]
        if not inner or any(isinstance(e, For) for s in inner for e in s.body) or any(s.first for s in inner):
            return None
        if any(isinstance(s, (Keep, Draw)) for s in walk(loop.body)) or len(walk(loop.body)) > STATEMENTS:
            return None
        rows = cls(loop)
        for s in loop.body:
            if isinstance(s, For):
                rows.segments.append(s)
                rows.extents += [] if s.extent in rows.extents else [s.extent]
            elif rows.segments and isinstance(rows.segments[-1], list):
                rows.segments[-1].append(s)
            else:
                rows.segments.append([s])
        if any(isinstance(n, Literal) and n.value > SHORT for n in rows.extents):
            return None
        if isinstance(loop.extent, Literal) and loop.extent.value < FEW:
            return None
        return rows if rows._locals() and rows._pays() else None

    def _pays(self) -> bool:
        """True where a row is added up, or has functions that are worth a vector."""
        return bool(self.changed) or self.expensive()

    def expensive(self) -> bool:
        """True where the inner loops call functions that are worth a vector."""
        calls = [e.function for s in self.segments if isinstance(s, For) for e in walk(s.body)
                 for x in expressions_of(e) for e in parts_of(x) if isinstance(e, Call)]
        return any(row.expensive for row in map(TABLE.get, calls) if row is not None)

    def statements(self) -> list[tuple[int, Any]]:
        """(segment, statement) for all that are not loops."""
        return [(k, s) for k, group in enumerate(self.segments)
                for s in (group.body if isinstance(group, For) else group)]

    def _locals(self) -> bool:
        """Fill `made`, `used` and `carried`; False where a row needs what an earlier one leaves."""
        for k, s in self.statements():
            combined = s.target if isinstance(s, Combine) and isinstance(s.target, Local) else None
            read = [e for x in expressions_of(s) for e in parts_of(x) if isinstance(e, Local)]
            if combined is not None and combined not in self.made:
                if combined in self.carried or s.combine not in _STARTS or read.count(combined) > 1:
                    return False
                self.carried[combined] = s.combine
                read = [e for e in read if e is not combined]
            elif combined is not None:
                self.changed.add(combined)
            for e in read:
                self.used.setdefault(e, set()).add(k)
            if isinstance(s, Assign):
                if s.target in self.used and s.target not in self.made:
                    return False
                if s.target in self.made:
                    self.changed.add(s.target)
                self.made.setdefault(s.target, set()).add(k)
        own = any(e in self.used or e in self.made for e in self.carried)
        return not own and not any(e in self.made for n in self.extents for e in parts_of(n))

    def crossing(self) -> list[Local]:
        """The locals that one segment leaves for another."""
        return [e for e, made in self.made.items() if len(made | self.used.get(e, set())) > 1]


class _Tiling:
    """Loops over rows of one kernel, there in tiles as well.

    Attributes
    ----------
    scratch : arrays that nothing else looks at
    stack : arrays that the tiles need
    turned : array -> what holds it transposed, with the loops over its axes
    """

    def __init__(self, kernel: Kernel, scratch: set[Buffer]) -> None:
        self.kernel, self.scratch = kernel, scratch
        self.stack: list[Buffer] = []
        self.turned: dict[Buffer, tuple[Buffer, Expr, Expr]] = {}
        self.statements = walk(kernel.body)

    def body(self, statements: Sequence[Any], enclosed: bool) -> list[Any]:
        """The statements, each loop over rows that can be in tiles twice."""
        result: list[Any] = []
        for s in statements:
            if not isinstance(s, For):
                result.append(s)
                continue
            rows = _Rows.of(s)
            if rows is not None and (tiled := _Tiles.of(rows, self, enclosed)) is not None:
                result += tiled.statements()
            else:
                result.append(For(s.index, s.extent, self.body(s.body, True), s.first, s.offset))
        return result

    def root(self, b: Buffer) -> Buffer:
        """What has the memory of a buffer."""
        return self.kernel.shares.get(b, b)

    def room(self, buffers: Sequence[Buffer]) -> bool:
        """True where the stack has room for these as well."""
        rows = sum(b.dims[0].value for b in (*self.stack, *buffers))
        return bool(rows * TILE * 8 <= STACK)

    def transposed(self, b: Buffer, rows: Expr, columns: Expr) -> Buffer | None:
        """What holds b[rows, columns] transposed, where the main function can make it."""
        known = all(isinstance(n, Literal) or n in self.kernel.scalars for n in (rows, columns))
        full = len(self.kernel.reads) + len(self.kernel.scalars) + len(self.kernel.writes) >= ARGUMENTS
        if b in self.turned:
            return self.turned[b][0] if self.turned[b][1:] == (rows, columns) else None
        if not known or full or b.ndim != 2 or b in self.kernel.shares or b not in self.kernel.reads:
            return None
        short: Expr = columns if isinstance(columns, Literal) else Local("short")
        self.turned[b] = Buffer(f"{b.hint}_turned", b.dtype, (short, rows)), rows, columns
        self.kernel.reads.append(self.turned[b][0])
        return self.turned[b][0]

    def before(self) -> list[Any]:
        """Statements of the main function that make the transposed arrays."""
        result: list[Any] = []
        for source, (target, rows, columns) in self.turned.items():
            short = target.dims[0]
            if isinstance(short, Local):
                result.append(Assign(short, _where(_is_short([columns]), columns, Literal(0))))
            i, j, element = Local("i"), Local("j"), Local("v", source.dtype)
            inner = [Assign(element, Load(source, (i, j))), Store(target, (j, i), element)]
            loop = For(j, short, [For(i, rows, inner)])
            result += [Allocate(target), CallKernel(kernel_of([loop], [], loop))]
        return result


def _is_short(extents: Sequence[Expr], limit: int = SHORT) -> Expr:
    longest = extents[0]
    for n in extents[1:]:
        longest = integer("maximum", longest, n)
    return Call("<=", (longest, Literal(limit)), ("int64", "int64"), "bool")


def _where(condition: Expr, a: Expr, b: Expr) -> Expr:
    return Call("switch", (condition, a, b), ("bool", "int64", "int64"), "int64")


class _Tiles:
    """One loop over rows in tiles."""

    def __init__(self, rows: _Rows, tiling: _Tiling) -> None:
        self.rows, self.tiling, self.loop = rows, tiling, rows.loop
        self.first = Local("first")
        self.width: Expr = Literal(TILE)
        self.rowwise: dict[Buffer, tuple[Buffer, int]] = {}   # a temporary row -> its tile, the axis of its elements
        self.turned: dict[Buffer, Buffer] = {}
        self.written: set[Buffer] = set()
        self.limit = SHORT
        self.arrays = {e: Buffer(e.hint, e.dtype, (Literal(1), Literal(TILE))) for e in rows.crossing()}
        self.fresh = {e: Local(e.hint, e.dtype) for e in rows.made if e not in self.arrays}

    @classmethod
    def of(cls, rows: _Rows, tiling: _Tiling, enclosed: bool) -> _Tiles | None:
        """None where the order of the rows matters."""
        inside = walk([rows.loop])
        outside = {e for s in tiling.statements if s not in inside for x in expressions_of(s) for e in parts_of(x)}
        if any(e in outside or e in tiling.kernel.results for e in rows.made):
            return None
        tiles = cls(rows, tiling)
        if not tiles._memory() or not tiling.room(tiles._stack()):
            return None
        turned, reads = dict(tiling.turned), list(tiling.kernel.reads)
        if enclosed:
            tiles._turn()
        if not tiles._is_worth_it():
            tiling.turned, tiling.kernel.reads = turned, reads
            return None
        tiling.stack += tiles._stack()
        return tiles

    def _is_worth_it(self) -> bool:
        """Set `limit`; False where no row is that short, or what long rows pay for compiling is more."""
        if self._are_apart():
            self.limit = MEDIUM if self.rows.changed and self.rows.expensive() else NARROW
            if not COLUMNS and not all(isinstance(n, Literal) for n in self.rows.extents):
                return False
        return not any(isinstance(n, Literal) and n.value > self.limit for n in self.rows.extents)

    def _are_apart(self) -> bool:
        """True where the elements of a column of an array are fetched or put."""
        return any(self.loop.index in index[:-1] and b not in self.rowwise and b not in self.turned
                   for g in self.rows.segments if isinstance(g, For) for s in g.body for b, index, _ in accesses_of(s))

    def _stack(self) -> list[Buffer]:
        return [*self.arrays.values(), *(b for b, _ in self.rowwise.values())]

    def _memory(self) -> bool:
        """True where no row touches what another one writes, but to add to it; fills `rowwise`."""
        places: dict[Buffer, list[tuple[Buffer, tuple[Expr, ...], Any]]] = {}
        written = self.written
        for _, s in self.rows.statements():
            for b, index, writes in accesses_of(s):
                places.setdefault(self.tiling.root(b), []).append((b, index, s))
                written |= {self.tiling.root(b)} if writes else set()
        for root in places:  # in the order of the program, on which names depend
            if root in written and not (self._is_own(places[root]) or self._is_added_to(places[root])):
                if not self._is_scratch(places[root]):
                    return False
        return True

    def _is_own(self, places: list[Any]) -> bool:
        """True where each row has elements of its own."""
        buffer, index, _ = places[0]
        axes = [axis for axis in range(len(index)) if all(len(other) == len(index) and other[axis] is self.loop.index
                                                          for _, other, _ in places)]
        return bool(axes) and all(b.dims == buffer.dims for b, _, _ in places)

    def _is_added_to(self, places: list[Any]) -> bool:
        """True where all rows do is to combine their parts with the same elements."""
        _, _, statement = places[0]
        here = {self.loop.index, *self.rows.made}
        if len(places) > 1 or not isinstance(statement, Combine) or statement.combine not in _STARTS:
            return False
        if any(e in here for x in statement.target.index for e in parts_of(x)):
            return False
        self.rows.carried[statement.target.buffer] = statement.combine
        return True

    def _is_scratch(self, places: list[Any]) -> bool:
        """True where it is a temporary row, whose elements nothing looks at after its turn."""
        buffers = {b for b, _, _ in places}
        if len(buffers) > 1 or places[0][0] not in self.tiling.scratch:
            return False
        buffer = places[0][0]
        lengths = [axis for axis, n in enumerate(buffer.dims) if n in self.rows.extents]
        own = {self.loop.index, *self.rows.made, *(s.index for s in self.rows.segments if isinstance(s, For))}
        moving = {axis for _, index, _ in places for axis, x in enumerate(index) if any(e in own for e in parts_of(x))}
        inside = sum(b is buffer for _, s in self.rows.statements() for b, _, _ in accesses_of(s))
        everywhere = sum(b is buffer for s in self.tiling.statements for b, _, _ in accesses_of(s))
        if len(moving) != 1 or not moving <= set(lengths) or inside != everywhere:
            return False
        if any(isinstance(s, Combine) and getattr(s.target, "buffer", None) is buffer for _, _, s in places):
            return False
        size = buffer.dims[next(iter(moving))]
        length = size if isinstance(size, Literal) else Literal(SHORT)
        self.rowwise[buffer] = Buffer(buffer.hint, buffer.dtype, (length, Literal(TILE))), next(iter(moving))
        return True

    def _turn(self) -> None:
        """Arrays that would be read down a column in every turn of a loop further out are read transposed."""
        written = {b for s in self.tiling.statements for b, _, writes in accesses_of(s) if writes}
        for s in self.rows.segments:
            for x in (x for e in (s.body if isinstance(s, For) else ()) for x in expressions_of(e)):
                for load in (e for e in parts_of(x) if isinstance(e, Load) and e.buffer not in written):
                    if load.index == (self.loop.index, s.index) and self.loop.first is None:
                        turned = self.tiling.transposed(load.buffer, self.loop.extent, s.extent)
                        self.turned.update({} if turned is None else {load.buffer: turned})

    def statements(self) -> list[Any]:
        """The loop over tiles, and the one over rows where they may be long."""
        tile, begin, loop, n = Local("tile"), Local("begin"), self.loop, self.loop.extent
        result: list[Any] = []
        tiled: Expr = n
        unknown = [e for e in self.rows.extents if not isinstance(e, Literal)]
        if unknown:
            tiled, enough = Local("tiled"), Call(">=", (n, Literal(FEW)), ("int64", "int64"), "bool")
            short = Local("short")
            result.append(Assign(short, _where(_is_short(unknown, self.limit), n, Literal(0))))
            result.append(Assign(tiled, _where(enough, short, Literal(0))))
        body: list[Any] = [
            Assign(begin, multiply(tile, Literal(TILE))),
            Assign(self.first, begin if loop.first is None else integer("+", loop.first, begin))]
        self.width = integer("minimum", integer("-", tiled, begin), Literal(TILE))
        for s in self.rows.segments:
            body += self._inner(s) if isinstance(s, For) else self._over_rows(s, None)
        result.append(For(tile, integer("floor_divide", add(tiled, Literal(TILE - 1)), Literal(TILE)), body))
        if unknown:
            result.append(For(loop.index, integer("-", n, tiled), loop.body, loop.first, loop.offset))
        return result

    def _inner(self, s: For) -> list[Any]:
        index = Local(s.index.hint)
        return [For(index, s.extent, self._over_rows(s.body, (s.index, index)))]

    def _over_rows(self, statements: Sequence[Any], inner: tuple[Local, Local] | None) -> list[Any]:
        """The statements for all rows of a tile; before them what is the same for all."""
        row, i = Local("r"), Local(self.loop.index.hint)
        names: dict[Local, Expr] = {**self.fresh, self.loop.index: i}
        names.update({e: Load(b, (Literal(0), row)) for e, b in self.arrays.items()})
        if inner is not None:
            names[inner[0]] = inner[1]
        same: set[Local] = {inner[0]} if inner else set()
        before: list[Any] = []
        each: list[Any] = []
        after: list[Any] = []
        for s in statements:
            if isinstance(s, Assign) and s.target in self.fresh and self._is_same(s, same):
                same.add(s.target)
                before += self._renamed(s, names, row)
            elif isinstance(s, Combine) and getattr(s.target, "buffer", s.target) in self.rows.carried:
                start, (step,), end = self._part(s, self._renamed(s, names, row)[0])
                before.append(start)
                each.append(step)
                after.append(end)
            else:
                each += self._renamed(s, names, row)
        staged = self._staged(each, i, row) if inner is not None else [each]
        return [*before, *(self._loop(body, i, row) for body in staged if body), *after]

    def _loop(self, body: list[Any], i: Local, row: Local) -> For:
        new = {i: Local(i.hint), row: Local(row.hint)}
        return For(new[i], self.width, substituted(body, local=lambda e: new.get(e, e)), self.first, new[row])

    def _staged(self, each: list[Any], i: Local, row: Local) -> list[list[Any]]:
        """The statements in three loops: LLVM makes no vectors where rows lie apart, so their elements are fetched
        into an array before, and put into their places afterwards."""
        fetched: list[Any] = []
        put: list[Any] = []
        for k, s in enumerate(each):
            load = s.value if isinstance(s, Assign) and isinstance(s.value, Load) else None
            if load is not None and self._lies_apart(load.index, i):
                if self.tiling.root(load.buffer) not in self.written:
                    place = self._stage(load.buffer, row)
                    fetched.append(Store(place.buffer, place.index, load))
                    each[k] = Assign(s.target, place, s.variable)
            elif isinstance(s, Store) and self._lies_apart(s.index, i):
                later = {self.tiling.root(b) for e in each[k + 1:] for b, _, _ in accesses_of(e)}
                if self.tiling.root(s.buffer) not in later:
                    place = self._stage(s.buffer, row)
                    put.append(Store(s.buffer, s.index, place, s.variable))
                    each[k] = Store(place.buffer, place.index, s.value, s.variable)
        return [fetched, each, put]

    def _stage(self, b: Buffer, row: Local) -> Load:
        stage = Buffer(b.hint, b.dtype, (Literal(1), Literal(TILE)))
        self.tiling.stack.append(stage)
        return Load(stage, (Literal(0), row))

    def _lies_apart(self, index: tuple[Expr, ...], i: Local) -> bool:
        """True where the elements of a column are read or written."""
        own = {*self.fresh.values()}
        return i in index[:-1] and not any(e in own for x in index for e in parts_of(x))

    def _is_same(self, s: Assign, same: set[Local]) -> bool:
        """True where a value does not depend on the row."""
        if s.target in self.rows.changed:
            return False
        parts = parts_of(s.value)
        here = {self.loop.index, *self.rows.made}
        return not any((e in here and e not in same) if isinstance(e, Local) else isinstance(e, Load) and (
            e.buffer not in self.tiling.kernel.reads or e.buffer in self.tiling.kernel.shares) for e in parts)

    def _renamed(self, s: Any, names: dict[Local, Expr], row: Local) -> list[Any]:
        """The statement with its row's places on the stack."""
        def load(e: Load) -> Load:
            if e.buffer in self.rowwise:
                tile, axis = self.rowwise[e.buffer]
                return Load(tile, (e.index[axis], row))
            if e.buffer in self.turned and inner_place(e):
                return Load(self.turned[e.buffer], (e.index[1], e.index[0]))
            return e

        def inner_place(e: Load) -> bool:
            return e.index[0] is names[self.loop.index] and e.index[1] in names.values()

        (new,) = substituted([s], local=lambda e: names.get(e, e), loads=load)
        if isinstance(new, Assign):
            target = names.get(new.target, new.target)
            if isinstance(target, Load):
                return [Store(target.buffer, target.index, new.value, new.variable)]
            return [Assign(target, new.value, new.variable)]
        return [new]

    def _part(self, s: Combine, new: Combine) -> tuple[Any, list[Any], Any]:
        """What the rows of a tile make, added to what there is."""
        part = Local("part", s.target.dtype)
        start = _STARTS[s.combine]
        first = new.target if start is None else Literal(_number(start, part.dtype), part.dtype)
        return (Assign(part, first), [Combine(part, s.combine, new.value, s.variable)],
                Combine(new.target, s.combine, part, s.variable))


def _number(value: int, dtype: str) -> Any:
    return {"b": bool, "i": int, "u": int, "f": float, "c": complex}[dtype[0]](value)
