"""How NumPy, the C library, mpmath or a textbook write the functions of the scalar table.

The table's own expressions are what is tested, so none of them is used here. Where NumPy computes small integers in
half precision, an oracle computes them in single precision: float16 is no dtype of tensors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from nbgraph.tensor import dtypes

Oracle = Callable[..., Any]


def in_single(function: Oracle) -> Oracle:
    """`function`, in single precision where it would be in half."""
    def on_arrays(*arrays: Any) -> Any:
        found = function(*arrays)
        if np.asarray(found).dtype != np.float16:
            return found
        return function(*(a.astype(np.float32) if isinstance(a, np.ndarray) else a for a in arrays))
    return on_arrays


def on_floats(function: Oracle) -> Oracle:
    """`function` of real floats, to which integers are cast as for np.exp, but never to half precision."""
    def on_arrays(*arrays: Any) -> Any:
        kinds = [np.exp(np.zeros(1, a.dtype)).dtype for a in arrays]
        return function(*(a.astype(np.promote_types(kind, np.float32)) for a, kind in zip(arrays, kinds, strict=True)))
    return on_arrays


def by_element(function: Callable[..., float]) -> Oracle:
    """A function of Python numbers on arrays, in the dtype of the last one."""
    return lambda *arrays: np.vectorize(function, otypes=[np.asarray(arrays[-1]).dtype])(*arrays)


def _gammaln(x: float) -> float:
    if x == -math.inf:
        return -math.inf  # as SciPy has it; C's lgamma gives inf
    return math.inf if x > 1e306 or (x <= 0 and x == math.floor(x)) else math.lgamma(x)


def _erfinv(x: float) -> float:
    import mpmath
    if abs(x) >= 1 or x != x or x == 0:
        return math.copysign(math.inf, x) if abs(x) == 1 else x if x == 0 else math.nan
    with mpmath.workprec(80):  # next to 1 it loses digits
        return float(mpmath.erfinv(x))


def _digamma(x: float) -> float:
    import mpmath
    if x == 0:
        return -math.copysign(math.inf, x)
    if math.isinf(x) or x != x or (x < 0 and x == math.floor(x)):
        return math.inf if x == math.inf else math.nan
    return float(mpmath.digamma(x))


def _polygamma(n: int, x: float) -> float:
    import mpmath
    if n == 0:
        return _digamma(x)
    if n < 0 or n > 170 or x != x:
        return math.nan
    if x == math.inf:
        return 0.0
    if x <= 0 and (math.isinf(x) or x == math.floor(x)):
        return math.inf if n % 2 else -math.inf
    if abs(x) < 1e-30 or abs(x) > 1e30:  # one term of the sum, or the first of its expansion
        exponent, factor = (-(n + 1), math.factorial(n)) if abs(x) < 1 else (-n, math.factorial(n - 1))
        return float((1 if n % 2 else -1) * factor * mpmath.mpf(x) ** exponent)
    return float(mpmath.polygamma(n, x))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(x, x.dtype.type(0))


def _log1mexp(x: float) -> float:
    import mpmath
    if not x < 0:
        return -math.inf if x == 0 else math.nan
    with mpmath.workprec(200):
        return float(mpmath.log(-mpmath.expm1(x))) if x > -100 else -math.exp(x)


def _half_away(x: np.ndarray) -> np.ndarray:
    return x if x.dtype.kind in "biu" else np.copysign(np.floor(np.abs(x) + x.dtype.type(0.5)), x)


def _unless_whole(rounded: Oracle) -> Oracle:
    return lambda x: x if x.dtype.kind in "biu" else rounded(x)


def _complex(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    dtype = np.result_type(x, y)
    dtype = dtype if dtype.kind == "f" else np.dtype(np.float64)
    parts = np.stack([np.asarray(a, dtype) for a in np.broadcast_arrays(x, y)], axis=-1)
    return parts.view(np.result_type(dtype, np.complex64))[..., 0]


ORACLES: dict[str, Oracle] = {
    "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y, "true_divide": lambda x, y: x / y,
    "floor_divide": lambda x, y: x // y, "mod": lambda x, y: x % y, "power": np.power, "neg": lambda x: -x, "abs": abs,
    "sign": np.sign, "reciprocal": np.reciprocal, "square": np.square, "sqrt": np.sqrt,
    "floor": _unless_whole(np.floor), "ceil": _unless_whole(np.ceil), "trunc": _unless_whole(np.trunc),
    "round_half_to_even": _unless_whole(np.round), "round_half_away_from_zero": _half_away, "maximum": np.maximum,
    "minimum": np.minimum, "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "lt": lambda x, y: x < y, "le": lambda x, y: x <= y, "gt": lambda x, y: x > y, "ge": lambda x, y: x >= y,
    "eq": lambda x, y: x == y, "neq": lambda x, y: x != y, "logical_and": np.logical_and,
    "logical_or": np.logical_or, "logical_xor": np.logical_xor, "logical_not": np.logical_not,
    "and_": lambda x, y: x & y, "or_": lambda x, y: x | y, "xor": lambda x, y: x ^ y, "invert": lambda x: ~x,
    "left_shift": lambda x, y: x << y, "right_shift": lambda x, y: x >> y, "isnan": np.isnan, "isinf": np.isinf,
    "isfinite": np.isfinite, "switch": np.where, "arctan2": np.arctan2, "logaddexp": np.logaddexp,
    "sigmoid": on_floats(_sigmoid), "softplus": on_floats(_softplus), "log1mexp": on_floats(by_element(_log1mexp)),
    "erf": on_floats(by_element(math.erf)), "erfc": on_floats(by_element(math.erfc)),
    "erfinv": on_floats(by_element(_erfinv)),
    "gammaln": on_floats(by_element(_gammaln)), "digamma": on_floats(by_element(_digamma)),
    "polygamma": lambda n, x: on_floats(lambda y: by_element(_polygamma)(np.asarray(n, object), y))(np.asarray(x)),
    "real": lambda x: x.real.copy(), "imag": lambda x: x.imag.copy(), "conj": lambda x: np.conj(x), "angle": np.angle,
    "complex": _complex,
    **{name: getattr(np, name) for name in (
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan",
        "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "deg2rad", "rad2deg")},
    **{f"cast_{d}": partial(lambda d, x: x.astype(d), d) for d in dtypes.ALL},
}


def oracle(name: str) -> Oracle:
    """What the row of this name is compared with."""
    return in_single(ORACLES[name])
