"""Kernels of the rows of `tensor.scalar_math`: the C library's functions, and what is made of them.

    sqrt(2.0) = 1.414...      exp(1j) = 0.540... + 0.841...j

Complex arguments go to `scalar_complex_math`. Rows without a formula of real numbers here have it in `vmath`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from nbgraph.dispatch import scalar_complex_math as of
from nbgraph.dispatch.scalar_value import Complex, Value, native, same
from nbgraph.tensor.scalar_function import TABLE

_LOG_2 = math.log(2.0)


def _intrinsic(name: str) -> Callable[[Value], Value]:
    return lambda x: x.intrinsic(name)


def _function(name: str, formula: Callable[[Value], Value] | None, of_complex: Any = None) -> Callable[..., Any]:
    """The kernel of a row of one operand; complex ones are computed in 64-bit parts."""
    def kernel(x: Any) -> Any:
        if isinstance(x, Complex):
            return of_complex(Complex(x.real.to_float(), x.imag.to_float()))
        assert formula is not None, f"real numbers go to vmath.{name}"
        return formula(x)

    kernel.__name__, kernel.__doc__ = name, TABLE[name].doc
    return native(TABLE[name].numpy, same)(kernel)


exp = _function("exp", None, of.exp)
exp2 = _function("exp2", None, of.scaled(_LOG_2, of.exp, inside=True))
expm1 = _function("expm1", None, of.expm1)
log = _function("log", None, of.log)
log2 = _function("log2", None, of.scaled(1 / _LOG_2, of.log))
log10 = _function("log10", None, of.scaled(math.log10(math.e), of.log))
log1p = _function("log1p", None, of.log1p)
sqrt = _function("sqrt", _intrinsic("sqrt"), of.sqrt)
sin = _function("sin", None, of.swapped(of.sinh))
cos = _function("cos", None, of.cos)
tan = _function("tan", None, of.swapped(of.tanh))
arcsin = _function("arcsin", None, of.swapped(of.arcsinh))
arccos = _function("arccos", None, of.arccos)
arctan = _function("arctan", None, of.swapped(of.arctanh))
sinh = _function("sinh", None, of.sinh)
cosh = _function("cosh", None, of.cosh)
tanh = _function("tanh", None, of.tanh)
arcsinh = _function("arcsinh", None, of.arcsinh)
arccosh = _function("arccosh", None, of.arccosh)
arctanh = _function("arctanh", None, of.arctanh)
deg2rad = _function("deg2rad", lambda x: x * (x.constant(math.pi) / 180))
rad2deg = _function("rad2deg", lambda x: x * (180 / x.constant(math.pi)))
