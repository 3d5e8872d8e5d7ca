"""The dtypes of tensors, and NumPy's promotion over them (NEP 50: Python scalars are weak).

float16 is no tensor dtype: where NumPy would give it (exp of int8), the result is float32.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from nbgraph.errors import DTypeError
from nbgraph.graph.source import user_line

BOOLS = ("bool",)
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
FLOATS = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
INTEGERS = SIGNED + UNSIGNED
DISCRETE = BOOLS + INTEGERS
CONTINUOUS = FLOATS + COMPLEX
ALL = DISCRETE + CONTINUOUS

# What stands for one operand while dtypes are worked out: a dtype, or int, float, complex for a weak scalar.
DTypeLike = Any


def canonical(dtype: Any) -> str:
    """The name of a tensor dtype: "float64" for np.float64, "d", float …

    Raises
    ------
    DTypeError   no tensor has it, or it is none
    """
    try:
        name = _name(np.dtype(dtype))
    except TypeError:
        name = None
    if name is None or name not in ALL:
        what = f"{dtype!r} is no dtype" if name is None else f"no tensor has dtype {name}"
        raise DTypeError(None, what, line=user_line(), fix=f"use one of {', '.join(ALL)}")
    return name


@lru_cache(maxsize=1024)
def _name(dtype: np.dtype[Any]) -> str:
    # NumPy puts the name together anew each time, which took a third of the time that building a graph takes.
    return dtype.name


@lru_cache(maxsize=4096)
def result_type(*operands: DTypeLike) -> str:
    """NumPy's common dtype; Python scalar types are weak."""
    zeros = [kind(0) if kind in (int, float, complex) else np.dtype(kind) for kind in operands]
    return without_half(np.result_type(*zeros))


def without_half(dtype: Any) -> str:
    """The dtype's name, float16 replaced by float32."""
    name = _name(np.dtype(dtype))
    return "float32" if name == "float16" else name


def weak_kind(value: Any) -> type | None:
    """int, float or complex for a Python scalar of that type, which is weak; None for anything else."""
    return type(value) if type(value) in (int, float, complex) else None


def is_discrete(dtype: str) -> bool:
    """True for bool and the integers."""
    return dtype in DISCRETE


def real_of(dtype: str) -> str:
    """The dtype of the real part."""
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


def complex_of(dtype: str) -> str:
    """The complex dtype with parts of `dtype`."""
    return {"float32": "complex64", "complex64": "complex64"}.get(dtype, "complex128")


def gradient_dtype(dtype: str) -> str:
    """The dtype of a gradient with respect to a variable of `dtype`: itself, or float64 for a discrete one."""
    return "float64" if is_discrete(dtype) else dtype
