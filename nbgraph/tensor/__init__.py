"""NumPy's names on symbolic arrays: `import nbgraph.tensor as nt`.

>>> import nbgraph.tensor as nt
>>> x = nt.dvector("x")
>>> nt.exp(x).type
TensorType(float64, shape=(None,))
"""

import importlib as _importlib

from nbgraph.config import config

# Their import registers the rules for batch axes.
from nbgraph.tensor import batching_indexing, batching_rules
from nbgraph.tensor.batching import vectorize_graph
from nbgraph.tensor.constant_value import get_scalar_constant_value
from nbgraph.tensor.constructors import CONSTRUCTORS, tensor
from nbgraph.tensor.convert import as_tensor_variable, constant, weak_constant
from nbgraph.tensor.creation import (
    alloc,
    arange,
    empty,
    empty_like,
    eye,
    fill,
    full,
    full_like,
    identity,
    identity_like,
    ones,
    ones_like,
    tensor_copy,
    tri,
    tril,
    triu,
    zeros,
    zeros_like,
)
from nbgraph.tensor.diagonal import diag, diagonal, trace
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.functions import FUNCTIONS, allclose, around, cast, isclose, rint, round, where
from nbgraph.tensor.indexing import flatnonzero, getitem, nonzero, nonzero_values, take, take_along_axis
from nbgraph.tensor.indexing_advanced import AdvancedSubtensor, Nonzero
from nbgraph.tensor.indexing_basic import Subtensor
from nbgraph.tensor.indexing_set import inc_subtensor, set_subtensor
from nbgraph.tensor.indexing_update import AdvancedIncSubtensor, IncSubtensor
from nbgraph.tensor.join import concatenate, hstack, join, repeat, split, stack, tile, vstack
from nbgraph.tensor.linear import BatchedDot, Dot
from nbgraph.tensor.products import (
    batched_dot,
    batched_tensordot,
    dot,
    inner,
    kron,
    matmul,
    matrix_dot,
    outer,
    tensordot,
    vdot,
)
from nbgraph.tensor.reductions import (
    all,
    amax,
    amin,
    any,
    argmax,
    argmin,
    cumprod,
    cumsum,
    max,
    max_and_argmax,
    mean,
    min,
    norm,
    prod,
    ptp,
    std,
    sum,
    sum_to_like,
    var,
)
from nbgraph.tensor.shape import BroadcastTo, DimShuffle, ViewOp, as_lengths
from nbgraph.tensor.shape_functions import (
    atleast_1d,
    atleast_2d,
    broadcast_arrays,
    broadcast_shape,
    broadcast_to,
    dimshuffle,
    expand_dims,
    flatten,
    length_quotient,
    lengths_of,
    moveaxis,
    normalize_axes,
    normalize_axis,
    product_of_lengths,
    reshape,
    shape,
    shape_padaxis,
    shape_padleft,
    shape_padright,
    shape_tuple,
    size,
    specify_shape,
    squeeze,
    sum_of_lengths,
    swapaxes,
    transpose,
    unbroadcast,
)
from nbgraph.tensor.special import log_softmax, logsumexp, relu, softmax
from nbgraph.tensor.type import TensorType
from nbgraph.tensor.variable import TensorConstant, TensorVariable
from nbgraph.tensor.vectorized import vectorize

globals().update(CONSTRUCTORS)
globals().update(FUNCTIONS)


# Not annotated: in an import cycle mypy takes an annotated __getattr__ of a module for one that cannot be called.
def __getattr__(name):  # type: ignore[no-untyped-def]
    """Only for names that are not there: constructors and scalar functions come from tables above."""
    if name == "grad":
        # A layer above, imported when first used: a stated exception to the layers.
        from nbgraph.gradient import grad
        return grad
    if name == "random":
        # Most graphs have no draws, and NumPy's own random module takes a while to import.
        return _importlib.import_module("nbgraph.tensor.random")
    if name == "TensorSharedVariable":
        from nbgraph.compile.shared import TensorSharedVariable
        return TensorSharedVariable
    raise AttributeError(f"nbgraph.tensor has no {name!r}")
