"""Random graphs over all tensor functions and dtypes: what is compiled computes what reference mode computes.

Ten graphs share one function, since a function costs more to compile than a graph. When it differs, the graphs are
compiled one by one, then the parts of the one that fails, and the smallest that fails is shown with its seed.
NBGRAPH_TEST_SEED=n takes other graphs: seeds from n on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import nbgraph
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.replace import rebuild
from nbgraph.graph.traversal import graph_inputs, toposort
from tests.graphs import RandomGraph, listing, random_graph

FIRST = int(os.environ.get("NBGRAPH_TEST_SEED", "0"))
GRAPHS, TOGETHER = 500, 10
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
    """Copies of the arguments, and the results of a call, which leaves them as they are and gives arrays of their own."""
    given = [x for graph in graphs for x in arguments(graph, world)]
    before = [x.copy() for x in given]
    results = f(*given)
    again = f(*given)
    for a, b in zip(given, before, strict=True):
        assert np.array_equal(a, b), "a call changed its argument"
    for a, b in zip(results, again, strict=True):
        assert np.array_equal(a, b), "two calls with the same arguments gave different results"
    arrays = [*given, *results, *again]
    spans = sorted((*np.lib.array_utils.byte_bounds(x), x.flags.writeable) for x in arrays if x.size)
    assert all(end <= start for (_, end, _), (start, _, _) in zip(spans, spans[1:], strict=False)), "shared memory"
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
