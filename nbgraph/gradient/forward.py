"""Forward mode: Rop, a Jacobian times a vector.

    Rop(f, x, v)      (d f / d x) v, in the shape of f

Every Op between is asked for its `R_op`. Where one has none, two reverse passes do the same: u^T J is linear in u, and
the gradient of (u^T J) v with respect to u is J v (J. Townsend, "A new trick for calculating Jacobian vector
products", 2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbgraph.errors import DerivedLine, DTypeError, GraphError, ShapeError
from nbgraph.gradient.backward import add_term, as_gradient_of, backward, raise_null, zero_gradient
from nbgraph.gradient.connections import Connections, connect
from nbgraph.gradient.reverse import Lop, as_variables, like_given, points_for, report_disconnected
from nbgraph.graph.basic import Apply, Variable
from nbgraph.graph.null_type import DisconnectedType, is_disconnected, is_null
from nbgraph.graph.replace import clone_replace
from nbgraph.graph.source import attributed_to
from nbgraph.tensor import dtypes
from nbgraph.tensor.type import TensorType

Tangents = dict[Variable, Any]


def Rop(f: Any, wrt: Any, eval_points: Any, disconnected_outputs: str = "raise",
        return_disconnected: str = "zero") -> Any:
    """(d f / d wrt) eval_points: how f moves when `wrt` moves in the direction of the points.

    Parameters
    ----------
    f : variable or list
    wrt, eval_points : variable, or lists of equal length; a point has the shape of its variable
    disconnected_outputs    "raise", "warn" or "ignore": an f that depends on no variable of `wrt`
    return_disconnected     what is returned for it: "zero", "disconnected" or "none"

    Returns
    -------
    A variable for a variable, a list for a list: the shape of each f; its dtype, float64 where that is discrete.

    Raises
    ------
    DisconnectedInputError   an f depends on no variable of `wrt`
    ShapeError               a point has another number of axes than its variable
    """
    outputs, variables = as_variables("f", f), as_variables("wrt", wrt)
    points = points_for("wrt", variables, eval_points)
    connections = connect(outputs, variables)
    missing = [v for v in outputs if v not in connections.reached]
    for output in missing:
        report_disconnected(variables, [output], disconnected_outputs)
    if all(hasattr(node.op, "R_op") for node in connections.nodes):
        tangents = _forward(connections, zip(variables, points, strict=True))
        found = [tangents.get(v) for v in outputs]
    else:
        found = [None if v in missing else _two_reverse_passes(v, variables, points) for v in outputs]
    return like_given(f, [_result(v, tangent, v in missing, return_disconnected)
                          for v, tangent in zip(outputs, found, strict=True)])


def _forward(connections: Connections, seeds: Any) -> Tangents:
    """How every variable moves; without those that stand still."""
    tangents: Tangents = {}
    for variable, point in seeds:
        if not is_disconnected(point):
            # A variable of wrt that depends on another one moves by both: more is added when that is reached.
            add_term(tangents, variable, point)
    for node in connections.nodes:
        moving = [tangents.get(x) for x in node.inputs]
        if all(point is None for point in moving):
            continue
        with attributed_to(node.line and DerivedLine(*node.line)):
            pattern = connections.patterns[node]
            for j, (output, tangent) in enumerate(zip(node.outputs, _push(node, moving, pattern), strict=True)):
                if tangent is not None and any(row[j] for row in pattern):
                    add_term(tangents, output, tangent)
    return tangents


def _push(node: Apply, moving: Sequence[Any], pattern: Sequence[Sequence[bool]]) -> list[Any]:
    """`node.op.R_op`, checked: for each output how it moves, or None; of NullType where an input's motion is."""
    nulls = {i: point for i, point in enumerate(moving) if point is not None and is_null(point)}
    sound = [None if i in nulls else point for i, point in enumerate(moving)]
    tangents = [None] * len(node.outputs) if all(p is None for p in sound) else _answer(node, sound)
    for j in range(len(node.outputs)):
        tangents[j] = next((point for i, point in nulls.items() if pattern[i][j]), tangents[j])
    return tangents


def _answer(node: Apply, moving: Sequence[Any]) -> list[Any]:
    tangents = node.op.R_op(list(node.inputs), list(moving))  # type: ignore[attr-defined]
    if not isinstance(tangents, (list, tuple)) or len(tangents) != len(node.outputs):
        raise GraphError(node.op, f"R_op must return a list of {len(node.outputs)} variables, one for each output, "
                         f"got {tangents!r}", line=node.line, fix="return None for an output that does not move")
    return [_checked_tangent(node, output, t) for output, t in zip(node.outputs, tangents, strict=True)]


def _checked_tangent(node: Apply, output: Any, tangent: Any) -> Any:
    if tangent is None or (isinstance(output.type, TensorType) and dtypes.is_discrete(output.type.dtype)):
        return None  # what is integer-valued is a step function: it does not move, as its gradient is zero
    if not isinstance(tangent, Variable):
        raise DTypeError(node.op, f"R_op returned {tangent!r}, which is no Variable", line=node.line,
                         fix="return a variable, or None for an output that does not move")
    if not isinstance(tangent.type, TensorType):
        return tangent
    if tangent.type.ndim != output.type.ndim:
        raise ShapeError(node.op, f"R_op returned {tangent.type.ndim} axes for an output with {output.type.ndim}",
                         line=node.line, output=output, tangent=tangent, fix="it has the shape of the output")
    return as_gradient_of(output, tangent)


def _two_reverse_passes(output: Any, wrt: Sequence[Any], points: Sequence[Any]) -> Any:
    """(d output / d wrt) points, as the gradient of sum((u^T J) * points) with respect to u."""
    dummy = zero_gradient(output).type()
    pulled = Lop(output, list(wrt), dummy, disconnected_inputs="ignore")
    pairs = [(g, p) for g, p in zip(pulled, points, strict=True) if not is_disconnected(p)]
    connections = connect([g for g, _ in pairs], [dummy])
    tangent = backward(connections, pairs, {}).get(dummy)
    # Linear in the dummy, so that its value is free; zeros stand for it where only its shape is left.
    return None if tangent is None else clone_replace(tangent, {dummy: zero_gradient(output)})


def _result(output: Any, tangent: Any, missing: bool, return_disconnected: str) -> Any:
    if tangent is not None and is_null(tangent):
        raise_null(output, tangent)
    if tangent is not None:
        return tangent
    if missing and return_disconnected.lower() != "zero":
        return None if return_disconnected.lower() == "none" else DisconnectedType()()
    return zero_gradient(output)


