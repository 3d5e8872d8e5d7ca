"""What compiling takes: the start of a script, every case, and a model of 80 to 640 terms.

All in new processes. Cold: nothing was compiled before. Warm: everything was, by another process.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np

from nbgraph.bench.cases import CASES
from nbgraph.bench.cases.elementwise import additive_of
from nbgraph.bench.contenders import Nbgraph

TERMS = (80, 160, 320, 640)
# A model that has taken longer than this is the largest one that is tried.
LONGEST_S = 60.0
SCRIPT = """
import time
start = time.perf_counter()
import nbgraph
imported = time.perf_counter()
import nbgraph.tensor as nt
import numpy as np
x, y = nt.dmatrix("x"), nt.dvector("y")
w = nbgraph.shared(np.zeros(3), name="w")
cost = ((nt.dot(x, w) - y) ** 2).mean()
step = nbgraph.function([x, y], cost, updates=[(w, w - 0.1 * nbgraph.grad(cost, w))])
step(np.eye(3), np.ones(3))
print(imported - start, time.perf_counter() - start)
"""


def in_new_process(script: str, folder: str) -> str:
    """What a script prints in a Python process that keeps compiled code in `folder`."""
    return subprocess.run([sys.executable, "-c", script], env=os.environ | {"NBGRAPH_CACHE_DIR": folder}, check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def measure(quick: bool) -> dict[str, Any]:
    """Milliseconds of everything."""
    # The additive case is the smallest of the models.
    names = [f"case {name}" for name, case in CASES.items() if name != "additive" and (case.quick or not quick)]
    names += [f"terms {count}" for count in TERMS[:2 if quick else None]]
    with tempfile.TemporaryDirectory(prefix="nbgraph-bench-") as folder:
        script = start_of_a_script(folder, times=3 if quick else 9)
        cold, warm = (json.loads(in_new_process(f"from {__name__} import build_all; build_all({names!r})", folder))
                      for _ in range(2))
    return {"script": script, "built": {name: {"cold_ms": ms, "warm_ms": warm.get(name)} for name, ms in cold.items()}}


def start_of_a_script(folder: str, times: int) -> dict[str, float]:
    """A script with a gradient and an update, from its first line on: cold once, warm as a median."""
    found = [[1e3 * float(seconds) for seconds in in_new_process(SCRIPT, folder).split()]
             for _ in range(times + 1)]
    imports, results = zip(*found[1:], strict=True)
    return {"import_ms": statistics.median(imports), "cold_ms": found[0][1], "warm_ms": statistics.median(results)}


def milliseconds_of(name: str) -> float:
    """From the formula to the first result."""
    kind, _, which = name.partition(" ")
    problem = CASES[which].problem() if kind == "case" else additive_of(int(which), np.random.default_rng(20))
    start = time.perf_counter()
    Nbgraph().build(CASES.get(which, CASES["additive"]), problem).call()
    return 1e3 * (time.perf_counter() - start)


def build_all(names: list[str]) -> None:
    """Print how long each takes in this process, as JSON."""
    Nbgraph().prepare()
    found: dict[str, float] = {}
    for name in names:
        if name.startswith("terms") and max(found.values(), default=0.0) > 1e3 * LONGEST_S:
            break
        found[name] = milliseconds_of(name)
    print(json.dumps(found))


def rows(content: dict[str, Any]) -> tuple[str, list[list[str]]]:
    """The script, the cases, the models."""
    script = content["script"]
    body = [["import nbgraph", "", f"{script['import_ms']:,.0f}"],
            ["a script from import to first result", f"{script['cold_ms']:,.0f}", f"{script['warm_ms']:,.0f}"]]
    body += [[name, f"{found['cold_ms']:,.0f}", "-" if found["warm_ms"] is None else f"{found['warm_ms']:,.0f}"]
             for name, found in content["built"].items()]
    return "Milliseconds from the formula to the first result", [["what", "cold", "warm"], *body]


def brief(content: dict[str, Any]) -> tuple[str, list[list[str]]]:
    """All but the cases, which the table of the cases has."""
    title, found = rows(content)
    return title, [row for row in found if not row[0].startswith("case ")]
