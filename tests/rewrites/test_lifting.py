"""A shape never computes the array."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.graph import Apply, FunctionGraph, Op
from nbgraph.graph.basic import Constant
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.traversal import graph_inputs
from nbgraph.rewrites import FAST_COMPILE, FAST_RUN, rewrite
from nbgraph.rewrites.shapes import Shapes
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.reduction import ArgReduce, LinearRecurrence
from nbgraph.tensor.shape import Length, MakeVector

x, y, v, n = nt.dmatrix("x"), nt.dmatrix("y"), nt.dvector("v"), nt.lscalar("n")
t, k = nt.dtensor3("t"), nt.lvector("k")
VALUES = {x: np.ones((4, 3)), y: np.ones((3, 5)), v: np.ones(4), n: np.array(2), t: np.ones((2, 4, 3)),
          k: np.array([0, 2, 1])}

FAMILIES = {
    "elementwise": nt.exp(x) + 1,
    "broadcast": nt.exp(x) * v.dimshuffle(0, "x"),
    "dimshuffle": nt.exp(x).T,
    "reshape": nt.reshape(nt.exp(x), (-1, n)),
    "flatten": nt.flatten(nt.exp(t), 2),
    "broadcast_to": nt.broadcast_to(nt.exp(v), (n, v.shape[0])),
    "specify_shape": nt.specify_shape(nt.exp(x), (None, 3)),
    "make_vector": nt.exp(nt.shape(nt.exp(x))),
    "reduce": nt.sum(nt.exp(t), 1),
    "argreduce": ArgReduce("argmax", (0, 2))(nt.exp(t)),
    "mean": nt.mean(nt.exp(x), 0, keepdims=True),
    "cumulative": nt.cumsum(nt.exp(x), 1),
    "recurrence": LinearRecurrence(0)(nt.exp(x), x),
    "eye": nt.eye(n, v.shape[0]),
    "arange": nt.arange(n, n + 7, 2),
    "join": nt.concatenate([nt.exp(x), x, x[:1]], 0),
    "stack": nt.stack([nt.exp(x), x], 1),
    "slice": nt.exp(x)[1:, ::-1],
    "symbolic slice": nt.exp(x)[n:, :-1],
    "integer index": nt.exp(t)[1, :, n],
    "gather": nt.exp(x)[k],
    "gather of two": nt.exp(t)[:, k[:2], k[1:]],
    "set_subtensor": nt.set_subtensor(nt.exp(x)[1:], 0.0),
    "advanced set": nt.inc_subtensor(nt.exp(x)[k], 1.0),
    "dot": nt.dot(nt.exp(x), nt.exp(y)),
    "dot with vector": nt.dot(v, nt.exp(x)),
    "batched dot": nt.matmul(nt.exp(t), nt.exp(y)),
    "softmax": nt.softmax(nt.exp(x), 1),
}


def _fgraph(expression):
    shape = nt.shape(expression)
    leaves = [leaf for leaf in graph_inputs([shape]) if not isinstance(leaf, Constant)]
    return FunctionGraph(leaves, [shape])


@pytest.mark.parametrize("passes", [FAST_RUN, FAST_COMPILE], ids=["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("name", FAMILIES)
def test_the_shape_of_a_result_is_scalar_arithmetic_on_lengths(name, passes):
    before = _fgraph(FAMILIES[name])
    after, _ = rewrite(before, passes)
    for node in after.nodes:
        if isinstance(node.op, Length):
            assert node.inputs[0] in after.inputs
        else:
            assert isinstance(node.op, (Elemwise, MakeVector)), f"{node} computes an array"
            assert all(operand.type.ndim == 0 for operand in node.inputs)
    values = [VALUES[leaf] for leaf in before.inputs]
    np.testing.assert_array_equal(evaluate(after, values)[0], evaluate(before, values)[0])


class _NoShape(Op):
    """Twice x, and not a word on its shape."""

    __props__ = ()

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = np.concatenate([inputs[0], inputs[0]])


def test_an_op_without_infer_shape_is_computed_for_its_shape():
    after, _ = rewrite(_fgraph(nt.exp(_NoShape()(v))), FAST_RUN)
    assert [type(node.op) for node in after.nodes] == [_NoShape, Length, MakeVector]
    np.testing.assert_array_equal(evaluate(after, [np.ones(3)])[0], [6])


class _Refuses(_NoShape):
    def infer_shape(self, fgraph, node, shapes):
        raise NotImplementedError


def test_infer_shape_may_say_that_it_does_not_know():
    after, _ = rewrite(_fgraph(_Refuses()(v)), FAST_RUN)
    assert [type(node.op) for node in after.nodes] == [_Refuses, Length, MakeVector]


def test_a_known_length_is_a_constant():
    after, _ = rewrite(_fgraph(nt.exp(nt.tensor("z", dtype="float64", shape=(2, 3)))), FAST_RUN)
    assert len(after) == 0
    np.testing.assert_array_equal(after.outputs[0].data, [2, 3])


def test_lengths_of_a_deep_chain_are_found_without_recursion():
    z = v
    for _ in range(5_000):
        z = nt.neg(z)
    fgraph = FunctionGraph([v], [z])
    (length,) = Shapes(fgraph).of(z)
    assert length.owner.op == Length(0) and length.owner.inputs[0] is v


def test_two_lengths_are_the_same_where_they_are_the_same_expression():
    shapes = Shapes(FunctionGraph([v, n], [v, n]))
    w = nt.dvector("w")
    assert shapes.same(Length(0)(v), Length(0)(nt.exp(v)))
    assert shapes.same(Length(0)(v) + n, Length(0)(v) + n)
    assert shapes.same(3, nt.constant(3))
    assert not shapes.same(Length(0)(v), Length(0)(w))
    assert not shapes.same(Length(0)(v) + n, Length(0)(v) - n)
    assert not shapes.same(3, Length(0)(v))


def test_an_array_broadcast_to_its_own_shape_of_which_less_is_known_is_left_alone():
    x, k = nt.tensor("x", dtype="bool", shape=(None, 1)), nt.tensor("k", dtype="int8", shape=(1,))
    empty, first = x[3:3:3], k[nt.lscalar("n"):2]
    graph = FunctionGraph([x], [nt.broadcast_to(nt.or_(empty, True), (empty.shape[0], 1))])
    after, _ = rewrite(graph, FAST_COMPILE)
    assert evaluate(after, [np.ones((4, 1), bool)])[0].shape == (0, 1)
    inputs = [k, first.owner.inputs[1]]
    after, _ = rewrite(FunctionGraph(inputs, [nt.broadcast_to(first, (first.shape[0],)) + k]), FAST_RUN)
    np.testing.assert_array_equal(evaluate(after, [np.array([3], "int8"), np.array(0)])[0], [6])
