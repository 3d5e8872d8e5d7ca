"""grad and Lop: values, dtypes, what is visited, and the rules for what has no gradient."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.errors import DisconnectedInputError, DTypeError, GraphError, NullGradError, ShapeError
from nbgraph.gradient import DisconnectedType, Lop, NullType, grad, grad_undefined, verify_grad
from nbgraph.graph.basic import Apply
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import Op
from nbgraph.graph.traversal import toposort


def value(output, **given):
    """The value of a variable or a list, leaves given by name."""
    outputs = output if isinstance(output, list) else [output]
    leaves = {v.name: v for node in toposort(outputs) for v in node.inputs if v.owner is None and v.name in given}
    leaves |= {v.name: v for v in outputs if v.name in given}
    known = {leaf: leaf.type.filter(given[name], allow_downcast=True) for name, leaf in leaves.items()}
    found = evaluate(FunctionGraph(list(known), outputs), list(known.values()))
    return found if isinstance(output, list) else found[0]


class Probe(Op):
    """Any number of inputs to any number of outputs, all float64 scalars; records that its gradient was asked for."""

    __props__ = None

    def __init__(self, terms, nout=1, pattern=None):
        self.terms, self.nout, self.asked = terms, nout, 0
        if pattern is not None:
            self.connection_pattern = lambda node: pattern

    def make_node(self, *inputs):
        return Apply(self, inputs, [nt.dscalar() for _ in range(self.nout)])

    def perform(self, node, inputs, output_storage):
        for cell in output_storage:
            cell[0] = np.array(sum(float(np.sum(x)) for x in inputs))

    def grad(self, inputs, output_gradients):
        self.asked += 1
        return self.terms(inputs, output_gradients)


# What is returned


def test_one_variable_gives_one_gradient_and_a_list_gives_a_list():
    x, y = nt.dscalars("x", "y")
    cost = x * y
    assert value(grad(cost, x), y=3.0) == 3.0
    assert value(grad(cost, [x, y]), x=2.0, y=3.0) == [3.0, 2.0]
    assert isinstance(grad(cost, (x, y)), tuple)
    assert grad(cost, []) == []


def test_grad_is_reached_from_the_package_and_from_the_tensor_module():
    assert nbgraph.grad is grad
    assert nt.grad is grad


def test_gradient_of_the_cost_itself_is_one():
    x = nt.fscalar("x")
    g = grad(x, x)
    assert g.type.dtype == "float32"
    assert value(g) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_gradient_has_the_dtype_of_its_variable(dtype):
    x = nt.tensor("x", dtype=dtype, shape=(None,))
    g = grad(nt.sum(nt.abs(nt.exp(x) * np.float64(2.0))), x)
    assert g.type.dtype == dtype


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64"])
def test_gradient_of_a_discrete_variable_is_float64(dtype):
    n = nt.tensor("n", dtype=dtype, shape=(3,))
    assert grad(nt.sum(nt.cast(n, "float32") * 0.5), n).type.dtype == "float64"


def test_mixed_precision_meets_in_the_dtype_of_each_variable():
    x, y = nt.fvector("x"), nt.dvector("y")
    gx, gy = grad(nt.sum(x * y), [x, y])
    assert (gx.type.dtype, gy.type.dtype) == ("float32", "float64")


def test_gradients_are_named_after_cost_and_variable():
    x, y = nt.dscalars("x", "y")
    cost = nt.exp(x) * y
    cost.name = "cost"
    assert grad(cost, x).name == "(dcost/dx)"
    assert grad(cost, x, add_names=False).name is None


def test_naming_leaves_a_variable_of_the_user_as_it_is():
    x = nt.dscalar("x")
    mine = nt.dscalar()
    y = x * 2
    cost = y * 3
    cost.name, y.name = "cost", "y"
    assert grad(cost, y, known_grads={y: mine}) is mine
    assert mine.name is None


# Values


@pytest.mark.parametrize("shapes", [((3,), (2, 3)), ((2, 1), (2, 3)), ((1, 3), (2, 1)), ((), (4,)), ((1,), (1, 1)),
                                    ((2, 1, 3), (4, 1)), ((0, 1), (0, 3))])
@pytest.mark.parametrize("name", ["add", "mul", "true_divide", "arctan2"])
def test_gradient_of_a_broadcast_operand_is_summed_to_its_shape(name, shapes):
    rng = np.random.default_rng(1)
    verify_grad(getattr(nt, name), [rng.uniform(0.5, 2, shape) for shape in shapes])


def test_gradient_of_a_broadcast_operand_keeps_its_static_shape():
    row, x = nt.tensor("r", dtype="float64", shape=(1, 3)), nt.dmatrix("x")
    assert grad(nt.sum(row * x), row).type.shape == (1, 3)


def test_a_variable_used_twice_collects_both_terms():
    x = nt.dscalar("x")
    assert value(grad(x * x * x, x), x=2.0) == 12.0


def test_wrt_may_be_an_intermediate_variable_and_its_ancestor_at_once():
    x = nt.dscalar("x")
    y = nt.exp(x)
    gx, gy = grad(y * y, [x, y])
    assert value(gy, x=1.0) == pytest.approx(2 * np.exp(1.0))
    assert value(gx, x=1.0) == pytest.approx(2 * np.exp(2.0))


def test_gradient_of_a_switch_that_guards_log_of_zero_is_finite():
    x = nt.dvector("x")
    safe = nt.switch(nt.gt(x, 0), x, 1.0)
    g = grad(nt.sum(nt.switch(nt.gt(x, 0), nt.log(safe), 0.0)), x)
    np.testing.assert_array_equal(value(g, x=[0.0, 2.0]), [0.0, 0.5])


def test_switch_sends_nothing_to_the_branch_not_taken():
    x = nt.dvector("x")
    gx = grad(nt.sum(nt.switch(nt.gt(x, 0), x, -x)), x)
    np.testing.assert_array_equal(value(gx, x=[-1.0, 2.0]), [-1.0, 1.0])


@pytest.mark.parametrize(("exponent", "expected"), [(0, 0.0), (1, 1.0), (2, 0.0), (3, 0.0)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradient_of_a_power_is_finite_at_zero(dtype, exponent, expected):
    x = nt.scalar("x", dtype=dtype)
    g = grad(x ** exponent, x)
    assert value(g, x=0.0) == expected


def test_second_derivative_of_a_power_is_finite_at_zero():
    x = nt.dscalar("x")
    for exponent, expected in ((0, 0.0), (1, 0.0), (2, 2.0), (3, 0.0)):
        assert value(grad(grad(x ** exponent, x), x), x=0.0) == expected


def test_second_derivative_of_a_square_is_two_also_at_zero():
    x = nt.dscalar("x")
    assert value(grad(grad(x ** 2, x), x), x=0.0) == 2.0
    assert value(grad(grad(x ** 2, x), x), x=-3.0) == 2.0


def test_gradient_of_the_exponent_is_finite_where_the_base_is_zero():
    x, y = nt.dscalars("x", "y")
    assert value(grad(x ** y, y), x=0.0, y=2.0) == 0.0


def test_third_derivative():
    x = nt.dscalar("x")
    third = grad(grad(grad(nt.sin(x), x), x), x)
    assert value(third, x=0.7) == pytest.approx(-np.cos(0.7), rel=1e-12)


@pytest.mark.parametrize("infinity", [-np.inf, np.inf])
def test_two_equal_infinities_share_the_gradient_of_logaddexp(infinity):
    x, y = nt.dscalars("x", "y")
    assert value(grad(nt.logaddexp(x, y), [x, y]), x=infinity, y=infinity) == [0.5, 0.5]


@pytest.mark.parametrize(("name", "exact"), [
    ("arcsin", lambda d: 1 / np.sqrt(d * (2 - d))), ("arctanh", lambda d: 1 / (d * (2 - d)))])
def test_derivatives_near_a_branch_point_are_exact_to_the_last_digits(name, exact):
    x = nt.dscalar("x")
    d = 2.0 ** -40
    assert value(grad(getattr(nt, name)(x), x), x=1 - d) == pytest.approx(exact(d), rel=1e-15)


@pytest.mark.parametrize("build", [
    lambda x: nt.transpose(x), lambda x: nt.reshape(x, (2, 3)), lambda x: nt.flatten(x), lambda x: nt.sum(x, axis=0),
    lambda x: nt.mean(x, axis=1, keepdims=True), lambda x: nt.expand_dims(x, 1),
    lambda x: nt.broadcast_to(x, (4, 3, 2)),
    lambda x: nt.specify_shape(x, (3, 2)), lambda x: x * x.shape[0]],
    ids=["transpose", "reshape", "flatten", "sum", "mean", "expand_dims", "broadcast_to", "specify_shape", "shape"])
def test_gradients_pass_through_shapes_and_sums(build):
    verify_grad(lambda x: nt.sin(build(x)), [np.random.default_rng(2).normal(size=(3, 2))])


# Size


def test_a_chain_of_20000_nodes_is_differentiated_without_recursion():
    x = nt.dscalar("x")
    y, expected, point = x, 1.0, 0.5
    for _ in range(20_000):
        y, expected, point = nt.sin(y), expected * np.cos(point), np.sin(point)
    assert value(grad(y, x), x=0.5) == pytest.approx(expected, rel=1e-9)


def test_a_fan_out_of_5000_uses_costs_one_addition_each():
    x = nt.dscalar("x")
    terms = [x * float(i) for i in range(5000)]
    cost = terms[0]
    for term in terms[1:]:
        cost = cost + term
    g = grad(cost, x)
    assert value(g) == sum(range(5000))
    sums = [node for node in toposort([g]) if str(node.op) == "add"]
    assert len(sums) == 4999


def test_the_gradient_of_a_chain_of_diamonds_grows_in_proportion_to_it():
    def size(n):
        x = nt.dscalar("x")
        y = x
        for _ in range(n):
            y = nt.sin(y) + y
        return len(toposort([grad(y, x)]))

    assert size(400) - size(200) == 2 * (size(200) - size(100))


# What is visited


def test_only_nodes_between_wrt_and_cost_are_asked_for_a_gradient():
    x, y = nt.dscalars("x", "y")
    aside = Probe(lambda inputs, gs: [gs[0]])
    between = Probe(lambda inputs, gs: [gs[0] * 2])
    cost = between(x) * aside(y)
    grad(cost, x)
    assert (between.asked, aside.asked) == (1, 0)


class Forgetful(Op):
    __props__ = ()

    def make_node(self, x):
        return Apply(self, [x], [x.type()])


def test_an_op_without_a_gradient_does_no_harm_off_the_path():
    x, y = nt.dscalars("x", "y")
    assert grad(x * Forgetful()(y), x).owner.op == nt.mul.op


def test_if_grad_is_not_defined_differentiation_fails_on_a_graph_that_includes_the_op():
    # Seed: "Symbolic differentiation will fail on a graph that includes this Op."
    x = nt.dscalar("x")
    with pytest.raises(NullGradError, match=r"Forgetful.*defines no grad"):
        grad(nt.exp(Forgetful()(x)), x)


def test_consider_constant_stops_the_gradient_behind_a_variable():
    x = nt.dscalar("x")
    y = nt.exp(x)
    assert value(grad(x * y, x, consider_constant=[y]), x=1.0) == np.exp(1.0)
    with pytest.raises(DisconnectedInputError):
        grad(y * 2, x, consider_constant=[y])


def test_one_variable_to_hold_constant_needs_no_list():
    x = nt.dscalar("x")
    y = nt.exp(x)
    assert value(grad(x * y, x, consider_constant=y), x=0.0) == 1.0


def test_a_variable_held_constant_has_a_gradient_of_its_own():
    x = nt.dscalar("x")
    y = nt.exp(x)
    assert value(grad(x * y, y, consider_constant=[y]), x=3.0) == 3.0


# known_grads


def test_known_gradients_stand_in_for_the_cost():
    x = nt.dvector("x")
    y = nt.exp(x)
    g = nt.dvector("g")
    gx = grad(None, x, known_grads={y: g})
    np.testing.assert_allclose(value(gx, x=[0.0, 1.0], g=[2.0, 3.0]), [2.0, 3.0 * np.e])


def test_a_known_gradient_is_taken_as_it_is_beside_a_cost():
    x = nt.dscalar("x")
    y = x * 2
    cost = y * y + x
    assert value(grad(cost, x, known_grads={y: nt.constant(10.0)}), x=5.0) == 21.0


def test_the_known_gradient_of_wrt_is_returned():
    x = nt.dscalar("x")
    g = nt.dscalar("g")
    assert grad(x * 2, x, known_grads={x: g}) is g


def test_a_known_gradient_of_a_plain_number_takes_the_dtype_of_its_variable():
    x = nt.fscalar("x")
    y = nt.exp(x)
    g = grad(None, x, known_grads={y: 2})
    assert g.type.dtype == "float32"
    assert value(g, x=0.0) == 2.0


def test_a_known_gradient_of_another_rank_or_an_integer_dtype_is_refused():
    x = nt.dvector("x")
    y = nt.exp(x)
    with pytest.raises(ShapeError, match=r"0 axes"):
        grad(None, x, known_grads={y: nt.dscalar("g")})
    with pytest.raises(DTypeError, match="never integers"):
        grad(None, x, known_grads={y: nt.lvector("g")})


def test_without_cost_and_known_gradients_there_is_nothing_to_differentiate():
    with pytest.raises(GraphError, match="cost or known_grads"):
        grad(None, nt.dscalar("x"))


# Integers: the seed's rules


def test_integer_output_has_zero_gradient():
    # Seed: "Its gradient is zero almost everywhere, so Op.grad() should return zeros in the shape of x and y."
    x, y = nt.lvectors("x", "y")
    gx, gy = grad(nt.cast(nt.sum(x * y), "float64"), [x, y])
    np.testing.assert_array_equal(value([gx, gy], x=[1, 2], y=[3, 4]), [[0.0, 0.0]] * 2)


def test_integer_input_of_a_float_function_has_the_gradient_of_a_float():
    # Seed: "The gradient is exactly the same as if y were floating point."
    x, y = nt.dvector("x"), nt.lvector("y")
    gy = grad(nt.sum(x * y), y)
    np.testing.assert_array_equal(value(gy, x=[0.5, 2.5], y=[3, 4]), [0.5, 2.5])


def test_gradient_passes_an_integer_variable_but_not_the_cast_that_made_it():
    # Seed: "the gradient with respect to y will be 0.5, even if y is an integer. However, the gradient with respect
    # to x will be 0, because the output of g is integer-valued."
    x = nt.dscalar("x")
    y = nt.cast(x, "int64")
    cost = 0.5 * nt.cast(y, "float64")
    gx, gy = grad(cost, [x, y])
    assert value([gx, gy], x=2.7) == [0.0, 0.5]


def test_what_is_zero_stays_zero_behind_a_step_with_an_infinite_slope():
    x = nt.dscalar("x")
    cost = nt.cast(nt.cast(nt.sqrt(x), "int64"), "float64")
    assert value(grad(cost, x), x=0.0) == 0.0


def test_comparisons_have_zero_gradient():
    x = nt.dvector("x")
    np.testing.assert_array_equal(value(grad(nt.sum(x * nt.gt(x, 1.0)), x), x=[0.5, 2.0]), [0.0, 1.0])


def test_an_integer_gradient_from_an_op_is_refused():
    # Seed: "they must never have an integer dtype."
    x = nt.dscalar("x")
    op = Probe(lambda inputs, gs: [nt.constant(1)])
    with pytest.raises(DTypeError, match="never has an integer dtype"):
        grad(op(x), x)


# Disconnected


def test_elements_that_decide_only_a_shape_are_disconnected():
    # Seed: "the shape Op does not read its input's elements, only its shape metadata."
    x = nt.dvector("x")
    cost = nt.cast(x.shape[0], "float64") * 2.0
    with pytest.raises(DisconnectedInputError, match="used only for a shape"):
        grad(cost, x)


def test_disconnected_inputs_raise_with_the_users_line_and_a_fix():
    x, y = nt.dscalars("x", "y")
    with pytest.raises(DisconnectedInputError) as caught:
        grad(x * 2, [x, y])
    assert "wrt (y)" in str(caught.value)
    assert 'y = nt.dscalars("x", "y")' in str(caught.value)
    assert 'disconnected_inputs="ignore"' in str(caught.value)


def test_disconnected_inputs_are_zero_when_ignored():
    x, y = nt.dvectors("x", "y")
    np.testing.assert_array_equal(value(grad(nt.sum(x), y, disconnected_inputs="ignore"), y=[1.0, 2.0]), [0.0, 0.0])


def test_disconnected_inputs_can_warn():
    x, y = nt.dscalars("x", "y")
    with pytest.warns(UserWarning, match="does not depend on the elements of y"):
        grad(x * 2, y, disconnected_inputs="warn")


@pytest.mark.parametrize("spelling", ["disconnected", "Disconnected"])
def test_disconnected_gradients_come_as_asked_for(spelling):
    x, y = nt.dscalars("x", "y")
    gx, gy = grad(x * 2, [x, y], disconnected_inputs="ignore", return_disconnected=spelling)
    assert isinstance(gy.type, DisconnectedType)
    assert not isinstance(gx.type, DisconnectedType)
    assert grad(x * 2, y, disconnected_inputs="ignore", return_disconnected="none") is None


def test_an_input_of_only_disconnected_outputs_is_disconnected():
    # Seed: "If any of the Op's inputs participate in the computation of only disconnected outputs, then Op.grad()
    # should return DisconnectedType variables for those inputs."
    x, y = nt.dscalars("x", "y")
    op = Probe(lambda inputs, gs: [DisconnectedType()() if isinstance(g.type, DisconnectedType) else g for g in gs],
               nout=2, pattern=[[True, False], [False, True]])
    first, _ = op(x, y)
    gx, gy = grad(first * 2, [x, y], disconnected_inputs="ignore", return_disconnected="disconnected")
    assert value(gx) == 2.0
    assert isinstance(gy.type, DisconnectedType)


def test_an_op_may_find_out_by_itself_that_an_input_is_disconnected():
    x = nt.dscalar("x")
    op = Probe(lambda inputs, gs: [DisconnectedType()()])
    with pytest.raises(DisconnectedInputError):
        grad(op(x), x)
    assert value(grad(op(x) + x * 3, x)) == 3.0


def test_a_gradient_that_contradicts_the_connection_pattern_is_refused():
    x = nt.dscalar("x")
    op = Probe(lambda inputs, gs: [gs[0], gs[0]], pattern=[[True], [False]])
    with pytest.raises(GraphError, match="input 1, which affects no output by connection_pattern"):
        grad(op(x, x), x)


# Undefined


def test_undefined_gradients_raise_with_their_reason_when_asked_for():
    x, y = nt.dscalars("x", "y")
    op = Probe(lambda inputs, gs: [grad_undefined(op, 0, inputs[0], "It has jumps everywhere."), gs[0]])
    cost = op(nt.exp(x), y)
    assert value(grad(cost, y)) == 1.0
    with pytest.raises(NullGradError, match="jumps everywhere"):
        grad(cost, x)


def test_undefined_gradients_can_be_returned():
    x = nt.dscalar("x")
    op = Probe(lambda inputs, gs: [grad_undefined(op, 0, inputs[0])])
    g = grad(op(nt.exp(x)) + x, x, null_gradients="return")
    assert isinstance(g.type, NullType)
    assert "is undefined" in g.type.why_null


def test_the_axis_of_argmax_is_undefined_and_its_input_has_zero_gradient_by_the_seeds_rule():
    # Seed: "The gradient with respect to x is 0, because f(x + e) = f(x) almost everywhere."
    x = nt.dvector("x")
    cost = nt.cast(nt.argmax(x), "float64") + nt.sum(x)
    np.testing.assert_array_equal(value(grad(cost, x), x=[1.0, 3.0]), [1.0, 1.0])


# Bad input


def test_a_cost_with_axes_is_refused_with_the_way_out():
    x = nt.dvector("x")
    with pytest.raises(DTypeError, match=r"1 axes(.|\n)*take \.sum\(\)"):
        grad(x * 2, x)


def test_an_integer_cost_is_refused_with_the_way_out():
    n = nt.lscalar("n")
    with pytest.raises(DTypeError, match=r"int64(.|\n)*astype"):
        grad(n * 2, n)


def test_a_complex_cost_is_refused_with_the_way_out():
    z = nt.zscalar("z")
    with pytest.raises(DTypeError, match=r"complex(.|\n)*real part"):
        grad(z * 2, z)


def test_wrt_must_be_symbolic():
    x = nt.dscalar("x")
    with pytest.raises(DTypeError, match="wrt must be a symbolic variable"):
        grad(x * 2, 3.0)


@pytest.mark.parametrize("option", ["disconnected_inputs", "return_disconnected", "null_gradients"])
def test_an_unknown_option_names_the_choices(option):
    x = nt.dscalar("x")
    with pytest.raises(ValueError, match=f"{option} must be one of"):
        grad(x * 2, x, **{option: "perhaps"})


@pytest.mark.parametrize(("terms", "error", "message"), [
    (lambda inputs, gs: [], GraphError, "list of 1 variables"),
    (lambda inputs, gs: None, GraphError, "list of 1 variables"),
    (lambda inputs, gs: [None], DTypeError, "no Variable"),
    (lambda inputs, gs: [nt.dvector()], ShapeError, "1 axes")])
def test_a_wrong_answer_of_an_op_is_named(terms, error, message):
    x = nt.dscalar("x")
    with pytest.raises(error, match=message):
        grad(Probe(terms)(x), x)


def test_new_nodes_carry_the_line_of_the_node_they_differentiate():
    x = nt.dscalar("x")
    y = nt.exp(x)
    g = grad(y, x)
    assert g.owner.line == y.owner.line


# Lop


def test_lop_is_a_vector_times_the_jacobian():
    x, v = nt.dvectors("x", "v")
    g = Lop(nt.sin(x), x, v)
    np.testing.assert_allclose(value(g, x=[0.0, 1.0], v=[2.0, 3.0]), [2.0, 3 * np.cos(1.0)])


def test_lop_adds_up_outputs_of_which_one_depends_on_another():
    x = nt.dscalar("x")
    y = x * 2
    z = y * 3
    assert value(Lop([y, z], x, [nt.constant(1.0), nt.constant(1.0)])) == 8.0


def test_lop_needs_one_point_for_each_output():
    x = nt.dscalar("x")
    with pytest.raises(ShapeError, match="1 variables of f and 2 evaluation points"):
        Lop([x * 2], x, [nt.constant(1.0)] * 2)


def test_lop_of_an_integer_output_takes_a_float_point():
    x = nt.dscalar("x")
    assert value(Lop(nt.cast(x, "int64"), x, nt.constant(1.0)), x=1.5) == 0.0
