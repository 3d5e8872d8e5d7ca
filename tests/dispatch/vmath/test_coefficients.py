"""The polynomials are what the derivation gives, and the constants what mpmath gives."""

from __future__ import annotations

import mpmath
import pytest

from nbgraph.dispatch.vmath import constants
from nbgraph.dispatch.vmath.coefficients import TABLES
from nbgraph.dispatch.vmath.derive import table
from nbgraph.dispatch.vmath.fits import FITS


@pytest.mark.parametrize(("name", "bits"), TABLES)
def test_coefficients_are_derived(name, bits):
    assert table(name, bits) == TABLES[name, bits]


def test_every_fit_has_its_coefficients():
    assert set(TABLES) == {(name, bits) for name, fit in FITS.items()
                           for bits, length in zip((64, 32), fit.lengths, strict=True) if length}


def test_constants_have_a_hundred_digits():
    with mpmath.workdps(100):
        exact = {"LOG_2": +mpmath.ln2, "PI": +mpmath.pi, "LOG10_2": mpmath.log(2, 10),
                 "LOG2_E": 1 / mpmath.ln2, "LOG10_E": 1 / mpmath.ln10}
        for name, value in exact.items():
            fraction = getattr(constants, name)
            assert abs(mpmath.mpf(fraction.numerator) / fraction.denominator - value) < mpmath.mpf(10) ** -96
