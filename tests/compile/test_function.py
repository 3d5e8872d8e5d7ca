"""function: forms of outputs, calls, casting, givens, unused inputs, copies, failures that change nothing."""

from __future__ import annotations

import copy
import re
import warnings

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph import In, function, shared
from nbgraph.compile.function.access import DUPLICATE
from nbgraph.errors import ArgumentError, DTypeError, GraphError, ShapeError
from nbgraph.graph.basic import Apply
from nbgraph.graph.op import Op


def element(x):
    """x-th of two numbers: an index that is out of bounds fails in the middle of the call."""
    return nt.as_tensor_variable([10.0, 20.0])[nt.cast(x, "int64")]


class Overwriting(Op):
    """x + 1, written over x."""

    __props__ = ()
    destroy_map = {0: [0]}

    def make_node(self, x):
        x = nt.as_tensor_variable(x)
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        inputs[0] += 1
        output_storage[0][0] = inputs[0]


def test_result_has_the_form_of_the_outputs():
    x = nt.dscalar("x")
    assert isinstance(function([x], x + 1)(1), np.ndarray)
    assert function([x], [x + 1])(1) == [2.0]
    assert function([x], (x, x + 1))(1) == [1.0, 2.0]
    assert function([x], {"b": x, "a": x + 1})(1) == {"b": 1.0, "a": 2.0}
    assert list(function([x], {"b": x, "a": x + 1})(1)) == ["b", "a"]
    assert function([], [])() == []
    assert function([], None)() is None
    assert function([])() is None
    with pytest.raises(ArgumentError, match="keys"):
        function([x], {1: x})


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float32", "float64", "complex64"])
def test_scalar_results_are_arrays_of_the_right_dtype(dtype):
    x = nt.scalar("x", dtype=dtype)
    for value in (np.array(1, dtype), np.dtype(dtype).type(1), dtype == "bool" or 1):
        result = function([x], x)(value)
        assert type(result) is np.ndarray
        assert result.dtype == np.dtype(dtype)
        assert result == 1


@pytest.mark.parametrize("value", [
    [[1, 2, 3], [4, 5, 6]], np.arange(6).reshape(2, 3), np.arange(6.0).reshape(3, 2).T,
    np.arange(24.0).reshape(4, 6)[::2, ::2], np.arange(6, dtype=">f8").reshape(2, 3),
    np.arange(6, dtype="float32").reshape(2, 3), np.zeros((0, 3)),
], ids=["list", "int", "fortran", "strided", "byte order", "float32", "empty"])
def test_arrays_of_any_layout_and_safe_dtype_are_taken(value):
    x = nt.dmatrix("x")
    result = function([x], 2 * x)(value)
    np.testing.assert_array_equal(result, 2 * np.asarray(value, float))
    assert result.dtype == np.float64


def test_array_subclasses_are_taken_as_plain_arrays():
    class Tagged(np.ndarray):
        pass

    x = nt.dvector("x")
    result = function([x], [x, x + 1])(np.arange(3.0).view(Tagged))
    assert [type(r) for r in result] == [np.ndarray, np.ndarray]


def test_unaligned_and_read_only_arrays_are_taken():
    x = nt.dvector("x")
    f = function([x], x + 1)
    unaligned = np.frombuffer(b"\0" + np.arange(3.0).tobytes(), np.float64, offset=1)
    assert not unaligned.flags.aligned
    np.testing.assert_array_equal(f(unaligned), [1, 2, 3])
    read_only = np.arange(3.0)
    read_only.flags.writeable = False
    np.testing.assert_array_equal(f(read_only), [1, 2, 3])
    assert f(read_only).flags.writeable


@pytest.mark.parametrize(("constructor", "value", "error"), [
    (nt.lvector, np.ones(2), DTypeError), (nt.ivector, np.ones(2, "int64"), DTypeError),
    (nt.fvector, np.ones(2), DTypeError), (nt.dvector, np.ones(2, complex), DTypeError),
    (nt.dvector, np.ones((2, 2)), DTypeError), (nt.dvector, 3.0, DTypeError), (nt.dscalar, [1.0], DTypeError),
    (nt.dvector, ["a"], DTypeError), (nt.dvector, None, DTypeError), (nt.dvector, [[1], [1, 2]], DTypeError),
    (nt.drow, np.ones((2, 3)), ShapeError), (nt.iscalar, 2**40, DTypeError), (nt.dscalar, nt.dscalar("s"), DTypeError),
])
def test_wrong_value_is_an_error_that_names_the_input_and_its_line(constructor, value, error):
    x = constructor("the_input")
    f = function([x], x + x, name="doubling")
    with pytest.raises(error) as caught:
        f(value)
    message = str(caught.value)
    assert "doubling: input the_input (position 0)" in message
    assert 'x = constructor("the_input")' in message
    assert "fix:" in message


