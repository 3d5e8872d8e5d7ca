"""Program: what the generated function says, before it is text.

    n = x.shape[0];  z = empty((n,));  s = fused_0(x, y, z, n);  return z, s

Statements of the main function are those of `dispatch.expressions` and the ones here.
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
)
from nbgraph.dispatch.rules import Check


@dataclass(eq=False)
class ReadLength:
    """target = buffer.shape[axis]"""

    target: Local
    buffer: Buffer
    axis: int
    variable: Any = None


@dataclass(eq=False)
class Allocate:
    """buffer = empty(dims), or with `reuses` the memory of a buffer that nothing reads any more."""

    buffer: Buffer
    variable: Any = None
    reuses: Buffer | None = None


@dataclass(eq=False)
class MakeAlias:
    """buffer = reshape(source, dims)"""

    buffer: Buffer
    source: Buffer
    variable: Any = None


@dataclass(eq=False)
class Kernel:
    """Loops in a function of their own.

    reads, writes : Buffers    writes are changed in place
    scalars : Locals           arguments
    results : Locals           returned
    outer : For or None        the loop around all others, but those that fill and cast
    shares : dict              Buffers that are the memory of another one, which is among `reads` or `writes`
    turns : Locals             (piece, first, count) where it does a piece of its outer loop; its first arguments
    """

    body: list[Any]
    reads: list[Buffer]
    writes: list[Buffer]
    scalars: list[Local]
    results: list[Local]
    outer: For | None = None
    shares: dict[Buffer, Buffer] = field(default_factory=dict)
    turns: tuple[Local, ...] = ()


@dataclass(eq=False)
class CallKernel:
    """results = kernel(...)

    copies : (target, source) where that is all it does
    pieces : (number of pieces, number of turns) where it is called for pieces of its outer loop
    """

    kernel: Kernel
    variables: tuple[Any, ...] = ()
    copies: tuple[Buffer, Buffer] | None = None
    pieces: tuple[Local, Expr] | None = None


@dataclass(eq=False)
class CombineParts:
    """target = what a reduction gives, from what it gave for each piece."""

    target: Local
    combine: str
    parts: Buffer
    row: int
    pieces: Local
    variable: Any = None


@dataclass(eq=False)
class StackArray:
    """buffer = on_stack(rows, dtype): gone when the function returns."""

    buffer: Buffer


@dataclass(eq=False)
class CallLibrary:
    """function(*arguments, *outputs), or outputs = function(*arguments) where it allocates.

    With a stream:  function(stream, *arguments, *outputs[1:]), where outputs[0] is the state that is moved.
    `scratch` are arrays that it works in, before its outputs.
    """

    function: str
    arguments: tuple[Any, ...]
    outputs: tuple[Buffer, ...]
    allocates: bool
    node: Any
    stream: Stream | None = None
    scratch: tuple[Buffer, ...] = ()


@dataclass(eq=False, kw_only=True)
class CallPython(CallLibrary):
    """run_python(python, number, *arguments, *lengths), then output = python_array(python, place, ...) for each.

    lengths : of all outputs, -1 where they are not known before
    """

    number: int
    place: int
    lengths: tuple[Expr, ...]


@dataclass(eq=False)
class Claim:
    """A check with the expressions that it is about, and those that its error shows."""

    check: Check
    operands: tuple[Any, ...]
    shown: tuple[Expr, ...]


@dataclass(eq=False)
class Test:
    """raise CheckFailed(number, *values) where one of the claims does not hold; one about an array stands alone."""

    number: int
    claims: list[Claim]

    @property
    def array(self) -> Buffer | None:
        """The array that the claim is about."""
        first = self.claims[0].operands[0]
        return first if isinstance(first, Buffer) else None

    def values(self) -> list[Expr]:
        """What the error is made of: all but numbers, each once; of an array what its error shows."""
        if self.array is not None:
            return list(self.claims[0].shown)
        expressions = (e for claim in self.claims for e in (*claim.operands, *claim.shown))
        return list(dict.fromkeys(e for e in expressions if not isinstance(e, Literal)))


@dataclass(eq=False)
class ReadClock:
    """record[place] = nanoseconds()"""

    record: Buffer
    place: int


MainStatement = (Statement | ReadLength | Allocate | StackArray | MakeAlias | CallKernel | CombineParts | CallLibrary
                 | Test | ReadClock)


@dataclass(frozen=True, eq=False)
class Destination:
    """Memory that the caller gives for output number `output`, of the shape of input number `state`."""

    buffer: Buffer
    output: int
    state: int


@dataclass(eq=False)
class Program:
    """The generated function.

    Attributes
    ----------
    inputs : Local or Buffer for each input of the graph
    constants : (Buffer, array) for each array that the graph holds
    statements : in order
    outputs : Local, Literal or Buffer for each output of the graph
    checks : what each Test's number stands for
    destinations : arguments after inputs and constants, which are written
    record : the last argument, int64, of a function that is timed: readings of the clock, then lengths
    python : the argument after all others, int64[3], of a function that calls Python
    """

    name: str
    inputs: list[Any]
    constants: list[tuple[Buffer, Any]]
    statements: list[MainStatement]
    outputs: list[Any]
    checks: list[Test] = field(default_factory=list)
    destinations: list[Destination] = field(default_factory=list)
    record: Buffer | None = None
    python: Buffer | None = None

    @property
    def kernels(self) -> list[Kernel]:
        """The kernels in the order of their calls."""
        return [s.kernel for s in self.statements if isinstance(s, CallKernel)]

    def __str__(self) -> str:
        from nbgraph.lowering.emit import program_text  # which is built on this module
        return program_text(self)


def kernel_of(body: list[Statement], results: Sequence[Local], outer: For | None = None) -> Kernel:
    """A kernel with these statements; what it needs from outside becomes its arguments."""
    made: dict[Local, None] = {}
    used: dict[Local, None] = {}
    reads: dict[Buffer, None] = {}
    writes: dict[Buffer, None] = {}
    for statement in walk(body):
        for expression in expressions_of(statement):
            for e in parts_of(expression):
                if isinstance(e, Local):
                    used[e] = None
                elif isinstance(e, Load):
                    reads[e.buffer] = None
        for buffer in written_by(statement):
            writes[buffer] = None
        made.update(dict.fromkeys(targets_of(statement)))
    return Kernel(body, [b for b in reads if b not in writes], list(writes), [e for e in used if e not in made],
                  list(results), outer)


def walk(body: Sequence[Any]) -> list[Any]:
    """All statements, those inside loops after their loop."""
    found: list[Any] = []
    pending = list(reversed(body))
    while pending:
        statement = pending.pop()
        found.append(statement)
        if isinstance(statement, For):
            pending.extend(reversed(statement.body))
    return found


def locals_in(statement: Any) -> list[Local]:
    """The locals that a statement of the main function reads."""
    if isinstance(statement, CallKernel):
        pieces = [e for e in statement.pieces or () if isinstance(e, Local)]
        return [*statement.kernel.scalars, *pieces]
    if isinstance(statement, (CombineParts, StackArray)):
        return [statement.pieces] if isinstance(statement, CombineParts) else []
    if isinstance(statement, (Allocate, MakeAlias)):
        expressions = [*statement.buffer.dims]
    elif isinstance(statement, CallLibrary):
        expressions = [a for a in statement.arguments if isinstance(a, Local)]
        expressions += getattr(statement, "lengths", ())
    elif isinstance(statement, Test):
        expressions = [e for claim in statement.claims for e in (*claim.operands, *claim.shown)
                       if not isinstance(e, Buffer)]
    else:
        expressions = [] if isinstance(statement, ReadLength) else expressions_of(statement)
    return [e for expression in expressions for e in parts_of(expression) if isinstance(e, Local)]


def expressions_of(statement: Any) -> list[Expr]:
    """What a statement of a kernel reads, targets' indices among them."""
    if isinstance(statement, (StackArray, ReadClock)):
        return []
    if isinstance(statement, Assign):
        return [statement.value]
    if isinstance(statement, Store):
        return [*statement.index, statement.value]
    if isinstance(statement, Combine):
        return [statement.target, statement.value]
    if isinstance(statement, Keep):
        return [statement.best, statement.place, statement.value, statement.position]
    if isinstance(statement, Draw):
        return list(statement.arguments)
    return [statement.extent] if statement.first is None else [statement.extent, statement.first]


