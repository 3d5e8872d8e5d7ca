"""Functions of users that generated code calls: found by a name that says what they do.

    name = register(f, True)                           "….f_3c1d…": the digest is of the code and all that it uses
    from nbgraph.dispatch.user_code import f_3c1d…     what a generated function says

So a changed function is another one, and what was compiled with it is found on disk as anything else.
"""

from __future__ import annotations

import dis
import hashlib
import pickle
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

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
    if not may_raise:
        _check_total(plain)
    digest = hashlib.sha256()
    for part in _parts(plain, {id(plain)}):
        digest.update(part)
    word = plain.__name__ if plain.__name__.isidentifier() else "function"
    name = f"{word}_{digest.hexdigest()[:_DIGITS]}"
    _functions.setdefault(name, (plain, may_raise))
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


def _check_total(function: FunctionType) -> None:
    for code in _codes(function.__code__):
        if any(instruction.opname == "RAISE_VARARGS" for instruction in dis.get_instructions(code)):
            raise KernelError(function.__name__, "raises, and an elementwise function can't: it runs in loops that do "
                              "not stop", line=user_line(), fix="give NaN where it is not defined")


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _parts(function: FunctionType, seen: set[int]) -> Iterator[bytes]:
    """All that decides what a function does: its code, and the values of the names that it uses."""
    names: dict[str, Any] = dict(zip(function.__code__.co_freevars,
                                     (cell.cell_contents for cell in function.__closure__ or ()), strict=True))
    for code in _codes(function.__code__):
        yield repr((code.co_code, code.co_names, code.co_varnames, code.co_argcount,
                    [c for c in code.co_consts if not isinstance(c, CodeType)])).encode()
        names |= {name: function.__globals__[name] for name in code.co_names if name in function.__globals__}
    yield repr(function.__defaults__).encode()
    for name, value in sorted(names.items()):
        yield name.encode()
        yield from _value_parts(function, name, value, seen)


def _value_parts(function: FunctionType, name: str, value: Any, seen: set[int]) -> Iterator[bytes]:
    plain = getattr(value, "py_func", value)
    if isinstance(plain, FunctionType):
        if id(plain) not in seen and not plain.__module__.startswith(("numpy", "numba", "nbgraph")):
            yield from _parts(plain, seen | {id(plain)})
        else:
            yield plain.__qualname__.encode()
    elif isinstance(plain, (ModuleType, BuiltinFunctionType, np.ufunc, type)):
        yield repr(getattr(plain, "__name__", plain)).encode()
    else:
        try:
            yield pickle.dumps(plain, protocol=4)
        except Exception as error:
            raise KernelError(function.__name__, f"refers to {name}, which can't be pickled ({error}), so that nobody "
                              "can tell whether it has changed", line=user_line(),
                              fix="use numbers, arrays and functions of modules") from error


def call(name: str) -> Callable[..., Any]:
    """The plain Python function that is registered under a dotted name."""
    return _functions[name.rpartition(".")[2]][0]
