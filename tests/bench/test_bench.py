"""The bench: every case agrees with NumPy, disagreement is noticed, the command line does what it says."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from nbgraph.bench.__main__ import main, run
from nbgraph.bench.agreement import disagreement, relative_error
from nbgraph.bench.case import Case, Problem
from nbgraph.bench.cases import CASES
from nbgraph.bench.measure import Measurement, build, error_of, measure, microseconds
from nbgraph.bench.report import as_json, table


def doubling(factor: float) -> Case:
    """A case whose NumPy version multiplies by `factor` where nbgraph doubles."""
    def make(rng: np.random.Generator) -> Problem:
        return Problem(lambda m, x: [2 * x], {"x": rng.standard_normal(5)}, numpy=lambda x: [factor * x])
    return Case("doubling", "2 * x", make)


@pytest.mark.parametrize("name", CASES)
def test_case_agrees_with_numpy_in_reference_mode(name: str):
    built = build(CASES[name], "reference")
    assert error_of(built) <= built.problem.tolerance <= 1e-5


@pytest.mark.parametrize("name", ["scalar", "short_vectors", "mixture", "linear_float32", "item_response", "heat"])
def test_compiled_case_agrees_with_numpy(name: str):
    built = build(CASES[name], "FAST_RUN")
    assert error_of(built) <= built.problem.tolerance


def test_only_float32_has_a_tolerance_above_1e9():
    loose = {name for name, case in CASES.items() if case.problem().tolerance > 1e-9}
    assert loose == {name for name in CASES if name.endswith("float32")}


@pytest.mark.parametrize("name", ["short_vectors", "black_scholes", "survival", "layer_norm", "hierarchical",
                                  "poisson_regression", "pairwise", "autoregression"])
def test_hand_written_loop_agrees_with_numpy(name: str):
    problem, loop = CASES[name].problem(), CASES[name].loop()
    assert loop is not None
    # As Python runs it, each takes seconds on the data of the case.
    found = [np.asarray(value) for value in loop(*problem.values)]
    assert disagreement(found, problem.expected()) <= problem.tolerance


def test_every_loop_is_that_of_a_case():
    with_loop = {name for name, case in CASES.items() if case.loop() is not None}
    assert len(with_loop) >= 20
    assert "additive" not in with_loop


def test_there_are_at_least_twenty_cases_with_real_data_and_training_steps_among_them():
    assert len(CASES) >= 20
    problem = CASES["logistic_regression"].problem()
    assert problem.inputs["x"].shape == (569, 30)
    assert list(problem.state) == ["w", "b"]
    assert 12 <= sum(case.quick for case in CASES.values()) <= 14


def test_a_case_has_the_same_data_every_time():
    first, second = (CASES["hierarchical"].problem().values for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_formula_is_the_numpy_version_where_nothing_is_differentiated():
    problem = Problem(lambda m, x: [m.increment(x, np.s_[1:], 1.0), m.softplus(x)], {"x": np.zeros(2)})
    first, second = problem.expected()
    assert first.tolist() == [0.0, 1.0]
    assert second.tolist() == pytest.approx([math.log(2)] * 2)


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


@pytest.mark.parametrize(("options", "said"), [
    (["--case", "nothing"], "logistic_regression"), (["--peers", "--figures", "call"], "not allowed"),
    (["--save"], "--save goes with"), (["--peers", "--save", "--case", "scalar"], "--save goes with"),
])
def test_options_that_make_no_sense_are_refused(options, said, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(options)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


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


def test_disagreement_is_lenient_about_dtypes_only_where_it_is_told_to_be():
    single, double = np.float32([0.1]), np.array([0.1])
    assert disagreement([single], [double]) == math.inf
    assert disagreement([single], [double], strict=False) == 0.0
    assert disagreement([single + 1], [double], strict=False) == pytest.approx(10)
    assert disagreement([double, double], [double]) == math.inf


def test_table_shows_missing_figures_as_a_dash():
    text = table([Measurement("a", nodes=3), Measurement("b", us=2.0, numpy_us=4.0)])
    assert text.splitlines()[1].split()[:3] == ["a", "3", "-"]
    assert "2.00" in text.splitlines()[2]


def test_microseconds_are_of_one_call():
    assert 0 < microseconds(lambda: None, 0.01) < 50
