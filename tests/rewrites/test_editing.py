"""Rewriting for users: "a user adds, excludes and orders rules and passes per Mode, sees which fired, and gets a check
that a rule keeps values".
"""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph import Mode, function
from nbgraph.compile.debug import DebugMode
from nbgraph.errors import RuleError
from nbgraph.rewrites import FAST_RUN, Pass, check_rule, node_rule, rule

x = nt.dvector("x")


@rule(domain=(0.1, 3.0))
def log_of_cube(x):
    """log(x * x * x) -> 3 log(x)"""
    return nt.log(x * x * x), 3 * nt.log(x)


@node_rule("arctan", example=lambda: [nt.arctan(nt.tan(nt.dvector("x")) * 1)], ulp=8, domain=(-1.0, 1.0))
def arctan_of_tan(node):
    """arctan(tan(x) * 1) -> x     between -pi/2 and pi/2"""
    inner = node.inputs[0].owner
    tangent = inner.inputs[0].owner if inner is not None and str(inner.op) == "mul" else None
    return tangent.inputs[0] if tangent is not None and str(tangent.op) == "tan" else None


def names(mode):
    """Of the passes."""
    return [step.name for step in mode._passes()]


def fired(mode, expression):
    """What explain says of the rewriting."""
    return function([x], expression, mode=mode).explain()


def test_rules_of_users_fire_and_are_seen():
    mode = Mode().including(log_of_cube)
    assert names(mode) == ["merge", "canonical", "stability", "gradients", "gathers", "log_of_cube", "blas"]
    assert "log_of_cube 1" in fired(Mode().including(log_of_cube, before="canonical"), nt.log(x * x * x))
    assert "log_of_cube 1" in fired(Mode().including(log_of_cube, into="merge"), nt.log(x * x * x))
    assert "log_of_cube" not in fired(Mode(), nt.log(x * x * x))
    f = function([x], nt.log(x * x * x), mode=Mode().including(log_of_cube, before="canonical"))
    np.testing.assert_allclose(f([1e200]), [3 * np.log(1e200)])


def test_passes_stand_where_they_are_told_to():
    mine = Pass("mine", (log_of_cube, arctan_of_tan))
    assert names(Mode().including(mine, after="merge"))[:2] == ["merge", "mine"]
    assert names(Mode().including(mine, before="merge"))[0] == "mine"
    assert names(Mode().including(mine, log_of_cube, after="blas"))[-2:] == ["log_of_cube", "mine"]
    assert names(Mode(passes=()).including(mine)) == ["mine"]
    assert isinstance(DebugMode().including(mine), DebugMode)


def test_passes_and_rules_are_left_out():
    assert "softplus" in function([x], nt.log(1 + nt.exp(x)).sum()).source
    for left_out in ("stability", "gradients"):
        assert left_out not in names(Mode().excluding(left_out))
    without = Mode().excluding("stability", "gradients")
    assert "softplus" not in function([x], nt.log(1 + nt.exp(x)).sum(), mode=without).source
    one = Mode().excluding("log_of_one_plus")
    assert all(r.name != "log_of_one_plus" for step in one._passes() for r in step.rules)
    assert any(r.name == "log_of_one_plus" for step in FAST_RUN for r in step.rules)


@pytest.mark.parametrize(("edit", "error", "said"), [
    (lambda: Mode().excluding("stabilty"), ValueError, "there is no pass or rule 'stabilty'; there are stability"),
    (lambda: Mode().including(log_of_cube, after="blass"), ValueError, "there is no pass 'blass'; there are blas"),
    (lambda: Mode().including(log_of_cube, into="a"), ValueError, "there is no pass 'a'"),
    (lambda: Mode().including(len), TypeError, "a mode includes rules and passes, got <built-in"),
    (lambda: Mode().including(Pass("blas", ())), ValueError, "there is a pass 'blas' already"),
    (lambda: Mode().including(Pass("mine", ()), into="blas"), TypeError, "can't join another"),
    (lambda: Mode().including(log_of_cube, into="blas", after="blas"), TypeError, "one of into, before and after"),
])
def test_what_can_not_be_is_said(edit, error, said):
    with pytest.raises(error, match=said):
        edit()


def test_a_rule_is_checked():
    check_rule(log_of_cube)
    check_rule(arctan_of_tan)

    @rule
    def wrong(x):
        """exp(x) * 2 -> exp(x + 0.693)"""
        return nt.exp(x) * 2, nt.exp(x + 0.693)

    @node_rule("sin", example=lambda: [nt.sin(nt.dvector("x"))])
    def other_function(node):
        """sin(x) -> cos(x)"""
        return nt.cos(node.inputs[0])

    @node_rule("sin", example=lambda: [nt.cos(nt.dvector("x"))])
    def never(node):
        """sin(x) -> never, for its example"""
        return None

    @node_rule("sin", example=lambda: [])
    def silent(node):
        """sin(x) -> nothing to try"""
        return None

    for bad, said in ((wrong, r"wrong: makes .* of exp\(x0\) \* 2, which is .*, for x0 = "),
                      (other_function, "other_function: makes"), (never, r"never: does not match cos\(x\)"),
                      (silent, "silent: has no expression that it matches")):
        with pytest.raises(RuleError, match=said):
            check_rule(bad)


def test_modes_with_rules_of_a_module_pickle_and_others_say_why_not():
    mode = Mode().including(log_of_cube, into="canonical").excluding("blas")
    again = pickle.loads(pickle.dumps(mode))
    assert again == mode and names(again) == names(mode)
    f = pickle.loads(pickle.dumps(function([x], nt.log(x * x * x), mode=mode)))
    np.testing.assert_allclose(f([2.0]), [3 * np.log(2.0)])

    @rule
    def local(x):
        """sin(x) -> sin(x) + 0"""
        return nt.sin(x), nt.sin(x) + 0

    with pytest.raises(pickle.PicklingError, match="the rule local is not found as"):
        pickle.dumps(Mode().including(local))
