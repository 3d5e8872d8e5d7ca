"""Batch axes of indexing: slices and gathers, updates, positions.

    x[i]      only x has batch axes:  the same index behind them
              only i has:             a gather of more elements
              both have:              xs[arange(b), is]

A batched index needs a position along each batch axis of the array: a range where the length is not known to be 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.tensor.batching import Batch, batches, unbatched
from nbgraph.tensor.indexing_advanced import AdvancedSubtensor, Nonzero
from nbgraph.tensor.indexing_basic import WHOLE, Subtensor, index_entries
from nbgraph.tensor.indexing_tables import TableElements, TableOrElements
from nbgraph.tensor.indexing_update import AdvancedIncSubtensor, IncSubtensor

SLICES = "slices whose bounds differ from element to element of the batch have different lengths"
LATE = "the rewriting puts it into compiled functions; a graph to differentiate or to vectorise has the gather itself"
unbatched(Nonzero, "how many elements are not zero differs from element to element of the batch; a mask can be used "
                   "with nt.switch(mask, x, 0)")
unbatched(TableOrElements, LATE)
unbatched(TableElements, LATE)


def positions(x: Any, count: int) -> list[Any]:
    """For each of the `count` leading axes of x an index array of `count` axes that goes along it."""
    first = nt.constant(np.zeros((1,) * count, np.int64))
    lengths = nt.lengths_of(x)
    return [first if x.type.shape[axis] == 1 else
            nt.dimshuffle(nt.arange(lengths[axis]), *(0 if k == axis else "x" for k in range(count)))
            for axis in range(count)]


# Slices and integers ------------------------------------------------------------------------------------------------

@batches(Subtensor)
def subtensor(batch: Batch) -> list[Any]:
    """The same index behind the batch axes, or a gather where an integer has some."""
    if not any(batch.counts[1:]):
        return [Subtensor((WHOLE,) * batch.count + batch.op.pattern)(*batch.inputs)]
    x = batch.aligned(0)
    return [nt.getitem(x, _index(batch, x, 1))]


def _index(batch: Batch, x: Any, first: int) -> tuple[Any, ...]:
    """The index of a pattern, for x that has all batch axes: positions along these, then its integers and slices."""
    entries: list[Any] = []
    for entry in index_entries(batch.op.pattern, range(first, len(batch.inputs))):
        if isinstance(entry, tuple):
            batch.refuse([place for place in entry if place is not None], SLICES)
            entries.append(slice(*(None if place is None else batch.inputs[place] for place in entry)))
        else:
            entries.append(batch.aligned(entry) if batch.counts[entry] else batch.inputs[entry])
    return (*positions(x, batch.count), *entries)


@batches(IncSubtensor)
def inc_subtensor(batch: Batch) -> list[Any]:
    """The same update behind the batch axes, or a scatter where an integer has some."""
    op, region = batch.op, batch.core(0) - sum(entry == "i" for entry in batch.op.pattern)
    y = batch.padded(1, region)
    if not any(batch.counts[2:]):
        x = batch.spread(0) if batch.counts[1] else batch.inputs[0]
        pattern = (WHOLE,) * batch.count + op.pattern
        return [IncSubtensor(pattern, op.set_instead_of_inc)(x, y, *batch.inputs[2:])]
    x = batch.spread(0)
    update = nt.set_subtensor if op.set_instead_of_inc else nt.inc_subtensor
    return [update(nt.getitem(x, _index(batch, x, 2)), y)]


# Index arrays -------------------------------------------------------------------------------------------------------

@batches(AdvancedSubtensor)
def gather(batch: Batch) -> list[Any]:
    """z[b, a, c] = x[b, i[b, a], c], where x, i or both have b."""
    x, *indices = batch.inputs
    n, taken = batch.count, len(indices)
    width = _width(batch, 1)
    if not any(batch.counts[1:]):
        z = AdvancedSubtensor()(_in_front(x, n, taken), *indices)
        return [nt.dimshuffle(z, *range(width, width + n), *range(width), *range(width + n, z.type.ndim))]
    arrays = [batch.aligned(place, width) for place in range(1, taken + 1)]
    if not batch.counts[0]:
        return [AdvancedSubtensor()(x, *arrays)]
    x = batch.aligned(0)
    return [AdvancedSubtensor()(x, *_grid(x, n, width), *arrays)]


@batches(AdvancedIncSubtensor)
def scatter(batch: Batch) -> list[Any]:
    """x[b] with y[b, a] put or added at i[b, a], where x, y, i or several of them have b."""
    op, n, taken = batch.op, batch.count, len(batch.inputs) - 2
    width = _width(batch, 2)
    y = batch.aligned(1, width + batch.core(0) - taken)
    if any(batch.counts[2:]):
        x = batch.spread(0)
        arrays = [batch.aligned(place, width) for place in range(2, taken + 2)]
        return [op(x, y, *_grid(x, n, width), *arrays)]
    x = batch.spread(0) if batch.counts[1] else batch.inputs[0]
    z = op(_in_front(x, n, taken), nt.dimshuffle(y, *range(n, n + width), *range(n), *range(n + width, y.type.ndim)),
           *batch.inputs[2:])
    return [nt.dimshuffle(z, *range(taken, taken + n), *range(taken), *range(taken + n, z.type.ndim))]


def _width(batch: Batch, first: int) -> int:
    """How many axes the index arrays have together."""
    return max((batch.core(place) for place in range(first, len(batch.inputs))), default=0)


def _in_front(x: Any, count: int, taken: int) -> Any:
    """x with the axes that are indexed in front of its batch axes."""
    return nt.dimshuffle(x, *range(count, count + taken), *range(count), *range(count + taken, x.type.ndim))


def _grid(x: Any, count: int, width: int) -> list[Any]:
    """Positions along the batch axes of x, under index arrays of `width` further axes."""
    return [nt.shape_padright(index, width) for index in positions(x, count)]
