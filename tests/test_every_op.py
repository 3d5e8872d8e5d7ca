"""Every Op, and every row of the scalar table, by its samples (`tests/samples`).

perform = NumPy; compiled = perform in every mode, for every dtype, shape and layout; gradients = finite differences;
forward mode; what must be refused is refused with the same words. The last tests fail where something has no samples.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.compile.mode import Mode
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.tensor.type import TensorType
from tests.samples import ROWS, Case, Row, Values
from tests.samples.compare import assert_result, layouts

# The last has no rewriting: nothing but the Op's own kernel runs.
MODES = ("FAST_RUN", "FAST_COMPILE", Mode("AS_IT_IS", (), "native"))
EVERY_ROW = pytest.mark.parametrize("name", ROWS)


@cache
def cases_of(name: str) -> list[Case]:
    """The cases of a row."""
    return list(ROWS[name].cases())


def of_case(case: Case) -> tuple[list[Any], list[Any]]:
    """Fresh inputs, and the outputs of them."""
    inputs = case.inputs()
    return inputs, case.outputs(inputs)


def computed(inputs: Sequence[Any], outputs: Sequence[Any], arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What `perform` gives."""
    return evaluate(FunctionGraph(inputs, outputs), [a.copy() for a in arrays])


class Together:
    """Graphs of many cases in one function: compiling costs by the function, not by what is in it."""

    def __init__(self, graphs: Sequence[tuple[Any, list[Any], list[Any]]], mode: Any) -> None:
        self.graphs = graphs
        inputs = [x for _, xs, _ in graphs for x in xs]
        outputs = [z for _, _, zs in graphs for z in zs]
        self.function = nbgraph.function(inputs, outputs, mode=mode, on_unused_input="ignore", name="samples")
        self.mode = mode

    def __call__(self, arrays: Sequence[Sequence[np.ndarray]]) -> list[list[np.ndarray]]:
        """The outputs of each graph."""
        flat = iter(self.function(*(a for each in arrays for a in each)))
        return [[next(flat) for _ in zs] for _, _, zs in self.graphs]


def calls_of(cases: Sequence[Case]) -> Iterator[list[Values]]:
    """Values for every case, until each has had all of its own."""
    for k in range(max(len(case.values) for case in cases)):
        yield [case.values[k % len(case.values)] for case in cases]


@EVERY_ROW
def test_perform_gives_what_numpy_gives(name: str) -> None:
    row = ROWS[name]
    for case in cases_of(name):
        inputs, outputs = of_case(case)
        for given in case.values:
            results = computed(inputs, outputs, given.arrays)
            check_types(row, case, outputs, results, f"{name}, {case.label}, {given.label}")
            check_numpy(row, case, given, results)
            check_lengths(case, inputs, outputs, given, results)
        check_pickle(case, inputs, outputs)


def check_types(row: Row, case: Case, outputs: Sequence[Any], results: Sequence[np.ndarray], where: str) -> None:
    """Values are of the types that the node says."""
    for z, result in zip(outputs, results, strict=True):
        assert isinstance(z.type, TensorType), where
        assert type(result) is np.ndarray, f"{where}: perform gave a {type(result).__name__}"
        assert result.dtype.name == z.type.dtype, f"{where}: {result.dtype} for {z.type}"
        assert result.ndim == z.type.ndim, f"{where}: shape {result.shape} for {z.type}"
        assert all(n is None or n == m for n, m in zip(z.type.shape, result.shape, strict=True)), (where, z.type)


def check_numpy(row: Row, case: Case, given: Values, results: Sequence[np.ndarray]) -> None:
    """Values are those of an expression written for NumPy."""
    if case.numpy is None:
        assert len(row.no_numpy) >= 20, f"{row.name}, {case.label} has no NumPy expression, and does not say why"
        return
    with np.errstate(all="ignore"):
        expected = case.numpy(*(a.copy() for a in given.arrays))
    expected = list(expected) if isinstance(expected, (list, tuple)) else [expected]
    for result, wanted in zip(results, expected, strict=True):
        assert_result(row, result, np.asarray(wanted), f"{row.name}, {case.label}, {given.label}: perform against NumPy")


