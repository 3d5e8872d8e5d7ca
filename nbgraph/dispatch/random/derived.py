"""Distributions that NumPy does not have, as formulas of those that it has.

    halfnormal(rng, loc, scale)    categorical(rng, cdf)    student_t(rng, df, loc, scale)

Each docstring says what is drawn. float64 out, int64 from bernoulli and categorical. Others are made of
draws in graphs: see `whole`.
"""

from __future__ import annotations

from typing import Any

from numba import int64

from nbgraph.dispatch.jit import kernel
from nbgraph.dispatch.random.continuous import standard_cauchy, weibull
from nbgraph.dispatch.random.gamma import standard_gamma
from nbgraph.dispatch.random.gamma import standard_t as draw_t
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
    """1 where a uniform number is below p, else 0"""
    return int64(random(rng) < p)


@kernel
def scaled_weibull(rng: Any, a: Any, scale: Any) -> Any:
    """scale w,   w of `weibull`"""
    return scale * weibull(rng, a)


@kernel
def categorical(rng: Any, cdf: Any) -> Any:
    """k where cdf[k - 1] <= u < cdf[k]: NumPy's choice(n, p=p) for cdf of `cumulative(p)`, one uniform number"""
    return place(cdf, random(rng))


@kernel
def student_t(rng: Any, df: Any, loc: Any, scale: Any) -> Any:
    """loc + scale t,   t of `standard_t`"""
    return loc + scale * draw_t(rng, df)
