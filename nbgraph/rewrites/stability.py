"""The stability set: plain spellings into functions that neither overflow nor cancel.

    log(1 + x) -> log1p(x)     1 / (1 + exp(-x)) -> sigmoid(x)     log(sigmoid(x)) -> -softplus(-x)

Both sides are the same function of a real number; the right side is computed accurately over the whole line. Sums over
exponentials have a file of their own (`softmax`), products of sigmoids too (`factors`).
"""

from __future__ import annotations

from typing import Any

import nbgraph.tensor as nt
from nbgraph.rewrites.rule import Sides, rule

# Where the left sides are well conditioned.
MODERATE = (-3.0, 3.0)
POSITIVE = (0.2, 3.0)
NEGATIVE = (-3.0, -0.5)


@rule(kinds=("float", "complex"), domain=POSITIVE)
def log_of_one_plus(x: Any) -> Sides:
    """log(1 + x) -> log1p(x)     accurate for |x| << 1"""
    return nt.log(1 + x), nt.log1p(x)


@rule(domain=(-0.8, -0.2), ulp=8)
def log_of_one_minus(x: Any) -> Sides:
    """log(1 - x) -> log1p(-x)     accurate for |x| << 1"""
    return nt.log(1 - x), nt.log1p(-x)


@rule(kinds=("float", "complex"), domain=(0.5, 3.0), ulp=8)
def exp_minus_one(x: Any) -> Sides:
    """exp(x) - 1 -> expm1(x)     accurate for |x| << 1"""
    return nt.exp(x) - 1, nt.expm1(x)


@rule(domain=(0.5, 3.0), ulp=8)
def exp_plus_minus_one(x: Any) -> Sides:
    """exp(x) + -1 -> expm1(x)     accurate for |x| << 1"""
    return nt.exp(x) + -1, nt.expm1(x)


@rule(domain=(0.5, 3.0), ulp=8)
def one_minus_exp(x: Any) -> Sides:
    """1 - exp(x) -> -expm1(x)     accurate for |x| << 1"""
    return 1 - nt.exp(x), -nt.expm1(x)


@rule
def over_one_plus_exp(x: Any) -> Sides:
    """1 / (1 + exp(x)) -> sigmoid(-x)     exp may overflow"""
    return 1 / (1 + nt.exp(x)), nt.sigmoid(-x)


@rule(ulp=8)
def exp_over_one_plus_exp(x: Any) -> Sides:
    """exp(x) / (1 + exp(x)) -> sigmoid(x)     where exp overflows: inf / inf"""
    return nt.exp(x) / (1 + nt.exp(x)), nt.sigmoid(x)


@rule(ulp=8)
def number_over_one_plus_exp(y: Any, x: Any) -> Sides:
    """y / (1 + exp(x)) -> y * sigmoid(-x)     so that products of sigmoids meet"""
    return y / (1 + nt.exp(x)), y * nt.sigmoid(-x)


@rule(ulp=8)
def number_over_square_of_one_plus_exp(y: Any, x: Any) -> Sides:
    """y / square(1 + exp(x)) -> y * square(sigmoid(-x))     so that products of sigmoids meet"""
    return y / nt.square(1 + nt.exp(x)), y * nt.square(nt.sigmoid(-x))


@rule(ulp=16)
def one_minus_sigmoid(x: Any) -> Sides:
    """1 - sigmoid(x) -> sigmoid(-x)     accurate where sigmoid(x) is near 1"""
    return 1 - nt.sigmoid(x), nt.sigmoid(-x)


@rule(domain=NEGATIVE, ulp=8)
def log_of_sigmoid(x: Any) -> Sides:
    """log(sigmoid(x)) -> -softplus(-x)     sigmoid underflows for x < -745"""
    return nt.log(nt.sigmoid(x)), -nt.softplus(-x)


@rule(domain=POSITIVE, ulp=32)
def log1p_of_minus_sigmoid(x: Any) -> Sides:
    """log1p(-sigmoid(x)) -> -softplus(x)     sigmoid(x) is 1 for x > 37"""
    return nt.log1p(-nt.sigmoid(x)), -nt.softplus(x)


@rule(domain=POSITIVE, ulp=16)
def log1p_of_minus_one(x: Any) -> Sides:
    """log1p(x - 1) -> log(x)     x - 1 drops the digits of a small x"""
    return nt.log1p(x - 1), nt.log(x)


@rule(domain=MODERATE, ulp=8)
def log1p_of_exp(x: Any) -> Sides:
    """log1p(exp(x)) -> softplus(x)     exp may overflow"""
    return nt.log1p(nt.exp(x)), nt.softplus(x)


@rule(domain=NEGATIVE, ulp=16)
def log1p_of_minus_exp(x: Any) -> Sides:
    """log1p(-exp(x)) -> log1mexp(x)     accurate near x = 0, x <= 0"""
    return nt.log1p(-nt.exp(x)), nt.log1mexp(x)


@rule(domain=NEGATIVE, ulp=16)
def log_of_minus_expm1(x: Any) -> Sides:
    """log(-expm1(x)) -> log1mexp(x)     accurate for x << 0, x <= 0"""
    return nt.log(-nt.expm1(x)), nt.log1mexp(x)


@rule(domain=POSITIVE, ulp=16)
def log_of_exp(x: Any) -> Sides:
    """log(exp(x)) -> x     exp may overflow; not exp(log(x)), whose domain is smaller"""
    return nt.log(nt.exp(x)), x


@rule(ulp=32, domain=(-1.0, 1.0))
def one_minus_erf(x: Any) -> Sides:
    """1 - erf(x) -> erfc(x)     accurate for large x"""
    return 1 - nt.erf(x), nt.erfc(x)


@rule(ulp=32, domain=(-1.0, 1.0))
def one_minus_erfc(x: Any) -> Sides:
    """1 - erfc(x) -> erf(x)     accurate near 0"""
    return 1 - nt.erfc(x), nt.erf(x)


@rule(ulp=16)
def log_of_added_exps(x: Any, y: Any) -> Sides:
    """log(exp(x) + exp(y)) -> logaddexp(x, y)     exp may overflow"""
    return nt.log(nt.exp(x) + nt.exp(y)), nt.logaddexp(x, y)
