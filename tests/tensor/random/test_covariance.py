"""Multivariate normal draws in native code: NumPy's numbers, and what is said of covariances that are none."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph import function, shared
from nbgraph.tensor.random import basic
from tests.tensor.random.test_native import generator

INDEFINITE = np.array([[1.0, 2.0], [2.0, 1.0]])


@pytest.mark.parametrize("method", ["svd", "eigh", "cholesky"])
def test_multivariate_normal_numbers_of_any_size_are_numpys_but_for_rounding(method: str):
    mean, cov = nt.dvector("mean"), nt.dmatrix("cov")
    functions = {size: function([mean, cov], basic.multivariate_normal(mean, cov, size=size, method=method,
                                                                       rng=shared(generator())), allow_python=False)
                 for size in (None, (2, 3))}
    source = np.random.default_rng(5)
    for k in (0, 1, 2, 3, 10, 60):
        a, m = source.normal(size=(k, k)), source.normal(size=k)
        for size, f in functions.items():
            expected = (generator().multivariate_normal(m, a @ a.T, size, method=method) if k
                        else np.zeros((*(size or ()), 0)))
            np.testing.assert_allclose(f(m, a @ a.T), expected, rtol=1e-10, atol=1e-12)


def test_a_covariance_that_is_not_definite_is_a_warning_at_the_line_of_the_call(mode: str):
    cov = nt.dmatrix("cov")
    f = function([cov], basic.multivariate_normal(np.zeros(2), cov, rng=shared(generator())))
    with pytest.warns(RuntimeWarning, match="not symmetric positive-semidefinite") as caught:
        drawn = f(INDEFINITE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_allclose(drawn, generator().multivariate_normal(np.zeros(2), INDEFINITE), rtol=1e-14)
    if mode != "reference":
        assert caught[0].filename == __file__
    with warnings.catch_warnings(), pytest.raises(RuntimeWarning, match="not symmetric"):
        warnings.simplefilter("error")
        f(INDEFINITE)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            f(INDEFINITE)
    assert len(caught) == 1, "a line warns once"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f(np.eye(2))
    for options, values in (({"check_valid": "raise"}, INDEFINITE), ({"method": "cholesky"}, INDEFINITE)):
        with pytest.raises(ValueError, match=r"not (symmetric|positive)"):
            function([cov], basic.multivariate_normal(np.zeros(2), cov, **options))(values)
    stated = function([cov], [basic.multivariate_normal(np.zeros(2), cov),
                              basic.multivariate_normal(np.zeros(2), cov, method="cholesky")])
    with pytest.warns(RuntimeWarning, match="not symmetric"), pytest.raises(ValueError, match="not positive definite"):
        stated(INDEFINITE)
    ignored = function([cov], basic.multivariate_normal(np.zeros(2), cov, check_valid="ignore", method="eigh",
                                                        rng=shared(generator())))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(ignored(INDEFINITE), generator().multivariate_normal(
            np.zeros(2), INDEFINITE, check_valid="ignore", method="eigh"), rtol=1e-14)
