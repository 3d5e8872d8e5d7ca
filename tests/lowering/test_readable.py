"""The source that people read: it runs, says the same as what is compiled, and reads well."""

from __future__ import annotations

import ast
import keyword
import re

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import nbgraph
import nbgraph.tensor as nt
from nbgraph.compile.collect import collect
from nbgraph.compile.mode import FAST_RUN
from nbgraph.dispatch.expressions import Assign, Call, Combine, Expr, For, Literal, Load, Local, Store
from nbgraph.dispatch.expressions import Buffer as Array
from nbgraph.lowering.emit import canonical_source
from nbgraph.lowering.executor import Signature, stages_of
from nbgraph.lowering.inlining import copies, used_once
from nbgraph.lowering.lines import wrapped
from nbgraph.lowering.names import RESERVED, Hinted, identifier
from nbgraph.lowering.program import kernel_of
from nbgraph.lowering.readable import readable_source
from nbgraph.lowering.text import ExpressionText, Imports, literal
from tests.graphs import random_graph
from tests.lowering.functions import FUNCTIONS, build
from tests.lowering.stages import arguments_of, main_of, run_as_python

GRAPHS = range(7000, 7040)


def equal(one, other):
    """True where two results are the same to the last bit."""
    a, b = np.asarray(one), np.asarray(other)
    return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


# It runs


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_readable_source_compiles_to_the_same_function(name):
    function, values = build(name)
    found = main_of(function.source)(*arguments_of(function, values))
    compiled = function.maker.executor.entry(*arguments_of(function, values))
    assert len(found) == len(compiled)
    for place, (one, other) in enumerate(zip(found, compiled, strict=True)):
        # The same statements, but LLVM may add up the terms of a sum in another order.
        np.testing.assert_allclose(one, other, rtol=1e-6 if np.asarray(other).dtype == np.float32 else 1e-13,
                                   atol=1e-13, err_msg=f"output {place}")


def test_without_numba_the_readable_source_gives_exactly_what_the_compiled_text_gives():
    made = [(build(name)[0], arguments_of(*build(name))) for name in FUNCTIONS]
    readable = run_as_python([(function.source, arguments) for function, arguments in made])
    canonical = run_as_python([(canonical_source(f.stages.program), arguments) for f, arguments in made])
    for name, (function, arguments), one, other in zip(FUNCTIONS, made, readable, canonical, strict=True):
        compiled = function.maker.executor.entry(*arguments)
        assert len(one) == len(other) == len(compiled), (name, one)
        assert all(map(equal, one, other)), name
        for plain, native in zip(one, compiled, strict=True):
            tolerance = 1e-6 if np.asarray(native).dtype == np.float32 else 1e-12
            np.testing.assert_allclose(plain, native, rtol=tolerance, atol=tolerance, err_msg=name)


def texts_of(seed):
    """The readable and the canonical text of a random graph, and arguments for both."""
    graph = random_graph(seed)
    outputs = [*graph.outputs, *graph.gradients]
    collected = collect([nbgraph.In(v, autoname=False) for v in graph.inputs], outputs, on_unused_input="ignore")
    fgraph, report = FAST_RUN.rewrite(collected.fgraph)
    name = ["train", "exp", "x", "fused_0", "é ü", "sum"][seed % 6]
    stages, _ = stages_of(fgraph, name, [v.name for v in fgraph.inputs])
    signature = Signature((False,) * len(fgraph.inputs), lambda: report.carried(collected.names()),
                          collected.output_names)
    readable = readable_source(stages.program, stages.graph, signature, "a summary")
    values = [np.require(value, requirements=["C", "A"]).copy() if np.ndim(value) else value.item()
              for value in graph.worlds[0].arguments]
    return readable, canonical_source(stages.program), [*values, *(data for _, data in stages.program.constants)]


