"""set_subtensor and inc_subtensor against NumPy's assignments, by reference evaluation."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.errors import BoundsError, DTypeError, ShapeError
from nbgraph.gradient import DisconnectedInputError, Rop, grad, verify_grad
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.tensor import dtypes

RNG = np.random.default_rng(13)
CUBE = RNG.standard_normal((4, 5, 3))
MASK1, MASK2 = np.array([True, False, True, True]), RNG.random((4, 5)) > 0.5
INDICES = [0, (1, 2, 0), Ellipsis, slice(None), slice(None, None, -1), slice(-3, None, 2), slice(3, 1),
           (slice(None), 1),
           None, (None, 1, None), (slice(None), None, 2), (slice(4, None, -2), slice(None, -1), slice(-1, 0, -1)),
           [0, 2], [[0, -1], [2, 3]], ([0, 1], [2, 3]), (slice(None), [4, 0, 1]), (Ellipsis, [2, 0]), (0, [1, 2]),
           ([1, 2], slice(None), [0, 2]), (1, slice(None), [0, 2]), (slice(1, 3), None, [1, 2]), (None, [1, 2]), [],
           (slice(None, None, 2), [1, 2], slice(None, None, -1)), (slice(None), [[0], [1]], [0, 1, 2]),
           MASK1, MASK2, (slice(None), np.array([True, False, True, False, True])), (MASK1, 0), CUBE > 0, (MASK2, None)]


def run(outputs, *pairs):
    """Values of `outputs` where each (variable, value) pair gives an input."""
    listed = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    values = evaluate(FunctionGraph([v for v, _ in pairs], listed), [np.asarray(value) for _, value in pairs])
    return values if isinstance(outputs, (list, tuple)) else values[0]


def tensor(value, name="x"):
    value = np.asarray(value)
    return nt.tensor(name, dtype=value.dtype.name, shape=tuple(1 if n == 1 else None for n in value.shape))


def assert_same(actual, expected):
    expected = np.asarray(expected)
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(actual, expected)


def numpy_set(x, index, y):
    result = x.copy()
    result[index] = y
    return result


def numpy_inc(x, index, y):
    result = x.copy()
    np.add.at(result, index, y)
    return result


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_set_and_inc_do_what_numpy_does_and_leave_x_alone(index):
    region = RNG.standard_normal(CUBE[index].shape)
    x, y, before = tensor(CUBE), tensor(region, "y"), CUBE.copy()
    assert_same(run(nt.set_subtensor(x[index], y), (x, CUBE), (y, region)), numpy_set(CUBE, index, region))
    assert_same(run(nt.inc_subtensor(x[index], y), (x, CUBE), (y, region)), numpy_inc(CUBE, index, region))
    assert_same(run(x[index].set(2.5), (x, CUBE)), numpy_set(CUBE, index, 2.5))
    assert_same(run(x[index].inc(-1), (x, CUBE)), numpy_inc(CUBE, index, -1))
    np.testing.assert_array_equal(CUBE, before)
    assert nt.set_subtensor(x[index], y).type == x.type


@pytest.mark.parametrize("index", [np.s_[1:3], np.s_[:, ::-1], [2, 0], np.s_[:, [0, 1, 3]], np.s_[1:, [0, 1]],
                                   (MASK1, slice(2))],
                         ids=str)
def test_a_value_broadcasts_from_fewer_axes_and_from_lengths_known_to_be_one(index):
    full = CUBE[index].shape
    x = tensor(CUBE)
    for shape in [(), full[-1:], (1, *full[1:]), (full[0], 1, 1), (1, 1, *full[1:])]:
        value = RNG.standard_normal(shape)
        y = tensor(value, "y")
        assert_same(run(x[index].set(y), (x, CUBE), (y, value)), numpy_set(CUBE, index, value))
        assert_same(run(x[index].inc(y), (x, CUBE), (y, value)),
                    numpy_inc(CUBE, index, np.broadcast_to(value.reshape(shape[-len(full):]), full)))


def test_positions_can_be_symbolic():
    x, i, v, m = tensor(CUBE), nt.lscalar("i"), nt.lvector("v"), tensor(MASK1, "m")
    pairs = ((x, CUBE), (i, -2), (v, [3, 1]), (m, MASK1))
    for symbolic, index in [(i, -2), (np.s_[i:, 0], np.s_[-2:, 0]), (np.s_[::i], np.s_[::-2]),
                            ((slice(None), v), (slice(None), [3, 1])),
                            (m, MASK1), (x > 0, CUBE > 0), ((i, slice(None), v - 1), (-2, slice(None), [2, 0]))]:
        assert_same(run(x[symbolic].set(7.0), *pairs), numpy_set(CUBE, index, 7.0))
        assert_same(run(x[symbolic].inc(7.0), *pairs), numpy_inc(CUBE, index, 7.0))


def test_inc_adds_as_often_as_an_index_comes_and_set_keeps_the_last_value():
    x, y = nt.dvector("x"), nt.dvector("y")
    values = ((x, np.zeros(3)), (y, [1.0, 2.0, 4.0]))
    assert_same(run(x[[0, 2, 0]].inc(y), *values), [5.0, 0.0, 2.0])
    assert_same(run(x[[0, 2, 0]].set(y), *values), [4.0, 0.0, 2.0])


def test_the_result_has_the_shape_of_what_was_indexed_last():
    x = tensor(CUBE)
    rows, turned, flat = x[1:], x.T, x.reshape((10, 6))
    assert_same(run(rows[0].set(0), (x, CUBE)), numpy_set(CUBE[1:], 0, 0))
    assert_same(run(turned[0].set(0), (x, CUBE)), numpy_set(CUBE.T, 0, 0))
    assert_same(run(turned[[0, 2]].set(0), (x, CUBE)), numpy_set(CUBE.T, [0, 2], 0))
    assert_same(run(turned[:, [0, 2]].set(0), (x, CUBE)), numpy_set(CUBE.T, np.s_[:, [0, 2]], 0))
    assert_same(run(rows[[0, 2]].set(0), (x, CUBE)), numpy_set(CUBE[1:], [0, 2], 0))
    assert_same(run(flat[0].set(0), (x, CUBE)), numpy_set(CUBE.reshape(10, 6), 0, 0))


def test_a_transposition_or_reshape_of_an_index_is_undone():
    x, y = tensor(CUBE), nt.dmatrix("y")
    value = RNG.standard_normal((3, 5))
    assert_same(run(nt.set_subtensor(x[1].T, y), (x, CUBE), (y, value)), numpy_set(CUBE, 1, value.T))
    assert_same(run(nt.inc_subtensor(x[[1, 2, 1]][:, :, 0].T, 1.0), (x, CUBE)),
                numpy_inc(CUBE[[1, 2, 1]], np.s_[:, :, 0], 1.0))
    assert_same(run(nt.set_subtensor(x[1].flatten(), np.arange(15.0)), (x, CUBE)),
                numpy_set(CUBE, 1, np.arange(15.0).reshape(5, 3)))
    assert_same(run(nt.set_subtensor(x[[2, 1]].T, y[:, :, None]), (x, CUBE), (y, value)),
                numpy_set(CUBE, [2, 1], value.T[None]))


def test_a_value_for_an_axis_of_length_one_is_checked_at_run_time():
    x, y = tensor(CUBE), nt.dtensor3("y")
    z = x[None, 0].set(y)
    assert_same(run(z, (x, CUBE), (y, np.ones((1, 5, 3)))), numpy_set(CUBE, 0, 1.0))
    with pytest.raises(ShapeError, match="must have length 1, it has 2"):
        run(z, (x, CUBE), (y, np.ones((2, 5, 3))))


@pytest.mark.parametrize("dtype", dtypes.ALL)
def test_every_dtype_is_set_and_incremented_as_numpy_does(dtype):
    value, new = (RNG.integers(0, 3, shape).astype(dtype) for shape in ((3, 2), (2,)))
    x, y = tensor(value), tensor(new, "y")
    for index in (0, [2, 0]):
        assert_same(run(x[index].set(y), (x, value), (y, new)), numpy_set(value, index, new))
        assert_same(run(x[index].inc(y), (x, value), (y, new)), numpy_inc(value, index, new))


@pytest.mark.parametrize(("into", "value"), [("float32", nt.dvector("y")), ("complex64", nt.dvector("y")),
                                             ("float32", nt.lvector("y")),
                                             ("int8", nt.lvector("y")), ("uint8", 3), ("float32", 2),
                                             ("complex64", 1.5)])
def test_a_value_is_cast_where_numpy_would_cast_it_by_same_kind(into, value):
    x = nt.tensor("x", dtype=into, shape=(None,))
    assert x[:2].set(value).type.dtype == into and x[[0]].inc(value).type.dtype == into


@pytest.mark.parametrize(("into", "value"), [("int64", 1.5), ("int64", nt.dvector("y")), ("float64", nt.zvector("y")),
                                             ("bool", 1),
                                             ("uint8", nt.lvector("y")), ("float64", 1j)])
def test_a_value_that_would_lose_its_kind_is_refused(into, value):
    x = nt.tensor("x", dtype=into, shape=(None,))
    for z in (x[:2], x[[0]]):
        with pytest.raises(DTypeError, match=f"cannot go into an array of dtype {into}"):
            z.set(value)


def test_what_is_no_index_expression_is_refused():
    x = nt.dvector("x")
    for z in (x, x + 1, nt.dmatrix("m").T, nt.exp(x[0])):
        with pytest.raises(DTypeError, match="needs an index expression") as caught:
            nt.set_subtensor(z, 0)
        assert "fix:" in str(caught.value)


def test_wrong_lengths_are_errors_when_built_and_when_run():
    x, y = nt.dmatrix("x"), nt.dvector("y")
    fixed = nt.tensor("x", dtype="float64", shape=(4, 3))
    for index in (0, [0, 1], np.s_[:, [0, 1, 1]]):
        with pytest.raises(ShapeError, match="does not broadcast to the indexed elements"):
            fixed[index].set(np.ones(5))
        with pytest.raises(ShapeError, match=r"a value of shape \((1,|1, 1)\) does not broadcast") as caught:
            run(x[index].set(y), (x, np.ones((4, 3))), (y, [1.0]))
        assert "y " in str(caught.value) and "fix:" in str(caught.value)
    with pytest.raises(ShapeError, match="does not broadcast"):
        x[0].set(x)


def test_positions_out_of_bounds_are_errors():
    x, v = nt.dmatrix("x"), nt.lvector("v")
    with pytest.raises(BoundsError, match="index 3 is out of bounds for axis 1, whose length is 3"):
        run(x[:, v].inc(1.0), (x, np.ones((4, 3))), (v, [0, 3]))
    with pytest.raises(BoundsError, match="index -9 is out of bounds for axis 0, whose length is 4"):
        run(x[-9].set(1.0), (x, np.ones((4, 3))))


@pytest.mark.parametrize("index", [1, np.s_[1:, ::-2], np.s_[:, None, 2], [0, 2], np.s_[1:, [0, 2], 1], MASK2], ids=str)
@pytest.mark.parametrize("update", [nt.set_subtensor, nt.inc_subtensor])
def test_gradients_of_updates_agree_with_finite_differences(index, update):
    region = CUBE[index].shape
    for shape in (region, (), (1, *region[1:])):
        verify_grad(lambda x, y: update(x[index], y) ** 2, [CUBE, RNG.standard_normal(shape)], n_tests=1)
    verify_grad(lambda x, y: grad((update(x[index], y) ** 3).sum(), [x, y]), [CUBE, RNG.standard_normal(region)],
                n_tests=1)


def test_gradient_of_a_repeated_increment_counts_every_time():
    x, y = nt.dvector("x"), nt.dscalar("y")
    gx, gy = grad((x[[0, 0, 1]].inc(y) * [1.0, 10.0]).sum(), [x, y])
    assert_same(run([gx, gy], (x, [1.0, 2.0]), (y, 3.0))[1], np.array(12.0))


@pytest.mark.parametrize("index", [1, np.s_[1:, ::-2], [0, 2]], ids=str)
@pytest.mark.parametrize("update", [nt.set_subtensor, nt.inc_subtensor])
def test_forward_mode_of_an_update_is_the_update_of_the_directions(index, update):
    region = RNG.standard_normal(CUBE[index].shape)
    x, y, dx, dy = tensor(CUBE), tensor(region, "y"), tensor(CUBE, "dx"), tensor(region, "dy")
    pairs = ((x, CUBE), (y, region), (dx, 2 * CUBE), (dy, 3 * region))
    reference = numpy_set if update is nt.set_subtensor else numpy_inc
    assert_same(run(Rop(update(x[index], y), [x, y], [dx, dy]), *pairs), reference(2 * CUBE, index, 3 * region))
    assert_same(run(Rop(update(x[index], y), y, dy), *pairs), reference(0 * CUBE, index, 3 * region) + 0.0)


def test_positions_of_an_update_are_disconnected():
    x, i, v = nt.dvector("x"), nt.lscalar("i"), nt.lvector("v")
    for z, position in ((x[i].set(0.0), i), (x[v].inc(1.0), v)):
        with pytest.raises(DisconnectedInputError):
            grad(z.sum(), position)


def test_an_integer_array_has_zero_gradient_through_an_update():
    x, y = nt.lvector("x"), nt.lscalar("y")
    for z in (x[0].set(y), x[[0, 1]].inc(y)):
        gx, gy = run(grad(z.astype("float64").sum(), [x, y]), (x, [1, 2]), (y, 3))
        assert_same(gx, np.zeros(2))
        assert_same(gy, np.array(0.0))
