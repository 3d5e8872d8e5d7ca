"""Gradients, second derivatives and forward mode through each family of Ops."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.gradient import grad, verify_forward, verify_grad

FAMILIES = {
    "sum over an axis": (lambda x: nt.sum(x, axis=1), (3, 4)),
    "sum over all": (nt.sum, (3, 4)),
    "mean": (lambda x: nt.mean(x, axis=(0, 2), keepdims=True), (2, 3, 2)),
    "prod": (lambda x: nt.prod(x, axis=0), (3, 2)),
    "max": (lambda x: nt.max(x, axis=0), (3, 4)),
    "min": (nt.min, (3, 4)),
    "var": (lambda x: nt.var(x, axis=1), (3, 4)),
    "std": (nt.std, (5,)),
    "cumsum": (lambda x: nt.cumsum(x, axis=0), (3, 2)),
    "cumprod": (lambda x: nt.cumprod(x, axis=1), (2, 3)),
    "transpose": (nt.transpose, (3, 4)),
    "reshape": (lambda x: nt.reshape(x, (4, 3)), (3, 4)),
    "squeeze": (nt.squeeze, (1, 3)),
    "broadcast_to": (lambda x: nt.broadcast_to(x, (3, 4)), (4,)),
    "concatenate": (lambda x, y: nt.concatenate([x, y], axis=1), (2, 3), (2, 1)),
    "stack": (lambda x, y: nt.stack([x, y]), (3,), (3,)),
    "integer index": (lambda x: x[1], (3, 2)),
    "slice": (lambda x: x[::-2, 1:], (5, 3)),
    "new axis": (lambda x: x[None, ..., 0], (2, 3)),
    "gather": (lambda x: x[np.array([0, 2, 0])], (3, 2)),
    "paired gather": (lambda x: x[np.array([0, 2, 2]), np.array([1, 0, 0])], (3, 2)),
    "mask": (lambda x: x[np.array([True, False, True])], (3, 2)),
    "set_subtensor": (lambda x, y: nt.set_subtensor(x[1:], y), (3, 2), (2, 2)),
    "set_subtensor of a row": (lambda x, y: nt.set_subtensor(x[1:], y), (3, 2), (2,)),
    "inc_subtensor": (lambda x, y: nt.inc_subtensor(x[0], y), (3, 2), (2,)),
    "scatter-add": (lambda x, y: nt.inc_subtensor(x[np.array([0, 2, 0])], y), (3, 2), (3, 2)),
    "dot of vectors": (nt.dot, (3,), (3,)),
    "dot of matrices": (nt.dot, (2, 3), (3, 4)),
    "dot of matrix and vector": (nt.dot, (2, 3), (3,)),
    "dot of vector and matrix": (nt.dot, (3,), (3, 2)),
    "batched dot": (nt.batched_dot, (2, 2, 3), (2, 3, 2)),
    "matmul with broadcasting": (nt.matmul, (2, 1, 2, 3), (2, 3, 2)),
    "tensordot": (lambda x, y: nt.tensordot(x, y, axes=2), (2, 3, 2), (3, 2, 2)),
    "outer": (nt.outer, (2,), (3,)),
    "diagonal": (nt.diagonal, (3, 3)),
    "logsumexp": (lambda x: nt.logsumexp(x, axis=1), (2, 3)),
    "softmax": (lambda x: nt.softmax(x, axis=-1), (2, 3)),
}
LINEAR_IN_COMPLEX = ["sum over an axis", "transpose", "reshape", "broadcast_to", "concatenate", "slice", "gather",
                     "set_subtensor", "scatter-add", "dot of matrices", "batched dot", "cumsum", "prod", "cumprod"]


def points(name, dtype="float64"):
    rng = np.random.default_rng(6)
    drawn = [rng.uniform(0.5, 2.0, shape) for shape in FAMILIES[name][1:]]
    return [p + 1j * rng.normal(size=p.shape) if dtype == "complex128" else p.astype(dtype) for p in drawn]


@pytest.mark.parametrize("name", FAMILIES)
def test_gradient_is_that_of_finite_differences(name):
    verify_grad(FAMILIES[name][0], points(name), n_tests=1)


@pytest.mark.parametrize("name", FAMILIES)
def test_second_derivative_is_that_of_finite_differences(name):
    def derivative(*xs):
        return grad(nt.sum(nt.exp(FAMILIES[name][0](*xs) * 0.3)), list(xs))

    verify_grad(derivative, points(name), n_tests=1)


@pytest.mark.parametrize("name", FAMILIES)
def test_forward_mode_is_the_transpose_of_reverse_mode(name):
    verify_forward(FAMILIES[name][0], points(name))


@pytest.mark.parametrize("name", FAMILIES)
def test_single_precision_stays_single(name):
    xs = [nt.tensor(f"x{i}", dtype="float32", shape=shape) for i, shape in enumerate(FAMILIES[name][1:])]
    gradients = grad(nt.sum(FAMILIES[name][0](*xs)), xs)
    assert [(g.type.dtype, g.type.ndim) for g in gradients] == [("float32", x.type.ndim) for x in xs]


@pytest.mark.parametrize("name", LINEAR_IN_COMPLEX)
def test_complex_gradient_is_that_of_finite_differences(name):
    verify_grad(FAMILIES[name][0], points(name, "complex128"), n_tests=1)


@pytest.mark.parametrize("name", LINEAR_IN_COMPLEX)
def test_complex_forward_mode_is_the_transpose_of_reverse_mode(name):
    verify_forward(FAMILIES[name][0], points(name, "complex128"))


def test_logistic_regression_has_the_gradient_that_is_known_for_it():
    rng = np.random.default_rng(8)
    data, labels = rng.normal(size=(6, 3)), rng.integers(0, 2, 6).astype("float64")

    def cost(w, b):
        p = 1 / (1 + nt.exp(-nt.dot(data, w) - b))
        cross_entropy = -labels * nt.log(p) - (1 - labels) * nt.log(1 - p)
        return cross_entropy.mean() + 0.01 * (w ** 2).sum()

    verify_grad(cost, [rng.normal(size=3), np.array(0.1)])
    verify_grad(lambda w, b: grad(cost(w, b), [w, b]), [rng.normal(size=3), np.array(0.1)])
    verify_forward(cost, [rng.normal(size=3), np.array(0.1)])
