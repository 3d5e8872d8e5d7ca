"""The notebooks run from top to bottom, and are kept without outputs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.fixture
def outputs_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[Any]]:
    """What the cells of a notebook show when it is run."""
    # A kernel of this Python, whatever kernels the machine has.
    spec = tmp_path / "kernels" / "python3"
    spec.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": command, "language": "python", "display_name": "Python 3"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))

    def run(name: str) -> list[Any]:
        notebook = nbformat.read(FOLDER / name, as_version=4)
        assert all(not cell.get("outputs") for cell in notebook.cells), "commit it without outputs"
        nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
        return [output for cell in notebook.cells for output in cell.get("outputs", [])]

    return run


def test_notebook_of_speed_shows_source_timing_and_plot(outputs_of):
    outputs = outputs_of("speed.ipynb")
    printed = "".join(output.get("text", "") for output in outputs)
    assert "def normal" in printed
    assert "ratio" in printed
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_notebook_of_the_profile_shows_the_table_and_the_bar_chart(outputs_of):
    """The issue: "`f.profile.summary()` and a bar chart in a notebook"."""
    outputs = outputs_of("profile.ipynb")
    printed = "".join(output.get("text", "") for output in outputs)
    assert "GFLOP/s" in printed
    assert "gemm" in printed
    assert "rewrite: canonical" in printed
    assert "predict" in printed
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_notebook_of_own_operations_shows_each_way(outputs_of):
    """The issue: "a new Op with kernel, gradient, rule and samples added in under 60 lines"."""
    printed = "".join(output.get("text", "") for output in outputs_of("own_operations.ipynb"))
    assert "[2.5 0.5 1.5]" in printed and "computed by Python code:" in printed
    assert "[0. 0. 1. 0.]" in printed
    assert "[1381.5510558] instead of [inf]" in printed
    assert "moving averages are right" in printed
    (cell,) = [cell for cell in json.loads((FOLDER / "own_operations.ipynb").read_text())["cells"]
               if "class MovingAverage" in "".join(cell["source"])]
    assert sum(bool(line.strip()) for line in cell["source"]) < 60


def test_notebook_of_the_metropolis_sampler_checks_its_answer(outputs_of):
    """The issue: "a Metropolis sampler … written as a user would"; the notebook asserts its means."""
    outputs = outputs_of("metropolis.ipynb")
    printed = "".join(output.get("text", "") for output in outputs)
    assert "normal(pcg64(rng_0), " in printed and "computed by Python code" not in printed
    assert "accepted" in printed and "ratio" in printed
    assert printed.count("standard errors") == 6
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_notebook_of_the_bootstrap_checks_its_answer(outputs_of):
    """The issue: "a bootstrap written as a user would"; the notebook asserts SciPy's interval and a formula."""
    outputs = outputs_of("bootstrap.ipynb")
    printed = "".join(output.get("text", "") for output in outputs)
    assert "= integers(pcg64(rng), 0, 14)" in printed
    assert "sandwich" in printed and "ratio" in printed
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_every_notebook_is_run():
    text = Path(__file__).read_text()
    assert all(f'outputs_of("{path.name}")' in text for path in FOLDER.glob("*.ipynb"))
