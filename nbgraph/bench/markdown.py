"""The saved results as Markdown tables, for the README.

    page(load("peers"), load("figures"))  ->  "Measured on AMD ...\n\n| case | nbgraph, us | ... |"
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from nbgraph.bench.cases import CASES
from nbgraph.bench.figures import FIGURES
from nbgraph.bench.peers import OURS, Verdict
from nbgraph.bench.report import OTHERS, cell, geometric_mean

Saved = Mapping[str, Any]
WIDTH = 118
LEGEND = ("Microseconds of a call of ours, and how many times longer the others take (below 1: they are faster). Cold "
          "and warm: from the formula to the first result, in a process that has compiled something before, with an "
          "empty and with a full cache.")


def page(peers: Saved | None, figures: Saved | None) -> str:
    """Both parts; of what was not saved, nothing."""
    parts = []
    if peers is not None:
        parts += _peers_part(peers)
    if figures is not None:
        parts += _figures_part(figures)
    return "".join(f"{part}\n\n" for part in parts).rstrip("\n") + "\n"


def grid(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table: the first row is the head, the first column stands left."""
    head, *body = rows
    ruler = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ruler, *body])


def measured_on(machine: Mapping[str, Any]) -> str:
    """One sentence about the machine."""
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    return textwrap.fill(f"Measured on {machine['date']}: {machine['cpu']}, {machine['cores']} cores, "
                         f"{machine['system']}, Python {machine['python']}, {versions}.", WIDTH)


def reason(name: str) -> str:
    """Why a peer is faster at a case, as the case says now."""
    return (name in CASES and CASES[name].slower) or "not explained yet."


def item(text: str) -> str:
    """An entry of a list."""
    return textwrap.fill(f"- {text}", WIDTH, subsequent_indent="  ")


def _peers_part(saved: Saved) -> list[str]:
    verdicts = [Verdict.from_dict(entry) for entry in saved["peers"]]
    rows = [["case", f"{OURS}, us", *OTHERS, "best peer", "cold, ms", "warm, ms"]]
    rows += [_row(verdict) for verdict in verdicts]
    others = [[ratio for v in verdicts if (ratio := v.ratio_to(name))] for name in OTHERS]
    best = [v.ratio for v in verdicts if v.ratio]
    rows.append(["geometric mean", "", *(f"{geometric_mean(found):.2f}" if found else "-" for found in others),
                 f"{geometric_mean(best):.2f}" if best else "-", "", ""])
    parts = [measured_on(saved["machine"]), textwrap.fill(LEGEND, WIDTH), grid(rows)]
    behind = [item(f"`{v.name}`: {reason(v.name)}") for v in verdicts if v.ratio and v.ratio < 1]
    if behind:
        parts += ["Where a peer is faster:", "\n".join(behind)]
    failed = [item(f"`{v.name}`, {name}: {entry.failure}") for v in verdicts for name, entry in v.entries.items()
              if entry.failure]
    return [*parts, "What did not run:", "\n".join(failed)] if failed else parts


def _row(verdict: Verdict) -> list[str]:
    ours = verdict.entries[OURS]
    return [f"{verdict.about} (`{verdict.name}`)", cell(ours.us, ",.1f"),
            *(cell(verdict.ratio_to(name), ".2f") for name in OTHERS), cell(verdict.ratio, ".2f"),
            cell(ours.cold_ms, ",.0f"), cell(ours.warm_ms, ",.0f")]


def _figures_part(saved: Saved) -> list[str]:
    parts = [measured_on(saved["machine"])]
    for name, content in saved["figures"].items():
        title, rows = FIGURES[name].brief(content)
        parts += [f"{title}:", grid(rows)]
    return parts


__all__ = ["grid", "measured_on", "page"]
