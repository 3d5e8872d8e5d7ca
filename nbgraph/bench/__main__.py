"""The command line: python -m nbgraph.bench [--quick] [--case NAME] [--json] [--mode MODE].

The compile cache is a new directory for each run, so that cold is cold; a second process then measures warm.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from typing import Any

from nbgraph.bench.cases import CASES
from nbgraph.bench.measure import Measurement, build, measure, prepare
from nbgraph.bench.report import as_json, table
from nbgraph.compile.mode import MODES
from nbgraph.config import config


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m nbgraph.bench", description="Cases of a numerical modeller's "
                                     "work: checked against NumPy, then timed.")
    parser.add_argument("--quick", action="store_true", help="short timings: under a minute in all")
    parser.add_argument("--case", action="append", choices=list(CASES), metavar="NAME",
                        help=f"only this case (may be repeated): {', '.join(CASES)}")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--mode", choices=list(MODES), default="FAST_RUN", help="how the functions are made")
    parser.add_argument("--warm", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(given)


def progress(names: Sequence[str]) -> Iterable[str]:
    """The names, with a progress bar where a person is watching and tqdm (the `bench` extra) is there."""
    if not sys.stderr.isatty():
        return names
    try:
        from tqdm import tqdm
    except ImportError:
        return names
    return tqdm(names, desc="bench", unit="case", leave=False)


def run(names: Sequence[str], mode: str, budget_s: float) -> list[Measurement]:
    """Measure the cases; one that raises is a failure, and the others still run."""
    found = []
    with tempfile.TemporaryDirectory(prefix="nbgraph-bench-") as folder, config.change_flags(cache_dir=folder):
        prepare(mode)
        for name in progress(names):
            try:
                found.append(measure(CASES[name], mode, budget_s))
            except Exception as error:
                found.append(Measurement(name, failure=f"{type(error).__name__}: {str(error).splitlines()[0]}"))
        built = [m.name for m in found if m.cold_ms is not None]
        if mode != "reference" and built:
            warm = warm_ms(built, mode, folder)
            for m in found:
                m.warm_ms = warm.get(m.name)
    return found


def warm_ms(names: Sequence[str], mode: str, folder: str) -> dict[str, float]:
    """Milliseconds to make each function in a new process that finds them all in the cache."""
    command = [sys.executable, "-m", "nbgraph.bench", "--warm", "--mode", mode]
    command += [word for name in names for word in ("--case", name)]
    done = subprocess.run(command, env=os.environ | {"NBGRAPH_CACHE_DIR": folder}, check=True, capture_output=True,
                          text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main(given: Sequence[str] | None = None) -> int:
    """0 where every case agrees with NumPy, else 1."""
    options = arguments(given)
    names = options.case or list(CASES)
    if options.warm:
        prepare(options.mode)
        print(json.dumps({name: build(CASES[name], options.mode)[2] for name in names}))
        return 0
    found = run(names, options.mode, budget_s=0.15 if options.quick else 1.0)
    print(as_json(found, options.mode) if options.json else table(found))
    return 1 if any(m.failure for m in found) else 0


if __name__ == "__main__":
    sys.exit(main())
