"""Parameters of distributions: how they are called and described, what dtype and rank an Op takes them in.

    parameters = (real("loc", "the mean", 0.0), real("scale", "standard deviation, >= 0", 1.0))

gives `normal(loc=0.0, scale=1.0, size=None, dtype=None, *, name=None, rng=None, return_next_rng=False)`, its docstring,
and two inputs in float64.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, ShapeError
from nbgraph.graph.basic import Constant
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes

REQUIRED = inspect.Parameter.empty
# What every distribution takes besides its parameters.
OPTIONS = (("size", None), ("dtype", None))
KEYWORDS = (("name", None), ("rng", None), ("return_next_rng", False))


@dataclass(frozen=True)
class Parameter:
    """One parameter of a distribution.

    Attributes
    ----------
    name, doc : str
    default : number, or REQUIRED
    dtype : str        what the Op takes: "float64", or "int64", which reals are not cast to
    ndim : int         axes of one draw's parameter: 0 for a number, 1 for a vector, 2 for a matrix
    keyword : bool     given by name alone, since NumPy does not have it
    """

    name: str
    doc: str
    default: Any = REQUIRED
    dtype: str = "float64"
    ndim: int = 0
    keyword: bool = False

    def described(self) -> str:
        """Its lines of a docstring."""
        axes = ", ".join(["...", *"kl"[:self.ndim]])
        default = "" if self.default is REQUIRED else f", default {self.default}"
        return f"    {self.name} : {self.dtype}[{axes}]{default}    {self.doc}"


def real(name: str, doc: str, default: Any = REQUIRED, keyword: bool = False) -> Parameter:
    """A real number."""
    return Parameter(name, doc, default, keyword=keyword)


def whole(name: str, doc: str, default: Any = REQUIRED) -> Parameter:
    """An integer."""
    return Parameter(name, doc, default, "int64")


def vector(name: str, doc: str, default: Any = REQUIRED) -> Parameter:
    """A vector of real numbers."""
    return Parameter(name, doc, default, ndim=1)


def signature_of(parameters: Sequence[Parameter]) -> inspect.Signature:
    """Parameters in NumPy's order, then size and dtype; what NumPy does not have by name alone."""
    kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    first = [inspect.Parameter(p.name, kinds[0], default=p.default) for p in parameters if not p.keyword]
    first += [inspect.Parameter(name, kinds[0], default=default) for name, default in OPTIONS]
    last = [inspect.Parameter(p.name, kinds[1], default=p.default) for p in parameters if p.keyword]
    last += [inspect.Parameter(name, kinds[1], default=default) for name, default in KEYWORDS]
    return inspect.Signature([*first, *last])


def documented(text: str, parameters: Sequence[Parameter], dtype: str, ndim_supp: int) -> str:
    """The docstring of a distribution: what it is, and what all of them have in common."""
    own = "".join(f"{p.described()}\n" for p in parameters)
    result = "floats of config.floatX" if dtype == "floatX" else dtype
    shape = "the shape of one draw after " if ndim_supp else ""
    return f"""{inspect.cleandoc(text)}

    Parameters
    ----------
{own}    size : int, tuple of ints and int scalars, int vector, optional
        how many draws; None: as many as the parameters broadcast to
    dtype : str, optional     of the draws; default: {result}
    name : str, optional
    rng : variable of RandomGeneratorType, optional
        the state to draw from, shared(np.random.default_rng(seed)) or the next state of another draw; default: a
        generator of its own, which moves on at each call
    return_next_rng : bool    give (next state, draws)

    Returns
    -------
    tensor    {shape}`size`, or what the parameters broadcast to

    Raises
    ------
    DTypeError           a parameter of another kind of number
    ShapeError           parameters and size that do not broadcast
    ValueDomainError     when run: parameters that the distribution does not have; a ValueError with NumPy's words
    """


def as_parameter(op: Any, parameter: Parameter, value: Any) -> Any:
    """A parameter as the Op takes it.

    Raises
    ------
    DTypeError   complex, or fractions where integers are wanted
    ShapeError   too few axes
    """
    given = nt.as_tensor_variable(value)
    fitted = given if given.type.dtype == parameter.dtype else _cast(op, parameter, given)
    if fitted.type.ndim < parameter.ndim:
        raise ShapeError(op, f"{parameter.name} has {fitted.type.ndim} axes, it needs at least {parameter.ndim}",
                         line=user_line(), **{parameter.name: given}, fix=f"{parameter.name} is {parameter.doc}")
    return fitted


def _cast(op: Any, parameter: Parameter, given: Any) -> Any:
    dtype = given.type.dtype
    if isinstance(given, Constant) and dtype not in dtypes.COMPLEX:
        with np.errstate(invalid="ignore"):
            data = given.data.astype(parameter.dtype)
        if parameter.dtype == "float64" or np.array_equal(data, given.data):
            return nt.constant(data, name=given.name)
    elif np.can_cast(dtype, parameter.dtype, "safe") or (parameter.dtype == "float64" and dtype not in dtypes.COMPLEX):
        return nt.cast(given, parameter.dtype)
    raise DTypeError(op, f"{parameter.name} must be {parameter.dtype}, got {given} of type {given.type}",
                     line=user_line(), **{parameter.name: given}, fix=f"cast it with .astype({parameter.dtype!r})")
