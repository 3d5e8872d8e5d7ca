"""Rows of the scalar table in complex numbers, where derivatives are conjugated, and mixed with real ones.

Real and complex samples of every row are in test_every_derivative.py.
"""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.gradient import grad, verify_forward, verify_grad
from nbgraph.tensor import dtypes
from nbgraph.tensor.functions import FUNCTIONS
from nbgraph.tensor.scalar_function import TABLE

COMPLEX_ONE = ["neg", "square", "reciprocal", "sqrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin",
               "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh",
               "real", "imag", "conj", "abs", "angle", "sign"]
COMPLEX_TWO = ["add", "sub", "mul", "true_divide", "power"]


def complex_samples(count, seed, shape=(4,)):
    """Points in the right half plane, away from the cuts and poles of every function that is tested."""
    rng = np.random.default_rng(seed)
    return [rng.uniform(0.3, 1.2, shape) + 1j * rng.uniform(0.2, 1.1, shape) * rng.choice([-1, 1], shape)
            for _ in range(count)]


def gradient_of(function):
    """The first derivatives of sum(function), as a function of the same arguments."""
    def derivative(*xs):
        moved = [x for x in xs if not dtypes.is_discrete(x.type.dtype)]
        out = function(*xs)
        cost = nt.sum(nt.real(out) + nt.imag(out)) if out.type.dtype in dtypes.COMPLEX else nt.sum(out * out)
        return grad(cost, moved, disconnected_inputs="ignore")
    return derivative


@pytest.mark.parametrize("name", COMPLEX_ONE)
def test_complex_gradient_is_that_of_finite_differences(name):
    verify_grad(FUNCTIONS[name], complex_samples(1, seed=7))


@pytest.mark.parametrize("name", COMPLEX_ONE)
def test_complex_second_derivative_is_that_of_finite_differences(name):
    verify_grad(gradient_of(FUNCTIONS[name]), complex_samples(1, seed=8), n_tests=1)


@pytest.mark.parametrize("name", COMPLEX_TWO)
@pytest.mark.parametrize("kinds", ["cc", "rc", "cr"])
def test_complex_arithmetic_mixes_with_real_numbers(name, kinds):
    points = [z if kind == "c" else z.real.copy() for z, kind in zip(complex_samples(2, seed=9), kinds, strict=True)]
    verify_grad(FUNCTIONS[name], points)


def test_complex_from_two_parts_has_the_gradient_of_the_parts():
    verify_grad(nt.complex, [np.array([0.3, -1.0]), np.array([2.0, 0.5])])


def test_switch_between_complex_numbers_has_the_gradient_of_the_chosen_one():
    x, y = complex_samples(2, seed=10)
    verify_grad(lambda a, b: nt.switch(nt.gt(nt.real(a), 0.7), a, b), [x, y])


@pytest.mark.parametrize("name", [*COMPLEX_ONE, *COMPLEX_TWO])
def test_complex_forward_mode_is_the_transpose_of_reverse_mode(name):
    verify_forward(FUNCTIONS[name], complex_samples(TABLE[name].nin, seed=12))


@pytest.mark.parametrize("kinds", ["rc", "cr"])
def test_forward_mode_mixes_real_and_complex_numbers(kinds):
    points = [z if kind == "c" else z.real.copy() for z, kind in zip(complex_samples(2, seed=9), kinds, strict=True)]
    verify_forward(nt.mul, points)
