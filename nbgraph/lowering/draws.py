"""Drawing: random variables with kernels, in a form that the schedule understands: a state is an array of words.

    next_rng, x = normal(rng, size, mu, sigma)     words_after, x = drawing(words, *lengths, mu, sigma, *conditions)

Conditions are 0-d booleans: whether all parameters are in the domain of the distribution. They are looked at before.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbgraph.dispatch.elemwise import broadcast_index
from nbgraph.dispatch.expressions import Element, Expr
from nbgraph.dispatch.random.distributions import Condition
from nbgraph.dispatch.random.states import WORDS, restore, state_of
from nbgraph.dispatch.rules import Check, Dims, Draws, Library, Pointwise, checks, lowers
from nbgraph.dispatch.warn import MESSAGES
from nbgraph.graph.basic import Apply, Variable
from nbgraph.graph.expression import Written, call
from nbgraph.graph.op import Op
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.random.op import RandomVariable
from nbgraph.tensor.random.sizes import lengths_error
from nbgraph.tensor.shape import static_length
from nbgraph.tensor.type import TensorType

_STREAMS, _RANGES = "nbgraph.dispatch.random.uniform.", "nbgraph.dispatch.random.ranges."


def words_of(kind: str) -> TensorType:
    """The Type of the states of a bit generator."""
    return TensorType("uint64", (WORDS[kind],))


@dataclass(frozen=True, eq=False)
class Origin:
    """The random variable that draws are of.

    node : Apply             as the user wrote it: what errors are about
    op : RandomVariable      what computes the draws in NumPy, of `params` parameters
    sized : bool             a size was given
    spread : bool            `op` must be told how many draws there are
    support : int            how many axes at the end of the draws are no part of that
    """

    node: Apply
    op: RandomVariable
    params: int
    sized: bool
    spread: bool = False
    support: int = 0


class Drawing(Op):
    """Draws from a state that is an array of words.

    inputs : the state; the lengths of the draws; the parameters; what the kernel takes instead of them, if anything;
             lengths of scratch arrays; what must fit together, where that is not the parameters; the conditions

    Attributes
    ----------
    kind : str          of bit generator
    kernel : str        (stream, *parameters) -> number, or with `whole` (stream, *arrays, *scratch, out)
    gives : str         the dtype of the kernel's numbers;  dtype : of the draws
    around : str        what is called before all draws and after them; "" for nothing
    scratch : tuple     arrays that a kernel of whole arrays works in: (dtype, number of axes)
    fits : int          how many must fit together, where these are not the parameters
    conditions : what each condition is about
    """

    default_output = 1
    __props__ = ("kind", "kernel", "gives", "dtype", "ndim", "taken", "whole", "around", "scratch", "fits")

    def __init__(self, origin: Origin, kind: str, kernel: str, gives: str, dtype: str, ndim: int, taken: int = 0,
                 whole: bool = False, around: str = "", scratch: tuple[Any, ...] = (),
                 fits: int = 0, conditions: Sequence[Condition] = ()) -> None:
        self.origin, self.conditions = origin, tuple(conditions)
        self.kind, self.kernel, self.gives, self.dtype, self.ndim = kind, kernel, gives, dtype, ndim
        self.taken, self.whole, self.around, self.scratch = taken, whole, around, scratch
        self.fits = fits

    def __str__(self) -> str:
        return str(self.origin.op)

    def make_node(self, state: Variable, *inputs: Any) -> Apply:
        lengths = tuple(static_length(n) for n in inputs[:self.ndim])
        return Apply(self, [state, *inputs], [state.type(), TensorType(self.dtype, lengths)()])

    def lengths(self, node: Apply) -> Sequence[Variable]:
        """Of the draws."""
        return node.inputs[1:1 + self.ndim]

    def params(self, node: Apply) -> Sequence[Variable]:
        """Of the distribution."""
        return node.inputs[1 + self.ndim:1 + self.ndim + self.origin.params]

    def arguments(self, node: Apply) -> Sequence[Variable]:
        """Of the kernel."""
        after = 1 + self.ndim + self.origin.params
        return node.inputs[after:after + self.taken] if self.taken else self.params(node)

    def tested(self, node: Apply) -> Sequence[Variable]:
        """The conditions."""
        return node.inputs[len(node.inputs) - len(self.conditions):]

    def working(self, node: Apply) -> tuple[tuple[str, tuple[Variable, ...]], ...]:
        """The dtypes and lengths of the scratch arrays."""
        lengths = iter(node.inputs[1 + self.ndim + self.origin.params + self.taken:])
        return tuple((dtype, tuple(next(lengths) for _ in range(ndim))) for dtype, ndim in self.scratch)

    def fitting(self, node: Apply) -> Sequence[Variable]:
        """What must fit together, and to the lengths where a size was given."""
        end = len(node.inputs) - len(self.conditions)
        return node.inputs[end - self.fits:end] if self.fits else self.params(node)

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[0], tuple(self.lengths(node))]

    def below(self, node: Apply) -> Any:
        """What all draws are below, where they are integers from 0 on: an int, or an int64 scalar; else None."""
        if not self.kernel.startswith(_RANGES):
            return None
        low, last = self.arguments(node)
        first = static_length(low) if low.type.ndim == 0 else None
        if first is None or first < 0 or last.type.ndim:
            return None
        known = static_length(last)
        if known is not None:
            return known + 1
        made = last.owner
        if made is None or not isinstance(made.op, Elemwise) or made.op.function.name != "sub":
            return None
        return made.inputs[0] if static_length(made.inputs[1]) == 1 else None

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        """The draws of NumPy's generator in that state."""
        state, *rest = inputs
        lengths = tuple(int(n) for n in rest[:self.ndim])
        generator = np.random.Generator(getattr(np.random, self.kind)(0))
        restore(generator, state)
        op = self.origin.op
        batch = lengths[:self.ndim - self.origin.support]
        drawn = op.drawn(generator, rest[self.ndim:self.ndim + self.origin.params],
                         batch if self.origin.sized or self.origin.spread else None, batch, np.dtype(self.dtype))
        output_storage[0][0] = state_of(generator)
        output_storage[1][0] = np.asarray(drawn).astype(self.dtype, copy=False).reshape(lengths)

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """normal(mu, sigma)"""
        return call(str(self), *arguments[1 + self.ndim:1 + self.ndim + self.origin.params])


