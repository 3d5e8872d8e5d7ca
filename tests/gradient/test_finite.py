"""Gradients are finite where the function is: guards, kinks, ties, ends of the domain.

What is smooth is compared with mpmath's derivative; what has several subgradients with what JAX documents, or with our
own word where that differs: JAX makes NaN of `where(x > 0, log(x), 0)` at 0, of norm and arctan2 at the origin.
"""

from __future__ import annotations

from functools import partial

import mpmath
import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.gradient import Rop, grad
from nbgraph.gradient.derived import hessian
from nbgraph.tensor.masked import masked

INF = np.inf
log, sqrt, switch = nt.log, nt.sqrt, nt.switch


def gradients(build, *points, mode=None):
    """d sum(build(x, …)) / d x, … at points."""
    variables = [nt.tensor(f"x{i}", dtype="float64", shape=(None,) * np.ndim(p)) for i, p in enumerate(points)]
    found = grad(nt.sum(build(*variables)), variables, disconnected_inputs="ignore")
    return nbgraph.function(variables, found, mode=mode, on_unused_input="ignore")(*points)


# Name: (function of a vector, the same of an mpmath number where it is not guarded, whether it is, elements)
GUARDED = {
    "log behind a switch": (lambda x: switch(x > 0, log(x), 0), mpmath.log, lambda x: x > 0, [0.0, 2.0, -1.0]),
    "x log x": (lambda x: switch(x > 0, x * log(x), 0), lambda x: x * mpmath.log(x), lambda x: x > 0, [0.0, 2.0]),
    "sqrt behind a switch": (lambda x: switch(x > 0, sqrt(x), 0), mpmath.sqrt, lambda x: x > 0, [0.0, 2.0, -1.0]),
    "used twice behind a root": (lambda x: switch(x > 0, sqrt(x) * log(sqrt(x)), 0),
                                 lambda x: mpmath.sqrt(x) * mpmath.log(mpmath.sqrt(x)), lambda x: x > 0, [0.0, 2.0]),
    "the other branch": (lambda x: switch(nt.eq(x, 0), 1, nt.sin(x) / x), lambda x: mpmath.sin(x) / x,
                         lambda x: x != 0, [0.0, 0.5]),
    "one guard in another": (lambda x: switch(x < 4, switch(x > 0, sqrt(log(x + 1)), 0), 0),
                             lambda x: mpmath.sqrt(mpmath.log(x + 1)), lambda x: 0 < x < 4, [0.0, 0.5, 5.0, -1.0]),
    "an overflow": (lambda x: switch(x < 0, nt.exp(x), 0), mpmath.exp, lambda x: x < 0, [-1.0, 1000.0]),
    "a power": (lambda x: switch(x > 0, x ** 0.3, 0), lambda x: x ** mpmath.mpf(0.3), lambda x: x > 0, [0.0, 2.0]),
    "seen as a column": (lambda x: switch(x[:, None] > 0, log(x)[:, None], 0), mpmath.log, lambda x: x > 0, [0.0, 2.0]),
    "summed behind the guard": (lambda x: switch(x > 0, nt.sum(sqrt(x)[:, None], axis=1), 0), mpmath.sqrt,
                                lambda x: x > 0, [0.0, 2.0]),
    "in single precision": (lambda x: nt.cast(switch(x > 0, nt.cast(log(x), "float32"), 0), "float64"), mpmath.log,
                            lambda x: x > 0, [0.0, 2.0]),
    "sinc, written with expm1": (lambda x: switch(abs(x) < 1e-9, 1 + x / 2, nt.expm1(x) / x),
                                 lambda x: mpmath.expm1(x) / x, lambda x: abs(x) >= 1e-9, [0.5, -2.0]),
}


@pytest.mark.parametrize("name", GUARDED)
def test_what_a_switch_does_not_take_stays_out_of_the_gradient(name: str, mode: str):
    build, exact, taken, elements = GUARDED[name]
    (found,) = gradients(build, elements, mode=mode)
    wanted = [float(mpmath.diff(exact, x)) if taken(x) else 0.0 for x in elements]
    np.testing.assert_allclose(found, wanted, rtol=1e-6 if "single" in name else 1e-11, atol=0)


def test_a_guard_on_a_whole_sum_reaches_what_is_summed(mode: str):
    x, n = nt.dvector("x"), nt.lscalar("n")
    cost = switch(nt.gt(n, 0), nt.sum(log(x)), 0.0)
    f = nbgraph.function([x, n], grad(cost, x), mode=mode)
    np.testing.assert_array_equal(f([0.0, 2.0], 0), [0.0, 0.0])
    np.testing.assert_array_equal(f([4.0, 2.0], 1), [0.25, 0.5])


