"""as_op, wrap_py: a Python function as an Op.

    @as_op(itypes=[nt.dmatrix], otypes=[nt.dvector])
    def largest_singular_values(a):
        return np.linalg.svd(a)[1][:3]

    largest_singular_values(A * 2)      a symbolic vector
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pickle import PicklingError
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import ArgumentError, DTypeError
from nbgraph.graph.basic import Apply, Type, Variable
from nbgraph.graph.op import Op
from nbgraph.graph.source import user_line
from nbgraph.tensor.batching import unbatched
from nbgraph.tensor.type import TensorType


class FromFunctionOp(Op):
    """The application of a Python function; equal to another one of the same function and Types.

    Attributes
    ----------
    fn : callable              values -> the value of the output, or a tuple or list of them
    itypes, otypes : tuples    Types of inputs and outputs
    """

    __props__ = ("fn", "itypes", "otypes")

    def __init__(self, fn: Callable[..., Any], itypes: Sequence[Any], otypes: Sequence[Any],
                 infer_shape: Callable[..., Any] | None = None) -> None:
        self.fn, self.itypes, self.otypes = fn, tuple(map(_type, itypes)), tuple(map(_type, otypes))
        self.__doc__, self.__name__ = fn.__doc__, fn.__name__
        if infer_shape is not None:
            self.infer_shape = infer_shape

    def __str__(self) -> str:
        return self.__name__

    def make_node(self, *inputs: Any) -> Apply:
        if len(inputs) != len(self.itypes):
            raise ArgumentError(self, f"takes {len(self.itypes)} arguments, got {len(inputs)}", line=user_line(),
                                fix="give one for each of itypes")
        given = [_fitted(self, k, x, kind) for k, (x, kind) in enumerate(zip(inputs, self.itypes, strict=True))]
        return Apply(self, given, [kind() for kind in self.otypes])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        result = self.fn(*inputs)
        results = result if isinstance(result, (tuple, list)) and len(self.otypes) != 1 else [result]
        if len(results) != len(self.otypes):
            raise ValueError(f"{self} gave {len(results)} values for {len(self.otypes)} outputs")
        for cell, kind, value in zip(output_storage, self.otypes, results, strict=True):
            cell[0] = np.asarray(value) if isinstance(kind, TensorType) and kind.ndim == 0 else value

    def __reduce__(self) -> tuple[Any, ...]:
        module, name = self.fn.__module__, self.fn.__qualname__
        if getattr(sys.modules.get(module), name, None) is not self:
            raise PicklingError(f"the Op {self} is not found as {module}.{name}: decorate the function in a module")
        return _of_module, (module, name)


unbatched(FromFunctionOp, "its Python function takes the arrays of one element")


def _of_module(module: str, name: str) -> Any:
    return getattr(import_module(module), name)


def _type(kind: Any) -> Type:
    """A Type; of a constructor such as nt.dmatrix the one of what it makes."""
    if isinstance(kind, Type):
        return kind
    made = kind() if callable(kind) else kind
    if isinstance(made, Variable):
        return made.type
    raise TypeError(f"itypes and otypes are Types, or constructors such as nt.dmatrix, got {kind!r}")


def _fitted(op: Op, k: int, x: Any, kind: Type) -> Variable:
    if isinstance(kind, TensorType):
        x = nt.as_tensor_variable(x)
    elif not isinstance(x, Variable):
        x = kind.make_constant(kind.filter(x))
    if not kind.is_super(x.type):
        raise DTypeError(op, f"argument {k} must be {kind}, got {x.type}", line=user_line(), argument=x,
                         fix="cast or reshape it, or change itypes")
    return x


def wrap_py(itypes: Any, otypes: Any, infer_shape: Callable[..., Any] | None = None) -> Callable[..., FromFunctionOp]:
    """Decorator of a Python function of values: an Op that calls it. There is no gradient.

    Parameters
    ----------
    itypes, otypes : list of Types, or of constructors (nt.dmatrix); one alone need not be in a list
    infer_shape : callable, optional      (fgraph, node, shapes of the inputs) -> a tuple of lengths for each output

    Returns
    -------
    FromFunctionOp, which is called with symbolic variables

    Raises
    ------
    TypeError   something else in itypes or otypes
    """
    taken, given = (kinds if isinstance(kinds, (list, tuple)) else [kinds] for kinds in (itypes, otypes))
    return lambda fn: FromFunctionOp(fn, taken, given, infer_shape)


as_op = wrap_py  # the older name

__all__ = ["FromFunctionOp", "as_op", "wrap_py"]
