"""Gradients that are zero by their structure, so that what is not taken stays out of them.

    z = switch(x > 0, log(x), 0)      gx = switch(x > 0, g / x, 0)      not  switch(x > 0, g, 0) / x,  0 / 0 at x = 0

A pullback is linear: of a gradient `switch(c, g, 0)` it is `switch(c, pullback of g, 0)`, whatever the derivative is
where c is false. Products with 0 would make NaN of an infinite derivative there. Between the switch and the pullback
there may be views, sums, products and updates of arrays: an Op says by its method `support` where its output may be
other than zero. It is asked only where a gradient is multiplied by something, so that nothing is paid elsewhere.

Out of reach are zeros that no condition makes: of `log(x)[1:]`, or of `set_subtensor(log(x)[0], 0)`, the gradient is
NaN where x[0] is 0, as in JAX. And a matrix product whose other operand is infinite or NaN in a row that a condition
takes out: where `switch(m[:, None], dot(x, w), 0)` has such rows of x, the gradient of w is NaN, unless x is behind a
switch as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import nbgraph.tensor as nt
from nbgraph.graph.basic import Apply, Constant

# Of a tensor, where it may be other than zero: bool, in its shape; None where nothing is known.
Support = Callable[[Any], Any]
# Functions that keep zeros, besides casts, and are linear.
KEEPING = ("neg", "conj", "real", "imag")
# How many conditions, one in the other, are kept apart; how many nodes are looked at to find them.
MOST_CONDITIONS = 4
MOST_NODES = 8


@dataclass(frozen=True)
class Masked:
    """A gradient, taken apart.

    Attributes
    ----------
    whole : the gradient as it is
    inner : the same where no condition makes it zero
    conditions : tuple of (condition, bool)     innermost last; the bool: it is `inner` where the condition is true
    """

    whole: Any
    inner: Any
    conditions: tuple[tuple[Any, bool], ...]

    def put_back(self, term: Any) -> Any:
        """`term`, zero where the gradient is."""
        if term is None or not self.conditions:
            return term
        if term is self.inner:  # a sum passes its gradient on
            return self.whole
        for condition, taken in reversed(self.conditions):
            term = nt.switch(condition, term, 0) if taken else nt.switch(condition, 0, term)
        return term


class _Search:
    """The search for the conditions of one gradient, which looks at so many nodes at most; behind sums if `deep`."""

    def __init__(self, deep: bool = True) -> None:
        self.left, self.deep = MOST_NODES, deep

    def masked(self, g: Any) -> Masked:
        """`g` without the conditions that make it zero, also where it was cast, viewed, added up … after that."""
        conditions: list[tuple[Any, bool]] = []
        views: list[Apply] = []
        inner = g
        while inner.owner is not None and len(conditions) < MOST_CONDITIONS and self.left > 0:
            self.left -= 1
            node, name = inner.owner, _function_name(inner.owner)
            if name == "switch" and any(map(is_zero, node.inputs[1:])):
                condition, first, second = node.inputs
                conditions.append((_seen_through(views, condition, inner), is_zero(second)))
                branch = first if is_zero(second) else second
                inner = _spread(branch, inner) if views else branch
            elif name.startswith("cast_") or name in KEEPING or isinstance(node.op, nt.ViewOp):
                views.append(node)
                inner = node.inputs[0]
            else:
                some = node.op.support(node, self.support) if self.deep and hasattr(node.op, "support") else None
                if some is not None:
                    conditions.append((_seen_through(views, some, inner), True))
                break
        if not conditions:
            return Masked(g, g, ())
        for node in reversed(views):
            inner = node.op(inner, *node.inputs[1:])
        return Masked(g, inner, tuple(conditions))

    def support(self, x: Any) -> Any:
        """Where x may be other than zero: bool, in the shape of x; None where nothing is known."""
        if is_zero(x):
            return nt.zeros_like(x, dtype="bool")
        conditions = self.masked(x).conditions
        found = None
        for condition, taken in conditions:
            where = condition if taken else nt.logical_not(condition)
            found = where if found is None else nt.logical_and(found, where)
        return None if found is None else _spread(nt.cast(found, "bool"), x)


def support(g: Any) -> Any:
    """Where g may be other than zero: bool, in the shape of g; None where nothing is known."""
    return _Search().support(g)


def masked(g: Any) -> Masked:
    """`g` without the conditions that make it zero."""
    return _Search().masked(g)


def pulled_back(g: Any, pullback: Callable[..., Sequence[Any]], *values: Any) -> list[Any]:
    """pullback(g, *values), zero where g is by a condition; the pullback may give None for zero."""
    mask = masked(g)
    return [mask.put_back(term) for term in pullback(mask.inner, *values)]


def times(g: Any, factor: Any) -> Any:
    """g * factor, zero where g is by a condition."""
    mask = masked(g)
    return mask.put_back(mask.inner * factor)


def added(first: Any, second: Any) -> Any:
    """first + second, under their conditions where these are the same."""
    one, two = _Search(deep=False).masked(first), _Search(deep=False).masked(second)
    same = len(one.conditions) == len(two.conditions) > 0 and all(
        a is b and p == q for (a, p), (b, q) in zip(one.conditions, two.conditions, strict=True))
    return one.put_back(one.inner + two.inner) if same else first + second


def is_zero(variable: Any) -> bool:
    """True where `variable` is known to be all zeros: a constant 0, viewed or cast."""
    for _ in range(8):
        if isinstance(variable, Constant):
            return isinstance(variable.type, nt.TensorType) and not variable.data.any()
        node = variable.owner
        if node is None or not (isinstance(node.op, nt.ViewOp) or _function_name(node).startswith("cast_")):
            return False
        variable = node.inputs[0]
    return False


def _seen_through(views: Sequence[Apply], condition: Any, value: Any) -> Any:
    """A condition on `value`, as one on what the views, outermost first, make of that."""
    for node in reversed(views):
        if isinstance(node.op, nt.ViewOp):
            condition = node.op(_spread(condition, value), *node.inputs[1:])
        value = node.outputs[0]
    return condition


def _spread(v: Any, like: Any) -> Any:
    """v in the shape of `like`."""
    return v if same_shape(v, like) else nt.broadcast_to(v, nt.lengths_of(like))


def same_shape(x: Any, y: Any) -> bool:
    """True where neither broadcasts to the other: a length broadcasts only where it is known to be 1."""
    return x.type.ndim == y.type.ndim and all(
        (n == 1) == (m == 1) for n, m in zip(x.type.shape, y.type.shape, strict=True))


def _function_name(node: Apply) -> str:
    return node.op.function.name if isinstance(node.op, nt.Elemwise) else ""
