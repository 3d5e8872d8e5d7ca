"""Case and Problem: one computation, written once for every library, and with NumPy.

    @case("2 * x on a scalar")
    def scalar(rng):
        return Problem(lambda m, x: [2 * x], {"x": 3.5})

`m` is a namespace of functions (`names.py`): nbgraph's, PyTensor's, JAX's or NumPy's.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nbgraph.bench.names import numpy_names

Formula = Callable[..., Sequence[Any]]


@dataclass(frozen=True)
class Problem:
    """A computation with data.

    Attributes
    ----------
    formula : (m, *inputs, *state) -> list of outputs    a scalar first where there are gradients or a state
    inputs : arrays or numbers by name
    gradients : names of inputs                          by which the first output is differentiated, too
    state : arrays or numbers by name                    each call moves them against the gradient, by `rate`
    numpy : (*inputs, *state) -> list of outputs, then of gradients, then of the new state; the formula where it is None
    numexpr : (evaluate, *inputs) -> the same            None where numexpr cannot say it
    tolerance : float                                    largest relative error that still counts as agreement
    """

    formula: Formula
    inputs: Mapping[str, Any]
    gradients: Sequence[str] = ()
    state: Mapping[str, Any] = field(default_factory=dict)
    rate: float = 0.1
    numpy: Callable[..., Sequence[Any]] | None = None
    numexpr: Callable[..., Sequence[Any]] | None = None
    tolerance: float = 1e-9

    @property
    def values(self) -> list[Any]:
        """The data of the inputs, then of the state, in the order of the formula's arguments."""
        return [*self.inputs.values(), *self.state.values()]

    @property
    def differentiated(self) -> list[int]:
        """Places among `values` of what the first output is differentiated by."""
        names = [*self.inputs, *self.state]
        return [names.index(name) for name in (*self.gradients, *self.state)]

    def expected(self) -> list[np.ndarray]:
        """What one call gives, with NumPy: outputs, gradients, new state."""
        return [np.asarray(value) for value in self.oracle()(*self.values)]

    def oracle(self) -> Callable[..., Sequence[Any]]:
        """The NumPy version."""
        if self.numpy is not None:
            return self.numpy
        assert not self.gradients and not self.state, "gradients need a NumPy version of their own"
        names = numpy_names()
        return lambda *values: self.formula(names, *values)


@dataclass(frozen=True)
class Case:
    """A named way to make a Problem.

    Attributes
    ----------
    about : what it is, with its size
    make : function of a random generator
    quick : whether it is among the cases of --quick
    slower : why a peer is ahead, where one is
    """

    name: str
    about: str
    make: Callable[[np.random.Generator], Problem]
    quick: bool = False
    slower: str = ""

    def problem(self) -> Problem:
        """The problem, with the same data every time."""
        return self.make(np.random.default_rng(20))

    def loop(self) -> Callable[..., Any] | None:
        """The loop that a person would write, from the file of the same name in `loops`; None where there is none."""
        field_name = self.make.__module__.rpartition(".")[2]
        if importlib.util.find_spec(f"nbgraph.bench.loops.{field_name}") is None:
            return None
        found: Callable[..., Any] | None = getattr(importlib.import_module(f"nbgraph.bench.loops.{field_name}"),
                                                   self.name, None)
        return found


Decorator = Callable[[Callable[..., Problem]], Callable[..., Problem]]


def collector() -> tuple[dict[str, Case], Callable[..., Decorator]]:
    """A table of cases, and the decorator that adds one."""
    table: dict[str, Case] = {}

    def case(about: str, *, quick: bool = False, slower: str = "") -> Decorator:
        def add(make: Callable[..., Problem]) -> Callable[..., Problem]:
            table[make.__name__] = Case(make.__name__, about, make, quick, slower)
            return make
        return add

    return table, case
