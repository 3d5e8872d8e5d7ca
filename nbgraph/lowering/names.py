"""Names in generated code: v0, v1 … for what is compiled, the user's own for what is read.

    Namer(hints).name(local)     "prediction", "prediction_1" where that is taken
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable
from typing import Any

from nbgraph.graph.basic import Variable
from nbgraph.graph.fg import FunctionGraph

RESERVED = frozenset({"np", "empty", "reshape", "entry", "kernel", "CheckFailed", *dir(builtins), *keyword.kwlist,
                      *keyword.softkwlist})
_ASSIGNMENT = re.compile(r"([^\W\d]\w*)\s*(?::[^=]*)?=[^=]")


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


def user_names(fgraph: FunctionGraph) -> dict[Variable, str]:
    """What the user calls variables: their names, or what a line such as `p_1 = …` assigns its result to."""
    found = {v: v.name for v in fgraph.variables if v.name}
    last_of_line: dict[Any, Variable] = {}
    for node in fgraph.nodes:
        if node.line is not None and len(node.outputs) == 1:
            last_of_line[node.line] = node.outputs[0]
    for line, variable in last_of_line.items():
        assigned = _ASSIGNMENT.match(line.text())
        if assigned and variable not in found:
            found[variable] = assigned.group(1)
    return found
