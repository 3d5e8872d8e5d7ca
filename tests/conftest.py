"""What all tests share: one compile cache for the run, the fixture `fresh_cache`, and the modes to run in."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# Set before nbgraph is imported, since config reads it then. Workers of pytest-xdist inherit it, and so do the
# processes that tests start. Only the process that made the directory removes it.
_OWN_CACHE = None if "NBGRAPH_CACHE_DIR" in os.environ else tempfile.mkdtemp(prefix="nbgraph-test-cache-")
if _OWN_CACHE is not None:
    os.environ["NBGRAPH_CACHE_DIR"] = _OWN_CACHE

# The same examples in every run; NBGRAPH_TEST_SEED, which graphs are made from too, asks for others.
hypothesis.settings.register_profile("nbgraph", derandomize="NBGRAPH_TEST_SEED" not in os.environ, deadline=None)
hypothesis.settings.load_profile("nbgraph")

# What a test of compiled functions runs in.
MODES = ("reference", "FAST_RUN", "FAST_COMPILE")


def pytest_addoption(parser: pytest.Parser) -> None:
    """--update-golden: read the diff before you commit it."""
    parser.addoption("--update-golden", action="store_true", help="write tests/lowering/golden anew")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the cache of this run."""
    if _OWN_CACHE is not None:
        shutil.rmtree(_OWN_CACHE, ignore_errors=True)


@pytest.fixture(scope="session")
def cache_dir() -> Path:
    """The directory where this run keeps what it compiles."""
    return Path(os.environ["NBGRAPH_CACHE_DIR"])


@pytest.fixture
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty compile cache for one test, also for the processes that it starts."""
    from nbgraph.config import config

    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("NBGRAPH_CACHE_DIR", str(folder))
    with config.change_flags(cache_dir=folder):
        yield folder


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> Iterator[str]:
    """The test runs once in every mode, which is then what function(mode=None) means."""
    from nbgraph.config import config

    with config.change_flags(mode=request.param):
        yield request.param
