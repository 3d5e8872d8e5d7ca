"""Who can run a case: nbgraph, NumPy, a hand-written loop, PyTensor, JAX, numexpr.

    run = Jax().build(CASES["normal"], problem)      compiled; None where the case has no such version
    run.results(run.call())                          outputs, gradients, new state, as NumPy arrays

Everybody gets the problem's data in their own form beforehand, and a call ends when its results are there. Each library
is imported when it is first used, in a process of its own.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from nbgraph.bench.case import Case, Problem
from nbgraph.bench.names import jax_names, nbgraph_names, numpy_names, pytensor_names


@dataclass(frozen=True)
class Run:
    """A compiled case: `call` does the work once; `results` makes arrays of what the first call gave."""

    call: Callable[[], Any]
    results: Callable[[Any], list[np.ndarray]]


def arrays(found: Sequence[Any]) -> list[np.ndarray]:
    """Results as NumPy arrays."""
    return [np.asarray(value) for value in found]


class Contender:
    """What all have in common.

    Attributes
    ----------
    needs : the distribution that must be installed
    compiles : whether there is a compile to time
    peer : whether it is a library that a user could take instead
    """

    needs = "numpy"
    compiles = False
    peer = False

    @classmethod
    def version(cls) -> str | None:
        """Of the distribution; None where it is not installed."""
        try:
            return version(cls.needs)
        except PackageNotFoundError:
            return None

    def environment(self, folder: str) -> dict[str, str]:
        """Variables of a process that keeps what it compiles in `folder`."""
        return {}

    def load(self) -> None:
        """Import the library."""

    def prepare(self) -> None:
        """Pay for what the first compile of a process costs."""

    def build(self, case: Case, problem: Problem) -> Run | None:
        """The case, compiled."""
        raise NotImplementedError


class Nbgraph(Contender):
    """nbgraph, with its defaults."""

    needs = "nbgraph"
    compiles = True

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def environment(self, folder: str) -> dict[str, str]:
        return {"NBGRAPH_CACHE_DIR": folder}

    def load(self) -> None:
        import nbgraph.compile.function
        import nbgraph.gradient
        import nbgraph.tensor  # noqa: F401

    def prepare(self) -> None:
        import nbgraph.tensor as nt
        from nbgraph.compile.function import function
        x = nt.dscalar("x")
        function([x], x + 1, mode=self.mode)(1.0)

    def build(self, case: Case, problem: Problem) -> Run:
        return self.run(problem, *self.function(case, problem))

    @staticmethod
    def run(problem: Problem, function: Any, state: Sequence[Any]) -> Run:
        """Calls of a Function with the problem's data."""
        values = list(problem.inputs.values())
        return Run(lambda: function(*values), lambda found: arrays([*found, *(p.get_value() for p in state)]))

    def function(self, case: Case, problem: Problem) -> tuple[Any, list[Any]]:
        """The Function, and its shared variables."""
        import nbgraph.tensor as nt
        from nbgraph.compile.function import function
        from nbgraph.compile.shared import shared
        from nbgraph.gradient import grad

        inputs = [nt.tensor(name, dtype=value.dtype, shape=(None,) * value.ndim)
                  for name, value in ((name, np.asarray(value)) for name, value in problem.inputs.items())]
        state = [shared(value, name=name) for name, value in problem.state.items()]
        outputs, updates = differentiated(problem, nbgraph_names(), grad, inputs, state)
        return function(inputs, outputs, updates=updates, mode=self.mode, name=case.name), state


class PyTensor(Contender):
    """PyTensor, with its defaults."""

    needs = "pytensor"
    compiles = True
    peer = True

    def environment(self, folder: str) -> dict[str, str]:
        return {"PYTENSOR_FLAGS": f"base_compiledir={folder}", "NUMBA_CACHE_DIR": folder}

    def load(self) -> None:
        import pytensor.tensor  # noqa: F401

    def prepare(self) -> None:
        import pytensor
        x = pytensor.tensor.dscalar("x")
        pytensor.function([x], x + 1)(1.0)

    def build(self, case: Case, problem: Problem) -> Run:
        import pytensor
        from pytensor import tensor as pt

        inputs = [pt.tensor(name, dtype=str(value.dtype), shape=(None,) * value.ndim)
                  for name, value in ((name, np.asarray(value)) for name, value in problem.inputs.items())]
        state = [pytensor.shared(np.asarray(value), name=name) for name, value in problem.state.items()]
        outputs, updates = differentiated(problem, pytensor_names(), pytensor.grad, inputs, state)
        function = pytensor.function(inputs, outputs, updates=updates)
        values = list(problem.inputs.values())
        return Run(lambda: function(*values), lambda found: arrays([*found, *(p.get_value() for p in state)]))


