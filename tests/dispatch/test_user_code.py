"""What compiled code of users is found by on disk, and that it does what the function did when it was decorated."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numba
import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph import function
from nbgraph.dispatch import elementwise, user_code
from nbgraph.errors import KernelError

x = nt.dvector("x")
OFFSET = 1.0


def shifted(v):
    return v + OFFSET


@numba.njit
def moved(v):
    return v + OFFSET


def test_the_name_covers_all_that_a_function_refers_to(monkeypatch):
    def made(factor):
        return lambda v: shifted(v) * factor

    first = user_code.register(made(2.0), False)
    assert user_code.register(made(2.0), False) == first
    assert user_code.register(made(3.0), False) != first
    assert user_code.register(made(2.0), True) != first
    monkeypatch.setitem(shifted.__globals__, "OFFSET", 5.0)
    assert user_code.register(made(2.0), False) != first
    with pytest.raises(KernelError, match=r"refers to lock, which can't be pickled"):
        lock = threading.Lock()
        user_code.register(lambda v: v if lock else -v, False)


def test_the_name_does_not_depend_on_the_order_of_sets():
    program = ("from nbgraph.dispatch import user_code\n"
               "def f(v): return 1.0 if v in {'a', 'b', 'c', 'd'} else 0.0\n"
               "print(user_code.register(f, False))")
    names = {subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True,
                            env=os.environ | {"PYTHONHASHSEED": seed}).stdout for seed in ("1", "2")}
    assert len(names) == 1


def test_the_name_covers_defaults_of_keywords():
    def made(factor):
        def scaled(v, *, by=factor):
            return v * by
        return scaled

    assert user_code.register(made(2.0), True) != user_code.register(made(3.0), True)


@pytest.mark.parametrize("mode", ["FAST_RUN", "reference"])
def test_what_a_function_refers_to_stays_as_it_was_when_it_was_decorated(mode, monkeypatch):
    factor, table = 2.0, np.array([1.0, 2.0])

    def scaled(v):
        return moved(v) * OFFSET * factor + table[1]

    op = elementwise(scaled)
    factor = 3.0
    monkeypatch.setitem(shifted.__globals__, "OFFSET", 5.0)
    table[1] = 7.0
    assert function([x], op(x), mode=mode)([1.0]).tolist() == [6.0]


PROGRAM = """
import numpy as np, nbgraph, nbgraph.tensor as nt
from nbgraph.dispatch import elementwise
import mine
from numba_helpers import helper
@elementwise
def scaled(v): return helper(v) * mine.inside.C
x = nt.dvector("x")
f = nbgraph.function([x], scaled(x) + 1)
print(f.cache_info().hit, f(np.ones(2)).tolist())
"""


def test_what_is_compiled_with_a_users_function_is_found_on_disk_while_that_is_the_same(tmp_path):
    def run(factor: float, power: int) -> str:
        (tmp_path / "mine.py").write_text("import within as inside")
        (tmp_path / "within.py").write_text(f"C = {factor}")
        (tmp_path / "numba_helpers.py").write_text(f"import numba\n@numba.njit\ndef helper(v): return (v + 1)**{power}")
        path = os.pathsep.join([str(tmp_path), str(Path(user_code.__file__).parents[2])])
        settings = {"NBGRAPH_CACHE_DIR": str(tmp_path), "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        found = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True,
                               check=True, env=os.environ | settings)
        return found.stdout.strip()

    assert run(2.0, 1) == "False [5.0, 5.0]"
    assert run(2.0, 1) == "True [5.0, 5.0]"
    assert run(5.0, 1) == "False [11.0, 11.0]"
    assert run(5.0, 2) == "False [21.0, 21.0]"
