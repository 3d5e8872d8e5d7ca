"""Distributions that NumPy does not have, as formulas of those that it has.

    halfnormal(rng, loc, scale)    categorical(rng, cdf)    truncated_exponential(rng, b, loc, scale)

Each docstring says what is drawn. float64 out, int64 from bernoulli, beta_binomial and categorical.
"""

from __future__ import annotations

from typing import Any

from nbgraph.dispatch.jit import kernel
from nbgraph.dispatch.random.binomial import binomial
from nbgraph.dispatch.random.continuous import standard_cauchy
from nbgraph.dispatch.random.gamma import beta as draw_beta
from nbgraph.dispatch.random.gamma import standard_gamma
from nbgraph.dispatch.random.gamma import standard_t as draw_t
from nbgraph.dispatch.random.libm import expm1, log1p, power
from nbgraph.dispatch.random.permute import place
from nbgraph.dispatch.random.uniform import random
from nbgraph.dispatch.random.ziggurat import standard_normal


@kernel
def halfnormal(rng: Any, loc: Any, scale: Any) -> Any:
    """loc + scale |z|,   z standard normal"""
    return loc + scale * abs(standard_normal(rng))


@kernel
def inverse_gamma(rng: Any, shape: Any, scale: Any) -> Any:
    """scale / g,   g standard gamma"""
    return scale / standard_gamma(rng, shape)


@kernel
def cauchy(rng: Any, loc: Any, scale: Any) -> Any:
    """loc + scale c,   c standard Cauchy: two normal numbers"""
    return loc + scale * standard_cauchy(rng)


@kernel
def halfcauchy(rng: Any, loc: Any, scale: Any) -> Any:
    """loc + scale |c|,   c standard Cauchy: two normal numbers"""
    return loc + scale * abs(standard_cauchy(rng))


@kernel
def bernoulli(rng: Any, p: Any) -> Any:
    """1 with probability p, else 0: NumPy's binomial(1, p), one uniform number, none for p = 0"""
    return binomial(rng, 1, p)


@kernel
def beta_binomial(rng: Any, n: Any, a: Any, b: Any) -> Any:
    """A binomial number of n trials, whose probability is a beta one, drawn before"""
    return binomial(rng, n, draw_beta(rng, a, b))


@kernel
def categorical(rng: Any, cdf: Any) -> Any:
    """k where cdf[k - 1] <= u < cdf[k]: NumPy's choice(n, p=p) for cdf of `cumulative(p)`, one uniform number"""
    return place(cdf, random(rng))


@kernel
def truncated_exponential(rng: Any, b: Any, loc: Any, scale: Any) -> Any:
    """loc - scale log(1 - u (1 - exp(-b))): exponential below b, one uniform number"""
    return loc - scale * log1p(random(rng) * expm1(-b))


@kernel
def generalised_gamma(rng: Any, alpha: Any, p: Any, scale: Any) -> Any:
    """scale g**(1 / p),   g standard gamma of shape alpha / p (Stacy, Ann. Math. Stat. 33 (1962))"""
    return scale * power(standard_gamma(rng, alpha / p), 1.0 / p)


@kernel
def student_t(rng: Any, df: Any, loc: Any, scale: Any) -> Any:
    """loc + scale t,   t of `standard_t`"""
    return loc + scale * draw_t(rng, df)
