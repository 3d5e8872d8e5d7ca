"""Updates are computed into the memory of the value before the last one, where nobody else holds it."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph import function, shared
from nbgraph.errors import BoundsError


def training(start: np.ndarray):
    """w, and a function that adds to it."""
    x, w = nt.dvector("x"), shared(start, name="w")
    return w, function([x], w.sum(), updates=[(w, w + x)])


def test_two_arrays_take_turns():
    w, f = training(np.zeros(3))
    seen = set()
    for _ in range(10):
        f(np.ones(3))
        seen.add(id(w.get_value(borrow=True)))
    assert len(seen) == 2
    assert w.get_value().tolist() == [10, 10, 10]


def test_what_somebody_has_borrowed_is_never_written():
    w, f = training(np.zeros(3))
    held = []
    for _ in range(6):
        f(np.ones(3))
        held.append(w.get_value(borrow=True)[:2])  # a view holds the array
    assert [v.tolist() for v in held] == [[k, k] for k in range(1, 7)]
    assert all(sys.getrefcount(v.base) >= 2 for v in held)


def test_what_was_set_with_borrow_stays_the_caller_s():
    w, f = training(np.zeros(3))
    mine = np.full(3, 5.0)
    w.set_value(mine, borrow=True)
    for _ in range(4):
        f(np.ones(3))
    assert mine.tolist() == [5, 5, 5]
    assert w.get_value().tolist() == [9, 9, 9]


def test_outputs_are_not_overwritten_by_the_next_calls():
    x, w = nt.dvector("x"), shared(np.zeros(2), name="w")
    f = function([x], [w, w + x], updates=[(w, w + x)])
    given = [f(np.ones(2)) for _ in range(5)]
    assert [[v.tolist() for v in pair] for pair in given] == [[[k, k], [k + 1, k + 1]] for k in range(5)]


def test_another_length_gets_other_memory():
    w, f = training(np.zeros(3))
    for n in (3, 3, 5, 5, 2):
        w.set_value(np.zeros(n))
        for _ in range(3):
            f(np.ones(n))
        assert w.get_value().tolist() == [3] * n


def test_variables_that_change_places():
    a, b = shared(np.zeros(2), name="a"), shared(np.ones(2), name="b")
    f = function([], [], updates=[(a, b), (b, a + b)])
    for _ in range(5):
        f()
    assert (a.get_value().tolist(), b.get_value().tolist()) == ([5, 5], [8, 8])


def test_a_call_that_fails_leaves_the_value_and_can_be_repeated():
    w, i = shared(np.arange(3.0), name="w"), nt.lvector("i")
    f = function([i], [], updates=[(w, w + w[i].sum())])
    f([0, 1])
    f([0, 1])
    before = w.get_value()
    with pytest.raises(BoundsError):
        f([7])
    assert np.array_equal(w.get_value(), before)
    f([0, 0])
    assert w.get_value().tolist() == (before + 2 * before[0]).tolist()


def test_a_length_that_only_a_later_check_gives_takes_no_memory_of_the_caller():
    # That y is as long as w is asked where they are added: by then z is written, in its own length.
    y, w, z = nt.dvector("y"), shared(np.zeros(3), name="w"), shared(np.zeros(3), name="z")
    f = function([y], [], updates=[(z, nt.exp(y)), (w, w + y)])
    with pytest.raises(ValueError, match="lengths"):
        f(np.ones(100_000))
    assert z.get_value().tolist() == [0, 0, 0]
    f(np.ones(3))
    assert w.get_value().tolist() == [1, 1, 1]


def test_functions_of_one_variable_share_its_spare_memory():
    x, w = nt.dvector("x"), shared(np.zeros(3), name="w")
    add = function([x], [], updates=[(w, w + x)])
    double = function([], [], updates=[(w, w * 2)])
    seen = set()
    for _ in range(4):
        add(np.ones(3))
        double()
        seen.add(id(w.get_value(borrow=True)))
    assert w.get_value().tolist() == [30, 30, 30]
    assert len(seen) <= 2


def test_threads_that_read_see_whole_values():
    w = shared(np.zeros(20_000), name="w")
    step, spread = function([], [], updates=[(w, w + 1)]), function([], [w.min(), w.max()])
    done, wrong = threading.Event(), []

    def read():
        while not done.is_set():
            low, high = spread()
            if low != high:
                wrong.append((low, high))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(300):
        step()
    done.set()
    for reader in readers:
        reader.join()
    assert not wrong
    assert w.get_value()[0] == 300


def test_a_donated_array_is_an_argument_that_people_see_and_no_allocation():
    x, w = nt.dvector("x"), shared(np.zeros(3), name="w")
    f = function([x], [], updates=[(w, w + x)], name="train")
    assert "def train(x, w, w_next):" in f.source
    assert "empty" not in f.source
    assert f.memory_estimate({"x": (3,)}).temporaries == 0


def test_subsets_of_outputs_update_in_place_too():
    x, w = nt.dvector("x"), shared(np.zeros(3), name="w")
    f = function([x], [x * 2, x * 3], updates=[(w, w + x)])
    for _ in range(4):
        (third,) = f(np.ones(3), output_subset=[1])
    assert third.tolist() == [3, 3, 3]
    assert w.get_value().tolist() == [4, 4, 4]


@pytest.mark.parametrize("view", [lambda big: big[:], lambda big: big.reshape(1, 5)[0],
                                  lambda big: np.frombuffer(memoryview(big))])
def test_memory_that_a_borrowed_view_looks_at_is_not_written(view):
    big = np.zeros(5)
    w = shared(view(big), name="w", borrow=True)
    f = function([], [], updates=[(w, w + 1)])
    for _ in range(5):
        f()
    assert big.tolist() == [0] * 5
    assert w.get_value().tolist() == [5] * 5


def test_a_slice_of_a_borrowed_view_does_not_change():
    w = shared(np.zeros(5), name="w")
    f = function([], [], updates=[(w, w + 1)])
    w.set_value(np.zeros((1, 5))[0], borrow=True)
    part = w.get_value(borrow=True)[1:3]
    for _ in range(5):
        f()
    assert part.tolist() == [0, 0]


def test_a_value_that_another_thread_sets_during_a_call_is_not_mixed_with_the_one_that_was_read(monkeypatch):
    w = shared(np.zeros(10), name="w")
    f = function([], [], updates=[(w, w * 0 + 5)])
    call = f._checked.__globals__
    assert call["empty_like"] is np.empty_like

    def interrupted(array):
        w.set_value(np.zeros(4))
        return np.empty_like(array)

    monkeypatch.setitem(call, "empty_like", interrupted)
    f()
    assert w.get_value().tolist() == [5] * 10


def test_a_spare_array_of_another_length_is_let_go():
    w = shared(np.zeros(1000), name="w")
    function([], [], updates=[(w, w + 1)])()
    assert w.container.spare[0] is not None
    w.set_value(np.zeros(3))
    assert w.container.spare[0] is None