def test_wrong_known_length_is_an_error_with_both_shapes():
    x = nt.tensor("x", dtype="float64", shape=(None, 3))
    f = function([x], x.sum())
    assert f(np.ones((2, 3))) == 6
    with pytest.raises(ShapeError, match=r"axis 1 must have length 3 .*\(2, 4\)"):
        f(np.ones((2, 4)))


def test_allow_input_downcast_says_what_may_lose_precision():
    x = nt.fvector("x")
    with pytest.raises(DTypeError):
        function([x], x)(np.ones(1))
    assert function([x], x, allow_input_downcast=True)(np.full(1, 0.1)).dtype == np.float32
    s = nt.fscalar("s")
    with nbgraph.config.change_flags(floatX="float32"):
        assert function([s], s)(0.1) == np.float32(0.1)
        with pytest.raises(DTypeError):
            function([s], s, allow_input_downcast=False)(0.1)


def test_arguments_that_do_not_fit_are_refused():
    x, y = nt.dscalars("x", "y")
    f = function([x, In(y, value=1)], x + y)
    with pytest.raises(ArgumentError, match="too many arguments: the function takes 2, got 3"):
        f(1, 2, 3)
    with pytest.raises(ArgumentError, match="the input x is given twice"):
        f(1, x=2)
    with pytest.raises(TypeError, match=r"^Missing required input: x$"):
        f()
    with pytest.raises(TypeError, match=r"^Unknown input or state: z\. The function has 2 named inputs \(x, y\)\.$"):
        f(1, z=2)
    with pytest.raises(TypeError, match=r"^Unknown input or state: z\. The function has no inputs\.$"):
        function([], nt.constant(1))(z=1)
    unnamed = nt.dscalar()
    with pytest.raises(TypeError, match=r"The function has 1 unnamed input which"):
        function([unnamed], unnamed)(z=1)


def test_a_given_default_is_for_one_call_only():
    x, y = nt.dscalars("x", "y")
    f = function([x, In(y, value=1)], x + y)
    assert [f(1), f(1, 5), f(1, y=7), f(1)] == [2, 6, 8, 2]


def test_a_value_set_between_calls_stands_in_for_a_required_input():
    x = nt.dscalar("x")
    f = function([x], 2 * x)
    f["x"] = 4
    assert (f(), f(1), f()) == (8, 2, 8)


@pytest.mark.parametrize("form", [dict, list, tuple], ids=["dict", "list", "tuple"])
def test_givens_replace_inputs_shared_variables_constants_and_expressions(form):
    x, y, two, state = nt.dscalar("x"), nt.dscalar("y"), nt.constant(2.0), shared(3.0)
    inner = nt.exp(x)
    z = inner * two + state
    assert function([y], z, givens=form([(inner, y), (two, nt.constant(10.0)), (state, y)]))(4) == 44
    assert function([], z, givens=form([(x, 0.0)]))() == 5
    assert function([x], z)(0) == 5


def test_givens_are_put_in_all_at_once():
    x, y = nt.dscalars("x", "y")
    assert function([x, y], x - y, givens={x: y, y: x})(5, 3) == -2
    assert function([x], x + 1, givens={x: x * 10})(2) == 21


def test_givens_reach_updates_and_input_updates():
    state, x, y = shared(1.0), nt.dscalar("x"), nt.dscalar("y")
    f = function([y], [], updates={state: state + x}, givens={x: y * 2})
    f(3)
    assert state.get_value() == 7
    s = nt.dscalar("s")
    g = function([y, In(s, value=0.0, update=s + x)], [], givens={x: y})
    g(4)
    assert g[s] == 4


