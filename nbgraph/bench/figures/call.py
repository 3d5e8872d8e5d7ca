"""What a call costs beside its work: the sum of 1 to 10 vectors of length 5.

    inputs   positional   keyword   trust_input   entry point alone       microseconds

The work of such a call is a few nanoseconds and an allocation, so the whole of it is nearly all overhead. The entry
point is the compiled function itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add
from sys import intern
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.bench.turns import in_turns
from nbgraph.compile.function import function

COUNTS = (1, 2, 5, 10)


def ways(count: int) -> dict[str, Callable[[], Any]]:
    """The ways of calling a function of so many inputs."""
    names = [intern(f"x{i}") for i in range(count)]  # as names that stand in a call are
    variables = nt.dvectors(names) if count > 1 else [nt.dvector(names[0])]
    checked = function(variables, reduce(add, variables) + 1.0)
    trusting = checked.copy()
    trusting.trust_input = True
    values = [np.arange(5.0) + i for i in range(count)]
    by_name = dict(zip(names, values, strict=True))
    executor = checked.maker.executor
    return {"positional": lambda: checked(*values), "keyword": lambda: checked(**by_name),  # type: ignore[arg-type]
            "trust_input": lambda: trusting(*values),
            "entry point": lambda: executor.entry(*values, *executor.constants)}


def measure(quick: bool) -> list[dict[str, Any]]:
    """Microseconds of a call, for each number of inputs."""
    return [{"inputs": count} | in_turns(ways(count), rounds=5 if quick else 25, turn_s=0.01) for count in COUNTS]


def rows(content: list[dict[str, Any]]) -> tuple[str, list[list[str]]]:
    """A row for each number of inputs; the goal is 1 us and 0.1 us an argument."""
    ways_of_calling = list(content[0])[1:]
    body = [[f"{entry['inputs']:.0f}", *(f"{entry[way]:.2f}" for way in ways_of_calling),
             f"{1 + 0.1 * entry['inputs']:.1f}"] for entry in content]
    return "Microseconds of a call that adds vectors of length 5", [["inputs", *ways_of_calling, "goal"], *body]
