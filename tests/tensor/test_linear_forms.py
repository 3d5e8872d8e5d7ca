"""Gemm and Gemv: a scaled product added to a scaled array."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, ShapeError
from nbgraph.graph import FunctionGraph
from nbgraph.graph.evaluate import evaluate
from nbgraph.tensor.linear_forms import Gemm, Gemv


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_gemm_and_gemv_are_a_scaled_sum(dtype):
    rng = np.random.default_rng(0)
    c, a, b = (rng.standard_normal(s).astype(dtype) for s in ((2, 4), (2, 3), (3, 4)))
    kinds = [nt.tensor(n, dtype=dtype, shape=(None, None)) for n in "cab"]
    y, x = (nt.tensor(n, dtype=dtype, shape=(None,)) for n in "yx")
    outputs = [Gemm()(kinds[0], -0.5, kinds[1], kinds[2], 2.0), Gemv()(y, -0.5, kinds[1], x, 2.0)]
    matrix, vector = evaluate(FunctionGraph([*kinds, y, x], outputs), [c, a, b, c[:, 0], b[:, 0]])
    assert matrix.dtype == vector.dtype == dtype and outputs[0].type.shape == (None, None)
    precision = 10 * np.finfo(dtype).eps
    np.testing.assert_allclose(matrix, 2 * c - 0.5 * a @ b, rtol=precision, atol=precision)
    np.testing.assert_allclose(vector, (2 * c - 0.5 * a @ b)[:, 0], rtol=precision, atol=precision)


def test_known_lengths_of_the_product_are_known_of_the_result():
    a, c = nt.tensor("a", dtype="float64", shape=(2, 3)), nt.dmatrix("c")
    assert Gemm()(c, 1.0, a, nt.dmatrix("b"), 1.0).type.shape == (2, None)


def test_lengths_that_differ_are_errors_when_built_and_when_run():
    a, b, c = nt.dmatrices("a", "b", "c")
    fixed = nt.tensor("fixed", dtype="float64", shape=(2, 3))
    with pytest.raises(ShapeError, match="do not fit"):
        Gemm()(c, 1.0, fixed, fixed, 1.0)
    fgraph = FunctionGraph([c, a, b], [Gemm()(c, 1.0, a, b, 1.0)])
    with pytest.raises(ShapeError, match=r"shape \(2, 2\) is added to a product of shape \(2, 4\)"):
        evaluate(fgraph, [np.ones((2, 2)), np.ones((2, 3)), np.ones((3, 4))])
    with pytest.raises(ShapeError, match="inner lengths differ: 3 and 2"):
        evaluate(fgraph, [np.ones((2, 4)), np.ones((2, 3)), np.ones((2, 4))])


def test_ranks_and_dtypes_are_checked():
    a, x = nt.dmatrix("a"), nt.dvector("x")
    with pytest.raises(ShapeError, match="axes"):
        Gemm()(a, 1.0, a, x, 1.0)
    with pytest.raises(DTypeError, match="one float or complex dtype"):
        Gemm()(a, 1.0, a, nt.fmatrix("f"), 1.0)
    with pytest.raises(DTypeError, match="int64"):
        Gemv()(nt.lvector("i"), 1, nt.lmatrix("j"), nt.lvector("k"), 1)


def test_the_shape_is_that_of_the_array_that_is_added():
    a, b, c = nt.dmatrices("a", "b", "c")
    node = Gemm()(c, 1.0, a, b, 1.0).owner
    assert node.op.infer_shape(None, node, [(2, 4), (), (2, 3), (3, 4), ()]) == [(2, 4)]