def test_given_of_another_type_needs_rebuild_strict_false():
    x, n = nt.dvector("x"), nt.lvector("n")
    with pytest.raises(DTypeError, match=r"given of x: must be float64\[\?\], got int64\[\?\]"):
        function([n], x + 1, givens={x: n})
    f = function([n], x + x, givens={x: n}, rebuild_strict=False)
    assert f([1, 2]).dtype == np.int64
    with pytest.raises(DTypeError, match="given of x"):
        function([], x + 1, givens={x: nt.dmatrix("m")})
    with pytest.raises(GraphError, match="two givens for x"):
        function([], x + 1, givens=[(x, [1.0]), (x, [2.0])])
    with pytest.raises(DTypeError, match="givens replace symbolic variables"):
        function([x], x + 1, givens={3.0: x})


def test_given_with_an_unknown_length_is_checked_at_run_time():
    row, m = nt.drow("row"), nt.dmatrix("m")
    f = function([m], row + np.zeros((3, 2)), givens={row: m})
    np.testing.assert_array_equal(f([[1, 2]]), np.tile([1, 2], (3, 1)))
    with pytest.raises(ShapeError):
        f(np.ones((3, 2)))


def test_unused_input_is_an_error_a_warning_or_nothing():
    x, y = nt.dscalars("x", "y")
    with pytest.raises(GraphError, match=r"needs the input y \(position 1\)"):
        function([x, y], x)
    with pytest.warns(UserWarning, match="needs the input y") as caught:
        assert function([x, y], x, on_unused_input="warn")(1, 2) == 1
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert function([x, y], x, on_unused_input="ignore")(1, 2) == 1
    with pytest.raises(ValueError, match="on_unused_input"):
        function([x], x, on_unused_input="perhaps")
    with pytest.raises(GraphError, match="needs the input x"):
        function([x, y], x + y, givens={x: y})


def test_a_leaf_without_a_value_is_an_error_at_build():
    x, y = nt.dscalars("x", "y")
    with pytest.raises(GraphError, match="needs y, which is neither an input nor shared nor a constant"):
        function([x], x + y)


def test_inputs_must_be_a_list():
    x = nt.dscalar("x")
    with pytest.raises(ArgumentError, match="must be a list"):
        function(x, x)


def test_an_expression_can_be_an_input():
    x, y = nt.dscalars("x", "y")
    middle = nt.exp(x)
    f = function([middle, y], middle * y + 1, givens={x: nt.constant(0.0)})
    assert f(5, 2) == 11


def test_output_subset_gives_the_chosen_outputs_and_updates_all_the_same():
    x, state = nt.dscalar("x"), shared(0)
    f = function([x], [x + 1, x + 2, element(x)], updates={state: state + 1})
    assert f(1, output_subset=[1]) == [3]
    assert f(9, output_subset=[1, 0]) == [11, 10]
    assert state.get_value() == 2
    g = function([x], {"a": x + 1, "b": x + 2}, updates={state: state + 1})
    assert g(1, output_subset=["b"]) == {"b": 3}
    assert state.get_value() == 3
    with pytest.raises(ValueError, match="output_subset names 'c'"):
        g(1, output_subset=["c"])
    with pytest.raises(ValueError, match="output_subset names 3"):
        f(1, output_subset=[3])


def test_a_call_that_raises_changes_nothing():
    x, s, state = nt.dscalar("x"), nt.dscalar("s"), shared(1.0)
    f = function([x, In(s, value=5.0, update=s + 1)], element(x), updates={state: state + x})
    for wrong, error in ((2.0, IndexError), ("text", TypeError)):
        with pytest.raises(error):
            f(wrong)
        assert state.get_value() == 1
        assert f[s] == 5
    assert f(1) == 20
    assert state.get_value() == 2
    assert f[s] == 6


def test_results_do_not_alias_inputs_constants_or_each_other():
    x = nt.dmatrix("x")
    c = nt.constant(np.ones((2, 2)))
    total = x + 1
    f = function([x], [x, x.T, c, total, total.T])
    given = np.eye(2)
    results = f(given)
    everything = [given, c.data, *results]
    for i, a in enumerate(everything):
        assert not any(np.shares_memory(a, b) for b in everything[i + 1:])
    assert all(r.flags.writeable and r.flags.c_contiguous for r in results)


def test_inplace_op_is_refused_unless_accepted_and_never_reaches_the_argument():
    x = nt.dvector("x")
    with pytest.raises(GraphError, match="overwrites its input"):
        function([x], Overwriting()(x))
    given = np.zeros(2)
    np.testing.assert_array_equal(function([x], Overwriting()(x), accept_inplace=True, mode="reference")(given), [1, 1])
    np.testing.assert_array_equal(given, [0, 0])


