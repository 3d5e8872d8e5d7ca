"""Every rule there is: both sides are equal on samples, types stay, near misses do not match."""

from __future__ import annotations

import numpy as np
import pytest

from nbgraph.config import config
from nbgraph.graph.evaluate import evaluate
from nbgraph.rewrites import FAST_RUN, apply_rules, rewrite
from nbgraph.rewrites.check import check_rule, graph_of, left_sides, sample_values
from tests.rewrites.rule_cases import all_rules, near_misses

RULES = all_rules()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_both_sides_of_a_rule_are_equal_over_dtypes_and_ranks(rule):
    check_rule(rule)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_near_miss_of_a_rule_is_left_alone(rule):
    expressions = list(near_misses(rule))
    assert expressions, f"{rule} needs near_misses"
    for expression in expressions:
        before = graph_of(expression)
        _, firings = apply_rules(before, [rule])
        assert not any(name == rule.name for name, _ in firings), f"{rule} matches {before.nodes}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_all_passes_keep_the_value_of_a_left_side(rule):
    rng = np.random.default_rng(1)
    for expression in left_sides(rule):
        before = graph_of(expression)
        with config.change_flags(verify=True):
            after, _ = rewrite(before, FAST_RUN)
        values = sample_values(before, rule, rng)
        (old,), (new,) = evaluate(before, values), evaluate(after, values)
        assert new.dtype == old.dtype and new.shape == old.shape
        precision = 0 if old.dtype.kind in "biu" else (rule.ulp + 32) * np.finfo(old.dtype).eps
        np.testing.assert_allclose(new, old, rtol=precision, atol=precision, equal_nan=True)


def test_every_rule_says_in_its_docstring_what_it_does():
    assert [rule.name for rule in RULES if "->" not in rule.doc] == []


def test_every_rule_is_in_a_pass():
    listed = {id(rule) for step in FAST_RUN for rule in step.rules}
    assert [rule.name for rule in RULES if id(rule) not in listed] == []


def test_rule_names_are_distinct():
    names = [rule.name for rule in RULES]
    assert sorted(set(names)) == sorted(names)
