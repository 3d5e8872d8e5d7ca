"""Gradients through draws, with a fixed state, against finite differences; and what has none says so."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph import grad, shared
from nbgraph.errors import DisconnectedInputError, NullGradError
from nbgraph.gradient import Lop, Rop, verify_grad
from nbgraph.tensor.random import basic

# Shared states need a function.
REFERENCE = partial(nbgraph.function, mode="reference", on_unused_input="ignore")
COLUMN, ROW = np.array([[0.5], [1.5]]), np.array([0.8, 1.2, 2.4])
# distribution -> (parameters, which of them have a gradient)
SMOOTH = {
    "normal": ((ROW, COLUMN), (0, 1)), "uniform": ((-ROW, COLUMN), (0, 1)), "halfnormal": ((ROW, COLUMN), (0, 1)),
    "cauchy": ((ROW, COLUMN), (0, 1)), "halfcauchy": ((ROW, COLUMN), (0, 1)), "laplace": ((ROW, COLUMN), (0, 1)),
    "logistic": ((ROW, COLUMN), (0, 1)), "gumbel": ((ROW, COLUMN), (0, 1)), "lognormal": ((ROW, COLUMN), (0, 1)),
    "t": ((3 * ROW, COLUMN, ROW), (1, 2)), "triangular": ((-ROW, COLUMN, ROW + COLUMN), (0, 1, 2)),
    "exponential": ((ROW,), (0,)), "gamma": ((ROW, COLUMN), (1,)), "invgamma": ((ROW, COLUMN), (1,)),
    "gengamma": ((ROW, COLUMN, ROW), (2,)), "weibull": ((ROW,), (0,)), "pareto": ((ROW,), (0,)),
    "power": ((ROW,), (0,)), "rayleigh": ((ROW,), (0,)), "truncexpon": ((ROW, COLUMN, ROW), (0, 1, 2)),
    "multivariate_normal": ((ROW, np.diag(ROW)), (0,)),
}
# distribution -> parameters, none of which has a gradient
ROUGH = {
    "standard_t": (3.0,), "vonmises": (0.5, 3.0), "standard_gamma": (0.7,), "chisquare": (3.0,),
    "noncentral_chisquare": (3.0, 1.5), "f": (3.0, 5.0), "noncentral_f": (3.0, 5.0, 1.5), "beta": (0.7, 2.0),
    "wald": (2.0, 3.0), "dirichlet": (ROW,), "bernoulli": (0.3,), "poisson": (3.5,), "geometric": (0.3,),
    "categorical": (np.array([0.4, 0.6]),), "logseries": (0.6,), "zipf": (2.5,), "negative_binomial": (4.5, 0.3),
    "nbinom": (4.5, 0.3),
}
# Those that take an integer as well, or none of whose parameters is a real number.
OTHERS = {"binomial", "betabinom", "hypergeometric", "multivariate_hypergeometric", "multinomial", "integers",
          "randint", "choice", "permutation", "random", "standard_normal", "standard_cauchy", "standard_exponential"}


def draws(name: str, params, seed: int, dtype: str | None = None):
    """The distribution with a fixed state."""
    return getattr(basic, name)(*params, dtype=dtype, rng=shared(np.random.default_rng(seed)))


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_of_first_and_second_order_are_those_of_finite_differences(name: str):
    params, moving = SMOOTH[name]

    def of_moving(*moved):
        given = list(params)
        for k, v in zip(moving, moved, strict=True):
            given[k] = v
        return draws(name, given, 11)

    def gradients(*moved_and_weight):
        *moved, weight = moved_and_weight
        return Lop(of_moving(*moved), moved, weight)

    points = [np.asarray(params[k]) for k in moving]
    drawn = REFERENCE([], draws(name, params, 11))()
    verify_grad(of_moving, points, mode=REFERENCE, abs_tol=0.0, rel_tol=1e-8)
    # Second derivatives of loc + scale * z are zero but for the rounding of (x - loc) / scale.
    verify_grad(gradients, [*points, np.cos(drawn)], mode=REFERENCE, abs_tol=1e-11, rel_tol=1e-8)


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_are_the_same_in_every_mode(name: str, mode: str):
    params, moving = SMOOTH[name]
    inputs = [nt.TensorType("float64", [1 if n == 1 else None for n in np.shape(p)])() for p in params]
    x = draws(name, inputs, 3)
    gradients = grad((x * x).sum(), [inputs[k] for k in moving])
    found = nbgraph.function(inputs, gradients, on_unused_input="ignore")(*params)
    reference = REFERENCE(inputs, gradients)(*params)
    for a, b, k in zip(found, reference, moving, strict=True):
        assert a.shape == np.shape(params[k])
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_gradient_by_the_scale_of_weibull():
    verify_grad(lambda a, scale: basic.weibull(a, scale=scale, rng=shared(np.random.default_rng(5))), [ROW, COLUMN],
                mode=REFERENCE)


def test_a_million_draws_have_the_derivatives_of_their_mean_and_variance():
    loc, scale = nt.dscalar("loc"), nt.dscalar("scale")
    x = basic.normal(loc, scale, size=1_000_000, rng=shared(np.random.default_rng(1)))
    f = nbgraph.function([loc, scale], grad((x * x).mean(), [loc, scale]))
    by_loc, by_scale = f(3.0, 2.0)  # E x**2 = loc**2 + scale**2
    assert by_loc == pytest.approx(6.0, abs=0.02) and by_scale == pytest.approx(4.0, abs=0.03)


def test_gradients_keep_the_dtype_of_the_parameter():
    loc, scale = nt.fscalar("loc"), nt.fvector("scale")
    gloc, gscale = grad(draws("normal", (loc, scale), 1, "float32").sum(), [loc, scale])
    assert gloc.type.dtype == gscale.type.dtype == "float32"
    values = nbgraph.function([loc, scale], [gloc, gscale])(1.0, np.ones(3, "float32"))
    z = np.random.default_rng(1).normal(size=3)
    np.testing.assert_allclose(values[1], z, rtol=1e-5)
    assert values[0] == 3.0


def test_forward_mode():
    loc, scale = nt.dvector("loc"), nt.dvector("scale")
    x = draws("normal", (loc, scale), 4)
    moved = nbgraph.function([loc, scale], Rop(x, [loc, scale], [nt.ones_like(loc), 2 * nt.ones_like(scale)]))
    z = np.random.default_rng(4).normal(size=3)
    np.testing.assert_allclose(moved(np.zeros(3), np.ones(3)), 1 + 2 * z, rtol=1e-12)


def test_gradients_go_through_threaded_draws():
    loc = nt.dscalar("loc")
    next_rng, x = basic.normal(loc, 1.0, rng=shared(np.random.default_rng(2)), return_next_rng=True)
    y = basic.normal(x, 1.0, rng=next_rng)
    assert nbgraph.function([loc], grad(y, loc), on_unused_input="ignore")(1.0) == 1.0


@pytest.mark.parametrize("name", ROUGH)
def test_what_has_no_gradient_says_so(name: str):
    inputs = [nt.TensorType("float64", np.shape(p))(f"p{k}") for k, p in enumerate(ROUGH[name])]
    x = draws(name, inputs, 3)
    for k, v in enumerate(inputs):
        with pytest.raises(NullGradError, match="is undefined") as caught:
            grad(nt.cast(x, "float64").sum(), v)
        assert f"input {k + 3} ({v})" in str(caught.value)
        assert ("integers" in str(caught.value)) == (x.dtype == "int64")


def test_the_covariance_has_no_gradient():
    cov = nt.dmatrix("cov")
    with pytest.raises(NullGradError, match="Cholesky"):
        grad(draws("multivariate_normal", (np.zeros(2), cov), 1).sum(), cov)


def test_sizes_and_states_are_not_connected():
    n, rng = nt.lscalar("n"), shared(np.random.default_rng(1))
    x = basic.normal(size=n, rng=rng)
    with pytest.raises(DisconnectedInputError):
        grad(x.sum(), rng)
    assert x.owner.op.connection_pattern(x.owner) == [[False, False]] * 3 + [[False, True]] * 2


def test_every_distribution_is_listed():
    listed = [set(SMOOTH), set(ROUGH), OTHERS]
    names = {name for name in basic.__all__ if hasattr(getattr(basic, name), "slopes") and name.islower()}
    assert set().union(*listed) == names and sum(map(len, listed)) == len(names)
