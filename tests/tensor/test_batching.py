"""vectorize_graph: every Op by its samples against a loop over the batch, and what cannot be batched."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import nbgraph
import nbgraph.graph
import nbgraph.graph.replace
import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, GraphError, ShapeError
from nbgraph.graph.basic import Apply
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import Op
from nbgraph.tensor.batching import UNBATCHED, rule_of, vectorize_graph
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.type import TensorType
from tests.samples import ROWS, Case, Row
from tests.samples.compare import assert_result
from tests.test_every_op import BASES, every_op_class

# What batch axes input k of n has, for all the ways in which a case is tried; 1 is a length that is known.
WAYS = {"all": lambda k: (3,), "only the first": lambda k: (3,) if k == 0 else (),
        "only the second": lambda k: (3,) if k == 1 else (), "all but the first": lambda k: () if k == 0 else (3,),
        "two axes and one": lambda k: (2, 3) if k % 2 == 0 else (3,), "one of length 1": lambda k: (1,) if k else (3,)}
# Late Ops stand in no graph that is vectorised; what they are and how they fail is said there.
NEVER = {"Foreign": "lowering makes it of nodes that are computed by Python, when no graph is built any more",
         **dict.fromkeys(("Allowed", "CovarianceRoot", "Drawing", "Fitted"),
                         "lowering makes it of random variables, as above")}


def ways_for(count: int) -> Iterator[tuple[str, list[tuple[int, ...]]]]:
    """Different batch axes for `count` inputs."""
    seen = []
    for label, axes in WAYS.items():
        found = [axes(k) for k in range(count)]
        if any(found) and found not in seen:
            seen.append(found)
            yield label, found


def variants(case: Case) -> list[tuple[np.ndarray, ...]]:
    """Six sets of values of the same shapes: those of the case, then the first one with its elements moved."""
    first = case.values[0].arrays
    found = [given.arrays for given in case.values if [a.shape for a in given.arrays] == [a.shape for a in first]]
    moved = [tuple(np.roll(a, k).reshape(a.shape) for a in first) for k in range(1, 6)]
    return [*found[:3], *moved][:6]


def batch_of(case: Case, axes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    """Arrays for the inputs, with these batch axes."""
    given = variants(case)
    arrays = []
    for k, shape in enumerate(axes):
        elements = [given[j % len(given)][k] for j in range(int(np.prod(shape, dtype=int)))]
        arrays.append(np.stack(elements).reshape((*shape, *elements[0].shape)))
    return arrays


def looped(case: Case, axes: Sequence[tuple[int, ...]], arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The results for each element of the batch, computed one by one."""
    inputs = case.inputs()
    fgraph = FunctionGraph(inputs, case.outputs(inputs))
    shape = np.broadcast_shapes(*axes)
    wide = []
    for a, own in zip(arrays, axes, strict=True):
        core = a.shape[len(own):]
        wide.append(np.broadcast_to(a.reshape(*(1,) * (len(shape) - len(own)), *own, *core), (*shape, *core)))
    results = [evaluate(fgraph, [np.array(a[place]) for a in wide]) for place in np.ndindex(*shape)]
    return [np.stack(each).reshape((*shape, *each[0].shape)) for each in zip(*results, strict=True)]


def batched(case: Case, axes: Sequence[tuple[int, ...]]) -> FunctionGraph:
    """The graph of the case for inputs with these batch axes."""
    inputs = case.inputs()
    news = [TensorType(x.type.dtype, (*(1 if n == 1 else None for n in b), *x.type.shape))()
            for x, b in zip(inputs, axes, strict=True)]
    return FunctionGraph(news, vectorize_graph(case.outputs(inputs), dict(zip(inputs, news, strict=True))))


def tried(row: Row) -> list[Case]:
    """The cases of a row; the first ones of an elementwise function, whose dtypes make no difference here."""
    return list(itertools.islice(row.cases(), 2 if isinstance(row.subjects[0], str) else None))


def has_rule(row: Row) -> bool:
    """True where an Op of the row can be batched."""
    return all(isinstance(subject, str) or rule_of(subject) is not None for subject in row.subjects)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if has_rule(row)])
