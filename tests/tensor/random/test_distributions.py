"""Every distribution against NumPy's generator: its bits in every mode, shapes, lengths, errors, the state after."""

from __future__ import annotations

import inspect
import pickle

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import Op
from nbgraph.tensor.random import basic
from nbgraph.tensor.random.op import RandomVariable
from nbgraph.tensor.random.type import same_state
from tests.tensor.random.samples import ALL, NAMES, OURS, Sample

# Bases that are never applied themselves.
BASES = {"LocationScale", "ScaleFamily", "DiscreteRV", "_FromArray"}
DISTRIBUTIONS = {name: getattr(basic, name) for name in basic.__all__ if isinstance(getattr(basic, name), Op)}
EVERY = pytest.mark.parametrize("name", NAMES)


# Functions of NumPy's draws, which compiled code rounds in its own way.
OF_FUNCTIONS = ("gengamma", "truncexpon")


def built(sample: Sample, rng) -> tuple[list, list, list]:
    """(inputs for the parameters, (next state, draws), the values of the inputs)."""
    op = DISTRIBUTIONS[sample.name]
    inputs, values, params = [], [], []
    for p in sample.params:
        if p is None or sample.name in ("choice", "permutation"):
            params.append(p)
            continue
        array = np.asarray(p)
        params.append(nt.TensorType(array.dtype, [1 if n == 1 else None for n in array.shape])())
        inputs.append(params[-1])
        values.append(array)
    outputs = op(*params, size=sample.size, dtype=sample.dtype, rng=rng, return_next_rng=True, **sample.options)
    return inputs, list(outputs), values


def of(name: str) -> list[Sample]:
    """The samples of a distribution."""
    return [sample for sample in ALL if sample.name == name]


@EVERY
def test_draws_have_numpys_bits(name: str, mode: str):
    samples = of(name)
    rngs = [nbgraph.shared(np.random.default_rng(k)) for k in range(len(samples))]
    graphs = [built(sample, rng) for sample, rng in zip(samples, rngs, strict=True)]
    function = nbgraph.function([v for inputs, _, _ in graphs for v in inputs], [x for _, (_, x), _ in graphs],
                                updates=[(rng, outputs[0]) for rng, (_, outputs, _) in zip(rngs, graphs, strict=True)],
                                allow_python=False)
    expected = [np.random.default_rng(k) for k in range(len(samples))]
    arguments = [v for _, _, values in graphs for v in values]
    for _ in range(2):
        results = function(*arguments)
        for sample, result, generator, rng, (_, (_, x), _) in zip(samples, results, expected, rngs, graphs,
                                                                 strict=True):
            wanted = sample.numpys(generator)
            assert isinstance(result, np.ndarray) and result.dtype == wanted.dtype == x.dtype, sample.label()
            if name in OF_FUNCTIONS and mode != "reference":
                np.testing.assert_array_max_ulp(result, wanted, 4)
            else:
                np.testing.assert_array_equal(result, wanted, err_msg=sample.label())
            assert result.shape == wanted.shape
            assert all(n in (None, m) for n, m in zip(x.type.shape, result.shape, strict=True)), sample.label()
            assert same_state(rng.get_value(), generator), sample.label()


@EVERY
def test_lengths_are_those_of_the_draws_without_drawing(name: str):
    for sample in of(name):
        inputs, (_, x), values = built(sample, nt.random.random_generator_type())
        (_, shape) = x.owner.op.infer_shape(None, x.owner, [tuple(nt.lengths_of(v)) if hasattr(v.type, "ndim") else ()
                                                            for v in x.owner.inputs])
        graph = FunctionGraph(inputs, [nt.as_tensor_variable(n) for n in shape])
        assert not any(isinstance(node.op, RandomVariable) for node in graph.nodes)
        found = tuple(int(n) for n in evaluate(graph, values))
        assert found == sample.numpys(np.random.default_rng(0)).shape, sample.label()


@EVERY
def test_graphs_of_draws_pickle_and_build_again(name: str):
    for sample in of(name):
        rng = nbgraph.shared(np.random.default_rng(3))
        inputs, (_, x), values = built(sample, rng)
        again, result = pickle.loads(pickle.dumps((inputs, x)))
        assert result.owner.op == x.owner.op and hash(result.owner.op) == hash(x.owner.op)
        assert result.type == x.type and str(result.owner.op) == str(x.owner.op)
        rebuilt = x.owner.op.make_node(*x.owner.inputs)
        assert [v.type for v in rebuilt.outputs] == [v.type for v in x.owner.outputs], sample.label()
        drawn = nbgraph.function(again, result, mode="reference")(*values)
        np.testing.assert_array_equal(drawn, sample.numpys(np.random.default_rng(3)))


