"""The tensor functions that the scalar table gives: `exp(x)`, `add(x, y)`, `switch(c, x, y)` …

Their signatures and docstrings follow from the row.
"""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

import nbgraph.tensor as nt
import nbgraph.tensor.scalar_arithmetic
import nbgraph.tensor.scalar_complex
import nbgraph.tensor.scalar_logic
import nbgraph.tensor.scalar_math  # noqa: F401 - the four fill the table
from nbgraph.errors import ArgumentError, DTypeError
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.python_integers import WITH_ANY_INTEGER
from nbgraph.tensor.scalar_function import TABLE, ScalarFunction, like

PARAMETERS = {"switch": ("condition", "x", "y"), "clip": ("x", "min", "max"), "polygamma": ("n", "x"),
              "complex": ("real", "imag"), "arctan2": ("y", "x")}
ALIASES = {"divide": "true_divide", "true_div": "true_divide", "int_div": "floor_divide", "remainder": "mod",
           "pow": "power", "sqr": "square", "subtract": "sub", "multiply": "mul", "negative": "neg",
           "absolute": "abs", "sgn": "sign", "not_equal": "neq", "equal": "eq", "less": "lt",
           "less_equal": "le", "greater": "gt", "greater_equal": "ge", "bitwise_and": "and_", "bitwise_or": "or_",
           "bitwise_xor": "xor", "bitwise_not": "invert", "conjugate": "conj", "psi": "digamma", "expit": "sigmoid",
           "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh",
           "acosh": "arccosh", "atanh": "arctanh", "radians": "deg2rad", "degrees": "rad2deg"}


def elemwise_function(function: ScalarFunction) -> Callable[..., Any]:
    """The tensor function of a row; its Op is its attribute `op`."""
    op = Elemwise(function)
    names = PARAMETERS.get(function.name, ("x", "y", "z")[:function.nin])
    parameters = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names]
    signature = inspect.Signature([*parameters, inspect.Parameter("name", inspect.Parameter.KEYWORD_ONLY,
                                                                  default=None)])

    fitted = WITH_ANY_INTEGER.get(function.name)

    def tensor_function(*args: Any, **kwargs: Any) -> Any:
        name = None
        if kwargs or len(args) != function.nin:
            bound = _bound(function.name, signature, args, kwargs)
            *args, name = bound.arguments.values()  # type: ignore[assignment]
        if fitted is not None and any(type(x) is int for x in args):
            return fitted(op, *args, name=name)
        return op(*args, name=name)

    tensor_function.__name__ = tensor_function.__qualname__ = function.name
    tensor_function.__module__ = "nbgraph.tensor"
    tensor_function.__signature__ = signature  # type: ignore[attr-defined]
    tensor_function.__doc__ = _docstring(function, names)
    tensor_function.op = op  # type: ignore[attr-defined]
    return tensor_function


def _bound(name: str, signature: inspect.Signature, args: Any, kwargs: Any) -> inspect.BoundArguments:
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise ArgumentError(name, str(error), line=user_line(), fix=f"call it as {name}{signature}") from None
    bound.apply_defaults()
    return bound


def _docstring(function: ScalarFunction, names: tuple[str, ...]) -> str:
    described = "\n".join(f"    {n} : tensor or number" for n in names)
    derivative = "\n\n    The gradient is zero: the function is constant between its steps."
    return f"""{function.doc}, elementwise; shapes broadcast as in NumPy.

    Parameters
    ----------
{described}

    Returns
    -------
    tensor    of the broadcast shape

    Raises
    ------
    DTypeError    dtypes that the function is not defined for
    ShapeError    lengths that do not broadcast{'' if function.pullback else derivative}
    """


FUNCTIONS: dict[str, Callable[..., Any]] = {name: elemwise_function(entry) for name, entry in TABLE.items()}
FUNCTIONS |= {alias: FUNCTIONS[name] for alias, name in ALIASES.items()}


