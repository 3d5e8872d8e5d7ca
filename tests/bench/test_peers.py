"""Workers and how they are asked: in turns, each in its own process, whatever one of them does."""

from __future__ import annotations

import io
import itertools
import json
from pathlib import Path

import pytest

from nbgraph.bench import __main__ as command
from nbgraph.bench import contenders
from nbgraph.bench.cases import CASES
from nbgraph.bench.contenders import CONTENDERS, Contender, kind_of, path_of
from nbgraph.bench.crew import WorkerFailure, hired, race
from nbgraph.bench.peers import Effort, Entry, Verdict, installed, judge, quartiles
from nbgraph.bench.report import peers_json, peers_table
from nbgraph.bench.worker import Worker, serve

QUICK = Effort(rounds=2, turn_s=1e-4, cold=False)


@pytest.fixture(autouse=True)
def _fakes_can_be_imported(monkeypatch):
    """In this process and in those of the workers."""
    folder = str(Path(__file__).parent)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", folder, prepend=":")


def fake(name: str) -> str:
    return f"fake_contenders:{name}"


def test_worker_answers_every_line_and_survives_a_failure():
    answers = io.StringIO()
    requests = [{"ask": "time", "calls": 1}, {"ask": "build"}, {"ask": "check"}, {"ask": "time", "calls": 3}]
    serve(lambda: Worker(kind_of(fake("Right"))(), CASES["scalar"]), map(json.dumps, requests), answers)
    early, built, checked, timed = map(json.loads, answers.getvalue().splitlines())
    assert "before it was built" in early["failure"]
    assert set(built) == {"import_s", "start_s", "build_s"}
    assert checked == {"error": 0.0, "tolerance": 1e-9}
    assert timed["seconds"] > 0


def test_turns_are_taken_in_every_round_and_another_one_begins(tmp_path, monkeypatch):
    log = tmp_path / "log"
    monkeypatch.setenv("FAKE_LOG", str(log))
    with hired(fake("Right"), "scalar", {}) as first, hired(fake("Other"), "scalar", {}) as second:
        first.ask("build"), second.ask("build")
        log.unlink()
        found, failures = race({"first": first, "second": second}, rounds=4, turn_s=1e-9)
    assert not failures
    assert [len(found[name]) for name in ("first", "second")] == [4, 4]
    turns = [name for name, _ in itertools.groupby(log.read_text().split())]
    assert turns == ["Other", "Right"] * 3


@pytest.mark.parametrize(("name", "reason"), [
    ("Raises", "ImportError: no such library"), ("Wrong", "differs from NumPy by 1.4e-01 (allowed 1e-09)"),
    ("Crashes", "ended with status 1: out of luck"),
])
def test_a_contender_that_goes_wrong_gets_a_reason_and_the_others_their_times(name, reason):
    verdict = judge(CASES["scalar"], {"numpy": path_of(CONTENDERS["numpy"]), "fake": fake(name)}, QUICK)
    assert verdict.entries["numpy"].us > 0
    assert verdict.entries["fake"].us is None
    assert reason in verdict.entries["fake"].failure
    text = peers_table([verdict], [])
    assert f"FAILED scalar, fake: {verdict.entries['fake'].failure}" in text


def test_a_worker_that_takes_too_long_is_ended():
    with hired(fake("Sleeps"), "scalar", {}, patience_s=0.5) as worker:
        with pytest.raises(WorkerFailure, match=r"no answer within 0\.5 s"):
            worker.ask("build")
        assert worker.process.wait() != 0


def test_a_contender_without_the_case_has_no_entry():
    assert judge(CASES["scalar"], {"fake": fake("Without")}, QUICK).entries == {}


def test_a_peer_may_compute_in_32_bits():
    verdict = judge(CASES["scalar"], {"fake": fake("Single")}, QUICK)
    assert verdict.entries["fake"].failure is None


