"""RandomStream: states, seeds, older names, and the tutorial's section "Using Random Numbers" with what it prints."""

from __future__ import annotations

import copy
import inspect
import pickle

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph import function, shared
from nbgraph.errors import ArgumentError, ShapeError
from nbgraph.graph import clone_replace
from nbgraph.tensor.random import basic, normal
from nbgraph.tensor.random.utils import RandomStream, broadcast_params, normalize_size_param


def generator(seed: int, k: int) -> np.random.Generator:
    """The generator of variable k of RandomStream(seed)."""
    return np.random.default_rng(np.random.SeedSequence(seed).spawn(k + 1)[k])


# The tutorial ---------------------------------------------------------------------------------------------------------

def tutorial(seed: int = 234):
    """The tutorial's set-up."""
    srng = RandomStream(seed=seed)
    rv_u = srng.uniform(0, 1, size=(2, 2))
    rv_n = srng.normal(0, 1, size=(2, 2))
    f = function([], rv_u)
    g = function([], rv_n, no_default_updates=True)
    nearly_zeros = function([], rv_u + rv_u - 2 * rv_u)
    return srng, rv_u, rv_n, f, g, nearly_zeros


def test_each_call_draws_other_numbers(mode: str):
    """"different numbers from f_val0" """
    *_, f, _, _ = tutorial()
    first, second = f(), f()
    assert not np.any(first == second)
    expected = generator(234, 0)
    np.testing.assert_array_equal(first, expected.uniform(0, 1, (2, 2)))
    np.testing.assert_array_equal(second, expected.uniform(0, 1, (2, 2)))


def test_without_default_updates_each_call_draws_the_same(mode: str):
    """"same numbers as g_val0!" """
    *_, g, _ = tutorial()
    first = g()
    np.testing.assert_array_equal(first, generator(234, 1).normal(0, 1, (2, 2)))
    np.testing.assert_array_equal(g(), first)


def test_no_default_updates_may_name_the_states(mode: str):
    _, rv_u, rv_n, *_ = tutorial()
    f = function([], [rv_u, rv_n], no_default_updates=[rv_u.rng])
    (u0, n0), (u1, n1) = f(), f()
    np.testing.assert_array_equal(u0, u1)
    assert not np.any(n0 == n1)


def test_a_variable_is_drawn_once_in_a_call(mode: str):
    """"a random variable is drawn at most once during any single function execution" """
    *_, nearly_zeros = tutorial()
    np.testing.assert_allclose(nearly_zeros(), np.zeros((2, 2)), atol=1e-15)


def test_one_generator_is_seeded(mode: str):
    """"rv_u.rng": its value is taken, changed and assigned back."""
    _, rv_u, _, f, _, _ = tutorial()
    rng_val = rv_u.rng.get_value(borrow=True)
    rng_val.bit_generator.state = np.random.default_rng(89234).bit_generator.state
    rv_u.rng.set_value(rng_val, borrow=True)
    np.testing.assert_array_equal(f(), np.random.default_rng(89234).uniform(0, 1, (2, 2)))


def test_all_variables_are_seeded_with_different_seeds(mode: str):
    """"seeds rv_u and rv_n with different seeds each" """
    srng, _, _, f, g, _ = tutorial()
    f()
    srng.seed(902340)
    np.testing.assert_array_equal(f(), generator(902340, 0).uniform(0, 1, (2, 2)))
    np.testing.assert_array_equal(g(), generator(902340, 1).normal(0, 1, (2, 2)))
    srng.seed()
    np.testing.assert_array_equal(f(), generator(234, 0).uniform(0, 1, (2, 2)))


def test_functions_share_the_state(mode: str):
    """"our nearly_zeros function will update the state of the generators used in function f above" """
    _, rv_u, _, f, _, nearly_zeros = tutorial()
    state_after_v0 = rv_u.rng.get_value().bit_generator.state
    nearly_zeros()
    v1 = f()
    rng = rv_u.rng.get_value(borrow=True)
    rng.bit_generator.state = state_after_v0
    rv_u.rng.set_value(rng, borrow=True)
    v2, v3 = f(), f()
    assert not np.any(v2 == v1)
    np.testing.assert_array_equal(v3, v1)


class Graph:
    """The tutorial's two graphs with a random variable each."""

    def __init__(self, seed: int = 123) -> None:
        self.rng = RandomStream(seed)
        self.y = self.rng.uniform(size=(1,))


def copy_random_state(g1: Graph, g2: Graph) -> None:
    """As the tutorial copies it."""
    for su1, su2 in zip(g1.rng.state_updates, g2.rng.state_updates, strict=True):
        su2[0].set_value(su1[0].get_value())


def test_random_state_is_copied_between_graphs(mode: str):
    g1, g2 = Graph(seed=123), Graph(seed=987)
    f1, f2 = function([], g1.y), function([], g2.y)
    assert f1() != f2()
    copy_random_state(g1, g2)
    assert f1() == f2()
    assert f1() == f2()


