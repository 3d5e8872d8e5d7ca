"""Rules: what is replaced by what, one small function each.

    @rule                                             a pattern: called once with pattern variables for the left side,
    def log_of_one_plus(x):                           and with the matched variables for the right side
        '''log(1 + x) -> log1p(x)'''
        return nt.log(1 + x), nt.log1p(x)

    @node_rule("conj", example=...)                   a procedure: takes a node, gives what replaces it, or None
    def conj_of_real(node): ...

A rule keeps values (NaN and infinities too), dtype and shape; one test finds every rule and checks it on samples.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pickle import PicklingError
from typing import TYPE_CHECKING, Any

import nbgraph.tensor as nt
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.graph.op import Op
from nbgraph.rewrites.values import constant_value, same_variable
from nbgraph.tensor import dtypes
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.type import TensorType

if TYPE_CHECKING:
    from nbgraph.rewrites.driver import Context

Key = str | type[Op]
# What a pattern rule returns: the left side and the right side.
Sides = tuple[Any, Any]
Interval = tuple[float, float]
# node, context -> a variable for every output, or None where the rule does not apply
Attempt = Callable[[Apply, "Context"], Sequence[Variable] | None]

COMMUTATIVE = frozenset({"add", "mul", "eq", "neq", "and_", "or_", "xor", "logical_and", "logical_or", "logical_xor",
                         "maximum", "minimum"})
KINDS = {"bool": dtypes.BOOLS, "int": dtypes.INTEGERS, "float": dtypes.FLOATS, "complex": dtypes.COMPLEX}


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule.

    Attributes
    ----------
    name, doc : str               the function's; the doc's first line is the rule
    keys : tuple                  what it can match at the root: names of scalar functions and Op classes; () for all
    attempt : callable            node, context -> replacements or None
    kinds : tuple[str, ...]       dtypes of the matched variables: "bool", "int", "float", "complex"
    domain : tuple of intervals   where the test takes samples, one for each variable (the last one repeats)
    ulp : float                   how far both sides may differ in the test, in units in the last place
    pattern : callable or None    the function, for a pattern rule
    example, near_misses : callable or None    give expressions that must, and must not, match
    module : str                  where it is defined: what pickling goes by
    """

    name: str
    doc: str
    keys: tuple[Key, ...]
    attempt: Attempt
    kinds: tuple[str, ...] = ("float",)
    domain: tuple[Interval, ...] = ((-3.0, 3.0),)
    ulp: float = 4
    pattern: Callable[..., Sides] | None = None
    example: Callable[[], Iterable[Any]] | None = None
    near_misses: Callable[[], Iterable[Any]] | None = None
    module: str = ""

    def __repr__(self) -> str:
        return f"Rule({self.name})"

    def __reduce__(self) -> tuple[Any, ...]:
        if getattr(sys.modules.get(self.module), self.name, None) is not self:
            raise PicklingError(f"the rule {self.name} is not found as {self.module}.{self.name}: define it there")
        return _rule_of, (self.module, self.name)


def _rule_of(module: str, name: str) -> Rule:
    found: Rule = getattr(import_module(module), name)
    return found


def key_of(op: Op) -> Key:
    """What rules are found by: the scalar function's name, or the Op's class."""
    return op.function.name if isinstance(op, Elemwise) else type(op)


def rule(function: Callable[..., Sides] | None = None, *, kinds: tuple[str, ...] = ("float",),
         domain: tuple[Interval, ...] | Interval = (-3.0, 3.0), ulp: float = 4,
         where: Callable[..., bool] | None = None,
         near_misses: Callable[[], Iterable[Any]] | None = None) -> Any:
    """Make a pattern rule of a function of variables that returns (left side, right side).

    Constants of the left side match by value, whatever dtype and shape they are spread over. Commutative functions
    match in both orders. `where` is asked with the matched variables; all must have a dtype of `kinds`.
    """
    if function is None:
        return lambda f: rule(f, kinds=kinds, domain=domain, ulp=ulp, where=where, near_misses=near_misses)
    names = list(inspect.signature(function).parameters)
    variables = tuple(TensorType("float64", ())(name) for name in names)
    left, _ = function(*variables)
    pattern = Pattern(left, variables, frozenset(d for kind in kinds for d in KINDS[kind]), where)
    intervals: Any = domain if isinstance(domain[0], tuple) else (domain,)
    return Rule(function.__name__, inspect.getdoc(function) or "", (key_of(left.owner.op),),
                _PatternAttempt(pattern, function), kinds, intervals, ulp, function, near_misses=near_misses,
                module=function.__module__)


def node_rule(*keys: Key, example: Callable[[], Iterable[Any]], near_misses: Callable[[], Iterable[Any]] | None = None,
              domain: tuple[Interval, ...] | Interval = (-3.0, 3.0), ulp: float = 0) -> Callable[[Any], Rule]:
    """Make a rule of a function (node) or (node, context) that returns a variable, one for each output, or None.

    Without keys it is tried on every node.
    """
    intervals: Any = domain if isinstance(domain[0], tuple) else (domain,)

    def decorate(function: Callable[..., Any]) -> Rule:
        with_context = len(inspect.signature(function).parameters) == 2

        def attempt(node: Apply, context: Context) -> Sequence[Variable] | None:
            found = function(node, context) if with_context else function(node)
            return [found] if isinstance(found, Variable) else found

        return Rule(function.__name__, inspect.getdoc(function) or "", keys, attempt, domain=intervals, ulp=ulp,
                    example=example, near_misses=near_misses, module=function.__module__)
    return decorate


