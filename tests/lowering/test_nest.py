"""Loop nests: which statements stand in which loop, how reductions run over inner, outer and mixed axes."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.dispatch.expressions import For, Keep, Store
from nbgraph.lowering.program import walk
from tests.lowering.stages import count, loops, lowered

a = nt.dscalar("a")
x, y = nt.dvectors("x", "y")
A, B = nt.dmatrices("A", "B")
F = nt.fmatrix("F")
T = nt.dtensor3("T")
k = nt.lvector("k")
rng = np.random.default_rng(5)


def kernel(*outputs):
    """The statements of the only kernel."""
    (made,) = lowered(*outputs).kernels
    return made.body


# Reductions


@pytest.mark.parametrize(("graph", "shape"), [
    # inner axes: an accumulator in each row
    (A.sum(axis=1), [["=", ["=", "combine"], "store"]]),
    (T.sum(axis=(1, 2)), [["=", [["=", "combine"]], "store"]]),
    # all axes: one accumulator, which the kernel gives back
    (A.sum(), ["=", [["=", "combine"]], "="]),
    # outer axes: rows are added up in memory, in the order in which it lies
    (A.sum(axis=0), [["store"], [["=", "combine"]]]),
    (T.sum(axis=1), [[["store"]], [[["=", "combine"]]]]),
    # outer and inner: a row's accumulator is added to memory
    (T.sum(axis=(0, 2)), [["store"], [["=", ["=", "combine"], "combine"]]]),
    # another accumulator dtype: cast at the end
    (F.sum(axis=0), [["store"], [["=", "=", "combine"]], ["store"]]),
    (F.sum(axis=1), [["=", ["=", "=", "combine"], "store"]]),
], ids=lambda value: "" if isinstance(value, list) else nbgraph.pp(value))
def test_loops_of_a_reduction(graph, shape):
    assert loops(kernel(graph)) == shape


def test_axes_of_length_one_have_no_loop():
    row, column = nt.row("row"), nt.col("column")
    assert loops(kernel(row.sum(axis=0))) == [["=", "store"]]
    assert loops(kernel(nt.exp(column) + 1)) == [["=", "=", "=", "store"]]
    assert loops(kernel((row * column).sum())) == ["=", ["=", ["=", "=", "combine"]], "="]
    one = nt.tensor("one", dtype="float64", shape=(1, 1))
    assert lowered(one.sum(), nt.exp(one)).kernels == []


def test_sums_of_float32_are_added_up_in_float64():
    body = kernel(F.sum(axis=1))
    accumulator = body[0].body[0].target
    assert accumulator.dtype == "float64"
    stores = [s for s in walk(body) if isinstance(s, Store)]
    assert stores[-1].buffer.dtype == "float32"


def test_maxima_start_below_everything():
    start = kernel(A.max(axis=1))[0].body[0]
    assert start.value.value == -np.inf
    start = kernel(nt.lmatrix("L").max(axis=1))[0].body[0]
    assert start.value.value == -2**63


def test_a_search_runs_over_the_axis_innermost():
    for axis in (0, 1):
        body = kernel(nt.argmin(A, axis=axis))
        assert loops(body) == [["=", "=", ["=", "keep"], "store"]]
        (keep,) = [s for s in walk(body) if isinstance(s, Keep)]
        assert body[0].body[2].index is keep.position


def test_a_scan_carries_one_value_from_turn_to_turn():
    body = kernel(nt.cumsum(A, axis=1))
    assert loops(body) == [["=", ["=", "=", "=", "=", "store"]]]
    (start, inner) = body[0].body
    assert start.target is inner.body[-2].target


# Statements in the loop they belong to


def test_what_does_not_depend_on_the_inner_loop_stands_outside():
    body = kernel(nt.exp(x)[:, None] * y + nt.sin(x)[:, None])
    assert loops(body) == [["=", "=", "=", ["=", "=", "=", "store"]]]
    inner = body[0].body[-1]
    assert isinstance(inner, For)
    assert count(inner.body, "exp") == count(inner.body, "sin") == 0


def test_what_depends_on_no_loop_stands_in_the_main_function():
    program = lowered(nt.exp(a) * x + nt.log(a + 1))
    assert count([s for s in program.statements if type(s).__name__ == "Assign"], "exp") == 1
    (made,) = program.kernels
    assert count(made.body, "exp") == count(made.body, "log") == 0


def test_a_gather_reads_its_index_once_a_row():
    body = kernel(A[k] * 2)
    loads = [s for s in body[0].body if type(s).__name__ == "Assign"]
    inner = body[0].body[-1]
    assert len(loads) >= 2
    assert loops(inner.body) == ["=", "=", "store"]


def test_shared_subexpressions_are_computed_once():
    wave = nt.sin(nt.exp(x))
    body = kernel(wave + 1, wave * y, wave.sum(), (wave ** 2).sum())
    assert count(body, "exp") == count(body, "sin") == 1


def test_a_value_read_at_two_places_is_computed_at_both():
    body = kernel((x * 2)[1:] - (x * 2)[:-1])
    assert count(body, "*") == 2


def test_an_element_that_is_read_twice_is_loaded_once():
    body = kernel(x * x + x, x - 1)
    assert sum(type(getattr(s, "value", None)).__name__ == "Load" for s in walk(body)) == 1


def test_scalars_of_constants_are_written_as_numbers():
    (made,) = lowered(x * 2 + nt.constant([3.0])).kernels
    assert made.scalars == made.scalars[:1]  # only the length
    assert len(made.reads) == 1


# Values: every form of nest in one function


def nests():
    """Graphs of A, B, T, F, x, y, k and a, one of each form."""
    row_weights = nt.exp(-((A[:, None, :] - B[None]) ** 2).sum(axis=2))
    return [
        A.sum(axis=0), A.sum(axis=1), A.sum(), T.sum(axis=1), T.sum(axis=(0, 2)), T.max(axis=(0, 1)), T.prod(axis=0),
        F.sum(axis=0), F.sum(axis=1), F.mean(), (F > 0).sum(axis=0), (F > 0).all(axis=1), nt.argmax(A, axis=0),
        nt.argmin(A, axis=1), nt.argmax(T), nt.cumsum(A, axis=0), nt.cumprod(T, axis=1), nt.cumsum(x),
        A[:1].sum(axis=0), nt.squeeze(A[:1]).max(), A[:, :0].sum(axis=1), A[:0].sum(axis=0), row_weights.sum(axis=1),
        row_weights.T + 1, (A.T * 2)[::-1], A[k].sum(axis=0), x[k].max(), nt.exp(x)[:, None] * y + a,
        nt.concatenate([A.T, A.T + 1]).sum(0), T.sum(axis=0, keepdims=True) + T, T.mean(axis=2).max(axis=0),
        A.sum(axis=0, dtype="float32"), F.sum(axis=1, acc_dtype="float32"), nt.abs(A - A.mean(axis=0)).max(axis=1),
        nt.dot(x, x * 2), nt.inc_subtensor(A[1:, ::2], 1.0).sum(axis=0), nt.set_subtensor(x[k], 7.0).sum(),
        nt.eye(3, 4, 1).sum(axis=0),
    ]


def expected(A, B, T, F, x, y, k, a):
    """The same with NumPy."""
    row_weights = np.exp(-((A[:, None, :] - B[None]) ** 2).sum(axis=2))
    raised, changed = A.copy(), x.copy()
    raised[1:, ::2] += 1
    changed[k] = 7
    return [
        A.sum(axis=0), A.sum(axis=1), A.sum(), T.sum(axis=1), T.sum(axis=(0, 2)), T.max(axis=(0, 1)), T.prod(axis=0),
        F.sum(axis=0), F.sum(axis=1), F.mean(), (F > 0).sum(axis=0), (F > 0).all(axis=1), A.argmax(axis=0),
        A.argmin(axis=1), T.argmax(), A.cumsum(axis=0), T.cumprod(axis=1), x.cumsum(), A[:1].sum(axis=0), A[0].max(),
        A[:, :0].sum(axis=1), A[:0].sum(axis=0), row_weights.sum(axis=1), row_weights.T + 1, (A.T * 2)[::-1],
        A[k].sum(axis=0), x[k].max(), np.exp(x)[:, None] * y + a, np.concatenate([A.T, A.T + 1]).sum(0),
        T.sum(axis=0, keepdims=True) + T, T.mean(axis=2).max(axis=0), A.sum(axis=0, dtype="float32"), F.sum(axis=1),
        np.abs(A - A.mean(axis=0)).max(axis=1), np.dot(x, x * 2), raised.sum(axis=0), changed.sum(),
        np.eye(3, 4, 1).sum(axis=0),
    ]


def test_nests_of_every_form_give_numpys_values():
    f = nbgraph.function([A, B, T, F, x, y, k, a], nests())
    for n, m, p in ((4, 5, 3), (5, 1, 1)):
        values = (rng.normal(size=(n, m)), rng.normal(size=(n + 1, m)), rng.normal(size=(p, 3, n)),
                  rng.normal(size=(m, n)).astype("float32"), rng.normal(size=n), rng.normal(size=m),
                  rng.integers(-n, n, 6), np.array(0.5))
        found = f(*values)
        for graph, result, wanted in zip(nests(), found, expected(*values), strict=True):
            assert result.dtype == wanted.dtype, nbgraph.pp(graph)
            tolerance = 1e-5 if wanted.dtype == np.float32 else 1e-13
            np.testing.assert_allclose(result, wanted, rtol=tolerance, atol=tolerance, err_msg=nbgraph.pp(graph))
