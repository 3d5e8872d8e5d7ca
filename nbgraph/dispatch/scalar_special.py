"""The kernel of polygamma.

    polygamma(1, 1.0) = pi**2 / 6      polygamma(0, x) = digamma(x), which is in `vmath`

Source of the expansions: NIST Digital Library of Mathematical Functions, 5.15 and 25.11.
"""

from __future__ import annotations

import math

from nbgraph.dispatch.scalar_value import Value, branch, native, same, select
from nbgraph.dispatch.vmath.constants import BERNOULLI
from nbgraph.dispatch.vmath.gamma import digamma
from nbgraph.tensor.scalar_function import TABLE

# From here on the asymptotic terms are enough.
_FAR = 10
# The last, infinite, stands for all above it.
_FACTORIALS = (*(float(math.factorial(n)) for n in range(171)), math.inf)
# Euler and Maclaurin's sum: B[2 j] / (2 j)!
_EULER_MACLAURIN = tuple(float(BERNOULLI[2 * j] / math.factorial(2 * j)) for j in range(1, 13))


def _hurwitz_zeta(s: Value, q: Value) -> Value:
    """The sum of (q + k)**-s over all k >= 0, for s > 1 and q > 0, by Euler and Maclaurin's formula."""
    terms = [(q + k).intrinsic("pow", -s) for k in range(_FAR)]
    a, power = q + (_FAR - 1), terms[-1]
    rest = a.intrinsic("pow", 1 - s) / (s - 1)
    factor = s
    for j, coefficient in enumerate(_EULER_MACLAURIN):
        power = power / a
        rest = rest + coefficient * factor * power
        factor = factor * (s + (2 * j + 1)) * (s + (2 * j + 2))
        power = power / a
    # The last term of the sum counts half. The smallest come first.
    total = rest + terms[-1] * 0.5
    for term in reversed(terms[:-1]):
        total = total + term
    return total


def _mirrored_zeta(s: Value, x: Value, sign: Value) -> Value:
    """The same sum for q = x < 0: its terms with x + k < 0 are a finite piece of the sum from the other side."""
    part = -x - (-x).intrinsic("floor")
    zeta = (_hurwitz_zeta(s, 1 - part) + sign * _hurwitz_zeta(s, part)) - sign * _hurwitz_zeta(s, 1 - x)
    return select(x == x.intrinsic("floor"), math.inf, zeta)


def _higher(n: Value, x: Value) -> Value:
    """polygamma for n >= 1: n! times a sum of powers."""
    s = n.to_float() + 1
    sign = select((n & 1) != 0, s.constant(1), -1)
    zeta = branch(x > 0, lambda: _hurwitz_zeta(s, x), lambda: _mirrored_zeta(s, x, sign))
    return sign * x.table(_FACTORIALS, select((n >= 0) & (n < len(_FACTORIALS)), n, len(_FACTORIALS) - 1)) * zeta


@native(TABLE["polygamma"].numpy, same)
def polygamma(n: Value, x: Value) -> Value:
    """the derivative of order n of digamma; infinite at the poles, NaN for n < 0"""
    x = x.to_float()
    return select(n < 0, math.nan, branch(n == 0, lambda: digamma(x), lambda: _higher(n, x)))
