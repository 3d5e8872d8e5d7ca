"""The arithmetic of slices against Python's own."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph.errors import ValueDomainError
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.tensor.slices import slice_facts, static_count

BOUNDS = [None, -7, -4, -2, -1, 0, 1, 3, 4, 6]
STEPS = [None, 1, 2, 3, 9, -1, -2, -9]
LENGTHS = [0, 1, 4, 5]


def expected(start, stop, step, length):
    """The selected positions, and the step."""
    positions = range(length)[slice(start, stop, step)]
    return list(positions), 1 if step is None else step


def positions(first, count, step):
    return [first + k * step for k in range(count)]


@pytest.mark.parametrize("step", STEPS)
def test_known_bounds_and_length_give_integers_that_select_what_python_selects(step):
    for start, stop, length in itertools.product(BOUNDS, BOUNDS, LENGTHS):
        first, count, stride = slice_facts(start, stop, step, length)
        assert {type(v) for v in (first, count, stride)} == {int}
        assert (positions(first, count, stride), stride) == expected(start, stop, step, length)
        assert static_count(start, stop, step, length) == count


@pytest.mark.parametrize("symbols", ["n", "an", "bn", "abn", "abs", "sn", "abns"])
def test_symbolic_parts_select_what_python_selects(symbols):
    names = {"a": nt.lscalar("a"), "b": nt.lscalar("b"), "s": nt.lscalar("s"), "n": nt.lscalar("n")}
    graphs = {}
    for start, stop, step, length in itertools.product(BOUNDS, BOUNDS, [1, 2, -1, -2], LENGTHS):
        values = {"a": start, "b": stop, "s": step, "n": length}
        given = {k: names[k] if k in symbols and v is not None else v for k, v in values.items()}
        key = tuple(v if isinstance(v, (int, type(None))) else k for k, v in given.items())
        if key not in graphs:
            facts = [nt.as_tensor_variable(v) for v in slice_facts(*given.values())]
            graphs[key] = FunctionGraph(list(names.values()), facts)
        numbers = [np.array(0 if v is None else v) for v in values.values()]
        found = [int(v) for v in evaluate(graphs[key], numbers)]
        assert positions(*found) == expected(start, stop, step, length)[0], (start, stop, step, length)


@pytest.mark.parametrize(("bounds", "text"), [
    ((None, None, None), "(0, n, 1)"),
    ((2, None, None), "(2, maximum(sub(n, 2), 0), 1)"),
    ((None, 5, 1), "(0, minimum(n, 5), 1)"),
    ((1, -1, None), "(1, maximum(sub(n, 2), 0), 1)"),
    ((None, None, -1), "(sub(n, 1), n, -1)"),
    ((-1, None, None), "(maximum(sub(n, 1), 0), minimum(n, 1), 1)"),
    ((4, 2, None), "(0, 0, 1)"),
    ((None, 0, None), "(0, 0, 1)"),
])
def test_common_slices_stay_short(bounds, text):
    n = nt.lscalar("n")

    def written(v):
        owner = getattr(v, "owner", None)
        return str(v) if owner is None else f"{owner.op}({', '.join(map(written, owner.inputs))})"

    assert f"({', '.join(map(written, slice_facts(*bounds, n)))})" == text


def test_a_huge_step_does_not_overflow():
    n = nt.lscalar("n")
    _, count, _ = slice_facts(None, None, 2**63 - 1, n)
    assert evaluate(FunctionGraph([n], [count]), [np.array(7)]) == [1]
    assert evaluate(FunctionGraph([n], [count]), [np.array(0)]) == [0]


@pytest.mark.parametrize("bounds", [(2**62, -2**63 + 1, None), (2**63 - 1, -2**63 + 1, -1), (-2**63 + 1, 2**63 - 1, -1),
                                    (-2**63 + 1, 2**63 - 1, None), (2**63 - 1, None, None)])
def test_huge_bounds_do_not_overflow(bounds):
    n = nt.lscalar("n")
    first, count, step = (nt.as_tensor_variable(v) for v in slice_facts(*bounds, n))
    found = [int(v) for v in evaluate(FunctionGraph([n], [first, count, step]), [np.array(5)])]
    assert positions(*found) == expected(*bounds, 5)[0]


def test_a_step_of_zero_is_an_error_where_it_is_known():
    with pytest.raises(ValueDomainError, match="step of a slice is 0"):
        slice_facts(None, None, 0, 5)


def test_a_count_is_static_only_where_all_of_it_is_known():
    assert static_count(1, None, None, None) is None
    assert static_count(nt.lscalar(), None, None, 4) is None
    assert static_count(None, 0, None, None) == 0
    assert static_count(nt.constant(1), nt.constant(3), None, 4) == 2
