"""Distributions on the real line: uniform, normal, t, Cauchy, Laplace, logistic, Gumbel, triangular, von Mises.

    normal(loc, scale)      loc + scale * z: the gradient by scale is (x - loc) / scale, the z that was drawn
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.tensor.random.op import RandomVariable
from nbgraph.tensor.random.parameters import Parameter, real


def location_scale(loc: str = "0 by default", scale: str = "> 0") -> tuple[Parameter, Parameter]:
    """The parameters of x = loc + scale * z."""
    return real("loc", loc, 0.0), real("scale", scale, 1.0)


class LocationScale(RandomVariable):
    """Base of x = loc + scale * z, which has gradients by its last two parameters."""

    def slopes(self, x: Any, *params: Any) -> tuple[Any, ...]:
        *rest, loc, scale = params
        return (*(None for _ in rest), nt.ones_like(x), (x - loc) / scale)


def refuse_negative(name: str, values: Any) -> None:
    """ValueError as NumPy has it where an element is negative or NaN."""
    if np.any(values < 0):
        raise ValueError(f"{name} < 0")
    if np.any(np.isnan(values)):
        raise ValueError(f"{name} must not be NaN")


def refuse_unless_positive(name: str, values: Any) -> None:
    """ValueError where an element is not > 0."""
    if not np.all(np.asarray(values) > 0):
        raise ValueError(f"{name} <= 0")


class UniformRV(RandomVariable):
    """Uniform: low + (high - low) u, each number of [low, high) as likely as another."""

    name = "uniform"
    parameters = (real("low", "the least number", 0.0), real("high", "the end, which is not drawn", 1.0))

    def slopes(self, x: Any, low: Any, high: Any) -> tuple[Any, ...]:
        u = (x - low) / (high - low)
        return 1 - u, u


class RandomRV(RandomVariable):
    """Uniform on [0, 1): as uniform(0, 1); float32 has draws of its own, of 24 bits."""

    name = "random"
    parameters = ()

    def drawn(self, rng: np.random.Generator, params: Sequence[Any], size: Any, batch: Any, dtype: Any) -> Any:
        return rng.random(size, dtype=dtype)


class NormalRV(LocationScale):
    """Normal: density exp(-((x - loc) / scale)**2 / 2) / (scale sqrt(2 pi)), all real x."""

    name = "normal"
    parameters = location_scale("the mean", "standard deviation, >= 0")


class StandardNormalRV(RandomVariable):
    """Standard normal: density exp(-x**2 / 2) / sqrt(2 pi), all real x; float32 has draws of its own."""

    name = "standard_normal"
    parameters = ()

    def drawn(self, rng: np.random.Generator, params: Sequence[Any], size: Any, batch: Any, dtype: Any) -> Any:
        return rng.standard_normal(size, dtype=dtype)


class HalfNormalRV(LocationScale):
    """Half-normal: loc + scale |z|, z standard normal; x >= loc."""

    name = "halfnormal"
    parameters = location_scale("the least number", ">= 0")

    @classmethod
    def rng_fn(cls, rng: np.random.Generator, loc: Any, scale: Any, size: Any) -> Any:
        refuse_negative("scale", scale)
        return loc + scale * np.abs(rng.standard_normal(_shape(size, loc, scale)))


class CauchyRV(LocationScale):
    """Cauchy: density 1 / (pi scale (1 + ((x - loc) / scale)**2)), all real x; no mean."""

    name = "cauchy"
    parameters = location_scale("the median", ">= 0")

    @classmethod
    def rng_fn(cls, rng: np.random.Generator, loc: Any, scale: Any, size: Any) -> Any:
        refuse_negative("scale", scale)
        return loc + scale * rng.standard_cauchy(_shape(size, loc, scale))


class StandardCauchyRV(RandomVariable):
    """Standard Cauchy: density 1 / (pi (1 + x**2)), all real x."""

    name = "standard_cauchy"
    parameters = ()


class HalfCauchyRV(LocationScale):
    """Half-Cauchy: loc + scale |z|, z standard Cauchy; x >= loc."""

    name = "halfcauchy"
    parameters = location_scale("the least number", ">= 0")

    @classmethod
    def rng_fn(cls, rng: np.random.Generator, loc: Any, scale: Any, size: Any) -> Any:
        refuse_negative("scale", scale)
        return loc + scale * np.abs(rng.standard_cauchy(_shape(size, loc, scale)))


class LaplaceRV(LocationScale):
    """Laplace: density exp(-|x - loc| / scale) / (2 scale), all real x."""

    name = "laplace"
    parameters = location_scale("the mean", ">= 0")


class LogisticRV(LocationScale):
    """Logistic: density exp(-z) / (scale (1 + exp(-z))**2) with z = (x - loc) / scale, all real x."""

    name = "logistic"
    parameters = location_scale("the mean", ">= 0")


class GumbelRV(LocationScale):
    """Gumbel, of the largest of many: density exp(-z - exp(-z)) / scale with z = (x - loc) / scale, all real x."""

    name = "gumbel"
    parameters = location_scale("the mode", ">= 0")


class StudentTRV(LocationScale):
    """Student's t: loc + scale z, z of density proportional to (1 + z**2 / df)**(-(df + 1) / 2), all real x."""

    name = "t"
    parameters = (real("df", "degrees of freedom, > 0"), *location_scale("the median", ">= 0"))

    @classmethod
    def rng_fn(cls, rng: np.random.Generator, df: Any, loc: Any, scale: Any, size: Any) -> Any:
        refuse_negative("scale", scale)
        return loc + scale * rng.standard_t(np.broadcast_to(df, _shape(size, df, loc, scale)))


