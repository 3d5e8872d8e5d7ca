"""What shares a loop, what is kept in memory, what is checked: counted as a person would. Nothing is compiled."""

from __future__ import annotations

import itertools

import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.errors import KernelError
from nbgraph.graph import Apply, Op
from nbgraph.lowering import program
from nbgraph.lowering.schedule import STATEMENTS
from tests.lowering.stages import calls, checks, kinds, planned, staged, statements

a, b = nt.dscalars("a", "b")
x, y, z = nt.dvectors("x", "y", "z")
A, B, C = nt.dmatrices("A", "B", "C")
k = nt.lvector("k")


def stored(*outputs):
    """How many arrays the plan keeps in memory, outputs among them."""
    return sum(kind != "reduce" for nest in kinds(planned(*outputs)) for kind in nest)


# What shares a loop


def test_a_chain_of_elementwise_nodes_is_one_nest():
    assert kinds(planned(nt.exp(nt.sin(x) + 1) * y - nt.sqrt(x) / 3)) == [["store"]]


def test_several_outputs_over_the_same_lengths_share_a_nest():
    assert kinds(planned(x + y, x * y, nt.exp(x - y))) == [["store", "store", "store"]]


def test_a_log_density_and_its_gradients_read_the_data_once():
    mu, sigma, nu = nt.dscalars("mu", "sigma", "nu")
    residual = (x - mu) / sigma
    logp = (-0.5 * residual ** 2 - nt.log(sigma) - nt.log1p(residual ** 2 / nu)).sum()
    plan = planned(logp, *nbgraph.grad(logp, [mu, sigma, nu]))
    assert [nest for nest in kinds(plan) if len(nest) > 1] == [["reduce"] * len(plan.nests[0].roots)]
    assert len(plan.nests) == 1
    assert len(plan.nests[0].roots) >= 4


def test_stores_and_reductions_over_the_same_data_share_a_nest():
    (nest,) = kinds(planned(x.sum(), x.max(), nt.exp(x), nt.argmax(x), nt.cumsum(x), (x * y).mean()))
    assert sorted(nest) == ["reduce", "reduce", "reduce", "scan", "search", "store"]


def test_reductions_over_different_axes_of_one_matrix_share_a_nest():
    plan = planned(A.sum(), A.sum(axis=0), A.max(axis=1), nt.exp(A).sum(axis=1))
    assert kinds(plan) == [["reduce"] * 4]


def test_different_lengths_have_nests_of_their_own():
    assert kinds(planned(nt.exp(x), nt.exp(k.astype("float64")))) == [["store"], ["store"]]


def test_a_search_along_an_outer_axis_has_a_loop_order_of_its_own():
    plan = planned(nt.argmax(A, axis=0), nt.argmax(A, axis=1))
    assert sorted(nest.site.order for nest in plan.nests) == [(0, 1), (1, 0)]


# What needs no temporary


@pytest.mark.parametrize("graph", [
    A.T + B, nt.exp(A).T + B, (A + B.T).T * C, A[:, None, :] + B[None], nt.broadcast_to(x, (3, x.shape[0])) * A[:3],
    x[1:] - x[:-1], x[::-1] * 2, x[::2][1:] + 1, A[1:, ::2] * A[:-1, 1::2].sum(), A[0] + A[-1] * 2, x[k] * 2,
    A[k] + 1, A[k, k] * 2, A[:, k].T - 1, nt.eye(3) + A[:3, :3], nt.arange(5) * x[:5],
    nt.zeros_like(A) + A, A.reshape((-1,)) * 2, A.flatten()[1:] + 1, nt.squeeze(A[:1]) + 1, nt.where(x > 0, x, -x),
], ids=nbgraph.pp)
def test_views_cost_no_temporary(graph):
    plan = planned(graph)
    assert sum(kind == "store" for nest in kinds(plan) for kind in nest) == 1
    assert calls(plan) == []


