"""check_rule: whether both sides of a rule have the same values, over dtypes, ranks and the rule's domain.

    check_rule(my_rule)      nothing, or a RuleError with the expression, its value, and what the rule makes of it

The cases of a pattern rule follow from its pattern; a node rule brings its own examples.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import RuleError
from nbgraph.graph.basic import Constant
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.expression import pp
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.traversal import graph_inputs
from nbgraph.rewrites.driver import apply_rules
from nbgraph.rewrites.rule import KINDS, Rule

# Lengths of unknown axes in samples; rank combinations of up to three operands.
UNKNOWN = 3
SHAPES: dict[int, list[tuple[tuple[int | None, ...], ...]]] = {
    1: [((),), ((None,),), ((2, None),)],
    2: [((), ()), ((None,), (None,)), ((None,), ()), ((1, None), (2, None)), ((2, 1), (None,))],
    3: [((), (), ()), ((None,), (None,), ()), ((2, 1), (None,), (2, None))],
}
DTYPES = {"bool": ["bool"], "int": ["int64", "int32", "uint8"], "float": ["float64", "float32"],
          "complex": ["complex128", "complex64"]}


def check_rule(rule: Rule, seed: int = 0) -> None:
    """Check that a rule keeps values, dtypes and shapes, on random samples of its domain.

    Parameters
    ----------
    rule : Rule       a pattern rule is tried on scalars, vectors, known lengths and operands of two dtypes
    seed : int        of the samples

    Raises
    ------
    RuleError   it does not match its own left side; both sides differ by more than `rule.ulp` units in the last place,
                in dtype or in shape; a node rule without examples
    """
    rng = np.random.default_rng(seed)
    expressions = list(left_sides(rule))
    if not expressions:
        raise RuleError(rule.name, "has no expression that it matches", fix="give @node_rule(example=...) some")
    for expression in expressions:
        before, values, (old, new) = both_sides(rule, expression, rng)
        exact = old.dtype.kind in "biu" or rule.ulp == 0
        _compare(rule, before, values, old, new, 0 if exact else rule.ulp * np.finfo(old.dtype).eps)
    for expression in mixed_left_sides(rule):
        before = graph_of(expression)
        after, _ = apply_rules(before, [rule])
        values = sample_values(before, rule, rng)
        (old,), (new,) = evaluate(before, values), evaluate(after, values)
        coarsest = max((np.finfo(v.dtype).eps for v in values if v.dtype.kind in "fc"), default=np.finfo("float64").eps)
        _compare(rule, before, values, old, new, 0 if old.dtype.kind in "biu" else (rule.ulp + 4) * coarsest)


def _compare(rule: Rule, before: FunctionGraph, values: Sequence[Any], old: Any, new: Any, precision: Any) -> None:
    what = pp(before.outputs[0])
    given = ", ".join(f"{v} = {np.array2string(np.asarray(x), precision=4)}"
                      for v, x in zip(before.inputs, values, strict=True))
    if (old.dtype, old.shape) != (new.dtype, new.shape):
        raise RuleError(rule.name, f"makes {new.dtype}{list(new.shape)} of {what}, which is {old.dtype}"
                        f"{list(old.shape)}", fix="keep dtype and shape")
    if not np.allclose(new, old, rtol=precision, atol=precision, equal_nan=True):
        raise RuleError(rule.name, f"makes {new} of {what}, which is {old}, for {given}",
                        fix="mend the right side, or say domain=, kinds= or ulp=")


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


def both_sides(rule: Rule, expression: Any, rng: np.random.Generator) -> tuple[FunctionGraph, list[Any], Any]:
    """The graph of an expression, values of its inputs, and the values of it and of what the rule makes of it.

    Raises
    ------
    RuleError   the rule does not match
    """
    before = graph_of(expression)
    after, firings = apply_rules(before, [rule])
    if not any(name == rule.name for name, _ in firings):
        raise RuleError(rule.name, f"does not match {pp(expression)}", fix="mend its left side, or the example")
    values = sample_values(before, rule, rng)
    return before, values, (evaluate(before, values)[0], evaluate(after, values)[0])
