"""concatenate, stack, split, repeat, tile against NumPy, by reference evaluation."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, ShapeError, ValueDomainError
from nbgraph.gradient import Rop, grad, verify_grad
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.tensor.join import Join

RNG = np.random.default_rng(11)


def run(outputs, *pairs):
    """Values of `outputs` where each (variable, value) pair gives an input."""
    listed = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    values = evaluate(FunctionGraph([v for v, _ in pairs], listed), [np.asarray(value) for _, value in pairs])
    return values if isinstance(outputs, (list, tuple)) else values[0]


def assert_same(actual, expected):
    expected = np.asarray(expected)
    assert actual.dtype == expected.dtype
    np.testing.assert_array_equal(actual, expected, strict=True)


def matrix(name, dtype="float64"):
    return nt.tensor(name, dtype=dtype, shape=(None, None))


@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_concatenate_is_that_of_numpy(axis):
    a, b = RNG.random((3, 3)), RNG.random((3, 3))
    x, y = matrix("x"), matrix("y")
    assert_same(run(nt.concatenate([x, y, x], axis=axis), (x, a), (y, b)), np.concatenate([a, b, a], axis=axis))


@pytest.mark.parametrize("other", ["bool", "int32", "uint64", "float32", "complex64"])
def test_concatenate_promotes_as_numpy_does(other):
    a, b = np.ones((2, 2), "int64"), np.ones((1, 2), other)
    x, y = matrix("x", "int64"), matrix("y", other)
    assert_same(run(nt.join(0, x, y), (x, a), (y, b)), np.concatenate([a, b]))


def test_empty_pieces_join():
    x, y = matrix("x"), matrix("y")
    assert_same(run(nt.concatenate([x, y]), (x, np.zeros((0, 2))), (y, np.ones((1, 2)))), np.ones((1, 2)))


def test_the_shape_of_a_join_is_known_where_its_parts_are():
    x = nt.tensor("x", dtype="float64", shape=(2, None))
    y = nt.tensor("y", dtype="float64", shape=(3, 4))
    z = nt.concatenate([x, y])
    assert z.type.shape == (5, 4)
    w = nt.concatenate([matrix("a"), y])
    assert w.type.shape == (None, 4)
    n = nt.lscalar("n")
    ((length, other),) = w.owner.op.infer_shape(None, w.owner, [(n, 4), (3, 4)])
    assert other == 4
    assert run(length, (n, 7)) == 10


def test_one_array_is_joined_to_itself():
    x = matrix("x")
    assert nt.concatenate([x]) is x


def test_joins_that_cannot_be_are_refused_when_built():
    x, v = nt.tensor("x", dtype="float64", shape=(2, 3)), nt.dvector("v")
    with pytest.raises(ShapeError, match="at least one array"):
        nt.concatenate([])
    with pytest.raises(ShapeError, match="takes no scalars"):
        nt.concatenate([nt.dscalar("s"), v])
    with pytest.raises(ShapeError, match="arrays of one rank"):
        nt.concatenate([x, v])
    with pytest.raises(ShapeError, match="lengths 3 and 4 of axis 1 differ"):
        nt.concatenate([x, nt.tensor("y", dtype="float64", shape=(2, 4))])
    with pytest.raises(ShapeError, match="out of range"):
        nt.concatenate([x, x], axis=2)


def test_lengths_that_differ_at_run_time_are_an_error_in_three_parts():
    x, y = matrix("left"), matrix("right")
    with pytest.raises(ShapeError, match=r"(?s)lengths 2 and 3 of axis 1 differ: shapes \(1, 2\), \(1, 3\).*"
                                         r"where: .*left.*right.*fix: "):
        run(nt.concatenate([x, y]), (x, np.zeros((1, 2))), (y, np.zeros((1, 3))))


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_stack_is_that_of_numpy(axis):
    a, b = RNG.random((2, 3)), RNG.random((2, 3)).astype("float32")
    x, y = matrix("x"), matrix("y", "float32")
    wanted = np.stack([a, b], axis)
    for stacked in (nt.stack([x, y], axis), nt.stack(x, y, axis=axis), nt.stack([x, y], axis=axis)):
        assert_same(run(stacked, (x, a), (y, b)), wanted)


def test_scalars_stack_to_a_vector():
    x, i = nt.dscalar("x"), nt.iscalar("i")
    assert_same(run(nt.stack([x, i, 3.0]), (x, 1.5), (i, np.int32(2))), np.array([1.5, 2.0, 3.0]))
    assert_same(run(nt.as_tensor_variable([[x, 1.0], [2.0, x]]), (x, 5.0)), np.array([[5.0, 1.0], [2.0, 5.0]]))


def test_stack_refuses_different_ranks():
    with pytest.raises(ShapeError, match="one rank"):
        nt.stack([nt.dscalar("s"), nt.dvector("v")])
    with pytest.raises(ShapeError, match="at least one"):
        nt.stack([])


def test_hstack_and_vstack_are_those_of_numpy():
    a, v = RNG.random((2, 3)), RNG.random(3)
    x, w = matrix("x"), nt.dvector("w")
    assert_same(run(nt.hstack([x, x]), (x, a)), np.hstack([a, a]))
    assert_same(run(nt.hstack([w, w]), (w, v)), np.hstack([v, v]))
    assert_same(run(nt.vstack([x, w]), (x, a), (w, v)), np.vstack([a, v]))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_split_by_a_number_gives_equal_pieces(axis):
    a = RNG.random((6, 6))
    x = matrix("x")
    for actual, wanted in zip(run(nt.split(x, 3, axis=axis), (x, a)), np.split(a, 3, axis=axis), strict=True):
        assert_same(actual, wanted)
    static = nt.split(nt.tensor("x", dtype="float64", shape=(6, 2)), 3)
    assert [piece.type.shape for piece in static] == [(2, 2)] * 3


def test_split_by_lengths_gives_these_pieces():
    a = RNG.random((6, 2))
    x, sizes = matrix("x"), nt.lvector("sizes")
    wanted = [a[:1], a[1:3], a[3:]]
    for pieces in (nt.split(x, [1, 2, 3]), nt.split(x, [1, 2, 3], 3, axis=0), nt.split(x, np.array([1, 2, 3]), 3)):
        for actual, piece in zip(run(pieces, (x, a)), wanted, strict=True):
            assert_same(actual, piece)
    symbolic = nt.split(x, sizes, 3, axis=0)
    for actual, piece in zip(run(symbolic, (x, a), (sizes, [1, 2, 3])), wanted, strict=True):
        assert_same(actual, piece)


def test_a_split_that_does_not_make_up_the_axis_is_an_error():
    x, sizes = matrix("x"), nt.lvector("sizes")
    value = np.zeros((6, 2))
    with pytest.raises(ShapeError, match="split: the pieces hold 5 elements together, axis 0 of x has 6"):
        run(nt.split(x, [2, 3]), (x, value))
    with pytest.raises(ShapeError, match="split: the pieces hold 5 elements together, axis 0 of x has 6"):
        nt.split(nt.tensor("x", dtype="float64", shape=(6,)), [2, 3])
    with pytest.raises(ShapeError, match="split: axis 0 of x does not fall into 4 equal pieces"):
        run(nt.split(x, 4), (x, value))
    with pytest.raises(ShapeError, match="split: a length is negative"):
        run(nt.split(x, sizes, 2), (x, value), (sizes, [-1, 7]))
    with pytest.raises(ShapeError, match="split: n_splits is 2, 3 lengths are given"):
        run(nt.split(x, sizes, 2), (x, value), (sizes, [1, 2, 3]))
    with pytest.raises(ShapeError, match="number of pieces is not known"):
        nt.split(x, sizes)
    with pytest.raises(ShapeError, match="negative"):
        nt.split(x, [-1, 7])
    with pytest.raises(ShapeError, match="must be > 0"):
        nt.split(x, 0)


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_repeat_by_a_number_is_that_of_numpy(axis, count):
    a = RNG.random((2, 3))
    x, n = matrix("x"), nt.lscalar("n")
    assert_same(run(nt.repeat(x, count, axis), (x, a)), np.repeat(a, count, axis))
    assert_same(run(x.repeat(n, axis), (x, a), (n, count)), np.repeat(a, count, axis))


@pytest.mark.parametrize("counts", [[1, 2, 0], [0, 0, 3], [0, 0, 0], [2, 2, 2]])
def test_repeat_by_a_vector_is_that_of_numpy(counts):
    a = RNG.random((2, 3))
    x, n = matrix("x"), nt.ivector("n")
    assert_same(run(nt.repeat(x, counts, 1), (x, a)), np.repeat(a, counts, 1))
    assert_same(run(nt.repeat(x, n, 1), (x, a), (n, np.array(counts, "int32"))), np.repeat(a, counts, 1))


@pytest.mark.parametrize("counts", [-1, [2, -1, 3], [-1, -1, -1]], ids=str)
def test_repeat_by_a_negative_number_is_an_error_when_built_and_when_run(counts):
    x, a = nt.dmatrix("x"), np.ones((2, 3))
    n = nt.lscalar("n") if isinstance(counts, int) else nt.lvector("n")
    with pytest.raises(ValueError, match="negative"):
        np.repeat(a, counts, 1)
    with pytest.raises(ValueDomainError, match="a number of repeats is negative: -1") as built:
        nt.repeat(x, counts, 1)
    with pytest.raises(ShapeError, match="a length is negative") as ran:
        run(nt.repeat(x, n, 1), (x, a), (n, counts))
    assert "fix:" in str(built.value) and "fix:" in str(ran.value) and "nt.repeat(x, n, 1)" in str(ran.value)


def test_repeat_by_a_vector_of_no_numbers_is_empty():
    x, n = nt.dmatrix("x"), nt.lvector("n")
    assert run(nt.repeat(x, n, 1), (x, np.ones((2, 0))), (n, np.zeros(0, int))).shape == (2, 0)


def test_repeat_by_a_vector_of_another_length_is_an_error():
    x, n = matrix("x"), nt.lvector("n")
    with pytest.raises(ShapeError, match="must have length 2, it has 3"):
        run(nt.repeat(x, n, 0), (x, np.zeros((2, 2))), (n, [1, 2, 3]))
    with pytest.raises(DTypeError, match="must be an integer"):
        nt.repeat(x, 1.5, 0)


@pytest.mark.parametrize("reps", [2, (2,), (2, 3), (1, 2), (2, 1, 3), (1, 1), (0, 2)])
def test_tile_is_that_of_numpy(reps):
    a = RNG.random((2, 3))
    x = matrix("x")
    assert_same(run(nt.tile(x, reps), (x, a)), np.tile(a, reps))


def test_tile_takes_symbolic_numbers_and_a_rank():
    v = RNG.random(3)
    x, n = nt.dvector("x"), nt.lscalar("n")
    assert_same(run(nt.tile(x, (n, 2)), (x, v), (n, 3)), np.tile(v, (3, 2)))
    assert_same(run(nt.tile(x, 2, ndim=2), (x, v)), np.tile(v, (1, 2)))


CASES = {
    "concatenate": lambda x: nt.concatenate([x, x * 2, x[:1]], 0), "join": lambda x: nt.join(1, x, x * x),
    "stack": lambda x: nt.stack([x, x * x], 1), "split": lambda x: nt.split(x, [1, 2], axis=1)[1] ** 2,
    "equal split": lambda x: nt.split(x, 3, axis=1)[2] ** 2, "repeat": lambda x: nt.repeat(x, 2, 0),
    "repeat each": lambda x: nt.repeat(x, [2, 0, 1], 1), "tile": lambda x: nt.tile(x, (2, 2)),
    "stack scalars": lambda x: nt.stack([x[0, 0], x[1, 1] ** 2]),
}


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_is_that_of_finite_differences(name):
    verify_grad(CASES[name], [RNG.standard_normal((2, 3))])
    verify_grad(lambda x: grad(nt.sum(nt.sin(CASES[name](x))), x), [RNG.standard_normal((2, 3))])


@pytest.mark.parametrize("name", ["concatenate", "join", "stack", "equal split", "repeat", "tile"])
def test_forward_mode_is_reverse_mode_transposed(name):
    value, direction = RNG.random((2, 3)), RNG.random((2, 3))
    x, v = nt.dmatrix("x"), nt.dmatrix("v")
    y = CASES[name](x)
    weights = RNG.random(run(y, (x, value)).shape)
    forward = run(nt.sum(Rop(y, x, v) * weights), (x, value), (v, direction))
    backward = run(nt.sum(grad(nt.sum(y * weights), x) * v), (x, value), (v, direction))
    np.testing.assert_allclose(forward, backward, rtol=1e-10)


def test_each_part_of_a_join_gets_a_gradient_of_its_own_dtype():
    x, i = nt.fvector("x"), nt.ivector("i")
    gx, gi = grad(nt.sum(nt.concatenate([x, i]) ** 2), [x, i])
    pairs = (x, np.array([1.0, 2.0], "float32")), (i, np.array([3], "int32"))
    assert_same(run(gx, *pairs), np.array([2.0, 4.0], "float32"))
    assert_same(run(gi, *pairs), np.array([6.0]))


def test_equal_joins_are_equal_ops():
    assert Join(1) == Join(1)
    assert Join(0) != Join(1)
