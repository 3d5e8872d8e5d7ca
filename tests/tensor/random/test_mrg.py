"""MRG31k3p against published values and big integers; MRG_RandomStream as the tutorial uses it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy import stats

import nbgraph
import nbgraph.tensor as nt
from nbgraph import function, grad
from nbgraph.errors import ArgumentError, DTypeError, GraphError, ShapeError
from nbgraph.gradient import DisconnectedType
from nbgraph.tensor.random.mrg import MRG_RandomStream, MRGUniform
from nbgraph.tensor.random.mrg_steps import (
    FIRST,
    M1,
    M2,
    SECOND,
    STREAM,
    VARIABLE,
    as_uniform,
    checked_seed,
    jumped,
    power,
    stepped,
    substreams,
)

# The first numbers of a state of six times 12345, and the matrices of jumps, as implementations of MRG31k3p print them.
FIRST_NUMBERS = [0.7353244530968368, 0.6142074400559068, 0.11007806099951267]
PUBLISHED = {
    (FIRST, STREAM, M1): ((1516919229, 758510237, 499121365), (1884998244, 1516919229, 335398200),
                          (601897748, 1884998244, 358115744)),
    (SECOND, STREAM, M2): ((1228857673, 1496414766, 954677935), (1133297478, 1407477216, 1496414766),
                           (2002613992, 1639496704, 1407477216)),
    (FIRST, VARIABLE, M1): ((1702500920, 1849582496, 1656874625), (828554832, 1702500920, 1512419905),
                            (1143731069, 828554832, 102237247)),
    (SECOND, VARIABLE, M2): ((796789021, 1464208080, 607337906), (1241679051, 1431130166, 1464208080),
                             (1401213391, 1178684362, 1431130166)),
}


def numbers(state, count: int) -> list[float]:
    """The recurrences in Python's integers, written from the paper."""
    x, y, found = [int(n) for n in state[2::-1]], [int(n) for n in state[:2:-1]], []
    for _ in range(count):
        x.append((2**22 * x[-2] + (2**7 + 1) * x[-3]) % M1)
        y.append((2**15 * y[-1] + (2**15 + 1) * y[-3]) % M2)
        z = (x[-1] - y[-1]) % M1
        found.append((z if z else M1) / (M1 + 1))
    return found


def state_after(state, steps: int) -> np.ndarray:
    """A state so many steps later, by powers of matrices of Python's integers."""
    found = []
    for matrix, modulus, part in ((FIRST, M1, state[:3]), (SECOND, M2, state[3:])):
        base, result, n = np.array(matrix, object), np.eye(3, dtype=object), steps
        while n:
            result = result @ base % modulus if n & 1 else result
            base, n = base @ base % modulus, n >> 1
        found += list(result @ np.array([int(v) for v in part], object) % modulus)
    return np.array(found, np.int64)


# The generator --------------------------------------------------------------------------------------------------------

def test_first_numbers_are_the_published_ones():
    _, z = stepped(checked_seed(12345)[None], 3)
    assert as_uniform(z, "float64").ravel().tolist() == FIRST_NUMBERS == numbers(checked_seed(12345), 3)


@pytest.mark.parametrize("case", PUBLISHED)
def test_matrices_of_jumps_are_the_published_ones(case):
    assert power(*case) == PUBLISHED[case]


@pytest.mark.parametrize("seed", [1, 12345, M2 - 1, [0, 0, 1, M2 - 1, 0, 0], [M1 - 1, M1 - 1, M1 - 1, 1, 2, 3]])
def test_numbers_are_those_of_big_integers(seed):
    state = checked_seed(seed)
    after, z = stepped(state[None], 1000)
    assert as_uniform(z, "float64").ravel().tolist() == numbers(state, 1000)
    np.testing.assert_array_equal(after[0], state_after(state, 1000))


def test_streams_begin_where_jumps_lead():
    state = checked_seed([1, 2, 3, 4, 5, 6])
    streams = substreams(state, 7)
    for k, stream in enumerate(streams):
        np.testing.assert_array_equal(stream, state_after(state, k * 2**STREAM))
    np.testing.assert_array_equal(jumped(state, VARIABLE), state_after(state, 2**VARIABLE))
    np.testing.assert_array_equal(jumped(state, 10), state_after(state, 1024))


@pytest.mark.parametrize("seed", [0, -1, M2, 1.5, [1, 2, 3], [0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0],
                                  [M1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, M2], "text"])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(ValueError, match="a seed is an integer"):
        MRG_RandomStream(seed)


