"""Copies of functions: what they share, what they have of their own, and that nothing is compiled for them.

The quotations are of the documentation of `function` that nbgraph follows.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph import In, function, shared
from nbgraph.compile.container import Container
from nbgraph.compile.mode import Mode
from nbgraph.errors import DTypeError, GraphError


@pytest.fixture
def made(monkeypatch) -> list[str]:
    """What is rewritten and compiled while the test runs."""
    done: list[str] = []


    def count(stage: str) -> None:
        original = getattr(Mode, stage)

        def counted(*args, **kwargs):
            done.append(stage)
            return original(*args, **kwargs)
        monkeypatch.setattr(Mode, stage, counted)

    count("rewrite"), count("execute")
    return done


def accumulator():
    """A function of two outputs with a default, a state and a shared variable, and the latter."""
    x, y, s = nt.dvector("x"), nt.dscalar("y"), nt.dscalar("s")
    w = shared(np.zeros(2), "w")
    f = function([x, In(y, value=1.0), In(s, value=0.0, update=s + y)], [x * w + y, nt.exp(w).sum()],
                 updates=[(w, w + x)], name="accumulator")
    return f, w


def test_no_copy_is_rewritten_or_compiled(made):
    """"The optimized graph of the original function is copied, so compilation only needs to be performed once." """
    f, w = accumulator()
    assert made == ["rewrite", "execute"]
    other = shared(np.ones(2), "other")
    copies = [f.copy(), f.copy(swap={w: other}), f.copy(delete_updates=True), f.copy(share_memory=True), copy.copy(f)]
    for g in copies:
        g([1.0, 2.0])
    assert made == ["rewrite", "execute"]
    for g in (f, *copies):
        g([1.0, 2.0], output_subset=[1])
    assert made == ["rewrite", "execute", "execute"], "a subset is compiled once for all"


def test_a_copy_has_a_maker_and_a_graph_of_its_own():
    """"Copied function will have separated maker and fgraph with original function." """
    f, w = accumulator()
    new = shared(np.ones(2), "new")
    g = f.copy(swap={w: new})
    assert g.maker is not f.maker and g.maker.fgraph is not f.maker.fgraph
    assert new in g.maker.fgraph.inputs and w not in g.maker.fgraph.inputs
    assert w in f.maker.fgraph.inputs and new not in f.maker.fgraph.inputs
    assert "new" in repr(g) and "updates s, new" in repr(g)
    assert "updates" not in repr(f.copy(delete_updates=True))


def test_swap_changes_the_new_function_and_not_the_graph_of_the_user():
    """"NOTE: The shared variable swap in only done in the new returned function, not in the user graph." """
    state, new = shared(1.0, "state"), shared(10.0, "new")
    z = state * 2
    f = function([], z, updates=[(state, state + 1)])
    g = f.copy(swap={state: new})
    assert (g(), f(), g()) == ([20.0], 2.0, [22.0])
    assert (state.get_value(), new.get_value()) == (2.0, 12.0)
    assert z.owner.inputs[0] is state
    assert (g.finder[new], "state" in g.finder) == (new.container, False)


def test_swap_exchanges_several_variables_at_once_and_those_that_are_only_written():
    a, b, out = shared(1.0, "a"), shared(2.0, "b"), shared(0.0, "out")
    f = function([], a - b, updates=[(out, a * 10)])
    log = shared(0.0, "log")
    g = f.copy(swap={a: b, b: a, out: log})
    assert g() == [1.0]
    assert (out.get_value(), log.get_value()) == (0.0, 20.0)


def test_swap_refuses_a_variable_of_another_meaning():
    w = shared(np.zeros(2), "w")
    f = function([], w + 1)
    for wrong in (shared(np.zeros(2, "float32")), shared(np.zeros((2, 2))), shared(np.zeros(1), shape=(1,))):
        with pytest.raises(DTypeError, match=r"swap of w: must be float64\[\?\], got"):
            f.copy(swap={w: wrong})
    np.testing.assert_array_equal(f.copy(swap={w: shared(np.ones(2), shape=(2,))})()[0], [2, 2])


def test_swap_puts_no_variable_in_two_places():
    a, b = shared(1.0, "a"), shared(2.0, "b")
    f = function([], a - b, updates=[(a, a + 1)])
    with pytest.raises(GraphError, match=r"swap: b would be in 2 places(.|\n)*fix: swap b, which the function uses"):
        f.copy(swap={a: b})
    assert f() == -1.0


def test_deleted_updates_leave_states_and_shared_variables_as_they_are():
    """"If True, Copied function will not have updates." """
    f, w = accumulator()
    g = f.copy(delete_updates=True)
    g([1.0, 2.0]), g([1.0, 2.0], output_subset=[0])
    np.testing.assert_array_equal(w.get_value(), [0, 0])
    assert g["s"] == 0.0
    f([1.0, 2.0])
    np.testing.assert_array_equal(w.get_value(), [1, 2])


def test_the_name_of_a_copy():
    """"If provided, will be the name of the new Function. Otherwise, it will be old + " copy"" """
    f, _ = accumulator()
    assert (f.copy().name, f.copy(name="other").name, f.copy().copy().name) == (
        "accumulator copy", "other", "accumulator copy copy")
    assert f.name == "accumulator"


@pytest.mark.parametrize("copied", [copy.copy, lambda f: f.copy()], ids=["copy.copy", "copy"])
def test_containers_and_their_values_are_duplicated(copied):
    """"The meaning of copying a function is that the containers and their current values will all be duplicated. This
    requires that mutable inputs be copied, whereas immutable inputs may be shared between copies."
    """
    x, s = nt.dvector("x"), nt.dvector("s")
    f = function([In(x, value=np.ones(2), mutable=True), In(s, value=np.zeros(2), update=s + x)], s)
    g = copied(f)
    for key in ("x", "s"):
        assert f.container[key] is not g.container[key]
        assert not np.shares_memory(f[key], g[key])
    f(), f()
    f["x"] = [5.0, 5.0]
    np.testing.assert_array_equal((f["s"], g["s"], g["x"]), [[2, 2], [0, 0], [1, 1]])
    g()
    np.testing.assert_array_equal((f["s"], g["s"]), [[2, 2], [1, 1]])


def test_shared_variables_and_containers_of_the_user_are_shared_by_copies():
    c, w = nt.dscalar("c"), shared(1.0, "w")
    held = Container(c.type, 5.0)
    f = function([In(c, value=held)], c + w, updates=[(w, w + 1)])
    for g in (copy.copy(f), f.copy()):
        assert g.container[c] is held and g.container[w] is w.container


def test_copy_copy_shares_the_maker_and_keeps_form_and_name():
    """"Contrast with self.maker (instance of FunctionMaker) that is shared between copies." """
    x = nt.dscalar("x")
    f = function([x], x + 1, name="f")
    g = copy.copy(f)
    assert g is not f and g.maker is f.maker and (g.name, g.form) == ("f", "single")
    assert isinstance(g(1), np.ndarray)


def test_a_function_is_hashable_and_equal_to_itself_only():
    """"A Function instance is hashable, on the basis of its memory address (its id). A Function instance is only equal
    to itself."
    """
    f, _ = accumulator()
    g, h = f.copy(), copy.copy(f)
    assert f == f and f != g and f != h and hash(f) != hash(g)
    assert {f: 1, g: 2, h: 3}[f] == 1


def test_copies_of_a_trusting_function_trust():
    """"A Function instance has a Function.trust_input field that defaults to False." """
    f, _ = accumulator()
    assert f.trust_input is False
    f.trust_input = True
    assert f.copy().trust_input and copy.copy(f).trust_input
