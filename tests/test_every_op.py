"""Every Op, and every row of the scalar table, by its samples (`tests/samples`).

perform = NumPy; compiled = perform in every mode, for every dtype, shape and layout; gradients = finite differences;
forward mode; what must be refused is refused with the same words. The last tests fail where something has no samples.
"""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.compile.mode import Mode
from nbgraph.dispatch.rules import _RULES
from nbgraph.dispatch.scalar import resolve
from nbgraph.gradient import GradientError, Lop, Rop, verify_grad
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import Op
from nbgraph.tensor import dtypes
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.scalar_function import TABLE
from nbgraph.tensor.type import TensorType
from tests.samples import ROWS, Case, Failure, Row, Values
from tests.samples.case import draw
from tests.samples.compare import assert_result, layouts
from tests.samples.derivatives import differentiable, moved_among
from tests.samples.elementwise import taken
from tests.samples.registry import BASES, FAMILIES, OF_USERS, every_op_class, subjects

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
    with np.errstate(all="ignore"):
        expected = case.numpy(*(a.copy() for a in given.arrays))
    expected = list(expected) if isinstance(expected, (list, tuple)) else [expected]
    for result, wanted in zip(results, expected, strict=True):
        where = f"{row.name}, {case.label}, {given.label}: perform against NumPy"
        assert_result(row, result, np.asarray(wanted), where)


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
    for (_, end), (start, _) in itertools.pairwise(spans):
        assert end <= start, f"{row.name}: a result shares memory with an input or another result"


def span(a: np.ndarray) -> tuple[int, int]:
    """Where the array begins and ends."""
    low, high = np.lib.array_utils.byte_bounds(a)
    return low, high


# Derivatives --------------------------------------------------------------------------------------------------------

def derivatives(case: Case) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """(inputs, weights and directions after them, pulled-back weights, pushed directions)."""
    inputs, outputs = of_case(case)
    moved = [inputs[k] for k in moved_among(case.types)]
    smooth = [outputs[k] for k in moved_among(z.type for z in outputs)]
    weights, directions = [z.type() for z in smooth], [x.type() for x in moved]
    pulled = Lop(smooth, moved, weights, disconnected_inputs="ignore")
    pushed = Rop(smooth, moved, directions, disconnected_outputs="ignore")
    return inputs, [*weights, *directions], list(pulled), list(pushed)


def with_directions(case: Case, given: Values) -> list[np.ndarray]:
    """The arrays of a case, then random weights of its outputs and directions of its inputs."""
    inputs, outputs = of_case(case)
    results = computed(inputs, outputs, given.arrays)
    smooth = [results[k] for k in moved_among(z.type for z in outputs)]
    moved = [given.arrays[k] for k in moved_among(case.types)]
    return [*given.arrays, *(draw(a.dtype.name, a.shape, 0.5, 1.5, seed=k) for k, a in enumerate((*smooth, *moved)))]


def step_for(case: Case, outputs: Sequence[Any]) -> float | None:
    """The step of finite differences, where an output is less precise than an input: through its rounding."""
    single = [dtypes.real_of(kind.dtype) == "float32" for kind in (*case.types, *(z.type for z in outputs))]
    return 2e-3 if any(single) else None


@EVERY_ROW
def test_gradient_is_that_of_finite_differences(name: str) -> None:
    cases = [case for case in cases_of(name) if differentiable(case)]
    if ROWS[name].no_gradient:
        assert not cases, f"{name}: {cases[0].label} has a derivative, so the row must not say that it has none"
        return
    assert cases, f"{name}: no case has a derivative, and the row does not say why"
    for case in cases:
        _, outputs = of_case(case)
        given = case.values[0]
        if any(a.size == 0 for a in given.arrays) or not given.smooth:
            continue
        try:
            verify_grad(case.build, given.arrays, n_tests=1, eps=step_for(case, outputs))
        except GradientError as error:
            raise AssertionError(f"{name}, {case.label}: {error}") from error


@EVERY_ROW
def test_forward_mode_is_the_slope_along_a_direction(name: str) -> None:
    for case in cases_of(name):
        if not differentiable(case) or not case.values[0].smooth:
            continue
        inputs, seeds, _, pushed = derivatives(case)
        arrays = with_directions(case, case.values[0])
        forward = computed([*inputs, *seeds], pushed, arrays)
        directions = arrays[len(arrays) - len(moved_among(case.types)):]
        for result, slope in zip(forward, slopes(case, case.values[0].arrays, directions), strict=True):
            where = f"{name}, {case.label}: forward mode against finite differences"
            assert result.shape == slope.shape and result.dtype == slope.dtype, where
            loose = 5e-3 if dtypes.real_of(result.dtype.name) == "float32" or step_for(case, []) else 1e-6
            size = np.abs(slope).max(initial=1.0)
            assert np.all(np.abs(result - slope) <= loose * size), f"{where}: {result} and {slope}"


def slopes(case: Case, arrays: Sequence[np.ndarray], directions: Sequence[np.ndarray]) -> list[np.ndarray]:
    """(f(x + h v) - f(x - h v)) / 2 h for the outputs that move."""
    inputs, outputs = of_case(case)
    kept = moved_among(z.type for z in outputs)
    h = step_for(case, outputs) or float(np.cbrt(np.finfo("float64").eps))
    ends = []
    for sign in (1, -1):
        moved = list(arrays)
        for k, v in zip(moved_among(case.types), directions, strict=True):
            moved[k] = (moved[k] + sign * h * v).astype(v.dtype)
        ends.append([computed(inputs, outputs, moved)[k] for k in kept])
    return [((above - below) / (2 * h)).astype(above.dtype) for above, below in zip(*ends, strict=True)]


