"""What a node reads for one element of its output: which inputs, at which indices.

    z = x.T + b      for z[i0, i1]:  x at (i1, i0), b at (i1,)

Found by running the Op's own element rule on placeholder indices, so that no rule is written twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nbgraph.dispatch.expressions import Element, Expr, Local, locals_of
from nbgraph.graph.basic import Apply, Variable

PLACEHOLDERS = tuple(Local(f"i{axis}") for axis in range(32))


@dataclass(frozen=True)
class Read:
    """One read of an element rule.

    same : for each axis of the variable, the loop axis that its index is; None where it is anything else
    axes : all loop axes that the indices depend on
    opaque : an index is itself an element of an array (a gather)
    """

    variable: Variable
    same: tuple[int | None, ...]
    axes: frozenset[int]
    opaque: bool = False

    @property
    def identity(self) -> bool:
        """True where element [i, j, …] is read for element [i, j, …]."""
        return self.same == tuple(range(len(self.same)))

    def repeats(self, order: tuple[int, ...]) -> bool:
        """True where loops in this order compute the same element more than once, hoisted as far as it goes."""
        return self.opaque or set(order[:len(self.axes)]) != self.axes


def whole(variable: Variable) -> Read:
    """The read of a variable element by element."""
    ndim = variable.type.ndim
    return Read(variable, tuple(range(ndim)), frozenset(range(ndim)))


def reads_of(node: Apply, rule: Callable[..., Any], ndim: int) -> list[Read]:
    """The reads of an element rule (or of a part's `place`) over `ndim` loop axes."""
    generator = rule(node, PLACEHOLDERS[:ndim])
    found: list[Read] = []
    elements: set[Local] = set()
    sent = None
    while True:
        try:
            request: Element = generator.send(sent)
        except StopIteration:
            return found
        found.append(_read(request.variable, request.index, elements))
        sent = Local("value", getattr(request.variable.type, "dtype", "int64"))
        if request.index:
            elements.add(sent)


def _read(variable: Variable, index: tuple[Expr, ...], elements: set[Local]) -> Read:
    position = {local: axis for axis, local in enumerate(PLACEHOLDERS)}
    same = tuple(position.get(e) if isinstance(e, Local) else None for e in index)
    used = [local for e in index for local in locals_of(e)]
    axes = frozenset(position[local] for local in used if local in position)
    return Read(variable, same, axes, any(local in elements for local in used))
