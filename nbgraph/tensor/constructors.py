"""Named constructors: `dmatrix("x")`, `scalars("a", "b")`, `tensor("x", dtype="int8", shape=(None, 3))`.

A name is [letter]kind[s]: the letter gives the dtype (none: config.floatX), kind the rank, s a list of variables.

| letter | b    | w     | i     | l     | f       | d       | c         | z          |
|--------|------|-------|-------|-------|---------|---------|-----------|------------|
| dtype  | int8 | int16 | int32 | int64 | float32 | float64 | complex64 | complex128 |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nbgraph.config import config
from nbgraph.tensor.type import TensorType

LETTERS = {"": "floatX", "b": "int8", "w": "int16", "i": "int32", "l": "int64", "f": "float32", "d": "float64",
           "c": "complex64", "z": "complex128"}
KINDS: dict[str, tuple[int | None, ...]] = {
    "scalar": (), "vector": (None,), "matrix": (None, None), "row": (1, None), "col": (None, 1),
    "tensor3": (None,) * 3, "tensor4": (None,) * 4, "tensor5": (None,) * 5, "tensor6": (None,) * 6,
    "tensor7": (None,) * 7}
PLURALS = {"matrix": "matrices"}


def tensor(name: str | None = None, *, dtype: Any = None, shape: Sequence[int | None] | None = None,
           broadcastable: Sequence[bool] | None = None) -> Any:
    """A symbolic array of any dtype and shape.

    Parameters
    ----------
    name : str, optional     a dtype in this place is taken as the dtype, as older programs pass it
    dtype : dtype            default config.floatX
    shape : sequence of (int or None)

    Examples
    --------
    >>> tensor("x", dtype="float32", shape=(None, 3)).type
    TensorType(float32, shape=(None, 3,))
    """
    if dtype is None and name is not None and _is_dtype(name):
        name, dtype = None, name
    return TensorType(config.floatX if dtype is None else dtype, shape, broadcastable=broadcastable)(name)


def _is_dtype(text: str) -> bool:
    try:
        TensorType(text, ())
    except TypeError:
        return False
    return True


def _one(letter: str, kind: str) -> Callable[..., Any]:
    def constructor(name: str | None = None, dtype: Any = None) -> Any:
        return TensorType(dtype or LETTERS[letter], KINDS[kind])(name)

    constructor.__doc__ = f"""A symbolic {kind} of dtype {LETTERS[letter]}.

    Parameters
    ----------
    name : str, optional
    dtype : dtype, optional    another dtype than the letter's
    """
    return constructor


def _several(letter: str, kind: str, single: Callable[..., Any]) -> Callable[..., list[Any]]:
    def constructor(*names: Any, dtype: Any = None) -> list[Any]:
        if len(names) == 1 and isinstance(names[0], int):
            names = (None,) * names[0]
        elif len(names) == 1 and isinstance(names[0], str):
            names = tuple(names[0])
        elif len(names) == 1 and isinstance(names[0], (list, tuple)):
            names = tuple(names[0])
        return [single(name, dtype=dtype) for name in names]

    constructor.__doc__ = f"""Several symbolic {PLURALS.get(kind, kind + "s")} of dtype {LETTERS[letter]}.

    Parameters
    ----------
    *names : names, or one string of one-letter names, or how many
    """
    return constructor


CONSTRUCTORS: dict[str, Callable[..., Any]] = {}
for _letter in LETTERS:
    for _kind in KINDS:
        _single = _one(_letter, _kind)
        _single.__name__ = _single.__qualname__ = _letter + _kind
        _plural = _several(_letter, _kind, _single)
        _plural.__name__ = _plural.__qualname__ = _letter + PLURALS.get(_kind, _kind + "s")
        CONSTRUCTORS |= {_single.__name__: _single, _plural.__name__: _plural}
