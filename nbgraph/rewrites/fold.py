"""Constant folding: an application to constants is computed once, by `perform`, when the function is compiled.

    exp(constant(1.0)) + x   ->   2.718281828459045 + x
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.graph.evaluate import perform_checked
from nbgraph.graph.op import Op
from nbgraph.rewrites.driver import Context
from nbgraph.rewrites.rule import node_rule
from nbgraph.tensor.type import TensorType

# A result that is larger than this and than all inputs together stays a computation: eye(10_000) is cheap to make
# and costly to keep.
FOLDED_ELEMENTS = 1024


def _examples() -> Iterable[Any]:
    x = nt.dvector("x")
    return [x * nt.exp(nt.constant(1.5)), x + nt.cast(nt.constant([1, 2, 3]), "float32"),
            x * nt.broadcast_to(nt.constant(2.0), (3,)) * nt.sqrt(nt.constant(2.0))]


def _near_misses() -> Iterable[Any]:
    x = nt.dvector("x")
    return [nt.exp(x), nt.broadcast_to(nt.constant(2.0), (FOLDED_ELEMENTS + 1,)) + nt.dscalar("y")]


@node_rule(example=_examples, near_misses=_near_misses)
def fold_constants(node: Apply, context: Context) -> Sequence[Variable] | None:
    """op(constants) -> its value     unless the Op refuses, or the value would be large"""
    if not all(isinstance(v, Constant) for v in node.inputs) or type(node.op).perform is Op.perform:
        return None
    cap = max(FOLDED_ELEMENTS, sum(np.size(v.data) for v in node.inputs))
    if any(_known_size(v) > cap for v in node.outputs) or not node.op.do_constant_folding(context.fgraph, node):
        return None
    try:
        values = perform_checked(node, [copy.deepcopy(v.data) if node.op.destroy_map else v.data for v in node.inputs])
    except Exception:  # a user's perform raises what it likes, and must raise it in every call
        return None
    if sum(np.size(value) for value in values) > cap:
        return None
    return [_constant(output, value) for output, value in zip(node.outputs, values, strict=True)]


def _known_size(variable: Variable) -> int:
    if not isinstance(variable.type, TensorType):
        return 0
    return int(np.prod([1 if n is None else n for n in variable.type.shape], dtype=np.int64))


def _constant(output: Variable, value: Any) -> Variable:
    if isinstance(output.type, TensorType):
        return nt.constant(value, name=output.name)
    return output.type.make_constant(value, name=output.name)