def test_copy_shares_the_compiled_code_but_not_the_defaults():
    x, s = nt.dscalars("x", "s")
    f = function([x, In(s, value=1.0, update=s + x)], s, name="f")
    g = f.copy()
    h = copy.copy(f)
    assert h.maker is f.maker and g.maker is not f.maker
    assert g.maker.fgraph is not f.maker.fgraph and g.maker.executor is f.maker.executor
    assert (g.name, h.name, f.copy(name="other").name) == ("f copy", "f", "other")
    f(10)
    assert (f[s], g[s], h[s]) == (11, 1, 1)
    assert g(1) == [1.0]
    assert isinstance(h(1), np.ndarray)


def test_copy_with_swap_is_checked():
    state, other = shared(0, name="state"), shared(0.0)
    f = function([], state, updates={state: state + 1})
    with pytest.raises(DTypeError, match="swap of state"):
        f.copy(swap={state: other})
    with pytest.raises(DTypeError, match="not a shared variable"):
        f.copy(swap={state: nt.lscalar()})
    with pytest.raises(TypeError, match="no shared variable of the function; those are: state"):
        f.copy(swap={other: state})
    new = shared(5, name="new")
    g = f.copy(swap={state: new})
    assert g["new"] == 5
    assert f["state"] == 0


def test_functions_are_equal_to_themselves_only():
    x = nt.dscalar("x")
    f = function([x], x)
    assert f != f.copy()
    assert len({f, f, f.copy()}) == 2


def test_trust_input_passes_arguments_unchecked():
    x = nt.dvector("x")
    f = function([x], x + 1)
    f.trust_input = True
    np.testing.assert_array_equal(f(np.ones(2)), [2, 2])


def test_trusted_call_still_converts_its_own_defaults(monkeypatch):
    monkeypatch.setattr("nbgraph.compile.mode.ReferenceExecutor", ScalarExecutor)
    x, y = nt.dscalars("x", "y")
    f = function([x, In(y, value=2)], x + y, mode="reference")
    f.trust_input = True
    f(3.0)
    assert f.maker.executor.called == [(3.0, 2.0)]
    assert type(f.maker.executor.called[0][1]) is float


def test_finder_has_positions_variables_and_names():
    x, state = nt.dscalar("x"), shared(1.0, name="x")
    f = function([x], x + state)
    assert f.finder[0] is f.finder[x] is f.container[x]
    assert f.finder["x"] is DUPLICATE
    assert f.finder[state] is state.container
    assert f.inv_finder[state.container] is state
    assert 0 in f
    assert "y" not in f
    with pytest.raises(TypeError, match="Ambiguous name: x"):
        f["x"]
    with pytest.raises(TypeError, match="Unknown input or state: y"):
        f["y"]
    with pytest.raises(TypeError, match="Unknown input or state: y"):
        f["y"] = 3


def test_truth_values_are_no_positions():
    x, y = nt.dscalar("x"), nt.dscalar("y")
    f = function([x, (y, 2.0)], x + y)
    for key in (True, False):
        assert key not in f and key not in f.value and f.container.get(key) is None
        with pytest.raises(TypeError, match=f"Unknown input or state: {key}"):
            f[key]
        with pytest.raises(TypeError, match=f"Unknown input or state: {key}"):
            f[key] = 1.0
    assert 1 in f and f[1] == 2.0


def test_setting_a_value_filters_it():
    x = nt.lscalar("x")
    f = function([In(x, value=1)], x)
    f[x] = 3
    assert f() == 3
    with pytest.raises(DTypeError, match="value of x"):
        f[x] = 2.5
    assert f[x] == 3


def test_function_shows_its_stages():
    x, w = nt.dvector("x"), shared(np.ones(2), name="w")
    f = function([x], [nt.exp(x)], updates={w: w + x}, name="step")
    assert repr(f) == "<nbgraph function step(x; w) -> exp; updates w>"
    assert len(f.stages.graph.inputs) == 2
    assert f.maker.fgraph.inputs == (x, w)
    assert "mode" in f.explain()
    assert re.search(r"made in [\d.]+ ms, rewriting [\d.]+ ms of it \(\d+%\)", f.explain())
    assert str(f.cache_info())
    assert (f.source is None) == (f.maker.mode.name == "reference")


