"""The process of one contender: it builds one case, and then times it whenever it is asked.

    python -m nbgraph.bench.worker nbgraph.bench.contenders:Jax normal
    {"ask": "build"}             ->  {"import_s": 0.9, "start_s": 0.1, "build_s": 0.2}
    {"ask": "check"}             ->  {"error": 1e-15, "tolerance": 1e-09}
    {"ask": "time", "calls": 20} ->  {"seconds": 0.004}

A line of JSON for each line of JSON; {"failure": "..."} for what raised. Between requests it waits for the next line.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
import timeit
from collections.abc import Callable, Iterable
from typing import Any, TextIO

from nbgraph.bench.agreement import disagreement
from nbgraph.bench.case import Case, Problem
from nbgraph.bench.cases import CASES
from nbgraph.bench.contenders import Contender, Run, kind_of
from nbgraph.bench.turns import steady_memory

Answer = dict[str, Any]


def elapsed(action: Callable[[], Any]) -> tuple[Any, float]:
    """(what it gives, seconds)."""
    start = time.perf_counter()
    given = action()
    return given, time.perf_counter() - start


class Worker:
    """Answers requests about one contender and one case."""

    def __init__(self, contender: Contender, case: Case) -> None:
        self.contender, self.case = contender, case
        self.problem: Problem = case.problem()
        steady_memory()
        self.run: Run | None = None
        self.first: Any = None

    def build(self) -> Answer:
        """Import, a first compile, then the case: `build_s` is from the formula to the first result."""
        _, import_s = elapsed(self.contender.load)
        _, start_s = elapsed(self.contender.prepare)

        def first_result() -> None:
            self.run = self.contender.build(self.case, self.problem)
            self.first = self.run.call() if self.run else None

        _, build_s = elapsed(first_result)
        if self.run is None:
            return {"absent": True}
        return {"import_s": import_s, "start_s": start_s, "build_s": build_s}

    def check(self) -> Answer:
        """How far the first results are from NumPy's; an error of null stands for infinity."""
        assert self.run is not None, "asked to check before it was built"
        found = self.run.results(self.first)
        error = disagreement(found, self.problem.expected(), strict=not self.contender.peer)
        return {"error": error if math.isfinite(error) else None, "tolerance": self.problem.tolerance}

    def time(self, calls: int) -> Answer:
        """Seconds of so many calls, after one that is not counted."""
        assert self.run is not None, "asked to time before it was built"
        self.run.call()
        return {"seconds": timeit.timeit(self.run.call, number=calls)}


def serve(worker: Callable[[], Worker], requests: Iterable[str], answers: TextIO) -> None:
    """Answer line by line until there are no more; the worker is made at the first one."""
    made: Worker | None = None
    for line in requests:
        request = json.loads(line)
        try:
            made = made or worker()
            answer = getattr(made, request.pop("ask"))(**request)
        except Exception as error:
            answer = {"failure": f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main(path: str, case: str) -> None:
    """Serve standard input; what libraries print goes to standard error."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        serve(lambda: Worker(kind_of(path)(), CASES[case]), sys.stdin, answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
