"""What is said of bad parameters is what NumPy says, and the predicates agree with NumPy about what is bad."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from nbgraph.dispatch.jit import entry
from nbgraph.dispatch.random import domains
from nbgraph.dispatch.random.domains import DOMAINS, OF_ARRAYS

NAN, INF = np.nan, np.inf
# Parameters of NumPy's methods, all good.
GOOD = {
    "uniform": dict(low=0.0, high=1.0), "normal": dict(loc=0.0, scale=1.0), "exponential": dict(scale=1.0),
    "laplace": dict(loc=0.0, scale=1.0), "logistic": dict(loc=0.0, scale=1.0), "gumbel": dict(loc=0.0, scale=1.0),
    "rayleigh": dict(scale=1.0), "chisquare": dict(df=1.0), "standard_t": dict(df=1.0), "pareto": dict(a=1.0),
    "power": dict(a=1.0), "lognormal": dict(mean=0.0, sigma=1.0), "standard_gamma": dict(shape=1.0),
    "gamma": dict(shape=1.0, scale=1.0), "weibull": dict(a=1.0), "vonmises": dict(mu=0.0, kappa=1.0),
    "noncentral_chisquare": dict(df=1.0, nonc=1.0), "f": dict(dfnum=1.0, dfden=1.0),
    "noncentral_f": dict(dfnum=1.0, dfden=1.0, nonc=1.0), "beta": dict(a=1.0, b=1.0), "wald": dict(mean=1.0, scale=1.0),
    "triangular": dict(left=0.0, mode=1.0, right=2.0), "poisson": dict(lam=1.0), "binomial": dict(n=5, p=0.5),
    "negative_binomial": dict(n=5.0, p=0.5), "geometric": dict(p=0.5), "logseries": dict(p=0.5), "zipf": dict(a=2.0),
    "hypergeometric": dict(ngood=5, nbad=6, nsample=7),
}
FLOATS = (-1.0, -0.0, 0.0, 0.5, 1.0, 2.0, 1e19, 9.2233720064847708e18, 9.22337200648477e18, 1e300, -1e300, NAN)
INTEGERS = (-1, 0, 1, 9, 12, 10**9 - 1, 10**9)
# NumPy takes forever over some numbers that it allows.
SLOW = {"noncentral_chisquare", "noncentral_f"}


def _said_by_numpy(name, parameters):
    rng = np.random.default_rng(1)
    before = repr(rng.bit_generator.state)
    try:
        getattr(rng, name)(**parameters)
    except (ValueError, OverflowError) as error:
        assert repr(rng.bit_generator.state) == before
        return type(error), str(error)
    return None


def _said_here(rows, parameters):
    for row in rows:
        if not row.holds(*(parameters[name] for name in row.parameters)):
            return row.error, row.message
    return None


def _trials(name):
    """One parameter changed, or all of them."""
    good = GOOD[name]
    values = [INTEGERS if isinstance(value, int) else FLOATS for value in good.values()]
    if name not in SLOW:
        yield from (dict(zip(good, chosen)) for chosen in product(*values))
    for parameter, choice in zip(good, values):
        yield from ({**good, parameter: value} for value in choice)


def test_every_distribution_with_a_domain_is_looked_at():
    assert set(DOMAINS) == set(GOOD) and set(OF_ARRAYS) <= set(DOMAINS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", DOMAINS)
def test_messages_are_those_of_numpy(name):
    with np.errstate(all="ignore"):
        for parameters in _trials(name):
            numbers = {key: np.float64(x) if isinstance(x, float) else x for key, x in parameters.items()}
            assert _said_here(DOMAINS[name], numbers) == _said_by_numpy(name, parameters), parameters
            arrays = {key: np.array([x]) for key, x in parameters.items()}
            rows = OF_ARRAYS.get(name, DOMAINS[name])
            assert _said_here(rows, numbers) == _said_by_numpy(name, arrays), parameters


def _loop(predicate, arity):
    """fill(rows, out), compiled."""
    def one(x, out):
        for i in range(x.shape[0]):
            out[i] = predicate(x[i, 0])

    def two(x, out):
        for i in range(x.shape[0]):
            out[i] = predicate(x[i, 0], x[i, 1])

    def three(x, out):
        for i in range(x.shape[0]):
            out[i] = predicate(x[i, 0], x[i, 1], x[i, 2])

    return entry((one, two, three)[arity - 1])


PREDICATES = sorted({row.holds for rows in DOMAINS.values() for row in rows}, key=lambda f: f.__name__)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("predicate", PREDICATES, ids=lambda f: f.__name__)
def test_predicates_are_the_same_compiled(predicate):
    arity = predicate.formula.__code__.co_argcount
    whole = predicate in (domains.in_an_urn, domains.enough)
    rows = np.array(list(product(INTEGERS if whole else (*FLOATS, INF, -INF), repeat=arity)))
    out = np.empty(len(rows), bool)
    _loop(predicate, arity)(rows, out)
    np.testing.assert_array_equal(out, [predicate(*row) for row in rows])
    np.testing.assert_array_equal(out, predicate(*rows.T))
