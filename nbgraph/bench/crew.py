"""The other end of the workers' pipes: start a worker, ask it, and let several take turns.

    with hired("nbgraph.bench.contenders:Jax", "normal", {}) as jax:
        jax.ask("build")["build_s"]
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from typing import IO, Any

# Seconds that any one answer may take.
PATIENCE_S = 600.0
# Seconds between two timings: threads of the one before have then stopped spinning for work.
SETTLE_S = 0.03


class WorkerFailure(Exception):
    """A worker that raised, crashed or took too long; the message says which."""


class Hired:
    """A worker process that waits for requests."""

    def __init__(self, process: subprocess.Popen[str], errors: IO[str], patience_s: float) -> None:
        self.process, self.errors, self.patience_s = process, errors, patience_s

    def ask(self, request: str, **details: Any) -> dict[str, Any]:
        """The answer to one request.

        Raises
        ------
        WorkerFailure   it answered with a failure, ended, or did not answer within `patience_s` seconds
        """
        assert self.process.stdin is not None and self.process.stdout is not None
        timer = threading.Timer(self.patience_s, self.process.kill)
        timer.start()
        try:
            self.process.stdin.write(json.dumps({"ask": request, **details}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        waiting = timer.is_alive()
        timer.cancel()
        if not line:
            raise WorkerFailure(self._end() if waiting else f"no answer within {self.patience_s:g} s")
        answer: dict[str, Any] = json.loads(line)
        if "failure" in answer:
            raise WorkerFailure(answer["failure"])
        return answer

    def _end(self) -> str:
        status = self.process.wait()
        self.errors.seek(0)
        said = self.errors.read().strip().splitlines()
        return f"ended with status {status}" + (f": {said[-1]}" if said else "")


@contextlib.contextmanager
def hired(contender: str, case: str, environment: Mapping[str, str], patience_s: float = PATIENCE_S) -> Iterator[Hired]:
    """A new process with these variables beside ours; it ends with the block."""
    command = [sys.executable, "-m", "nbgraph.bench.worker", contender, case]
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
                                   env=os.environ | environment)
        try:
            yield Hired(process, errors, patience_s)
        finally:
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()  # type: ignore[union-attr]  # both are pipes
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def race(workers: Mapping[str, Hired], rounds: int, turn_s: float) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Seconds of a call in each round, and failures, by name.

    In every round each worker has a turn of about `turn_s` seconds, and another one begins: noise hits all alike.
    """
    found: dict[str, list[float]] = {}
    failures: dict[str, str] = {}
    calls: dict[str, int] = {}
    for turn in range(-1, rounds):
        names = [name for name in workers if name not in failures]
        start = turn % len(names) if names else 0
        for name in names[start:] + names[:start]:
            try:
                time.sleep(SETTLE_S)
                if turn < 0:
                    calls[name] = _calls_of(workers[name], turn_s)
                else:
                    seconds = workers[name].ask("time", calls=calls[name])["seconds"]
                    found.setdefault(name, []).append(seconds / calls[name])
            except WorkerFailure as failure:
                failures[name] = str(failure)
                found.pop(name, None)
    return found, failures


def _calls_of(worker: Hired, turn_s: float) -> int:
    """How many calls take about `turn_s` seconds."""
    calls = 1
    for _ in range(3):
        seconds = max(worker.ask("time", calls=calls)["seconds"], 1e-7)
        if seconds > turn_s / 2:
            break
        calls = max(1, int(calls * min(turn_s / seconds, 1000)))
    return calls
