"""What a slice of an axis selects: the first element, how many, and the step between them.

    slice_facts(2, None, None, n)      (2, maximum(n - 2, 0), 1)
    slice_facts(None, None, -1, n)     (n - 1, n, -1)
    slice_facts(1, 7, 2, 10)           (1, 3, 2)           all known: plain integers

Bounds, step and length are ints or int64 scalars of the graph; integers are folded on the way, so that common slices
stay short. The meaning is Python's.
"""

from __future__ import annotations

from typing import Any

import nbgraph.tensor as nt
from nbgraph.errors import ValueDomainError
from nbgraph.graph.basic import Constant
from nbgraph.graph.source import user_line

# An int where the value is known, else an int64 scalar variable.
Scalar = Any

# Known bounds beyond this mean the same as this: no axis is longer.
LIMIT = 2**63 - 1


def known(value: Scalar) -> Scalar:
    """The int of a Constant scalar or NumPy integer; a variable as it is."""
    if isinstance(value, Constant):
        return int(value.data)
    return value if value is None or hasattr(value, "owner") else int(value)


def slice_facts(start: Scalar | None, stop: Scalar | None, step: Scalar | None,
                length: Scalar) -> tuple[Scalar, Scalar, Scalar]:
    """(first, count, step) of x[start:stop:step] on an axis of `length` elements.

    The k-th element of the slice is element first + k * step of the axis, 0 <= k < count. Where count is 0, first
    means nothing: it may lie outside the axis.

    Parameters
    ----------
    start, stop, step : int, int64 scalar or None
    length : int or int64 scalar, >= 0

    Returns
    -------
    tuple of three, each an int where it follows from known values, else an int64 scalar

    Raises
    ------
    ValueDomainError   step is known to be 0 (a symbolic step is checked when the slice is computed)

    Notes
    -----
    A slice with a negative step is the slice of the reversed axis with the bounds -1 - start and -1 - stop and the
    step -step: the reversal exchanges "from the front" and "from the end".
    """
    start, stop, length = known(start), known(stop), known(length)
    step = 1 if step is None else known(step)
    if isinstance(step, int):
        if step == 0:
            raise zero_step_error(None)
        if step > 0:
            first, span = _span(start, stop, length)
            return first, _count(span, step), step
        first, span = _span(_mirrored(start), _mirrored(stop), length)
        return subtract(subtract(length, 1), first), _count(span, -step), step
    backward = nt.lt(step, 0)
    first, span = _span(_mirrored_where(backward, start), _mirrored_where(backward, stop), length)
    first = nt.switch(backward, subtract(subtract(length, 1), first), first)
    return first, _count(span, nt.abs(step)), step


def static_count(start: Scalar | None, stop: Scalar | None, step: Scalar | None, length: int | None) -> int | None:
    """The number of elements of a slice where all of it is known; None where it is not."""
    bounds = tuple(known(bound) for bound in (start, stop, step))
    if any(bound is not None and not isinstance(bound, int) for bound in bounds):
        return None
    if length is None:
        return 0 if bounds[1] == 0 and (bounds[2] or 1) > 0 else None
    return len(range(*slice(*bounds).indices(length)))


def zero_step_error(node: Any) -> ValueDomainError:
    """The error for a slice with step 0, when the graph is built (node None) or when it is computed."""
    if node is None:
        return ValueDomainError(None, "the step of a slice is 0", line=user_line(), fix="use a step of at least 1, or "
                                "at most -1")
    return ValueDomainError(node.op, "the step of a slice is 0", line=node.line, x=node.inputs[0],
                            fix="use a step of at least 1, or at most -1")


def add(x: Scalar, y: Scalar) -> Scalar:
    """x + y"""
    if isinstance(x, int) and isinstance(y, int):
        return x + y
    if isinstance(y, int) and y <= 0:
        return x if y == 0 else nt.sub(x, -y)
    return nt.add(x, y)


def subtract(x: Scalar, y: Scalar) -> Scalar:
    """x - y"""
    return add(x, -y) if isinstance(y, int) else nt.sub(x, y)


def _maximum(x: Scalar, floor: int) -> Scalar:
    return max(x, floor) if isinstance(x, int) else nt.maximum(x, floor)


def _minimum(x: Scalar, y: Scalar) -> Scalar:
    return min(x, y) if isinstance(x, int) and isinstance(y, int) else nt.minimum(x, y)


def _limited(bound: Scalar | None) -> Scalar | None:
    return max(-LIMIT, min(bound, LIMIT)) if isinstance(bound, int) else bound


def _mirrored(bound: Scalar | None) -> Scalar | None:
    return None if bound is None else subtract(-1, bound)


def _mirrored_where(backward: Any, bound: Scalar | None) -> Scalar | None:
    return None if bound is None else nt.switch(backward, subtract(-1, bound), bound)


def _count(span: Scalar, stride: Scalar) -> Scalar:
    """ceil(span / stride), written so that a huge stride does not overflow."""
    if isinstance(stride, int) and stride == 1:
        return span
    if isinstance(span, int) and isinstance(stride, int):
        return (span - 1) // stride + 1
    return add(nt.floor_divide(subtract(span, 1), stride), 1)


def _span(start: Scalar | None, stop: Scalar | None, n: Scalar) -> tuple[Scalar, Scalar]:
    """(first, number of elements) for step 1."""
    start, stop = _limited(start), _limited(stop)
    if isinstance(start, int) and isinstance(stop, int) and (start < 0) == (stop < 0):
        return _span_of_one_sign(start, stop, n)
    if stop is None and isinstance(start, int) and start < 0:
        return _maximum(add(n, start), 0), _minimum(n, -start)
    first, end = _first(start, n), _end(stop, n)
    if isinstance(first, int) and first == 0 and (stop is None or (isinstance(stop, int) and stop >= 0)):
        return first, end
    if isinstance(start, int) and start >= 0 and isinstance(stop, int):  # stop < 0
        return first, _maximum(add(n, max(stop - start, -LIMIT)), 0)
    return first, _maximum(subtract(end, first), 0)


def _span_of_one_sign(start: int, stop: int, n: Scalar) -> tuple[Scalar, Scalar]:
    """Both bounds counted from the same side: an empty slice is known to be one."""
    if stop <= start:
        return 0, 0
    if start < 0:
        first = _maximum(add(n, start), 0)
        return first, subtract(_maximum(add(n, stop), 0), first)
    end = _minimum(n, stop)
    return start, end if start == 0 else _maximum(subtract(end, start), 0)


def _first(start: Scalar | None, n: Scalar) -> Scalar:
    """`start` from the front, at least 0. It may pass n: then nothing is selected."""
    if start is None:
        return 0
    if isinstance(start, int):
        return start if start >= 0 else _maximum(add(n, start), 0)
    return nt.maximum(nt.switch(nt.lt(start, 0), nt.add(start, n), start), 0)


def _end(stop: Scalar | None, n: Scalar) -> Scalar:
    """`stop` from the front, at most n. It may be below 0: then nothing is selected."""
    if stop is None:
        return n
    if isinstance(stop, int):
        if stop == 0:
            return 0
        return _minimum(n, stop) if stop > 0 else add(n, stop)
    return nt.minimum(nt.switch(nt.lt(stop, 0), nt.add(stop, n), stop), n)
