"""What stands between Python's arguments and native code: it takes what the code was made for, and refuses all else."""

from __future__ import annotations

import sys
from functools import cache

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph import In, function, shared
from nbgraph.errors import DTypeError, ShapeError

DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64",
          "complex64", "complex128")
SHAPE = (2, 3, 4)


@cache
def twice(dtype, ndim):
    """A function of an array, and of a float."""
    x = nt.tensor(dtype=dtype, shape=(None,) * ndim, name="x")
    s = nt.dscalar("s")
    return function([x, s], [x, s])


def entry(dtype, ndim):
    return twice(dtype, ndim).maker.executor.entry


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_of_the_very_dtype_rank_and_layout_are_taken(dtype, ndim):
    call, right = entry(dtype, ndim), np.arange(np.prod(SHAPE[:ndim])).astype(dtype).reshape(SHAPE[:ndim])
    assert np.array_equal(call(right, 1.0)[0], right)
    others = [d for d in DTYPES if d != dtype]
    assert [call(np.ones(right.shape, other), 1.0) for other in others] == [None] * len(others)
    assert call(right[None], 1.0) is None
    assert call(right[0], 1.0) is None
    assert call(np.repeat(right, 2, axis=0)[::2], 1.0) is None
    assert call(right.view(type("Sub", (np.ndarray,), {})), 1.0) is None
    if right.dtype.itemsize > 1:
        swapped = right.astype(right.dtype.newbyteorder())
        assert call(swapped, 1.0) is None
        room = np.zeros(right.nbytes + 1, np.uint8)[1:].view(right.dtype).reshape(right.shape)
        assert room.flags.c_contiguous
        assert call(room, 1.0) is None
    if ndim > 1:
        assert call(np.asfortranarray(right), 1.0) is None


@pytest.mark.parametrize("wrong", [None, 1.0, 1, "x", [1.0], (1.0,), np.float64(1), np.array(1.0), np.ndarray])
def test_what_is_no_array_is_refused(wrong):
    assert entry("float64", 1)(wrong, 1.0) is None


@pytest.mark.parametrize(("value", "taken"), [
    (1.0, True), (np.float64(1), True), (float("nan"), True), (1, False), (True, False), (np.float32(1), False),
    (np.array(1.0), False), (1j, False), ("1", False), (None, False),
])
def test_floats_are_taken(value, taken):
    assert (entry("float64", 1)(np.ones(2), value) is not None) is taken


@pytest.mark.parametrize("count", [0, 1, 3, 100])
def test_another_number_of_arguments_is_refused(count):
    assert entry("float64", 1)(*[np.ones(2)] * count) is None


def test_read_only_arrays_are_taken_and_not_written():
    x = nt.dvector("x")
    f = function([x], nt.set_subtensor(x[0], 5.0))
    given = np.arange(3.0)
    given.setflags(write=False)
    assert f(given).tolist() == [5, 1, 2]
    assert given.tolist() == [0, 1, 2]


def test_calls_keep_no_reference():
    given, scalar = np.arange(3.0), 1234.5
    f = twice("float64", 1)
    before = sys.getrefcount(given), sys.getrefcount(scalar)
    for _ in range(100):
        f(given, scalar)
        entry("float64", 1)(given, None)
    assert (sys.getrefcount(given), sys.getrefcount(scalar)) == before


def test_failing_calls_keep_no_reference():
    x, y = nt.dvectors("x", "y")
    f = function([x, y], x + y)
    given, other = np.ones(3), np.ones(4)
    before = sys.getrefcount(given)
    for _ in range(20):
        with pytest.raises(ShapeError):
            f(given, other)
    assert sys.getrefcount(given) == before


def test_what_is_refused_is_converted_and_computed_once():
    x, count = nt.dvector("x"), shared(0)
    f = function([x], x.sum(), updates={count: count + 1})
    for value in ([1, 2], np.arange(3), np.arange(6.0)[::2], np.float32([1.5]), np.arange(3.0).astype(">f8")):
        before = int(count.get_value())
        assert f(value) == np.sum(np.asarray(value, dtype=float))
        assert count.get_value() == before + 1
    for wrong in (["a"], [[1.0]], 1j * np.ones(2)):
        with pytest.raises(DTypeError):
            f(wrong)
    assert count.get_value() == 5


def test_a_trusting_function_refuses_and_converts_too():
    f = twice("float64", 1).copy()
    f.trust_input = True
    assert f([1, 2], 3)[0].tolist() == [1, 2]
    with pytest.raises(DTypeError):
        f("abc", 1.0)


def test_dtypes_that_are_equal_are_the_same():
    x, i = nt.dvector("x"), nt.lvector("i")
    explicit = np.arange(3).astype(">f8").byteswap()
    explicit = explicit.view(explicit.dtype.newbyteorder())  # "<", which is this machine's order, or ">"
    long = np.arange(3, dtype=np.longlong)
    assert function([x], x * 2)(explicit).tolist() == [0, 2, 4]
    assert function([i], i * 2)(long).tolist() == [0, 2, 4]
    assert function([i], i + long)(np.arange(3)).tolist() == [0, 2, 4]
    state = shared(long)
    f = function([], state * 2, updates={state: state + 1})
    assert f().tolist() == [0, 2, 4]
    state.set_value(long, borrow=True)
    assert f().tolist() == [0, 2, 4]
    assert long.tolist() == [0, 1, 2]


def test_a_strict_scalar_beside_an_argument_that_is_converted():
    a, x = nt.dscalar("a"), nt.dvector("x")
    f = function([In(a, strict=True), x], a * x)
    assert f(np.float64(2), [1, 2]).tolist() == [2, 4]
    with pytest.raises(DTypeError, match="input a"):
        f(2, [1, 2])