def test_cold_and_warm_are_two_processes_with_one_folder():
    entry = judge(CASES["scalar"], {"fake": fake("Keeps")}, Effort(1, 1e-4)).entries["fake"]
    assert entry.cold_ms >= 500 > entry.warm_ms > 0
    assert judge(CASES["scalar"], {"fake": fake("Right")}, QUICK).entries["fake"].cold_ms is None


def test_nbgraph_itself_is_built_cold_and_warm_and_timed(fresh_cache):
    entry = judge(CASES["scalar"], {"nbgraph": path_of(CONTENDERS["nbgraph"])}, Effort(2, 1e-3)).entries["nbgraph"]
    assert entry.failure is None
    assert entry.best_us <= entry.low_us <= entry.us <= entry.high_us
    assert entry.cold_ms > 0 and entry.warm_ms > 0
    assert not list(fresh_cache.iterdir()), "a worker keeps what it compiles in a folder of its own"


def test_what_is_not_installed_is_named_with_the_command_that_installs_it(monkeypatch, capsys):
    class Absent(Contender):
        needs = "a-library-that-nobody-has"
        peer = True

    monkeypatch.setattr(contenders, "Absent", Absent, raising=False)
    for name in ("numpy", "loop", "pytensor", "jax", "numexpr"):
        monkeypatch.setitem(CONTENDERS, name, Absent)
    assert installed(["nbgraph", "jax"]) == ({"nbgraph": path_of(CONTENDERS["nbgraph"])}, ["jax"])
    assert command.main(["--peers", "--quick", "--case", "scalar"]) == 0
    printed = capsys.readouterr().out
    assert "not installed: numpy, loop, pytensor, jax, numexpr; pip install 'nbgraph[peers]'" in printed
    row = next(line for line in printed.splitlines() if line.startswith("scalar"))
    assert row.split().count("-") == 7


def test_exit_status_is_one_where_nbgraph_is_wrong(monkeypatch, capsys):
    monkeypatch.setattr(command, "installed", lambda names: ({"nbgraph": fake("Wrong")}, []))
    assert command.main(["--peers", "--quick", "--case", "scalar"]) == 1
    assert "FAILED scalar, nbgraph: differs" in capsys.readouterr().out
    assert command.main(["--peers", "--quick", "--json", "--case", "scalar"]) == 1
    (entry,) = json.loads(capsys.readouterr().out)
    assert "differs" in entry["entries"]["nbgraph"]["failure"]


def verdict(**us: float) -> Verdict:
    return Verdict("a", "about", entries={name: Entry(us=time, low_us=time, high_us=1.5 * time)
                                          for name, time in us.items()})


def test_ratio_is_to_the_fastest_peer_and_numpy_and_the_loop_are_no_peers():
    found = verdict(nbgraph=2.0, numpy=1.0, loop=1.0, pytensor=8.0, jax=6.0)
    assert found.best_peer == "jax"
    assert found.ratio == 3.0
    assert found.ratio_to("loop") == 0.5
    assert found.entries["jax"].spread == 0.5
    assert verdict(nbgraph=2.0, numpy=1.0).ratio is None
    assert Verdict.from_dict(json.loads(json.dumps(found.as_dict()))) == found


def test_table_and_json_have_the_ratios():
    found = [verdict(nbgraph=2.0, loop=4.0, jax=6.0), verdict(nbgraph=2.0, jax=1.0)]
    text = peers_table(found, [])
    assert "ahead of the best peer in 1 of 2 cases; 1.22 times as fast at the geometric mean" in text
    assert "loop: 2.00 times as fast at the geometric mean of 1" in text
    assert "within 1.2 of the time of the loop in 1 of 1 cases" in text
    assert json.loads(peers_json(found))[0]["loop_ratio"] == 2.0


def test_quartiles():
    assert quartiles([1.0]) == (1.0, 1.0, 1.0)
    assert quartiles([5.0, 1.0, 2.0, 4.0, 3.0]) == (2.0, 3.0, 4.0)