def test_random_graphs_read_as_they_run():
    made = {seed: texts_of(seed) for seed in GRAPHS}
    readable = run_as_python([(text, values) for text, _, values in made.values()])
    canonical = run_as_python([(text, values) for _, text, values in made.values()])
    for seed, one, other in zip(made, readable, canonical, strict=True):
        assert len(one) == len(other), (seed, one, other)
        assert one == other if isinstance(one[0], str) else all(map(equal, one, other)), seed
        assert_layout(made[seed][0], f"seed {seed}")


# How it looks


def assert_layout(text: str, which: str) -> None:
    """Lines of at most 120 characters, comments of at most 100, nothing left over at the ends of lines."""
    assert text.endswith("\n"), which
    for line in text.splitlines():
        assert len(line) <= 120, (which, line)
        assert line == line.rstrip(), (which, line)
        assert "\t" not in line, (which, line)
        if line.lstrip().startswith("#"):
            assert len(line.lstrip()) <= 100, (which, line)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_lines_and_comments_are_short(name):
    assert_layout(build(name)[0].source, name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_name_has_one_meaning(name):
    tree = ast.parse(build(name)[0].source)
    imported = {alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
                for alias in node.names}
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    globals_ = imported | {node.name for node in functions} | {"np"}
    assert len(globals_) == len(imported) + len(functions) + 1
    for function in functions:
        made = {a.arg for a in function.args.args}
        made |= {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        assert not made & globals_, function.name
        assert not made & RESERVED, function.name
        assert len(function.args.args) == len({a.arg for a in function.args.args})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_import_and_every_name_is_used(name):
    tree = ast.parse(build(name)[0].source)
    read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    imported = {alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
                for alias in node.names}
    assert imported <= read
    for function in [node for node in tree.body if isinstance(node, ast.FunctionDef)]:
        made = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        read = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        loops = {n.target.id for n in ast.walk(function) if isinstance(n, ast.For)}
        assert made - read <= loops, function.name


def test_the_users_names_are_the_names():
    source = build("logistic_step")[0].source
    assert source.startswith('"""train(x, y; w, b) -> prediction, xent, w_next, b_next.')
    assert "def train(x, y, w, b, w_next):" in source
    assert "return prediction, xent, w_next, b_next" in source
    for statement in ("p_1 = sigmoid(", "prediction[i] = p_1 > 0.5", "y_i = y[i]", "gw = 0.02 * w_i",
                      "b_next = b - 0.1 * gb"):
        assert statement in source


def test_comments_say_what_is_computed():
    source = build("logistic_step")[0].source
    for comment in ("# p_1 = sigmoid(dot(x, w) + b)", "w_next[i] = w_i - 0.1 * gw", "# dot(x, w)    f64[n]",
                    "# gb = sum(", "# for dot(x, w)"):
        assert comment in source
    assert "# -> prediction bool[n], xent f64[n]" in source
    assert "# residual = (y - theta[group]) / sigma" in build("gather_scatter")[0].source


def test_a_comment_does_not_repeat_its_statement():
    lines = build("logistic_step")[0].source.splitlines()
    place = next(k for k, line in enumerate(lines) if "prediction[i] = p_1 > 0.5" in line)
    assert "#" not in lines[place - 1]
    assert "# b_next" not in "\n".join(lines)


def test_results_are_named_by_their_variables_not_by_the_memory_they_are_in():
    source = build("logistic_step")[0].source
    assert "xent = dot    # in the memory of dot" in source
    assert re.search(r"# -> prediction .*xent f64\[n\]", source)


def test_accumulators_have_names():
    source = build("gather_scatter")[0].source
    assert "part = add(part, " in source
    assert "logp = settled(logp, lost)" in source
    assert "total = settled(total, lost_1)" in source
    assert "return logp, gtheta, gsigma" in source
    source = build("reductions")[0].source
    for name in ("largest = ", "found = found | ", "all_true = all_true & ", "best = ", "place = ", "carry = "):
        assert name in source


def test_lengths_are_called_n_m_k():
    source = build("stencil")[0].source
    for statement in ("n = u.shape[0]", "m = u.shape[1]", "k = maximum(n - 2, 0)", "for j in range(m):", "f64[n, m]"):
        assert statement in source
    n = nt.dvector("n")
    assert "m = n.shape[0]" in nbgraph.function([n], n + 1).source


def test_lengths_that_only_checks_read_have_no_names():
    source = build("products")[0].source
    assert "if b.shape[1] != k or n != b.shape[0] or l != v.shape[0]:" in source


def test_one_loop_after_the_other_have_the_same_index():
    source = build("stencil")[0].source
    assert source.count("for j in range(l):") >= 2
    assert "j_1" not in source


def test_a_kernel_that_is_called_again_says_so():
    source = build("long_chains")[0].source
    assert re.search(r"# called \d+ times; the names are those of the first call\n@kernel", source)


def test_values_that_are_used_once_have_no_name():
    x = nt.dvector("x")
    source = nbgraph.function([x], nt.exp(nt.sin(x) + 1) * 2).source
    assert "[i] = exp(sin(x[i]) + 1.0) * 2.0" in source


def test_an_unnamed_output_is_named_by_its_op():
    x = nt.dvector("x")
    source = nbgraph.function([x], [nt.tanh(x), x.sum()]).source
    assert source.startswith('"""function(x) -> tanh, sum.')


# Inlining: a value moves only where it stays the same

x, y = Array("x", "float64", (Local("n"),)), Array("y", "float64", (Local("n"),))
i, s, t, u, v = (Local(name, "int64" if name == "i" else "float64") for name in "istuv")


def plus(a: Expr, b: Expr) -> Call:
    """a + b"""
    return Call("+", (a, b), ("float64", "float64"), "float64")


def loop(*body):
    """A loop over i."""
    return [For(i, Local("n"), list(body))]


def test_a_load_does_not_move_over_a_store():
    changed_between = loop(Assign(t, Load(x, (i,))), Store(x, (i,), Literal(0.0, "float64")), Store(y, (i,), t))
    assert t not in used_once(changed_between, [])
    assert t in used_once(loop(Assign(t, Load(x, (i,))), Store(y, (i,), t)), [])


def test_arithmetic_moves_over_a_store():
    body = loop(Assign(u, Load(x, (i,))), Assign(t, plus(u, u)), Store(x, (i,), u), Store(y, (i,), t))
    assert t in used_once(body, [])


def test_a_value_does_not_move_into_a_loop():
    assert t not in used_once([Assign(t, plus(u, v)), *loop(Store(x, (i,), t))], [])


def test_what_reads_an_accumulator_does_not_move_over_its_change():
    one = Literal(1.0, "float64")
    body = loop(Assign(t, plus(s, one)), Assign(u, plus(t, one)), Combine(s, "sum", one), Store(x, (i,), u))
    assert used_once([Assign(s, one), *body], [s]) == {t}
    body = loop(Assign(t, plus(s, one)), Combine(s, "sum", t), Store(x, (i,), s))
    assert t in used_once([Assign(s, one), *body], [s])


def test_an_index_that_is_shown_twice_keeps_its_name():
    at = Local("at")
    body = loop(Assign(at, Call("+", (i, Literal(1)), ("int64", "int64"), "int64")),
                Combine(Load(x, (at,)), "+", Literal(1.0, "float64")))
    assert at not in used_once(body, [])


def test_a_copy_stands_for_an_accumulator_only_while_that_stays():
    start = Assign(s, Literal(0.0, "float64"))
    added = loop(Combine(s, "sum", Load(x, (i,))))
    assert copies(kernel_of([start, *added, Assign(t, s)], [t])) == {t: s}
    assert copies(kernel_of([start, Assign(t, s), *added, Assign(u, s)], [t, u])) == {u: s}


# Operators


_FLOATS = [Local(name, "float64") for name in "abc"]
_WHOLE = [Local(name, "int64") for name in "pqr"]
_TRUTH = [Local(name, "bool") for name in "ef"]
_VALUES = {"a": 1.5, "b": -2.25, "c": 0.5, "p": 3, "q": -4, "r": 7, "e": True, "f": False}
_OPERATORS = {"float64": ["+", "-", "*", "true_divide"], "int64": ["+", "-", "*", "&", "|", "^"],
              "bool": ["&", "|", "^"]}


def expressions(dtype: str, depth: int) -> st.SearchStrategy[Expr]:
    """Expressions of a dtype."""
    leaves = {"float64": _FLOATS, "int64": _WHOLE, "bool": _TRUTH}[dtype]
    numbers = {"float64": st.sampled_from([2.0, -3.0, 0.5]), "int64": st.integers(-3, 5), "bool": st.booleans()}[dtype]
    leaf = st.sampled_from(leaves) | numbers.map(lambda n: Literal(n, dtype))
    if not depth:
        return leaf
    below = expressions(dtype, depth - 1)
    forms = [leaf, st.builds(lambda f, a, b: Call(f, (a, b), (dtype, dtype), dtype),
                             st.sampled_from(_OPERATORS[dtype]), below, below)]
    if dtype == "bool":
        for kind in ("float64", "int64"):
            sides = expressions(kind, depth - 1)
            forms.append(st.builds(lambda f, a, b, kind=kind: Call(f, (a, b), (kind, kind), "bool"),
                                   st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), sides, sides))
    else:
        forms.append(below.map(lambda a: Call("neg", (a,), (dtype,), dtype)))
        forms.append(expressions("bool", depth - 1).map(lambda a: Call("identity", (a,), ("bool",), dtype)))
    return st.one_of(forms)


def value_of(e: Expr) -> object:
    """What the expression is, computed part by part with NumPy's scalars."""
    if isinstance(e, Local):
        return np.dtype(e.dtype).type(_VALUES[e.hint])
    if isinstance(e, Literal):
        return np.dtype(e.dtype).type(e.value)
    a, *rest = map(value_of, e.arguments)
    if e.function == "neg":
        return -a
    if e.function == "identity":
        return np.dtype(e.dtype).type(a)
    (b,) = rest
    return {"+": np.add, "-": np.subtract, "*": np.multiply, "true_divide": np.divide, "&": np.bitwise_and,
            "|": np.bitwise_or, "^": np.bitwise_xor, "<": np.less, "<=": np.less_equal, ">": np.greater,
            ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal}[e.function](a, b)


class _Own:
    """Names that things were made with."""

    def name(self, thing):
        return thing.hint


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(["float64", "int64", "bool"]).flatmap(lambda dtype: expressions(dtype, 4)))
def test_text_of_an_expression_has_the_parentheses_that_it_needs(e):
    imports = Imports()
    text = ExpressionText(_Own(), imports).text(e)
    names = {name: np.array(value)[()] for name, value in _VALUES.items()}
    exec("\n".join(imports.groups()), names)
    with np.errstate(all="ignore"):
        try:
            found = eval(text, names)
        except ZeroDivisionError:  # of two Python numbers, which generated code never divides
            reject()
        wanted = value_of(e)
    assert np.array_equal(found, wanted, equal_nan=True), text


