"""Functions of users that generated code calls: found by a name that says what they do.

    name = register(f, True)                           "….f_3c1d…": the digest is of the code and all that it uses
    from nbgraph.dispatch.user_code import f_3c1d…     what a generated function says

So a changed function is another one, and what was compiled with it is found on disk as anything else. What is called
is a copy, of the function and the values of its globals as they were when it was registered.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from nbgraph.dispatch.frozen import Frozen, codes
from nbgraph.errors import KernelError
from nbgraph.graph.source import user_line

_DIGITS = 16
_functions: dict[str, tuple[FunctionType, bool]] = {}
_compiled: dict[str, Any] = {}


def register(function: Any, may_raise: bool) -> str:
    """The dotted name under which generated code finds `function`.

    Parameters
    ----------
    function : Python function, or what Numba's njit made of one
    may_raise : bool      False: it is called in loops, where nobody looks whether it has failed

    Raises
    ------
    TypeError     not a Python function
    KernelError   it refers to what has no digest; it raises, and must not
    """
    plain = getattr(function, "py_func", function)
    if not isinstance(plain, FunctionType):
        raise TypeError(f"expected a Python function, or one that Numba has compiled, got {function!r}")
    frozen = Frozen(plain, may_raise)
    if not may_raise:
        _check_total(plain, frozen.helpers)
    word = plain.__name__ if plain.__name__.isidentifier() else "function"
    name = f"{word}_{frozen.digest[:_DIGITS]}"
    _functions.setdefault(name, (frozen.function, may_raise))
    return f"{__name__}.{name}"


def __getattr__(name: str) -> Any:
    """The function of this name, to be compiled where it is called."""
    if name not in _functions:
        raise AttributeError(f"no function {name} is registered")
    if name not in _compiled:
        from numba import njit  # registering needs no compiler

        function, may_raise = _functions[name]
        options: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        made: Any = njit(**options)(function)
        made.cannot_fail = not may_raise
        _compiled[name] = made
    return _compiled[name]


def _check_total(function: FunctionType, helpers: Sequence[FunctionType]) -> None:
    for helper in helpers:
        if any(i.opname == "RAISE_VARARGS" for code in codes(helper.__code__) for i in dis.get_instructions(code)):
            through = "" if helper is function else f"calls {helper.__name__}, which "
            raise KernelError(function.__name__, f"{through}raises, and an elementwise function can't: it runs in "
                              "loops that do not stop", line=user_line(), fix="give NaN where it is not defined")


def call(name: str) -> Callable[..., Any]:
    """The plain Python function that is registered under a dotted name."""
    return _functions[name.rpartition(".")[2]][0]
