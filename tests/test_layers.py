"""The layers of the package: imports point downwards, few packages import Numba, files stay short.

Read from the source with the standard library alone, local imports included.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "nbgraph"
# From low to high. A module may import its own package and any layer above its own in this list.
LAYERS = ({"errors", "config"}, {"graph"}, {"tensor"}, {"gradient"}, {"loops"}, {"rewrites", "dispatch"}, {"lowering"},
          {"compile"}, {"bench", "cache"})
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
# (module, package it imports): why it may. Every one of them must be in use.
EXCEPTIONS = {("graph/replace.py", "tensor"): "vectorize_graph is a lazy re-export that users look for there",
              ("tensor/random/var.py", "compile"): "draws without a given state make a shared variable for it",
              ("tensor/__init__.py", "gradient"): "nbgraph.tensor.grad is a lazy re-export that the seeds promise",
              ("tensor/__init__.py", "compile"): "nbgraph.tensor.TensorSharedVariable is such a re-export, too",
              ("graph/basic.py", "compile"): "Variable.eval compiles what it is called on"}
MAY_IMPORT_NUMBA = {"dispatch", "lowering", "compile", "bench"}
# What the package imports besides itself and the standard library; extras and peers only inside functions of the bench.
DEPENDENCIES = {"numpy", "numba", "llvmlite", "scipy"}
BENCH_EXTRA = {"sklearn", "tqdm", "pytensor", "jax", "numexpr", "matplotlib"}
# Scripts that derive coefficients, which nothing else imports.
SCRIPTS = {"dispatch/vmath/derive.py": {"mpmath"}, "dispatch/vmath/fits.py": {"mpmath"},
           "dispatch/random/derive.py": {"mpmath"}}
# Modules that are imported when a chart is drawn, with what they draw with.
CHARTS = {"compile/profile_chart.py": {"matplotlib"}}
MOST_LINES = 500


def modules() -> list[Path]:
    """Every module of the package."""
    return sorted(ROOT.rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """(dotted name, line) of every import in the file, wherever it stands, but for those of type checkers only."""
    tree = ast.parse(path.read_text())
    guards = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)]
    unseen = {id(inner) for guard in guards for child in guard.body for inner in ast.walk(child)}
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write imports in full"
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def unit(path: Path) -> str:
    """The package or top-level module that a file belongs to."""
    return path.relative_to(ROOT).with_suffix("").parts[0]


def upward(path: Path) -> Iterator[tuple[str, int]]:
    """(package, line) of every import of this file that does not point downwards."""
    for name, line in imports(path):
        parts = name.split(".")
        if parts[0] != "nbgraph" or len(parts) == 1:
            continue
        target = parts[1]
        if target != unit(path) and RANK.get(target, len(LAYERS)) >= RANK[unit(path)]:
            yield target, line


def test_imports_point_downwards():
    bad = [f"{path.relative_to(ROOT)}:{line} imports {target}" for path in modules() if unit(path) != "__init__"
           for target, line in upward(path) if (str(path.relative_to(ROOT)), target) not in EXCEPTIONS]
    assert not bad, "\n".join(bad)


def test_every_exception_to_the_layers_is_in_use():
    used = {(str(path.relative_to(ROOT)), target) for path in modules() if unit(path) != "__init__"
            for target, _ in upward(path)}
    assert set(EXCEPTIONS) <= used


def test_only_the_layers_that_make_native_code_import_numba():
    bad = [f"{path.relative_to(ROOT)}:{line} imports {name}" for path in modules() for name, line in imports(path)
           if name.split(".")[0] in ("numba", "llvmlite") and unit(path) not in MAY_IMPORT_NUMBA]
    assert not bad, "\n".join(bad)


def test_only_the_declared_dependencies_are_imported():
    declared = tomllib.loads((ROOT.parent / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {re.split(r"[<>=]", entry)[0] for entry in declared} == DEPENDENCIES
    bad = [f"{path.relative_to(ROOT)}:{line} imports {name}" for path in modules() for name, line in imports(path)
           if name.split(".")[0] not in {"nbgraph", *DEPENDENCIES, *sys.stdlib_module_names}
           and not (unit(path) == "bench" and name.split(".")[0] in BENCH_EXTRA)
           and name.split(".")[0] not in (SCRIPTS | CHARTS).get(str(path.relative_to(ROOT)), ())]
    assert not bad, "\n".join(bad)


def test_scripts_are_imported_by_no_other_module():
    names = {"nbgraph." + script.removesuffix(".py").replace("/", ".") for script in SCRIPTS}
    found = [(str(path.relative_to(ROOT)), name) for path in modules() for name, _ in imports(path)
             if str(path.relative_to(ROOT)) not in SCRIPTS
             and any(f"{name}.".startswith(f"{script}.") for script in names)]
    assert not found


def test_every_package_has_a_layer():
    units = {unit(path) for path in modules()} - {"__init__", "__main__"}
    assert units <= set(RANK)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_file_is_at_most_500_lines_and_opens_with_a_docstring(path: Path):
    text = path.read_text()
    assert len(text.splitlines()) <= MOST_LINES
    assert ast.get_docstring(ast.parse(text))
