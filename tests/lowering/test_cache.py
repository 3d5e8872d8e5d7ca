"""The folder of compiled functions: complete files or none, nobody else's, never larger than asked for."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from nbgraph.config import config
from nbgraph.errors import NbgraphError
from nbgraph.lowering import cache

ROOT = Path(__file__).resolve().parents[2]
KEY, OTHER = "ab" * 16, "cd" * 16


def keep(key: str, size_bytes: int, age_s: float) -> None:
    """An entry whose files have this size together and were used this long ago."""
    path = cache.write_source(key, "#")
    assert path is not None
    overhead = len(cache.MAGIC) + 32 + 1
    entry = cache.write(key, b"x" * (size_bytes - overhead))
    assert entry is not None
    for file in (path, entry):
        os.utime(file, (time.time() - age_s,) * 2)


def command_line(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """What `python -m nbgraph.cache` prints."""
    return subprocess.run([sys.executable, "-m", "nbgraph.cache", *arguments], capture_output=True, text=True,
                          check=check, cwd=ROOT)


def test_what_is_written_is_read(fresh_cache: Path):
    assert cache.read(KEY) is None
    path = cache.write(KEY, b"object")
    assert path == fresh_cache / f"nbgraph_{KEY}.nbc"
    assert cache.read(KEY) == b"object"
    cache.write(KEY, b"")
    assert cache.read(KEY) == b""
    assert cache.read(OTHER) is None


def test_the_source_is_a_file_for_people(fresh_cache: Path):
    path = cache.write_source(KEY, "def main():\n    return 'ä'\n")
    assert path == fresh_cache / f"nbgraph_{KEY}.py"
    assert path.read_text(encoding="utf-8") == "def main():\n    return 'ä'\n"


def test_a_new_folder_and_its_files_are_for_this_user_alone(tmp_path: Path):
    with config.change_flags(cache_dir=tmp_path / "a" / "b"):
        cache.write_source(KEY, "source")
        path = cache.write(KEY, b"object")
    assert path is not None
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o077 for file in path.parent.iterdir()} == {0}


def test_a_truncated_entry_of_any_length_is_not_read(fresh_cache: Path):
    path = cache.write(KEY, b"object code")
    assert path is not None
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert cache.read(KEY) is None
    path.write_bytes(whole + b"\0")
    assert cache.read(KEY) is None


def test_an_entry_with_any_byte_changed_is_not_read(fresh_cache: Path):
    path = cache.write(KEY, b"object code")
    assert path is not None
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
        assert cache.read(KEY) is None


def test_an_entry_under_another_name_is_not_read(fresh_cache: Path):
    path = cache.write(KEY, b"object code")
    assert path is not None
    path.rename(cache.entry_path(OTHER))
    assert cache.read(OTHER) is None


def test_a_folder_in_place_of_an_entry_is_not_read(fresh_cache: Path):
    cache.entry_path(KEY).mkdir()
    assert cache.read(KEY) is None


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777])
def test_a_folder_that_others_can_write_to_is_refused_with_the_command_that_mends_it(fresh_cache: Path, mode: int):
    cache.write(KEY, b"object")
    fresh_cache.chmod(mode)
    for use in (lambda: cache.read(KEY), lambda: cache.write(KEY, b""), lambda: cache.write_source(KEY, "")):
        with pytest.raises(cache.CacheError, match="other users can write") as caught:
            use()
        assert f"fix: run: chmod 700 {fresh_cache}" in str(caught.value)
        assert f"where: folder   {fresh_cache}" in str(caught.value)
    fresh_cache.chmod(0o755)
    assert cache.read(KEY) == b"object"


@pytest.mark.skipif(os.name != "posix", reason="owners of POSIX")
def test_a_folder_of_another_user_is_refused(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch):
    cache.write(KEY, b"object")
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    with pytest.raises(cache.CacheError, match=f"belongs to user {me}") as caught:
        cache.read(KEY)
    assert "NBGRAPH_CACHE_DIR" in str(caught.value)
    assert f"chmod 700 {fresh_cache}" in str(caught.value)


def test_the_error_is_of_this_package_and_pickles(fresh_cache: Path):
    fresh_cache.chmod(0o777)
    with pytest.raises(NbgraphError) as caught:
        cache.read(KEY)
    assert isinstance(caught.value, PermissionError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is cache.CacheError
    assert str(again) == str(caught.value)


def test_a_folder_that_can_not_be_written_warns_once(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with config.change_flags(cache_dir=tmp_path / "file" / "cache"):
        with pytest.warns(UserWarning, match="compiled functions are not kept") as caught:
            assert cache.write_source(KEY, "source") is None
        assert "Not a directory" in str(caught[0].message)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert cache.write(KEY, b"object") is None
            assert cache.read(KEY) is None
            assert cache.info().entries == 0


def test_a_write_that_fails_leaves_nothing_behind(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.warns(UserWarning, match="No space left on device"):
        assert cache.write(KEY, b"object") is None
    assert list(fresh_cache.iterdir()) == []


def test_the_entries_used_longest_ago_go_when_the_folder_grows_too_large(fresh_cache: Path):
    for age, key in enumerate("abcd"):
        keep(key * 32, 1000, age_s=1000 - 100 * age)
    assert cache.read("a" * 32) is not None  # used now: b is the oldest
    with config.change_flags(cache_bytes=3500):
        cache.write("e" * 32, b"x" * 500)
    left = {file.stem[-1] for file in fresh_cache.iterdir()}
    assert left == {"a", "d", "e"}
    assert cache.info().bytes <= 3500


def test_an_entry_larger_than_the_limit_is_kept_alone(fresh_cache: Path):
    keep(OTHER, 1000, age_s=10)
    with config.change_flags(cache_bytes=100):
        cache.write(KEY, b"x" * 5000)
    assert [file.name for file in fresh_cache.iterdir()] == [f"nbgraph_{KEY}.nbc"]


def test_what_a_killed_process_left_is_removed_after_an_hour(fresh_cache: Path):
    old, new, foreign = (fresh_cache / name for name in (".nbgraph-old", ".nbgraph-new", "notes.txt"))
    for file in (old, new, foreign):
        file.write_text("half")
    long_ago = time.time() - 7200
    os.utime(old, (long_ago, long_ago))
    os.utime(foreign, (long_ago, long_ago))
    cache.write(KEY, b"object")
    assert not old.exists()
    assert new.exists()
    assert foreign.exists()


def test_info_counts_functions_and_the_bytes_of_all_their_files(fresh_cache: Path):
    (fresh_cache / "notes.txt").write_text("not ours")
    keep(KEY, 1000, age_s=7200)
    keep(OTHER, 500, age_s=60)
    info = cache.info()
    assert (info.folder, info.entries, info.bytes) == (fresh_cache, 2, 1500)
    assert info.oldest == pytest.approx(time.time() - 7200, abs=30)
    assert info.newest == pytest.approx(time.time() - 60, abs=30)
    assert "size     1.5 kB" in str(info)


def test_clear_removes_entries_and_nothing_else(fresh_cache: Path):
    foreign = fresh_cache / "nbgraph_notes.txt"
    foreign.write_text("not ours")
    keep(KEY, 1000, age_s=0)
    (fresh_cache / ".nbgraph-half").write_text("half")
    removed = cache.clear()
    assert (removed.entries, removed.bytes) == (1, 1000)
    assert list(fresh_cache.iterdir()) == [foreign]
    assert cache.clear().entries == 0


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path):
    with config.change_flags(cache_dir=tmp_path / "nothing"):
        assert cache.info() == cache.CacheInfo(tmp_path / "nothing", 0, 0)
        assert cache.clear().entries == 0
    assert not (tmp_path / "nothing").exists()


def test_a_relative_folder_is_made_absolute():
    with config.change_flags(cache_dir="somewhere"):
        assert cache.folder() == Path.cwd() / "somewhere"
    with config.change_flags(cache_dir="~/somewhere"):
        assert cache.folder() == Path.home() / "somewhere"


@pytest.mark.parametrize(("size", "text"), [
    (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1234, "1.23 kB"), (999_700, "1 MB"), (22_400_000, "22.4 MB"),
    (2_000_000_000, "2 GB"), (5 * 10**15, "5000 TB"),
])
def test_sizes_are_readable(size: int, text: str):
    assert cache.readable(size) == text


def test_the_command_line_tells_and_clears(fresh_cache: Path):
    keep(KEY, 1500, age_s=0)
    told = command_line("info").stdout
    assert f"folder   {fresh_cache}" in told
    assert "entries  1" in told
    assert "1.5 kB" in told
    assert command_line("clear").stdout == f"removed 1 entry, 1.5 kB, from {fresh_cache}\n"
    assert command_line("clear").stdout == f"removed 0 entries, 0 B, from {fresh_cache}\n"
    wrong = command_line("empty", check=False)
    assert wrong.returncode == 2
    assert "info" in wrong.stderr


def test_the_command_line_imports_neither_numba_nor_scipy(fresh_cache: Path):
    code = ("import sys; from nbgraph.cache.__main__ import main; main(['info']); main(['clear']); "
            "print({name.split('.')[0] for name in sys.modules} & {'numba', 'llvmlite', 'scipy'})")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.endswith("set()\n")
