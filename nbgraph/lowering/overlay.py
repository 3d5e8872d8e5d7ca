"""Overlay: an array that is copied, or filled, and then written over inside a region is written once.

    for i in range(n): z[i] = x[i]                   for i in range(k): z[i + 1] = x[i + 1] + y[i]
    for i in range(k): z[i + 1] += y[i]      ->      for i in range(1): z[i] = x[i]
                                                     for i in range(n - k - 1): z[k + 1 + i] = x[k + 1 + i]

The region is a slice with steps of 1 along every axis. A copy of what is not needed any more is left to `reuse`, which
drops it: then the region is all that is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from nbgraph.dispatch.expressions import (
    Assign,
    Buffer,
    Call,
    Combine,
    Expr,
    For,
    Literal,
    Load,
    Local,
    Store,
    add,
    integer,
)
from nbgraph.lowering.elements import nested
from nbgraph.lowering.fusion import NEAR, can_wait, memory_roots
from nbgraph.lowering.nest import AXIS_NAMES
from nbgraph.lowering.program import (
    CallKernel,
    Kernel,
    Program,
    expressions_of,
    kernel_of,
    parts_of,
    targets_of,
    walk,
    written_by,
)
from nbgraph.lowering.reuse import buffers_in, copied_by

NOTHING = Literal(0)
FAR = 4 * NEAR  # statements, and NEAR kernels among them, that are looked at


def overlay(program: Program) -> Program:
    """The same program; what is written over is not copied before."""
    roots = memory_roots(program)
    last = _last_uses(program, roots)
    result: list[Any] = []
    for place, s in enumerate(program.statements):
        found = _base_before(s, result, roots) if isinstance(s, CallKernel) else None
        if isinstance(s, CallKernel) and found is not None and _lives_on(found[1], s, last, roots, place):
            at, base, region = found
            first = result.pop(at)
            result += _Overlay(base, region, first.variables, s.variables).statements()
        else:
            result.append(s)
    program.statements[:] = result
    return program


def _lives_on(base: _Base, call: CallKernel, last: dict[Buffer, int], roots: dict[Buffer, Buffer], place: int) -> bool:
    """True where what is copied can't be written over: somebody needs it, or the region is computed from it."""
    b = base.source
    return b is None or b.fixed or b in call.kernel.reads or last[roots.get(b, b)] > place


def _last_uses(program: Program, roots: dict[Buffer, Buffer]) -> dict[Buffer, int]:
    """The place of the last statement that touches each memory."""
    last: dict[Buffer, int] = {}
    for place, s in enumerate(program.statements):
        last.update((roots.get(b, b), place) for b in buffers_in(s))
    end = len(program.statements)
    last.update((roots.get(v, v), end) for v in program.outputs if isinstance(v, Buffer))
    return last


@dataclass(frozen=True)
class _Base:
    """What an array is before the region is written: the elements of `source`, or `value`."""

    target: Buffer
    source: Buffer | None
    value: Expr
    variable: Any

    @classmethod
    def of(cls, kernel: Kernel) -> _Base | None:
        """None where the kernel does anything else."""
        copied = copied_by(kernel)
        inner = [s for s in walk(kernel.body) if not isinstance(s, For)]
        if copied is not None:
            return cls(copied[0], copied[1], None, inner[-1].variable)
        if len(inner) == 1 and isinstance(inner[0], Store) and isinstance(inner[0].value, Literal):
            return cls(inner[0].buffer, None, inner[0].value, inner[0].variable)
        return None

    def at(self, index: tuple[Expr, ...]) -> Expr:
        """The element there."""
        return self.value if self.source is None else Load(self.source, index)


@dataclass(frozen=True)
class _Region:
    """Loops, one inside the other, that write `target` once in each turn.

    firsts : for each axis of the target the index at which the region begins; None for an axis of length 1
    """

    loops: list[For]
    write: Any
    firsts: list[Expr | None]

    @classmethod
    def of(cls, kernel: Kernel, target: Buffer) -> _Region | None:
        """None where the kernel does it in another way."""
        if len(kernel.body) != 1 or kernel.results:
            return None
        loops = [s for s in walk(kernel.body) if isinstance(s, For)]
        for outer, inner in pairwise(loops):
            if outer.body[-1] is not inner or not all(isinstance(s, Assign) for s in outer.body[:-1]):
                return None
        writes = [s for s in loops[-1].body if target in written_by(s)]
        loads = sum(e.buffer is target for s in walk(kernel.body) for x in expressions_of(s) for e in parts_of(x)
                    if isinstance(e, Load))
        if len(writes) != 1 or loads != isinstance(writes[0], Combine) or any(s.first is not None for s in loops):
            return None
        firsts = _firsts(loops, _index_of(writes[0]), target)
        return None if firsts is None else cls(loops, writes[0], firsts)


def _index_of(write: Any) -> tuple[Expr, ...]:
    return write.index if isinstance(write, Store) else write.target.index


def _firsts(loops: list[For], index: tuple[Expr, ...], target: Buffer) -> list[Expr | None] | None:
    made = {e for s in walk(loops[:1]) for e in targets_of(s)}
    pending = list(loops)
    found: list[Expr | None] = []
    for place, length in zip(index, target.dims, strict=True):
        if place == NOTHING and length == Literal(1):
            found.append(None)
            continue
        first = _distance(place, pending.pop(0), made) if pending else None
        if first is None:
            return None
        found.append(first)
    return None if pending else found


