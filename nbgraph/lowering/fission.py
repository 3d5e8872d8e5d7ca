"""Fission: a loop over many like terms becomes several equal ones, which are one kernel, compiled once.

    for i: t0 = tanh(x0[i]); z0[i] = t0; m0 = c0 * t0          fused_0(x0 … x7, c0 … c7, z0 … z7, m)
           t1 = tanh(x1[i]); z1[i] = t1; m1 = m0 + c1 * t1     fused_1(m, x8 … x15, c8 … c15, z8 … z15, m_1)
           …                                                   fused_1(m_1, …)
           total = add(total, m79)                             …

What one piece computes and a later one needs goes through memory, or is loaded again. Where statements do not repeat,
a long loop is cut where least does. What a turn hands to the next, but sums, is the last piece: searches and scans.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, pairwise
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
    Load,
    Local,
    Store,
    locals_of,
)
from nbgraph.lowering.elements import nested
from nbgraph.lowering.program import Allocate, CallKernel, Kernel, Program, expressions_of, kernel_of, parts_of
from nbgraph.lowering.schedule import REDUCTIONS, STATEMENTS

PIECE = 48       # statements of one of several equal loops
LONGEST = 40     # statements of one term
SUMS = 8         # reductions of one of several equal loops


def split_like_terms(program: Program) -> Program:
    """The same program, loops over many like terms in pieces."""
    result: list[Any] = []
    for s in program.statements:
        result += _pieces(s) if isinstance(s, CallKernel) and s.copies is None else [s]
    program.statements[:] = result
    return program


def _pieces(call: CallKernel) -> list[Any]:
    """The call, or allocations and a call for each piece."""
    loop = _Loop.of(call.kernel)
    if loop is None:
        return [call]
    plain, rest = loop.parted()
    if not _is_long(plain):
        return [call]
    body = _term_by_term(plain, {e for s in rest for e in _read_by(s)})
    pieces = [body[a:b] for a, b in pairwise(_cuts(body, loop.indices))]
    return _Split(loop, [*pieces, *_apart(rest)], call).calls()


class _Loop:
    """Perfectly nested loops around statements, with assignments before and after them."""

    def __init__(self, kernel: Kernel, loops: list[For], before: list[Any], after: list[Any]) -> None:
        self.kernel, self.loops, self.before, self.after = kernel, loops, before, after
        self.body, self.indices = loops[-1].body, tuple(loop.index for loop in loops)

    @classmethod
    def of(cls, kernel: Kernel) -> _Loop | None:
        """The loops of a kernel; None where it is anything else, or short, or reads what it writes."""
        outer = [k for k, s in enumerate(kernel.body) if isinstance(s, For)]
        if len(outer) != 1:
            return None
        loops = [kernel.body[outer[0]]]
        while len(loops[-1].body) == 1 and isinstance(loops[-1].body[0], For):
            loops.append(loops[-1].body[0])
        loop = cls(kernel, loops, kernel.body[:outer[0]], kernel.body[outer[0] + 1:])
        return loop if _is_long(loop.body) and loop._is_simple() else None

    def _is_simple(self) -> bool:
        """True where arrays are stored once and not read, and what follows the loop is about one result each."""
        if not all(isinstance(s, Assign) for s in (*self.before, *self.after)) or any(e.first for e in self.loops):
            return False
        if any(isinstance(s, (For, Draw)) for s in self.body):
            return False
        if any(isinstance(s, Combine) and not isinstance(s.target, Local) for s in self.body):
            return False
        stored = [s.buffer for s in self.body if isinstance(s, Store)]
        read = {e.buffer for s in self.body for x in expressions_of(s) for e in parts_of(x) if isinstance(e, Load)}
        left = _left_by(self.body) if self.after else set()
        about = [left.intersection(locals_of(s.value)) for s in self.after]
        return (len(set(stored)) == len(stored) and not read.intersection(self.kernel.writes)
                and all(len(found) == 1 for found in about))

    def parted(self) -> tuple[list[Any], list[Any]]:
        """Statements for which the order of the turns does not matter; the others, with what follows from them."""
        assigned = {s.target for s in self.body if isinstance(s, Assign)}
        carried = _carried(self.body) | {s.target for s in self.before if s.target in assigned}
        plain: list[Any] = []
        rest: list[Any] = []
        for s in self.body:
            handed = isinstance(s, Keep) or (isinstance(s, Assign) and s.target in carried)
            if handed or carried.intersection(_read_by(s)):
                rest.append(s)
                carried |= {s.target} if isinstance(s, Assign) else set()
            else:
                plain.append(s)
        return plain, rest

    def around(self, body: list[Any]) -> For:
        """The same loops around other statements."""
        (loop,) = nested(self.indices, (e.extent for e in self.loops), body)
        assert isinstance(loop, For), "there is a loop"
        return loop


def _apart(rest: list[Any]) -> list[list[Any]]:
    """Searches and scans in pieces, each of them whole: whatever shares a local that one of the statements gives."""
    place = {s: k for k, s in enumerate(rest)}
    given = {e for s in rest for e in _given(s)}
    group: dict[Local, list[Any]] = {}
    for s in rest:
        mine = [e for e in (*_read_by(s), *_given(s)) if e in given]
        groups = list({id(group[e]): group[e] for e in mine if e in group}.values())
        together = groups[0] if groups else []
        moved = [s, *(member for other in groups[1:] for member in other)]
        together += moved
        group.update((e, together) for member in moved for e in (*_read_by(member), *_given(member)) if e in given)
    pieces: list[list[Any]] = []
    for found in {id(statements): statements for statements in group.values()}.values():
        if not pieces or len(pieces[-1]) + len(found) > STATEMENTS:
            pieces.append([])
        pieces[-1] += sorted(found, key=place.__getitem__)
    return pieces


def _given(s: Any) -> list[Local]:
    """The locals that a statement assigns."""
    return [s.best, s.place] if isinstance(s, Keep) else [s.target] if isinstance(s, Assign) else []


def _carried(body: list[Any]) -> set[Local]:
    """Locals that are assigned twice, or read before they are assigned."""
    found: set[Local] = set()
    assigned = {s.target for s in body if isinstance(s, Assign)}
    made: set[Local] = set()
    for s in body:
        found.update(e for e in _read_by(s) if e in assigned and e not in made)
        if isinstance(s, Assign):
            found.update({s.target} & made)
            made.add(s.target)
    return found


def _left_by(body: list[Any]) -> set[Local]:
    """Locals that a loop leaves behind: sums, and what a turn hands to the next."""
    kept = {e for s in body if isinstance(s, Keep) for e in (s.best, s.place)}
    return kept | {s.target for s in body if isinstance(s, Combine)} | _carried(body)


# The order of statements ----------------------------------------------------------------------------------------------

def _term_by_term(body: list[Any], wanted: set[Local]) -> list[Any]:
    """The statements in an order in which every value is computed when it is first needed, and stored at once."""
    makes = {s.target: s for s in body if isinstance(s, Assign)}
    stores: dict[Any, list[Store]] = {}
    depth: dict[Any, int] = {}
    for s in body:
        depth[s] = 1 + max((depth[makes[e]] for e in _read_by(s) if e in makes), default=0)
        if isinstance(s, Store) and isinstance(s.value, Local) and s.value in makes:
            stores.setdefault(s.value, []).append(s)
    ordered: dict[Any, None] = {}
    roots = [s for s in body if not isinstance(s, Assign) or s.target in wanted]
    for root in sorted(roots, key=lambda s: -depth[s]):
        pending = [root] if root not in ordered else []
        while pending:
            s = pending[-1]
            missing = [makes[e] for e in _read_by(s) if e in makes and makes[e] not in ordered]
            if missing:
                pending.append(missing[0])
                continue
            pending.pop()
            ordered[s] = None
            if isinstance(s, Assign):
                pending += [store for store in stores.get(s.target, ()) if store not in ordered]
    return list(ordered)


def _read_by(s: Any) -> list[Local]:
    """The locals that a statement reads, but for what it adds to."""
    values = [s.value] if isinstance(s, Combine) else expressions_of(s)
    return [e for x in values for e in locals_of(x)]


# Where to cut ---------------------------------------------------------------------------------------------------------

def _cuts(body: list[Any], indices: tuple[Local, ...]) -> list[int]:
    """Positions of the pieces: equal ones where terms repeat, and what is left before and after those."""
    cost = _costs_of_cuts(body, indices)
    sums = [0, *accumulate(isinstance(s, Combine) for s in body)]  # before each position
    made = {s.target for s in body if isinstance(s, Assign)}
    found = [0]
    for end in [*_between_terms(body, [_kind(s, made, indices) for s in body], cost), len(body)]:
        while end - found[-1] > STATEMENTS or sums[end] - sums[found[-1]] > REDUCTIONS:
            start = found[-1]
            full = bisect_right(sums, sums[start] + REDUCTIONS) - 1
            last = min(end, full, start + STATEMENTS)
            # Where few values go through memory; late, where that is the same.
            found.append(min(range(min(start + STATEMENTS // 2, last), last + 1), key=lambda k: (cost[k], -k)))
        found.append(end)
    return found


def _between_terms(body: list[Any], kinds: list[Any], cost: list[Any]) -> list[int]:
    """Positions between equal pieces of several terms each, wherever statements repeat."""
    found: list[int] = []
    pending = [(0, len(body))]
    while pending:
        low, high = pending.pop()
        period, start, end = _longest_run(kinds[low:high])
        if end - start + period < PIECE:
            continue
        pending += [(low, low + start), (low + end + period, high)]
        start = min(range(low + start, low + min(start + period, end)), key=lambda k: cost[k + period])
        terms = (low + end + period - start) // period
        sums = sum(isinstance(s, Combine) for s in body[start:start + period])
        together = max(1, min(PIECE // period, SUMS // sums if sums else PIECE))
        equal = list(range(start + terms % together * period, start + terms * period + 1, together * period))
        # A few statements after the last term go with it.
        found += [k for k in equal if k > 0 and (k < equal[-1] or len(body) - k > period)]
    return sorted(found)


def _longest_run(kinds: list[Any]) -> tuple[int, int, int]:
    """(period, start, end): the most statements in a row that are of the same kind as those a period further on."""
    best = (1, 0, 0)
    for period in range(1, min(LONGEST, len(kinds) // 2) + 1):
        start = 0
        for k in range(len(kinds) - period + 1):
            if k == len(kinds) - period or kinds[k] != kinds[k + period]:
                best, start = max(best, (period, start, k), key=lambda run: run[2] - run[1]), k + 1
    return best


def _is_long(body: list[Any]) -> bool:
    return len(body) > STATEMENTS or sum(isinstance(s, Combine) for s in body) > REDUCTIONS


def _costs_of_cuts(body: list[Any], indices: tuple[Local, ...]) -> list[tuple[bool, int]]:
    """For each position whether it is before a store, and how many values must go through memory for a cut there."""
    stored = {s.value for s in body if isinstance(s, Store) and s.index == indices and isinstance(s.value, Local)}
    computed = {s.target: k for k, s in enumerate(body)
                if isinstance(s, Assign) and not isinstance(s.value, Load) and s.target not in stored}
    last = {e: k for k, s in enumerate(body) for e in _read_by(s) if e in computed}
    change = [0] * (len(body) + 1)
    for e, end in last.items():
        change[computed[e] + 1] += 1
        change[end + 1] -= 1
    return [(k < len(body) and isinstance(body[k], Store), n) for k, n in enumerate(accumulate(change))]


def _kind(s: Any, made: set[Local], indices: tuple[Local, ...]) -> Any:
    """What a statement has in common with that of another term."""
    def shape(e: Expr) -> Any:
        if isinstance(e, Local):
            return indices.index(e) if e in indices else (e in made, e.dtype)
        if isinstance(e, Load):
            return e.buffer.dtype, tuple(map(shape, e.index))
        if isinstance(e, Call):
            return e.function, e.operand_dtypes, tuple(map(shape, e.arguments))
        return e

    if isinstance(s, Assign):
        return "assign", s.target.dtype, shape(s.value)
    if isinstance(s, Store):
        return "store", s.buffer.dtype, tuple(map(shape, s.index)), shape(s.value)
    return s.combine, s.target.dtype, shape(s.value)


# The pieces -----------------------------------------------------------------------------------------------------------

class _Split:
    """One kernel in pieces."""

    def __init__(self, loop: _Loop, pieces: list[list[Any]], call: CallKernel) -> None:
        self.loop, self.pieces, self.call = loop, pieces, call
        self.piece_of = {s.target: k for k, piece in enumerate(pieces) for s in piece if isinstance(s, Assign)}
        self.value_of = {s.target: s.value for piece in pieces for s in piece if isinstance(s, Assign)}
        self.stored = {s.value: Load(s.buffer, s.index) for k, piece in enumerate(self.pieces) for s in piece
                       if isinstance(s, Store) and s.index == loop.indices and self.piece_of.get(s.value) == k}
        self.new: dict[Local, Store] = {}

    def calls(self) -> list[Any]:
        """Allocations of what goes through memory, and the calls in their order."""
        bodies = [self._with_loads(k, piece) for k, piece in enumerate(self.pieces)]
        for e, store in self.new.items():
            bodies[self.piece_of[e]].append(store)
        calls = [self._call(body) for body in bodies]
        return [*(Allocate(store.buffer) for store in self.new.values()), *calls]

    def _with_loads(self, k: int, piece: list[Any]) -> list[Any]:
        """A piece after loads of what earlier pieces have computed."""
        wanted = dict.fromkeys(e for s in piece for e in _read_by(s) if self.piece_of.get(e, k) < k)
        return [*(Assign(e, self._from_memory(e)) for e in wanted), *piece]

    def _from_memory(self, e: Local) -> Load:
        """Where a piece finds what an earlier one has computed."""
        value = self.value_of[e]
        if isinstance(value, Load) and not any(index in self.piece_of for index in locals_of(value)):
            return value
        if e not in self.stored:
            buffer = Buffer(e.hint, e.dtype, tuple(loop.extent for loop in self.loop.loops))
            self.new[e] = Store(buffer, self.loop.indices, e)
            self.stored[e] = Load(buffer, self.loop.indices)
        return self.stored[e]

    def _call(self, body: list[Any]) -> CallKernel:
        """The kernel of a piece, with the statements before and after the loop that are about its values."""
        made = _left_by(body)
        after = [s for s in self.loop.after if made.intersection(locals_of(s.value))]
        made.update(s.target for s in after)
        used = {*made, *(e for s in body for e in _read_by(s))}
        before: list[Any] = []
        for s in reversed(self.loop.before):
            if s.target in used:
                before.insert(0, s)
                used.update(locals_of(s.value))
        loop = self.loop.around(body)
        results = [e for e in self.call.kernel.results if e in made]
        kernel = kernel_of([*before, loop, *after], results, loop if self.call.kernel.outer is not None else None)
        variables = tuple(dict.fromkeys(s.variable for s in body if isinstance(s, (Store, Combine))
                                        and s.variable is not None))
        return CallKernel(kernel, variables)
