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
