"""Bench cases of statistics: log-densities of many observations, with their gradients.

    normal, Student t, a mixture of normals, negative binomial, censored Weibull
"""

from __future__ import annotations

import math

import numpy as np

from nbgraph.bench.case import Problem, collector

TABLE, case = collector()


def normal_of(rng: np.random.Generator, n: int) -> Problem:
    """The log-density of n normal observations, with gradients by mean and deviation."""
    def density(m, x, mu, sigma):
        return [(-0.5 * ((x - mu) / sigma) ** 2 - m.log(sigma) - 0.5 * math.log(2 * math.pi)).sum()]

    def finish(n, total, squares, sigma):
        return [-0.5 * squares - n * (math.log(sigma) + 0.5 * math.log(2 * math.pi)), total / sigma,
                (squares - n) / sigma]

    def numpy(x, mu, sigma):
        z = (x - mu) / sigma
        return finish(len(x), z.sum(), (z ** 2).sum(), sigma)

    def numexpr(evaluate, x, mu, sigma):
        return finish(len(x), evaluate("sum((x - mu) / sigma)"), evaluate("sum(((x - mu) / sigma) ** 2)"), sigma)

    return Problem(density, {"x": rng.normal(1.0, 2.0, n), "mu": 0.7, "sigma": 1.8}, ["mu", "sigma"], numpy=numpy,
                   numexpr=numexpr)


@case("normal log-density and 2 gradients, n = 1,000,000", quick=True)
def normal(rng: np.random.Generator) -> Problem:
    return normal_of(rng, 1_000_000)


@case("Student t log-density and 3 gradients, n = 100,000", quick=True)
def student_t(rng: np.random.Generator) -> Problem:
    def density(m, x, nu, mu, sigma):
        z = (x - mu) / sigma
        front = m.gammaln((nu + 1) / 2) - m.gammaln(nu / 2) - 0.5 * m.log(np.float64(math.pi) * nu)
        return [(front - m.log(sigma) - (nu + 1) / 2 * m.log1p(z ** 2 / nu)).sum()]

    def numpy(x, nu, mu, sigma):
        from scipy.special import digamma, gammaln  # SciPy is slow to import
        n, z = len(x), (x - mu) / sigma
        tail = np.log1p(z ** 2 / nu)
        weight = (nu + 1) * z / (nu + z ** 2)
        front = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * math.log(math.pi * nu) - math.log(sigma)
        g_nu = (n * (digamma((nu + 1) / 2) - digamma(nu / 2) - 1 / nu) - tail.sum() + (weight * z).sum() / nu) / 2
        return [n * front - (nu + 1) / 2 * tail.sum(), g_nu, weight.sum() / sigma, ((weight * z).sum() - n) / sigma]

    return Problem(density, {"x": rng.standard_t(4.0, 100_000), "nu": 5.0, "mu": 0.3, "sigma": 1.2},
                   ["nu", "mu", "sigma"], numpy=numpy)


@case("mixture of 3 normals: log-density by logsumexp and 9 gradients, n = 20,000")
def mixture(rng: np.random.Generator) -> Problem:
    def density(m, x, logits, mu, log_sigma):
        z = (x[:, None] - mu) / m.exp(log_sigma)
        terms = m.log_softmax(logits, axis=0) - 0.5 * z ** 2 - log_sigma - 0.5 * math.log(2 * math.pi)
        return [m.logsumexp(terms, axis=1).sum()]

    def numpy(x, logits, mu, log_sigma):
        sigma = np.exp(log_sigma)
        weight = np.exp(logits - logits.max())
        weight /= weight.sum()
        z = (x[:, None] - mu) / sigma
        terms = np.log(weight) - 0.5 * z ** 2 - log_sigma - 0.5 * math.log(2 * math.pi)
        top = terms.max(axis=1, keepdims=True)
        share = np.exp(terms - top)
        total = share.sum(axis=1, keepdims=True)
        share /= total
        return [(np.log(total) + top).sum(), share.sum(axis=0) - len(x) * weight, (share * z).sum(axis=0) / sigma,
                (share * (z ** 2 - 1)).sum(axis=0)]

    x = np.concatenate([rng.normal(-2, 0.5, 6_000), rng.normal(0, 1, 8_000), rng.normal(3, 1.5, 6_000)])
    return Problem(density, {"x": x, "logits": np.array([0.1, -0.2, 0.3]), "mu": np.array([-1.5, 0.2, 2.5]),
                             "log_sigma": np.array([-0.4, 0.1, 0.2])}, ["logits", "mu", "log_sigma"], numpy=numpy)


@case("negative-binomial regression log-density (gammaln) and 3 gradients, n = 50,000")
def negative_binomial(rng: np.random.Generator) -> Problem:
    def density(m, y, x, intercept, slope, alpha):
        mu = m.exp(intercept + slope * x)
        return [(m.gammaln(y + alpha) - m.gammaln(alpha) - m.gammaln(y + 1) + alpha * m.log(alpha / (alpha + mu))
                 + y * m.log(mu / (alpha + mu))).sum()]

    def numpy(y, x, intercept, slope, alpha):
        from scipy.special import digamma, gammaln
        mu = np.exp(intercept + slope * x)
        both = alpha + mu
        value = (gammaln(y + alpha) - gammaln(alpha) - gammaln(y + 1) + alpha * np.log(alpha / both)
                 + y * np.log(mu / both)).sum()
        g_eta = y - mu * (y + alpha) / both
        g_alpha = digamma(y + alpha) - digamma(alpha) + np.log(alpha / both) + 1 - (alpha + y) / both
        return [value, g_eta.sum(), g_eta @ x, g_alpha.sum()]

    n, alpha = 50_000, 2.5
    x = rng.standard_normal(n)
    mu = np.exp(1.0 + 0.5 * x)
    y = rng.negative_binomial(alpha, alpha / (alpha + mu)).astype(float)
    return Problem(density, {"y": y, "x": x, "intercept": 0.9, "slope": 0.4, "alpha": 2.0},
                   ["intercept", "slope", "alpha"], numpy=numpy)


@case("censored Weibull survival times: log-density (where) and 2 gradients, n = 100,000")
def survival(rng: np.random.Generator) -> Problem:
    def density(m, time, died, log_shape, log_scale):
        shape = m.exp(log_shape)
        later = m.log(time) - log_scale
        hazard = log_shape - log_scale + (shape - 1) * later
        return [(m.where(died, hazard, 0.0) - m.exp(shape * later)).sum()]

    def numpy(time, died, log_shape, log_scale):
        shape = math.exp(log_shape)
        later = np.log(time) - log_scale
        risk = np.exp(shape * later)
        hazard = log_shape - log_scale + (shape - 1) * later
        g_shape = np.where(died, 1 + shape * later, 0.0) - shape * risk * later
        return [(np.where(died, hazard, 0.0) - risk).sum(), g_shape.sum(), (shape * (risk - died)).sum()]

    time, end = 3.0 * rng.weibull(1.5, 100_000), rng.uniform(1.0, 6.0, 100_000)
    return Problem(density, {"time": np.minimum(time, end), "died": time <= end, "log_shape": 0.3, "log_scale": 1.2},
                   ["log_shape", "log_scale"], numpy=numpy)
