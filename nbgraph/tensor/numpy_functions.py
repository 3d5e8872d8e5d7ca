"""NumPy's own functions on symbolic arrays: np.sum(x, axis=0) is nt.sum(x, axis=0).

Where NumPy called the methods by itself it would pass arguments that they do not have, or take a variable for an
object and give an array of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import nbgraph.tensor as nt
from nbgraph.errors import ArgumentError
from nbgraph.graph.source import user_line

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
                            fix="use functions of nbgraph.tensor, or pass the value that a compiled function gives")
    given = {key: value for key, value in kwargs.items() if not (key == "out" and value is None)}
    if name in BY_NAME:
        (x, *rest), named = args, given
        names = list(inspect.signature(function).parameters)[1:]
        named |= {key: value for key, value in zip(names, rest, strict=False) if not (key == "out" and value is None)}
        args, given = [x], named
    if name == "ndim":
        return nt.as_tensor_variable(args[0]).type.ndim
    ours = nt.flatten if name == "ravel" else getattr(nt, name)
    signature = inspect.signature(ours)
    try:
        signature.bind(*args, **given)
    except TypeError as error:
        raise ArgumentError(f"numpy.{name}", f"of a symbolic array: {error}", line=user_line(),
                            fix=f"use nbgraph.tensor.{name}({', '.join(signature.parameters)})") from None
    return ours(*args, **given)
