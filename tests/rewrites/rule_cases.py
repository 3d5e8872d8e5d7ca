"""All rules of the package, and expressions that they must not match."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Sequence
from typing import Any

import nbgraph.rewrites
import nbgraph.tensor as nt
from nbgraph.graph import FunctionGraph
from nbgraph.graph.basic import Constant, Variable
from nbgraph.graph.replace import rebuild
from nbgraph.graph.traversal import ancestors
from nbgraph.rewrites import Rule
from nbgraph.rewrites.check import DTYPES


def all_rules() -> list[Rule]:
    """Every Rule in a module of nbgraph.rewrites, in order."""
    found: dict[int, Rule] = {}
    for module in pkgutil.iter_modules(nbgraph.rewrites.__path__):
        content = vars(importlib.import_module(f"nbgraph.rewrites.{module.name}"))
        found |= {id(v): v for v in content.values() if isinstance(v, Rule)}
    return list(found.values())


def near_misses(rule: Rule) -> Iterator[Any]:
    """Expressions close to the left side that `rule` must leave alone."""
    if rule.near_misses is not None:
        yield from rule.near_misses()
    if rule.pattern is None:
        return
    count = len(inspect.signature(rule.pattern).parameters)
    dtype = DTYPES[rule.kinds[0]][0]
    variables = [nt.vector(f"x{i}", dtype=dtype) for i in range(count)]
    left = rule.pattern(*variables)[0]
    yield from _with_other_parts(left)
    yield from _with_a_repeated_variable_split(left, variables)


def _with_other_parts(left: Any) -> Iterator[Any]:
    """The left side with a constant moved, or an inner expression replaced by a variable."""
    for part in ancestors([left]):
        if isinstance(part, Constant):
            yield rebuild([left], {part: nt.constant(part.data + part.data.dtype.type(5))})[0]
        elif part.owner is not None and part is not left:
            yield rebuild([left], {part: part.type("other")}, strict=False)[0]


def _with_a_repeated_variable_split(left: Any, variables: Sequence[Variable]) -> Iterator[Any]:
    for node in FunctionGraph(variables, [left]).nodes:
        for position, x in enumerate(node.inputs):
            uses = sum(v is x for n in FunctionGraph(variables, [left]).nodes for v in n.inputs)
            if x in variables and uses > 1:
                inputs = [*node.inputs[:position], x.type("other"), *node.inputs[position + 1:]]
                fresh = node.op(*inputs)
                yield fresh if node.outputs[0] is left else rebuild([left], {node.outputs[0]: fresh})[0]
