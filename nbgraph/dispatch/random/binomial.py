"""Binomial numbers.

    binomial(rng, n, p)                        int64, float64 -> int64

    setup = binomial_setup(n, p)               where n and p are the same for many draws
    prepared_binomial(rng, setup)

Bit for bit what `np.random.Generator.binomial` draws, for numbers and for arrays of parameters: NumPy keeps what it has
worked out for the last n and p too, which changes no draw.
"""

from __future__ import annotations

from typing import Any

from numba import int64

from nbgraph.dispatch.jit import apart, kernel
from nbgraph.dispatch.random.libm import exp, floor, log, log1p, sqrt
from nbgraph.dispatch.random.uniform import random
from nbgraph.dispatch.scalar_value import Value, native, same

_INVERTED_UP_TO = 30.0


@kernel
def binomial(rng: Any, n: Any, p: Any) -> Any:
    """How many of n trials succeed, each with probability p.

    n min(p, 1 - p) <= 30: the probabilities of 0, 1, ... are taken from a uniform number until it is used up. Above:
    BTPE of Kachitvichyanukul & Schmeiser, CACM 31 (1988), a triangle, a parallelogram and two exponential tails.
    """
    return prepared_binomial(rng, binomial_setup(n, p))


@kernel
def prepared_binomial(rng: Any, setup: Any) -> Any:
    """`binomial` of the n and p that `setup` was made of."""
    trials, _, _ = setup
    n, p, rare, _, _ = trials
    if n == 0 or p == 0.0:
        return 0
    k = _inverted(rng, trials) if rare * n <= _INVERTED_UP_TO else _btpe(rng, setup)
    return k if p <= 0.5 else n - k


@kernel
def binomial_setup(n: Any, p: Any) -> Any:
    """What a draw needs to know of n and p: ((n, p, rare, bound, start), edges, rates)

    rare : min(p, 1 - p)
    bound : the mode, or the largest number that is searched for
    start : the variance, or the probability of 0
    """
    n = int64(n)
    rare = p if p <= 0.5 else 1.0 - p
    q = 1.0 - rare
    expected = rare * n
    if expected <= _INVERTED_UP_TO:
        far = n * rare + 10.0 * sqrt(n * rare * q + 1.0)
        bound = int64(far) if far < n else n
        none = exp(n * log1p(-rare))
        return (n, p, rare, bound, none), (0.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0)
    centre = n * rare + rare
    mode = int64(floor(centre))
    variance = n * rare * q
    triangle = floor(2.195 * sqrt(variance) - 4.6 * q) + 0.5
    left, right = mode + 0.5 - triangle, mode + 0.5 + triangle
    c = 0.134 + 20.5 / (15.3 + mode)
    slope_left, slope_right = (centre - left) / (centre - left * rare), (right - centre) / (right * q)
    rate_left, rate_right = slope_left * (1.0 + slope_left / 2.0), slope_right * (1.0 + slope_right / 2.0)
    box = triangle * (1.0 + 2.0 * c)
    first_tail = box + c / rate_left
    return ((n, p, rare, mode, variance), (triangle, box, first_tail, left, right),
            (c, rate_left, rate_right, first_tail + c / rate_right))


@kernel
def _inverted(rng: Any, setup: Any) -> Any:
    n, _, p, most, none = setup
    q = 1.0 - p
    while True:
        u = random(rng)
        probability = none
        k = 0
        while u > probability:
            k += 1
            if k > most:
                break
            u -= probability
            probability = ((n - k + 1) * p * probability) / (k * q)
        if k <= most:
            return k


@kernel
def _btpe(rng: Any, setup: Any) -> Any:
    trials, edges, rates = setup
    n, _, p, mode, variance = trials
    triangle, box, first_tail, left, right = edges
    c, rate_left, rate_right, total = rates
    while True:
        u = random(rng) * total
        v = random(rng)
        if u <= triangle:
            return int64(floor(mode + 0.5 - triangle * v + u))
        if u <= box:
            x = left + (u - triangle) / c
            v = v * c + 1.0 - abs(mode - x + 0.5) / triangle
            if v > 1.0:
                continue
            y = int64(floor(x))
        elif v == 0.0:
            continue
        elif u <= first_tail:
            y = int64(floor(left + log(v) / rate_left))
            if y < 0:
                continue
            v = v * (u - box) * rate_left
        else:
            y = int64(floor(right - log(v) / rate_right))
            if y > n:
                continue
            v = v * (u - first_tail) * rate_right
        if _accepted(n, p, mode, variance, y, v):
            return y


@kernel
def _accepted(n: Any, p: Any, mode: Any, variance: Any, y: Any, v: Any) -> Any:
    """v <= f(y) / f(mode) of the binomial probabilities f: by their recurrence, or by Stirling's series far away."""
    apart()
    q = 1.0 - p
    distance = abs(y - mode)
    if distance <= 20 or distance >= variance / 2.0 - 1.0:
        odds = p / q
        a = odds * (n + 1)
        ratio = 1.0
        for i in range(mode + 1, y + 1):
            ratio *= a / i - odds
        for i in range(y + 1, mode + 1):
            ratio /= a / i - odds
        return v <= ratio
    rho = (distance / variance) * ((distance * (distance / 3.0 + 0.625) + 0.16666666666666666) / variance + 0.5)
    t = -distance * distance / (2.0 * variance)
    logarithm = log(v)
    if logarithm < t - rho:
        return True
    if logarithm > t + rho:
        return False
    x1, f1, z, w = y + 1.0, mode + 1.0, n + 1.0 - mode, n - y + 1.0
    return logarithm <= ((mode + 0.5) * log(f1 / x1) + (n - mode + 0.5) * log(z / w)
                         + (y - mode) * log(w * p / (x1 * q)) + _correction(f1) + _correction(z)
                         + _correction(x1) + _correction(w))


def _stirling(x: Any) -> Any:
    square = x * x
    return (13680.0 - (462.0 - (132.0 - (99.0 - 140.0 / square) / square) / square) / square) / x / 166320.0


@native(_stirling, same)
def _correction(x: Value) -> Value:
    """Of Stirling's formula."""
    return _stirling(x)
