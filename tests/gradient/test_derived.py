"""jacobian, hessian, hessian_vector_product."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.errors import BatchError, DisconnectedInputError, DTypeError
from nbgraph.gradient import hessian, hessian_vector_product, jacobian
from nbgraph.gradient.derived import _written_out
from nbgraph.graph.basic import Apply
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import Op


def at(outputs, variables, *points):
    return evaluate(FunctionGraph(variables, outputs), [np.asarray(p, v.type.dtype)
                                                       for v, p in zip(variables, points, strict=True)])


def vector(name, n):
    return nt.tensor(name, dtype="float64", shape=(n,))


def rosenbrock(x):
    return nt.square(1 - x[0]) + 100 * nt.square(x[1] - nt.square(x[0]))


ROSENBROCK_HESSIAN = [[1200 * 0.3 ** 2 - 400 * 0.7 + 2, -400 * 0.3], [-400 * 0.3, 200.0]]


def test_jacobian_of_a_vector_has_a_row_for_each_element():
    x = vector("x", 3)
    (found,) = at([jacobian(nt.exp(x) * nt.sum(x), x)], [x], [0.1, 0.2, 0.3])
    e = np.exp([0.1, 0.2, 0.3])
    np.testing.assert_allclose(found, np.diag(e) * 0.6 + e[:, None], rtol=1e-14)


def test_jacobian_of_a_scalar_is_its_gradient():
    x = nt.dvector("x")
    (found,) = at([jacobian(nt.sum(x * x), x)], [x], [1.0, 2.0])
    np.testing.assert_array_equal(found, [2.0, 4.0])


def test_jacobian_of_a_matrix_has_the_axes_of_the_expression_first():
    x, w = vector("x", 3), nt.tensor("w", dtype="float32", shape=(2, 3))
    gx, gw = jacobian(w * x, [x, w])
    assert (gx.type.dtype, gw.type.dtype) == ("float64", "float32")
    found = at([gx, gw], [x, w], [1.0, 2.0, 3.0], np.ones((2, 3)))
    assert [v.shape for v in found] == [(2, 3, 3), (2, 3, 2, 3)]
    np.testing.assert_array_equal(found[0], np.broadcast_to(np.eye(3), (2, 3, 3)))
    np.testing.assert_array_equal(found[1].reshape(6, 6), np.diag([1, 2, 3, 1, 2, 3]))


def test_jacobian_with_respect_to_a_variable_of_unknown_length():
    x = nt.dvector("x")
    y = nt.stack([nt.sum(x), nt.sum(x * x)])
    (found,) = at([jacobian(y, x)], [x], [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(found, [[1, 1, 1], [2, 4, 6]])


def test_jacobian_of_an_empty_vector_has_no_rows():
    x, empty = nt.dvector("x"), vector("empty", 0)
    (found,) = at([jacobian(empty * nt.sum(x), x)], [x, empty], [1.0, 2.0], [])
    assert found.shape == (0, 2)


def test_the_lengths_of_the_expression_need_not_be_known(mode: str):
    x, w = nt.dvector("x"), nt.dmatrix("w")
    f = nbgraph.function([x, w], jacobian(nt.tanh(nt.dot(w, x)), [x, w]), mode=mode)
    for n, m in ((3, 2), (1, 4), (2, 0), (0, 2)):
        values, weights = np.linspace(0.1, 0.5, n), np.linspace(-1, 1, m * n).reshape(m, n)
        slope = 1 - np.tanh(weights @ values) ** 2
        gx, gw = f(values, weights)
        np.testing.assert_allclose(gx, slope[:, None] * weights, rtol=1e-13)
        np.testing.assert_allclose(gw, np.eye(m)[:, :, None] * slope[:, None, None] * values, rtol=1e-13)


def test_all_rows_at_once_are_the_rows_one_by_one():
    x = vector("x", 5)
    expressions = [nt.exp(x) / nt.sum(nt.exp(x)), nt.cumsum(x * x), nt.stack([x[3], nt.max(x), nt.prod(x)]),
                   nt.set_subtensor(x[1:3], x[::-1][:2] * 2), x[nt.constant([4, 0, 4])] * x[0],
                   nt.outer(x[:2], nt.sin(x)), nt.concatenate([x[2:] ** 2, x]), nt.reshape(x[:4] * x[0], (2, 2)).T]
    found = [jacobian(y, x) for y in expressions]
    wanted = [_written_out(y, x, []) for y in expressions]
    values = [0.3, -1.0, 2.0, 0.7, 1.5]
    for one, other, y in zip(at(found, [x], values), at(wanted, [x], values), expressions, strict=True):
        assert one.shape == other.shape == (*y.type.shape, 5)
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-15)


def test_the_jacobian_of_an_elementwise_function_is_a_diagonal_where_derivatives_are_infinite():
    x, y = nt.dvector("x"), nt.dvector("y")
    found = at([jacobian(nt.sqrt(x) * y + 1, x), jacobian(x, x)], [x, y], [0.0, 4.0], [1.0, 2.0])
    np.testing.assert_array_equal(found[0], [[np.inf, 0.0], [0.0, 0.5]])
    np.testing.assert_array_equal(found[1], np.eye(2))
    # What another element changes is not elementwise, however it is computed.
    (mixed,) = at([jacobian(x * x[::-1], x)], [x], [2.0, 3.0])
    np.testing.assert_array_equal(mixed, [[3.0, 2.0], [3.0, 2.0]])
    column = nt.tensor("column", dtype="float64", shape=(None, 1))
    (wide,) = at([jacobian(column * nt.constant([[1.0, 2.0]]), column)], [column], [[5.0]])
    np.testing.assert_array_equal(wide, [[[[1.0]], [[2.0]]]])


class Squares(Op):
    """x ** 2, without a rule for batch axes."""

    __props__ = ()

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = np.square(inputs[0])

    def grad(self, inputs, output_gradients):
        return [Doubled()(inputs[0]) * output_gradients[0]]


class Doubled(Squares):
    """2 x."""

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = 2 * inputs[0]

    def grad(self, inputs, output_gradients):
        return [Doubled()(output_gradients[0])]


def test_an_op_without_a_rule_for_batch_axes_is_written_out_where_lengths_are_known():
    x, unknown = vector("x", 2), nt.dvector("unknown")
    (found,) = at([hessian(nt.sum(Squares()(x) * x[0]), x)], [x], [1.0, 2.0])
    np.testing.assert_array_equal(found, [[6.0, 4.0], [4.0, 2.0]])
    with pytest.raises(BatchError, match="Doubled: cannot be computed for a batch"):
        hessian(nt.sum(Squares()(unknown) * unknown[0]), unknown)


def test_jacobian_of_an_integer_expression_is_refused():
    with pytest.raises(DTypeError, match="int64"):
        jacobian(nt.tensor("n", dtype="int64", shape=(2,)), nt.dscalar("x"))


def test_jacobian_tells_of_disconnected_variables_as_grad_does():
    x, y = vector("x", 2), vector("y", 2)
    with pytest.raises(DisconnectedInputError):
        jacobian(nt.exp(x), y)
    (found,) = at([jacobian(nt.exp(x), y, disconnected_inputs="ignore")], [y], [1.0, 1.0])
    np.testing.assert_array_equal(found, np.zeros((2, 2)))


def test_hessian_is_the_matrix_of_second_derivatives():
    x = vector("x", 2)
    (found,) = at([hessian(rosenbrock(x), x)], [x], [0.3, 0.7])
    np.testing.assert_allclose(found, ROSENBROCK_HESSIAN, rtol=1e-13)


def test_hessian_of_a_linear_cost_is_zero():
    x = vector("x", 2)
    (found,) = at([hessian(nt.sum(3.0 * x), x)], [x], [1.0, 2.0])
    np.testing.assert_array_equal(found, np.zeros((2, 2)))


def test_hessian_of_a_matrix_has_its_axes_twice():
    x = nt.tensor("x", dtype="float64", shape=(2, 2))
    (found,) = at([hessian(nt.sum(x ** 3), x)], [x], [[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(found.reshape(4, 4), np.diag([6.0, 12.0, 18.0, 24.0]))


def test_hessian_of_an_unknown_length(mode: str):
    x = nt.dvector("x")
    f = nbgraph.function([x], hessian(nt.prod(x) + nt.sum(x ** 3), x), mode=mode)
    np.testing.assert_allclose(f([1.0, 2.0, 0.0]), [[6, 0, 2], [0, 12, 1], [2, 1, 0]], rtol=1e-14)
    np.testing.assert_allclose(f([2.0]), [[12.0]], rtol=1e-14)


def test_hessian_vector_product_needs_no_hessian():
    x, p = nt.dvectors("x", "p")
    (found,) = at([hessian_vector_product(rosenbrock(x), x, p)], [x, p], [0.3, 0.7], [2.0, -1.0])
    np.testing.assert_allclose(found, np.array(ROSENBROCK_HESSIAN) @ [2.0, -1.0], rtol=1e-13)


def test_hessian_vector_product_takes_the_vector_as_fixed():
    x = nt.dvector("x")
    (found,) = at([hessian_vector_product(nt.sum(x ** 3), x, x)], [x], [1.0, 2.0])
    np.testing.assert_array_equal(found, [6.0, 24.0])


def test_hessian_vector_product_over_several_variables_has_the_mixed_terms():
    x, y = nt.dscalars("x", "y")
    found = hessian_vector_product(x * x * y, [x, y], [nt.constant(1.0), nt.constant(10.0)])
    assert at(found, [x, y], 2.0, 3.0) == [2 * 3.0 + 10 * 4.0, 4.0]
