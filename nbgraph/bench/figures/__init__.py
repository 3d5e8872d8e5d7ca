"""Figures other than the time of a case: calls, compiling, memory, threads, scaling with n, random numbers.

    FIGURES["call"].measure(quick=False)   ->  content for JSON
    FIGURES["call"].text(content)          ->  a title and a table
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nbgraph.bench.figures import call, compiling, draws, memory, scaling, threads
from nbgraph.bench.report import aligned

Rows = tuple[str, list[list[str]]]


@dataclass(frozen=True)
class Figure:
    """How a figure is measured, its (title, rows), the first of which is the head, and those that the README has."""

    measure: Callable[[bool], Any]
    rows: Callable[[Any], Rows]
    brief: Callable[[Any], Rows]

    def text(self, content: Any) -> str:
        """Title and table."""
        title, rows = self.rows(content)
        return "\n".join([title, "", *aligned(rows)])


FIGURES = {name: Figure(module.measure, module.rows, getattr(module, "brief", module.rows))
           for name, module in (("call", call), ("compile", compiling), ("memory", memory), ("threads", threads),
                                ("scaling", scaling), ("draws", draws))}
