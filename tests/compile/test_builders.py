"""OpFromGraph: values in every mode, overridden derivatives, equality, printing; samples of it are in tests/samples."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.compile import builders
from nbgraph.compile.builders import OpFromGraph
from nbgraph.errors import ArgumentError, DisconnectedInputError, DTypeError, GraphError, NullGradError, ShapeError
from nbgraph.gradient import DisconnectedType, Rop, grad, grad_undefined, jacobian, verify_grad
from nbgraph.graph.basic import Apply
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import Op
from nbgraph.tensor.batching import vectorize_graph

INLINE = pytest.mark.parametrize("inline", [True, False])


def weighted(inline=False, **options):
    x, w = nt.dvectors("x", "w")
    return OpFromGraph([x, w], [nt.sum(nt.tanh(x) * w)], inline=inline, **options)


@INLINE
def test_a_compiled_function_holds_the_graph_and_no_op(inline):
    a, b = nt.dvectors("a", "b")
    z = weighted(inline)(nt.exp(a), b) + 1
    f = nbgraph.function([a, b], z, mode="FAST_RUN")
    assert not [node for node in f.maker.fgraph.nodes if isinstance(node.op, OpFromGraph)]
    assert f.source.count("@kernel") == 1
    assert f([0.5, 1.0], [2.0, 3.0]) == pytest.approx(np.sum(np.tanh(np.exp([0.5, 1.0])) * [2, 3]) + 1, rel=1e-14)
    expanded = [row.name for row in f.maker.report.rows if row.name in ("inline", "expand")]
    assert expanded == ["inline" if inline else "expand"]
    assert f.maker.report.rows[0].name == ("inline" if inline else "merge")


def test_shared_variables_inside_are_read_when_it_runs(mode):
    x, s = nt.dvector("x"), nbgraph.shared(np.array([1.0, 2.0]), name="s")
    op = OpFromGraph([x], [x * s + nbgraph.shared(1.0)])
    f = nbgraph.function([x], op(x * 2), updates=[(s, s + 1)])
    np.testing.assert_array_equal(f([1.0, 1.0]), [3.0, 5.0])
    np.testing.assert_array_equal(f([1.0, 1.0]), [5.0, 7.0])
    gs = nbgraph.function([x], grad(nt.sum(op(x * 2)), s))
    np.testing.assert_array_equal(gs([1.0, 3.0]), [2.0, 6.0])


@INLINE
def test_gradients_are_those_of_the_graph(inline):
    op = weighted(inline)
    verify_grad(lambda a, b: op(nt.exp(a), b), [np.array([0.1, 0.4]), np.array([1.0, -2.0])])
    a, b, da = nt.dvectors("a", "b", "da")
    z = op(a, b)
    moved = nbgraph.function([a, b, da], Rop(z, a, da), mode="reference")
    assert moved([0.3, 0.5], [2.0, 3.0], [1.0, 10.0]) == pytest.approx(
        np.sum((1 - np.tanh([0.3, 0.5]) ** 2) * [2, 3] * [1, 10]), rel=1e-13)


def test_what_the_graph_does_not_connect_is_disconnected():
    x, n = nt.dvector("x"), nt.lscalar("n")
    op = OpFromGraph([x, n], [nt.exp(x)[:n], x.shape[0] * 2.0])
    first, second = op(x, n)
    assert op.connection_pattern(first.owner) == [[True, False], [False, False]]
    with pytest.raises(DisconnectedInputError):
        grad(second, x)
    found = nbgraph.function([x, n], grad(nt.sum(first), x), mode="reference")([0.0, 1.0], 1)
    np.testing.assert_array_equal(found, [1.0, 0.0])


# Overridden derivatives ----------------------------------------------------------------------------------------------

def both(inputs, gradients):
    return [gradients[0] * 10, inputs[0] * gradients[0]]


def both_with_outputs(inputs, outputs, gradients):
    return [outputs[0] * gradients[0], gradients[0] * 3]


@INLINE
@pytest.mark.parametrize("options", [{"grad_overrides": both}, {"lop_overrides": both}])
def test_a_callable_gives_all_gradients(inline, options, mode):
    x, y, a, b = nt.dscalars("x", "y", "a", "b")
    op = OpFromGraph([x, y], [x * y], inline=inline, **options)
    f = nbgraph.function([a, b], [op(a, b), *grad(op(a, b) * 2, [a, b])])
    assert f(3.0, 5.0) == [15.0, 20.0, 6.0]


def test_a_callable_of_three_parameters_is_given_the_outputs(mode):
    x, y, a, b = nt.dscalars("x", "y", "a", "b")
    op = OpFromGraph([x, y], [x * y], lop_overrides=both_with_outputs)
    assert nbgraph.function([a, b], grad(op(a, b), [a, b]))(3.0, 5.0) == [15.0, 3.0]


def test_an_op_of_a_graph_gives_the_gradients(mode):
    x, y, g, z, a, b = nt.dscalars("x", "y", "g", "z", "a", "b")
    of_inputs = OpFromGraph([x, y, g], [g * 7, x + y])
    with_outputs = OpFromGraph([x, y, z, g], [z * g, g * 2])
    for override, wanted in ((of_inputs, [7.0, 8.0]), (with_outputs, [15.0, 2.0])):
        op = OpFromGraph([x, y], [x * y], grad_overrides=override)
        assert nbgraph.function([a, b], grad(op(a, b), [a, b]))(3.0, 5.0) == wanted


def test_a_list_says_it_for_each_input(mode):
    x, y, w, a, b, c = nt.dscalars("x", "y", "w", "a", "b", "c")
    op = OpFromGraph([x, y, w], [x * y + w], lop_overrides=[None, lambda inputs, gs: gs[0] * 100, DisconnectedType()()])
    z = op(a, b, c)
    assert nbgraph.function([a, b], grad(z, [a, b]), on_unused_input="ignore")(3.0, 5.0) == [5.0, 100.0]
    assert grad(z, c, return_disconnected="none", disconnected_inputs="ignore") is None
    undefined = OpFromGraph([x], [x * 2], grad_overrides=[grad_undefined("it", 0, x, "we say so")])
    with pytest.raises(NullGradError, match="we say so"):
        grad(undefined(a), a)


def test_an_override_may_connect_what_the_graph_does_not(mode):
    x, a = nt.dscalars("x", "a")
    straight_through = OpFromGraph([x], [nt.round(nbgraph.gradient.disconnected_grad(x))],
                                   grad_overrides=lambda inputs, gs: [gs[0]])
    assert nbgraph.function([a], [straight_through(a), grad(straight_through(a) * 3, a)])(2.6) == [3.0, 3.0]
    cut = OpFromGraph([x], [x * 2], connection_pattern=[[False]])
    with pytest.raises(DisconnectedInputError):
        grad(cut(a), a)


def test_forward_mode_may_be_overridden(mode):
    x, y, a, b, da, db = nt.dscalars("x", "y", "a", "b", "da", "db")
    whole = OpFromGraph([x, y], [x * y, x], rop_overrides=lambda inputs, points: [points[0] * 10, None])
    partly = OpFromGraph([x, y], [x * y, x], rop_overrides=[None, lambda inputs, points: points[0] * 7])
    by_op = OpFromGraph([x, y], [x * y, x], rop_overrides=OpFromGraph([x, y, da, db], [da + db, db * 5]))
    for op, wanted in ((whole, [10.0, 0.0]), (partly, [25.0, 7.0]), (by_op, [21.0, 100.0])):
        moved = Rop(op(a, b), [a, b], [da, db])
        assert nbgraph.function([a, b, da, db], moved, on_unused_input="ignore")(1.0, 5.0, 1.0, 20.0) == wanted


def test_second_derivatives_go_through_overrides(mode):
    x, a = nt.dscalars("x", "a")
    op = OpFromGraph([x], [x ** 2], grad_overrides=lambda inputs, gs: [inputs[0] ** 3 * gs[0]])
    assert nbgraph.function([a], grad(grad(op(a), a), a))(2.0) == 12.0


def test_batches_keep_overridden_gradients(mode):
    x, w, xs, ws = nt.dscalar("x"), nt.dscalar("w"), nt.dvector("xs"), nt.dmatrix("ws")
    op = OpFromGraph([x, w], [x * w], grad_overrides=lambda inputs, gs: [gs[0] * 10, gs[0] * inputs[0]],
                     rop_overrides=lambda inputs, points: [points[0] * 4 if points[0] is not None else None])
    y = vectorize_graph(op(x, w), {x: xs, w: ws})
    f = nbgraph.function([xs, ws], [y, *grad(nt.sum(y), [xs, ws]), Rop(y, xs, nt.ones_like(xs))])
    found = f([1.0, 2.0, 3.0], np.ones((2, 3)))
    np.testing.assert_array_equal(found[0], [[1, 2, 3]] * 2)
    np.testing.assert_array_equal(found[1], [20, 20, 20])
    np.testing.assert_array_equal(found[2], [[1, 2, 3]] * 2)
    np.testing.assert_array_equal(found[3], np.broadcast_to(4, found[3].shape))


def test_jacobians_go_through_it(mode):
    a = nt.dvector("a")
    x = nt.dvector("x")
    op = OpFromGraph([x], [nt.cumsum(x * x)])
    f = nbgraph.function([a], jacobian(op(a), a))
    np.testing.assert_array_equal(f([1.0, 2.0, 3.0]), np.tril(np.ones((3, 3))) * [2, 4, 6])


# What it is ----------------------------------------------------------------------------------------------------------

def test_two_of_equal_graphs_are_equal_and_their_applications_merge():
    a, b = nt.dvectors("a", "b")
    one, two = weighted(), weighted(name="another")
    assert one == two and hash(one) == hash(two)
    assert one != weighted(inline=True) and one != weighted(grad_overrides=both)
    x, w = nt.dvectors("x", "w")
    assert one != OpFromGraph([w, x], [nt.sum(nt.tanh(x) * w)])
    assert one != OpFromGraph([x, w], [nt.sum(nt.tanh(x) * w), x])
    f = nbgraph.function([a, b], [one(a, b), two(a, b)], mode="FAST_RUN")
    merged = next(row for row in f.maker.report.rows if row.name == "merge")
    assert merged.nodes_before == 2 and merged.nodes_after == 1


def test_it_is_printed_with_its_graph():
    a, b = nt.dvectors("a", "b")
    z = weighted(name="score")(a, nt.exp(b))
    assert str(z) == "score" and str(weighted()) == "OpFromGraph"
    assert nbgraph.pp(z) == "score(a, exp(b))"
    assert nbgraph.dprint(z, file="str").splitlines() == [
        "score #0  float64[]", "├─ a  float64[?]", "└─ exp #1  float64[?]", "   └─ b  float64[?]", "",
        "score #0(x, w):", "   sum{0} #2  float64[]", "   └─ mul #3  float64[?]", "      ├─ tanh #4  float64[?]",
        "      │  └─ x  float64[?]", "      └─ w  float64[?]"]


def test_it_is_drawn_once_for_several_applications_and_inside_others():
    a, b = nt.dvectors("a", "b")
    inner = weighted(name="inner")
    outer = OpFromGraph([a, b], [inner(a, b) + inner(b, a)], name="outer")
    text = nbgraph.dprint(outer(a, b), file="str")
    assert text.count("outer #") == 2 and text.count("(x, w):") == 1 and text.count("(a, b):") == 1


def test_it_is_pickled_with_its_graph():
    a, b = nt.dvectors("a", "b")
    z = weighted(grad_overrides=both)(a, b)
    z_again = pickle.loads(pickle.dumps(z))
    assert z_again.owner.op == z.owner.op and hash(z_again.owner.op) == hash(z.owner.op)
    assert nbgraph.function(list(z_again.owner.inputs), z_again, mode="reference")([0.0], [1.0]) == 0.0


def test_an_input_may_be_an_intermediate_variable(mode):
    x, a = nt.dscalars("x", "a")
    y = nt.exp(x)
    assert nbgraph.function([a], OpFromGraph([y], [y * y + 1])(a))(3.0) == 10.0


def test_inputs_are_not_changed_and_results_are_their_own(mode):
    x, a = nt.dvector("x"), nt.dvector("a")
    f = nbgraph.function([a], OpFromGraph([x], [x, x[::-1]])(a), on_unused_input="ignore")
    given = np.array([1.0, 2.0])
    found = f(given)
    assert not any(np.shares_memory(given, z) for z in found)


class Destroying(Op):
    """x + 1, written over x."""

    __props__ = ()
    destroy_map = {0: [0]}

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        inputs[0] += 1
        output_storage[0][0] = inputs[0]


@pytest.mark.parametrize("mode", ["reference", "FAST_RUN", "DebugMode", "NanGuardMode"])
def test_an_op_inside_that_overwrites_its_input_leaves_those_outside_alone(mode):
    x, a = nt.dvector("x"), nt.dvector("a")
    f = nbgraph.function([a], [OpFromGraph([x], [Destroying()(x)])(a), a * 2], mode=mode)
    given = np.ones(2)
    np.testing.assert_array_equal(f(given), [[2.0, 2.0], [2.0, 2.0]])
    np.testing.assert_array_equal(given, [1.0, 1.0])


def test_a_function_of_it_is_pickled():
    a, b = nt.dvectors("a", "b")
    f = nbgraph.function([a, b], weighted()(a, b), mode="FAST_RUN")
    assert pickle.loads(pickle.dumps(f))([0.5], [2.0]) == f([0.5], [2.0])


def test_arguments_are_checked():
    op, a, n = weighted(name="score"), nt.dvector("a"), nt.lvector("n")
    assert op([1.0, 2.0], a).type.ndim == 0
    x = nt.dscalar("x")
    assert OpFromGraph([x], [x * 2])(3).owner.inputs[0].type.dtype == "float64"
    with pytest.raises(ArgumentError, match="score: takes 2 inputs, got 1"):
        op(a)
    with pytest.raises(DTypeError, match=r"score: the input w is float64\[\?\], got n of type int64(.|\n)*astype"):
        op(a, n)
    with pytest.raises(ShapeError, match=r"got m of type float64\[\?, \?\]"):
        op(a, nt.dmatrix("m"))
    with pytest.raises(ShapeError, match="lengths 2 and 3"):
        op(nt.constant([1.0, 2.0]), nt.constant([1.0, 2.0, 3.0]))


def test_lengths_that_its_graph_knows_are_checked():
    x, a = nt.tensor("x", dtype="float64", shape=(3,)), nt.dvector("a")
    for mode in ("reference", "FAST_RUN"):
        f = nbgraph.function([a], OpFromGraph([x], [nt.sum(x)])(a), mode=mode)
        assert f(np.ones(3)) == 3.0
        with pytest.raises(ShapeError):
            f(np.ones(2))


def test_graphs_that_are_none_are_refused():
    x, y, s = nt.dvector("x"), nt.dvector("y"), nbgraph.shared(1.0, name="s")
    with pytest.raises(GraphError, match="needs y, which is neither an input nor shared"):
        OpFromGraph([x], [x + y])
    with pytest.raises(GraphError, match="the input s is shared"):
        OpFromGraph([x, s], [x * s])
    with pytest.raises(GraphError, match="given twice"):
        OpFromGraph([x, x], [x])
    with pytest.raises(ArgumentError, match="inputs must be a list"):
        OpFromGraph(x, [x])
    with pytest.raises(ArgumentError, match="outputs must be a list"):
        OpFromGraph([x], x)
    for options, words in (({"lop_overrides": both, "grad_overrides": both}, "both given"),
                           ({"grad_overrides": [both]}, "1 entries, 2 are needed"),
                           ({"grad_overrides": 3}, "cannot be called"),
                           ({"connection_pattern": [[True]]}, "2 lists of 1 booleans")):
        with pytest.raises(ArgumentError, match=words):
            weighted(**options)
    with pytest.raises(ArgumentError, match="gave 1 gradients for 2 inputs"):
        grad(weighted(grad_overrides=lambda inputs, gs: [gs[0]])(x, y), x)


def test_a_long_graph_is_expanded():
    x, a = nt.dscalars("x", "a")
    z = x
    for _ in range(20_000):
        z = nt.sin(z)
    op = OpFromGraph([x], [z])
    from nbgraph.rewrites.inner_graphs import expanded
    graph, firings, _ = expanded(FunctionGraph([a], [op(a)]))
    assert len(graph) == 20_000 and firings.total() == 1
    assert op == OpFromGraph([x], [z]) and hash(op) == hash(OpFromGraph([x], [z]))
    assert nbgraph.function([a], op(a), mode="reference")(0.0) == 0.0


def test_users_find_it_where_they_look():
    assert nbgraph.OpFromGraph is builders.OpFromGraph is nbgraph.compile.OpFromGraph
