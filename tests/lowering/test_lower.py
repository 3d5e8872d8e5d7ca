"""The main function: what its statements are, what it is given, what it gives back."""

from __future__ import annotations

import numpy as np

import nbgraph
import nbgraph.tensor as nt
from nbgraph.dispatch.expressions import Buffer, Call, Literal, Local, Store
from nbgraph.graph.basic import Apply, Type
from nbgraph.graph.op import Op
from nbgraph.lowering import program
from nbgraph.lowering.emit import canonical_source
from tests.lowering.stages import lowered, staged, statements

a, b = nt.dscalars("a", "b")
x, y = nt.dvectors("x", "y")
A, B = nt.dmatrices("A", "B")
k = nt.lvector("k")


def conditions_of(*outputs):
    """The conditions under which the main function raises."""
    lines = str(staged(*outputs).program).splitlines()
    return [line.strip()[3:-1] for line in lines if line.startswith("    if ")]


# Inputs, constants and outputs


def test_scalars_are_locals_and_arrays_are_buffers():
    made = lowered(a * x + b)
    assert [type(v) for v in made.inputs] == [Local, Local, Buffer]
    assert [v.dtype for v in made.inputs] == ["float64"] * 3
    assert made.inputs[2].fixed


def test_constant_arrays_are_arguments_and_constant_numbers_are_written():
    table = np.arange(5.0)
    made = lowered(nt.constant(table)[k] * 3 + nt.constant([0.5]))
    ((buffer, data),) = made.constants
    assert data.tolist() == table.tolist()
    assert data.flags.c_contiguous
    assert buffer.dims == (Literal(5),)
    assert "np.arange" not in str(made)


def test_a_constant_array_that_is_used_twice_is_passed_once():
    table = nt.constant(np.arange(5.0))
    assert len(lowered(table[k] + table[k][::-1], table * x).constants) == 1


def test_other_constant_data_give_the_same_source():
    sources = [canonical_source(staged(nt.constant(rows) * x).program) for rows in ([1.0, 2.0], [3.0, np.nan])]
    assert sources[0] == sources[1]


def test_constants_in_any_layout_are_passed_in_c_order():
    table = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    ((_, data),) = lowered(nt.constant(table.T[::-1])[k]).constants
    assert data.flags.c_contiguous
    assert data.tolist() == table.T[::-1].tolist()


def test_an_output_that_is_an_input_is_copied():
    made = lowered(x)
    (call,) = statements(made, program.CallKernel)
    assert made.outputs != made.inputs
    assert [type(s) for s in made.statements] == [program.ReadLength, program.Allocate, program.CallKernel]
    assert call.kernel.writes == made.outputs


def test_outputs_share_no_memory():
    flat = (x * 2).reshape((-1, 1))
    made = lowered(flat, x * 2, x * 2, A.T, A)
    buffers = [v for v in made.outputs if isinstance(v, Buffer)]
    assert len(set(buffers)) == 5
    aliases = {s.buffer: s.source for s in statements(made, program.MakeAlias)}
    assert len({aliases.get(v, v) for v in buffers}) == 5


def test_a_number_is_returned_as_it_is():
    made = lowered(nt.constant(2.5), a, nt.zeros(()) + 1)
    assert [type(v) for v in made.outputs] == [Literal, Local, Literal]
    assert made.statements == []


# Memory


def test_a_reshape_is_another_view_of_the_same_memory():
    made = lowered(nt.dot(A, B).reshape((-1,)) + 1)
    (alias,) = statements(made, program.MakeAlias)
    (product, result) = statements(made, program.Allocate)
    assert alias.source is product.buffer
    assert result.buffer is made.outputs[0]


def test_a_number_becomes_an_array_and_an_array_of_one_a_number():
    made = lowered((a + 1).reshape((1, 1)))
    (store,) = statements(made, Store)
    assert store.index == (Literal(0),)
    assert lowered(A[:1, :1].reshape(()) + 1).outputs[0].dtype == "float64"


def test_only_the_arrays_of_the_plan_are_allocated():
    assert len(statements(lowered(nt.exp(x.sum()) * y), program.Allocate)) == 1
    assert statements(lowered((x * y).sum()), program.Allocate) == []


# Library calls


