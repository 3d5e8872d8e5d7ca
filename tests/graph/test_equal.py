"""equal_computations, and the names that older programs import from graph.basic."""

from __future__ import annotations

import nbgraph.tensor as nt
from nbgraph.graph import basic, equal_computations, traversal


def test_the_same_ops_on_the_same_leaves_are_equal():
    x, y = nt.dvector("x"), nt.dvector("y")
    assert equal_computations([nt.exp(x) + 1, y], [nt.exp(x) + 1, y])
    assert not equal_computations([x + 1], [x + 2])
    assert not equal_computations([x + 1], [y + 1])
    assert not equal_computations([x + y], [y + x])
    assert not equal_computations([nt.exp(x)], [nt.log(x)])


def test_inputs_at_one_place_stand_for_each_other():
    x, y = nt.dvector("x"), nt.dvector("y")
    assert equal_computations([nt.exp(x) * x], [nt.exp(y) * y], in_xs=[x], in_ys=[y])
    assert not equal_computations([x - y], [x - y], in_xs=[x, y], in_ys=[y, x])


def test_a_long_chain_is_compared_without_recursion():
    x = nt.dscalar("x")
    one, other = x, x
    for _ in range(20_000):
        one, other = nt.exp(one), nt.exp(other)
    assert equal_computations([one], [other])


def test_graph_basic_has_the_walks():
    assert basic.ancestors is traversal.ancestors and basic.graph_inputs is traversal.graph_inputs
    assert basic.io_toposort is traversal.io_toposort and basic.walk is traversal.walk
    assert basic.equal_computations is equal_computations
