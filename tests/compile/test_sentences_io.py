"""Sentences of the page on inputs and outputs that nbgraph follows, each quoted where it is checked."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph import In, Out, function, shared
from nbgraph.compile.container import Container
from nbgraph.errors import ArgumentError, DTypeError, GraphError


def test_a_variable_is_assigned_a_value_and_not_computed_from_its_owner():
    """"This will be assigned a value before running the function, not computed from its owner." """
    x = nt.dscalar("x")
    middle = x * 2
    assert function([middle], middle + 1)(5.0) == 6.0


def test_a_name_is_a_keyword_a_key_and_an_attribute():
    """"If name is a valid Python identifier, this input can be set by kwarg, and its value can be accessed by
    self.<name>."
    """
    x, y = nt.dscalar("x"), nt.dscalar("y")
    f = function([x, In(y, name="other", value=2.0)], x + y)
    assert (f(x=1, other=3), f[y], f["other"], f.other) == (4.0, 2.0, 2.0, 2.0)
    f["other"] = 5.0
    assert (f.other, f(1)) == (5.0, 6.0)
    f.other = 7
    assert (f.other, f["other"], f(1), f.copy().other) == (7.0, 7.0, 8.0, 7.0)
    for missing in ("y", "absent", "__wrapped__"):
        with pytest.raises(AttributeError, match=f"no attribute '{missing}'"):
            getattr(f, missing)
    with pytest.raises(AttributeError, match="no one input of that name"):
        _ = function([In(x, name="w")], x + shared(1.0, "w")).w


@pytest.mark.parametrize("name", ["two words", ("a", 1), 2.5, 17, frozenset("ab")])
def test_a_name_may_be_of_any_type(name):
    """"name: Any type." """
    x, y = nt.dscalar("x"), nt.dscalar("y")
    f = function([x, In(y, name=name, value=2.0)], x + y)
    assert f[name] == f.value[name] == f.container[name].value == 2.0
    f[name] = 3.0
    assert f(1) == 4.0
    with pytest.raises(TypeError, match="Unknown input or state: y"):
        f(1, y=2)
    with pytest.raises(ArgumentError, match="two inputs have the name"):
        function([In(x, name=name), In(y, name=name)], x + y)


def test_an_input_that_is_called_as_what_functions_have_is_found_by_key():
    inputs = [nt.dscalar(name) for name in ("value", "container", "name", "copy", "_call", "trust_input", "maker")]
    f = function([In(v, value=1.0) for v in inputs], inputs, name="f")
    f.name, f.trust_input = "g", True
    assert (f.name, f.trust_input, f["name"], f["trust_input"], f(2.0)[0], f.copy().name) == (
        "g", True, 1.0, 1.0, 2.0, "g copy")


def test_a_name_that_is_a_position_is_ambiguous():
    """"All entries map to the container or to DUPLICATE if an ambiguity is detected." """
    x, y = nt.dscalar("x"), nt.dscalar("y")
    f = function([In(x, name=1), y], x + y)
    assert (f[0], repr(f.finder[1])) == (None, "DUPLICATE")
    with pytest.raises(TypeError, match="Ambiguous name: 1"):
        f[1]


def test_without_an_update_a_value_is_a_default_of_python():
    """"If update is None, this input acts just like an argument with a default value in Python." """
    x, y = nt.dscalar("x"), nt.dscalar("y")
    f = function([x, In(y, value=1.0)], x + y)
    assert [f(1), f(1, 5), f(1), f(1, y=7), f(1)] == [2, 6, 2, 8, 2]


def test_with_an_update_changes_stick_whoever_makes_them():
    """"If update is not None, changes to this value will "stick around", whether due to an update or a user's explicit
    action."
    """
    s, x = nt.dscalar("s"), nt.dscalar("x")
    f = function([x, In(s, value=10.0, update=s + x)], s)
    assert [f(1), f(1)] == [10, 11]
    f["s"] = 100.0
    assert [f(1), f(1), f(1, 7), f(1)] == [100, 101, 7, 8]


def test_a_default_is_taken_over_as_it_is_and_belongs_to_the_function():
    """"literal or Container. The initial/default value for this input." """
    x = nt.dvector("x")
    given = [1, 2]
    f = function([In(x, value=given)], x)
    result = f()
    result[:] = 9
    given[0] = 9
    np.testing.assert_array_equal(f(), [1, 2])
    with pytest.raises(DTypeError, match="default of input x"):
        function([In(x, value="words")], x)


def test_a_default_is_not_modified_unless_that_is_allowed():
    """"If True, permit the compiled function to modify the Python object being used as the default value. The default
    value is False."
    """
    x = nt.dvector("x")
    assert (In(x).mutable, In(x, value=[1.0], mutable=True).borrow, In(x, value=[1.0]).borrow) == (False, True, False)
    given = np.ones(2)
    f = function([In(x, value=given)], [x, x + 1])
    for result in f():
        result[:] = 7
    np.testing.assert_array_equal((given, f()[0]), [[1, 1], [1, 1]])


@pytest.mark.parametrize("value", [1.0, [1.0, 2.0], np.ones(2, "float32"), np.ones(2, "int64"), np.ones(2, ">f8")])
def test_strict_means_exactly_the_right_type(value):
    """"True means that the value you pass for this input must have exactly the right type. Otherwise, it may be cast
    automatically to the proper type."
    """
    x = nt.TensorType("float64", (None,) * np.ndim(value))("x")
    with pytest.raises(DTypeError, match=r"input x \(position 0\)"):
        function([In(x, strict=True)], x)(value)
    result = function([x], x)(value)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result, value)


def test_strict_is_about_the_type_and_not_about_memory():
    x = nt.dvector("x")
    f = function([In(x, strict=True)], x + 1)
    read_only = np.arange(6.0)[::2]
    read_only.flags.writeable = False
    np.testing.assert_array_equal(f(read_only), [1, 3, 5])


def test_autoname_takes_the_name_of_the_variable():
    """"If set to True, if name is None and the Variable has a name, it will be taken as the input's name. If autoname
    is set to False, the name is the exact value passed as the name parameter (possibly None)."
    """
    x = nt.dscalar("x")
    names = [In(x).name, In(x, name="n").name, In(x, autoname=False).name, In(x, name="n", autoname=False).name]
    assert names == ["x", "n", None, "n"]
    f = function([In(x, autoname=False, value=1.0)], x)
    with pytest.raises(TypeError, match="1 unnamed input which thus cannot be accessed through keyword argument"):
        f(x=2)
    assert f[x] == f[0] == 1.0


def test_implicit_inputs_are_not_given():
    """"This input is implicit in the sense that the user is not allowed to provide a value for it. Requires value to be
    set."
    """
    x, y = nt.dscalar("x"), nt.dscalar("y")
    f = function([In(x, value=3.0, implicit=True), y], x * y)
    assert (f(2), f(y=2)) == (6.0, 6.0)
    with pytest.raises(TypeError, match="Unknown input or state: x"):
        f(2, x=1)
    with pytest.raises(ArgumentError, match="too many arguments: the function takes 1, got 2"):
        f(2, 1)
    f[x] = 4.0
    assert f(2) == 8.0
    with pytest.raises(ArgumentError, match="implicit"):
        In(x, implicit=True)


def test_implicit_is_chosen_by_what_the_value_is():
    """"It will be set to False in all cases except if value is a container" """
    x = nt.dscalar("x")
    values = (None, 1.0, Container(x.type, 1.0), shared(1.0))
    assert [In(x, value=v).implicit for v in values] == [False, False, True, True]


def test_a_list_of_inputs_is_checked_as_python_checks_parameters():
    """"default arguments and keyword arguments must come at the end of the list"  "If multiple inputs have the same
    name, then the function will raise an exception."  "Two In instances may not name the same Variable."
    """
    x, y, other = nt.dscalar("x"), nt.dscalar("y"), nt.dscalar("x")
    with pytest.raises(ArgumentError, match="the required input x follows y, which has a default"):
        function([In(y, value=1.0), x], x + y)
    with pytest.raises(ArgumentError, match="two inputs have the name 'x'"):
        function([x, other], x + other)
    with pytest.raises(GraphError, match="the input x is given twice, at 0 and 1"):
        function([x, ("again", x)], x)


def test_every_input_has_a_value_and_a_container_that_always_has_it():
    """"It is useful for fetching the container associated with a particular input to share containers between
    functions, or to have a sort of pointer to an always up-to-date value."
    """
    s, x = nt.dscalar("s"), nt.dscalar("x")
    f = function([x, In(s, value=1.0, update=s + x)], [])
    pointer = f.container["s"]
    g = function([x, In(s, value=pointer, update=s * x)], s)
    f(2)
    assert pointer.value == f["s"] == g["s"] == 3.0
    assert g(10) == 3.0
    assert pointer.value == f["s"] == 30.0
    pointer.value = 5
    assert (f["s"], type(f["s"]), f.value[s].dtype) == (5.0, np.ndarray, np.float64)


def test_value_and_container_are_dictionaries_with_three_kinds_of_keys():
    """"This property accesses is a read-only dictionary-like interface."  "integer keys: you can look up a
    value/container by its position", "name keys", "Variable keys"
    """
    s, x, w = nt.dscalar("s"), nt.dscalar("x"), shared(2.0, "w")
    f = function([x, In(s, value=1.0)], x + s + w)
    assert all(f.container[key] is f.container["s"] for key in (1, s, np.int64(1)))
    assert f.container[2] is f.container["w"] is f.container[w] is w.container
    assert (f.value.get("s"), f.value.get("absent", 0), "s" in f.value, "absent" in f.value) == (1.0, 0, True, False)
    assert dict(f.value)[s] == 1.0 and len(f.value) == len(list(f.value)) == 9
    with pytest.raises(TypeError, match="does not support item assignment"):
        f.container["s"] = w.container


def test_a_write_may_copy_and_cast():
    """"It is both readable and writable, but assignments (writes) may be implemented by an internal copy and/or
    casts."
    """
    v = nt.dvector("v")
    f = function([In(v, value=[0.0])], v)
    given = np.ones(2, "int32")
    f.value["v"] = given
    given[:] = 5
    assert f.value["v"].dtype == np.float64
    np.testing.assert_array_equal(f(), [1, 1])
    for wrong, error in (("words", TypeError), ([[1.0]], TypeError), (1j, TypeError)):
        with pytest.raises(error):
            f.value["v"] = wrong
    np.testing.assert_array_equal(f(), [1, 1])


def test_words_of_the_errors_of_calls():
    """"TypeError: Missing required input: y" and "Unknown input or state: x. The function has 3 named inputs ..." """
    x, y, z, w = nt.scalar(), nt.scalar("y"), nt.scalar("z"), nt.scalar("w")
    fn = function(inputs=[x, y, In(z, value=42), ((w, w + x), 0)], outputs=x + y + z)
    for call, words in ((lambda: fn(1), "Missing required input: y"), (lambda: fn(x=1, y=2), (
            "Unknown input or state: x. The function has 3 named inputs (y, z, w), and 1 unnamed input which thus "
            "cannot be accessed through keyword argument (use 'name=...' in a variable's constructor to give it a "
            "name).")),
            (lambda: fn["x"], "Unknown input or state: x. The function has 3 named inputs (y, z, w), and 1 unnamed")):
        with pytest.raises(TypeError) as caught:
            call()
        assert str(caught.value).startswith(words)
        assert type(caught.value) is TypeError


def test_the_form_of_the_outputs_is_the_form_of_the_result():
    """"If a single Variable or Out instance is given as argument, then the compiled function will return a single
    value. If a list of Variable or Out instances is given as argument, then the compiled function will return a list of
    their values."
    """
    x = nt.dscalar("x")
    for single in (x + 1, Out(x + 1), Out(x + 1, borrow=True)):
        assert isinstance(function([x], single)(1), np.ndarray)
        assert function([x], [single])(1) == [2.0]
    assert function([x], None, on_unused_input="ignore")(1) is None
    assert function([x], {"a": Out(x), "b": x + 1})(1) == {"a": 1.0, "b": 2.0}


def test_a_result_is_not_clobbered_unless_that_is_allowed():
    """"A value returned for this output might be clobbered by running the function again, but the function might be
    faster. Default: False"
    """
    x, w = nt.dvector("x"), shared(np.zeros(2), "w")
    assert Out(x).borrow is False
    f = function([x], [x * 2, w, x, w + x], updates=[(w, w + x)])
    kept, expected = [], []
    for value in (1.0, 2.0, 3.0):
        kept.append(f(np.full(2, value)))
        expected.append([array.copy() for array in kept[-1]])
    np.testing.assert_array_equal(kept, expected)
    np.testing.assert_array_equal(function([In(x, borrow=True)], Out(x + x, borrow=True))([1.0]), [2.0])


def test_output_subset_computes_what_is_asked_for_and_all_updates():
    """"Keyword argument output_subset is a list of either indices of the function's outputs or the keys belonging to
    the output_keys dict"  "Regardless of the presence of output_subset, the updates are always calculated and
    processed."
    """
    x, s, w = nt.dscalar("x"), nt.dscalar("s"), shared(0, "w")
    fails = nt.as_tensor_variable([1.0, 2.0])[nt.cast(x, "int64")]
    f = function([x, In(s, value=0.0, update=s + 1)], [x + 1, fails, x + 3], updates=[(w, w + 1)])
    g = function([x], {"a": x + 1, "fails": fails}, updates=[(w, w + 1)])
    assert f(5, output_subset=[2, 0]) == [8.0, 6.0]
    assert f(5, output_subset=(np.int64(0), 0)) == [6.0, 6.0]
    assert f(x=5, output_subset=[]) == []
    assert g(5, output_subset=["a"]) == {"a": 6.0}
    assert (w.get_value(), f["s"]) == (4, 3.0)
    for wrong, error in ([3], ValueError), ([-1], ValueError), (["a"], ValueError), (1, TypeError), ("a", TypeError):
        with pytest.raises(error, match="output_subset"):
            f(5, output_subset=wrong)
    assert w.get_value() == 4
