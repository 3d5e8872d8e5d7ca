"""Hypergeometric numbers, of one and of several colours.

    hypergeometric(rng, good, bad, sample)                          int64 -> int64
    multivariate_hypergeometric(rng, colors, sample, out)           method="marginals"

Bit for bit what the methods of `np.random.Generator` draw, for numbers and for arrays of parameters.
"""

from __future__ import annotations

from typing import Any

from numba import float64, int64

from nbgraph.dispatch.jit import apart, kernel
from nbgraph.dispatch.random.bounded import below_masked
from nbgraph.dispatch.random.libm import floor, log, sqrt
from nbgraph.dispatch.random.tables64 import LOG_FACTORIAL
from nbgraph.dispatch.random.uniform import random
from nbgraph.dispatch.random.ziggurat import table

_TABLED = len(LOG_FACTORIAL)
_log_factorial = table(LOG_FACTORIAL, float64)
_HALF_LOG_TWO_PI = 0.9189385332046728
# sqrt(8 / e) and 3 - sqrt(12 / e).
_D1, _D2 = 1.7155277699214135, 0.8989161620588988


@kernel
def log_factorial(k: Any) -> Any:
    """log(k!), of a table up to 125, then by Stirling's series; hypergeometric numbers of NumPy's compare with it."""
    apart()
    if k < _TABLED:
        return _log_factorial(k)
    return (k + 0.5) * log(float64(k)) - k + (_HALF_LOG_TWO_PI + (1.0 / k) * (1.0 / 12.0 - 1.0 / (360.0 * k * k)))


@kernel
def hypergeometric(rng: Any, good: Any, bad: Any, sample: Any) -> Any:
    """How many of a sample without replacement are good.

    10 <= sample <= good + bad - 10: ratio of uniforms, HRUA of Stadlober, J. Comput. Appl. Math. 31 (1990). Else one is
    taken after the other.
    """
    if sample >= 10 and sample <= good + bad - 10:
        return _hrua(rng, good, bad, sample)
    total = good + bad
    few = total - sample if sample > total // 2 else sample
    left, left_good = total, good
    for _ in range(few):
        if left_good == 0 or left == left_good:
            break
        left -= 1
        few -= 1
        if int64(below_masked(rng, left)) < left_good:
            left_good -= 1
    if left == left_good:
        left_good -= few
    return left_good if sample > total // 2 else good - left_good


@kernel
def _hrua(rng: Any, good: Any, bad: Any, sample: Any) -> Any:
    total = good + bad
    few = sample if sample <= total - sample else total - sample
    rare, common = (good, bad) if good <= bad else (bad, good)
    p = rare / total
    q = common / total
    a = few * p + 0.5
    variance = (total - few) * few * p * q / (total - 1)
    c = sqrt(variance + 0.5)
    h = _D1 * c + _D2
    mode = int64(floor((few + 1.0) * (rare + 1) / (total + 2)))
    g = (log_factorial(mode) + log_factorial(rare - mode) + log_factorial(few - mode)
         + log_factorial(common - few + mode))
    far, most = floor(a + 16.0 * c), float64(few if few <= rare else rare)
    end = far if far < most + 1.0 else most + 1.0
    while True:
        u = random(rng)
        v = random(rng)
        x = a + h * (v - 0.5) / u
        if x < 0.0 or x >= end:
            continue
        k = int64(floor(x))
        t = g - (log_factorial(k) + log_factorial(rare - k) + log_factorial(few - k)
                 + log_factorial(common - few + k))
        if u * (4.0 - u) - 3.0 <= t:
            break
        if u * (u - t) >= 1.0:
            continue
        if 2.0 * log(u) <= t:
            break
    if good > bad:
        k = few - k
    return good - k if few < sample else k


@kernel
def multivariate_hypergeometric(rng: Any, colors: Any, sample: Any, out: Any) -> Any:
    """One draw of `sample` without replacement, method="marginals": one hypergeometric number after the other.

    Parameters
    ----------
    colors : int64[n]    how many there are of each
    sample : int64       at most their sum
    out : int64[n]       written: how many of each are drawn
    """
    left = 0
    for i in range(colors.shape[0]):
        left += colors[i]
        out[i] = 0
    most = sample > left // 2
    wanted = left - sample if most else sample
    last = colors.shape[0] - 1
    for i in range(last):
        if wanted <= 0:
            break
        left -= colors[i]
        out[i] = hypergeometric(rng, colors[i], left, wanted)
        wanted -= out[i]
    if wanted > 0:
        out[last] = wanted
    if most:
        for i in range(colors.shape[0]):
            out[i] = colors[i] - out[i]


@kernel
def multivariate_hypergeometric_count(rng: Any, colors: Any, sample: Any, total: Any, choices: Any, out: Any) -> Any:
    """One draw of `sample` without replacement, method="count": the head of a shuffle of all.

    Parameters
    ----------
    colors : int64[n]        how many there are of each
    sample : int64           at most their sum
    total : int64            their sum
    choices : int64[total]   the colour of each, in any order: `colors_of` before the first draw
    out : int64[n]           written: how many of each are drawn
    """
    most = sample > total // 2
    wanted = total - sample if most else sample
    for i in range(out.shape[0]):
        out[i] = 0
    for i in range(wanted):
        j = i + int64(below_masked(rng, total - i - 1))
        color = choices[j]
        choices[j] = choices[i]
        choices[i] = color
        out[color] += 1
    if most:
        for i in range(out.shape[0]):
            out[i] = colors[i] - out[i]


@kernel
def colors_of(colors: Any, choices: Any) -> Any:
    """Write each colour's number as often as there are of it."""
    at = 0
    for i in range(colors.shape[0]):
        for _ in range(colors[i]):
            choices[at] = i
            at += 1


