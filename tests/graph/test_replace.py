"""graph_replace and clone_replace: exchanged parts, shared rest, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.errors import GraphError
from nbgraph.graph import basic, clone_replace, graph_inputs, graph_replace
from nbgraph.graph.replace import graph_replace as where_users_look


def test_an_input_is_exchanged_and_what_does_not_depend_on_it_is_shared():
    x, y, w = nt.dvectors("x", "y", "w")
    kept = nt.exp(w)
    z = graph_replace(x * 2 + kept, {x: y})
    assert set(graph_inputs([z])) >= {y, w} and x not in graph_inputs([z])
    assert z.owner.inputs[1] is kept


def test_a_list_gives_a_list_and_outputs_that_change_nothing_are_the_same_objects():
    x, y, w = nt.dvectors("x", "y", "w")
    kept = nt.exp(w)
    changed, same = graph_replace([nt.exp(x), kept], [(x, y)])
    assert changed.owner.inputs == (y,) and same is kept


def test_an_output_may_be_exchanged_itself():
    x, y = nt.dvectors("x", "y")
    z = nt.exp(x)
    assert graph_replace([z, z + 1], {z: y})[0] is y


def test_a_key_may_be_computed_from_another_key():
    x, u, v = nt.dvectors("x", "u", "v")
    inner = nt.exp(x)
    z = graph_replace(inner + x, {x: u, inner: v})
    assert z.owner.inputs == (v, u)
    # Only a key that is replaced as well needs this one: it counts as being there.
    assert graph_replace(inner * 2, {x: u, inner: v}).owner.inputs[0] is v


def test_what_stands_in_a_replacement_is_not_looked_at_again():
    x, y = nt.dvectors("x", "y")
    swapped = graph_replace(x - y, {x: y, y: x})
    assert swapped.owner.inputs == (y, x)
    grown = graph_replace(nt.exp(x), {x: x + 1})
    assert grown.owner.inputs[0].owner.inputs[0] is x


def test_a_replaced_graph_may_be_replaced_again():
    x, y, w = nt.dvectors("x", "y", "w")
    z = graph_replace(graph_replace(nt.exp(x), {x: nt.log(y)}), {y: w})
    assert nbgraph.function([w], z, mode="reference")([2.0, 3.0]) == pytest.approx([2.0, 3.0], rel=1e-14)


def test_a_shared_variable_may_be_exchanged():
    x, w = nt.dscalar("x"), nbgraph.shared(3.0, name="w")
    assert nbgraph.function([x], graph_replace(w * 2, {w: x}), mode="reference")(5.0) == 10.0


def test_a_key_that_is_not_in_the_graph_is_an_error_unless_that_is_allowed():
    x, y, elsewhere = nt.dvectors("x", "y", "elsewhere")
    z = nt.exp(x)
    with pytest.raises(GraphError, match=r"not in the graph: elsewhere(.|\n)*strict=False") as caught:
        graph_replace([z], {x: y, elsewhere: y})
    assert isinstance(caught.value, ValueError)
    assert graph_replace([z], {elsewhere: y}, strict=False)[0] is z


def test_a_replacement_of_another_type_is_refused():
    x, n = nt.dvector("x"), nt.lvector("n")
    with pytest.raises(TypeError, match="cannot replace x of type"):
        graph_replace(nt.exp(x), {x: n})
    with pytest.raises(TypeError, match="each replacement must be a symbolic variable, got float"):
        graph_replace(nt.exp(x), {x: 2.0})


def test_no_walk_recurses():
    x, y = nt.dscalars("x", "y")
    z = x
    for _ in range(20_000):
        z = nt.sin(z)
    assert y in graph_inputs([graph_replace(z, {x: y})])


def test_clone_replace_takes_the_keywords_of_older_programs():
    x, y = nt.dvectors("x", "y")
    w = nbgraph.shared(np.ones(2), name="w")
    for options in ({"copy_inputs_over": False}, {"share_inputs": False}):
        z = clone_replace(w * x + y, {y: nt.exp(x)}, **options)
        leaves = graph_inputs([z.owner.inputs[0]])
        assert w not in leaves and x not in leaves and {v.name for v in leaves} == {"w", "x"}
        assert z.owner.inputs[1].owner.inputs[0] is x
    (narrowed,) = clone_replace([nt.exp(x)], {x: nt.lvector("n")}, strict=False)
    assert narrowed.owner.inputs[0].type.dtype == "int64"


def test_older_programs_find_it():
    assert basic.graph_replace is graph_replace is where_users_look
