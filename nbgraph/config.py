"""Settings: read from NBGRAPH_* variables, changed with `config.change_flags(floatX="float32")`.

| option        | variable              | meaning                                                               |
|---------------|-----------------------|-----------------------------------------------------------------------|
| floatX        | NBGRAPH_FLOATX        | dtype of `matrix()` and friends without a letter                      |
| mode          | NBGRAPH_MODE          | what `function(mode=None)` means                                      |
| cache_dir     | NBGRAPH_CACHE_DIR     | where compiled functions are kept                                     |
| cache_bytes   | NBGRAPH_CACHE_BYTES   | size of the cache above which the oldest entries are removed          |
| threads       | NBGRAPH_THREADS       | how many cores a call may use; default: those of this process         |
| keep_bytes    | NBGRAPH_KEEP_BYTES    | freed memory that the process keeps (glibc); 0: as the system has it  |
| profile       | NBGRAPH_PROFILE       | what `function(profile=None)` means: True, a ProfileStats of its own  |
| verify        | NBGRAPH_VERIFY        | check the graph after every rewriting pass                            |
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}, not {text!r}")
        return text
    return parse


def _boolean(given: Any) -> bool:
    known = {"0": False, "false": False, "1": True, "true": True}
    if str(given).lower() not in known:
        raise ValueError(f"must be 0 or 1, not {given!r}")
    return known[str(given).lower()]


def _whole(number: Any) -> int:
    try:
        whole = int(number)
    except (TypeError, ValueError, OverflowError):
        whole = None
    if whole is None or (whole != number and not isinstance(number, str)):
        raise ValueError(f"must be a whole number, not {number!r}")
    return whole


def _positive(number: Any) -> int:
    if _whole(number) < 1:
        raise ValueError(f"must be at least 1, not {number}")
    return _whole(number)


def _natural(number: Any) -> int:
    if _whole(number) < 0:
        raise ValueError(f"must not be negative, not {number}")
    return _whole(number)


def _path(given: Any) -> Path:
    if not isinstance(given, (str, os.PathLike)):
        raise ValueError(f"must be a path, not {given!r}")
    return Path(given)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _default_cache_dir() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "nbgraph"


_OPTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[], Any]]] = {
    "floatX": (_choice("float64", "float32"), lambda: "float64"),
    "mode": (_choice("FAST_RUN", "FAST_COMPILE", "reference", "DebugMode", "NanGuardMode"), lambda: "FAST_RUN"),
    "cache_dir": (_path, _default_cache_dir),
    "cache_bytes": (_natural, lambda: 2_000_000_000),
    "threads": (_positive, cores),
    "keep_bytes": (_natural, lambda: 256_000_000),
    "profile": (_boolean, lambda: False),
    "verify": (_boolean, lambda: False),
}


# Where compiled code reads `threads`.
threads_cell = ctypes.c_int64(1)
# Libraries with threads of their own, once they are loaded.
threads_listeners: list[Callable[[int], None]] = []


def _check_name(name: str) -> None:
    if name not in _OPTIONS:
        raise AttributeError(f"config has no option {name!r}; there are {', '.join(_OPTIONS)}")


class Config:
    """The settings of this process; `config.floatX = "float32"` sets one, checked."""

    floatX: str
    mode: str
    cache_dir: Path
    cache_bytes: int
    threads: int
    keep_bytes: int
    profile: bool
    verify: bool

    def __init__(self) -> None:
        for name, (_, default) in _OPTIONS.items():
            text = os.environ.get(f"NBGRAPH_{name.upper()}")
            setattr(self, name, default() if text is None else text)

    def __setattr__(self, name: str, value: Any) -> None:
        _check_name(name)
        try:
            object.__setattr__(self, name, _OPTIONS[name][0](value))
        except ValueError as error:
            raise ValueError(f"config.{name} (NBGRAPH_{name.upper()}) {error}") from None
        if name == "threads":
            threads_cell.value = self.threads
            for tell in threads_listeners:
                tell(self.threads)

    @contextmanager
    def change_flags(self, **changes: Any) -> Iterator[None]:
        """Inside the block the named options have other values."""
        for name in changes:
            _check_name(name)
        before = {name: getattr(self, name) for name in changes}
        try:
            for name, value in changes.items():
                setattr(self, name, value)
            yield
        finally:
            for name, value in before.items():
                setattr(self, name, value)

    def __repr__(self) -> str:
        return "\n".join(f"{name:12} {getattr(self, name)}" for name in _OPTIONS)


config = Config()
