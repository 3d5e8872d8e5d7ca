"""Addresses of SciPy's BLAS and LAPACK routines, by the names that generated object code refers to them.

    register()          llvmlite now resolves nbgraph_dgemm, nbgraph_sgemv ... in this process

Whoever compiles such a call, or loads an object that was compiled by another process, registers first. Neither Numba
nor the package scipy.linalg is imported: its extension module is loaded from its file, in 2 ms instead of 90.

All routines are Fortran's: column-major matrices, arguments by reference, 32-bit lengths. A length beyond LONGEST does
not fit these; the elements of a matrix may be more, since OpenBLAS and MKL count offsets in 64 bits.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import llvmlite.binding as llvm

from nbgraph.config import config, cores, threads_listeners
from nbgraph.errors import KernelError

LONGEST = 2**31 - 1
# BLAS's letter of each dtype.
LETTERS = {"float32": "s", "float64": "d", "complex64": "c", "complex128": "z"}
# Routines, and the beginning of the C signatures that the code in `products` is made for.
SIGNATURES = {"gemm": "void (char *, char *, int *, int *, int *, ", "gemv": "void (char *, int *, int *, "}
LAPACK_SIGNATURES = {"gesdd": "void (char *, int *, int *, ", "syevd": "void (char *, char *, int *, ",
                     "potrf": "void (char *, int *, "}
_MODULE, _LAPACK = "scipy.linalg.cython_blas", "scipy.linalg.cython_lapack"


def symbol(routine: str, dtype: str) -> str:
    """The name that object code has for a routine: symbol("gemm", "float64") is "nbgraph_dgemm"."""
    return f"nbgraph_{LETTERS[dtype]}{routine}"


def fits(*lengths: int) -> bool:
    """True where BLAS can take arrays of these lengths."""
    return all(n <= LONGEST for n in lengths)


@lru_cache(maxsize=1)
def register() -> None:
    """Make the routines known to llvmlite, under the names of `symbol`. Only the first call does anything.

    Raises
    ------
    KernelError   SciPy's BLAS takes other arguments than those of 32 bits
    """
    _add(_MODULE, SIGNATURES, LETTERS)
    set_threads = _set_threads()
    if set_threads is not None:
        threads_listeners.append(set_threads)
        if config.threads != cores():
            set_threads(config.threads)


@lru_cache(maxsize=1)
def register_lapack() -> None:
    """The same for routines of LAPACK, of float64.

    Raises
    ------
    KernelError   SciPy's LAPACK takes other arguments than those of 32 bits
    """
    _add(_LAPACK, LAPACK_SIGNATURES, ["float64"])


def _add(module: str, signatures: dict[str, str], kinds: Iterable[str]) -> None:
    """Name the routines of a module for llvmlite."""
    capsules = pointers(module).__pyx_capi__
    for routine, signature in signatures.items():
        for dtype in kinds:
            llvm.add_symbol(symbol(routine, dtype), address(capsules[LETTERS[dtype] + routine], signature))


def _set_threads() -> Callable[[int], None] | None:
    """OpenBLAS's function that takes the number of threads; None where BLAS is another one."""
    library = ctypes.CDLL(pointers(_MODULE).__file__)
    names = (f"{prefix}openblas_set_num_threads{suffix}" for prefix in ("scipy_", "") for suffix in ("", "64_"))
    found = next((getattr(library, name) for name in names if hasattr(library, name)), None)
    return None if found is None else lambda threads: found(ctypes.c_int(threads))


def address(capsule: object, signature: str) -> int:
    """The pointer in a capsule, whose name is its C signature.

    Raises
    ------
    KernelError   the signature does not begin like this
    """
    name = ctypes.pythonapi.PyCapsule_GetName
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    found = name(capsule)
    if not found.decode().startswith(signature):
        raise KernelError("scipy.linalg", f"a routine is {found.decode()}, not {signature}…)",
                          fix="install a SciPy whose BLAS has 32-bit integers (LP64)")
    return int(pointer(capsule, found))


def pointers(name: str) -> ModuleType:
    """SciPy's module of BLAS or LAPACK pointers, without scipy.linalg where that can be."""
    if name in sys.modules:
        return sys.modules[name]
    path = _extension_file(name)
    if path is None:
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, f"{path} has the suffix of an extension module"
    try:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except ImportError:  # such as a library beside it that only scipy.linalg knows how to find
        return importlib.import_module(name)
    # Cython enters it in sys.modules. Left there, `import scipy.linalg.cython_blas` would not make it an attribute of
    # its package. Taken out, that import gives this same module again.
    sys.modules.pop(name, None)
    return module


def _extension_file(name: str) -> Path | None:
    """Where the extension module is, None where SciPy is not laid out in the usual way."""
    spec = importlib.util.find_spec("scipy")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for suffix in importlib.machinery.EXTENSION_SUFFIXES:
            path = Path(folder, "linalg", name.rpartition(".")[2] + suffix)
            if path.is_file():
                return path
    return None
