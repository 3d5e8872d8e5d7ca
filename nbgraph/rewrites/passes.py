"""The list of passes, on one screen, and `rewrite`, which runs it.

    fgraph, report = rewrite(fgraph, FAST_RUN)        print(report): pass, firings, nodes before and after, ms

| pass      | what it does                                                                          |
|-----------|---------------------------------------------------------------------------------------|
| merge     | equal applications become one (so does every pass after it)                            |
| canonical | useless nodes go; lengths are lifted; constants are folded; algebraic normal form      |
| stability | plain spellings into functions that neither overflow nor cancel                        |
| gradients | sums multiplied out where factors cancel in the terms                                  |
| gathers   | expensive functions of gathered elements are computed for the table, where it is short |
| blas      | C + a * dot(A, B) into one library call                                                |

Ops that are graphs (OpFromGraph) are expanded before the first pass where they say `inline`. The others stand as one
node until the last pass has run; then their graphs take their place, and the passes run once more, over all of it.

Dead code is gone by construction: a FunctionGraph holds what its outputs need.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType

from nbgraph.config import config
from nbgraph.graph.basic import Variable
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.verify import verify_rewrite
from nbgraph.rewrites import (
    algebra,
    factors,
    fold,
    gathers,
    gradients,
    indexing,
    lengths,
    linear,
    reduction,
    softmax,
    stability,
    views,
)
from nbgraph.rewrites.driver import Driver, Firings
from nbgraph.rewrites.inner_graphs import expanded, inner_graphs
from nbgraph.rewrites.rule import Rule


def rules_of(*modules: ModuleType) -> tuple[Rule, ...]:
    """The rules of modules, in the order of their definition."""
    return tuple(v for module in modules for v in vars(module).values() if isinstance(v, Rule))


@dataclass(frozen=True)
class Pass:
    """A named set of rules that is applied until none of them fires."""

    name: str
    rules: tuple[Rule, ...]


USELESS = rules_of(views, indexing, reduction, lengths, fold)
CANONICAL = USELESS + rules_of(algebra)
STABLE = rules_of(stability, softmax, factors) + CANONICAL

FAST_COMPILE: tuple[Pass, ...] = (Pass("useless", USELESS),)
FAST_RUN: tuple[Pass, ...] = (
    Pass("merge", ()),
    Pass("canonical", CANONICAL),
    Pass("stability", STABLE),
    Pass("gradients", rules_of(gradients) + STABLE),
    Pass("gathers", rules_of(gathers)),
    Pass("blas", rules_of(linear)),
)


@dataclass(frozen=True)
class Row:
    """What one pass did.

    ms : float      wall time in milliseconds
    forward : dict  replaced variable -> what stands for it at the end
    fired : list    (rule, variable, what it gave for it), in order
    """

    name: str
    firings: Firings
    nodes_before: int
    nodes_after: int
    ms: float
    forward: dict[Variable, Variable] = field(default_factory=dict, repr=False, compare=False)
    fired: Sequence[tuple[str, Variable, Variable]] = field(default=(), repr=False, compare=False)

    @property
    def by_rule(self) -> Counter[str]:
        """Firings of each rule, all lines together."""
        total: Counter[str] = Counter()
        for (rule, _), count in self.firings.items():
            total[rule] += count
        return total


@dataclass(frozen=True)
class Report:
    """What all passes did, a row each; `str` is a table."""

    rows: tuple[Row, ...]

    @property
    def by_rule(self) -> Counter[str]:
        """Firings of each rule in all passes."""
        return sum((row.by_rule for row in self.rows), Counter())

    def carried(self, names: dict[Variable, str]) -> dict[Variable, str]:
        """The names of the original graph's variables, for what stands for them at the end."""
        for row in self.rows:
            moved: dict[Variable, str] = {}
            for variable, name in names.items():
                while variable in row.forward:
                    variable = row.forward[variable]
                moved.setdefault(variable, name)
            names = moved
        return names

    def __str__(self) -> str:
        lines = [f"{'pass':<12} {'nodes':>15} {'ms':>8}   firings"]
        for row in self.rows:
            fired = ", ".join(f"{rule} {count}" for rule, count in row.by_rule.most_common()) or "-"
            lines.append(f"{row.name:<12} {row.nodes_before:>6} -> {row.nodes_after:>5} {row.ms:>8.2f}   {fired}")
        return "\n".join(lines)


def rewrite(fgraph: FunctionGraph, passes: Sequence[Pass]) -> tuple[FunctionGraph, Report]:
    """`fgraph` after `passes`, and what they did.

    Parameters
    ----------
    passes : FAST_RUN, FAST_COMPILE, or passes of one's own

    Returns
    -------
    FunctionGraph of the same inputs, its outputs of the same dtypes and ranks; the same object where nothing fired
    Report

    Raises
    ------
    GraphError   rules undo each other; with config.verify, a pass broke the graph
    """
    rows: list[Row] = []
    if inner_graphs(fgraph, inline_only=True):
        fgraph = _expanded(fgraph, rows, inline_only=True)
    fgraph = _run(fgraph, passes, rows, "")
    if inner_graphs(fgraph):
        fgraph = _run(_expanded(fgraph, rows, inline_only=False), passes, rows, " again")
    return fgraph, Report(tuple(rows))


def _run(fgraph: FunctionGraph, passes: Sequence[Pass], rows: list[Row], suffix: str) -> FunctionGraph:
    """`fgraph` after `passes`; a row for each is added to `rows`."""
    settled: tuple[Rule, ...] = ()
    for step in passes:
        start = time.perf_counter()
        driver = Driver(fgraph, step.rules, frozenset(settled))
        after = driver.run()
        ms = (time.perf_counter() - start) * 1e3
        if config.verify:
            verify_rewrite(fgraph, after)
        rows.append(Row(step.name + suffix, driver.firings, len(fgraph), len(after), ms, driver.forward,
                        driver.fired))
        fgraph, settled = after, step.rules
    return fgraph


def _expanded(fgraph: FunctionGraph, rows: list[Row], inline_only: bool) -> FunctionGraph:
    start = time.perf_counter()
    after, firings, forward = expanded(fgraph, inline_only)
    ms = (time.perf_counter() - start) * 1e3
    if config.verify:
        verify_rewrite(fgraph, after)
    fired = [("expand", old, new) for old, new in forward.items()]
    rows.append(Row("inline" if inline_only else "expand", firings, len(fgraph), len(after), ms, forward, fired))
    return after
