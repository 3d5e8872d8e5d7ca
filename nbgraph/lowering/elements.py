"""Elements of variables as scalar statements: each is computed once, in the outermost loop that it can be computed in.

    elements.value(z, (i, j))     for z = exp(x)[:, None] * y     gives

    for i:                        v0 = x[i];  v1 = exp(v0)
        for j:                    v2 = y[i, j];  v3 = v1 * v2

Asks the element rules of `dispatch` and answers their requests; no recursion, however long the chain.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbgraph.dispatch.expressions import Assign, Buffer, Call, Element, Expr, For, Literal, Load, Local, Statement
from nbgraph.dispatch.rules import Pointwise, Rule
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.lowering.dims import Dim, Lengths

Index = tuple[Expr, ...]


@dataclass
class Known:
    """What has a value so far.

    Attributes
    ----------
    scalars : variable -> Local or Literal
    buffers : variable -> Buffer        all that have one
    loadable : variables                whose buffer has all its elements
    """

    rules: dict[Apply, Rule]
    lengths: Lengths
    same: Any
    scalars: dict[Variable, Expr] = field(default_factory=dict)
    buffers: dict[Variable, Buffer] = field(default_factory=dict)
    loadable: set[Variable] = field(default_factory=set)
    constants: dict[Constant, Buffer] = field(default_factory=dict)

    def scalar(self, v: Variable) -> Expr | None:
        """The value of a 0-d variable; None where it is not known yet."""
        if isinstance(v, Constant):
            return Literal(v.data.item(), v.type.dtype)
        if v in self.scalars or v.type.dtype != "int64":
            return self.scalars.get(v)
        length = self.lengths.intern(v)
        return Literal(length) if isinstance(length, int) else self.scalars.get(length)

    def extent(self, length: Dim) -> Expr:
        """A length as an expression."""
        length = self.same.find(self.lengths.intern(length))
        if isinstance(length, int):
            return Literal(length)
        assert length in self.scalars, f"the length {length} is not known yet"
        return self.scalars[length]

    def dims(self, v: Variable) -> tuple[Expr, ...]:
        """The lengths of a variable as expressions."""
        return tuple(self.extent(n) for n in self.lengths(v))

    def element(self, v: Variable, index: Index) -> Expr | None:
        """What reads an element without computing it; None where it must be computed."""
        if isinstance(v, Constant) and v.data.size == 1:
            return Literal(v.data.item(), v.type.dtype)
        if v.type.ndim == 0:
            return self.scalar(v)
        if isinstance(v, Constant):
            return Load(self.constant(v), index)
        return Load(self.buffers[v], index) if v in self.loadable else None

    def constant(self, v: Constant) -> Buffer:
        """The buffer in which the generated function is given an array that the graph holds."""
        if v not in self.constants:
            dims = tuple(Literal(n) for n in v.data.shape)
            self.constants[v] = Buffer(v.name or "constant", v.type.dtype, dims, fixed=True)
        return self.constants[v]


class Elements:
    """The statements inside (and between) a number of nested loops.

    Attributes
    ----------
    before, after : for each depth, what comes before and after the loops further in
    stores : comes last in the innermost loop, so that an array may be stored where another was loaded
    computed : (variable, index) -> its value, for elements that no array holds
    """

    def __init__(self, known: Known, loops: Sequence[Local] = ()) -> None:
        self.known = known
        self.loops = tuple(loops)
        self.before: list[list[Statement]] = [[] for _ in range(len(loops) + 1)]
        self.after: list[list[Statement]] = [[] for _ in range(len(loops) + 1)]
        self.stores: list[Statement] = []
        self.computed: dict[tuple[Variable, Index], Expr] = {}
        self._depth: dict[Local, int] = {loop: k + 1 for k, loop in enumerate(loops)}
        self._values: dict[tuple[Variable, Index], Expr] = {}
        self._assigned: dict[Expr, Local] = {}

    @property
    def innermost(self) -> int:
        """The depth inside all loops."""
        return len(self.loops)

    def value(self, variable: Variable, index: Index) -> Expr:
        """A Local or Literal that holds variable[index]."""
        found = self._found(variable, index)
        return self._run((variable, index), self._rule(variable, index)) if found is None else found

    def run(self, generator: Generator[Element, Expr, Any]) -> Any:
        """What an element-rule-like generator returns, its requests answered, its expressions as they are."""
        return self._run(None, generator)

    def _run(self, key: Any, generator: Generator[Element, Expr, Any]) -> Any:
        stack = [(key, generator)]
        answer: Expr | None = None
        while stack:
            key, generator = stack[-1]
            try:
                request = generator.send(answer)
            except StopIteration as stop:
                stack.pop()
                answer = stop.value
                if key is not None:
                    answer = self._values[key] = self.computed[key] = self.simple(answer, key[0])
                continue
            index = tuple(self.simple(e) for e in request.index)
            answer = self._found(request.variable, index)
            if answer is None:
                stack.append(((request.variable, index), self._rule(request.variable, index)))
        return answer

    def _found(self, variable: Variable, index: Index) -> Expr | None:
        if (variable, index) in self._values:
            return self._values[variable, index]
        found = self.known.element(variable, index)
        if found is not None:
            found = self._values[variable, index] = self.simple(found, variable)
        return found

    def _rule(self, variable: Variable, index: Index) -> Generator[Element, Expr, Expr]:
        node = variable.owner
        rule = self.known.rules[node] if node is not None else None
        assert node is not None and isinstance(rule, Pointwise), f"{variable} is read before it is in memory"
        return rule.element(node, index)

    def simple(self, expression: Expr, variable: Any = None) -> Expr:
        """A Local or Literal with the value of an expression, assigned where it first can be."""
        if isinstance(expression, (Local, Literal)):
            return expression
        flat: Expr
        if isinstance(expression, Load):
            flat = Load(expression.buffer, tuple(self.simple(e) for e in expression.index))
        else:
            flat = Call(expression.function, tuple(self.simple(e) for e in expression.arguments),
                        expression.operand_dtypes, expression.dtype)
        if flat not in self._assigned:
            self._assigned[flat] = self.assign(flat, variable)
        return self._assigned[flat]

    def assign(self, flat: Expr, variable: Any = None, depth: int | None = None) -> Local:
        """A new Local that holds `flat`."""
        parts = flat.index if isinstance(flat, Load) else flat.arguments
        earliest = max((self._depth.get(e, 0) for e in parts if isinstance(e, Local)), default=0)
        target = self.local(hint_of(variable), flat.dtype, earliest if depth is None else depth)
        self.before[self._depth[target]].append(Assign(target, flat, variable))
        return target

    def local(self, hint: str, dtype: str, depth: int) -> Local:
        """A new Local that has its value from this depth on."""
        target = Local(hint, dtype)
        self._depth[target] = depth
        return target

    def statements(self, extents: Sequence[Expr]) -> list[Statement]:
        """All of it as nested loops with these extents."""
        body = [*self.before[-1], *self.stores, *self.after[-1]]
        for depth in reversed(range(len(self.loops))):
            inner = [For(self.loops[depth], extents[depth], body)] if body else []
            body = [*self.before[depth], *inner, *self.after[depth]]
        return body


def hint_of(variable: Any) -> str:
    """What a Local for elements of `variable` may be called."""
    if variable is None:
        return "v"
    return variable.name or "v"


def nested(loops: Sequence[Local], extents: Iterable[Expr], body: list[Statement]) -> list[Statement]:
    """`body` inside loops, the first outermost."""
    for loop, extent in reversed(list(zip(loops, extents, strict=True))):
        body = [For(loop, extent, body)]
    return body
