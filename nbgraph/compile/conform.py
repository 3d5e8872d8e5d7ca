"""What may stand for a variable: the next value of an update, the replacement of a given.

    conform(w, 0, "update")          a constant of the type of w
    conform(w, w_int + 1, "update")  cast to the dtype of w where that loses nothing
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.compile.container import filter_for, operand
from nbgraph.errors import DTypeError, ShapeError
from nbgraph.graph.basic import Variable
from nbgraph.graph.source import user_line
from nbgraph.tensor.purpose import purpose
from nbgraph.tensor.type import TensorType


def given_pairs(given: Any, what: str) -> list[tuple[Any, Any]]:
    """A list or tuple of pairs, or a dict, as a list of pairs; None is empty.

    Raises
    ------
    TypeError   an entry is no pair
    """
    if given is None:
        return []
    entries = list(given.items()) if isinstance(given, Mapping) else given
    if not isinstance(entries, Iterable):
        raise TypeError(f"{what} must be a dict or a list of pairs, got {given!r}")
    pairs = list(entries)
    for entry in pairs:
        if not isinstance(entry, (tuple, list)) or len(entry) != 2:
            raise TypeError(f"{what} must be a dict or a list of pairs (variable, expression), got the entry {entry!r}")
    return [(variable, expression) for variable, expression in pairs]


def conform(variable: Variable, value: Any, role: str, strict: bool = True) -> Variable:
    """`value` as a variable that fits the Type of `variable`.

    Parameters
    ----------
    value : Variable, array or number
    role : "update", "default update" or "given"    an update is also cast where that loses nothing
    strict : bool    False: a variable of any Type is let through (rebuild_strict=False)

    Raises
    ------
    DTypeError   another kind of Type, dtype or rank
    ShapeError   a known length is another
    """
    subject = f"{role} of {variable}"
    if not isinstance(value, Variable):
        data = filter_for(variable, value, subject)
        return nt.constant(data) if isinstance(variable.type, TensorType) else variable.type.make_constant(data)
    if not strict or variable.type.is_super(value.type):
        return value
    wanted, actual = variable.type, value.type
    if not isinstance(wanted, TensorType) or not isinstance(actual, TensorType):
        raise _misfit(variable, value, subject, f"give an expression of type {wanted}")
    if wanted.ndim != actual.ndim:
        raise _misfit(variable, value, subject, "have the same rank")
    if wanted.dtype != actual.dtype:
        if role == "given" or not np.can_cast(actual.numpy_dtype, wanted.numpy_dtype, "safe"):
            raise _misfit(variable, value, subject, f"cast it: .astype({wanted.dtype!r})")
        value = nt.cast(value, wanted.dtype)
    for axis, (known, other) in enumerate(zip(wanted.shape, actual.shape, strict=True)):
        if None not in (known, other) and known != other:
            raise ShapeError(subject, f"axis {axis} must have length {known}, it has {other}", line=user_line(),
                             **operand(variable), expression=value, fix="give every known length the same value")
    told = purpose(subject, "axis {axis} must have length {wanted}, it has {actual}",
                   "give values of the lengths that the variable was declared with", **operand(variable),
                   expression=value)
    return nt.specify_shape(value, wanted.shape, told)


def _misfit(variable: Variable, value: Variable, subject: str, fix: str) -> DTypeError:
    return DTypeError(subject, f"must be {variable.type}, got {value.type}", line=user_line(), **operand(variable),
                      expression=value, fix=fix)
