"""The command line: python -m nbgraph.bench [--peers | --figures NAME | --plot FILE | --report [FILE]].

Without one of these, every case is checked against NumPy and timed beside it, in this process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from nbgraph.bench import markdown, saved
from nbgraph.bench.cases import CASES
from nbgraph.bench.contenders import CONTENDERS, Nbgraph
from nbgraph.bench.figures import FIGURES
from nbgraph.bench.measure import Measurement, build, measure
from nbgraph.bench.peers import OURS, Effort, Verdict, installed, judge
from nbgraph.bench.report import as_json, peers_json, peers_table, table
from nbgraph.compile.modes import MODES
from nbgraph.config import config


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m nbgraph.bench", description="Cases of a numerical modeller's "
                                     "work: checked against NumPy, then timed.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--peers", action="store_true", help="side by side with PyTensor, JAX, numexpr and a loop "
                      "written by hand, each in processes of its own (pip install 'nbgraph[peers]')")
    what.add_argument("--figures", choices=[*FIGURES, "all"], metavar="NAME",
                      help=f"other figures: {', '.join(FIGURES)}, or all")
    what.add_argument("--plot", metavar="FILE", help="draw the figure `scaling` (needs nbgraph[notebooks])")
    what.add_argument("--report", nargs="?", const="-", metavar="FILE",
                      help="the saved results as Markdown, or put between the markers of FILE")
    parser.add_argument("--quick", action="store_true", help="fewer cases and short timings: under a minute in all "
                        "(--peers: one compile of each)")
    parser.add_argument("--case", action="append", choices=list(CASES), metavar="NAME",
                        help=f"only this case (may be repeated): {', '.join(CASES)}")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--save", action="store_true", help="keep what --peers or --figures all finds in bench/results")
    parser.add_argument("--mode", choices=list(MODES), default="FAST_RUN", help="how the functions are made")
    parser.add_argument("--warm", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(given)
    if options.save and (options.case or options.quick or not (options.peers or options.figures == "all")):
        parser.error("--save goes with --peers or --figures all, and with every case")
    return options


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
    """Measure the cases beside NumPy; one that raises is a failure, and the others still run."""
    found = []
    with tempfile.TemporaryDirectory(prefix="nbgraph-bench-") as folder, config.change_flags(cache_dir=folder):
        Nbgraph(mode).prepare()
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


def print_warm(names: Sequence[str], mode: str) -> int:
    """What `warm_ms` reads."""
    Nbgraph(mode).prepare()
    print(json.dumps({name: build(CASES[name], mode).ms for name in names}))
    return 0


def peers(names: Sequence[str], options: argparse.Namespace) -> int:
    """Side by side with the peers; 1 where nbgraph disagrees with NumPy."""
    contenders, missing = installed(list(CONTENDERS))
    effort = Effort(rounds=7, turn_s=0.01, cold=False) if options.quick else Effort()
    bar = progress(names)
    tell = getattr(bar, "set_postfix_str", lambda name: None)
    verdicts: list[Verdict] = [judge(CASES[name], contenders, effort, tell) for name in bar]
    print(peers_json(verdicts) if options.json else peers_table(verdicts, missing))
    if options.save:
        saved.save("peers", [verdict.as_dict() for verdict in verdicts])
    return 1 if any(verdict.entries[OURS].failure for verdict in verdicts) else 0


def figures(name: str, options: argparse.Namespace) -> int:
    """Print one figure, or all of them."""
    found = {key: FIGURES[key].measure(options.quick) for key in progress(list(FIGURES) if name == "all" else [name])}
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        print("\n\n".join(FIGURES[key].text(value) for key, value in found.items()))
    if options.save:
        saved.save("figures", found)
    return 0


def report(page: str) -> int:
    """Print the saved results as Markdown, or put them into a page."""
    text = markdown.page(saved.load("peers"), saved.load("figures"))
    if page == "-":
        print(text, end="")
        return 0
    path = Path(page)
    path.write_text(saved.renewed(path.read_text(), text))
    return 0


def main(given: Sequence[str] | None = None) -> int:
    """0 where every case agrees with NumPy, else 1."""
    options = arguments(given)
    names = options.case or [name for name, case in CASES.items() if case.quick or not options.quick]
    if options.warm:
        return print_warm(names, options.mode)
    if options.report:
        return report(options.report)
    if options.plot:
        from nbgraph.bench.figures.scaling import draw
        from nbgraph.bench.figures.scaling import measure as points
        draw(points(options.quick), options.plot)
        return 0
    if options.figures:
        return figures(options.figures, options)
    if options.peers:
        return peers(names, options)
    found = run(names, options.mode, budget_s=0.15 if options.quick else 1.0)
    print(as_json(found, options.mode) if options.json else table(found))
    return 1 if any(m.failure for m in found) else 0


if __name__ == "__main__":
    sys.exit(main())
