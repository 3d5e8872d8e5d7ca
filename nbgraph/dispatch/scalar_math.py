"""Kernels of the rows of `tensor.scalar_math`: the C library's functions, and what is made of them.

    sigmoid(-800.0) = 0.0      logaddexp(-inf, -inf) = -inf      gammaln(-1.0) = inf

Complex arguments go to `scalar_complex_math`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nbgraph.dispatch import scalar_complex_math as of
from nbgraph.dispatch.scalar_value import Complex, Value, branch, fabs, isnan, native, same, select
from nbgraph.tensor.scalar_function import TABLE

_LOG_2 = math.log(2.0)


def _intrinsic(name: str) -> Callable[[Value], Value]:
    return lambda x: x.intrinsic(name)


def _libm(name: str) -> Callable[[Value], Value]:
    return lambda x: x.libm(name)


def _function(name: str, formula: Callable[[Value], Value], of_complex: Any = None) -> Callable[..., Any]:
    """The kernel of a row of one operand; complex ones are computed in 64-bit parts."""
    def kernel(x: Any) -> Any:
        return of_complex(Complex(x.real.to_float(), x.imag.to_float())) if isinstance(x, Complex) else formula(x)

    kernel.__name__, kernel.__doc__ = name, TABLE[name].doc
    return native(TABLE[name].numpy, same)(kernel)


exp = _function("exp", _intrinsic("exp"), of.exp)
exp2 = _function("exp2", _intrinsic("exp2"), of.scaled(_LOG_2, of.exp, inside=True))
expm1 = _function("expm1", _libm("expm1"), of.expm1)
log = _function("log", _intrinsic("log"), of.log)
log2 = _function("log2", _libm("log2"), of.scaled(1 / _LOG_2, of.log))
log10 = _function("log10", _intrinsic("log10"), of.scaled(math.log10(math.e), of.log))
log1p = _function("log1p", _libm("log1p"), of.log1p)
sqrt = _function("sqrt", _intrinsic("sqrt"), of.sqrt)
sin = _function("sin", _intrinsic("sin"), of.swapped(of.sinh))
cos = _function("cos", _intrinsic("cos"), of.cos)
tan = _function("tan", _libm("tan"), of.swapped(of.tanh))
arcsin = _function("arcsin", _libm("asin"), of.swapped(of.arcsinh))
arccos = _function("arccos", _libm("acos"), of.arccos)
arctan = _function("arctan", _libm("atan"), of.swapped(of.arctanh))
sinh = _function("sinh", _libm("sinh"), of.sinh)
cosh = _function("cosh", _libm("cosh"), of.cosh)
tanh = _function("tanh", _libm("tanh"), of.tanh)
arcsinh = _function("arcsinh", _libm("asinh"), of.arcsinh)
arccosh = _function("arccosh", _libm("acosh"), of.arccosh)
arctanh = _function("arctanh", _libm("atanh"), of.arctanh)
deg2rad = _function("deg2rad", lambda x: x * (x.constant(math.pi) / 180))
rad2deg = _function("rad2deg", lambda x: x * (180 / x.constant(math.pi)))
erf = _function("erf", _libm("erf"))
erfc = _function("erfc", _libm("erfc"))
gammaln = _function("gammaln", lambda x: select(x == -math.inf, x, x.libm("lgamma")))


@native(np.arctan2, same)
def arctan2(y: Value, x: Value) -> Value:
    """the angle of the point (x, y), in [-pi, pi]"""
    return y.libm("atan2", x)


@native(TABLE["sigmoid"].numpy, same)
def sigmoid(x: Value) -> Value:
    """1 / (1 + e**-x)"""
    small = (-fabs(x)).intrinsic("exp")
    return select(x >= 0, 1, small) / (small + 1)


@native(TABLE["softplus"].numpy, same)
def softplus(x: Value) -> Value:
    """log(1 + e**x)"""
    return select((x >= 0) | isnan(x), x, 0) + (-fabs(x)).intrinsic("exp").libm("log1p")


@native(TABLE["log1mexp"].numpy, same)
def log1mexp(x: Value) -> Value:
    """log(1 - e**x) for x < 0"""
    return branch(x > -_LOG_2, lambda: (-x.libm("expm1")).intrinsic("log"),
                  lambda: (-x.intrinsic("exp")).libm("log1p"))


@native(np.logaddexp, same)
def logaddexp(x: Value, y: Value) -> Value:
    """log(e**x + e**y)"""
    apart = x - y
    sum_ = select(apart > 0, x, y) + (-fabs(apart)).intrinsic("exp").libm("log1p")
    # Equal infinities, whose difference is NaN, too.
    return select(x == y, x + _LOG_2, sum_)
