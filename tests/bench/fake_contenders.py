"""Contenders that workers can be made of in tests: one that is right, and those that go wrong in every way."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from nbgraph.bench.case import Case, Problem
from nbgraph.bench.contenders import Contender, Run


class Right(Contender):
    """NumPy's results; each call leaves a line in the file FAKE_LOG, where there is one."""

    compiles = True

    def environment(self, folder: str) -> dict[str, str]:
        return {"FAKE_FOLDER": folder}

    def call(self, problem: Problem) -> Any:
        """What a call does."""
        return problem.expected()

    def build(self, case: Case, problem: Problem) -> Run:
        print("noise on standard output")
        log = os.environ.get("FAKE_LOG")

        def call() -> Any:
            if log:
                with open(log, "a") as lines:
                    lines.write(f"{type(self).__name__}\n")
            return self.call(problem)

        return Run(call, list)


class Other(Right):
    """As right as Right."""


class Keeps(Right):
    """Takes half a second to build, unless it finds what it has kept."""

    def build(self, case: Case, problem: Problem) -> Run:
        kept = Path(os.environ["FAKE_FOLDER"]) / "kept"
        if not kept.exists():
            time.sleep(0.5)
            kept.touch()
        return super().build(case, problem)


class Wrong(Right):
    """Off by one."""

    def call(self, problem: Problem) -> Any:
        return [value + 1 for value in problem.expected()]


class Raises(Contender):
    """Has no import."""

    def load(self) -> None:
        raise ImportError("no such library\nat all")


class Crashes(Right):
    """Ends the process at its third call."""

    left = 2

    def call(self, problem: Problem) -> Any:
        if not self.left:
            sys.exit("out of luck")
        self.left -= 1
        return super().call(problem)


class Sleeps(Right):
    """Takes its time."""

    def load(self) -> None:
        time.sleep(60)


class Without(Contender):
    """Has no version of any case."""

    def build(self, case: Case, problem: Problem) -> None:
        return None


class Single(Right):
    """A peer that computes in 32 bits."""

    peer = True

    def call(self, problem: Problem) -> Any:
        return [np.float32(value) for value in problem.expected()]
