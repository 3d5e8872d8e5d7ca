"""The reference executor with a clock: the same results, and how long the `perform` of every node takes.

    record = [readings: before all, before and after each node, after all | shapes of what nodes take and give]
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from nbgraph.compile.reference import ReferenceExecutor
from nbgraph.graph.basic import Apply, Variable
from nbgraph.graph.evaluate import perform_checked
from nbgraph.graph.expression import expression
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.timeline import Shape, Stretch, Work, flops_of
from nbgraph.tensor.type import TensorType

OPERATIONS = 5  # that a node's text says

Names = Callable[[], dict[Variable, str]]


class ProfiledReference(ReferenceExecutor):
    """Runs `fgraph`, and takes a record last, see `nbgraph.graph.timeline`."""

    def __init__(self, fgraph: FunctionGraph, names: Names) -> None:
        super().__init__(fgraph)
        self.timeline: NodeTimeline = NodeTimeline(fgraph, names)

    def entry(self, *values: Any) -> tuple[Any, ...]:
        """As without a clock; the last value is the record."""
        *arguments, record = values
        place, shapes = iter(range(1, self.timeline.readings)), self.timeline.readings

        def compute(node: Apply, inputs: Sequence[Any]) -> list[Any]:
            nonlocal shapes
            record[next(place)] = time.monotonic_ns()
            results = perform_checked(node, inputs)
            record[next(place)] = time.monotonic_ns()
            for v, value in zip((*node.inputs, *node.outputs), (*inputs, *results), strict=True):
                if isinstance(v.type, TensorType):
                    record[shapes:shapes + v.type.ndim] = np.shape(value)
                    shapes += v.type.ndim
            return results

        record[0] = time.monotonic_ns()
        found = self._run(arguments, compute)
        record[next(place)] = time.monotonic_ns()
        return found


class NodeTimeline:
    """See `nbgraph.graph.timeline.Timeline`: a stretch for every node."""

    def __init__(self, fgraph: FunctionGraph, names: Names) -> None:
        self.fgraph, self.names = fgraph, names
        self.readings = 2 * len(fgraph.nodes) + 2
        self.size = self.readings + sum(v.type.ndim for node in fgraph.nodes for v in (*node.inputs, *node.outputs)
                                        if isinstance(v.type, TensorType))

    def stretches(self) -> Sequence[Stretch]:
        """What is timed, in order."""
        names = self.names()
        return [Stretch("node", str(node.op), _what(node.outputs[0], names), node.line.place() if node.line else "",
                        1 + 2 * k, 2 + 2 * k) for k, node in enumerate(self.fgraph.nodes)]

    def work(self, lengths: Sequence[int]) -> Sequence[Work]:
        """What each node does: the bytes of its inputs and outputs, and what its `flops` says."""
        given = iter(lengths)
        return [_work(node, given) for node in self.fgraph.nodes]


def _what(variable: Variable, names: dict[Variable, str]) -> str:
    def known(v: Variable) -> str | None:
        return None if v is variable else names.get(v, v.name)

    text = expression(variable, known, OPERATIONS)
    return " ".join((f"{names[variable]} = {text}" if variable in names else text).split())


def _work(node: Apply, lengths: Iterator[int]) -> Work:
    inputs, read = _shapes(node.inputs, lengths)
    outputs, written = _shapes(node.outputs, lengths)
    return Work(read, written, flops_of(node, inputs, outputs))


def _shapes(variables: Sequence[Variable], lengths: Iterator[int]) -> tuple[list[Shape], int]:
    """The shapes of these variables, and the size of the tensors among them in bytes."""
    tensors = [v for v in variables if isinstance(v.type, TensorType)]
    shapes = [tuple(int(n) for n in islice(lengths, v.type.ndim)) for v in tensors]
    return shapes, sum(int(np.prod(shape, dtype=np.int64)) * v.type.numpy_dtype.itemsize
                       for v, shape in zip(tensors, shapes, strict=True))
