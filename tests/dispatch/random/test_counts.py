"""Discrete distributions against NumPy's Generator, to the bit, in every region of every method."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nbgraph.dispatch.jit import entry
from nbgraph.dispatch.random import counts
from nbgraph.dispatch.random.binomial import binomial, binomial_setup, prepared_binomial
from nbgraph.dispatch.random.hypergeometric import hypergeometric, log_factorial
from nbgraph.dispatch.random.poisson import log_gamma, poisson
from nbgraph.dispatch.random.states import restore, state_of
from nbgraph.dispatch.random.uniform import pcg64
from tests.dispatch.random.streams import check_stream, generator, where

# NumPy's method: kernel, parameters.
CASES = {
    "poisson": (poisson, [(0.0,), (1e-3,), (1.0,), (9.99,), (10.0,), (12.3,), (100.0,), (1e6,), (1e12,), (9e18,)]),
    # Trivial; searched, from below and from above; BTPE near its limit, with its recurrence and its series.
    "binomial": (binomial, [
        (0, 0.5), (5, 0.0), (5, 1.0), (10, 0.3), (20, 0.8), (1, 0.5), (100, 0.3), (100_000, 1e-4), (2**62, 1e-18),
        (10**15, 1e-14), (60, 0.5), (61, 0.5), (100, 0.301), (1000, 0.3), (1000, 0.9), (100_000, 0.01), (10**9, 0.4),
        (10**9, 2e-7), (10**12, 0.6), (10**18, 0.5), (2**62, 1e-17)]),
    "negative_binomial": (counts.negative_binomial, [(5.0, 0.5), (0.5, 0.1), (100.0, 0.9), (3.0, 1.0), (1e9, 0.1)]),
    "geometric": (counts.geometric, [(0.5,), (0.9,), (1.0,), (1 / 3,), (0.333,), (0.1,), (1e-18,), (1e-19,),
                                    (1e-300,)]),
    "logseries": (counts.logseries, [(0.0,), (0.01,), (0.5,), (0.99,), (0.999999,), (1 - 2.0**-53,)]),
    "zipf": (counts.zipf, [(1.0001,), (1.01,), (1.5,), (2.0,), (4.0,), (30.0,), (1e3,), (1024.9,), (1025.0,),
                          (np.inf,)]),
    # One after the other, few and most, with nothing left; HRUA, few and most, good and bad rare, and large ones.
    "hypergeometric": (hypergeometric, [
        (10, 20, 5), (10, 20, 25), (20, 10, 20), (10, 20, 0), (0, 20, 5), (0, 20, 15), (20, 0, 5), (20, 0, 15),
        (5, 5, 10), (9, 9, 8), (9, 9, 9), (9, 9, 10), (10, 20, 21), (100, 100, 10), (1000, 2000, 500), (20, 10, 12),
        (1000, 20, 300), (1000, 20, 900), (20, 1000, 300), (20, 1000, 900), (4, 10**6, 5 * 10**5),
        (10**8, 10**8, 10**7), (9 * 10**8, 9 * 10**7, 10**7), (10**8, 3, 5 * 10**7), (10**9 - 1, 10**9 - 1, 5),
        (10**9 - 1, 10**9 - 1, 10**9)]),
}


def _cases():
    return [(name, parameters) for name, (_, rows) in CASES.items() for parameters in rows]


@pytest.mark.parametrize(("name", "parameters"), _cases(), ids=str)
def test_draws_are_those_of_numpy(name, parameters):
    check_stream(CASES[name][0], getattr(np.random.Generator, name), parameters, np.int64)


@pytest.mark.parametrize(("name", "parameters"), _cases(), ids=str)
def test_numpy_draws_the_same_for_arrays_of_parameters(name, parameters):
    numbers, arrays = generator("PCG64", 4), generator("PCG64", 4)
    expected = getattr(numbers, name)(*parameters, 300)
    found = getattr(arrays, name)(*(np.full(300, p) for p in parameters))
    np.testing.assert_array_equal(found, expected)
    assert where(arrays) == where(numbers)


@pytest.mark.parametrize("kind", ["PCG64DXSM", "SFC64", "Philox", "MT19937"])
@pytest.mark.parametrize(("name", "parameters"), [("negative_binomial", (5.0, 0.1)), ("binomial", (1000, 0.3)),
                                                  ("hypergeometric", (10, 20, 5)), ("hypergeometric", (50, 90, 40))])
def test_draws_of_other_kinds_of_generators_are_those_of_numpy(kind, name, parameters):
    check_stream(CASES[name][0], getattr(np.random.Generator, name), parameters, np.int64, kind)


@entry
def _prepared(state, n, p, out):
    rng, setup = pcg64(state), binomial_setup(n, p)
    for i in range(out.shape[0]):
        out[i] = prepared_binomial(rng, setup)


@pytest.mark.parametrize(("n", "p"), CASES["binomial"][1])
def test_one_setup_serves_many_binomial_draws(n, p):
    ours, numpys = generator("PCG64", 6), generator("PCG64", 6)
    out, state = np.empty(2000, np.int64), state_of(ours)
    _prepared(state, n, p, out)
    restore(ours, state)
    np.testing.assert_array_equal(out, numpys.binomial(n, p, 2000))
    assert where(ours) == where(numpys)


@entry
def _logarithms(x, gammas, factorials):
    for i in range(x.shape[0]):
        gammas[i] = log_gamma(float(x[i] + 1))
        factorials[i] = log_factorial(x[i])


def test_logarithms_of_factorials_agree_with_the_c_library():
    x = np.array([*range(300), 10**4, 10**9])
    gammas, factorials = np.empty(len(x)), np.empty(len(x))
    _logarithms(x, gammas, factorials)
    expected = [math.lgamma(k + 1) for k in x.tolist()]
    np.testing.assert_allclose(gammas, expected, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(factorials, expected, rtol=1e-14, atol=1e-14)
