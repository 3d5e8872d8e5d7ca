"""Cases measured side by side: nbgraph, NumPy, a hand-written loop and the peers, each in processes of its own.

    judge(CASES["normal"], names, Effort())  ->  Verdict(ratio=9.1, loop_ratio=1.4, ...)

For each case and contender: a process with an empty cache compiles it, a second one compiles it again with what the
first has kept, checks it against NumPy, and is timed in turns with the others. All use their defaults, all cores
among them; each process has freed a large array beforehand (`steady_memory`).
"""

from __future__ import annotations

import contextlib
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from nbgraph.bench.case import Case
from nbgraph.bench.contenders import CONTENDERS, Contender, kind_of, path_of
from nbgraph.bench.crew import Hired, WorkerFailure, hired, race

OURS = "nbgraph"


@dataclass
class Entry:
    """A contender at a case; None where it could not be measured.

    us, low_us, high_us, best_us : a call: median, quartiles and least of the rounds
    cold_ms, warm_ms : from the formula to the first result, with an empty and with a full cache, each in a process that
        has compiled something before
    import_ms, start_ms : of that first compile, and of the import, in the warm process
    error : largest relative error against NumPy
    failure : why it is not measured, or not right
    """

    us: float | None = None
    low_us: float | None = None
    high_us: float | None = None
    best_us: float | None = None
    cold_ms: float | None = None
    warm_ms: float | None = None
    import_ms: float | None = None
    start_ms: float | None = None
    error: float | None = None
    failure: str | None = None

    @property
    def spread(self) -> float | None:
        """The distance of the quartiles, as a share of the median."""
        return (self.high_us - self.low_us) / self.us if self.us and self.low_us and self.high_us else None


@dataclass
class Verdict:
    """A case, measured: an entry for each contender that has it."""

    name: str
    about: str = ""
    entries: dict[str, Entry] = field(default_factory=dict)

    @property
    def best_peer(self) -> str | None:
        """The fastest library that a user could take instead."""
        times = {name: entry.us for name, entry in self.entries.items()
                 if name in CONTENDERS and CONTENDERS[name].peer and entry.us}
        return min(times, key=lambda name: times[name]) if times else None

    @property
    def ratio(self) -> float | None:
        """How many times faster than the best peer we are."""
        return None if self.best_peer is None else self.ratio_to(self.best_peer)

    def ratio_to(self, name: str) -> float | None:
        """How many times faster than this contender we are."""
        ours, other = self.entries.get(OURS, Entry()).us, self.entries.get(name, Entry()).us
        return other / ours if ours and other else None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Verdict:
        """From what `as_dict` gave."""
        entries = {name: Entry(**entry) for name, entry in given["entries"].items()}
        return cls(given["name"], given["about"], entries)


@dataclass(frozen=True)
class Effort:
    """How much is measured: rounds, seconds of each turn, and whether to compile with an empty cache first."""

    rounds: int = 15
    turn_s: float = 0.02
    cold: bool = True


def judge(case: Case, contenders: Mapping[str, str], effort: Effort = Effort(),
          tell: Callable[[str], None] = lambda name: None) -> Verdict:
    """Measure one case; `contenders` are "module:Class" by name, and `tell` hears who is being built."""
    verdict = Verdict(case.name, case.about)
    with contextlib.ExitStack() as stack:
        workers: dict[str, Hired] = {}
        for name, path in contenders.items():
            tell(name)
            entry = Entry()
            try:
                worker = _ready(stack, case, path, kind_of(path), effort, entry)
                if worker is None:
                    continue
                workers[name] = worker
            except WorkerFailure as failure:
                entry.failure = str(failure)
            verdict.entries[name] = entry
        times, failures = race(workers, effort.rounds, effort.turn_s)
    for name, seconds in times.items():
        entry = verdict.entries[name]
        entry.low_us, entry.us, entry.high_us = quartiles([1e6 * s for s in seconds])
        entry.best_us = 1e6 * min(seconds)
    for name, reason in failures.items():
        verdict.entries[name].failure = reason
    return verdict


def installed(names: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """(paths of those that are installed, names of the others)."""
    there = {name: path_of(CONTENDERS[name]) for name in names if CONTENDERS[name].version() is not None}
    return there, [name for name in names if name not in there]


def _ready(stack: contextlib.ExitStack, case: Case, path: str, kind: type[Contender], effort: Effort,
           entry: Entry) -> Hired | None:
    """A worker that has built the case and agrees with NumPy; None where its library has no version of the case."""
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="nbgraph-bench-"))
    variables = kind().environment(folder)
    if effort.cold and kind.compiles:
        with hired(path, case.name, variables) as first:
            entry.cold_ms = 1e3 * first.ask("build")["build_s"]
    worker = stack.enter_context(hired(path, case.name, variables))
    built = worker.ask("build")
    if "absent" in built:
        return None
    entry.import_ms, entry.start_ms = 1e3 * built["import_s"], 1e3 * built["start_s"]
    entry.warm_ms = 1e3 * built["build_s"] if kind.compiles else None
    checked = worker.ask("check")
    entry.error = checked["error"]
    if entry.error is None or entry.error > checked["tolerance"]:
        how = "in shape or dtype" if entry.error is None else f"by {entry.error:.1e}"
        raise WorkerFailure(f"differs from NumPy {how} (allowed {checked['tolerance']:.0e})")
    return worker


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """First quartile, median, third quartile."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high
