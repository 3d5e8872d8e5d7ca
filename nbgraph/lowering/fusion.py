"""Row fusion: kernels whose outer loops run over the same lengths become one, with their inner loops in sequence.

    for i: best[i] = max over j of x[i, j]               for i: best_i = max over j of x[i, j]
    for i: total[i] = sum over j of exp(x[i, j] - best[i])        total_i = sum over j of exp(x[i, j] - best_i)
    for i, j: z[i, j] = exp(x[i, j] - best[i]) / total[i]         for j: z[i, j] = exp(x[i, j] - best_i) / total_i

What one loop leaves for the next is then a scalar or one row, which stays in the processor's cache: softmax, logsumexp
and normalisation write no temporary of the size of their input.
"""

from __future__ import annotations

from typing import Any

from nbgraph.dispatch.expressions import Assign, Buffer, Call, Combine, Draw, Expr, For, Load, Local, Store
from nbgraph.lowering.program import (
    Allocate,
    CallKernel,
    CallLibrary,
    Kernel,
    MakeAlias,
    Program,
    ReadLength,
    Test,
    accesses_of,
    expressions_of,
    kernel_of,
    locals_in,
    parts_of,
    targets_of,
    walk,
    written_by,
)
from nbgraph.lowering.reuse import buffers_in
from nbgraph.lowering.schedule import STATEMENTS
from nbgraph.lowering.simplify import simplified
from nbgraph.lowering.substitute import substituted
from nbgraph.tensor.scalar_function import TABLE

NEAR = 8                         # how many kernels back one is looked for
FEW_CALLS = 12                   # of functions in a loop whose elements wait for draws
ROW_STATEMENTS = 3 * STATEMENTS  # of a kernel of several loops in sequence


def fuse_rows(program: Program) -> Program:
    """The same program with fewer kernels and smaller temporaries."""
    roots = memory_roots(program)
    result: list[Any] = []
    for s in program.statements:
        if isinstance(s, CallKernel) and s.kernel.outer is not None and s.copies is None:
            result = _with_an_earlier_one(s, result, roots)
        else:
            result.append(s)
    program.statements[:] = result
    return _with_small_temporaries(program)


def memory_roots(program: Program) -> dict[Buffer, Buffer]:
    """The buffer whose memory an alias is."""
    found: dict[Buffer, Buffer] = {}
    for s in program.statements:
        if isinstance(s, MakeAlias):
            found[s.buffer] = found.get(s.source, s.source)
    return found


def _with_an_earlier_one(second: CallKernel, before: list[Any], roots: dict[Buffer, Buffer]) -> list[Any]:
    """The statements with `second` behind them, or fused with a call among them."""
    calls = [k for k, s in enumerate(before) if isinstance(s, CallKernel)]
    for k in reversed(calls[-NEAR:]):
        first, between = before[k], before[k + 1:]
        fused = _fused(first.kernel, second.kernel, roots)
        if fused is None:
            continue
        call = CallKernel(fused, (*first.variables, *second.variables))
        if can_wait(first, between, roots):
            return _with_an_earlier_one(call, [*before[:k], *between], roots)
        if _can_come_early(second, between, roots):
            early = [s for s in between if isinstance(s, Allocate)]
            return [*before[:k], *early, call, *(s for s in between if not isinstance(s, Allocate))]
    return [*before, second]


def _memory(buffers: Any, roots: dict[Buffer, Buffer]) -> set[Buffer]:
    return {roots.get(b, b) for b in buffers}


def can_wait(call: CallKernel, between: list[Any], roots: dict[Buffer, Buffer]) -> bool:
    """True where the statements after a call do as well without it."""
    results, own = set(call.kernel.results), _memory(buffers_in(call), roots)
    written = _memory(call.kernel.writes, roots)
    for s in between:
        if results.intersection(locals_in(s)):
            return False
        if isinstance(s, (Allocate, MakeAlias, ReadLength)):
            continue  # these look at no element
        if _memory(buffers_in(s), roots) & written or _memory(_written(s), roots) & own:
            return False
    return True


def _can_come_early(call: CallKernel, between: list[Any], roots: dict[Buffer, Buffer]) -> bool:
    """True where a call does as well without the statements before it, but allocations."""
    made: set[Local] = set()
    own, written = _memory(buffers_in(call), roots), _memory(call.kernel.writes, roots)
    for s in between:
        if isinstance(s, Test):
            return False  # what it makes sure of, the kernel may rely on
        if isinstance(s, Allocate):
            if made.intersection(locals_in(s)):
                return False
        elif isinstance(s, MakeAlias):
            if made.intersection(locals_in(s)) or s.buffer in buffers_in(call):
                return False
        elif not isinstance(s, ReadLength) and (
                _memory(buffers_in(s), roots) & written or _memory(_written(s), roots) & own):
            return False
        made.update(s.kernel.results if isinstance(s, CallKernel) else targets_of(s))
    return not made.intersection(call.kernel.scalars)


