"""First and second derivatives of every Op and every scalar function: `verify_grad`, to 1e-8 in proportion.

Every element of every gradient counts by its own size: no absolute difference is let pass, so that a small one next to
large ones, and a zero, are seen. What is compared follows from what the package defines, by its samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from nbgraph.errors import GradientError
from nbgraph.gradient import disconnected_grad, verify_forward, verify_grad
from nbgraph.graph.basic import Apply
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import Op
from nbgraph.tensor.scalar_function import TABLE
from tests.samples import ROWS
from tests.samples.case import Case, Row, draw, tensor, values
from tests.samples.derivatives import exact_arrays, in_double, moved_among, pulled_back
from tests.samples.registry import subjects

# A hundredth of what is asked for. What differs most, differs by 6e-11.
PRECISION = {"abs_tol": 0.0, "rel_tol": 1e-8}
# Rows without a derivative say why; tests below make sure that it is so.
EVERY_ROW = pytest.mark.parametrize("name", [name for name, row in ROWS.items() if not row.no_gradient])


def check_all(row: Row, check: Callable[[Case], None]) -> None:
    """`check` for the cases of a row, of which there must be one."""
    cases = in_double(row)
    assert cases, f"{row.name}: no case has a derivative in double precision, and the row does not say why"
    for case in cases:
        try:
            check(case)
        except GradientError as error:
            raise AssertionError(f"{row.name}, {case.label}: {error}") from error


def check_first_order(case: Case) -> None:
    """The gradients are those of finite differences."""
    verify_grad(case.build, exact_arrays(case), n_tests=1, **PRECISION)


def check_second_order(case: Case) -> None:
    """So are the gradients of the gradients, by the inputs and by the weights of the outputs."""
    arrays = exact_arrays(case)
    verify_grad(pulled_back(case), [*arrays, *weights_for(case, arrays)], n_tests=1, **PRECISION)


def check_forward(case: Case) -> None:
    """Forward mode is the transpose of reverse mode."""
    verify_forward(case.build, exact_arrays(case))


def weights_for(case: Case, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Random weights of its outputs."""
    inputs = case.inputs()
    outputs = case.outputs(inputs)
    results = evaluate(FunctionGraph(inputs, outputs), arrays)
    smooth = [results[k] for k in moved_among(z.type for z in outputs)]
    return [draw(a.dtype.name, a.shape, 0.5, 1.5, seed=k) for k, a in enumerate(smooth)]


@EVERY_ROW
def test_gradient_has_eight_digits_of_that_of_finite_differences(name: str) -> None:
    check_all(ROWS[name], check_first_order)


@EVERY_ROW
def test_gradient_of_the_gradient_has_eight_digits_too(name: str) -> None:
    check_all(ROWS[name], check_second_order)


@EVERY_ROW
def test_forward_mode_is_the_transpose_of_reverse_mode(name: str) -> None:
    check_all(ROWS[name], check_forward)


# Nothing is left out, and nothing passes that should not --------------------------------------------------------------

# Ops that have another gradient than that of their value, which tests/gradient/test_blocks.py compares.
OTHER_GRADIENT = {"HeldConstant", "ConsiderConstant", "ZeroGrad", "DisconnectedGrad", "UndefinedGrad", "GradClip",
                  "GradScale"}
# Ops that rewriting makes when gradients have been taken, and that define none.
AFTER_GRADIENTS = {"TableOrElements", "TableElements", "Gemm", "Gemv"}


def test_every_op_and_every_scalar_function_has_a_row() -> None:
    assert set(subjects()) == {subject for row in ROWS.values() for subject in row.subjects}
    assert set(TABLE) <= set(subjects())


def test_what_says_that_it_has_no_derivative_has_none() -> None:
    apart = {subject.__name__: subject for row in ROWS.values() if row.no_gradient for subject in row.subjects
             if isinstance(subject, type) and subject.__name__ in OTHER_GRADIENT | AFTER_GRADIENTS}
    assert apart.keys() == OTHER_GRADIENT | AFTER_GRADIENTS
    assert not any(hasattr(apart[name], "grad") or hasattr(apart[name], "L_op") for name in AFTER_GRADIENTS)
    for row in ROWS.values():
        if row.no_gradient and apart.keys().isdisjoint(getattr(s, "__name__", s) for s in row.subjects):
            nodes = [node for case in row.cases() for node in nodes_of(row, case)]
            moving = [node for node in nodes if moved_among(x.type for x in node.inputs)
                      and moved_among(z.type for z in node.outputs)]
            assert nodes and not moving, (row.name, moving)


def nodes_of(row: Row, case: Case) -> list[Apply]:
    """The nodes of what the row is about."""
    inputs = case.inputs()
    return [node for node in FunctionGraph(inputs, case.outputs(inputs)).nodes
            if type(node.op) in row.subjects or str(node.op) in row.subjects]


class Cubed(Op):
    """x ** 3, whose first derivative is off by `first`, and whose second by `second`, in proportion."""

    __props__ = ("first", "second")

    def __init__(self, first: float, second: float) -> None:
        self.first, self.second = first, second

    def make_node(self, x: Any) -> Apply:
        return Apply(self, [x], [x.type()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        output_storage[0][0] = np.asarray(inputs[0] ** 3)

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        """3 x**2, of which a part does not move with x."""
        (x,), (g,) = inputs, output_gradients
        return [3 * g * ((1 + self.first - self.second) * x * x + self.second * disconnected_grad(x * x))]


def row_of(*ops: Op) -> Row:
    """A Row of such Ops; the second element is much smaller than the others."""
    cases = [Case(str(op), op, (tensor("float64", 3),), (values("3", [0.7, 0.01, 2.0]),), lambda x: x ** 3)
             for op in ops]
    return Row("Cubed", lambda: cases, (Cubed,))


def test_a_derivative_that_is_off_by_a_millionth_is_found() -> None:
    check_all(row_of(Cubed(0.0, 0.0)), check_first_order)
    check_all(row_of(Cubed(0.0, 0.0)), check_second_order)
    with pytest.raises(AssertionError, match="Cubed"):
        check_all(row_of(Cubed(1e-6, 0.0)), check_first_order)
    check_all(row_of(Cubed(0.0, 1e-6)), check_first_order)
    with pytest.raises(AssertionError, match="Cubed"):
        check_all(row_of(Cubed(0.0, 1e-6)), check_second_order)
    with pytest.raises(AssertionError, match="no case has a derivative"):
        check_all(row_of(), check_first_order)
