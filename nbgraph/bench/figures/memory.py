"""Memory that compiled functions hold: the process after one function, and after a hundred different ones."""

from __future__ import annotations

import gc
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

COUNT = 100


def resident_mb() -> float:
    """What this process occupies now, in megabytes; where the system does not say, the most that it ever did."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1e3
    import resource  # not on every system
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def measure(quick: bool) -> dict[str, float]:
    """Megabytes of a new process after 1 and after 100 functions, compiled, and loaded from the cache."""
    from nbgraph.bench.figures.compiling import in_new_process
    count = 10 if quick else COUNT
    with tempfile.TemporaryDirectory(prefix="nbgraph-bench-") as folder:
        compiled, loaded = (json.loads(in_new_process(f"from {__name__} import grow; grow({count})", folder))
                            for _ in range(2))
    return {"count": count, "one_mb": compiled[0], "compiled_mb": compiled[1], "one_loaded_mb": loaded[0],
            "loaded_mb": loaded[1]}


def grow(count: int) -> None:
    """Print the megabytes after one function and after all."""
    import numpy as np

    import nbgraph.tensor as nt
    from nbgraph.compile.function import function
    from nbgraph.gradient import grad

    kept: list[Any] = []
    sizes = []
    for k in range(count):
        x, y = nt.dvectors("x", "y")
        z = x
        for step in range(k % 10 + 1):
            z = nt.tanh(z * y + step) if (k // 10 + step) % 2 else nt.exp(-z) + y
        loss = (z ** 2).sum() * (k + 1)
        kept.append(function([x, y], [loss, *grad(loss, [x, y])]))
        kept[-1](np.zeros(3), np.ones(3))
        if k in (0, count - 1):
            gc.collect()
            sizes.append(resident_mb())
    print(json.dumps(sizes))


def rows(content: dict[str, Any]) -> tuple[str, list[list[str]]]:
    """Compiled and loaded; the goal is that a hundred hold less than 100 MB."""
    count = content["count"]
    return ("Megabytes of a process", [["", "after 1 function", f"after {count}", "more"],
            *([label, f"{one:.0f}", f"{many:.0f}", f"{many - one:.0f}"] for label, one, many in (
                ("compiled", content["one_mb"], content["compiled_mb"]),
                ("from the cache", content["one_loaded_mb"], content["loaded_mb"])))])
