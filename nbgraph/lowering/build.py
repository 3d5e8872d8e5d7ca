"""Generated source -> something to call: from this process, from disk, or compiled now.

    native = build(source, [Argument("float64", 1), Argument("float64", 0)])
    native.entry(x, 2.0)        the compiled `main`, which takes exactly these types: C-contiguous arrays, scalars

Everything that decides what is compiled is in the key. On a hit no source is run, and nothing of Numba's compiler.
"""

from __future__ import annotations

import gc
import hashlib
import linecache
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core import config as numba_config
from numba.core.compiler_lock import global_compiler_lock
from numba.core.dispatcher import Dispatcher
from numba.core.registry import cpu_target

import nbgraph
from nbgraph.dispatch import symbols, threads
from nbgraph.dispatch.linked import forget_text
from nbgraph.errors import KernelError, NbgraphError
from nbgraph.lowering import cache, object_code
from nbgraph.lowering.allocator import keep_freed_memory
from nbgraph.lowering.cache import readable

# What of Numba's settings changes the code that it makes.
_NUMBA_SETTINGS = ("BOUNDSCHECK", "CPU_FEATURES", "CPU_NAME", "DEBUGINFO_DEFAULT", "DISABLE_JIT", "ENABLE_AVX",
                   "EXTEND_VARIABLE_LIFETIMES", "LLVM_REFPRUNE_FLAGS", "LLVM_REFPRUNE_PASS", "LOOP_VECTORIZE", "OPT",
                   "SLP_VECTORIZE", "USE_LLVMLITE_MEMORY_MANAGER")
_KEY_DIGITS = 32

# Never emptied: Numba does not release the code of a function, nor may what that code points to go away.
_built: dict[tuple[str, Path], Native] = {}


@dataclass(frozen=True)
class Argument:
    """The type of one argument of `main`: a scalar (ndim 0) or a C-contiguous array of a NumPy dtype."""

    dtype: str
    ndim: int

    def __str__(self) -> str:
        return self.dtype + (f"[{', '.join(':' * self.ndim)}]" if self.ndim else "")


@dataclass(frozen=True, eq=False)
class Native:
    """A function that is ready to run.

    entry : callable        takes exactly the arguments it was built for, without keywords
    key : str               digest of all that decides what is compiled
    arguments : types of the arguments
    hit : bool              True where it was loaded from disk, and nothing was compiled
    seconds : float         what `build` took
    llvm_seconds : float    what LLVM's passes and its code generator took of it; 0 on a hit
    path : Path or None     the compiled object on disk; None where it is not kept
    """

    entry: Callable[..., Any]
    key: str
    arguments: tuple[Argument, ...]
    hit: bool
    seconds: float
    path: Path | None
    # Environments are referred to by address in the compiled code, so this must live as long as the entry.
    result: Any = field(repr=False, default=None)
    llvm_seconds: float = 0.0

    def __str__(self) -> str:
        how = "loaded from disk" if self.hit else "plain Python" if self.result is None else "compiled"
        types = ", ".join(map(str, self.arguments))
        return f"main({types})   {how} in {self.seconds * 1e3:.1f} ms\n{_file(self.path)}"


def _file(path: Path | None) -> str:
    if path is None:
        return "not kept on disk"
    try:
        return f"{path}   {readable(path.stat().st_size)}"
    except OSError:
        return f"{path}   no longer there"


def build(source: str, arguments: Sequence[Argument], before: Callable[[], None] = lambda: None) -> Native:
    """The function `main` of the source, for these types of arguments.

    Identical sources are built once in a process. Threads may call this at the same time. `before` is called where the
    source must be compiled, and may raise what is wrong in functions that it imports.

    Raises
    ------
    KernelError    Numba can't compile the source: a mistake of ours
    CacheError     the cache folder is not this user's own
    """
    start = time.perf_counter()
    keep_freed_memory()
    arguments = tuple(arguments)
    key = cache_key(source, arguments)
    place = key, cache.folder()
    if place not in _built:
        # Numba's own lock: loading changes LLVM's engine as compiling does.
        with global_compiler_lock:
            if place not in _built:
                _built[place] = _make(source, arguments, key, start, before)
    return _built[place]


def cache_key(source: str, arguments: Sequence[Argument]) -> str:
    """A digest of all that decides what is compiled, by which it is found again."""
    numba_config.reload_config()  # as Numba does before it compiles
    settings = [_setting(name) for name in _NUMBA_SETTINGS]
    target = cpu_target.target_context.codegen().magic_tuple()
    parts = (_environment_digest(), settings, target, [(a.dtype, a.ndim) for a in arguments], source)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:_KEY_DIGITS]


def _setting(name: str) -> str:
    value = getattr(numba_config, name, None)
    return str(getattr(value, "_raw_value", value))  # OPT: "max" and 3 are equal as numbers