class StandardTRV(RandomVariable):
    """Student's t: density proportional to (1 + x**2 / df)**(-(df + 1) / 2), all real x."""

    name = "standard_t"
    parameters = (real("df", "degrees of freedom, > 0"),)


class TriangularRV(RandomVariable):
    """Triangular: the density rises in a line from left to mode, and falls in a line to right."""

    name = "triangular"
    parameters = (real("left", "the least number"), real("mode", "where the density is highest, left <= mode <= right"),
                  real("right", "the largest number, > left"))

    def slopes(self, x: Any, left: Any, mode: Any, right: Any) -> tuple[Any, ...]:
        # x - left = sqrt(u (right - left) (mode - left)) below the mode, and its mirror image above, u fixed.
        width, below = right - left, x <= mode
        rise = (x - left) / 2
        fall = (right - x) / 2
        left_of = 1 - rise / width - rise / (mode - left), rise / (mode - left), rise / width
        right_of = fall / width, fall / (right - mode), 1 - fall / width - fall / (right - mode)
        return tuple(nt.switch(below, a, b) for a, b in zip(left_of, right_of, strict=True))


class VonMisesRV(RandomVariable):
    """Von Mises, on the circle: density exp(kappa cos(x - mu)) / (2 pi I0(kappa)), -pi <= x <= pi."""

    name = "vonmises"
    parameters = (real("mu", "the mode, an angle"), real("kappa", "concentration, >= 0"))
    no_slope = "draws are accepted or rejected, and wrapped to the circle"


def _shape(size: Any, *params: Any) -> tuple[int, ...]:
    """The shape of all draws."""
    return np.broadcast_shapes(*map(np.shape, params)) if size is None else size


uniform, random, normal, standard_normal = UniformRV(), RandomRV(), NormalRV(), StandardNormalRV()
halfnormal, cauchy, standard_cauchy, halfcauchy = HalfNormalRV(), CauchyRV(), StandardCauchyRV(), HalfCauchyRV()
laplace, logistic, gumbel = LaplaceRV(), LogisticRV(), GumbelRV()
t, standard_t, triangular, vonmises = StudentTRV(), StandardTRV(), TriangularRV(), VonMisesRV()
