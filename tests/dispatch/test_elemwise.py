"""Checks of elementwise functions in native code."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.errors import ValueDomainError


@pytest.mark.parametrize("exponent", [-1, -2, np.int64(-1), np.array([2, -1, 3])], ids=str)
@pytest.mark.parametrize("dtype", ["int64", "int8", "bool"])
def test_an_integer_to_a_negative_constant_power_is_an_error(dtype, exponent, mode):
    i = nt.tensor("i", dtype=dtype, shape=(3,))
    f = nbgraph.function([i], i**exponent)
    with pytest.raises(ValueDomainError, match="an integer is raised to a negative integer power"):
        f(np.array([1, 1, 0]).astype(dtype))


def test_an_integer_to_a_constant_power_that_is_not_negative_is_computed(mode):
    i = nt.lvector("i")
    f = nbgraph.function([i], [i**2, i**np.array([0, 1, 5]), i**0])
    for found, expected in zip(f([1, -2, 3]), ([1, 4, 9], [1, -2, 243], [1, 1, 1]), strict=True):
        np.testing.assert_array_equal(found, expected)
