"""A graph evaluated with long doubles, to tell rounding from mistakes: what both sides of a rule differ by shrinks.

    values = evaluate_long(fgraph, inputs)      float64 becomes np.longdouble wherever NumPy can compute with it
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nbgraph.graph.basic import Apply, Variable
from nbgraph.graph.evaluate import arguments_of
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import perform
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.reduction import Reduce

WIDER: dict[str, Any] = {"float32": np.longdouble, "float64": np.longdouble, "complex64": np.clongdouble,
                         "complex128": np.clongdouble}


def evaluate_long(fgraph: FunctionGraph, values: Sequence[Any]) -> tuple[dict[Variable, Any], set[Variable]]:
    """The values of all variables, and those for which some step had to be done in the declared dtype."""
    known = {v: _widened(v, value) for v, value in zip(fgraph.inputs, values, strict=True)}
    short: set[Variable] = set()
    for node in fgraph.nodes:
        inputs = [_widened(v, x) for v, x in zip(node.inputs, arguments_of(node, known), strict=True)]
        results = _computed(node, inputs)
        exact = results is not None
        if results is None:
            results = perform(node, [_narrowed(v, x) for v, x in zip(node.inputs, inputs, strict=True)])
        known.update(zip(node.outputs, results, strict=True))
        if not exact or not short.isdisjoint(node.inputs):
            short.update(node.outputs)
    return known, short


def _widened(variable: Variable, value: Any) -> Any:
    wider = WIDER.get(getattr(variable.type, "dtype", ""))
    return value if wider is None else np.asarray(value, wider)


def _narrowed(variable: Variable, value: Any) -> Any:
    dtype = getattr(variable.type, "numpy_dtype", None)
    return value if dtype is None else np.asarray(value, dtype)


def _computed(node: Apply, inputs: Sequence[Any]) -> list[Any] | None:
    """The outputs in long double; None where that can't be."""
    kinds = [getattr(v.type, "dtype", None) for v in (*node.inputs, *node.outputs)]
    if not any(kind in WIDER for kind in kinds):
        return perform(node, inputs)
    try:
        with np.errstate(all="ignore"):
            if isinstance(node.op, Elemwise):
                is_cast = node.op.function.name.startswith("cast_")
                result = _cast(node, inputs[0]) if is_cast else node.op.function.numpy(*inputs)
            elif isinstance(node.op, Reduce) and node.op.kind in ("sum", "prod"):
                result = (np.sum if node.op.kind == "sum" else np.prod)(inputs[0], axis=node.op.axes)
            else:
                results = perform(node, inputs)
                return results if all(_is_wide(v, x) for v, x in zip(node.outputs, results, strict=True)) else None
    except TypeError:  # no loop of this function takes long doubles
        return None
    result = np.asarray(result)
    return [result] if _is_wide(node.outputs[0], result) else None


def _cast(node: Apply, value: Any) -> Any:
    dtype = node.outputs[0].type.dtype
    return np.asarray(value).astype(WIDER.get(dtype, dtype))


def _is_wide(variable: Variable, value: Any) -> bool:
    wider = WIDER.get(getattr(variable.type, "dtype", ""))
    return wider is None or np.asarray(value).dtype == wider
