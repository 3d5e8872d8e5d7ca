"""The driver: merging, fixed points, firings, lines and names, what it refuses, speed on large graphs."""

from __future__ import annotations

import time

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.errors import GraphError
from nbgraph.graph import Apply, FunctionGraph, Op
from nbgraph.graph.evaluate import evaluate
from nbgraph.rewrites import FAST_RUN, apply_rules, node_rule, rewrite, rule
from nbgraph.rewrites.algebra import negated_twice, plus_zero, times_one
from nbgraph.rewrites.fold import FOLDED_ELEMENTS, fold_constants

x, y = nt.dvector("x"), nt.dvector("y")


def _names(fgraph):
    return [str(node.op) for node in fgraph.nodes]


def test_an_idle_run_gives_back_the_same_graph_object():
    fgraph = FunctionGraph([x, y], [nt.exp(x) + y])
    after, firings = apply_rules(fgraph, [times_one])
    assert after is fgraph and not firings


def test_parts_that_stay_are_the_same_objects():
    kept = nt.exp(x)
    fgraph = FunctionGraph([x, y], [kept, y * 1])
    after, _ = apply_rules(fgraph, [times_one])
    assert after.outputs[0] is kept and after.outputs[1] is y and after.inputs == fgraph.inputs


def test_equal_applications_become_one():
    fgraph = FunctionGraph([x, y], [nt.exp(x + y) * nt.exp(y + x)])
    after, firings = apply_rules(fgraph, [])
    assert _names(after) == ["add", "exp", "mul"]
    assert sum(firings.values()) == 2 and {name for name, _ in firings} == {"merge"}


def test_equal_constants_merge_and_others_do_not():
    fgraph = FunctionGraph([x], [
        (x + 1.0) * (x + 1.0) - (x + nt.constant(1.0, dtype="float32")) + (x - 0.0) + (x - -0.0)])
    after, _ = apply_rules(fgraph, [])
    assert _names(after).count("add") == 4  # x + 1.0, x + float32 1, and two of the chain
    assert _names(after).count("sub") == 3  # 0.0 and -0.0 are two constants


def test_operands_of_maximum_are_not_exchanged_in_merging():
    fgraph = FunctionGraph([x, y], [nt.maximum(x, y), nt.maximum(y, x)])
    assert len(apply_rules(fgraph, [])[0]) == 2


def test_what_a_rule_gives_is_rewritten_too():
    fgraph = FunctionGraph([x], [nt.neg(-(x * 1 + 0))])
    after, firings = apply_rules(fgraph, [times_one, plus_zero, negated_twice])
    assert after.outputs[0] is x
    assert {name for name, _ in firings} == {"times_one", "plus_zero", "negated_twice"}


def test_a_firing_is_counted_with_the_line_of_the_user():
    fgraph = FunctionGraph([x], [x * 1])
    _, firings = apply_rules(fgraph, [times_one])
    ((name, line),) = firings
    assert name == "times_one" and "test_driver.py" in line and "x * 1" in line


def test_new_nodes_take_over_name_and_line():
    z = nt.log(1 + x)
    z.name = "z"
    after, _ = rewrite(FunctionGraph([x], [z]), FAST_RUN)
    (fresh,) = after.outputs
    assert str(fresh.owner.op) == "log1p" and fresh.name == "z" and fresh.owner.line == z.owner.line


def test_an_existing_variable_keeps_its_name():
    z = x * 1
    z.name = "z"
    after, _ = rewrite(FunctionGraph([x], [z]), FAST_RUN)
    assert after.outputs[0] is x and x.name == "x"


@rule
def to_sinh(z):
    """cosh(z) -> sinh(z)     wrong on purpose"""
    return nt.cosh(z), nt.sinh(z)


@rule
def to_cosh(z):
    """sinh(z) -> cosh(z)     wrong on purpose"""
    return nt.sinh(z), nt.cosh(z)


@rule
def ever_deeper(z):
    """tan(z) -> tan(z + 2.5)     grows without end"""
    return nt.tan(z), nt.tan(z + 2.5)


@rule
def round_itself(z):
    """sin(z) -> sin(z) + 2     contains what it replaces"""
    return nt.sin(z), nt.sin(z) + 2


@pytest.mark.parametrize(("rules", "expression"), [
    ([to_sinh, to_cosh], nt.cosh(x)), ([ever_deeper], nt.tan(x)), ([round_itself], nt.sin(x))],
    ids=["undo each other", "grow", "contain themselves"])
def test_rules_that_do_not_end_are_an_error_that_names_them(rules, expression):
    with pytest.raises(GraphError, match="does not end") as caught:
        apply_rules(FunctionGraph([x], [expression]), rules)
    assert rules[0].name in str(caught.value) or rules[-1].name in str(caught.value)
    assert "test_driver.py" in str(caught.value)


@node_rule("exp", example=lambda: [nt.exp(x)])
def narrows(node):
    """exp(x) -> float32"""
    return nt.cast(node.inputs[0], "float32")


