"""ProfileStats: what calls of functions took, kernel by kernel.

    f = function([x, y], cost, updates=…, profile=True)
    f(a, b)
    f.profile.summary()         a table
    f.profile.plot()            a bar chart

The code that is timed is the code that ships, with readings of the clock around its kernels and library calls
(`lowering.timing`). Around each call stand two more; what profiling itself does after a call is not counted, nor is a
call that raises. Without a profile nothing of this is there.
"""

from __future__ import annotations

import html
import sys
import threading
from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np

from nbgraph.compile.profile_text import report
from nbgraph.config import config
from nbgraph.graph.timeline import Timeline, Work

KEPT = 1000  # different lengths of which a function remembers the calls, before it works out what they did
NOTHING = Work(0, 0, 0)


@dataclass(frozen=True)
class ProfileRow:
    """What one kernel, library call, check of an array or node did in all calls.

    Attributes
    ----------
    function : str         name of the function
    kind : "kernel", "library", "check" or, in reference mode, "node"
    name : str             as in `f.source`: "fused_0", "gemm";  what : what it computes;  line : where that was written
    calls : int
    seconds : float        wall time; all threads that share the work are waited for
    read_bytes, written_bytes : int or None      of arrays, each element once however often a kernel comes back to it
    flops : int or None    `Op.flops` of the nodes that it computes: a term of a product counts two operations, an
                           element of a sum or of any scalar function one, exp and + alike
                           None: lengths are not known
    """

    function: str
    kind: str
    name: str
    what: str
    line: str
    calls: int
    seconds: float
    read_bytes: int | None
    written_bytes: int | None
    flops: int | None

    @property
    def gb_per_s(self) -> float | None:
        """10**9 bytes read or written in a second."""
        if self.read_bytes is None or self.written_bytes is None:
            return None
        return _rate(self.read_bytes + self.written_bytes, self.seconds)

    @property
    def gflop_per_s(self) -> float | None:
        """10**9 operations in a second."""
        return _rate(self.flops, self.seconds)


def _rate(amount: int | None, seconds: float) -> float | None:
    return None if amount is None or seconds <= 0 else amount / seconds / 1e9


class CallStats:
    """Calls of one function: how many, how long, what each reading of the clock and each length was.

    Attributes
    ----------
    name : str
    calls : int
    seconds, native_seconds : float     of all calls; from the first reading of the clock inside to the last
    """

    def __init__(self, name: str, timeline: Timeline) -> None:
        self.name, self.timeline = name, timeline
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self.calls, self._ns = 0, 0
            self._between = np.zeros(self.timeline.readings - 1, np.int64)
            self._lengths: dict[bytes, int] = {}
            self._done: list[Work] | None = None

    def add(self, record: np.ndarray, nanoseconds: int) -> None:
        """One more call, with what the executor has recorded, and what all of it took."""
        readings = self.timeline.readings
        between = record[1:readings] - record[:readings - 1]  # np.diff takes two microseconds more
        lengths = record[readings:].tobytes()
        with self._lock:
            self.calls += 1
            self._ns += nanoseconds
            self._between += between
            self._lengths[lengths] = self._lengths.get(lengths, 0) + 1
            if len(self._lengths) > KEPT:
                self._work_out()

    def _work_out(self) -> list[Work] | None:
        """What each stretch has done in all calls; None before the first."""
        for lengths, calls in self._lengths.items():
            works = self.timeline.work(np.frombuffer(lengths, np.int64).tolist())
            before = [NOTHING] * len(works) if self._done is None else self._done
            self._done = [_more(work, calls, done) for work, done in zip(works, before, strict=True)]
        self._lengths.clear()
        return self._done

    @property
    def seconds(self) -> float:
        return self._ns / 1e9

    @property
    def native_seconds(self) -> float:
        return float(self._between.sum()) / 1e9

    def rows(self) -> list[ProfileRow]:
        """A row for each stretch of the timeline."""
        stretches = self.timeline.stretches()
        with self._lock:
            done = self._work_out() or [NOTHING] * len(stretches)
            return [ProfileRow(self.name, s.kind, s.name, s.what, s.line, self.calls,
                               float(self._between[s.begin:s.end].sum()) / 1e9, work.read_bytes, work.written_bytes,
                               work.flops) for s, work in zip(stretches, done, strict=True)]