@lru_cache(maxsize=1)
def _environment_digest() -> str:
    """A digest of what does not change while a process runs: versions, and the kernels that generated code calls."""
    import scipy  # Numba has imported it

    versions = (object_code.FORMAT, nbgraph.__version__, numba.__version__, llvmlite.__version__, np.__version__,
                scipy.__version__, sys.version, getattr(sys, "abiflags", ""))
    digest = hashlib.sha256(repr(versions).encode())
    folder = Path(nbgraph.__file__).parent / "dispatch"
    for file in sorted(folder.rglob("*.py")):
        text = file.read_bytes()
        digest.update(f"{file.relative_to(folder).as_posix()} {len(text)}\n".encode() + text)
    return digest.hexdigest()


def _make(source: str, arguments: tuple[Argument, ...], key: str, start: float, before: Callable[[], None]) -> Native:
    if getattr(numba_config, "DISABLE_JIT", 0):
        module = _run(source, key)
        return Native(module.main, key, arguments, False, time.perf_counter() - start, None)
    stored = cache.read(key)
    loaded = None if stored is None else _load(source, key, stored)
    if loaded is not None:
        seconds = time.perf_counter() - start
        return Native(loaded.entry_point, key, arguments, True, seconds, cache.entry_path(key), loaded)
    before()
    cache.write_source(key, source)
    result = _compile(source, arguments, key)
    path = _keep(result, key)
    _forget(sys.modules[f"nbgraph_{key}"], result)
    return Native(result.entry_point, key, arguments, False, time.perf_counter() - start, path, result,
                  result.library.llvm_seconds)


def _forget(module: ModuleType, result: Any) -> None:
    """Let go of what only compiling needed: LLVM's text of every function, most of what a compiled function holds.

    Never its machine code: a thread that `cores` has started may still be leaving it.
    """
    kernels = [v for v in vars(module).values() if isinstance(v, Dispatcher) and v.__module__ == module.__name__]
    compiled: list[Any] = [made for kernel in kernels for made in kernel.overloads.values()]
    for library in {made.library for made in compiled}:
        forget_text(library)
    for kernel in kernels:
        kernel.overloads.clear()


def _keep(result: Any, key: str) -> Path | None:
    """The file where the compiled function is kept; None, and a warning, where that can't be: it works all the same."""
    try:
        data = object_code.dump(result)
    except Exception as error:  # such as an object that does not pickle
        reason = str(error) if isinstance(error, object_code.Unkeepable) else f"{type(error).__name__}: {error}"
        warnings.warn(f"the function in {cache.source_path(key)} is compiled anew by every process: {reason}",
                      stacklevel=2)
        return None
    return cache.write(key, data)


def _load(source: str, key: str, stored: bytes) -> Any:
    """The compile result that was kept; None, and a warning, where it can't be used here."""
    symbols.register()
    if "nbgraph.dispatch.products" in source:
        from nbgraph.dispatch import blas

        blas.register()
    if "nbgraph.dispatch.random.covariance" in source:
        from nbgraph.dispatch import blas

        blas.register_lapack()
    if "nbgraph.dispatch.cores" in source:
        threads.register()
    _register(source, key)
    try:
        return object_code.load(stored)
    except object_code.Unloadable as error:
        warnings.warn(f"{cache.entry_path(key)} can't be loaded and is compiled again ({error})", stacklevel=2)
        return None


def _register(source: str, key: str) -> ModuleType:
    """An empty module for the functions of the source, whose lines a traceback finds though no file may exist.

    Compiled code refers to its module by name, so it must be in sys.modules before it is run, compiled or loaded. The
    name is of the content: two functions of one name are the same function, and so their symbols may coincide.
    """
    name, path = f"nbgraph_{key}", str(cache.source_path(key))
    module = ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    # A modification time of None keeps linecache from looking for the file.
    linecache.cache[path] = len(source), None, source.splitlines(keepends=True), path
    return module


def _run(source: str, key: str) -> ModuleType:
    module = _register(source, key)
    assert module.__file__ is not None, "set by _register"
    exec(compile(source, module.__file__, "exec", dont_inherit=True), module.__dict__)
    return module


def _compile(source: str, arguments: tuple[Argument, ...], key: str) -> Any:
    main = _run(source, key).main
    types = tuple(numba_type(argument) for argument in arguments)
    try:
        with _no_collection():
            main.compile(types)
    except NbgraphError:
        raise
    except Exception as error:  # a NumbaError, or whatever a pass that did not expect this source runs into
        raise _failure(error, str(cache.source_path(key))) from error
    return main.overloads[types]


@contextmanager
def _no_collection() -> Iterator[None]:
    """Numba makes a million objects, few of them garbage: looking for it is a sixth of the time of a compilation."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def numba_type(argument: Argument) -> Any:
    """What Numba calls it."""
    scalar = numba.from_dtype(np.dtype(argument.dtype))
    return numba.types.Array(scalar, argument.ndim, "C") if argument.ndim else scalar


def _failure(error: Exception, path: str) -> KernelError:
    """Numba's error as ours: the generated file, and the line of it that Numba names, if any."""
    # File "….py", line 12     and     typing of call at ….py (12)
    found = re.search(re.escape(Path(path).name) + r'"?,? (?:line )?\(?(\d+)', str(error))
    place = f"{path}:{found[1]}   {linecache.getline(path, int(found[1])).strip()}" if found else path
    return KernelError("main", f"Numba can't compile the generated source: {type(error).__name__}", source=place,
                       fix="a mistake of nbgraph: please report it with that file")
