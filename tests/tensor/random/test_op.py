"""Generators as values, RandomVariable and its contract: threading, shapes, sizes, dtypes, Ops of users, errors."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph import function, shared
from nbgraph.config import config
from nbgraph.dispatch.rules import _RULES, has_rule
from nbgraph.errors import ArgumentError, DTypeError, GraphError, ShapeError
from nbgraph.graph import Generic, clone_replace
from nbgraph.graph.basic import Apply
from nbgraph.graph.op import Op
from nbgraph.tensor.random import basic, normal, uniform
from nbgraph.tensor.random.op import RandomVariable
from nbgraph.tensor.random.type import RandomGeneratorType, RandomType, random_generator_type, same_state
from nbgraph.tensor.random.utils import RandomStream
from nbgraph.tensor.random.var import RandomGeneratorSharedVariable

BIT_GENERATORS = (np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64)


def generator(seed: int = 7) -> np.random.Generator:
    """NumPy's."""
    return np.random.default_rng(seed)


# Generators as values -------------------------------------------------------------------------------------------------

def test_a_shared_generator_is_copied_unless_it_is_borrowed():
    value = generator()
    rng = shared(value, "rng")
    assert type(rng) is RandomGeneratorSharedVariable and rng.type == random_generator_type
    assert rng.get_value() is not rng.get_value(borrow=True) is rng.container.value
    value.random()
    assert same_state(rng.get_value(), generator()) and not same_state(value, generator())
    rng.set_value(value, borrow=True)
    assert rng.get_value(borrow=True) is value
    assert shared(value, borrow=True).get_value(borrow=True) is value


@pytest.mark.parametrize("kind", BIT_GENERATORS)
def test_generators_are_compared_by_state(kind):
    a, b = np.random.Generator(kind(5)), np.random.Generator(kind(5))
    assert random_generator_type.values_eq(a, b) and random_generator_type.values_eq_approx(a, b)
    b.random()
    assert not random_generator_type.values_eq(a, b)
    a.random()
    assert random_generator_type.values_eq(a, b)
    a.integers(0, 100, dtype="int32")  # half of a word is kept
    assert not random_generator_type.values_eq(a, b)
    assert not random_generator_type.values_eq(generator(), np.random.Generator(np.random.Philox(7)))


@pytest.mark.parametrize("kind", BIT_GENERATORS)
def test_draws_of_every_bit_generator(kind, mode: str):
    rng = shared(np.random.Generator(kind(5)))
    next_rng, x = normal(size=(2, 3), rng=rng, return_next_rng=True)
    f, expected = function([], x, updates=[(rng, next_rng)]), np.random.Generator(kind(5))
    for _ in range(2):
        np.testing.assert_array_equal(f(), expected.normal(size=(2, 3)))
    assert same_state(rng.get_value(), expected)


def test_the_type_takes_generators_alone():
    kind = RandomGeneratorType()
    assert isinstance(kind, RandomType) and kind == random_generator_type and hash(kind) == hash(random_generator_type)
    assert pickle.loads(pickle.dumps(kind)) == kind and str(kind) == "generator"
    assert kind.is_valid_value(generator()) and not kind.is_valid_value(3)
    with pytest.raises(DTypeError, match="default_rng"):
        shared(generator(), "rng").set_value(np.random.RandomState(1))


def test_a_generator_is_a_value_of_generic(mode: str):
    class Draw(Op):
        __props__ = ()

        def make_node(self, state):
            return Apply(self, [state], [nt.dscalar()])

        def perform(self, node, inputs, output_storage):
            output_storage[0][0] = np.array(copy.deepcopy(inputs[0]).random())

    given = Generic()("given")
    f = function([given], Draw()(given))
    assert f(generator()) == generator().random()
    assert function([], Draw()(shared(generator())))() == generator().random()