def test_index_arrays_that_are_computed_are_stored_so_that_they_can_be_checked():
    plan = planned(x[k[1:]] + 1)
    assert kinds(plan) == [["store"], ["store"]]
    assert checks(plan) == ["bounds"]


def test_a_matrix_of_all_pairs_is_not_stored_where_its_sum_is_wanted():
    differences = A[:, None, :] - B[None, :, :]
    plan = planned(nt.exp(-(differences ** 2)).sum())
    assert kinds(plan) == [["reduce"]]
    assert stored(nt.exp(-(differences ** 2)).sum()) == 0


def test_transposes_of_products_are_flags():
    plan = planned(nt.dot(A.T, nt.dot(B, C.T)))
    assert (calls(plan), kinds(plan)) == (["gemm", "gemm"], [])


def test_an_operand_of_a_product_is_stored():
    plan = planned(nt.dot(A + 1, x * 2))
    assert (calls(plan), kinds(plan)) == (["gemv"], [["store"], ["store"]])


def test_the_product_of_two_vectors_is_a_loop():
    assert kinds(planned(nt.dot(x + 1, y * 2), (x * z).sum())) == [["reduce", "reduce"]]


# Barriers


def test_a_reduction_followed_by_its_use_is_two_nests():
    plan = planned(x / x.sum())
    assert kinds(plan) == [["reduce"], ["store"]]
    assert [nest.site.level for nest in plan.nests] == [0, 1]


def test_softmax_of_rows_is_three_nests():
    plan = planned(nt.special.softmax(A, axis=1))
    assert kinds(plan) == [["reduce"], ["store", "reduce"], ["store"]]


def test_a_scatter_is_a_base_and_a_part():
    plan = planned(nbgraph.grad((x[k] ** 2).sum(), x))
    assert kinds(plan) == [["base"], ["part"]]
    assert [nest.site.level for nest in plan.nests] == [0, 1]


def test_expensive_mathematics_is_stored_before_a_scatter():
    plan = planned(nbgraph.grad(nt.tanh(x[k] * y).sum(), x))
    assert kinds(plan) == [["store"], ["base"], ["part"]]
    assert [nest.site.level for nest in plan.nests] == [0, 0, 1]


def test_a_scatter_shares_no_loop_with_what_can_be_vectorised():
    plan = planned(nt.inc_subtensor(z[k], x), nt.exp(x), (x * y).sum())
    assert sorted(sorted(nest) for nest in kinds(plan)) == [["base"], ["part"], ["reduce", "store"]]


def test_scatters_over_the_same_indices_share_a_loop():
    plan = planned(nt.inc_subtensor(z[k], nt.exp(x)), nt.inc_subtensor(y[k], -nt.exp(x)))
    # exp(x) is stored for both: what is cheap is computed again.
    assert kinds(plan) == [["store"], ["base"], ["base"], ["part", "part"]]


def test_rows_that_are_added_at_places_of_an_array_are_computed_where_they_are_added():
    plan = planned(nt.inc_subtensor(A[k], nt.exp(B)))
    assert kinds(plan) == [["base"], ["part"]]


def test_a_joined_array_is_written_where_its_parts_are_computed():
    plan = planned(nt.concatenate([nt.exp(x), y + 1, [1.0, 2.0]]))
    assert kinds(plan) == [["part"]] * 3
    assert {nest.site.level for nest in plan.nests} == {0}


def test_the_gradient_of_a_gather_is_computed_in_the_loop_that_adds_it():
    residual = y - x[k]
    logp = -0.5 * (residual ** 2).sum()
    plan = planned(logp, nbgraph.grad(logp, x))
    # The residual is stored for it: x[k] is read from memory twice otherwise.
    assert sorted(sorted(nest) for nest in kinds(plan)) == [["base"], ["part"], ["reduce", "store"]]


def test_scalars_are_no_nests():
    plan = planned(nt.exp(a) + b * a, nt.log(b))
    assert plan.nests == []
    assert len(plan.steps) == 4


