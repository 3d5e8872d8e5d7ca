"""What kernels are made of: scalar expressions over locals, literals and loads from buffers.

    Load(x, (i, j)) * Literal(2.0)      x[i, j] * 2.0

An element rule asks for elements of its inputs (`Element`) and gives the expression of an element of its output.
Text is made only in `lowering.emit`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nbgraph.graph.basic import Variable

Expr = Any  # Local | Literal | Load | Call


@dataclass(eq=False, slots=True)
class Local:
    """A named scalar: a loop index, a length, an accumulator, the value of a node. Compared by identity."""

    hint: str
    dtype: str = "int64"

    def __repr__(self) -> str:
        return self.hint


@dataclass(eq=False, slots=True)
class Buffer:
    """A C-contiguous array of the generated function. Compared by identity.

    dims : expressions of the lengths;  fixed : what an input or constant holds, never written
    """

    hint: str
    dtype: str
    dims: tuple[Expr, ...]
    fixed: bool = False

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.dims)

    def __repr__(self) -> str:
        return self.hint


@dataclass(frozen=True, slots=True)
class Literal:
    """A number written into the source."""

    value: Any
    dtype: str = "int64"

    def __hash__(self) -> int:
        return hash((repr(self.value), self.dtype))

    def __eq__(self, other: object) -> bool:
        # By repr, so that NaN equals NaN and 0.0 differs from -0.0.
        return (isinstance(other, Literal) and self.dtype == other.dtype
                and type(self.value) is type(other.value) and repr(self.value) == repr(other.value))


@dataclass(frozen=True, slots=True)
class Load:
    """buffer[index]."""

    buffer: Buffer
    index: tuple[Expr, ...]

    @property
    def dtype(self) -> str:
        """The buffer's dtype."""
        return self.buffer.dtype


@dataclass(frozen=True, slots=True)
class Call:
    """A scalar function of expressions, each cast to the dtype in `operand_dtypes` first.

    `function` is an infix operator, or a function of `dispatch.scalar`.
    """

    function: str
    arguments: tuple[Expr, ...]
    operand_dtypes: tuple[str, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class Element:
    """A request of an element rule: the element of `variable` at `index`."""

    variable: Variable
    index: tuple[Expr, ...]


@dataclass(eq=False, slots=True)
class Assign:
    """target = value; `variable` is what it is an element of."""

    target: Local
    value: Expr
    variable: Any = None


@dataclass(eq=False, slots=True)
class Store:
    """buffer[index] = value"""

    buffer: Buffer
    index: tuple[Expr, ...]
    value: Expr
    variable: Any = None


@dataclass(eq=False, slots=True)
class Combine:
    """target = combine(target, value), the target a Local or a Load; `combine` as in Call."""

    target: Expr
    combine: str
    value: Expr
    variable: Any = None


@dataclass(eq=False, slots=True)
class Keep:
    """Arg-reduction: where `better(value, best)` holds, best = value and place = position."""

    best: Local
    place: Local
    better: str
    value: Expr
    position: Expr
    variable: Any = None


@dataclass(frozen=True, slots=True)
class Stream:
    """The random numbers of a generator whose state is the buffer: `pcg64(state)`. What draws from it moves the state.

    kind : what makes it of the state, as a dotted name
    """

    kind: str
    state: Buffer


@dataclass(eq=False, slots=True)
class Draw:
    """target = function(stream, *arguments), which moves the state; without a target it only moves it."""

    target: Local | None
    function: str
    stream: Stream
    arguments: tuple[Expr, ...] = ()
    variable: Any = None


@dataclass(eq=False, slots=True)
class For:
    """for index in range(extent): body

    With `first`, and a Local for it:  for offset in range(extent): index = first + offset; body
    """

    index: Local
    extent: Expr
    body: list[Any] = field(default_factory=list)
    first: Expr = None
    offset: Local | None = None


Statement = Assign | Store | Combine | Keep | Draw | For


def integer(function: str, a: Expr, b: Expr) -> Expr:
    """A function of two int64."""
    return Call(function, (a, b), ("int64", "int64"), "int64")


def add(a: Expr, b: Expr) -> Expr:
    """a + b over indices, zeros and literals folded."""
    if isinstance(a, Literal) and isinstance(b, Literal):
        return Literal(a.value + b.value)
    if isinstance(a, Literal):
        a, b = b, a
    if isinstance(b, Literal) and b.value == 0:
        return a
    if isinstance(b, Literal) and b.value < 0:
        return integer("-", a, Literal(-b.value))
    return integer("+", a, b)


def multiply(a: Expr, b: Expr) -> Expr:
    """a * b over indices, ones and literals folded."""
    if isinstance(a, Literal) and isinstance(b, Literal):
        return Literal(a.value * b.value)
    if isinstance(a, Literal):
        a, b = b, a
    if isinstance(b, Literal) and b.value in (0, 1):
        return a if b.value else Literal(0)
    return integer("*", a, b)


def locals_of(expression: Expr) -> list[Local]:
    """The locals that an expression reads, in order, each once."""
    found: dict[Local, None] = {}
    pending = [expression]
    while pending:
        e = pending.pop()
        if isinstance(e, Local):
            found[e] = None
        elif isinstance(e, Load):
            pending.extend(reversed(e.index))
        elif isinstance(e, Call):
            pending.extend(reversed(e.arguments))
    return list(found)


def buffers_of(expression: Expr) -> list[Buffer]:
    """The buffers that an expression reads, in order, each once."""
    found: dict[Buffer, None] = {}
    pending = [expression]
    while pending:
        e = pending.pop()
        if isinstance(e, Load):
            found[e.buffer] = None
            pending.extend(reversed(e.index))
        elif isinstance(e, Call):
            pending.extend(reversed(e.arguments))
    return list(found)
