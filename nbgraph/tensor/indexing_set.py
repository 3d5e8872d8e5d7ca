"""set_subtensor and inc_subtensor: new values for the elements that an index expression shows.

    set_subtensor(x[2:, 0], y)      x with x[2:, 0] = y; x[2:, 0].set(y) is the same
    inc_subtensor(x[i].T, y)        x with y.T added to x[i]

The index expression is taken apart from the outside: each transposition is undone on the value until the index comes,
and what was indexed is put together again around the new elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError
from nbgraph.graph.source import user_line
from nbgraph.tensor.indexing_advanced import AdvancedSubtensor
from nbgraph.tensor.indexing_basic import Subtensor, check_static_region
from nbgraph.tensor.indexing_update import AdvancedIncSubtensor, IncSubtensor, update_value
from nbgraph.tensor.shape import DimShuffle, Reshape


def set_subtensor(x: Any, y: Any, inplace: bool = False, tolerate_inplace_aliasing: bool = False) -> Any:
    """The array that `x` indexes, with these elements replaced by `y`.

    Parameters
    ----------
    x : base[index], or a transposition or reshape of it
    y : tensor or number that broadcasts to x, of a dtype that goes into x's by "same_kind"
    inplace, tolerate_inplace_aliasing : bool    taken from older programs, without a meaning: whether memory is used
                                                 again is decided when the function is compiled

    Returns
    -------
    tensor    of base's dtype and shape. Where an index comes up several times, the last value stays.

    Raises
    ------
    DTypeError    x is no index expression, or y's dtype does not fit
    ShapeError    y does not broadcast to x
    BoundsError   an index out of bounds
    """
    return _updated(x, y, set_instead_of_inc=True)


def inc_subtensor(x: Any, y: Any, inplace: bool = False, set_instead_of_inc: bool = False,
                  tolerate_inplace_aliasing: bool = False) -> Any:
    """The array that `x` indexes, with `y` added to these elements, as often as an index comes up.

    Parameters, results and errors are those of `set_subtensor`.
    """
    return _updated(x, y, set_instead_of_inc)


def _updated(x: Any, y: Any, set_instead_of_inc: bool) -> Any:
    x = nt.as_tensor_variable(x)
    index = _index_under(x)
    if index is None:
        name = "set_subtensor" if set_instead_of_inc else "inc_subtensor"
        raise DTypeError(None, f"{name} needs an index expression such as x[0], got {x} of type {x.type}",
                         line=user_line(), x=x, fix=f"write {name}(x[index], y), with the index that is meant; "
                         "x[...] takes all of x")
    whole = IncSubtensor((), set_instead_of_inc)
    y = update_value(whole, x, y, x.type.ndim)
    check_static_region(whole, x, y, x.type.shape)
    value = _undone(_views_between(x, index), y)
    op = None if index.owner is None else index.owner.op
    if isinstance(op, Subtensor):
        source, *positions = index.owner.inputs
        return IncSubtensor(op.pattern, set_instead_of_inc)(source, value, *positions)
    if isinstance(op, AdvancedSubtensor):
        source, *positions = index.owner.inputs
        return _put_back(source, op.prepared, AdvancedIncSubtensor(set_instead_of_inc)(source, value, *positions))
    return whole(index, value)  # x[None] shows all of x


def _index_under(x: Any) -> Any:
    """The result of an index Op that x is, or is a transposition or reshape of; None where there is none.

    Where only axes of length 1 were added, what they were added to.
    """
    given, only_new_axes = x, True
    while x.owner is not None and isinstance(x.owner.op, (Subtensor, AdvancedSubtensor, DimShuffle, Reshape)):
        op = x.owner.op
        if isinstance(op, (Subtensor, AdvancedSubtensor)):
            return x
        x = x.owner.inputs[0]
        only_new_axes &= isinstance(op, DimShuffle) and op.kept == tuple(range(x.type.ndim))
    return x if only_new_axes and x is not given else None


def _views_between(x: Any, index: Any) -> list[Any]:
    """The Apply nodes from x down to `index`."""
    nodes = []
    while x is not index:
        nodes.append(x.owner)
        x = x.owner.inputs[0]
    return nodes


def _undone(nodes: Sequence[Any], y: Any) -> Any:
    """A value for the output of nodes[0] as a value for the input of nodes[-1]."""
    for node in nodes:
        y = _undo(node, y)
    return y


def _undo(node: Any, y: Any) -> Any:
    """A value that broadcasts to the output of a DimShuffle or Reshape, as one for its input."""
    source, shown = node.inputs[0], node.outputs[0]
    if isinstance(node.op, Reshape):
        return nt.reshape(nt.broadcast_to(y, nt.lengths_of(shown)), nt.lengths_of(source))
    if y.type.ndim == 0:
        return y
    y = nt.shape_padleft(y, shown.type.ndim - y.type.ndim)
    y = nt.squeeze(y, tuple(k for k, axis in enumerate(node.op.order) if axis == "x"))
    kept = list(node.op.kept)
    return nt.dimshuffle(y, *(kept.index(axis) if axis in kept else "x" for axis in range(source.type.ndim)))


def _put_back(shown: Any, steps: int, new: Any) -> Any:
    """`new` in place of `shown` in the variable that is `steps` views (DimShuffle, Subtensor) under it."""
    for _ in range(steps):
        node = shown.owner
        if isinstance(node.op, DimShuffle):
            new = _undo(node, new)
        else:
            new = IncSubtensor(node.op.pattern, True)(node.inputs[0], new, *node.inputs[1:])
        shown = node.inputs[0]
    return new

