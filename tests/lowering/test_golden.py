"""Generated source, compared with files in golden/. To accept a change: pytest --update-golden, and read the diff."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from nbgraph.lowering.program import CallLibrary
from tests.lowering.functions import build

GOLDEN = Path(__file__).parent / "golden"
NAMES = ["logistic_step", "softmax_rows", "gather_scatter", "stencil", "products", "masks"]


@pytest.mark.parametrize("name", NAMES)
def test_generated_source_is_as_it_was(name: str, pytestconfig: pytest.Config):
    function, _ = build(name)
    path = GOLDEN / f"{name}.py"
    if pytestconfig.getoption("--update-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(function.source, encoding="utf-8")
    before = path.read_text(encoding="utf-8")
    changes = difflib.unified_diff(before.splitlines(), function.source.splitlines(), str(path), "now", lineterm="")
    assert before == function.source, "\n".join(changes)


def test_every_golden_file_is_compared():
    assert sorted(file.stem for file in GOLDEN.glob("*.py")) == sorted(NAMES)


def test_the_logistic_regression_step_is_two_products_and_at_most_three_loops():
    function, _ = build("logistic_step")
    program = function.stages.program
    calls = [s for s in program.statements if isinstance(s, CallLibrary)]
    assert len(calls) <= 2
    assert {call.function for call in calls} == {"nbgraph.dispatch.products.gemv"}
    assert len(program.kernels) <= 3
    assert function.source.count("@entry") == 1
    assert function.source.count("@kernel") == len(program.kernels)
