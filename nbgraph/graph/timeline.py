"""Timeline: what a record of a call means, whoever runs the graph.

    record = [0, 40, 90, 95 | 1000, 30]      four readings of a clock in nanoseconds, then two lengths
    stretches                                gemv, from reading 1 to 2:  50 ns
    work([1000, 30])                         gemv:  240 kB read, 8 kB written, 60,000 operations

A record is an int64 array that belongs to one call alone, so threads may call at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nbgraph.graph.basic import Apply

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Stretch:
    """Something that is timed.

    kind : "kernel", "library", "check" or "node"
    name : what it is called in the generated source, or the Op
    what : what it computes, in the user's names;  line : where that was written, or nothing
    begin, end : numbers of the readings of the clock before and after it
    """

    kind: str
    name: str
    what: str
    line: str
    begin: int
    end: int


@dataclass(frozen=True)
class Work:
    """What a stretch does in one call: bytes of the arrays that it reads and writes, operations; None: not known."""

    read_bytes: int | None
    written_bytes: int | None
    flops: int | None


class Timeline(Protocol):
    """What the record of a call means.

    Attributes
    ----------
    readings : int     how many of the record's first numbers are readings of the clock; lengths follow
    size : int         of the record
    """

    @property
    def readings(self) -> int: ...
    @property
    def size(self) -> int: ...
    def stretches(self) -> Sequence[Stretch]:
        """What is timed, in order."""
    def work(self, lengths: Sequence[int]) -> Sequence[Work]:
        """What each stretch does in a call that left these lengths in its record."""


def flops_of(node: Apply, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    """What the Op's `flops(inputs, outputs)` says of these shapes; 0 where it has none, such as one that moves data."""
    return int(node.op.flops(list(inputs), list(outputs))) if hasattr(node.op, "flops") else 0
