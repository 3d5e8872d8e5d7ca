"""A call that fails in the middle changes nothing, whatever fails; calls from many threads lose and corrupt nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph import In, function, shared
from nbgraph.compile.container import Container
from nbgraph.graph.basic import Apply
from nbgraph.graph.generic_type import Generic
from nbgraph.graph.op import Op

THREADS, CALLS = 8, 10_000


class RaisesAt(Op):
    """x, but an error where its first element is `bad`."""

    __props__ = ("bad",)

    def __init__(self, bad):
        self.bad = bad

    def make_node(self, x):
        x = nt.as_tensor_variable(x)
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        if inputs[0].flat[0] == self.bad:
            raise ArithmeticError("the Op of the user fails")
        output_storage[0][0] = inputs[0].copy()


class Scaled(Op):
    """x * 100, written over x, then an error where x was 3."""

    __props__ = ()
    destroy_map = {0: [0]}

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        failing = inputs[0][0] == 3
        inputs[0] *= 100
        if failing:
            raise ArithmeticError("the Op of the user fails")
        output_storage[0][0] = inputs[0]


# What fails, for x = 3 only: (expression of a vector, error)
FAILING: dict[str, tuple[Callable[[Any], Any], type[Exception]]] = {
    "an Op of the user": (RaisesAt(3.0), ArithmeticError),
    "an index": (lambda x: nt.exp(x) * nt.as_tensor_variable([1.0, 2.0, 3.0])[nt.cast(x[0], "int64")], IndexError),
    "two lengths": (lambda x: nt.exp(x) + nt.ones((nt.cast(nt.switch(nt.eq(x[0], 3.0), 5, 2), "int64"),)), ValueError),
    "an inner length": (lambda x: nt.dot(nt.exp(x), nt.ones((nt.cast(x[0], "int64") * 0 + nt.cast(
        nt.switch(nt.eq(x[0], 3.0), 5, 2), "int64"), 2))), ValueError),
}


@pytest.fixture(params=FAILING)
def failing(request) -> tuple[Callable[[Any], Any], type[Exception]]:
    """An expression that fails for x = 3, and its error."""
    return FAILING[request.param]


def test_a_call_that_fails_in_the_middle_leaves_everything_as_it_was(failing):
    build, error = failing
    x, s, c, d = nt.dvector("x"), nt.dvector("s"), nt.dvector("c"), nt.dvector("d")
    w, v, out, thing = shared(np.ones(2), "w"), shared(5, "v"), shared(np.zeros(1), "out"), shared(["kept"], "thing")
    held = Container(c.type, [1.0, 1.0])
    given = Generic()("given")
    f = function([x, given, In(d, value=np.full(2, 7.0)), In(s, value=np.zeros(2), update=s + x),
                  In(c, value=held, update=c * 2)],
                 [nt.exp(w) * d, build(x + 0 * w)], on_unused_input="ignore",
                 updates=[(w, w + x), (v, v + 1), (out, build(x) * 2), (thing, given)])
    places = [w.container, v.container, out.container, thing.container, held, *map(f.container.__getitem__, ("d", "s"))]

    def values():
        return [(id(p.value), np.array(p.value, copy=True).tolist()) for p in places]

    for call in range(3):
        before = values()
        for arguments, keywords in (((np.array([3.0, 1.0]), ["new"]), {}), (([3, 1], ["new"], [9.0, 9.0]), {}),
                                    (([3.0, 1.0],), {"given": ["new"], "s": [8.0, 8.0]})):
            with pytest.raises(error):
                f(*arguments, **keywords)
            assert values() == before
            with pytest.raises(error):
                f(*arguments, **keywords, output_subset=[0])
            assert values() == before
        argument = np.array([1.0, 1.0])
        f(argument, ["changed", call])
        np.testing.assert_array_equal(argument, [1, 1])
        assert (v.get_value(), thing.get_value()) == (6 + call, ["changed", call])
    np.testing.assert_array_equal((w.get_value(), f["s"], held.value), [[4, 4], [3, 3], [8, 8]])


def test_an_op_that_overwrites_its_input_and_fails_leaves_argument_and_state_as_they_were():
    x, w = nt.dvector("x"), shared(np.full(2, 3.0), "w")
    f = function([x], [Scaled()(x), Scaled()(w)], updates=[(w, w + 1)], accept_inplace=True, mode="reference")
    given = np.full(2, 2.0)
    for _ in range(2):
        with pytest.raises(ArithmeticError):
            f(given)
        np.testing.assert_array_equal((given, w.get_value()), [[2, 2], [3, 3]])
    w.set_value(np.ones(2))
    np.testing.assert_array_equal(f(given), [[200, 200], [100, 100]])
    np.testing.assert_array_equal((given, w.get_value()), [[2, 2], [2, 2]])


def test_arrays_that_the_user_holds_are_not_written_by_calls_that_fail_or_succeed():
    x, w = nt.dvector("x"), shared(np.zeros(2), "w")
    f = function([x], w, updates=[(w, w + nt.as_tensor_variable([1.0, 2.0])[nt.cast(x, "int64")])])
    held, expected = [], []
    for call in range(20):
        held.append(w.get_value(borrow=True)), expected.append(w.get_value())
        if call % 3:
            with pytest.raises(IndexError):
                f([0.0, 9.0])
        else:
            held.append(f([0.0, 1.0])), expected.append(held[-1].copy())
    np.testing.assert_array_equal(held, expected)


def run_in_threads(work: Callable[[int], None]) -> None:
    """`work(i)` in THREADS threads at once; what one of them raises is raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(THREADS)

    def guarded(i: int) -> None:
        start.wait()
        try:
            work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("locks", [True, False], ids=["the user locks", "nobody locks"])
