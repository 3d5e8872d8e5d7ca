"""Loop nests: one Nest of the plan with all its results into statements.

    store z = x + y;  reduce s = sum(z)     ->      s = 0.0
                                                    for i in range(n):
                                                        z_i = x[i] + y[i];  s = s + z_i;  z[i] = z_i
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
    Statement,
    Store,
    Stream,
    add,
    multiply,
)
from nbgraph.dispatch.rules import Draws, Part, Reduction, Scan, Search
from nbgraph.graph.basic import Variable
from nbgraph.lowering.elements import Elements, Known, hint_of, nested
from nbgraph.lowering.plan import Nest, Root
from nbgraph.lowering.watch import Watch

AXIS_NAMES = "ijklmn"


@dataclass
class Built:
    """The statements of a nest, the 0-d results among what it leaves behind, and buffers that it needs for itself."""

    statements: list[Statement]
    outer: For | None = None
    scalars: dict[Variable, Local] = field(default_factory=dict)
    scratch: list[Buffer] = field(default_factory=list)


def build_nest(nest: Nest, known: Known, watch: Watch | None = None) -> Built:
    """The statements that compute all roots of `nest`; their arrays have buffers in `known`.

    What `watch` asks for is stored besides.
    """
    return _NestBuilder(nest, known, watch).build()


def copy_loops(target: Buffer, source: Buffer) -> list[Statement]:
    """target[i, j] = source[i, j] for all i, j."""
    loops, index = _axes(target.dims)
    return nested(loops, _long(target.dims), [Store(target, index, Load(source, index))])


def _axes(dims: Sequence[Expr]) -> tuple[list[Local], tuple[Expr, ...]]:
    """Loop indices for axes that are not known to have length 1, and the index that they make."""
    index = tuple(Literal(0) if d == Literal(1) else Local(AXIS_NAMES[k % 6]) for k, d in enumerate(dims))
    return [e for e in index if isinstance(e, Local)], index


def _long(dims: Sequence[Expr]) -> list[Expr]:
    return [d for d in dims if d != Literal(1)]


class _NestBuilder:
    """Loops in the order of the site; each root adds its statements."""

    def __init__(self, nest: Nest, known: Known, watch: Watch | None) -> None:
        self.nest, self.known, self.watch = nest, known, watch
        dims = [known.extent(n) for n in nest.site.dims]
        _, self.index = _axes(dims)
        self.axes = [axis for axis in nest.site.order if isinstance(self.index[axis], Local)]
        self.extents = [dims[axis] for axis in self.axes]
        self.elements = Elements(known, [self.index[axis] for axis in self.axes])
        self.first: list[Statement] = []
        self.last: list[Statement] = []
        self.built = Built([])

    def build(self) -> Built:
        add_root = {"store": self._store, "base": self._base, "reduce": self._reduce, "search": self._search,
                    "scan": self._scan, "part": self._part, "draw": self._draw}
        for root in self.nest.roots:
            add_root[root.kind](root)
        if self.watch is not None:
            self._store_watched(self.watch)
        main = self.elements.statements(self.extents)
        self.built.statements = [*self.first, *main, *self.last]
        self.built.outer = next((s for s in main if isinstance(s, For)), None)
        return self.built

    def _store(self, root: Root) -> None:
        value = self.elements.value(root.source, self.index)
        self.elements.stores.append(Store(self.known.buffers[root.variable], self.index, value, root.variable))

    def _base(self, root: Root) -> None:
        value = self.elements.value(root.source, self.index)
        self.elements.stores.append(Store(self.known.buffers[root.variable], self.index, value, root.source))

    def _part(self, root: Root) -> None:
        assert isinstance(root.rule, Part)
        target, value = self.elements.run(root.rule.place(root.node, self.index))
        target = tuple(self.elements.simple(e) for e in target)
        value = self.elements.simple(value)
        out, combine = self.known.buffers[root.variable], root.rule.combine
        self.elements.stores.append(Store(out, target, value, root.variable) if combine is None else
                                    Combine(Load(out, target), combine, value, root.variable))

    def _draw(self, root: Root) -> None:
        rule, node, elements = root.rule, root.node, self.elements
        assert isinstance(rule, Draws)
        arguments = tuple(elements.simple(e) for e in elements.run(rule.parameters(node, self.index)))
        stream = Stream(rule.stream[0], self.known.buffers[node.outputs[0]])
        if rule.around:
            self.first.append(Draw(None, rule.around, stream))
            self.last.append(Draw(None, rule.around, stream))
        inside, dtype = elements.innermost, root.variable.type.dtype
        drawn = elements.local(hint_of(root.variable), rule.dtype, inside)
        elements.before[inside].append(Draw(drawn, rule.function, stream, arguments, root.variable))
        value = drawn
        if rule.dtype != dtype:
            value = elements.assign(Call("identity", (drawn,), (rule.dtype,), dtype), root.variable, inside)
        if root.variable.type.ndim == 0:
            self.built.scalars[root.variable] = value
        elif root.variable in self.known.buffers:  # somebody reads them
            elements.stores.append(Store(self.known.buffers[root.variable], self.index, value, root.variable))

    def _store_watched(self, watch: Watch) -> None:
        """Elements that are computed on the way are stored; where that is not all of them, with a mark for each."""
        for (variable, index), value in self.elements.computed.items():
            if variable.type.ndim == 0 or variable in self.known.buffers:
                continue
            dims = self.known.dims(variable)
            whole = self._is_whole(index, dims)
            found = watch.array(variable, dims, whole)
            self.elements.stores.append(Store(found.buffer, index, value, variable))
            if found.mark is not None:
                loops, place = _axes(dims)
                self.first += nested(loops, _long(dims), [Store(found.mark, place, Literal(False, "bool"))])
                self.elements.stores.append(Store(found.mark, index, Literal(True, "bool")))

    def _is_whole(self, index: tuple[Expr, ...], dims: Sequence[Expr]) -> bool:
        """True where the loops go over all elements: each axis of more than one has a loop, and no loop is left over.

        One more loop might have no turns.
        """
        extents = {self.index[axis]: extent for axis, extent in zip(self.axes, self.extents, strict=True)}
        places = [(e, n) for e, n in zip(index, dims, strict=True) if n != Literal(1)]
        return len(places) == len(extents) == len(dict(places)) and all(extents.get(e) == n for e, n in places)

    # Accumulators ------------------------------------------------------------------------------------------------

    def _kept_depth(self, reduced: Sequence[int]) -> int:
        """How many loops there are outside the last ones that are all reduced."""
        depth = len(self.axes)
        while depth and self.axes[depth - 1] in reduced:
            depth -= 1
        return depth

    def _accumulator(self, root: Root, dtype: str, start: Any, depth: int) -> Local:
        local = self.elements.local(hint_of(root.variable), dtype, depth)
        self.elements.before[depth].append(Assign(local, Literal(start, dtype), root.variable))
        return local

    def _leave(self, root: Root, result: Local, index: tuple[Expr, ...], depth: int) -> None:
        """The result of a reduction goes into its array, or is one of the scalars that the nest gives back."""
        out = root.variable
        value: Expr = result
        if result.dtype != out.type.dtype:
            value = Call("identity", (result,), (result.dtype,), out.type.dtype)
        if out.type.ndim:
            self.elements.after[depth].append(Store(self.known.buffers[out], index, value, out))
            return
        final = self.elements.local(hint_of(out), out.type.dtype, 0)
        self.elements.after[0].append(Assign(final, value, out))
        self.built.scalars[out] = final

    def _reduce(self, root: Root) -> None:
        rule = root.rule
        assert isinstance(rule, Reduction)
        value = self.elements.simple(self.elements.run(rule.element(root.node, self.index)))
        depth = self._kept_depth(rule.axes)
        kept = tuple(self.index[axis] for axis in range(len(self.index)) if axis not in rule.axes)
        outer = [axis for axis in self.axes[:depth] if axis in rule.axes]
        if outer:
            self._reduce_outer(root, rule, value, kept, depth)
            return
        local = self._accumulator(root, rule.acc_dtype, rule.identity, depth)
        self.elements.stores.append(Combine(local, rule.combine, value, root.variable))
        self._leave(root, local, kept, depth)

    def _reduce_outer(self, root: Root, rule: Reduction, value: Expr, kept: tuple[Expr, ...], depth: int) -> None:
        """A reduced axis lies outside a kept one: rows are added up in memory."""
        out = self.known.buffers[root.variable]
        total = out
        if rule.acc_dtype != out.dtype:
            total = Buffer(out.hint, rule.acc_dtype, out.dims)
            self.built.scratch.append(total)
        loops, index = _axes(out.dims)
        identity = Literal(rule.identity, rule.acc_dtype)
        self.first += nested(loops, _long(out.dims), [Store(total, index, identity, root.variable)])
        if depth < self.elements.innermost:
            local = self._accumulator(root, rule.acc_dtype, rule.identity, depth)
            self.elements.stores.append(Combine(local, rule.combine, value, root.variable))
            self.elements.after[depth].append(Combine(Load(total, kept), rule.combine, local, root.variable))
        else:
            self.elements.stores.append(Combine(Load(total, kept), rule.combine, value, root.variable))
        if total is not out:
            loops, index = _axes(out.dims)
            cast = Call("identity", (Load(total, index),), (total.dtype,), out.dtype)
            self.last += nested(loops, _long(out.dims), [Store(out, index, cast, root.variable)])

    def _search(self, root: Root) -> None:
        rule = root.rule
        assert isinstance(rule, Search)
        depth = self._kept_depth(rule.axes)
        value = self.elements.value(rule.source, self.index)
        position: Expr = Literal(0)
        for axis in rule.axes:
            length = self.known.extent(self.nest.site.dims[axis])
            position = add(multiply(position, length), self.index[axis])
        position = self.elements.simple(position)
        best = self._accumulator(root, rule.source.type.dtype, rule.worst, depth)
        place = self._accumulator(root, "int64", 0, depth)
        self.elements.stores.append(Keep(best, place, rule.better, value, position, root.variable))
        kept = tuple(self.index[axis] for axis in range(len(self.index)) if axis not in rule.axes)
        self._leave(root, place, kept, depth)

    def _scan(self, root: Root) -> None:
        rule = root.rule
        assert isinstance(rule, Scan)
        values = [self.elements.value(x, self.index) for x in rule.sources]
        along, out = self.index[rule.axis], self.known.buffers[root.variable]
        if isinstance(along, Literal):
            self.elements.stores.append(Store(out, self.index, values[-1], root.variable))
            return
        inside = self.elements.innermost
        dtype = out.dtype
        carry = self._accumulator(root, dtype, _zero(dtype), inside - 1)
        first = self.elements.simple(Call("==", (along, Literal(0)), ("int64", "int64"), "bool"))
        step = self._flat(rule.step(carry, *values), inside)
        chosen = Call("switch", (first, values[-1], step), ("bool", dtype, dtype), dtype)
        self.elements.before[inside].append(Assign(carry, chosen, root.variable))
        self.elements.stores.append(Store(out, self.index, carry, root.variable))

    def _flat(self, expression: Expr, depth: int) -> Expr:
        """Like `simple`, in the innermost loop and never shared: it reads what changes there."""
        if not isinstance(expression, Call):
            return expression
        arguments = tuple(self._flat(e, depth) for e in expression.arguments)
        flat = Call(expression.function, arguments, expression.operand_dtypes, expression.dtype)
        return self.elements.assign(flat, None, depth)


def _zero(dtype: str) -> Any:
    return {"b": False, "i": 0, "u": 0, "f": 0.0, "c": 0j}[dtype[0]]
