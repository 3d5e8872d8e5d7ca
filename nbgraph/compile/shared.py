"""shared(value): a variable with a value that functions share, read without being passed and changed by updates.

    state = shared(0)
    count = function([n], state, updates=[(state, state + n)])      count(3) gives 0, then state.get_value() is 3

Dtypes are NumPy's (int -> int64, float -> float64); lengths may change from value to value unless `shape` says them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from nbgraph.compile.container import Container, filter_for, operand, own_copy, stored
from nbgraph.errors import DTypeError
from nbgraph.graph.basic import Type, Variable
from nbgraph.graph.generic_type import Generic
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.type import TensorType
from nbgraph.tensor.variable import TensorOperators


class SharedVariable(Variable):
    """A leaf that has a value.

    Attributes
    ----------
    container : Container                  where the value is; functions that read the variable hold the same one
    default_update : Variable or None      its next value in every function that names no other update for it
    """

    __slots__ = ("container", "default_update")

    def __init__(self, type: Type, value: Any = None, name: str | None = None, *, strict: bool = False,
                 allow_downcast: bool | None = None, borrow: bool = False, container: Container | None = None) -> None:
        super().__init__(type, None, None, name=name)
        self.default_update: Variable | None = None
        self.container = container if container is not None else Container(
            type, None, name, strict=strict, allow_downcast=allow_downcast)
        if container is None:
            self.set_value(value, borrow=borrow)

    def get_value(self, borrow: bool = False, return_internal_type: bool = False) -> Any:
        """A copy of the value; with `borrow` the stored object itself, which functions go on to use."""
        return self.container.value if borrow else own_copy(self.container.value)

    def set_value(self, new_value: Any, borrow: bool = False) -> None:
        """Replace the value in every function that uses the variable.

        Parameters
        ----------
        new_value : array, number or list     cast where that loses nothing
        borrow : bool                         True: keep this very array where its dtype and layout allow it

        Raises
        ------
        DTypeError   wrong kind, dtype or rank
        ShapeError   a length that is not the known one
        """
        kept = filter_for(self, new_value, f"value of shared variable {self}", strict=self.container.strict,
                          allow_downcast=self.container.allow_downcast,
                          fix=", or make the variable with shared(..., allow_downcast=True)")
        self.container.put(stored(kept, new_value, borrow))

    def zero(self, borrow: bool = False) -> None:
        """Replace the value by zeros of the same shape; with `borrow` in the stored array itself.

        Raises
        ------
        DTypeError   the value is no array
        """
        value = self.container.value
        if not isinstance(value, np.ndarray):
            raise DTypeError(f"zero of {self}", f"a {type(value).__name__} has no zeros", line=user_line(),
                             **operand(self), fix="use set_value")
        if borrow:
            value[...] = 0
        else:
            self.container.storage[0] = np.zeros_like(value)

    def clone(self, name: str | None = None) -> Variable:
        """Another shared variable on the same container."""
        twin = type(self)(self.type, name=name or self.name, container=self.container)
        twin.line, twin.default_update = self.line, self.default_update
        return twin

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"container": self.container, "default_update": self.default_update}


class TensorSharedVariable(TensorOperators, SharedVariable):
    """A shared array."""

    __slots__ = ()
    type: TensorType


class RandomGeneratorSharedVariable(SharedVariable):
    """A shared generator of random numbers."""

    __slots__ = ()


def shared(value: Any, name: str | None = None, strict: bool = False, allow_downcast: bool | None = None,
           shape: Sequence[int | None] | None = None, broadcastable: Sequence[bool] | None = None,
           borrow: bool = False) -> Any:
    """A variable that holds `value`.

    Parameters
    ----------
    value : array or number     of any tensor dtype; an np.random.Generator has a Type of its own; any other object
                                has the Type Generic, and is held as it is
    name : str, optional
    strict : bool               True: later values must have exactly this dtype
    allow_downcast : bool       True: later values may lose precision when cast
    shape : sequence of (int or None), optional      lengths that never change; default: every length may
    broadcastable : sequence of bool, optional       the older form: True means length 1
    borrow : bool               True: keep `value` itself instead of a copy

    Returns
    -------
    TensorSharedVariable, RandomGeneratorSharedVariable for a generator, or SharedVariable for another object

    Raises
    ------
    DTypeError   `value` is symbolic, or has a dtype that no tensor has: float16, longdouble, a larger int than uint64
    ShapeError   `value` does not have the lengths of `shape`

    Examples
    --------
    >>> shared(0).type
    TensorType(int64, shape=())
    """
    if isinstance(value, Variable):
        raise DTypeError(None, f"shared needs a value, got the symbolic variable {value}", line=user_line(),
                         **operand(value), fix="pass an array or a number; use function(..., updates=...) to change it")
    options: dict[str, Any] = {"name": name, "strict": strict, "allow_downcast": allow_downcast, "borrow": borrow}
    lengths = shape if shape is not None else broadcastable
    dtype = _tensor_dtype(value)
    if dtype is not None:
        lengths = (None,) * np.ndim(value) if lengths is None else lengths
        return TensorSharedVariable(TensorType(dtype, lengths), np.asarray(value) if np.isscalar(value) else value,
                                    **options)
    if lengths is not None:
        raise DTypeError("shared", f"only arrays have a shape, got a {type(value).__name__}", line=user_line(),
                         fix="pass np.asarray(value), or leave the shape out")
    if _is_generator(value):
        from nbgraph.tensor.random.type import random_generator_type
        return RandomGeneratorSharedVariable(random_generator_type, value, **options)
    return SharedVariable(Generic(), value, **options)


def _is_generator(value: Any) -> bool:
    """True for an np.random.Generator; NumPy imports that module when it is first used, and so do we."""
    return "numpy.random" in sys.modules and isinstance(value, np.random.Generator)


def _tensor_dtype(value: Any) -> str | None:
    """The dtype of the tensor that holds `value`, None for what is no number and no array of numbers.

    Raises
    ------
    DTypeError   numbers of a dtype that no tensor has
    """
    if not isinstance(value, (bool, int, float, complex, np.generic, np.ndarray)):
        return None
    dtype = np.asarray(value).dtype
    if dtype.name in dtypes.ALL:
        return dtype.name
    if dtype.kind not in "iufc" and not isinstance(value, int):
        return None
    larger = "float32" if dtype == np.float16 else "complex128" if dtype.kind == "c" else "float64"
    what = f"{value} fits no integer dtype" if isinstance(value, int) else f"no tensor has dtype {dtype}"
    raise DTypeError("shared", what, line=user_line(), fix=f"convert it: shared(np.asarray(value, {larger!r}))")