def _more(work: Work, calls: int, done: Work) -> Work:
    def total(one: int | None, before: int | None) -> int | None:
        return None if one is None or before is None else before + calls * one

    return Work(total(work.read_bytes, done.read_bytes), total(work.written_bytes, done.written_bytes),
                total(work.flops, done.flops))


class ProfileStats:
    """What calls took: of one function, or of all that were given the same instance.

    A pickle or a copy of it is an empty one: times belong to the process that measured them.

    Attributes
    ----------
    calls : int
    seconds : float              wall time of all calls: from arguments to results, updates stored
    native_seconds : float       time inside the compiled function; in reference mode between the first and last node
    rest_seconds : float         of it, what is in no row: memory, lengths, scalars, readings of the clock
    overhead : float             share of the wall time that is outside: Python, conversions, boxed results; 0 to 1
    rows : list of ProfileRow    the longest first
    stages : dict                what making the functions took, stage by stage in seconds

    Examples
    --------
    >>> import nbgraph, nbgraph.tensor as nt
    >>> x = nt.dvector("x")
    >>> f = nbgraph.function([x], nt.exp(x).sum(), profile=True)
    >>> f([1.0, 2.0]), f([3.0])
    (array(10.10733793), array(20.08553692))
    >>> f.profile.calls, [row.flops for row in f.profile.rows]
    (2, [6])
    """

    def __init__(self) -> None:
        self._functions: dict[tuple[str, Any], CallStats] = {}
        self._stages: dict[Any, dict[str, float]] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return ProfileStats, ()

    def of(self, name: str | None, maker: Any, executor: Any) -> CallStats:
        """Where calls that run `executor` are counted under this name."""
        key = name or "function", executor
        with self._lock:
            whole = executor is maker.executor
            self._stages.setdefault(executor, maker.stage_seconds() if whole else executor.stage_seconds)
            return self._functions.setdefault(key, CallStats(key[0], executor.timeline))

    @property
    def functions(self) -> list[CallStats]:
        """The functions, in the order in which they were made."""
        with self._lock:
            return list(self._functions.values())

    @property
    def calls(self) -> int:
        return sum(f.calls for f in self.functions)

    @property
    def seconds(self) -> float:
        return sum(f.seconds for f in self.functions)

    @property
    def native_seconds(self) -> float:
        return sum(f.native_seconds for f in self.functions)

    @property
    def rest_seconds(self) -> float:
        return self.native_seconds - sum(row.seconds for row in self.rows)

    @property
    def overhead(self) -> float:
        return 1 - self.native_seconds / self.seconds if self.seconds else 0.0

    @property
    def rows(self) -> list[ProfileRow]:
        found = [row for f in self.functions for row in f.rows()]
        return sorted(found, key=lambda row: row.seconds, reverse=True)

    @property
    def stages(self) -> dict[str, float]:
        total: dict[str, float] = {}
        with self._lock:
            for seconds in self._stages.values():
                for stage, value in seconds.items():
                    total[stage] = total.get(stage, 0.0) + value
        return total

    def clear(self) -> None:
        """Forget all calls, such as those that warmed up; what compiling took stays."""
        for f in self.functions:
            f.clear()

    def __str__(self) -> str:
        return report(self)

    def __repr__(self) -> str:
        return f"<profile of {', '.join(f.name for f in self.functions) or 'no function'}: {self.calls} calls, " \
               f"{1e3 * self.seconds:.3g} ms>"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"

    def summary(self, file: TextIO | None = None) -> None:
        """Print the table to `file` (default: sys.stdout); `str(profile)` is the same text."""
        print(self, file=sys.stdout if file is None else file)

    def plot(self, ax: Any = None, most: int = 20) -> Any:
        """A horizontal bar chart: microseconds of a call for each row, the longest on top.

        Parameters
        ----------
        ax : matplotlib Axes, optional      default: of a new figure
        most : int                          bars for at most so many rows

        Returns
        -------
        Axes

        Raises
        ------
        ImportError   matplotlib is not installed
        """
        from nbgraph.compile.profile_chart import draw  # matplotlib is for those who draw
        return draw(self, ax, most)


def profile_of(profile: Any) -> ProfileStats | None:
    """What the keyword `profile` stands for.

    Raises
    ------
    TypeError   neither a bool nor None nor a ProfileStats
    """
    if profile is None:
        profile = config.profile
    if isinstance(profile, bool):
        return ProfileStats() if profile else None
    if not isinstance(profile, ProfileStats):
        raise TypeError(f"profile must be None, True, False or a ProfileStats, got {profile!r}")
    return profile

