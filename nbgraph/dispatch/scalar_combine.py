"""Kernels of reductions: what an accumulator becomes, and whether a value replaces the best so far.

    add(total, x)     larger(most, x)     argmax_better(x, best)

Sums and products of floats may be taken in any order (LLVM's `reassoc` on that one instruction), so that loops of them
vectorise, and a product that is added up is not rounded before (`contract`); NaN, infinities and all other arithmetic
stay exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nbgraph.dispatch import scalar_complex
from nbgraph.dispatch.scalar_value import Complex, Value, boolean, branch, fabs, native, same, select

_ANY_ORDER = ("reassoc", "nsz")


def _sum(x: Value, y: Value) -> Value:
    flags: tuple[str, ...] = _ANY_ORDER
    if getattr(y.ir, "opname", "") == "fmul":
        # A product that is added up is not rounded before: one instruction for both.
        y.ir.flags = [*y.ir.flags, "contract"]
        flags = (*_ANY_ORDER, "contract")
    return x.like(x.builder.fadd(x.ir, y.ir, flags=flags))


@native(np.add, same)
def add(total: Any, x: Any) -> Any:
    """total + x, in any order over a loop"""
    if isinstance(total, Complex):
        return Complex(_sum(total.real, x.real), _sum(total.imag, x.imag))
    return _sum(total, x)


def _lost(total: Any, part: Any) -> Any:
    sum_ = total + part
    of_part = sum_ - total
    return (total - (sum_ - of_part)) + (part - of_part)


@native(_lost, same)
def rounding(total: Value, part: Value) -> Value:
    """what total + part is short of the exact sum"""
    return _lost(total, part)


@native(lambda total, lost: total + lost if np.isfinite(lost) else total, same)
def settled(total: Value, lost: Value) -> Value:
    """total + lost; an infinite total, whose lost part is NaN, as it is"""
    return select(fabs(lost) < np.inf, total + lost, total)


def _inverse_scale(x: Any) -> Any:
    return np.where(abs(x) < 2.0**-900, 2.0**200, np.where((abs(x) > 2.0**900), 2.0**-200, 1.0))[()]


@native(_inverse_scale, same)
def inverse_scale(x: Value) -> Value:
    """1, or a power of two for a float64 whose reciprocal would over- or underflow: y / x is y * inverse(x) * that"""
    return select(fabs(x) < 2.0**-900, 2.0**200, select(fabs(x) > 2.0**900, 2.0**-200, x.constant(1)))


@native(lambda x: 1 / (x * _inverse_scale(x)), same)
def inverse(x: Value) -> Value:
    """1 / (x * inverse_scale(x)), never subnormal"""
    scale = select(fabs(x) < 2.0**-900, 2.0**200, select(fabs(x) > 2.0**900, 2.0**-200, x.constant(1)))
    return x.constant(1) / (x * scale)


@native(np.multiply, same)
def multiply(product: Any, x: Any) -> Any:
    """product * x, in any order over a loop"""
    if isinstance(product, Complex):
        return product * x
    return x.like(x.builder.fmul(product.ir, x.ir, flags=_ANY_ORDER))


@native(np.maximum, same)
def larger(most: Any, x: Any) -> Any:
    """the larger one; NaN wins"""
    if isinstance(x, Complex):
        return branch(_better(">", x, most), lambda: x, lambda: most)
    return most.intrinsic({"f": "maximum", "i": "smax", "u": "umax"}[x.kind], x)


@native(np.minimum, same)
def smaller(least: Any, x: Any) -> Any:
    """the smaller one; NaN wins"""
    if isinstance(x, Complex):
        return branch(_better("<", x, least), lambda: x, lambda: least)
    return least.intrinsic({"f": "minimum", "i": "smin", "u": "umin"}[x.kind], x)


def _better(operator: str, x: Any, best: Any) -> Value:
    if isinstance(x, Complex):
        nan, kept = scalar_complex.any_nan(x), scalar_complex.any_nan(best)
        return _seldom(~kept & (scalar_complex.ordered(operator, x, best) | nan))
    # The unordered comparison holds for NaN too.
    wins = x.builder.fcmp_unordered(operator, x.ir, best.ir)
    return _seldom(Value(x.builder, wins, "b") & (best == best))


def _seldom(x: Value) -> Value:
    """x, which LLVM expects to be false: it keeps the branch, so that no comparison waits for the one before."""
    return x.intrinsic("expect", False)


def _is_better(compare: Any) -> Any:
    return lambda x, best: bool((compare(x, best) or np.isnan(x)) and not np.isnan(best))


@native(_is_better(np.greater), boolean)
def argmax_better(x: Any, best: Any) -> Value:
    """x > best, or x is the first NaN"""
    return _better(">", x, best)


@native(_is_better(np.less), boolean)
def argmin_better(x: Any, best: Any) -> Value:
    """x < best, or x is the first NaN"""
    return _better("<", x, best)
