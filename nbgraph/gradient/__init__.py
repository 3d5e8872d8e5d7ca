"""Derivatives of graphs: grad, Lop, Rop, jacobian, hessian, and what checks and steers them.

    gx = nbgraph.gradient.grad((x ** 2).sum(), x)      2 * x
"""

from nbgraph.errors import DisconnectedInputError, GradientError, NullGradError
from nbgraph.gradient.blocks import (
    GradientRule,
    consider_constant,
    disconnected_grad,
    grad_clip,
    grad_scale,
    undefined_grad,
    zero_grad,
)
from nbgraph.gradient.check import numeric_grad, verify_forward, verify_grad
from nbgraph.gradient.derived import hessian, hessian_vector_product, jacobian
from nbgraph.gradient.forward import Rop
from nbgraph.gradient.reverse import Lop, grad
from nbgraph.gradient.subgraph import subgraph_grad
from nbgraph.graph.null_type import DisconnectedType, NullType, grad_not_implemented, grad_undefined

NullTypeGradError = NullGradError  # the older name

__all__ = ["DisconnectedInputError", "DisconnectedType", "GradientError", "GradientRule", "Lop", "NullGradError",
           "NullType", "NullTypeGradError", "Rop", "consider_constant", "disconnected_grad", "grad", "grad_clip",
           "grad_not_implemented", "grad_scale", "grad_undefined", "hessian", "hessian_vector_product", "jacobian",
           "numeric_grad", "subgraph_grad", "undefined_grad", "verify_forward", "verify_grad", "zero_grad"]
