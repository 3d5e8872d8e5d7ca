"""Types of gradients that are no numbers: NullType (undefined, or not implemented) and DisconnectedType.

`Op.grad` returns variables of these types; `nbgraph.gradient` gives them their meaning.
"""

from __future__ import annotations

from typing import Any

from nbgraph.graph.basic import Type, Variable


class NullType(Type):
    """A gradient that does not exist; asking for it is an error with the reason in it."""

    def __init__(self, why_null: str = "(no explanation given)") -> None:
        self.why_null = why_null

    def filter(self, value: Any, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        raise TypeError(f"a gradient is asked for that does not exist: {self.why_null}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __str__(self) -> str:
        return f"NullType({self.why_null})"


class DisconnectedType(Type):
    """The gradient with respect to something that the cost is not a function of."""

    def filter(self, value: Any, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        raise TypeError("a disconnected gradient has no value: the cost does not depend on this variable")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __str__(self) -> str:
        return "DisconnectedType"


def grad_undefined(op: Any, x_pos: int, x: Variable, comment: str = "") -> Variable:
    """The gradient of `op` with respect to input `x_pos` does not exist, mathematically."""
    return NullType(f"the gradient of {op} with respect to input {x_pos} ({x}) is undefined. {comment}".rstrip())()


def grad_not_implemented(op: Any, x_pos: int, x: Variable, comment: str = "") -> Variable:
    """The gradient of `op` with respect to input `x_pos` exists, and nobody has written it."""
    return NullType(f"the gradient of {op} with respect to input {x_pos} ({x}) is not implemented. "
                    f"{comment}".rstrip())()


def is_disconnected(variable: Variable) -> bool:
    """True for a variable of DisconnectedType."""
    return isinstance(variable.type, DisconnectedType)


def is_null(variable: Variable) -> bool:
    """True for a variable of NullType."""
    return isinstance(variable.type, NullType)
