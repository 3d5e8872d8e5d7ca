"""How an Op becomes native code: the registry of lowering rules, one rule for each Op class.

    @lowers(Elemwise)
    def elemwise(node): return Pointwise(element, cost=1)

A rule is one of

| rule      | what it says                                                                 | example             |
|-----------|------------------------------------------------------------------------------|---------------------|
| Pointwise | how an element of the output follows from elements of the inputs             | Elemwise, transpose |
| Reduction | what is combined over which axes                                             | Reduce              |
| Search    | which element along axes is best                                             | ArgReduce           |
| Scan      | how an element follows from the one before it along an axis                  | Cumulative          |
| Writes    | a base and the parts written into it                                         | Join, IncSubtensor  |
| Alias     | the same memory in another shape                                             | Reshape             |
| Extent    | the length of an axis                                                        | Length              |
| Library   | a function of `dispatch` called with whole arrays                            | Dot                 |
| Draws     | the function that draws an element from a stream                             | a normal variable   |
| UserKernel | a function of a user called with whole arrays                               | an Op of a user     |

`@checks(Op)` adds what must hold at run time before the node is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from nbgraph.dispatch.expressions import Element, Expr
from nbgraph.errors import KernelError
from nbgraph.graph.basic import Apply, Variable
from nbgraph.graph.op import Op, known_class

# Generator that yields Element requests, is sent their expressions, and returns the output element's expression.
ElementRule = Callable[[Apply, tuple[Expr, ...]], Generator[Element, Expr, Expr]]

CHEAP, GATHER, EXPENSIVE = 1, 3, 20  # relative costs of computing an element


@dataclass(frozen=True)
class Pointwise:
    """An output whose elements can be computed one by one; `scalars` are 0-d variables that its indices use.

    slow : computing it costs more than reading it from a short array
    """

    element: ElementRule
    cost: int = CHEAP
    needs_buffer: tuple[Variable, ...] = ()
    scalars: tuple[Any, ...] = ()
    slow: bool = False


@dataclass(frozen=True)
class Reduction:
    """sum, max … of element(index over `domain`) over `axes`; `identity` is the value of nothing."""

    source: Variable
    element: ElementRule
    axes: tuple[int, ...]
    combine: str
    identity: Any
    acc_dtype: str


@dataclass(frozen=True)
class Search:
    """The flat position along `axes` of the element that is `better` than all before it; none is worse than `worst`."""

    source: Variable
    axes: tuple[int, ...]
    better: str
    worst: Any


@dataclass(frozen=True)
class Scan:
    """out[.., 0, ..] = the last of `sources` there; out[.., j, ..] = step(out[.., j - 1, ..], *sources[.., j, ..])."""

    sources: tuple[Variable, ...]
    axis: int
    step: Callable[..., Expr]


@dataclass(frozen=True)
class Part:
    """For every index of `domain`: base[target(index)] = (or combined with) the value.

    place : element-rule-like generator giving (target index, value expression)
    scattered : the innermost loop goes to targets that an array says, one after the other
    """

    domain: Variable
    place: Callable[[Apply, tuple[Expr, ...]], Generator[Element, Expr, tuple[tuple[Expr, ...], Expr]]]
    combine: str | None = None
    scattered: bool = False


@dataclass(frozen=True)
class Writes:
    """A new buffer that starts as `base` (None: every element is written by the parts), with parts written into it."""

    base: Variable | None
    parts: tuple[Part, ...]
    needs_buffer: tuple[Variable, ...] = ()
    scalars: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Alias:
    """The elements of `source` in C order with another shape: no copy."""

    source: Variable


@dataclass(frozen=True)
class Extent:
    """The length of an axis of `source`, which is in memory."""

    source: Variable
    axis: int


@dataclass(frozen=True)
class Library:
    """function(*arguments, out...) of `dispatch`; arguments are variables (arrays or scalars) or Python literals.

    `out_from` names an argument whose buffer the output starts as a copy of (C of gemm). With `allocates`, the
    function returns its outputs instead of writing into buffers it is given. With a `stream` (what makes one of a
    state, as a dotted name; the state) that is its first argument, and the first output is the state that it leaves.
    `scratch` are arrays that it works in, (dtype, lengths), which come before its outputs; `scalars` are their lengths.
    """

    function: str
    arguments: tuple[Any, ...]
    out_from: Variable | None = None
    allocates: bool = False
    stream: tuple[str, Variable] | None = None
    scratch: tuple[tuple[str, tuple[Any, ...]], ...] = ()

    @property
    def scalars(self) -> tuple[Any, ...]:
        """What must be known before the call, besides the arguments."""
        return tuple(n for _, lengths in self.scratch for n in lengths if isinstance(n, Variable))


@dataclass(frozen=True)
class Draws:
    """out[...] = function(stream, *parameters), element by element in C order; the first output is the state after.

    stream : what makes one of a state, as a dotted name; the state
    parameters : element-rule-like generator giving the expressions of the parameters of an element
    function : dotted name of a kernel;  dtype : what it gives
    around : dotted name of a function of the stream that is called before all draws and after them; "" for none
    """

    stream: tuple[str, Variable]
    parameters: Callable[[Apply, tuple[Expr, ...]], Generator[Element, Expr, tuple[Expr, ...]]]
    function: str
    dtype: str
    around: str = ""


@dataclass(frozen=True)
class UserKernel:
    """A function of `user_code`, by its dotted name, that takes the node's inputs and gives its outputs."""

    function: str


