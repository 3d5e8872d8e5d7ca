"""Reverse mode: grad (the gradient of a scalar) and Lop (a vector times a Jacobian).

>>> import nbgraph.tensor as nt
>>> x = nt.dvector("x")
>>> grad((x ** 2).sum(), x).type
TensorType(float64, shape=(None,))
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import nbgraph.tensor as nt
from nbgraph.errors import DisconnectedInputError, DTypeError, GraphError, ShapeError
from nbgraph.gradient.backward import Gradients, as_gradient_of, backward, raise_null, zero_gradient
from nbgraph.gradient.connections import Connections, connect
from nbgraph.graph.basic import Variable
from nbgraph.graph.null_type import DisconnectedType, NullType, is_null
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.type import TensorType

Variables = Variable | Sequence[Variable]


def grad(cost: Any, wrt: Any, consider_constant: Variables | None = None, disconnected_inputs: str = "raise",
         add_names: bool = True, known_grads: Mapping[Variable, Any] | None = None,
         return_disconnected: str = "zero", null_gradients: str = "raise") -> Any:
    """d cost / d wrt, by reverse accumulation over the nodes between them.

    Parameters
    ----------
    cost : float[] or None       None only with `known_grads`
    wrt : Variable, or a list of them; inputs or intermediate variables
    consider_constant            a variable or several that no gradient passes: what is behind them does not move
    disconnected_inputs          "raise", "warn" or "ignore": a variable of `wrt` that the cost does not depend on
    add_names : bool             name the gradients (dcost/dx) where cost and x have names
    known_grads : dict           variable -> its gradient, taken as it is in place of what the graph says
    return_disconnected          "zero", "disconnected" (a variable of DisconnectedType) or "none"
    null_gradients               "raise" or "return" (a variable of NullType)

    Returns
    -------
    A variable for a variable, a list for a list (a tuple for a tuple). Each has the shape of its `wrt`, and its dtype:
    float64 where that is discrete. For complex z = a + bi it is dC/da + i dC/db.

    Raises
    ------
    DTypeError               the cost is no real floating scalar
    DisconnectedInputError   the cost does not depend on a variable of `wrt`
    NullGradError            a gradient that is undefined, or that its Op does not define
    """
    _check_choice("disconnected_inputs", disconnected_inputs, ("raise", "warn", "ignore"))
    return_disconnected = _check_choice("return_disconnected", return_disconnected, ("zero", "disconnected", "none"))
    _check_choice("null_gradients", null_gradients, ("raise", "return"))
    variables = as_variables("wrt", wrt)
    fixed = _checked_known(known_grads)
    seeds = _seeds(cost, fixed)
    connections, gradients = _accumulate(variables, seeds, fixed, consider_constant)
    missing = [v for v in variables if v not in gradients]
    report_disconnected(missing, [v for v, _ in seeds] or list(fixed), disconnected_inputs)
    found = [_result(v, gradients.get(v), return_disconnected, null_gradients) for v in variables]
    if add_names:
        _name_gradients(cost, variables, found, {*connections.known, *fixed.values()})
    return like_given(wrt, found)


def Lop(f: Any, wrt: Any, eval_points: Any, consider_constant: Variables | None = None,
        disconnected_inputs: str = "raise") -> Any:
    """eval_points^T (d f / d wrt): the gradient of sum(f * eval_points), where the points do not move.

    Parameters
    ----------
    f, eval_points : variable, or lists of equal length; a point has the shape of its f
    wrt : variable or list
    consider_constant, disconnected_inputs    as for `grad`

    Returns
    -------
    A variable for a variable, a list for a list: the shape and dtype of each `wrt`.

    Raises
    ------
    DisconnectedInputError   no f depends on a variable of `wrt`
    """
    _check_choice("disconnected_inputs", disconnected_inputs, ("raise", "warn", "ignore"))
    outputs, variables = as_variables("f", f), as_variables("wrt", wrt)
    seeds = list(zip(outputs, points_for("f", outputs, eval_points), strict=True))
    _, gradients = _accumulate(variables, seeds, {}, consider_constant)
    report_disconnected([v for v in variables if v not in gradients], outputs, disconnected_inputs)
    return like_given(wrt, [_result(v, gradients.get(v), "zero", "raise") for v in variables])


def _accumulate(wrt: Sequence[Variable], seeds: Sequence[tuple[Variable, Any]], fixed: Mapping[Variable, Any],
                consider_constant: Variables | None) -> tuple[Connections, Gradients]:
    constants = as_variables("consider_constant", [] if consider_constant is None else consider_constant)
    connections = connect([*(v for v, _ in seeds), *fixed], wrt, constants, fixed)
    return connections, backward(connections, seeds, fixed, constants)


def as_variables(what: str, given: Any) -> list[Any]:
    """One variable or a sequence of them, as a list.

    Raises
    ------
    DTypeError   something else than a Variable
    """
    variables = list(given) if isinstance(given, (list, tuple, set, frozenset)) else [given]
    for variable in variables:
        if not isinstance(variable, Variable):
            raise DTypeError(None, f"{what} must be a symbolic variable or a list of them, got "
                             f"{type(variable).__name__} {str(variable)[:60]!r}", line=user_line(),
                             fix="pass the variables that the graph was built from")
    return variables


def like_given(given: Any, found: list[Any]) -> Any:
    """`found` as the caller gave its variables: a list, a tuple, or the only one."""
    if isinstance(given, tuple):
        return tuple(found)
    return found if isinstance(given, (list, set, frozenset)) else found[0]


def points_for(what: str, variables: Sequence[Any], eval_points: Any) -> list[Any]:
    """One evaluation point for each variable, in the dtype of its gradient; None where it does not move.

    Raises
    ------
    ShapeError   not as many as variables, or another number of axes
    """
    points = list(eval_points) if isinstance(eval_points, (list, tuple)) else [eval_points]
    if len(points) != len(variables):
        raise ShapeError(None, f"{len(variables)} variables of {what} and {len(points)} evaluation points",
                         line=user_line(), fix="give one point for each variable")
    return [_gradient_given_for(v, p, "evaluation point") for v, p in zip(variables, points, strict=True)]


def _gradient_given_for(variable: Any, value: Any, what: str) -> Any:
    """A gradient or direction that the caller gives for `variable`, checked and cast; None is disconnected."""
    if value is None:
        return DisconnectedType()()
    if isinstance(value, Variable) and isinstance(value.type, (DisconnectedType, NullType)):
        return value
    if not isinstance(variable.type, TensorType):
        return value
    point = nt.as_tensor_variable(value)
    if isinstance(value, Variable) and dtypes.is_discrete(point.type.dtype):
        raise DTypeError(None, f"the {what} for {variable} has dtype {point.type.dtype}", line=user_line(),
                         variable=variable, given=point, fix="gradients are never integers: cast it to a float dtype")
    if point.type.ndim != variable.type.ndim:
        raise ShapeError(None, f"the {what} for {variable} has {point.type.ndim} axes, {variable} has "
                         f"{variable.type.ndim}", line=user_line(), variable=variable, given=point,
                         fix="both must have the same shape")
    return as_gradient_of(variable, point)


def _checked_known(known_grads: Mapping[Variable, Any] | None) -> dict[Variable, Any]:
    known = dict(known_grads or {})
    as_variables("each key of known_grads", list(known))
    return {v: _gradient_given_for(v, g, "known gradient") for v, g in known.items()}


def _seeds(cost: Any, fixed: Mapping[Variable, Any]) -> list[tuple[Any, Any]]:
    """The first term of the pass: the gradient of the cost, where there is one."""
    if cost is None and not fixed:
        raise GraphError(None, "grad needs a cost or known_grads, got neither", line=user_line(),
                         fix="pass the scalar to differentiate")
    return [] if cost is None else [(cost, _gradient_of_cost(cost))]


def _gradient_of_cost(cost: Any) -> Any:
    """1, in the dtype of the cost.

    Raises
    ------
    DTypeError   the cost is no real floating scalar
    """
    as_variables("cost", [cost])
    if is_null(cost):
        raise_null(cost, cost)
    kind = cost.type
    if not isinstance(kind, TensorType):
        what, fix = f"the cost {cost} is of type {kind}, not a tensor", "differentiate a scalar tensor"
    elif kind.ndim != 0:
        what = f"the cost {cost} has {kind.ndim} axes; the gradient is that of one number"
        fix = "take .sum() or .mean() of it, or use nbgraph.gradient.jacobian for the derivative of every element"
    elif dtypes.is_discrete(kind.dtype):
        what = f"the cost {cost} has dtype {kind.dtype}; an integer is a step function, its derivative is zero"
        fix = "compute the cost in a float dtype; with .astype('float64') every gradient behind this point is zero"
    elif kind.dtype in dtypes.COMPLEX:
        what, fix = f"the cost {cost} is complex ({kind.dtype})", "take its real part, imaginary part or abs"
    else:
        return nt.constant(1, dtype=kind.dtype)
    raise DTypeError(None, what, line=user_line(), cost=cost, fix=fix)


def report_disconnected(missing: Sequence[Variable], outputs: Sequence[Variable], action: str) -> None:
    """Raise, warn or say nothing about variables that `outputs` do not depend on."""
    if not missing or action == "ignore":
        return
    what = (f"{', '.join(map(str, outputs))} does not depend on the elements of {', '.join(map(str, missing))}: not "
            "part of its graph, or used only for a shape, an index or behind a variable taken as constant")
    fix = 'leave it out of wrt, or pass disconnected_inputs="ignore" for a gradient of zeros'
    named = {f"wrt{i}": v for i, v in enumerate(missing)} if len(missing) > 1 else {"wrt": missing[0]}
    error = DisconnectedInputError(None, what, line=user_line(), fix=fix, **named)
    if action == "raise":
        raise error
    warnings.warn(str(error), stacklevel=3)


def _result(variable: Variable, gradient: Any, return_disconnected: str, null_gradients: str) -> Any:
    if gradient is None or isinstance(gradient.type, DisconnectedType):
        if return_disconnected == "none":
            return None
        return zero_gradient(variable) if return_disconnected == "zero" else DisconnectedType()()
    if is_null(gradient) and null_gradients == "raise":
        raise_null(variable, gradient)
    return gradient


def _name_gradients(cost: Any, wrt: Sequence[Any], found: Sequence[Any], theirs: set[Any]) -> None:
    """(dcost/dx) for gradients that are new, and gx in generated code: a variable of the user's keeps its name."""
    for variable, gradient in zip(wrt, found, strict=True):
        if gradient is None or gradient.name is not None or variable.name is None or gradient in theirs:
            continue
        if gradient.owner is not None:
            gradient.tag.called = f"g{variable.name}"
        if cost is not None and cost.name is not None:
            gradient.name = f"(d{cost.name}/d{variable.name})"


def _check_choice(option: str, value: Any, allowed: tuple[str, ...]) -> str:
    chosen = value.lower() if isinstance(value, str) else value
    if chosen not in allowed:
        raise ValueError(f"{option} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
    return str(chosen)
