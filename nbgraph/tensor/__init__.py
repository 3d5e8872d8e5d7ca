"""NumPy's names on symbolic arrays: `import nbgraph.tensor as nt`.

>>> import nbgraph.tensor as nt
>>> x = nt.dvector("x")
>>> nt.exp(x).type
TensorType(float64, shape=(None,))
"""

from nbgraph.config import config
from nbgraph.tensor.constructors import CONSTRUCTORS, tensor
from nbgraph.tensor.convert import as_tensor_variable, constant, weak_constant
from nbgraph.tensor.functions import FUNCTIONS, allclose, cast, isclose, round
from nbgraph.tensor.shape_functions import (
    atleast_1d,
    atleast_2d,
    broadcast_arrays,
    broadcast_shape,
    broadcast_to,
    dimshuffle,
    expand_dims,
    flatten,
    lengths_of,
    moveaxis,
    reshape,
    shape,
    shape_padaxis,
    shape_padleft,
    shape_padright,
    shape_tuple,
    size,
    specify_shape,
    squeeze,
    swapaxes,
    transpose,
    unbroadcast,
)
from nbgraph.tensor.type import TensorType
from nbgraph.tensor.variable import TensorConstant, TensorVariable

globals().update(CONSTRUCTORS)
globals().update(FUNCTIONS)


def __getattr__(name: str) -> object:
    """Only for names that are not there: constructors and scalar functions come from tables above."""
    raise AttributeError(f"nbgraph.tensor has no {name!r}")
