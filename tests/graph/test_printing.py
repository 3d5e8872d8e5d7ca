"""dprint draws trees, pp and expression write lines of mathematics that Python reads back as the same graph."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nbgraph
import nbgraph.tensor as nt
from nbgraph.graph import FunctionGraph, Op
from nbgraph.graph.basic import Apply
from nbgraph.graph.expression import INFIX, Written, call, expression, infix, prefix, value
from nbgraph.graph.printing import DEEPEST, dprint, pp

x, y = nt.dmatrices("x", "y")
v, w = nt.dvectors("v", "w")
t, b = nt.dtensor3("t"), nt.dscalar("b")
i, k = nt.lscalar("i"), nt.lvector("k")
p = 1 / (1 + nt.exp(-nt.dot(x, w) - b))


class Twins(Op):
    """Two copies of x; an Op of a user's, who has said nothing about how it is written."""

    __props__ = ("shift",)

    def __init__(self, shift):
        self.shift = shift

    def make_node(self, x):
        return Apply(self, [x], [x.type(), x.type()])


# One line of mathematics


@pytest.mark.parametrize(("variable", "line"), [
    (p, "1 / (1 + exp(-dot(x, w) - b))"),
    (p > 0.5, "1 / (1 + exp(-dot(x, w) - b)) > 0.5"),
    (-v * nt.log(w) - (1 - v) * nt.log(1 - w), "-v * log(w) - (1 - v) * log(1 - w)"),
    (v - (w - b), "v - (w - b)"), ((v - w) - b, "v - w - b"), (v + (w + b), "v + (w + b)"),
    (v / (w * b), "v / (w * b)"), (v / w * b, "v / w * b"), (-(v ** 2), "-v ** 2"), ((-v) ** 2, "(-v) ** 2"),
    (v ** (w ** b), "v ** w ** b"), ((v ** w) ** b, "(v ** w) ** b"), (v ** -w, "v ** -w"), (-(v + w), "-(v + w)"),
    ((v < w) & (w >= b), "(v < w) & (w >= b)"), (nt.eq(v < w, w < b), "(v < w) == (w < b)"), (~(v < w), "~(v < w)"),
    (nt.constant(-2.0) ** w, "(-2) ** w"), (w * -2, "w * -2"), (w - 0.25, "w - 0.25"), (x + 1j, "x + 1j"),
    (nt.fvector("f") * 0.1, "f * 0.1"), (w + np.inf, "w + inf"), (w * nt.constant(True), "w * True"),
    (nt.switch(w > 0, w, -w), "switch(w > 0, w, -w)"), (w.astype("float32"), "float32(w)"),
    (nt.maximum(nt.abs(v), nt.sqrt(w)), "maximum(abs(v), sqrt(w))"),
], ids=str)
def test_arithmetic_is_written_with_the_parentheses_that_it_needs(variable, line):
    assert pp(variable) == line


