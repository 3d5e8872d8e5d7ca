"""Saved results, the Markdown that is made of them, and the README that holds it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from nbgraph.bench import markdown, saved
from nbgraph.bench.__main__ import main
from nbgraph.bench.cases import CASES
from nbgraph.bench.figures import FIGURES
from nbgraph.bench.peers import Entry, Verdict

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Results are kept there for one test."""
    monkeypatch.setattr(saved, "FOLDER", tmp_path / "results")
    return tmp_path / "results"


def verdict(name: str, **us: float) -> Verdict:
    return Verdict(name, f"about {name}", {key: Entry(us=time, cold_ms=100.0) for key, time in us.items()})


def test_what_is_saved_comes_back_with_the_machine(folder):
    assert saved.load("peers") is None
    saved.save("peers", [verdict("a", nbgraph=1.0).as_dict()])
    found = saved.load("peers")
    assert [Verdict.from_dict(entry) for entry in found["peers"]] == [verdict("a", nbgraph=1.0)]
    assert set(found["machine"]) == {"cpu", "cores", "system", "python", "versions", "date"}
    assert found["machine"]["versions"]["numpy"]
    assert [path.name for path in folder.iterdir()] == ["peers.json"]


def test_page_has_a_row_for_each_case_and_the_reason_where_a_peer_is_faster(folder, monkeypatch):
    monkeypatch.setitem(CASES, "b", dataclasses.replace(CASES["scalar"], name="b", slower="a reason."))
    entries = [verdict("a", nbgraph=2.0, numpy=4.0, loop=1.0, jax=6.0), verdict("b", nbgraph=2.0, jax=1.0),
               verdict("c", nbgraph=2.0, jax=1.0)]
    entries[0].entries["pytensor"] = Entry(failure="no such library")
    saved.save("peers", [entry.as_dict() for entry in entries])
    text = markdown.page(saved.load("peers"), None)
    assert "| about a (`a`) | 2.0 | 2.00 | 0.50 | - | 3.00 | - | 3.00 | 100 | - |" in text
    assert "| geometric mean |  | 2.00 | 0.50 | - | 0.91 | - | 0.91 |  |  |" in text
    assert "- `b`: a reason.\n- `c`: not explained yet." in text
    assert "- `a`, pytensor: no such library" in text
    assert all(len(line) <= 120 or line.startswith("|") for line in text.splitlines())


def test_page_between_the_markers_is_renewed_and_the_rest_is_left(tmp_path, folder):
    saved.save("peers", [verdict("a", nbgraph=1.0, jax=2.0).as_dict()])
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{saved.START}previous\n{saved.END}\nafter\n")
    assert main(["--report", str(page)]) == 0
    text = page.read_text()
    assert text.startswith(f"before\n\n{saved.START}\nMeasured")
    assert text.endswith(f"{saved.END}\nafter\n")
    assert "previous" not in text
    assert main(["--report", str(page)]) == 0
    assert page.read_text() == text
    with pytest.raises(ValueError, match="the page has no"):
        saved.renewed("no markers", "text")


def test_report_alone_prints(folder, capsys):
    saved.save("peers", [verdict("a", nbgraph=1.0, jax=2.0).as_dict()])
    assert main(["--report"]) == 0
    assert "about a (`a`)" in capsys.readouterr().out


def test_readme_is_what_the_saved_results_give():
    page = (ROOT / "README.md").read_text()
    assert page == saved.renewed(page, markdown.page(saved.load("peers"), saved.load("figures"))), \
        "run python -m nbgraph.bench --report README.md"


def test_saved_results_are_of_the_cases_and_figures_that_there_are():
    peers, figures = saved.load("peers"), saved.load("figures")
    assert peers is not None and {entry["name"] for entry in peers["peers"]} <= set(CASES)
    assert figures is not None and set(figures["figures"]) <= set(FIGURES)
