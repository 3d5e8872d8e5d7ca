"""What the polynomials of vmath approximate: the functions of their `table` names, where, and with which weight.

    "exp"    (e**r - 1 - r) / r**2 on |r| <= log(2) / 2, so that 1 + r + r**2 p(r) has the least relative error

Weights are relative to the result: |weight * error| is what the polynomial adds to the relative error of the function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nbgraph.dispatch.vmath.constants import DIGAMMA_NEGATIVE_ROOT, DIGAMMA_ROOT, ERFCX_MIDDLE, ERFINV_MIDDLE
from nbgraph.dispatch.vmath.derive import Fit

# A little wider than needed, since the reduction rounds.
_HALF_LOG_2 = 0.3466
_QUARTER_PI = 0.795
# ((sqrt(2) - 1) / (sqrt(2) + 1))**2
_LOG_END = 0.02945


def _mp() -> Any:
    import mpmath
    return mpmath.mp


def _exp_tail(r: Any) -> Any:
    return _series(r, lambda k: 1 / _mp().factorial(k + 2)) if abs(r) < 0.05 else (_mp().expm1(r) - r) / r**2


def _series(x: Any, coefficient: Any, count: int = 40) -> Any:
    """The sum of coefficient(k) x**k, where the function itself cancels."""
    return _mp().fsum(coefficient(k) * x**k for k in range(count))


def _log_tail(z: Any) -> Any:
    """(log((1 + s) / (1 - s)) - 2 s) / s**3 of z = s**2."""
    return _series(z, lambda k: _mp().mpf(2) / (2 * k + 3), 60)


def _log_tail_of_f(f: Any) -> Any:
    """(log(1 + f) - f + f**2 / 2) / f**3."""
    if abs(f) < 0.05:
        return _series(f, lambda k: _mp().mpf((-1) ** k) / (k + 3), 60)
    return (_mp().log1p(f) - f + f**2 / 2) / f**3


def _log_over_f(base: int) -> Callable[[Any], Any]:
    """log(1 + f) / f to this base."""
    return lambda f: (1 - f / 2 + f**2 * _log_tail_of_f(f)) / _mp().log(base)


def _log2_tail(z: Any) -> Any:
    """(log2((1 + s) / (1 - s)) - A s - A / 3 s**3) / s**5 of z = s**2, for A = 2 log2(e)."""
    return _series(z, lambda k: _mp().mpf(2) / (2 * k + 5), 60) / _mp().ln2


def _sin_tail(z: Any) -> Any:
    """(x - sin(x)) / x**3 of z = x**2."""
    return _series(z, lambda k: (-1) ** k / _mp().factorial(2 * k + 3))


def _cos_tail(z: Any) -> Any:
    return _series(z, lambda k: (-1) ** k / _mp().factorial(2 * k + 4))


def _exp2_tail(d: Any) -> Any:
    """(2**d - 1 - d log(2)) / d**2."""
    return _exp_tail(d * _mp().ln2) * _mp().ln2**2


def _tan_tail(z: Any) -> Any:
    """(tan(x) - x) / x**3 of z = x**2."""
    mp = _mp()
    if abs(z) < 1e-2:
        # 4**j (4**j - 1) |B(2 j)| / (2 j)! for j = k + 2
        return _series(z, lambda k: mp.mpf(4)**(k + 2) * (mp.mpf(4)**(k + 2) - 1) * abs(mp.bernoulli(2 * k + 4))
                       / mp.factorial(2 * k + 4), 60)
    x = mp.sqrt(z)
    return ((mp.tan(x) - x) / x**3).real


def _arctan_tail(z: Any) -> Any:
    """(arctan(x) - x) / x**3 of z = x**2."""
    if z < 1e-2:
        return _series(z, lambda k: _mp().mpf((-1) ** (k + 1)) / (2 * k + 3), 60)
    x = _mp().sqrt(z)
    return (_mp().atan(x) - x) / x**3


def _arcsin_tail(z: Any) -> Any:
    """(arcsin(x) - x) / x**3 of z = x**2."""
    if z < 1e-2:
        return _series(z, lambda k: _mp().binomial(2 * k + 2, k + 1) / (4 ** (k + 1) * _mp().mpf(2 * k + 3)), 60)
    x = _mp().sqrt(z)
    return (_mp().asin(x) - x) / x**3


def _sinh_tail(z: Any) -> Any:
    return _series(z, lambda k: 1 / _mp().factorial(2 * k + 3))


def _tanh_tail(z: Any) -> Any:
    """(tanh(x) - x) / x**3 of z = x**2, through the tangent of i x."""
    return -_tan_tail(-z)


def _cosh_tail(z: Any) -> Any:
    return _series(z, lambda k: 1 / _mp().factorial(2 * k + 4))


def _erfcx_of_t(t: Any) -> Any:
    """(1 + 2 x) e**(x**2) erfc(x)."""
    x = ERFCX_MIDDLE * (1 + t) / (1 - t)
    return (1 + 2 * x) * _mp().exp(x * x) * _mp().erfc(x)


def _erf_over_x(z: Any) -> Any:
    """erf(x) / x - 1 of z = x**2."""
    x = _mp().sqrt(z)
    return (_mp().erf(x) / x if z > 1e-40 else 2 / _mp().sqrt(_mp().pi)) - 1


def _erfinv_of_t(t: Any) -> Any:
    """erfinv(x) / (x sqrt(w + c)) for t = 2 w / (w + c) - 3/4, w = -log(1 - x**2)."""
    mp, w = _mp(), ERFINV_MIDDLE * (t + 0.75) / (1.25 - t)
    x = mp.sqrt(-mp.expm1(-w))
    if w < 1:
        return mp.erfinv(x) / (x * mp.sqrt(w + ERFINV_MIDDLE))
    # Newton's steps for log(erfc(y)), which is concave, from a y that is too small.
    y, wanted = mp.erfinv(mp.mpf(1) / 2), -w - mp.log1p(x)
    for _ in range(60):
        complement = mp.erfc(y)
        step = (mp.log(complement) - wanted) * complement * mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
        y += step
        if abs(step) < mp.mpf(10) ** -40:
            break
    return y / (x * mp.sqrt(w + ERFINV_MIDDLE))


def _gammaln_over_zeros(d: Any) -> Any:
    """gammaln(2 + d) / (d (1 + d)); the grid does not hit its zeros, but comes close."""
    with _mp().workdps(90):
        x = 2 + _mp().mpf(d)
        return _mp().loggamma(x) / (d * (1 + d)) if abs(d) > 1e-30 else 1 - _mp().euler


def _stirling(z: Any) -> Any:
    """x (gammaln(x) - (x - 1/2) log(x) + x - log(2 pi) / 2) of z = 1 / x**2."""
    x = 1 / _mp().sqrt(z)
    return (_mp().loggamma(x) - (x - _mp().mpf(1) / 2) * _mp().log(x) + x - _mp().log(2 * _mp().pi) / 2) * x


def _digamma_over_zero(d: Any) -> Any:
    """digamma(r + d) / d for the zero r."""
    mp = _mp()
    with mp.workdps(90):
        return mp.digamma(mp.mpf(DIGAMMA_ROOT.numerator) / DIGAMMA_ROOT.denominator + d) / d


def _digamma_over_negative_zero(d: Any) -> Any:
    """digamma(x) x (x + 1) / d for x = r + d and the zero r between -1 and 0."""
    mp = _mp()
    with mp.workdps(90):
        x = mp.mpf(DIGAMMA_NEGATIVE_ROOT.numerator) / DIGAMMA_NEGATIVE_ROOT.denominator + d
        return mp.digamma(x) * x * (x + 1) / d


def _digamma_far(z: Any) -> Any:
    """(log(x) - 1 / (2 x) - digamma(x)) x**2 of z = 1 / x**2."""
    x = 1 / _mp().sqrt(z)
    return (_mp().log(x) - 1 / (2 * x) - _mp().digamma(x)) / z


FITS: dict[str, Fit] = {
    "exp": Fit(_exp_tail, -_HALF_LOG_2, _HALF_LOG_2, (10, 5), lambda r: r**2 + 1e-9),
    "log": Fit(_log_tail, 0.0, _LOG_END, (7, 3), lambda z: z + 1e-9, 64),
    "log_of_f": Fit(_log_tail_of_f, -0.293, 0.4143, (0, 8), lambda f: f**2 + 1e-9),
    "power_single": Fit(_log_over_f(2), -0.293, 0.4143, (0, 12), lambda f: 0.69, 64),
    "log2_of_f": Fit(_log_over_f(2), -0.293, 0.4143, (0, 9), lambda f: 0.69),
    "log10_of_f": Fit(_log_over_f(10), -0.293, 0.4143, (0, 10), lambda f: 2.3),
    "power": Fit(_log2_tail, 0.0, _LOG_END, (7, 0), lambda z: z**2 / 2 + 1e-9),
    "exp2": Fit(_exp2_tail, -0.5001, 0.5001, (10, 5), lambda d: 0.7 * d**2 + 1e-9),
    "sin": Fit(_sin_tail, 0.0, _QUARTER_PI**2, (6, 3), lambda z: z + 1e-9),
    "cos": Fit(_cos_tail, 0.0, _QUARTER_PI**2, (6, 3), lambda z: z**2 + 1e-9),
    "tan": Fit(_tan_tail, 0.0, _QUARTER_PI**2, (14, 6), lambda z: z + 1e-9),
    "sinh": Fit(_sinh_tail, 0.0, _HALF_LOG_2**2, (5, 2), lambda z: z + 1e-9),
    "cosh": Fit(_cosh_tail, 0.0, _HALF_LOG_2**2, (5, 2), lambda z: z**2 + 1e-9),
    "arctan": Fit(_arctan_tail, 0.0, 0.2501, (12, 5), lambda z: z + 1e-9),
    "arcsin": Fit(_arcsin_tail, 0.0, 0.25, (12, 5), lambda z: z + 1e-9),
    "tanh": Fit(_tanh_tail, 0.0, 0.303, (10, 5), lambda z: z + 1e-9),
    "erfcx": Fit(_erfcx_of_t, -1.0, 1.0, (26, 13), lambda t: 1, 64),
    "erf": Fit(_erf_over_x, 0.0, 1.0, (12, 6), lambda z: 1, 64),
    # w = 36.05 at the last float64 below 1, 15.95 at the last float32.
    "erfinv": Fit(_erfinv_of_t, -0.75, 72.1 / 46.05 - 0.75, (38, 0), lambda t: 3),
    "erfinv_single": Fit(_erfinv_of_t, -0.75, 32 / 26 - 0.75, (0, 15), lambda t: 3, 64),
    "gammaln": Fit(_gammaln_over_zeros, -0.5, 0.5, (19, 8), lambda d: 1.5, 64),
    # gammaln(2.5) is 0.28, digamma(2) 0.42.
    "stirling": Fit(_stirling, 1e-9, 0.16, (13, 4), lambda z: 0.5, 64),
    "digamma": Fit(_digamma_over_zero, -0.4617, 0.5384, (22, 10), lambda d: 1, 64),
    "digamma_negative": Fit(_digamma_over_negative_zero, -0.4959, 0.5041, (22, 0), lambda d: 1),
    "digamma_far": Fit(_digamma_far, 1e-7, 0.25, (16, 5), lambda z: 2.4 * z + 1e-9, 64),
}
