"""What generated code is spared of Numba's lowering, and that it computes the same."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from nbgraph.dispatch import typing
from nbgraph.dispatch.jit import apart, entry, kernel
from nbgraph.dispatch.memory import empty, reshape


def text_of(function) -> str:
    """What LLVM is given of a kernel."""
    (compiled,) = function.overloads.values()
    return str(compiled.library._final_module)


def test_an_element_is_one_address_without_a_question_for_negative_indices():
    @kernel
    def picked(x, i, j, out):
        apart()
        out[0] = x[i, j]

    @entry
    def run(x, i, j, out):
        picked(x, i, j, out)

    x, out = np.arange(12.0).reshape(3, 4), np.empty(1)
    run(x, 2, 1, out)
    assert out[0] == x[2, 1]
    text = text_of(picked)
    assert "getelementptr inbounds double" in text
    assert "icmp" not in text
    assert "select" not in text


def test_loops_in_loops_start_again_each_time():
    @kernel
    def counted(n, out):
        apart()
        for i in range(n):
            for j in range(i):
                out[i] = out[i] + j + 1

    @entry
    def run(n, out):
        counted(n, out)

    out = np.zeros(5)
    run(5, out)
    assert out.tolist() == [0, 1, 3, 6, 10]
    run(0, out)
    assert out.tolist() == [0, 1, 3, 6, 10]


def test_a_variable_of_a_branch_and_of_a_later_turn_keeps_its_place_in_memory():
    @kernel
    def best(x, out):
        apart()
        place = 0
        last = 0.0
        for i in range(x.shape[0]):
            if x[i] > x[place]:
                place = i
            out[i] = last
            last = x[i] * 10
        out[x.shape[0]] = place

    @entry
    def run(x, out):
        best(x, out)

    out = np.empty(5)
    run(np.array([1.0, 4.0, 2.0, 3.0]), out)
    assert out.tolist() == [0, 10, 40, 20, 1]


def test_arguments_keep_their_references_and_new_arrays_get_one():
    @entry
    def run(x):
        y = empty((x.shape[0],), np.float64)
        for i in range(x.shape[0]):
            y[i] = x[i]
        z = y
        same = reshape(z, (x.shape[0], 1))
        return x, same

    x = np.arange(4.0)
    before = sys.getrefcount(x)
    for _ in range(3):
        given, made = run(x)
    assert given is x
    assert made.tolist() == [[0], [1], [2], [3]]
    assert sys.getrefcount(made) == 2
    del given
    assert sys.getrefcount(x) == before


def test_arguments_are_not_counted_in_the_code():
    @entry
    def run(x, y):
        return x.shape[0] + y.shape[0]

    assert run(np.ones(2), np.ones(3)) == 5
    (compiled,) = run.overloads.values()
    bodies = [str(f) for f in compiled.library.get_defined_functions()]
    assert bodies
    assert not any("NRT_" in body for body in bodies)


def test_more_arguments_than_python_passes_singly_are_passed_singly():
    names = [f"a{k}" for k in range(40)]
    scope = {"kernel": kernel, "entry": entry, "apart": apart}
    exec(f"@kernel\ndef last({', '.join(names)}):\n    apart()\n    return a39 - a0\n\n\n"
         f"@entry\ndef run({', '.join(names)}):\n    return last({', '.join(names)})", scope)
    assert scope["run"](*range(40)) == 39
    (compiled,) = scope["run"].overloads.values()
    assert "insertvalue" not in str(compiled.library._final_module)


@pytest.mark.parametrize("lengths", [(2**40, 2**40), (2**61,)])
def test_an_array_that_can_t_be_allocated_is_a_memory_error(lengths):
    names = [f"n{k}" for k in range(len(lengths))]
    scope = {"entry": entry, "empty": empty, "np": np}
    exec(f"@entry\ndef run({', '.join(names)}):\n    return empty(({', '.join(names)},), np.float64)", scope)
    with pytest.raises(MemoryError, match="an array of these lengths can't be allocated"):
        scope["run"](*lengths)
    assert scope["run"](*[3] * len(lengths)).shape == (3,) * len(lengths)


def test_new_arrays_begin_at_a_cache_line():
    @entry
    def run(n):
        return empty((n,), np.float32)

    assert all(run(n).ctypes.data % 64 == 0 for n in range(1, 40))


def test_a_signature_is_looked_up_once(monkeypatch):
    @entry
    def first(x, y):
        return x[0] * y + x[1]

    first(np.ones(2), 2.0)
    known = dict(typing._known)

    @entry
    def second(x, y):
        return (x[1] + y) * x[0]

    assert second(np.array([2.0, 3.0]), 4.0) == 14
    assert typing._known == known