# States ---------------------------------------------------------------------------------------------------------------

def test_a_generator_that_was_taken_does_not_move_with_calls(mode: str):
    _, rv_u, _, f, _, _ = tutorial()
    borrowed = rv_u.rng.get_value(borrow=True)
    before = borrowed.bit_generator.state
    f()
    assert borrowed.bit_generator.state == before
    assert rv_u.rng.get_value(borrow=True).bit_generator.state != before


def test_updates_may_be_written_out(mode: str):
    srng, rv_u, *_ = tutorial()
    f = function([], rv_u, updates=srng.updates())
    first, second = f(), f()
    assert not np.any(first == second)
    assert srng.updates() == srng.state_updates == [rv_u.update, srng.state_updates[1]]


def test_parameters_that_givens_replace_are_drawn_once(mode: str):
    srng = RandomStream(5)
    mu = nt.dscalar("mu")
    x = srng.normal(2 * mu, 1.0, size=3)
    f = function([], [x, x], givens={mu: nt.constant(4.0)})
    expected = generator(5, 0)
    for _ in range(2):
        a, b = f()
        np.testing.assert_array_equal(a, expected.normal(8.0, 1.0, 3))
        np.testing.assert_array_equal(b, a)


def test_copies_of_a_function_take_the_states_that_they_are_given(mode: str):
    _, rv_u, _, f, _, _ = tutorial()
    other = nbgraph.shared(np.random.default_rng(3))
    twin = f.copy(swap={rv_u.rng: other})
    np.testing.assert_array_equal(twin()[0], np.random.default_rng(3).uniform(0, 1, (2, 2)))
    np.testing.assert_array_equal(f(), generator(234, 0).uniform(0, 1, (2, 2)))


def test_functions_and_streams_pickle_with_their_states(mode: str):
    srng, _, _, f, _, _ = tutorial()
    f()
    again, stream = pickle.loads(pickle.dumps((f, srng)))
    other = copy.deepcopy(srng)
    np.testing.assert_array_equal(again(), f())
    for s in (stream, other):
        assert [str(op) for op, _ in s.state_updates] == ["rng_0", "rng_1"]
        x = s.poisson(3.0, size=50)
        np.testing.assert_array_equal(function([], x)(), generator(234, 2).poisson(3.0, 50))


def test_a_call_that_fails_leaves_the_state(mode: str):
    srng = RandomStream(1)
    scale = nt.dscalar("scale")
    f = function([scale], srng.normal(0.0, scale, size=2))
    with pytest.raises(ValueError, match="scale < 0"):
        f(-1.0)
    np.testing.assert_array_equal(f(2.0), generator(1, 0).normal(0.0, 2.0, 2))


def test_streams_take_other_bit_generators(mode: str):
    srng = RandomStream(3, rng_ctor=lambda sequence: np.random.Generator(np.random.Philox(sequence)))
    x = srng.normal(size=4)
    expected = np.random.Generator(np.random.Philox(np.random.SeedSequence(3).spawn(1)[0]))
    np.testing.assert_array_equal(function([], x)(), expected.normal(size=4))


def test_streams_with_and_without_a_seed_differ():
    a, b = (function([], RandomStream().uniform(size=4))() for _ in range(2))
    assert not np.any(a == b)


# Methods --------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", [name for name in basic.__all__ if name[0].islower() and hasattr(
    getattr(basic, name), "make_node")])
def test_every_distribution_is_a_method(name: str):
    srng = RandomStream(0)
    method = getattr(srng, name)
    assert name in dir(srng)
    assert method.__doc__ == getattr(basic, name).__doc__
    assert inspect.signature(method) == inspect.signature(getattr(basic, name))


# what older programs write -> what NumPy's generator gives
OLDER = {
    "binomial": (lambda s: s.binomial(size=(3, 2), n=5, p=0.3, dtype="float32"),
                 lambda r: r.binomial(5, 0.3, (3, 2)).astype("float32")),
    "binomial of one trial": (lambda s: s.binomial(size=(30,), p=0.3), lambda r: r.binomial(1, 0.3, 30)),
    "normal": (lambda s: s.normal(size=(3,), avg=1.0, std=2.0), lambda r: r.normal(1.0, 2.0, 3)),
    "normal, ndim": (lambda s: s.normal(size=(3, 4), ndim=2, dtype="floatX"), lambda r: r.normal(size=(3, 4))),
    "uniform": (lambda s: s.uniform(size=(2, 3), low=-1.0, high=1.0, dtype="float32"),
                lambda r: r.uniform(-1, 1, (2, 3)).astype("float32")),
    "multinomial": (lambda s: s.multinomial(size=(4,), n=3, pvals=[0.2, 0.8]),
                    lambda r: r.multinomial(3, [0.2, 0.8], 4)),
    "multinomial of rows": (lambda s: s.multinomial(pvals=np.array([[0.2, 0.8], [0.5, 0.5]]), dtype="float64"),
                            lambda r: r.multinomial(1, [[0.2, 0.8], [0.5, 0.5]]).astype("float64")),
    "choice": (lambda s: s.choice(size=(3,), a=4, replace=False), lambda r: r.choice(4, 3, replace=False)),
    "choice, p": (lambda s: s.choice(size=(5,), a=3, replace=True, p=[0.2, 0.3, 0.5]),
                  lambda r: r.choice(3, 5, p=[0.2, 0.3, 0.5])),
    "permutation": (lambda s: s.permutation(size=(2,), n=5), lambda r: np.array([r.permutation(5), r.permutation(5)])),
    "random_integers": (lambda s: s.random_integers(size=(6,), low=1, high=3),
                        lambda r: r.integers(1, 3, 6, endpoint=True)),
}


