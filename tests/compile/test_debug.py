"""DebugMode: "every node of the same lowered function checked against `perform`, every rewrite against its original,
types, shapes, aliasing and unwritten memory checked; says which node or rule is wrong".

Each mistake is made on purpose, and must be found and named.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph import function, shared
from nbgraph.compile.debug import DebugMode
from nbgraph.dispatch import numba_kernel
from nbgraph.dispatch.expressions import Call, Element, Literal
from nbgraph.dispatch.rules import _RULES, Part, Pointwise, Writes
from nbgraph.errors import DebugModeError, ShapeError
from nbgraph.graph import Apply, Op
from nbgraph.graph.generic_type import Generic
from nbgraph.lowering.allocator import patterned_memory
from nbgraph.rewrites import FAST_RUN, node_rule, rule
from nbgraph.rewrites.passes import Pass
from tests.graphs import random_graph


@pytest.fixture
def mode() -> str:
    """The mode of these tests is their subject."""
    return "FAST_RUN"


class Doubled(Op):
    """z = 2 x, as `perform` has it."""

    __props__ = ()

    def make_node(self, x: Any) -> Apply:
        return Apply(self, [x], [x.type()])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        output_storage[0][0] = inputs[0] * 2

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Any) -> list[Any]:
        return [tuple(shapes[0])]


def times(factor: float) -> Any:
    """A kernel that multiplies by so much."""
    def element(node: Apply, index: Any) -> Any:
        x = yield Element(node.inputs[0], index)
        return Call("*", (x, Literal(factor, "float64")), ("float64", "float64"), "float64")
    return lambda node: Pointwise(element)


x, y = nt.dvector("x"), nt.dvector("y")
VALUE = [0.5, 1.5, -2.0]


def found(outputs: Any, *values: Any, mode: Any = "DebugMode", **options: Any) -> str:
    """What DebugMode says of the first call."""
    f = function([x], outputs, mode=mode, **options)
    with pytest.raises(DebugModeError) as caught:
        f(*(values or (VALUE,)))
    return str(caught.value)


def test_what_is_right_passes_with_the_result_of_any_mode(monkeypatch):
    monkeypatch.setitem(_RULES, Doubled, times(2.0))
    z = nt.tanh(Doubled()(x) + 1)
    f = function([x], [z, z.sum()], mode="DebugMode")
    for plain, debugged in zip(function([x], [z, z.sum()])(VALUE), f(VALUE), strict=True):
        np.testing.assert_array_equal(plain, debugged)
    assert f.maker.executor.shipped.source == f.source


@pytest.mark.parametrize("make", [lambda z: z, lambda z: nt.exp(z).sum(), lambda z: (z + y)[::-1] * 3,
                                  lambda z: nt.stack([z, z]).sum(axis=1), lambda z: z.sum()])
def test_a_wrong_kernel_is_named_wherever_its_loop_hides_it(monkeypatch, make):
    monkeypatch.setitem(_RULES, Doubled, times(2.0000001))
    text = found(nt.as_tensor_variable(make(Doubled()(x))), givens={y: x})
    assert text.startswith("Doubled: the compiled function gives: element [0]: 1.00000005 instead of 1.0; 3 of 3")
    assert "test_debug.py" in text


def test_a_kernel_that_leaves_memory_unwritten_is_named(monkeypatch):
    def place(node: Apply, index: Any) -> Any:
        value = yield Element(node.inputs[0], index)
        return (Literal(0),), value  # always the first element

    monkeypatch.setitem(_RULES, Doubled, lambda node: Writes(None, (Part(node.inputs[0], place),)))
    with patterned_memory() as possible:
        pass
    text = found(Doubled()(x), np.ones(1000))  # small arrays come from lists that the C library does not fill
    assert ("leaves memory unwritten" if possible else "gives") in text and text.startswith("Doubled: ")


@pytest.mark.parametrize("graph", [lambda: nt.log(nt.exp(x)) + 1, lambda: nt.sqrt(x * x + 1).sum()])
def test_a_wrong_rule_is_named_with_the_line_of_what_it_replaced(graph):
    @rule
    def one_more(x):
        """log(exp(x)) -> x + 1e-7"""
        return nt.log(nt.exp(x)), x + 1e-7

    @node_rule("sqrt", example=lambda: [nt.sqrt(x)])
    def root_is_a_power(node):
        """sqrt(x) -> x ** 0.4999999"""
        return node.inputs[0] ** 0.4999999

    mine = DebugMode(passes=(Pass("mine", (one_more, root_is_a_power)), *FAST_RUN))
    text = found(graph(), mode=mine)
    assert text.startswith(("rule mine (one_more): gives", "rule mine (root_is_a_power): gives"))
    assert "test_debug.py" in text and "instead of" in text


def test_a_rule_may_be_more_exact_than_what_it_replaces():
    z = [nt.log(1 + nt.exp(x)), nt.log(1 - nt.sigmoid(x)), nt.log(nt.exp(x) / nt.exp(x).sum()), nt.sqrt(x**2)]
    f = function([x], z, mode="DebugMode")
    for value in ([800.0, -800.0], [36.5, 1e-9], [0.0, 3e-320]):
        assert all(np.all(np.isfinite(v)) for v in f(value)[:2])


@pytest.mark.parametrize(("make", "value", "expected"), [
    (lambda v: nt.exp(v) / (1 + nt.exp(v)), [2e4, -2e4], [1.0, 0.0]),
    (lambda v: nt.log(1 + nt.exp(v)), [2e4, -2e4], [2e4, 0.0]),
    (lambda v: nt.log(nt.exp(v) / nt.exp(v).sum()), [2e4, 0.0], [0.0, -2e4]),
])
def test_a_rule_may_give_a_value_to_what_has_none_with_any_number_of_digits(make, value, expected):
    for v in (x, nt.fvector("v")):
        f = function([v], make(v), mode="DebugMode")
        np.testing.assert_allclose(f(np.array(value, v.type.dtype)), expected)


def test_an_op_that_draws_numbers_of_its_own_is_told_to_depend_on_its_inputs():
    class Noise(Doubled):
        drawn = 0.0

        def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
            Noise.drawn += 1
            output_storage[0][0] = inputs[0] + Noise.drawn

    class NoiseOfObject(Noise):
        def make_node(self, x: Any) -> Apply:
            return Apply(self, [Generic().make_constant(None), x], [nt.dscalar()])

        def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
            Noise.drawn += 1
            output_storage[0][0] = np.asarray(Noise.drawn)

    for op in (Noise(), NoiseOfObject()):
        text = found(op(x))
        assert "fix: what `perform` gives must be determined by its inputs" in text


def test_perform_that_gives_another_type_or_shape_than_it_says_is_named():
    class Float32(Doubled):
        def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
            output_storage[0][0] = np.float32(inputs[0])

    class Longer(Doubled):
        def infer_shape(self, fgraph: Any, node: Apply, shapes: Any) -> list[Any]:
            return [(shapes[0][0] + 1,)]

    for op in (Float32, Longer):
        _RULES[op] = times(2.0)
    try:
        with pytest.raises(TypeError, match=r"Float32.perform gave a value that is not"):
            function([x], Float32()(x), mode="DebugMode")(VALUE)
        assert "Longer: infer_shape gives length 4 for axis 0, perform gives an array of shape (3,)" in found(
            Longer()(x))
    finally:
        for op in (Float32, Longer):
            del _RULES[op]


def test_an_op_that_lies_about_its_memory_is_named(monkeypatch):
    class View(Doubled):
        def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
            output_storage[0][0] = inputs[0][:]

    class InPlace(Doubled):
        def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
            inputs[0][...] *= 2
            output_storage[0][0] = inputs[0].copy()

    class Honest(View):
        view_map = {0: [0]}

    monkeypatch.setitem(_RULES, View, times(1.0))
    monkeypatch.setitem(_RULES, InPlace, times(2.0))
    monkeypatch.setitem(_RULES, Honest, times(1.0))
    assert found(View()(x)).startswith("View: output 0 of perform shares memory with input 0, which view_map does not")
    assert found(InPlace()(x)).startswith("InPlace: perform overwrites input 0, which destroy_map does not say")
    assert function([x], Honest()(x), mode="DebugMode")(VALUE).tolist() == VALUE


def test_a_kernel_that_overwrites_its_argument_is_found():
    class Sorted(Doubled):
        def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
            output_storage[0][0] = np.sort(inputs[0])

    def kernel(v):
        v.sort()
        return v

    numba_kernel(Sorted)(lambda op, node: kernel)
    text = found(Sorted()(x), np.array(VALUE))
    assert text.startswith("the call has overwritten its argument x")


def test_debug_perform_is_compared_with_perform(monkeypatch):
    class Two(Doubled):
        def debug_perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
            output_storage[0][0] = inputs[0] + inputs[0] + 1

    monkeypatch.setitem(_RULES, Two, times(2.0))
    assert "Two: debug_perform gives, for output 0, element [0]: 2.0 instead of 1.0" in found(Two()(x))


def test_what_fails_changes_nothing(monkeypatch):
    monkeypatch.setitem(_RULES, Doubled, times(3.0))
    w = shared(np.ones(3), name="w")
    f = function([x], [], updates=[(w, w + Doubled()(x))], mode="DebugMode")
    with pytest.raises(DebugModeError, match="Doubled"):
        f(VALUE)
    assert w.get_value().tolist() == [1.0, 1.0, 1.0]


def test_updates_copies_subsets_and_errors_are_those_of_any_mode():
    w = shared(np.ones(3), name="w")
    f = function([x], {"a": w * x, "b": w.sum()}, updates=[(w, w + x)], mode="DebugMode")
    assert f(VALUE)["a"].tolist() == VALUE and w.get_value().tolist() == [1.5, 2.5, -1.0]
    assert f(VALUE, output_subset=["b"])["b"] == 3.0
    assert f.copy(delete_updates=True)(VALUE)["b"] == np.sum([2.0, 4.0, -3.0])
    with pytest.raises(ShapeError, match="lengths 3 and 2 of axis"):
        f([1.0, 2.0])


@pytest.mark.parametrize("seed", range(9000, 9016))
def test_random_graphs_and_their_gradients_pass(seed):
    graph = random_graph(seed)
    f = function([nbgraph.In(v, autoname=False) for v in graph.inputs], [*graph.outputs, *graph.gradients],
                 mode="DebugMode", on_unused_input="ignore")
    for world in graph.worlds:
        results = f(*(a.copy() for a in world.arguments))
        assert len(results) == len(graph.outputs) + len(graph.gradients)
