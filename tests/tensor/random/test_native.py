"""Draws in native code: fused, of any bit generator, checked beforehand, and the same as in reference mode."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph import function, shared
from nbgraph.errors import KernelError
from nbgraph.lowering import generators
from nbgraph.tensor.random import RandomStream, basic
from nbgraph.tensor.random.op import RandomVariable
from nbgraph.tensor.random.type import random_generator_type, same_state
from tests.dispatch.random.test_domains import FLOATS, GOOD, INTEGERS, SLOW
from tests.tensor.random.samples import NAMES
from tests.tensor.random.test_distributions import DISTRIBUTIONS, built, of

KINDS = ("PCG64", "PCG64DXSM", "SFC64", "Philox", "MT19937")
ROOT = Path(__file__).resolve().parents[3]


def generator(kind: str = "PCG64", seed: int = 7) -> np.random.Generator:
    return np.random.Generator(getattr(np.random, kind)(seed))


class Own(np.random.PCG64):
    """A bit generator that nbgraph does not know."""


# States ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", KINDS)
def test_every_bit_generator_draws_its_own_numbers(kind: str):
    rng, other = shared(generator(kind), name="rng"), shared(generator(kind, 8))
    x, k = basic.gamma(2.5, size=9, rng=rng), basic.integers(0, 200, size=5, dtype="uint8", rng=other)
    f = function([], [x, k], updates=[x.update, k.update], allow_python=False)
    assert f"{kind.lower()}(rng)" in f.source
    one, two = generator(kind), generator(kind, 8)
    for _ in range(3):
        drawn, integers = f()
        np.testing.assert_array_equal(drawn, one.gamma(2.5, size=9))
        np.testing.assert_array_equal(integers, two.integers(0, 200, size=5, dtype="uint8"))
    assert same_state(rng.get_value(), one) and same_state(other.get_value(), two)


def test_another_bit_generator_is_compiled_for_when_it_comes(mode: str):
    rng = shared(generator(), name="rng")
    x = basic.normal(size=4, rng=rng)
    f = function([], x, updates=[x.update])
    for kind in ("PCG64", "SFC64", "MT19937", "SFC64", "PCG64"):
        rng.set_value(generator(kind))
        np.testing.assert_array_equal(f(), generator(kind).normal(size=4))
    rng.set_value(np.random.Generator(Own(7)))
    np.testing.assert_array_equal(f(), generator().normal(size=4))
    assert type(rng.get_value().bit_generator) is Own


def test_a_generator_that_is_an_argument():
    rng, n = random_generator_type("rng"), nt.lscalar("n")
    next_rng, x = basic.normal(size=n, rng=rng, return_next_rng=True)
    last_rng, y = basic.poisson(3.0, size=n, rng=next_rng, return_next_rng=True)
    f = function([rng, n], [x, y, next_rng, last_rng], allow_python=False)
    for kind in ("PCG64", "Philox"):
        given = generator(kind)
        drawn, counts, middle, last = f(given, 6)
        assert same_state(given, generator(kind)), "what is given is not moved"
        expected = generator(kind)
        np.testing.assert_array_equal(drawn, expected.normal(size=6))
        assert same_state(middle, expected)
        np.testing.assert_array_equal(counts, expected.poisson(3.0, size=6))
        assert same_state(last, expected) and type(last) is np.random.Generator


def test_a_generator_of_an_unknown_kind_is_left_to_python():
    rng = random_generator_type("rng")
    x = basic.normal(size=3, rng=rng)
    f = function([rng], x)
    np.testing.assert_array_equal(f(np.random.Generator(Own(7))), generator().normal(size=3))
    strict = function([rng], x, allow_python=False)
    strict(generator())
    with pytest.raises(KernelError, match="has Python code only"):
        strict(np.random.Generator(Own(7)))


def test_a_distribution_of_the_users_is_drawn_by_python_and_its_chain_with_it():
    class Twice(RandomVariable):
        name, ndim_supp, ndims_params, dtype = "twice", 0, (0,), "floatX"

        @classmethod
        def rng_fn(cls, rng, loc, size):
            return 2 * rng.normal(loc, size=size)

    rng, other = shared(generator()), shared(generator(seed=8))
    next_rng, x = basic.normal(size=3, rng=rng, return_next_rng=True)
    y = Twice()(1.0, size=2, rng=next_rng)
    z = basic.normal(size=3, rng=other)
    f = function([], [x, y, z], updates=[(rng, y.owner.outputs[0]), z.update])
    one, two = generator(), generator(seed=8)
    for _ in range(2):
        first, second, third = f()
        np.testing.assert_array_equal(first, one.normal(size=3))
        np.testing.assert_array_equal(second, 2 * one.normal(1.0, size=2))
        np.testing.assert_array_equal(third, two.normal(size=3))
    assert f.source.count("pcg64(") == 1


def test_a_generator_is_made_when_somebody_looks(mode: str):
    """Between calls a state may be no generator; whoever looks at it, in whatever way, finds one."""
    rng = shared(generator(), name="rng")
    x = basic.normal(size=2, rng=rng)
    f = function([], x, updates=[x.update])
    expected = generator()

    def step():
        np.testing.assert_array_equal(f(), expected.normal(size=2))

    step()
    step()
    looks = (lambda: rng.get_value(), lambda: rng.get_value(borrow=True), lambda: rng.container.value,
             lambda: rng.container.storage[0], lambda: rng.container.duplicate().value,
             lambda: pickle.loads(pickle.dumps(rng)).get_value(), lambda: copy.deepcopy(rng).get_value(),
             lambda: f[rng], lambda: f.container[rng].value)
    for look in looks:
        found = look()
        assert type(found) is np.random.Generator and same_state(found, expected)
        assert found.bit_generator.seed_seq.entropy == 7
        step()
    own = rng.get_value(borrow=True)
    assert own.normal() == expected.normal()  # drawn from outside, by who holds it
    step()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(f))(), copy.deepcopy(expected).normal(size=2))
    np.testing.assert_array_equal(f.copy()()[0], expected.normal(size=2))
    other = function([], x, mode="reference")
    np.testing.assert_array_equal(other(), copy.deepcopy(expected).normal(size=2))
    rng.set_value(generator(seed=9))
    expected = generator(seed=9)
    step()


def test_a_call_that_fails_leaves_what_stands_for_a_generator():
    sigma = nt.dscalar("sigma")
    rng = shared(generator())
    x = basic.normal(0.0, sigma, rng=rng)
    f = function([sigma], x, updates=[x.update])
    expected = generator()
    assert f(1.0) == expected.normal()
    for _ in range(2):
        with pytest.raises(ValueError, match="scale < 0"):
            f(-1.0)
    assert f(1.0) == expected.normal() and same_state(rng.get_value(), expected)


def test_the_seed_sequence_stays_with_the_generator():
    rng = shared(generator())
    x = basic.normal(rng=rng)
    function([], x, updates=[x.update])()
    assert rng.get_value(borrow=True).bit_generator.seed_seq.entropy == 7


def test_a_pickled_function_goes_on_where_it_was():
    stream = RandomStream(5)
    x = stream.multivariate_normal([0.0, 1.0], np.eye(2), size=3)
    f = function([], x)
    f()
    twin = pickle.loads(pickle.dumps(f))
    np.testing.assert_array_equal(f(), twin())


def test_no_update_is_lost_by_calls_from_many_threads():
    rng = shared(generator())
    x = basic.normal(size=2, rng=rng)
    f = function([], x, updates=[x.update])
    found: list[tuple[float, ...]] = []

    def work():
        for _ in range(200):
            found.append(tuple(f()))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(map(tuple, generator().normal(size=(800, 2))))


def test_looking_at_a_generator_takes_back_no_update(monkeypatch):
    looking, stored = threading.Event(), threading.Event()

    def slow(before, words, make=generators.moved_on):
        looking.set()
        stored.wait(10)
        return make(before, words)

    monkeypatch.setattr(generators, "moved_on", slow)
    rng = shared(generator())
    x = basic.normal(rng=rng)
    f = function([], x, updates=[x.update])
    found = [f()]
    thread = threading.Thread(target=rng.get_value)
    thread.start()
    looking.wait(10)
    found.append(f())
    stored.set()
    thread.join()
    np.testing.assert_array_equal([*found, f()], generator().normal(size=3))


# What is refused ------------------------------------------------------------------------------------------------------

def _error(call, *values):
    """The class and text of what a call raises; None for nothing."""
    try:
        call(*values)
    except Exception as error:
        return type(error), str(error)
    return None


def _errors(inputs, drawn, values):
    """What native code raises, and what reference mode does."""
    return [_error(function(inputs, drawn, mode=mode), *values) for mode in ("FAST_RUN", "reference")]


@pytest.mark.parametrize("name", [*GOOD, "integers"])
@pytest.mark.filterwarnings("ignore")
def test_bad_parameters_are_refused_as_in_reference_mode_and_the_state_stays(name: str):
    rng, op = shared(generator()), DISTRIBUTIONS[name]
    good = GOOD.get(name, {"low": 0, "high": 9})
    kinds = ["int64" if isinstance(value, int) and p.dtype == "int64" else "float64"
             for value, p in zip(good.values(), op.parameters, strict=False)]
    numbers = [nt.TensorType(kind, ())() for kind in kinds]
    arrays = [nt.TensorType(kind, (None,))() for kind in kinds]
    x, y = op(*numbers, rng=rng), op(*arrays, rng=shared(generator()))
    of_numbers, of_arrays = (
        [function(variables, drawn, updates=[drawn.update], mode=mode) for mode in ("FAST_RUN", "reference")]
        for variables, drawn in ((numbers, x), (arrays, y)))
    refused = 0
    for at, kind in enumerate(kinds):
        for value in INTEGERS if kind == "int64" else FLOATS:
            if name in SLOW and abs(value) > 1e18:
                continue
            values = [value if k == at else number for k, number in enumerate(good.values())]
            found = [_error(f, *values) for f in of_numbers]
            assert found[0] == found[1], values
            if found[0] is not None:
                refused += 1
                before = rng.get_value()
                assert _error(of_numbers[0], *values) and same_state(before, rng.get_value())
            rows = [np.array([number, v]) for number, v in zip(good.values(), values, strict=True)]
            found = [_error(f, *rows) for f in of_arrays]
            assert found[0] == found[1], rows
    assert refused


def test_bad_constants_are_refused_in_a_call():
    for given in ((5.0, 0.0), (np.array([5.0, 5.0]), np.array([0.5, 0.0])), (-1.0, 0.5)):
        found = _errors([], basic.nbinom(*given, rng=shared(generator())), ())
        assert found[0] == found[1] and found[0] is not None, given


BAD = {
    "dirichlet": [([1.0, -1.0],)],
    "multinomial": [(-1, [0.5, 0.5]), (3, [0.5, 1.5]), (3, [0.7, 0.7, 0.1]), (3, [np.nan, 0.5]), (3, [])],
    "categorical": [([0.5, 0.4],), ([-0.5, 1.5],), ([np.nan, 0.5],), ([],)],
    "multivariate_normal": [([0.0, 0.0], np.eye(3)), ([0.0, 0.0], np.ones((2, 3)))],
    "halfnormal": [(0.0, -1.0), (0.0, np.nan)], "cauchy": [(0.0, -1.0)], "halfcauchy": [(0.0, -1.0)],
    "t": [(-1.0, 0.0, 1.0), (1.0, 0.0, -1.0)], "invgamma": [(0.0, 1.0), (1.0, -1.0)],
    "gengamma": [(0.0, 1.0, 1.0), (1.0, -1.0, 1.0), (1.0, 1.0, -1.0)],
    "truncexpon": [(0.0, 0.0, 1.0), (1.0, 0.0, -1.0)],
    "betabinom": [(3, 0.0, 1.0), (-3, 1.0, 1.0), (3, 1.0, -1.0)], "bernoulli": [(1.5,), (np.nan,)],
    "choice": [(0,), (-3,)], "multivariate_hypergeometric": [([3, 4], -1), ([3, -4], 1), ([3, 4], 8), ([10**9, 3], 2)],
}


@pytest.mark.parametrize("name", BAD)
def test_bad_parameters_of_other_distributions(name: str):
    rng = shared(generator())
    for values in BAD[name]:
        inputs = [nt.TensorType(np.asarray(v).dtype, (None,) * np.ndim(v))() for v in values]
        x = DISTRIBUTIONS[name](*inputs, rng=rng)
        found = _errors(inputs, x, values)
        assert found[0] == found[1] and found[0] is not None, values


CHOICES = [(3, 4, {"replace": False}), (3, 2, {"p": [0.5, 0.4, 0.0]}), (3, 2, {"p": [0.5, 0.5]}),
           (3, 2, {"p": [-0.5, 1.0, 0.5]}), (3, 3, {"p": [0.5, 0.5, 0.0], "replace": False}), (0, 2, {})]


@pytest.mark.parametrize("case", CHOICES, ids=str)
def test_impossible_choices(case):
    n, size, options = case
    a = nt.lscalar("a")
    x = basic.choice(a, size=size, rng=shared(generator()), **options)
    found = _errors([a], x, [n])
    assert found[0] == found[1] and found[0] is not None


def test_without_outcomes_there_is_nothing_to_draw():
    p = nt.dvector("p")
    assert function([p], basic.dirichlet(p, size=2, rng=shared(generator())))([]).shape == (2, 0)
    a = nt.dvector("a")
    found = _errors([a, p], basic.choice(a, size=3, p=p, rng=shared(generator())), ([1.0, 2.0], []))
    assert found[0] == found[1] and "same size" in found[0][1]


def test_integers_of_all_bits():
    """The length of the range is no int64, in which compiled code may not overflow."""
    low, high = nt.lscalar("low"), nt.lscalar("high")
    ends = -2**63, 2**63 - 1
    expected = generator().integers(*ends, size=3, endpoint=True)
    for inputs, given in (([low, high], (low, high)), ([low], (low, ends[1])), ([high], (ends[0], high))):
        f = function(inputs, basic.integers(*given, size=3, endpoint=True, rng=shared(generator())))
        np.testing.assert_array_equal(f(*(ends[v is high] for v in inputs)), expected)


def test_integers_have_the_bounds_of_their_dtype():
    low, high = nt.lscalar("low"), nt.lscalar("high")
    for dtype, values in (("int8", (-129, 3)), ("int8", (0, 129)), ("uint8", (-1, 3)), ("bool", (0, 3)),
                          ("uint64", (-1, 3)), ("int64", (3, 3)), ("int64", (0, 0)), ("int32", (5, 2))):
        x = basic.integers(low, high, size=2, dtype=dtype, rng=shared(generator()))
        found = _errors([low, high], x, values)
        assert found[0] == found[1] and found[0] is not None, (dtype, values)
    nothing = function([low, high], basic.integers(low, high, size=0, rng=shared(generator())))
    assert nothing(5, 2).shape == (0,)


def test_lengths_that_do_not_fit_are_told_as_in_reference_mode():
    x, y, n = nt.dvector("x"), nt.dvector("y"), nt.lscalar("n")
    rng = shared(generator())
    cases = [(basic.normal(x, y, rng=rng), [x, y], (np.ones(3), np.ones(2))),
             (basic.normal(x, size=(2, n), rng=rng), [x, n], (np.ones(3), 4)),
             (basic.gengamma(x, 1.0, y, rng=rng), [x, y], (np.ones(3), np.ones(2))),
             (basic.normal(size=n, rng=rng), [n], (-1,))]
    for drawn, inputs, values in cases:
        found = _errors(inputs, drawn, values)
        assert found[0] == found[1] and found[0] is not None, drawn


# Other processes --------------------------------------------------------------------------------------------------

SCRIPT = """
import warnings
import numpy as np
from nbgraph import function, shared
from nbgraph.tensor.random import multivariate_normal, normal
import nbgraph.tensor as nt
cov = nt.dmatrix("cov")
f = function([cov], [multivariate_normal(np.zeros(2), cov, rng=shared(np.random.default_rng(7))),
                     normal(size=3, rng=shared(np.random.default_rng(7)))])
