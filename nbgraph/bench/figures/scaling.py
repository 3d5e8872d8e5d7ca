"""The cost of an element for n = 1 to 10,000,000, against NumPy and against the memory of this machine.

    python -m nbgraph.bench --plot scaling.png
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nbgraph.bench.case import Case, Problem
from nbgraph.bench.cases.densities import normal_of
from nbgraph.bench.cases.elementwise import logistic
from nbgraph.bench.contenders import Nbgraph
from nbgraph.bench.turns import in_turns, steady_memory

SIZES = tuple(10 ** k for k in range(8))
Make = Callable[[np.random.Generator, int], Problem]


def axpy_of(rng: np.random.Generator, n: int) -> Problem:
    """a * x + y"""
    return Problem(lambda m, a, x, y: [a * x + y], {"a": 2.5, "x": rng.standard_normal(n), "y": rng.standard_normal(n)})


def sigmoid_of(rng: np.random.Generator, n: int) -> Problem:
    """1 / (1 + exp(-x))"""
    return Problem(logistic, {"x": rng.standard_normal(n)})


# By label: the problem, and the bytes that an element takes to and from memory.
CURVES: dict[str, tuple[Make, int]] = {"1 / (1 + exp(-x))": (sigmoid_of, 16),
                                       "normal log-density and 2 gradients": (normal_of, 8), "a * x + y": (axpy_of, 24)}


def triad_gb_per_s(n: int) -> float:
    """Gigabytes a second that all cores read and write in a[i] = b[i] + s * c[i], as STREAM counts them.

    McCalpin, Memory bandwidth and machine balance in current high performance computers, IEEE TCCA Newsletter (1995).
    """
    from numba import njit, prange

    @njit(parallel=True, error_model="numpy")
    def triad(a, b, c, s):  # type: ignore[no-untyped-def]
        for i in prange(a.size):
            a[i] = b[i] + s * c[i]

    a, b, c = np.zeros(n), np.ones(n), np.ones(n)
    us = in_turns({"triad": lambda: triad(a, b, c, 3.0)}, rounds=9, turn_s=0.05)["triad"]
    return 24 * n / us / 1e3


def measure(quick: bool) -> dict[str, Any]:
    """Nanoseconds of an element, ours and NumPy's, for each curve and size; gigabytes a second of memory."""
    sizes = SIZES[:6] if quick else SIZES
    steady_memory()
    curves = {}
    for label, (make, _) in CURVES.items():
        curves[label] = [{"n": n} | _nanoseconds(make, n, rounds=3 if quick else 9) for n in sizes]
    return {"gb_per_s": triad_gb_per_s(1_000_000 if quick else 10_000_000), "curves": curves}


def _nanoseconds(make: Make, n: int, rounds: int) -> dict[str, float]:
    problem = make(np.random.default_rng(20), n)
    case = Case("scaling", "", lambda rng: problem)
    oracle, values = problem.oracle(), problem.values
    us = in_turns({"nbgraph": Nbgraph().build(case, problem).call, "numpy": lambda: oracle(*values)}, rounds, 0.01)
    return {name: 1e3 * time / n for name, time in us.items()}


def rows(content: dict[str, Any]) -> tuple[str, list[list[str]]]:
    """A row for each curve and size."""
    body = [[label, f"{point['n']:,}", f"{point['nbgraph']:,.2f}", f"{point['numpy']:,.2f}",
             f"{point['numpy'] / point['nbgraph']:.2f}", f"{CURVES[label][1] / content['gb_per_s']:.2f}"]
            for label, points in content["curves"].items() for point in points]
    return (f"Nanoseconds of an element; memory gives {content['gb_per_s']:.1f} GB/s",
            [["what", "n", "nbgraph", "numpy", "ratio", "memory alone"], *body])


def brief(content: dict[str, Any]) -> tuple[str, list[list[str]]]:
    """A few sizes."""
    title, (head, *body) = rows(content)
    return title, [head, *(row for row in body if row[1] in ("1", "1,000", "100,000", "10,000,000"))]


def draw(content: dict[str, Any], path: str) -> None:
    """The curves as a picture."""
    figure(content).savefig(path, dpi=120)


def figure(content: dict[str, Any]) -> Any:
    """The curves: a panel for each, on logarithmic axes, with what memory allows as a line."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(4.2 * len(content["curves"]), 4), layout="constrained")
    panels: Any = np.atleast_1d(made.subplots(1, len(content["curves"]), sharey=True))
    for panel, (label, points) in zip(panels, content["curves"].items(), strict=True):
        sizes = [point["n"] for point in points]
        panel.loglog(sizes, [point["numpy"] for point in points], "o--", color="tab:gray", label="NumPy")
        panel.loglog(sizes, [point["nbgraph"] for point in points], "o-", color="tab:blue", label="nbgraph")
        panel.axhline(CURVES[label][1] / content["gb_per_s"], color="tab:red", linewidth=1,
                      label=f"memory, {content['gb_per_s']:.0f} GB/s")
        panel.set(title=label, xlabel="elements")
        panel.grid(True, which="major", alpha=0.3)
    panels[0].set_ylabel("nanoseconds an element")
    panels[0].legend()
    return made
