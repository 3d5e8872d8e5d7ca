"""as_op and wrap_py, "for plain Python functions"."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph import as_op, function, wrap_py
from nbgraph.errors import ArgumentError, DTypeError
from nbgraph.graph import Generic

A, x = nt.dmatrix("A"), nt.dvector("x")


@as_op(itypes=[nt.dmatrix], otypes=[nt.dvector, nt.dscalar])
def singular(a):
    """The singular values, and the largest."""
    values = np.linalg.svd(a, compute_uv=False)
    return values, values[0]


@wrap_py(nt.dvector, nt.dvector, infer_shape=lambda fgraph, node, shapes: shapes)
def ranked(v):
    return np.argsort(np.argsort(v)).astype(float)


def test_a_function_runs_amid_a_graph():
    values, most = singular(A * 2)
    f = function([A, x], [values / most, ranked(x)[::-1], ranked(x).shape[0]])
    a = np.array([[3.0, 0.0], [4.0, 5.0]])
    ratios, ranks, n = f(a, [0.3, 0.1, 0.2])
    np.testing.assert_allclose(ratios, np.linalg.svd(a)[1] / np.linalg.svd(a)[1][0])
    assert ranks.tolist() == [1.0, 0.0, 2.0] and n == 3
    assert singular.__doc__ == "The singular values, and the largest." and str(singular) == "singular"
    assert nbgraph.pp(ranked(x)) == "ranked(x)"


def test_objects_and_constants_are_arguments():
    @as_op(itypes=[Generic(), nt.dscalar], otypes=[nt.dscalar])
    def look_up(table, key):
        return table[float(key)]

    s = nt.dscalar("s")
    assert function([s], look_up({1.0: 5.0}, s) + look_up({2.0: 7.0}, 2.0))(1.0) == 12.0


def test_equal_applications_merge_and_functions_of_modules_pickle():
    assert singular == pickle.loads(pickle.dumps(singular))
    f = pickle.loads(pickle.dumps(function([x], ranked(x) + ranked(x))))
    assert f([5.0, 1.0]).tolist() == [2.0, 0.0]
    merged = function([x], ranked(x) + ranked(x), mode="FAST_RUN").maker.fgraph.nodes
    assert sum(str(node.op) == "ranked" for node in merged) == 1

    @as_op([nt.dvector], [nt.dvector])
    def local(v):
        return v

    with pytest.raises(pickle.PicklingError, match="the Op local is not found as"):
        pickle.dumps(local)


@pytest.mark.parametrize(("make", "error", "said"), [
    (lambda: ranked(x, x), ArgumentError, "ranked: takes 1 arguments, got 2"),
    (lambda: ranked(A), DTypeError, r"argument 0 must be .*\?.*, got"),
    (lambda: as_op([3], [nt.dvector]), TypeError, "itypes and otypes are Types"),
    (lambda: function([x], as_op([nt.dvector], [nt.dvector] * 2)(lambda v: (v,))(x)[0])([1.0]), ValueError,
     "gave 1 values for 2 outputs"),
    (lambda: function([x], as_op([nt.dvector], [nt.dvector])(lambda v: "text")(x))([1.0]), TypeError,
     "perform gave a value that is not"),
])
def test_what_does_not_fit_is_said(make, error, said):
    with pytest.raises(error, match=said):
        made = make()
        made(lambda v: v)
