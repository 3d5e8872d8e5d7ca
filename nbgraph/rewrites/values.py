"""Constants as rules see them: one value, whatever the shape it is spread over.

    constant_value(nt.constant(1.0))            1.0
    constant_value(nt.ones((n, 3)))             1.0      a BroadcastTo of a constant
    constant_value(nt.constant([1.0, 2.0]))     None     no single value
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nbgraph.graph.basic import Constant, Variable
from nbgraph.tensor.shape import BroadcastTo, DimShuffle, Reshape
from nbgraph.tensor.type import TensorType

# Larger constant arrays are not searched for a single value: the search would cost more than it finds.
SEARCHED_ELEMENTS = 4096


def constant_value(variable: Variable) -> Any:
    """The NumPy scalar that every element of `variable` equals when the graph is built; None where there is none.

    NaN is no value: it equals nothing.
    """
    while variable.owner is not None and isinstance(variable.owner.op, (BroadcastTo, DimShuffle, Reshape)):
        variable = variable.owner.inputs[0]
    if not isinstance(variable, Constant) or not isinstance(variable.type, TensorType):
        return None
    data = np.asarray(variable.data)
    if data.ndim == 0:
        return data[()] if data == data else None
    if not 0 < data.size <= SEARCHED_ELEMENTS:
        return None
    first = data.flat[0]
    return first if data.flat[-1] == first and bool(np.all(data == first)) else None


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
