"""Derivatives made of gradients: jacobian, hessian, hessian_vector_product.

    jacobian(y, x)     y: float64[3]   x: float64[?, 2]     float64[3, ?, 2],  J[i, ...] = d y[i] / d x

One reverse pass a row, written out: the number of elements of y must be known when the graph is built.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, ShapeError
from nbgraph.gradient.blocks import disconnected_grad
from nbgraph.gradient.reverse import Lop, Variables, as_variables, grad, like_given, points_for
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes


def jacobian(expression: Any, wrt: Any, consider_constant: Variables | None = None,
             disconnected_inputs: str = "raise") -> Any:
    """d expression / d wrt, the axes of `expression` first.

    Parameters
    ----------
    expression : float[...]    every length known when the graph is built
    wrt : variable or list
    consider_constant, disconnected_inputs    as for `grad`

    Returns
    -------
    A variable for a variable, a list for a list: shape (*expression.shape, *wrt.shape), the dtype of the gradient.

    Raises
    ------
    ShapeError               a length of `expression` is not known
    DTypeError               `expression` is discrete or complex
    DisconnectedInputError   `expression` does not depend on a variable of `wrt`
    """
    (expression,), variables = as_variables("expression", [expression]), as_variables("wrt", wrt)
    _check_rows(expression, "jacobian")
    lengths = expression.type.shape
    rows = [Lop(expression, variables, _unit(expression, place), consider_constant, disconnected_inputs)
            for place in product(*map(range, lengths))]
    return like_given(wrt, [_arrange([row[i] for row in rows], lengths, v) for i, v in enumerate(variables)])


def _check_rows(expression: Any, what: str) -> None:
    kind = expression.type
    if dtypes.is_discrete(kind.dtype) or kind.dtype in dtypes.COMPLEX:
        raise DTypeError(None, f"{what}: {expression} has dtype {kind.dtype}", line=user_line(), expression=expression,
                         fix="differentiate a real floating expression")
    if None in kind.shape:
        raise ShapeError(None, f"{what} writes one reverse pass for each element of {expression}, and its shape {kind} "
                         "is not known when the graph is built", line=user_line(), expression=expression,
                         fix="declare the lengths (shape=(3,), nt.specify_shape(y, (3,))), or loop over the rows "
                             "with nbgraph.scan")


def _unit(expression: Any, place: tuple[int, ...]) -> Any:
    """1 at `place`, 0 elsewhere: a constant of the shape of `expression`."""
    unit = np.zeros(expression.type.shape, expression.type.dtype)
    unit[place] = 1
    return nt.constant(unit)


def _arrange(rows: Sequence[Any], lengths: Sequence[int], wrt: Any) -> Any:
    if not lengths:
        return rows[0]
    shape = (*lengths, *nt.lengths_of(wrt))
    if not rows:
        return nt.zeros(shape, dtype=dtypes.gradient_dtype(wrt.type.dtype))
    stacked = nt.stack(rows)
    return stacked if len(lengths) == 1 else nt.reshape(stacked, shape)


def hessian(cost: Any, wrt: Any, consider_constant: Variables | None = None,
            disconnected_inputs: str = "raise") -> Any:
    """The second derivatives of `cost`: H[i, j] = d2 cost / d wrt[i] d wrt[j].

    Parameters
    ----------
    cost : float[]
    wrt : variable or list     every length known when the graph is built
    consider_constant, disconnected_inputs    as for `grad`

    Returns
    -------
    A variable for a variable, a list for a list (the blocks on the diagonal): shape (*wrt.shape, *wrt.shape).

    Raises
    ------
    As `grad` and `jacobian`; a cost that is linear in `wrt` has a Hessian of zeros.
    """
    variables = as_variables("wrt", wrt)
    for variable in variables:
        _check_rows(variable, "hessian")
    gradients = grad(cost, variables, consider_constant, disconnected_inputs, add_names=False)
    # What the gradient no longer depends on has a zero derivative; the first pass has found what is disconnected.
    return like_given(wrt, [jacobian(g if None not in g.type.shape else nt.specify_shape(g, v.type.shape), v,
                                     consider_constant, "ignore") for g, v in zip(gradients, variables, strict=True)])


def hessian_vector_product(cost: Any, wrt: Any, p: Any, consider_constant: Variables | None = None,
                           disconnected_inputs: str = "raise") -> Any:
    """H p, without H: the gradient of sum(gradient * p), where p does not move.

    Parameters
    ----------
    cost : float[]
    wrt, p : variable, or lists of equal length; each p has the shape of its variable
    consider_constant, disconnected_inputs    as for `grad`

    Returns
    -------
    A variable for a variable, a list for a list: the shape and dtype of each `wrt`.

    Notes
    -----
    B. Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6 (1994).
    """
    variables = as_variables("wrt", wrt)
    points = [disconnected_grad(point) for point in points_for("wrt", variables, p)]
    gradients = grad(cost, variables, consider_constant, disconnected_inputs, add_names=False)
    return like_given(wrt, Lop(gradients, variables, points, consider_constant, "ignore"))
