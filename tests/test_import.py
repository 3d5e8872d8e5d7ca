"""`import nbgraph` is quick and brings in neither Numba nor SciPy."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

# Seconds that `import nbgraph` may take more than `import numpy`.
MOST_EXTRA_S = 0.15
HEAVY = ("numba", "llvmlite", "scipy", "sklearn")


def loaded_after(statement: str) -> set[str]:
    """The top-level packages that a new process has loaded after `statement`."""
    code = f"{statement}\nimport sys\nprint(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def seconds_of(statement: str, bytecode: Path) -> float:
    """The time of `statement` in a new process, measured inside it, with bytecode as an installed package has it."""
    code = f"import time; start = time.perf_counter()\n{statement}\nprint(time.perf_counter() - start)"
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(bytecode)}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return float(ran.stdout)


@pytest.mark.parametrize("statement", [
    "import nbgraph",
    "import nbgraph, nbgraph.tensor as nt; nt.exp(nt.dvector('x'))",
    "import nbgraph; nbgraph.function, nbgraph.shared, nbgraph.In, nbgraph.Mode, nbgraph.grad",
    "import nbgraph, nbgraph.tensor as nt; x = nt.dvector('x'); nbgraph.function([x], 2 * x, mode='reference')([1.0])",
])
def test_building_a_graph_and_reference_mode_import_neither_numba_nor_scipy(statement: str):
    loaded = loaded_after(statement)
    assert "nbgraph" in loaded
    assert not loaded & set(HEAVY)


def test_import_takes_little_more_than_numpy(tmp_path: Path):
    seconds_of("import numpy, nbgraph", tmp_path)
    # Alternating, so that a busy moment of the machine meets both; the median forgives single outliers.
    runs = [(seconds_of("import numpy", tmp_path), seconds_of("import numpy, nbgraph", tmp_path)) for _ in range(7)]
    extra = statistics.median(ours for _, ours in runs) - statistics.median(theirs for theirs, _ in runs)
    assert extra <= MOST_EXTRA_S


def test_all_that_a_first_graph_needs_takes_little_more_than_numpy(tmp_path: Path):
    # Seven times as much work as `import nbgraph`; the best run of each is what a machine at rest takes.
    everything = "import numpy, nbgraph, nbgraph.tensor; nbgraph.function, nbgraph.grad"
    seconds_of(everything, tmp_path)
    runs = [(seconds_of("import numpy", tmp_path), seconds_of(everything, tmp_path)) for _ in range(7)]
    extra = min(ours for _, ours in runs) - min(theirs for theirs, _ in runs)
    assert extra <= MOST_EXTRA_S


def test_every_lazy_name_is_there():
    import nbgraph

    missing = [name for name in nbgraph.__all__ if not hasattr(nbgraph, name)]
    assert not missing
    assert set(nbgraph.__all__) <= set(dir(nbgraph))


def test_random_numbers_are_imported_when_they_are_asked_for():
    code = ("import sys, nbgraph.tensor as nt; nt.exp(nt.dvector('x')); print('numpy.random' in sys.modules, "
            "'nbgraph.tensor.random' in sys.modules, nt.random.normal.name, 'RandomStream' in dir(nt.random))")
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False", "normal", "True"]


def test_an_unknown_name_is_an_attribute_error():
    import nbgraph

    with pytest.raises(AttributeError, match="no 'nothing_of_this_name'"):
        nbgraph.nothing_of_this_name
