"""Whether 100,000 draws are of the distribution: moments, Kolmogorov-Smirnov and chi-square tests with fixed seeds.

For what NumPy does not have; where it has a distribution, `test_distributions` compares bits.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import nbgraph
from nbgraph import function, shared
from nbgraph.tensor.random import basic

N = 100_000
# The state is fixed, so nothing fails by chance. The limits are those of one test in ten thousand.
LEAST_P = 1e-4


def draws(name: str, *params, size=N, **options) -> np.ndarray:
    """Draws in the default mode."""
    return function([], getattr(basic, name)(*params, size=size, rng=shared(np.random.default_rng(2024)), **options))()


# distribution -> (parameters, SciPy's)
CONTINUOUS = {
    "halfnormal": ((1.0, 2.0), stats.halfnorm(1.0, 2.0)),
    "cauchy": ((1.0, 2.0), stats.cauchy(1.0, 2.0)),
    "halfcauchy": ((1.0, 2.0), stats.halfcauchy(1.0, 2.0)),
    "t": ((4.0, 1.0, 2.0), stats.t(4.0, 1.0, 2.0)),
    "invgamma": ((3.5, 2.0), stats.invgamma(3.5, scale=2.0)),
    "gengamma": ((3.0, 1.5, 2.0), stats.gengamma(3.0 / 1.5, 1.5, scale=2.0)),
    "truncexpon": ((2.5, 1.0, 2.0), stats.truncexpon(2.5, 1.0, 2.0)),
    "weibull": ((1.7,), stats.weibull_min(1.7)),
}
DISCRETE = {
    "bernoulli": ((0.3,), stats.bernoulli(0.3)),
    "betabinom": ((12, 2.0, 3.0), stats.betabinom(12, 2.0, 3.0)),
    "nbinom": ((4, 0.4), stats.nbinom(4, 0.4)),
    "categorical": (([0.1, 0.0, 0.4, 0.5],), stats.rv_discrete(values=([0, 1, 2, 3], [0.1, 0.0, 0.4, 0.5]))),
    "randint": ((-3, 4), stats.randint(-3, 4)),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_draws_follow_the_distribution_function(name: str):
    params, law = CONTINUOUS[name]
    options = {"scale": 1.0} if name == "weibull" else {}
    assert stats.kstest(draws(name, *params, **options), law.cdf).pvalue > LEAST_P


@pytest.mark.parametrize("name", [name for name in CONTINUOUS if "cauchy" not in name])
def test_moments_of_continuous_draws(name: str):
    params, law = CONTINUOUS[name]
    check_moments(draws(name, *params), law)


@pytest.mark.parametrize("name", DISCRETE)
def test_moments_of_discrete_draws(name: str):
    params, law = DISCRETE[name]
    check_moments(draws(name, *params), law)


def check_moments(x: np.ndarray, law) -> None:
    """Mean and variance are within four standard errors."""
    mean, variance = float(law.mean()), float(law.var())
    assert abs(x.mean() - mean) < 4 * np.sqrt(variance / N)
    fourth = np.mean((x - mean) ** 4)
    assert abs(x.var() - variance) < 4 * np.sqrt((fourth - variance**2) / N)


@pytest.mark.parametrize("name", DISCRETE)
def test_counts_of_discrete_draws(name: str):
    params, law = DISCRETE[name]
    check_counts(draws(name, *params), law)


def check_counts(x: np.ndarray, law) -> None:
    """Counts against probabilities; those expected less than ten times are taken together."""
    values = np.arange(x.min() - 1, x.max() + 2)
    expected = law.pmf(values) * len(x)
    assert not np.any((expected == 0) & np.isin(values, x)), "a draw of probability 0"
    many = expected >= 10
    counts = np.array([np.sum(x == v) for v in values[many]])
    rest = len(x) - counts.sum(), len(x) - expected[many].sum()
    if rest[1] > 1:
        counts, wanted = np.append(counts, rest[0]), np.append(expected[many], rest[1])
    else:
        wanted = expected[many] * counts.sum() / expected[many].sum()
    assert stats.chisquare(counts, wanted).pvalue > LEAST_P


def test_rows_of_probabilities():
    p = np.array([[0.2, 0.8], [0.7, 0.3]])
    x = draws("categorical", p, size=(N, 2))
    for k, row in enumerate(p):
        check_counts(x[:, k], stats.rv_discrete(values=([0, 1], row)))


def test_dirichlet_of_several_alphas():
    alpha = np.array([[1.0, 2.0, 3.0], [4.0, 0.5, 1.5]])
    x = draws("dirichlet", alpha, size=(20_000, 2))
    np.testing.assert_allclose(x.sum(axis=-1), 1.0, rtol=1e-12)
    for row in range(2):
        for k in range(3):
            law = stats.beta(alpha[row, k], alpha[row].sum() - alpha[row, k])
            assert stats.kstest(x[:, row, k], law.cdf).pvalue > LEAST_P


def test_multivariate_normal_of_several_covariances():
    mean, cov = np.array([1.0, -1.0]), np.array([[[2.0, 0.6], [0.6, 1.0]], [[1.0, -0.9], [-0.9, 1.0]]])
    x = draws("multivariate_normal", mean, cov, size=(20_000, 2))
    for k in range(2):
        root = np.linalg.cholesky(cov[k])
        z = np.linalg.solve(root, (x[:, k] - mean).T)
        for row in z:
            assert stats.kstest(row, "norm").pvalue > LEAST_P
        assert abs(np.corrcoef(z)[0, 1]) < 4 / np.sqrt(20_000)


@pytest.mark.parametrize("options", [{}, {"shuffle": False}, {"p": [0.1, 0.2, 0.3, 0.25, 0.15]}],
                         ids=["plain", "no shuffle", "p"])
def test_choice_without_replacement_over_every_element(options):
    population = np.array([3.0, 5.0, 7.0, 11.0, 13.0])
    state = shared(np.random.default_rng(77))
    next_rng, x = basic.choice(population, size=2, replace=False, rng=state, return_next_rng=True, **options)
    f = function([], x, updates=[(state, next_rng)])
    drawn = np.array([f() for _ in range(20_000)])
    assert not np.any(drawn[:, 0] == drawn[:, 1])
    p = np.array(options.get("p", [0.2] * 5))
    # Of two drawn one after the other: k first, or k after another.
    included = p + np.array([sum(p[j] * p[k] / (1 - p[j]) for j in range(5) if j != k) for k in range(5)])
    counts = np.array([np.sum(drawn == v) for v in population])
    assert counts.sum() == 40_000
    # Each draw holds two distinct values, so counts vary less than those of independent draws.
    errors = (counts - 20_000 * included) / np.sqrt(20_000 * included * (1 - included))
    assert np.all(np.abs(errors) < 4)


def test_permutations_are_equally_likely():
    x = draws("permutation", 4, size=24_000)
    _, counts = np.unique(x, axis=0, return_counts=True)
    assert len(counts) == 24 and stats.chisquare(counts).pvalue > LEAST_P


def test_variables_of_a_stream_are_not_correlated():
    stream = nbgraph.tensor.random.RandomStream(seed=8)
    x = function([], [stream.normal(size=N) for _ in range(4)])()
    correlations = np.corrcoef(x)[np.triu_indices(4, 1)]
    assert np.all(np.abs(correlations) < 4 / np.sqrt(N))
