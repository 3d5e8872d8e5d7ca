"""Random numbers: a million draws and their mean, beside NumPy's draws alone.

    distribution   nbgraph   NumPy's draws   and their mean   ratio          milliseconds

nbgraph's are drawn and added up in one loop, from the same state, and are the same numbers. The ratio is that to the
draws alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nbgraph.bench.turns import in_turns
from nbgraph.compile.function import function
from nbgraph.compile.shared import shared
from nbgraph.tensor.random import basic

COUNT = 1_000_000
PARAMETERS: dict[str, tuple[Any, ...]] = {
    "uniform": (0.0, 1.0), "normal": (0.0, 1.0), "exponential": (1.0,), "gamma": (2.5, 1.0), "beta": (2.0, 3.0),
    "standard_t": (5.0,), "laplace": (0.0, 1.0), "lognormal": (0.0, 1.0), "weibull": (1.5,), "vonmises": (0.5, 3.0),
    "poisson": (3.5,), "binomial": (20, 0.3), "geometric": (0.3,), "integers": (0, 1000)}


def ways(name: str, count: int) -> dict[str, Callable[[], Any]]:
    """The same draws by nbgraph and by NumPy."""
    rng, parameters = shared(np.random.default_rng(7)), PARAMETERS[name]
    x = getattr(basic, name)(*parameters, size=count, rng=rng)
    mean = function([], x.mean(), updates=[x.update])
    numpys = getattr(np.random.default_rng(7), name)
    np.testing.assert_allclose(mean(), numpys(*parameters, size=count).mean(), rtol=1e-12)
    return {"nbgraph": mean, "NumPy's draws": lambda: numpys(*parameters, size=count),
            "and their mean": lambda: numpys(*parameters, size=count).mean()}


def measure(quick: bool) -> list[dict[str, Any]]:
    """Milliseconds of a million draws, for each distribution."""
    found = []
    for name in ("normal", "poisson") if quick else PARAMETERS:
        times = in_turns(ways(name, COUNT // 100 if quick else COUNT), rounds=5 if quick else 15, turn_s=0.01)
        found.append({"distribution": name} | {way: us / 1e3 for way, us in times.items()})
    return found


def rows(content: list[dict[str, Any]]) -> tuple[str, list[list[str]]]:
    """A row for each distribution; the goal is a ratio of at most 1.1 for normal numbers."""
    head = [*content[0], "ratio"]
    body = [[entry["distribution"], *(f"{entry[way]:.2f}" for way in head[1:-1]),
             f"{entry['nbgraph'] / entry[head[2]]:.2f}"] for entry in content]
    return "Milliseconds of a million draws and their mean", [head, *body]