def test_numbers_are_between_zero_and_one_in_single_precision():
    z = np.array([[1, M1 // 2, M1 - 1, M1]])
    for dtype in ("float32", "float64"):
        u = as_uniform(z, dtype)
        assert u.dtype == dtype and np.all((u > 0) & (u < 1))


# Streams --------------------------------------------------------------------------------------------------------------

def test_numbers_come_from_the_streams_in_turn(mode: str):
    stream = MRG_RandomStream(12345)
    f = function([], stream.uniform((2, 5), nstreams=3))
    states = substreams(checked_seed(12345), 3)
    expected = np.array([numbers(state, 8) for state in states]).T
    np.testing.assert_array_equal(f().ravel(), expected[:4].ravel()[:10])
    np.testing.assert_array_equal(f().ravel(), expected[4:].ravel()[:10])


def test_variables_begin_2_to_the_134_apart(mode: str):
    stream = MRG_RandomStream(12345)
    stream.uniform((2,))
    second = function([], stream.uniform(()))()
    assert second == numbers(state_after(checked_seed(12345), 2**VARIABLE), 1)[0]


class Graph:
    """The tutorial's two graphs with a random variable each."""

    def __init__(self, seed: int = 123) -> None:
        self.rng = MRG_RandomStream(seed)
        self.y = self.rng.uniform(size=(1,))


def copy_random_state(g1: Graph, g2: Graph) -> None:
    """As the tutorial copies it."""
    if isinstance(g1.rng, MRG_RandomStream):
        g2.rng.rstate = g1.rng.rstate
    for su1, su2 in zip(g1.rng.state_updates, g2.rng.state_updates, strict=True):
        su2[0].set_value(su1[0].get_value())


def test_random_state_is_copied_between_graphs(mode: str):
    g1, g2 = Graph(seed=123), Graph(seed=987)
    f1, f2 = function([], g1.y), function([], g2.y)
    assert f1() != f2()
    copy_random_state(g1, g2)
    assert f1() == f2()
    assert f1() == f2()


def test_seeds_give_the_same_numbers_again(mode: str):
    stream = MRG_RandomStream(5)
    f = function([], [stream.uniform((2, 2)), stream.normal((3,))])
    first, second = f(), f()
    assert not np.any(first[0] == second[0])
    stream.seed()
    for a, b in zip(first, f(), strict=True):
        np.testing.assert_array_equal(a, b)
    stream.seed(7)
    other = MRG_RandomStream(7)
    for a, b in zip(f(), function([], [other.uniform((2, 2)), other.normal((3,))])(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(stream.rstate, other.rstate)


def test_default_updates_may_be_refused_or_written_out(mode: str):
    stream = MRG_RandomStream(5)
    x = stream.uniform((2,))
    f, g = function([], x, no_default_updates=True), function([], x, updates=stream.updates())
    np.testing.assert_array_equal(f(), f())
    assert not np.any(g() == g())


def test_streams_and_functions_pickle(mode: str):
    stream = MRG_RandomStream(5)
    f = function([], stream.uniform((3,)))
    again, g = pickle.loads(pickle.dumps((stream, f)))
    np.testing.assert_array_equal(f(), g())
    np.testing.assert_array_equal(again.rstate, stream.rstate)


def test_two_draws_from_one_state_are_refused():
    states = nbgraph.shared(substreams(checked_seed(1), 2))
    with pytest.raises(GraphError, match="not independent"):
        function([], [MRGUniform("float64")(states, (2,)), MRGUniform("float64")(states, (3,))])


# Distributions --------------------------------------------------------------------------------------------------------

N = 100_000


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform_and_normal_numbers(dtype: str):
    stream = MRG_RandomStream(42)
    u, z, between, odd = function([], [stream.uniform((N,), dtype=dtype), stream.normal((N,), dtype=dtype),
                                       stream.uniform((N,), low=-1.0, high=3.0, dtype=dtype),
                                       stream.normal((3, 5), avg=2.0, std=0.5, dtype=dtype)])()
    assert {x.dtype.name for x in (u, z, between, odd)} == {dtype} and odd.shape == (3, 5)
    assert stats.kstest(u, "uniform").pvalue > 1e-4
    assert stats.kstest(z, "norm").pvalue > 1e-4
    assert stats.kstest(between, stats.uniform(-1, 4).cdf).pvalue > 1e-4
    assert abs(z.mean()) < 4 / np.sqrt(N) and abs(z.var() - 1) < 4 * np.sqrt(2 / N)
    assert abs(np.corrcoef(z[:N // 2], z[N // 2:])[0, 1]) < 4 / np.sqrt(N / 2)


def test_counts_and_choices():
    stream = MRG_RandomStream(43)
    p = np.array([[0.2, 0.8, 0.0], [0.5, 0.25, 0.25]])
    one, ten, rows, plain, weighted, taken = function([], [
        stream.binomial((N,), p=0.3), stream.binomial((N,), n=10, p=0.3, dtype="floatX"),
        stream.multinomial(n=4, pvals=np.repeat(p, 20_000, axis=0)), stream.choice((N,), a=5),
        stream.choice((N,), a=3, p=[0.2, 0.3, 0.5]), stream.choice((N,), a=np.array([2.0, 4.0, 8.0]))])()
    assert one.dtype == np.int64 and ten.dtype == np.float64 and taken.dtype == np.float64
    for x, law in ((one, stats.binom(1, 0.3)), (ten, stats.binom(10, 0.3)), (plain, stats.randint(0, 5))):
        values = np.arange(law.ppf(1e-9), law.ppf(1 - 1e-9) + 1)
        check_counts([np.sum(x == v) for v in values], law.pmf(values))
    check_counts([np.sum(weighted == k) for k in range(3)], np.array([0.2, 0.3, 0.5]))
    check_counts([np.sum(taken == v) for v in (2.0, 4.0, 8.0)], np.full(3, 1 / 3))
    assert np.all(rows.sum(axis=1) == 4) and not np.any(rows[:20_000, 2])
    check_counts(rows[:20_000, :2].sum(axis=0), p[0, :2])
    check_counts(rows[20_000:].sum(axis=0), p[1])


def check_counts(counts, p) -> None:
    """Chi-square, rare values taken together."""
    counts, expected = np.asarray(counts), np.asarray(p) * np.sum(counts)
    many = expected >= 10
    rest = expected[~many].sum()
    counts = np.append(counts[many], counts[~many].sum()) if rest else counts
    expected = np.append(expected[many], rest) if rest else expected
    assert stats.chisquare(counts, expected * counts.sum() / expected.sum()).pvalue > 1e-4


def test_symbolic_sizes_and_parameters(mode: str):
    n, size, p = nt.lscalar("n"), nt.lvector("size"), nt.dmatrix("p")
    stream = MRG_RandomStream(3)
    f = function([n, size, p], [stream.uniform((n, 2)), stream.normal(size, ndim=2), stream.binomial(p.shape, p=p),
                                stream.binomial(p=p), stream.multinomial(pvals=p), stream.choice(n, a=4)])
    for k in (0, 1, 5):
        shapes = [x.shape for x in f(k, [k, 3], np.full((2, 3), 1 / 3))]
        assert shapes == [(k, 2), (k, 3), (2, 3), (2, 3), (2, 3), (k,)]


def test_gradients_go_through_the_parameters(mode: str):
    avg, std = nt.dscalar("avg"), nt.dscalar("std")
    stream = MRG_RandomStream(3)
    x = stream.normal((4,), avg=avg, std=std)
    f = function([avg, std], [x, *grad(x.sum(), [avg, std])])
    drawn, by_avg, by_std = f(1.0, 2.0)
    assert by_avg == 4.0
    np.testing.assert_allclose(by_std, np.sum((drawn - 1.0) / 2.0), rtol=1e-12)


def test_states_have_no_gradient():
    states = nbgraph.shared(substreams(checked_seed(1), 2))
    u = MRGUniform("float64")(states, (2,))
    found = grad(u.sum(), states, disconnected_inputs="ignore", return_disconnected="disconnected")
    assert isinstance(found.type, DisconnectedType)


@pytest.mark.parametrize(("call", "error"), [
    (lambda s: s.uniform((2,), ndim=2), ShapeError), (lambda s: s.uniform((-1,)), ShapeError),
    (lambda s: s.normal((2,), dtype="int64"), DTypeError),
    (lambda s: s.binomial((2,), n=nt.lscalar("n")), ArgumentError),
    (lambda s: s.binomial((2,), n=-1), ArgumentError), (lambda s: s.multinomial(pvals=[0.5, 0.5]), ShapeError),
    (lambda s: s.choice((2,), a=3, replace=False), ArgumentError),
    (lambda s: MRGUniform("float64")(nt.dmatrix("states"), (2,)), DTypeError),
])
def test_wrong_arguments_are_refused(call, error):
    with pytest.raises(error):
        call(MRG_RandomStream(1))


def test_a_negative_length_is_refused_when_run(mode: str):
    n = nt.lscalar("n")
    with pytest.raises(ShapeError, match="negative dimensions"):
        function([n], MRG_RandomStream(1).uniform(n))(-2)