def test_second_derivatives_stay_out_of_it_too(mode: str):
    x, v = nt.dvector("x"), nt.dvector("v")
    cost = nt.sum(switch(x > 0, x * log(x), 0))
    f = nbgraph.function([x, v], [hessian(cost, x), Rop(grad(cost, x), x, v)], mode=mode)
    second, moved = f([0.0, 2.0], [1.0, 1.0])
    np.testing.assert_array_equal(second, [[0.0, 0.0], [0.0, 0.5]])
    np.testing.assert_array_equal(moved, [0.0, 0.5])


def test_a_gradient_that_other_paths_reach_is_not_masked():
    x = nt.dvector("x")
    (found,) = gradients(lambda x: switch(x > 1, log(x), 0) + log(x), [0.5, 2.0])
    np.testing.assert_array_equal(found, [2.0, 1.0])
    (infinite,) = gradients(lambda x: switch(x > 0, sqrt(x), 0) + sqrt(x), [0.0])
    assert infinite[0] == INF
    assert masked(x + 1).conditions == ()


def test_chains_behind_a_guard_hold_its_condition_once():
    x = nt.dvector("x")
    z = log(x)
    for _ in range(5):
        z = nt.sin(z)
    f = nbgraph.function([x], grad(nt.sum(switch(x > 0, z, 0)), x), mode="FAST_RUN")
    assert sum(str(node.op) == "switch" for node in f.maker.fgraph.nodes) == 1


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 3.0, 1.5])
def test_power_at_zero(exponent: float, mode: str):
    wanted = 1.0 if exponent == 1 else 0.0  # the limit from the right, which is JAX's value too
    for build in (lambda x: x ** exponent, lambda x: nt.power(x, nt.constant(exponent))):
        assert gradients(build, 0.0, mode=mode)[0] == wanted
    # By the exponent: log(0) counts as 0 where 0**y does, as JAX documents it.
    assert gradients(nt.power, 0.0, exponent, mode=mode)[1] == 0.0
    if exponent == int(exponent):
        n = nt.lscalar("n")
        x = nt.dscalar("x")
        assert nbgraph.function([x, n], grad(x ** n, x), mode=mode)(0.0, int(exponent)) == wanted


def test_powers_elsewhere_are_those_of_mpmath(mode: str):
    for x, y in ((0.5, 2.5), (3.0, -1.5), (-2.0, 3.0)):
        gx, gy = gradients(nt.power, x, y, mode=mode)
        exponent = int(y) if y == int(y) else y
        assert gx == pytest.approx(float(mpmath.diff(partial(power_of, exponent), x)), rel=1e-10)
        if x > 0:
            assert gy == pytest.approx(float(mpmath.diff(lambda t, x=x: mpmath.mpf(x) ** t, y)), rel=1e-10)


@pytest.mark.parametrize(("elements", "wanted"), [([2.0, 0.0, 3.0], [0.0, 6.0, 0.0]), ([0.0, 0.0, 3.0], [0.0] * 3),
                                                  ([0.0, 0.0, 0.0], [0.0] * 3), ([0.0], [1.0])])
def test_products_with_zeros(elements, wanted, mode: str):
    # Exact: the product of the others, as mpmath's partial derivatives are.
    (found,) = gradients(nt.prod, elements, mode=mode)
    np.testing.assert_array_equal(found, wanted)
    point = [mpmath.mpf(x) for x in elements]
    for i, g in enumerate(found):
        assert g == pytest.approx(float(mpmath.diff(lambda t, i=i: mpmath.fprod([*point[:i], t, *point[i + 1:]]),
                                                    elements[i])), abs=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 1.5, INF])
def test_norm_at_the_origin_is_its_smallest_subgradient(order, mode: str):
    (found,) = gradients(lambda x: nt.norm(x, order), [0.0, 0.0], mode=mode)
    np.testing.assert_array_equal(found, [0.0, 0.0])
    (rows,) = gradients(lambda x: nt.norm(x, order, axis=1), [[0.0, 0.0], [3.0, -4.0]], mode=mode)
    wanted = 0.0 if order == INF else float(mpmath.diff(partial(norm_with_four, order), 3))
    assert rows[1, 0] == pytest.approx(wanted, rel=1e-9)
    np.testing.assert_array_equal(rows[0], [0.0, 0.0])


