"""Continuous distributions against NumPy's Generator, to the bit, in every region of every method."""

from __future__ import annotations

import numpy as np
import pytest

from nbgraph.dispatch.random import circular, continuous, gamma
from tests.dispatch.random.streams import check_stream, generator, where

NAN, INF = np.nan, np.inf
_TWO = [(1.0, 3.0), (-2.0, 0.7), (0.0, 0.0), (NAN, 1.0), (1.0, NAN), (1.0, INF)]
_ONE = [(1.0,), (0.5,), (2.5,), (1e-3,), (1e3,), (NAN,), (INF,)]
# NumPy's method: kernel, parameters.
CASES = {
    "uniform": (continuous.uniform, [(1.0, 3.0), (-2.0, 7.5), (2.0, 2.0)]),
    "normal": (continuous.normal, _TWO),
    "lognormal": (continuous.lognormal, _TWO),
    "exponential": (continuous.exponential, [*_ONE, (0.0,)]),
    "standard_cauchy": (continuous.standard_cauchy, [()]),
    "laplace": (continuous.laplace, _TWO),
    "logistic": (continuous.logistic, _TWO),
    "gumbel": (continuous.gumbel, _TWO),
    "weibull": (continuous.weibull, [*_ONE, (0.0,)]),
    "pareto": (continuous.pareto, _ONE),
    "power": (continuous.power_function, _ONE),
    "rayleigh": (continuous.rayleigh, [*_ONE, (0.0,)]),
    "triangular": (continuous.triangular, [(1.0, 1.5, 3.0), (-2.0, 7.0, 7.0), (1.0, 1.0, 4.0), (NAN, 1.0, 2.0)]),
    "vonmises": (circular.vonmises, [(0.0, 1.0), (3.0, 0.1), (-3.0, 50.0), (3.1415, 1e4), (10.0, 2.0), (-10.0, 2.0),
                                     (2.0, 0.0), (2.0, 1e-9), (2.0, 1e-6), (2.0, 1e-5), (1.0, 1e6), (1.0, 1e7),
                                     (3.1415926, 1e7), (-3.1415926, 1e7), (1.0, NAN), (1.0, INF)]),
    "wald": (circular.wald, [(1.0, 1.0), (1.0, 3.0), (3.0, 0.1), (1e3, 50.0), (1e6, 1e-3), (1e-6, 1e6), (NAN, 1.0),
                             (1.0, INF)]),
    "standard_gamma": (gamma.standard_gamma, [*_ONE, (0.0,), (1e-5,), (0.999,), (1.0001,), (1e8,)]),
    "gamma": (gamma.gamma, [(2.0, 3.0), (0.5, 0.1), (1.0, 2.0), (0.0, 1.0), (2.0, 0.0), (2.0, NAN)]),
    "chisquare": (gamma.chisquare, [*_ONE, (2.0,), (9.0,)]),
    "f": (gamma.f, [(2.0, 5.0), (0.5, 9.0), (9.0, 1.0), (2.0, INF)]),
    "standard_t": (gamma.standard_t, [*_ONE, (2.0,), (9.0,)]),
    "noncentral_chisquare": (gamma.noncentral_chisquare, [
        (2.0, 3.0), (0.5, 2.0), (0.7, 200.0), (1.0, 1.0), (9.0, 0.0), (0.5, 0.0), (2.0, NAN), (NAN, 2.0), (2.0, INF)]),
    "noncentral_f": (gamma.noncentral_f, [(2.0, 3.0, 1.0), (0.5, 2.0, 3.0), (0.7, 2.0, 200.0), (3.0, 2.0, 0.0)]),
    # Gamma numbers; powers; powers that are 0, singly and both; and parameters below which there are none.
    "beta": (gamma.beta, [(2.0, 3.0), (0.5, 2.0), (2.0, 0.5), (1.0, 1.0), (0.5, 0.5), (1e-3, 1e-3), (1e-3, 2e-2),
                          (2e-2, 1e-3), (1e-10, 1e-8), (2.9e-103, 3e-103), (3e-103, 2.9e-103), (1e-104, 1e-103),
                          (1e-308, 1e-309), (1e-150, 0.5), (NAN, 1.0), (1.0, INF)]),
}


def _cases():
    return [(name, parameters) for name, (_, rows) in CASES.items() for parameters in rows]


@pytest.mark.parametrize(("name", "parameters"), _cases(), ids=str)
def test_draws_are_those_of_numpy(name, parameters):
    check_stream(CASES[name][0], getattr(np.random.Generator, name), parameters)


@pytest.mark.parametrize(("name", "parameters"), _cases(), ids=str)
def test_numpy_draws_the_same_for_arrays_of_parameters(name, parameters):
    numbers, arrays = generator("PCG64", 4), generator("PCG64", 4)
    expected = getattr(numbers, name)(*parameters, 300)
    found = getattr(arrays, name)(*(np.full(300, p) for p in parameters), **({} if parameters else {"size": 300}))
    np.testing.assert_array_equal(found, expected)
    assert where(arrays) == where(numbers)


@pytest.mark.parametrize("shape", [2.0, 0.5, 1.0, 0.0, 1.3, 30.0, 0.01, 1e6, 0.9999, NAN])
def test_gamma_numbers_of_float32_are_those_of_numpy(shape):
    check_stream(gamma.standard_gamma_32, lambda g, a, n: g.standard_gamma(a, n, dtype=np.float32),
                 (np.float32(shape),), np.float32, count=20_000)


def test_a_power_of_two_is_the_power_of_the_c_library():
    """Where the exponent is known when a function is compiled, LLVM would multiply instead."""
    from nbgraph.dispatch.jit import entry
    from nbgraph.dispatch.random.continuous import weibull
    from nbgraph.dispatch.random.states import state_of
    from nbgraph.dispatch.random.uniform import pcg64

    @entry
    def fill(state, out):
        rng = pcg64(state)
        for i in range(out.shape[0]):
            out[i] = weibull(rng, 0.5)

    out, rng = np.empty(100_000), generator("PCG64", 1)
    fill(state_of(rng), out)
    np.testing.assert_array_equal(out, rng.weibull(0.5, 100_000))
