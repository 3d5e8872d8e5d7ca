"""Which kernel draws a distribution, and what must hold of its parameters first: the table of native distributions.

    native(node)     Native("nbgraph.dispatch.random.continuous.normal", DOMAINS["normal"], …), None where there is none

To add one: a kernel, its domain, a line here. An Op inherits the line of a class whose draws it keeps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from nbgraph.dispatch.random.domains import (
    DOMAINS,
    OF_ARRAYS,
    Domain,
    above_zero,
    is_number,
    not_below_zero,
    probability,
)
from nbgraph.graph.basic import Apply
from nbgraph.graph.op import known_class
from nbgraph.tensor.random import continuous, discrete, positive

_HERE = "nbgraph.dispatch.random."


@dataclass(frozen=True)
class Native:
    """How a distribution is drawn.

    Attributes
    ----------
    kernel : str         (stream, *parameters) -> number
    domain : what must hold of parameters, in this order
    dtype : str          what the kernel gives
    around : str         what is called with the stream before all draws and after them; "" for nothing
    casts : str          what parameters are cast to; "" for nothing
    """

    kernel: str
    domain: tuple[Domain, ...] = ()
    dtype: str = "float64"
    around: str = ""
    casts: str = ""


@dataclass(frozen=True)
class Condition:
    """What is raised where a condition does not hold: NumPy's words, and the class of its error."""

    message: str
    error: type[Exception] = ValueError


def native(node: Apply) -> Native | None:
    """The entry for a random variable; None where its draws are those of Python code, or not of one number each."""
    cls = known_class(type(node.op), _TABLE)
    return None if cls is None else _TABLE[cls](node)


def is_of_arrays(node: Apply) -> bool:
    """True where a parameter is an array: NumPy's words are other ones then."""
    return any(p.type.ndim for p in node.inputs[3:])


def _entry(kernel: str, domain: str = "", dtype: str = "float64", own: tuple[Domain, ...] = ()) -> Any:
    """An entry that does not depend on the node, but for NumPy's words."""
    def made(node: Apply) -> Native:
        named = OF_ARRAYS if is_of_arrays(node) and domain in OF_ARRAYS else DOMAINS
        return Native(_HERE + kernel, own or named.get(domain, ()), dtype)
    return made


_counts = partial(_entry, dtype="int64")


def _with_float32(kernel: str, of_32: str, domain: str = "") -> Callable[[Apply], Native]:
    """Draws that float32 has of its own."""
    whole, half = _entry(kernel, domain), _entry(of_32, domain, "float32")

    def made(node: Apply) -> Native:
        found: Native = (half if node.outputs[1].type.dtype == "float32" else whole)(node)
        return replace(found, casts=found.dtype)
    return made


def scale_domain(name: str = "scale") -> tuple[Domain, ...]:
    """Not below 0, not NaN."""
    return (Domain((name,), not_below_zero, f"{name} < 0"), Domain((name,), is_number, f"{name} must not be NaN"))


def above(*names: str) -> tuple[Domain, ...]:
    """Above 0, not NaN."""
    return tuple(Domain((name,), above_zero, f"{name} <= 0") for name in names)


_real, _plus, _whole = continuous, positive, discrete
_TABLE: dict[type, Callable[[Apply], Native]] = {
    _real.UniformRV: _entry("continuous.uniform", "uniform"),
    _real.RandomRV: _with_float32("uniform.random", "uniform.random_32"),
    _real.NormalRV: _entry("continuous.normal", "normal"),
    _real.StandardNormalRV: _with_float32("ziggurat.standard_normal", "ziggurat.standard_normal_32"),
    _real.HalfNormalRV: _entry("derived.halfnormal", own=scale_domain()),
    _real.CauchyRV: _entry("derived.cauchy", own=scale_domain()),
    _real.StandardCauchyRV: _entry("continuous.standard_cauchy"),
    _real.HalfCauchyRV: _entry("derived.halfcauchy", own=scale_domain()),
    _real.LaplaceRV: _entry("continuous.laplace", "laplace"),
    _real.LogisticRV: _entry("continuous.logistic", "logistic"),
    _real.GumbelRV: _entry("continuous.gumbel", "gumbel"),
    _real.StudentTRV: _entry("derived.student_t", own=(*scale_domain(), *DOMAINS["standard_t"])),
    _real.StandardTRV: _entry("gamma.standard_t", "standard_t"),
    _real.TriangularRV: _entry("continuous.triangular", "triangular"),
    _real.VonMisesRV: _entry("circular.vonmises", "vonmises"),
    _plus.LogNormalRV: _entry("continuous.lognormal", "lognormal"),
    _plus.ExponentialRV: _entry("continuous.exponential", "exponential"),
    _plus.StandardExponentialRV: _with_float32("ziggurat.standard_exponential", "ziggurat.standard_exponential_32"),
    _plus.GammaRV: _entry("gamma.gamma", "gamma"),
    _plus.StandardGammaRV: _with_float32("gamma.standard_gamma", "gamma.standard_gamma_32", "standard_gamma"),
    _plus.InvGammaRV: _entry("derived.inverse_gamma", own=(*above("shape"), *scale_domain())),
    _plus.ChiSquareRV: _entry("gamma.chisquare", "chisquare"),
    _plus.NoncentralChiSquareRV: _entry("gamma.noncentral_chisquare", "noncentral_chisquare"),
    _plus.FRV: _entry("gamma.f", "f"),
    _plus.NoncentralFRV: _entry("gamma.noncentral_f", "noncentral_f"),
    _plus.BetaRV: _entry("gamma.beta", "beta"),
    _plus.WeibullRV: _entry("derived.scaled_weibull", own=(*scale_domain(), *DOMAINS["weibull"])),
    _plus.ParetoRV: _entry("continuous.pareto", "pareto"),
    _plus.PowerRV: _entry("continuous.power_function", "power"),
    _plus.RayleighRV: _entry("continuous.rayleigh", "rayleigh"),
    _plus.WaldRV: _entry("circular.wald", "wald"),
    _whole.BernoulliRV: _counts("derived.bernoulli", own=(Domain(("p",), probability, "p < 0, p > 1 or p is NaN"),)),
    _whole.BinomialRV: _counts("binomial.binomial", "binomial"),
    _whole.NegBinomialRV: _counts("counts.negative_binomial", "negative_binomial"),
    _whole.GeometricRV: _counts("counts.geometric", "geometric"),
    _whole.HyperGeometricRV: _counts("hypergeometric.hypergeometric", "hypergeometric"),
    _whole.PoissonRV: _counts("poisson.poisson", "poisson"),
    _whole.LogSeriesRV: _counts("counts.logseries", "logseries"),
    _whole.ZipfRV: _counts("counts.zipf", "zipf"),
}
