"""Variables that hold one value that is known when the graph is built, whatever the shape it is spread over.

    constant_value(nt.constant(1.0))            1.0
    constant_value(nt.ones((n, 3)))             1.0      a BroadcastTo of a constant
    constant_value(nt.constant([1.0, 2.0]))     None     no single value
"""

from __future__ import annotations

from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import ValueDomainError
from nbgraph.graph.basic import Constant, Variable
from nbgraph.graph.source import user_line
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


def get_scalar_constant_value(v: Any) -> Any:
    """The number that `v`, or every element of it, is known to be when the graph is built: a NumPy scalar.

    Raises
    ------
    ValueDomainError   it is not known, or there are several
    """
    variable = nt.as_tensor_variable(v)
    if isinstance(variable, Constant) and variable.data.ndim == 0:
        return variable.data[()]
    found = constant_value(variable)
    if found is None:
        raise ValueDomainError("get_scalar_constant_value", f"{variable} has no single value that is known before it "
                               "is computed", line=user_line(), v=variable, fix="compute it with nbgraph.function")
    return found
