"""The bench: every case agrees with NumPy, disagreement is noticed, the command line does what it says."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.bench.__main__ import main, run
from nbgraph.bench.case import Case, Problem
from nbgraph.bench.cases import CASES
from nbgraph.bench.measure import Measurement, disagreement, measure, microseconds, relative_error
from nbgraph.bench.report import as_json, table
from nbgraph.compile.function import function


def doubling(factor: float) -> Case:
    """A case whose NumPy version multiplies by `factor` where nbgraph doubles."""
    def make(rng: np.random.Generator) -> Problem:
        x = nt.dvector("x")
        return Problem([x], [2 * x], [rng.standard_normal(5)], lambda x: [factor * x])
    return Case("doubling", "2 * x", make)


@pytest.mark.parametrize("name", CASES)
def test_case_agrees_with_numpy(name: str, mode: str):
    problem = CASES[name].problem()
    compiled = function(problem.inputs, list(problem.outputs), updates=problem.updates)
    assert disagreement(problem, compiled) <= problem.tolerance <= 1e-9


def test_there_are_at_least_ten_cases_and_real_data_among_them():
    assert len(CASES) >= 10
    problem = CASES["logistic_regression"].problem()
    assert problem.values[0].shape == (569, 30)
    assert problem.updates


def test_a_case_has_the_same_data_every_time():
    first, second = (CASES["hierarchical"].problem().values for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_case_that_disagrees_fails_and_is_not_timed():
    found = measure(doubling(2.001), "reference", 0.001)
    assert found.failure is not None
    assert found.error == pytest.approx(0.001 / 2.001)
    assert found.us is None
    good = measure(doubling(2.0), "reference", 0.001)
    assert good.failure is None
    assert good.ratio == good.numpy_us / good.us


def test_exit_status_is_one_where_a_case_disagrees_or_raises(monkeypatch, capsys):
    def broken(rng):
        raise RuntimeError("no data")

    monkeypatch.setitem(CASES, "wrong", dataclasses.replace(doubling(3.0), name="wrong"))
    monkeypatch.setitem(CASES, "broken", Case("broken", "raises", broken))
    assert main(["--mode", "reference", "--quick", "--case", "wrong", "--case", "broken", "--case", "scalar"]) == 1
    printed = capsys.readouterr().out
    assert "FAILED wrong: differs from NumPy by 3e-01" in printed.replace("3.3e-01", "3e-01")
    assert "FAILED broken: RuntimeError: no data" in printed
    assert "1 of 3 cases agree" in printed


def test_json_has_every_field_of_every_case(capsys):
    assert main(["--mode", "reference", "--quick", "--json", "--case", "scalar"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["mode"] == "reference"
    (entry,) = found["cases"]
    assert set(entry) == {f.name for f in dataclasses.fields(Measurement)} | {"ratio"}
    assert entry["name"] == "scalar"
    assert entry["us"] > 0
    assert json.loads(as_json([Measurement("x", error=math.inf)], "FAST_RUN"))["cases"][0]["error"] is None


def test_an_unknown_case_is_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--case", "nothing"])
    assert stopped.value.code == 2
    assert "logistic_regression" in capsys.readouterr().err


def test_compiled_modes_measure_a_warm_start_in_a_second_process(mode: str):
    (found,) = run(["scalar"], mode, 0.01)
    assert found.failure is None
    assert (found.warm_ms is None) == (mode == "reference")


@pytest.mark.parametrize(("ours", "theirs", "error"), [
    ([1.0, 2.0], [1.0, 2.0], 0.0), ([1.0, 2.2], [1.0, 2.0], 0.1), ([0.0], [0.0], 0.0), ([1.0], [0.0], math.inf),
    ([np.nan, 1.0], [np.nan, 1.0], 0.0), ([np.nan], [1.0], math.inf), ([1.0], [[1.0]], math.inf),
    ([True], [True], 0.0), ([True], [False], math.inf), ([1], [1.0], math.inf), ([], [], 0.0), ([], [1.0], math.inf),
])
def test_relative_error_is_measured_against_the_largest_value(ours, theirs, error):
    assert relative_error(np.array(ours), np.array(theirs)) == pytest.approx(error)


def test_table_shows_missing_figures_as_a_dash():
    text = table([Measurement("a", nodes=3), Measurement("b", us=2.0, numpy_us=4.0)])
    assert text.splitlines()[1].split()[:3] == ["a", "3", "-"]
    assert "2.00" in text.splitlines()[2]


def test_microseconds_are_of_one_call():
    assert 0 < microseconds(lambda: None, 0.01) < 50
