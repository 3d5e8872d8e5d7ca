"""Bench cases of statistics and finance: log-densities with their gradients, option prices.

Gradients of the NumPy versions are written by hand; special functions come from SciPy.
"""

from __future__ import annotations

import math

import numpy as np

import nbgraph.tensor as nt
from nbgraph.bench.case import Problem, collector
from nbgraph.gradient import grad

TABLE, case = collector()


@case("normal log-density and 2 gradients, n = 1,000,000")
def normal(rng: np.random.Generator) -> Problem:
    x, mu, sigma = nt.dvector("x"), nt.dscalar("mu"), nt.dscalar("sigma")
    density = (-0.5 * ((x - mu) / sigma) ** 2 - nt.log(sigma) - 0.5 * math.log(2 * math.pi)).sum()

    def numpy(x: np.ndarray, mu: float, sigma: float) -> list[float]:
        z = (x - mu) / sigma
        squares = (z ** 2).sum()
        return [-0.5 * squares - len(x) * (math.log(sigma) + 0.5 * math.log(2 * math.pi)), z.sum() / sigma,
                (squares - len(x)) / sigma]

    return Problem([x, mu, sigma], [density, *grad(density, [mu, sigma])],
                   [rng.normal(1.0, 2.0, 1_000_000), 0.7, 1.8], numpy)


@case("Student t log-density and 3 gradients, n = 100,000")
def student_t(rng: np.random.Generator) -> Problem:
    x, nu, mu, sigma = nt.dvector("x"), nt.dscalar("nu"), nt.dscalar("mu"), nt.dscalar("sigma")
    z = (x - mu) / sigma
    density = (nt.gammaln((nu + 1) / 2) - nt.gammaln(nu / 2) - 0.5 * nt.log(nt.constant(math.pi) * nu)
               - nt.log(sigma) - (nu + 1) / 2 * nt.log1p(z ** 2 / nu)).sum()

    def numpy(x: np.ndarray, nu: float, mu: float, sigma: float) -> list[float]:
        from scipy.special import digamma, gammaln  # SciPy is slow to import, and only this case needs it
        n, z = len(x), (x - mu) / sigma
        tail = np.log1p(z ** 2 / nu)
        weight = (nu + 1) * z / (nu + z ** 2)
        front = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * math.log(math.pi * nu) - math.log(sigma)
        g_nu = (n * (digamma((nu + 1) / 2) - digamma(nu / 2) - 1 / nu) - tail.sum() + (weight * z).sum() / nu) / 2
        return [n * front - (nu + 1) / 2 * tail.sum(), g_nu, weight.sum() / sigma, ((weight * z).sum() - n) / sigma]

    return Problem([x, nu, mu, sigma], [density, *grad(density, [nu, mu, sigma])],
                   [rng.standard_t(4.0, 100_000), 5.0, 0.3, 1.2], numpy)


@case("Black-Scholes call and put, n = 1,000,000")
def black_scholes(rng: np.random.Generator) -> Problem:
    spot, strike, years = nt.dvectors("spot", "strike", "years")
    rate, volatility = nt.dscalars("rate", "volatility")

    def prices(spot, strike, years, rate, volatility, *, math, erf):  # type: ignore[no-untyped-def]
        spread = volatility * math.sqrt(years)
        d1 = (math.log(spot / strike) + (rate + volatility ** 2 / 2) * years) / spread
        discounted = strike * math.exp(-rate * years)
        above, below = 0.5 * (1 + erf(d1 / 2 ** 0.5)), 0.5 * (1 + erf((d1 - spread) / 2 ** 0.5))
        call = spot * above - discounted * below
        return [call, call - spot + discounted]

    def numpy(*values: np.ndarray) -> list[np.ndarray]:
        from scipy.special import erf
        return prices(*values, math=np, erf=erf)

    n = 1_000_000
    inputs = [spot, strike, years, rate, volatility]
    values = [rng.uniform(50, 150, n), rng.uniform(50, 150, n), rng.uniform(0.1, 2, n), 0.02, 0.3]
    return Problem(inputs, prices(*inputs, math=nt, erf=nt.erf), values, numpy)


@case("varying-intercept log-density and its gradients, 919 rows in 85 groups")
def hierarchical(rng: np.random.Generator) -> Problem:
    group, floor, y = nt.lvector("group"), nt.dvector("floor"), nt.dvector("y")
    intercept, slope, log_sigma, mu, log_tau = (nt.dvector("intercept"), nt.dscalar("slope"), nt.dscalar("log_sigma"),
                                                nt.dscalar("mu"), nt.dscalar("log_tau"))
    residual = (y - intercept[group] - slope * floor) / nt.exp(log_sigma)
    offset = (intercept - mu) / nt.exp(log_tau)
    density = ((-0.5 * residual ** 2 - log_sigma).sum() + (-0.5 * offset ** 2 - log_tau).sum()
               - 0.5 * mu ** 2 - 0.5 * slope ** 2)
    parameters = [intercept, slope, log_sigma, mu, log_tau]

    def numpy(group, floor, y, intercept, slope, log_sigma, mu, log_tau):  # type: ignore[no-untyped-def]
        sigma, tau = math.exp(log_sigma), math.exp(log_tau)
        r = (y - intercept[group] - slope * floor) / sigma
        o = (intercept - mu) / tau
        density = (-0.5 * (r @ r) - len(r) * log_sigma - 0.5 * (o @ o) - len(o) * log_tau
                   - 0.5 * mu ** 2 - 0.5 * slope ** 2)
        return [density, np.bincount(group, weights=r, minlength=len(o)) / sigma - o / tau,
                (r @ floor) / sigma - slope, r @ r - len(r), o.sum() / tau - mu, o @ o - len(o)]

    rows, groups = 919, 85
    values = [rng.integers(0, groups, rows), rng.integers(0, 2, rows).astype(float), rng.normal(1.3, 0.9, rows),
              rng.standard_normal(groups), -0.6, -0.3, 1.2, -1.1]
    return Problem([group, floor, y, *parameters], [density, *grad(density, parameters)], values, numpy)