def test_a_batch_is_what_a_loop_over_its_elements_gives(name: str):
    row, done = ROWS[name], 0
    for case in tried(row):
        for label, axes in ways_for(len(case.types)):
            try:
                fgraph = batched(case, axes)
            except GraphError as error:
                assert "cannot be computed for a batch" in str(error)
                continue
            done += 1
            arrays = batch_of(case, axes)
            shape = np.broadcast_shapes(*axes)
            wanted = looped(case, axes, arrays)
            for v, found, value in zip(fgraph.outputs, evaluate(fgraph, arrays), wanted, strict=True):
                # What depends on nothing that has batch axes, such as a length, has none.
                value = value[(0,) * len(shape)] if found.ndim == value.ndim - len(shape) else value
                assert_result(row, found, value, f"{name}, {case.label}, {label}")
                assert all(n is None or n == m for n, m in zip(v.type.shape, found.shape, strict=True))
    assert done or not row.cases()


def test_every_op_has_a_rule_or_a_reason():
    lacking = [cls.__name__ for cls in every_op_class() if cls.__name__ not in BASES and cls.__name__ not in NEVER
               and rule_of(cls) is None and UNBATCHED.keys().isdisjoint(cls.__mro__)]
    assert not lacking
    assert all(len(reason) >= 20 for reason in (*UNBATCHED.values(), *NEVER.values()))
    assert not [cls for cls in UNBATCHED if rule_of(cls) is not None]


