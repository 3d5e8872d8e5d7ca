"""Rop: Jacobian times vector by R_op, and by two reverse passes where an Op has none."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.errors import DisconnectedInputError, DTypeError, GraphError, NullGradError, ShapeError
from nbgraph.gradient import DisconnectedType, Rop, grad_undefined
from nbgraph.graph.basic import Apply
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import Op


class Cube(Op):
    """x ** 3 with a gradient and no R_op."""

    __props__ = ()

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = np.asarray(inputs[0] ** 3)

    def grad(self, inputs, output_gradients):
        return [output_gradients[0] * 3 * nt.square(inputs[0])]


class Forward(Cube):
    """As Cube, with an R_op that says what it is told to say."""

    __props__ = None

    def __init__(self, answer):
        self.answer = answer

    def R_op(self, inputs, eval_points):
        return self.answer(inputs, eval_points)


class Undefined(Cube):
    def grad(self, inputs, output_gradients):
        return [grad_undefined(self, 0, inputs[0])]


def at(outputs, variables, *points):
    return evaluate(FunctionGraph(variables, outputs), [np.asarray(p, v.type.dtype)
                                                       for v, p in zip(variables, points, strict=True)])


def test_rop_is_the_jacobian_times_a_vector():
    x, v = nt.dvectors("x", "v")
    y = nt.sin(x) * nt.sum(x)
    (pushed,) = at([Rop(y, x, v)], [x, v], [1.0, 2.0], [3.0, 4.0])
    jacobian = np.diag(np.cos([1.0, 2.0])) * 3.0 + np.sin([[1.0], [2.0]])
    np.testing.assert_allclose(pushed, jacobian @ [3.0, 4.0], rtol=1e-14)


def test_rop_is_reached_from_the_package():
    assert nbgraph.Rop is Rop


@pytest.mark.parametrize("middle", [lambda x: x * x * x, Cube()], ids=["by R_op", "by two reverse passes"])
@pytest.mark.parametrize("after", [
    lambda x: nt.exp(x), lambda x: nt.sum(x, axis=0), lambda x: nt.transpose(x), lambda x: nt.reshape(x, (6,)),
    lambda x: nt.mean(x), lambda x: nt.broadcast_to(x, (2, 2, 3)), lambda x: x / nt.sum(x)])
def test_both_ways_agree_with_finite_differences(middle, after):
    rng = np.random.default_rng(5)
    point, direction = rng.uniform(0.5, 1, (2, 3)), rng.normal(size=(2, 3))
    x, v = nt.dmatrix("x"), nt.dmatrix("v")
    y = after(middle(x))
    pushed, = at([Rop(y, x, v)], [x, v], point, direction)
    (above,), (below,) = (at([y], [x], point + h * direction) for h in (1e-5, -1e-5))
    np.testing.assert_allclose(pushed, (above - below) / 2e-5, rtol=1e-6, atol=1e-9)


def test_a_direction_of_a_broadcast_operand_reaches_every_element_of_the_output():
    x, y, v = nt.dvector("x"), nt.dmatrix("y"), nt.dvector("v")
    pushed, = at([Rop(x + y, x, v)], [x, y, v], [1.0, 2.0], np.zeros((3, 2)), [5.0, 6.0])
    np.testing.assert_array_equal(pushed, [[5.0, 6.0]] * 3)


def test_several_variables_move_at_once_and_a_list_gives_a_list():
    x, y = nt.dscalars("x", "y")
    found = Rop([x * y, x + y], [x, y], [nt.constant(1.0), nt.constant(10.0)])
    assert at(found, [x, y], 2.0, 3.0) == [23.0, 11.0]


def test_a_variable_of_wrt_that_depends_on_another_moves_by_both():
    x = nt.dscalar("x")
    y = x * 2
    assert at([Rop(y * 3, [x, y], [nt.constant(1.0), nt.constant(1.0)])], [x], 0.0) == [9.0]
    assert at([Rop(Cube()(y), [x, y], [nt.constant(1.0), nt.constant(1.0)])], [x], 0.5) == [9.0]


def test_a_variable_without_a_point_stands_still():
    x, y = nt.dscalars("x", "y")
    assert at([Rop(x * y, [x, y], [None, nt.constant(1.0)])], [x, y], 2.0, 3.0) == [2.0]


def test_tangents_have_the_dtype_of_the_output():
    x = nt.fvector("x")
    assert Rop(nt.exp(x), x, nt.dvector("v")).type.dtype == "float32"
    assert Rop(nt.cast(x, "int64"), x, nt.dvector("v")).type.dtype == "float64"


def test_a_step_function_does_not_move():
    x = nt.dvector("x")
    (pushed,) = at([Rop(nt.floor(x), x, nt.constant([1.0, 1.0]))], [x], [0.5, 1.5])
    np.testing.assert_array_equal(pushed, [0.0, 0.0])


def test_an_output_that_depends_on_nothing_raises_unless_told_otherwise():
    x, y, v = nt.dvectors("x", "y", "v")
    with pytest.raises(DisconnectedInputError):
        Rop(nt.exp(y), x, v)
    (zeros,) = at([Rop(nt.exp(y), x, v, disconnected_outputs="ignore")], [y], [1.0, 2.0])
    np.testing.assert_array_equal(zeros, [0.0, 0.0])
    left = Rop(y, x, v, disconnected_outputs="ignore", return_disconnected="disconnected")
    assert isinstance(left.type, DisconnectedType)


def test_a_point_of_another_rank_is_refused():
    x = nt.dvector("x")
    with pytest.raises(ShapeError, match="evaluation point for x has 0 axes"):
        Rop(nt.exp(x), x, nt.dscalar("v"))


def test_an_undefined_gradient_is_undefined_forwards_too():
    x = nt.dscalar("x")
    with pytest.raises(NullGradError, match="undefined"):
        Rop(Undefined()(x), x, nt.constant(1.0))


@pytest.mark.parametrize(("answer", "error", "message"), [
    (lambda xs, vs: [], GraphError, "list of 1 variables"), (lambda xs, vs: [3.0], DTypeError, "no Variable"),
    (lambda xs, vs: [nt.dvector()], ShapeError, "1 axes")])
def test_a_wrong_answer_of_r_op_is_named(answer, error, message):
    x = nt.dscalar("x")
    with pytest.raises(error, match=message):
        Rop(Forward(answer)(x), x, nt.constant(1.0))


def test_a_chain_of_20000_nodes_is_pushed_through_without_recursion():
    x = nt.dscalar("x")
    y, expected, point = x, 1.0, 0.5
    for _ in range(20_000):
        y, expected, point = nt.sin(y), expected * np.cos(point), np.sin(point)
    assert at([Rop(y, x, nt.constant(1.0))], [x], 0.5) == [pytest.approx(expected, rel=1e-9)]


def test_what_is_undefined_in_one_output_leaves_the_other_alone():
    class Two(Cube):
        """(undefined in x, 2 * y)"""

        def make_node(self, x, y):
            return Apply(self, [x, y], [x.type(), y.type()])

        def connection_pattern(self, node):
            return [[True, False], [False, True]]

        def R_op(self, inputs, eval_points):
            return [grad_undefined(self, 0, inputs[0]), None if eval_points[1] is None else eval_points[1] * 2]

    x = nt.dscalar("x")
    one = nt.constant(1.0)
    first, second = Two()(*Two()(x, x))
    assert at([Rop(second, x, one)], [x], 0.0) == [4.0]
    with pytest.raises(NullGradError):
        Rop(first, x, one)