def test_generators_are_arguments_and_results(mode: str):
    rng = random_generator_type("rng")
    next_rng, x = normal(rng=rng, size=2, return_next_rng=True)
    f, value = function([rng], [next_rng, x]), generator()
    after, drawn = f(value)
    np.testing.assert_array_equal(drawn, generator().normal(size=2))
    np.testing.assert_array_equal(f(after)[1], (lambda r: (r.normal(size=2), r.normal(size=2)))(generator())[1])
    assert same_state(value, generator())


# States ---------------------------------------------------------------------------------------------------------------

def test_states_are_threaded_by_hand(mode: str):
    rng = shared(generator(), "rng")
    next_rng, x = normal(0, 1, size=3, rng=rng).owner.outputs
    y = uniform(size=2, rng=next_rng)
    f, expected = function([], [x, y], updates=[(rng, y.update[1])]), generator()
    for _ in range(3):
        a, b = f()
        np.testing.assert_array_equal(a, expected.normal(0, 1, 3))
        np.testing.assert_array_equal(b, expected.uniform(size=2))
    assert x.rng is rng and y.rng is next_rng and x.update == (rng, next_rng)


def test_what_is_no_draw_has_no_state():
    lone = type(normal())(nt.TensorType("float64", ()))
    with pytest.raises(AttributeError, match="no draw"):
        lone.rng


def test_the_same_state_gives_the_same_draws(mode: str):
    x = normal(size=3, rng=shared(generator()))
    f = function([], x)
    np.testing.assert_array_equal(f(), f())


def test_without_a_state_draws_have_one_of_their_own(mode: str):
    x, y = normal(size=3), normal(size=3)
    f = function([], [x, y])
    (a, b), (c, _) = f(), f()
    assert not np.any(a == b) and not np.any(a == c)


def test_two_draws_from_one_state_are_refused(mode: str):
    rng = shared(generator(), "rng")
    x, y = normal(rng=rng), uniform(rng=rng)
    for outputs in ([x, y], [x, normal(rng=rng)], x + y, {"x": x, "y": y}):
        with pytest.raises(GraphError, match="draws from the state that normal draws from") as caught:
            function([], outputs)
        assert "test_op.py" in str(caught.value) and "return_next_rng=True" in str(caught.value)
    next_rng = x.update[1]
    with pytest.raises(GraphError, match="not independent"):
        function([], [normal(rng=next_rng), uniform(rng=next_rng)])
    with pytest.raises(GraphError, match="not independent"):
        function([], x, updates=[(rng, y.update[1])])


def test_the_same_numbers_are_drawn_twice_by_a_clone_of_the_state(mode: str):
    rng, mu = shared(generator(), "rng"), nt.dscalar("mu")
    x = normal(mu, 1.0, rng=rng)
    other = clone_replace(x, {mu: mu + 2.0, rng: rng.clone()})
    a, b = function([mu], [x, other])(1.0)
    assert b - a == pytest.approx(2.0, abs=1e-12)


def test_default_updates_of_explicit_states(mode: str):
    rng = shared(generator(), "rng")
    next_rng, x = normal(size=2, rng=rng, return_next_rng=True)
    rng.default_update = next_rng
    f, expected = function([], x), generator()
    for _ in range(2):
        np.testing.assert_array_equal(f(), expected.normal(size=2))


@pytest.mark.parametrize("value", [7, np.random.default_rng(7), np.random.RandomState(7), nt.dscalar("x")])
def test_what_is_no_symbolic_generator_is_refused(value):
    with pytest.raises(DTypeError, match="rng must be a symbolic generator"):
        normal(rng=value)


def test_a_stream_in_the_place_of_a_generator_is_pointed_to_its_methods():
    with pytest.raises(DTypeError, match=r"stream\.normal\(…\)"):
        normal(rng=RandomStream(1))


