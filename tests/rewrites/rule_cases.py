"""Cases for every rule: left sides over dtypes and ranks, values to try, and expressions that must not match.

A pattern rule's cases follow from its pattern; a node rule brings its own examples.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import pkgutil
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import nbgraph.rewrites
import nbgraph.tensor as nt
from nbgraph.graph import FunctionGraph, graph_inputs
from nbgraph.graph.basic import Constant, Variable
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.replace import rebuild
from nbgraph.graph.traversal import ancestors
from nbgraph.rewrites import Rule, apply_rules
from nbgraph.rewrites.rule import KINDS

# Lengths of unknown axes in samples; rank combinations of up to three operands.
UNKNOWN = 3
SHAPES: dict[int, list[tuple[tuple[int | None, ...], ...]]] = {
    1: [((),), ((None,),), ((2, None),)],
    2: [((), ()), ((None,), (None,)), ((None,), ()), ((1, None), (2, None)), ((2, 1), (None,))],
    3: [((), (), ()), ((None,), (None,), ()), ((2, 1), (None,), (2, None))],
}
DTYPES = {"bool": ["bool"], "int": ["int64", "int32", "uint8"], "float": ["float64", "float32"],
          "complex": ["complex128", "complex64"]}


def all_rules() -> list[Rule]:
    """Every Rule in a module of nbgraph.rewrites, in order."""
    found: dict[int, Rule] = {}
    for module in pkgutil.iter_modules(nbgraph.rewrites.__path__):
        content = vars(importlib.import_module(f"nbgraph.rewrites.{module.name}"))
        found |= {id(v): v for v in content.values() if isinstance(v, Rule)}
    return list(found.values())


def left_sides(rule: Rule) -> Iterator[Any]:
    """Expressions that `rule` must match."""
    if rule.pattern is None:
        assert rule.example is not None
        yield from rule.example()
        return
    count = len(inspect.signature(rule.pattern).parameters)
    for kind in rule.kinds:
        for dtype in DTYPES[kind]:
            for shapes in SHAPES[count]:
                left = _left(rule, [nt.tensor(f"x{i}", dtype=dtype, shape=s) for i, s in enumerate(shapes)])
                if left is not None:
                    yield left


def mixed_left_sides(rule: Rule) -> Iterator[Any]:
    """Left sides of a pattern rule on operands of two dtypes, which it may match or not."""
    count = 0 if rule.pattern is None else len(inspect.signature(rule.pattern).parameters)
    if count < 2:
        return
    allowed = [dtype for kind in rule.kinds for dtype in [*DTYPES[kind], *(["int8"] if kind == "int" else [])]]
    for first, second in itertools.permutations(allowed, 2):
        left = _left(rule, [nt.vector("x0", dtype=first), *(nt.vector(f"x{i}", dtype=second) for i in range(1, count))])
        if left is not None:
            yield left


def _left(rule: Rule, variables: Sequence[Any]) -> Any:
    try:
        return rule.pattern(*variables)[0]  # type: ignore[misc]
    except TypeError:  # a dtype among the rule's kinds that one function of its left side is not defined for
        assert variables[0].type.dtype in KINDS["bool"] + KINDS["int"], f"{rule} is not defined for its own dtypes"
        return None


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


def graph_of(expression: Any) -> FunctionGraph:
    """The expression as a function of its leaves."""
    leaves = sorted((v for v in graph_inputs([expression]) if not isinstance(v, Constant)), key=lambda v: str(v.name))
    return FunctionGraph(leaves, [expression])


def sample_values(fgraph: FunctionGraph, rule: Rule, rng: np.random.Generator) -> list[np.ndarray]:
    """A value for every input, from the rule's domain."""
    domain = [rule.domain[min(i, len(rule.domain) - 1)] for i in range(len(fgraph.inputs))]
    return [_sample(v.type, interval, rng) for v, interval in zip(fgraph.inputs, domain, strict=True)]


def _sample(type: Any, interval: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    shape = tuple(UNKNOWN if n is None else n for n in type.shape)
    if type.dtype == "bool":
        return np.asarray(rng.integers(0, 2, shape) > 0)
    if type.dtype in KINDS["int"]:
        low = 0 if type.dtype.startswith("u") or type.shape == () else -5
        return np.asarray(rng.integers(low + 1, 6, shape)).astype(type.dtype)
    value = rng.uniform(*interval, shape)
    if type.dtype in KINDS["complex"]:
        value = value + 1j * rng.uniform(*interval, shape)
    return np.asarray(value).astype(type.dtype)


def both_sides(rule: Rule, expression: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    """Values of the expression and of what the rule makes of it.

    AssertionError where the rule does not fire.
    """
    before = graph_of(expression)
    after, firings = apply_rules(before, [rule])
    assert any(name == rule.name for name, _ in firings), f"{rule} does not match {before.nodes}"
    old, new = before.outputs[0].type, after.outputs[0].type
    assert (old.dtype, old.broadcastable) == (new.dtype, new.broadcastable)
    values = sample_values(before, rule, rng)
    return evaluate(before, values)[0], evaluate(after, values)[0]
