"""Sentences of the reference of `function`, and of the tutorial that nbgraph follows, quoted where they are checked."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph import In, Out, Param, function, shared
from nbgraph.compile.container import Container
from nbgraph.compile.function.types import Function
from nbgraph.compile.shared import TensorSharedVariable
from nbgraph.errors import DTypeError, GraphError, ShapeError

FORMS = {"list": list, "tuple": tuple, "dict": dict}


@pytest.mark.parametrize("form", FORMS)
def test_updates_and_givens_are_lists_tuples_or_dicts(form):
    """"iterable over pairs (shared_variable, new_expression). List, tuple or dict."  "iterable over pairs (Var1, Var2)
    of Variables. List, tuple or dict."
    """
    a, b, x = shared(1.0, "a"), shared(2.0, "b"), nt.dscalar("x")
    f = function([x], a + b, updates=FORMS[form]([(a, b), (b, a)]), givens=FORMS[form]([(a, x), (b, x * 2)]))
    assert f(10) == 30.0
    assert (a.get_value(), b.get_value()) == (20.0, 10.0)


def test_updates_replace_values_after_the_call_and_see_the_old_ones():
    """"After each function evaluation, the updates mechanism can replace the value of any (implicit) SharedVariable
    inputs with new values computed from the expressions in the updates list."
    """
    a, b, s = shared(1.0, "a"), shared(10.0, "b"), nt.dscalar("s")
    f = function([In(s, value=100.0, update=a + b)], [a, b, s], updates=[(a, b + s), (b, a + s)])
    assert f() == [1.0, 10.0, 100.0]
    assert (a.get_value(), b.get_value(), f["s"]) == (110.0, 101.0, 11.0)


def test_two_updates_for_a_variable_are_refused():
    """"An exception will be raised if you give two update expressions for the same SharedVariable input (that doesn't
    make sense)."
    """
    a = shared(1.0, "a")
    with pytest.raises(GraphError, match=r"two updates for a(.|\n)*where: a +float64(.|\n)*give one update"):
        function([], a, updates=[(a, a + 1), (a, a + 1)])
    s = nt.dscalar("s")
    with pytest.raises(GraphError, match="given twice"):
        function([In(s, value=1.0, update=s + 1), In(s, value=1.0, update=s + 2)], s)


def test_two_updates_for_one_value_are_refused():
    a, c, d = shared(1.0, "a"), nt.dscalar("c"), nt.dscalar("d")
    held = Container(c.type, 1.0)
    for build in (lambda: function([], [], updates=[(a, a + 1), (a.clone("twin"), a * 2)]),
                  lambda: function([In(c, value=held, update=c + 1), In(d, value=held, update=d * 2)], []),
                  lambda: function([In(c, value=a, update=c + 1)], [], updates=[(a, a * 2)])):
        with pytest.raises(GraphError, match=r"two updates for the value that \w+ and \w+ share"):
            build()
    assert function([In(c, value=held, update=c + 1), In(d, value=held)], c + d)() == 2.0


@pytest.mark.parametrize(("value", "expression", "error"), [
    (1, lambda x: x * 0.5, "must be int64"), (np.float32(1), lambda x: x, "must be float32"),
    (np.ones(2), lambda x: x, "same rank"), (1.0, lambda x: x + 1j, "must be float64"), (1, lambda x: 1.5, "lose"),
    (1.0, lambda x: "words", "cannot make"), (1.0, lambda x: object(), "cannot make"),
])
def test_an_update_must_fit_in_dtype_and_rank(value, expression, error):
    """"expressions for new SharedVariable values" """
    w, x = shared(value, "w"), nt.dscalar("x")
    with pytest.raises(DTypeError, match=rf"update of w: (.|\n)*{error}"):
        function([x], [], updates=[(w, expression(x))], on_unused_input="ignore")


def test_an_update_that_loses_nothing_is_cast():
    w, n = shared(0.5, "w"), nt.iscalar("n")
    function([n], [], updates=[(w, n)])(3)
    assert (w.get_value(), w.get_value().dtype) == (3.0, np.float64)
    function([], [], updates=[(w, 7)])()
    assert w.get_value() == 7.0


def test_values_that_are_updated_alike_share_no_memory():
    x = nt.dvector("x")
    a, b = shared(np.zeros(2), "a"), shared(np.zeros(2), "b")
    f = function([x], [x + 1, x], updates=[(a, x + 1), (b, x + 1)])
    given = np.ones(2)
    results = [*f(given), a.get_value(borrow=True), b.get_value(borrow=True), given]
    for i, array in enumerate(results):
        array[:] = i
    np.testing.assert_array_equal(results, [[i, i] for i in range(5)])


def test_default_updates_are_applied_unless_refused():
    """"If a SharedVariable is not given an update expression, but has a Variable.default_update member containing an
    expression, this expression will be used as the update expression for this variable. Passing no_default_updates=True
    to function disables this behavior entirely, passing no_default_updates=[sharedvar1, sharedvar2] disables it for the
    mentioned variables."
    """
    a, b, c = shared(0, "a"), shared(0, "b"), shared(0, "c")
    for v in (a, b, c):
        v.default_update = v + 1
    out = a + b + c
    for refused, expected in ((False, (1, 1, 1)), (True, (0, 0, 0)), ([a, b], (0, 0, 1)), ((), (1, 1, 1)),
                              ({c}, (1, 1, 0))):
        for v in (a, b, c):
            v.set_value(0)
        function([], out, no_default_updates=refused)()
        assert (a.get_value(), b.get_value(), c.get_value()) == expected
    for v in (a, b, c):
        v.set_value(0)
    function([], out, updates=[(a, a + 10)], no_default_updates=[b])()
    assert (a.get_value(), b.get_value(), c.get_value()) == (10, 0, 1)


@pytest.mark.parametrize("wrong", ["x", None, [3], 3, "a variable"])
def test_no_default_updates_is_a_bool_or_a_list(wrong):
    """"either bool or list of Variables" """
    a = shared(0, "a")
    with pytest.raises(DTypeError, match="no_default_updates: must be True, False or a list of shared variables"):
        function([], a, no_default_updates=a if wrong == "a variable" else wrong)


def test_givens_replace_any_part_of_a_formula():
    """"The givens parameter can be used to replace any symbolic variable, not just a shared variable. You can replace
    constants, and expressions, in general."
    """
    x, y, two, state = nt.dscalar("x"), nt.dscalar("y"), nt.constant(2.0), shared(3.0, "state")
    middle = nt.exp(x)
    z = middle * two + state
    assert function([y], z, givens=[(middle, y)])(5) == 13.0
    assert function([x], z, givens={two: nt.constant(10.0)})(0) == 13.0
    assert function([x], z, givens={two: 4, state: np.float32(1)})(0) == 5.0
    assert function([x, y], z, givens={state: y * y})(0, 3) == 11.0
    assert function([x], z)(0) == 5.0, "the graph of the user is as it was"


def test_givens_are_for_one_function_and_the_state_is_not_used():
    """"It may happen that you expressed some formula using a shared variable, but you do not want to use its value."
    """
    state, foo = shared(0, "state"), nt.lscalar("foo")
    state.default_update = state + 1
    assert function([foo], state * 2, givens=[(state, foo)])(3) == 6
    assert state.get_value() == 0


def test_a_given_must_have_the_same_type():
    """"The Var1 and Var2 in each pair must have the same Type."  "True (Default) is the safer and better tested
    setting, in which case givens must substitute new variables with the same Type as the variables they replace."
    """
    x, n, m = nt.dvector("x"), nt.lvector("n"), nt.dmatrix("m")
    for wrong in (n, m, nt.fvector("f"), "words", [[1.0]], 2.0):
        with pytest.raises(DTypeError, match="given of x"):
            function([wrong] if isinstance(wrong, nt.TensorVariable) else [], x + 1, givens={x: wrong})


def test_a_given_of_another_kind_of_type_says_which_one_fits():
    x, items = nt.dvector("x"), shared([1.0], "items")
    with pytest.raises(DTypeError, match=r"given of x: must be float64\[\?\], got object(.|\n)*of type float64"):
        function([], x, givens={x: items})


def test_givens_of_any_type_build_the_graph_again():
    """"False is a you-better-know-what-you-are-doing setting, that permits givens to replace variables with new
    variables of any Type."  "If one of the new types does not make sense for one of the Ops in the graph, an Exception
    will be raised."
    """
    x, y, n, m, i = nt.dvector("x"), nt.dvector("y"), nt.lvector("n"), nt.dmatrix("m"), nt.lscalar("i")
    assert function([n], x + x, givens={x: n}, rebuild_strict=False)([1, 2]).dtype == np.int64
    changed = function([m], nt.exp(x), givens={x: m}, rebuild_strict=False)(np.zeros((2, 3)))
    np.testing.assert_array_equal(changed, np.ones((2, 3)))
    with pytest.raises(DTypeError, match="index must be an integer, got d"):
        d = nt.dscalar("d")
        function([y, d], y[i], givens={i: d}, rebuild_strict=False)
    with pytest.raises(ShapeError, match="needs arrays of one rank"):
        function([m, y], nt.concatenate([x, y]), givens={x: m}, rebuild_strict=False)


@pytest.mark.parametrize(("action", "outcome"), [("raise", GraphError), (None, GraphError), ("warn", UserWarning),
                                                 ("ignore", None)])
def test_what_happens_to_an_unused_input(action, outcome):
    """"What to do if a variable in the 'inputs' list is not used in the graph. Possible values are 'raise', 'warn', and
    'ignore'."
    """
    x, y = nt.dscalar("x"), nt.dscalar("y")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if outcome is None:
            assert function([x, y], x, on_unused_input=action)(1, 2) == 1.0
            return
        with pytest.raises(outcome, match=r"no output or update needs the input y \(position 1\)"):
            function([x, y], x, on_unused_input=action)


def test_the_name_of_a_function():
    """"an optional name for this function" """
    x = nt.dscalar("x")
    f = function([x], x, name="named")
    assert (f.name, function([x], x).name) == ("named", None)
    with pytest.raises(DTypeError, match="named: input x"):
        f("words")
    with pytest.raises(TypeError, match="the name of a function must be a string or None, got 3"):
        function([x], x, name=3)


# Casting: (constructor, value, allow_input_downcast: None, False, True); what is taken, or an error.
OK, NO = True, False
CASTS = [
    (nt.dscalar, 3, (OK, OK, OK)), (nt.dscalar, True, (OK, OK, OK)), (nt.dscalar, np.float32(0.5), (OK, OK, OK)),
    (nt.dscalar, 2**53 + 1, (OK, OK, OK)), (nt.dscalar, np.int64(3), (OK, OK, OK)), (nt.dscalar, 1j, (NO, NO, NO)),
    (nt.fscalar, 0.5, (OK, OK, OK)), (nt.fscalar, 0.1, (NO, NO, OK)), (nt.fscalar, np.float64(0.5), (NO, NO, OK)),
    (nt.fscalar, 1e300, (NO, NO, OK)), (nt.iscalar, 3.0, (NO, NO, OK)), (nt.iscalar, 2**40, (NO, NO, OK)),
    (nt.bscalar, 127, (OK, OK, OK)), (nt.bscalar, 128, (NO, NO, OK)), (nt.bscalar, np.int64(3), (NO, NO, OK)),
    (nt.lscalar, np.uint64(3), (NO, NO, OK)), (nt.lscalar, True, (OK, OK, OK)), (nt.zscalar, 2, (OK, OK, OK)),
    (nt.dvector, [1, 2], (OK, OK, OK)), (nt.dvector, (True, False), (OK, OK, OK)), (nt.dvector, [], (OK, OK, OK)),
    (nt.dvector, range(3), (OK, OK, OK)), (nt.fvector, [0.5, 0.25], (OK, OK, OK)), (nt.fvector, [0.1], (NO, NO, OK)),
    (nt.fvector, np.ones(2), (NO, NO, OK)), (nt.lvector, np.ones(2), (NO, NO, OK)), (nt.lvector, [1.0], (NO, NO, OK)),
    (nt.bvector, [1, 127], (OK, OK, OK)), (nt.bvector, [1, 300], (NO, NO, OK)),
    (nt.fvector, np.ones(2, "int16"), (OK, OK, OK)), (nt.dvector, np.ones(2, complex), (NO, NO, NO)),
    (nt.dvector, ["1"], (NO, NO, NO)), (nt.dvector, None, (NO, NO, NO)), (nt.dvector, 1.0, (NO, NO, NO)),
    (nt.dvector, [[1.0]], (NO, NO, NO)), (nt.dscalar, [1.0], (NO, NO, NO)), (nt.dscalar, "1", (NO, NO, NO)),
    (nt.dmatrix, [], (NO, NO, NO)),
]


@pytest.mark.parametrize("case", range(len(CASTS)), ids=lambda i: f"{CASTS[i][0]('x').type} {CASTS[i][1]!r}")
@pytest.mark.parametrize(("place", "allowed"), [(0, None), (1, False), (2, True)], ids=["None", "False", "True"])
def test_what_may_be_cast_to_what(case, place, allowed):
    """"True means that the values passed as inputs when calling the function can be silently downcasted to fit the
    dtype of the corresponding Variable, which may lose precision. False means that it will only be cast to a more
    general, or precise, type. None (default) is almost like False, but allows downcasting of Python float scalars to
    floatX."
    """
    constructor, value, outcomes = CASTS[case]
    x = constructor("x")
    for f in (function([x], x, allow_input_downcast=allowed), function([In(x, allow_downcast=allowed)], x)):
        if not outcomes[place]:
            with pytest.raises(DTypeError, match=r"input x \(position 0\)"):
                f(value)
            continue
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            expected = np.asarray(value).astype(x.dtype)
            warnings.simplefilter("error")
            result = f(value)
        assert result.dtype == np.dtype(x.dtype)
        np.testing.assert_array_equal(result, expected)


def test_python_floats_become_floatX_where_nothing_else_is_said():
    """"allows downcasting of Python float scalars to floatX" """
    x, v, d = nt.fscalar("x"), nt.fvector("v"), nt.dscalar("d")
    with nbgraph.config.change_flags(floatX="float32"):
        assert function([x], x)(0.1) == np.float32(0.1)
        assert function([In(x, value=0.1)], x)() == np.float32(0.1)
        assert function([d], d)(0.1) == 0.1
        for refused in (lambda: function([x], x, allow_input_downcast=False)(0.1), lambda: function([v], v)([0.1]),
                        lambda: function([x], x)(np.float64(0.1)), lambda: function([x], x)(np.array(0.1))):
            with pytest.raises(DTypeError, match="would lose precision as float32"):
                refused()


def test_mutable_and_borrow_and_their_absence():
    """"True means the compiled-function is allowed to modify this argument. False means it is not allowed." """
    x = nt.dvector("x")
    given = np.arange(3.0)
    for spec in (In(x), In(x, borrow=True), In(x, mutable=True), Param(x, mutable=True)):
        results = function([spec], [x, Out(x * 2, borrow=True)])(given)
        assert not any(np.shares_memory(r, given) for r in results)
    np.testing.assert_array_equal(given, [0, 1, 2])


def test_a_borrowed_value_is_read_where_it_is_and_never_written():
    """"A function argument may be copied or cast to match"; borrowing says that it need not be. """
    given, x = np.zeros(2), nt.dvector("x")
    w = shared(given, "w", borrow=True)
    f = function([x], w, updates=[(w, w + x)])
    given[:] = 5
    np.testing.assert_array_equal(f([1.0, 2.0]), [5, 5])
    for _ in range(5):
        f([1.0, 1.0])
    np.testing.assert_array_equal(given, [5, 5], err_msg="updates go to other memory")
    kept = w.get_value(borrow=True)
    before = kept.copy()
    for _ in range(5):
        f([1.0, 1.0])
    np.testing.assert_array_equal(kept, before)


def test_trusted_input_is_not_checked_and_still_right():
    """"When True, the Function will skip all checks on the inputs." """
    x, n = nt.dvector("x"), nt.lscalar("n")
    f = function([x, n], [x * 2, n + 1])
    f.trust_input = True
    doubled, more = f(np.ones(2), 3)
    np.testing.assert_array_equal(doubled, [2, 2])
    assert more == 4


def test_finders_name_containers_and_inputs():
    """"We set an entry in finder for: - the index of the input - the variable instance the input is based on - the name
    of the input"
    """
    x, y, w = nt.dscalar("x"), nt.dscalar("y"), shared(1.0, "w")
    f = function([x, In(y, value=2.0, name="other")], x + y + w)
    assert [f.finder[k] is f.container[1] for k in (1, y, "other")] == [True] * 3
    assert f.finder["w"] is f.finder[w] is w.container
    assert {f.inv_finder[c] for c in f.inv_finder} == {x, y, w}
    assert f.inv_finder[f.finder["other"]] is y


def test_a_function_shows_its_graph_and_frees_nothing():
    x, w = nt.dvector("x"), shared(np.ones(2), "w")
    f = function([x], x * w)
    assert isinstance(f, Function)
    assert [v.name for v in f.maker.fgraph.inputs] == ["x", "w"]
    assert len(f.maker.fgraph.toposort()) == 1
    assert f.free() is None
    np.testing.assert_array_equal(f([1.0, 2.0]), [1, 2])


def test_shared_values_keep_their_numpy_dtype_and_lengths_may_change():
    """"Shared variable size can change over time, so we can't use the shape to find the broadcastable pattern."
    "Unknown shape values for dimensions take the value None; otherwise, integers are used for known static shape
    values. For example, aesara.shared(..., shape=(1, None))."
    """
    for value, dtype in ((0, "int64"), (0.0, "float64"), (np.float32(0), "float32"), (True, "bool"),
                         (0j, "complex128")):
        state = shared(value)
        assert isinstance(state, TensorSharedVariable) and state.dtype == state.get_value().dtype == dtype
    free = shared(np.zeros((1, 2)))
    assert free.broadcastable == (False, False)
    free.set_value(np.zeros((3, 4)))
    for state in (shared(np.zeros((1, 2)), shape=(1, None)), shared(np.zeros((1, 2)), broadcastable=(True, False))):
        state.set_value(np.zeros((1, 5)))
        with pytest.raises(ShapeError):
            state.set_value(np.zeros((2, 5)))


def test_param_is_the_older_spelling_of_in():
    """"__init__(self, variable, default=None, name=None, mutable=False, strict=False)" """
    x, y = nt.dscalar("x"), nt.dscalar("y")
    f = nbgraph.function([x, Param(y, np.float64(1), "other", False, True)], x + y)
    assert (f(1), f(1, other=np.float64(2))) == (2.0, 3.0)
    with pytest.raises(DTypeError):
        f(1, other=2)
    with pytest.raises(TypeError, match="Missing required input: x"):
        nbgraph.function([Param(x)], x)()
