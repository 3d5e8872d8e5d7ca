"""Python integers that the other operand's dtype cannot hold, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.errors import RangeError
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph

VALUES = {dtype: np.array([low, 0, 1, high], dtype) for dtype, low, high in (
    ("int8", -128, 127), ("uint8", 5, 255), ("int64", -2**63, 2**63 - 1), ("uint64", 5, 2**64 - 1), ("bool", 0, 1))}
NUMBERS = (-2**70, -300, -129, -1, 0, 127, 255, 256, 300, 2**63, 2**64, 2**70)
COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")


def run(output, x, value):
    return evaluate(FunctionGraph([x], [output]), [value])[0]


def variable(value):
    return nt.tensor("x", dtype=value.dtype.name, shape=(None,) * value.ndim)


def assert_same(actual, expected):
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("name", COMPARISONS)
@pytest.mark.parametrize("dtype", VALUES)
def test_a_comparison_with_any_python_integer_compares_numbers(name, dtype):
    value = VALUES[dtype]
    x = variable(value)
    # Of booleans NumPy makes int64, and refuses what that cannot hold.
    for number in (n for n in NUMBERS if dtype != "bool" or abs(n) < 2**63):
        assert_same(run(getattr(nt, name)(x, number), x, value), getattr(np, name)(value, number))
        assert_same(run(getattr(nt, name)(number, x), x, value), getattr(np, name)(number, value))


def test_operators_compare_numbers_too():
    x = nt.bvector("x")
    for output in (x < 300, x <= 300, x > -300, 300 > x):
        assert run(output, x, VALUES["int8"]).all()


@pytest.mark.parametrize(("low", "high"), [(0, 300), (-300, 300), (-1, 100), (-2**70, 2**70)])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64"])
def test_clip_takes_bounds_beyond_those_of_the_dtype(dtype, low, high):
    value = VALUES[dtype]
    x = variable(value)
    if dtype == "int64" or (low, high) == (-1, 100) or high == 300 or high == 2**70:
        assert_same(run(nt.clip(x, low, high), x, value), np.clip(value, low, high))


def test_a_lower_bound_above_all_numbers_is_an_error():
    with pytest.raises(OverflowError):
        np.clip(VALUES["int8"], 300, 400)
    with pytest.raises(RangeError, match="300 is out of range for int8"):
        nt.clip(nt.bvector("x"), 300, 400)


@pytest.mark.parametrize("number", [-1, 100, 300, -300, 40_000])
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_where_wraps_a_number_as_numpy_does(dtype, number):
    value = VALUES[dtype]
    x = variable(value)
    assert_same(run(nt.where(x > 1, x, number), x, value), np.where(value > 1, value, number))
    assert_same(run(nt.switch(x > 1, number, x), x, value), np.where(value > 1, number, value))


def test_where_refuses_a_number_of_more_than_64_bits():
    with pytest.raises(RangeError, match="is out of range for int64"):
        nt.where(nt.lvector("x") > 1, nt.lvector("x"), 2**70)


def test_logic_takes_a_number_for_whether_it_is_zero():
    x = nt.bvector("x")
    for number in (0, 300):
        for name in ("logical_and", "logical_or", "logical_xor"):
            assert_same(run(getattr(nt, name)(x, number), x, VALUES["int8"]), getattr(np, name)(VALUES["int8"], number))


def test_isclose_takes_a_number_that_the_dtype_cannot_hold():
    x = nt.bvector("x")
    assert_same(run(nt.isclose(x, 300), x, VALUES["int8"]), np.isclose(VALUES["int8"], 300))


@pytest.mark.parametrize("build", [lambda x: x + 300, lambda x: 300 - x, lambda x: x * 300, lambda x: x // 300,
                                   lambda x: x & 300, lambda x: x << 300, lambda x: nt.maximum(x, 300),
                                   lambda x: nt.minimum(x, 300), lambda x: x**300, lambda x: nt.full_like(x, 300),
                                   lambda x: nt.set_subtensor(x[0], 300)])
def test_other_functions_refuse_the_number_with_an_error_that_explains(build):
    with pytest.raises(OverflowError, match="300") as caught:
        build(nt.bvector("x"))
    message = str(caught.value)
    assert isinstance(caught.value, RangeError) and "test_python_integers.py" in message and "fix:" in message


def test_a_float_dtype_refuses_what_no_float_can_hold():
    with pytest.raises(RangeError, match="bits is out of range for float64"):
        nt.dvector("x") + 10**400