def test_what_is_known_of_parameters_is_not_looked_at_in_a_call():
    n, x = nt.iscalar("n"), nt.dvector("x")
    for drawn, given in ((basic.integers(0, 15, size=(n, 15)), n), (basic.integers(15, size=(n, 15)), n),
                         (basic.choice(x, size=(4, 15)), x), (basic.integers(2, x.shape[0], size=4), x)):
        source = function([given], drawn).source
        assert "15 < 0" not in source and "0 < 15" not in source and "invert" not in source and "== 0" not in source
    f = function([n], basic.integers(0, 15, size=(n, 15)))
    assert f(0).shape == (0, 15)
    with pytest.raises(ValueError, match="negative dimensions"):
        f(-1)


@pytest.mark.parametrize(("low", "high"), [(0, 0), (0, -1), (2, 2), (3, 1)])
@pytest.mark.parametrize("known", ["both", "low", "high", "neither"])
@pytest.mark.parametrize("endpoint", [False, True])
def test_ends_out_of_order_are_refused_as_numpy_does(low, high, known, endpoint, mode: str):
    a, b = nt.lscalar("a"), nt.lscalar("b")
    ends = low if known in ("both", "low") else a, high if known in ("both", "high") else b
    f = function([a, b], basic.integers(*ends, size=3, endpoint=endpoint, rng=shared(generator())), mode=mode,
                 on_unused_input="ignore")
    try:
        expected = generator().integers(low, high, size=3, endpoint=endpoint)
    except ValueError as error:
        with pytest.raises(ValueError, match=str(error)):
            f(low, high)
    else:
        np.testing.assert_array_equal(f(low, high), expected)


def test_updates_of_variables_without_names_have_names_in_the_source():
    rng, w = shared(generator()), shared(np.zeros(3))
    next_rng, x = normal(size=3, rng=rng, return_next_rng=True)
    source = function([], [], updates=[(rng, next_rng), (w, w + x)]).source
    assert "-> rng_next, add." in source and "_next" not in source.replace("rng_next", "")


@pytest.mark.parametrize("ends", [((0, 0), (0, 0)), ((0, 0), (1, -1)), ((0, 1), (0, 1)), ((5, 1), (6, 0))])
def test_ends_of_arrays_out_of_order_are_refused_alike_in_every_mode(ends, mode: str):
    a, b = nt.lvectors("a", "b")
    f = function([a, b], basic.integers(a, b, size=2), mode=mode)
    with pytest.raises(ValueError, match="high <= 0" if ends[0] == (0, 0) else "low >= high"):
        f(*ends)


def test_debug_mode_agrees():
    srng_like = shared(generator(), "rng")
    next_rng, x = normal(nt.dvector("m"), 1.0, rng=srng_like, return_next_rng=True)
    m = x.owner.inputs[3]
    f = function([m], (x + 0).sum() * 1, updates=[(srng_like, next_rng)], mode="DebugMode")
    expected = generator()
    for _ in range(2):
        assert f([1.0, 2.0]) == pytest.approx(expected.normal([1.0, 2.0]).sum(), rel=1e-15)


def test_rewriting_does_not_fold_draws():
    x = normal(size=3, rng=shared(generator()))
    text = nbgraph.dprint(function([], nt.exp(x) * 1.0), file="str")
    assert "normal" in text
    constant = normal(0.0, 1.0, rng=random_generator_type.make_constant(generator()))
    assert not constant.owner.op.do_constant_folding(None, constant.owner)
    assert "normal" in nbgraph.dprint(function([], constant), file="str")


# Shapes and sizes -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("params", "size", "shape"), [
    ((0.0, 1.0), None, ()), ((0.0, 1.0), 4, (4,)), ((0.0, 1.0), (2, 0), (2, 0)),
    ((nt.dvector("v"), 1.0), None, (None,)), ((nt.dvector("v"), [1.0, 2.0]), None, (2,)),
    ((nt.dvector("v"), nt.dmatrix("m")), None, (None, None)), ((nt.dcol("c"), nt.drow("r")), None, (None, None)),
    ((nt.dvector("v"), 1.0), (3, 2), (3, 2)), ((nt.drow("r"), 1.0), (nt.iscalar("n"), 2), (None, 2)),
    ((np.zeros((2, 1)), 1.0), (nt.iscalar("n"), nt.iscalar("k")), (2, None)),
])
def test_known_lengths(params, size, shape):
    assert normal(*params, size=size).type.shape == shape


