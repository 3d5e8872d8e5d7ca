"""Row fusion: loops over the same rows become one, their temporaries a row; and where they must not, they do not."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.dispatch.expressions import For
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.lowering.emit import canonical_source
from nbgraph.lowering.program import Allocate, CallKernel
from tests.lowering.stages import leaves_of, run_as_python, staged, statements

X, Y, W = nt.dmatrices("X", "Y", "W")
v = nt.dvector("v")
i = nt.lvector("i")
Z = nt.dtensor3("Z")
centred = X - X.mean(axis=1, keepdims=True)

# Outputs; how many kernels, how many arrays of more than one axis besides the outputs, how many rows.
FUSED = {
    "softmax": ([nt.special.softmax(X, axis=1)], 1, 0, 1),
    "log_softmax": ([nt.special.log_softmax(X, axis=1)], 1, 0, 0),
    "logsumexp": ([nt.logsumexp(X, axis=1)], 1, 0, 0),
    "normalised rows": ([centred / X.std(axis=1, keepdims=True)], 1, 0, 0),
    "rows of unit length": ([X / nt.sqrt((X ** 2).sum(axis=1, keepdims=True))], 1, 0, 0),
    "attention weights": ([nt.special.softmax(X * v, axis=1), (X * v).sum()], 1, 0, 1),
    "two axes inside": ([Z - Z.max(axis=(1, 2), keepdims=True)], 1, 0, 0),
    "a chain of two normalisations": ([nt.exp(centred - centred.max(axis=1, keepdims=True))], 1, 0, 0),
}
# A row needs other rows, or other lengths: how many kernels there stay.
APART = {
    "columns summed over all rows": ([X - X.sum(axis=0)], 3),  # the sum is two: of pieces, and of all
    "the whole sum": ([X / X.sum()], 2),
    "other rows": ([nt.exp(X.sum(axis=1))[::-1][:, None] * X], 2),
    "gathered rows": ([nt.exp(X.sum(axis=1))[i][:, None] * Y[i]], 2),
    "rows of other lengths": ([nt.exp(X.sum(axis=1)), nt.exp(Y.sum(axis=1))], 2),
    "summed over the rows before": ([nt.cumsum(nt.exp(X.sum(axis=1)))[:, None] * X.sum()], 2),
}


@pytest.mark.parametrize("name", FUSED)
def test_loops_over_the_same_rows_are_one(name):
    outputs, kernels, arrays, rows = FUSED[name]
    program = staged(*outputs).program
    assert len(program.kernels) == kernels
    axes = [len([d for d in s.buffer.dims if str(d) != "pieces"]) for s in statements(program, Allocate)
            if s.buffer not in program.outputs]
    assert (sum(n > 1 for n in axes), sum(n == 1 for n in axes)) == (arrays, rows)


@pytest.mark.parametrize("name", APART)
def test_loops_stay_apart_where_a_row_needs_another_one(name):
    outputs, kernels = APART[name]
    assert len(staged(*outputs).program.kernels) == kernels


@pytest.mark.parametrize("shape", [(4, 3), (1, 1), (3, 1), (0, 3)])
def test_values_are_those_of_reference_mode(shape):
    rng = np.random.default_rng(5)
    values = {"X": rng.normal(size=shape), "Y": rng.normal(size=shape), "v": rng.normal(size=shape[1]),
              "Z": rng.normal(size=(*shape, 2)), "i": np.arange(shape[0])[::-1].copy()}
    cases, expected = [], []
    for outputs, *_ in (*FUSED.values(), *APART.values()):
        inputs = leaves_of(outputs)
        arguments = [values[x.name] for x in inputs]
        expected.append(evaluate(FunctionGraph(inputs, outputs), arguments))
        program = staged(*outputs).program
        cases.append((canonical_source(program), [*arguments, *(data for _, data in program.constants)]))
    for name, results, wanted in zip((*FUSED, *APART), run_as_python(cases), expected, strict=True):
        assert len(results) == len(wanted)
        for result, one in zip(results, wanted, strict=True):
            np.testing.assert_allclose(result, one, rtol=1e-13, atol=1e-13, err_msg=name)


def test_inner_loops_over_the_same_length_are_joined():
    """What a row leaves for the next loop over it is a scalar where that loop runs in step."""
    (kernel,) = staged(nt.exp(X - X.max(axis=1, keepdims=True)), (X * W).sum(axis=1)).program.kernels
    (outer,) = [s for s in kernel.body if isinstance(s, For)]
    assert sum(isinstance(s, For) for s in outer.body) == 2


@pytest.mark.parametrize("at", [nt.cast(v * 2, "int64"), nt.cast(nt.exp(v), "int64") + i])
def test_no_loop_reads_at_an_index_before_that_is_checked(at):
    source = nt.dvector("source")
    for outputs in ([source[at]], [nt.exp(source[at]).sum(), at.sum()], [at.sum(), source[at], at]):
        statements = staged(*outputs).program.statements
        checked = [k for k, s in enumerate(statements) if getattr(s, "array", None) is not None]
        read = [k for k, s in enumerate(statements) if isinstance(s, CallKernel)
                and any(b.hint == "source" for b in s.kernel.reads)]
        assert checked and read and max(checked) < min(read)


def test_many_rows_of_statements_are_not_one_loop():
    """A kernel has room for so many statements, however many loops could be fused."""
    rows = X
    for _ in range(60):
        rows = nt.exp(rows - nt.sin(rows).sum(axis=1, keepdims=True)) + W * nt.cos(rows)
    program = staged(rows).program
    assert len(program.kernels) >= 2
    assert all(len(str(kernel).splitlines()) < 700 for kernel in program.kernels)
