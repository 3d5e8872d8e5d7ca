"""Functions of integers that take Python integers of any size, as NumPy 2 has it.

    b: int8     b < 300      all true: compared as numbers       b + 300            RangeError, as for most functions
                clip(b, 0, 300)   the bound is 127               switch(c, b, 300)  44: the number wraps

An operand of an integer dtype gives a Python integer its dtype; only here a number that it cannot hold has a meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.tensor import dtypes

# The result where the number on the right is too large, and where it is too small.
BEYOND = {"lt": (True, False), "le": (True, False), "gt": (False, True), "ge": (False, True), "eq": (False, False),
          "neq": (True, True)}
MIRRORED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "neq": "neq"}


def _integer_dtype(args: Sequence[Any]) -> str | None:
    """The dtype that the operands which are no Python integers give to those that are; None for no integer dtype."""
    others = [nt.as_tensor_variable(x).type.dtype for x in args if type(x) is not int and dtypes.weak_kind(x) is None]
    if not others or any(dtypes.weak_kind(x) not in (None, int) for x in args):
        return None
    dtype = dtypes.result_type(*others, int)
    return dtype if dtype in dtypes.INTEGERS else None


def _fits(number: int, dtype: str) -> bool:
    limits = np.iinfo(dtype)
    return int(limits.min) <= number <= int(limits.max)


def compare(op: Any, x: Any, y: Any, name: str | None = None) -> Any:
    """A comparison of numbers: one that the other's dtype cannot hold is larger, or smaller, than all it can."""
    dtype = _integer_dtype((x, y))
    number = x if type(x) is int else y
    if dtype is None or _fits(number, dtype):
        return op(x, y, name=name)
    other, function = (y, MIRRORED[op.function.name]) if type(x) is int else (x, op.function.name)
    limits = np.iinfo(dtype)
    too_large = number > 0
    holds = BEYOND[function][0 if too_large else 1]
    # What is true of every value, or of none: x <= its largest, x > its largest.
    limit = nt.constant(limits.max if too_large else limits.min, dtype=dtype)
    always, never = (nt.le, nt.gt) if too_large else (nt.ge, nt.lt)
    return (always if holds else never)(other, limit, name=name)


def clip(op: Any, x: Any, low: Any, high: Any, name: str | None = None) -> Any:
    """Bounds beyond those of the dtype are those of the dtype."""
    dtype = _integer_dtype((x, low, high))
    if dtype is not None:
        limits = np.iinfo(dtype)
        low = max(low, int(limits.min)) if type(low) is int else low
        high = min(high, int(limits.max)) if type(high) is int else high
    return op(x, low, high, name=name)


def switch(op: Any, condition: Any, x: Any, y: Any, name: str | None = None) -> Any:
    """A number that the other's dtype cannot hold wraps, as in np.where; beyond 64 bits it is an error."""
    dtype = _integer_dtype((x, y))
    if dtype is not None:
        x, y = (np.asarray(v).astype(dtype) if type(v) is int and not _fits(v, dtype) and -2**63 <= v < 2**64 else v
                for v in (x, y))
    return op(condition, x, y, name=name)


def logical(op: Any, x: Any, y: Any, name: str | None = None) -> Any:
    """A number is true where it is not 0, also where the other's dtype cannot hold it."""
    x, y = (bool(v) if type(v) is int else v for v in (x, y))
    return op(x, y, name=name)


# name of the scalar function -> what takes its Op and its operands
WITH_ANY_INTEGER: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(BEYOND, compare), "clip": clip, "switch": switch,
    **dict.fromkeys(("logical_and", "logical_or", "logical_xor"), logical)}
