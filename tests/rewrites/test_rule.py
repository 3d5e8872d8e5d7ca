"""Patterns: what a rule's left side matches, and what it does not."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.graph import FunctionGraph
from nbgraph.rewrites import Rule, apply_rules, rule
from nbgraph.rewrites.shapes import Shapes
from nbgraph.rewrites.values import constant_value, same_variable

x, y, f, z = nt.dvector("x"), nt.dvector("y"), nt.fvector("f"), nt.zvector("z")


@rule
def one_plus(a):
    """1 + exp(a) -> cosh(a)     wrong on purpose: only matching is tested"""
    return 1 + nt.exp(a), nt.cosh(a)


@rule
def nested(a, b):
    """(a * b) + a -> cosh(a) + b     wrong on purpose"""
    return (a * b) + a, nt.cosh(a) + b


def _fires(one, expression):
    leaves = [v for v in (x, y, f, z)]
    return bool(apply_rules(FunctionGraph(leaves, [expression]), [one])[1][one.name, str(expression.owner.line)])


def test_a_rule_keeps_name_and_docstring_of_its_function():
    assert isinstance(one_plus, Rule) and one_plus.name == "one_plus" and one_plus.doc.startswith("1 + exp(a) ->")


def test_commutative_functions_match_in_both_orders():
    assert _fires(one_plus, 1 + nt.exp(x)) and _fires(one_plus, nt.exp(x) + 1)


def test_orders_are_tried_together_at_all_depths():
    for expression in (x * y + x, y * x + x, x + x * y, x + y * x):
        assert _fires(nested, expression)
    assert not _fires(nested, x * x + y)


@pytest.mark.parametrize("one", [1, 1.0, np.float32(1), np.ones(3), np.ones((2, 1)), nt.ones(3), nt.ones_like(x)])
def test_a_constant_matches_by_value_whatever_its_dtype_and_shape(one):
    assert _fires(one_plus, nt.as_tensor_variable(one) + nt.exp(x))


@pytest.mark.parametrize("other", [2, 1 + 1e-12, np.array([1.0, 1.0, 2.0]), np.nan, nt.zeros(3), x])
def test_other_values_do_not_match(other):
    assert not _fires(one_plus, nt.as_tensor_variable(other) + nt.exp(x))


def test_variables_must_have_a_dtype_that_the_rule_is_for():
    assert _fires(one_plus, 1 + nt.exp(f)) and not _fires(one_plus, 1 + nt.exp(z))


def test_where_is_asked_with_the_matched_variables():
    @rule(where=lambda a: a.type.dtype == "float32")
    def only_single(a):
        """log(a) -> exp(a)     wrong on purpose"""
        return nt.log(a), nt.exp(a)

    assert _fires(only_single, nt.log(f)) and not _fires(only_single, nt.log(x))


def test_the_value_of_a_constant_is_seen_through_views():
    assert constant_value(nt.constant(2.0)) == 2
    assert constant_value(nt.full((2, 3), 2.0)) == 2
    assert constant_value(nt.ones_like(x).dimshuffle("x", 0)) == 1
    assert constant_value(nt.constant([1.0, 2.0])) is None
    assert constant_value(nt.constant(np.nan)) is None
    assert constant_value(nt.constant(np.zeros(0))) is None
    assert constant_value(x) is None


def test_constants_are_the_same_variable_bit_by_bit():
    assert same_variable(nt.constant(1.0), nt.constant(1.0)) and same_variable(x, x)
    assert not same_variable(nt.constant(0.0), nt.constant(-0.0))
    assert not same_variable(nt.constant(1.0), nt.constant(1)) and not same_variable(x, y)


def test_a_shape_covers_another_that_broadcasts_to_it():
    m, r = nt.dmatrix("m"), nt.drow("r")
    shapes = Shapes(FunctionGraph([m, r, x], [m, r, x]))
    assert shapes.covers(m, nt.exp(m)) and shapes.covers(m, nt.sum(m, 1, keepdims=True)) and shapes.covers(m, m[0])
    assert not shapes.covers(m, x) and not shapes.covers(r, m) and not shapes.covers(m, r)
