"""softmax and logsumexp from their plain spellings, over axes that turn out to be empty."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.gradient import grad
from nbgraph.graph import FunctionGraph
from nbgraph.graph.evaluate import evaluate
from nbgraph.rewrites import FAST_RUN, rewrite

PLAIN = {
    "softmax": lambda xp, x, axis: xp.exp(x) / xp.sum(xp.exp(x), axis=axis, keepdims=True),
    "logsumexp": lambda xp, x, axis: xp.log(xp.sum(xp.exp(x), axis=axis)),
    "log_softmax": lambda xp, x, axis: xp.log(xp.exp(x) / xp.sum(xp.exp(x), axis=axis, keepdims=True)),
    "difference": lambda xp, x, axis: x - xp.log(xp.sum(xp.exp(x), axis=axis, keepdims=True)),
}


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "axis"), [((3, 0), 1), ((3, 0), 0), ((0, 3), 0), ((0, 0), None), ((0, 3), 1)])
def test_a_plain_spelling_over_no_elements_gives_what_numpy_gives(name, dtype, shape, axis):
    x = nt.matrix("x", dtype=dtype)
    value = np.zeros(shape, dtype)
    written = FunctionGraph([x], [PLAIN[name](nt, x, axis)])
    rewritten, report = rewrite(written, FAST_RUN)
    with np.errstate(all="ignore"):
        expected = PLAIN[name](np, value, axis)
    for graph in (written, rewritten):
        (actual,) = evaluate(graph, [value])
        np.testing.assert_array_equal(actual, expected, strict=True)
    assert any("sum_of_exp" in rule or "softmax" in rule for rule in report.by_rule)


def test_the_gradient_of_a_plain_softmax_over_no_elements_is_empty():
    x = nt.dmatrix("x")
    gradient = grad(nt.sum(PLAIN["log_softmax"](nt, x, 1)), x)
    rewritten, _ = rewrite(FunctionGraph([x], [gradient]), FAST_RUN)
    assert evaluate(rewritten, [np.zeros((3, 0))])[0].shape == (3, 0)


def test_the_largest_of_nothing_is_still_an_error_where_a_user_asks_for_it():
    x = nt.dvector("x")
    rewritten, _ = rewrite(FunctionGraph([x], [nt.max(x)]), FAST_RUN)
    with pytest.raises(ValueError, match="max of no elements"):
        evaluate(rewritten, [np.zeros(0)])


@pytest.mark.parametrize("plain", [
    lambda x, c: nt.log(nt.sum(nt.exp(-x - c), 1)), lambda x, c: nt.log(nt.sum(nt.exp(nt.log(nt.sigmoid(x)) - c))),
    lambda x, c: nt.log(nt.sum(nt.exp(-(x + c) - x), 0, keepdims=True)), lambda x, c: nt.logsumexp(x - c, 1)],
    ids=["difference", "log_sigmoid", "three terms", "logsumexp"])
def test_a_maximum_is_taken_out_once_also_where_other_rules_take_the_sum_apart(plain):
    x, c = nt.dmatrix("x"), nt.tensor("c", dtype="float64", shape=(1, 1))
    before = FunctionGraph([x, c], [plain(x, c)])
    rewritten, _ = rewrite(before, FAST_RUN)
    assert sum(str(node.op).startswith("max{") for node in rewritten.nodes) == 1
    values = [np.random.default_rng(3).normal(size=(3, 4)), np.full((1, 1), 0.5)]
    np.testing.assert_allclose(evaluate(rewritten, values)[0], evaluate(before, values)[0], rtol=1e-12)