@dataclass(frozen=True)
class Check:
    """What must hold at run time.

    test : "equal", "positive", "natural" (>= 0), "nonzero", "finite": of all scalars, or of all elements of an array
           "at_most" (a, b): a <= b;  "index" (i, n): -n <= i < n;  "bounds" (array, n): the same for all elements
           "same_size" (lengths, lengths): equal products;  "holds": of all scalars, which are booleans
           "warned" (boolean, number of a message of `warn`): where it does not hold there is a warning, unless that
           is to be an error
    operands : scalar variables or ints, or an array first
    report : values of `shown` at run time -> the exception
    """

    test: str
    operands: tuple[Any, ...]
    shown: tuple[Any, ...]
    report: Callable[[Sequence[int]], Exception]
    node: Apply = field(repr=False)


Rule = Pointwise | Reduction | Search | Scan | Writes | Alias | Extent | Library | Draws | UserKernel
Dims = Callable[[Variable], tuple[Any, ...]]

_RULES: dict[type, Callable[[Apply], Rule]] = {}
_CHECKS: dict[type, Callable[[Apply, Dims], list[Check]]] = {}


def lowers(*op_types: type[Op]) -> Callable[[Callable[[Apply], Rule]], Callable[[Apply], Rule]]:
    """Register a function (node -> rule) for Op classes."""
    def register(function: Callable[[Apply], Rule]) -> Callable[[Apply], Rule]:
        for op_type in op_types:
            assert op_type not in _RULES, f"two lowering rules for {op_type.__name__}"
            _RULES[op_type] = function
        return function
    return register


def checks(*op_types: type[Op]) -> Callable[[Callable[[Apply, Dims], list[Check]]], Any]:
    """Register a function (node, dims of a variable) -> checks for Op classes."""
    def register(function: Callable[[Apply, Dims], list[Check]]) -> Any:
        for op_type in op_types:
            assert op_type not in _CHECKS, f"two check rules for {op_type.__name__}"
            _CHECKS[op_type] = function
        return function
    return register


_USER_KERNELS: set[type] = set()


def gives_user_kernel(op_type: type[Op], rule: Callable[[Apply], UserKernel]) -> None:
    """Register a kernel of a user, instead of another one: a rule that is asked only when the graph is lowered."""
    if op_type in _USER_KERNELS:
        del _RULES[op_type]
    lowers(op_type)(rule)
    _USER_KERNELS.add(op_type)


def is_user_kernel(op: Op) -> bool:
    """True where the Op's kernel is a user's."""
    return known_class(type(op), _RULES) in _USER_KERNELS


# Where the rules of Ops are that few programs have: imported with the first of them.
_LATER = {"nbgraph.tensor.random.mrg": "nbgraph.dispatch.random.mrg"}


def has_rule(op: Op) -> bool:
    """True where the Op has a native kernel: its own, or that of a base class whose computation it keeps."""
    for cls in type(op).__mro__:
        if cls.__module__ in _LATER:
            import_module(_LATER[cls.__module__])  # waits where another thread is at it
    return known_class(type(op), _RULES) is not None


def rule_for(node: Apply) -> Rule:
    """The lowering rule of a node.

    Raises
    ------
    KernelError   the Op has no native kernel
    """
    cls = known_class(type(node.op), _RULES)
    if cls is None:
        raise KernelError(node.op, "has no native kernel", line=node.line,
                          fix="register one with nbgraph.dispatch.lowers, or compile with mode='reference'")
    return _RULES[cls](node)


def checks_for(node: Apply, dims: Dims) -> list[Check]:
    """What must hold at run time before `node` is computed."""
    for op_type in type(node.op).__mro__:
        if op_type in _CHECKS:
            return _CHECKS[op_type](node, dims)
    return []
