"""The reverse pass: from gradients of outputs to gradients of everything they are computed from.

    backward(connections, seeds=[(z, 1)], fixed={})      z = x * y   ->   {z: 1, x: 1 * y, y: 1 * x}

Nodes are visited once, last one first; terms are added as they arrive, so n uses of a variable cost n - 1 additions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import nbgraph.tensor as nt
from nbgraph.errors import DerivedLine, DTypeError, GraphError, NullGradError, ShapeError
from nbgraph.gradient.connections import Connections
from nbgraph.graph.basic import Apply, Variable
from nbgraph.graph.null_type import DisconnectedType, NullType, is_disconnected, is_null
from nbgraph.graph.op import gradients_of, has_gradient
from nbgraph.graph.source import attributed_to
from nbgraph.tensor import dtypes
from nbgraph.tensor.masked import added, is_zero
from nbgraph.tensor.type import TensorType

Gradients = dict[Variable, Any]


def backward(connections: Connections, seeds: Iterable[tuple[Variable, Any]], fixed: Mapping[Variable, Any],
             constants: Iterable[Variable] = ()) -> Gradients:
    """Gradients of all connected variables.

    Parameters
    ----------
    seeds        (output, its gradient): the first terms
    fixed        variables with a gradient that is given; what arrives from their uses is not added
    constants    variables that no gradient passes

    Returns
    -------
    {variable: gradient}    without those that nothing arrives at; a gradient may be of NullType
    """
    gradients: Gradients = {v: g for v, g in fixed.items() if not is_disconnected(g)}
    blocked = set(constants)
    for output, term in seeds:
        if output not in fixed and not is_disconnected(term):
            add_term(gradients, output, term)
    for node in reversed(connections.nodes):
        arrived = [None if v in blocked else gradients.get(v) for v in node.outputs]
        pattern = connections.patterns[node]
        wanted = [x in connections.reached and x not in fixed
                  and any(row[j] and g is not None for j, g in enumerate(arrived))
                  for x, row in zip(node.inputs, pattern, strict=True)]
        if not any(wanted):
            continue
        with attributed_to(node.line and DerivedLine(*node.line)):
            terms = pull_back(node, arrived, pattern)
            for x, term, want in zip(node.inputs, terms, wanted, strict=True):
                if want and not is_disconnected(term):
                    add_term(gradients, x, term)
    return gradients


def add_term(gradients: Gradients, variable: Variable, term: Any) -> None:
    """Add `term` to the gradient of `variable`; zeros are not added, what is undefined stays undefined."""
    before = gradients.get(variable)
    if before is None or is_null(term) or is_zero(before):
        gradients[variable] = before if before is not None and is_null(before) else term
    elif not is_null(before) and not is_zero(term):
        gradients[variable] = added(before, term)


def pull_back(node: Apply, arrived: Sequence[Any], pattern: Sequence[Sequence[bool]]) -> list[Any]:
    """`node.op.grad`, checked: a gradient for each input, of NullType or DisconnectedType where there is none."""
    if not has_gradient(node.op):
        reason = f"{node.op} (made at {node.line}) defines no grad"
        return [NullType(reason)() for _ in node.inputs]
    nulls = [j for j, g in enumerate(arrived) if g is not None and is_null(g)]
    given = [DisconnectedType()() if g is None or j in nulls else g for j, g in enumerate(arrived)]
    if all(is_disconnected(g) for g in given):
        terms: list[Any] = [DisconnectedType()() for _ in node.inputs]
    else:
        terms = _checked_terms(node, gradients_of(node, given))
        if all(is_disconnected(g) or is_zero(g) for g in given):
            # A pullback is linear: zeros stay zeros, where 0 * inf would become NaN.
            terms = [t if is_disconnected(t) or is_null(t) else zero_gradient(x)
                     for x, t in zip(node.inputs, terms, strict=True)]
    _check_pattern(node, terms, pattern)
    for j in nulls:
        terms = [arrived[j] if row[j] else term for term, row in zip(terms, pattern, strict=True)]
    return terms


def _check_pattern(node: Apply, terms: Sequence[Any], pattern: Sequence[Sequence[bool]]) -> None:
    """GraphError where grad gives something for an input that connection_pattern calls disconnected."""
    for position, (term, row) in enumerate(zip(terms, pattern, strict=True)):
        if any(row) or is_disconnected(term) or is_null(term) or is_zero(term):
            continue
        raise GraphError(node.op, f"grad returned a gradient for input {position}, which affects no output by "
                         "connection_pattern", line=node.line, x=node.inputs[position],
                         fix="return DisconnectedType()() there, or correct connection_pattern")


def _checked_terms(node: Apply, terms: Any) -> list[Any]:
    if not isinstance(terms, (list, tuple)) or len(terms) != len(node.inputs):
        raise GraphError(node.op, f"grad must return a list of {len(node.inputs)} variables, one for each input, "
                         f"got {terms!r}", line=node.line, fix="return DisconnectedType()() or zeros for an input "
                         "that has no influence")
    return [_checked_term(node, position, term) for position, term in enumerate(terms)]


def _checked_term(node: Apply, position: int, term: Any) -> Any:
    """A term of the gradient of input `position`, in the dtype of that input."""
    x = node.inputs[position]
    if not isinstance(term, Variable):
        raise DTypeError(node.op, f"grad returned {term!r} for input {position}, which is no Variable", line=node.line,
                         x=x, fix="return zeros, or a variable of DisconnectedType or NullType")
    if not isinstance(term.type, TensorType) or not isinstance(x.type, TensorType):
        return term
    if dtypes.is_discrete(term.type.dtype):
        raise DTypeError(node.op, f"grad returned a gradient of dtype {term.type.dtype} for input {position}",
                         line=node.line, x=x, gradient=term, fix="a gradient never has an integer dtype: cast it to "
                         f"{dtypes.gradient_dtype(x.type.dtype)}")
    if term.type.ndim != x.type.ndim:
        raise ShapeError(node.op, f"grad returned a gradient with {term.type.ndim} axes for input {position}, which "
                         f"has {x.type.ndim}", line=node.line, x=x, gradient=term,
                         fix="a gradient has the shape of its input; nt.sum_to_like(g, x) undoes broadcasting")
    return as_gradient_of(x, term)


def as_gradient_of(x: Any, term: Any) -> Any:
    """`term` in the dtype that a gradient of x has: that of x, or float64 for a discrete x.

    Where x is known to have length 1, so is the gradient: views take such an axis away.
    """
    wanted = dtypes.gradient_dtype(x.type.dtype)
    if term.type.dtype in dtypes.COMPLEX and wanted not in dtypes.COMPLEX:
        term = nt.real(term)
    ones = [1 if n == 1 and m is None else None for n, m in zip(x.type.shape, term.type.shape, strict=True)]
    return nt.cast(nt.specify_shape(term, ones), wanted)


def zero_gradient(x: Any) -> Any:
    """Zeros in the shape of x, in the dtype of its gradient; DisconnectedType where x is no tensor."""
    if not isinstance(x.type, TensorType):
        return DisconnectedType()()
    return nt.zeros_like(x, dtype=dtypes.gradient_dtype(x.type.dtype))


def raise_null(variable: Variable, gradient: Variable) -> None:
    """NullGradError with the reason that `gradient` carries."""
    assert isinstance(gradient.type, NullType)
    raise NullGradError(None, f"the gradient with respect to {variable} does not exist: {gradient.type.why_null}",
                        wrt=variable, fix="take the gradient with respect to something else, or keep the operation "
                        "out of the gradient with consider_constant or disconnected_grad")
