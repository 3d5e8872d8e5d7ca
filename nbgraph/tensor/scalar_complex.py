"""Rows of the scalar table: complex numbers.

The gradient of a real cost C with respect to z = a + bi is dC/da + i dC/db.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.tensor import dtypes
from nbgraph.tensor.scalar_function import like, row


def _part(kind: Any) -> tuple[str, ...]:
    dtype = dtypes.result_type(kind)
    return dtype, dtypes.real_of(dtype)


def _angle_signature(kind: Any) -> tuple[str, ...]:
    dtype = dtypes.result_type(kind)
    # NumPy takes arctan2(0, x) of a real x.
    return (dtype, dtypes.real_of(dtype)) if dtype in dtypes.COMPLEX else like(np.arctan2)(int, dtype)[1:]


def _complex_signature(*kinds: Any) -> tuple[str, ...]:
    dtype = dtypes.result_type(*kinds, float)
    if dtype in dtypes.COMPLEX:
        raise TypeError("the parts must be real")
    return dtype, dtype, dtypes.complex_of(dtype)


def _join(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    z = np.empty(np.broadcast_shapes(a.shape, b.shape), dtypes.complex_of(a.dtype.name))
    z.real, z.imag = a, b
    return z


def _imag_pullback(g: Any, x: Any, z: Any) -> tuple[Any, ...]:
    return (nt.complex(nt.zeros_like(g), g) if x.type.dtype in dtypes.COMPLEX else None,)


def _angle_pullback(g: Any, x: Any, z: Any) -> tuple[Any, ...]:
    if x.type.dtype not in dtypes.COMPLEX:
        return (None,)
    square = nt.square(nt.real(x)) + nt.square(nt.imag(x))
    return (nt.complex(-g * nt.imag(x) / square, g * nt.real(x) / square),)


row("real", 1, np.real, _part, "the real part", pullback=lambda g, x, z: (g,), plain=True)
row("imag", 1, np.imag, _part, "the imaginary part; 0 for a real number", pullback=_imag_pullback)
row("conj", 1, np.conjugate, like(np.conjugate), "the complex conjugate", pullback=lambda g, x, z: (nt.conj(g),),
    plain=True)
row("angle", 1, np.angle, _angle_signature, "the angle of a complex number (radians)", expensive=True,
    pullback=_angle_pullback)
row("complex", 2, _join, _complex_signature, "x + iy", pullback=lambda g, x, y, z: (nt.real(g), nt.imag(g)))
