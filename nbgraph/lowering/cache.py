"""The folder where compiled functions are kept: private, checked, capped, shared by any number of processes.

    nbgraph_3f2a….nbc    magic, checksum, compiled object        nbgraph_3f2a….py    its source, for people

A file appears under its name only when it is complete (written aside, then renamed), so nothing is ever locked. What a
file holds is decided elsewhere: here there are bytes, names and times. Imports neither Numba nor SciPy.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

from nbgraph.config import config
from nbgraph.errors import NbgraphError

MAGIC = b"nbgraph\x01"
_CHECKSUM_BYTES = 32
_ENTRY = re.compile(r"nbgraph_([0-9a-f]+)\.(nbc|py)")
_ASIDE = ".nbgraph-"  # how a file is called before it is complete
_ABANDONED_S = 3600.0  # a file aside that is older belongs to a process that was killed
_OTHERS_WRITE = 0o022
_warned: set[Path] = set()


class CacheError(NbgraphError, PermissionError):
    """The cache folder is not this user's own."""


@dataclass(frozen=True)
class CacheInfo:
    """What a cache folder holds.

    folder : Path
    entries : int                       compiled functions
    bytes : int                         size of all their files
    oldest, newest : float or None      when the longest and the most recently used were used, seconds since the epoch
    """

    folder: Path
    entries: int
    bytes: int
    oldest: float | None = None
    newest: float | None = None

    def __str__(self) -> str:
        lines = [f"folder   {self.folder}", f"entries  {self.entries}", f"size     {readable(self.bytes)}"]
        for name, when in (("oldest", self.oldest), ("newest", self.newest)):
            if when is not None:
                lines.append(f"{name}   used {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(when))}")
        return "\n".join(lines)


@dataclass(frozen=True)
class _Entry:
    """The files of one compiled function."""

    key: str
    files: tuple[Path, ...]
    bytes: int
    used: float


def readable(size_bytes: int) -> str:
    """A size for people: 812 B, 3.4 kB, 1.2 GB."""
    size, units = float(size_bytes), ["B", "kB", "MB", "GB", "TB"]
    while size >= 999.5 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f"{size:.0f} {units[0]}" if size >= 100 else f"{size:.3g} {units[0]}"


def folder() -> Path:
    """Where compiled functions are kept: `config.cache_dir`, as an absolute path."""
    return config.cache_dir.expanduser().absolute()


def entry_path(key: str) -> Path:
    """Where the compiled object of this key is, or would be."""
    return folder() / f"nbgraph_{key}.nbc"


def source_path(key: str) -> Path:
    """Where the source of this key is, or would be."""
    return folder() / f"nbgraph_{key}.py"


def read(key: str) -> bytes | None:
    """The bytes kept under this key; None where there are none, or where they are not what was written.

    Raises
    ------
    CacheError    the folder is not this user's own
    """
    path = entry_path(key)
    try:
        if not _is_private(path.parent):
            return None
        data = path.read_bytes()
    except CacheError:
        raise
    except OSError:
        return None  # not there, or not readable: the function is compiled
    payload = _verified(key, data)
    if payload is not None:
        _touch(path)
    return payload


def write(key: str, payload: bytes) -> Path | None:
    """Keep the bytes under this key, then remove the oldest entries above `config.cache_bytes`.

    Returns the file, or None (and one warning) where the folder can't be written.

    Raises
    ------
    CacheError    the folder is not this user's own
    """
    path = entry_path(key)
    if not _put(path, MAGIC + _checksum(key, payload) + payload):
        return None
    _trim(path.parent, key)
    return path


def write_source(key: str, source: str) -> Path | None:
    """Put the source where a person, a debugger and a traceback find it; None where the folder can't be written."""
    path = source_path(key)
    return path if _put(path, source.encode()) else None


def info() -> CacheInfo:
    """What the cache folder holds now."""
    return _summary(folder(), _entries(_files(folder())))


def clear() -> CacheInfo:
    """Remove every entry; returns what was removed. Other files in the folder stay."""
    files = _files(folder())
    removed = [entry for entry in _entries(files) if _remove(entry.files)]
    _remove(tuple(file for file in files if file.name.startswith(_ASIDE)))
    return _summary(folder(), removed)