def _distance(place: Expr, loop: For, made: set[Local]) -> Expr | None:
    """How far a place is from the index of a loop; None where that is another number in each turn."""
    if place is loop.index:
        return NOTHING
    for s in loop.body:
        if isinstance(s, Assign) and s.target is place and isinstance(s.value, Call) and s.value.function == "+":
            far = [e for e in s.value.arguments if e is not loop.index]
            if len(far) == 1 and far[0] not in made and isinstance(far[0], (Local, Literal)):
                return far[0]
    return None


def _base_before(call: CallKernel, before: list[Any],
                 roots: dict[Buffer, Buffer]) -> tuple[int, _Base, _Region] | None:
    """The place of the kernel that makes the base of what `call` writes into, and both of them."""
    near = range(len(before) - 1, max(-1, len(before) - 1 - FAR), -1)
    calls = [(k, s) for k, s in ((k, before[k]) for k in near) if isinstance(s, CallKernel)]
    for k, s in calls[:NEAR]:
        if not set(s.kernel.writes) & set(call.kernel.writes) or s.copies is not None:
            continue
        base = _Base.of(s.kernel)
        region = None if base is None else _Region.of(call.kernel, base.target)
        if base is None or region is None or not can_wait(s, before[k + 1:], roots):
            return None
        return k, base, region
    return None


class _Overlay:
    """The statements that write a base outside a region, and the region."""

    def __init__(self, base: _Base, region: _Region, border_of: tuple[Any, ...], region_of: tuple[Any, ...]) -> None:
        self.base, self.region = base, region
        self.border_of, self.region_of = border_of, region_of
        self.main: list[Any] = []

    def statements(self) -> list[Any]:
        """What stands in the main function: lengths, and a kernel for each loop."""
        loops = self._along(0, list(self.region.loops), ())
        inside = self.region.loops[0].index
        return [*self.main, *(CallKernel(kernel_of([loop], [], loop), self.region_of if loop.index is inside
                                         else self.border_of) for loop in loops)]

    def _along(self, axis: int, loops: list[For], prefix: tuple[Expr, ...]) -> list[Any]:
        """Statements for one index of each axis before this one, which is within the region."""
        if axis == len(self.region.firsts):
            return self._written()
        place, first = _index_of(self.region.write)[axis], self.region.firsts[axis]
        if first is None:
            return self._along(axis + 1, loops, (*prefix, place))
        loop, *inner = loops
        length = self.base.target.dims[axis]
        before = first if first == NOTHING else self._number("minimum", first, length)
        begin = loop.extent if before == NOTHING else self._number("+", loop.extent, before)
        after = NOTHING if begin == length else self._number("-", length, begin)
        kept = loop.body[:-1] if inner else []
        result: list[Any] = []
        if before != NOTHING:
            index = Local(AXIS_NAMES[axis % 6])
            result.append(For(index, before, self._border((*prefix, index))))
        result.append(For(loop.index, loop.extent, [*kept, *self._along(axis + 1, inner, (*prefix, place))]))
        if after != NOTHING:
            turn, index = Local(AXIS_NAMES[axis % 6]), Local("at")
            result.append(For(turn, after, [Assign(index, add(turn, begin)), *self._border((*prefix, index))]))
        return result

    def _border(self, index: tuple[Expr, ...]) -> list[Any]:
        """The base at an index, over all axes that are left."""
        dims = self.base.target.dims[len(index):]
        loops = [None if length == Literal(1) else Local(AXIS_NAMES[axis % 6])
                 for axis, length in enumerate(self.base.target.dims) if axis >= len(index)]
        index = (*index, *(NOTHING if loop is None else loop for loop in loops))
        element, variable = Local("v", self.base.target.dtype), self.base.variable
        body: list[Any] = [Assign(element, self.base.at(index)), Store(self.base.target, index, element, variable)]
        if self.base.source is None:
            body = [Store(self.base.target, index, self.base.value, variable)]
        long = [(loop, length) for loop, length in zip(loops, dims, strict=True) if loop is not None]
        return nested([loop for loop, _ in long], [length for _, length in long], body)

    def _written(self) -> list[Any]:
        """The innermost loop's statements, what is added to the base a store."""
        result: list[Any] = []
        for s in self.region.loops[-1].body:
            if s is not self.region.write or isinstance(s, Store):
                result.append(s)
                continue
            dtype, index = self.base.target.dtype, s.target.index
            element, total = Local("v", dtype), Local("v", dtype)
            result += [Assign(element, self.base.at(index)),
                       Assign(total, Call(s.combine, (element, s.value), (dtype, dtype), dtype)),
                       Store(self.base.target, index, total, s.variable)]
        return result

    def _number(self, function: str, a: Expr, b: Expr) -> Expr:
        """A length, computed in the main function where it is not known."""
        if isinstance(a, Literal) and isinstance(b, Literal):
            return Literal({"minimum": min(a.value, b.value), "+": a.value + b.value, "-": a.value - b.value}[function])
        known = Local("border")
        self.main.append(Assign(known, integer(function, a, b)))
        return known