class Novel(Op):
    """An Op that nobody has written a rule for."""

    __props__ = ()

    def make_node(self, x: Any) -> Apply:
        return Apply(self, [x], [x.type()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        output_storage[0][0] = inputs[0] + 1


class Kept(Elemwise):
    """A user's name for an Op of ours, which it computes as it does."""


def test_an_op_without_a_rule_is_an_error_that_says_how_to_write_one():
    x, xs = nt.dvector("x"), nt.dmatrix("xs")
    with pytest.raises(GraphError, match=r"Novel: cannot be computed for a batch: it has no rule(.|\n)*batches\(Novel"):
        vectorize_graph(nt.exp(Novel()(x)), {x: xs})
    assert rule_of(Kept) is rule_of(Elemwise) and rule_of(Novel) is None
    # What does not depend on the batch is left as it is.
    y = nt.dvector("y")
    assert vectorize_graph(Novel()(y) + x, {x: xs}).type.ndim == 2


def test_what_has_different_shapes_for_the_elements_of_a_batch_is_refused_with_the_reason():
    x, xs, n, ns = nt.dvector("x"), nt.dmatrix("xs"), nt.lscalar("n"), nt.lvector("ns")
    for z, pair, words in ((nt.nonzero(x)[0], {x: xs}, "how many elements are not zero"),
                           (nt.arange(n), {n: ns}, "lengths would differ"), (nt.zeros((n, 2)), {n: ns}, "would differ"),
                           (x[:n], {n: ns}, "slices whose bounds differ"), (x.reshape((n, 2)), {n: ns}, "would differ"),
                           (nt.eye(n), {n: ns}, "would differ")):
        with pytest.raises(GraphError, match=f"cannot be computed for a batch(.|\\n)*{words}(.|\\n)*loop over"):
            vectorize_graph(z, pair)


def test_batch_axes_of_unknown_lengths_must_be_equal():
    x, y, xs, ys = nt.dvector("x"), nt.dvector("y"), nt.dmatrix("xs"), nt.dmatrix("ys")
    expressions = [x + y, nt.dot(x, y), nt.stack([x, y]), nt.set_subtensor(x[1:], y[1:])]
    for z in expressions:
        f = nbgraph.function([xs, ys], vectorize_graph(z, {x: xs, y: ys}), mode="reference")
        assert len(f(np.ones((2, 3)), np.ones((2, 3)))) == 2
        for rows in (1, 3):
            with pytest.raises(ShapeError):
                f(np.ones((2, 3)), np.ones((rows, 3)))


def test_a_batched_index_of_a_batched_array_must_have_as_many_elements():
    x, i, xs, indices = nt.dvector("x"), nt.lscalar("i"), nt.dmatrix("xs"), nt.lvector("indices")
    f = nbgraph.function([xs, indices], vectorize_graph(x[i], {x: xs, i: indices}), mode="reference")
    np.testing.assert_array_equal(f(np.arange(6.0).reshape(2, 3), [2, -3]), [2.0, 3.0])
    with pytest.raises(ShapeError):
        f(np.ones((2, 3)), [0])


def test_an_intermediate_variable_may_be_exchanged():
    x, ys = nt.dvector("x"), nt.dmatrix("ys")
    y = nt.exp(x)
    z = vectorize_graph([nt.sum(y) + x[0], y], {y: ys})
    found = nbgraph.function([x, ys], z, mode="reference")([5.0], [[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(found[0], [8.0, 12.0])
    np.testing.assert_array_equal(found[1], [[1.0, 2.0], [3.0, 4.0]])


def test_a_length_that_broadcasts_goes_on_to_do_so():
    x, y, xs = nt.tensor("x", dtype="float64", shape=(1,)), nt.dvector("y"), nt.dmatrix("xs")
    f = nbgraph.function([xs, y], vectorize_graph(x * y, {x: xs}), mode="reference")
    np.testing.assert_array_equal(f([[2.0], [3.0]], [1.0, 10.0]), [[2.0, 20.0], [3.0, 30.0]])
    with pytest.raises(ShapeError):
        f(np.ones((2, 2)), [1.0, 10.0])


def test_a_length_of_a_batched_array_is_one_number():
    x, xs = nt.dvector("x"), nt.dmatrix("xs")
    mean = vectorize_graph(nt.sum(x) / x.shape[0], {x: xs})
    np.testing.assert_array_equal(nbgraph.function([xs], mean, mode="reference")([[1.0, 3.0], [5.0, 7.0]]), [2.0, 6.0])
    assert vectorize_graph(x.shape[0], {x: xs}).type.ndim == 0


@pytest.mark.parametrize("mode", ["reference", "FAST_RUN"])
def test_batches_of_several_axes_broadcast_as_in_numpy(mode: str):
    x, y, i = nt.dvector("x"), nt.dvector("y"), nt.lscalar("i")
    xs, ys = nt.tensor("xs", dtype="float64", shape=(None, 1, None)), nt.dmatrix("ys")
    places = nt.lmatrix("places")
    z = vectorize_graph([x[i] * nt.sum(y), nt.set_subtensor(x[i], nt.sum(y)), nt.dot(x, y)], {x: xs, y: ys, i: places})
    rng = np.random.default_rng(3)
    a, b, c = rng.normal(size=(4, 1, 3)), rng.normal(size=(5, 3)), rng.integers(-3, 3, (4, 5))
    found = nbgraph.function([xs, ys, places], z, mode=mode)(a, b, c)
    for p, q in np.ndindex(4, 5):
        row, total = a[p, 0].copy(), b[q].sum()
        np.testing.assert_allclose(found[0][p, q], row[c[p, q]] * total, rtol=1e-13)
        np.testing.assert_allclose(found[2][p, q], row @ b[q], rtol=1e-12, atol=1e-14)
        row[c[p, q]] = total
        np.testing.assert_allclose(found[1][p, q], row, rtol=1e-13)


def test_gradients_are_vectorised_with_their_blocks():
    x, xs = nt.dvector("x"), nt.dmatrix("xs")
    held = nbgraph.gradient.disconnected_grad(x)
    (gx,) = vectorize_graph([nbgraph.grad(nt.sum(x ** 2 * held), x)], {x: xs})
    values = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(nbgraph.function([xs], gx, mode="reference")(values), 2 * values ** 2)


def test_replacements_that_do_not_fit_are_refused():
    x, n, s = nt.tensor("x", dtype="float64", shape=(3,)), nt.lvector("n"), nt.dscalar("s")
    with pytest.raises(DTypeError, match=r"dtype float64 by n of dtype int64(.|\n)*astype"):
        vectorize_graph(nt.exp(x), {x: n})
    for wrong in (s, nt.tensor("y", dtype="float64", shape=(3, 2))):
        with pytest.raises(ShapeError, match="in front of the axes of the key"):
            vectorize_graph(nt.exp(x), {x: wrong})


def test_a_long_chain_is_vectorised():
    x, xs = nt.dscalar("x"), nt.dvector("xs")
    z = x
    for _ in range(20_000):
        z = nt.sin(z)
    assert vectorize_graph(z, {x: xs}).type.ndim == 1


def test_a_product_with_a_batch_is_one_product():
    a, x, xs = nt.dmatrix("a"), nt.dvector("x"), nt.dmatrix("xs")
    found = vectorize_graph([nt.dot(a, x), nt.dot(x, a)], {x: xs})
    for mode in ("reference", "FAST_RUN"):
        values, rows = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(4, 3)
        f = nbgraph.function([a, xs], found[0], mode=mode)
        np.testing.assert_array_equal(f(values, rows), rows @ values.T)
    kinds = {str(node.op) for node in FunctionGraph([a, xs], found).nodes}
    assert "dot" in kinds and "batched_dot" not in kinds


def test_users_find_it_where_they_look():
    assert nbgraph.graph.vectorize_graph is nbgraph.graph.replace.vectorize_graph is nt.vectorize_graph