@lowers(Drawing)
def drawing(node: Apply) -> Draws | Library:
    """A loop around a draw, or one call."""
    op: Drawing = node.op
    stream = _STREAMS + op.kind.lower(), node.inputs[0]
    if op.whole:
        return Library(op.kernel, tuple(op.arguments(node)), stream=stream, scratch=op.working(node))
    return Draws(stream, _parameters, op.kernel, op.gives, op.around)


def _parameters(node: Apply, index: tuple[Expr, ...]) -> Generator[Element, Expr, tuple[Expr, ...]]:
    """The elements of the parameters."""
    found = []
    for p in node.op.arguments(node):
        found.append((yield Element(p, broadcast_index(p, index))))
    return tuple(found)


@checks(Drawing)
def in_domain(node: Apply, dims: Dims) -> list[Check]:
    """Lengths are >= 0 and fit together; parameters are in the domain."""
    op: Drawing = node.op
    origin = op.origin
    found = []
    if origin.sized and op.lengths(node):
        found.append(Check("natural", tuple(op.lengths(node)), (), lambda values: origin.node.op.domain_error(
            origin.node, "negative dimensions are not allowed"), node))
    if not op.whole:
        sized = tuple(op.lengths(node)) if origin.sized else None
        found += length_checks(node, origin, op.fitting(node), sized, op.ndim, dims)
    return found + [_holds(node, origin, condition, tested)
                    for condition, tested in zip(op.conditions, op.tested(node), strict=True)]


