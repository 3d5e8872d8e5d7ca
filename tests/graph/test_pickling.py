"""Graphs that are pickled and copied: any depth, what is shared stays shared, names, lines and tags survive."""

from __future__ import annotations

import copy
import pickle
from itertools import pairwise

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.graph.basic import Apply
from nbgraph.graph.equal import equal_computations
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import Op
from nbgraph.graph.traversal import toposort

# Far more than Python lets functions call each other.
LENGTH = 3_000
# The C pickler, the one in Python, and copying, all of which ask objects what they are made of.
COPIES = {"pickle": lambda v: pickle.loads(pickle.dumps(v)), "protocol 0": lambda v: pickle.loads(pickle.dumps(v, 0)),
          "python": lambda v: pickle._loads(pickle._dumps(v)), "deepcopy": copy.deepcopy}


@pytest.fixture(params=COPIES)
def copied(request):
    """A way to copy."""
    return COPIES[request.param]


class Doubled(Op):
    """2 * x and x: an Op of a user, without __props__."""

    def make_node(self, x):
        return Apply(self, [x], [x.type(), x.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0], output_storage[1][0] = 2 * inputs[0], inputs[0].copy()


def chain(x, length):
    """x + 1 + 1 …, and all that is on the way."""
    steps = [x]
    for _ in range(length):
        steps.append(steps[-1] + 1.0)
    return steps


def test_a_chain_of_any_length_is_copied(copied):
    x = nt.dscalar("x")
    twin = copied(chain(x, LENGTH)[-1])
    nodes = toposort([twin])
    assert len(nodes) == LENGTH
    leaf = nodes[0].inputs[0]
    assert (leaf.name, leaf.type, leaf.owner) == ("x", x.type, None)
    assert nbgraph.function([leaf], twin, mode="reference")(1) == LENGTH + 1


def test_twenty_thousand_nodes_pickle():
    z = chain(nt.dscalar("x"), 20_000)[-1]
    assert len(toposort([pickle.loads(pickle.dumps(z))])) == 20_000


def test_every_step_of_a_chain_at_once_and_in_any_order(copied):
    steps = chain(nt.dscalar("x"), LENGTH)
    for direction in (1, -1):
        twins = copied(steps[::direction])[::direction]
        assert len(twins) == LENGTH + 1
        assert all(after.owner.inputs[0] is before for before, after in pairwise(twins))


def test_what_is_shared_within_a_pickle_stays_shared(copied):
    x, y = nt.dvectors("x", "y")
    middle = nt.exp(x) * y
    a, b = middle + 1, middle.sum()
    x2, a2, b2, node = copied((x, a, b, middle.owner))
    assert a2.owner.inputs[0] is b2.owner.inputs[0] is node.outputs[0]
    assert node.inputs[0].owner.inputs[0] is x2
    assert equal_computations([a2, b2], [a, b], [x2, node.inputs[1]], [x, y])
    assert a2 is not a


def test_two_pickles_share_nothing():
    x = nt.dvector("x")
    z = nt.exp(x)
    first, second = (pickle.loads(pickle.dumps(z)) for _ in range(2))
    assert first is not second and first.owner is not second.owner


def test_names_lines_and_tags_survive(copied):
    x = nt.dvector("x")
    z = nt.exp(x)
    z.name, z.tag.note = "z", {"unit": "m"}
    twin = copied(z)
    assert (twin.name, twin.line, twin.owner.line, twin.tag.note) == ("z", z.line, z.owner.line, {"unit": "m"})
    assert twin.tag.note is not z.tag.note
    assert twin.owner.inputs[0].line == x.line


def test_tags_that_refer_to_what_they_belong_to_survive(copied):
    z = nt.exp(nt.dvector("x"))
    z.tag.me, z.tag.node, z.tag.later = z, z.owner, nt.sin(z)
    twin = copied(z)
    assert twin.tag.me is twin and twin.tag.node is twin.owner
    assert twin.tag.later.owner.inputs[0] is twin


def test_a_default_update_refers_to_the_variable_that_it_updates(copied):
    state = nbgraph.shared(1.0, "state")
    state.default_update = state + 1
    by_variable, by_update = copied(state), copied(state.default_update)
    assert by_variable.default_update.owner.inputs[0] is by_variable
    assert by_update.owner.inputs[0].default_update is by_update
    assert by_variable.container is not state.container


def test_default_updates_that_need_each_other_are_copied_at_any_depth(copied):
    states = [nbgraph.shared(float(i)) for i in range(2_000)]
    for state, following in pairwise(states):
        state.default_update = state + following
    twin = copied(states[0])
    for value in range(1_999):
        assert twin.get_value() == value
        twin = twin.default_update.owner.inputs[1]


def test_every_output_of_a_node_is_an_output_of_its_twin(copied):
    op = Doubled()
    first, second = op(nt.dvector("x"))
    twin, other, op2 = copied((second, first, op))
    assert twin.owner is other.owner and twin.owner.outputs == (other, twin)
    assert (twin.index, other.index) == (1, 0)
    assert twin.owner.op is op2


def test_a_function_graph_keeps_its_inputs_and_outputs(copied):
    x, y = nt.dvectors("x", "y")
    middle = nt.exp(x)
    fgraph = FunctionGraph([middle, y], [middle + y, middle])
    twin = copied(fgraph)
    assert [v.name for v in twin.inputs] == [None, "y"]
    assert twin.outputs[1] is twin.inputs[0]
    assert len(twin) == 1


def test_types_come_back_equal_with_the_dtypes_that_calls_compare_by_identity(copied):
    kind = copied(nt.TensorType("float32", (1, None)))
    assert kind == nt.TensorType("float32", (1, None))
    assert kind.numpy_dtype is np.dtype("float32")


def test_copy_of_a_leaf_is_another_leaf_and_of_an_output_another_application():
    x, state = nt.dvector("x"), nbgraph.shared(1.0, "state")
    z = nt.exp(x)
    z.name = "z"
    x2, z2, state2 = copy.copy(x), copy.copy(z), copy.copy(state)
    assert x2 is not x and (x2.name, x2.type, x2.line) == ("x", x.type, x.line)
    assert z2 is not z and z2.owner is not z.owner and z2.owner.inputs == (x,) and (z2.name, z2.line) == ("z", z.line)
    assert state2 is not state and state2.container is state.container
    np.testing.assert_array_equal(z2.eval({x: [0.0]}), [1.0])
