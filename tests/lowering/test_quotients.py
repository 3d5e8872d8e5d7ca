"""Quotients that only sums see become products; no other one does, and NaN, infinities and extremes stay."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph import function
from nbgraph.dispatch.expressions import Call
from nbgraph.dispatch.scalar_combine import inverse, inverse_scale
from nbgraph.gradient import grad
from nbgraph.lowering.program import expressions_of, parts_of, walk
from tests.lowering.stages import staged

x, y = nt.dvectors("x", "y")
A = nt.dmatrix("A")
s, m = nt.dscalars("s", "m")
f = nt.fscalar("f")
z = (x - m) / s


def divisions(*outputs):
    """How many divisions are left in the loops."""
    return sum(isinstance(e, Call) and e.function == "true_divide" for kernel in staged(*outputs).program.kernels
               for statement in walk(kernel.body) for x in expressions_of(statement) for e in parts_of(x))


@pytest.mark.parametrize("outputs", [
    [(x / s).sum()], [nt.sqr(z).sum()], [(-0.5 * nt.sqr(z) - nt.log(s) - 0.9).sum()], [(z * y - x / m).sum()],
    [(A / s).sum()], [(A / s).sum(axis=1)], [(z / s).mean(), (z * z).sum()],
    [grad(nt.sqr(z).sum(), s), grad(nt.sqr(z).sum(), m)],
])
def test_sums_see_products(outputs):
    assert divisions(*outputs) == 0


@pytest.mark.parametrize("outputs", [
    [x / s], [z.sum(), z], [nt.exp(x / s).sum()], [(x / s).max()], [nt.prod(x / s)], [nt.switch(x / s > 1, x, y).sum()],
    [nt.floor(x / s).sum()], [(x / y).sum()], [(s / x).sum()], [nt.cumsum(x / s)], [nt.cast(x / s, "int64").sum()],
    [(nt.cast(x, "float32") / f).sum()], [nt.sqrt(x / s).sum()], [(y / (x / s)).sum()], [(A / s).sum(axis=0)],
])
def test_what_anybody_else_sees_is_divided(outputs):
    assert divisions(*outputs) > 0


EXTREMES = [1.0, -3.0, 7.0, 1e300, 1e-300, 5e-324, 2.0**-1022, 2.0**1023, 1.7e308, 2.0**-900, 2.0**900, np.inf, -np.inf,
            0.0, -0.0, np.nan]


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_a_product_is_within_two_ulp_of_the_quotient():
    rng = np.random.default_rng(4)
    with np.errstate(all="ignore"):
        divisors = np.concatenate([EXTREMES, rng.normal(size=200) * 2.0 ** rng.integers(-1070, 1020, 200)])
        numbers = np.concatenate([EXTREMES, rng.normal(size=200) * 2.0 ** rng.integers(-1070, 1020, 200)])
        for divisor in divisors:
            right = numbers / divisor
            found = numbers * inverse(divisor) * inverse_scale(divisor)
            usual = np.isfinite(right) & (abs(right) > 2.0**-1000) & (abs(right) < 2.0**1000)
            assert (abs(found - right)[usual] <= 2 * np.spacing(abs(right[usual]))).all()
            odd = np.isnan(right) | ~np.isfinite(numbers) | (numbers == 0) | (not np.isfinite(divisor)) | (divisor == 0)
            np.testing.assert_array_equal(found[odd], right[odd])


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_compiled_functions_give_what_the_reference_gives():
    outputs = [nt.sqr(z).sum(), (z / s).sum(), (-0.5 * nt.sqr(z) - s).mean()]
    fast, reference = function([x, m, s], outputs), function([x, m, s], outputs, mode="reference")
    values = np.linspace(1, 4, 1000)
    for divisor in EXTREMES:
        for scale in (1.0, 1e-310, 1e150):
            for one, other in zip(fast(values * scale, 0.5 * scale, divisor),
                                  reference(values * scale, 0.5 * scale, divisor), strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-13)
