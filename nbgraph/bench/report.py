"""Measurements as tables for people and as JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from nbgraph.bench.contenders import CONTENDERS
from nbgraph.bench.measure import Measurement
from nbgraph.bench.peers import OURS, Entry, Verdict

COLUMNS = (("nodes", "nodes", "d"), ("kernels", "kernels", "d"), ("calls", "calls", "d"), ("cold ms", "cold_ms", ".1f"),
           ("warm ms", "warm_ms", ".1f"), ("us", "us", ",.2f"), ("numpy us", "numpy_us", ",.2f"),
           ("ratio", "ratio", ".2f"), ("error", "error", ".0e"))
# Nearly as fast as the loop that a person would write: this many times its time at most.
NEAR = 1.2
OTHERS = tuple(name for name in CONTENDERS if name != OURS)


def table(measurements: Sequence[Measurement]) -> str:
    """A row for each case, the geometric mean of the ratios, and the failures."""
    rows = [["case", *(title for title, _, _ in COLUMNS)]]
    rows += [[m.name, *(cell(getattr(m, key), form) for _, key, form in COLUMNS)] for m in measurements]
    lines = aligned(rows)
    ratios = [m.ratio for m in measurements if m.ratio]
    if ratios:
        lines += ["", f"{len(ratios)} of {len(measurements)} cases agree with NumPy; "
                  f"{geometric_mean(ratios):.2f} times as fast at the geometric mean"]
    lines += [f"FAILED {m.name}: {m.failure}" for m in measurements if m.failure]
    return "\n".join(lines)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines: the first column to the left, the others to the right."""
    wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(text.rjust(n) if i else text.ljust(n) for i, (text, n) in enumerate(zip(row, wide, strict=True)))
            for row in rows]


def cell(value: Any, form: str) -> str:
    """A figure, or a dash where there is none."""
    return "-" if value is None else format(value, form)


def geometric_mean(ratios: Iterable[float]) -> float:
    """exp of the mean of logs; at least one ratio."""
    logs = [math.log(ratio) for ratio in ratios]
    return math.exp(sum(logs) / len(logs))


def as_json(measurements: Sequence[Measurement], mode: str) -> str:
    """The same as one JSON object: the mode, and a list of cases."""
    cases = [asdict(m) | {"ratio": m.ratio} for m in measurements]
    for entry in cases:
        if entry["error"] is not None and not math.isfinite(entry["error"]):
            entry["error"] = None
    return json.dumps({"mode": mode, "cases": cases}, indent=2)


def peers_table(verdicts: Sequence[Verdict], missing: Sequence[str]) -> str:
    """Microseconds of a call and ratios, then compile times, then what failed."""
    lines = ["Microseconds of a call (median of rounds, and the distance of the quartiles); ratio: how many times as "
             "fast as the best peer, and as the loop", ""]
    lines += aligned([["case", OURS, *OTHERS, "ratio", "of loop"], *map(_speed_row, verdicts)])
    if any(entry.cold_ms for verdict in verdicts for entry in verdict.entries.values()):
        lines += ["", "Milliseconds from the formula to the first result, cold / warm", ""]
        compilers = [name for name in CONTENDERS if CONTENDERS[name].compiles]
        lines += aligned([["case", *compilers], *([v.name, *(_compile_cell(v.entries.get(name)) for name in compilers)]
                                                  for v in verdicts)])
    lines += ["", *summary(verdicts)]
    lines += [f"FAILED {v.name}, {name}: {entry.failure}" for v in verdicts for name, entry in v.entries.items()
              if entry.failure]
    if missing:
        lines.append(f"not installed: {', '.join(missing)}; pip install 'nbgraph[peers]'")
    return "\n".join(lines)


def _speed_row(verdict: Verdict) -> list[str]:
    entries = [verdict.entries.get(name) for name in (OURS, *OTHERS)]
    return [verdict.name, *map(_speed_cell, entries), cell(verdict.ratio, ".2f"), cell(verdict.ratio_to("loop"), ".2f")]


def _speed_cell(entry: Entry | None) -> str:
    if entry is None or entry.us is None:
        return "failed" if entry is not None and entry.failure else "-"
    return f"{entry.us:,.1f} ±{cell(entry.spread, '3.0%')}"


def _compile_cell(entry: Entry | None) -> str:
    return "-" if entry is None else f"{cell(entry.cold_ms, ',.0f')} / {cell(entry.warm_ms, ',.0f')}"


def summary(verdicts: Sequence[Verdict]) -> list[str]:
    """How often and by how much we are ahead: of the best peer, and of each contender."""
    lines = []
    ratios = [v.ratio for v in verdicts if v.ratio]
    if ratios:
        ahead = sum(ratio > 1 for ratio in ratios)
        lines.append(f"ahead of the best peer in {ahead} of {len(ratios)} cases; {geometric_mean(ratios):.2f} times as "
                     "fast at the geometric mean")
    for name in OTHERS:
        found = [ratio for v in verdicts if (ratio := v.ratio_to(name))]
        if found:
            lines.append(f"{name}: {geometric_mean(found):.2f} times as fast at the geometric mean of {len(found)}")
    loops = [ratio for v in verdicts if (ratio := v.ratio_to("loop"))]
    if loops:
        near = sum(ratio * NEAR >= 1 for ratio in loops)
        lines.append(f"within {NEAR} of the time of the loop in {near} of {len(loops)} cases")
    return lines


def peers_json(verdicts: Sequence[Verdict]) -> str:
    """All entries, with the ratios."""
    return json.dumps([v.as_dict() | {"best_peer": v.best_peer, "ratio": v.ratio, "loop_ratio": v.ratio_to("loop")}
                       for v in verdicts], indent=2)
