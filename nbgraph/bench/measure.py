"""One case measured: compiled with an empty cache, checked against NumPy, timed.

    measure(CASES["sigmoid"], mode="FAST_RUN", budget_s=0.1)  ->  Measurement(nodes=1, ...)

Nothing is timed before it agrees with NumPy.
"""

from __future__ import annotations

import math
import time
import timeit
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.bench.case import Case, Problem
from nbgraph.compile.function import Function, function


@dataclass
class Measurement:
    """What is known of a case; None where it could not be measured.

    nodes, kernels, calls : of the graph that runs; kernel and library calls of its program
    cold_ms, warm_ms : that `function` takes, with an empty cache and in a new process with a full one
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


def prepare(mode: str) -> None:
    """Pay for what the first function of a process costs: imports, registries."""
    x = nt.dscalar("x")
    function([x], x + 1, mode=mode)(1.0)


def build(case: Case, mode: str) -> tuple[Problem, Function, float]:
    """The problem, its function, and the milliseconds that `function` took."""
    problem = case.problem()
    start = time.perf_counter()
    compiled = function(problem.inputs, list(problem.outputs), updates=problem.updates, mode=mode, name=case.name)
    return problem, compiled, (time.perf_counter() - start) * 1e3


def measure(case: Case, mode: str, budget_s: float) -> Measurement:
    """All but the warm compile time; `budget_s` is how long each of the two timings may take."""
    found = Measurement(case.name)
    problem, compiled, found.cold_ms = build(case, mode)
    found.nodes = len(compiled.maker.fgraph)
    found.kernels, found.calls = _sizes(compiled)
    found.error = disagreement(problem, compiled)
    if not found.error <= problem.tolerance:
        found.failure = f"differs from NumPy by {found.error:.1e} (allowed {problem.tolerance:.0e})"
        return found
    found.us = microseconds(lambda: compiled(*problem.values), budget_s)
    found.numpy_us = microseconds(lambda: problem.numpy(*problem.values), budget_s)
    return found


def _sizes(compiled: Function) -> tuple[int | None, int | None]:
    """Kernels and library calls; None where the function has no program."""
    program = compiled.stages.program
    if program is None:
        return None, None
    from nbgraph.lowering.program import CallLibrary  # reference mode does without lowering
    return len(program.kernels), sum(isinstance(s, CallLibrary) for s in program.statements)


def disagreement(problem: Problem, compiled: Callable[..., Sequence[Any]]) -> float:
    """The largest relative error over outputs and updated values; infinity where shapes or dtypes differ."""
    given = compiled(*problem.values)
    ours = [*given, *(variable.get_value() for variable, _ in problem.updates)]
    theirs = [np.asarray(value) for value in problem.numpy(*problem.values)]
    assert len(ours) == len(theirs), "the NumPy version gives another number of results"
    return max(relative_error(a, b) for a, b in zip(ours, theirs, strict=True))


def relative_error(ours: np.ndarray, theirs: np.ndarray) -> float:
    """max |ours - theirs| / max |theirs|; infinity for another shape, dtype, or NaN in one of them only."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return math.inf
    if ours.dtype == bool:
        return 0.0 if np.array_equal(ours, theirs) else math.inf
    if not np.array_equal(np.isnan(ours), np.isnan(theirs)):
        return math.inf
    difference = float(np.nanmax(np.abs(ours - theirs), initial=0.0))
    size = float(np.nanmax(np.abs(theirs), initial=0.0))
    return difference / size if size else (0.0 if difference == 0 else math.inf)


def microseconds(call: Callable[[], Any], budget_s: float) -> float:
    """The best of several timings of one call."""
    once = max(timeit.timeit(call, number=1), 1e-7)
    number = max(1, int(budget_s / 7 / once))
    if number > 1:
        once = timeit.timeit(call, number=number) / number
        number = max(1, int(budget_s / 7 / once))
    repeats = max(2, min(7, int(budget_s / (number * once))))
    return min(timeit.repeat(call, number=number, repeat=repeats)) / number * 1e6
