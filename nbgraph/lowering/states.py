"""States: which values of a native function are generators of random numbers, as arrays of words."""

from __future__ import annotations

from dataclasses import dataclass, field

Kinds = tuple[str | None, ...]  # of the bit generators of a call's values


@dataclass(frozen=True)
class States:
    """Which values of a call are generators that native code takes as arrays of words.

    Attributes
    ----------
    inputs : dict     position of an input -> the kind of its bit generator
    outputs : dict    position of an output -> position of the input whose generator goes on there
    """

    inputs: dict[int, str] = field(default_factory=dict)
    outputs: dict[int, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.inputs)
