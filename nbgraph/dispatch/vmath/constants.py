"""Numbers that need more digits than a float has, as fractions.

    parts(LOG_2, 64, 40)    log(2) as the sum of a float of 40 bits, whose small multiples are exact, and of its rest
"""

from __future__ import annotations

import math
from fractions import Fraction

# 100 digits each; tests compare them with mpmath.
LOG_2 = Fraction(
    "0.6931471805599453094172321214581765680755001343602552541206800094933936219696947156058633269964186875")
LOG10_2 = Fraction(
    "0.3010299956639811952137388947244930267681898814621085413104274611271081892744245094869272521181861720")
LOG2_E = Fraction(
    "1.442695040888963407359924681001892137426645954152985934135449406931109219181185079885526622893506344")
LOG10_E = Fraction(
    "0.4342944819032518276511289189166050822943970058036665661144537831658646492088707747292249493384317483")
PI = Fraction(
    "3.141592653589793238462643383279502884197169399375105820974944592307816406286208998628034825342117068")
# Where digamma is 0, above the poles and between the first two of them.
DIGAMMA_ROOT = Fraction(
    "1.4616321449683623412626595423257213284681962040064463512959884085987864403538018102430749927337255928")
DIGAMMA_NEGATIVE_ROOT = Fraction(
    "-0.5040830082644554092582693045333024989553851823685798451772695845095938337134788646256447938151365255")
# x = ERFCX_MIDDLE (1 + t) / (1 - t) maps -1 <= t < 1 to all x >= 0.
ERFCX_MIDDLE = 4.0
# 2 w / (w + ERFINV_MIDDLE) does the same for w of erfinv, to [0, 2).
ERFINV_MIDDLE = 10.0


def _bernoulli(count: int) -> list[Fraction]:
    """The Bernoulli numbers B[0], B[1], ..., from sum over k of binomial(n + 1, k) B[k] = 0."""
    found: list[Fraction] = []
    for n in range(count):
        found.append(Fraction(n == 0) - sum((math.comb(n, k) * b / (n - k + 1) for k, b in enumerate(found)),
                                            Fraction(0)))
    return found


BERNOULLI = _bernoulli(27)
