"""Gradients that are zero behind a condition, so that what is not taken stays out of them.

    z = switch(x > 0, log(x), 0)      gx = switch(x > 0, g / x, 0)      not  switch(x > 0, g, 0) / x,  0 / 0 at x = 0

A pullback is linear: of a gradient `switch(c, g, 0)` it is `switch(c, pullback of g, 0)`, whatever the derivative is
where c is false. Products with 0 would make NaN of an infinite derivative there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import nbgraph.tensor as nt
from nbgraph.graph.basic import Apply, Constant

# How many conditions, one in the other, are kept apart.
MOST_CONDITIONS = 4


@dataclass(frozen=True)
class Masked:
    """A gradient, taken apart.

    Attributes
    ----------
    whole : the gradient as it is
    inner : what it is where no condition makes it zero
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


def masked(g: Any) -> Masked:
    """`g` without the conditions that make it zero, also where it was cast or repeated after that."""
    conditions: list[tuple[Any, bool]] = []
    inner, after = g, []
    while inner.owner is not None and len(conditions) < MOST_CONDITIONS:
        node, name = inner.owner, _function_name(inner.owner)
        if name == "switch" and any(map(_is_zero, node.inputs[1:])):
            condition, first, second = node.inputs
            conditions.append((condition, _is_zero(second)))
            inner = first if _is_zero(second) else second
        elif not conditions and (name.startswith("cast_") or isinstance(node.op, nt.BroadcastTo)):
            after.append(node)
            inner = node.inputs[0]
        else:
            break
    if not conditions:
        return Masked(g, g, ())
    for node in reversed(after):
        inner = node.op(inner, *node.inputs[1:])
    return Masked(g, inner, tuple(conditions))


def pulled_back(g: Any, pullback: Callable[[Any], Sequence[Any]]) -> list[Any]:
    """pullback(g), zero where g is by a condition; the pullback may give None for zero."""
    mask = masked(g)
    return [mask.put_back(term) for term in pullback(mask.inner)]


def moved(g: Any, order: Sequence[int | str]) -> Any:
    """dimshuffle(g, *order), its conditions and what they leave moved apart."""
    mask = masked(g)

    def shuffled(v: Any) -> Any:
        return nt.dimshuffle(nt.shape_padleft(v, g.type.ndim - v.type.ndim), *order)

    conditions = tuple((shuffled(condition), taken) for condition, taken in mask.conditions)
    return Masked(None, None, conditions).put_back(shuffled(mask.inner))


def added(first: Any, second: Any) -> Any:
    """first + second, under their conditions where these are the same."""
    one, two = masked(first), masked(second)
    same = len(one.conditions) == len(two.conditions) > 0 and all(
        a is b and p == q for (a, p), (b, q) in zip(one.conditions, two.conditions, strict=True))
    return one.put_back(one.inner + two.inner) if same else first + second


def _function_name(node: Apply) -> str:
    return node.op.function.name if isinstance(node.op, nt.Elemwise) else ""


def _is_zero(variable: Any) -> bool:
    return isinstance(variable, Constant) and not variable.data.any()
