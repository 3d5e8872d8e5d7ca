"""What a ProfileStats prints: calls, rows by time, what making the functions took.

    function    calls   ms in all   us a call   native   around it
    train       1,000       12.30       12.30    10.12        18 %
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MOST = 25       # rows that are printed
LEFT = frozenset({"function", "name", "what", "line", "stage"})


def report(stats: Any) -> str:
    """The tables of a ProfileStats, one below the other."""
    parts = [_functions(stats), _rows(stats), _stages(stats)]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _functions(stats: Any) -> list[str]:
    rows = [["function", "calls", "ms in all", "us a call", "native", "around it"]]
    for f in stats.functions:
        share = 1 - f.native_seconds / f.seconds if f.seconds else 0.0
        rows.append([f.name, f"{f.calls:,}", f"{1e3 * f.seconds:,.2f}", _us(f.seconds, f.calls),
                     _us(f.native_seconds, f.calls), f"{share:.0%}"])
    return aligned(rows) if len(rows) > 1 else ["no function has been compiled with this profile"]


def _rows(stats: Any) -> list[str]:
    if not stats.calls:
        return ["no call yet"]
    found = stats.rows
    several = len({row.function for row in found}) > 1
    head = ["share", "us a call", "GB/s", "GFLOP/s", "name", "what", "line", *(["function"] if several else [])]
    lines = [head]
    for row in found[:MOST]:
        lines.append([_share(row.seconds, stats), _us(row.seconds, row.calls), _figure(row.gb_per_s),
                      _figure(row.gflop_per_s), row.name, row.what, row.line, *([row.function] if several else [])])
    for seconds, name, what in rests(stats, sum(row.seconds for row in found), found[MOST:]):
        lines.append([_share(seconds, stats), _us(seconds, stats.calls), "", "", name, what, "",
                      *([""] if several else [])])
    return aligned(lines)


def rests(stats: Any, in_rows: float, hidden: Sequence[Any]) -> list[tuple[float, str, str]]:
    """(seconds, name, what) of all that is not in a row that is shown."""
    native = stats.native_seconds
    more = [(sum(row.seconds for row in hidden), f"{len(hidden)} more", "")] if hidden else []
    return [*more, (native - in_rows, "(between)", "memory, lengths, scalars"),
            (stats.seconds - native, "(around)", "Python, conversions, boxed results")]


def _stages(stats: Any) -> list[str]:
    stages = [(stage, seconds) for stage, seconds in stats.stages.items() if seconds > 0]
    total = sum(seconds for _, seconds in stages)
    rows = [["stage", "ms"], *([stage, f"{1e3 * seconds:,.2f}"] for stage, seconds in stages)]
    return aligned([*rows, ["in all", f"{1e3 * total:,.2f}"]])


def _us(seconds: float, calls: int) -> str:
    return f"{1e6 * seconds / calls:,.2f}" if calls else "-"


def _share(seconds: float, stats: Any) -> str:
    return f"{seconds / stats.seconds:.1%}" if stats.seconds else "-"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines under their heads: words to the left, numbers to the right."""
    wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    left = [head in LEFT for head in rows[0]]
    placed = [[text.ljust(n) if words else text.rjust(n) for text, n, words in zip(row, wide, left, strict=True)]
              for row in rows]
    return ["   ".join(row).rstrip() for row in placed]