@EVERY
def test_signatures_begin_as_numpys(name: str):
    ours = inspect.signature(DISTRIBUTIONS[name]).parameters
    assert list(ours)[-3:] == ["name", "rng", "return_next_rng"] or list(ours)[-1] == "options"
    assert DISTRIBUTIONS[name].__doc__.count("Parameters\n") == 1
    if name in OURS and name != "permutation":
        return
    theirs = [p for p in inspect.signature(getattr(np.random.Generator(np.random.PCG64(0)), name)).parameters.values()
              if p.name not in ("out", "method", "size", "dtype")]
    if name == "permutation":
        theirs = theirs[:1]  # its axis has a default, and size comes after it
    for wanted in theirs:
        assert wanted.name in ours, f"{name} has no {wanted.name}"
        if wanted.default is not inspect.Parameter.empty and name not in ("multivariate_normal", "integers"):
            assert ours[wanted.name].default == wanted.default
    positional = [p for p in ours.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert [p.name for p in positional[:len(theirs)]][:1] == [p.name for p in theirs][:1] or not theirs


def test_every_distribution_has_samples():
    assert set(DISTRIBUTIONS) == set(NAMES)
    assert set(OURS) <= set(NAMES)


def test_every_op_is_a_distribution_or_a_base():
    pending, found = [RandomVariable], set()
    while pending:
        below = [cls for cls in pending.pop().__subclasses__() if cls.__module__.startswith("nbgraph.")]
        found |= set(below)
        pending += below
    sampled = {type(op) for op in DISTRIBUTIONS.values()}
    assert {cls.__name__ for cls in found - sampled} == BASES


# What must be refused -------------------------------------------------------------------------------------------------

REFUSED = {
    "normal": ((0.0, -1.0), "scale < 0"), "laplace": ((0.0, -1.0), "scale < 0"), "logistic": ((0.0, -1.0), "scale < 0"),
    "gumbel": ((0.0, -1.0), "scale < 0"), "lognormal": ((0.0, -1.0), "sigma < 0"),
    "halfnormal": ((0.0, -1.0), "scale < 0"), "cauchy": ((0.0, -1.0), "scale < 0"),
    "halfcauchy": ((0.0, -1.0), "scale < 0"), "t": ((-1.0, 0.0, 1.0), "df <= 0"), "standard_t": ((0.0,), "df <= 0"),
    "triangular": ((1.0, 0.0, 2.0), "left > mode"), "vonmises": ((0.0, -1.0), "kappa < 0"),
    "exponential": ((-1.0,), "scale < 0"), "gamma": ((-1.0, 1.0), "shape < 0"),
    "standard_gamma": ((-1.0,), "shape < 0"), "invgamma": ((0.0, 1.0), "shape <= 0"),
    "gengamma": ((1.0, 0.0, 1.0), "p <= 0"), "chisquare": ((0.0,), "df <= 0"),
    "noncentral_chisquare": ((1.0, -1.0), "nonc < 0"), "f": ((1.0, 0.0), "dfden <= 0"),
    "noncentral_f": ((1.0, 1.0, -1.0), "nonc < 0"), "beta": ((0.0, 1.0), "a <= 0"), "weibull": ((-1.0,), "a < 0"),
    "pareto": ((0.0,), "a <= 0"), "power": ((0.0,), "a <= 0"), "rayleigh": ((-1.0,), "scale < 0"),
    "wald": ((0.0, 1.0), "mean <= 0"), "truncexpon": ((0.0, 0.0, 1.0), "b <= 0"), "bernoulli": ((1.5,), "p > 1"),
    "binomial": ((5, 1.5), "p < 0, p > 1 or p is NaN"), "negative_binomial": ((1.0, 0.0), "p <= 0"),
    "nbinom": ((-1.0, 0.5), "n <= 0"), "betabinom": ((-1, 1.0, 1.0), "n < 0"), "geometric": ((0.0,), "p <= 0"),
    "hypergeometric": ((3, 2, 9), "nsample"), "multivariate_hypergeometric": (([3, 2], 9), "nsample"),
    "poisson": ((-1.0,), "lam < 0"), "logseries": ((1.0,), "p >= 1"),
    "zipf": ((1.0,), "a <= 1"), "integers": ((3, 3), "low >= high"), "randint": ((3, 3), "low >= high"),
    "uniform": ((0.0, np.inf), "bounds|range"), "categorical": (([0.5, 0.6],), "sum to 1"),
    "dirichlet": (([1.0, -1.0],), "alpha < 0"), "multinomial": ((3, [0.8, 0.9, 0.1]), "pvals"),
    "choice": ((0,), "a must be|a cannot be empty"),
    "multivariate_normal": (([0.0], [[1.0, 0.0], [0.0, 1.0]]), "same length"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_parameters_raise_what_numpy_raises_and_name_the_line(name: str):
    params, words = REFUSED[name]
    rng = nbgraph.shared(np.random.default_rng(1), "rng")
    next_rng, x = DISTRIBUTIONS[name](*params, size=2, rng=rng, return_next_rng=True)  # the line
    function = nbgraph.function([], x, updates=[(rng, next_rng)], mode="reference")
    with pytest.raises(OverflowError if name == "uniform" else ValueError, match=words) as caught:
        function()
    assert "test_distributions.py" in str(caught.value) and "# the line" in str(caught.value)
    assert same_state(rng.get_value(), np.random.default_rng(1))


def test_every_distribution_with_parameters_refuses_some():
    assert set(DISTRIBUTIONS) - set(REFUSED) == {"random", "standard_normal", "standard_cauchy", "standard_exponential",
                                                 "permutation"}


def test_compiled_functions_refuse_with_the_same_words(mode: str):
    rng = nbgraph.shared(np.random.default_rng(1), "rng")
    scale = nt.dscalar("scale")
    x = basic.normal(0.0, scale, rng=rng)
    with pytest.raises(ValueError, match="scale < 0") as caught:
        nbgraph.function([scale], x)(-1.0)
    assert str(caught.value).startswith("normal: scale < 0\n") and "test_distributions.py" in str(caught.value)
