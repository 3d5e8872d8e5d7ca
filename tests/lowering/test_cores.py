"""Kernels in pieces: which ones are cut, that results are the same bits for any number of threads, and right."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.config import config
from nbgraph.lowering.program import CallKernel
from tests.lowering.stages import leaves_of, staged, statements

x, y = nt.dvectors("x", "y")
X, Y = nt.dmatrix("X"), nt.dtensor3("Y")
i = nt.lvector("i")
N, ROWS = 300_000, 3000

IN_PIECES = {
    "elements": [nt.exp(x) * y],
    "sums and extremes": [(x * y).sum(), x.max(), nt.abs(y).min(), (x > 3).any(), (x < 9).all(), (1 + x * 1e-6).prod()],
    "stores beside a sum": [nt.log1p(nt.abs(x)), (x ** 2).sum()],
    "float32": [nt.cast(x, "float32").sum(), nt.exp(nt.cast(x, "float32"))],
    "integers": [i.sum(), (i % 7).max(), nt.cast(i, "int8").sum()],
    "complex": [nt.exp(x * 1j).sum(), nt.exp(x * 1j)],
    "gathered": [nt.exp(x[i]) + y],
    "rows": [nt.special.softmax(X, axis=1), nt.logsumexp(X, axis=1), X.sum(axis=1)],
    "rows and all of them": [X.argmax(axis=1), (X - X.mean(axis=1, keepdims=True)).std(axis=1), (X ** 2).sum()],
    "transposed": [nt.exp(X.T).sum(axis=1)],
    "added up in rows": [nt.exp(X).sum(axis=0), (X > 0).all(axis=0), nt.cast(X, "float32").sum(axis=0), X.sum()],
    "added up in matrices": [Y.sum(axis=0), Y.max(axis=(0, 2)), nt.exp(Y)],
    "written beside a border": [nt.inc_subtensor(X[1:-1], nt.exp(X[1:-1])), nt.set_subtensor(x[3:], nt.exp(x[:-3]))],
    "gradient": nbgraph.grad((nt.log1p(nt.exp(x * y))).sum(), [x, y]),
}
WHOLE = {
    "carried": [nt.cumsum(x)],
    "scattered": [nt.inc_subtensor(nt.zeros(7)[i % 7], nt.exp(x))],
    "the place of the largest": [x.argmax()],
}


def values_of(inputs):
    rng = np.random.default_rng(2)
    values = {"x": rng.normal(size=N), "y": rng.normal(size=N), "X": rng.normal(size=(ROWS, 100)),
              "Y": rng.normal(size=(ROWS, 5, 20)),
              "i": rng.integers(0, N, size=N)}
    return [values[v.name] for v in inputs]


@pytest.mark.parametrize("name", IN_PIECES)
def test_results_are_right_and_the_same_for_any_number_of_threads(name):
    outputs = IN_PIECES[name]
    inputs = leaves_of(outputs)
    f = nbgraph.function(inputs, outputs)
    program = f.stages.program
    assert any(s.pieces is not None for s in statements(program, CallKernel))
    values = values_of(inputs)
    wanted = nbgraph.function(inputs, outputs, mode="reference")(*values)
    found = []
    for threads in (1, 2, 5):
        with config.change_flags(threads=threads):
            found.append(f(*values))
    for one, *others, right in zip(*found, wanted, strict=True):
        assert all(np.array_equal(one, other) for other in others)
        tolerance = 1e-5 if right.dtype in ("float32", "complex64") else 1e-11
        np.testing.assert_allclose(one, right, rtol=tolerance, atol=tolerance)
        assert one.dtype == right.dtype


@pytest.mark.parametrize("name", WHOLE)
def test_a_loop_whose_turns_depend_on_each_other_is_whole(name):
    program = staged(*WHOLE[name]).program
    assert any(s.pieces is None for s in statements(program, CallKernel))
    inputs = leaves_of(WHOLE[name])
    values = values_of(inputs)
    f = nbgraph.function(inputs, WHOLE[name])
    (wanted,) = nbgraph.function(inputs, WHOLE[name], mode="reference")(*values)
    with config.change_flags(threads=4):
        np.testing.assert_allclose(f(*values)[0], wanted, rtol=1e-10, atol=1e-10)


def test_a_loop_of_few_known_turns_is_whole():
    v = nt.tensor("v", dtype="float64", shape=(100,))
    assert all(s.pieces is None for s in statements(staged(nt.exp(v)).program, CallKernel))


def test_the_same_function_in_many_threads():
    f = nbgraph.function([x, y], [nt.exp(x) * y, (x * y).sum()])
    values = [values_of([x, y]), [v[::-1].copy() for v in values_of([x, y])]]
    wanted = [f(*v) for v in values]
    wrong = []

    def call(k):
        for _ in range(10):
            if not all(map(np.array_equal, f(*values[k]), wanted[k])):
                wrong.append(k)

    callers = [threading.Thread(target=call, args=(k % 2,)) for k in range(5)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_process_calls_the_function():
    f = nbgraph.function([x, y], [nt.exp(x) * y, (x * y).sum()])
    values = values_of([x, y])
    wanted = float(f(*values)[1])
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=lambda: sender.send(float(f(*values)[1])))
    child.start()
    assert receiver.poll(60) and receiver.recv() == wanted
    child.join()


def test_threads_is_a_setting():
    with pytest.raises(ValueError, match=r"config.threads \(NBGRAPH_THREADS\) must be at least 1, not 0"):
        config.threads = 0
    code = ("from nbgraph.config import config, threads_cell; import ctypes\n"
            "from nbgraph.dispatch import blas; blas.register()\n"
            "library = ctypes.CDLL(blas.pointers(blas._MODULE).__file__)\n"
            "get = getattr(library, 'scipy_openblas_get_num_threads', lambda: config.threads)\n"
            "print(config.threads, threads_cell.value, get())\n"
            "config.threads = 1\n"
            "print(config.threads, threads_cell.value, get())")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env=os.environ | {"NBGRAPH_THREADS": "3"})
    assert done.stdout.split() == ["3"] * 3 + ["1"] * 3
