"""Distributions whose draws are vectors, places in an array, or made of draws of others: graphs of native draws.

    MAKERS[ChoiceRV](drawn)      the draws; `drawn` is a random variable on its way (lowering.random_variables)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.dispatch.random.covariance import FAILED, GOOD, root
from nbgraph.dispatch.random.distributions import Condition, Native, above, scale_domain
from nbgraph.dispatch.random.domains import DOMAINS, LARGEST_URN, OF_ARRAYS
from nbgraph.dispatch.random.permute import LARGE, PART
from nbgraph.dispatch.warn import INDEFINITE
from nbgraph.graph.basic import Constant
from nbgraph.graph.evaluate import evaluate_all, value_of
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.traversal import graph_inputs
from nbgraph.tensor.random import choices, continuous, discrete, positive, vectors
from nbgraph.tensor.random.discrete import slack
from nbgraph.tensor.shape import static_length

_HERE = "nbgraph.dispatch.random."
_ABOVE_ONE = 1 + 1e-12  # what NumPy allows of the sum of all probabilities but the last


def _product(lengths: Sequence[Any]) -> Any:
    """The number of elements: a constant where it is known."""
    found: Any = 1
    for n in lengths:
        known = static_length(n)
        found = found * (n if known is None else known)
    return nt.as_tensor_variable(np.int64(found)) if isinstance(found, int) else found


def _rows(p: Any, ndim: int, batch: Sequence[Any]) -> Any:
    """A parameter with a row for each draw, or with one row where it is the same for all."""
    first = p.type.ndim - ndim
    own = nt.lengths_of(p)[first:]
    if all(n == 1 for n in p.type.shape[:first]):
        return nt.reshape(p, (1, *own))
    return nt.reshape(nt.broadcast_to(p, (*batch, *own)), (_product(batch), *own))


def _whole(drawn: Any, kernel: str, arguments: Sequence[Any], tests: Sequence[Any], dtype: str, op: Any = None,
           params: Sequence[Any] | None = None, lengths: Sequence[Any] | None = None,
           scratch: Sequence[Any] = (), support: int = 0) -> Any:
    """What a kernel of `rows` writes."""
    return drawn.draw(op, drawn.params if params is None else params, arguments, tests,
                      drawn.lengths if lengths is None else lengths, kernel=f"{_HERE}rows.{kernel}", gives=dtype,
                      dtype=dtype, whole=True, scratch=scratch, support=support)


def betabinom(drawn: Any) -> Any:
    """Binomial numbers whose probabilities are drawn before, all of them."""
    n, a, b = drawn.params
    chosen = drawn.numbers(Native(f"{_HERE}gamma.beta", DOMAINS["beta"]), positive.beta, (a, b), dtype="float64",
                           fits=drawn.params)
    of_arrays = n.type.ndim or chosen.type.ndim
    domain = (OF_ARRAYS if of_arrays else DOMAINS)["binomial"]
    return drawn.numbers(Native(f"{_HERE}binomial.binomial", domain, "int64"), discrete.binomial, (n, chosen),
                         names=("n", "p"))


def gengamma(drawn: Any) -> Any:
    """lambd z**(1 / p), z standard gamma of shape alpha / p"""
    alpha, p, scale = drawn.params
    named = dict(zip(("alpha", "p", "lambd"), drawn.params, strict=True))
    tests = [drawn.allowed(domain, named) for domain in (*above("alpha", "p"), *scale_domain("lambd"))]
    z = drawn.numbers(Native(f"{_HERE}gamma.standard_gamma"), positive.standard_gamma, (alpha / p,), conditions=tests,
                      dtype="float64", fits=drawn.params)
    return nt.cast(scale * z ** (1 / p), drawn.dtype)


def truncexpon(drawn: Any) -> Any:
    """loc - scale log(1 + u (exp(-b) - 1)), u uniform"""
    b, loc, scale = drawn.params
    named = dict(zip(("b", "loc", "scale"), drawn.params, strict=True))
    tests = [drawn.allowed(domain, named) for domain in (*above("b"), *scale_domain())]
    u = drawn.numbers(Native(f"{_HERE}uniform.random"), continuous.random, (), conditions=tests, dtype="float64",
                      fits=drawn.params)
    return nt.cast(loc - scale * nt.log1p(u * nt.expm1(-b)), drawn.dtype)


def integers(drawn: Any) -> Any:
    """low, ..., last, by the number of bits of the dtype."""
    op, (low, high) = drawn.op, drawn.params
    dtype = drawn.dtype if drawn.dtype[0] != "f" else "int64"
    kinds = {"bool": "booleans", "int8": "integers_8", "uint8": "integers_8", "int16": "integers_16",
             "uint16": "integers_16"}
    kernel = kinds.get(dtype, "integers")
    last = high if op.endpoint else high - 1
    least, largest = (0, 1) if dtype == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    tests = []
    if dtype not in ("int64", "uint64"):
        tests.append((high <= largest + (not op.endpoint), Condition(f"high is out of bounds for {dtype}")))
    if dtype != "int64":
        tests.insert(0, (low >= least, Condition(f"low is out of bounds for {dtype}")))
    sign, comparison = ("<", low <= high) if op.endpoint else ("<=", low < high)
    from_zero = _known_zero(low)
    of_zero, other = Condition(f"high {sign} 0"), Condition(f"low {'>' if op.endpoint else '>='} high")
    if from_zero is None:
        zero = nt.all(nt.eq(low, 0)) if low.type.ndim else nt.eq(low, 0)
        tests += [(comparison | ~zero, of_zero), (comparison | zero, other)]
    else:
        tests.append((comparison, of_zero if from_zero else other))
    around = "" if kernel == "integers" else f"{_HERE}bounded.forget_small"
    return drawn.numbers(Native(f"{_HERE}ranges.{kernel}", (), "int64", around),
                         arguments=(low, last), conditions=_unless_empty(tests, _product(drawn.lengths)))


def folded(v: Any) -> Any:
    """A variable as a constant, where it follows from constants alone: no rewriting comes after this."""
    v = nt.as_tensor_variable(v)
    if isinstance(v, Constant) or not all(isinstance(leaf, Constant) for leaf in graph_inputs([v])):
        return v
    return nt.constant(value_of(v, evaluate_all(FunctionGraph([], [v]), [])))


def always(test: Any) -> bool:
    """True where a folded condition is known to hold."""
    return isinstance(test, Constant) and bool(test.data.all())


def _known_zero(x: Any) -> bool | None:
    """Whether all of x is 0; None where that is not known before a call."""
    return not x.data.any() if isinstance(x, Constant) else None


def _unless_empty(tests: Sequence[tuple[Any, Condition]], count: Any) -> list[tuple[Any, Condition]]:
    """What must hold where there is something to draw, without what is known to."""
    known = [(folded(test), condition) for test, condition in tests]
    empty = folded(nt.eq(count, 0))
    sure = isinstance(empty, Constant) and not empty.data
    return [(test if sure else test | empty, condition) for test, condition in known if not always(test)]


def categorical(drawn: Any) -> Any:
    """Places in the cumulative probabilities, as NumPy has them."""
    (p,) = drawn.fitted()
    tests = [(nt.gt(p.shape[-1], 0), Condition("p has no probabilities")),
             (~nt.isnan(p), Condition("p contains NaN")),
             (p >= 0, Condition("p has negative probabilities")),
             (nt.abs(nt.sum(p, axis=-1) - 1) <= slack(drawn.op.of_dtype), Condition(
                 "the probabilities p do not sum to 1"))]
    return nt.cast(_whole(drawn, "categorical", (_product(drawn.lengths), _rows(p, 1, drawn.batch)), tests, "int64",
                          scratch=(("float64", (p.shape[-1],)),)), drawn.dtype)


def multinomial(drawn: Any) -> Any:
    """One binomial number after the other."""
    n, p = drawn.fitted()
    tests = [(nt.gt(p.shape[-1], 0), Condition("pvals must have at least 1 dimension and the last dimension of pvals "
                                               "must be greater than 0.")),
             ((p >= 0) & (p <= 1), Condition("pvals < 0, pvals > 1 or pvals contains NaNs")),
             (nt.sum(p[..., :-1], axis=-1) <= _ABOVE_ONE, Condition("sum(pvals[:-1]) > 1.0")),
             (n >= 0, Condition("n < 0"))]
    arguments = _product(drawn.batch), _rows(n, 0, drawn.batch), _rows(p, 1, drawn.batch)
    return nt.cast(_whole(drawn, "multinomial", arguments, tests, "int64", support=1), drawn.dtype)


def multivariate_hypergeometric(drawn: Any) -> Any:
    """One hypergeometric number after the other, or the head of a shuffle."""
    colors, sample = drawn.fitted()
    total, by_count = nt.sum(colors, axis=-1), drawn.op.method == "count"
    tests = [(sample >= 0, Condition("nsample must be nonnegative.")),
             (colors >= 0, Condition("colors must be a one-dimensional sequence of nonnegative integers not exceeding "
                                     "9223372036854775807."))]
    if not by_count:
        tests.append((total < LARGEST_URN, Condition('When method is "marginals", sum(colors) must be less than '
                                                     "1000000000.")))
    tests.insert(2, (sample <= total, Condition("nsample > sum(colors)")))
    rows = _product(drawn.batch)
    given = _rows(colors, 1, drawn.batch), _rows(sample, 0, drawn.batch)
    if by_count:
        again = nt.constant(len(drawn.batch) > 0 and (colors.type.ndim > 1 or sample.type.ndim > 0))
        room = nt.max(total) if total.type.ndim else total
        found = _whole(drawn, "multivariate_hypergeometric_count", (rows, again, *given), tests, "int64", support=1,
                       scratch=(("int64", (nt.maximum(room, np.int64(0)),)),))
    else:
        found = _whole(drawn, "multivariate_hypergeometric", (rows, *given), tests, "int64", support=1)
    return nt.cast(found, drawn.dtype)


def dirichlet(drawn: Any) -> Any:
    """Gamma numbers by their sum."""
    (alpha,) = drawn.fitted()
    arguments = _product(drawn.batch), _rows(alpha, 1, drawn.batch)
    return nt.cast(_whole(drawn, "dirichlet", arguments, [(~(alpha < 0), Condition("alpha < 0"))], "float64",
                          support=1), drawn.dtype)


def permutation(drawn: Any) -> Any:
    """Permutations of places, and what is there."""
    (x,) = drawn.params
    axis = drawn.op.axis % x.type.ndim if x.type.ndim else 0
    n = x.shape[axis] if x.type.ndim else nt.maximum(x, np.int64(0))
    size = drawn.lengths[:len(drawn.lengths) - max(x.type.ndim, 1)]
    places = _whole(drawn, "permutation", (_product(size), n), (), "int64", choices.permutation, (n,), [*size, n],
                    support=1)
    if not x.type.ndim:
        return nt.cast(places, drawn.dtype)
    taken = nt.take(x, places, axis)
    before = range(axis, axis + len(size))
    return nt.cast(nt.moveaxis(taken, tuple(before), tuple(range(len(size)))), drawn.dtype)


def choice(drawn: Any) -> Any:
    """Places, and what is there."""
    op, (a, *p) = drawn.op, drawn.params
    axis = op.axis % a.type.ndim if a.type.ndim else 0
    n = a.shape[axis] if a.type.ndim else a
    lengths = drawn.lengths[axis:len(drawn.lengths) - a.type.ndim + axis + 1] if a.type.ndim else drawn.lengths
    count = _product(lengths)
    tests = _unless_empty([(nt.gt(n, 0), Condition(
        "a cannot be empty unless no samples are taken" if a.type.ndim else
        "a must be a positive integer unless no samples are taken"))], count)
    if p:
        total = nt.sum(p[0])
        tests += [(nt.eq(p[0].shape[0], n), Condition("a and p must have same size")),
                  (~nt.isnan(total), Condition("Probabilities contain NaN")),
                  (~(p[0] < 0), Condition("Probabilities are not non-negative")),
                  (nt.abs(total - 1) <= slack(op.of_dtype), Condition(
                      "Probabilities do not sum to 1. See Notes section of docstring for more information."))]
    if not op.replace:
        tests += [(count <= n, Condition("Cannot take a larger sample than population when replace is False"))]
    if not op.replace and p:
        tests += [(nt.sum(p[0] > 0) >= count, Condition("Fewer non-zero entries in p than size"))]
    plain = choices.ChoiceRV(op.replace, 0, op.shuffle, bool(p), op.of_dtype)
    places = _places(drawn, plain, (n, *p), lengths, count, tests)
    return nt.cast(nt.take(a, places, axis) if a.type.ndim else places, drawn.dtype)


def _places(drawn: Any, op: Any, params: Sequence[Any], lengths: Sequence[Any], count: Any,
            tests: Sequence[Any]) -> Any:
    """Places in a population of params[0]."""
    n, *p = params
    if op.replace and p:
        return _whole(drawn, "categorical", (count, _rows(p[0], 1, ())), tests, "int64", op, params, lengths,
                      scratch=(("float64", (p[0].shape[0],)),))
    if op.replace:
        return drawn.numbers(Native(f"{_HERE}ranges.integers", (), "int64"), op, params,
                             (np.int64(0), n - 1), tests, "int64", lengths=lengths)
    if p:
        return _whole(drawn, "weighted_choice", (count, p[0]), tests, "int64", op, params, lengths,
                      scratch=(("float64", (2, p[0].shape[0])), ("int64", (p[0].shape[0],))))
    shuffled = nt.constant(op.shuffle)
    long = nt.gt(n, LARGE) & (count > n // PART)
    room = nt.maximum(3 * count + 2, nt.switch(long, n, np.int64(0)))
    return _whole(drawn, "choice", (count, n, shuffled), tests, "int64", op, params, lengths,
                  scratch=(("int64", (room,)),))


def multivariate_normal(drawn: Any) -> Any:
    """mean + z @ factor.T, z standard normal."""
    op, (mean, cov) = drawn.op, drawn.fitted()
    k = mean.shape[-1]
    factor, status = root(_rows(cov, 2, drawn.batch), k, op.method, op.tol, drawn.node)
    failed = {"svd": "SVD did not converge", "eigh": "Eigenvalues did not converge",
              "cholesky": "Matrix is not positive definite"}[op.method]
    tests = [(nt.lt(status, FAILED), Condition(failed))]
    if op.check_valid != "ignore" and op.method != "cholesky":  # which cannot but fail
        kind = RuntimeWarning if op.check_valid == "warn" else ValueError
        tests.append((nt.eq(status, GOOD), Condition(INDEFINITE, kind)))
    z = drawn.numbers(Native(f"{_HERE}ziggurat.standard_normal"), continuous.standard_normal, (), conditions=tests,
                      dtype="float64", spread=True)
    square = cov.shape[-2], cov.shape[-1]
    if not drawn.batch:
        product = nt.dot(nt.reshape(factor, square), z)
    elif factor.type.shape[0] == 1:
        flat = nt.reshape(z, (_product(drawn.batch), k))
        product = nt.reshape(nt.dot(flat, nt.reshape(factor, square).T), tuple(drawn.lengths))
    else:
        rows = nt.reshape(z, (_product(drawn.batch), 1, k))
        product = nt.reshape(nt.sum(factor * rows, axis=-1), tuple(drawn.lengths))
    return nt.cast(mean + product, drawn.dtype)


MAKERS: dict[type, Callable[[Any], Any]] = {
    positive.GenGammaRV: gengamma, positive.TruncExponentialRV: truncexpon, discrete.BetaBinomialRV: betabinom,
    discrete.IntegersRV: integers, discrete.CategoricalRV: categorical, vectors.MvNormalRV: multivariate_normal,
    vectors.MultinomialRV: multinomial, vectors.DirichletRV: dirichlet, choices.PermutationRV: permutation,
    vectors.MvHyperGeometricRV: multivariate_hypergeometric, choices.ChoiceRV: choice,
}
