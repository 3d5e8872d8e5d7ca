"""Constants as rules see them: one value, whatever the shape it is spread over (`tensor.constant_value`).

    is_value(nt.ones((n, 3)), 1)                                True
    same_variable(nt.constant(1.0), nt.constant(1.0))           True: equal bit by bit
"""

from __future__ import annotations

from typing import Any

from nbgraph.graph.basic import Constant, Variable
from nbgraph.tensor.constant_value import constant_value

__all__ = ["constant_value", "is_value", "same_variable"]


def is_value(variable: Variable, value: Any) -> bool:
    """True where every element of `variable` is known to equal `value`."""
    found = constant_value(variable)
    return found is not None and bool(found == value)


def same_variable(a: Variable, b: Variable) -> bool:
    """True for one object, and for constants that are equal bit by bit."""
    if a is b:
        return True
    return (isinstance(a, Constant) and isinstance(b, Constant) and a.type == b.type
            and a.signature() == b.signature())