def test_products_write_into_arrays_of_the_function():
    made = lowered(nt.dot(A, x), nt.dot(A.T, B))
    calls = statements(made, program.CallLibrary)
    assert [c.function.rpartition(".")[2] for c in calls] == ["gemv", "gemm"]
    assert [c.allocates for c in calls] == [False, False]
    assert calls[1].arguments[1:4:2] == (made.inputs[0], made.inputs[1])
    assert calls[1].arguments[2:5:2] == (True, False)


def test_the_array_that_a_product_is_added_to_is_copied_first():
    made = lowered(A + nt.dot(B, B))
    (copy,) = statements(made, program.CallKernel)
    (call,) = statements(made, program.CallLibrary)
    assert copy.copies == (call.outputs[0], made.inputs[0])


def test_what_a_call_makes_itself_is_not_allocated():
    made = lowered(*nt.nonzero(A))
    (call,) = statements(made, program.CallLibrary)
    assert call.allocates
    assert len(call.outputs) == 2
    assert statements(made, program.Allocate) == []


# Checks


def test_conditions_of_the_checks():
    assert conditions_of(x + y) == ["x_length != y_length"]
    assert conditions_of(nt.dot(A, x)) == ["A_length != x_length"]
    assert conditions_of(x.max()) == ["x_length <= 0"]
    assert conditions_of(x[3]) == ["x_length < 4"]
    assert conditions_of(x[3], x[-7], x[1]) == ["x_length < 7"]
    assert conditions_of(A.reshape((2, 3))) == ["v != 6"]
    assert conditions_of(nt.zeros((nt.lscalar("n"), 2))) == ["n < 0"]
    assert conditions_of(x[::nt.lscalar("s")]) == ["s == 0"]
    assert conditions_of(x[k]) == ["at >= 0"]


def test_a_check_is_made_once():
    assert len(conditions_of(x[k], y * 2, A[k, 0])) == 3
    assert len(conditions_of(x[k] + x[k] * 2, x[k].sum())) == 1
    assert len(conditions_of(x.max(), x.min(), nt.argmax(x))) == 1
    assert conditions_of(x[nt.lscalar("i")], x[nt.lscalar("i")] * 2)[0].count("<= i") == 2


def test_what_always_holds_is_not_checked():
    assert conditions_of(x[:2], x[::-1], nt.zeros((3,)), x.sum(), nt.arange(x.shape[0]), x[::2].reshape((-1,))) == []
    fixed = nt.tensor("fixed", dtype="float64", shape=(4, 3))
    assert conditions_of(fixed[3], fixed[-4, -3], fixed.max(), fixed.reshape((6, 2)), nt.dot(fixed, fixed.T)) == []


def test_checks_come_before_what_they_protect():
    made = lowered(nt.exp(x[k]) + y, nt.dot(A, x))
    kinds = [type(s) for s in made.statements]
    work = min(kinds.index(program.CallKernel), kinds.index(program.CallLibrary))
    assert work > max(place for place, kind in enumerate(kinds) if kind is program.Test)


def test_numbers_of_checks_are_places_in_the_list_of_checks():
    made = lowered(x[k] + y, nt.dot(A, x))
    assert [t.number for t in statements(made, program.Test)] == list(range(len(made.checks)))
    assert statements(made, program.Test) == made.checks


# Scalars


def test_scalars_are_statements_of_the_main_function():
    made = lowered(nt.exp(a) * b + nt.exp(a))
    values = [s.value for s in made.statements]
    assert [v.function for v in values if isinstance(v, Call)] == ["exp", "*", "+"]
    assert made.kernels == []


def test_a_reduction_gives_its_number_back():
    made = lowered((x * y).sum() * 2)
    (call,) = statements(made, program.CallKernel)
    assert call.kernel.writes == []
    (total,) = call.kernel.results
    assert any(isinstance(s, program.Assign) and total in s.value.arguments for s in made.statements
               if not isinstance(s, (program.CallKernel, program.ReadLength, program.Test)))


# What can't be lowered


class Box(Type):
    """A Type that is no tensor."""

    def filter(self, value, strict=False, allow_downcast=None):
        return value


class Open(Op):
    """The number in a Box."""

    __props__ = ()

    def make_node(self, box):
        return Apply(self, [box], [nt.dscalar()])


def test_a_source_is_the_same_for_the_same_graph():
    graphs = [nt.exp(nt.dot(A, x)) + A.sum(axis=1), nbgraph.grad(nt.tanh(x[k]).sum(), x)]
    assert len({canonical_source(staged(*graphs).program) for _ in range(3)}) == 1
