"""Generic: the Type of any Python object, which a shared value has that no tensor can hold.

    Generic()("settings")      a leaf for a dict, a list, a random generator …

Functions take, keep and return such values as they are; Ops of users compute with them.
"""

from __future__ import annotations

from typing import Any

from nbgraph.graph.basic import Type


class Generic(Type):
    """Any Python object."""

    def filter(self, value: Any, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        """`value` itself.

        Raises
        ------
        TypeError   a symbolic variable
        """
        if hasattr(value, "owner"):
            raise TypeError(f"expected a value, got the symbolic variable {value}")
        return value

    def is_super(self, other: Type) -> bool:
        """True: every value is an object."""
        return True

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __str__(self) -> str:
        return "object"

    def __repr__(self) -> str:
        return "Generic()"
