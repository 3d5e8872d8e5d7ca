"""Where the polynomials of vmath come from: minimax fits, computed with mpmath.

    python -m nbgraph.dispatch.vmath.derive > nbgraph/dispatch/vmath/coefficients.py

A `Fit` says what is approximated, where, and with which weight: the polynomial of its degree has the least possible
largest |weight * error|. The method is Remez' exchange (Cheney, Introduction to Approximation Theory, 1966, chapter 3;
Muller, Elementary Functions, 3rd edition, 2016, chapter 3), on a fine grid of Chebyshev points. Rounding a coefficient
to the format comes last. mpmath is in the `test` extra.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

# Decimal digits.
_PRECISION = 60
_GRID_PER_COEFFICIENT = 40
_ROUNDS = 30


@dataclass(frozen=True)
class Fit:
    """A function of mpmath numbers on [low, high], and the number of coefficients for float64 and float32.

    bits32 : the format of the coefficients for float32, which some functions compute in 64 bits
    """

    function: Callable[[Any], Any]
    low: float
    high: float
    lengths: tuple[int, int]
    weight: Callable[[Any], Any]
    bits32: int = 32

    def bits(self, width: int) -> int:
        """The format of the coefficients for this width."""
        return self.bits32 if width == 32 else width


def minimax(fit: Fit, length: int) -> tuple[list[Any], float]:
    """The coefficients of 1, x, x**2, ... as mpmath numbers, and the largest |weight * error|."""
    import mpmath
    with mpmath.workdps(_PRECISION):
        low, high = mpmath.mpf(fit.low), mpmath.mpf(fit.high)
        count = _GRID_PER_COEFFICIENT * length
        # In u on [-1, 1], where powers are tame; the grid has no end of the interval that the function may not take.
        grid = [mpmath.cos(mpmath.pi * (2 * i + 1) / (2 * count)) for i in range(count)]
        points = [(low + high) / 2 + (high - low) / 2 * u for u in grid]
        values, weights = [fit.function(x) for x in points], [fit.weight(x) for x in points]
        chosen = [round(i * (count - 1) / length) for i in range(length + 1)]
        for _ in range(_ROUNDS):
            coefficients = _levelled(mpmath, [(grid[i], values[i], weights[i]) for i in chosen])
            errors = [w * (_polynomial(coefficients, u) - y)
                      for u, y, w in zip(grid, values, weights, strict=True)]
            exchanged = _extrema(errors, length + 1)
            if exchanged == chosen:
                break
            chosen = exchanged
        return _shifted(mpmath, coefficients, low, high), float(max(map(abs, errors)))


def _polynomial(coefficients: list[Any], x: Any) -> Any:
    value = 0
    for c in reversed(coefficients):
        value = value * x + c
    return value


def _levelled(mpmath: Any, chosen: list[tuple[Any, Any, Any]]) -> list[Any]:
    """The polynomial whose weighted errors at the chosen points are equal, with alternating signs."""
    n = len(chosen)
    matrix, right = mpmath.matrix(n, n), mpmath.matrix(n, 1)
    for i, (u, y, weight) in enumerate(chosen):
        for j in range(n - 1):
            matrix[i, j] = u**j
        matrix[i, n - 1] = (-1) ** i / weight
        right[i] = y
    return list(mpmath.lu_solve(matrix, right))[:-1]


def _extrema(errors: list[Any], count: int) -> list[int]:
    """The largest error of each run of one sign; `count` neighbours among them."""
    runs: list[int] = []
    for i, error in enumerate(errors):
        if runs and (error >= 0) == (errors[runs[-1]] >= 0):
            if abs(error) > abs(errors[runs[-1]]):
                runs[-1] = i
        else:
            runs.append(i)
    while len(runs) > count:
        runs.pop(0 if abs(errors[runs[0]]) < abs(errors[runs[-1]]) else -1)
    assert len(runs) == count, "the error does not alternate: more digits, or fewer coefficients"
    return runs


def _shifted(mpmath: Any, coefficients: list[Any], low: Any, high: Any) -> list[Any]:
    """The polynomial of u on [-1, 1] as one of x = (low + high) / 2 + u (high - low) / 2."""
    scale, start = 2 / (high - low), -(low + high) / (high - low)
    result = [mpmath.mpf(0)]
    for c in reversed(coefficients):
        moved = [mpmath.mpf(0), *(scale * r for r in result)]
        for i, r in enumerate(result):
            moved[i] += start * r
        moved[0] += c
        result = moved[: len(coefficients)]
    return result


def rounded(number: Any, bits: int) -> float:
    """The nearest number of the format, as a Python float."""
    import mpmath
    with mpmath.workprec(24 if bits == 32 else 53):
        return float(+number)


def table(name: str, bits: int) -> tuple[float, ...]:
    """The coefficients of a fit for float64 or float32."""
    from nbgraph.dispatch.vmath.fits import FITS
    fit = FITS[name]
    coefficients, _ = minimax(fit, fit.lengths[bits == 32])
    return tuple(rounded(c, fit.bits(bits)) for c in coefficients)


_HEAD = '''"""Coefficients of minimax polynomials, lowest first, for each name and width; made by `derive`."""

'''


def main() -> None:
    """Print the module of coefficients, and the errors as comments."""
    from nbgraph.dispatch.vmath.fits import FITS
    lines = [_HEAD + "TABLES: dict[tuple[str, int], tuple[float, ...]] = {\n"]
    for name, fit in FITS.items():
        for bits, length in zip((64, 32), fit.lengths, strict=True):
            if not length:
                continue
            coefficients, error = minimax(fit, length)
            lines.append(f"    # error at most 2**{np.log2(error):.1f}\n    ({name!r}, {bits}): (\n")
            numbers = ", ".join(repr(rounded(c, fit.bits(bits))) for c in coefficients) + ","
            lines.append(textwrap.indent(textwrap.fill(numbers, 112), " " * 8) + "\n    ),\n")
    print("".join(lines) + "}")


if __name__ == "__main__":
    main()
