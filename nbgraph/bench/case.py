"""Case and Problem: one computation, written with nbgraph and with NumPy.

    @case("2 * x on a scalar")
    def scalar(rng):
        x = nt.dscalar("x")
        return Problem([x], [2 * x], [3.0], lambda x: [2 * x])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Problem:
    """A computation with data.

    Attributes
    ----------
    inputs, outputs : lists of variables
    values : list of arrays or numbers      for the inputs
    numpy : callable                        values -> list of what the outputs are, then of the new shared values
    updates : list of (shared variable, expression)
    tolerance : float                       largest relative error that still counts as agreement
    """

    inputs: Sequence[Any]
    outputs: Sequence[Any]
    values: Sequence[Any]
    numpy: Callable[..., Sequence[Any]]
    updates: Sequence[tuple[Any, Any]] = field(default=())
    tolerance: float = 1e-9


@dataclass(frozen=True)
class Case:
    """A named way to make a Problem; `about` says what it is, with its size."""

    name: str
    about: str
    make: Callable[[np.random.Generator], Problem]

    def problem(self) -> Problem:
        """The problem, with the same data every time."""
        return self.make(np.random.default_rng(20))


def collector() -> tuple[dict[str, Case], Callable[[str], Callable[[Callable[..., Problem]], Callable[..., Problem]]]]:
    """A table of cases, and the decorator that adds one."""
    table: dict[str, Case] = {}

    def case(about: str) -> Callable[[Callable[..., Problem]], Callable[..., Problem]]:
        def add(make: Callable[..., Problem]) -> Callable[..., Problem]:
            table[make.__name__] = Case(make.__name__, about, make)
            return make
        return add

    return table, case
