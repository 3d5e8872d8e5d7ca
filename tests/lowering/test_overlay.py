"""Regions written into a copy: what is written once, in which kernels, and that results are right at every length."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.dispatch.expressions import Combine, Load
from nbgraph.lowering.program import walk
from tests.lowering.stages import leaves_of, staged

x, y = nt.dvectors("x", "y")
X, Y = nt.dmatrix("X"), nt.dmatrix("Y")
Z = nt.dtensor3("Z")
k, l = nt.lscalars("k", "l")
i = nt.lvector("i")

ONCE = {
    "the inside of a matrix": nt.inc_subtensor(X[1:-1, 1:-1], X[:-2, 1:-1] - X[2:, 1:-1]),
    "set inside": nt.set_subtensor(X[1:-1, 1:-1], nt.sqrt(X[1:-1, 1:-1])),
    "rows": nt.inc_subtensor(X[2:], X[:-2]),
    "columns": nt.set_subtensor(X[:, :-1], X[:, 1:]),
    "the end of a vector": nt.inc_subtensor(x[3:], x[:-3]),
    "the beginning of zeros": nt.inc_subtensor(nt.zeros_like(x)[:-1], nt.sqrt(x[1:])),
    "inside zeros of three axes": nt.inc_subtensor(nt.zeros_like(Z)[1:, :-1, 1:-1], 2 * Z[1:, :-1, 1:-1]),
    "between scalars": nt.set_subtensor(x[k:l], x[k:l] * 2),
    "one step after the other": nt.inc_subtensor(nt.inc_subtensor(X[1:-1], X[2:])[1:-1], 2.0),
}
# Every other element, one row, places of an array: the copy is whole.
TWICE = {
    "steps of two": nt.inc_subtensor(x[::2], 1.0),
    "backwards": nt.set_subtensor(x[::-1], 2 * x),
    "one row": nt.inc_subtensor(X[1], 1.0),
    "gathered": nt.inc_subtensor(x[i], 1.0),
}


def added_in_place(program):
    return [s for kernel in program.kernels for s in walk(kernel.body)
            if isinstance(s, Combine) and isinstance(s.target, Load)]


def values_of(inputs, n, m):
    values = {"x": np.arange(n) + 0.5, "X": np.arange(n * m).reshape(n, m) / 8, "Z": np.ones((n, m, 4)) / 4,
              "k": 1, "l": -2, "i": np.arange(n) // 2}
    return [values[v.name] for v in inputs]


@pytest.mark.parametrize("name", ONCE)
def test_what_is_written_over_is_not_copied_before(name):
    program = staged(ONCE[name]).program
    assert name == "one step after the other" or not added_in_place(program)
    inputs = leaves_of([ONCE[name]])
    f, reference = (nbgraph.function(inputs, ONCE[name], mode=mode) for mode in (None, "reference"))
    for n, m in [(7, 5), (3, 3), (2, 2), (1, 3), (3, 1), (2, 1), (40, 33)]:
        values = values_of(inputs, n, m)
        try:
            right = reference(*values)
        except nbgraph.errors.NbgraphError:  # such as x[:-3] where x has two elements
            continue
        np.testing.assert_array_equal(f(*values), right)


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0), (1, 1), (1, 0)])
def test_a_region_of_nothing_leaves_the_base(shape):
    f = nbgraph.function([X], nt.inc_subtensor(X[1:-1, 1:-1], 3.0))
    value = np.arange(float(np.prod(shape))).reshape(shape)
    np.testing.assert_array_equal(f(value), value)


@pytest.mark.parametrize("name", TWICE)
def test_other_updates_copy_the_base(name):
    program = staged(TWICE[name]).program
    assert len(program.kernels) == 2
    inputs = leaves_of([TWICE[name]])
    values = values_of(inputs, 6, 5)
    np.testing.assert_array_equal(nbgraph.function(inputs, TWICE[name])(*values),
                                  nbgraph.function(inputs, TWICE[name], mode="reference")(*values))


def test_a_base_that_nobody_needs_is_written_over():
    """Its copy would be dropped: the region alone is written."""
    program = staged(nt.inc_subtensor(nt.cumsum(x)[1:], 2.0)).program
    assert len(program.kernels) == 2


def test_an_input_is_never_written():
    f = nbgraph.function([X], nt.inc_subtensor(X[1:-1], 2.0))
    value = np.ones((5, 3))
    f(value)
    assert (value == 1).all()


def test_an_update_in_its_own_memory_is_right_in_every_call():
    state = nbgraph.shared(np.arange(30.0).reshape(6, 5), name="state")
    f = nbgraph.function([], [], updates=[(state, nt.inc_subtensor(state[1:-1, 1:-1],
                                                                    state[:-2, 1:-1] + state[2:, 1:-1]))])
    wanted = np.arange(30.0).reshape(6, 5)
    for _ in range(4):
        f()
        inside = wanted[:-2, 1:-1] + wanted[2:, 1:-1]
        wanted[1:-1, 1:-1] += inside
        np.testing.assert_array_equal(state.get_value(), wanted)