@pytest.mark.parametrize(("variable", "line"), [
    (x.T, "x.T"), (nt.dot(x.T + 1, y), "dot(x.T + 1, y)"), ((x + y).T, "(x + y).T"), (t.T, "t.T"),
    (t.dimshuffle(1, 0, 2), "transpose(t, (1, 0, 2))"), (v[:, None], "v[:, None]"), (v[None], "v[None, :]"),
    (t.dimshuffle(1, "x", 0, 2), "dimshuffle(t, 1, 'x', 0, 2)"), (nt.squeeze(nt.dcol("c"), 1), "squeeze(c, axis=1)"),
    (x.shape, "x.shape"), (x.shape[0], "x.shape[0]"), (x.size, "x.shape[0] * x.shape[1]"), (x.flatten(), "flatten(x)"),
    (x.reshape((i, 2)), "reshape(x, (i, 2))"), (v.reshape(x.shape, ndim=2), "reshape(v, x.shape)"),
    (nt.zeros_like(x), "zeros(x.shape)"), (nt.ones((i, 3)), "ones((i, 3))"),
    (nt.full((3,), b), "broadcast_to(b, (3,))"),
    (nt.zeros_like(nt.tensor("s", dtype="float64", shape=(3, None))), "zeros(s.shape)"),
    (nt.specify_shape(x, (None, 3)), "specify_shape(x, (None, 3))"), (nt.stack([b, b]), "[b, b]"),
    (x[1:, i], "x[1:, i]"), (x[::-1, :i], "x[::-1, :i]"), ((x + 1)[0], "(x + 1)[0]"), (x[-1, 2:8:3], "x[-1, 2:8:3]"),
    (w[k], "w[k]"), (x[k, k + 1], "x[k, k + 1]"), (nt.nonzero(x)[1], "nonzero(x)[1]"),
    (nt.set_subtensor(x[1:, 0], w[1:]), "set_subtensor(x[1:, 0], w[1:])"),
    (nt.inc_subtensor(w[k], 1), "inc_subtensor(w[k], 1)"),
    (x.sum(), "sum(x)"), (x.sum(axis=0), "sum(x, axis=0)"), (t.max(axis=(0, 2)), "max(t, axis=(0, 2))"),
    (x.sum(axis=1, keepdims=True), "sum(x, axis=1)[:, None]"), (nt.argmin(x, 1), "argmin(x, axis=1)"),
    (w.cumsum(), "cumsum(w)"), (nt.cumprod(x, 1), "cumprod(x, axis=1)"),
    (nt.concatenate([v, w]), "concatenate([v, w])"),
    (nt.concatenate([x, y], axis=1), "concatenate([x, y], axis=1)"), (nt.eye(i), "eye(i)"),
    (nt.eye(2, i), "eye(2, i)"),
    (nt.arange(i), "arange(i)"), (nt.arange(1, i), "arange(1, i)"), (nt.arange(i, 0, -1), "arange(i, 0, -1)"),
    (nt.add(v, [1.5, 2.0]), "v + [1.5, 2]"), (x * np.eye(9), "x * <float64[9, 9]>"),
    (nt.dvector() + 1, "<float64[?]> + 1"),
    (nt.logsumexp(w), "squeeze(log(sum(exp(w - switch(isfinite(max(w)[None]), max(w)[None], 0)))[None])"
                      " + switch(isfinite(max(w)[None]), max(w)[None], 0), axis=0)"),
    (nbgraph.gradient.zero_grad(x), "zero_grad(x)"), (nbgraph.gradient.grad_clip(x, -1, 1), "grad_clip(x, -1.0, 1.0)"),
], ids=str)
def test_arrays_are_written_as_one_would_write_them(variable, line):
    assert pp(variable) == line


def test_products_that_rewriting_joins_are_written_out():
    from nbgraph.tensor.linear_forms import Gemm, Gemv
    assert pp(Gemv()(v, 1.0, x, w, 1.0)) == "v + dot(x, w)"
    assert pp(Gemm()(x, -0.5, x, y, 2.0)) == "2 * x - 0.5 * dot(x, y)"
    assert pp(Gemv()(v, -1.0, x, w, b)) == "b * v - dot(x, w)"


def test_an_op_that_says_nothing_is_a_call_and_an_output_of_several_is_indexed():
    assert pp(Twins(2)(x)[1] + 1) == "Twins{shift=2}(x)[1] + 1"


def test_what_pp_is_not_for_is_refused_with_the_way_out():
    with pytest.raises(TypeError, match="dprint prints lists"):
        pp([x])


class Read:
    """What Python makes of a line: operators and calls as tuples. Chains of comparisons would ask for a truth value."""

    def __init__(self, tree):
        self.tree = tree

    def __bool__(self):
        raise TypeError("a chain of comparisons")

    __hash__ = None


METHODS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne", "|": "or", "^": "xor", "&": "and",
           "<<": "lshift", ">>": "rshift", "+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv",
           "%": "mod", "@": "matmul", "**": "pow"}


def _reader(operator):
    return lambda *operands: Read((operator, *(o.tree for o in operands)))


for _operator, _method in METHODS.items():
    setattr(Read, f"__{_method}__", _reader(_operator))
for _operator, _method in (("neg", "neg"), ("inv", "invert")):
    setattr(Read, f"__{_method}__", _reader(_operator))

trees = st.recursive(
    st.sampled_from(["a", "b", "c"]),
    lambda inner: st.one_of(st.tuples(st.sampled_from(sorted(INFIX)), inner, inner),
                            st.tuples(st.sampled_from(["neg", "inv"]), inner), st.tuples(st.just("f"), inner, inner)),
    max_leaves=12)