def test_a_long_chain_builds_and_runs_in_reference_mode():
    x = nt.dscalar("x")
    z = x
    for _ in range(20_000):
        z = z + 1.0
    assert function([x], z, mode="reference")(1) == 20_001


class ScalarExecutor:
    """Stands for compiled code: takes Python scalars for 0-d inputs, and remembers what it was called with."""

    source = None
    stages = None
    constants, failure, destinations, refuses, states = (), (), (), False, frozenset()

    def __init__(self, fgraph):
        self.scalar_inputs = tuple(v.type.ndim == 0 for v in fgraph.inputs)
        self.fgraph, self.called = fgraph, []

    def error_of(self, failed):
        return failed

    def entry(self, *values):
        self.called.append(values)
        return tuple(0 if v.type.ndim == 0 else np.zeros((1,) * v.type.ndim) for v in self.fgraph.outputs)


@pytest.mark.parametrize(("dtype", "value", "passed"), [
    ("float64", 1.5, 1.5), ("float64", 3, 3.0), ("float64", np.float32(1.5), 1.5), ("float64", np.array(2.5), 2.5),
    ("float64", True, 1.0), ("int64", 3, 3), ("int64", np.int8(3), 3), ("int64", True, 1), ("float32", 1.5, 1.5),
    ("bool", True, True), ("complex128", 2, 2 + 0j), ("uint64", 2**63, 2**63),
])
def test_executor_gets_python_scalars_where_it_asks_for_them(monkeypatch, dtype, value, passed):
    monkeypatch.setattr("nbgraph.compile.mode.ReferenceExecutor", ScalarExecutor)
    x, state = nt.scalar("x", dtype=dtype), shared(np.array(1, dtype))
    f = function([x], x, updates={state: x}, mode="reference")
    result = f(value)
    assert f.maker.executor.called == [(passed,)]
    assert type(f.maker.executor.called[0][0]) is type(passed)
    assert type(result) is np.ndarray
    assert state.get_value().dtype == np.dtype(dtype)
    function([], state, mode="reference")()


@pytest.mark.parametrize(("dtype", "value"), [
    ("int64", 2**63), ("int64", 1.5),
    ("uint64", -1), ("int8", 128), ("float64", 2**70), ("float64", "1"), ("float64", 1j), ("int64", None),
])
def test_scalar_that_does_not_fit_is_refused_before_the_executor_sees_it(monkeypatch, dtype, value):
    monkeypatch.setattr("nbgraph.compile.mode.ReferenceExecutor", ScalarExecutor)
    x = nt.scalar("x", dtype=dtype)
    f = function([x], x, mode="reference")
    with pytest.raises(DTypeError, match=r"input x \(position 0\)"):
        f(value)
    assert not f.maker.executor.called


def test_strict_scalar_takes_only_its_dtype(monkeypatch):
    monkeypatch.setattr("nbgraph.compile.mode.ReferenceExecutor", ScalarExecutor)
    x = nt.dscalar("x")
    f = function([In(x, strict=True)], x, mode="reference")
    f(np.float64(1)), f(np.array(1.0))
    for wrong in (1.0, 1, np.float32(1)):
        with pytest.raises(DTypeError):
            f(wrong)


@pytest.mark.parametrize("name", ["lambda", "a b", "_call", "_missing", "µ", "None", "self", "__debug__"])
def test_a_keyword_may_be_any_name(name):
    x, y = nt.dscalar(name), nt.dscalar("y")
    f = function([x, y], x - y)
    assert f(y=1.0, **{name: 3.0}) == 2
    with pytest.raises(TypeError, match="Unknown input or state: z"):
        f(z=1.0, **{name: 3.0})


def test_errors_of_calls_by_keyword_name_the_users_line_and_nothing_else():
    x, y = nt.dvectors("x", "y")
    f = function([x, y], x + y)
    with pytest.raises(DTypeError, match=r"test_function.py:\d+ +f\(x=\"abc\", y=np.ones\(2\)\)"):
        f(x="abc", y=np.ones(2))
    for keywords in ({"x": np.ones(2)}, {"x": np.ones(2), "z": 1}):
        with pytest.raises(TypeError) as caught:
            f(**keywords)
        assert caught.value.__context__ is None
