"""Where the tables of the random kernels come from: layers of the ziggurat, and logarithms of factorials.

    python -m nbgraph.dispatch.random.derive 64 > nbgraph/dispatch/random/tables64.py
    python -m nbgraph.dispatch.random.derive 32 > nbgraph/dispatch/random/tables32.py

A ziggurat (Marsaglia & Tsang, J. Stat. Software 5(8), 2000) covers a falling density f by 256 layers of equal area. Its
edges are x[255] = r and x[i - 1] = f^-1(area / x[i] + f(x[i])); layer 0 is the rectangle below f(r) and the tail beyond
r, as if it were area / f(r) wide. A random integer j < 2**bits in layer i is x = j * width[i], which is below the
density for certain where j < accept[i]; height[i] = f(x[i]).

NumPy's streams depend on the last bit of these numbers, so how they are rounded is part of them. mpmath is in the
`test` extra.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LAYERS = 256
# Decimal digits.
_PRECISION = 50
# What a standard normal of NumPy's starts from: the last edge, and the area in units of its density's maximum.
_NORMAL_EDGE, _NORMAL_AREA = 3.6541528853610088, 0.004928673233974652
# Edges were computed in float64; the density at this one was rounded the wrong way.
_ROUNDED_UP = 38
_LARGEST_FACTORIAL = 125


@dataclass(frozen=True)
class Ziggurat:
    """width : layers of integers below 2**bits, accept : integers, height : from 1 down to f(r)."""

    width: list[Any]
    accept: list[int]
    height: list[Any]


def normal64() -> Ziggurat:
    """exp(-x*x/2), in float64 but for exp and log, which are rounded from exact ones; 52 bits."""
    import mpmath
    scale = 2.0**52
    edges, heights = [0.0] * LAYERS, [1.0] * LAYERS
    with mpmath.workdps(_PRECISION):
        x = edges[-1] = _NORMAL_EDGE
        heights[-1] = float(mpmath.exp(-0.5 * x * x))
        widest = _NORMAL_AREA / heights[-1]
        for i in range(LAYERS - 2, 0, -1):
            x = edges[i] = float(mpmath.sqrt(-2 * float(mpmath.log(_NORMAL_AREA / x + heights[i + 1]))))
            heights[i] = float(mpmath.exp(-0.5 * x * x))
            if i == _ROUNDED_UP:
                heights[i] += 2.0**-53
    ratios = [edges[-1] / widest, 0.0, *(edges[i - 1] / edges[i] for i in range(2, LAYERS))]
    widths = [widest, *edges[1:]]
    return Ziggurat([x / scale for x in widths], [round(ratio * scale) for ratio in ratios], heights)


def _exact(density: Callable[[Any], Any], inverse: Callable[[Any], Any], tail: Callable[[Any], Any],
           near: float) -> tuple[list[Any], list[Any], list[Any]]:
    """Widths and heights of layers, and ratios of the widths of neighbours; `near` is the last edge, roughly."""
    import mpmath

    def edges_from(last: Any) -> list[Any]:
        edges = [mpmath.mpf(0)] * (LAYERS - 1) + [last]
        area = last * density(last) + tail(last)
        for i in range(LAYERS - 2, 0, -1):
            edges[i] = inverse(area / edges[i + 1] + density(edges[i + 1]))
        return edges

    def gap(last: Any) -> Any:
        """What the uppermost layer has too much of."""
        first = edges_from(last)[1]
        return first * (1 - density(first)) - (last * density(last) + tail(last))

    last = mpmath.findroot(gap, (near * (1 - mpmath.mpf(10) ** -13), near * (1 + mpmath.mpf(10) ** -13)),
                           solver="anderson", tol=1e-30)
    edges = edges_from(last)
    widest = (last * density(last) + tail(last)) / density(last)
    ratios = [last / widest, mpmath.mpf(0), *(edges[i - 1] / edges[i] for i in range(2, LAYERS))]
    return [widest, *edges[1:]], [density(x) for x in edges], ratios


def _of_normal() -> tuple[list[Any], list[Any], list[Any]]:
    import mpmath
    return _exact(lambda x: mpmath.exp(-x * x / 2), lambda y: mpmath.sqrt(-2 * mpmath.log(y)),
                  lambda x: mpmath.sqrt(mpmath.pi / 2) * mpmath.erfc(x / mpmath.sqrt(2)), _NORMAL_EDGE)


def _of_exponential() -> tuple[list[Any], list[Any], list[Any]]:
    import mpmath
    return _exact(lambda x: mpmath.exp(-x), lambda y: -mpmath.log(y), lambda x: mpmath.exp(-x), 7.6971174701310497)


def exponential64() -> Ziggurat:
    """exp(-x), exact, then rounded; 53 bits, of which the last is 0 in `accept`."""
    import mpmath
    with mpmath.workdps(_PRECISION):
        widths, heights, ratios = _of_exponential()
        return Ziggurat([float(x / 2**53) for x in widths], [2 * int(ratio * 2**52) for ratio in ratios],
                        [float(y) for y in heights])


def normal32() -> Ziggurat:
    """exp(-x*x/2), exact, then rounded to float32; 23 bits."""
    import mpmath
    with mpmath.workdps(_PRECISION):
        return _short(*_of_normal(), float)


def exponential32() -> Ziggurat:
    """exp(-x), exact, then rounded to 9 decimal digits and to float32; 23 bits."""
    import mpmath
    with mpmath.workdps(_PRECISION):
        return _short(*_of_exponential(), lambda x: float(mpmath.nstr(x, 9)))


def _short(widths: list[Any], heights: list[Any], ratios: list[Any], rounded: Callable[[Any], float]) -> Ziggurat:
    import mpmath
    return Ziggurat([rounded(x / 2**23) for x in widths], [int(mpmath.nint(ratio * 2**23)) for ratio in ratios],
                    [rounded(y) for y in heights])


def log_factorials() -> list[float]:
    """log(k!) for k = 0, 1, ..."""
    import mpmath
    with mpmath.workdps(_PRECISION):
        return [float(mpmath.log(mpmath.factorial(k))) for k in range(_LARGEST_FACTORIAL + 1)]


def stirling() -> list[float]:
    """B(2k) / (2k (2k - 1)) for k = 1, 2, ..., 10: log(gamma(x)) in powers of 1/x (Zhang & Jin 1996, 3.1.16).

    They are rounded as published: to 16 decimal digits, the last to 15.
    """
    import mpmath
    with mpmath.workdps(_PRECISION):
        exact = [mpmath.bernoulli(2 * k) / (2 * k * (2 * k - 1)) for k in range(1, 11)]
        return [float(mpmath.nstr(x, 16)) for x in exact[:-1]] + [float(mpmath.nstr(exact[-1], 15))]


def module(bits: int) -> str:
    """The text of the module of tables for float64 or float32."""
    normal, exponential = (normal64(), exponential64()) if bits == 64 else (normal32(), exponential32())
    tables: dict[str, list[Any]] = {}
    for name, ziggurat in ("NORMAL", normal), ("EXPONENTIAL", exponential):
        tables |= {f"{name}_WIDTH": ziggurat.width, f"{name}_ACCEPT": ziggurat.accept,
                   f"{name}_HEIGHT": ziggurat.height}
    if bits == 64:
        tables |= {"LOG_FACTORIAL": log_factorials(), "STIRLING": stirling()}
    about = f'"""Tables of the random kernels for float{bits}; made by `derive`."""'
    return "\n".join([about, "", *(_written(name, numbers) for name, numbers in tables.items())]).rstrip() + "\n"


def _written(name: str, numbers: list[Any]) -> str:
    text = textwrap.fill(", ".join(map(repr, numbers)), 118, initial_indent=" ", subsequent_indent=" ")
    return f"{name} = (\n{text}\n)\n"


if __name__ == "__main__":
    sys.stdout.write(module(int(sys.argv[1])))