def check_lengths(case: Case, inputs: Sequence[Any], outputs: Sequence[Any], given: Values,
                  results: Sequence[np.ndarray]) -> None:
    """infer_shape gives the shapes that the results have."""
    for node in {z.owner for z in outputs if z.owner is not None}:
        if not hasattr(node.op, "infer_shape"):
            continue
        shapes = node.op.infer_shape(None, node, [tuple(nt.lengths_of(x)) for x in node.inputs])
        for z, shape in zip(node.outputs, shapes, strict=True):
            if not any(z is out for out in outputs):
                continue
            lengths = [nt.as_tensor_variable(n) for n in shape]
            assert all(n.type.dtype == "int64" and n.type.ndim == 0 for n in lengths), (case.label, shape)
            actual = next(r for out, r in zip(outputs, results, strict=True) if out is z).shape
            found = tuple(int(n) for n in computed(inputs, lengths, given.arrays))
            assert found == actual, f"{case.label}, {given.label}: infer_shape says {found}, the result has {actual}"


def check_pickle(case: Case, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
    """A graph that was pickled is the same graph: equal Ops, equal types, equal values."""
    again, results = pickle.loads(pickle.dumps((inputs, outputs)))
    for z, w in zip(outputs, results, strict=True):
        assert z.type == w.type, case.label
        if z.owner is not None:
            assert z.owner.op == w.owner.op and hash(z.owner.op) == hash(w.owner.op), case.label
            assert str(z.owner.op) == str(w.owner.op), case.label
            rebuilt = z.owner.op.make_node(*z.owner.inputs)
            assert [v.type for v in rebuilt.outputs] == [v.type for v in z.owner.outputs], case.label
    arrays = case.values[0].arrays
    for a, b in zip(computed(inputs, outputs, arrays), computed(again, results, arrays), strict=True):
        assert a.tobytes() == b.tobytes() and a.dtype == b.dtype, f"{case.label}: another value after pickling"


@EVERY_ROW
def test_compiled_gives_what_perform_gives(name: str) -> None:
    row, cases = ROWS[name], cases_of(name)
    graphs = [(case, *of_case(case)) for case in cases]
    shaped = [(case, xs, [*zs, *(n for z in zs for n in nt.lengths_of(z))]) for case, xs, zs in graphs]
    calls = list(calls_of(cases))
    expected = [[computed(xs, zs, given.arrays) for (_, xs, zs), given in zip(graphs, call, strict=True)]
                for call in calls]
    for mode in MODES:
        together = Together(shaped, mode)
        for k, (call, wanted) in enumerate(zip(calls, expected, strict=True)):
            check_call(row, together, call, wanted, k == 0)


def check_call(row: Row, together: Together, call: Sequence[Values], expected: Sequence[Sequence[np.ndarray]],
               every_layout: bool) -> None:
    """Results are right, are nobody else's memory, and do not depend on the layout of the inputs."""
    arrays = [[a.copy() for a in given.arrays] for given in call]
    results = together(arrays)
    for (case, _, _), given, passed, found, wanted in zip(together.graphs, call, arrays, results, expected,
                                                          strict=True):
        where = f"{row.name}, {case.label}, {given.label}, {together.mode}"
        check_against(row, found, wanted, where)
        for a, b in zip(passed, given.arrays, strict=True):
            assert a.tobytes() == b.tobytes(), f"{where}: an input was changed"
    check_memory(row, arrays, results)
    if not every_layout:
        return
    for label, relaid in zip(("Fortran order", "every second element", "reversed", "read-only", "not aligned"),
                             zip(*(layouts(each) for each in arrays), strict=True), strict=True):
        again = together([each for _, each in relaid])
        for (case, _, _), a, b in zip(together.graphs, results, again, strict=True):
            same = all(x.tobytes() == y.tobytes() for x, y in zip(a, b, strict=True))
            assert same, f"{row.name}, {case.label}, {together.mode}: another result for inputs in {label}"


def check_against(row: Row, found: Sequence[np.ndarray], wanted: Sequence[np.ndarray], where: str) -> None:
    """Values, and after them their shapes."""
    for result, value in zip(found, wanted, strict=False):
        assert_result(row, result, value, where)
    shapes = [n for value in wanted for n in value.shape]
    assert [int(n) for n in found[len(wanted):]] == shapes, f"{where}: the lengths are computed to be other ones"


def check_memory(row: Row, arrays: Sequence[Sequence[np.ndarray]], results: Sequence[Sequence[np.ndarray]]) -> None:
    """No result shares memory with an input or another result."""
    spans = sorted(span(a) for each in (*arrays, *results) for a in each if a.size)
    for (_, end), (start, _) in zip(spans, spans[1:], strict=False):
        assert end <= start, f"{row.name}: a result shares memory with an input or another result"


def span(a: np.ndarray) -> tuple[int, int]:
    """Where the array begins and ends."""
    low, high = np.lib.array_utils.byte_bounds(a)
    return low, high
