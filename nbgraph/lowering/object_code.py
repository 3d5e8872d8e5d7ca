"""Compiled functions to bytes and back: dump(compile result) -> bytes, load(bytes) -> compile result.

What is kept is what Numba itself keeps on disk (`CompileResult._reduce`), without the bitcode, which is for inlining
into other functions. Loading makes no use of Numba's registries, which are there to compile and cost 0.25 s: it needs
the CPU context, and the addresses of the helper functions that the object calls. That rests on how Numba works inside,
so every step is checked, and where a check fails, the plain way is gone: refresh the context, or compile again.
"""

from __future__ import annotations

import inspect
import io
import pickle
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import llvmlite.binding as llvm
from numba.core import config as numba_config
from numba.core.compiler import CompileResult
from numba.core.environment import Environment, lookup_environment
from numba.core.registry import cpu_target
from numba.core.serialize import dumps

FORMAT = 1
# The names of what `_rebuild` takes, in order: ("libdata", "fndesc", "env", ...).
_FIELDS = tuple(inspect.signature(CompileResult._rebuild).parameters)[1:]


class Unloadable(Exception):
    """The bytes are whole, but this process can't run what they hold."""


def dump(result: CompileResult) -> bytes | None:
    """The bytes of a compiled function; None where it refers to objects of this process alone."""
    if result.library.has_dynamic_globals:
        return None
    externals = sorted(_externals(result))
    kept = dict(zip(_FIELDS, result._reduce(), strict=True))
    kept["libdata"] = _without_bitcode(kept["libdata"], result.fndesc.llvm_cpython_wrapper_name)
    if "typeann" in kept:
        kept["typeann"] = ""  # the typed source, for people who inspect
    return dumps((externals, kept))


def load(data: bytes) -> CompileResult:
    """The compiled function, ready to be called. Its module must be in sys.modules.

    Raises
    ------
    Unloadable    a symbol or a class that it needs is not there
    """
    try:
        externals, kept = _Unpickler(io.BytesIO(data)).load()
        for initialize in kept.get("reload_init", ()):
            initialize()
    except Exception as error:  # unpickling may raise anything; the caller says it, and compiles
        raise Unloadable(f"{type(error).__name__}: {error}") from error
    _make_known(externals)
    result = CompileResult._rebuild(cpu_target.target_context, *(kept[name] for name in _FIELDS))
    if not result.library.get_pointer_to_function(result.fndesc.llvm_cpython_wrapper_name):
        raise Unloadable("the object has no entry point")
    return result


def _externals(result: CompileResult) -> Iterator[str]:
    """The symbols that the object takes from outside itself."""
    module = result.library._final_module
    for values in (module.functions, module.global_variables):
        yield from (value.name for value in values if value.is_declaration and not value.name.startswith("llvm."))


def _without_bitcode(library: Any, entry: str) -> Any:
    """The serialised library with a module of the entry's name in place of its bitcode.

    Numba takes from that module which names there are, and inlines from it. Parsing the whole of it is most of the time
    of loading: 6 ms of 7 for twenty kernels.
    """
    name, kind, (code, bitcode) = library
    if kind != "object" or not isinstance(bitcode, bytes):
        return library
    names = llvm.parse_assembly(f'define void @"{entry}"() {{ ret void }}')
    return name, kind, (code, names.as_bitcode())


class _Unpickler(pickle.Unpickler):
    """Environments are made without importing the modules of Numba that their functions come from."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numba.core.environment", "_rebuild_env"):
            return _environment
        return super().find_class(module, name)


def _environment(module: str, constants: list[Any], name: str) -> Environment:
    """The constants of one compiled function; its globals are for code in object mode, of which there is none."""
    known = lookup_environment(name)
    if known is not None:
        return known
    loaded = sys.modules.get(module)
    environment = Environment({"__name__": module} if loaded is None else loaded.__dict__)
    environment.consts[:] = constants
    environment.env_name = name
    return environment


def _make_known(names: Iterable[str]) -> None:
    """See to it that LLVM finds every symbol: it ends the process where it does not find one.

    Numba's run-time functions are added by name. `refresh` would do so as well, and import what is needed to compile.
    """
    context = cpu_target.target_context  # made when first used; adds the helper functions
    if not numba_config.NRT_STATS and _missing(names):
        _add_runtime()
    if _missing(names):
        context.refresh()
    missing = _missing(names)
    if missing:
        raise Unloadable(f"symbols {', '.join(missing)} are not known")


def _missing(names: Iterable[str]) -> list[str]:
    return [name for name in names if not llvm.address_of_symbol(name)]


def _add_runtime() -> None:
    try:
        from numba.core.runtime._nrt_python import c_helpers
    except ImportError:
        return  # arranged differently in this Numba: refresh finds it
    for name, address in c_helpers.items():
        llvm.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)
