"""One case measured in this process: compiled with an empty cache, checked against NumPy, timed.

    measure(CASES["sigmoid"], mode="FAST_RUN", budget_s=0.1)  ->  Measurement(nodes=1, ...)

Nothing is timed before it agrees with NumPy. `peers.py` compares with other libraries.
"""

from __future__ import annotations

import time
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nbgraph.bench.agreement import disagreement
from nbgraph.bench.case import Case, Problem
from nbgraph.bench.contenders import Nbgraph, Run
from nbgraph.compile.function import Function


@dataclass
class Measurement:
    """What is known of a case; None where it could not be measured.

    nodes, kernels, calls : of the graph that runs; kernel and library calls of its program
    cold_ms, warm_ms : from the formula to the function, with an empty cache and in a new process with a full one
    us, numpy_us : a call
    error : largest relative error against NumPy
    failure : why the case did not pass
    """

    name: str
    nodes: int | None = None
    kernels: int | None = None
    calls: int | None = None
    cold_ms: float | None = None
    warm_ms: float | None = None
    us: float | None = None
    numpy_us: float | None = None
    error: float | None = None
    failure: str | None = None

    @property
    def ratio(self) -> float | None:
        """How many times faster than NumPy."""
        return self.numpy_us / self.us if self.us and self.numpy_us else None


@dataclass(frozen=True)
class Built:
    """A case's data, its function, how to run it, and the milliseconds that building took."""

    problem: Problem
    function: Function
    run: Run
    ms: float


def build(case: Case, mode: str) -> Built:
    """The case, compiled."""
    problem, ours = case.problem(), Nbgraph(mode)
    start = time.perf_counter()
    function, state = ours.function(case, problem)
    ms = (time.perf_counter() - start) * 1e3
    return Built(problem, function, ours.run(problem, function, state), ms)


def error_of(built: Built) -> float:
    """The relative error of a first call."""
    return disagreement(built.run.results(built.run.call()), built.problem.expected())


def measure(case: Case, mode: str, budget_s: float) -> Measurement:
    """All but the warm compile time; `budget_s` is how long each of the two timings may take."""
    found = Measurement(case.name)
    built = build(case, mode)
    found.cold_ms = built.ms
    found.nodes = len(built.function.maker.fgraph)
    found.kernels, found.calls = _sizes(built.function)
    found.error = error_of(built)
    problem, oracle = built.problem, built.problem.oracle()
    if not found.error <= problem.tolerance:
        found.failure = f"differs from NumPy by {found.error:.1e} (allowed {problem.tolerance:.0e})"
        return found
    found.us = microseconds(built.run.call, budget_s)
    found.numpy_us = microseconds(lambda: oracle(*problem.values), budget_s)
    return found


def _sizes(compiled: Function) -> tuple[int | None, int | None]:
    """Kernels and library calls; None where the function has no program."""
    program = compiled.stages.program
    if program is None:
        return None, None
    from nbgraph.lowering.program import CallLibrary  # reference mode does without lowering
    return len(program.kernels), sum(isinstance(s, CallLibrary) for s in program.statements)


def microseconds(call: Callable[[], Any], budget_s: float) -> float:
    """The best of several timings of one call."""
    once = max(timeit.timeit(call, number=1), 1e-7)
    number = max(1, int(budget_s / 7 / once))
    if number > 1:
        once = timeit.timeit(call, number=number) / number
        number = max(1, int(budget_s / 7 / once))
    repeats = max(2, min(7, int(budget_s / (number * once))))
    return min(timeit.repeat(call, number=number, repeat=repeats)) / number * 1e6