warnings.simplefilter("ignore")
print(f.cache_info().hit, f(np.eye(2)), f([[1.0, 2.0], [2.0, 1.0]]))
"""


def test_another_process_finds_the_code_and_all_that_it_refers_to(tmp_path):
    environment = {**os.environ, "NBGRAPH_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    first, second = (subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True,
                                    env=environment).stdout for _ in range(2))
    assert first.startswith("False") and second.startswith("True") and first[5:] == second[4:]


# Other modes ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("names", [NAMES[k::4] for k in range(4)], ids=range(4))
def test_debug_mode_finds_nothing_wrong(names):
    samples = [of(name)[-1] for name in names]
    rngs = [shared(generator(seed=k)) for k in range(len(samples))]
    graphs = [built(sample, rng) for sample, rng in zip(samples, rngs, strict=True)]
    f = function([v for inputs, _, _ in graphs for v in inputs], [x for _, (_, x), _ in graphs],
                 updates=[(rng, outputs[0]) for rng, (_, outputs, _) in zip(rngs, graphs, strict=True)],
                 mode="DebugMode")
    for _ in range(2):
        f(*[v for _, _, values in graphs for v in values])


def test_debug_mode_takes_generators_of_any_kind():
    rng = shared(generator("SFC64"))
    x = basic.normal(size=3, rng=rng)
    f = function([], nt.exp(x), updates=[x.update], mode="DebugMode")
    f()
    rng.set_value(generator("MT19937"))
    np.testing.assert_allclose(f(), np.exp(generator("MT19937").normal(size=3)), rtol=1e-14)


def test_a_profile_names_draws(capsys):
    x = basic.normal(size=1000, rng=shared(generator()))
    f = function([], x.sum(), profile=True)
    f()
    f.profile.summary()
    assert "normal(0, 1), sum(normal(0, 1))" in capsys.readouterr().out