@pytest.mark.parametrize(("e", "text"), [
    (plus(plus(s, t), u), "s + t + u"), (plus(s, plus(t, u)), "s + (t + u)"),
    (Call("*", (plus(s, t), u), ("float64",) * 2, "float64"), "(s + t) * u"),
    (Call("neg", (plus(s, t),), ("float64",), "float64"), "-(s + t)"),
    (plus(s, Literal(-1.5, "float64")), "s + -1.5"),
    (Call("*", (Call("neg", (s,), ("float64",), "float64"), t), ("float64",) * 2, "float64"), "-s * t"),
    (Call("==", (Call("<", (s, t), ("float64",) * 2, "bool"), Call("<", (t, s), ("float64",) * 2, "bool")),
          ("bool",) * 2, "bool"), "(s < t) == (t < s)"),
], ids=str)
def test_text_has_no_more_parentheses_than_it_needs(e, text):
    assert ExpressionText(_Own(), Imports()).text(e) == text


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "uint64", "float32", "float64", "complex64", "complex128"])
def test_numbers_are_written_exactly(dtype):
    rng = np.random.default_rng(2)
    kind = np.dtype(dtype)
    if kind.kind == "b":
        values = [True, False]
    elif kind.kind in "iu":
        values = [0, 1, np.iinfo(kind).min, np.iinfo(kind).max]
    else:
        reals = [0.0, -0.0, np.inf, -np.inf, np.nan, 0.1, np.finfo(kind).tiny,
                 *rng.normal(size=20) * 10.0 ** rng.integers(-30, 30, 20)]
        values = reals if kind.kind == "f" else [complex(a, b) for a in reals[:7] for b in reals[:7]]
    for value in values:
        exact = kind.type(value)
        found = kind.type(eval(literal(exact.item(), dtype), {"np": np}))
        assert found.tobytes() == exact.tobytes() or (np.isnan(found) and np.isnan(exact)), value


