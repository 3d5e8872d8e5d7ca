"""subgraph_grad: gradients of a part of a graph, so that a backward pass can be done piece by piece.

    x -> h -> cost      subgraph_grad([w2], [h], cost=cost)             gradients of w2 and of h: the upper part
                        subgraph_grad([w1], [x], start={h: gh})         those of w1 and of x: the lower part
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nbgraph.errors import GraphError
from nbgraph.gradient.reverse import as_variables, grad
from nbgraph.graph.basic import Variable
from nbgraph.graph.source import user_line


def subgraph_grad(wrt: Any, end: Any, start: Mapping[Variable, Any] | None = None, cost: Any = None,
                  details: bool = False) -> Any:
    """Gradients from a cost, or from gradients that are known, back to `end` and no further.

    Parameters
    ----------
    wrt : variable or list      the variables of this part whose gradients are asked for
    end : variable or list      where the part ends: what lies behind these variables counts as constant
    start : dict, optional      variable -> its gradient, where the part begins: those that an earlier call gave for
                                its `end`
    cost : float[], optional    a term of the cost in this part; at least one of `start` and `cost` must be given
    details : bool              also give what each of both contributes

    Returns
    -------
    (gradients of wrt, gradients of end), two lists in the order of `wrt` and `end`; zeros where nothing is connected.
    With `details` (gradients of wrt, gradients of end, from start, from cost): the last two are lists of the terms of
    all of `wrt` and then `end`, or None for one that is not given.

    Raises
    ------
    GraphError   neither `start` nor `cost`
    As `grad`

    Examples
    --------
    >>> import nbgraph.tensor as nt
    >>> x, w1, w2 = nt.dscalars("x", "w1", "w2")
    >>> h = x * w1
    >>> (gw2,), (gh,) = subgraph_grad([w2], [h], cost=(h * w2) ** 2)
    >>> (gw1,), (gx,) = subgraph_grad([w1], [x], start={h: gh})
    """
    if cost is None and not start:
        raise GraphError("subgraph_grad", "neither a cost nor gradients to start from are given", line=user_line(),
                         fix="pass cost=, or start={variable: its gradient}")
    wanted, ends = as_variables("wrt", wrt), as_variables("end", end)
    variables = [*wanted, *ends]
    from_start = None if not start else grad(None, variables, ends, "ignore", known_grads=start)
    from_cost = None if cost is None else grad(cost, variables, ends, "ignore")
    found = _summed(from_start, from_cost)
    pieces = found[:len(wanted)], found[len(wanted):]
    return (*pieces, from_start, from_cost) if details else pieces


def _summed(first: Sequence[Any] | None, second: Sequence[Any] | None) -> list[Any]:
    if first is None or second is None:
        return list(first or second or ())
    return [a + b for a, b in zip(first, second, strict=True)]
