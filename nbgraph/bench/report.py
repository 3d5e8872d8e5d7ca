"""Measurements as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from nbgraph.bench.measure import Measurement

COLUMNS = (("nodes", "nodes", "d"), ("kernels", "kernels", "d"), ("calls", "calls", "d"), ("cold ms", "cold_ms", ".1f"),
           ("warm ms", "warm_ms", ".1f"), ("us", "us", ",.2f"), ("numpy us", "numpy_us", ",.2f"),
           ("ratio", "ratio", ".2f"), ("error", "error", ".0e"))


def table(measurements: Sequence[Measurement]) -> str:
    """A row for each case, the geometric mean of the ratios, and the failures."""
    rows = [["case", *(title for title, _, _ in COLUMNS)]]
    rows += [[m.name, *(_cell(getattr(m, key), form) for _, key, form in COLUMNS)] for m in measurements]
    wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(text.rjust(n) if i else text.ljust(n) for i, (text, n) in enumerate(zip(row, wide, strict=True)))
             for row in rows]
    ratios = [m.ratio for m in measurements if m.ratio]
    if ratios:
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        lines += ["", f"{len(ratios)} of {len(measurements)} cases agree with NumPy; "
                  f"{mean:.2f} times as fast at the geometric mean"]
    lines += [f"FAILED {m.name}: {m.failure}" for m in measurements if m.failure]
    return "\n".join(lines)


def _cell(value: Any, form: str) -> str:
    return "-" if value is None else format(value, form)


def as_json(measurements: Sequence[Measurement], mode: str) -> str:
    """The same as one JSON object: the mode, and a list of cases."""
    cases = [asdict(m) | {"ratio": m.ratio} for m in measurements]
    for entry in cases:
        if entry["error"] is not None and not math.isfinite(entry["error"]):
            entry["error"] = None
    return json.dumps({"mode": mode, "cases": cases}, indent=2)
