"""Reductions and cumulative functions against NumPy, by reference evaluation."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, ShapeError, ValueDomainError
from nbgraph.gradient import Rop, grad, verify_grad
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.tensor import dtypes
from nbgraph.tensor.reduction import ArgReduce, Cumulative, LinearRecurrence, Reduce

RNG = np.random.default_rng(7)
AXES = [None, 0, 1, -1, (0, 2), (), (2, 0, 1)]


def run(outputs, *pairs):
    """Values of `outputs` where each (variable, value) pair gives an input."""
    listed = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    values = evaluate(FunctionGraph([v for v, _ in pairs], listed), [np.asarray(value) for _, value in pairs])
    return values if isinstance(outputs, (list, tuple)) else values[0]


def sample(dtype, shape):
    if dtype == "bool":
        return RNG.integers(0, 2, shape).astype(bool)
    if dtype in dtypes.INTEGERS:
        return RNG.integers(0 if dtype.startswith("u") else -5, 6, shape).astype(dtype)
    values = RNG.standard_normal(shape)
    return (values + 1j * RNG.standard_normal(shape) if dtype in dtypes.COMPLEX else values).astype(dtype)


def variable(value):
    return nt.tensor("x", dtype=value.dtype.name, shape=(None,) * value.ndim)


def assert_same(actual, expected):
    expected = np.asarray(expected)
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    rtol = 1e-6 if expected.dtype in (np.float32, np.complex64) else 1e-13
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("dtype", dtypes.ALL)
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "all", "any", "argmax", "argmin"])
def test_a_reduction_has_the_values_and_the_dtype_of_numpy(name, dtype):
    value = sample(dtype, (3, 4))
    x = variable(value)
    for axis in (None, 0, 1):
        assert_same(run(getattr(nt, name)(x, axis=axis), (x, value)), getattr(np, name)(value, axis=axis))


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "all", "any", "mean", "var", "std", "ptp"])
def test_a_reduction_goes_over_any_axes_with_and_without_keepdims(name, axis):
    value = sample("float64", (2, 3, 4))
    x = variable(value)
    for keepdims in (False, True):
        wanted = getattr(np, name)(value, axis=axis, keepdims=keepdims)
        assert_same(run(getattr(nt, name)(x, axis=axis, keepdims=keepdims), (x, value)), wanted)


@pytest.mark.parametrize("name", ["mean", "var", "std"])
@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "uint8", "float32", "float64", "complex64", "complex128"])
def test_mean_var_and_std_have_the_dtype_of_numpy(name, dtype):
    value = sample(dtype, (5, 3))
    x = variable(value)
    assert_same(run(getattr(nt, name)(x, axis=0), (x, value)), getattr(np, name)(value, axis=0))


def test_var_divides_by_the_number_of_elements_less_ddof():
    value = sample("float64", (4, 3))
    x = variable(value)
    assert_same(run(nt.var(x, axis=0, ddof=1), (x, value)), np.var(value, axis=0, ddof=1))
    assert_same(run(x.std(1, 2, True), (x, value)), np.std(value, axis=1, ddof=2, keepdims=True))


def test_float32_is_added_up_in_float64_unless_acc_dtype_says_otherwise():
    value = np.ones(1001, "float32")
    value[0] = 2**24  # in float32, 2**24 + 1 is 2**24
    x = variable(value)
    assert run(nt.sum(x), (x, value)) == 2**24 + 1000
    assert nt.sum(x).owner.op == Reduce("sum", (0,), "float32", "float64")
    assert nt.sum(x, acc_dtype="float32").owner.op == Reduce("sum", (0,), "float32", "float32")


def test_dtype_chooses_the_dtype_of_a_sum():
    value = np.array([0.5, 0.7, 0.2, 1.5])
    x = variable(value)
    assert_same(run(nt.sum(x, dtype="int32"), (x, value)), np.sum(value, dtype="int32"))
    assert_same(run(nt.sum(x, dtype="float32"), (x, value)), np.float32(2.9))
    assert_same(run(nt.mean(x, dtype="complex128"), (x, value)), np.mean(value, dtype="complex128"))
    assert_same(run(nt.sum(x, dtype="bool"), (x, value)), np.sum(value, dtype="bool"))
    assert_same(run(nt.prod(x, dtype="bool"), (x, value)), np.prod(value, dtype="bool"))


def test_the_sum_of_complex_numbers_in_a_real_dtype_is_refused():
    with pytest.raises(DTypeError, match="imaginary part would be lost"):
        nt.sum(nt.zvector("z"), dtype="float64")
    with pytest.raises(DTypeError, match="imaginary part would be lost"):
        nt.sum(nt.dvector("x"), acc_dtype="complex128")


def test_methods_pass_their_arguments_in_order():
    value = sample("float32", (3, 4))
    x = variable(value)
    results = [x.sum(0, "float64", True), x.prod(1, None, True, "float32"), x.mean(0, "float64", True), x.max(0, True),
               x.min(1, True), x.argmax(0, True), x.argmin(1, True), x.all(0, True), x.any(1, True), x.norm(2, 0, True)]
    assert [r.ndim for r in results] == [2] * len(results)
    assert [r.dtype for r in results] == ["float64", "float32", "float64", "float32", "float32", "int64", "int64",
                                          "bool", "bool", "float32"]


def test_nan_wins_the_extrema_and_the_first_one_is_their_index():
    value = np.array([1.0, np.nan, 3.0, np.nan])
    x = variable(value)
    largest, smallest, first, last = run([nt.max(x), nt.min(x), nt.argmax(x), nt.argmin(x)], (x, value))
    assert np.isnan(largest)
    assert np.isnan(smallest)
    assert first == last == 1


def test_argmax_over_several_axes_counts_them_in_c_order():
    value = sample("float64", (2, 3, 4))
    x = variable(value)
    flat = value.transpose(1, 0, 2).reshape(3, 8)
    assert_same(run(nt.argmax(x, axis=(2, 0)), (x, value)), np.argmax(flat, axis=1))
    assert_same(run(nt.argmin(x), (x, value)), np.argmin(value))
    assert run(nt.argmax(x, axis=(0, 2), keepdims=True), (x, value)).shape == (1, 3, 1)


def test_argmax_gives_the_first_of_equal_elements():
    value = np.array([[1, 3, 3], [2, 2, 2]])
    x = variable(value)
    assert_same(run(nt.argmax(x, axis=1), (x, value)), np.array([1, 0]))


@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin"])
@pytest.mark.parametrize(("shape", "axis"), [((0, 3), 0), ((0, 0), 1), ((2, 0), 1)])
def test_an_extremum_of_no_elements_is_an_error_in_three_parts(name, shape, axis):
    x = nt.dmatrix("data")
    with pytest.raises(ValueDomainError, match=rf"(?s){name} of no elements: shape .*where: .*data.*fix: "):
        run(getattr(nt, name)(x, axis=axis), (x, np.zeros(shape)))


def test_reductions_of_no_elements_that_have_a_value():
    x = nt.dmatrix("x")
    empty = np.zeros((0, 3))
    assert_same(run(nt.sum(x, 0), (x, empty)), np.zeros(3))
    assert_same(run(nt.prod(x, 0), (x, empty)), np.ones(3))
    assert_same(run(nt.all(x, 0), (x, empty)), np.ones(3, bool))
    assert_same(run(nt.max(x, 1), (x, empty)), np.zeros(0))
    assert_same(run(nt.argmax(x, 1), (x, empty)), np.zeros(0, "int64"))
    assert np.isnan(run(nt.mean(x), (x, empty)))
    assert np.isnan(run(nt.var(x), (x, empty)))


def test_a_scalar_is_reduced_to_itself():
    x = nt.dscalar("x")
    results = run([nt.sum(x), nt.max(x), nt.argmax(x), nt.mean(x), nt.std(x)], (x, 2.5))
    assert [r.item() for r in results] == [2.5, 2.5, 0, 2.5, 0.0]


def test_an_axis_that_is_not_there_is_a_shape_error():
    with pytest.raises(ShapeError, match="axis 2 is out of range for 2 axes"):
        nt.sum(nt.dmatrix("x"), axis=2)
    with pytest.raises(ShapeError, match="named twice"):
        nt.sum(nt.dmatrix("x"), axis=(0, -2))


def test_static_shapes_and_infer_shape_lack_the_reduced_axes():
    x = nt.tensor("x", dtype="float64", shape=(2, None, 4))
    assert nt.sum(x, 1).type.shape == (2, 4)
    assert nt.sum(x, (0, 2), keepdims=True).type.shape == (1, None, 1)
    node = nt.argmax(x, 0).owner
    assert node.op.infer_shape(None, node, [("a", "b", "c")]) == [("b", "c")]


@pytest.mark.parametrize("L", [None, 0, 1, 2, 3, 2.5, np.inf, -np.inf])
def test_norm_is_that_of_numpy(L):
    value = sample("float64", (3, 4))
    x = variable(value)
    assert_same(run(nt.norm(x, L, axis=1), (x, value)), np.linalg.norm(value, ord=L, axis=1))
    whole = np.linalg.norm(value.ravel(), ord=L)
    assert_same(run(nt.norm(x, L), (x, value)), whole)


@pytest.mark.parametrize("dtype", dtypes.ALL)
@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_a_cumulative_function_has_the_values_and_the_dtype_of_numpy(name, dtype):
    value = sample(dtype, (3, 4))
    x = variable(value)
    for axis in (None, 0, 1, -1):
        assert_same(run(getattr(nt, name)(x, axis=axis), (x, value)), getattr(np, name)(value, axis=axis))


def test_cumulative_functions_take_no_elements():
    x = nt.dmatrix("x")
    assert run(nt.cumsum(x, 0), (x, np.zeros((0, 2)))).shape == (0, 2)
    assert run(grad(nt.sum(nt.cumprod(x, 0)), x), (x, np.zeros((0, 2)))).shape == (0, 2)


def test_a_linear_recurrence_is_the_loop_that_defines_it():
    a, b = sample("float64", (2, 5)), sample("float64", (2, 5))
    x, y = nt.dmatrix("x"), nt.dmatrix("y")
    wanted = np.zeros((2, 5))
    state = np.zeros(2)
    for i in range(5):
        wanted[:, i] = state = a[:, i] * state + b[:, i]
    assert_same(run(LinearRecurrence(1)(x, y), (x, a), (y, b)), wanted)
    with pytest.raises(ShapeError, match=r"needs equal shapes, got \(2, 5\) and \(2, 4\)"):
        run(LinearRecurrence(1)(x, y), (x, a), (y, b[:, :4]))


def second_gradient(function):
    """A function whose value is the gradient of a cost that is not linear in `function`."""
    return lambda x: grad(nt.sum(nt.sin(function(x)) * nt.cos(x).sum()), x)


CASES = {
    "sum": lambda x: nt.sum(x, 0), "prod": lambda x: nt.prod(x, 1), "prod of all": lambda x: nt.prod(x),
    "max": lambda x: nt.max(x, 1), "min": lambda x: nt.min(x, 0, keepdims=True), "mean": lambda x: nt.mean(x, 1),
    "var": lambda x: nt.var(x, 0, 1), "std": lambda x: nt.std(x, 1), "norm": lambda x: nt.norm(x, 3, 1),
    "ptp": lambda x: nt.ptp(x, 0), "cumsum": lambda x: nt.cumsum(x, 1), "cumprod": lambda x: nt.cumprod(x, 1),
    "cumprod of all": lambda x: nt.cumprod(x), "prod of two axes": lambda x: nt.prod(x[:, None, :], (0, 2)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_is_that_of_finite_differences(name):
    verify_grad(CASES[name], [sample("float64", (3, 4))])


@pytest.mark.parametrize("name", CASES)
def test_the_second_gradient_is_that_of_finite_differences(name):
    verify_grad(second_gradient(CASES[name]), [sample("float64", (2, 3))])


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "cumsum", "cumprod", "var"])
def test_the_gradient_of_complex_numbers_is_that_of_finite_differences(name):
    verify_grad(lambda z: nt.abs(CASES[name](z)), [sample("complex128", (2, 3))])


@pytest.mark.parametrize("zeros", [[1], [0, 2], [0, 1, 2, 3], [3]])
@pytest.mark.parametrize("name", ["prod", "cumprod"])
def test_gradients_of_products_are_right_where_elements_are_zero(name, zeros):
    value = np.array([[2.0, 3.0, 5.0, 7.0], [1.5, 0.5, 4.0, 3.0]])
    value[0, zeros] = 0
    verify_grad(CASES[name], [value])
    verify_grad(second_gradient(CASES[name]), [value])


def test_the_second_derivative_of_a_product_with_two_zeros():
    x = nt.dvector("x")
    first = grad(nt.prod(x), x)
    second = grad(first[0], x)
    assert_same(run(second, (x, [0.0, 0.0, 3.0])), np.array([0.0, 3.0, 0.0]))


@pytest.mark.parametrize("name", ["max", "min"])
def test_elements_that_tie_share_the_gradient_equally(name):
    x = nt.dvector("x")
    value = np.array([2.0, 2.0, 2.0]) if name == "max" else np.array([5.0, 2.0, 2.0])
    wanted = np.full(3, 1 / 3) if name == "max" else np.array([0.0, 0.5, 0.5])
    assert_same(run(grad(getattr(nt, name)(x), x), (x, value)), wanted)


def test_the_gradient_of_a_float32_sum_is_float32_and_of_integers_float64():
    x, i = nt.fvector("x"), nt.ivector("i")
    assert_same(run(grad(nt.sum(x), x), (x, np.ones(3, "float32"))), np.ones(3, "float32"))
    assert_same(run(grad(nt.mean(i), i), (i, np.ones(4, "int32"))), np.full(4, 0.25))
    assert_same(run(grad(nt.sum(i, dtype="float64"), i), (i, np.ones(4, "int32"))), np.ones(4))
    assert_same(run(grad(nt.sum(i) * 1.0, i), (i, np.ones(4, "int32"))), np.zeros(4))


def test_nothing_flows_back_through_an_index_or_a_truth_value():
    x = nt.dvector("x")
    cost = nt.sum(x) + nt.argmax(x) * 2.0 + nt.all(x) * 3.0
    assert_same(run(grad(cost, x), (x, [1.0, 2.0])), np.ones(2))


@pytest.mark.parametrize("name", CASES)
def test_forward_mode_is_reverse_mode_transposed(name):
    value, direction = sample("float64", (3, 4)), sample("float64", (3, 4))
    x, v = nt.dmatrix("x"), nt.dmatrix("v")
    y = CASES[name](x)
    weights = sample("float64", run(y, (x, value)).shape)
    forward = run(nt.sum(Rop(y, x, v) * weights), (x, value), (v, direction))
    backward = run(nt.sum(grad(nt.sum(y * weights), x) * v), (x, value), (v, direction))
    np.testing.assert_allclose(forward, backward, rtol=1e-10)


def test_sum_to_like_undoes_broadcasting():
    g = nt.dtensor3("g")
    value = sample("float64", (2, 3, 4))
    shapes = {(3, 4): value.sum(0), (1, 4): value.sum((0, 1))[None], (1,): value.sum()[None], (): value.sum()}
    for shape, wanted in shapes.items():
        x = nt.tensor("x", dtype="float64", shape=[1 if n == 1 else None for n in shape])
        assert_same(run(nt.sum_to_like(g, x), (g, value)), wanted)
    assert nt.sum_to_like(g, nt.dtensor3("x")) is g


def test_ops_survive_pickling():
    for op in (Reduce("sum", (0,), "float64", "float64"), ArgReduce("argmax", (1,)), Cumulative("prod", 0),
               LinearRecurrence(1)):
        assert pickle.loads(pickle.dumps(op)) == op


def test_equal_reductions_are_equal_ops():
    assert Reduce("sum", (0,), "float64", "float64") == Reduce("sum", (0,), "float64", "float64")
    assert Cumulative("sum", 0) != Cumulative("prod", 0)
    assert str(nt.sum(nt.dmatrix("x"), 1).owner.op) == "sum{1}"


@pytest.mark.parametrize("dtype", ["int8", "int64", "bool", "float32", "float64"])
@pytest.mark.parametrize("value", [np.array([100, 100, 3], "int8"), np.array([250, 7, 1], "uint8"),
                                   np.array([True, False, True]), np.array([1.5, -3.7, 2.0])],
                         ids=lambda value: value.dtype.name)
def test_means_and_variances_take_numpys_dtype(value, dtype):
    x = variable(value)
    for name, options in (("mean", {}), ("var", {}), ("var", {"ddof": 1}), ("std", {"ddof": 1})):
        # The variance of booleans is an error in NumPy, and the wrapped one of integers may have no root.
        if (dtype == "bool" and name != "mean") or (name == "std" and not dtype.startswith("float")):
            continue
        expected = np.asarray(getattr(np, name)(value, dtype=dtype, **options))
        for output in (getattr(nt, name)(x, dtype=dtype, **options), getattr(x, name)(dtype=dtype, **options)):
            actual = run(output, (x, value))
            assert actual.dtype == expected.dtype
            np.testing.assert_allclose(actual, expected, rtol=1e-6 if dtype == "float32" else 1e-14)


@pytest.mark.parametrize("dtype", ["int8", "int64", "bool", "float32", "complex128"])
@pytest.mark.parametrize("value", [np.array([[100, 100], [3, 0]], "int8"), np.array([[True, False], [True, True]]),
                                   np.array([[1.5, -3.7], [2.0, 0.0]])], ids=lambda value: value.dtype.name)
def test_cumulative_functions_take_numpys_dtype(value, dtype):
    x = variable(value)
    for name in ("cumsum", "cumprod"):
        expected = getattr(np, name)(value, axis=1, dtype=dtype)
        for output in (getattr(nt, name)(x, 1, dtype), getattr(x, name)(axis=1, dtype=dtype)):
            actual = run(output, (x, value))
            assert actual.dtype == expected.dtype
            np.testing.assert_allclose(actual, expected, rtol=1e-6)


def test_a_variance_is_added_up_in_the_dtype_that_is_asked_for():
    x = nt.fvector("x")
    assert nt.var(x, acc_dtype="float32").type.dtype == "float32"
    value = np.array([1.0, 2.0, 5.0], "float32")
    np.testing.assert_allclose(run(nt.var(x, acc_dtype="float64"), (x, value)), np.var(value), rtol=1e-6)
