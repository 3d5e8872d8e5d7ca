"""Dot and BatchedDot against NumPy, by reference evaluation."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.errors import ShapeError
from nbgraph.gradient import Rop, grad, verify_grad
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.tensor import dtypes
from nbgraph.tensor.linear import BatchedDot, Dot

RNG = np.random.default_rng(17)
DOT_SHAPES = [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((0, 3), (3, 4)), ((2, 0), (0, 4)),
              ((0,), (0,)),
              ((1, 3), (3, 1)), ((2, 1), (1, 4))]


def run(outputs, *pairs):
    """Values of `outputs` where each (variable, value) pair gives an input."""
    listed = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    values = evaluate(FunctionGraph([v for v, _ in pairs], listed), [np.asarray(value) for _, value in pairs])
    return values if isinstance(outputs, (list, tuple)) else values[0]


def sample(shape, dtype="float64"):
    if dtypes.is_discrete(dtype):
        return RNG.integers(0, 4, shape).astype(dtype)
    values = RNG.standard_normal(shape)
    return (values + 1j * RNG.standard_normal(shape) if dtype in dtypes.COMPLEX else values).astype(dtype)


def tensor(value, name="x", static=False):
    return nt.tensor(name, dtype=value.dtype.name, shape=value.shape if static else (None,) * value.ndim)


def assert_close(actual, expected):
    expected = np.asarray(expected)
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    if expected.dtype.kind in "fc":
        eps = np.finfo(expected.dtype).eps
        np.testing.assert_allclose(actual, expected, rtol=20 * eps, atol=20 * eps)
    else:
        np.testing.assert_array_equal(actual, expected)


def assert_lengths_inferred(output, *pairs):
    """infer_shape of the node, from symbolic lengths of its inputs, gives the lengths that perform has."""
    node = output.owner
    (found,) = node.op.infer_shape(None, node, [tuple(nt.lengths_of(v)) for v in node.inputs])
    value, *lengths = run([output, *map(nt.as_tensor_variable, found)], *pairs)
    assert tuple(int(n) for n in lengths) == value.shape


@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize("shapes", DOT_SHAPES, ids=str)
def test_dot_of_vectors_and_matrices_is_that_of_numpy(shapes, static):
    a, b = (sample(shape) for shape in shapes)
    x, y = tensor(a, "x", static), tensor(b, "y", static)
    z = Dot()(x, y)
    assert_close(run(z, (x, a), (y, b)), np.dot(a, b))
    assert z.type.shape == (np.dot(a, b).shape if static else (None,) * np.dot(a, b).ndim)
    assert_lengths_inferred(z, (x, a), (y, b))


@pytest.mark.parametrize("left", dtypes.ALL)
def test_dot_has_the_common_dtype_and_sees_operands_of_it(left):
    for right in dtypes.ALL:
        a, b = sample((2, 3), left), sample((3, 2), right)
        x, y = tensor(a), tensor(b, "y")
        z = Dot()(x, y)
        assert {v.type.dtype for v in z.owner.inputs} == {np.result_type(a, b).name}
        assert_close(run(z, (x, a), (y, b)), np.dot(a, b))


def test_views_are_operands_like_others():
    a = sample((4, 6))
    x = tensor(a)
    assert_close(run(Dot()(x.T, x), (x, a)), a.T @ a)
    assert_close(run(Dot()(x[::-2, 1::2], x.T[1::2, ::-1]), (x, a)), a[::-2, 1::2] @ a.T[1::2, ::-1])


@pytest.mark.parametrize("shapes", [((2, 3, 4), (2, 4, 5)), ((0, 3, 4), (0, 4, 5)), ((1, 3, 4), (1, 4, 5)),
                                    ((2, 3, 0), (2, 0, 5))])
def test_batched_dot_multiplies_matrix_by_matrix(shapes):
    a, b = (sample(shape) for shape in shapes)
    x, y = tensor(a), tensor(b, "y")
    z = BatchedDot()(x, y)
    assert_close(run(z, (x, a), (y, b)), a @ b)
    assert_lengths_inferred(z, (x, a), (y, b))


def test_a_static_number_of_matrices_comes_from_either_operand():
    x, y = nt.dtensor3("x"), nt.tensor("y", dtype="float32", shape=(7, None, 2))
    assert BatchedDot()(x, y).type == nt.tensor(dtype="float64", shape=(7, None, 2)).type


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("shapes", DOT_SHAPES, ids=str)
def test_gradients_of_dot_agree_with_finite_differences(shapes, dtype):
    verify_grad(Dot(), [sample(shape, dtype) for shape in shapes])


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_gradients_of_batched_dot_agree_with_finite_differences(dtype):
    verify_grad(BatchedDot(), [sample((2, 3, 4), dtype), sample((2, 4, 2), dtype)])


@pytest.mark.parametrize("shapes", DOT_SHAPES[:4], ids=str)
def test_second_derivatives_of_dot_agree_with_finite_differences(shapes):
    verify_grad(lambda x, y: grad((Dot()(x, y) ** 3).sum(), [x, y]), [sample(shape) for shape in shapes], rel_tol=1e-5)


def test_gradients_of_mixed_dtypes_have_the_dtypes_of_the_operands():
    x, y, n = nt.fmatrix("x"), nt.zmatrix("y"), nt.lmatrix("n")
    gx, gy = grad(nt.real(Dot()(x, y)).sum(), [x, y])
    assert (gx.type.dtype, gy.type.dtype) == ("float32", "complex128")
    (gn,) = grad(Dot()(x, n).sum(), [n])
    a = sample((2, 3), "float32")
    assert_close(run(gn, (x, a), (n, np.ones((3, 2), int))), np.repeat(a.astype("float64").sum(0)[:, None], 2, 1))


def test_a_product_of_integers_has_zero_gradient():
    n = nt.lvector("n")
    assert_close(run(grad(Dot()(n, n).astype("float64"), n), (n, np.array([1, 2]))), np.zeros(2))


def test_forward_mode_follows_the_product_rule():
    values = [sample((2, 3)), sample((3, 4)), sample((2, 3)), sample((3, 4))]
    x, y, dx, dy = (tensor(v, name) for v, name in zip(values, ("x", "y", "dx", "dy"), strict=True))
    pairs = tuple(zip((x, y, dx, dy), values, strict=True))
    a, b, da, db = values
    assert_close(run(Rop(Dot()(x, y), [x, y], [dx, dy]), *pairs), da @ b + a @ db)
    assert_close(run(Rop(Dot()(x, y), y, dy), *pairs), a @ db)


@pytest.mark.parametrize(("op", "shapes", "text"), [
    (Dot(), ((2, 3), (4, 5)), "inner lengths differ: 3 and 4"),
    (Dot(), ((3,), (4,)), "inner lengths differ: 3 and 4"),
    (BatchedDot(), ((2, 3, 4), (2, 5, 6)), "inner lengths differ: 4 and 5"),
    (BatchedDot(), ((2, 3, 4), (1, 4, 6)), "numbers of matrices differ: 2 and 1"),
])
def test_lengths_that_differ_are_errors_when_built_and_when_run(op, shapes, text):
    a, b = (np.ones(shape) for shape in shapes)
    with pytest.raises(ShapeError, match=text) as built:
        op(tensor(a, "x", static=True), tensor(b, "y", static=True))
    x, y = tensor(a, "x"), tensor(b, "y")
    with pytest.raises(ShapeError, match=text) as ran:
        run(op(x, y), (x, a), (y, b))
    for message in (str(built.value), str(ran.value)):
        assert "x " in message and "y " in message and "test_linear.py" in message and "fix:" in message
    assert f"x has shape {a.shape}" in str(ran.value)


def test_operands_of_other_ranks_are_refused():
    with pytest.raises(ShapeError, match="takes vectors and matrices, got 3 and 1 axes"):
        Dot()(nt.dtensor3(), nt.dvector())
    with pytest.raises(ShapeError, match="takes two stacks of matrices"):
        BatchedDot()(nt.dtensor3(), nt.dmatrix())


def test_flops_count_multiplications_and_additions():
    assert Dot().flops([(2, 3), (3, 4)], [(2, 4)]) == 2 * 2 * 3 * 4
    assert BatchedDot().flops([(5, 2, 3), (5, 3, 4)], [(5, 2, 4)]) == 5 * 2 * 2 * 3 * 4
