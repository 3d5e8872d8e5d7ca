"""Distributions on the positive numbers and on [0, 1]: exponential, gamma, beta, Weibull, Pareto, and what follows.

    gamma(shape, scale)      scale times a draw of NumPy: the gradient by scale is x / scale, there is none by shape
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.tensor.random.continuous import _shape, location_scale, refuse_negative, refuse_unless_positive
from nbgraph.tensor.random.op import RandomVariable
from nbgraph.tensor.random.parameters import real

_REJECTED = "draws are accepted or rejected by their shape: with the state fixed they jump"


class ScaleFamily(RandomVariable):
    """Base of x = scale * z, which has a gradient by its last parameter."""

    def slopes(self, x: Any, *params: Any) -> tuple[Any, ...]:
        return (*(None for _ in params[:-1]), x / params[-1])


class LogNormalRV(RandomVariable):
    """Log-normal: exp(mean + sigma z), z standard normal; x > 0."""

    name = "lognormal"
    parameters = (real("mean", "the mean of log(x)", 0.0), real("sigma", "the standard deviation of log(x), >= 0", 1.0))

    def slopes(self, x: Any, mean: Any, sigma: Any) -> tuple[Any, ...]:
        return x, x * (nt.log(x) - mean) / sigma


class ExponentialRV(ScaleFamily):
    """Exponential: density exp(-x / scale) / scale, x >= 0."""

    name = "exponential"
    parameters = (real("scale", "the mean, >= 0", 1.0),)


class StandardExponentialRV(RandomVariable):
    """Standard exponential: density exp(-x), x >= 0; float32 has draws of its own."""

    name = "standard_exponential"
    parameters = ()

    def drawn(self, rng: np.random.Generator, params: Sequence[Any], size: Any, batch: Any, dtype: Any) -> Any:
        return rng.standard_exponential(size, dtype=dtype)


class GammaRV(ScaleFamily):
    """Gamma: density x**(shape - 1) exp(-x / scale) / (Gamma(shape) scale**shape), x >= 0."""

    name = "gamma"
    parameters = (real("shape", ">= 0"), real("scale", ">= 0", 1.0))
    no_slope = _REJECTED


class StandardGammaRV(RandomVariable):
    """Standard gamma: density x**(shape - 1) exp(-x) / Gamma(shape), x >= 0; float32 has draws of its own."""

    name = "standard_gamma"
    parameters = (real("shape", ">= 0"),)
    no_slope = _REJECTED

    def drawn(self, rng: np.random.Generator, params: Sequence[Any], size: Any, batch: Any, dtype: Any) -> Any:
        (shape,) = params
        return rng.standard_gamma(shape, size, dtype=dtype)


class InvGammaRV(ScaleFamily):
    """Inverse gamma: scale / z, z standard gamma of `shape`; x > 0."""

    name = "invgamma"
    parameters = (real("shape", "> 0"), real("scale", ">= 0", 1.0))
    no_slope = _REJECTED

    @classmethod
    def rng_fn(cls, rng: np.random.Generator, shape: Any, scale: Any, size: Any) -> Any:
        refuse_unless_positive("shape", shape)
        refuse_negative("scale", scale)
        return scale / rng.standard_gamma(np.broadcast_to(shape, _shape(size, shape, scale)))


class GenGammaRV(ScaleFamily):
    """Generalised gamma: lambd z**(1 / p), z standard gamma of shape alpha / p; x >= 0.

    Its density is proportional to x**(alpha - 1) exp(-(x / lambd)**p).
    """

    name = "gengamma"
    parameters = (real("alpha", "> 0", 1.0), real("p", "> 0", 1.0), real("lambd", "the scale, >= 0", 1.0))
    no_slope = _REJECTED

    @classmethod
    def rng_fn(cls, rng: np.random.Generator, alpha: Any, p: Any, lambd: Any, size: Any) -> Any:
        refuse_unless_positive("alpha", alpha)
        refuse_unless_positive("p", p)
        refuse_negative("lambd", lambd)
        return lambd * rng.standard_gamma(np.broadcast_to(alpha / p, _shape(size, alpha, p, lambd))) ** (1 / p)


class ChiSquareRV(RandomVariable):
    """Chi-square: the sum of df squares of standard normal numbers; x >= 0."""

    name = "chisquare"
    parameters = (real("df", "degrees of freedom, > 0"),)
    no_slope = _REJECTED


class NoncentralChiSquareRV(RandomVariable):
    """Noncentral chi-square: the sum of df squares of normal numbers whose squared means add up to nonc; x >= 0."""

    name = "noncentral_chisquare"
    parameters = (real("df", "degrees of freedom, > 0"), real("nonc", ">= 0"))
    no_slope = _REJECTED


class FRV(RandomVariable):
    """F: the quotient of two chi-square numbers, each by its degrees of freedom; x >= 0."""

    name = "f"
    parameters = (real("dfnum", "degrees of freedom above, > 0"), real("dfden", "degrees of freedom below, > 0"))
    no_slope = _REJECTED


class NoncentralFRV(RandomVariable):
    """Noncentral F: as F with a noncentral chi-square above; x >= 0."""

    name = "noncentral_f"
    parameters = (*FRV.parameters, real("nonc", ">= 0"))
    no_slope = _REJECTED


class BetaRV(RandomVariable):
    """Beta: density proportional to x**(a - 1) (1 - x)**(b - 1), 0 <= x <= 1."""

    name = "beta"
    parameters = (real("a", "> 0"), real("b", "> 0"))
    no_slope = _REJECTED


class WeibullRV(RandomVariable):
    """Weibull: scale e**(1 / a), e standard exponential; density proportional to z**(a - 1) exp(-z**a), z = x / scale.

    NumPy has no `scale`, so it is given by name.
    """

    name = "weibull"
    parameters = (real("a", "shape, >= 0"), real("scale", ">= 0", 1.0, keyword=True))

    @classmethod
    def rng_fn(cls, rng: np.random.Generator, a: Any, scale: Any, size: Any) -> Any:
        refuse_negative("scale", scale)
        return scale * rng.weibull(np.broadcast_to(a, _shape(size, a, scale)))

    def slopes(self, x: Any, a: Any, scale: Any) -> tuple[Any, ...]:
        z = x / scale
        return -x * nt.log(z) / a, z


class ParetoRV(RandomVariable):
    """Pareto II, also Lomax: density a / (1 + x)**(a + 1), x >= 0. Pareto's own is m (1 + x), x the draw, from m on."""

    name = "pareto"
    parameters = (real("a", "> 0"),)

    def slopes(self, x: Any, a: Any) -> tuple[Any, ...]:
        return (-(1 + x) * nt.log1p(x) / a,)


