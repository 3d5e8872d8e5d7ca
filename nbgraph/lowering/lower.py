"""Lower: Plan -> Program. Step by step, each becomes statements of the main function, loop nests kernels beside it.

    nest [n] store z; reduce s        z = empty((n,));  s = fused_0(x, y, z, n)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nbgraph.dispatch.expressions import (
    Assign,
    Buffer,
    Expr,
    For,
    Literal,
    Load,
    Local,
    Statement,
    Store,
    Stream,
    buffers_of,
    multiply,
)
from nbgraph.dispatch.rules import Draws, Extent
from nbgraph.graph.basic import Constant, Variable
from nbgraph.lowering.claims import joins
from nbgraph.lowering.elements import Elements, Known, hint_of
from nbgraph.lowering.foreign import Foreign
from nbgraph.lowering.nest import build_nest, copy_loops
from nbgraph.lowering.plan import AliasStep, CheckStep, LibraryStep, Nest, Plan, Root, ScalarStep
from nbgraph.lowering.program import (
    Allocate,
    CallKernel,
    CallLibrary,
    CallPython,
    Claim,
    MakeAlias,
    Program,
    ReadLength,
    Test,
    kernel_of,
    targets_of,
)
from nbgraph.lowering.watch import Watch


def lower(plan: Plan, name: str, input_names: Sequence[str | None], watch: Watch | None = None) -> Program:
    """The program of a plan; what `watch` asks for is returned after the outputs."""
    return _Lowering(plan, name, input_names, watch).program()


class _Lowering:
    """One plan on its way."""

    def __init__(self, plan: Plan, name: str, input_names: Sequence[str | None], watch: Watch | None) -> None:
        self.plan, self.watch = plan, watch
        self.known = Known(plan.rules, plan.lengths_of, plan.same)
        self.main: list[Any] = []
        self.scalars = Elements(self.known)
        self.checks: list[Test] = []
        self.claims: set[Any] = set()       # checks that have been made: after them they hold
        self.test_at = -1                   # where the last test of scalars stands in `main`
        self.made_since: set[Local] = set()
        self.only_scalars_since, self.looked_at = True, 0
        self.lengths_read: set[Local] = set()
        self.pending: dict[Variable, int] = {}
        for nest in plan.nests:
            for root in nest.roots:
                self.pending[root.variable] = self.pending.get(root.variable, 0) + 1
        self.result = Program(name, [], [], self.main, [], self.checks)
        for variable, given in zip(plan.fgraph.inputs, input_names, strict=True):
            self._input(variable, given)

    def _input(self, variable: Variable, name: str | None) -> None:
        hint = name or variable.name or "x"
        if variable.type.ndim == 0:
            local = Local(hint, variable.type.dtype)
            self.known.scalars[variable] = local
            self.result.inputs.append(local)
            return
        static = tuple(Literal(n) if n is not None else Literal(-1) for n in variable.type.shape)
        buffer = Buffer(hint, variable.type.dtype, static, fixed=True)
        self.result.inputs.append(buffer)
        self.known.buffers[variable] = buffer
        self.known.loadable.add(variable)

    def program(self) -> Program:
        """All steps, then what is returned."""
        handlers: dict[type, Callable[[Any], None]] = {
            ScalarStep: self._scalar, CheckStep: self._check, LibraryStep: self._library, AliasStep: self._alias,
            Nest: self._nest}
        for step in self.plan.steps:
            handlers[type(step)](step)
        self.result.outputs += [self._output(v) for v in self.plan.fgraph.outputs]
        if self.watch is not None:
            self.watch.see(self.known, self.result, self.plan.fgraph)
        # Compiled code takes C-contiguous arrays; a Constant may hold a view in any other layout.
        self.result.constants += [(buffer, np.require(constant.data, requirements=["C", "A"]))
                                  for constant, buffer in self.known.constants.items()]
        return self.result

    def _output(self, v: Variable) -> Any:
        value = self.known.scalar(v) if v.type.ndim == 0 else self.known.buffers[v]
        assert value is not None, f"the output {v} was not computed"
        return value

    # Steps ---------------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Statements for scalars that have come up go into the main function here."""
        self.main += self.scalars.before[0]
        self.scalars.before[0].clear()

    def _scalar(self, step: ScalarStep) -> None:
        v = step.variable
        rule = self.known.rules[v.owner] if v.owner is not None else None
        if not isinstance(rule, Extent):
            self.known.scalars[v] = self.scalars.value(v, ())
            self._flush()
            return
        length = self.known.lengths.intern(v)
        if isinstance(length, Variable) and length is v:
            local = Local(f"{rule.source.name or 'n'}_length", "int64")
            self.main.append(ReadLength(local, self._buffer(rule.source), rule.axis, v))
            self.known.scalars[v] = local
            self.lengths_read.add(local)
        else:
            self.known.scalars[v] = Literal(length) if isinstance(length, int) else self.known.scalars[length]

    def _buffer(self, v: Variable) -> Buffer:
        return self.known.constant(v) if isinstance(v, Constant) else self.known.buffers[v]

    def _allocate(self, v: Variable) -> Buffer:
        if v not in self.known.buffers:
            self.known.buffers[v] = Buffer(hint_of(v), v.type.dtype, self.known.dims(v))
            self.main.append(Allocate(self.known.buffers[v], v))
        return self.known.buffers[v]

    def _nest(self, nest: Nest) -> None:
        for root in nest.roots:
            if isinstance(root.rule, Draws):
                self._state(root.rule.stream[1], root.node.outputs[0])
            if root.variable.type.ndim and self._is_read(root):
                self._allocate(root.variable)
        built = build_nest(nest, self.known, self.watch)
        if self.watch is not None:
            self.main += [Allocate(buffer) for buffer in self.watch.new_buffers()]
        self.main += [Allocate(buffer) for buffer in built.scratch]
        variables = tuple(root.variable for root in nest.roots)
        self._call(built.statements, list(built.scalars.values()), variables, built.outer)
        self.known.scalars.update(built.scalars)
        for v in variables:
            self.pending[v] -= 1
            if not self.pending[v]:
                self.known.loadable.add(v)

    def _is_read(self, root: Root) -> bool:
        """False for draws that only move a state."""
        return root.kind != "draw" or self.watch is not None or bool(self.plan.fgraph.clients[root.variable])

    def _state(self, before: Variable, after: Variable) -> Buffer:
        """The state that draws move: that before them, where nobody else looks at it, else a copy."""
        source = self.known.buffers[before]
        if self.watch is None and len(self.plan.fgraph.clients[before]) == 1:
            self.known.buffers[after] = source
        else:
            self._call(copy_loops(self._allocate(after), source), [], (after,),
                       copies=(self.known.buffers[after], source))
        self.known.loadable.add(after)
        return self.known.buffers[after]

    def _call(self, body: list[Statement], results: list[Local], variables: tuple[Any, ...],
              outer: For | None = None, copies: tuple[Buffer, Buffer] | None = None) -> None:
        if any(isinstance(s, For) for s in body):
            self.main.append(CallKernel(kernel_of(body, results, outer), variables, copies))
        else:
            self.main += body

    def _alias(self, step: AliasStep) -> None:
        source = self._buffer(step.source) if step.source.type.ndim else self._boxed(step.source)
        if step.variable.type.ndim == 0:
            at = Load(source, (Literal(0),) * source.ndim)
            self.known.scalars[step.variable] = self.scalars.simple(at, step.variable)
            self._flush()
            return
        buffer = Buffer(hint_of(step.variable), source.dtype, self.known.dims(step.variable), fixed=source.fixed)
        self.main.append(MakeAlias(buffer, source, step.variable))
        self.known.buffers[step.variable] = buffer
        self.known.loadable.add(step.variable)

    def _room_for(self, scalar: Variable) -> Buffer:
        """An array of one element, into which a function writes a 0-d value."""
        buffer = Buffer(hint_of(scalar), scalar.type.dtype, (Literal(1),))
        self.main.append(Allocate(buffer, scalar))
        return buffer

    def _boxed(self, scalar: Variable) -> Buffer:
        """A 0-d value as an array of one element."""
        buffer = self._room_for(scalar)
        self.main += [Store(buffer, (Literal(0),), self.known.scalar(scalar), scalar)]
        return buffer

    def _library(self, step: LibraryStep) -> None:
        rule, node = step.rule, step.node
        arguments = tuple(self._operand(a) for a in rule.arguments)
        if rule.allocates:
            for v in node.outputs:
                self.known.buffers[v] = Buffer(hint_of(v), v.type.dtype, (Literal(-1),) * v.type.ndim)
        stream = None
        if rule.stream is not None:
            kind, state = rule.stream
            stream = Stream(kind, self._state(state, node.outputs[0]))
        scratch = tuple(Buffer("work", dtype, tuple(map(self.known.extent, lengths)))
                        for dtype, lengths in rule.scratch)
        self.main += [Allocate(buffer) for buffer in scratch]
        outputs = tuple(self._allocate(v) if v.type.ndim else self._room_for(v) for v in node.outputs)
        if rule.out_from is not None:
            source = self._buffer(rule.out_from)
            self._call(copy_loops(outputs[0], source), [], node.outputs, copies=(outputs[0], source))
        if isinstance(node.op, Foreign) and not node.op.kernel:
            self.main.append(self._python_call(node, node.op, arguments, outputs))
        else:
            self.main.append(CallLibrary(rule.function, arguments, outputs, rule.allocates, node, stream,
                                         scratch))
        self.known.loadable.update(node.outputs)
        for v, buffer in zip(node.outputs, outputs, strict=True):
            if v.type.ndim == 0:
                self.known.scalars[v] = self.scalars.simple(Load(buffer, (Literal(0),)), v)
        self._flush()

    def _python_call(self, node: Any, op: Foreign, arguments: Sequence[Any], outputs: Any) -> CallPython:
        if self.result.python is None:
            self.result.python = Buffer("python", "int64", (Literal(3),), fixed=True)
        given = len(op.node.inputs)
        lengths = tuple(Literal(-1) if n is None else arguments[~n] if n < 0 else Literal(n)
                        for known in op.lengths for n in known)
        return CallPython("python", (self.result.python, *arguments[:given]), outputs, True, node, number=op.number,
                          place=op.place, lengths=lengths)

    def _operand(self, a: Any) -> Any:
        if not isinstance(a, Variable):
            return a
        return self.known.scalar(a) if a.type.ndim == 0 else self._buffer(a)

    # Checks --------------------------------------------------------------------------------------------------------

    def _check(self, step: CheckStep) -> None:
        check = step.check
        operands = tuple(tuple(map(self._shown, a)) if isinstance(a, tuple) else self._checked(a)
                         for a in check.operands)
        if check.test == "same_size":
            operands = tuple(self._product(lengths) for lengths in operands)
        if check.test == "natural":
            operands = tuple(a for a in operands if not self._always_holds("natural", (a,)))
        self._flush()
        if not operands or (check.test, operands) in self.claims or self._always_holds(check.test, operands):
            return
        self.claims.add((check.test, operands))
        claim = Claim(check, operands, tuple(self._shown(s) for s in check.shown if not _is_array(s)))
        test = self._test_for(claim)
        test.claims.append(claim)

    def _test_for(self, claim: Claim) -> Test:
        """The last test of scalars, or a new one where that can't take the claim."""
        self._look_behind_test()
        test = self.main[self.test_at] if self.test_at >= 0 else None
        known_there = not self.made_since.intersection(Test(0, [claim]).values())
        if test is not None and joins(test, claim) and (known_there or self.only_scalars_since):
            if known_there:
                return test
            del self.main[self.test_at]
        else:
            test = Test(len(self.checks), [])
            self.checks.append(test)
        self.main.append(test)
        if Test(0, [claim]).array is None:
            self.test_at, self.made_since, self.only_scalars_since = len(self.main) - 1, set(), True
        self.looked_at = len(self.main)
        return test

    def _look_behind_test(self) -> None:
        """What the statements behind the last test make, each looked at once."""
        for s in self.main[self.looked_at:]:
            self.made_since.update(s.kernel.results if isinstance(s, CallKernel) else targets_of(s))
            self.only_scalars_since &= isinstance(s, ReadLength) or (isinstance(s, Assign) and not buffers_of(s.value))
        self.looked_at = len(self.main)

    def _always_holds(self, test: str, operands: tuple[Any, ...]) -> bool:
        """True where what is known of the operands decides the check."""
        if test in ("equal", "same_size", "at_most") and len(set(operands)) <= 1:
            return True
        if test == "index":
            index, length = (a.value if isinstance(a, Literal) else None for a in operands)
            return index is not None and length is not None and -length <= index < length
        if test == "natural":
            return all(a in self.lengths_read or (isinstance(a, Literal) and a.value >= 0) for a in operands)
        holds = {"positive": lambda v: v > 0, "nonzero": lambda v: v != 0}.get(test)
        return holds is not None and all(isinstance(a, Literal) and holds(a.value) for a in operands)

    def _checked(self, a: Any) -> Any:
        return self._buffer(a) if _is_array(a) else self._shown(a)

    def _shown(self, s: Any) -> Expr:
        if not isinstance(s, Variable):
            return self.known.extent(s)
        value = self.known.scalar(s)
        return self.known.extent(s) if value is None else value

    def _product(self, lengths: tuple[Expr, ...]) -> Expr:
        product: Expr = Literal(1)
        for n in lengths:
            product = multiply(product, n)
        return self.scalars.simple(product)


def _is_array(a: Any) -> bool:
    return isinstance(a, Variable) and a.type.ndim > 0
