"""The pass list on whole graphs: stability at the edges, gradients of plainly spelled losses, the report."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.config import config
from nbgraph.errors import ShapeError
from nbgraph.gradient import grad
from nbgraph.graph import FunctionGraph
from nbgraph.graph.evaluate import evaluate
from nbgraph.rewrites import FAST_COMPILE, FAST_RUN, rewrite
from nbgraph.tensor.linear_forms import Gemm, Gemv

INF, NAN = np.inf, np.nan


def _compiled(inputs, outputs):
    with config.change_flags(verify=True):
        after, _ = rewrite(FunctionGraph(inputs, outputs), FAST_RUN)

    def call(*values):
        with np.errstate(all="ignore"):
            return evaluate(after, [np.asarray(v) for v in values])
    call.names = [str(node.op) for node in after.nodes]
    return call


z, y, x = nt.dvector("z"), nt.dvector("y"), nt.dmatrix("x")
EDGES = np.array([-INF, -1000.0, -40.0, -1e-20, 0.0, 1e-20, 40.0, 1000.0, INF])


@pytest.mark.parametrize(("expression", "name"), [
    (1 / (1 + nt.exp(-z)), "sigmoid"), (nt.exp(z) / (1 + nt.exp(z)), "sigmoid"), ((1 + nt.exp(-z)) ** -1, "sigmoid"),
    (1 - 1 / (1 + nt.exp(z)), "sigmoid"), (nt.log(1 + nt.exp(z)), "softplus"),
    (-nt.log(1 - 1 / (1 + nt.exp(-z))), "softplus"), (-nt.log(nt.sigmoid(-z)), "softplus"),
    (nt.log(1 + z), "log1p"), (nt.exp(z) - 1, "expm1"), (nt.log(1 - nt.exp(z)), "log1mexp"),
    (nt.log(-nt.expm1(z)), "log1mexp"), (1 - nt.erf(z), "erfc")])
def test_a_plain_spelling_becomes_the_stable_function(expression, name):
    call, reference = _compiled([z], [expression]), FunctionGraph([z], [getattr(nt, name)(z)])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(call(EDGES)[0], evaluate(reference, [EDGES])[0], rtol=1e-15)
    assert set(call.names) <= {name, "neg"}


def test_the_gradient_of_the_plain_logistic_loss_is_finite_and_right():
    p = 1 / (1 + nt.exp(-z))
    loss = -y * nt.log(p) - (1 - y) * nt.log(1 - p)
    call = _compiled([z, y], [loss, grad(nt.sum(loss), z)])
    points = np.array([-1000.0, -750.0, -36.0, -1.0, 0.0, 2.0, 40.0, 720.0, 1000.0])
    for label in (0.0, 1.0, 0.25):
        values, gradient = call(points, np.full(9, label))
        exact = np.exp(-np.logaddexp(0, -points)) - label
        np.testing.assert_allclose(values, np.logaddexp(0, points) - label * points, rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(gradient, exact, rtol=1e-13, atol=1e-13)


PROBABILITIES = {
    "sigmoid": nt.sigmoid(z), "1 / (1 + exp(-z))": 1 / (1 + nt.exp(-z)), "1 / (exp(-z) + 1)": 1 / (nt.exp(-z) + 1),
    "exp(z) / (1 + exp(z))": nt.exp(z) / (1 + nt.exp(z)), "(1 + exp(-z)) ** -1": (1 + nt.exp(-z)) ** -1,
    "1 - 1 / (1 + exp(z))": 1 - 1 / (1 + nt.exp(z)), "reciprocal": nt.reciprocal(1 + nt.exp(-z))}
LOSSES = {
    "each negative": lambda p: -y * nt.log(p) - (1 - y) * nt.log(1 - p),
    "negative sum": lambda p: -(y * nt.log(p) + (1 - y) * nt.log(1 - p)),
    "factors exchanged": lambda p: -nt.log(p) * y - nt.log(1 - p) * (1 - y),
    "turned difference": lambda p: -y * nt.log(p) + (y - 1) * nt.log(1 - p),
    "log1p": lambda p: -y * nt.log(p) - (1 - y) * nt.log1p(-p)}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("probability", PROBABILITIES)
def test_every_plain_spelling_of_the_logistic_loss_has_a_finite_gradient(probability, loss):
    values = LOSSES[loss](PROBABILITIES[probability])
    call = _compiled([z, y], [values, grad(nt.mean(values), z)])
    points = np.array([-1000.0, -300.0, -36.0, -1.0, 0.0, 2.0, 40.0, 300.0, 1000.0])
    for label in (0.0, 1.0, 0.25):
        found, gradient = call(points, np.full(9, label))
        np.testing.assert_allclose(found, np.logaddexp(0, points) - label * points, rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(gradient, (np.exp(-np.logaddexp(0, -points)) - label) / 9, rtol=1e-13, atol=1e-13)


def test_the_gradient_of_the_logistic_loss_with_a_linear_model_is_finite():
    w, b = nt.dvector("w"), nt.dscalar("b")
    p = 1 / (1 + nt.exp(-nt.dot(x, w) - b))
    loss = -y * nt.log(p) - (1 - y) * nt.log(1 - p)
    cost = loss.mean() + 0.01 * (w ** 2).sum()
    gw, gb = grad(cost, [w, b])
    call = _compiled([x, y, w, b], [p > 0.5, loss, w - 0.1 * gw, b - 0.1 * gb])
    rows = np.array([[1e3, 0.0], [-1e3, 1.0], [0.5, 2.0]])
    labels, weights = np.array([0.0, 1.0, 1.0]), np.array([1.0, 0.5])
    margin = rows @ weights + 0.25
    residual = (np.exp(-np.logaddexp(0, -margin)) - labels) / 3
    prediction, losses, new_w, new_b = call(rows, labels, weights, 0.25)
    np.testing.assert_array_equal(prediction, margin > 0)
    np.testing.assert_allclose(losses, np.logaddexp(0, margin) - labels * margin, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(new_w, weights - 0.1 * (rows.T @ residual + 0.02 * weights), rtol=1e-12)
    np.testing.assert_allclose(new_b, 0.25 - 0.1 * residual.sum(), rtol=1e-12)


def test_what_autodiff_leaves_over_vanishes_from_the_logistic_step():
    w, b = nt.dvector("w"), nt.dscalar("b")
    p = 1 / (1 + nt.exp(-nt.dot(x, w) - b))
    loss = -y * nt.log(p) - (1 - y) * nt.log(1 - p)
    gw, gb = grad(loss.mean() + 0.01 * (w ** 2).sum(), [w, b])
    call = _compiled([x, y, w, b], [p > 0.5, loss, w - 0.1 * gw, b - 0.1 * gb])
    assert call.names.count("dot") + call.names.count("gemv") == 2
    assert not {"broadcast_to", "switch", "exp", "log", "conj", "cast_bool", "power"} & set(call.names)
    assert len(call.names) <= 28


ROWS = np.array([[1.0, 2.0, 3.0], [1000.0, 0.0, 999.0], [-1000.0, -1001.0, -1000.0], [-INF, 0.0, 1.0]])


def _logsumexp(rows):
    return np.logaddexp.reduce(rows, axis=1)


@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp_from_its_plain_spelling(keepdims):
    call = _compiled([x], [nt.log(nt.sum(nt.exp(x), 1, keepdims=keepdims))])
    rows = np.vstack([ROWS, [[-INF, -INF, -INF], [INF, 1.0, -INF], [NAN, 1.0, 2.0]]])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(call(rows)[0].ravel(), _logsumexp(rows), rtol=1e-15)


def test_log_softmax_and_softmax_from_their_plain_spelling():
    e = nt.exp(x)
    p = e / nt.sum(e, 1, keepdims=True)
    call = _compiled([x], [p, nt.log(p), x - nt.log(nt.sum(e, 1, keepdims=True))])
    softmax, log_softmax, difference = call(ROWS)
    exact = ROWS - _logsumexp(ROWS)[:, None]
    np.testing.assert_allclose(softmax, np.exp(exact), rtol=1e-13)
    np.testing.assert_allclose(log_softmax, exact, rtol=1e-13)
    np.testing.assert_allclose(difference, exact, rtol=1e-13)


def test_a_large_offset_does_not_eat_the_digits_of_log_softmax():
    call = _compiled([x], [x - nt.log(nt.sum(nt.exp(x), 1, keepdims=True))])
    (result,) = call(np.array([[1e9, 1e9 + 1]]))
    np.testing.assert_allclose(result, [[-1.3132616875182228, -0.3132616875182228]], rtol=1e-12)


def test_the_gradient_of_plain_logsumexp_is_the_softmax_also_where_exp_overflows():
    call = _compiled([x], [grad(nt.sum(nt.log(nt.sum(nt.exp(x), 1))), x)])
    finite = ROWS[:3]
    np.testing.assert_allclose(call(finite)[0], np.exp(finite - _logsumexp(finite)[:, None]), rtol=1e-13, atol=1e-300)


def test_the_gradient_of_the_plain_cross_entropy_is_finite_where_the_softmax_underflows():
    e = nt.exp(x)
    p = e / nt.sum(e, 1, keepdims=True)
    labels = nt.lvector("labels")
    rows = nt.arange(labels.shape[0])
    call = _compiled([x, labels], [grad(-nt.sum(nt.log(p)[rows, labels]), x)])
    finite, chosen = ROWS[:3], np.array([0, 1, 2])
    exact = np.exp(finite - _logsumexp(finite)[:, None])
    exact[np.arange(3), chosen] -= 1
    np.testing.assert_allclose(call(finite, chosen)[0], exact, rtol=1e-12, atol=1e-300)


def test_float32_stays_float32():
    f = nt.fmatrix("f")
    call = _compiled([f], [nt.log(nt.sum(nt.exp(f), 1)), 1 / (1 + nt.exp(-f)), nt.log(1 + f), f ** 2 + 2 * (3 * f)])
    rows = np.array([[100.0, 99.0]], "float32")
    results = call(rows)
    assert [r.dtype for r in results] == ["float32"] * 4
    np.testing.assert_allclose(results[0], [100.31326], rtol=1e-6)


def test_a_product_added_to_an_output_becomes_a_library_form():
    c, a, w, v = nt.dmatrix("c"), nt.dmatrix("a"), nt.dvector("w"), nt.dvector("v")
    fgraph = FunctionGraph([c, a, w, v], [c - 0.5 * nt.dot(a, c), w + nt.dot(v, a)])
    after, report = rewrite(fgraph, FAST_RUN)
    assert [type(node.op) for node in after.nodes if isinstance(node.op, (Gemm, Gemv))] == [Gemm, Gemv]
    rng = np.random.default_rng(0)
    values = [rng.standard_normal(s) for s in ((3, 3), (3, 3), (3,), (3,))]
    for one, other in zip(evaluate(fgraph, values), evaluate(after, values), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)
    assert report.by_rule["product_added"] == 2


def test_a_sum_that_a_loop_reads_is_left_to_the_loop():
    after, _ = rewrite(FunctionGraph([x, y, z], [nt.tanh(nt.dot(x, y) + z)]), FAST_RUN)
    assert [str(node.op) for node in after.nodes] == ["dot", "add", "tanh"]


def test_the_report_is_a_table_of_passes():
    fgraph = FunctionGraph([z], [nt.log(1 + z) * 1])
    _, report = rewrite(fgraph, FAST_RUN)
    lines = str(report).splitlines()
    assert [row.name for row in report.rows] == [step.name for step in FAST_RUN]
    assert len(lines) == 1 + len(FAST_RUN) and "log_of_one_plus 1" in str(report) and "times_one 1" in str(report)
    assert report.rows[0].nodes_before == 3 and report.rows[-1].nodes_after == 1
    assert all(row.ms >= 0 for row in report.rows)


def test_the_fast_list_leaves_arithmetic_alone():
    fgraph = FunctionGraph([x], [nt.log(1 + x.T.T)])
    after, _ = rewrite(fgraph, FAST_COMPILE)
    assert [str(node.op) for node in after.nodes] == ["add", "log"]


def test_no_passes_change_nothing():
    fgraph = FunctionGraph([z], [z * 1])
    after, report = rewrite(fgraph, ())
    assert after is fgraph and report.rows == ()


@pytest.mark.parametrize("build", [lambda v: (v - 1) + 1, lambda v: (v + 1) - 1, lambda v: 1 + (v - 1),
                                   lambda v: 1 - (1 - v), lambda v: (v + 0.1) + 0.2, lambda v: (v * 0.1) * 10,
                                   lambda v: (v / 3) * 3, lambda v: 5 * (3 * v), lambda v: (2 / (v + 1)) * 3,
                                   lambda v: nt.sigmoid((v + 1e17) - 1e17) * nt.exp(-v)])
def test_floats_are_not_associated_anew(build):
    v = nt.dvector("v")
    before = FunctionGraph([v], [build(v)])
    after, _ = rewrite(before, FAST_RUN)
    value = np.array([1e-17, 0.1, 1.0, 7.3, 1e-320, 3e300, np.nan])
    np.testing.assert_array_equal(evaluate(after, [value])[0], evaluate(before, [value])[0])


def test_constants_join_where_one_is_a_power_of_two_and_nothing_else_is_rounded():
    v = nt.dvector("v")
    value = np.random.default_rng(3).standard_normal(1000)
    for build, nodes in ((lambda v: 2 * (0.3 * v), 1), (lambda v: 0.5 * (v / 3), 1), (lambda v: -(v / 3), 1),
                         (lambda v: 0.5 * (2 * v), 0), (lambda v: 4 * (0.3 / v), 1), (lambda v: (v * 0.25) / 0.7, 1)):
        before = FunctionGraph([v], [build(v)])
        after, _ = rewrite(before, FAST_RUN)
        assert len(after) == nodes
        np.testing.assert_array_equal(evaluate(after, [value])[0], evaluate(before, [value])[0])


def test_a_sum_of_a_constant_over_a_length_that_is_negative_stays_an_error():
    n = nt.lscalar("n")
    after, _ = rewrite(FunctionGraph([n], [nt.sum(nt.ones((n,)))]), FAST_RUN)
    with pytest.raises(ShapeError, match="a length is negative"):
        evaluate(after, [np.array(-1)])
