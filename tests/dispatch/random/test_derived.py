"""Distributions that NumPy does not have, against SciPy's distribution functions, and against the draws they are of."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from nbgraph.dispatch.jit import entry
from nbgraph.dispatch.random import derived
from nbgraph.dispatch.random.permute import cumulative
from tests.dispatch.random.streams import check_stream, drawn, generator

COUNT = 100_000
# kernel, parameters, SciPy's distribution.
CONTINUOUS = {
    "halfnormal": (derived.halfnormal, (1.0, 2.5), stats.halfnorm(1.0, 2.5)),
    "inverse gamma": (derived.inverse_gamma, (5.0, 2.0), stats.invgamma(5.0, scale=2.0)),
    "inverse gamma, small": (derived.inverse_gamma, (0.7, 2.0), stats.invgamma(0.7, scale=2.0)),
    "cauchy": (derived.cauchy, (-1.0, 3.0), stats.cauchy(-1.0, 3.0)),
    "halfcauchy": (derived.halfcauchy, (-1.0, 3.0), stats.halfcauchy(-1.0, 3.0)),
    "student t": (derived.student_t, (6.0, 1.0, 2.0), stats.t(6.0, 1.0, 2.0)),
}
DISCRETE = {
    "bernoulli": (derived.bernoulli, (0.3,), stats.bernoulli(0.3)),
    "bernoulli, likely": (derived.bernoulli, (0.9,), stats.bernoulli(0.9)),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_numbers_have_the_distribution(name):
    kernel, parameters, expected = CONTINUOUS[name]
    found = drawn(kernel, generator("PCG64", 17), parameters, np.empty(COUNT))
    assert stats.kstest(found, expected.cdf).pvalue > 1e-3
    wrong = stats.kstest(found * 1.03, expected.cdf).pvalue
    assert wrong < 1e-3, "the test would not see a scale that is wrong by 3 %"


@pytest.mark.parametrize("name", [n for n in CONTINUOUS if "cauchy" not in n and "small" not in n])
def test_numbers_have_the_moments(name):
    kernel, parameters, expected = CONTINUOUS[name]
    found = drawn(kernel, generator("PCG64", 18), parameters, np.empty(COUNT))
    mean, variance, kurtosis = expected.stats("mvk")
    assert abs(found.mean() - mean) < 4 * np.sqrt(variance / COUNT)
    if np.isfinite(kurtosis):
        assert abs(found.var() - variance) < 4 * variance * np.sqrt((kurtosis + 2) / COUNT)


@pytest.mark.parametrize("name", DISCRETE)
def test_counts_have_the_distribution(name):
    kernel, parameters, expected = DISCRETE[name]
    found = drawn(kernel, generator("PCG64", 19), parameters, np.empty(COUNT, np.int64))
    values = np.arange(found.max() + 1)
    probabilities = expected.pmf(values)
    assert probabilities.sum() == pytest.approx(1, abs=1e-12)
    assert stats.chisquare(np.bincount(found), COUNT * probabilities / probabilities.sum()).pvalue > 1e-3


@entry
def _cumulative(p, out):
    cumulative(p, out)


def test_categories_have_their_probabilities():
    p = np.array([0.1, 0.0, 0.4, 0.25, 0.25])
    cdf = np.empty(5)
    _cumulative(p, cdf)
    found = np.bincount(drawn(derived.categorical, generator("PCG64", 20), (cdf,), np.empty(COUNT, np.int64)),
                        minlength=5)
    assert found[1] == 0
    assert stats.chisquare(found[p > 0], COUNT * p[p > 0]).pvalue > 1e-3


# kernel, parameters, the same draws by NumPy.
DRAWS = {
    "halfnormal": (derived.halfnormal, (1.0, 2.5), lambda g, a, b, n: a + b * abs(g.standard_normal(n))),
    "inverse gamma": (derived.inverse_gamma, (5.0, 2.0), lambda g, a, b, n: b / g.standard_gamma(a, n)),
    "cauchy": (derived.cauchy, (-1.0, 3.0), lambda g, a, b, n: a + b * g.standard_cauchy(n)),
    "halfcauchy": (derived.halfcauchy, (-1.0, 3.0), lambda g, a, b, n: a + b * abs(g.standard_cauchy(n))),
    "student t": (derived.student_t, (6.0, 1.0, 2.0), lambda g, df, a, b, n: a + b * g.standard_t(df, n)),
    "bernoulli": (derived.bernoulli, (0.3,), lambda g, p, n: g.random(n) < p),
    "weibull": (derived.scaled_weibull, (1.5, 2.0), lambda g, a, b, n: b * g.weibull(a, n)),
}


@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_those_that_the_docstring_says(name):
    kernel, parameters, draw = DRAWS[name]
    check_stream(kernel, draw, parameters, np.int64 if name in DISCRETE else np.float64)
