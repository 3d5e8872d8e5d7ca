"""NumPy's own functions on symbolic arrays: np.sum(x, axis=0) is nt.sum(x, axis=0), np.exp(x) is nt.exp(x).

Where NumPy called the methods by itself it would pass arguments that they do not have, or take a variable for an
object and give an array of it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any, TypeVar, cast

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import ArgumentError
from nbgraph.graph.source import user_line

Method = TypeVar("Method", bound=Callable[..., Any])
USE_OURS = "use functions of nbgraph.tensor, or pass the value that a compiled function gives"
# Functions of one array whose further arguments have NumPy's names, in whatever order.
BY_NAME = ("all", "amax", "amin", "any", "argmax", "argmin", "cumprod", "cumsum", "max", "mean", "min", "prod", "ptp",
           "std", "sum", "var")
# Functions that take their arguments in NumPy's order.
IN_ORDER = ("allclose", "around", "atleast_1d", "atleast_2d", "broadcast_arrays", "broadcast_to", "clip", "concatenate",
            "diag", "diagonal", "dot", "empty_like", "expand_dims", "flatnonzero", "full_like", "hstack", "imag",
            "inner", "isclose", "kron", "moveaxis", "nonzero", "ones_like", "outer", "ravel", "real", "repeat",
            "reshape", "round", "shape", "size", "squeeze", "stack", "swapaxes", "take", "take_along_axis", "tensordot",
            "tile", "trace", "transpose", "tril", "triu", "vdot", "vstack", "where", "zeros_like")


def call(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """What a NumPy function gives for arguments with a symbolic array among them: the nbgraph function's result.

    Raises
    ------
    ArgumentError   there is no such function here, or it lacks an argument that is given, such as `where`
    """
    name = function.__name__
    if function.__module__ != "numpy" or name not in (*BY_NAME, *IN_ORDER, "ndim"):
        raise ArgumentError(f"{function.__module__}.{name}", "takes arrays, not symbolic variables", line=user_line(),
                            fix=USE_OURS)
    given = {key: value for key, value in kwargs.items() if not (key == "out" and value is None)}
    if name in BY_NAME:
        (x, *rest), named = args, given
        names = list(inspect.signature(function).parameters)[1:]
        named |= {key: value for key, value in zip(names, rest, strict=False) if not (key == "out" and value is None)}
        args, given = [x], named
    if name == "ndim":
        return nt.as_tensor_variable(args[0]).type.ndim
    return _called(name, nt.flatten if name == "ravel" else getattr(nt, name), args, given)


def call_ufunc(ufunc: np.ufunc, method: str, inputs: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """What a NumPy ufunc gives for operands with a symbolic array among them: the nbgraph function's result.

    An array on the left of an operator comes here, too. After `a += x` the name `a` stands for the symbolic sum.

    Raises
    ------
    ArgumentError   there is no such function here, or it lacks an argument that is given, such as `where`
    """
    name = ufunc.__name__
    in_place = kwargs.get("out") is not None and kwargs["out"][0] is inputs[0]
    given = {key: value for key, value in kwargs.items() if not (key == "out" and (value is None or in_place))}
    if method == "__call__" and ufunc is getattr(np, name, None):
        if name == "positive" and not given:
            return inputs[0]
        if name == "divmod" and not given:
            return nt.floor_divide(*inputs), nt.mod(*inputs)
        if hasattr(nt, name):
            return _called(name, getattr(nt, name), inputs, given)
    full = f"numpy.{name}" if method == "__call__" else f"numpy.{name}.{method}"
    raise ArgumentError(full, "takes arrays, not symbolic variables", line=user_line(), fix=USE_OURS)


def _called(name: str, ours: Callable[..., Any], args: Sequence[Any], given: Mapping[str, Any]) -> Any:
    signature = inspect.signature(ours)
    try:
        signature.bind(*args, **given)
    except TypeError as error:
        raise ArgumentError(f"numpy.{name}", f"of a symbolic array: {error}", line=user_line(),
                            fix=f"use nbgraph.tensor.{name}({', '.join(signature.parameters)})") from None
    return ours(*args, **given)


def as_numpy_calls(method: Method) -> Method:
    """The method, which takes NumPy's out=None besides, and says what it takes where a keyword is none of that."""
    code = cast(FunctionType, method).__code__
    names = code.co_varnames[1:code.co_argcount]

    @functools.wraps(method)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = {key: value for key, value in kwargs.items() if not (key == "out" and value is None)}
        unknown = [key for key in given if key not in names]
        if unknown:
            raise ArgumentError(f"{method.__name__} of {self}", f"has no argument {unknown[0]}", line=user_line(),
                                x=self, fix=f"it takes {', '.join(names)}")
        return method(self, *args, **given)
    return cast(Method, called)
