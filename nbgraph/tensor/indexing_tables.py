"""An elementwise function of gathered elements, computed for the table or for the elements: whichever are fewer.

    f(x[i])   =   TableElements()(f(TableOrElements()(x, i)), n, i)          n the length of x

The rewriting puts these two Ops there (`rewrites/gathers.py`); which of both it is, is known when the function runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.graph.basic import Apply
from nbgraph.graph.expression import Written
from nbgraph.graph.op import Op
from nbgraph.tensor.indexing_advanced import check_gather, gather_indices
from nbgraph.tensor.type import TensorType


class TableOrElements(Op):
    """x where it is not longer than i, else x[i]: inputs a vector x and an integer vector i, output [min(n, m)].

    Raises (at run time)
    --------------------
    BoundsError   an index out of bounds, in both cases; negative indices count from the end
    """

    __props__ = ()

    def __str__(self) -> str:
        return "gather"

    def make_node(self, x: Any, index: Any) -> Apply:
        x = nt.as_tensor_variable(x)
        (index,) = gather_indices(self, x, [index])
        return Apply(self, [x, index], [TensorType(x.type.dtype, (None,))()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        x, index = inputs
        check_gather(node, x, [index], 1)
        output_storage[0][0] = np.array(x if len(x) <= len(index) else x[index])

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        (n,), (m,) = shapes
        return [(nt.minimum(n, m),)]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """x or x[i]"""
        x, index = arguments
        return Written(f"({x.text} or {x.text}[{index.text}])")


class TableElements(Op):
    """y[i] where n <= m, else y: inputs a vector y [min(n, m)], the length n that i refers to, integers i [m]."""

    __props__ = ()

    def make_node(self, y: Any, n: Any, index: Any) -> Apply:
        y, n, index = (nt.as_tensor_variable(v) for v in (y, n, index))
        return Apply(self, [y, nt.cast(n, "int64"), index], [TensorType(y.type.dtype, index.type.shape)()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        y, n, index = inputs
        output_storage[0][0] = np.array(y[index] if n <= len(index) else y)

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        return [tuple(shapes[2])]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """y[i], which also stands for y where that is gathered already"""
        y, _, index = arguments
        return Written(f"{y.text}[{index.text}]")