@pytest.mark.parametrize("case", OLDER)
def test_older_names_mean_what_they_did(case: str, mode: str):
    ours, numpys = OLDER[case]
    result, expected = function([], ours(RandomStream(9)))(), numpys(generator(9, 0))
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result, expected)


def test_ndim_says_the_length_of_a_symbolic_size(mode: str):
    size = nt.lvector("size")
    x = RandomStream(2).uniform(size=size, ndim=2)
    assert x.ndim == 2
    np.testing.assert_array_equal(function([size], x)([2, 3]), generator(2, 0).uniform(size=(2, 3)))


def test_an_ndim_that_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match="ndim is 3, size has 2 entries"):
        RandomStream(0).normal(size=(1, 2), ndim=3)


def test_an_argument_under_both_names_is_refused():
    with pytest.raises(ArgumentError, match="avg and loc"):
        RandomStream(0).normal(avg=1, loc=2)


def test_a_stream_refuses_the_generator_of_somebody_else():
    with pytest.raises(ArgumentError, match="of its own"):
        RandomStream(0).normal(rng=nbgraph.shared(np.random.default_rng(0)))


def test_what_is_no_distribution_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no 'nothing'"):
        RandomStream(0).nothing
    assert not hasattr(RandomStream(0), "NormalRV")


def test_gen_takes_any_random_variable(mode: str):
    x = RandomStream(4).gen(basic.NormalRV(), 1.0, 2.0, size=3)
    np.testing.assert_array_equal(function([], x)(), generator(4, 0).normal(1.0, 2.0, 3))


# Sizes and parameters -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("size", "expected"), [(None, []), ((), []), (3, [3]), ((2, 3), [2, 3]), ([2], [2]),
                                                (np.array([4, 5]), [4, 5]), (np.int32(2), [2]),
                                                ((2, nt.constant(3)), [2, 3])])
def test_sizes_are_vectors_of_known_length(size, expected):
    vector = normalize_size_param(size)
    assert vector.type.dtype == "int64" and vector.type.shape == (len(expected),)
    np.testing.assert_array_equal(vector.eval(), expected)


def test_symbolic_sizes(mode: str):
    n = nt.iscalar("n")
    for size, expected in ((n, [4]), ((2, n), [2, 4]), (nt.stack([n, n]), [4, 4])):
        np.testing.assert_array_equal(normalize_size_param(size).eval({n: 4}), expected)


@pytest.mark.parametrize(("size", "words"), [(-1, "negative"), ((2, -3), "negative"), (1.5, "integers"),
                                             (nt.dvector("v"), "number of axes"), (np.zeros((1, 1), int), "one int")])
def test_what_is_no_size_is_refused(size, words):
    with pytest.raises((ValueError, TypeError), match=words):
        normalize_size_param(size)


def test_parameters_are_broadcast():
    a, b = broadcast_params([np.zeros((2, 1, 3)), np.ones((4, 3, 3))], (1, 2))
    assert a.shape == (2, 4, 3) and b.shape == (2, 4, 3, 3)
    x, y = broadcast_params([nt.dvector("x"), 0.5], (0, 0))
    assert y.eval({x.owner.inputs[0] if x.owner else x: np.zeros(3)}).shape == (3,)


def test_clones_of_draws_move_their_own_states(mode: str):
    w, u, x = shared(1.0), shared(2.0), nt.dscalar("x")
    stream = RandomStream(4)
    a = stream.normal(w, size=2)
    f = function([], clone_replace(a, {w: u}), mode=mode)
    expected = np.random.Generator(np.random.PCG64(np.random.SeedSequence(4).spawn(1)[0]))
    for _ in range(2):
        np.testing.assert_array_equal(f(), expected.normal(2.0, size=2))
    of_number = normal(x, rng=shared(np.random.default_rng(3)))
    assert function([], clone_replace(of_number, {x: u}), mode=mode)() == np.random.default_rng(3).normal(2.0)
