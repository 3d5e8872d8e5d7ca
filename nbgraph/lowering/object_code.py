"""Compiled functions to bytes and back: dump(compile result) -> bytes, load(bytes) -> compile result.

What is kept is what Numba itself keeps on disk (`CompileResult._reduce`), without the bitcode, which is for inlining
into other functions. Loading makes no use of Numba's registries, which are there to compile and cost 0.25 s: it needs
Numba's CPU context, and the addresses of the helper functions that the object calls. That rests on how Numba works
inside. So it is done with the versions of Numba it was tested with, and everything that can be checked is checked;
else Numba's own way is gone, which is slower: refresh the context, rebuild the whole.
"""

from __future__ import annotations

import inspect
import io
import pickle
import sys
from collections.abc import Iterable
from typing import Any

import llvmlite.binding as llvm
import numba
from numba.core import config as numba_config
from numba.core.compiler import CompileResult
from numba.core.environment import Environment, lookup_environment
from numba.core.registry import cpu_target
from numba.core.serialize import dumps

FORMAT = 1
# Versions of Numba with which the short way was tested; any other goes Numba's own way.
TESTED = (0, 61), (0, 68)
# The names of what `_rebuild` takes, in order: libdata, fndesc, env, ...
_FIELDS = tuple(inspect.signature(CompileResult._rebuild).parameters)[1:]
_CLOSURE = "_3clocals_3e"  # <locals>, as Numba writes it in a symbol


class Unkeepable(Exception):
    """The compiled function is good in this process only."""


class Unloadable(Exception):
    """The bytes are whole, but what they hold can't be run in this process."""


def short_way() -> bool:
    """True where functions are loaded without Numba's registries."""
    return TESTED[0] <= numba.version_info.short <= TESTED[1] and not getattr(numba_config, "NRT_STATS", 0)


def dump(result: Any) -> bytes:
    """The bytes of a compiled function.

    Raises
    ------
    Unkeepable    its code holds addresses of objects of this process
    """
    if result.library.has_dynamic_globals:
        raise Unkeepable("its code refers to objects of this process")
    reduced = result._reduce()
    if not short_way() or len(reduced) != len(_FIELDS):
        return dumps((None, reduced))
    fields = dict(zip(_FIELDS, reduced, strict=True))
    entry = result.fndesc.llvm_cpython_wrapper_name
    fields["libdata"] = _lean_library(result.library, fields["libdata"], entry)
    if "typeann" in fields:
        fields["typeann"] = ""  # the typed source, for people who inspect
    return dumps((_externals(result.library), tuple(fields.values())))


def load(data: bytes) -> Any:
    """The compiled function, ready to be called. Its module must be in sys.modules.

    Raises
    ------
    Unloadable    something that it needs is not there
    """
    try:
        externals, reduced = _Unpickler(io.BytesIO(data)).load()
        _make_known(externals, reduced)
        result: Any = CompileResult._rebuild(cpu_target.target_context, *reduced)
        address = result.library.get_pointer_to_function(result.fndesc.llvm_cpython_wrapper_name)
    except Unloadable:
        raise
    except Exception as error:  # unpickling raises whatever it likes; who called says so, and compiles
        raise Unloadable(f"{type(error).__name__}: {error}") from error
    if not address:
        raise Unloadable("the object has no entry point")
    return result


def _externals(library: Any) -> list[str]:
    """The symbols that the object takes from outside itself."""
    module = library._final_module
    return sorted(value.name for values in (module.functions, module.global_variables) for value in values
                  if value.is_declaration and not value.name.startswith("llvm."))


def _lean_library(library: Any, serialised: Any, entry: str) -> Any:
    """The serialised library with a module of the entry's name alone in place of its bitcode.

    Numba takes from that module which names there are, and inlines from it. Parsing the whole of it would be most of
    the time of loading: 5 ms of 6 for twenty kernels.
    """
    name, kind, (code, _) = serialised
    if kind != "object":
        return serialised
    if any(_CLOSURE in function.name for function in library.get_defined_functions()):
        code = _private_object(library, entry)
    names = llvm.parse_assembly(f'define void @"{entry}"() {{ ret void }}')
    return name, kind, (code, names.as_bitcode())


def _private_object(library: Any, entry: str) -> bytes:
    """The object once more, and no function in it has a name that other objects see, but for the entry.

    Two closures of one name may be different functions, and LLVM gives all objects of a process the first one that it
    meets (numba#10486). Functions of modules have the name of their content, or that of the package's own source.
    """
    module = library._final_module.clone()
    for function in module.functions:
        if not function.is_declaration and function.name != entry:
            function.linkage = "internal"
    return library.codegen._tm.emit_object(module)


class _Unpickler(pickle.Unpickler):
    """Environments are made without importing the modules of Numba that their functions come from."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numba.core.environment", "_rebuild_env"):
            return _environment
        return super().find_class(module, name)


def _environment(module: str, constants: list[Any], name: str) -> Environment:
    """The constants of one compiled function. Its globals are for object mode, which generated code has none of."""
    known = lookup_environment(name)
    if known is not None:
        return known
    loaded = sys.modules.get(module)
    environment = Environment({"__name__": module} if loaded is None else loaded.__dict__)
    environment.consts[:] = constants
    environment.env_name = name
    return environment


def _make_known(externals: list[str] | None, reduced: tuple[Any, ...]) -> None:
    """See to it that LLVM finds every symbol: where it does not find one, it ends the process.

    Making the context adds most of them, and Numba's run-time functions can be added by name. `refresh` adds those too,
    and imports all that is needed to compile.
    """
    context = cpu_target.target_context
    if externals is None or not short_way():
        context.refresh()
        return
    for initialize in reduced[_FIELDS.index("reload_init")]:
        initialize()  # such as Numba's thread pool, which adds its symbols; Numba calls it again
    if _missing(externals):
        _add_runtime()
    if _missing(externals):
        context.refresh()
    missing = _missing(externals)
    if missing:
        raise Unloadable(f"unknown symbols: {', '.join(missing)}")


def _missing(names: Iterable[str]) -> list[str]:
    return [name for name in names if not llvm.address_of_symbol(name)]


def _add_runtime() -> None:
    try:
        from numba.core.runtime._nrt_python import c_helpers
    except ImportError:
        return  # arranged differently in this Numba: refresh finds them
    for name, address in c_helpers.items():
        llvm.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)
