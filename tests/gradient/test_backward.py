"""The reverse pass asks each node once, in terms of the outputs that are there, and integers stop what arrives."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.gradient import Rop, grad
from nbgraph.graph.basic import Apply
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import Op
from nbgraph.graph.traversal import ancestors


def value(output, **given):
    """The value of `output`, its inputs given by name."""
    inputs = [v for v in ancestors([output]) if v.owner is None and v.name in given]
    return evaluate(FunctionGraph(inputs, [output]), [v.type.filter(given[v.name]) for v in inputs])[0]


class Cube(Op):
    """x ** 3."""

    __props__ = ()

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = np.asarray(inputs[0] ** 3)


class ByOutput(Cube):
    """Its gradient in terms of the output alone, and nothing else."""

    def L_op(self, inputs, outputs, output_gradients):
        return [3 * nt.power(outputs[0], 2 / 3) * output_gradients[0]]


class ByInput(ByOutput):
    """A subclass that only knows `grad`."""

    def grad(self, inputs, output_gradients):
        return [7 * output_gradients[0]]


class Both(Cube):
    """Both ways, where the one that is given the outputs is right."""

    def grad(self, inputs, output_gradients):
        raise AssertionError("L_op is there")

    def L_op(self, inputs, outputs, output_gradients):
        assert outputs[0].owner.op is self
        return [3 * nt.square(inputs[0]) * output_gradients[0]]


@pytest.mark.parametrize("op", [ByOutput(), Both()], ids=str)
def test_an_op_may_give_its_gradient_in_terms_of_its_outputs(op):
    x = nt.dscalar("x")
    assert value(grad(op(x), x), x=2.0) == pytest.approx(12.0)


def test_a_subclass_that_defines_grad_alone_is_asked_for_that():
    x = nt.dscalar("x")
    assert value(grad(ByInput()(x), x), x=2.0) == 7.0


@pytest.mark.parametrize("function", [
    nt.exp, nt.sqrt, nt.tanh, nt.sigmoid, lambda x: nt.max(x, 0), lambda x: nt.cumprod(x, 0)],
    ids=["exp", "sqrt", "tanh", "sigmoid", "max", "cumprod"])
def test_a_gradient_in_terms_of_the_output_reads_the_output_that_is_there(function):
    x = nt.dmatrix("x")
    z = function(x)
    assert z in ancestors([grad(nt.sum(z), x)])


@pytest.mark.parametrize("view", [
    lambda x: x.T, lambda x: x.reshape((6,)), lambda x: nt.broadcast_to(x, (2, 2, 3)),
    lambda x: nt.specify_shape(x, (2, 3)), lambda x: x[1:, ::-1], lambda x: nt.concatenate([x, x]),
    lambda x: x[[0, 0]], lambda x: nt.set_subtensor(x[0], 5), lambda x: nt.dot(x, x.T)],
    ids=["transpose", "reshape", "broadcast", "specify_shape", "slice", "join", "gather", "set", "dot"])
def test_what_gives_integers_has_gradient_zero_and_does_not_move(view):
    # Seed: "the gradient with respect to x will be 0, because the output of g is integer-valued."
    x = nt.lmatrix("x")
    z = view(x)
    gx = grad(nt.sum(0.5 * z), x)
    moved = Rop(z, x, nt.ones_like(x, dtype="float64"))
    assert (gx.type.dtype, moved.type.dtype) == ("float64", "float64")
    given = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(value(gx, x=given), np.zeros((2, 3)))
    assert not value(moved, x=given).any()


def test_an_integer_array_itself_has_the_gradient_of_a_float():
    x = nt.lmatrix("x")
    z = x.T
    np.testing.assert_array_equal(value(grad(nt.sum(0.5 * z), z), x=np.ones((2, 3), int)), np.full((3, 2), 0.5))


def test_an_axis_known_to_have_length_1_is_known_to_in_its_gradient():
    # The gradient of an update has the static shape of what was updated, and less is known of that here.
    x = nt.dmatrix("x")
    stacked = nt.stack([x, 2 * x], axis=-1)
    written = nt.inc_subtensor(nt.zeros((*x.shape, x.shape[0]))[:, :, :2], stacked)
    given = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(value(grad(nt.sum(written), x), x=given), np.full((2, 3), 3.0))
