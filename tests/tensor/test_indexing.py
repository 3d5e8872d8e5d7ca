"""x[index], take and nonzero against NumPy on the same index, by reference evaluation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nbgraph.tensor as nt
from nbgraph.errors import BoundsError, DTypeError, ShapeError, ValueDomainError
from nbgraph.gradient import DisconnectedInputError, Rop, grad, verify_grad
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.tensor import dtypes
from nbgraph.tensor.indexing_basic import Subtensor

RNG = np.random.default_rng(11)
CUBE = RNG.standard_normal((4, 5, 3))
MASK1, MASK2 = np.array([True, False, True, True]), RNG.random((4, 5)) > 0.5
BASIC = [0, -1, np.int8(2), (1, 2, 0), (), Ellipsis, slice(None), slice(1, 3), slice(None, None, -1),
         slice(-3, None, 2),
         slice(3, 1), slice(10, None), (slice(None), 1), (Ellipsis, 1), (1, Ellipsis), (1, 2, 0, Ellipsis), None,
         (None, 1, None), (slice(None), None, 2), (Ellipsis, None),
         (slice(4, None, -2), slice(None, -1), slice(-1, 0, -1))]
ADVANCED = [[0, 2], [[0, -1], [2, 2]], ([0, 1], [2, 3]), (slice(None), [4, 0, 0]), (Ellipsis, [2, 0]), ([1], [0, 1, 2]),
            (0, [1, 2]), ([1, 2], slice(None), [0, 2]), (1, slice(None), [0, 2]), (slice(None), 1, [0, 2]),
            (slice(None), [1, 4], 2), (None, [1, 2]), ([1, 2], None, [0, 1]), (slice(None), [1, 2], [0, 1]),
            (slice(1, 3), None, [1, 2]), ([0, 1], Ellipsis, [0, 1]), (slice(None), [0, 1], Ellipsis, [0, 1]), [],
            (np.array(2), np.array([1, 3], np.uint8)), (slice(None), [[0], [1]], [0, 1, 2]),
            ([0, 1], 1, slice(None, None, -1)),
            (0, None, [1, 2]), (slice(None), slice(None), [[2, 1]]), ([[0], [1]], [[0, 1]], [[2, 2], [0, 0]])]
MASKS = [MASK1, MASK2, (slice(None), np.array([True, False, True, False, True])), (MASK1, 0), (MASK2, 1),
         (MASK1, [0, 1, 2]),
         (Ellipsis, np.array([False, True, True])), CUBE > 0, (MASK1, None), [True, False, False, True],
         (slice(1, 3), [True] * 5),
         np.zeros(4, bool)]


def run(outputs, *pairs):
    """Values of `outputs` where each (variable, value) pair gives an input."""
    listed = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    values = evaluate(FunctionGraph([v for v, _ in pairs], listed), [np.asarray(value) for _, value in pairs])
    return values if isinstance(outputs, (list, tuple)) else values[0]


def tensor(value, static=False, name="x"):
    value = np.asarray(value)
    return nt.tensor(name, dtype=value.dtype.name, shape=value.shape if static else (None,) * value.ndim)


def assert_same(actual, expected):
    expected = np.asarray(expected)
    assert isinstance(actual, np.ndarray)
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(actual, expected)


def assert_lengths_inferred(output, *pairs):
    """infer_shape of the node, from symbolic lengths of its inputs, gives the lengths that perform has."""
    node = output.owner
    if not hasattr(node.op, "infer_shape"):
        return
    found = node.op.infer_shape(None, node, [tuple(nt.lengths_of(v)) for v in node.inputs])[output.index]
    value, *lengths = run([output, *map(nt.as_tensor_variable, found)], *pairs)
    assert tuple(int(n) for n in lengths) == value.shape


@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize("index", BASIC + ADVANCED + MASKS, ids=str)
def test_an_index_selects_what_numpy_selects(index, static):
    x = tensor(CUBE, static)
    z = x[index]
    expected = CUBE[index]
    assert_same(run(z, (x, CUBE)), expected)
    assert all(n in (None, m) for n, m in zip(z.type.shape, expected.shape, strict=True))
    assert not static or None not in z.type.shape
    assert_lengths_inferred(z, (x, CUBE))


@pytest.mark.parametrize("dtype", dtypes.ALL)
def test_every_dtype_stays_as_it_is(dtype):
    value = RNG.integers(0, 3, (3, 2)).astype(dtype)
    x = tensor(value)
    for index in (0, slice(None, None, -1), [2, 0], value.astype(bool)):
        assert_same(run(x[index], (x, value)), value[index])


ONE_INDEX = st.one_of(st.integers(-6, 5), st.slices(5), st.none(), st.just(Ellipsis),
                      st.lists(st.integers(-3, 2), min_size=2, max_size=2))


@settings(max_examples=150, deadline=None)
@given(st.lists(ONE_INDEX, max_size=4).map(tuple))
def test_any_index_gives_what_numpy_gives_or_fails_where_numpy_fails(index):
    x = tensor(CUBE)
    try:
        expected = CUBE[index]
    except IndexError:
        with pytest.raises(BoundsError):
            run(x[index], (x, CUBE))
        return
    assert_same(run(x[index], (x, CUBE)), expected)


@pytest.mark.parametrize("numbers", [(1, 2), (-2, 4), (0, -1), (9, -9), (3, 1)])
def test_bounds_steps_and_integers_can_be_symbolic(numbers):
    a, b, x = nt.iscalar("a"), nt.lscalar("b"), tensor(CUBE)
    i, j = (np.array(n, d) for n, d in zip(numbers, ("int32", "int64"), strict=True))
    pairs = ((x, CUBE), (a, i), (b, j))
    for symbolic, value in [((slice(a, b),), np.s_[i:j]), ((slice(a, b, -1),), np.s_[i:j:-1]),
                            (np.s_[:, b:, ::2], np.s_[:, j:, ::2]),
                            ((slice(None, None, b),), np.s_[::int(j)]), ((slice(a, None, b),), np.s_[i::int(j)])]:
        z = x[symbolic]
        assert_same(run(z, *pairs), CUBE[value])
        assert_lengths_inferred(z, *pairs)
    if abs(numbers[0]) < 4:
        assert_same(run(x[a, :, 0], *pairs), CUBE[i, :, 0])


def test_index_arrays_and_masks_can_be_symbolic():
    x, i, m = tensor(CUBE), nt.ivector("i"), tensor(MASK1, name="m")
    j = nt.tensor("j", dtype="uint8", shape=(None, None))
    vi, vj = np.array([3, -1, 0], "int32"), np.array([[1, 2, 0], [0, 0, 4]], "uint8")
    pairs = ((x, CUBE), (i, vi), (j, vj), (m, MASK1))
    for symbolic, value in [(i, vi), ((i, j), (vi, vj)), (np.s_[:, j], np.s_[:, vj]),
                            ((i, slice(None), i % 3), (vi, slice(None), vi % 3)),
                            (m, MASK1), ((m, slice(None), i % 3), (MASK1, slice(None), vi % 3)), (x > 0.5, CUBE > 0.5),
                            (np.s_[:, x[0, :, 0] < 0], np.s_[:, CUBE[0, :, 0] < 0]), ((i[0], j), (vi[0], vj)),
                            ([i[0], 1], [vi[0], 1])]:
        z = x[symbolic]
        assert_same(run(z, *pairs), CUBE[value])


def test_an_element_of_a_shape_is_the_length_itself():
    x = tensor(CUBE)
    k = nt.shape(x)
    assert k[1] is k.owner.inputs[1] and k[-1] is k.owner.inputs[2] and k[np.int64(0)] is k.owner.inputs[0]
    assert k[1:].owner.inputs == k.owner.inputs[1:]
    i = nt.lscalar("i")
    assert_same(run(k[i], (x, CUBE), (i, -2)), np.array(5))
    assert_same(run(k[[2, 0]], (x, CUBE)), [3, 4])
    with pytest.raises(BoundsError):
        k[3]


def test_slices_that_change_nothing_leave_no_bounds_behind():
    x = nt.dmatrix("x")
    assert x[0:].owner.op == x[::1].owner.op == x[:2**63 - 1].owner.op == x[...].owner.op == Subtensor(())
    assert str(x[2, :4].owner.op) == "getitem[i, :stop]"
    assert x[:10**30, -10**30:].type.shape == (None, None)
    assert x[:, None].owner.inputs == (x,)


def test_iteration_and_unpacking_use_the_known_length():
    x = nt.tensor("x", dtype="float64", shape=(2, None))
    first, second = x
    assert_same(run([first, second], (x, CUBE[0][:2]))[1], CUBE[0, 1])


# Errors


@pytest.mark.parametrize(("index", "error", "text"), [
    (4, BoundsError, "index 4 is out of bounds for axis 0, whose length is 4"),
    ((0, -6), BoundsError, "index -6 is out of bounds for axis 1, whose length is 5"),
    ((slice(None), [0, 7]), BoundsError, "index 7 is out of bounds for axis 1, whose length is 5"),
    ((0, 0, 0, 0), BoundsError, "4 indices are given, x has 3 axes"),
    ((Ellipsis, Ellipsis), BoundsError, "only one ellipsis"),
    (slice(None, None, 0), ValueDomainError, "the step of a slice is 0"),
    (1.5, DTypeError, "an index must be an integer"),
    ("a", DTypeError, "an index must be an integer"),
    (slice(0.5), DTypeError, "must be an integer"),
    ([0.0, 1.0], DTypeError, "an index must be an integer"),
    (np.array([True, False]), IndexError, "boolean index: axis 0 of the mask has length 2, axis 0 of x has length 4"),
    (([0, 1], [0, 1, 2]), ShapeError, "lengths 2 and 3 on axis -1 do not broadcast"),
])
def test_what_is_known_to_be_wrong_fails_when_it_is_built(index, error, text):
    with pytest.raises(error, match=text) as caught:
        tensor(CUBE, static=True)[index]
    assert "fix:" in str(caught.value) and "test_indexing.py" in str(caught.value)


def test_an_index_out_of_bounds_at_run_time_names_axis_index_and_length():
    x, i, v = tensor(CUBE), nt.lscalar("i"), nt.lvector("v")
    for z, pair, text in [(x[:, i], (i, 5), "index 5 is out of bounds for axis 1, whose length is 5"),
                          (x[v], (v, [0, -5, 9]), "index -5 is out of bounds for axis 0, whose length is 4"),
                          (x[1:, :, v], (v, [1, 3]), "index 3 is out of bounds for axis 2, whose length is 3"),
                          (x[0, :, v], (v, [3]), "index 3 is out of bounds for axis 2, whose length is 3")]:
        with pytest.raises(BoundsError, match=text) as caught:
            run(z, (x, CUBE), pair)
        message = str(caught.value)
        assert "x " in message and "fix: use an index from" in message and "test_indexing.py" in message


def test_an_index_out_of_bounds_fails_also_where_nothing_is_selected():
    x, v = nt.dmatrix("x"), nt.lvector("v")
    with pytest.raises(BoundsError, match="index 5"):
        run(x[v], (x, np.empty((3, 0))), (v, [5]))


def test_lengths_that_differ_at_run_time_are_errors():
    x, i, j, s = tensor(CUBE), nt.lvector("i"), nt.lvector("j"), nt.lscalar("s")
    m = nt.tensor("m", dtype="bool", shape=(None,))
    with pytest.raises(ShapeError, match=r"index0 has shape \(2,\), index1 has shape \(1,\)"):
        run(x[i, j], (x, CUBE), (i, [0, 1]), (j, [0]))
    with pytest.raises(ShapeError, match="boolean index: axis 0 of the mask has length 3, axis 0 of x has length 4"):
        run(x[m], (x, CUBE), (m, [True, False, True]))
    with pytest.raises(ValueDomainError, match="the step of a slice is 0"):
        run(x[::s], (x, CUBE), (s, 0))


# take, nonzero


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("mode", ["raise", "wrap", "clip"])
@pytest.mark.parametrize("indices", [1, [0, 2], [[1, -1], [0, 2]], []])
def test_take_is_that_of_numpy(indices, mode, axis):
    x = tensor(CUBE)
    wide = np.asarray(indices, np.int64) * (1 if mode == "raise" else 7)
    assert_same(run(nt.take(x, wide, axis, mode), (x, CUBE)), np.take(CUBE, wide, axis, mode=mode))


def test_take_refuses_other_modes_and_dtypes():
    with pytest.raises(ValueError, match="mode must be"):
        nt.take(nt.dvector(), [0], mode="round")
    with pytest.raises(DTypeError, match="indices must be integers"):
        nt.take(nt.dvector(), [0.5])


@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1])
def test_take_along_axis_is_that_of_numpy(axis):
    x = tensor(CUBE)
    order = np.argsort(CUBE, axis=axis)
    i = tensor(order, name="i")
    assert_same(run(nt.take_along_axis(x, i, axis), (x, CUBE), (i, order)), np.take_along_axis(CUBE, order, axis))


def test_take_along_axis_broadcasts_lengths_known_to_be_one():
    x, row = tensor(CUBE), np.array([[[1, 0]]])
    assert_same(run(nt.take_along_axis(x, row, 2), (x, CUBE)), np.take_along_axis(CUBE, row, 2))
    one = nt.tensor("one", dtype="float64", shape=(1, None, None))
    i = np.zeros((4, 2, 3), int)
    assert_same(run(nt.take_along_axis(one, i, 1), (one, CUBE[:1])), np.take_along_axis(CUBE[:1], i, 1))
    with pytest.raises(ShapeError, match="x has 3 axes, indices have 1"):
        nt.take_along_axis(x, [0], 0)


@pytest.mark.parametrize("dtype", ["bool", "int8", "float32", "complex128"])
def test_nonzero_is_that_of_numpy(dtype):
    value = (RNG.integers(-1, 2, (3, 4)) * (1j if dtype == "complex128" else 1)).astype(dtype)
    x = tensor(value)
    for found, expected in zip(run(list(nt.nonzero(x)), (x, value)), np.nonzero(value), strict=True):
        assert_same(found, expected)
    assert_same(run(nt.nonzero(x, return_matrix=True), (x, value)), np.array(np.nonzero(value)))
    assert_same(run(nt.flatnonzero(x), (x, value)), np.flatnonzero(value))
    assert_same(run(nt.nonzero_values(x), (x, value)), value[value != 0])
    assert_same(run(x[x.nonzero()], (x, value)), value[value != 0])


def test_nonzero_of_a_scalar_is_an_error():
    with pytest.raises(ShapeError, match="no axes"):
        nt.nonzero(nt.dscalar("x"))


# Derivatives


@pytest.mark.parametrize("index", [1, np.s_[1:, ::-2], np.s_[:, None, 2], [0, 2, 0],
                                   ([0, 1, 1], slice(None), [2, 2, 0]), MASK2,
                                   (None, 1, [[0], [4]]), np.s_[3:1]], ids=str)
def test_gradient_of_an_index_agrees_with_finite_differences(index):
    verify_grad(lambda x: x[index] ** 2, [CUBE])
    verify_grad(lambda x: grad((x[index] ** 3).sum(), x), [CUBE])


@pytest.mark.parametrize("index", [1, np.s_[1:, ::-2], ([0, 1, 1], slice(None), [2, 2, 0])], ids=str)
def test_forward_mode_of_an_index_is_the_index_of_the_direction(index):
    x, d = tensor(CUBE), tensor(CUBE, name="d")
    direction = RNG.standard_normal(CUBE.shape)
    assert_same(run(Rop(x[index], x, d), (x, CUBE), (d, direction)), direction[index])


def test_gradient_counts_a_repeated_index_as_often_as_it_comes():
    x = nt.dvector("x")
    assert_same(run(grad(x[[0, 2, 0]].sum(), x), (x, np.ones(3))), [2.0, 0.0, 1.0])


def test_an_integer_array_has_zero_gradient_where_its_elements_stay_integers():
    x = nt.lvector("x")
    assert_same(run(grad(x[1:].astype("float64").sum(), x), (x, [1, 2, 3])), np.zeros(3))
    assert_same(run(grad(x[[0, 1]].astype("float64").sum(), x), (x, [1, 2, 3])), np.zeros(3))


def test_positions_are_disconnected():
    x, i, v = nt.dvector("x"), nt.lscalar("i"), nt.lvector("v")
    for z, position in ((x[i], i), (x[i:].sum(), i), (x[v].sum(), v)):
        with pytest.raises(DisconnectedInputError):
            grad(z, position)


SCALAR_MASKS = [True, False, np.True_, np.array(False), (True, 0), (Ellipsis, True), (True, Ellipsis, False), (0, True),
                (slice(None), True), (True, [0, 1]), ([0, 1], True), ([0, 1], slice(None), True), (None, True),
                (True, True), (True, slice(1, None)), (0, True, 0), ([0, 1], True, [0, 1])]


@pytest.mark.parametrize("index", SCALAR_MASKS, ids=str)
def test_a_boolean_scalar_is_a_mask_without_axes(index):
    for static in (False, True):
        x = tensor(CUBE, static=static)
        assert_same(run(x[index], (x, CUBE)), CUBE[index])


@pytest.mark.parametrize("index", SCALAR_MASKS, ids=str)
def test_elements_that_a_boolean_scalar_selects_are_set_and_incremented(index):
    x, set_, incremented = tensor(CUBE), CUBE.copy(), CUBE.copy()
    set_[index] = 7
    incremented[index] += 7
    assert_same(run(nt.set_subtensor(x[index], 7), (x, CUBE)), set_)
    assert_same(run(nt.inc_subtensor(x[index], 7), (x, CUBE)), incremented)


def test_a_boolean_scalar_may_be_symbolic():
    x, c = tensor(CUBE), nt.scalar("c", dtype="bool")
    for value in (True, False):
        assert_same(run(x[c], (x, CUBE), (c, value)), CUBE[value])
        assert_same(run(nt.set_subtensor(x[c], 7), (x, CUBE), (c, value)), CUBE if not value else np.full_like(CUBE, 7))
