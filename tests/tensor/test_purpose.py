"""Errors of Ops that a function of another name made: they name that function and what the user gave it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.errors import ShapeError
from nbgraph.tensor.purpose import made_for, purpose
from nbgraph.tensor.shape import SpecifyShape

A, B, T = nt.dmatrix("A"), nt.dmatrix("B"), nt.dtensor3("T")
V, K, N, SIZES = nt.dvector("v"), nt.vector("k", dtype="bool"), nt.lscalar("n"), nt.lvector("sizes")
VALUE = np.arange(6.0).reshape(2, 3)
CASES = [
    ([A, K], lambda: A[K], (VALUE, [True] * 3),
     ["boolean index: axis 0 of the mask has length 3, axis 0 of x has length 2", "x (A)", "mask (k)"]),
    ([A, K], lambda: nt.set_subtensor(A[:, K], 0.0), (VALUE, [True] * 2),
     ["boolean index: axis 0 of the mask has length 2, axis 1 of x has length 3", "x (A)", "mask (k)"]),
    ([A, B], lambda: nt.tensordot(A, B, 1), (VALUE, VALUE),
     ["tensordot: axis 1 of a has length 3, axis 0 of b has 2", "a (A)", "b (B)"]),
    ([A, B], lambda: nt.tensordot(A, B), (VALUE, VALUE[:1]),
     ["tensordot: axis 0 of a has length 2, axis 0 of b has 1", "a (A)", "b (B)"]),
    ([T, B], lambda: nt.dot(T, B), (VALUE[None], VALUE), ["dot: axis 2 of a has length 3, axis 0 of b has 2", "a (T)"]),
    ([V], lambda: nt.split(V, [2, 2]), (np.ones(5),),
     ["split: the pieces hold 4 elements together, axis 0 of x has 5", "x (v)"]),
    ([V, SIZES], lambda: nt.split(V, SIZES, 2), (np.ones(5), [7, -2]), ["split: a length is negative", "x (v)"]),
    ([V], lambda: nt.split(V, 2), (np.ones(5),), ["split: axis 0 of x does not fall into 2 equal pieces", "x (v)"]),
    ([N], lambda: nt.zeros((N,)), (-2,), ["zeros: a length is negative: (-2,)"]),
    ([N], lambda: nt.full((3, N), 2.0), (-2,), ["full: a length is negative: (3, -2)"]),
]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_an_error_names_the_function_and_its_operands(number, mode):
    inputs, build, values, texts = CASES[number]
    f = nbgraph.function(inputs, build(), on_unused_input="ignore")
    with pytest.raises(ShapeError) as caught:
        f(*values)
    message = str(caught.value)
    assert all(text in message for text in (*texts, "test_purpose.py", "fix:"))


def test_an_update_of_a_wrong_length_names_the_shared_variable(mode):
    w = nbgraph.shared(np.zeros(3), "w", shape=(3,))
    f = nbgraph.function([V], [], updates=[(w, V)])
    with pytest.raises(ShapeError, match=r"update of w: axis 0 must have length 3, it has 5(.|\n)*expression \(v\)"):
        f(np.ones(5))
    np.testing.assert_array_equal(w.get_value(), np.zeros(3))


def test_a_negative_length_that_is_known_is_an_error_of_the_function_that_was_called():
    for build, name in ((nt.zeros, "zeros"), (nt.ones, "ones"), (nt.empty, "empty")):
        with pytest.raises(ShapeError, match=rf"{name}: a length is negative: \(-1,\)"):
            build((-1,))


def test_a_mask_of_the_wrong_length_is_an_index_error_as_in_numpy():
    f = nbgraph.function([A, K], A[K], mode="reference")
    with pytest.raises(IndexError, match="boolean index"):
        f(VALUE, [True])


def test_a_purpose_is_no_part_of_an_op():
    told = purpose("split", "axis {axis}: {actual}", x=nt.exp(V))
    op = made_for(SpecifyShape((0,)), told)
    assert op == SpecifyShape((0,)) and hash(op) == hash(SpecifyShape((0,)))
    assert told.operands["x"].owner is None, "a purpose does not keep the graph of its operands"
    assert "split: axis 0: 5" in str(pickle.loads(pickle.dumps(op)).purpose.error(None, 0, 5, 6))
