"""Samples of OpFromGraph: graphs of one and of several outputs, nested, of every kind of input."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.compile.builders import OpFromGraph
from nbgraph.errors import ShapeError
from tests.samples.case import Case, Failure, Row, draw, tensor, values

VECTOR, MATRIX = tensor("float64", None), tensor("float64", None, None)


def rows() -> list[Row]:
    """A Row for the two times at which it is expanded."""
    return [Row(f"OpFromGraph {'inline' if inline else 'late'}", partial(graphs, inline), (OpFromGraph,),
                partial(fails, inline)) for inline in (True, False)]


def affine(inline: bool, *types: Any) -> OpFromGraph:
    """tanh(w x) + b, and w x."""
    w, x, b = (kind() for kind in types)
    z = nt.dot(w, x)
    return OpFromGraph([w, x, b], [nt.tanh(z) + b, z], inline=inline, name="affine")


def graphs(inline: bool) -> Iterator[Case]:
    """Lengths that are known inside, outside and nowhere; views, constants, integers; what nobody uses."""
    x, w, b = draw("float64", (3,)), draw("float64", (2, 3), -1, 1), draw("float64", (2,))

    def numpy(w: Any, x: Any, b: Any) -> Any:
        return [np.tanh(w @ x) + b, w @ x]

    for label, inner, outer in (
            ("unknown lengths", (MATRIX, VECTOR, VECTOR), (MATRIX, VECTOR, VECTOR)),
            ("known inside", (tensor("float64", 2, 3), tensor("float64", 3), VECTOR), (MATRIX, VECTOR, VECTOR)),
            ("known outside", (MATRIX, VECTOR, VECTOR), (tensor("float64", 2, 3), tensor("float64", 3), VECTOR))):
        yield Case(label, affine(inline, *inner), outer, (values("2 x 3", w, x, b),), numpy)
    yield Case("without elements", affine(inline, MATRIX, VECTOR, VECTOR), (MATRIX, VECTOR, VECTOR),
               (values("2 x 0", w[:, :0], x[:0], b), values("0 x 3", w[:0], x, b[:0])), numpy, differentiate=False)
    v, u = VECTOR(), VECTOR()
    views = OpFromGraph([v, u], [v, v[::-1], nt.zeros_like(v), v * 2 + v[0]], inline=inline)
    yield Case("views", views, (VECTOR, VECTOR), (values("3", x, b), values("1", x[:1], b)),
               lambda x, y: [x, x[::-1], np.zeros_like(x), x * 2 + x[0]])
    nested = OpFromGraph([v, u], [OpFromGraph([v], [nt.exp(v) * 2], inline=not inline)(v + 1) * u], inline=inline)
    yield Case("nested, and used twice", lambda x, y: nested(nested(x, y), y), (VECTOR, VECTOR),
               (values("3", x / 5, x / 5),), lambda x, y: np.exp(np.exp(x + 1) * 2 * y + 1) * 2 * y)
    n = tensor("int64")()
    count = OpFromGraph([v, n], [nt.broadcast_to(nt.sum(v), (n, 2)), nt.arange(n)], inline=inline)
    yield Case("lengths of its own", count, (VECTOR, tensor("int64")), (values("3", x, 3), values("0", x, 0)),
               lambda x, n: [np.full((int(n), 2), x.sum()), np.arange(n)])
    one = tensor("float64", 1)
    yield Case("a length of 1 that broadcasts", OpFromGraph([v, u], [v * u], inline=inline), (one, VECTOR),
               (values("3", x[:1], x),), np.multiply)


def fails(inline: bool) -> Iterator[Failure]:
    """What the graph refuses."""
    w, x, b = np.ones((2, 3)), np.ones(3), np.ones(2)
    yield Failure("inside", affine(inline, MATRIX, VECTOR, VECTOR), (MATRIX, VECTOR, VECTOR), (w, x, b), (w, b, b),
                  ShapeError, "inner lengths differ: 3 and 2")
