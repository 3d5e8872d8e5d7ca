"""Derivatives made of gradients: jacobian, hessian, hessian_vector_product.

    jacobian(y, x)     y: float64[n]   x: float64[m, 2]     float64[n, m, 2],  J[i, ...] = d y[i] / d x

One reverse pass for all rows: the rows of the identity are a batch of weights (`vectorize_graph`), so that the number
of elements of y need not be known when the graph is built. For an elementwise function only the diagonal is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import BatchError, DTypeError
from nbgraph.gradient.blocks import disconnected_grad
from nbgraph.gradient.connections import connect
from nbgraph.gradient.reverse import Lop, Variables, as_variables, grad, like_given, points_for
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.type import TensorType


def jacobian(expression: Any, wrt: Any, consider_constant: Variables | None = None,
             disconnected_inputs: str = "raise") -> Any:
    """d expression / d wrt, the axes of `expression` first.

    Parameters
    ----------
    expression : float[...]
    wrt : variable or list
    consider_constant, disconnected_inputs    as for `grad`

    Returns
    -------
    A variable for a variable, a list for a list: shape (*expression.shape, *wrt.shape), the dtype of the gradient.

    Raises
    ------
    DTypeError               `expression` is discrete or complex
    DisconnectedInputError   `expression` does not depend on a variable of `wrt`
    BatchError               an Op whose gradient cannot be computed for all rows at once, where the lengths of
                             `expression` are not known either: else a reverse pass is written out for each row

    Notes
    -----
    Off the diagonal, the Jacobian of an elementwise function is 0 also where a derivative is infinite or NaN.
    """
    (expression,), variables = as_variables("expression", [expression]), as_variables("wrt", wrt)
    _check_real(expression, "jacobian")
    kind = expression.type
    weights = TensorType(kind.dtype, kind.shape)()
    pulled = Lop(expression, variables, weights, consider_constant, disconnected_inputs)
    constants = as_variables("consider_constant", [] if consider_constant is None else consider_constant)

    def one(variable: Any, row: Any) -> Any:
        if kind.ndim == 0:
            return nt.vectorize_graph(row, {weights: nt.constant(1, dtype=kind.dtype)})
        if _is_elementwise(expression, variable, constants):
            return _diagonal(Lop(expression, variable, nt.ones_like(expression), constants, "ignore"))
        try:
            return _all_rows(expression, variable, weights, row)
        except BatchError:
            if None in kind.shape:
                raise
            return _written_out(expression, variable, constants)

    return like_given(wrt, [one(v, row) for v, row in zip(variables, pulled, strict=True)])


def _check_real(expression: Any, what: str) -> None:
    kind = expression.type
    if dtypes.is_discrete(kind.dtype) or kind.dtype in dtypes.COMPLEX:
        raise DTypeError(None, f"{what}: {expression} has dtype {kind.dtype}", line=user_line(), expression=expression,
                         fix="differentiate a real floating expression")


def _all_rows(expression: Any, wrt: Any, weights: Any, row: Any) -> Any:
    """The Jacobian from its `row`, the gradient for `weights`: these become the rows of the identity."""
    lengths = nt.lengths_of(expression)
    count = nt.product_of_lengths(lengths)
    units = nt.reshape(nt.eye(count, dtype=weights.type.dtype), (count, *lengths))
    rows = nt.vectorize_graph(row, {weights: units})
    shape = (*lengths, *nt.lengths_of(wrt))
    if rows.type.ndim == row.type.ndim:
        return nt.broadcast_to(rows, shape)
    return rows if len(lengths) == 1 else nt.reshape(rows, shape)


def _is_elementwise(expression: Any, wrt: Any, constants: Sequence[Any]) -> bool:
    """True where an element of `expression` depends on the element of `wrt` at its place and on no other."""
    connections = connect([expression], [wrt], constants)
    ones = [n == 1 for n in wrt.type.shape]
    return expression in connections.reached and all(
        isinstance(node.op, Elemwise) and all([n == 1 for n in v.type.shape] == ones for v in
                                              (*node.outputs, *(x for x in node.inputs if x in connections.reached)))
        for node in connections.nodes)


def _diagonal(d: Any) -> Any:
    """The Jacobian of an elementwise function with the derivative d: zeros off the diagonal."""
    lengths = nt.lengths_of(d)
    count = nt.product_of_lengths(lengths)
    return nt.reshape(nt.switch(nt.eye(count, dtype="bool"), nt.flatten(d), 0), (*lengths, *lengths))


def _written_out(expression: Any, wrt: Any, constants: Sequence[Any]) -> Any:
    """The Jacobian by a reverse pass for each element of `expression`, whose lengths are known."""
    lengths = expression.type.shape
    rows = [Lop(expression, wrt, _unit(expression, place), constants, "ignore")
            for place in product(*map(range, lengths))]
    shape = (*lengths, *nt.lengths_of(wrt))
    if not rows:
        return nt.zeros(shape, dtype=dtypes.gradient_dtype(wrt.type.dtype))
    return nt.reshape(nt.stack(rows), shape)


def _unit(expression: Any, place: tuple[int, ...]) -> Any:
    """1 at `place`, 0 elsewhere: a constant of the shape of `expression`."""
    unit = np.zeros(expression.type.shape, expression.type.dtype)
    unit[place] = 1
    return nt.constant(unit)


def hessian(cost: Any, wrt: Any, consider_constant: Variables | None = None,
            disconnected_inputs: str = "raise") -> Any:
    """The second derivatives of `cost`: H[i, j] = d2 cost / d wrt[i] d wrt[j].

    Parameters
    ----------
    cost : float[]
    wrt : variable or list
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
        _check_real(variable, "hessian")
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
