"""In, Out, Param: what `function` is told about one input or output.

    function([x, In(y, value=1)], z)      y may be left out of a call
    function([x, (y, 1)], z)              the same as a shortcut

| shortcut             | meaning                              |
|----------------------|--------------------------------------|
| r                    | In(r)                                |
| (name, r)            | In(r, name=name)                     |
| (r, val)             | In(r, value=val)                     |
| ((r, up), val)       | In(r, value=val, update=up)          |
| (name, r, val)       | In(r, name=name, value=val)          |
| (name, (r, up), val) | In(r, name=name, value=val, update=up) |
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from nbgraph.compile.container import Container, operand
from nbgraph.errors import ArgumentError, DTypeError
from nbgraph.graph.basic import Constant, Variable
from nbgraph.graph.source import user_line


class In:
    """An input of a function.

    Parameters
    ----------
    variable : Variable        gets a value for each call instead of being computed
    name : any, optional       its key in f[...]; a string is its keyword in calls, too, and an identifier an attribute
                               of f. Default the variable's name, unless `autoname` is False
    value : value, Container or shared variable, optional      what the input is where a call does not give it. A
                               function that calls may give it to (`implicit=False`) keeps the last one in the Container
    update : Variable, optional      the next value: kept after each call
    mutable : bool             True allows the function to overwrite the default's own memory
    strict : bool              True: a value must have exactly the variable's dtype
    autoname : bool
    implicit : bool, optional  True: calls cannot give it; None: True where `value` is a Container
    borrow : bool, optional    True: keep `value` itself instead of a copy; default as `mutable`
    allow_downcast : bool, optional    True: a value may lose precision; None: only a Python float may, to floatX

    Raises
    ------
    DTypeError      `variable` is none, or is a constant or shared
    ArgumentError   implicit without a value
    """

    def __init__(self, variable: Any, name: Any = None, value: Any = None, update: Any = None,
                 mutable: bool | None = None, strict: bool = False, autoname: bool = True,
                 implicit: bool | None = None, *, borrow: bool | None = None,
                 allow_downcast: bool | None = None) -> None:
        _check_variable(variable)
        if not isinstance(name, Hashable) or isinstance(name, Variable):
            raise TypeError(f"the name of input {variable} must be hashable, and no variable, got {name!r}")
        self.variable: Variable = variable
        self.name: Any = variable.name if name is None and autoname else name
        self.value = value.container if isinstance(value, Variable) and hasattr(value, "container") else value
        self.update = update
        self.mutable = bool(mutable)
        self.borrow = self.mutable if borrow is None else borrow
        self.strict, self.allow_downcast, self.autoname = strict, allow_downcast, autoname
        self.implicit = isinstance(self.value, Container) if implicit is None else implicit
        if self.implicit and self.value is None:
            raise ArgumentError(f"input {variable}", "is implicit and has no value, so no call could give it one",
                                line=user_line(), **operand(variable), fix="pass value=..., or implicit=False")

    def __repr__(self) -> str:
        return f"In({self.name or self.variable})"


def _check_variable(variable: Any) -> None:
    if not isinstance(variable, Variable):
        raise DTypeError(None, f"an input must be a symbolic variable, got {type(variable).__name__} "
                         f"{str(variable)[:60]!r}", line=user_line(),
                         fix="list variables, In(...) or shortcuts such as (variable, default)")
    if isinstance(variable, Constant):
        raise DTypeError(None, f"the constant {variable} cannot be an input", line=user_line(), **operand(variable),
                         fix="make a variable for it, or exchange the constant with givens")
    if hasattr(variable, "container"):
        raise DTypeError(None, f"the shared variable {variable} cannot be an input: it has its value already",
                         line=user_line(), **operand(variable),
                         fix="leave it out of the inputs; to pass a value for one function use givens")


def Param(variable: Any, default: Any = None, name: str | None = None, mutable: bool = False, strict: bool = False,
          allow_downcast: bool | None = None, implicit: bool | None = None, borrow: bool | None = None) -> In:
    """The older spelling of In: `default` is its `value`."""
    return In(variable, name=name, value=default, mutable=mutable, strict=strict, allow_downcast=allow_downcast,
              implicit=implicit, borrow=borrow)


class Out:
    """An output of a function.

    Parameters
    ----------
    variable : Variable
    borrow : bool      True allows the result to be memory that the next call overwrites

    Raises
    ------
    DTypeError      `variable` is none
    """

    def __init__(self, variable: Any, borrow: bool = False) -> None:
        if not isinstance(variable, Variable):
            raise DTypeError(None, f"an output must be a symbolic variable, got {type(variable).__name__} "
                             f"{str(variable)[:60]!r}", line=user_line(),
                             fix="pass a variable; nt.as_tensor_variable makes one of a number or a list")
        self.variable: Variable = variable
        self.borrow = borrow

    def __repr__(self) -> str:
        return f"Out({self.variable})"


def as_input(element: Any) -> In:
    """An element of the list of inputs as an In; see the table above.

    Raises
    ------
    DTypeError      no variable where one belongs
    ArgumentError   a tuple that is none of the shortcuts
    """
    if isinstance(element, In):
        return element
    if not isinstance(element, (tuple, list)):
        return In(element)
    name, rest = None, tuple(element)
    if rest and (rest[0] is None or isinstance(rest[0], str)):
        name, rest = rest[0], rest[1:]
        named_only = len(rest) == 1 and isinstance(rest[0], Variable)
    else:
        named_only = False
    if named_only:
        return In(rest[0], name=name)
    if len(rest) != 2:
        raise ArgumentError(None, f"the input {element!r} is none of the shortcuts", line=user_line(),
                            fix="(name, r), (r, val), ((r, up), val), (name, r, val) or (name, (r, up), val)")
    first, value = rest
    if isinstance(first, (tuple, list)) and len(first) == 2:
        return In(first[0], name=name, value=value, update=first[1])
    return In(first, name=name, value=value)
