"""In, Out, Param and the shortcuts of the list of inputs."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph import In, Out, Param, function, shared
from nbgraph.compile.container import Container
from nbgraph.compile.io import as_input
from nbgraph.errors import ArgumentError, DTypeError, GraphError


@pytest.mark.parametrize(("shortcut", "name", "has_value", "has_update"), [
    (lambda r, up: r, "r", False, False),
    (lambda r, up: ("other", r), "other", False, False),
    (lambda r, up: (r, 3.0), "r", True, False),
    (lambda r, up: ((r, up), 3.0), "r", True, True),
    (lambda r, up: ("other", r, 3.0), "other", True, False),
    (lambda r, up: ("other", (r, up), 3.0), "other", True, True),
])
def test_shortcut_becomes_an_input(shortcut, name, has_value, has_update):
    r = nt.dscalar("r")
    up = r + 1
    spec = as_input(shortcut(r, up))
    assert spec.variable is r
    assert spec.name == name
    assert spec.value == (3.0 if has_value else None)
    assert spec.update is (up if has_update else None)


def test_autoname_false_takes_the_name_as_it_is():
    x = nt.dscalar("x")
    assert In(x, autoname=False).name is None
    assert In(x).name == "x"
    assert In(x, name="other").name == "other"


def test_param_is_the_older_spelling_of_a_default():
    x = nt.dscalar("x")
    f = function([Param(x, default=3, name="other")], 2 * x)
    assert f() == 6
    assert f(other=5) == 10


def test_a_container_as_value_is_implicit_and_shared_between_functions():
    c = nt.dscalar("c")
    f = function([((c, c + 1), 10.0)], c)
    g = function([In(c, value=f.container[c], update=c * 2)], c)
    assert (f(), g(), f()) == (10.0, 11.0, 22.0)
    with pytest.raises(TypeError, match="Unknown input or state: c"):
        g(c=3)


def test_a_container_of_another_type_is_refused():
    v, n = nt.dvector("v"), nt.lscalar("n")
    for container in (function([(n, 3)], n).container[n], Container(nt.fvector().type, np.ones(2, "float32")),
                      Container(nt.TensorType("float64", (1,)), [1.0])):
        with pytest.raises(DTypeError, match=r"its container is for .*, it is float64\[\?\]") as caught:
            function([In(v, value=container)], v.sum())
        assert "test_io.py" in str(caught.value) and "fix: " in str(caught.value)
    assert function([In(v, value=Container(nt.TensorType("float64", (2,)), [1.0, 2.0]))], v.sum())() == 3.0


def test_a_call_overwrites_a_container_that_it_may_give_a_value_to():
    """"Be careful when value is a container, because providing an input value will overwrite the content of this
    container."
    """
    c, v = nt.dscalar("c"), nt.dvector("v")
    held, rows = Container(c.type, 5.0), Container(v.type, [1.0, 2.0])
    f = function([In(c, value=held, implicit=False), In(v, value=rows, implicit=False)], [c + 1, v * 2, v])
    assert f()[0] == 6.0
    given = np.array([7.0])
    assert f(1, given)[0] == 2.0
    given[0] = 0
    second, doubled, same = f()
    same[0] = 0
    assert (second, doubled, held.value, rows.value) == (2.0, [14.0], 1.0, [7.0])
    with pytest.raises(DTypeError):
        f(3, "words")
    assert held.value == 1.0, "a call that fails changes nothing"
    assert f.copy()[c] == 1.0


def test_a_shared_variable_as_value_gives_its_container():
    c, state = nt.lscalar("c"), shared(7)
    f = function([In(c, value=state)], c + 1)
    state.set_value(8)
    assert f() == 9


def test_default_is_a_copy_unless_borrowed():
    x, given = nt.dvector("x"), np.ones(2)
    kept = function([In(x, value=given)], x.sum())
    borrowed = function([In(x, value=given, borrow=True)], x.sum())
    given[0] = 5
    assert (kept(), borrowed()) == (2.0, 6.0)


def test_strict_input_takes_exactly_its_dtype():
    x = nt.dvector("x")
    f = function([In(x, strict=True)], 2 * x)
    np.testing.assert_array_equal(f(np.ones(2)), [2, 2])
    for wrong in ([1.0, 2.0], np.ones(2, "float32"), np.ones(2, ">f8")):
        with pytest.raises(DTypeError):
            f(wrong)


def test_allow_downcast_of_an_input_wins_over_that_of_the_function():
    x, y = nt.fvector("x"), nt.fvector("y")
    f = function([In(x, allow_downcast=False), y], x + y, allow_input_downcast=True)
    assert f(np.ones(1, "float32"), np.ones(1)).dtype == np.float32
    with pytest.raises(DTypeError, match="lose precision"):
        f(np.ones(1), np.ones(1))


@pytest.mark.parametrize(("make", "error", "words"), [
    (lambda: In(3), DTypeError, "must be a symbolic variable"),
    (lambda: In(nt.constant(3)), DTypeError, "constant"),
    (lambda: In(shared(3)), DTypeError, "shared variable"),
    (lambda: In(nt.dscalar(), implicit=True), ArgumentError, "implicit"),
    (lambda: In(nt.dscalar(), name=[]), TypeError, "hashable"),
    (lambda: In(nt.dscalar(), name=nt.dscalar()), TypeError, "no variable"),
    (lambda: as_input((1, 2, 3)), ArgumentError, "shortcuts"),
    (lambda: as_input(("name",)), ArgumentError, "shortcuts"),
])
def test_what_is_no_input_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_required_inputs_come_before_those_with_defaults():
    x, y = nt.dscalars("x", "y")
    with pytest.raises(ArgumentError, match="required input x follows y"):
        function([In(y, value=1), x], x + y)


def test_no_variable_is_listed_twice():
    x = nt.dscalar("x")
    with pytest.raises(GraphError, match="the input x is given twice"):
        function([x, In(x, name="other")], x)


def test_no_name_is_given_twice_but_autoname_can_be_turned_off():
    x, other = nt.dscalar("x"), nt.dscalar("x")
    with pytest.raises(ArgumentError, match="two inputs have the name 'x'"):
        function([x, other], x - other)
    assert function([x, In(other, autoname=False)], x - other)(5, 3) == 2


def test_output_that_is_no_variable_is_refused():
    with pytest.raises(DTypeError, match="an output must be a symbolic variable"):
        function([], ["words"])
    assert function([], Out(nt.constant(3)))() == 3


def test_an_output_that_is_no_variable_is_an_error_at_once():
    with pytest.raises(DTypeError, match=r"an output must be a symbolic variable, got int '3'(.|\n)*test_io\.py"):
        Out(3)


def test_an_array_of_objects_is_refused_with_its_dtype():
    x = nt.dvector("x")
    with pytest.raises(DTypeError, match="whose dtype is object"):
        function([x], x)(np.array([object()]))


def test_what_loses_precision_is_told_of_allow_downcast_where_there_is_such_an_argument():
    x, w = nt.fvector("x"), shared(np.zeros(2, "float32"), "w")
    with pytest.raises(DTypeError, match=r"would lose precision as float32(.|\n)*pass allow_downcast=True to In"):
        function([x], x)(np.ones(2))
    with pytest.raises(DTypeError, match="would lose precision as float32") as caught:
        w.set_value(np.ones(2))
    assert "to In" not in str(caught.value) and "shared(..., allow_downcast=True)" in str(caught.value)


def test_what_a_function_is_made_of_prints_without_addresses(mode):
    x = nt.dvector("x")
    f = function([x], x + 1)
    for shown in (repr(f.stages), repr(f.maker)):
        assert shown.startswith("<") and " at 0x" not in shown and "\n" not in shown
    assert str(f.stages.graph).startswith("add #0")