def _checksum(key: str, payload: bytes) -> bytes:
    # The key is part of it: an entry that was copied to another name is not taken.
    return hashlib.sha256(key.encode() + payload).digest()


def _verified(key: str, data: bytes) -> bytes | None:
    start = len(MAGIC) + _CHECKSUM_BYTES
    payload = data[start:]
    whole = data[:len(MAGIC)] == MAGIC and data[len(MAGIC):start] == _checksum(key, payload)
    return payload if whole else None


def _is_private(place: Path) -> bool:
    """True where the folder is there and only this user writes to it, False where it is not there.

    Entries are unpickled and run: whoever can write here runs code as this user.
    """
    try:
        found = place.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    if os.name != "posix":
        return True
    if found.st_uid != os.geteuid():
        raise CacheError("cache", f"the folder of compiled functions belongs to user {found.st_uid}, and this process "
                         f"runs as user {os.geteuid()}", folder=place,
                         fix=f"set NBGRAPH_CACHE_DIR to a folder of your own, or run: chown {os.geteuid()} {place} "
                             f"&& chmod 700 {place}")
    if found.st_mode & _OTHERS_WRITE:
        raise CacheError("cache", "other users can write to the folder of compiled functions (mode "
                         f"{found.st_mode & 0o777:o}), and so could run code as you", folder=place,
                         fix=f"run: chmod 700 {place}")
    return True


def _put(path: Path, data: bytes) -> bool:
    """Write a file so that it appears complete or not at all; False, and one warning, where that can't be done."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _is_private(path.parent)
        _write_aside(path, data)
    except CacheError:
        raise
    except OSError as error:
        _warn_once(path.parent, error)
        return False
    return True


def _write_aside(path: Path, data: bytes) -> None:
    handle, aside = tempfile.mkstemp(prefix=_ASIDE, dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.replace(aside, path)
    except BaseException:
        _remove((Path(aside),))
        raise


def _warn_once(place: Path, error: OSError) -> None:
    if place not in _warned:
        _warned.add(place)
        warnings.warn(f"compiled functions are not kept: {place} can't be written ({error.strerror or error}); "
                      "set NBGRAPH_CACHE_DIR to a folder of your own", stacklevel=2)


def _touch(path: Path) -> None:
    try:
        os.utime(path)
    except OSError:
        return  # a folder that can only be read: there the age is since it was written


def _files(place: Path) -> dict[Path, os.stat_result]:
    """The files of a folder; none where it is not there."""
    found = {}
    try:
        for file in os.scandir(place):
            try:
                found[Path(file.path)] = file.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # another process removed it
    except OSError:
        return {}
    return found


def _entries(files: dict[Path, os.stat_result]) -> list[_Entry]:
    """The entries among the files, the one that was used longest ago first."""
    groups: dict[str, list[Path]] = {}
    for file in files:
        match = _ENTRY.fullmatch(file.name)
        if match is not None:
            groups.setdefault(match[1], []).append(file)
    entries = [_Entry(key, tuple(group), sum(files[file].st_size for file in group),
                      max(files[file].st_mtime for file in group)) for key, group in groups.items()]
    return sorted(entries, key=lambda entry: entry.used)


def _summary(place: Path, entries: list[_Entry]) -> CacheInfo:
    used = [entry.used for entry in entries]
    return CacheInfo(place, len(entries), sum(entry.bytes for entry in entries), min(used, default=None),
                     max(used, default=None))


def _remove(files: tuple[Path, ...]) -> bool:
    """Remove the files; True where none of them is left."""
    try:
        for file in files:
            file.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _trim(place: Path, keep: str) -> None:
    """Remove the entries used longest ago until the rest fits, but never `keep`; and what killed processes left."""
    files = _files(place)
    entries = _entries(files)
    size = sum(entry.bytes for entry in entries)
    for entry in entries:
        if size <= config.cache_bytes:
            break
        if entry.key != keep and _remove(entry.files):
            size -= entry.bytes
    now = time.time()
    _remove(tuple(file for file, found in files.items()
                  if file.name.startswith(_ASIDE) and now - found.st_mtime > _ABANDONED_S))
