"""Work: what the statements of a Program read, write and compute, as expressions of lengths.

    s = fused_0(x, y, n)      for i in range(n): total += x[i] * y[i]
                              reads n elements of x, n of y; the nodes mul and sum, whose `flops` say 2 n

Found before loops are tiled and summed in blocks, while each runs over a length. Evaluated when someone looks, for the
lengths that calls have left in their records.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nbgraph.dispatch.expressions import Assign, Buffer, Call, Combine, Expr, For, Keep, Local, locals_of
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.graph.evaluate import value_of
from nbgraph.graph.op import perform
from nbgraph.graph.timeline import Shape, Work, flops_of
from nbgraph.graph.traversal import toposort
from nbgraph.lowering.memory import Values
from nbgraph.lowering.plan import Plan
from nbgraph.lowering.program import (
    CallKernel,
    CallLibrary,
    Kernel,
    Program,
    StackArray,
    Test,
    accesses_of,
    expressions_of,
    targets_of,
    walk,
)


@dataclass(frozen=True)
class Access:
    """Elements of an array that a statement touches: as many as the loops turn that choose them, at most all."""

    buffer: Buffer
    turns: tuple[Expr, ...] | None
    written: bool


@dataclass(frozen=True)
class Doing:
    """What a statement touches, and the nodes that it computes: element by element, and reductions.

    A reduction in pieces has two kernels: it counts for the first.
    """

    accesses: tuple[Access, ...] = ()
    elementwise: tuple[Apply, ...] = ()
    reductions: tuple[Apply, ...] = ()


def is_work(statement: Any) -> bool:
    """True for what takes time that depends on lengths: calls, and checks of all elements of an array."""
    return isinstance(statement, (CallKernel, CallLibrary)) or (isinstance(statement, Test)
                                                                and statement.array is not None)


def works_of(program: Program) -> dict[Any, Doing]:
    """What each statement of the main function does that is work; what is on the stack is not memory."""
    stack = frozenset(s.buffer for s in program.statements if isinstance(s, StackArray))
    return {s: doing(s, stack) for s in program.statements if is_work(s)}


def doing(statement: Any, stack: frozenset[Buffer] = frozenset()) -> Doing:
    """What one statement does."""
    if isinstance(statement, CallKernel):
        return _of_kernel(statement, stack)
    if isinstance(statement, Test):
        assert statement.array is not None, "others are no work"
        return Doing((Access(statement.array, None, False),))
    reads = [Access(a, None, False) for a in statement.arguments if isinstance(a, Buffer)]
    return Doing((*reads, *(Access(b, None, True) for b in statement.outputs)), (statement.node,))


def _of_kernel(call: CallKernel, stack: frozenset[Buffer]) -> Doing:
    kernel = call.kernel
    # The loop of a piece turns `count` times, those of all pieces together as often as there are turns.
    extents = {} if call.pieces is None else {kernel.turns[2]: call.pieces[1]}
    statements = walk(kernel.body)
    computed = [s.variable.owner for s in statements if isinstance(s, Assign) and isinstance(s.value, Call)
                and s.value.function != "identity" and s.variable is not None]
    reduced = [s.variable.owner for s in statements if isinstance(s, (Combine, Keep)) and s.variable is not None]
    accesses = tuple(a for a in _accesses(kernel, kernel.body, extents) if a.buffer not in stack)
    elementwise = dict.fromkeys(node for node in computed if node is not None)
    return Doing(accesses, tuple(elementwise),
                 tuple(dict.fromkeys(node for node in reduced if node is not None and node not in elementwise)))


def _accesses(kernel: Kernel, body: Sequence[Any], extents: dict[Local, Expr]) -> Iterable[Access]:
    """Each access with the lengths of the loops that its index depends on."""
    arguments = {*kernel.reads, *kernel.writes, *kernel.shares}
    chosen_by: dict[Local, frozenset[For]] = {}
    pending: list[tuple[Any, tuple[For, ...]]] = [(s, ()) for s in reversed(body)]
    while pending:
        s, around = pending.pop()
        for buffer, index, written in accesses_of(s):
            loops = _chosen_by(index, chosen_by)
            turns = tuple(extents.get(loop.extent, loop.extent) for loop in around if loop in loops)
            if buffer in arguments:
                yield Access(kernel.shares.get(buffer, buffer), turns, written)
                if written and isinstance(s, Combine):
                    yield Access(kernel.shares.get(buffer, buffer), turns, False)
        if isinstance(s, For):
            chosen_by.update((e, frozenset({s})) for e in targets_of(s))
            pending.extend((inner, (*around, s)) for inner in reversed(s.body))
        else:
            parts = _chosen_by(expressions_of(s), chosen_by)
            chosen_by.update((e, chosen_by.get(e, frozenset()) | parts) for e in targets_of(s))


def _chosen_by(expressions: Iterable[Expr], known: dict[Local, frozenset[For]]) -> frozenset[For]:
    return frozenset(loop for e in expressions for local in locals_of(e) for loop in known.get(local, ()))


@dataclass
class Lengths:
    """How lengths follow from what a record holds.

    Attributes
    ----------
    locals : what the record holds, in order
    dims : for each array whose lengths are not in the program, what stands for them
    local_of : scalar variable of the graph -> the Local that holds its value
    """

    plan: Plan
    locals: list[Local] = field(default_factory=list)
    dims: dict[Buffer, tuple[Expr, ...]] = field(default_factory=dict)
    local_of: dict[Variable, Local] = field(default_factory=dict)

    def lengths_of(self, variable: Variable) -> tuple[Any, ...]:
        """The lengths of a variable of the graph: ints, and variables that stand for all that are equal to them."""
        return tuple(self.plan.same.find(n) for n in self.plan.lengths_of(variable))

    def nodes(self, variables: Iterable[Variable]) -> list[Apply]:
        """What computes the lengths of these variables from scalars that are known."""
        wanted = [n for v in variables for n in self.lengths_of(v) if isinstance(n, Variable)]
        known = set(self.local_of)
        found = []
        for node in toposort(wanted, stop=known):
            scalar = all(getattr(v.type, "ndim", 1) == 0 for v in node.outputs)
            if scalar and all(v in known or isinstance(v, Constant) for v in node.inputs):
                known.update(node.outputs)
                found.append(node)
        return found

    def sizes_of(self, buffer: Buffer) -> tuple[Expr, ...]:
        """The lengths of an array."""
        return self.dims.get(buffer, buffer.dims)


@dataclass(frozen=True)
class Evaluation:
    """Work for given lengths."""

    lengths: Lengths
    works: tuple[Doing, ...]

    def work(self, values: Sequence[int]) -> list[Work]:
        """What each statement does where `lengths.locals` have these values."""
        known = Values()
        known.values.update(zip(self.lengths.locals, values, strict=True))
        shapes = self._shapes(known)
        return [Work(_bytes(self._elements(doing, False, known)), _bytes(self._elements(doing, True, known)),
                     _flops((*doing.elementwise, *doing.reductions), shapes)) for doing in self.works]

    def _shapes(self, known: Values) -> dict[Variable, Shape]:
        """The shapes of what the nodes take and give, as far as they are known."""
        tensors = dict.fromkeys(v for doing in self.works for node in (*doing.elementwise, *doing.reductions)
                                for v in (*node.inputs, *node.outputs) if hasattr(v.type, "ndim"))
        values: dict[Variable, Any] = {v: np.asarray(known.values[e], v.type.dtype)
                                       for v, e in self.lengths.local_of.items() if e in known.values}
        for node in self.lengths.nodes(tensors):
            values.update(zip(node.outputs, perform(node, [value_of(v, values) for v in node.inputs]), strict=True))
        found: dict[Variable, Shape] = {}
        for v in tensors:
            lengths = [n if isinstance(n, int) else values.get(n) for n in self.lengths.lengths_of(v)]
            if all(n is not None for n in lengths):
                found[v] = tuple(int(n) for n in lengths if n is not None)
        return found

    def _elements(self, doing: Doing, written: bool, known: Values) -> dict[Buffer, int | None]:
        """How many elements of each array are touched; None where that is not known."""
        found: dict[Buffer, int | None] = {}
        for access in doing.accesses:
            if access.written != written:
                continue
            size = _product(self.lengths.sizes_of(access.buffer), known)
            turns = size if access.turns is None else _product(access.turns, known)
            before = found.get(access.buffer, 0)
            total = None if turns is None or before is None else before + turns
            found[access.buffer] = size if total is None else total if size is None else min(total, size)
        return found


def _product(lengths: Iterable[Expr], known: Values) -> int | None:
    values = [known.value(n) for n in lengths]
    return None if any(n is None or n < 0 for n in values) else math.prod(int(n) for n in values)


def _bytes(elements: dict[Buffer, int | None]) -> int | None:
    total = 0
    for buffer, count in elements.items():
        if count is None:
            return None
        total += count * np.dtype(buffer.dtype).itemsize
    return total


def _flops(nodes: Iterable[Apply], shapes: dict[Variable, Shape]) -> int | None:
    total = 0
    for node in nodes:
        operands = [[shapes.get(v) for v in side] for side in (node.inputs, node.outputs)]
        if any(shape is None for side in operands for shape in side):
            return None
        inputs, outputs = ([shape for shape in side if shape is not None] for side in operands)
        total += flops_of(node, inputs, outputs)
    return total


def needed_by(works: Iterable[Doing], lengths: Lengths) -> set[Local]:
    """The Locals that the work depends on."""
    found: set[Local] = set()
    variables: dict[Variable, None] = {}
    for doing in works:
        for access in doing.accesses:
            for n in (*lengths.sizes_of(access.buffer), *(access.turns or ())):
                found.update(locals_of(n))
        for node in (*doing.elementwise, *doing.reductions):
            variables.update(dict.fromkeys(v for v in (*node.inputs, *node.outputs) if hasattr(v.type, "ndim")))
    leaves = {v for node in lengths.nodes(variables) for v in node.inputs}
    leaves |= {n for v in variables for n in lengths.lengths_of(v) if isinstance(n, Variable)}
    return found | {lengths.local_of[v] for v in leaves if v in lengths.local_of}
