"""vectorize: against np.vectorize of the same formula, and what it says of arguments that do not fit."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.errors import ArgumentError, GraphError, ShapeError
from nbgraph.tensor.vectorized import parsed

# (signature, the function of variables, of arrays, shapes of the arguments)
FORMULAS = {
    "outer": ("(n),(m)->(n,m)", nt.outer, np.outer, [((3,), (2,)), ((5, 3), (2,)), ((4, 5, 3), (5, 2))]),
    "matrix and vector": ("(n,k),(k)->(n)", nt.dot, np.dot, [((2, 3), (3,)), ((4, 2, 3), (4, 3)), ((2, 3), (4, 3))]),
    "a sum": ("(n)->()", nt.sum, np.sum, [((3,),), ((2, 3),), ((0, 3),)]),
    "no axes": ("(),()->()", lambda x, y: x * y + 1, lambda x, y: x * y + 1, [((), ()), ((3,), (2, 3)), ((2, 3), ())]),
    "two results": ("(n)->(),(n)", lambda x: (nt.max(x), x[::-1]), lambda x: (x.max(), x[::-1]), [((2, 3),)]),
    "one ignores its batch": ("(n),(m)->(m)", lambda x, y: y, lambda x, y: y, [((4, 3), (2,)), ((4, 3), (4, 2))]),
    "lengths of its own": ("(n)->(k)", lambda x: x[1:], lambda x: x[1:], [((2, 3),)]),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_results_are_those_of_numpy_vectorize(name: str, mode: str):
    signature, ours, theirs, calls = FORMULAS[name]
    rng = np.random.default_rng(5)
    for shapes in calls:
        xs = [nt.tensor(f"x{i}", dtype="float64", shape=(None,) * len(s)) for i, s in enumerate(shapes)]
        arrays = [rng.normal(size=s) for s in shapes]
        f = nbgraph.function(xs, nt.vectorize(ours, signature)(*xs), on_unused_input="ignore")
        wanted = np.vectorize(theirs, signature=signature, otypes="d" * signature.split("->")[1].count("("))(*arrays)
        for found, value in zip(*((r if isinstance(r, (list, tuple)) else [r]) for r in (f(*arrays), wanted)),
                                strict=True):
            np.testing.assert_allclose(found, value, rtol=1e-13)
            assert found.shape == value.shape


def test_without_a_signature_it_is_elementwise():
    x, y = nt.dmatrix("x"), nt.dvector("y")
    z = nt.vectorize(lambda a, b: nt.switch(a > 0, a * b, 0))(x, y)
    f = nbgraph.function([x, y], z, mode="reference")
    np.testing.assert_array_equal(f([[1.0, -1.0], [2.0, 3.0]], [2.0, 3.0]), [[2.0, 0.0], [4.0, 9.0]])
    with pytest.raises(ShapeError, match=r"vectorize: result 0(.|\n)*give a signature"):
        nt.vectorize(lambda a: nt.stack([a, a]))(y)


def test_it_takes_arrays_and_knows_their_lengths():
    z = nt.vectorize(nt.dot, "(k),(k)->()")(np.ones((2, 3)), nt.dvector("y"))
    assert z.type.shape == (2,)


def test_lengths_of_one_name_are_checked_when_known_and_at_run_time():
    dots = nt.vectorize(lambda x, y: nt.sum(x) + nt.sum(y), "(n),(n)->()")
    x, y = nt.tensor("x", dtype="float64", shape=(3,)), nt.tensor("y", dtype="float64", shape=(5, 4))
    with pytest.raises(ShapeError, match=r"vectorize \(n\),\(n\)->\(\): axis n has length 3 in argument 0 and 4 in arg"
                                         r"(.|\n)*float64\[5, 4\]"):
        dots(x, y)
    xs, ys = nt.dmatrix("xs"), nt.dvector("ys")
    f = nbgraph.function([xs, ys], dots(xs, ys), mode="reference")
    np.testing.assert_array_equal(f(np.ones((2, 3)), np.ones(3)), [6.0, 6.0])
    with pytest.raises(ShapeError, match=r"vectorize \(n\),\(n\)->\(\): axis 0 of argument 1 has length 4, an axis of "
                                         "the same name has 3"):
        f(np.ones((2, 3)), np.ones(4))


def test_batches_of_different_lengths_are_refused_at_run_time():
    xs, ys = nt.dmatrix("xs"), nt.dmatrix("ys")
    f = nbgraph.function([xs, ys], nt.vectorize(lambda x, y: y, "(n),(m)->(m)")(xs, ys), mode="reference")
    with pytest.raises(ShapeError):
        f(np.ones((2, 3)), np.ones((3, 3)))


def test_arguments_and_results_that_do_not_fit_the_signature_are_named():
    x, s = nt.dvector("x"), nt.dscalar("s")
    with pytest.raises(ArgumentError, match=r"\(n\)->\(\) takes 1 arguments, got 2"):
        nt.vectorize(nt.sum, "(n)->()")(x, x)
    with pytest.raises(ShapeError, match=r"float64\[\] has fewer axes than \(n\)"):
        nt.vectorize(nt.sum, "(n)->()")(s)
    with pytest.raises(ShapeError, match=r"result 0 of the function has type float64\[\], the signature says \(n\)"):
        nt.vectorize(nt.sum, "(n)->(n)")(x)
    with pytest.raises(ArgumentError, match="gave 1 results, the signature has 2"):
        nt.vectorize(nt.sum, "(n)->(),()")(x)
    with pytest.raises(GraphError, match="nonzero: cannot be computed for a batch"):
        nt.vectorize(lambda x: nt.nonzero(x)[0], "(n)->(k)")(nt.dmatrix("xs"))


@pytest.mark.parametrize("text", ["", "(n)", "n->n", "(n)->", "(n)(m)->()", "(3)->()", "(n),->()", "(n)->()x", 3])
def test_what_is_no_signature_is_refused(text):
    with pytest.raises(ValueError, match="is no signature"):
        nt.vectorize(nt.sum, text)


def test_signatures_may_hold_spaces():
    assert parsed(" (n, k) , (k)->(n) ").inputs == (("n", "k"), ("k",))