def test_a_right_side_of_another_dtype_is_refused():
    fgraph = FunctionGraph([x], [nt.exp(x)])
    assert apply_rules(fgraph, [narrows])[0] is fgraph


def test_a_strong_constant_keeps_the_precision_that_it_brought():
    f = nt.fvector("f")
    strong = nt.log(nt.constant(1.0, dtype="float64") + f)
    after, _ = rewrite(FunctionGraph([f], [strong]), FAST_RUN)
    assert _names(after) == ["cast_float64", "log1p"] and after.outputs[0].type.dtype == "float64"


def test_a_smaller_right_side_is_repeated_to_the_shape_of_the_left():
    s = nt.dscalar("s")
    fgraph = FunctionGraph([s, x], [s * nt.ones_like(x)])
    after, _ = rewrite(fgraph, FAST_RUN)
    assert _names(after) == ["length(0)", "broadcast_to"]
    np.testing.assert_array_equal(evaluate(after, [np.array(2.0), np.zeros(3)])[0], [2, 2, 2])


def test_a_check_of_lengths_does_not_get_lost_with_a_neutral_element():
    n = nt.lscalar("n")
    fgraph = FunctionGraph([x, n], [x + nt.zeros(n)])
    after, _ = rewrite(fgraph, FAST_RUN)
    with pytest.raises(ValueError, match="lengths 3 and 4"):
        evaluate(after, [np.zeros(3), np.array(4)])


def test_a_length_that_becomes_known_as_one_does_not_begin_to_broadcast():
    n = nt.constant(2) - nt.constant(1)
    fgraph = FunctionGraph([x], [nt.broadcast_to(nt.exp(nt.dscalar("s").type.make_constant(np.array(1.0))), (n,)) + x])
    after, _ = rewrite(fgraph, FAST_RUN)
    with pytest.raises(ValueError, match="differ"):
        evaluate(after, [np.zeros(3)])


class _Fails(Op):
    __props__ = ()

    def make_node(self, z):
        return Apply(self, [nt.as_tensor_variable(z)], [z.type()])

    def perform(self, node, inputs, output_storage):
        raise RuntimeError("on purpose")


class _NotFolded(_Fails):
    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = inputs[0] + 1

    def do_constant_folding(self, fgraph, node):
        return False


def test_constants_fold_through_perform():
    fgraph = FunctionGraph([x], [x + nt.exp(nt.constant(2.0)) * 3])
    (node,) = rewrite(fgraph, FAST_RUN)[0].nodes
    assert node.inputs[1].data == np.exp(2.0) * 3


def test_an_op_that_refuses_is_not_folded():
    after, _ = apply_rules(FunctionGraph([], [_NotFolded()(nt.constant(1.0))]), [fold_constants])
    assert _names(after) == ["_NotFolded"]


def test_an_error_in_folding_is_left_to_the_call():
    after, _ = rewrite(FunctionGraph([], [_Fails()(nt.constant(1.0))]), FAST_RUN)
    with pytest.raises(RuntimeError, match="on purpose"):
        evaluate(after, [])


def test_large_results_are_not_folded():
    large, small = nt.eye(FOLDED_ELEMENTS), nt.eye(3)
    after, _ = apply_rules(FunctionGraph([], [large, small]), [fold_constants])
    assert after.outputs[0].owner is not None and after.outputs[1].owner is None


def test_a_large_constant_folds_where_nothing_grows():
    data = nt.constant(np.arange(10 * FOLDED_ELEMENTS))
    after, _ = apply_rules(FunctionGraph([], [nt.cast(data, "float32")]), [fold_constants])
    assert after.outputs[0].owner is None


def test_constants_keep_nan_and_infinity_apart_from_neutral_elements():
    z = nt.dscalar("z")
    fgraph = FunctionGraph([z], [z * 0, z - z, z / z, 0 / z, z + np.nan])
    after, _ = rewrite(fgraph, FAST_RUN)
    for value in (np.nan, np.inf, 0.0, 2.0):
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(evaluate(after, [np.array(value)]), evaluate(fgraph, [np.array(value)]))


def test_a_chain_of_20000_nodes_is_rewritten_in_seconds_and_without_recursion():
    z = x
    for _ in range(10_000):
        z = nt.exp(z) * 0.5
    fgraph = FunctionGraph([x], [z])
    start = time.perf_counter()
    after, _ = rewrite(fgraph, FAST_RUN)
    assert len(after) == 20_000
    assert time.perf_counter() - start < 20  # 2 s on an idle machine


def test_a_long_chain_collapses_without_recursion():
    z = x
    for _ in range(10_000):
        z = -(z + 0)
    after, _ = apply_rules(FunctionGraph([x], [z]), [plus_zero, negated_twice])
    assert after.outputs[0] is x


def test_settled_rules_are_tried_on_new_nodes_only():
    one = nt.constant(1.0)
    fgraph = FunctionGraph([x, y], [x * one, nt.exp(nt.neg(-(y * one)))])
    after, firings = apply_rules(fgraph, [times_one, negated_twice], settled=[times_one])
    assert _names(after) == ["mul", "mul", "exp"] and {name for name, _ in firings} == {"negated_twice"}
