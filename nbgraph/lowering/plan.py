"""The plan of a function: what is computed in which loop nest or library call, in which order.

A plan is a list of steps. Printed, it reads

    level 0
      check      length(0)(x) == length(0)(y)
      nest 0     [n]        store p_1, prediction; reduce total
      library    gemv       gw
"""

from __future__ import annotations

from dataclasses import dataclass, field

from nbgraph.dispatch.rules import Check, Library, Part, Rule
from nbgraph.graph.basic import Apply, Variable
from nbgraph.graph.fg import FunctionGraph
from nbgraph.lowering.dims import Dim, Lengths, SameLengths


@dataclass(frozen=True)
class Site:
    """A loop nest before its body is known: when it runs, over which lengths, in which order of its axes.

    level : int            nests of one level do not depend on each other
    dims : lengths of the axes, equal lengths being the same object
    order : axes from the outermost loop to the innermost
    """

    level: int
    dims: tuple[Dim, ...]
    order: tuple[int, ...]


def natural(level: int, dims: tuple[Dim, ...]) -> Site:
    """A nest whose loops follow the axes, last axis innermost."""
    return Site(level, dims, tuple(range(len(dims))))


@dataclass(frozen=True, eq=False)
class Root:
    """A result that a nest leaves behind.

    kind : "store" (an array, element by element), "reduce", "search", "scan", "part" (writes into a base), "base"
    variable : the output;  source : the variable whose elements are read;  rule : what the Op's lowering rule says
    """

    kind: str
    variable: Variable
    source: Variable
    rule: Rule | Part | None = None

    @property
    def node(self) -> Apply:
        """The node that the result is of."""
        assert self.variable.owner is not None, f"{self.variable} is computed by no node"
        return self.variable.owner

    def __str__(self) -> str:
        return f"{self.kind} {self.variable}"


@dataclass
class Nest:
    """One loop nest with several results."""

    site: Site
    roots: list[Root] = field(default_factory=list)


@dataclass(frozen=True)
class ScalarStep:
    """A 0-d value computed in the main function."""

    variable: Variable


@dataclass(frozen=True)
class CheckStep:
    """Something that must hold from here on."""

    check: Check


@dataclass(frozen=True)
class LibraryStep:
    """A call with whole arrays."""

    node: Apply
    rule: Library


@dataclass(frozen=True)
class AliasStep:
    """A variable that is another one's memory in another shape."""

    variable: Variable
    source: Variable


Step = ScalarStep | CheckStep | LibraryStep | AliasStep | Nest


@dataclass
class Plan:
    """Steps in order, and what lowering them needs to know.

    rules : how each node becomes code
    lengths_of : the lengths of each variable
    same : which lengths are known to be equal
    """

    fgraph: FunctionGraph
    steps: list[Step]
    rules: dict[Apply, Rule]
    lengths_of: Lengths
    same: SameLengths

    @property
    def nests(self) -> list[Nest]:
        """The loop nests, in order; those without an axis are statements of the main function."""
        return [step for step in self.steps if isinstance(step, Nest)]

    def __str__(self) -> str:
        return "\n".join(_describe(step) for step in self.steps)


def _describe(step: Step) -> str:
    if isinstance(step, Nest):
        extents = ", ".join(str(n) for n in step.site.dims)
        return f"nest       [{extents}] {'; '.join(map(str, step.roots))}"
    if isinstance(step, ScalarStep):
        return f"scalar     {step.variable}"
    if isinstance(step, CheckStep):
        return f"check      {step.check.test} {', '.join(map(str, step.check.operands))}"
    if isinstance(step, LibraryStep):
        return f"library    {step.rule.function} -> {', '.join(map(str, step.node.outputs))}"
    return f"alias      {step.variable} of {step.source}"
