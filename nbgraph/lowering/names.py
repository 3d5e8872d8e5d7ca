"""Names in generated code: v0, v1 … for what is compiled, the user's own for what is read.

    Hinted(hints).name(local)     "prediction", "prediction_1" where that is taken
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

RESERVED = frozenset({"np", "empty", "reshape", "entry", "kernel", "CheckFailed", *dir(builtins), *keyword.kwlist,
                      *keyword.softkwlist})
LONGEST = 40  # characters of a name


class Numbered:
    """v0, v1, v2 … in the order in which they are asked for: the same graph gives the same names."""

    def __init__(self) -> None:
        self._names: dict[Any, str] = {}
        self._next = 0

    def name(self, thing: Any) -> str:
        """The name of a Local or Buffer."""
        if thing not in self._names:
            self._names[thing] = f"v{self._next}"
            self._next += 1
        return self._names[thing]

    def share(self, thing: Any, other: Any) -> bool:
        """Give a thing the name of another one whose memory it takes; True, as no statement need say so."""
        self._names[thing] = self.name(other)
        return True

    def inner(self) -> Numbered:
        """Names for the inside of another function."""
        return Numbered()


class Hinted:
    """The names that things have, made identifiers, made unique.

    Parameters
    ----------
    hints : for a Local or Buffer a name, or several: the first that is free; else its own hint
    taken : names that stand for something else
    """

    def __init__(self, hints: Mapping[Any, str | Sequence[str]], taken: Iterable[str] = ()) -> None:
        self._hints = hints
        self._fixed = frozenset(taken)
        self._taken = set(self._fixed | RESERVED)
        self._names: dict[Any, str] = {}
        self._free: dict[str, list[str]] = {}  # hint -> names that nothing has any more

    def name(self, thing: Any) -> str:
        """The name of a Local or Buffer."""
        if thing not in self._names:
            hint = self._hints.get(thing, thing.hint)
            self._names[thing] = self.new(*([hint] if isinstance(hint, str) else hint))
        return self._names[thing]

    def share(self, thing: Any, other: Any) -> bool:
        """The same, where both would have that name; else False: each has a name that tells what it is."""
        if self._hints.get(thing, thing.hint) != self._hints.get(other, other.hint):
            return False
        self._names[thing] = self.name(other)
        return True

    def new(self, *hints: str) -> str:
        """A name that nothing has: one of the hints, or the first with a number."""
        names = [identifier(hint) for hint in hints]
        chosen = next((name for name in names if name not in self._taken), "")
        number = 0
        while not chosen or chosen in self._taken:
            number += 1
            chosen = f"{names[0]}_{number}"
        self._taken.add(chosen)
        return chosen

    def borrow(self, thing: Any) -> None:
        """Give a thing a name that another one with its hint has given back, if there is one."""
        free = self._free.get(thing.hint)
        if free and thing not in self._names:
            self._names[thing] = free.pop()

    def give_back(self, thing: Any) -> None:
        """The thing is not named again: others may have its name."""
        self._free.setdefault(thing.hint, []).append(self.name(thing))

    def inner(self, outer: Iterable[Any] = ()) -> Hinted:
        """Names for the inside of another function, where the things of `outer` keep theirs."""
        inner = Hinted(self._hints, self._fixed)
        for thing in outer:
            inner._names[thing] = self.name(thing)
            inner._taken.add(inner._names[thing])
        return inner


def identifier(text: str) -> str:
    """`text` with all that a Python name cannot have replaced."""
    # Python reads names in this form, in which two that look different may be the same.
    cleaned = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", text)).strip("_")[:LONGEST]
    if cleaned.isidentifier():
        return cleaned
    plain = re.sub(r"[^0-9A-Za-z_]+", "_", cleaned).strip("_")
    return plain if plain.isidentifier() else f"v{plain}"
