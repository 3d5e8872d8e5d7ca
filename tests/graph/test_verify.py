"""verify finds graphs that no rewrite may leave behind."""

from __future__ import annotations

import pytest

import nbgraph.tensor as nt
from nbgraph.config import config
from nbgraph.errors import GraphError
from nbgraph.graph import Apply, FunctionGraph
from nbgraph.graph.verify import can_stand_for, check_acyclic, verify, verify_rewrite
from nbgraph.rewrites import Pass, node_rule, rewrite
from nbgraph.tensor.type import TensorType


def test_a_sound_graph_passes():
    x, y = nt.dvector("x"), nt.dmatrix("y")
    verify(FunctionGraph([x, y], [nt.exp(x) + y, nt.sum(y, 0)]))


def test_a_cycle_is_found():
    x = nt.dvector("x")
    first = nt.exp(x)
    second = nt.log(first)
    first.owner.inputs = (second,)
    with pytest.raises(GraphError, match="depends on itself"):
        check_acyclic([second])


def test_a_long_chain_is_checked_without_recursion():
    z = x = nt.dvector("x")
    for _ in range(5_000):
        z = nt.neg(z)
    check_acyclic([z], [x])


def test_a_type_that_make_node_would_not_give_is_found():
    x = nt.dvector("x")
    wrong = TensorType("float32", (None,))()
    Apply(nt.exp.op, [x], [wrong])
    with pytest.raises(GraphError, match=r"float32\[\?\], make_node gives float64\[\?\]"):
        verify(FunctionGraph([x], [wrong]))


def test_an_output_that_denies_its_owner_is_found():
    x = nt.dvector("x")
    z = nt.exp(x)
    fgraph = FunctionGraph([x], [nt.log(z)])
    z.index = 1
    with pytest.raises(GraphError, match="says that it is output 1"):
        verify(fgraph)


def test_a_rewrite_must_keep_inputs_outputs_and_types():
    x, y = nt.dvector("x"), nt.dvector("y")
    before = FunctionGraph([x, y], [x + y])
    verify_rewrite(before, before)
    with pytest.raises(GraphError, match="changed the inputs"):
        verify_rewrite(before, FunctionGraph([y, x], [x + y]))
    with pytest.raises(GraphError, match="2 outputs of 1"):
        verify_rewrite(before, FunctionGraph([x, y], [x + y, x]))
    with pytest.raises(GraphError, match="output 0"):
        verify_rewrite(before, FunctionGraph([x, y], [nt.cast(x + y, "float32")]))


def test_a_length_may_become_known_but_not_one_that_broadcasts():
    def of(*shape):
        return TensorType("float64", shape)

    assert can_stand_for(of(None), of(3)) and can_stand_for(of(1, 2), of(1, 2))
    assert not can_stand_for(of(None), of(1)) and not can_stand_for(of(3), of(None))
    assert not can_stand_for(of(3), of(3, 3)) and not can_stand_for(of(3), TensorType("float32", (3,)))


def test_config_verify_checks_after_each_pass():
    x = nt.dvector("x")

    def broken(node):
        """exp(x) -> an Apply whose output has a type that its Op does not give"""
        whole = nt.lvector("whole")
        made = TensorType("float64", (None,))()
        Apply(nt.isnan.op, node.inputs, [made])
        assert whole.owner is None
        return made

    bad = node_rule("exp", example=lambda: [nt.exp(x)])(broken)
    fgraph = FunctionGraph([x], [nt.exp(x)])
    rewrite(fgraph, [Pass("bad", (bad,))])
    with config.change_flags(verify=True), pytest.raises(GraphError, match="make_node gives bool"):
        rewrite(fgraph, [Pass("bad", (bad,))])
