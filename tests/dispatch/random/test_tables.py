"""The tables are derived, and NumPy's: its draws turn from one branch to the next exactly where ours would."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from nbgraph.dispatch.random import derive, tables32, tables64

LAYERS = range(derive.LAYERS)
# name: (module, prefix, bits of a place, NumPy's draw, layer and place -> words of 32 bits, density)
ZIGGURATS = {
    "normal": (tables64, "NORMAL", 52, lambda g: g.standard_normal(), lambda i, j: _halves(i | j << 9),
               lambda x: math.exp(-0.5 * x * x)),
    "exponential": (tables64, "EXPONENTIAL", 53, lambda g: g.standard_exponential(),
                    lambda i, j: _halves((i | j << 8) << 3), lambda x: math.exp(-x)),
    "normal, float32": (tables32, "NORMAL", 23, lambda g: g.standard_normal(dtype=np.float32),
                        lambda i, j: [i | j << 9], lambda x: math.exp(-0.5 * x * x)),
    "exponential, float32": (tables32, "EXPONENTIAL", 23, lambda g: g.standard_exponential(dtype=np.float32),
                             lambda i, j: [(i | j << 8) << 1], lambda x: float(np.float32(math.exp(-x)))),
}


def _halves(word):
    return [word >> 32, word & 0xFFFFFFFF]


def _untempered(y):
    """The number of the Mersenne Twister's state that comes out as y."""
    y ^= y >> 18
    y ^= (y << 15) & 0xEFC60000
    x = y
    for _ in range(7):
        x = y ^ ((x << 7) & 0x9D2C5680)
    y = x
    for _ in range(3):
        x = y ^ (x >> 11)
    return x


class Scripted:
    """A generator of NumPy's whose next words are given."""

    def __init__(self):
        self.bits = np.random.MT19937(0)
        self.generator = np.random.Generator(self.bits)

    def draw(self, function, words):
        """(the number that the function draws, how many words it has taken)"""
        key = np.zeros(624, np.uint32)
        key[:len(words)] = [_untempered(word) for word in words]
        self.bits.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": 0}}
        return function(self.generator), self.bits.state["state"]["pos"]


@pytest.mark.parametrize("bits", [64, 32])
def test_tables_are_derived(bits):
    assert derive.module(bits) == open({64: tables64, 32: tables32}[bits].__file__).read()


@pytest.mark.parametrize("name", ZIGGURATS)
def test_widths_and_sure_places_are_those_of_numpy(name):
    module, prefix, _, draw, words, _ = ZIGGURATS[name]
    widths, accept = (getattr(module, f"{prefix}_{what}") for what in ("WIDTH", "ACCEPT"))
    scripted, real = Scripted(), np.float32 if module is tables32 else np.float64
    alone = len(words(0, 0))
    for i in LAYERS:
        number, _ = scripted.draw(draw, [*words(i, 1), 0, 0])
        assert number == real(widths[i])
        if accept[i]:
            assert scripted.draw(draw, [*words(i, accept[i] - 1), *[0x80000000] * 40])[1] == alone
        assert scripted.draw(draw, [*words(i, accept[i]), *[0x80000000] * 40])[1] > alone


@pytest.mark.parametrize("name", ZIGGURATS)
def test_heights_are_those_of_numpy(name):
    module, prefix, bits, draw, words, density = ZIGGURATS[name]
    widths, accept, heights = (getattr(module, f"{prefix}_{what}") for what in ("WIDTH", "ACCEPT", "HEIGHT"))
    real = np.float32 if module is tables32 else np.float64
    scripted, alone = Scripted(), len(words(0, 0))
    for i in LAYERS[1:]:
        def below(place, i=i):
            """Whether NumPy takes this place when the uniform number is 0: height < density."""
            return scripted.draw(draw, [*words(i, place), *[0] * alone, *[0xFFFFFFFF] * 40])[1] == 2 * alone

        def expected(place, i=i):
            return float(real(heights[i])) < density(float(real(place) * real(widths[i])))

        low, high = accept[i], 2**bits - 1
        while high - low > 1 and not below(high):
            middle = (low + high) // 2
            low, high = (middle, high) if below(middle) else (low, middle)
        for place in {low, high, 2**bits - 1}:
            assert below(place) == expected(place), (i, place)


def test_constants_of_the_series_are_published():
    """Zhang & Jin give sixteen digits; log(5!) = log(120)."""
    assert tables64.STIRLING[:3] == (8.333333333333333e-02, -2.777777777777778e-03, 7.936507936507937e-04)
    assert tables64.STIRLING[-1] == -1.39243221690590
    assert tables64.LOG_FACTORIAL[5] == float(mpmath.log(120))
