"""NumPy evaluation of a FunctionGraph, node by node with `perform`: the oracle, and reference mode.

Takes input values in the order of `fgraph.inputs`, gives output values in the order of `fgraph.outputs`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from nbgraph.errors import NbgraphError
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import perform

Compute = Callable[[Apply, Sequence[Any]], list[Any]]


def evaluate(fgraph: FunctionGraph, values: Sequence[Any], compute: Compute | None = None) -> list[Any]:
    """Output values for these input values; intermediate values are dropped after their last use.

    compute : (node, arguments) -> results; default: `perform_checked`
    """
    compute = compute or perform_checked
    known: dict[Variable, Any] = dict(zip(fgraph.inputs, values, strict=True))
    last_use = {v: i for i, node in enumerate(fgraph.nodes) for v in node.inputs}
    kept = set(fgraph.outputs)
    for i, node in enumerate(fgraph.nodes):
        known.update(zip(node.outputs, compute(node, arguments_of(node, known)), strict=True))
        for v in node.inputs:
            if last_use[v] == i and v not in kept:
                known.pop(v, None)
    return [value_of(v, known) for v in fgraph.outputs]


def evaluate_all(fgraph: FunctionGraph, values: Sequence[Any], compute: Compute | None = None) -> dict[Variable, Any]:
    """The values of all variables but constants."""
    known: dict[Variable, Any] = dict(zip(fgraph.inputs, values, strict=True))
    for node in fgraph.nodes:
        known.update(zip(node.outputs, (compute or perform_checked)(node, arguments_of(node, known)), strict=True))
    return known


def arguments_of(node: Apply, known: dict[Variable, Any]) -> list[Any]:
    """The values that `perform` of a node is given. What it overwrites is its own: others may read it later."""
    destroyed = destroyed_by(node)
    values = [value_of(v, known) for v in node.inputs]
    return [copy.deepcopy(value) if i in destroyed else value for i, value in enumerate(values)]


def destroyed_by(node: Apply) -> set[int]:
    """The inputs that `perform` of a node overwrites."""
    return {i for overwritten in node.op.destroy_map.values() for i in overwritten}


def unaliased(results: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """The results, with copies of those that are one of `others`, another result, or a view."""
    seen = {id(value) for value in others}
    fresh = []
    for result in results:
        shown_elsewhere = id(result) in seen or (isinstance(result, np.ndarray) and not result.flags.owndata)
        seen.add(id(result))
        if not isinstance(result, np.ndarray):
            fresh.append(copy.deepcopy(result) if shown_elsewhere else result)
        elif shown_elsewhere or not result.flags.c_contiguous:
            fresh.append(np.array(result, order="C", copy=True))
        else:
            fresh.append(result)
    return fresh


def value_of(variable: Variable, known: dict[Variable, Any]) -> Any:
    """The value of a computed variable or a constant."""
    return variable.data if isinstance(variable, Constant) and variable not in known else known[variable]


def perform_checked(node: Apply, arguments: Sequence[Any]) -> list[Any]:
    """`perform`, its results checked against the output types, errors with the user's line added.

    The Op's own exception arrives unchanged, with a note; a result of the wrong type is a TypeError.
    """
    try:
        results = perform(node, arguments)
    except NbgraphError:
        raise
    except Exception as error:
        error.add_note(f"while computing {node.op}, made at {node.line}" if node.line else f"while computing {node.op}")
        raise
    for output, result in zip(node.outputs, results, strict=True):
        try:
            output.type.filter(result, strict=True)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{node.op}.perform gave a value that is not {output.type}: {error} "
                            f"(made at {node.line})") from error
    return results
