"""dot, matmul, tensordot and the other products against NumPy, by reference evaluation."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.errors import ShapeError
from nbgraph.gradient import verify_grad
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.tensor.linear import BatchedDot, Dot

RNG = np.random.default_rng(19)
RANKS = [(), (4,), (3, 4), (4, 4), (2, 4, 4), (5, 2, 4, 4)]


def run(output, *pairs):
    """The value of `output` where each (variable, value) pair gives an input."""
    return evaluate(FunctionGraph([v for v, _ in pairs], [output]), [np.asarray(value) for _, value in pairs])[0]


def label(parameter):
    """The name of a function, which unlike its address is the same in every process; else the parameter."""
    return getattr(parameter, "__name__", str(parameter))


def sample(*shape):
    return RNG.standard_normal(shape)


def tensor(value, name="x", static=False):
    return nt.tensor(name, dtype=value.dtype.name, shape=tuple(n if static or n == 1 else None for n in value.shape))


def assert_as_numpy(function, reference, *values):
    """`function` gives the values and the static shape that `reference` gives, with lengths known and unknown."""
    expected = np.asarray(reference(*values))
    for static in (False, True):
        inputs = [tensor(v, f"x{i}", static) for i, v in enumerate(values)]
        z = function(*inputs)
        actual = run(z, *zip(inputs, values, strict=True))
        assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
        np.testing.assert_allclose(actual, expected, rtol=1e-13, atol=1e-13)
        assert z.type.shape == expected.shape if static else len(z.type.shape) == expected.ndim


@pytest.mark.parametrize("left", RANKS, ids=str)
@pytest.mark.parametrize("right", [(), (4,), (4, 4), (4, 3), (2, 4, 4), (5, 2, 4, 4)], ids=str)
def test_dot_inner_and_outer_are_those_of_numpy_for_every_rank(left, right):
    a, b = sample(*left), sample(*right)
    assert_as_numpy(nt.dot, np.dot, a, b)
    assert_as_numpy(nt.outer, np.outer, a, b)
    if not right or right[-1] == 4:
        assert_as_numpy(nt.inner, np.inner, a, b)


@pytest.mark.parametrize(("left", "right"), [
    ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 3)), ((3, 4), (4, 2)), ((2, 3, 4), (4,)), ((2, 3, 4), (4, 5)),
    ((4,), (2, 4, 5)),
    ((3, 4), (2, 4, 5)), ((2, 3, 4), (2, 4, 5)), ((1, 3, 4), (2, 4, 5)), ((2, 3, 4), (1, 4, 5)), ((1, 3, 4), (1, 4, 5)),
    ((6, 2, 3, 4), (2, 4, 5)), ((6, 1, 3, 4), (2, 4, 5)), ((6, 2, 3, 4), (6, 2, 4, 5)), ((1, 1, 3, 4), (1, 1, 4, 5)),
    ((4,), (6, 2, 4, 5)), ((0, 3, 4), (0, 4, 5)), ((2, 3, 0), (2, 0, 5))], ids=str)
def test_matmul_is_that_of_numpy(left, right):
    assert_as_numpy(nt.matmul, np.matmul, sample(*left), sample(*right))
    assert_as_numpy(lambda x, y: x @ y, np.matmul, sample(*left), sample(*right))


def test_matmul_of_stacks_needs_one_product():
    x, y, m = nt.dtensor3("x"), nt.dtensor3("y"), nt.dmatrix("m")
    assert nt.matmul(x, y).owner.op == BatchedDot() and nt.matmul(x, y).owner.inputs == (x, y)
    assert nt.matmul(x, m).owner.inputs[0].owner.op == Dot()


@pytest.mark.parametrize(("left", "right", "axes"), [
    ((3, 4), (4, 5), 1), ((3, 4), (3, 4), 2), ((3,), (4,), 0), ((2, 3, 4), (3, 4, 5), 2),
    ((2, 3, 4), (4, 3), ([1, 2], [1, 0])),
    ((2, 3, 4), (4, 5), (2, 0)), ((2, 3, 4), (5, 2), ([0], [1])), ((2, 3), (3, 2), ([0, -1], [-1, 0])),
    ((2, 3), (4, 5), 0),
    ((2, 3), (3,), 1), ((3,), (3, 2), 1), ((2, 0), (0, 3), 1), ((), (3,), 0)], ids=str)
def test_tensordot_is_that_of_numpy(left, right, axes):
    assert_as_numpy(lambda x, y: nt.tensordot(x, y, axes), lambda x, y: np.tensordot(x, y, axes), sample(*left),
                    sample(*right))


def test_tensordot_of_matrices_is_a_dot_of_views():
    x, y = nt.dmatrix("x"), nt.dmatrix("y")
    assert nt.tensordot(x, y, 1).owner.op == Dot() and nt.tensordot(x, y, 1).owner.inputs == (x, y)
    assert nt.tensordot(x, y, ([0], [1])).owner.op == Dot()


@pytest.mark.parametrize(("left", "right", "spec"), [
    ((2,), (2,), "b,b->b"), ((2,), (2, 3), "b,bi->bi"), ((2, 3), (2,), "bi,b->bi"), ((2, 3), (2, 3), "bi,bi->b"),
    ((2, 3), (2, 3, 4), "bi,bij->bj"), ((2, 4, 3), (2, 3), "bij,bj->bi"), ((2, 3, 4), (2, 4, 5), "bij,bjk->bik"),
    ((2, 6, 3, 4), (2, 4, 5), "baij,bjk->baik"), ((2, 3, 4), (2, 6, 4, 5), "bij,bajk->biak")])
def test_batched_dot_is_a_dot_for_each_first_index(left, right, spec):
    assert_as_numpy(nt.batched_dot, lambda x, y: np.einsum(spec, x, y), sample(*left), sample(*right))


@pytest.mark.parametrize(("left", "right", "axes", "spec"), [
    ((2, 3, 4), (2, 3, 4), 2, "bij,bij->b"), ((2, 3, 4), (2, 4, 5), 1, "bij,bjk->bik"),
    ((2, 3), (2, 4), 0, "bi,bj->bij"),
    ((2, 3, 4), (2, 5, 4, 3), ([1, 2], [3, 2]), "bij,bkji->bk"), ((2, 3, 4, 5), (2, 4), ([2], [1]), "bijk,bj->bik")])
def test_batched_tensordot_is_a_tensordot_for_each_first_index(left, right, axes, spec):
    assert_as_numpy(lambda x, y: nt.batched_tensordot(x, y, axes), lambda x, y: np.einsum(spec, x, y), sample(*left),
                    sample(*right))


@pytest.mark.parametrize(("left", "right"), [((2, 3), (4, 5)), ((3,), (2,)), ((3,), (2, 2)), ((2, 3), (4,)),
                                             ((2, 1, 3), (2, 2)),
                                             ((), (2,))], ids=str)
def test_kron_is_that_of_numpy(left, right):
    assert_as_numpy(nt.kron, np.kron, sample(*left), sample(*right))


def test_vdot_conjugates_its_first_operand_and_flattens_both():
    a, b = (sample(2, 3) + 1j * sample(2, 3) for _ in range(2))
    assert_as_numpy(nt.vdot, np.vdot, a, b)
    assert_as_numpy(nt.vdot, np.vdot, sample(6), sample(2, 3))
    assert_as_numpy(nt.vdot, np.vdot, sample(), sample())


def test_matrix_dot_multiplies_from_left_to_right():
    assert_as_numpy(nt.matrix_dot, lambda x, y, z: x @ y @ z, sample(2, 3), sample(3, 4), sample(4))
    with pytest.raises(TypeError, match="at least one"):
        nt.matrix_dot()


def test_arrays_and_lists_are_operands_on_either_side():
    x, a = nt.dvector("x"), sample(3)
    np.testing.assert_allclose(run(np.ones((2, 3)) @ x, (x, a)), np.ones((2, 3)) @ a, rtol=1e-14)
    np.testing.assert_allclose(run(x.dot([[1], [2], [3]]), (x, a)), a @ [[1], [2], [3]], rtol=1e-14)


@pytest.mark.parametrize(("function", "left", "right"), [
    (nt.matmul, (2, 3, 4), (4, 2)), (nt.matmul, (3, 4), (2, 4, 2)), (nt.matmul, (1, 3, 4), (2, 4, 2)),
    (nt.matmul, (4,), (2, 4, 2)),
    (nt.matmul, (3, 1, 2, 2), (2, 2, 2)), (nt.tensordot, (2, 3, 4), (3, 4, 2)), (nt.kron, (2, 3), (2, 2)),
    (nt.outer, (3,), (2,)),
    (nt.batched_dot, (2, 3), (2, 3, 4)), (nt.inner, (2, 3), (4, 3)), (nt.vdot, (3,), (3,)),
    (nt.dot, (2, 3), (4, 3, 2))], ids=label)
def test_gradients_of_products_agree_with_finite_differences(function, left, right):
    verify_grad(function, [sample(*left), sample(*right)], n_tests=1)


@pytest.mark.parametrize(("function", "left", "right", "text"), [
    (nt.matmul, (2, 3, 4), (2, 5, 6), "inner lengths differ: 4 and 5"),
    (nt.matmul, (2, 3, 4), (5, 4, 6), "numbers of matrices differ: 2 and 5"),
    (nt.matmul, (2, 6, 3, 4), (3, 4, 4, 5), "has length|does not broadcast"),
    (nt.tensordot, (2, 6), (3, 4), "length"),
    (nt.dot, (2, 3, 4), (5, 3), "length"),
    (nt.inner, (2, 3), (2, 4), "length"),
    (nt.vdot, (2,), (3,), "inner lengths differ: 2 and 3"),
], ids=label)
def test_lengths_that_differ_are_errors_when_built_and_when_run(function, left, right, text):
    a, b = sample(*left), sample(*right)
    with pytest.raises(ShapeError, match=text) as built:
        function(tensor(a, "x", static=True), tensor(b, "y", static=True))
    x, y = tensor(a, "x"), tensor(b, "y")
    with pytest.raises(ShapeError, match=text) as ran:
        run(function(x, y), (x, a), (y, b))
    assert "fix:" in str(built.value) and "fix:" in str(ran.value) and "test_products.py" in str(ran.value)


def test_calls_that_have_no_meaning_are_refused():
    x = nt.dmatrix("x")
    for call, text in ((lambda: nt.matmul(x, 2.0), "0-d operand"),
                       (lambda: nt.batched_dot(x, 2.0), "needs a first axis"),
                       (lambda: nt.tensordot(x, x, ([0], [0, 1])), "as many axes of a as of b"),
                       (lambda: nt.tensordot(x, x, 3), "out of range"),
                       (lambda: nt.tensordot(x, nt.dtensor3("y"), 3), "summed twice"),
                       (lambda: nt.tensordot(x, x, ([0, 0], [0, 1])), "summed twice"),
                       (lambda: nt.batched_tensordot(x, x, ([0], [1])), "first axis cannot be summed")):
        with pytest.raises(ShapeError, match=text):
            call()
