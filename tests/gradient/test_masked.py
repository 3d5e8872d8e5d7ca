"""Gradients behind a condition, through views, slices, gathers, updates, sums, products: finite where functions are.

Where the condition m is false, x is 0, where the derivative of a logarithm is infinite. There x does not matter, so the
gradient is that at 0.7 instead, which finite differences give.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.gradient import grad, numeric_grad

log, sqrt, switch = nt.log, nt.sqrt, nt.switch
SOME = np.array([True, False, True, True, False, True])
ROWS = np.array([True, True, True, False, False, False])
W = np.arange(1.0, 4.0)
TWICE = np.array([0, 1, 1, 5, 0])


def deep(x: Any) -> Any:
    """A chain whose derivatives are infinite at 0."""
    return log(sqrt(x) * 3)


def matrix(v: Any) -> Any:
    return v.reshape((2, 3))


# name: (function of x and m, m)
CASES = {
    "a reshape": (lambda x, m: switch(matrix(m), matrix(deep(x)), 0), SOME),
    "a reshape, and a function of that": (lambda x, m: switch(matrix(m), nt.exp(matrix(deep(x))) + 1, 0), SOME),
    "a transpose": (lambda x, m: switch(matrix(m).T, matrix(deep(x)).T * 2, 0), SOME),
    "new axes": (lambda x, m: switch(m[:, None, None], deep(x)[:, None, None] * W, 0), SOME),
    "a broadcast, and a sum of it": (lambda x, m: switch(m, nt.sum(deep(x)[:, None] * W, axis=1), 0), SOME),
    "a slice": (lambda x, m: switch(m[::2], deep(x)[::2], 0), SOME),
    "a slice backwards": (lambda x, m: switch(m[4:1:-1], sqrt(deep(x)[4:1:-1] + 9), 0), SOME),
    "a slice of a slice": (lambda x, m: switch(m[2:], deep(x)[1:][1:], 0), SOME),
    "an element": (lambda x, m: switch(m[1], deep(x)[1], 0) + switch(m[2], deep(x)[2], 0), SOME),
    "a slice of a matrix": (lambda x, m: switch(matrix(m)[:, 1:], matrix(deep(x))[:, 1:] * W[1:], 0), SOME),
    "a gather": (lambda x, m: switch(m[TWICE], deep(x)[TWICE], 0), SOME),
    "a gather of rows": (lambda x, m: switch(matrix(m)[[1, 0, 1]], matrix(deep(x))[[1, 0, 1]], 0), SOME),
    "a mask": (lambda x, m: deep(x)[m] * 2, SOME),
    "pieces that are joined": (lambda x, m: switch(m, nt.concatenate([deep(x)[:3], sqrt(x)[3:]]), 0), SOME),
    "a stack": (lambda x, m: switch(m, nt.stack([deep(x), sqrt(x)]), 0), SOME),
    "a scatter": (lambda x, m: switch(m, nt.inc_subtensor(nt.zeros(6)[[1, 0, 2, 5, 4, 3]],
                                                          deep(x)[[1, 0, 2, 5, 4, 3]]), 0), SOME),
    "a value that is set where a condition is false": (
        lambda x, m: nt.set_subtensor(deep(x)[nt.logical_not(m)], 0.0), SOME),
    "a sum over rows": (lambda x, m: switch(matrix(m)[:, 0], nt.sum(matrix(deep(x)), axis=1), 0), ROWS),
    "a mean, squared": (lambda x, m: switch(matrix(m)[:, 0], nt.mean(matrix(deep(x)), axis=1), 0) ** 2, ROWS),
    "the largest of rows": (lambda x, m: switch(matrix(m)[:, 0], nt.max(matrix(deep(x)), axis=1), 0), ROWS),
    "a product of rows": (lambda x, m: switch(matrix(m)[:, 0], nt.prod(matrix(deep(x)), axis=1), 0), ROWS),
    "rows times a vector": (lambda x, m: switch(matrix(m)[:, 0], nt.dot(matrix(deep(x)), W), 0), ROWS),
    "rows times a matrix": (lambda x, m: switch(matrix(m)[:, :1], nt.dot(matrix(deep(x)), np.outer(W, W)), 0), ROWS),
    "a matrix times columns": (lambda x, m: switch(
        matrix(m)[:, 0], nt.dot(np.outer(W, W), matrix(deep(x)).T), 0), ROWS),
    "a vector times columns": (lambda x, m: switch(matrix(m)[:, 0], nt.dot(W, matrix(deep(x)).T), 0), ROWS),
    "two vectors": (lambda x, m: switch(m[0], nt.dot(deep(x)[:3], W), 0) + switch(m[5], nt.dot(W, deep(x)[3:]), 0),
                    ROWS),
    "a stack of products": (lambda x, m: switch(matrix(m)[:, :1, None], nt.batched_dot(
        matrix(deep(x))[:, None, :], nt.ones((2, 3, 2))), 0), ROWS),
    "two guards of one value": (lambda x, m: two_guards(deep(x), m), SOME),
    "cumulative sums": (lambda x, m: switch(m[::-1], nt.cumsum(deep(x)[::-1]), 0), ROWS[::-1]),
    "complex numbers": (lambda x, m: switch(m[::2], nt.real(nt.exp(nt.cast(deep(x), "complex128")[::2])), 0), SOME),
}


def two_guards(z: Any, m: Any) -> Any:
    """z under a condition, z**2 under another one."""
    return switch(m, z, 0) + switch(nt.and_(m, nt.gt(nt.arange(6), 2)), z * z, 0)


def gradients(build: Any, mode: str) -> Any:
    """(x, m, v) -> the gradient of sum(build(x, m)), and of its product with v."""
    x, m, v = nt.dvector("x"), nt.tensor("m", dtype="bool", shape=(None,)), nt.dvector("v")
    first = grad(nt.sum(build(x, m)), x)
    return nbgraph.function([x, m, v], [first, grad(nt.sum(first * v), x)], mode=mode, on_unused_input="ignore")


@pytest.mark.parametrize("name", CASES)
def test_what_a_condition_takes_out_stays_out_through(name: str, mode: str):
    build, taken = CASES[name]
    point, v = np.linspace(0.4, 2.1, 6), np.array([1.0, -0.5, 2.0, 0.7, -1.5, 0.3])
    f = gradients(build, mode)
    found = f(np.where(taken, point, 0.0), taken, v)
    harmless = np.where(taken, point, 0.7)
    reference = gradients(build, "reference")
    x, m = nt.dvector(), nt.tensor(dtype="bool", shape=(None,))
    value = nbgraph.function([x, m], nt.sum(build(x, m)), mode="reference", on_unused_input="ignore")
    np.testing.assert_allclose(found[0], numeric_grad(lambda p: value(p, taken), harmless).gf, rtol=1e-8, atol=1e-11)
    slope = numeric_grad(lambda p: np.sum(reference(p, taken, v)[0] * v), harmless).gf
    np.testing.assert_allclose(found[1], slope, rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(np.stack(found)[:, ~taken], 0.0)


def test_nothing_is_asked_where_no_gradient_is_multiplied():
    # Of layers of relu, the gradient has their own conditions and no others.
    x, w, b = nt.dmatrix("x"), nt.dmatrix("w"), nt.dvector("b")
    h = x
    for _ in range(3):
        h = nt.relu(nt.dot(h, w) + b)
    f = nbgraph.function([x, w, b], grad(nt.sum(h), [x, w, b]), mode="FAST_RUN")
    names = [str(node.op) for node in f.maker.fgraph.nodes]
    assert not any(name.startswith("any") for name in names) and names.count("switch") <= 6


def test_zeros_that_no_condition_makes_are_no_guard():
    x = nt.dvector("x")
    f = nbgraph.function([x], grad(nt.sum(log(x)[1:]), x), mode="reference")
    np.testing.assert_array_equal(f([0.0, 2.0]), [np.nan, 0.5])
    other = nbgraph.function([x], grad(nt.sum(switch(nt.gt(nt.arange(x.shape[0]), 0), log(x), 0)), x), mode="reference")
    np.testing.assert_array_equal(other([0.0, 2.0]), [0.0, 0.5])
