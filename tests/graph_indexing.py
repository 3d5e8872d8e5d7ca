"""Indexing in random graphs: integers, slices, new axes, integer arrays and masks, read and written.

    x[1:, None, ::-1]     x[i, 2]     x[x > 0]     set_subtensor(x[n // 2:], y)

Bounds, steps and index arrays are numbers, constants or expressions of the graph, valid in every world.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.tensor import dtypes
from tests.graph_moves import alike, broadcasts, cast_to, constant_like, mate, move, pick, some_length
from tests.graphs import Grower, Refused, Sizes


def position(g: Grower, sizes: Sizes) -> Any:
    """An index into an axis of these lengths."""
    most = min(sizes)
    if most == 0:
        raise Refused("an empty axis has no index")
    if g.chance(0.5):
        return g.choose([lambda n: n, lambda n: n - most, lambda n: np.int32(n)])(g.integer(0, most))
    options = [v for v in g.pool if v.type.ndim == 0 and v.type.dtype in dtypes.INTEGERS
               and all(-n <= k < n for k, n in zip(g.exact(v), sizes, strict=True))]
    return g.choose(options) if options else g.leaf(g.choose(["int64", "int32", "uint8"]), [], 0, most)


def bound(g: Grower) -> Any:
    """A bound of a slice: any integer will do."""
    if g.chance(0.6):
        return g.choose([None, None, 0, 1, 2, -1, -2, 3, -3, 5, -7, 100])
    options = [v for v in g.pool if v.type.ndim == 0 and v.type.dtype in dtypes.INTEGERS]
    return g.choose([*options, some_length(g)[0], some_length(g)[0] - 1])


def span(g: Grower) -> slice:
    """A slice."""
    step = g.choose([None, None, None, 1, 2, 3, -1, -1, -2, "symbolic"])
    if step == "symbolic":
        options = [v for v in g.pool if v.type.ndim == 0 and v.type.dtype in dtypes.INTEGERS
                   and all(k != 0 for k in g.exact(v))]
        step = g.choose(options) if options else g.leaf("int64", [], *g.choose([(1, 4), (-3, 0)]))
    return slice(bound(g), bound(g), step)


def gather(g: Grower, sizes: Sizes, shape: Sequence[Sizes]) -> Any:
    """An array of indices into an axis of lengths `sizes`, its own lengths given by `shape`."""
    most = min(sizes)
    if most == 0:
        raise Refused("an empty axis has no index")
    fixed = all(len(set(n)) == 1 for n in shape)
    if fixed and g.chance(0.3):
        values = g.rng.integers(-most, most, [n[0] for n in shape])
        return g.choose([values, values.tolist(), nt.constant(values.astype("int32"))])
    fitting = [v for v in g.pool if v.type.dtype in dtypes.INTEGERS and g.sizes(v) == list(shape)]
    if fitting and g.chance(0.7):
        v = g.choose(fitting)
        return v if all((-n <= k).all() and (k < n).all() for k, n in zip(g.exact(v), sizes, strict=True)) else (
            nt.mod(v, most))
    return g.leaf(g.choose(["int64", "int64", "int32", "uint8"]), shape, *g.choose([(0, most), (None, most)][:1]))


def mask(g: Grower, sizes: Sequence[Sizes]) -> Any:
    """Truth values of these lengths: a comparison, a constant, an input."""
    fitting = [v for v in g.pool if g.sizes(v) == list(sizes) and v.type.dtype not in dtypes.COMPLEX]
    if fitting and g.chance(0.8):
        v = g.choose(fitting)
        return g.admit(v if v.type.dtype == "bool" else v > 0.25)
    if all(len(set(n)) == 1 for n in sizes) and g.chance(0.5):
        return constant_like(g, "bool", shape=[n[0] for n in sizes]).data
    return g.leaf("bool", sizes)


def index_of(g: Grower, x: Any) -> Any:
    """Something to index x with."""
    sizes = g.sizes(x)
    form = g.integer(0, 10)
    if form == 0 and x.type.ndim:
        covered = g.integer(1, min(2, x.type.ndim) + 1)
        first = g.integer(0, x.type.ndim - covered + 1)
        rest: list[Any] = [slice(None)] * first
        return (*rest, mask(g, sizes[first:first + covered]), *([position(g, sizes[-1])] if g.chance(0.2) and
                                                                first + covered < x.type.ndim else []))
    arrays = form in (1, 2, 3)
    shape = [g.choose(g.lengths) for _ in range(g.choose([1, 1, 2]))]
    parts: list[Any] = []
    for n in sizes[:len(sizes) if g.chance(0.7) else g.integer(0, len(sizes) + 1)]:
        kind = g.choose(["array", "slice", "whole"] if arrays and g.chance(0.7) else
                        ["int", "slice", "slice", "whole"])
        part = {"array": lambda n=n: gather(g, n, shape), "slice": lambda: span(g), "whole": lambda: slice(None),
                "int": lambda n=n: position(g, n)}[kind]()
        parts.append(part)
        if g.chance(0.1):
            parts.append(None)
    if g.chance(0.15) and len(parts) <= x.type.ndim:
        return g.choose([(*parts, Ellipsis), (Ellipsis, None)])
    return parts[0] if len(parts) == 1 and g.chance(0.5) else tuple(parts)


@move(10)
def indexing(g: Grower) -> Any:
    """x[...]"""
    x = pick(g, "any", 0 if g.chance(0.05) else 1)
    index = index_of(g, x)
    return g.choose([lambda: x[index], lambda: g.tensor.getitem(x, index)])()


@move(8)
def update(g: Grower) -> Any:
    """Elements of x replaced or incremented."""
    x = pick(g, "any", 1)
    name = g.choose(["set_subtensor", "inc_subtensor"])
    shown = x[index_of(g, x)]
    if g.chance(0.2):
        shown = g.choose([shown.T, nt.flatten(shown), nt.expand_dims(shown, 0)])
    g.admit(shown)
    # Which of several values stays is not what a derivative says.
    g.smooth = g.smooth and (name == "inc_subtensor" or not _is_gather(shown))
    value: Any = g.choose([0, 1, 2]) if g.chance(0.2) else cast_to(g, mate(g, shown), x.type.dtype)
    if hasattr(value, "type") and (value.type.ndim > shown.type.ndim or not broadcasts(g, g.admit(value), shown)):
        raise Refused("the value has more elements")
    return g.choose([lambda: getattr(g.tensor, name)(shown, value), lambda: getattr(shown, name[:3])(value)])()


def _is_gather(shown: Any) -> bool:
    while shown.owner is not None and shown.owner.inputs and not isinstance(shown.owner.op, nt.AdvancedSubtensor):
        shown = shown.owner.inputs[0]
    return shown.owner is not None and isinstance(shown.owner.op, nt.AdvancedSubtensor)


@move(4)
def choosing(g: Grower) -> Any:
    """take, take_along_axis, nonzero and what is found by it."""
    t, x = g.tensor, pick(g, "any", 1, 3)
    axis = g.integer(0, x.type.ndim)
    sizes = g.sizes(x)
    n = sizes[axis]
    forms = [lambda: t.take(x, gather(g, n, [g.choose(g.lengths)]), axis),
             lambda: t.take(x, pick(g, "int", 0, 2), axis, g.choose(["wrap", "clip"])),
             lambda: x.take(gather(g, (1, 1), [g.choose(g.lengths)])),
             lambda: t.take_along_axis(x, gather(g, n, [g.choose(g.lengths) if k == axis else m
                                                        for k, m in enumerate(sizes)]), axis),
             lambda: t.take_along_axis(x, nt.argmax(x, axis, keepdims=True), axis),
             lambda: t.nonzero(x > 0 if x.type.dtype not in dtypes.COMPLEX else x)[axis],
             lambda: t.nonzero(x, return_matrix=True), lambda: t.flatnonzero(x), lambda: t.nonzero_values(x),
             lambda: x[t.flatnonzero(mask(g, sizes[:1]))], lambda: t.nonzero(x, True).shape[1]]
    return g.choose(forms)()


@move(4)
def diagonals(g: Grower) -> Any:
    """diag, diagonal, trace."""
    t, k = g.tensor, g.integer(-2, 3)
    vector, matrix, array = pick(g, "any", 1, 1), pick(g, "any", 2, 2), pick(g, "any", 2, 4)
    return g.choose([lambda: t.diag(vector, k), lambda: t.diag(matrix, k), lambda: t.diagonal(array, k, -1, 0),
                     lambda: t.diagonal(array, k), lambda: t.trace(array, k), lambda: array.trace(),
                     lambda: nt.fill(alike(g, matrix), 1) * t.diag(nt.diagonal(matrix))])()
