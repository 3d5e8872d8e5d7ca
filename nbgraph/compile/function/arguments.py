"""Arguments of a call to slots: positions, keywords, defaults, and the errors where they do not fit.

    bind(slots, [x, y], {"w": 1})  ->  [x, y, MISSING, 1]
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nbgraph.compile.collect import Slot
from nbgraph.compile.container import operand
from nbgraph.errors import ArgumentError
from nbgraph.graph.source import user_line

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING"})()


def bind(slots: Sequence[Slot], args: Sequence[Any], keywords: Mapping[str, Any]) -> list[Any]:
    """For every slot the value that the call gives it, or MISSING.

    Raises
    ------
    ArgumentError   too many arguments, or one input twice
    TypeError       an unknown keyword
    """
    if len(args) > len(slots):
        raise ArgumentError(None, f"too many arguments: the function takes {len(slots)}, got {len(args)}",
                            line=user_line(), **_named(slots), fix=f"pass at most {len(slots)} positional arguments")
    values = [*args, *[MISSING] * (len(slots) - len(args))]
    by_name = {slot.name: i for i, slot in enumerate(slots) if slot.name is not None}
    for name, value in keywords.items():
        if name not in by_name:
            raise TypeError(unknown_input(name, slots))
        position = by_name[name]
        if values[position] is not MISSING:
            raise ArgumentError(None, f"the input {name} is given twice: as argument {position} and by keyword",
                                line=user_line(), **operand(slots[position].variable), fix="give it once")
        values[position] = value
    return values


def with_names(call: Callable[..., Any], slots: Sequence[Slot]) -> Callable[..., Any] | None:
    """The function `call` with the names of the inputs, MISSING for what is not given: Python itself binds arguments.

    None where two inputs have one name, or one that Python takes for no argument, as `__debug__`. It can't take names
    that are no identifiers: what it refuses is for `bind`.
    """
    names: list[str] = []
    for i, slot in enumerate(slots):
        name = slot.name if isinstance(slot.name, str) else ""
        usable = name.isidentifier() and not keyword.iskeyword(name) and name not in ("_missing", "_call")
        names.append(name if usable else f"_{i}_")
    if len(set(names)) < len(names):
        return None
    scope: dict[str, Any] = {"__name__": __name__, "_missing": MISSING, "_call": call}
    text = f"def named({', '.join(f'{name}=_missing' for name in names)}): return _call({', '.join(names)})"
    try:
        code = compile(text, "<call of an nbgraph function>", "exec")
    except SyntaxError:
        return None
    exec(code, scope)
    named: Callable[..., Any] = scope["named"]
    return named


def _named(slots: Sequence[Slot]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for i, slot in enumerate(slots):
        label = next(iter(operand(slot.variable)))
        named[f"input{i}" if label == "variable" or label in named else label] = slot.variable
    return named


def unknown_input(key: Any, slots: Sequence[Slot]) -> str:
    """The message for a name or variable that is no input of the function."""
    names = [str(slot.name) for slot in slots if slot.name is not None]
    unnamed = len(slots) - len(names)
    advice = "(use 'name=...' in a variable's constructor to give it a name)"
    if not slots:
        inputs = "The function has no inputs."
    elif not names:
        inputs = (f"The function has {_count(unnamed, 'unnamed input')} which thus cannot be accessed through keyword "
                  f"argument {advice}.")
    else:
        inputs = f"The function has {_count(len(names), 'named input')} ({', '.join(names)})"
        inputs += (f", and {_count(unnamed, 'unnamed input')} which thus cannot be accessed through keyword argument "
                   f"{advice}." if unnamed else ".")
    return f"Unknown input or state: {key}. {inputs}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def missing_input(slot: Slot) -> TypeError:
    """The error for a required input without a value."""
    return TypeError(f"Missing required input: {slot.name or slot.variable}")