def written(tree):
    """A tree as a Written, put together as Ops do it."""
    if isinstance(tree, str):
        return Written(tree)
    name, *operands = tree[0], *map(written, tree[1:])
    if name == "f":
        return call("f", *operands)
    return infix(name, *operands) if name in INFIX else prefix({"neg": "-", "inv": "~"}[name], *operands)


@given(trees)
@settings(max_examples=500, deadline=None)
def test_python_reads_what_is_written_as_the_same_expression(tree):
    names = {name: Read(name) for name in "abc"} | {"f": _reader("f")}
    assert eval(written(tree).text, names).tree == tree


def test_every_operator_has_a_method_in_this_test():
    assert set(METHODS) == set(INFIX)


def test_a_negative_number_is_as_loose_as_a_negation():
    assert infix("**", value("-2"), Written("x")).text == "(-2) ** x"
    assert infix("-", Written("x"), value("-2")).text == "x - -2"


# Names and limits


def test_a_name_stands_for_a_variable_but_not_for_the_one_that_is_written():
    z = nt.dot(x, w)
    e = nt.exp(-z - b)
    names = {z: "z", e: "e", w: "weights"}.get
    assert expression(1 / (1 + e), names) == "1 / (1 + e)"
    assert expression(e, names) == "exp(-z - b)"
    assert expression(z, names) == "dot(x, weights)"
    assert expression(w, names) == "weights"


def test_beyond_the_limit_stands_a_sign_that_something_is_left_out():
    assert expression(p, limit=2) == "1 / (1 + …)"
    assert expression(nt.exp(v) + nt.log(w) * b, limit=3) == "exp(v) + … * b"
    assert expression(p, limit=0) == "…"


def test_what_is_used_often_makes_no_endless_line():
    square = w
    for _ in range(100):
        square = square * square
    assert len(pp(square)) < 5000


def test_a_chain_of_100000_nodes_is_written_and_drawn_in_narrow_lines():
    chain = w
    for _ in range(50_000):
        chain = nt.sin(chain) + 1
    assert pp(chain, limit=4) == "sin(sin(…) + 1) + 1"
    lines = dprint(chain, file="str").splitlines()
    assert sum("sin #" in line for line in lines) == sum("add #" in line for line in lines) == 50_000
    assert max(map(len, lines)) < 3 * DEEPEST + 60


def test_names_and_texts_of_variables_stay_what_they_are():
    assert (str(p), repr(p), str(w), str(nt.constant(1.0))) == ("true_divide", "true_divide", "w", "1.0")


# Trees


def drawn(graph, **options):
    return dprint(graph, file="str", **options).splitlines()


def test_a_tree_has_ops_types_names_and_values():
    z = nt.dot(x, w) - 0.5
    z.name = "z"
    assert drawn(nt.exp(z)) == [
        "exp #0  float64[?]",
        "└─ sub #1 'z'  float64[?]",
        "   ├─ dot #2  float64[?]",
        "   │  ├─ x  float64[?, ?]",
        "   │  └─ w  float64[?]",
        "   └─ 0.5  float64[]"]


def test_a_shared_part_is_drawn_once_and_referred_to_by_its_number():
    e = nt.exp(w)
    assert drawn([e * e, e], print_type=False) == ["mul #0", "├─ exp #1", "│  └─ w", "└─ exp -> #1", "exp -> #1"]


@pytest.mark.parametrize(("ids", "lines"), [
    ("CHAR", ["mul #A", "├─ exp #B", "│  └─ w", "└─ exp -> #B"]),
    ("", ["mul", "├─ exp", "│  └─ w", "└─ exp -> above"])])
def test_numbers_may_be_letters_or_left_out(ids, lines):
    e = nt.exp(w)
    assert drawn(e * e, print_type=False, ids=ids) == lines


def test_letters_go_on_after_z():
    found = drawn([nt.exp(nt.dscalar("s")) for _ in range(28)], ids="CHAR", print_type=False)[::2]
    assert (found[0], found[25], found[26], found[27]) == ("exp #A", "exp #Z", "exp #AA", "exp #AB")


def test_ids_of_python_and_unknown_ids():
    z = nt.exp(w)
    assert drawn(z, ids="auto", print_type=False)[0] == f"exp #{id(z.owner)}"
    with pytest.raises(ValueError, match="ids must be one of"):
        dprint(z, ids="Greek")


