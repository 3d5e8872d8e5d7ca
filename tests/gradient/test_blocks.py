"""Identities that change a gradient on its way back."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph import gradient
from nbgraph.errors import DisconnectedInputError, DTypeError, NullGradError
from nbgraph.gradient import Rop, grad
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph

BLOCKS = [gradient.consider_constant, gradient.zero_grad, gradient.disconnected_grad, gradient.undefined_grad,
          lambda x: gradient.grad_clip(x, -1, 1), lambda x: gradient.grad_scale(x, 2)]


def at(output, x, point):
    return evaluate(FunctionGraph([x], [output]), [np.asarray(point, x.type.dtype)])[0]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
def test_a_block_leaves_value_and_type_alone(block, dtype):
    x = nt.tensor("x", dtype=dtype, shape=(1, None))
    y = block(x)
    assert y.type == x.type
    np.testing.assert_array_equal(at(y, x, [[1, 0, 1]]), np.array([[1, 0, 1]], dtype))


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_survives_pickling(block):
    op = block(nt.dscalar("x")).owner.op
    assert pickle.loads(pickle.dumps(op)) == op


@pytest.mark.parametrize("block", [gradient.consider_constant, gradient.zero_grad, gradient.disconnected_grad])
def test_a_factor_that_is_held_constant_is_data_to_the_gradient(block):
    x = nt.dvector("x")
    g = grad(nt.sum(x * block(nt.exp(x))), x)
    np.testing.assert_array_equal(at(g, x, [0.0, 1.0]), np.exp([0.0, 1.0]))


@pytest.mark.parametrize("block", [gradient.consider_constant, gradient.zero_grad])
def test_zero_gradients_are_connected(block):
    x = nt.dvector("x")
    np.testing.assert_array_equal(at(grad(nt.sum(block(x)), x), x, [1.0, 2.0]), [0.0, 0.0])


def test_a_disconnected_gradient_is_reported_as_disconnected():
    x = nt.dvector("x")
    with pytest.raises(DisconnectedInputError):
        grad(nt.sum(gradient.disconnected_grad(x)), x)


def test_an_undefined_gradient_must_not_be_asked_for():
    x, y = nt.dscalars("x", "y")
    cost = gradient.undefined_grad(x) * y
    with pytest.raises(NullGradError, match="undefined_grad was put there"):
        grad(cost, x)
    assert at(grad(cost, y), x, 3.0) == 3.0


def test_a_gradient_is_clipped_on_its_way_back():
    x = nt.dvector("x")
    g = grad(nt.sum(gradient.grad_clip(x, -1, 2) * nt.constant([-5.0, 0.5, 5.0])), x)
    np.testing.assert_array_equal(at(g, x, [1.0, 1.0, 1.0]), [-1.0, 0.5, 2.0])


def test_a_gradient_is_scaled_on_its_way_back():
    x = nt.fvector("x")
    g = grad(nt.sum(gradient.grad_scale(x, -3) * 2), x)
    assert g.type.dtype == "float32"
    np.testing.assert_array_equal(at(g, x, [1.0]), [-6.0])


def test_bounds_in_the_wrong_order_and_complex_numbers_cannot_clip():
    with pytest.raises(ValueError, match="lower <= upper"):
        gradient.grad_clip(nt.dscalar("x"), 1, -1)
    with pytest.raises(DTypeError, match="no order"):
        gradient.grad_clip(nt.zscalar("z"), -1, 1)


@pytest.mark.parametrize(("block", "expected"), [
    (gradient.consider_constant, 0.0), (gradient.zero_grad, 0.0), (BLOCKS[4], 7.0), (BLOCKS[5], 14.0)])
def test_blocks_act_in_forward_mode_too(block, expected):
    x = nt.dscalar("x")
    assert at(Rop(block(x), x, nt.constant(7.0)), x, 1.0) == expected


def test_an_undefined_gradient_is_undefined_in_forward_mode_too():
    x = nt.dscalar("x")
    with pytest.raises(NullGradError):
        Rop(gradient.undefined_grad(x), x, nt.constant(7.0))
