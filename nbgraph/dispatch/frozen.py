"""A function of a user as it is now: a copy that later changes of its globals don't reach, and a digest of all of it.

    K = 2.0
    def scaled(x): return x * K          frozen(scaled, False).function(1.0) == 2.0, whatever K becomes
                                         .digest: another one for another K
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterator
from enum import EnumMeta
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from nbgraph.errors import KernelError
from nbgraph.graph.source import user_line

# Their versions are in the key of what is compiled.
_VERSIONED = frozenset({"numpy", "numba", "scipy", "nbgraph", "math", "cmath", "operator", "builtins"})


class Frozen:
    """A copy of a function, and of all that it refers to.

    Attributes
    ----------
    function : FunctionType     the copy
    helpers : list              the functions that Numba compiles with it, first itself, as they were given
    digest : str                hexadecimal
    """

    def __init__(self, function: FunctionType, may_raise: bool) -> None:
        self.helpers: list[FunctionType] = []
        self._name, self._may_raise = function.__name__, may_raise
        self._copies: dict[int, Any] = {}
        self._digest = hashlib.sha256(repr(may_raise).encode())
        self.function: FunctionType = self._function(function)
        self.digest = self._digest.hexdigest()

    def _add(self, *parts: Any) -> None:
        self._digest.update(repr(parts).encode())

    def _function(self, function: FunctionType) -> FunctionType:
        if id(function) in self._copies:
            self._add("again", function.__qualname__)
            made: FunctionType = self._copies[id(function)]
            return made
        self.helpers.append(function)
        names: dict[str, Any] = {}
        for code in codes(function.__code__):
            self._add(code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_flags,
                      code.co_argcount, code.co_kwonlyargcount, getattr(code, "co_exceptiontable", b""),
                      _constants(code.co_consts))
            names |= {name: function.__globals__[name] for name in code.co_names if name in function.__globals__}
        used = {name for code in codes(function.__code__) for name in code.co_names}
        cells = [CellType() for _ in function.__code__.co_freevars]
        own: dict[str, Any] = {"__name__": function.__module__ or "__main__",
                               "__builtins__": function.__globals__.get("__builtins__", __builtins__)}
        copy = FunctionType(function.__code__, own, function.__name__, closure=tuple(cells))
        copy.__defaults__ = self._value("its defaults", function.__defaults__, used)
        copy.__kwdefaults__ = self._value("its defaults", function.__kwdefaults__, used)
        copy.__qualname__, copy.__doc__, copy.__module__ = function.__qualname__, function.__doc__, function.__module__
        self._copies[id(function)] = copy
        own |= {name: self._value(name, value, used) for name, value in sorted(names.items())}
        for name, cell, given in zip(function.__code__.co_freevars, cells, function.__closure__ or (), strict=True):
            cell.cell_contents = self._value(name, given.cell_contents, used)
        return copy

    def _value(self, name: str, value: Any, used: set[str]) -> Any:
        """A value that code refers to, as it is now; of a module, what is `used` of it."""
        self._add(name)
        plain = getattr(value, "py_func", value)
        if isinstance(plain, FunctionType):
            return self._called(value, plain)
        if isinstance(value, ModuleType):
            return self._module(value, used)
        if isinstance(value, EnumMeta):
            members: dict[str, Any] = dict(value.__members__)
            self._add(value.__qualname__, {key: member.value for key, member in members.items()})
            return value
        if isinstance(type(value), EnumMeta):
            self._add(value.name, value.value)
            return value
        if isinstance(value, (BuiltinFunctionType, np.ufunc, type)):
            self._add(getattr(value, "__module__", None), value.__name__, getattr(value, "_fields", None))
            return value
        if type(value) is tuple:
            return tuple(self._value(f"{name}[{k}]", part, used) for k, part in enumerate(value))
        try:
            data = pickle.dumps(value, protocol=4)
        except Exception as error:
            raise KernelError(self._name, f"refers to {name}, which can't be pickled ({error}), so that nobody "
                              "can tell whether it has changed", line=user_line(),
                              fix="use numbers, arrays and functions of modules") from error
        self._digest.update(data)
        return pickle.loads(data) if isinstance(value, (np.ndarray, list, dict, set)) else value

    def _called(self, value: Any, plain: FunctionType) -> Any:
        """A function; of one that Numba compiles a copy, of any other itself, by which Numba knows it."""
        if _root(plain.__module__) in _VERSIONED:
            self._add(plain.__module__, plain.__qualname__)
            return value
        copy = self._function(plain)
        if value is plain:
            return value
        if id(value) not in self._copies:
            options = dict(value.targetoptions)
            if not self._may_raise:
                options["error_model"] = "numpy"
            signatures = [] if value._can_compile else list(value.overloads)
            self._add(sorted(options.items(), key=str), signatures)
            made = self._copies[id(value)] = type(value)(copy, value.locals, options, value._compiler.pipeline_class)
            for signature in signatures:
                made.compile(signature)
            made.disable_compile(bool(signatures))
        return self._copies[id(value)]

    def _module(self, module: ModuleType, used: set[str]) -> ModuleType:
        self._add(module.__name__)
        if _root(module.__name__) in _VERSIONED:
            return module
        if id(module) in self._copies:
            made: ModuleType = self._copies[id(module)]
            return made
        copy = self._copies[id(module)] = ModuleType(module.__name__)
        for name in sorted(used.intersection(vars(module))):
            setattr(copy, name, self._value(name, getattr(module, name), used))
        return copy


def codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function, and of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def _root(module: str | None) -> str:
    return (module or "").split(".")[0]


def _constants(value: Any) -> str:
    """`repr`, the same in every process."""
    if isinstance(value, CodeType):
        return "code"
    if isinstance(value, tuple):
        return f"({', '.join(map(_constants, value))},)"
    return f"frozenset({sorted(map(_constants, value))})" if isinstance(value, frozenset) else repr(value)
