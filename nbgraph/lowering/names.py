"""Names in generated code: v0, v1 … for what is compiled, the user's own for what is read.

    Namer(hints).name(local)     "prediction", "prediction_1" where that is taken
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable
from typing import Any

RESERVED = frozenset({"np", "empty", "reshape", "entry", "kernel", "CheckFailed", *dir(builtins), *keyword.kwlist,
                      *keyword.softkwlist})


class Numbered:
    """v0, v1, v2 … in the order in which they are asked for: the same graph gives the same names."""

    def __init__(self) -> None:
        self._names: dict[Any, str] = {}

    def name(self, thing: Any) -> str:
        """The name of a Local or Buffer."""
        if thing not in self._names:
            self._names[thing] = f"v{len(self._names)}"
        return self._names[thing]

    def inner(self) -> Numbered:
        """Names for the inside of another function."""
        return Numbered()


class Hinted:
    """The names that things have, made identifiers, made unique."""

    def __init__(self, hints: dict[Any, str], taken: Iterable[str] = ()) -> None:
        self._hints = hints
        self._fixed = frozenset(taken)
        self._taken = set(self._fixed)
        self._names: dict[Any, str] = {}

    def name(self, thing: Any) -> str:
        """The name of a Local or Buffer."""
        if thing not in self._names:
            self._names[thing] = self._unique(self._hints.get(thing, thing.hint))
        return self._names[thing]

    def inner(self) -> Hinted:
        """Names for the inside of another function."""
        return Hinted(self._hints, self._fixed)

    def _unique(self, hint: str) -> str:
        base = identifier(hint)
        name, number = base, 0
        while name in self._taken or name in RESERVED:
            number += 1
            name = f"{base}_{number}"
        self._taken.add(name)
        return name


def identifier(text: str) -> str:
    """`text` with all that a Python name cannot have replaced."""
    cleaned = re.sub(r"\W+", "_", text).strip("_")
    return f"v{cleaned}" if not cleaned or cleaned[0].isdigit() else cleaned