def test_depth_bounds_the_levels_that_are_drawn():
    assert drawn(p, depth=3, print_type=False) == [
        "true_divide #0", "├─ 1", "└─ add #1", "   ├─ 1", "   └─ exp …"]
    assert drawn(p, depth=1) == ["true_divide …"]


def test_outputs_of_one_node_are_told_apart():
    rows, columns = nt.nonzero(x)
    assert drawn([columns, rows], print_type=False) == ["nonzero.1 #0", "└─ x", "nonzero.0 -> #0"]


def test_leaves_without_a_name_have_a_number():
    a = nt.dvector()
    assert drawn(a + a, print_type=False) == ["add #0", "├─ <float64[?]> #1", "└─ <float64[?]> -> #1"]


def test_stop_on_name_does_not_look_behind_names():
    z = nt.dot(x, w)
    z.name = "z"
    assert drawn(nt.exp(z), stop_on_name=True, print_type=False) == ["exp #0", "└─ z"]


def test_what_was_drawn_before_is_only_referred_to():
    e, done = nt.exp(w), {}
    drawn(e, done=done)
    assert drawn(e + 1, done=done, print_type=False) == ["add #1", "├─ exp -> #0", "└─ 1"]


def test_a_graph_ends_at_its_inputs():
    e = nt.exp(w)
    assert drawn(FunctionGraph([e], [e + 1]), print_type=False)[:2] == ["add #0", "├─ exp #1"]
    assert len(drawn(FunctionGraph([e], [e + 1]))) == 3


def test_a_function_shows_the_graph_that_runs_with_its_outputs_and_updates():
    count = nbgraph.shared(1.0, name="count")
    mode = nbgraph.Mode("rewritten", "FAST_RUN", "reference")
    f = nbgraph.function([b], {"sum": b + count, "same": nt.log(nt.exp(b)) * 1.0}, updates=[(count, count + 1)],
                         mode=mode)
    assert drawn(f, print_type=False) == [
        "sum = add #0", "├─ b", "└─ count  shared", "same = b", "count <- add #1", "├─ count  shared", "└─ 1"]
    assert drawn(f.copy(delete_updates=True), print_type=False)[-1] == "same = b"


def test_a_dict_is_drawn_with_its_keys_and_an_apply_is_its_output():
    assert drawn({"a": w, "b": nt.exp(w)}, print_type=False) == ["a = w", "b = exp #0", "└─ w"]
    assert drawn(nt.exp(w).owner, print_type=False) == ["exp #0", "└─ w"]


def test_it_is_printed_or_written_to_a_file(capsys):
    assert nbgraph.dprint(w) is None
    assert capsys.readouterr().out == "w  float64[?]\n"
    target = io.StringIO()
    assert nbgraph.debugprint(w, file=target) is target
    assert target.getvalue() == "w  float64[?]\n"


def test_what_is_no_graph_is_refused():
    for nothing in (3, "x", None):
        with pytest.raises(TypeError, match="dprint draws symbolic variables"):
            dprint(nothing)


def test_pp_is_a_public_name():
    assert nbgraph.pp(nt.exp(w)) == "exp(w)"


def test_a_mask_is_written_as_the_index_that_it_is():
    x, m = nt.dvector("x"), nt.matrix("m", dtype="bool")
    a = nt.dmatrix("a")
    assert pp(x[x > 0]) == "x[x > 0]"
    assert pp(a[m] + 1) == "a[m] + 1"
    assert pp(nt.set_subtensor(a[m], 0.0)) == "set_subtensor(a[m], 0)"
    assert pp(a[x > 0, nt.lvector("i")]) == "a[x > 0, i]"


def test_pp_of_a_function_writes_its_outputs_and_updates():
    x, w = nt.dvector("x"), nbgraph.shared(np.zeros(2), "w")
    f = nbgraph.function([x], {"a": x + 1, "b": x[x > 0]}, updates=[(w, w + x)], mode="reference")
    assert pp(f) == "a = x + 1\nb = x[x > 0]\nw <- w + x"
    assert pp(nbgraph.function([x], x * 2, mode="reference")) == "x * 2"


def test_a_function_graph_prints_as_its_drawing():
    x = nt.dvector("x")
    graph = FunctionGraph([x], [nt.exp(x)])
    assert str(graph) == "exp #0  float64[?]\n└─ x  float64[?]"
