"""Memory that nothing reads any more is used again: where that is right, and never where it is not."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph.dispatch.expressions import Buffer
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.lowering import program
from nbgraph.lowering.emit import canonical_source, parameters
from nbgraph.lowering.reuse import buffers_in
from tests.graphs import random_graph
from tests.lowering.stages import leaves_of, run_as_python, staged, statements

x, y = nt.dvectors("x", "y")
A, B, C = nt.dmatrices("A", "B", "C")
k = nt.lvector("k")
product = nt.dot(A, B)
moved = nt.dot(A, x)

# Outputs, and how many arrays they need. Operands that are not computed need none.
CASES = {
    # the dead operand is written over, element by element
    "in place": ([nt.exp(product) * 2], 1),
    "in place with another operand": ([product * C + 1], 1),
    "two dead operands": ([product * nt.dot(B, A)], 2),
    "a whole chain": ([nt.dot(nt.tanh(nt.dot(nt.tanh(product), B)), B)], 2),
    "after its last use": ([nt.exp(moved).sum() * nt.sin(nt.dot(A, y))], 2),
    "cumulative": ([nt.cumsum(moved)], 1),
    "a base": ([nt.set_subtensor(moved[1:], 0.0)], 1),
    "a scattered base": ([nt.inc_subtensor(nt.exp(x)[k], y) * 2], 1),
    "C of a product": ([nt.exp(C) + product], 1),
    "a row that was summed up": ([product - product.mean(axis=1)[:, None]], 1),
    "a row and its first element": ([product * product[:, 0][:, None]], 1),
    # an element is read after, or at another place than, it is written: no
    "transposed": ([product + product.T], 2),
    "reversed": ([moved[::-1] + moved], 2),
    "shifted": ([moved[1:] - moved[:-1]], 2),
    "gathered": ([moved[k] + y], 2),
    "its own rows": ([product - product[0]], 2),
    "its own columns": ([product.T * product[:, 0]], 2),
    # read once more later: no
    "read again": ([nt.exp(moved) + 1, moved.max() * y], 2),
    "an output": ([moved, nt.exp(moved)], 2),
    "an input": ([nt.exp(A), nt.sin(A)], 2),
    "an output of a product's sum": ([nt.exp(C) + product, nt.exp(C)], 2),
    "an input as C": ([C + product], 1),
    "a view of an output": ([nt.tanh(product).reshape((-1,)), nt.exp(nt.tanh(product)) + 1], 2),
    "another dtype": ([product > 0], 2),
    "a constant": ([nt.constant(np.ones(3)) + x[:3], nt.constant(np.ones(3)) * 2], 2),
    "a product into its operand": ([nt.dot(product, B)], 2),
}
VALUES = {"A": (4, 4), "B": (4, 4), "C": (4, 4), "x": (4,), "y": (4,)}


def arrays(made):
    """How many arrays a program allocates."""
    return sum(s.reuses is None for s in statements(made, program.Allocate))


@pytest.mark.parametrize("name", CASES)
def test_as_many_arrays_as_are_needed(name):
    outputs, needed = CASES[name]
    made = staged(*outputs).program
    assert arrays(made) == needed, str(made)


def values_of(inputs):
    """A value for each input, by its name."""
    rng = np.random.default_rng(3)
    given = {name: rng.normal(size=shape) for name, shape in VALUES.items()}
    given["k"] = np.array([2, -1, 0, 2])
    return [given[v.name] for v in inputs]


def test_values_are_right_wherever_memory_is_reused():
    texts, wanted = [], []
    for outputs, _ in CASES.values():
        made = staged(*outputs)
        inputs = leaves_of(outputs)
        constants = [data for _, data in made.program.constants]
        texts.append((canonical_source(made.program), [*values_of(inputs), *constants]))
        wanted.append(evaluate(FunctionGraph(inputs, outputs), values_of(inputs)))
    for name, found, right in zip(CASES, run_as_python(texts), wanted, strict=True):
        assert len(found) == len(right), found
        for one, other in zip(found, right, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-13, err_msg=name)


def test_compiled_code_gives_the_same_where_memory_is_reused():
    chosen = ["in place", "a whole chain", "cumulative", "C of a product", "transposed", "shifted",
              "a row that was summed up", "a scattered base", "an output of a product's sum", "read again"]
    for name in chosen:
        outputs = CASES[name][0]
        inputs = leaves_of(outputs)
        values = values_of(inputs)
        before = [value.copy() for value in values]
        f = nbgraph.function(inputs, outputs)
        for _ in range(2):
            for one, other in zip(f(*values), evaluate(FunctionGraph(inputs, outputs), values), strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-13, err_msg=name)
        assert all(np.array_equal(one, other) for one, other in zip(values, before, strict=True)), name


@pytest.mark.parametrize("name", CASES)
def test_inputs_constants_and_outputs_are_not_written_over(name):
    made = staged(*CASES[name][0]).program
    root: dict[Buffer, Buffer] = {}
    for s in made.statements:
        if isinstance(s, program.MakeAlias):
            root[s.buffer] = root.get(s.source, s.source)
        elif isinstance(s, program.Allocate):
            root[s.buffer] = root.get(s.reuses, s.reuses) if s.reuses is not None else s.buffer
    held = [v for v in made.inputs if isinstance(v, Buffer)] + [buffer for buffer, _ in made.constants]
    assert not set(held) & {root[s.buffer] for s in statements(made, program.Allocate)}
    outputs = [root[v] for v in made.outputs if isinstance(v, Buffer)]
    assert len(set(outputs)) == len(outputs)


def test_a_copy_into_dead_memory_is_no_statement():
    made = staged(nt.exp(C) + product).program
    assert all(call.copies is None for call in statements(made, program.CallKernel))
    assert len(made.kernels) == 1
    kept = staged(C + product).program
    assert len(kept.kernels) == 1
    made = staged(nt.set_subtensor(moved[1:], 0.0)).program
    assert len(made.kernels) == 1


def test_one_argument_stands_for_memory_that_is_read_and_written():
    (call,) = statements(staged(nt.exp(product) * 2).program, program.CallKernel)
    assert call.kernel.reads == []
    assert len(call.kernel.writes) == len(call.kernel.shares) == 1
    assert list(buffers_in(call)) == call.kernel.writes


@pytest.mark.parametrize("first", range(9000, 9060, 20))
def test_what_a_kernel_writes_shares_no_memory_with_its_other_arguments(first):
    written = 0
    for seed in range(first, first + 20):
        made = staged(*random_graph(seed).results).program
        memory: dict = {}
        for s in made.statements:
            if isinstance(s, program.Allocate) and s.reuses is not None:
                memory[s.buffer] = memory.get(s.reuses, s.reuses)
            elif isinstance(s, program.MakeAlias):
                memory[s.buffer] = memory.get(s.source, s.source)
            elif isinstance(s, program.CallKernel):
                arrays = [memory.get(b, b) for b in parameters(s.kernel) if isinstance(b, Buffer)]
                for b in s.kernel.writes:
                    written += 1
                    assert arrays.count(memory.get(b, b)) == 1, (seed, b.hint, str(s.kernel))
    assert written > 20