def differentiated(problem: Problem, names: Any, grad: Callable[..., Any], inputs: list[Any],
                   state: list[Any]) -> tuple[list[Any], list[tuple[Any, Any]]]:
    """(outputs and gradients, updates) of a problem, for libraries of symbolic variables."""
    outputs = list(problem.formula(names, *inputs, *state))
    every = [*inputs, *state]
    gradients = grad(outputs[0], [every[i] for i in problem.differentiated]) if problem.differentiated else []
    updates = [(p, p - np.asarray(problem.rate, p.dtype) * g)
               for p, g in zip(state, gradients[len(problem.gradients):], strict=True)]
    return [*outputs, *gradients[:len(problem.gradients)]], updates


class Jax(Contender):
    """JAX on the CPU: jit, float64 enabled, arrays on the device beforehand, state carried from call to call."""

    needs = "jax"
    compiles = True
    peer = True

    def load(self) -> None:
        import jax
        import jax.numpy
        jax.config.update("jax_platforms", "cpu")
        jax.config.update("jax_enable_x64", True)

    def prepare(self) -> None:
        import jax
        jax.jit(lambda x: x + 1)(1.0).block_until_ready()

    def build(self, case: Case, problem: Problem) -> Run:
        import jax

        step = jax.jit(self.step(problem))
        inputs = [jax.numpy.asarray(value) for value in problem.inputs.values()]
        state = [jax.numpy.asarray(value) for value in problem.state.values()]

        def call() -> Any:
            nonlocal state
            outputs, state = jax.block_until_ready(step(inputs, state))
            return outputs

        return Run(call, lambda found: arrays([*found, *state]))

    @staticmethod
    def step(problem: Problem) -> Callable[..., Any]:
        """(inputs, state) -> (outputs and gradients, new state)."""
        import jax
        names, places, count = jax_names(), problem.differentiated, len(problem.gradients)

        def outputs_of(*values: Any) -> Any:
            first, *others = problem.formula(names, *values)
            return first, others

        def step(inputs: list[Any], state: list[Any]) -> Any:
            if not places:
                first, others = outputs_of(*inputs)
                return [first, *others], state
            (first, others), gradients = jax.value_and_grad(outputs_of, places, has_aux=True)(*inputs, *state)
            moved = [p - problem.rate * g for p, g in zip(state, gradients[count:], strict=True)]
            return [first, *others, *gradients[:count]], moved

        return step


class Plain(Contender):
    """A function of the problem's data: its NumPy version. State is given anew at each call."""

    def load(self) -> None:
        numpy_names()

    def function(self, case: Case, problem: Problem) -> Callable[..., Any] | None:
        """What is called."""
        return problem.oracle()

    def build(self, case: Case, problem: Problem) -> Run | None:
        function, values = self.function(case, problem), problem.values
        if function is None:
            return None
        function(*values)
        return Run(lambda: function(*values), arrays)


class Loop(Plain):
    """What a person would write with Numba: one core, the mathematics of nbgraph.dispatch.vmath."""

    needs = "numba"

    def function(self, case: Case, problem: Problem) -> Callable[..., Any] | None:
        return case.loop()


class Numexpr(Plain):
    """numexpr, where it can say the case."""

    needs = "numexpr"
    peer = True

    def function(self, case: Case, problem: Problem) -> Callable[..., Any] | None:
        import numexpr
        said = problem.numexpr
        return None if said is None else lambda *values: said(numexpr.evaluate, *values)


CONTENDERS: dict[str, type[Contender]] = {"nbgraph": Nbgraph, "numpy": Plain, "loop": Loop, "pytensor": PyTensor,
                                          "jax": Jax, "numexpr": Numexpr}


def kind_of(path: str) -> type[Contender]:
    """The class that "module:Class" names."""
    module, _, name = path.partition(":")
    found: type[Contender] = getattr(importlib.import_module(module), name)
    return found


def path_of(kind: type[Contender]) -> str:
    """module:Class"""
    return f"{kind.__module__}:{kind.__name__}"