class PowerRV(RandomVariable):
    """Power: density a x**(a - 1), 0 <= x <= 1."""

    name = "power"
    parameters = (real("a", "> 0"),)

    def slopes(self, x: Any, a: Any) -> tuple[Any, ...]:
        return (-x * nt.log(x) / a,)


class RayleighRV(ScaleFamily):
    """Rayleigh: density x / scale**2 exp(-(x / scale)**2 / 2), x >= 0."""

    name = "rayleigh"
    parameters = (real("scale", "the mode, >= 0", 1.0),)


class WaldRV(RandomVariable):
    """Wald, also inverse Gaussian; x > 0.

    Its density is sqrt(scale / (2 pi x**3)) exp(-scale (x - mean)**2 / (2 mean**2 x)).
    """

    name = "wald"
    parameters = (real("mean", "> 0"), real("scale", "> 0"))
    no_slope = "each draw chooses one of two roots: with the state fixed it jumps"


class TruncExponentialRV(RandomVariable):
    """Truncated exponential: loc + scale z, z of density exp(-z) / (1 - exp(-b)), 0 <= z <= b."""

    name = "truncexpon"
    parameters = (real("b", "where z ends, > 0"), *location_scale("the least number", ">= 0"))

    @classmethod
    def rng_fn(cls, rng: np.random.Generator, b: Any, loc: Any, scale: Any, size: Any) -> Any:
        refuse_unless_positive("b", b)
        refuse_negative("scale", scale)
        return loc - scale * np.log1p(rng.random(_shape(size, b, loc, scale)) * np.expm1(-b))

    def slopes(self, x: Any, b: Any, loc: Any, scale: Any) -> tuple[Any, ...]:
        z = (x - loc) / scale
        # exp(-z) = 1 + u (exp(-b) - 1) with u fixed.
        return scale * nt.expm1(z) / nt.expm1(b), nt.ones_like(x), z


lognormal, exponential, standard_exponential = LogNormalRV(), ExponentialRV(), StandardExponentialRV()
gamma, standard_gamma, invgamma, gengamma = GammaRV(), StandardGammaRV(), InvGammaRV(), GenGammaRV()
chisquare, noncentral_chisquare, f, noncentral_f = ChiSquareRV(), NoncentralChiSquareRV(), FRV(), NoncentralFRV()
beta, weibull, pareto, power, rayleigh = BetaRV(), WeibullRV(), ParetoRV(), PowerRV(), RayleighRV()
wald, truncexpon = WaldRV(), TruncExponentialRV()
