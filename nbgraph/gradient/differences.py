"""Slopes of functions that can only be called: central differences, extrapolated to a step of 0.

    slope(lambda h: Difference((sin(1 + h) - sin(1 - h)) / (2 * h), 1e-16 / h), 1 / 64, 15)
        ->   Slope(value=0.5403023058681..., error=1e-14)

A difference over the step h is off by c2 h**2 + c4 h**4 + ...; from differences over h, h/2, h/4, ... these terms are
taken out one by one (C. Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", 1982). So the first step may be
large, where rounding hurts least: of smooth functions some 13 digits are found. Where a large step crosses a kink or
leaves the domain, what it gives does not agree with its neighbours, and smaller steps are believed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

# Two extrapolations that differ by less, in proportion, need no third one.
CLOSE = 1e-12


class Difference(NamedTuple):
    """A difference quotient, and what rounding alone may add to it."""

    value: float
    rounding: float


class Slope(NamedTuple):
    """A derivative, and how far it may be off: how much the extrapolations next to it differ from it."""

    value: float
    error: float


def slope(difference: Callable[[float], Difference], step: float, halvings: int) -> Slope:
    """The limit of difference(h) for small h.

    Parameters
    ----------
    difference : callable    step -> central difference over it; NaN where the function is not defined
    step : float             the largest step
    halvings : int           how often it is halved, at most

    Returns
    -------
    Slope    NaN of infinite error where no three extrapolations are finite
    """
    best = Slope(np.nan, np.inf)
    before: list[float] = []
    for halving in range(halvings + 1):
        quotient = difference(step / 2 ** halving)
        row = _extrapolated(before, quotient.value)
        # From the third on: two differences over steps of a staircase may agree.
        for m in range(2, len(row)):
            error = max(abs(row[m] - row[m - 1]), abs(row[m] - before[m - 1]), quotient.rounding)
            if error < best.error:
                best = Slope(row[m], error)
        # Over smaller steps rounding hurts more.
        if best.error <= max(CLOSE * abs(best.value), quotient.rounding):
            break
        before = row
    return best


def _extrapolated(before: list[float], quotient: float) -> list[float]:
    """The quotient over h, then without its error of order 2, 4, ...; `before` is the same for 2 h."""
    row = [quotient]
    for m, wider in enumerate(before, start=1):
        row.append(row[-1] + (row[-1] - wider) / (4 ** m - 1))
    return row
