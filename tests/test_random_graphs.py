"""Random graphs over all tensor functions and dtypes: what is compiled computes what reference mode computes.

Ten graphs share one function, since a function costs more to compile than a graph. When it differs, the graphs are
compiled one by one, then the parts of the one that fails, and the smallest that fails is shown with its seed.
NBGRAPH_TEST_SEED=n takes other graphs: seeds from n on.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.errors import NbgraphError
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.replace import rebuild
from nbgraph.graph.traversal import graph_inputs, toposort
from nbgraph.tensor import dtypes
from nbgraph.tensor.constructors import CONSTRUCTORS
from tests.graph_moves import SPELLINGS
from tests.graphs import RandomGraph, listing, random_graph

FIRST = int(os.environ.get("NBGRAPH_TEST_SEED", "0"))
GRAPHS, TOGETHER = 500, 5
BATCHES = range(FIRST, FIRST + GRAPHS, TOGETHER)


def compiled(inputs: Sequence[Any], outputs: Sequence[Any], mode: str) -> Any:
    """A function that may have inputs which nothing reads."""
    # Names are for the generated text; several inputs may have the same.
    unnamed = [nbgraph.In(x, autoname=False) for x in inputs]
    return nbgraph.function(unnamed, list(outputs), mode=mode, on_unused_input="ignore")


def arguments(graph: RandomGraph, world: int) -> list[np.ndarray]:
    """The arguments of a world; those of the second one in other layouts."""
    return [_laid_out(x, world * (k + 1)) for k, x in enumerate(graph.worlds[world].arguments)]


def _laid_out(x: np.ndarray, form: int) -> np.ndarray:
    """A copy of x: C-contiguous, Fortran-contiguous, with gaps, read-only."""
    if form % 4 == 2:
        gaps = np.zeros([2 * n for n in x.shape], x.dtype)
        spaced = gaps[(slice(None, None, 2),) * x.ndim + (...,)]
        spaced[...] = x
        return spaced
    copy = np.array(x, order="F" if form % 4 == 1 else "C")
    copy.setflags(write=form % 4 != 3)
    return copy


def difference(result: Any, expected: np.ndarray, tolerance: np.ndarray) -> str:
    """How a result differs from what is expected; empty where it does not."""
    if not isinstance(result, np.ndarray):
        return f"a {type(result).__name__} and no array"
    if (result.dtype, result.shape) != (expected.dtype, expected.shape):
        return f"{result.dtype}{result.shape} in place of {expected.dtype}{expected.shape}"
    if result.dtype.kind not in "fc":
        return "" if np.array_equal(result, expected) else f"{result!r}\nin place of {expected!r}"
    with np.errstate(all="ignore"):
        off = np.abs(result - expected)
    if (off <= tolerance).all():
        return ""
    worst = np.unravel_index(int(np.argmax(np.where(np.isnan(off), np.inf, off / tolerance))), off.shape)
    return (f"{result[worst]!r} in place of {expected[worst]!r} at {[int(i) for i in worst]}, tolerance "
            f"{tolerance[worst]:.2g}\n{result!r}\nin place of {expected!r}")


def problems(graph: RandomGraph, results: Sequence[Any], world: int) -> list[str]:
    """What is wrong with the results of a graph, with the number of each."""
    values = graph.worlds[world]
    found = [difference(*triple) for triple in zip(results, values.expected, values.tolerance, strict=True)]
    return [f"result {k} in world {world}: {text}" for k, text in enumerate(found) if text]


def run(graphs: Sequence[RandomGraph], f: Any, world: int) -> tuple[list[np.ndarray], list[Any]]:
    """The arguments, and the results of a call, which leaves those as they are and gives arrays of its own."""
    given = [x for graph in graphs for x in arguments(graph, world)]
    before = [x.copy() for x in given]
    results = f(*given)
    again = f(*given)
    for a, b in zip(given, before, strict=True):
        assert np.array_equal(a, b), "a call changed its argument"
    for a, b in zip(results, again, strict=True):
        assert np.array_equal(a, b), "two calls with the same arguments gave different results"
    arrays = [*given, *results, *again]
    spans = sorted(np.lib.array_utils.byte_bounds(x) for x in arrays if x.size)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans)), "shared memory"
    return given, results


def wrong(graphs: Sequence[RandomGraph], mode: str) -> list[str]:
    """What is wrong with graphs that are compiled into one function; an error counts."""
    try:
        f = compiled([x for g in graphs for x in g.inputs], [v for g in graphs for v in g.results], mode)
        found = []
        for world in range(len(graphs[0].worlds)):
            rest = iter(run(graphs, f, world)[1])
            for g in graphs:
                found += [f"seed {g.seed}: {text}" for text in problems(g, [next(rest) for _ in g.results], world)]
        return found
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]


@dataclass(frozen=True)
class Part:
    """A part of a graph, and its arguments in each world."""

    inputs: list[Any]
    outputs: list[Any]
    arguments: list[list[Any]]

    def __len__(self) -> int:
        return len(self.outputs) + len(toposort(self.outputs, stop=self.inputs))

    def problem(self, mode: str) -> str:
        """How an output is wrong when this is all that is compiled; empty where all are right."""
        try:
            f = compiled(self.inputs, self.outputs, mode)
            for number, values in enumerate(self.arguments):
                wanted = evaluate(FunctionGraph(self.inputs, self.outputs), values)
                for result, expected in zip(f(*values), wanted, strict=True):
                    rough = 1e-3 if expected.dtype.name in ("float32", "complex64") else 1e-8
                    text = difference(result, expected, rough * (1 + np.abs(expected.astype("complex128"))))
                    if text:
                        return f"in world {number}: {text}"
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def only(self, outputs: Sequence[Any]) -> Part:
        """The part that computes these."""
        return Part(self.inputs, list(outputs), self.arguments)

    def cut(self, v: Any) -> Part:
        """The part with v as an input in place of what it is computed from."""
        values = [evaluate(FunctionGraph(self.inputs, [v]), given) for given in self.arguments]
        fresh = v.clone()
        outputs = rebuild(self.outputs, {v: fresh})
        needed = graph_inputs(outputs)
        places = [k for k, x in enumerate(self.inputs) if any(x is w for w in needed)]
        given = [[*(row[k] for k in places), *new] for row, new in zip(self.arguments, values, strict=True)]
        return Part([*(self.inputs[k] for k in places), fresh], outputs, given)

    def smaller(self) -> Iterator[Part]:
        """Parts of this one, the smallest first."""
        nodes = toposort(self.outputs, stop=self.inputs)
        if len(self.outputs) > 1:
            yield from (self.only([v]) for node in nodes for v in node.outputs)
            yield from (self.only([*self.outputs[:k], *self.outputs[k + 1:]]) for k in range(len(self.outputs)))
        yield from (self.cut(v) for node in reversed(nodes) for v in node.outputs)


def smallest(graph: RandomGraph, mode: str) -> str:
    """The smallest part of a graph that is found to come out wrong, and how."""
    part = Part(graph.inputs, graph.results, [world.arguments for world in graph.worlds])
    if not part.problem(mode):
        return f"{graph}\n(within a rough tolerance all is right)"
    fewer: Part | None = part
    while fewer is not None:
        part = fewer
        fewer = next((p for p in part.smaller() if len(p) < len(part) and p.problem(mode)), None)
    return f"{listing(part.inputs, part.outputs)}\n{part.problem(mode)}"


def report(graphs: Sequence[RandomGraph], found: Sequence[str], mode: str) -> str:
    """What failed, as small as it gets."""
    for graph in graphs:
        alone = wrong([graph], mode)
        if alone:
            return f"seed {graph.seed} in {mode}: {alone[0]}\n\nsmallest part:\n{smallest(graph, mode)}"
    seeds = [graph.seed for graph in graphs]
    return f"seeds {seeds} in {mode}, only together: {found[0]}"


@pytest.mark.parametrize("first", BATCHES)
def test_compiled_graphs_and_gradients_are_those_of_reference_mode(first: int) -> None:
    graphs = [random_graph(seed) for seed in range(first, first + TOGETHER)]
    mode = "FAST_COMPILE" if first // TOGETHER % 5 == 4 else "FAST_RUN"
    found = wrong(graphs, mode)
    assert not found, report(graphs, found, mode)


# Gradients against finite differences, in reference mode

STEPS = (1e-3, 2.5e-4)


def slope_problem(graph: RandomGraph, rng: np.random.Generator) -> str | None:
    """How the gradient along a random direction is wrong, "" where it is right; None where differences can't say.

    They can't at a kink, over a jump, or where rounding drowns the difference.
    """
    world = graph.worlds[0]
    cost = FunctionGraph(graph.inputs, [graph.cost])
    moved = [any(x is w for w in graph.wrt) for x in graph.inputs]
    directions = [_direction(rng, x) if m else None for x, m in zip(world.arguments, moved, strict=True)]

    def point(t: float) -> list[np.ndarray]:
        return [x if d is None else np.asarray(x + t * d, x.dtype)
                for x, d in zip(world.arguments, directions, strict=True)]

    def at(t: float) -> float:
        return float(evaluate(cost, point(t))[0])

    try:
        middle, sides = at(0.0), [(at(h), at(-h)) for h in STEPS]
    except NbgraphError:
        return None  # a length depends on the values
    slopes = [(a - b) / (2 * h) for h, (a, b) in zip(STEPS, sides, strict=True)]
    bends = [abs(a + b - 2 * middle) / h for h, (a, b) in zip(STEPS, sides, strict=True)]
    # The step as it came out in the dtype of the input, not as it was asked for.
    taken = [(a - b) / (2 * STEPS[1]) for a, b, m in zip(point(STEPS[1]), point(-STEPS[1]), moved, strict=True) if m]
    given = world.expected[len(graph.outputs):]
    exact = sum(float(np.sum(np.real(np.conj(g) * d))) for g, d in zip(given, taken, strict=True))
    noise = 4 * graph.noise / STEPS[1] + sum(
        float(np.sum(t * np.abs(d))) for t, d in zip(world.tolerance[len(graph.outputs):], taken, strict=True))
    uncertain = abs(slopes[0] - slopes[1]) + noise
    if uncertain > 1e-2 * max(1e-3, abs(exact), abs(slopes[1])) or bends[1] > 0.5 * bends[0] + noise:
        return None
    return "" if abs(slopes[1] - exact) <= 2 * uncertain + 1e-9 else (
        f"seed {graph.seed}: the gradient gives {exact}, finite differences {slopes[1]} +- {uncertain:.1g}\n{graph}")


def _direction(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    along = rng.uniform(-1, 1, x.shape)
    return np.asarray(along + 1j * rng.uniform(-1, 1, x.shape) if np.iscomplexobj(x) else along)


@pytest.mark.parametrize("first", range(FIRST, FIRST + 200, 50))
def test_gradients_are_what_finite_differences_give(first: int) -> None:
    graphs = [g for g in map(random_graph, range(first, first + 50)) if g.gradients and g.smooth]
    found = [slope_problem(g, np.random.default_rng(g.seed)) for g in graphs]
    assert not any(found), next(filter(None, found))
    assert sum(text is not None for text in found) >= 0.4 * len(graphs) >= 5, "differences said nothing"


# What the graphs consist of


# What graphs are made with, not of.
NOT_IN_GRAPHS = {"as_lengths", "constant", "get_scalar_constant_value", "normalize_axes", "normalize_axis",
                 "sum_to_like", "tensor", "vectorize", "vectorize_graph", "weak_constant"}


def public_functions() -> set[str]:
    """The functions of `nbgraph.tensor` that graphs can be made of."""
    functions = {name for name, value in vars(nt).items() if callable(value) and not isinstance(value, type)}
    return {name for name in functions - NOT_IN_GRAPHS - set(CONSTRUCTORS) if not name.startswith("_")}


def spellings(name: str) -> set[str]:
    """The names of the same row of the scalar table, or the name alone."""
    return next((set(names) for names in SPELLINGS.values() if name in names), {name})


def test_the_graphs_come_to_all_tensor_functions_dtypes_and_ranks() -> None:
    graphs = [random_graph(seed) for seed in range(GRAPHS)]
    variables = [v for g in graphs for node in toposort(g.results, stop=g.inputs) for v in node.outputs]
    used: Counter[str] = sum((g.used for g in graphs), Counter())
    missing = {name for name in public_functions() if not used.keys() & spellings(name)}
    assert not missing, f"no graph has {sorted(missing)}"
    assert {v.type.dtype for v in variables} == set(dtypes.ALL)
    assert {v.type.ndim for v in variables} >= set(range(5))
    assert {0, 1, None} <= {n for v in variables for n in v.type.shape}
    assert sum(bool(g.gradients) for g in graphs) >= 0.4 * GRAPHS