def test_one_draw_of_vectors():
    mean = nt.TensorType("float64", (5, None))("mean")
    assert basic.multivariate_normal(mean, np.eye(3)).type.shape == (5, None)
    assert basic.multivariate_normal(np.zeros(3), np.eye(3), size=(2, 4)).type.shape == (2, 4, 3)
    assert basic.multinomial(nt.lvector("n"), [0.5, 0.5]).type.shape == (None, 2)
    assert basic.dirichlet(nt.dmatrix("a"), size=(4, 3)).type.shape == (4, 3, None)
    assert basic.categorical(nt.dmatrix("p")).type.shape == (None,)


def test_symbolic_sizes_are_lengths(mode: str):
    n, x = nt.lscalar("n"), nt.dmatrix("x")
    for size, arguments, shape in ((n, {n: 3}, (3,)), ((2, n), {n: 3}, (2, 3)), (x.shape, {x: np.ones((4, 5))}, (4, 5)),
                                   ((x.shape[1], n), {x: np.ones((4, 5)), n: 2}, (5, 2))):
        drawn = normal(size=size, rng=shared(generator()))
        f = function(list(arguments), [drawn, drawn.shape])
        result, lengths = f(*arguments.values())
        np.testing.assert_array_equal(result, generator().normal(size=shape))
        np.testing.assert_array_equal(lengths, shape)


def test_rows_of_parameters_are_drawn_one_after_the_other(mode: str):
    means, alpha = np.array([[0.0, 1.0], [5.0, 6.0]]), np.array([[1.0, 2.0, 3.0], [4.0, 0.5, 1.0]])
    cov, p = np.array([[2.0, 0.3], [0.3, 1.0]]), np.array([[0.1, 0.9], [0.7, 0.3], [0.5, 0.5]])
    rngs = [shared(generator(k)) for k in range(4)]
    results = function([], [basic.multivariate_normal(means, cov, rng=rngs[0]), basic.dirichlet(alpha, rng=rngs[1]),
                            basic.dirichlet(alpha, size=(2, 2), rng=rngs[2]),
                            basic.categorical(p, size=(5, 3), rng=rngs[3])])()
    one, two, three, four = (generator(k) for k in range(4))
    # Products of matrices are rounded in the order that BLAS takes for one row, or for all.
    np.testing.assert_array_max_ulp(results[0], np.array([one.multivariate_normal(mean, cov) for mean in means]), 4)
    np.testing.assert_array_equal(results[1], [two.dirichlet(a) for a in alpha])
    np.testing.assert_array_equal(results[2], [[three.dirichlet(a) for a in alpha] for _ in range(2)])
    u = four.random((5, 3))
    np.testing.assert_array_equal(results[3], [[int(u[i, j] >= p[j, 0]) for j in range(3)] for i in range(5)])


def test_several_permutations_are_drawn_one_after_the_other(mode: str):
    x = np.arange(12.0).reshape(4, 3)
    result = function([], basic.permutation(x, axis=1, size=(2,), rng=shared(generator())))()
    expected = generator()
    np.testing.assert_array_equal(result, [expected.permutation(x, axis=1) for _ in range(2)])
    n = nt.lscalar("n")
    for k in (4, 0, -1):
        drawn = basic.permutation(n, size=2, rng=shared(generator()))
        assert function([n], drawn)(k).shape == (2, max(k, 0)) == tuple(function([n], drawn.shape)(k))


