"""The other figures: each can be measured quickly, printed and kept; the plot is a picture."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from nbgraph.bench.__main__ import main
from nbgraph.bench.figures import FIGURES, call, compiling, memory, scaling, threads
from nbgraph.bench.turns import calls_of, in_turns
from nbgraph.config import config


def test_turns_give_the_time_of_one_call():
    found = in_turns({"short": lambda: None, "long": lambda: time.sleep(0.002)}, rounds=3, turn_s=0.004)
    assert 0 < found["short"] < 100
    assert 2000 <= found["long"] < 20_000
    assert calls_of(lambda: time.sleep(0.002), 0.001) == 1


def test_a_call_is_timed_in_every_way(monkeypatch, capsys):
    monkeypatch.setattr(call, "COUNTS", (1, 2))
    assert main(["--figures", "call", "--quick", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["call"]
    assert [entry["inputs"] for entry in found] == [1, 2]
    assert all(entry[way] > 0 for entry in found for way in ("positional", "keyword", "trust_input", "entry point"))
    assert "goal" in FIGURES["call"].text(found)


def test_every_way_of_calling_gives_the_sum():
    for count in (1, 3):
        expected = 1.0 + sum(np.arange(5.0) + i for i in range(count))
        for run in call.ways(count).values():
            assert np.array_equal(np.squeeze(run()), expected)


def test_compiling_is_measured_cold_and_warm_in_new_processes(monkeypatch):
    monkeypatch.setattr(compiling, "CASES", {name: compiling.CASES[name] for name in ("scalar", "additive")})
    monkeypatch.setattr(compiling, "TERMS", (2,))
    monkeypatch.setattr(compiling, "start_of_a_script",
                        lambda folder, times: {"import_ms": 1, "cold_ms": 3, "warm_ms": 2})
    found = compiling.measure(True)
    assert all(entry["cold_ms"] > 0 and entry["warm_ms"] > 0 for entry in found["built"].values())
    assert "terms 2" in FIGURES["compile"].text(found)


def test_the_script_that_is_timed_runs(tmp_path):
    found = compiling.start_of_a_script(str(tmp_path), times=1)
    assert 0 < found["import_ms"] < found["warm_ms"]
    assert found["cold_ms"] > 0


def test_memory_is_that_of_a_process_of_its_own(capsys):
    memory.grow(2)
    one, two = json.loads(capsys.readouterr().out)
    assert 10 < one <= two < 10_000
    text = FIGURES["memory"].text({"count": 2, "one_mb": 100.0, "compiled_mb": 130.0, "one_loaded_mb": 80.0,
                                   "loaded_mb": 81.0})
    assert text.splitlines()[-2].split() == ["compiled", "100", "130", "30"]


def test_threads_are_compared_and_left_as_they_were(monkeypatch):
    monkeypatch.setattr(threads, "LARGE", ("scalar",))
    before = config.threads
    found = threads.measure(True)
    assert config.threads == before
    assert set(found["cases"]["scalar"]) == {"one", "all"}
    assert "speed-up" in FIGURES["threads"].text(found)


CONTENT = {"gb_per_s": 12.0, "curves": {label: [{"n": 1, "nbgraph": 900.0, "numpy": 800.0},
                                                {"n": 10, "nbgraph": 90.0, "numpy": 95.0}] for label in scaling.CURVES}}


def test_scaling_gives_a_cost_for_every_size(monkeypatch):
    monkeypatch.setattr(scaling, "SIZES", (1, 10))
    monkeypatch.setattr(scaling, "triad_gb_per_s", lambda n: 12.0)
    found = scaling.measure(True)
    assert list(found["curves"]) == list(scaling.CURVES)
    assert all(point["nbgraph"] > 0 and point["numpy"] > 0 for points in found["curves"].values() for point in points)
    assert "12.0 GB/s" in FIGURES["scaling"].text(found)


def test_scaling_is_drawn_with_axes_and_a_legend(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(scaling, "measure", lambda quick: CONTENT)
    assert main(["--plot", str(tmp_path / "scaling.png")]) == 0
    assert (tmp_path / "scaling.png").read_bytes().startswith(b"\x89PNG")
    panels = scaling.figure(CONTENT).axes
    assert [panel.get_title() for panel in panels] == list(scaling.CURVES)
    assert panels[0].get_xscale() == panels[0].get_yscale() == "log"
    assert [text.get_text() for text in panels[0].get_legend().get_texts()] == ["NumPy", "nbgraph", "memory, 12 GB/s"]
