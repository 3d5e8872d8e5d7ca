"""Functions and Ops on shapes against NumPy, by reference evaluation."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, ShapeError
from nbgraph.gradient import Rop, grad, verify_grad
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import connection_pattern
from nbgraph.tensor.shape import BroadcastTo, DimShuffle, Length, MakeVector, Reshape, SpecifyShape, static_length

RNG = np.random.default_rng(19)
VALUE = RNG.random((2, 3, 4))


def run(output, *pairs):
    """The value of `output` where each (variable, value) pair gives an input."""
    return evaluate(FunctionGraph([v for v, _ in pairs], [output]), [np.asarray(value) for _, value in pairs])[0]


def tensor(*shape, dtype="float64"):
    return nt.tensor("x", dtype=dtype, shape=shape)


def assert_same(actual, expected):
    np.testing.assert_array_equal(actual, np.asarray(expected), strict=True)


SAME_AS_NUMPY = {
    "transpose": lambda m, x: m.transpose(x), "transpose with axes": lambda m, x: m.transpose(x, (2, 0, 1)),
    "negative axes": lambda m, x: m.transpose(x, (-1, 0, -2)), "swapaxes": lambda m, x: m.swapaxes(x, 0, -1),
    "moveaxis": lambda m, x: m.moveaxis(x, 0, -1), "moveaxis of two": lambda m, x: m.moveaxis(x, (0, 1), (-1, 0)),
    "expand_dims": lambda m, x: m.expand_dims(x, 1), "expand_dims of two": lambda m, x: m.expand_dims(x, (0, -1)),
    "reshape": lambda m, x: m.reshape(x, (4, 6)), "reshape with -1": lambda m, x: m.reshape(x, (3, -1, 2)),
    "reshape to a vector": lambda m, x: m.reshape(x, -1), "atleast_1d": lambda m, x: m.atleast_1d(x),
    "atleast_2d": lambda m, x: m.atleast_2d(x[0, 0]), "broadcast_to": lambda m, x: m.broadcast_to(x, (5, 2, 3, 4)),
    "squeeze": lambda m, x: m.squeeze(m.expand_dims(x, (0, 2))),
    "squeeze of one axis": lambda m, x: m.squeeze(m.expand_dims(x, (0, 2)), 2),
    "squeeze of an unknown length": lambda m, x: m.squeeze(x[:1], 0),
}


@pytest.mark.parametrize("name", SAME_AS_NUMPY)
@pytest.mark.parametrize("shape", [(None, None, None), (2, 3, 4), (2, None, 4)])
def test_a_shape_function_is_that_of_numpy(name, shape):
    x, wanted = tensor(*shape), SAME_AS_NUMPY[name](np, VALUE)
    result = SAME_AS_NUMPY[name](nt, x)
    assert_same(run(result, (x, VALUE)), wanted)
    assert all(n in (None, m) for n, m in zip(result.type.shape, wanted.shape, strict=True))
    if None not in shape:
        assert result.type.shape == wanted.shape


@pytest.mark.parametrize("name", SAME_AS_NUMPY)
def test_the_gradient_is_that_of_finite_differences(name):
    verify_grad(lambda x: SAME_AS_NUMPY[name](nt, x), [VALUE])


@pytest.mark.parametrize("name", [n for n in SAME_AS_NUMPY if n != "atleast_2d"])
def test_forward_mode_applies_the_same_view(name):
    x, v = tensor(None, None, None), tensor(None, None, None)
    forward = Rop(SAME_AS_NUMPY[name](nt, x), x, v)
    assert_same(run(forward, (x, VALUE), (v, VALUE * 2)), SAME_AS_NUMPY[name](np, VALUE * 2))


@pytest.mark.parametrize("name", SAME_AS_NUMPY)
def test_infer_shape_gives_the_lengths_without_the_array(name):
    x = tensor(None, None, None)
    result = SAME_AS_NUMPY[name](nt, x)
    lengths = run(nt.shape(result), (x, VALUE))
    assert_same(lengths, np.array(SAME_AS_NUMPY[name](np, VALUE).shape))
    node = result.owner
    if node is None:
        return
    shapes = [tuple(nt.lengths_of(v)) for v in node.inputs]
    (inferred,) = node.op.infer_shape(None, node, shapes)
    values = [n if isinstance(n, int) else run(n, (x, VALUE)).item() for n in inferred]
    assert values == list(SAME_AS_NUMPY[name](np, VALUE).shape)


def test_shape_size_and_length_are_int64():
    x = tensor(None, 3, None)
    assert_same(run(x.shape, (x, VALUE)), np.array([2, 3, 4]))
    assert_same(run(x.size, (x, VALUE)), np.array(24))
    assert_same(run(nt.shape_tuple(x)[2], (x, VALUE)), np.array(4))
    assert static_length(nt.shape_tuple(x)[1]) == 3
    assert static_length(tensor(2, 3).size) == 6
    assert_same(run(nt.shape(nt.dscalar("s"))), np.zeros(0, "int64"))


def test_a_shape_that_changes_nothing_gives_the_input_back():
    x = tensor(2, 3)
    assert nt.reshape(x, (2, 3)) is x
    assert nt.reshape(x, (-1, 3)) is x
    assert nt.transpose(x, (0, 1)) is x
    assert nt.broadcast_to(x, (2, 3)) is x
    assert nt.specify_shape(x, (2, None)) is x
    assert nt.flatten(nt.dvector("v")).owner is None
    assert nt.squeeze(x) is x


def test_flatten_keeps_the_first_axes():
    x = tensor(None, None, None)
    assert_same(run(x.flatten(), (x, VALUE)), VALUE.ravel())
    assert_same(run(x.flatten(2), (x, VALUE)), VALUE.reshape(2, 12))
    assert_same(run(nt.flatten(x[0, 0, 0]), (x, VALUE)), VALUE[0, 0, :1])
    with pytest.raises(ShapeError, match="ndim must be from 1 to 3"):
        nt.flatten(x, 4)


def test_reshape_takes_symbolic_lengths_vectors_and_a_rank():
    x, n, shape = tensor(None, None, None), nt.lscalar("n"), nt.lvector("shape")
    assert_same(run(x.reshape(n, -1), (x, VALUE), (n, 6)), VALUE.reshape(6, 4))
    assert_same(run(x.reshape((x.shape[0], -1)), (x, VALUE)), VALUE.reshape(2, -1))
    assert_same(run(nt.reshape(x, shape, ndim=2), (x, VALUE), (shape, [4, 6])), VALUE.reshape(4, 6))
    with pytest.raises(ShapeError, match="reshape: ndim is 2, 3 lengths are given"):
        run(nt.reshape(x, shape, ndim=2), (x, VALUE), (shape, [4, 6, 1]))
    with pytest.raises(ShapeError, match="known number of axes"):
        nt.reshape(x, shape)


def test_a_reshape_of_another_number_of_elements_is_an_error():
    x = nt.tensor("data", dtype="float64", shape=(None, None))
    with pytest.raises(ShapeError, match=r"(?s)cannot arrange shape \(2, 3\) in shape \(4,\).*where: .*data.*fix: "):
        run(nt.reshape(x, (4,)), (x, np.zeros((2, 3))))
    with pytest.raises(ShapeError, match="number of elements differs"):
        run(nt.reshape(x, (4, -1)), (x, np.zeros((2, 3))))
    with pytest.raises(ShapeError, match="6 elements against 4"):
        nt.reshape(tensor(2, 3), (4,))
    with pytest.raises(ShapeError, match="only one length may be -1"):
        nt.reshape(x, (-1, -1))
    with pytest.raises(ShapeError, match="a length is negative"):
        nt.reshape(x, (-2, 3))
    with pytest.raises(DTypeError, match="must be an integer"):
        nt.reshape(x, (1.5, 4))


def test_reshape_of_no_elements():
    x = tensor(None, None)
    assert run(nt.reshape(x, (3, 0)), (x, np.zeros((0, 5)))).shape == (3, 0)
    assert run(nt.flatten(x), (x, np.zeros((0, 5)))).shape == (0,)
    assert run(nt.reshape(x, (5, -1)), (x, np.zeros((0, 5)))).shape == (5, 0)


def test_dimshuffle_adds_and_drops_axes_of_length_1():
    x = tensor(None, 1, None)
    value = RNG.random((2, 1, 3))
    shuffled = x.dimshuffle(2, "x", 0)
    assert_same(run(shuffled, (x, value)), value[:, 0].T[:, None])
    assert shuffled.type.shape == (None, 1, None)
    assert_same(run(grad(nt.sum(shuffled ** 2), x), (x, value)), 2 * value)
    with pytest.raises(ShapeError, match="axis 0 of x is left out"):
        x.dimshuffle(2, 1)
    with pytest.raises(ShapeError, match="out of range"):
        x.dimshuffle(3)
    with pytest.raises(ValueError, match="named twice"):
        x.dimshuffle(0, 0, 1, 2)


def test_padding_adds_axes_of_length_1():
    x = tensor(None, None)
    assert nt.shape_padleft(x, 2).type.shape == (1, 1, None, None)
    assert nt.shape_padright(x).type.shape == (None, None, 1)
    assert nt.shape_padaxis(x, 1).type.shape == (None, 1, None)


def test_squeeze_of_an_axis_that_is_longer_is_an_error():
    with pytest.raises(ShapeError, match="must have length 1, it has 2"):
        x = tensor(None, 3)
        run(nt.squeeze(x, 0), (x, np.zeros((2, 3))))
    with pytest.raises(ShapeError, match="its length is 3"):
        nt.squeeze(tensor(None, 3), 1)


def test_broadcast_to_repeats_only_what_is_known_to_have_length_1():
    x, n = tensor(1, None), nt.lscalar("n")
    repeated = nt.broadcast_to(x, (n, 3))
    assert_same(run(repeated, (x, [[1.0, 2.0, 3.0]]), (n, 2)), np.array([[1.0, 2.0, 3.0]] * 2))
    with pytest.raises(ShapeError, match="has length 1, the wanted one is 3"):
        run(repeated, (x, [[1.0]]), (n, 2))
    with pytest.raises(ShapeError, match="negative"):
        run(repeated, (x, [[1.0, 2.0, 3.0]]), (n, -1))
    with pytest.raises(ShapeError, match="does not broadcast to 4"):
        nt.broadcast_to(tensor(3), (4,))
    with pytest.raises(ShapeError, match="has 2 axes"):
        nt.broadcast_to(x, (3,))


def test_the_value_of_broadcast_to_can_be_written_to():
    x = tensor(1)
    value = run(nt.broadcast_to(x, (3,)), (x, [1.0]))
    value[0] = 5
    assert value.tolist() == [5.0, 1.0, 1.0]


def test_broadcast_arrays_and_broadcast_shape():
    x, y = tensor(None, 1), tensor(4)
    left, right = nt.broadcast_arrays(x, y)
    values = np.array([[1.0], [2.0], [3.0]]), np.arange(4.0)
    graph = FunctionGraph([x, y], [left, right, *nt.broadcast_shape(x, y)])
    first, second, rows, columns = evaluate(graph, values)
    for actual, wanted in zip((first, second), np.broadcast_arrays(*values), strict=True):
        assert_same(actual, wanted)
    assert (rows, columns) == (3, 4)
    assert right.type.shape == (None, 4)


def test_specify_shape_is_checked_and_known_afterwards():
    x, n = nt.tensor("data", dtype="float64", shape=(None, None)), nt.lscalar("n")
    declared = nt.specify_shape(x, (2, None))
    assert declared.type.shape == (2, None)
    assert_same(run(declared, (x, np.ones((2, 3)))), np.ones((2, 3)))
    with pytest.raises(ShapeError, match=r"(?s)axis 0 of data must have length 2, it has 3.*fix: "):
        run(declared, (x, np.ones((3, 3))))
    with pytest.raises(ShapeError, match="must have length 4, it has 3"):
        run(nt.specify_shape(x, (n, None)), (x, np.ones((3, 3))), (n, 4))
    with pytest.raises(ShapeError, match="has length 2, not 3"):
        nt.specify_shape(declared, (3, None))
    assert_same(run(grad(nt.sum(declared ** 2), x), (x, np.ones((2, 3)))), np.full((2, 3), 2.0))


def test_lengths_are_disconnected_from_the_elements():
    x, n = tensor(None, None), nt.lscalar("n")
    assert connection_pattern(nt.reshape(x, (n, 6)).owner) == [[True], [False], [False]]
    assert connection_pattern(Length(0)(x).owner) == [[False]]
    assert_same(run(grad(nt.sum(x) * nt.cast(x.shape[0], "float64"), x), (x, np.ones((2, 3)))), np.full((2, 3), 2.0))


def test_make_vector_stacks_scalars_with_a_gradient_for_each():
    x, y = nt.dscalar("x"), nt.fscalar("y")
    vector = nt.stack([x, y])
    assert vector.owner.op == MakeVector("float64")
    gx, gy = grad(nt.sum(vector ** 2 * np.array([1.0, 10.0])), [x, y])
    pairs = (x, 3.0), (y, np.float32(2))
    assert run(gx, *pairs) == 6.0
    assert_same(run(gy, *pairs), np.float32(40.0))


def test_the_product_and_the_sum_of_lengths_fold_what_is_known():
    n = nt.lscalar("n")
    four = nt.constant(4)
    assert static_length(nt.product_of_lengths([four, nt.constant(5)])) == 20
    assert static_length(nt.product_of_lengths([])) == 1
    assert nt.product_of_lengths([n]) is n
    assert run(nt.product_of_lengths([four, n, n]), (n, 3)) == 36
    assert static_length(nt.sum_of_lengths([four, four])) == 8
    assert run(nt.sum_of_lengths([n, four]), (n, 3)) == 7
    assert static_length(nt.length_quotient(four, 3)) == 1
    assert run(nt.length_quotient(n, 2), (n, 7)) == 3


def test_static_lengths_of_reshape_and_flatten_are_folded():
    assert nt.reshape(tensor(2, 3, 4), (-1, 6)).type.shape == (4, 6)
    assert nt.flatten(tensor(2, 3, 4), 2).type.shape == (2, 12)


def test_ops_of_equal_parameters_are_equal():
    assert DimShuffle((1, 0)) == DimShuffle((1, 0))
    assert DimShuffle((1, 0)) != DimShuffle(("x", 0))
    assert Reshape() == Reshape()
    assert BroadcastTo() != Reshape()
    assert SpecifyShape((0,)) != SpecifyShape((1,))
    assert Length(0) != Length(1)


@pytest.mark.parametrize("shape", [(0, -1), (-1, 0)])
def test_what_is_left_beside_a_length_of_0_is_an_error_as_in_numpy(shape):
    x, n = nt.dmatrix("x"), nt.lscalar("n")
    with pytest.raises(ValueError, match="cannot reshape"):
        np.zeros((0, 3)).reshape(shape)
    with pytest.raises(ShapeError, match=r"reshape: cannot arrange shape \(0, 3\) in (.*)-1 stands for no length"):
        run(nt.reshape(x, shape), (x, np.zeros((0, 3))))
    symbolic = tuple(n if length == 0 else length for length in shape)
    with pytest.raises(ShapeError, match="-1 stands for no length"):
        run(nt.reshape(x, symbolic), (x, np.zeros((0, 3))), (n, 0))
    assert run(nt.reshape(x, symbolic), (x, np.zeros((4, 3))), (n, 2)).size == 12