def _written(s: Any) -> list[Buffer]:
    """The buffers that a statement of the main function changes."""
    if isinstance(s, CallKernel):
        return s.kernel.writes
    if isinstance(s, CallLibrary):
        return [*s.outputs, *s.scratch]
    return [] if isinstance(s, Test) else written_by(s)


def _fused(first: Kernel, second: Kernel, roots: dict[Buffer, Buffer]) -> Kernel | None:
    """One kernel that does what the two do one after the other; None where that cannot be, or would not help."""
    one, two = first.outer, second.outer
    if one is None or two is None or one.extent != two.extent:
        return None
    if set(first.results) & set(second.scalars) or not set(first.writes) & {*second.reads, *second.writes}:
        return None
    if _size(first.body) + _size(second.body) > ROW_STATEMENTS:
        return None
    after_one = first.body[first.body.index(one) + 1:]
    before_two = second.body[:second.body.index(two)]
    if _conflicts(after_one, second.body, roots) or _conflicts(first.body, before_two, roots):
        return None
    loop = _joined(one, two, roots)
    if loop is None:
        return None
    body = [*first.body[:first.body.index(one)], *before_two, loop, *after_one,
            *second.body[second.body.index(two) + 1:]]
    return kernel_of(body, [*first.results, *second.results], loop)


def _joined(one: For, two: For, roots: dict[Buffer, Buffer]) -> For | None:
    """The two loops as one; None where an iteration of the second needs a later one of the first."""
    innermost = not any(isinstance(s, For) for s in (*one.body, *two.body))
    if innermost and (_is_scattered(one) or _is_scattered(two) or _size([one, two]) > STATEMENTS):
        return None  # one loop that cannot be vectorised would spoil the other, a long one has no registers left
    if (_draws(one) and _gains_by_vectors(two)) or (_draws(two) and _gains_by_vectors(one)):
        return None
    renamed = substituted(two.body, local=lambda e: one.index if e is two.index else e)
    if not _same_turn(one.body, renamed, one.index, roots):
        return None
    return For(one.index, one.extent, _with_inner_joined(one.body, renamed, roots))


def _with_inner_joined(first: list[Any], second: list[Any], roots: dict[Buffer, Buffer]) -> list[Any]:
    """The statements of both, the last loop of the first joined with the first loop of the second where it can be."""
    ones = [k for k, s in enumerate(first) if isinstance(s, For)]
    twos = [k for k, s in enumerate(second) if isinstance(s, For)]
    if ones and twos:
        one, two = first[ones[-1]], second[twos[0]]
        tail, head = first[ones[-1] + 1:], second[:twos[0]]
        movable = not (_depends([*tail, two], head, roots) or _depends([one, *tail], head, roots)
                       or _depends(tail, [two], roots))
        loop = _joined(one, two, roots) if one.extent == two.extent and movable else None
        if loop is not None:
            return [*first[:ones[-1]], *head, loop, *tail, *second[twos[0] + 1:]]
    return [*first, *second]


def _size(body: list[Any]) -> int:
    return sum(not isinstance(s, For) for s in walk(body))


def _is_scattered(loop: For) -> bool:
    """True where the loop writes at places that it reads from an array."""
    made = {t for s in loop.body if isinstance(s, Assign) for t in targets_of(s)}
    for s in loop.body:
        index = s.index if isinstance(s, Store) else s.target.index if (
            isinstance(s, Combine) and isinstance(s.target, Load)) else ()
        if any(e in made for e in index if isinstance(e, Local)):
            return True
    return False


def _draws(loop: For) -> bool:
    """True where the loop draws random numbers, one after the other: it is no loop of vectors, nor are its rows."""
    return any(isinstance(s, Draw) for s in walk(loop.body))


def _gains_by_vectors(loop: For) -> bool:
    """True where a vectorised loop, or one over short rows, gains more than being joined with draws saves in memory."""
    if _draws(loop):
        return False
    calls = [e.function for s in walk(loop.body) for x in expressions_of(s) for e in parts_of(x)
             if isinstance(e, Call)]
    long = len(calls) > FEW_CALLS and not any(isinstance(s, For) for s in loop.body)
    return long or any(row.expensive for row in map(TABLE.get, calls) if row is not None)