def _holds(node: Apply, origin: Origin, condition: Condition, tested: Variable) -> Check:
    warns = issubclass(condition.error, Warning)

    def report(values: Sequence[int]) -> Exception:
        if warns:
            return condition.error(condition.message)
        return origin.node.op.domain_error(origin.node, condition.message, condition.error)
    if warns:
        return Check("warned", (tested, MESSAGES.index(condition.message)), (), report, node)
    return Check("holds", (tested,), (), report, node)


def length_checks(node: Apply, origin: Origin, params: Sequence[Any], size: Sequence[Any] | None, ndim: int,
                  dims: Dims, support: Sequence[int] = ()) -> list[Check]:
    """Lengths that are not known to be 1 agree, axis by axis, with each other and with the size.

    support : for each parameter how many axes at its end are those of one draw; default: none
    """
    support = support or (0,) * len(params)
    shapes = [dims(p) for p in params]
    flat = (*(n for shape in shapes for n in shape), *(size or ()))
    found = []
    for axis in range(-ndim, 0):
        lengths = _lengths_at(axis, params, shapes, support)
        lengths += [size[axis]] if size is not None and -axis <= len(size) else []
        if len(lengths) > 1:
            report = _lengths_report(origin, params, size, axis, support)
            found.append(Check("equal", tuple(lengths), flat, report, node))
    return found


def _lengths_at(axis: int, params: Sequence[Any], shapes: Sequence[Sequence[Any]], support: Sequence[int]) -> list[Any]:
    """The lengths of an axis of the batch (negative) that are not known to be 1."""
    return [shape[axis - k] for p, shape, k in zip(params, shapes, support, strict=True)
            if k - axis <= len(shape) and p.type.shape[axis - k] != 1]


def _lengths_report(origin: Origin, params: Sequence[Any], size: Sequence[Any] | None, axis: int,
                    support: Sequence[int]) -> Any:
    def report(values: Sequence[int]) -> Exception:
        shapes, start = [], 0
        for p in params:
            shapes.append(tuple(values[start:start + p.type.ndim]))
            start += p.type.ndim
        wanted = None if size is None else tuple(values[start:])
        found = set(_lengths_at(axis, params, shapes, support))
        found |= set() if wanted is None or -axis > len(wanted) else {wanted[axis]}
        return lengths_error(origin.node, params, axis, found, shapes, wanted)
    return report


class Fitted(Op):
    """A parameter, whose lengths fit together with those of all parameters, and with the size where that is given.

    inputs : the parameter; all parameters; the lengths of the size
    support : for each of all parameters how many axes are those of one draw;  ndim : of the batch
    """

    __props__ = ("support", "ndim")

    def __init__(self, origin: Origin, support: Sequence[int], ndim: int) -> None:
        self.origin, self.support, self.ndim = origin, tuple(support), ndim

    def make_node(self, p: Any, *others: Any) -> Apply:
        return Apply(self, [p, *others], [p.type()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        output_storage[0][0] = np.array(inputs[0])

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[0]]


@lowers(Fitted)
def fitted(node: Apply) -> Pointwise:
    """The element itself."""
    def element(node: Apply, index: tuple[Expr, ...]) -> Generator[Element, Expr, Expr]:
        return (yield Element(node.inputs[0], index))
    return Pointwise(element, cost=0)


@checks(Fitted)
def together(node: Apply, dims: Dims) -> list[Check]:
    """All lengths fit."""
    op: Fitted = node.op
    count = len(op.support)
    params, size = node.inputs[1:1 + count], node.inputs[1 + count:]
    return length_checks(node, op.origin, params, size or None, op.ndim, dims, op.support)


class Allowed(Elemwise):
    """Whether parameters are in the domain, element by element; `origin` tells whose they are."""

    origin: Origin


@checks(Allowed)
def fitting(node: Apply, dims: Dims) -> list[Check]:
    """Lengths agree: what is said of them is about the distribution."""
    return length_checks(node, node.op.origin, node.inputs, None, node.outputs[0].type.ndim, dims)