def test_levels_never_fall_and_every_nest_comes_after_what_it_reads():
    w = nt.exp(nt.dot(A, x / x.sum()))
    plan = planned(w / w.max(), nt.cumsum(w), w[k].sum())
    assert plan.levels == sorted(plan.levels)
    assert [nest.site.level for nest in plan.nests] == [
        level for step, level in zip(plan.steps, plan.levels, strict=True) if step in plan.nests]
    made = {}
    for step, level in zip(plan.steps, plan.levels, strict=True):
        for root in getattr(step, "roots", ()):
            made[root.variable] = max(level, made.get(root.variable, 0))
    for nest in plan.nests:
        for root in nest.roots:
            needed = [v for v in root.node.inputs if v in made and root.kind != "store"]
            assert all(made[v] <= nest.site.level for v in needed)


# What is kept and what is computed again


def test_an_expensive_value_read_at_other_indices_is_stored():
    assert kinds(planned(nt.exp(A) + nt.exp(A).T)) == [["store"], ["store"]]
    assert kinds(planned(nt.exp(x)[1:] - nt.exp(x)[:-1])) == [["store"], ["store"]]
    assert kinds(planned(nt.exp(x)[k] + 1)) == [["store"], ["store"]]


def test_a_cheap_value_read_at_other_indices_is_computed_again():
    assert kinds(planned((A + 1) * (A + 1).T)) == [["store"]]
    assert kinds(planned((x * 2)[1:] - (x * 2)[:-1])) == [["store"]]
    assert kinds(planned((x * 2)[k] + 1)) == [["store"]]


def test_what_every_row_needs_is_computed_once():
    # exp(x) moves out of the inner loop; exp(y) cannot, so it is stored.
    plan = planned(nt.exp(x)[:, None] + nt.exp(y)[None, :])
    assert kinds(plan) == [["store"], ["store"]]
    assert nbgraph.pp(plan.nests[0].roots[0].variable) == "exp(y)"
    assert kinds(planned(nt.exp(x)[:, None] + y[None, :])) == [["store"]]


def test_a_quotient_that_every_row_needs_is_computed_once():
    plan = planned(A - x / y)
    assert kinds(plan) == [["store"], ["store"]]
    assert kinds(planned(A - x * y)) == [["store"]]
    # Few of many may be wanted: what is gathered is divided where it is read.
    assert kinds(planned((x / y)[k] + z)) == [["store"]]


def test_a_value_wanted_before_and_after_a_barrier_is_stored_once_if_it_is_expensive():
    expensive = nt.sin(nt.exp(x))
    assert stored(expensive / expensive.sum()) == 2
    cheap = x + y
    assert stored(cheap / cheap.sum()) == 1


# Checks and lengths


def test_equal_lengths_are_checked_once():
    assert checks(planned(x + y, x * y, nt.exp(x) - nt.sin(y), (x + y).sum())) == ["equal"]
    assert checks(planned(x + y + z, z * x, y - z)) == ["equal", "equal"]


def test_lengths_that_follow_from_others_are_not_checked():
    assert checks(planned(x[1:] + x[:-1])) == []
    assert checks(planned((x + 1) * x - nt.zeros_like(x))) == []
    assert checks(planned(A.T + nt.exp(A).T)) == []
    assert checks(planned(nt.dot(A, A.T) + nt.dot(A, A.T))) == []


def test_known_lengths_are_not_checked():
    u, v = nt.tensor("u", dtype="float64", shape=(3,)), nt.tensor("v", dtype="float64", shape=(3,))
    assert statements(staged(u + v, u[2] * v[-3], u[:2], nt.dot(u, v)).program, program.Test) == []
    plan = planned(u + x)
    assert checks(plan) == ["equal"]
    assert plan.nests[0].site.dims == (3,)


def test_equal_lengths_make_one_loop_however_they_are_written():
    plan = planned(x + y, y * 2, nt.exp(x), nt.zeros((y.shape[0],)) + 1)
    assert len(plan.nests) == 1


