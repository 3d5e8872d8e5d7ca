"""The plan of a function: what is computed in which loop nest or library call, in which order.

A plan is a list of steps. Printed, it reads

    level 0
      check    equal x.shape[1], w.shape[0]
      library  gemv -> dot(x, w)
    level 1
      nest     [x.shape[0]]   store sigmoid(dot(x, w) + b) > 0.5; reduce sum(…)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nbgraph.dispatch.rules import Check, Library, Part, Rule
from nbgraph.graph.basic import Apply, Variable
from nbgraph.graph.expression import expression
from nbgraph.graph.fg import FunctionGraph
from nbgraph.lowering.dims import Dim, Lengths, SameLengths

OPERATIONS = 5  # that a plan writes of a variable


@dataclass(frozen=True)
class Site:
    """A loop nest before its body is known: when it runs, over which lengths, in which order of its axes.

    level : int            nests of one level do not depend on each other
    dims : lengths of the axes, equal lengths being the same object
    order : axes from the outermost loop to the innermost
    scattered : writes go to places that an array says: such a loop is not vectorised, and would spoil another one
    own : the node that has the nest to itself, or None
    """

    level: int
    dims: tuple[Dim, ...]
    order: tuple[int, ...]
    scattered: bool = False
    own: Apply | None = None


def natural(level: int, dims: tuple[Dim, ...], scattered: bool = False, own: Apply | None = None) -> Site:
    """A nest whose loops follow the axes, last axis innermost."""
    return Site(level, dims, tuple(range(len(dims))), scattered, own)


@dataclass(frozen=True, eq=False)
class Root:
    """A result that a nest leaves behind.

    kind : "store" (an array, element by element), "reduce", "search", "scan", "draw", "part" (writes into a base),
           "base"
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

    levels : of each step
    rules : how each node becomes code
    lengths_of : the lengths of each variable
    same : which lengths are known to be equal
    """

    fgraph: FunctionGraph
    steps: list[Step]
    levels: list[int]
    rules: dict[Apply, Rule]
    lengths_of: Lengths
    same: SameLengths

    @property
    def nests(self) -> list[Nest]:
        """The loop nests, in order; those without an axis are statements of the main function."""
        return [step for step in self.steps if isinstance(step, Nest)]

    def __str__(self) -> str:
        lines: list[str] = []
        before = -1
        for step, level in zip(self.steps, self.levels, strict=True):
            if level != before:
                lines.append(f"level {level}")
                before = level
            lines.append(f"  {_describe(step)}")
        return "\n".join(lines)


def _describe(step: Step) -> str:
    if isinstance(step, Nest):
        roots = "; ".join(f"{root.kind} {_shown(root.variable)}" for root in step.roots)
        return f"nest     [{_listed(step.site.dims)}]   {roots}"
    if isinstance(step, ScalarStep):
        return f"scalar   {_shown(step.variable)}"
    if isinstance(step, CheckStep):
        return f"check    {step.check.test} {_listed(step.check.operands)}"
    if isinstance(step, LibraryStep):
        return f"library  {step.rule.function.rpartition('.')[2]} -> {_listed(step.node.outputs)}"
    return f"alias    {_shown(step.variable)} of {_shown(step.source)}"


def _listed(values: Any) -> str:
    return ", ".join(f"({_listed(v)})" if isinstance(v, tuple) else _shown(v) for v in values)


def _shown(value: Any) -> str:
    """A length, or a variable: what it is computed from, cut short."""
    return str(value) if not isinstance(value, Variable) else expression(value, lambda v: v.name, OPERATIONS)
