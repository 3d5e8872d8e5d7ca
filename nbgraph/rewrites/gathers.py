"""An expensive function of gathered elements is computed for the table, where that is shorter.

    exp(x[i])   ->   exp(x)[i]   or   exp(x[i])     which of both is decided at run time, by the lengths of x and i

A pass of its own, after the rules that look for spellings such as log(1 + exp(x)).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import nbgraph.tensor as nt
from nbgraph.graph.basic import Apply, Variable
from nbgraph.rewrites.driver import Context
from nbgraph.rewrites.rule import node_rule
from nbgraph.rewrites.shapes import as_scalar
from nbgraph.rewrites.values import same_variable
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.indexing_advanced import AdvancedSubtensor
from nbgraph.tensor.indexing_tables import TableElements, TableOrElements
from nbgraph.tensor.scalar_function import TABLE

EXPENSIVE = tuple(name for name, function in TABLE.items() if function.expensive)
CHEAP = 4      # how many cheap functions there may be between the gather and the expensive one
FEW = 64      # an index known to select fewer elements is left alone


def _examples() -> Iterable[Any]:
    i, s = -(nt.lvector("i") % 2), nt.dscalar("s")
    tables = [nt.tensor(name, dtype="float64", shape=(n,)) for name, n in (("short", 2), ("long", 9), ("x", None))]
    return [e for x in tables for e in (nt.exp(x[i]), nt.tanh(2 * x[i] - s), nt.sin(nt.exp(x[i])) * x[i],
                                        nt.exp(x[i]) + nt.exp(x[i] / s))]


def _near_misses() -> Iterable[Any]:
    x, y, m = nt.dvector("x"), nt.dvector("y"), nt.dmatrix("m")
    i, k = nt.lvector("i"), nt.lscalar("k")
    return [2 * x[i] + 1, nt.exp(x[i] + y), nt.exp(x[i] * x[i + 1]), nt.exp(m[i]), nt.exp(x[k]),
            nt.exp(x[i] - y[i]), nt.exp(x[[0, 1]])]


@node_rule(*EXPENSIVE, example=_examples, near_misses=_near_misses)
def function_of_gathered(node: Apply, context: Context) -> Variable | None:
    """f(x[i]) -> f(x)[i]     where i is longer than x, f expensive; else f(x[i])"""
    found: list[tuple[Variable, Variable]] = []
    inner = [_in_table(v, found, context) for v in node.inputs]
    if not found or any(v is None for v in inner):
        return None
    n, index = found[0]
    y = node.op(*inner)
    return TableElements()(y, n, index) if y.type.ndim == 1 else None


def _in_table(v: Variable, found: list[tuple[Variable, Variable]], context: Context, most: int = CHEAP) -> Any:
    """What stands for v beside a table: v itself for a scalar, the table for its gathered elements, and so on.

    `found` gets the length and index of the first gather; None where v is anything else, another gather, or more than
    `most` functions away from one.
    """
    if v.type.ndim == 0:
        return v
    if v.type.ndim != 1 or v.owner is None:
        return None
    op, inputs = v.owner.op, v.owner.inputs
    if isinstance(op, AdvancedSubtensor) and len(inputs) == 2 and inputs[0].type.ndim == 1:
        x, index = inputs
        n = as_scalar(context.shapes.of(x)[0])
        length = index.type.shape[0]
        if (length is not None and length < FEW) or not _agrees(found, n, index, context):
            return None
        return TableOrElements()(x, index)
    if isinstance(op, TableElements):
        y, n, index = inputs
        return y if _agrees(found, n, index, context) else None
    # What is expensive has been looked at before.
    if not isinstance(op, Elemwise) or op.function.expensive or not most:
        return None
    inner = [_in_table(u, found, context, most - 1) for u in inputs]
    return None if any(u is None for u in inner) else op(*inner)


def _agrees(found: list[tuple[Variable, Variable]], n: Variable, index: Variable, context: Context) -> bool:
    """True for the first gather, and for others by the same index from a table of the same length."""
    if not found:
        found.append((n, index))
    first_n, first_index = found[0]
    return same_variable(index, first_index) and (n is first_n or context.shapes.same(n, first_n))
