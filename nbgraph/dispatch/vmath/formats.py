"""float64 and float32 as bits, and the steps that the formulas of vmath share.

    t = shifted(x * LOG2_E)         rounds to an integer: its last bits are k, also as the exponent of 2**k
    horner(x, (a, b, c))            a + b x + c x**2
    two_product(x, y)               x y exactly, as a sum of two

A formula is written once for both widths. `fma` is one rounding where the processor has it and two where it has not:
no formula relies on either, except by `two_product`, which asks.
Rounding by a large constant: Muller et al., Handbook of Floating-Point Arithmetic, 2nd edition, 2018, chapter 11.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir

from nbgraph.dispatch.scalar_value import Value, select
from nbgraph.dispatch.vmath.coefficients import TABLES


@dataclass(frozen=True)
class Format:
    """What a formula must know of a width.

    Attributes
    ----------
    mantissa, bias : int    bits after the point; what is added to an exponent
    tiny : float            the smallest normal number
    magic : float           its last bit is 1, and it has room on both sides
    """

    bits: int
    mantissa: int
    bias: int
    tiny: float
    magic: float


FORMATS = {64: Format(64, 52, 1023, 2.0**-1022, 1.5 * 2.0**52), 32: Format(32, 23, 127, 2.0**-126, 1.5 * 2.0**23)}


def format_of(x: Value) -> Format:
    """The format of a float."""
    return FORMATS[x.bits]


def as_integer(x: Value) -> Value:
    """The bits of a float, as a signed integer."""
    return Value(x.builder, x.builder.bitcast(x.ir, ir.IntType(x.bits)), "i")


def as_float(x: Value) -> Value:
    """The float with these bits."""
    return Value(x.builder, x.builder.bitcast(x.ir, ir.DoubleType() if x.bits == 64 else ir.FloatType()), "f")


def logical_shift(x: Value, count: int) -> Value:
    """x >> count, zeros coming in."""
    return x.like(x.builder.lshr(x.ir, x.constant(count).ir))


@cache
def has_fma() -> bool:
    """Whether the processor that Numba compiles for multiplies and adds with one rounding."""
    from numba.core.registry import cpu_target
    codegen = cpu_target.target_context.codegen()
    features = str(codegen._get_host_cpu_features())
    return codegen._llvm_module.triple.startswith(("aarch64", "arm64")) or "+fma" in features.split(",")


def fma(x: Value, y: Any, z: Any) -> Value:
    """x y + z, rounded once or twice."""
    return x.intrinsic("fma", y, z) if has_fma() else x * y + z


def horner(x: Value, coefficients: Sequence[Any], square: Value | None = None) -> Value:
    """The polynomial with these coefficients, that of x**0 first.

    square : x**2; with it the even and the odd powers are added up by themselves, so that half as many steps wait for
        each other
    """
    if square is not None:
        return fma(x, horner(square, coefficients[1::2]), horner(square, coefficients[::2]))
    *rest, last = coefficients
    value = last if isinstance(last, Value) else x.constant(last)
    for c in reversed(rest):
        value = fma(value, x, c)
    return value


def series(name: str, x: Value, square: Value | None = None, digits: int = 0) -> Value:
    """The fitted polynomial of this name; digits = 32 is enough for a float32 that is computed in 64 bits."""
    return horner(x, TABLES[name, digits or x.bits], square)


def two_product(x: Value, y: Any) -> tuple[Value, Value]:
    """x y as a rounded product and what it lacks, exactly (Dekker, Numerische Mathematik 18, 1971, without an fma)."""
    y = y if isinstance(y, Value) else x.constant(y)
    product = x * y
    if has_fma():
        return product, x.intrinsic("fma", y, -product)
    (a, b), (c, d) = _halves(x), _halves(y)
    return product, ((a * c - product) + a * d + b * c) + b * d


def less_product(x: Value, y: Value, factor: Any) -> Value:
    """x - y factor with one rounding, for a product that is close to x."""
    if has_fma():
        return fma(-y, factor, x)
    product, lost = two_product(y, factor)
    return (x - product) - lost


def _halves(x: Value) -> tuple[Value, Value]:
    """x as a sum of two with half of the bits each (Veltkamp)."""
    large = x * float(2 ** ((format_of(x).mantissa + 2) // 2) + 1)
    high = large - (large - x)
    return high, x - high


def two_sum(x: Value, y: Value) -> tuple[Value, Value]:
    """x + y, rounded, and what it lacks (Knuth)."""
    total = x + y
    part = total - x
    return total, (x - (total - part)) + (y - part)


def fast_two_sum(x: Any, y: Value) -> tuple[Value, Value]:
    """The same where |x| >= |y| or x is 0."""
    total = x + y
    return total, y - (total - x)


def at_most(x: Value, limit: float) -> Value:
    """The smaller one; NaN stays."""
    bound = x.constant(limit)
    return select(bound < x, bound, x)


def at_least(x: Value, limit: float) -> Value:
    """The larger one; NaN stays."""
    bound = x.constant(limit)
    return select(bound > x, bound, x)


def rounder(x: Value) -> float:
    """A constant c such that x + c is rounded to an integer k, and its last bits are k plus the bias of an exponent."""
    f = format_of(x)
    return f.magic + f.bias


def power_of_two(t: Value) -> Value:
    """2**k of a sum with `rounder`, where that is a normal number."""
    return as_float(as_integer(t) << format_of(t).mantissa)


def times_power_of_two(x: Value, k: Value, t: Value) -> Value:
    """x 2**k for 1/2 < |x| < 4 and the sum t of k with `rounder`, rounded once also where it is subnormal."""
    f = format_of(x)
    half = fma(k, 0.5, rounder(x))
    rest = (as_integer(t) - as_integer(half)) + f.bias
    return x * power_of_two(half) * as_float(rest << f.mantissa)


def with_sign(x: Value, sign: Value) -> Value:
    """|x| with the sign of the other."""
    return x.intrinsic("copysign", sign)


@cache
def parts(number: Fraction, bits: int, *widths: int) -> tuple[float, ...]:
    """The number as a sum of floats, each of so many bits but the last, which is rounded to the format."""
    found = []
    for width in widths:
        exponent = width - 1 - math.floor(math.log2(abs(number)))
        piece = Fraction(math.floor(number * Fraction(2) ** exponent)) / Fraction(2) ** exponent
        found.append(float(piece))
        number -= piece
    return (*found, float(number) if bits == 64 else float(np.float32(float(number))))


def quotient(a: Value, b: Value, c: Value, d: Value) -> Value:
    """(a + b) / (c + d) for b, d that are less than the last bits of a, c."""
    inverse = 1 / c
    q = a * inverse
    return fma(fma(-q, c, a) + fma(-q, d, b), inverse, q)
