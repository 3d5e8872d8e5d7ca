"""Join: every input is written into its place of the result, in the loop that computes it.

    concatenate([x, y + 1])     z[i] = x[i];   z[n + i] = y[i] + 1
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from nbgraph.dispatch.expressions import Element, Expr, Literal, add
from nbgraph.dispatch.rules import Check, Dims, Part, Writes, checks, lowers
from nbgraph.graph.basic import Apply
from nbgraph.tensor import slices
from nbgraph.tensor.join import Join, join_error
from nbgraph.tensor.shape import Length


@lowers(Join)
def join(node: Apply) -> Writes:
    """One part for each input, behind the parts before it."""
    axis = node.op.axis
    parts, offset, offsets = [], 0, []
    for k, x in enumerate(node.inputs):
        parts.append(Part(x, _behind(k, offset, axis)))
        offsets.append(offset)
        known = x.type.shape[axis]
        offset = slices.add(Length(axis)(x) if known is None else known, offset)
    return Writes(None, tuple(parts), scalars=tuple(o for o in offsets if not isinstance(o, int)))


def _behind(k: int, offset: Any, axis: int) -> Any:
    def place(node: Apply, index: tuple[Expr, ...]) -> Generator[Element, Expr, tuple[tuple[Expr, ...], Expr]]:
        start = Literal(offset) if isinstance(offset, int) else (yield Element(offset, ()))
        value = yield Element(node.inputs[k], index)
        return (*index[:axis], add(start, index[axis]), *index[axis + 1:]), value
    return place


@checks(Join)
def lengths_agree(node: Apply, dims: Dims) -> list[Check]:
    """All lengths but those of the joined axis."""
    shapes = [dims(x) for x in node.inputs]
    shown = tuple(n for shape in shapes for n in shape)
    rank = len(shapes[0])

    def report(axis: int) -> Any:
        return lambda values: join_error(node, axis, [values[k:k + rank] for k in range(0, len(values), rank)])

    return [Check("equal", tuple(shape[axis] for shape in shapes), shown, report(axis), node)
            for axis in range(rank) if axis != node.op.axis and len(shapes) > 1]
