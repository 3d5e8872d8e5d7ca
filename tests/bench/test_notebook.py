"""notebooks/speed.ipynb runs from top to bottom, and is kept without outputs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

PATH = Path(__file__).resolve().parents[2] / "notebooks" / "speed.ipynb"


def test_notebook_runs_and_shows_source_timing_and_plot(tmp_path, monkeypatch):
    # A kernel of this Python, whatever kernels the machine has.
    spec = tmp_path / "kernels" / "python3"
    spec.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": command, "language": "python", "display_name": "Python 3"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    notebook = nbformat.read(PATH, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "commit it without outputs"
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    printed = "".join(output.get("text", "") for output in outputs)
    assert "def normal" in printed
    assert "ratio" in printed
    assert any("image/png" in output.get("data", {}) for output in outputs)