@pytest.mark.parametrize(("params", "size", "words"), [
    (([1.0, 2.0], [1.0, 2.0, 3.0]), None, "do not broadcast"), (([1.0, 2.0], 1.0), 3, "size has 3"),
    (([1.0, 2.0], 1.0), (), r"size \(\) is one draw"), ((np.ones((2, 2)), 1.0), 2, "size has 1 axes"),
    ((0.0, 1.0), -1, "negative"),
])
def test_shapes_that_do_not_fit_are_refused_when_built(params, size, words):
    with pytest.raises(ShapeError, match=words):
        normal(*params, size=size)


def test_shapes_that_do_not_fit_are_refused_when_run(mode: str):
    m, s, n = nt.dvector("m"), nt.dvector("s"), nt.lscalar("n")
    for drawn, arguments in ((normal(m, s), ([1.0, 2.0], [1.0, 2.0, 3.0])), (normal(m, s), ([1.0], [1.0, 2.0, 3.0])),
                             (normal(m, s, size=(n,)), ([1.0, 2.0], [1.0, 2.0], 3))):
        inputs = [m, s, n][:len(arguments)]
        with pytest.raises(ValueError, match=r"do not broadcast|infer_shape") as caught:
            function(inputs, drawn)(*arguments)
        assert isinstance(caught.value, ShapeError)
    with pytest.raises(ValueError, match="negative dimensions"):
        function([n], normal(size=n))(-1)


# dtypes and calls -----------------------------------------------------------------------------------------------------

def test_default_dtypes():
    assert normal().dtype == "float64" and basic.poisson(1.0).dtype == "int64"
    with config.change_flags(floatX="float32"):
        assert normal().dtype == "float32" and basic.poisson(1.0).dtype == "int64"
    assert normal(dtype="floatX").dtype == "float64"
    assert basic.bernoulli(0.5, dtype="bool").dtype == "bool"
    assert basic.choice(np.arange(3, dtype="int8"), 2).dtype == "int8"
    assert basic.permutation(nt.fmatrix("x")).dtype == "float32"


@pytest.mark.parametrize("build", [lambda: normal(dtype="int64"), lambda: normal(dtype="complex128"),
                                   lambda: normal(1j, 1.0), lambda: basic.binomial(nt.dscalar("n"), 0.5),
                                   lambda: basic.binomial(2.5, 0.5), lambda: basic.choice(2.5),
                                   lambda: basic.binomial(nt.TensorType("uint64", ())("n"), 0.5)])
def test_other_kinds_of_numbers_are_refused(build):
    with pytest.raises(DTypeError):
        build()


def test_whole_numbers_in_floats_are_taken_for_integers():
    x = basic.binomial(5.0, 0.5)
    assert x.owner.inputs[3].type.dtype == "int64"


@pytest.mark.parametrize("call", [lambda: normal(0, 1, 2, "float64", 3), lambda: normal(0, 1, spread=2),
                                  lambda: basic.gamma(), lambda: basic.NormalRV().make_node(None, None, None, 1.0)])
def test_wrong_arguments_are_refused(call):
    with pytest.raises(ArgumentError) as caught:
        call()
    assert "test_op.py" in str(caught.value)


def test_choice_wants_to_know_whether_it_replaces():
    with pytest.raises(ArgumentError, match="replace"):
        basic.choice(3, replace=nt.lscalar("replace"))
    assert basic.choice(3, replace=nt.constant(False)).owner.op.replace is False
    with pytest.raises(ShapeError, match="vector"):
        basic.choice(3, p=np.ones((1, 3)) / 3)
    with pytest.raises(ValueError, match="larger sample"):
        function([], basic.choice(3, size=4, replace=False), mode="reference")()


def test_draws_are_written_as_calls():
    x = normal(0.0, nt.dscalar("sigma"), size=(3,), name="x")
    assert x.name == "x" and nbgraph.pp(x) == "normal(0, sigma, size=(3,))"
    assert nbgraph.pp(basic.poisson(nt.dvector("lam"))) == "poisson(lam)"
    assert nbgraph.pp(uniform(size=(nt.lscalar("n"), 2))).startswith("uniform(0, 1, size=")


