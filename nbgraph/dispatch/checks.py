"""What a generated function calls to find out that its arrays hold what they must not, and how it says so.

    at = first_outside(reshape(idx, (n,)), m)
    if at >= 0:
        raise CheckFailed(3, idx_flat[at], m)

The number of the check, and the values it is about, are all that native code knows; the executor makes the error that
names operands and lines.
"""

from __future__ import annotations

from typing import Any

from nbgraph.dispatch.jit import kernel


class CheckFailed(Exception):
    """Check `args[0]` does not hold, for the values `args[1:]`."""


@kernel
def first_outside(index: Any, length: int) -> int:
    """The place of the first element that is no index of an axis of `length`; -1 where all are."""
    for k in range(index.shape[0]):
        if index[k] < -length or index[k] >= length:
            return k
    return -1


@kernel
def first_negative(values: Any) -> int:
    """The place of the first element below 0; -1 where there is none."""
    for k in range(values.shape[0]):
        if values[k] < 0:
            return k
    return -1
