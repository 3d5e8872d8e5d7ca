"""Rows of the scalar table: exponentials, logarithms, trigonometry, hyperbolics, special functions.

Functions that NumPy lacks come from `scipy.special`, imported when first computed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.tensor import dtypes
from nbgraph.tensor.scalar_function import Pullback, like, real_float, row

POSITIVE = (0.1, 4.0)
INSIDE = (-0.9, 0.9)


def _special(name: str) -> Callable[..., Any]:
    def function(*arrays: Any) -> Any:
        import scipy.special
        return getattr(scipy.special, name)(*arrays)
    return function


def _times(derivative: Callable[[Any, Any], Any]) -> Pullback:
    """The pullback of a holomorphic function with this derivative(x, f(x))."""
    return lambda g, x, z: (g * nt.conj(derivative(x, z)),)


def _function(ufunc: np.ufunc, derivative: Callable[[Any, Any], Any], doc: str,
              domain: tuple[float, float] = (-3.0, 3.0)) -> None:
    row(ufunc.__name__, 1, ufunc, like(ufunc), doc, pullback=_times(derivative), domain=domain, expensive=True)


def _real(name: str, numpy: Callable[..., Any], derivative: Callable[[Any, Any], Any], doc: str,
          domain: tuple[float, float] = (-3.0, 3.0)) -> None:
    row(name, 1, numpy, real_float(1), doc, pullback=_times(derivative), domain=domain, expensive=True)


_function(np.exp, lambda x, z: z, "e**x")
_function(np.exp2, lambda x, z: z * np.log(2.0).item(), "2**x")
_function(np.expm1, lambda x, z: z + 1, "e**x - 1, accurate near 0")
_function(np.log, lambda x, z: 1 / x, "the natural logarithm of x", POSITIVE)
_function(np.log2, lambda x, z: 1 / (x * np.log(2.0).item()), "the logarithm of x to base 2", POSITIVE)
_function(np.log10, lambda x, z: 1 / (x * np.log(10.0).item()), "the logarithm of x to base 10", POSITIVE)
_function(np.log1p, lambda x, z: 1 / (1 + x), "log(1 + x), accurate near 0", (-0.8, 3.0))
_function(np.sin, lambda x, z: nt.cos(x), "the sine of x (radians)")
_function(np.cos, lambda x, z: -nt.sin(x), "the cosine of x (radians)")
_function(np.tan, lambda x, z: 1 + z * z, "the tangent of x (radians)", (-1.2, 1.2))
_function(np.arcsin, lambda x, z: 1 / nt.sqrt((1 - x) * (1 + x)), "the angle in [-pi/2, pi/2] with sine x", INSIDE)
_function(np.arccos, lambda x, z: -1 / nt.sqrt((1 - x) * (1 + x)), "the angle in [0, pi] with cosine x", INSIDE)
_function(np.arctan, lambda x, z: 1 / (1 + x * x), "the angle in (-pi/2, pi/2) with tangent x", INSIDE)
_function(np.sinh, lambda x, z: nt.cosh(x), "(e**x - e**-x) / 2")
_function(np.cosh, lambda x, z: nt.sinh(x), "(e**x + e**-x) / 2")
_function(np.tanh, lambda x, z: 1 - z * z, "sinh(x) / cosh(x)")
_function(np.arcsinh, lambda x, z: 1 / nt.sqrt(x * x + 1), "the inverse of sinh", INSIDE)
_function(np.arccosh, lambda x, z: 1 / (nt.sqrt(x - 1) * nt.sqrt(x + 1)), "the inverse of cosh, >= 0", (1.2, 4.0))
_function(np.arctanh, lambda x, z: 1 / ((1 - x) * (1 + x)), "the inverse of tanh", INSIDE)
_function(np.deg2rad, lambda x, z: np.pi / 180, "x * pi / 180")
_function(np.rad2deg, lambda x, z: 180 / np.pi, "x * 180 / pi")


def _arctan2_pullback(g: Any, y: Any, x: Any, z: Any) -> tuple[Any, ...]:
    # At the origin, where every direction has an angle of its own, 0.
    square = nt.switch(nt.and_(nt.eq(x, 0), nt.eq(y, 0)), 1, x * x + y * y)
    return g * x / square, -g * y / square


row("arctan2", 2, np.arctan2, like(np.arctan2), "the angle of the point (x, y), in [-pi, pi]", expensive=True,
    pullback=_arctan2_pullback)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    # exp of a negative number only, so that nothing overflows.
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small) if x.dtype != np.float32 else (
        np.where(x >= 0, np.float32(1), small) / (np.float32(1) + small))


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, x.dtype.type(0)) + np.log1p(np.exp(-np.abs(x)))


def _log1mexp(x: np.ndarray) -> np.ndarray:
    # Maechler (2012), "Accurately computing log(1 - exp(-|a|))".
    return np.where(x > x.dtype.type(-np.log(2.0)), np.log(-np.expm1(x)), np.log1p(-np.exp(x)))


def _erfinv(x: np.ndarray) -> np.ndarray:
    # SciPy loses the sign of zero.
    return np.copysign(_special("erfinv")(x), x)


_real("sigmoid", _sigmoid, lambda x, z: z * nt.sigmoid(-x), "1 / (1 + e**-x)")
_real("softplus", _softplus, lambda x, z: nt.sigmoid(x), "log(1 + e**x)")
_real("log1mexp", _log1mexp, lambda x, z: -1 / nt.expm1(-x), "log(1 - e**x) for x < 0", (-4.0, -0.2))


def _logaddexp_pullback(g: Any, x: Any, y: Any, z: Any) -> tuple[Any, ...]:
    # Two equal infinities share the gradient, where inf - inf would make it NaN.
    difference = nt.switch(nt.and_(nt.isinf(x), nt.eq(x, y)), 0, x - y)
    return g * nt.sigmoid(difference), g * nt.sigmoid(-difference)


row("logaddexp", 2, np.logaddexp, like(np.logaddexp), "log(e**x + e**y)", expensive=True, pullback=_logaddexp_pullback)

_TWO_OVER_ROOT_PI = float(2 / np.sqrt(np.pi))
_HALF_ROOT_PI = float(np.sqrt(np.pi) / 2)
_real("erf", _special("erf"), lambda x, z: _TWO_OVER_ROOT_PI * nt.exp(-x * x),
      "2 / sqrt(pi) times the integral of e**-t**2 from 0 to x")
_real("erfc", _special("erfc"), lambda x, z: -_TWO_OVER_ROOT_PI * nt.exp(-x * x), "1 - erf(x), accurate for large x")
_real("erfinv", _erfinv, lambda x, z: _HALF_ROOT_PI * nt.exp(z * z),
      "the inverse of erf; infinite at -1 and 1, NaN outside", INSIDE)
_real("gammaln", _special("gammaln"), lambda x, z: nt.digamma(x), "log |Gamma(x)|", POSITIVE)
_real("digamma", _special("psi"), lambda x, z: nt.polygamma(1, x), "the derivative of gammaln", POSITIVE)


def _polygamma_signature(n: Any, x: Any) -> tuple[str, ...]:
    if not dtypes.is_discrete(dtypes.result_type(n)):
        raise TypeError("the order n must be an integer")
    dtype = real_float(1)(x)[-1]
    return "int64", dtype, dtype


row("polygamma", 2, _special("polygamma"), _polygamma_signature, "the derivative of order n >= 1 of digamma",
    domain=((1, 3), POSITIVE), expensive=True, pullback=lambda g, n, x, z: (None, g * nt.polygamma(n + 1, x)))