def test_make_node_takes_the_inputs_of_a_node():
    x = normal(nt.dvector("m"), 2.0, dtype="float32")
    rng, size, dtype, *params = x.owner.inputs
    again = x.owner.op.make_node(rng, size, dtype, *params).outputs[1]
    assert again.type == x.type
    assert x.owner.op.make_node(rng, (4, 2), "float64", *params[::-1][:0], 0.0, 1.0).outputs[1].type.shape == (4, 2)


# Ops of users ---------------------------------------------------------------------------------------------------------

class TwoNormalsRV(RandomVariable):
    """The docstring's example."""

    name, ndim_supp, ndims_params, dtype = "two_normals", 0, (0, 0), "floatX"

    @classmethod
    def rng_fn(cls, rng, loc, scale, size):
        return loc + scale * (rng.normal(size=size) + rng.normal(size=size))


class PairRV(RandomVariable):
    """Vectors of two, whose length no parameter has; written in the older way."""

    def __init__(self):
        super().__init__("pair", 1, [0], "int64")

    def __call__(self, lam=3.0, size=None, **kwargs):
        return super().__call__(lam, size=size, **kwargs)

    def _supp_shape_from_params(self, dist_params, rep_param_idx=0, param_shapes=None):
        return (2,)

    def rng_fn(self, rng, lam, size):
        shape = np.shape(lam) if size is None else size
        return np.stack([rng.poisson(lam, shape), rng.poisson(lam, shape)], axis=-1)


class ScaledNormalRV(basic.NormalRV):
    """A distribution of ours with another default."""

    def __call__(self, loc=0.0, scale=10.0, size=None, **kwargs):
        return super().__call__(loc, scale, size=size, **kwargs)


def test_distributions_of_users(mode: str):
    x = TwoNormalsRV()(1.0, 2.0, size=3, rng=shared(generator()))
    r = generator()
    np.testing.assert_array_equal(function([], x)(), 1.0 + 2.0 * (r.normal(size=3) + r.normal(size=3)))
    lam = nt.dvector("lam")
    y = PairRV()(lam, rng=shared(generator()))
    assert y.type.shape == (None, 2) and y.dtype == "int64" and str(y.owner.op) == "pair"
    r = generator()
    np.testing.assert_array_equal(function([lam], y)([1.0, 5.0]), np.stack([r.poisson([1.0, 5.0]),
                                                                            r.poisson([1.0, 5.0])], axis=-1))
    z = ScaledNormalRV()(size=2, rng=shared(generator()))
    assert isinstance(z.owner.op, basic.NormalRV) and x.line.text().startswith("x = TwoNormalsRV")
    np.testing.assert_array_equal(function([], z)(), generator().normal(0.0, 10.0, 2))
    assert PairRV() == PairRV() and hash(PairRV()) == hash(PairRV()) and PairRV() != TwoNormalsRV()


def test_distributions_of_users_check_their_parameters():
    with pytest.raises(ArgumentError, match="takes 2 parameters, got 1"):
        TwoNormalsRV()(1.0)
    with pytest.raises(ShapeError, match="at least 1"):
        RandomVariable("dirichlet", 1, [1], "floatX")(1.0)


def test_a_distribution_of_numpy_needs_its_name_alone(mode: str):
    x = RandomVariable("dirichlet", 1, [1], "floatX")([1.0, 2.0], size=3, rng=shared(generator()))
    np.testing.assert_array_equal(function([], x)(), generator().dirichlet([1.0, 2.0], 3))


class HalvedNormalRV(basic.NormalRV):
    """Draws of its own, whatever kernel its base has."""

    @classmethod
    def rng_fn(cls, rng, loc, scale, size):
        return loc + scale * rng.normal(size=size) / 2


def test_a_kernel_is_not_inherited_where_draws_are_others(monkeypatch):
    monkeypatch.setitem(_RULES, basic.NormalRV, lambda node: None)
    assert has_rule(basic.normal) and has_rule(ScaledNormalRV()) and not has_rule(HalvedNormalRV())