def test_standard_deviation_of_equal_elements_has_the_gradient_0_as_the_norm_has(mode: str):
    # JAX gives NaN, PyTorch 0: one of the subgradients, which are the gradients of norm(x - mean(x)) / sqrt(n) at 0.
    (found,) = gradients(lambda x: nt.std(x, axis=1), [[2.0, 2.0, 2.0], [1.0, 3.0, 8.0]], mode=mode)

    def of_row(t, k):
        x = [mpmath.mpf(v) for v in (1, 3, 8)]
        x[k] = t
        mean = mpmath.fsum(x) / 3
        return mpmath.sqrt(mpmath.fsum((v - mean) ** 2 for v in x) / 3)

    wanted = [float(mpmath.diff(partial(of_row, k=k), v)) for k, v in enumerate((1, 3, 8))]
    np.testing.assert_allclose(found, [[0.0] * 3, wanted], rtol=1e-12)
    x, v = nt.dvector("x"), nt.dvector("v")
    second = nbgraph.function([x, v], Rop(grad(nt.std(x, ddof=1), x), x, v), mode=mode)
    np.testing.assert_array_equal(second([2.0, 2.0], [1.0, -1.0]), [0.0, 0.0])
    assert nbgraph.function([x], nt.std(x), mode=mode)([np.nan, 1.0]) != 0


def test_a_norm_of_negative_order_is_what_it_was():
    x = nt.dvector("x")
    f = nbgraph.function([x], [nt.norm(x, -1), nt.norm(x, -INF)], mode="reference")
    assert f([INF, INF]) == [INF, INF] and f([2.0, 2.0]) == [1.0, 2.0]


def test_ties_share_the_gradient_of_a_reduction(mode: str):
    # As in JAX: the elements that are equal to the extremum share it equally.
    np.testing.assert_array_equal(gradients(nt.max, [1.0, 2.0, 2.0], mode=mode)[0], [0.0, 0.5, 0.5])
    np.testing.assert_array_equal(gradients(nt.min, [1.0, 2.0, 1.0], mode=mode)[0], [0.5, 0.0, 0.5])
    # Of two operands the first takes it: one of the subgradients, where JAX gives each a half.
    assert gradients(nt.maximum, 2.0, 2.0, mode=mode) == [1.0, 0.0]
    assert gradients(nt.minimum, 2.0, 2.0, mode=mode) == [1.0, 0.0]


def test_abs_at_zero_is_flat_as_in_jax(mode: str):
    np.testing.assert_array_equal(gradients(abs, [0.0, -0.0, 2.0, -3.0], mode=mode)[0], [0.0, 0.0, 1.0, -1.0])


def test_clip_at_its_ends_follows_its_operand(mode: str):
    gx, low, high = gradients(nt.clip, [0.0, 1.0, 0.5, -1.0, 2.0], 0.0, 1.0, mode=mode)
    np.testing.assert_array_equal(gx, [1.0, 1.0, 1.0, 0.0, 0.0])
    assert (low, high) == (1.0, 1.0)


def test_arctan2_at_the_origin_and_on_the_axes(mode: str):
    assert [abs(g) for g in gradients(nt.arctan2, 0.0, 0.0, mode=mode)] == [0.0, 0.0]
    for y, x in ((0.0, 1.0), (1.0, 0.0), (0.0, -2.0), (0.3, -0.4)):
        gy, gx = gradients(nt.arctan2, y, x, mode=mode)
        assert gy == pytest.approx(x / (x * x + y * y), rel=1e-14)
        assert gx == pytest.approx(-y / (x * x + y * y), rel=1e-14)


def power_of(exponent, x):
    return x ** exponent


def norm_with_four(order, x):
    return (x ** order + mpmath.mpf(4) ** order) ** (1 / mpmath.mpf(order))


def softmax_of(x):
    powers = [mpmath.exp(v) for v in x]
    return [p / mpmath.fsum(powers) for p in powers]


def test_minus_infinity_has_no_weight_in_logsumexp_and_softmax(mode: str):
    point = [-INF, 0.0, 1.0]
    weights = [float(p) for p in softmax_of(point)]
    for build in (nt.logsumexp, lambda x: log(nt.sum(nt.exp(x)))):
        np.testing.assert_allclose(gradients(build, point, mode=mode)[0], weights, rtol=1e-14)
    p = weights[1]
    np.testing.assert_allclose(gradients(lambda x: nt.softmax(x)[1], point, mode=mode)[0],
                               [0.0, p * (1 - p), -p * weights[2]], rtol=1e-13)
    np.testing.assert_allclose(gradients(lambda x: nt.log_softmax(x)[1], point, mode=mode)[0],
                               [0.0, 1 - p, -weights[2]], rtol=1e-13)
    np.testing.assert_allclose(gradients(nt.logaddexp, -INF, 0.0, mode=mode), [0.0, 1.0])


def test_functions_that_saturate_are_flat_there(mode: str):
    ends = [-800.0, 800.0]
    for build, wanted in ((nt.softplus, [0.0, 1.0]), (nt.sigmoid, [0.0, 0.0]), (nt.tanh, [0.0, 0.0])):
        np.testing.assert_array_equal(gradients(build, ends, mode=mode)[0], wanted)
