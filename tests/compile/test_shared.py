"""shared: values, dtypes, copies, updates and default updates."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph import function, shared
from nbgraph.compile.shared import SharedVariable, TensorSharedVariable
from nbgraph.errors import DTypeError, GraphError, ShapeError
from nbgraph.graph.basic import Apply
from nbgraph.graph.generic_type import Generic
from nbgraph.graph.op import Op


@pytest.mark.parametrize(("value", "dtype"), [
    (0, "int64"), (0.5, "float64"), (True, "bool"), (1j, "complex128"), (np.float32(2), "float32"),
    (np.int8(2), "int8"), (np.zeros(3, "uint16"), "uint16"), (np.ones(2, ">f8"), "float64"),
])
def test_shared_has_the_dtype_that_numpy_gives_its_value(value, dtype):
    variable = shared(value)
    assert isinstance(variable, TensorSharedVariable)
    assert variable.dtype == dtype
    assert variable.get_value().dtype == np.dtype(dtype)
    np.testing.assert_array_equal(variable.get_value(), value)


def test_lengths_may_change_unless_shape_says_them():
    free, fixed = shared(np.zeros((1, 3))), shared(np.zeros((1, 3)), shape=(1, None))
    assert free.type.shape == (None, None)
    assert fixed.type.shape == (1, None)
    assert shared(np.zeros((1, 3)), broadcastable=(True, False)).type.shape == (1, None)
    free.set_value(np.ones((5, 2)))
    fixed.set_value(np.ones((1, 7)))
    with pytest.raises(ShapeError, match="axis 0 must have length 1"):
        fixed.set_value(np.ones((2, 7)))
    with pytest.raises(ShapeError):
        shared(np.zeros((2, 3)), shape=(1, None))


def test_values_are_copied_in_and_out_unless_borrowed():
    given = np.zeros(3)
    copied, borrowed = shared(given), shared(given, borrow=True)
    given[0] = 1
    assert copied.get_value()[0] == 0
    assert borrowed.get_value()[0] == 1
    copied.get_value()[1] = 5
    assert copied.get_value()[1] == 0
    copied.get_value(borrow=True)[1] = 5
    assert copied.get_value()[1] == 5
    copied.set_value(given)
    given[2] = 9
    assert copied.get_value()[2] == 0


@pytest.mark.parametrize("value", [np.arange(6.0).reshape(2, 3).T, np.arange(12.0).reshape(4, 3)[::2],
                                   np.arange(6, dtype=">f8").reshape(2, 3)], ids=["fortran", "strided", "byte order"])
def test_stored_arrays_are_plain_and_contiguous(value):
    kept = shared(value, borrow=True).get_value(borrow=True)
    assert type(kept) is np.ndarray
    assert kept.flags.c_contiguous
    assert kept.dtype.isnative
    np.testing.assert_array_equal(kept, value)


def test_set_value_refuses_what_does_not_fit_and_keeps_the_old_value():
    state = shared(3, name="state")
    for wrong in (1.5, [1, 2], "text"):
        with pytest.raises(DTypeError, match="shared variable state"):
            state.set_value(wrong)
    assert state.get_value() == 3
    with pytest.raises(DTypeError):
        shared(np.zeros(2), strict=True).set_value(np.zeros(2, "float32"))
    downcast = shared(np.zeros(2, "float32"), allow_downcast=True)
    downcast.set_value(np.full(2, 0.1))
    assert downcast.get_value().dtype == np.float32


def test_any_object_is_shareable():
    for value in ([1, 2], np.random.RandomState(3), {"a": 1}):
        variable = shared(value, name="thing")
        assert type(variable) is SharedVariable
        assert type(variable.get_value()) is type(value)
        assert variable.get_value() is not value
        assert variable.get_value(borrow=True) is variable.get_value(borrow=True)


class Appended(Op):
    """A list with one more element."""

    __props__ = ()

    def make_node(self, items, element):
        return Apply(self, [items, nt.as_tensor_variable(element)], [items.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = [*inputs[0], inputs[1].item()]


def test_objects_are_returned_stored_and_passed_by_functions_that_do_not_touch_them():
    items, other, x = shared([1, 2], "items"), shared({"a": 1}, "other"), nt.dvector("x")
    w, given = shared(np.zeros(2), "w"), Generic()("given")
    f = function([x, given], [items, x + w, given], updates=[(items, given), (other, [3]), (w, w + x)])
    argument = ["new"]
    before, total, passed = f([1.0, 2.0], argument)
    assert (before, passed) == ([1, 2], ["new"])
    np.testing.assert_array_equal(total, [1, 2])
    argument.append("later"), passed.append("later"), before.append("later")
    assert (items.get_value(), other.get_value()) == (["new"], [3])
    np.testing.assert_array_equal(w.get_value(), [1, 2])
    np.testing.assert_array_equal(f([1.0, 2.0], [], output_subset=[1])[0], [2, 4])
    assert items.get_value() == []


def test_a_memory_estimate_leaves_objects_out():
    x, given = nt.dvector("x"), Generic()("given")
    f = function([x, given], [x + 1, given], mode="FAST_RUN")
    assert f.memory_estimate([(2,), (1,)]).outputs == 16


def test_objects_swap_and_a_generator_is_returned_in_its_state():
    a, b, rng = shared([1], "a"), shared([2], "b"), shared(np.random.default_rng(3), "rng")
    f = function([], rng, updates=[(a, b), (b, a)])
    first, second = f(), f()
    assert first.random() == second.random() == np.random.default_rng(3).random()
    assert (a.get_value(), b.get_value()) == ([1], [2])
    assert f.copy(swap={a: shared([9])})()[0] is not rng.get_value(borrow=True)


def test_ops_of_the_user_compute_with_objects_in_reference_mode():
    items, x = shared([1.0], "items"), nt.dscalar("x")
    f = function([x], items, updates=[(items, Appended()(items, x))], mode="reference")
    assert (f(2.0), f(3.0)) == ([1.0], [1.0, 2.0])
    assert items.get_value() == [1.0, 2.0, 3.0]


def test_an_object_that_cannot_be_copied_is_borrowed():
    lock = threading.Lock()
    with pytest.raises(DTypeError, match=r"a lock can't be copied(.|\n)*test_shared\.py(.|\n)*fix: pass borrow=True"):
        shared(lock)
    held = shared(lock, borrow=True)
    assert held.get_value(borrow=True) is lock
    with pytest.raises(DTypeError, match="a lock can't be copied"):
        held.get_value()


def test_objects_are_checked_where_that_says_something():
    items = shared([1], "items")
    with pytest.raises(DTypeError, match="symbolic variable"):
        items.set_value(nt.dscalar("x"))
    with pytest.raises(DTypeError, match=r"zero of items: a list has no zeros(.|\n)*set_value"):
        items.zero()
    with pytest.raises(DTypeError, match="only arrays have a shape, got a list"):
        shared([1, 2], shape=(2,))
    assert shared("words").get_value() == "words"
    assert shared(np.array(["2020"], "datetime64[Y]")).type == Generic()


@pytest.mark.parametrize(("value", "fix"), [
    (np.ones(2, "float16"), "float32"), (np.float16(2), "float32"), (np.longdouble(2), "float64"),
    (np.ones(2, "clongdouble"), "complex128"), (2**70, "float64"),
])
def test_numbers_of_a_dtype_that_no_tensor_has_are_refused_with_what_to_do(value, fix):
    with pytest.raises(DTypeError, match=rf"(.|\n)*test_shared\.py(.|\n)*fix: .*np\.asarray\(value, '{fix}'\)"):
        shared(value)
    assert shared(np.asarray(value, fix)).dtype == fix


def test_a_symbolic_value_is_refused():
    with pytest.raises(TypeError, match="symbolic"):
        shared(nt.dscalar("x"))


def test_zero_and_clone_work_on_the_container():
    state = shared(np.ones(2), name="s")
    twin = state.clone()
    assert twin is not state
    assert twin.name == "s"
    twin.zero()
    np.testing.assert_array_equal(state.get_value(), [0, 0])


def test_shared_variables_pickle_with_their_values():
    state = shared(np.arange(3), name="s")
    state.default_update = state + 1
    back = pickle.loads(pickle.dumps(state))
    np.testing.assert_array_equal(back.get_value(), [0, 1, 2])
    assert back.name == "s"
    np.testing.assert_array_equal(function([], back)(), [0, 1, 2])
    np.testing.assert_array_equal(back.get_value(), [1, 2, 3])


@pytest.mark.parametrize("form", [dict, list, tuple, lambda pairs: (p for p in pairs)],
                         ids=["dict", "list", "tuple", "generator"])
def test_updates_see_the_old_values(form):
    a, b = shared(1.0), shared(2.0)
    swap = function([], [a, b], updates=form([(a, b), (b, a)]))
    assert swap() == [1.0, 2.0]
    assert (a.get_value(), b.get_value()) == (2.0, 1.0)


def test_two_updates_for_one_variable_are_refused():
    a = shared(1.0, name="a")
    with pytest.raises(GraphError, match="two updates for a"):
        function([], a, updates=[(a, a + 1), (a, a + 2)])


def test_update_is_cast_where_nothing_is_lost_and_refused_elsewhere():
    total, count = shared(0.5), shared(0, name="count")
    n = nt.lscalar("n")
    function([n], [], updates={total: n})(3)
    assert total.get_value().dtype == np.float64
    assert total.get_value() == 3.0
    with pytest.raises(DTypeError, match="update of count: must be int64"):
        function([n], [], updates={count: n + 0.5})
    with pytest.raises(DTypeError, match="update of count"):
        function([], [], updates={count: nt.lvector("v")})
    function([], [], updates={count: 7})()
    assert count.get_value() == 7


def test_update_of_a_known_length_is_checked():
    row = shared(np.zeros((1, 3)), shape=(1, None))
    x = nt.dmatrix("x")
    put = function([x], [], updates={row: x})
    put(np.ones((1, 4)))
    with pytest.raises(ShapeError):
        put(np.ones((2, 4)))
    np.testing.assert_array_equal(row.get_value(), np.ones((1, 4)))
    with pytest.raises(ShapeError, match="axis 0 must have length 1"):
        function([], [], updates={row: np.zeros((2, 2))})


def test_only_shared_variables_are_updated():
    x = nt.dscalar("x")
    with pytest.raises(DTypeError, match="updates change shared variables"):
        function([x], x, updates={x: x + 1})
    with pytest.raises(TypeError, match="pairs"):
        function([x], x, updates=[x])


def test_written_only_variable_needs_no_value_to_be_read():
    out, x = shared(np.zeros(1), name="out"), nt.dvector("x")
    f = function([x], None, updates={out: 2 * x})
    assert f([1, 2, 3]) is None
    np.testing.assert_array_equal(out.get_value(), [2, 4, 6])


def test_default_update_is_applied_and_can_be_turned_off():
    a = shared(0)
    a.default_update = a + 1
    b = shared(10)
    b.default_update = b + a
    function([], b)()
    assert (a.get_value(), b.get_value()) == (1, 10)
    function([], b, no_default_updates=True)()
    assert (a.get_value(), b.get_value()) == (1, 10)
    function([], b, no_default_updates=[a])()
    assert (a.get_value(), b.get_value()) == (1, 11)
    function([], a, updates={a: a + 100})()
    assert a.get_value() == 101


def test_default_update_of_a_replaced_variable_is_not_applied():
    a, x = shared(0), nt.lscalar("x")
    a.default_update = a + 1
    assert function([x], a * 2, givens={a: x})(4) == 8
    assert a.get_value() == 0


def test_value_and_update_do_not_share_memory_with_results():
    state, x = shared(np.zeros(2)), nt.dvector("x")
    f = function([x], [state, x, x], updates={state: x})
    given = np.ones(2)
    old, first, second = f(given)
    for array in (old, first, second, given):
        array[:] = 7
    np.testing.assert_array_equal(state.get_value(), [1, 1])
    np.testing.assert_array_equal(first, [7, 7])
    assert not np.shares_memory(first, second)


def test_no_update_of_many_threads_is_lost():
    a, b = shared(0.0, name="a"), shared(np.zeros(3), name="b")
    both = function([], [], updates=[(a, a + 1), (b, b + 1)])
    one = function([], a, updates=[(a, a + 1)])
    slow = function([], [], updates=[(b, b + 1)], mode="reference")
    functions = (both, one, slow, both.copy()) * 2
    threads = [threading.Thread(target=lambda f=f: [f() for _ in range(500)]) for f in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert a.get_value() == 3000
    assert (b.get_value() == 3000).all()


def test_a_shared_list_is_no_tensor_and_the_error_says_how_to_make_one():
    with pytest.raises(DTypeError, match=r"shared\(np.asarray\(value\)\)"):
        nt.exp(shared([0.0, 1.0]))