def written_by(statement: Any) -> list[Buffer]:
    """The buffers that a statement of a kernel changes."""
    if isinstance(statement, Store):
        return [statement.buffer]
    if isinstance(statement, Combine) and isinstance(statement.target, Load):
        return [statement.target.buffer]
    return [statement.stream.state] if isinstance(statement, Draw) else []


def accesses_of(statement: Any) -> list[tuple[Buffer, tuple[Expr, ...], bool]]:
    """(buffer, index, whether it is written) of what a statement of a kernel touches; what it adds to is there once."""
    target = statement.target if isinstance(statement, Combine) and isinstance(statement.target, Load) else None
    found = [(e.buffer, e.index, e is target) for x in expressions_of(statement) for e in parts_of(x)
             if isinstance(e, Load)]
    if isinstance(statement, Store):
        found.append((statement.buffer, statement.index, True))
    elif isinstance(statement, Draw):
        found.append((statement.stream.state, (Literal(0),), True))  # one place for all of it
    return found


def targets_of(statement: Any) -> list[Local]:
    """The locals that a statement of a kernel gives a value."""
    if isinstance(statement, (Assign, ReadLength)):
        return [statement.target]
    if isinstance(statement, Draw):
        return [] if statement.target is None else [statement.target]
    if isinstance(statement, For):
        return [statement.index] if statement.offset is None else [statement.index, statement.offset]
    return []


def parts_of(expression: Expr) -> list[Expr]:
    """The expression and all inside it."""
    found, pending = [], [expression]
    while pending:
        e = pending.pop()
        found.append(e)
        if isinstance(e, Load):
            pending.extend(reversed(e.index))
        elif isinstance(e, Call):
            pending.extend(reversed(e.arguments))
    return found
