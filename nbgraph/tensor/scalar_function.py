"""ScalarFunction: one row of the table of scalar functions, and the dtype rules that rows use.

A row has all that is known of `exp` or `add`: its docstring, NumPy function, kernel, dtypes, pullback, sample domain.
Rows are in `scalar_arithmetic`, `scalar_math`, `scalar_logic` and `scalar_complex`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from pickle import PicklingError
from typing import Any

import numpy as np

from nbgraph.tensor import dtypes

# (dtype or weak Python type of every input) -> (dtype to compute in, for every input, ..., dtype of the result)
Signature = Callable[..., tuple[str, ...]]
# (gradient of the output, *inputs, output) -> gradient of every input, None for zero
Pullback = Callable[..., tuple[Any, ...]]
Interval = tuple[float, float]

TABLE: dict[str, ScalarFunction] = {}


@dataclass(frozen=True, eq=False)
class ScalarFunction:
    """A function of scalars.

    Attributes
    ----------
    name : str              also the name of the tensor function
    nin : int               number of inputs
    numpy : callable        what `perform` calls, on whole arrays
    signature : callable    dtypes of the inputs -> dtypes to compute in, and of the result
    doc : str               first line of the docstring: the formula
    kernel : str            the kernel's name in `dispatch.scalar`, or an infix operator
    pullback : callable     None: the derivative is zero wherever it exists
    domain : intervals      where sampled inputs are taken from, one for each input
    expensive : bool        True where computing it again costs more than reading it from memory
    needs : tuple           (input, predicate in `dispatch.checks`) that must hold at run time, or ()
    plain : bool            the pullback gives the gradient, its negative or zero: it multiplies by nothing
    module : str            where a function of a user is found again, which is in no table
    """

    name: str
    nin: int
    numpy: Callable[..., Any]
    signature: Signature
    doc: str
    kernel: str
    pullback: Pullback | None = None
    domain: tuple[Interval, ...] = ()
    expensive: bool = False
    needs: tuple[Any, ...] = field(default=())
    module: str = ""
    plain: bool = False

    @property
    def infix(self) -> bool:
        """True where the kernel is an operator between two operands."""
        return not self.kernel[0].isalpha()

    def __repr__(self) -> str:
        return f"ScalarFunction({self.name})"

    def __reduce__(self) -> Any:
        if TABLE.get(self.name) is self:
            return lookup, (self.name,)
        return found, (self.module, _name_in(self.module, self))


def _name_in(module: str, function: ScalarFunction) -> str:
    """The name of the tensor function of a row in a module: what pickling goes by."""
    for name, value in vars(sys.modules.get(module, sys)).items():
        if getattr(getattr(value, "op", None), "function", None) is function:
            return name
    raise PicklingError(f"{function.name} is no function of the module {module or 'of a table'}, so it can't be found "
                        "again: give it a name there")


def found(module: str, name: str) -> ScalarFunction:
    """The row of a tensor function of a module."""
    row: ScalarFunction = getattr(import_module(module), name).op.function
    return row


def lookup(name: str) -> ScalarFunction:
    """The row of this name."""
    return TABLE[name]


def row(name: str, nin: int, numpy: Callable[..., Any], signature: Signature, doc: str, *, kernel: str | None = None,
        pullback: Pullback | None = None, domain: tuple[Interval, ...] | Interval = (-3.0, 3.0),
        expensive: bool = False, needs: tuple[Any, ...] = (), plain: bool = False) -> ScalarFunction:
    """Add a row to the table."""
    assert name not in TABLE, f"two rows named {name}"
    intervals = domain if domain and isinstance(domain[0], tuple) else (domain,) * nin
    # Dtypes decide dtypes and nothing else does, so what NumPy says is asked for once.
    signature = lru_cache(maxsize=4096)(signature)
    entry = ScalarFunction(name, nin, numpy, signature, doc, kernel or name, pullback,
                           intervals, expensive, needs, plain=plain)  # type: ignore[arg-type]
    TABLE[name] = entry
    return entry


def like(ufunc: np.ufunc) -> Signature:
    """The dtypes of a NumPy ufunc, float16 replaced by float32."""
    def signature(*kinds: Any) -> tuple[str, ...]:
        resolved = ufunc.resolve_dtypes((*(k if isinstance(k, type) else np.dtype(k) for k in kinds), None))
        return tuple(dtypes.without_half(d) for d in resolved)
    return signature


def real_float(nin: int) -> Signature:
    """Real inputs computed in their common float dtype: float32 stays, small integers as NumPy has it for exp."""
    complex_refused = like(np.logaddexp if nin > 1 else np.cbrt)

    def signature(*kinds: Any) -> tuple[str, ...]:
        common = dtypes.result_type(*kinds) if nin > 1 else kinds[0]
        return (complex_refused(*([common] * min(nin, 2)))[-1],) * (nin + 1)
    return signature


def common(nin: int, skip: int = 0) -> Signature:
    """All inputs after the first `skip` (which are booleans) in their common dtype, which the result has too."""
    def signature(*kinds: Any) -> tuple[str, ...]:
        dtype = dtypes.result_type(*kinds[skip:])
        return ("bool",) * skip + (dtype,) * (nin - skip + 1)
    return signature


def to_bool(nin: int) -> Signature:
    """All inputs in their common dtype, a boolean result."""
    def signature(*kinds: Any) -> tuple[str, ...]:
        return (dtypes.result_type(*kinds),) * nin + ("bool",)
    return signature
