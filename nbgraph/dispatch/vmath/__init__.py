"""Vectorised mathematics: functions that LLVM turns into vector instructions, in fused loops and in your own.

    from nbgraph.dispatch import vmath

    @numba.njit(error_model="numpy")
    def logistic(x, out):
        for i in range(x.size):
            out[i] = vmath.sigmoid(x[i])        # four or eight elements at a time

From Python each is NumPy's (or SciPy's) function, of arrays. In compiled code it takes numbers of any kind; float32
gives float32. None is a jitted function: a formula is written into the loop, without a branch or a call. NaN,
infinities, signed zeros and subnormal numbers are as in NumPy.

    largest error, in units in the last place
    1    exp, log
    4    erfinv; gammaln, digamma, away from their zeros
    2    all others

sin, cos and tan of numbers from 2**45 on (float32: 2**16), and gammaln and digamma of negative ones, are computed
element by element (`rare`): right, but slow. Polynomials are made by `derive` from `fits`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba.core import types

import nbgraph.tensor  # noqa: F401  fills the table
from nbgraph.dispatch.jit import align_stack
from nbgraph.dispatch.scalar_value import Value, native
from nbgraph.dispatch.vmath import errors as _r
from nbgraph.dispatch.vmath import exponential as _e
from nbgraph.dispatch.vmath import gamma as _g
from nbgraph.dispatch.vmath import hyperbolic as _h
from nbgraph.dispatch.vmath import logarithm as _l
from nbgraph.dispatch.vmath import powers as _p
from nbgraph.dispatch.vmath import trigonometry as _t
from nbgraph.tensor.scalar_function import TABLE


def _floating(*operands: types.Type) -> types.Type:
    """float32 where all operands are, else float64."""
    return types.float32 if all(t == types.float32 for t in operands) else types.float64


# float32 operands of these are computed in 64 bits; their formulas are told for which width.
WIDE = frozenset({"digamma", "erf", "erfc", "erfcx", "erfinv", "gammaln", "power"})


def _reference(name: str) -> Callable[..., Any]:
    """What the function is in Python: NumPy's, or SciPy's where the scalar table has no row."""
    def function(*arrays: Any) -> Any:
        import scipy.special
        return getattr(scipy.special, name)(*arrays)
    return TABLE[name].numpy if name in TABLE else function


def _function(name: str, formula: Callable[..., Value]) -> Callable[..., Any]:
    def one(x: Value) -> Value:
        align_stack(x.builder.function)
        bits = 32 if x.kind == "f" and x.bits == 32 else 64
        return formula(x.to_float(64), bits) if name in WIDE else formula(x.to_float(bits))

    one.__name__, one.__doc__ = name, formula.__doc__
    return native(_reference(name), _floating)(one)


exp = _function("exp", _e.exp)
expm1 = _function("expm1", _e.expm1)
tanh = _function("tanh", _e.tanh)
sigmoid = _function("sigmoid", _e.sigmoid)
log = _function("log", _l.log)
log1p = _function("log1p", _l.log1p)
softplus = _function("softplus", _l.softplus)
exp2 = _function("exp2", _e.exp2)
log2 = _function("log2", _l.log2)
log10 = _function("log10", _l.log10)
sin = _function("sin", _t.sin)
cos = _function("cos", _t.cos)
tan = _function("tan", _t.tan)
arctan = _function("arctan", _t.arctan)
arcsin = _function("arcsin", _t.arcsin)
arccos = _function("arccos", _t.arccos)
sinh = _function("sinh", _h.sinh)
cosh = _function("cosh", _h.cosh)
arcsinh = _function("arcsinh", _h.arcsinh)
arccosh = _function("arccosh", _h.arccosh)
arctanh = _function("arctanh", _h.arctanh)
log1mexp = _function("log1mexp", _l.log1mexp)
erf = _function("erf", _r.erf)
erfc = _function("erfc", _r.erfc)
erfcx = _function("erfcx", _r.erfcx)
erfinv = _function("erfinv", _r.erfinv)
digamma = _function("digamma", _g.digamma)
gammaln = _function("gammaln", _g.gammaln)


@native(np.arctan2, _floating)
def arctan2(y: Value, x: Value) -> Value:
    """the angle of the point (x, y), in [-pi, pi]"""
    return _t.arctan2(*_alike(y, x))


@native(np.power, _floating)
def power(x: Value, y: Value) -> Value:
    """x ** y"""
    return _p.power(*_alike(x, y))


@native(np.logaddexp, _floating)
def logaddexp(x: Value, y: Value) -> Value:
    """log(e**x + e**y)"""
    return _l.logaddexp(*_alike(x, y))


def _alike(*operands: Value) -> list[Value]:
    """Operands as floats of the widest of them."""
    align_stack(operands[0].builder.function)
    single = all(x.kind == "f" and x.bits == 32 for x in operands)
    return [x.to_float(32 if single else 64) for x in operands]


__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cos",
    "cosh",
    "digamma",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "exp",
    "exp2",
    "expm1",
    "gammaln",
    "log",
    "log1mexp",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "power",
    "sigmoid",
    "sin",
    "sinh",
    "softplus",
    "tan",
    "tanh",
]