# What touches what ----------------------------------------------------------------------------------------------------

def _accesses(body: list[Any]) -> list[tuple[Buffer, tuple[Expr, ...], bool]]:
    """(buffer, index, whether it is written) for every load and store."""
    return [access for s in walk(body) for access in accesses_of(s)]


def _conflicts(first: list[Any], second: list[Any], roots: dict[Buffer, Buffer]) -> bool:
    """True where one of them writes memory that the other one touches."""
    return bool(_shared_memory(_accesses(first), _accesses(second), roots))


def _shared_memory(first: list[Any], second: list[Any], roots: dict[Buffer, Buffer]) -> set[Buffer]:
    touched = [_memory((b for b, _, _ in accesses), roots) for accesses in (first, second)]
    written = _memory((b for b, _, w in (*first, *second) if w), roots)
    return touched[0] & touched[1] & written


def _depends(first: list[Any], second: list[Any], roots: dict[Buffer, Buffer]) -> bool:
    """True where the order of the two matters: memory that one writes, or locals that the first gives a value."""
    made = {t for s in walk(first) for t in (*targets_of(s), *_changed(s))}
    used = {e for s in walk(second) for x in expressions_of(s) for e in parts_of(x) if isinstance(e, Local)}
    return bool(made & used) or _conflicts(first, second, roots)


def _changed(s: Any) -> list[Local]:
    if isinstance(s, Combine) and isinstance(s.target, Local):
        return [s.target]
    return [s.best, s.place] if hasattr(s, "best") else []


def _same_turn(first: list[Any], second: list[Any], index: Local, roots: dict[Buffer, Buffer]) -> bool:
    """True where all memory that both touch and one writes is touched in the same turn of the loop over `index`."""
    accesses = [*_accesses(first), *_accesses(second)]
    for root in _shared_memory(_accesses(first), _accesses(second), roots):
        here = [(b, places) for b, places, _ in accesses if roots.get(b, b) is root]
        if len({b for b, _ in here}) > 1 or not _position(index, [places for _, places in here]):
            return False
    return True


def _position(index: Local, places: list[tuple[Expr, ...]]) -> list[int]:
    """The axes at which all of these indices are `index`."""
    return [p for p in range(len(places[0])) if all(place[p] is index for place in places)]


# Small temporaries ----------------------------------------------------------------------------------------------------

def _with_small_temporaries(program: Program) -> Program:
    """What only one kernel touches, turn by turn of its outer loop, needs no more memory than one turn does."""
    users: dict[Buffer, list[Any]] = {}
    for s in program.statements:
        for b in set(buffers_in(s)):
            users.setdefault(b, []).append(s)
    for v in program.outputs:
        if isinstance(v, Buffer):
            users.setdefault(v, []).append(None)
    allocations = {s.buffer: s for s in program.statements if isinstance(s, Allocate)}
    for call in [s for s in program.statements if isinstance(s, CallKernel) and s.kernel.outer is not None]:
        for buffer in list(call.kernel.writes):
            allocation = allocations.get(buffer)
            if allocation is not None and users[buffer] == [allocation, call]:
                _shrink(program, call, allocation)
        call.kernel = simplified(call.kernel)
    return program


def _shrink(program: Program, call: CallKernel, allocation: Allocate) -> None:
    """Take the axis of the outer loop out of a temporary; a Local takes the place of one without axes."""
    kernel, buffer = call.kernel, allocation.buffer
    outer = kernel.outer
    assert outer is not None, "only kernels with an outer loop have rows"
    everywhere = [places for b, places, _ in _accesses(kernel.body) if b is buffer]
    inside = [places for b, places, _ in _accesses(outer.body) if b is buffer]
    positions = _position(outer.index, inside) if len(inside) == len(everywhere) else []
    if not positions:
        return
    axis = positions[0]
    dims = buffer.dims[:axis] + buffer.dims[axis + 1:]
    small: Any = Buffer(buffer.hint, buffer.dtype, dims) if dims else Local(buffer.hint, buffer.dtype)

    def moved(e: Load) -> Expr:
        if e.buffer is not buffer:
            return e
        return Load(small, e.index[:axis] + e.index[axis + 1:]) if dims else small

    place = kernel.body.index(outer)
    body = substituted(kernel.body, loads=moved)
    call.kernel = kernel_of(body, kernel.results, body[place])
    if dims:
        allocation.buffer = small
    else:
        program.statements.remove(allocation)
