"""What is no dtype, no shape and no constant: errors in three parts that keep Python's type."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.errors import NbgraphError, ValueDomainError

X, A = nt.dvector("x"), nt.dmatrix("A")


@pytest.mark.parametrize(("build", "error", "text"), [
    (lambda: nt.cast(X, "foo"), TypeError, "'foo' is no dtype"),
    (lambda: X.astype("float16"), TypeError, "no tensor has dtype float16"),
    (lambda: X.astype(object), TypeError, "no tensor has dtype object"),
    (lambda: nt.tensor(dtype="float16", shape=()), TypeError, "no tensor has dtype float16"),
    (lambda: nt.tensor(dtype="float64", shape=("a",)), ValueError, "a length must be an integer >= 0 or None, got 'a'"),
    (lambda: nt.tensor(dtype="float64", shape=(-1,)), ValueError, "got -1"),
    (lambda: nt.tensor(dtype="float64", shape=3), TypeError, "a shape must be a sequence of lengths, got 3"),
    (lambda: nt.tensor(dtype="float64"), TypeError, "a tensor type needs a shape"),
    (lambda: nt.constant([[1], [1, 2]]), ValueError, "rows of different lengths"),
    (lambda: nt.constant("abc"), TypeError, "no tensor can hold str 'abc'"),
    (lambda: nt.constant("abc", dtype="float64"), ValueError, "cannot make float64 of str 'abc'"),
    (lambda: nt.constant(300, dtype="int8"), OverflowError, "300 out of bounds for int8"),
    (lambda: A.transpose(0, 0), ValueError, r"transpose: the axes must be 0 to 1 in some order, got \(0, 0\)"),
    (lambda: nt.transpose(A, (0,)), ValueError, "transpose: the axes must be"),
    (lambda: nt.dimshuffle(A, 0, 0), ValueError, r"dimshuffle\(0, 0\): an axis is named twice"),
    (lambda: nt.as_tensor_variable(A, ndim=1), ValueError, "cannot lose 1 leading axes"),
    (lambda: nt.moveaxis(A, (0, 1), 0), ValueError, "must name as many axes"),
    (lambda: bool(X > 0), TypeError, r"neither true nor false(.|\n)*nbgraph\.function or \.eval"),
    (lambda: len(X), TypeError, "the length of x is not known"),
    (lambda: list(X), TypeError, "cannot iterate over x"),
    (lambda: len(nt.dscalar("s")), TypeError, "has no length")])
def test_what_fits_nowhere_is_an_error_with_line_and_fix(build, error, text):
    with pytest.raises(error, match=text) as caught:
        build()
    message = str(caught.value)
    assert isinstance(caught.value, NbgraphError) and "test_convert.py" in message and "fix:" in message


AXIS_OF = {
    "sum": lambda axis: nt.sum(A, axis), "argmax": lambda axis: nt.argmax(A, axis),
    "cumsum": lambda axis: nt.cumsum(A, axis),
    "expand_dims": lambda axis: nt.expand_dims(A, axis), "softmax": lambda axis: nt.softmax(A, axis),
    "tensordot": lambda axis: nt.tensordot(A, A, axis), "concatenate": lambda axis: nt.concatenate([A, A], axis),
    "take": lambda axis: nt.take(A, 0, axis), "moveaxis": lambda axis: nt.moveaxis(A, axis, 0)}


@pytest.mark.parametrize("axis", [1.5, "1", nt.lscalar("k"), nt.dvector("q")], ids=str)
@pytest.mark.parametrize("name", AXIS_OF)
def test_an_axis_must_be_an_integer_that_is_known(name, axis):
    with pytest.raises(TypeError, match=r"must be an integer, got|must be known when the graph is built") as caught:
        AXIS_OF[name](axis)
    assert isinstance(caught.value, NbgraphError) and "test_convert.py" in str(caught.value)


def test_an_axis_may_be_a_numpy_integer_or_a_constant():
    for axis in (np.int8(1), nt.constant(1), np.array(1)):
        assert nt.sum(A, axis=axis).owner.op.axes == (1,)


def test_the_one_value_of_a_constant_is_found_under_broadcasting():
    assert nt.get_scalar_constant_value(nt.ones((nt.lscalar("n"), 3))) == 1
    assert nt.get_scalar_constant_value(4) == 4
    with pytest.raises(ValueDomainError, match="x has no single value"):
        nt.get_scalar_constant_value(X)


def test_names_of_ops_and_of_shared_variables_are_there():
    from nbgraph.compile.shared import TensorSharedVariable
    assert isinstance(nt.exp(X).owner.op, nt.Elemwise) and isinstance(A.T.owner.op, nt.DimShuffle)
    assert nt.TensorSharedVariable is TensorSharedVariable
