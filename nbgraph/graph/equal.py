"""equal_computations: whether variables are computed in the same way, from the same leaves.

    equal_computations([x + y], [x + y])                          True: the same Ops on the same leaves
    equal_computations([exp(x)], [exp(y)], in_xs=[x], in_ys=[y])  True: x and y stand for each other
"""

from __future__ import annotations

from collections.abc import Sequence

from nbgraph.graph.basic import Constant, Variable


def equal_computations(xs: Sequence[Variable], ys: Sequence[Variable], in_xs: Sequence[Variable] | None = None,
                       in_ys: Sequence[Variable] | None = None) -> bool:
    """True where each of `xs` is computed as the one of `ys` in its place: equal Ops on equal inputs.

    Parameters
    ----------
    in_xs, in_ys : variables, optional    those at one place stand for each other; the graphs end there

    Raises
    ------
    ValueError   sequences of different lengths
    """
    pending = list(zip(xs, ys, strict=True))
    equal = {(id(x), id(y)) for x, y in zip(in_xs or (), in_ys or (), strict=True)}
    ends = {id(v) for v in (*(in_xs or ()), *(in_ys or ()))}
    while pending:
        x, y = pending.pop()
        if (id(x), id(y)) in equal:
            continue
        # Taken for equal from here on: if it is not, the whole is not.
        equal.add((id(x), id(y)))
        if x is y and id(x) not in ends:
            continue
        if id(x) in ends or id(y) in ends or x.type != y.type:
            return False
        if isinstance(x, Constant) and isinstance(y, Constant):
            if x.signature() != y.signature():
                return False
            continue
        if x.owner is None or y.owner is None or x.index != y.index or x.owner.op != y.owner.op:
            return False
        if len(x.owner.inputs) != len(y.owner.inputs):
            return False
        pending += zip(x.owner.inputs, y.owner.inputs, strict=True)
    return True
