"""What a call allocates: estimated from shapes, and nothing of it left but the outputs."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numba.core.runtime import _nrt_python as nrt
from numba.core.runtime import rtsys

import nbgraph
import nbgraph.tensor as nt
from nbgraph.errors import GraphError

x, y = nt.dvectors("x", "y")
A, B = nt.dmatrices("A", "B")
n = nt.lscalar("n")


def test_outputs_and_temporaries_are_counted():
    f = nbgraph.function([A, x], [nt.exp(nt.dot(A, x)), nt.dot(nt.tanh(nt.dot(A, A.T)), A).sum()])
    found = f.memory_estimate([(100, 30), (30,)])
    assert found.outputs == 100 * 8
    assert found.temporaries == (100 * 100 + 100 * 30) * 8
    assert found.total == found.outputs + found.temporaries
    assert str(found).startswith("outputs 800 B, temporaries 101.6 KiB")
    assert f.memory_estimate({"A": (1, 1), x: (1,)}).total == 8 + 16


def test_values_of_scalars_and_of_shared_variables_give_lengths():
    w = nbgraph.shared(np.zeros(7), name="w")
    f = nbgraph.function([n], [nt.arange(n) * 2.0], updates=[(w, w + 1)])
    assert f.memory_estimate([5]).outputs == 5 * 8  # w has memory of its own for its next value
    g = nbgraph.function([x], [x[::2], x[3:]])
    assert g.memory_estimate([(11,)]).outputs == (6 + 8) * 8


def test_lengths_that_depend_on_values_are_named():
    found = nbgraph.function([x], x[x > 0]).memory_estimate([(10,)])
    assert found.unknown
    assert found.outputs == 0


def test_bad_shapes_are_errors():
    f = nbgraph.function([A, x], nt.dot(A, x))
    with pytest.raises(GraphError, match="A has 2 axes"):
        f.memory_estimate([(3,), (3,)])
    with pytest.raises(GraphError, match="input x has no shape"):
        f.memory_estimate([(3, 3)])
    with pytest.raises(GraphError, match="reference mode"):
        nbgraph.function([x], x + 1, mode="reference").memory_estimate([(3,)])


def test_nothing_is_left_allocated_after_ten_thousand_calls():
    w = nbgraph.shared(np.zeros(50), name="w")
    f = nbgraph.function([A, x], [nt.exp(nt.dot(A, x)), nt.special.softmax(A, axis=1).sum(), x[x > 0]],
                         updates=[(w, nt.dot(A, w) + x)])
    values = [np.random.default_rng(0).normal(size=(50, 50)) / 50, np.ones(50)]
    for _ in range(10):
        f(*values)
    nrt.memsys_enable_stats()
    before = rtsys.get_allocation_stats()
    tracemalloc.start()
    start = tracemalloc.get_traced_memory()[0]
    for _ in range(10_000):
        f(*values)
    grown = tracemalloc.get_traced_memory()[0] - start
    tracemalloc.stop()
    after = rtsys.get_allocation_stats()
    nrt.memsys_disable_stats()
    assert grown < 10_000
    assert after.alloc - before.alloc >= 10_000
    assert after.alloc - after.free == before.alloc - before.free
