"""Bench cases of elementwise work: a scalar, chains, transcendental functions, many small inputs.

    1 / (1 + exp(-x)),  Black-Scholes,  distances on a sphere,  a sum of eighty terms
"""

from __future__ import annotations

import numpy as np

from nbgraph.bench.case import Problem, collector

TABLE, case = collector()


@case("2 * x on a scalar", quick=True)
def scalar(rng: np.random.Generator) -> Problem:
    return Problem(lambda m, x: [2 * x], {"x": 3.5})


@case("ten vectors of length 5, a chain of multiply-add", quick=True)
def short_vectors(rng: np.random.Generator) -> Problem:
    def chain(m, *xs):
        total = xs[0]
        for x in xs[1:]:
            total = total * 0.5 + x
        return [total]

    return Problem(chain, {f"x{i}": x for i, x in enumerate(rng.standard_normal((10, 5)))})


def logistic(m, x):
    return [1 / (1 + m.exp(-x))]


@case("1 / (1 + exp(-x)), n = 1,000")
def sigmoid_small(rng: np.random.Generator) -> Problem:
    return Problem(logistic, {"x": rng.standard_normal(1_000)},
                   numexpr=lambda evaluate, x: [evaluate("1 / (1 + exp(-x))")])


@case("1 / (1 + exp(-x)), n = 1,000,000", quick=True)
def sigmoid(rng: np.random.Generator) -> Problem:
    return Problem(logistic, {"x": rng.standard_normal(1_000_000)},
                   numexpr=lambda evaluate, x: [evaluate("1 / (1 + exp(-x))")])


@case("Black-Scholes call and put, n = 1,000,000", quick=True)
def black_scholes(rng: np.random.Generator) -> Problem:
    def prices(m, spot, strike, years, rate, volatility):
        spread = volatility * m.sqrt(years)
        d1 = (m.log(spot / strike) + (rate + volatility ** 2 / 2) * years) / spread
        discounted = strike * m.exp(-rate * years)
        above, below = 0.5 * (1 + m.erf(d1 / 2 ** 0.5)), 0.5 * (1 + m.erf((d1 - spread) / 2 ** 0.5))
        call = spot * above - discounted * below
        return [call, call - spot + discounted]

    n = 1_000_000
    return Problem(prices, {"spot": rng.uniform(50, 150, n), "strike": rng.uniform(50, 150, n),
                            "years": rng.uniform(0.1, 2, n), "rate": 0.02, "volatility": 0.3})


@case("great-circle distances of 200,000 pairs of places")
def great_circle(rng: np.random.Generator) -> Problem:
    def distance(m, lat1, lon1, lat2, lon2):
        h = m.sin((lat2 - lat1) / 2) ** 2 + m.cos(lat1) * m.cos(lat2) * m.sin((lon2 - lon1) / 2) ** 2
        return [2 * 6371.0 * m.arcsin(m.sqrt(h))]

    def numexpr(evaluate, lat1, lon1, lat2, lon2):
        return [evaluate("2 * 6371.0 * arcsin(sqrt(sin((lat2 - lat1) / 2) ** 2"
                         " + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2))")]

    n = 200_000
    return Problem(distance, {"lat1": rng.uniform(-1.4, 1.4, n), "lon1": rng.uniform(-3, 3, n),
                              "lat2": rng.uniform(-1.4, 1.4, n), "lon2": rng.uniform(-3, 3, n)}, numexpr=numexpr)


@case("Rosenbrock's function and its gradient, n = 100,000")
def rosenbrock(rng: np.random.Generator) -> Problem:
    def value(m, x):
        return [(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()]

    def numpy(x):
        rise, left = x[1:] - x[:-1] ** 2, 1 - x[:-1]
        g = np.zeros_like(x)
        g[:-1] = -400 * x[:-1] * rise - 2 * left
        g[1:] += 200 * rise
        return [(100 * rise ** 2 + left ** 2).sum(), g]

    return Problem(value, {"x": rng.standard_normal(100_000)}, ["x"], numpy=numpy)


def additive_of(terms: int, rng: np.random.Generator) -> Problem:
    """A squared loss of a sum of c * tanh(x), for as many x and c as there are terms, with gradients by each c."""
    rows, about = 100, [f"scale{k}" for k in range(terms)]

    def loss(m, y, *values):
        xs, cs = values[:terms], values[terms:]
        mean = cs[0] * m.tanh(xs[0])
        for x, c in zip(xs[1:], cs[1:], strict=True):
            mean = mean + c * m.tanh(x)
        return [((y - mean) ** 2).sum()]

    def numpy(y, *values):
        basis = np.tanh(np.array(values[:terms]))
        residual = y - np.array(values[terms:]) @ basis
        return [residual @ residual, *(-2 * basis @ residual)]

    inputs = {"y": rng.standard_normal(rows)} | {f"x{k}": rng.standard_normal(rows) for k in range(terms)}
    return Problem(loss, inputs | {name: float(rng.standard_normal()) for name in about}, about, numpy=numpy)


@case("an additive model: 80 vectors of length 100, 80 coefficients, loss and 80 gradients")
def additive(rng: np.random.Generator) -> Problem:
    return additive_of(80, rng)
