"""verify_grad finds wrong gradients and lets right ones pass; numeric_grad."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, GradientError
from nbgraph.gradient import numeric_grad, verify_forward, verify_grad
from nbgraph.graph.basic import Apply
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import Op


class Doubled(Op):
    """2 * x, whose gradient at the last element is wrong by `error`."""

    __props__ = ("error",)

    def __init__(self, error):
        self.error = error

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = np.asarray(2 * inputs[0])

    def grad(self, inputs, output_gradients):
        (g,) = output_gradients
        return [g * 2 + nt.constant(np.array([0.0, 0.0, self.error], g.type.dtype)) * g]


def test_a_right_gradient_passes():
    verify_grad(Doubled(0.0), [np.array([1.0, 2.0, 3.0])])


@pytest.mark.parametrize("error", [1e-3, -1.0, np.nan])
def test_a_wrong_gradient_is_located(error):
    with pytest.raises(GradientError, match=r"gradient of x0 differs most at index \[2\]"):
        verify_grad(Doubled(error), [np.array([1.0, 2.0, 3.0])])


def test_the_tolerance_of_single_precision_is_wider():
    verify_grad(Doubled(1e-3), [np.array([1.0, 2.0, 3.0], "float32")])
    with pytest.raises(GradientError):
        verify_grad(Doubled(1e-1), [np.array([1.0, 2.0, 3.0], "float32")])


def test_tolerances_can_be_given():
    verify_grad(Doubled(1e-3), [np.array([1.0, 2.0, 3.0])], abs_tol=1e-2)
    verify_grad(Doubled(1e-3), [np.array([1.0, 2.0, 3.0])], rel_tol=1e-2)


def test_without_an_absolute_tolerance_small_gradients_count_as_well():
    point = [np.array([1.0, 2.0, 3.0])]
    verify_grad(Doubled(0.0), point, abs_tol=0.0, rel_tol=1e-12)
    verify_grad(lambda x: 1e-9 * Doubled(1e-5)(x), point, abs_tol=1e-12, rel_tol=0.0)
    with pytest.raises(GradientError):
        verify_grad(lambda x: 1e-6 * Doubled(1e-5)(x), point, abs_tol=0.0)


def test_a_function_may_refuse_steps_that_are_large():
    verify_grad(lambda x: nt.arange(0.0, x, 1.0) * x, [np.array(2.995)], abs_tol=0.0, rel_tol=1e-9)


def test_real_and_imaginary_parts_are_varied_separately():
    verify_grad(lambda z: nt.abs(z) * nt.conj(z), [np.array([1 + 2j, -0.5 + 0.1j])])
    with pytest.raises(GradientError):
        verify_grad(Doubled(1j), [np.array([1.0, 2.0, 3.0 + 1j])])


def test_several_outputs_are_checked_together():
    verify_grad(lambda x, y: [x * y, nt.exp(x), nt.complex(x, y)], [np.array([0.5, 1.0]), np.array([2.0, 3.0])])


def test_discrete_points_are_passed_on():
    verify_grad(lambda n, x: nt.polygamma(n, x), [np.array([1, 2]), np.array([0.5, 1.5])])


@pytest.mark.parametrize("rng", [np.random.default_rng(3), np.random.RandomState(3)])
def test_old_and_new_random_generators_will_do(rng):
    verify_grad(nt.exp, [np.array(0.5)], n_tests=1, rng=rng)


def test_points_with_a_length_of_one_broadcast():
    verify_grad(nt.add, [np.ones((1, 3)), np.ones((2, 3))])


def test_a_compiler_can_be_given_as_mode():
    seen = []

    def compiler(inputs, outputs):
        seen.append(len(outputs))
        graph = FunctionGraph(inputs, outputs)
        return lambda *values: evaluate(graph, values)

    verify_grad(nt.mul, [np.array(0.5), np.array(2.0)], mode=compiler)
    assert seen == [1, 1, 2]
    with pytest.raises(TypeError, match="mode must be"):
        verify_grad(nt.exp, [np.array(0.5)], mode="quick")


def test_there_must_be_something_to_differentiate():
    with pytest.raises(DTypeError):
        verify_grad(lambda n: n * 2, [np.array([1, 2])])
    with pytest.raises(DTypeError):
        verify_grad(lambda x: nt.gt(x, 0), [np.array([1.0, 2.0])])


def test_numeric_gradient_of_real_complex_and_discrete_arrays():
    def cost(x, z, n):
        return float(np.sum(x ** 2) + np.abs(z[0]) ** 2 + n[0])

    found = numeric_grad(cost, [np.array([[1.0, 2.0]]), np.array([3 + 4j]), np.array([5])]).gf
    np.testing.assert_allclose(found[0], [[2.0, 4.0]], rtol=1e-9)
    np.testing.assert_allclose(found[1], [6 + 8j], rtol=1e-9)
    np.testing.assert_array_equal(found[2], [0.0])


@pytest.mark.parametrize(("f", "x", "wanted"), [
    (np.exp, 2.0, np.exp(2.0)), (np.log, 0.01, 100.0), (np.tan, 1.5, 1 / np.cos(1.5) ** 2), (np.sqrt, 1e-3, 250 ** 0.5),
    (np.sin, 300.0, np.cos(300.0)), (lambda x: abs(x - 0.3) * x, 0.3001, 0.3002), (lambda x: 1e6 + x, 0.5, 1.0)])
def test_numeric_gradient_has_nine_digits_and_knows_how_many(f, x, wanted):
    numeric = numeric_grad(lambda v: float(f(v)), np.array(x))
    assert numeric.gf == pytest.approx(wanted, rel=1e-9)
    assert abs(numeric.gf - wanted) <= 10 * numeric.error <= 1e-6 * abs(wanted)


@pytest.mark.parametrize("x", [3.3, -7.7, 60.4])
def test_steps_that_agree_by_the_stairs_they_cross_are_not_believed(x):
    assert numeric_grad(lambda v: float(np.floor(v)), np.array(x)).gf == 0.0
    assert numeric_grad(lambda v: float(v % 1), np.array(x)).gf == pytest.approx(1.0, rel=1e-12)


def test_numeric_gradient_says_where_there_is_none():
    numeric = numeric_grad(lambda v: float(np.sum(np.log(v))), np.array([-1.0, 2.0]))
    assert np.isnan(numeric.gf).all() and np.isinf(numeric.error).all()
    assert numeric_grad(lambda v: float(v), np.array(0.0)).error < 1e-12


def test_numeric_gradient_adds_terms_up_after_their_differences():
    numeric = numeric_grad(lambda v: np.array([1e12, 1e-12 * v[0], 1e3 * v[1]]), np.array([1.0, 2.0]))
    np.testing.assert_allclose(numeric.gf, [1e-12, 1e3], rtol=1e-11)


def test_one_step_is_taken_where_it_is_given():
    numeric = numeric_grad(lambda v: float(v ** 3), np.array(1.0), eps=0.5)
    assert numeric.gf == 3.25 and np.isnan(numeric.error)


def test_numeric_gradient_of_a_single_array_is_an_array():
    assert numeric_grad(lambda x: float(x * 3), np.array(1.0)).gf == pytest.approx(3.0, rel=1e-9)


def test_the_largest_error_is_found_over_all_arguments():
    numeric = numeric_grad(lambda x, y: float(np.sum(x) + np.sum(y)), [np.zeros(2), np.zeros((2, 2))])
    argument, index, absolute, _ = numeric.max_err([np.ones(2), np.array([[1.0, 1.0], [1.5, 1.0]])], 1e-6, 1e-6)
    assert (argument, index) == (1, (1, 0))
    assert absolute == pytest.approx(0.5)


def test_a_gradient_of_another_shape_is_refused():
    numeric = numeric_grad(lambda x: float(np.sum(x)), [np.zeros(2)])
    with pytest.raises(ValueError, match="shape"):
        numeric.abs_rel_errors([np.ones(3)])


class Lopsided(Doubled):
    """2 * x, which goes forward as 3 * x."""

    def R_op(self, inputs, eval_points):
        return [eval_points[0] * 3]


def test_forward_and_reverse_mode_that_disagree_are_found():
    with pytest.raises(GradientError, match="forward and reverse mode disagree"):
        verify_forward(Lopsided(0.0), [np.array([1.0, 2.0, 3.0])])
    verify_forward(Doubled(0.0), [np.array([1.0, 2.0, 3.0])])
