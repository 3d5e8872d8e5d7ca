"""MRG31k3p in compiled code: uniform numbers from streams side by side; see `nbgraph.tensor.random.mrg_steps`.

    mrg_uniform(states, after, out)      number i is draw i // s of stream i % s of the s streams

Every stream moves by as many steps, those of the one that is drawn from most often.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import float32

from nbgraph.dispatch.jit import apart, kernel
from nbgraph.dispatch.memory import reshape
from nbgraph.dispatch.rules import Check, Dims, Library, checks, lowers
from nbgraph.graph.basic import Apply
from nbgraph.tensor.random.mrg import MRGUniform, negative_size_error
from nbgraph.tensor.random.mrg_steps import FIRST, M1, M2, SECOND

_X1, _X2 = FIRST[0][1:]
_Y0, _Y2 = SECOND[0][0], SECOND[0][2]
_UNIT = 1.0 / (M1 + 1)
# In float32, numbers next to 1 would be 1.
_BELOW_ONE = np.nextafter(np.float32(1), np.float32(0))


@kernel
def mrg_uniform(states: Any, after: Any, out: Any) -> Any:
    """Numbers in (0, 1), and the states after them.

    Parameters
    ----------
    states : int64[s, 6]
    after : int64[s, 6], written
    out : float64[...] or float32[...], written
    """
    apart()
    flat = reshape(out, (out.size,))
    n, s = out.size, states.shape[0]
    turns = (n + s - 1) // s
    for row in range(s):
        x0, x1, x2 = states[row, 0], states[row, 1], states[row, 2]
        y0, y1, y2 = states[row, 3], states[row, 4], states[row, 5]
        for turn in range(turns):
            x = (_X1 * x1 + _X2 * x2) % M1
            y = (_Y0 * y0 + _Y2 * y2) % M2
            x0, x1, x2 = x, x0, x1
            y0, y1, y2 = y, y0, y1
            if row + turn * s < n:
                z = x - y
                flat[row + turn * s] = _scaled(z + M1 if z <= 0 else z, out)
        after[row, 0], after[row, 1], after[row, 2] = x0, x1, x2
        after[row, 3], after[row, 4], after[row, 5] = y0, y1, y2


@kernel
def _scaled(z: Any, out: Any) -> Any:
    return min(float32(z * _UNIT), _BELOW_ONE) if out.itemsize == 4 else z * _UNIT


@lowers(MRGUniform)
def uniform(node: Apply) -> Library:
    """One call."""
    return Library(f"{__name__}.mrg_uniform", (node.inputs[0],))


@checks(MRGUniform)
def natural_lengths(node: Apply, dims: Dims) -> list[Check]:
    """Lengths are >= 0."""
    lengths = dims(node.outputs[1])
    return [Check("natural", lengths, lengths, lambda values: negative_size_error(node, values), node)]
