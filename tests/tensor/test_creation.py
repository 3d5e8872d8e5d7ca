"""zeros, ones, full, eye, arange, tri … against NumPy, by reference evaluation."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.config import config
from nbgraph.errors import DTypeError, ShapeError, ValueDomainError
from nbgraph.gradient import grad
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph


def run(output, *pairs):
    """The value of `output` where each (variable, value) pair gives an input."""
    return evaluate(FunctionGraph([v for v, _ in pairs], [output]), [np.asarray(value) for _, value in pairs])[0]


def assert_same(actual, expected):
    expected = np.asarray(expected)
    assert actual.dtype == expected.dtype
    np.testing.assert_array_equal(actual, expected, strict=True)


@pytest.mark.parametrize("name", ["zeros", "ones"])
@pytest.mark.parametrize("shape", [(), 3, (2, 3), (0, 2)])
def test_zeros_and_ones_are_those_of_numpy(name, shape):
    assert_same(run(getattr(nt, name)(shape)), getattr(np, name)(shape))
    assert_same(run(getattr(nt, name)(shape, dtype="int8")), getattr(np, name)(shape, "int8"))


def test_the_dtype_of_zeros_is_floatx_unless_given():
    with config.change_flags(floatX="float32"):
        assert nt.zeros(3).dtype == nt.ones(3).dtype == nt.eye(3).dtype == nt.tri(3).dtype == "float32"
    assert nt.zeros(3).dtype == "float64"


def test_a_length_may_be_symbolic_and_a_known_one_is_in_the_type():
    n = nt.lscalar("n")
    z = nt.zeros((n, 3))
    assert z.type.shape == (None, 3)
    assert_same(run(z, (n, 2)), np.zeros((2, 3)))
    assert_same(run(nt.zeros((n,)), (n, 0)), np.zeros(0))


def test_a_negative_length_is_an_error_when_built_and_when_run():
    n = nt.lscalar("n")
    with pytest.raises(ShapeError, match="negative"):
        nt.zeros((-1, 2))
    with pytest.raises(ShapeError, match="negative"):
        run(nt.zeros((n,)), (n, -1))
    with pytest.raises(ShapeError, match="negative"):
        nt.eye(-1)
    with pytest.raises(ShapeError, match="negative"):
        run(nt.eye(n), (n, -1))


def test_full_takes_the_dtype_of_the_value_and_broadcasts_it():
    assert_same(run(nt.full((2, 3), 7)), np.full((2, 3), 7))
    assert_same(run(nt.full((2, 3), 7.5, dtype="int32")), np.full((2, 3), 7.5, dtype="int32"))
    assert_same(run(nt.full((2, 3), np.arange(3.0))), np.full((2, 3), np.arange(3.0)))


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float32", "complex128"])
def test_like_functions_take_shape_and_dtype_of_their_argument(dtype):
    value = np.zeros((2, 3), dtype)
    x = nt.tensor("x", dtype=dtype, shape=(None, 3))
    assert_same(run(nt.zeros_like(x), (x, value)), np.zeros_like(value))
    assert_same(run(nt.ones_like(x), (x, value)), np.ones_like(value))
    assert_same(run(nt.full_like(x, 1), (x, value)), np.full_like(value, 1))
    assert_same(run(x.zeros_like("float64"), (x, value)), np.zeros((2, 3)))
    assert_same(run(x.fill(1), (x, value)), np.ones_like(value))
    assert nt.zeros_like(x).type.shape == (None, 3)


def test_like_functions_of_a_scalar_are_constants():
    x = nt.dscalar("x")
    assert nt.zeros_like(x).owner is None
    assert nt.ones_like(x).data == 1.0


def test_fill_and_alloc_broadcast_the_value():
    x, n = nt.fmatrix("x"), nt.lscalar("n")
    value = np.zeros((2, 3), "float32")
    assert_same(run(nt.fill(x, 5.0), (x, value)), np.full((2, 3), 5.0))
    assert_same(run(nt.alloc(x, 4, 2, 3), (x, value)), np.zeros((4, 2, 3), "float32"))
    assert_same(run(nt.alloc(1.5, n), (n, 3)), np.full(3, 1.5))
    assert_same(run(nt.alloc(1.5, (n, 2)), (n, 3)), np.full((3, 2), 1.5))


@pytest.mark.parametrize("k", [-3, -1, 0, 2, 5])
@pytest.mark.parametrize(("n", "m"), [(3, 3), (2, 4), (4, 2), (0, 2)])
def test_eye_and_the_triangles_are_those_of_numpy(n, m, k):
    value = np.arange(1.0, 1 + n * m).reshape(n, m)
    x = nt.dmatrix("x")
    assert_same(run(nt.eye(n, m, k)), np.eye(n, m, k))
    assert_same(run(nt.tri(n, m, k, dtype="int32")), np.tri(n, m, k, dtype="int32"))
    assert_same(run(nt.tril(x, k), (x, value)), np.tril(value, k))
    assert_same(run(nt.triu(x, k), (x, value)), np.triu(value, k))


def test_the_triangle_of_a_stack_of_integer_matrices_keeps_the_dtype():
    value = np.ones((2, 3, 3), "int16")
    x = nt.tensor("x", dtype="int16", shape=(None,) * 3)
    assert_same(run(nt.triu(x, 1), (x, value)), np.triu(value, 1))


def test_a_triangle_drops_nan_outside_of_it():
    x = nt.dmatrix("x")
    assert_same(run(nt.tril(x), (x, np.array([[1.0, np.nan], [2.0, 3.0]]))), np.array([[1.0, 0.0], [2.0, 3.0]]))


def test_identity_like_takes_the_shape_of_a_matrix():
    x = nt.fmatrix("x")
    assert_same(run(nt.identity_like(x), (x, np.zeros((2, 3), "float32"))), np.eye(2, 3, dtype="float32"))
    assert_same(run(nt.identity(3)), np.identity(3))
    with pytest.raises(ShapeError, match="takes a matrix"):
        nt.identity_like(nt.dvector("v"))


RANGES = [(5,), (0,), (-3,), (2, 7), (7, 2), (2, 9, 3), (9, 2, -3), (0, 10, 4), (0.5, 3, 0.5), (1, 0, -0.3), (3.0,),
          (0, 1, 0.1), (1.0, 1.0)]


@pytest.mark.parametrize("bounds", RANGES)
def test_arange_is_that_of_numpy_with_constant_and_symbolic_bounds(bounds):
    wanted = np.arange(*bounds)
    constant = nt.arange(*bounds)
    assert_same(run(constant), wanted)
    assert constant.type.shape == wanted.shape
    variables = [nt.tensor(f"b{i}", dtype=np.asarray(b).dtype.name, shape=()) for i, b in enumerate(bounds)]
    symbolic = nt.arange(*variables)
    assert_same(run(symbolic, *zip(variables, bounds, strict=True)), wanted)
    ((length,),) = symbolic.owner.op.infer_shape(None, symbolic.owner, [(), (), ()])
    assert constant.owner.op.infer_shape(None, constant.owner, [(), (), ()]) == [wanted.shape]
    assert run(length, *zip(variables, bounds, strict=True)) == len(wanted)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "float32", "float64"])
def test_arange_in_another_dtype_is_that_of_numpy(dtype):
    for bounds in [(5,), (2, 9, 3), (0.5, 5, 0.5), (0, 4, 1.5)]:
        assert_same(run(nt.arange(*bounds, dtype=dtype)), np.arange(*bounds, dtype=dtype))


@pytest.mark.parametrize("dtype", ["int8", "int32", "uint8", "uint64", "float32"])
def test_the_dtype_of_arange_follows_from_its_arguments_as_in_numpy(dtype):
    n = nt.tensor("n", dtype=dtype, shape=())
    value = np.dtype(dtype).type(3)
    assert_same(run(nt.arange(n), (n, value)), np.arange(value))


def test_a_range_without_an_end_is_an_error_in_three_parts():
    step = nt.lscalar("step")
    with pytest.raises(ValueDomainError, match=r"(?s)from 0 to 5 by 0 has no finite number.*fix: "):
        run(nt.arange(0, 5, step), (step, 0))
    stop = nt.dscalar("stop")
    with pytest.raises(ValueDomainError, match="no finite number"):
        run(nt.arange(stop), (stop, np.nan))


def test_arange_refuses_what_is_no_real_scalar():
    with pytest.raises(DTypeError, match="takes real scalars"):
        nt.arange(nt.dvector("v"))
    with pytest.raises(DTypeError, match="takes real scalars"):
        nt.arange(1j)
    with pytest.raises(DTypeError, match="no dtype bool"):
        nt.arange(2, dtype="bool")


def test_the_gradient_of_arange_goes_to_start_and_step():
    start, step = nt.dscalar("start"), nt.dscalar("step")
    cost = nt.sum(nt.square(nt.arange(start, 10.0, step)))
    point = (start, 1.0), (step, 2.5)
    places = np.arange(1.0, 10.0, 2.5)
    np.testing.assert_allclose(run(grad(cost, start), *point), np.sum(2 * places), rtol=1e-14)
    np.testing.assert_allclose(run(grad(cost, step), *point), np.sum(2 * places * np.arange(4)), rtol=1e-14)


def test_full_passes_the_gradient_to_its_value():
    c, n = nt.dscalar("c"), nt.lscalar("n")
    assert run(grad(nt.sum(nt.full((n, 2), c)), c), (c, 1.0), (n, 3)) == 6.0


def test_tensor_copy_is_another_variable_of_the_same_value():
    x = nt.dvector("x")
    y = x.copy(name="y")
    assert y is not x
    assert y.name == "y"
    assert y.type == x.type
    assert_same(run(y, (x, [1.0, 2.0])), np.array([1.0, 2.0]))
    assert_same(run(grad(nt.sum(y * y), x), (x, [1.0, 2.0])), np.array([2.0, 4.0]))
