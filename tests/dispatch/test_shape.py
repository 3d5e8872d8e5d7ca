"""Checks of reshapes in native code."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.errors import ShapeError


def test_what_is_left_beside_a_length_of_0_is_an_error(mode):
    x, n = nt.dmatrix("x"), nt.lscalar("n")
    f = nbgraph.function([x, n], [nt.exp(x.reshape((n, -1))), x.reshape((-1, 3))])
    assert [z.shape for z in f(np.zeros((4, 3)), 2)] == [(2, 6), (4, 3)]
    with pytest.raises(ShapeError, match=r"in shape \(0, -1\): -1 stands for no length"):
        f(np.zeros((0, 3)), 0)
    g = nbgraph.function([x], x.reshape((0, -1)))
    with pytest.raises(ShapeError, match="-1 stands for no length"):
        g(np.zeros((0, 3)))