@EVERY_ROW
def test_compiled_derivatives_are_those_of_reference_mode(name: str) -> None:
    row, cases = ROWS[name], [case for case in cases_of(name) if differentiable(case)]
    if not cases:
        assert len(row.no_gradient) >= 20, name
        return
    graphs = []
    for case in cases:
        inputs, seeds, pulled, pushed = derivatives(case)
        graphs.append((case, [*inputs, *seeds], [*pulled, *pushed]))
    together = Together(graphs, "FAST_RUN")
    for call in calls_of(cases):
        arrays = [with_directions(case, given if given.smooth else case.values[0])
                  for case, given in zip(cases, call, strict=True)]
        for (case, xs, gs), passed, found in zip(graphs, arrays, together(arrays), strict=True):
            for k, (result, wanted) in enumerate(zip(found, computed(xs, gs, passed), strict=True)):
                assert_result(row, result, wanted, f"{name}, {case.label}: derivative {k}")


# What must be refused -------------------------------------------------------------------------------------------------

@EVERY_ROW
def test_what_reference_mode_refuses_is_refused_with_the_same_words(name: str) -> None:
    fails = list(ROWS[name].fails())
    if not fails:
        return
    inputs = [case.inputs(str(k)) for k, case in enumerate(fails)]
    outputs = [case.build(*xs) for case, xs in zip(fails, inputs, strict=True)]
    flat = [z for built in outputs for z in (built if isinstance(built, (list, tuple)) else [built])]
    functions = {str(mode): nbgraph.function([x for xs in inputs for x in xs], flat, mode=mode,
                                             on_unused_input="ignore") for mode in ("reference", *MODES)}
    for k, case in enumerate(fails):
        arrays = [a for j, other in enumerate(fails) for a in (other.bad if j == k else other.good)]
        messages = {mode: message_of(f, arrays, case, f"{name}, {case.label}, {mode}") for mode, f in functions.items()}
        for mode, message in messages.items():
            assert message == messages["reference"], f"{name}, {case.label}, {mode}"
        for f in functions.values():
            f(*(a for other in fails for a in other.good))


def message_of(function: Any, arrays: Sequence[np.ndarray], case: Failure, where: str) -> str:
    """What the function says as it refuses the arrays."""
    with pytest.raises(case.error) as caught:
        function(*arrays)
    assert type(caught.value) is case.error, where
    assert case.words in str(caught.value), f"{where}: {caught.value}"
    return str(caught.value)


# Nothing is left out --------------------------------------------------------------------------------------------------

# Ops that nothing is generated for.
NO_KERNEL = {"OpFromGraph": "rewriting puts its graph in its place, before anything is lowered"}



def subjects_of(row: Row) -> set[Any]:
    """The Op classes that are applied in the graphs of a row, and the names of the scalar functions."""
    found: set[Any] = set()
    for case in row.cases():
        inputs, outputs = of_case(case)
        for node in FunctionGraph(inputs, outputs).nodes:
            found.add(type(node.op))
            if isinstance(node.op, Elemwise):
                found.add(node.op.function.name)
    return found


def lacking(op_type: type[Op]) -> list[str]:
    """What an Op class does not have of samples, a kernel and a gradient."""
    rows = [row for row in ROWS.values() if op_type in row.subjects]
    found = [] if rows else ["samples"]
    if not any(cls in _RULES for cls in op_type.__mro__) and op_type.__name__ not in NO_KERNEL:
        found.append("a lowering rule")
    if not hasattr(op_type, "grad") and not hasattr(op_type, "L_op") and not any(row.no_gradient for row in rows):
        found.append("a gradient")
    return found


def test_every_op_has_samples_a_kernel_and_a_gradient() -> None:
    missing = {cls.__name__: lacking(cls) for cls in subjects() if isinstance(cls, type) and lacking(cls)}
    assert not missing, missing
    assert Elemwise in _RULES


def test_an_op_that_lacks_everything_is_found() -> None:
    class Novel(Op):
        """An Op that is not of the package."""

    assert lacking(Novel) == ["samples", "a lowering rule", "a gradient"]


def test_bases_are_no_ops_of_their_own() -> None:
    classes = {cls.__name__: cls for cls in every_op_class()}
    for name, file in (OF_USERS | FAMILIES).items():
        assert name in classes and "def test_" in (Path(__file__).parents[1] / file).read_text(), name
    for name, reason in BASES.items():
        assert classes[name].__subclasses__() and len(reason) >= 20, name
        assert not any(name == type(op).__name__ for row in ROWS.values() for op in row.subjects), name


@pytest.mark.parametrize("name", TABLE)
def test_every_row_of_the_table_has_samples_and_kernels(name: str) -> None:
    assert ROWS[name].subjects == (name,)
    for kinds in taken(TABLE[name]):
        *operands, result = TABLE[name].signature(*kinds)
        resolve(TABLE[name].kernel, tuple(operands), result)
    if TABLE[name].pullback is None:
        results = {TABLE[name].signature(*kinds)[-1] for kinds in taken(TABLE[name])}
        constant = all(dtypes.is_discrete(dtype) for dtype in results)
        assert bool(ROWS[name].no_gradient) == constant, f"{name}: {results}"


@EVERY_ROW
def test_samples_are_of_what_they_say(name: str) -> None:
    row = ROWS[name]
    assert row.subjects and set(row.subjects) <= subjects_of(row)
    assert len({case.label for case in row.cases()}) == len(list(row.cases())), "two cases of one label"
    assert not row.no_gradient or len(row.no_gradient) >= 20, row.no_gradient
    assert not row.rtol or len(row.reason) >= 20, "another tolerance needs a reason"