class Match:
    """What a pattern found: a variable for each pattern variable, and the constants that were spread over a shape."""

    __slots__ = ("bound", "spread")

    def __init__(self, bound: dict[Variable, Variable], spread: tuple[Variable, ...]) -> None:
        self.bound = bound
        self.spread = spread


class Pattern:
    """The left side of a rule."""

    def __init__(self, left: Variable, variables: Sequence[Variable], allowed: frozenset[str],
                 where: Callable[..., bool] | None) -> None:
        assert left.owner is not None, "the left side of a rule is an expression"
        self.left, self.variables, self.allowed, self.where = left, tuple(variables), allowed, where
        self.places = tuple(None if v in variables else v if v.owner is None else v.owner.op for v in left.owner.inputs)
        self.both_orders = isinstance(left.owner.op, Elemwise) and left.owner.op.function.name in COMMUTATIVE

    def match(self, variable: Variable) -> Match | None:
        """The first match of `variable` that is allowed, or None."""
        if variable.owner is None or not self._may_match(variable.owner):
            return None
        for found in self._match(self.left, variable, Match({}, ())):
            assert len(found.bound) == len(self.variables), "the left side of a rule has all of its variables"
            operands = [found.bound[v] for v in self.variables]
            if self._allows(operands):
                return found
        return None

    def _may_match(self, node: Apply) -> bool:
        """False where a look at the inputs' Ops is enough to say no: most nodes, and this is asked of all."""
        if not all(map(_fits_place, self.places, node.inputs)):
            return self.both_orders and all(map(_fits_place, self.places, node.inputs[::-1]))
        return True

    def _allows(self, operands: Sequence[Any]) -> bool:
        if not all(isinstance(v.type, TensorType) and v.type.dtype in self.allowed for v in operands):
            return False
        return self.where is None or self.where(*operands)

    def _match(self, pattern: Variable, actual: Any, sofar: Match) -> Iterator[Match]:
        """Every way to match. Patterns are a few nodes deep, so recursion is bounded by the rule's author."""
        if isinstance(pattern, Constant):
            yield from _match_constant(pattern, actual, sofar)
            return
        if pattern.owner is None:
            before = sofar.bound.get(pattern)
            if before is None:
                yield Match({**sofar.bound, pattern: actual}, sofar.spread)
            elif same_variable(before, actual):
                yield sofar
            return
        node, other = pattern.owner, actual.owner
        if other is None or actual.index != pattern.index or node.op != other.op:
            return
        yield from self._match_all(node.inputs, other.inputs, sofar)
        if isinstance(node.op, Elemwise) and node.op.function.name in COMMUTATIVE:
            yield from self._match_all(node.inputs, other.inputs[::-1], sofar)

    def _match_all(self, patterns: Sequence[Variable], actuals: Sequence[Variable], sofar: Match) -> Iterator[Match]:
        if not patterns:
            yield sofar
            return
        for found in self._match(patterns[0], actuals[0], sofar):
            yield from self._match_all(patterns[1:], actuals[1:], found)


def _fits_place(place: Any, actual: Any) -> bool:
    """True where `actual` may match: None matches all, a Constant what has its value, an Op what it made."""
    if place is None:
        return True
    if isinstance(place, Constant):
        value = constant_value(actual)
        return value is not None and bool(value == place.data)
    return actual.owner is not None and actual.owner.op == place


def _match_constant(pattern: Constant, actual: Any, sofar: Match) -> Iterator[Match]:
    value = constant_value(actual)
    if value is None or value != pattern.data:
        return
    open_shape = actual.owner is not None and None in actual.type.shape
    yield Match(sofar.bound, (*sofar.spread, actual)) if open_shape else sofar


class _PatternAttempt:
    """Matches a node and builds the right side."""

    def __init__(self, pattern: Pattern, function: Callable[..., Sides]) -> None:
        self.pattern, self.function = pattern, function

    def __call__(self, node: Apply, context: Context) -> Sequence[Variable] | None:
        old = node.outputs[0]
        found = self.pattern.match(old)
        if found is None:
            return None
        operands = [found.bound[v] for v in self.pattern.variables]
        new = self._right(operands)
        if new.type.dtype != old.type.dtype:
            # A strong constant lifted the precision of the left side: the right side is computed in that too.
            if old.type.dtype not in dtypes.CONTINUOUS:
                return None
            new = self._right([nt.cast(v, old.type.dtype) for v in operands])
        # What a spread constant demanded of the lengths of the others must be known to hold, else the check is lost.
        if not all(_fits_inside(context, spread, new) for spread in found.spread):
            return None
        return [new]

    def _right(self, operands: Sequence[Any]) -> Any:
        return nt.as_tensor_variable(self.function(*operands)[1])


def _fits_inside(context: Context, spread: Any, new: Any) -> bool:
    """True where the lengths of `spread` that do not broadcast are those of `new`; or `new` lacks that axis.

    Where `new` lacks the axis, or has length 1 there, the driver gives it the lengths of the old variable.
    """
    lengths, others = context.shapes.of(spread), context.shapes.of(new)
    for axis in range(-len(lengths), 0):
        if spread.type.shape[axis] == 1 or -axis > len(others) or new.type.shape[axis] == 1:
            continue
        if not context.shapes.same(lengths[axis], others[axis]):
            return False
    return True