def test_calls_from_many_threads_lose_no_update_and_corrupt_no_memory(locks):
    x = nt.dvector("x")
    count, w = shared(0, "count"), shared(np.zeros(64), "w")
    f = function([x], [w, count, x * 2], updates=[(w, w + x), (count, count + 1)])
    one, lock = np.ones(64), threading.Lock()
    seen: list[set[int]] = [set() for _ in range(THREADS)]

    def work(i: int) -> None:
        for _ in range(CALLS // THREADS):
            if locks:
                with lock:
                    old, number, doubled = f(one)
            else:
                old, number, doubled = f(one)
            # All elements of the state that was read come from one call, and the two states belong together.
            assert old[0] == number and (old == old[0]).all() and (doubled == 2).all()
            seen[i].add(int(number))

    run_in_threads(work)
    assert count.get_value() == CALLS
    np.testing.assert_array_equal(w.get_value(), np.full(64, CALLS))
    assert set().union(*seen) == set(range(CALLS))


def test_threads_that_set_read_and_copy_while_others_call_see_whole_values():
    x = nt.dvector("x")
    w = shared(np.zeros(64), "w")
    f = function([x], w, updates=[(w, w + x)])
    one = np.ones(64)

    def work(i: int) -> None:
        g = f.copy() if i % 2 else f
        for call in range(300):
            if i == 0:
                w.set_value(np.full(64, float(call)))
            elif i == 1:
                assert len(set(w.get_value().tolist())) == 1
            else:
                old = g(one)[0] if i % 2 else g(one)
                assert len(set(old.tolist())) == 1

    run_in_threads(work)
    assert len(set(w.get_value().tolist())) == 1


def test_functions_that_update_the_same_variables_in_another_order_do_not_wait_for_each_other_for_ever():
    a, b, x = shared(0.0, "a"), shared(0.0, "b"), nt.dscalar("x")
    up_a, up_b = (a, a + x), (b, b + x)
    functions = [function([x], [], updates=updates) for updates in ([up_a], [up_b], [up_a, up_b], [up_b, up_a])]

    def work(i: int) -> None:
        for _ in range(200):
            functions[i % 4](1.0)

    run_in_threads(work)
    assert (a.get_value(), b.get_value()) == (THREADS // 4 * 3 * 200, THREADS // 4 * 3 * 200)


def test_many_threads_compile_call_and_copy_functions_of_their_own():
    x = nt.dvector("x")
    results: dict[int, Any] = {}

    def work(i: int) -> None:
        w = shared(np.zeros(2), f"w{i}")
        f = function([x], [x + w], updates=[(w, w + i)])
        for _ in range(5):
            f([1.0, 2.0])
        results[i] = f.copy(delete_updates=True)([1.0, 2.0])[0]

    run_in_threads(work)
    for i in range(THREADS):
        np.testing.assert_array_equal(results[i], [1 + 5 * i, 2 + 5 * i])
