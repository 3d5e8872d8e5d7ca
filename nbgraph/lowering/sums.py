"""Sums of floats as exact as NumPy's: 256 elements at a time, what adding the parts up loses kept aside.

    total = 0.0                              total = 0.0;  lost = 0.0
    for i in range(n):                       for block in range(floor_divide(n + 255, 256)):
        total = add(total, x[i])                 done = block * 256
                                                 part = 0.0
                                                 for offset in range(minimum(n - done, 256)):
                                                     i = done + offset
                                                     part = add(part, x[i])
                                                 lost = lost + rounding(total, part)
                                                 total = total + part
                                             total = settled(total, lost)

A part is summed up in any order, so it vectorises: with 16 partial sums its error is at most 20 roundings, which is
what NumPy's pairwise sum has for as many elements. The error of the sum of parts does not grow with their number: what
each addition loses is computed exactly (Knuth, The Art of Computer Programming 2, 4.2.2, theorem B), and added last.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from nbgraph.dispatch.expressions import (
    Assign,
    Call,
    Combine,
    For,
    Literal,
    Local,
    add,
    integer,
    locals_of,
    multiply,
)
from nbgraph.lowering.program import CallKernel, Program, expressions_of, walk
from nbgraph.tensor import dtypes

BLOCK = 256


def sum_in_blocks(program: Program) -> Program:
    """The same program, long sums in blocks."""
    for s in program.statements:
        if isinstance(s, CallKernel):
            totals = _totals(s.kernel.body)
            if totals:
                s.kernel.body = _Blocks(totals).body(s.kernel.body)
    return program


def _totals(body: list[Any]) -> dict[Local, For]:
    """The accumulators of sums that round, each with the innermost loop that adds to it."""
    statements = walk(body)
    found: dict[Local, For] = {}
    for loop in (s for s in statements if isinstance(s, For) and not any(isinstance(e, For) for e in s.body)):
        inside = Counter(e for s in loop.body for x in expressions_of(s) for e in locals_of(x))
        for s in loop.body:
            if isinstance(s, Combine) and _rounds(s) and inside[s.target] == 1:
                found[s.target] = loop
    adds = Counter(s.target for s in statements if isinstance(s, Combine) and isinstance(s.target, Local))
    starts: dict[Any, list[Any]] = {}
    for group in [body, *(s.body for s in statements if isinstance(s, For))]:
        starts.update((s.target, group) for s in group if isinstance(s, Assign) and isinstance(s.value, Literal))
    return {total: loop for total, loop in found.items() if adds[total] == 1 and total in starts
            and not (_is_short(loop) and loop in starts[total])}


def _rounds(s: Combine) -> bool:
    """True where the sum has the precision of its result: float32 added up in float64 has enough."""
    if not isinstance(s.target, Local) or s.combine != "sum" or s.target.dtype not in dtypes.FLOATS:
        return False
    return s.variable is None or s.variable.type.dtype == s.target.dtype


def _is_short(loop: For) -> bool:
    extent = loop.extent
    if isinstance(extent, Call) and extent.function == "minimum":
        extent = extent.arguments[1]
    return isinstance(extent, Literal) and extent.value <= BLOCK


class _Blocks:
    """Loops over blocks for the given accumulators."""

    def __init__(self, totals: dict[Local, For]) -> None:
        self.totals = totals
        self.lost = {total: Local("lost", total.dtype) for total in totals}
        self.parts = {total: Local("part", total.dtype) for total in totals}

    def body(self, statements: list[Any]) -> list[Any]:
        """The statements; sums begin and end in the list where they did."""
        started: list[Local] = []
        result: list[Any] = []
        for s in statements:
            if isinstance(s, For):
                ended = [total for total in started if self.totals[total] in walk([s])]
                result += self._loop(s)
                result += [Combine(total, "settled", self.lost[total]) for total in ended]
                continue
            result.append(s)
            if isinstance(s, Assign) and s.target in self.totals:
                started.append(s.target)
                result.append(Assign(self.lost[s.target], Literal(0.0, s.target.dtype)))
        return result

    def _loop(self, loop: For) -> list[Any]:
        totals = [total for total, adds in self.totals.items() if adds is loop]
        if not totals:
            return [For(loop.index, loop.extent, self.body(loop.body), loop.first, loop.offset)]
        inner = [self._into_part(s) for s in loop.body]
        starts = [Assign(self.parts[total], Literal(0.0, total.dtype)) for total in totals]
        ends = [s for total in totals for s in self._add_part(total)]
        if _is_short(loop):
            return [*starts, For(loop.index, loop.extent, inner, loop.first, loop.offset), *ends]
        block, done, first, offset = Local("block"), Local("done"), Local("first"), Local("offset")
        places = [Assign(done, multiply(block, Literal(BLOCK)))]
        if loop.first is None:
            first = done
        else:
            places.append(Assign(first, integer("+", loop.first, done)))
        length = integer("minimum", integer("-", loop.extent, done), Literal(BLOCK))
        count = integer("floor_divide", add(loop.extent, Literal(BLOCK - 1)), Literal(BLOCK))
        return [For(block, count, [*places, *starts, For(loop.index, length, inner, first, offset), *ends])]

    def _into_part(self, s: Any) -> Any:
        if isinstance(s, Combine) and s.target in self.totals:
            return Combine(self.parts[s.target], s.combine, s.value, s.variable)
        return s

    def _add_part(self, total: Local) -> list[Any]:
        part = self.parts[total]
        kinds = (total.dtype, total.dtype)
        return [Combine(self.lost[total], "+", Call("rounding", (total, part), kinds, total.dtype)),
                Combine(total, "+", part)]
