"""Access to the values and containers of a Function by position, name or Variable: f.value[key], f.container[key].

    f["s"] = 99.0      the same as f.value["s"] = 99.0, and f.container["s"].value = 99.0
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from nbgraph.compile.collect import Slot
from nbgraph.compile.container import Container, filter_for, stored
from nbgraph.compile.function.arguments import unknown_input
from nbgraph.graph.basic import Variable


class Duplicate:
    """What a key maps to that several inputs have."""

    def __repr__(self) -> str:
        return "DUPLICATE"


DUPLICATE = Duplicate()
Key = Any  # a position, a name or a Variable


def find_all(slots: Sequence[Slot], containers: Sequence[Container]) -> dict[Any, Any]:
    """Position, name and variable of every input -> its container, or DUPLICATE where two have the name."""
    finder: dict[Any, Any] = {}
    listed = sum(slot.position is not None for slot in slots)
    hidden = iter(range(listed, len(slots)))
    for slot, container in zip(slots, containers, strict=True):
        finder[next(hidden) if slot.position is None else slot.position] = container
        finder[slot.variable] = container
    for slot, container in zip(slots, containers, strict=True):
        if slot.name is not None:
            finder[slot.name] = DUPLICATE if slot.name in finder else container
    return finder


class Lookup(Mapping[Any, Any]):
    """A mapping from position, name or Variable, without names that several have; the base of f.value, f.container.

    True and False are no positions, though Python says that they equal 1 and 0.
    """

    def __init__(self, slots: Sequence[Slot], finder: dict[Any, Any]) -> None:
        self._slots, self._finder = slots, finder

    def find(self, key: Key) -> Container:
        """The container of `key`.

        Raises
        ------
        TypeError   no input has this key, or several have
        """
        found = None if isinstance(key, bool) else self._finder.get(key)
        if found is DUPLICATE:
            raise TypeError(f"Ambiguous name: {key}. Several inputs or shared variables have it; use the variable or "
                            "the position")
        if found is None:
            raise TypeError(unknown_input(key, [slot for slot in self._slots if slot.role != "shared"]))
        return found

    def __iter__(self) -> Iterator[Any]:
        return (key for key, found in self._finder.items() if found is not DUPLICATE)

    def __len__(self) -> int:
        return sum(found is not DUPLICATE for found in self._finder.values())

    def __contains__(self, key: Any) -> bool:
        return not isinstance(key, bool) and self._finder.get(key, DUPLICATE) is not DUPLICATE

    def get(self, key: Key, default: Any = None) -> Any:
        """What `key` maps to, `default` where nothing, or more than one, has it."""
        return self[key] if key in self else default


class Containers(Lookup):
    """f.container: read only."""

    def __getitem__(self, key: Key) -> Container:
        return self.find(key)


class Values(Lookup):
    """f.value: the stored values themselves; setting one stores a copy, cast where that loses nothing."""

    def __init__(self, slots: Sequence[Slot], finder: dict[Any, Any], variable_of: Callable[[Any], Variable]) -> None:
        super().__init__(slots, finder)
        self._variable_of = variable_of

    def __getitem__(self, key: Key) -> Any:
        return self.find(key).value

    def __setitem__(self, key: Key, value: Any) -> None:
        container = self.find(key)
        variable = self._variable_of(container)
        kept = filter_for(variable, value, f"value of {variable}", strict=container.strict,
                          allow_downcast=container.allow_downcast)
        container.put(stored(kept, value, borrow=False))
