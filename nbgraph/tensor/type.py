"""TensorType: an n-dimensional array of one dtype, each length known (an int) or not (None).

    TensorType("float64", shape=(1, None))     prints as float64[1, ?]
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from nbgraph.config import config
from nbgraph.errors import DTypeError, ShapeError
from nbgraph.graph.basic import Type
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes

# Larger constant arrays are not written out.
SHOWN_ELEMENTS = 6


class TensorType(Type):
    """The Type of arrays of `dtype` with `len(shape)` axes.

    Parameters
    ----------
    dtype : str or NumPy dtype
    shape : sequence of (int, None or bool)    a bool is the older broadcastable flag: True means length 1
    name : str, optional                       what it prints as
    """

    def __init__(self, dtype: Any, shape: Sequence[int | bool | None] | None = None, name: str | None = None,
                 broadcastable: Sequence[bool] | None = None) -> None:
        if shape is None:
            if broadcastable is None:
                raise DTypeError(None, "a tensor type needs a shape", line=user_line(),
                                 fix="pass shape=(...), one int or None for each axis")
            shape = broadcastable
        self.dtype: str = config.floatX if dtype == "floatX" else dtypes.canonical(dtype)
        self.shape: tuple[int | None, ...] = tuple(map(_length, _listed(shape)))
        self.ndim: int = len(self.shape)
        self.name = name
        self.numpy_dtype = np.dtype(self.dtype)

    @property
    def broadcastable(self) -> tuple[bool, ...]:
        """For each axis, whether its length is known to be 1."""
        return tuple(n == 1 for n in self.shape)

    def clone(self, dtype: Any = None, shape: Sequence[int | None] | None = None) -> TensorType:
        """This Type with another dtype or shape."""
        return TensorType(dtype or self.dtype, self.shape if shape is None else shape)

    def is_super(self, other: Type) -> bool:
        """True where every array of `other` is one of this Type: same dtype and rank, known lengths agree."""
        return (isinstance(other, TensorType) and self.dtype == other.dtype and self.ndim == other.ndim
                and all(a is None or a == b for a, b in zip(self.shape, other.shape, strict=True)))

    def filter(self, value: Any, strict: bool = False, allow_downcast: bool | None = None) -> np.ndarray:
        """`value` as an array of this Type.

        strict            only an array of exactly this dtype
        allow_downcast    True: any number, precision may be lost; False: only to a more general dtype;
                          None: like False, but a Python float becomes floatX

        Raises
        ------
        TypeError    wrong kind, dtype or rank
        ValueError   a length that is not the known one
        """
        if hasattr(value, "owner"):
            raise TypeError(f"expected a value for {self}, got the symbolic variable {value}")
        array = self._strict(value) if strict else self._cast(value, allow_downcast)
        if array.ndim != self.ndim:
            raise TypeError(f"wrong number of dimensions: expected {self.ndim} ({self}), "
                            f"got {array.ndim} with shape {array.shape}")
        for axis, (known, actual) in enumerate(zip(self.shape, array.shape, strict=True)):
            if known is not None and known != actual:
                raise ValueError(f"axis {axis} must have length {known} ({self}), got shape {array.shape}")
        # Equal dtypes may be different objects: longlong is int64, "<" is the byte order of this machine.
        return array if array.dtype is self.numpy_dtype else array.view(self.numpy_dtype)

    def _strict(self, value: Any) -> np.ndarray:
        if not isinstance(value, np.ndarray):
            if isinstance(value, np.generic) and value.dtype == self.numpy_dtype:
                return np.asarray(value)
            raise TypeError(f"expected a NumPy array of {self}, got {type(value).__name__}")
        if value.dtype != self.numpy_dtype:
            raise TypeError(f"expected dtype {self.dtype}, got {value.dtype}")
        return value

    def _cast(self, value: Any, allow_downcast: bool | None) -> np.ndarray:
        if isinstance(value, np.ndarray) and value.dtype == self.numpy_dtype:
            return value
        try:
            raw = np.asarray(value)
        except ValueError as error:
            raise TypeError(f"cannot make an array of {self} from {value!r}: {error}") from error
        if raw.dtype.kind not in "biufc":
            raise TypeError(f"cannot make an array of {self} from {type(value).__name__} {str(value)[:60]!r}, "
                            f"whose dtype is {raw.dtype}")
        if self._fits(value, raw, allow_downcast):
            with np.errstate(all="ignore"):  # who allows precision to be lost is not warned that it is
                return raw.astype(self.numpy_dtype)
        raise TypeError(f"{_kind(value)} of dtype {raw.dtype} would lose precision as {self.dtype}")

    def _fits(self, value: Any, raw: np.ndarray, allow_downcast: bool | None) -> bool:
        if np.can_cast(raw.dtype, self.numpy_dtype, "safe"):
            return True
        if raw.size == 0 and not isinstance(value, (np.ndarray, np.generic)):
            return True
        if raw.dtype.kind == "c" and self.numpy_dtype.kind != "c":
            return False
        if allow_downcast:
            return True
        if isinstance(value, (np.ndarray, np.generic)):
            return False
        if allow_downcast is None and type(value) is float and self.dtype == config.floatX:
            return True
        # A Python number or list: its dtype is NumPy's choice, so ask whether the values survive.
        if raw.dtype.kind == "f" and self.numpy_dtype.kind not in "fc":
            return False
        with np.errstate(all="ignore"):
            there = raw.astype(self.numpy_dtype)
            back = there if raw.dtype.kind == "c" else there.real  # complex to real would warn
            return bool(np.array_equal(back.astype(raw.dtype), raw, equal_nan=raw.dtype.kind in "fc")
                        # Integers wrap there and back again, but not with the same sign.
                        and not (raw.dtype.kind in "iu" and np.any((raw < 0) != (there.real < 0))))

    def values_eq(self, a: Any, b: Any) -> bool:
        """Same dtype, shape and elements; NaN equals NaN."""
        a, b = np.asarray(a), np.asarray(b)
        return bool(a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))

    def values_eq_approx(self, a: Any, b: Any, rtol: float | None = None, atol: float | None = None) -> bool:
        """Same dtype and shape, elements within a tolerance that fits the dtype."""
        a, b = np.asarray(a), np.asarray(b)
        loose = 1e-4 if self.dtype in ("float32", "complex64") else 1e-8
        return bool(a.dtype == b.dtype and a.shape == b.shape
                    and np.allclose(a, b, rtol=rtol or loose, atol=atol or loose, equal_nan=True))

    def value_text(self, value: Any) -> str:
        """A number, or the numbers of a small array; what the array is where there are many: <float64[100, 3]>."""
        array = np.asarray(value)
        if array.size > SHOWN_ELEMENTS:
            return f"<{self}>"
        return _nested_text(array)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return type(self) is type(other) and (self.dtype, self.shape) == (other.dtype, other.shape)  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((self.dtype, self.shape))

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if key != "numpy_dtype"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # NumPy's dtypes do not come back as the objects that they were, and calls compare them by identity.
        vars(self).update(state, numpy_dtype=np.dtype(state["dtype"]))

    def __str__(self) -> str:
        if self.name:
            return self.name
        return f"{self.dtype}[{', '.join('?' if n is None else str(n) for n in self.shape)}]"

    def __repr__(self) -> str:
        return f"TensorType({self.dtype}, shape=({''.join(f'{n}, ' for n in self.shape).rstrip()}))"


@lru_cache(maxsize=4096)
def tensor_type(dtype: str, shape: tuple[int | None, ...]) -> TensorType:
    """TensorType(dtype, shape), the same object each time: what Ops use, who make one for every node.

    A length must not be a bool here, which the cache would not tell from 0 and 1.
    """
    return TensorType(dtype, shape)


def _length(given: int | bool | None) -> int | None:
    if given is None:
        return None
    if isinstance(given, (bool, np.bool_)):
        return 1 if given else None
    if isinstance(given, (int, float, np.number)) and given >= 0 and int(given) == given:
        return int(given)
    raise ShapeError(None, f"a length must be an integer >= 0 or None, got {given!r}", line=user_line(),
                     fix="None stands for a length that is not known when the graph is built")


def _listed(shape: Any) -> Sequence[Any]:
    if isinstance(shape, Sequence) and not isinstance(shape, str):
        return shape
    raise DTypeError(None, f"a shape must be a sequence of lengths, got {shape!r}", line=user_line(),
                     fix="write shape=(n,), one int or None for each axis")


def _nested_text(array: np.ndarray) -> str:
    if array.ndim:
        return f"[{', '.join(map(_nested_text, array))}]"
    # str of the NumPy scalar has as many digits as its dtype needs, and 2.0 is a 2 wherever it stands among floats.
    return str(np.asarray(array)[()]).removesuffix(".0")


def _kind(value: Any) -> str:
    kind = "array" if isinstance(value, np.ndarray) else type(value).__name__
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