def cast(x: Any, dtype: Any) -> Any:
    """`x` as `dtype`; `x` itself where it is that already.

    Raises
    ------
    DTypeError   complex to real: take real(x) or abs(x)
    """
    x = nt.as_tensor_variable(x)
    if dtype == x.type.dtype:
        return x
    wanted = nt.config.floatX if dtype == "floatX" else dtypes.canonical(dtype)
    return x if x.type.dtype == wanted else FUNCTIONS[f"cast_{wanted}"](x)


def where(condition: Any, *values: Any, **named: Any) -> Any:
    """where(condition, x, y): x where the condition is true, y elsewhere, as `switch`; where(condition): its positions.

    Returns
    -------
    tensor    of the broadcast shape and common dtype; of one argument a tuple of int64[?], one for each axis

    Raises
    ------
    ArgumentError   two arguments
    """
    if not values and not named:
        return nt.nonzero(condition)
    if len(values) + len(named.keys() & {"x", "y"}) != 2:
        raise ArgumentError("where", "takes a condition, or a condition and two values", line=user_line(),
                            fix="write where(condition, x, y)")
    return FUNCTIONS["switch"](condition, *values, **named)


def round(x: Any, decimals: Any = 0, mode: str = "half_to_even") -> Any:
    """x to so many decimals: x * 10**decimals to the nearest integer, / 10**decimals, as np.round.

    Parameters
    ----------
    decimals : int    negative ones round to tens, hundreds, …; a string here is taken as the mode
    mode : str        where halves go: "half_to_even" (as np.round) or "half_away_from_zero"

    Returns
    -------
    tensor    of x's dtype, float32 for bool; both parts of a complex number are rounded

    Raises
    ------
    DTypeError   `decimals` is no integer
    """
    if isinstance(decimals, str):
        decimals, mode = 0, decimals
    if mode not in ("half_to_even", "half_away_from_zero"):
        raise ValueError(f"mode must be half_to_even or half_away_from_zero, got {mode!r}")
    x = nt.as_tensor_variable(x)
    try:
        places = operator.index(decimals)
    except TypeError:
        raise DTypeError("round", f"decimals must be an integer, got {decimals!r}", line=user_line(), x=x,
                         fix="give an int; nt.round(x, mode='half_away_from_zero') says where halves go") from None
    if x.type.dtype in dtypes.COMPLEX:
        return nt.complex(round(nt.real(x), places, mode), round(nt.imag(x), places, mode))
    x = nt.cast(x, "float32") if x.type.dtype == "bool" else x
    if places >= 0 and x.type.dtype in dtypes.INTEGERS:
        return x
    nearest = FUNCTIONS[f"round_{mode}"]
    if places == 0:
        return nearest(x)
    wide = nt.cast(x, "float64") if x.type.dtype in dtypes.INTEGERS else x
    scale = 10.0 ** abs(places) if abs(places) < 309 else math.inf
    return nt.cast(nearest(wide * scale) / scale if places > 0 else nearest(wide / scale) * scale, x.type.dtype)


def rint(x: Any) -> Any:
    """The nearest integer as a float, halves to the even one; both parts of a complex number are rounded."""
    x = nt.as_tensor_variable(x)
    if x.type.dtype in dtypes.COMPLEX:
        return round(x)
    nearest = FUNCTIONS["round_half_to_even"]
    return nearest(x) if x.type.dtype in dtypes.FLOATS else nt.cast(x, like(np.rint)(x.type.dtype)[-1])


around = round


def isclose(x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """|x - y| <= atol + rtol * |y|, elementwise; equal infinities are close."""
    # An integer that x cannot hold is far from it, and no error.
    y = float(y) if type(y) is int else y
    near = nt.and_(nt.le(nt.abs(nt.sub(x, y)), atol + rtol * nt.abs(y)), nt.isfinite(y))
    close = nt.or_(near, nt.eq(x, y))
    return nt.or_(close, nt.and_(nt.isnan(x), nt.isnan(y))) if equal_nan else close


def allclose(x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """True where all elements of isclose are."""
    return nt.all(isclose(x, y, rtol, atol, equal_nan))
