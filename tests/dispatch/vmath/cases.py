"""For each function of vmath: its value by mpmath, where it is tried, and how many ulp it may err."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

mp = mpmath.mp
COUNT = 500


@dataclass(frozen=True)
class Case:
    """A function of one number.

    exact : mpf -> mpf
    ranges : intervals that random points are taken from, for float64 and for float32
    around : points that it is tried close to
    strict : False where SciPy, which the ends are compared with, errs by more
    """

    exact: Callable[[Any], Any]
    ranges: dict[str, list[tuple[float, float]]]
    around: tuple[float, ...] = (0.0,)
    most: float = 2.0
    strict: bool = True


def _both(*ranges: tuple[float, float]) -> dict[str, list[tuple[float, float]]]:
    return {"float64": list(ranges), "float32": list(ranges)}


def erfinv(x: Any) -> Any:
    """The inverse of erf, by Newton's steps from the digits that mpmath's function gives next to 1."""
    y = mp.erfinv(x)
    return y - (mp.erf(y) - x) * mp.exp(y * y) * mp.sqrt(mp.pi) / 2 if abs(x) < 1 else y


CASES = {
    "exp": Case(mp.exp, {"float64": [(-746, 710), (-1, 1)], "float32": [(-104, 89), (-1, 1)]}, most=1.0),
    "expm1": Case(mp.expm1, {"float64": [(-40, 710), (-2, 2)], "float32": [(-20, 89), (-2, 2)]}),
    "log": Case(mp.log, {"float64": [(0, 3), (0, 1e308)], "float32": [(0, 3), (0, 3e38)]}, (0.0, 1.0), 1.0),
    "log1p": Case(mp.log1p, {"float64": [(-1, 3), (0, 1e308)], "float32": [(-1, 3), (0, 3e38)]}, (0.0, -1.0)),
    "tanh": Case(mp.tanh, _both((-3, 3), (-22, 22))),
    "sigmoid": Case(lambda x: 1 / (1 + mp.exp(-x)),
                    {"float64": [(-746, 40), (-3, 3)], "float32": [(-104, 20), (-3, 3)]}),
    "softplus": Case(lambda x: mp.log1p(mp.exp(x)),
                     {"float64": [(-746, 60), (-3, 3)], "float32": [(-104, 20), (-3, 3)]}),
    "exp2": Case(lambda x: mp.power(2, x),
                 {"float64": [(-1076, 1024.5), (-1, 1)], "float32": [(-150, 128.5), (-1, 1)]}),
    "log2": Case(lambda x: mp.log(x, 2), {"float64": [(0, 3), (0, 1e308)], "float32": [(0, 3), (0, 3e38)]}, (0.0, 1.0)),
    "log10": Case(mp.log10, {"float64": [(0, 3), (0, 1e308)], "float32": [(0, 3), (0, 3e38)]}, (0.0, 1.0)),
    "arctan": Case(mp.atan, {"float64": [(-4, 4), (-1e300, 1e300)], "float32": [(-4, 4), (-1e37, 1e37)]}),
    "arcsin": Case(mp.asin, _both((-1, 1)), (0.0, 1.0, -1.0)),
    "arccos": Case(mp.acos, _both((-1, 1)), (0.0, 1.0, -1.0)),
    **{name: Case(getattr(mp, name),
                  {"float64": [(-4, 4), (-1e5, 1e5), (-1e15, 1e15), (-8e307, 8e307)],
                   "float32": [(-4, 4), (-1e5, 1e5), (-1e9, 1e9), (-1e38, 1e38)]},
                  (0.0, np.pi / 2, np.pi, -np.pi, 5000 * np.pi, 65536.0, 2.0**45)) for name in ("sin", "cos", "tan")},
    "sinh": Case(mp.sinh, {"float64": [(-711, 711), (-2, 2)], "float32": [(-89.5, 89.5), (-2, 2)]}),
    "cosh": Case(mp.cosh, {"float64": [(-711, 711), (-2, 2)], "float32": [(-89.5, 89.5), (-2, 2)]}),
    "arcsinh": Case(mp.asinh, {"float64": [(-4, 4), (-1e9, 1e9), (0, 1e308)],
                               "float32": [(-4, 4), (-1e5, 1e5), (-1e38, 1e38)]}),
    "arccosh": Case(mp.acosh, {"float64": [(1, 4), (1, 1e9), (1, 1e308)], "float32": [(1, 4), (1, 1e5), (1, 1e38)]},
                    (1.0,)),
    "erf": Case(mp.erf, _both((-1.5, 1.5), (-7, 7))),
    "erfc": Case(mp.erfc, {"float64": [(-6, 27.2), (-1, 1.5)], "float32": [(-4, 10.1), (-1, 1.5)]}),
    "erfcx": Case(lambda x: mp.exp(mp.mpf(x) ** 2) * mp.erfc(x),
                  {"float64": [(-26.6, 50), (-1, 1.5), (0, 1e5)], "float32": [(-9.4, 50), (-1, 1.5), (0, 1e5)]}),
    "erfinv": Case(erfinv, _both((-1, 1)), (0.0, 1.0, -1.0), 4.0),
    # Where it is not 0: at 1, 2, and many negative numbers.
    "gammaln": Case(lambda x: mp.loggamma(x).real,
                    {"float64": [(0, 0.9), (2.1, 12), (0, 1e300)], "float32": [(0, 0.9), (2.1, 12), (0, 1e30)]},
                    (0.0,), 4.0, False),
    "digamma": Case(mp.digamma, {"float64": [(0, 12), (0, 1e6), (0, 1e300)], "float32": [(0, 12), (0, 1e6), (0, 1e30)]},
                    (0.0,), 4.0, False),
    "log1mexp": Case(lambda x: mp.log(-mp.expm1(x)) if x > -1 else mp.log1p(-mp.exp(x)),
                     {"float64": [(-745, 0), (-3, 0)], "float32": [(-103, 0), (-3, 0)]}),
    "arctanh": Case(mp.atanh, _both((-1, 1)), (0.0,)),
}


def points(name: str, dtype: str) -> np.ndarray:
    """Random numbers of the ranges, and numbers at every distance from the points that count."""
    case, rng = CASES[name], np.random.default_rng(sum(map(ord, name)))
    inside = [rng.uniform(low, high, COUNT) for low, high in case.ranges[dtype]]
    smallest = -323 if dtype == "float64" else -45
    for point in case.around:
        distance = 10.0 ** rng.uniform(smallest if point == 0 else -17, 0, COUNT)
        inside.append(point + distance * rng.choice([-1, 1], COUNT))
    x = np.concatenate(inside).astype(dtype)
    low, high = (min(a for a, _ in case.ranges[dtype]), max(b for _, b in case.ranges[dtype]))
    return x[(x >= low) & (x <= high)]
