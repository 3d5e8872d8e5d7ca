"""A timed Program: where it reads the clock, that it does the same with the same kernels, and what it says was done."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.dispatch.expressions import Store
from nbgraph.graph.fg import FunctionGraph
from nbgraph.lowering.build import cache_key
from nbgraph.lowering.emit import canonical_source
from nbgraph.lowering.executor import compile_graph, stages_of
from nbgraph.lowering.program import CallKernel, CallLibrary, ReadClock, ReadLength
from nbgraph.lowering.work import is_work
from tests.lowering.functions import FUNCTIONS, build
from tests.lowering.stages import arguments_of, leaves_of, run_as_python

x, y = nt.dvectors("x", "y")
X, Y = nt.dmatrices("X", "Y")
i = nt.lvector("i")


def compiled(*outputs: Any) -> Any:
    """The profiled executor of these outputs as they are, no rewriting before."""
    inputs = leaves_of(outputs)
    return compile_graph(FunctionGraph(inputs, outputs), "f", [v.name for v in inputs], [False] * len(inputs),
                         lambda: {v: v.name for v in inputs}, lambda: [None] * len(outputs), profiled=True)


def record_of(executor: Any, *values: Any) -> np.ndarray:
    """What a call leaves in its record."""
    record = np.zeros(executor.timeline.size, np.int64)
    assert executor.entry(*values, *executor.constants, record) is not None
    return record


def work_of(outputs: list[Any], *values: Any) -> dict[str, Any]:
    """What each stretch does in a call, by the kind of the stretch."""
    executor = compiled(*outputs)
    record = record_of(executor, *values)
    works = executor.timeline.work(record[executor.timeline.readings:].tolist())
    return {s.kind: work for s, work in zip(executor.timeline.stretches(), works, strict=True)}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_without_a_profile_source_and_key_are_what_they_were(name: str):
    """The issue: "no cost when off"."""
    f, _ = build(name)
    executor = f.maker.executor
    source, key = executor.source, executor.native.key
    again = f.copy(profile=True).copy()
    assert again.maker.executor is f.maker.executor
    assert (again.source, again.maker.executor.native.key) == (source, key)
    assert executor.stages.program.record is None
    assert "nanoseconds" not in canonical_source(executor.stages.program)
    assert "record" not in source
    assert cache_key(canonical_source(executor.stages.program), executor.native.arguments) == key


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_timed_function_has_the_kernels_and_calls_of_the_other(name: str):
    """The design: "checks (debug, NaN guard, profile) that run other code than the one that ships" are not wanted."""
    f, _ = build(name)
    programs = [g.maker.executor.stages.program for g in (f, f.copy(profile=True))]
    record = programs[1].record
    theirs = [s for s in programs[1].statements if not isinstance(s, (ReadClock, ReadLength))
              and not (isinstance(s, Store) and s.buffer is record)]
    ours = [s for s in programs[0].statements if not isinstance(s, ReadLength)]
    assert list(map(type, theirs)) == list(map(type, ours))
    kernels = re.compile(r"^@kernel\n.*?(?=\n\n\n)", re.MULTILINE | re.DOTALL)
    sources = list(map(canonical_source, programs))
    assert len(kernels.findall(sources[0])) > 0 or not programs[0].kernels
    assert kernels.findall(sources[0]) == kernels.findall(sources[1])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_call_and_check_of_an_array_stands_between_two_readings(name: str):
    """The issue: "time per kernel and library call inside the compiled function"."""
    f, _ = build(name)
    stages = f.copy(profile=True).maker.executor.stages
    statements = stages.program.statements
    work = [k for k, s in enumerate(statements) if is_work(s)]
    assert len(work) >= sum(isinstance(s, (CallKernel, CallLibrary)) for s in statements)
    assert all(isinstance(statements[k + side], ReadClock) for k in work for side in (-1, 1))
    places = [s.place for s in statements if isinstance(s, ReadClock)]
    assert places == list(range(stages.timing.readings))
    assert [(s.begin, s.end) for s in stages.timing.spans] == [(statements[k - 1].place, statements[k + 1].place)
                                                               for k in work]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_results_are_the_same_bits_and_readings_never_go_back(name: str):
    f, values = build(name)
    g = f.copy(profile=True)
    executor = g.maker.executor
    record = np.full(executor.timeline.size, -1)
    arguments = arguments_of(g, values)
    results = executor.entry(*arguments, record)
    for mine, plain in zip(results, f.maker.executor.entry(*arguments_of(f, values)), strict=True):
        assert np.asarray(mine).tobytes() == np.asarray(plain).tobytes()
    readings = record[:executor.timeline.readings]
    assert readings.min() > 0
    assert (np.diff(readings) >= 0).all()
    assert (record[executor.timeline.readings:] >= 0).all()


def test_readable_and_canonical_source_run_as_python():
    f, values = build("logistic_step")
    g = f.copy(profile=True)
    executor = g.maker.executor
    texts = [g.source, canonical_source(executor.stages.program)]
    cases = [(text, [*arguments_of(g, values), np.zeros(executor.timeline.size, np.int64)]) for text in texts]
    plain = f.maker.executor.entry(*arguments_of(f, values))
    for results in run_as_python(cases):
        for mine, right in zip(results, plain, strict=True):
            np.testing.assert_allclose(mine, right, rtol=1e-12)


def test_bytes_and_operations_follow_from_lengths():
    """The issue: "bytes and flops (`Op.flops`)"."""
    kernel = work_of([nt.exp(x) * y, (x * y).sum()], np.ones(10), np.ones(10))["kernel"]
    assert (kernel.read_bytes, kernel.written_bytes) == (160, 80)
    assert kernel.flops == 4 * 10  # exp, mul, mul, sum
    library = work_of([nt.dot(X, Y)], np.ones((3, 4)), np.ones((4, 5)))["library"]
    assert library.read_bytes == 8 * (12 + 20)
    assert library.written_bytes == 8 * 15
    assert library.flops == 2 * 3 * 4 * 5


def test_of_an_array_that_is_gathered_from_only_what_is_fetched_counts():
    works = work_of([x[i]], np.array([1, 5]), np.ones(1000))
    assert works["kernel"].read_bytes == 2 * 8 + 2 * 8
    assert works["check"].read_bytes == 2 * 8
    assert works["kernel"].flops == 0


def test_an_array_that_several_loops_read_counts_once():
    works = work_of([X - X.max(axis=1, keepdims=True)], np.ones((50, 40)))
    assert works["kernel"].written_bytes in (8 * 2000, 8 * 2050)
    assert 8 * 2000 <= works["kernel"].read_bytes <= 8 * 2050


def test_lengths_that_depend_on_values_are_those_of_the_call():
    mask = x > 0
    executor = compiled(nt.exp(x[mask.nonzero()[0]]))
    for kept in (3, 7):
        record = record_of(executor, np.where(np.arange(10) < kept, 1.0, -1.0))
        works = executor.timeline.work(record[executor.timeline.readings:].tolist())
        found = {s.what: w for s, w in zip(executor.timeline.stretches(), works, strict=True)}
        (of_exp,) = [w for what, w in found.items() if what.startswith("exp")]
        assert of_exp.flops == kept
        assert of_exp.written_bytes == 8 * kept


def test_a_sum_in_pieces_counts_its_operations_once():
    works = compiled(nt.exp(X).sum(axis=0))
    record = record_of(works, np.ones((4000, 30)))
    done = works.timeline.work(record[works.timeline.readings:].tolist())
    assert sum(w.flops for w in done) == 2 * 4000 * 30


def test_stretches_have_the_names_of_the_source_and_of_the_user():
    z = nt.dot(X, x)
    z.name = "z"
    result = nt.exp(z) * y
    f = nbgraph.function([X, x, y], result, profile=True)
    library, kernel = f.maker.executor.timeline.stretches()
    assert (library.kind, library.name, library.what) == ("library", "gemv", "z = dot(X, x)")
    assert (kernel.kind, kernel.name, kernel.what) == ("kernel", "fused_0", "result = exp(z) * y")
    assert f"{library.name}(" in f.source
    assert f"def {kernel.name}(" in f.source
    assert re.fullmatch(r"test_timing\.py:\d+", kernel.line)


def test_only_the_timed_program_takes_a_record():
    inputs = [x]
    plain, _ = stages_of(FunctionGraph(inputs, [nt.exp(x)]), "f", ["x"])
    timed, _ = stages_of(FunctionGraph(inputs, [nt.exp(x)]), "f", ["x"], profiled=True)
    assert plain.timing is None
    assert timed.timing is not None
    assert not any(isinstance(s, ReadClock) for s in plain.program.statements)
    assert len(timed.program.kernels) == len(plain.program.kernels) == 1


def test_the_pieces_of_a_loop_that_is_cut_up_say_what_they_store():
    z = x
    for _ in range(300):
        z = nt.exp(z[1:] * 0.01)
    kernels = [s for s in compiled(z).timeline.stretches() if s.kind == "kernel"]
    loops = [s for s in kernels if s.what != "scalars"]
    assert len(kernels) > len(loops) > 4
    assert sum(s.what.startswith("exp(") and s.line.startswith("test_timing.py:") for s in loops) > len(loops) / 2
    assert all(s.line or s.what == "temporaries" for s in loops)
