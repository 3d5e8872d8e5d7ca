"""States in native code: draws that nobody reads, states that are outputs, generators of other kinds."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph import function, shared
from nbgraph.tensor.random import basic
from nbgraph.tensor.random.type import Moved, held, random_generator_type, same_state
from tests.tensor.random.test_native import Own, _errors, generator

NATIVE = ("FAST_RUN", "FAST_COMPILE")


@pytest.mark.parametrize("draw", [
    lambda v, m, rng: basic.gamma(nt.abs(v) * 0.01, size=(50, 3), rng=rng),
    lambda v, m, rng: basic.gamma(nt.abs(v) * 0.01, nt.abs(m), rng=rng),
    lambda v, m, rng: basic.binomial(nt.cast(nt.abs(v), "int64") + 5, 0.5, size=(50, 3), rng=rng),
    lambda v, m, rng: basic.normal(v, size=3, rng=rng), lambda v, m, rng: basic.normal(v.sum(), rng=rng),
    lambda v, m, rng: basic.dirichlet(nt.abs(v) + 1, size=4, rng=rng)])
@pytest.mark.parametrize("native", NATIVE)
def test_draws_that_nobody_reads_move_the_state_as_others_do(draw, native):
    v, m = nt.dvector("v"), nt.dmatrix("m")
    rng = shared(generator())
    x = draw(v, m, rng)
    y = basic.normal(size=2, rng=x.update[1])
    values = np.array([1.0, 2.0, 3.0]), np.arange(1.0, 13.0).reshape(4, 3)
    f, reference = (function([v, m], y, mode=mode, on_unused_input="ignore") for mode in (native, "reference"))
    np.testing.assert_array_equal(f(*values), reference(*values))
    assert f.source.count("pcg64(") == 2


def test_draws_that_nobody_reads_are_not_stored():
    rng = shared(generator())
    x = basic.normal(size=1000, rng=rng)
    f = function([], [], updates=[x.update])
    assert "empty" not in f.source
    f()
    expected = generator()
    expected.normal(size=1000)
    assert same_state(rng.get_value(), expected)


@pytest.mark.parametrize("native", NATIVE)
def test_a_state_before_a_draw_is_an_output_too(native):
    rng, given = shared(generator()), random_generator_type("given")
    x, y = basic.normal(size=2, rng=rng), basic.gamma(2.0, size=3, rng=given)
    f = function([given], [x, rng, y, given, y.update[1]], updates=[x.update], mode=native, allow_python=False)
    value = generator("SFC64")
    for after in (generator(), rng.get_value):
        before = after() if callable(after) else after
        drawn, state, numbers, same, moved = f(value)
        assert same_state(state, before) and state is not rng.get_value(borrow=True)
        np.testing.assert_array_equal(drawn, before.normal(size=2))
        assert same_state(same, value) and same is not value and same_state(value, generator("SFC64"))
        np.testing.assert_array_equal(numbers, same.gamma(2.0, size=3))
        assert same_state(same, moved)


def test_a_generator_of_another_kind_goes_from_call_to_call_as_words_too():
    rng = shared(generator())
    x = basic.normal(size=2, rng=rng)
    f = function([], x, updates=[x.update])
    rng.set_value(generator("SFC64"))
    expected = generator("SFC64")
    for _ in range(3):
        np.testing.assert_array_equal(f(), expected.normal(size=2))
        assert type(held(rng.container.storage)) is Moved
    assert same_state(rng.get_value(), expected)
    np.testing.assert_array_equal(f(), expected.normal(size=2))


def test_probabilities_in_single_precision_may_sum_to_one_as_roughly_as_numpys(mode: str):
    weights = np.random.default_rng(1).random(50).astype("float32")
    p = weights / weights.sum() * np.float32(1 + 1e-5)
    assert p.dtype == "float32" and abs(p.astype(float).sum() - 1) > 1e-6
    v = nt.fvector("v")
    rngs = [shared(generator()) for _ in range(3)]
    draws = [basic.choice(50, size=9, p=v, rng=rngs[0]), basic.choice(50, size=9, p=v, replace=False, rng=rngs[1]),
             basic.categorical(v, size=9, rng=rngs[2])]
    with_replacement, without, categories = function([v], draws)(p)
    np.testing.assert_array_equal(with_replacement, generator().choice(50, 9, p=p))
    np.testing.assert_array_equal(without, generator().choice(50, 9, p=p, replace=False))
    np.testing.assert_array_equal(categories, with_replacement)
    for op in (lambda q: basic.choice(50, p=q), basic.categorical):
        with pytest.raises(ValueError, match="sum to 1"):
            function([v], op(v))(p * np.float32(1.001))
        with pytest.raises(ValueError, match="sum to 1"):
            function([v], op(v.astype("float64")))(p)


def test_a_profile_sees_calls_with_a_generator_of_another_kind():
    rng, w = shared(generator()), shared(np.zeros(1000))
    x = basic.normal(size=1000, rng=rng)
    f = function([], x.sum(), updates=[x.update, (w, w + x)], profile=True)
    f()
    rng.set_value(generator("SFC64"))
    f()

    def in_loops():
        return sum(row.seconds for row in f.profile.rows if row.name.startswith("fused"))

    before = in_loops()
    for _ in range(20):
        f()
    assert in_loops() > before > 0
    rng.set_value(np.random.Generator(Own(7)))
    assert f() == pytest.approx(generator().normal(size=1000).sum())


def test_lengths_of_vectors_that_do_not_fit_are_told_as_in_reference_mode():
    p, n, mean, cov, k = nt.dmatrix("p"), nt.lvector("n"), nt.dmatrix("mean"), nt.dmatrix("cov"), nt.lscalar("k")
    rng, halves = shared(generator()), np.ones((3, 2)) / 2
    cases = [(basic.categorical(p, size=k, rng=rng), [p, k], (halves, 4)),
             (basic.multinomial(n, p, rng=rng), [n, p], (np.array([1, 2]), halves)),
             (basic.dirichlet(p, size=(k, 3), rng=rng), [p, k], (np.ones((2, 2)), 4)),
             (basic.multivariate_hypergeometric(p.astype("int64"), n, rng=rng), [p, n], (halves, np.array([1, 2]))),
             (basic.multivariate_normal(mean, cov, size=k, rng=rng), [mean, cov, k], (np.ones((2, 2)), np.eye(2), 3))]
    for drawn, inputs, values in cases:
        found = _errors(inputs, drawn, values)
        assert found[0] == found[1] and found[0] is not None, drawn
