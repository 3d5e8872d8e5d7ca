"""Loops over many like terms become equal pieces: where that is right, how few kernels, and never other results."""

from __future__ import annotations

import re

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.dispatch.expressions import Assign, Buffer, Call, Combine, For, Literal, Load, Local
from nbgraph.gradient import grad
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.lowering import fission
from nbgraph.lowering.emit import canonical_source
from nbgraph.lowering.fission import split_like_terms
from nbgraph.lowering.fusion import fuse_rows
from nbgraph.lowering.overlay import overlay
from nbgraph.lowering.program import walk
from nbgraph.lowering.schedule import REDUCTIONS, STATEMENTS
from tests.lowering.stages import leaves_of, lowered, run_as_python, staged

TERMS = 60
xs = nt.dvectors([f"x{k:03}" for k in range(TERMS)])
cs = nt.dscalars([f"c{k:03}" for k in range(TERMS)])
y, places = nt.dvector("y"), nt.lvector("places")
matrices = [nt.dmatrix(f"m{k:03}") for k in range(TERMS)]


def additive(terms=TERMS, inside=nt.tanh):
    mean = cs[0] * inside(xs[0])
    for x, c in zip(xs[1:terms], cs[1:terms], strict=True):
        mean = mean + c * inside(x)
    loss = ((y - mean) ** 2).sum()
    return [loss, *grad(loss, cs[:terms])]


def chain(steps=2 * STATEMENTS):
    w = y
    for k in range(steps):
        w = nt.sin(w) * (k % 7 + 1) + xs[k % 5]
    return [w]


def scanned():
    w = chain(60)[0]
    return [nt.cumsum(w), w, nt.cumprod(nt.tanh(w))]


def searched():
    w = chain(60)[0]
    return [nt.argmax(w), w.sum(), nt.max(w), nt.argmin(w * y)]


def irregular():
    rng = np.random.default_rng(5)
    made = list(xs)
    for _ in range(300):
        a, b = rng.choice(len(made), 2)
        inside = [nt.tanh, nt.sin, nt.sqr, nt.exp][rng.integers(4)]
        made.append(inside(made[a] * 0.1) + [1, -0.5][rng.integers(2)] * made[b])
    return [made[-1], sum(made[-40:]), made[-7].sum()]


CASES = {
    "additive": additive,
    "sums alone": lambda: [(x * y).sum() for x in xs],
    "sums of float32": lambda: [(nt.cast(x, "float32") * nt.cast(y, "float32")).sum() for x in xs],
    "largest and all": lambda: [f(x) for x in xs[:40] for f in (nt.max, lambda v: nt.all(v > -9))],
    "outputs alone": lambda: [nt.exp(x * 0.1) + y for x in xs],
    "chain": chain,
    "irregular": irregular,
    "scanned": scanned,
    "searched": searched,
    "sums of scans": lambda: [nt.cumsum(nt.tanh(x) * y) for x in xs],
    "means and variances": lambda: [f(x * y) for x in xs[:20] for f in (nt.mean, nt.var, nt.std)],
    "matrices": lambda: [sum(nt.tanh(m) for m in matrices)],
    "gathers": lambda: [sum(nt.tanh(x[places]) * c for x, c in zip(xs, cs, strict=True)),
                        *((x[places] * y[places]).sum() for x in xs[:30])],
    "every other": lambda: [sum(nt.tanh(x[::2]) * c for x, c in zip(xs, cs, strict=True))],
    "written into": lambda: [nt.set_subtensor(y[1:], sum(nt.tanh(x[1:]) for x in xs))],
    "scattered": lambda: [nt.inc_subtensor(y[places], sum(nt.tanh(x[places]) for x in xs))],
}


def values_of(inputs):
    rng = np.random.default_rng(3)
    shapes = {"c": (), "m": (3, 5)}
    made = {v.name: rng.normal(size=shapes.get(v.name[0], (7,))) for v in inputs}
    made["places"] = np.array([3, 0, 6, 6, 1, -1, 2])
    return [made[v.name] if v.ndim else made[v.name][()] for v in inputs]


def test_results_are_those_of_the_reference():
    texts, wanted = [], []
    for make in CASES.values():
        outputs = make()
        inputs = leaves_of(outputs)
        values = values_of(inputs)
        made = staged(*outputs).program
        texts.append((canonical_source(made), [*values, *(data for _, data in made.constants)]))
        wanted.append(evaluate(FunctionGraph(inputs, outputs), values))
    for name, found, right in zip(CASES, run_as_python(texts), wanted, strict=True):
        assert len(found) == len(right), found
        for one, other in zip(found, right, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-6 if "float32" in name else 1e-13, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("matrices", "scattered")])
def test_no_loop_over_vectors_is_long(name):
    made = split_like_terms(fuse_rows(overlay(lowered(*CASES[name]()))))
    for kernel in made.kernels:
        inner = [s for s in walk(kernel.body) if not isinstance(s, For)]
        assert len(inner) <= 2 * STATEMENTS
        assert sum(isinstance(s, Combine) for s in inner) <= REDUCTIONS


def texts_and_calls(outputs):
    """How many kernels are compiled, and how often one is called."""
    text = canonical_source(staged(*outputs).program)
    return text.count("@kernel"), len(re.findall(r"^    (?:.* = )?(?:fused_\d+\(|spread\(fused)", text, re.M))


@pytest.mark.parametrize(("name", "most", "least"), [
    ("additive", 5, 12), ("sums alone", 2, 7), ("outputs alone", 2, 3), ("chain", 4, 9),
])
def test_like_terms_share_kernels(name, most, least):
    kernels, calls = texts_and_calls(CASES[name]())
    assert kernels <= most
    assert calls >= least


def test_more_terms_make_no_more_kernels():
    assert texts_and_calls(additive(30))[0] == texts_and_calls(additive(60))[0]


def test_a_short_loop_stays_one():
    assert texts_and_calls(additive(6)) == (1, 1)


def test_what_reads_a_carried_value_stays_with_what_changes_it():
    i, carried, before, other = Local("i"), Local("c", "float64"), Local("b", "float64"), Local("o", "float64")
    element = Load(Buffer("x", "float64", (Literal(9),)), (i,))
    plus = [Call("+", (value, element), ("float64", "float64"), "float64") for value in (carried, before, other)]
    scan = [Assign(before, plus[0]), Assign(carried, plus[0])]
    alone = [Assign(other, plus[2])]
    assert fission._apart([scan[0], *alone, scan[1]]) == [[*scan, *alone]]
    many = [[Assign(e, plus[2])] for e in (Local("m", "float64") for _ in range(STATEMENTS))]
    pieces = fission._apart([scan[0], *(s for group in many for s in group), scan[1]])
    assert [len(piece) for piece in pieces] == [STATEMENTS, 2]
    assert pieces[0][:2] == scan
