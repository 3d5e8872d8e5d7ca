"""Container: one value between calls, kept as its Type wants it.

    c = Container(x.type, [1, 2], name="x")      c.value is float64 array([1., 2.])

Shared variables, defaults and states of functions live in containers; who holds the same container sees the same value.
"""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from nbgraph.errors import DTypeError, ShapeError
from nbgraph.graph.basic import Type, Variable
from nbgraph.graph.source import user_line


class Container:
    """A place for one value of `type`.

    Attributes
    ----------
    storage : list of one    the value; None inside while there is none
    spare : list of one      the array that held it before a function updated it: memory for the next value
    type : Type
    name : str or None
    strict, allow_downcast   how values that are set are filtered, see TensorType.filter
    """

    __slots__ = ("__weakref__", "allow_downcast", "name", "spare", "storage", "strict", "type")

    def __init__(self, type: Type, value: Any = None, name: str | None = None, *, strict: bool = False,
                 allow_downcast: bool | None = None, borrow: bool = False) -> None:
        self.type, self.name, self.strict, self.allow_downcast = type, name, strict, allow_downcast
        self.storage: list[Any] = type.cell()
        self.spare: list[Any] = [None]
        if value is not None:
            self.set(value, borrow=borrow)

    @property
    def value(self) -> Any:
        """What is stored, not a copy; setting it stores a copy, cast where that loses nothing."""
        return self.storage[0]

    @value.setter
    def value(self, value: Any) -> None:
        self.set(value)

    def set(self, value: Any, borrow: bool = False) -> None:
        """Store `value`; with `borrow` the object itself where it has the right dtype and layout already.

        Raises
        ------
        TypeError    wrong kind, dtype or rank
        ValueError   a length that is not the known one
        """
        self.put(stored(self.type.filter(value, self.strict, self.allow_downcast), value, borrow))

    def put(self, value: Any) -> None:
        """Store a value as it is, and let go of spare memory that does not fit it."""
        self.storage[0] = value
        if getattr(self.spare[0], "shape", None) != getattr(value, "shape", None):
            self.spare[0] = None

    def clear(self) -> None:
        """Forget the value."""
        self.storage[0] = self.spare[0] = None

    def duplicate(self) -> Container:
        """Another container with a copy of the value."""
        twin = Container(self.type, None, self.name, strict=self.strict, allow_downcast=self.allow_downcast)
        twin.storage[0] = copy.deepcopy(self.storage[0])
        return twin

    def __getstate__(self) -> dict[str, Any]:
        return {"type": self.type, "name": self.name, "strict": self.strict, "allow_downcast": self.allow_downcast,
                "storage": [self.storage[0]]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for key, value in state.items():
            setattr(self, key, value)
        self.storage, self.spare = self.type.cell(), [None]
        self.storage[0] = state["storage"][0]

    def __repr__(self) -> str:
        return f"Container({self.name or self.type}: {self.storage[0]!r})"


# The lock of every container that some function updates: one lock for those that were first updated together.
_LOCKS: WeakKeyDictionary[Container, Any] = WeakKeyDictionary()
_REGISTERING = threading.Lock()


def locks_of(containers: Iterable[Container]) -> list[Any]:
    """What a call must hold from reading the values of these containers to storing new ones, in one order for all."""
    wanted = list(containers)
    with _REGISTERING:
        new = threading.RLock()
        for container in wanted:
            _LOCKS.setdefault(container, new)
        return sorted({_LOCKS[container] for container in wanted}, key=id)


def stored(filtered: Any, given: Any, borrow: bool) -> Any:
    """The filtered value in the layout that compiled code takes, sharing memory with `given` only if `borrow`."""
    if not isinstance(filtered, np.ndarray):
        return filtered if borrow or filtered is not given else own_copy(filtered)
    # What the cast made is ours already; anything with a base may be a view of the caller's memory.
    if borrow or (filtered is not given and filtered.base is None):
        return plain(filtered)
    return np.array(filtered, order="C", copy=True, subok=False)


def own_copy(value: Any) -> Any:
    """A deep copy of a value.

    Raises
    ------
    DTypeError   it can't be copied, as a lock or an open file
    """
    try:
        return copy.deepcopy(value)
    except (TypeError, pickle.PicklingError) as error:
        raise DTypeError(None, f"a {type(value).__name__} can't be copied: {error}", line=user_line(),
                         fix="pass borrow=True: then the object itself is kept, and given") from None


def plain(array: Any) -> np.ndarray:
    """`array` as a C-contiguous, aligned np.ndarray; itself where it is one (0-d stays 0-d)."""
    if type(array) is np.ndarray and array.flags.c_contiguous and array.flags.aligned:
        return array
    return np.array(array, order="C", copy=True, subok=False)


def filter_for(variable: Variable, value: Any, subject: str, *, strict: bool = False,
               allow_downcast: bool | None = None, fix: str = "") -> Any:
    """`value` filtered by the Type of `variable`; an error says what `subject` is and where the variable was made.

    `fix` is what else a caller can do about a value that would lose precision.

    Raises
    ------
    DTypeError   wrong kind, dtype or rank
    ShapeError   a length that is not the known one
    """
    try:
        return variable.type.filter(value, strict=strict, allow_downcast=allow_downcast)
    except TypeError as error:
        lossy = "would lose precision" in str(error)
        raise DTypeError(subject, str(error), line=user_line(), **operand(variable),
                         fix=f"give a value of type {variable.type}{fix if lossy else ''}") from None
    except ValueError as error:
        raise ShapeError(subject, str(error), line=user_line(), **operand(variable),
                         fix=f"give a value of type {variable.type}") from None


def operand(variable: Variable) -> dict[str, Any]:
    """The variable under its name, for the keywords of an error."""
    # These keywords of an error mean something else already.
    taken = variable.name in (None, "line", "fix", "expression", "first", "second", "required", "optional")
    return {"variable" if taken else str(variable.name): variable}