def test_a_length_never_computes_the_array():
    product = nt.exp(nt.dot(A, B))
    for graph in (product.shape[0], product.shape[1] * 2, nt.arange(product.shape[0]), nt.ones(product.shape),
                  nt.special.softmax(product, axis=1).T.shape[0], nt.concatenate([product, product]).shape[0]):
        plan = planned(graph)
        assert calls(plan) == []
        assert sum(len(nest.roots) for nest in plan.nests) <= 1


def test_bounds_are_checked_before_the_loops():
    plan = planned(x[k] * A[k, k], x[0] + a)
    first_nest = next(place for place, step in enumerate(plan.steps) if step in plan.nests)
    last_check = max(place for place, step in enumerate(plan.steps) if hasattr(step, "check"))
    assert last_check < first_nest
    assert checks(plan).count("bounds") == 3


# Size


def test_a_long_chain_is_cut():
    w = A
    for _ in range(5 * STATEMENTS):
        w = nt.sin(w) + A
    plan = planned(w)
    assert 10 <= len(plan.nests) <= 12
    assert [nest.site.level for nest in plan.nests] == list(range(len(plan.nests)))
    assert kinds(plan) == [["store"]] * len(plan.nests)


def test_a_nest_of_many_outputs_is_cut():
    outputs = [nt.exp(A * i) for i in range(2 * STATEMENTS)]
    plan = planned(*outputs)
    assert len(outputs) <= sum(len(nest.roots) for nest in plan.nests) <= len(outputs) + STATEMENTS
    assert max(len(nest.roots) for nest in plan.nests) <= STATEMENTS


# Printing


def test_a_plan_prints_its_levels_and_steps():
    w = nt.dvector("w")
    residual = y - nt.dot(A, w)
    assert str(planned(nt.exp(residual), (residual ** 2).sum())) == """\
level 0
  scalar   A.shape[1]
  scalar   w.shape[0]
  scalar   A.shape[0]
  check    equal A.shape[1], w.shape[0]
  scalar   y.shape[0]
  check    equal y.shape[0], A.shape[0]
  library  gemv -> dot(A, w)
level 1
  nest     [A.shape[0]]   store exp(y - dot(A, w)); reduce sum(square(y - dot(A, w)))"""


def test_all_stages_print():
    text = str(staged(nt.exp(x[k]) + a, nt.dot(A, x)))
    assert text.startswith("graph\n")
    for part in ("\nplan\nlevel 0\n", "bounds k, x.shape[0]", "\nprogram\n", "def main(", "gemv("):
        assert part in text


def test_the_plan_is_the_same_every_time():
    w = nt.exp(A) / nt.exp(A).sum(axis=1)[:, None]
    texts = {str(planned(w, nbgraph.grad((w ** 2).sum(), A))) for _ in range(3)}
    assert len(texts) == 1


# Ops without a kernel


def test_an_op_without_a_kernel_is_named_with_its_line():
    class Unknown(Op):
        __props__ = ()

        def make_node(self, v):
            return Apply(self, [v], [v.type()])

    made = Unknown()(x)
    with pytest.raises(KernelError, match="Unknown: has no native kernel") as caught:
        planned(nt.exp(made) + 1)
    assert "test_schedule.py" in str(caught.value)
    assert "made = Unknown()(x)" in str(caught.value)


def test_every_result_is_made_in_exactly_one_place():
    graphs = [nt.exp(A) / nt.exp(A).sum(), nt.cumsum(x[k]) + 1, nt.special.softmax(A, axis=0), nt.dot(A, nt.sin(x))]
    plan = planned(*itertools.chain(graphs, (nbgraph.grad(g.sum(), [A, x], disconnected_inputs="ignore")[0]
                                             for g in graphs)))
    made = [(root.variable, root.kind, root.rule) for nest in plan.nests for root in nest.roots]
    assert len(made) == len(set(made))