# Names


@given(st.text(max_size=60))
def test_any_text_makes_an_identifier(text):
    name = identifier(text)
    assert name.isidentifier()
    assert len(name) <= 41


@settings(max_examples=200)
@given(st.lists(st.text(max_size=5) | st.sampled_from(["x", "np", "for", "µ", "μ", "x_1", "exp"]), max_size=12))
def test_names_are_unique_and_free(hints):
    namer = Hinted({}, {"exp"})
    things = [Local(hint) for hint in hints]
    names = [namer.name(thing) for thing in things]
    assert names == [namer.name(thing) for thing in things]
    assert len({ast.parse(name).body[0].value.id for name in names}) == len(names)
    assert not {"exp", "np", *keyword.kwlist} & set(names)


def test_the_first_free_hint_is_the_name():
    a, b, c = Local("a"), Local("b"), Local("c")
    namer = Hinted({a: ["n", "m"], b: ["n", "m"], c: ["n", "m"]})
    assert [namer.name(thing) for thing in (a, b, c)] == ["n", "m", "n_1"]


# Long lines


_ARGUMENTS = ["alpha", "b", "gamma_1", "f(x, y)", "g(a + b, (c, d))", "z[i, j]", "1.0", "np.float32(q)"]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(_ARGUMENTS), min_size=1, max_size=40),
       st.sampled_from(["{0} = fused(({1}))", "{0} = {2}", "return {1}", "f({1})", "if {2} > 0:", "raise E({1})",
                        "x[i, f(j)] = {2}", "from m import {3}", "def f({3}):"]),
       st.sampled_from([30, 60, 120]))
def test_a_long_line_in_several_is_the_same_statement(parts, form, width):
    names = ", ".join(f"n{k}" for k in range(len(parts)))
    line = form.format(names, ", ".join(parts), " + ".join(parts), names)
    broken = wrapped(line, width)
    body = "\n    pass" if line.endswith(":") else ""
    assert ast.dump(ast.parse("\n".join(broken) + body)) == ast.dump(ast.parse(line + body))
    assert all(len(row) <= width or len(row.split()) < 4 for row in broken), broken
    assert "".join(line.split()) == "".join(line.split()) and (len(line) > width or broken == [line])


def test_a_comment_behind_a_long_line_moves_above_it():
    line = "    name = " + "f(" + ", ".join(["argument"] * 14) + ")    # in the memory of x"
    comment, *code = wrapped(line)
    assert comment == "    # in the memory of x"
    assert ast.dump(ast.parse("if 1:\n" + "\n".join(code))) == ast.dump(ast.parse("if 1:\n" + line))
