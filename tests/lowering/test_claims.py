"""Tests that are made together, and told apart where one fails."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.errors import ShapeError, ValueDomainError
from nbgraph.lowering.program import Test as Claims
from tests.lowering.stages import lowered, statements

x, y, z = nt.dvectors("x", "y", "z")
A = nt.dmatrix("A")
k = nt.lscalar("k")


def test_tests_between_two_loops_are_one():
    assert len(statements(lowered(x + y, nt.dot(A, x), z.max(), x[3]), Claims)) == 1
    assert len(statements(lowered(*(A[:, j].sum() for j in range(40))), Claims)) == 1


def test_a_test_that_an_element_is_read_behind_stays_before_it():
    made = lowered(x[k] * 2, y[nt.cast(x[3], "int64")])
    assert len(statements(made, Claims)) == 2


CASES = [
    (([1.0, 2.0], [1.0], [1.0], [[1.0, 2.0]], 0), ShapeError, "lengths 2 and 1 of axis -1 differ"),
    (([1.0, 2.0], [1.0, 2.0], [], [[1.0, 2.0]], 0), ValueDomainError, "max of no elements"),
    (([1.0, 2.0], [1.0, 2.0], [1.0], [[1.0, 2.0, 3.0]], 0), ShapeError, "dot"),
    (([1.0, 2.0], [1.0, 2.0], [1.0], [[1.0, 2.0]], 2), IndexError, "index 2"),
    (([1.0, 2.0], [1.0, 2.0], [1.0], [[1.0, 2.0]], -3), IndexError, "index -3"),
]


@pytest.mark.parametrize(("values", "error", "text"), CASES)
def test_the_first_claim_that_does_not_hold_makes_the_error(values, error, text):
    inputs, outputs = [x, y, z, A, k], [x + y, z.max(), nt.dot(A, x), x[k]]
    compiled = nbgraph.function(inputs, outputs)
    reference = nbgraph.function(inputs, outputs, mode="reference")
    assert compiled([1.0, 2.0], [1.0, 2.0], [1.0], [[1.0, 2.0]], -2)[3] == 1
    with pytest.raises(error, match=text) as wanted:
        reference(*values)
    with pytest.raises(error, match=text) as found:
        compiled(*values)
    assert str(found.value) == str(wanted.value)


def test_many_claims_about_few_lengths_name_the_right_index():
    f = nbgraph.function([A], [A[:, j].sum() for j in range(30)])
    for length in (0, 5, 29):
        with pytest.raises(IndexError, match=f"index {length} "):
            f(np.zeros((2, length)))
    assert len(f(np.zeros((2, 30)))) == 30


def test_claims_about_many_lengths_are_several_tests():
    vectors = [nt.dvector(f"v{i}") for i in range(60)]
    made = lowered(*(a + b for a, b in zip(vectors[::2], vectors[1::2], strict=True)))
    assert 2 <= len(statements(made, Claims)) <= 4
