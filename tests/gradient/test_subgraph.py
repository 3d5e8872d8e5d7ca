"""subgraph_grad: a backward pass in pieces is the whole one, and stops where it is told to."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.errors import GraphError
from nbgraph.gradient import grad, subgraph_grad


def network():
    x, t = nt.dvector("x"), nt.dvector("t")
    w1, w2 = nt.dmatrix("w1"), nt.dmatrix("w2")
    h = nt.tanh(nt.dot(x, w1))
    y = nt.tanh(nt.dot(h, w2))
    return x, t, w1, w2, h, y


VALUES = (np.array([0.3, -0.5]), np.array([0.1, 0.9]), np.array([[0.2, 0.7], [-0.4, 0.5]]),
          np.array([[1.0, -0.3], [0.6, 0.2]]))


def test_two_pieces_give_what_one_pass_gives(mode):
    x, t, w1, w2, h, y = network()
    cost, penalty = nt.sum((y - t) ** 2), nt.sum(w1 ** 2)
    (gw2,), (gh,) = subgraph_grad([w2], [h], cost=cost)
    (gw1,), (gx,) = subgraph_grad([w1], [x], start={h: gh}, cost=penalty)
    wanted = grad(cost + penalty, [w1, w2, x])
    f = nbgraph.function([x, t, w1, w2], [gw1, gw2, gx, *wanted], mode=mode)
    found = f(*VALUES)
    for one, other in zip(found[:3], found[3:], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)


def test_what_lies_behind_the_end_is_constant():
    x, t, w1, w2, h, y = network()
    (gw1, gw2), (gh,) = subgraph_grad([w1, w2], [h], cost=nt.sum(y * t))
    f = nbgraph.function([x, t, w1, w2], [gw1, gw2, gh], mode="reference")
    found = f(*VALUES)
    assert not found[0].any() and found[1].any() and found[2].any()


def test_details_say_what_comes_from_where():
    x, y = nt.dscalars("x", "y")
    z = x * y
    wrt, ends, from_start, from_cost = subgraph_grad(x, y, start={z: nt.constant(10.0)}, cost=x ** 2, details=True)
    f = nbgraph.function([x, y], [*wrt, *ends, *from_start, *from_cost], mode="reference")
    assert f(3.0, 5.0) == [56.0, 30.0, 50.0, 30.0, 6.0, 0.0]
    assert subgraph_grad([x], [y], cost=z, details=True)[2] is None
    assert subgraph_grad([x], [y], start={z: 1.0}, details=True)[3] is None


def test_it_needs_something_to_begin_with():
    x, y = nt.dscalars("x", "y")
    with pytest.raises(GraphError, match=r"neither a cost nor(.|\n)*start="):
        subgraph_grad([x], [y])
