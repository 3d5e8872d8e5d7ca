"""When a compiled value is that of `perform`: rounding is allowed, and nothing else.

    difference(node, 0, expected, actual, inputs)  ->  None, or a text with the first element that is wrong

Elementwise functions may differ by 8 units in the last place; what adds up n numbers by 8 sqrt(n) units of the sum
of their magnitudes, which is what `perform` gives for the magnitudes of the inputs; Ops of users by 8 units of the
largest number that they read or give. All else must be equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nbgraph.graph.basic import Apply
from nbgraph.graph.op import perform
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.type import TensorType

ULPS = 8
_OURS = "nbgraph.tensor"
# Next to their zeros these are exact to a rounding of 1, not of themselves.
WITH_ZEROS = frozenset({"gammaln", "digamma", "erfinv", "logaddexp", "polygamma"})


def difference(node: Apply, position: int, expected: Any, actual: Any, inputs: Sequence[Any] = (),
               mark: Any = None, slack: float = 0.0) -> str | None:
    """What is wrong with output `position` of `node`: its shape, or an element; None where nothing is.

    Objects that are no tensors are not compared: what makes them equal is theirs to say.

    Parameters
    ----------
    inputs : what the node read
    mark : bool array, optional      only these elements are compared
    slack : float                    how far floats may differ besides, in units of the largest input
    """
    if not isinstance(node.outputs[position].type, TensorType):
        return None
    expected, actual = np.asarray(expected), np.asarray(actual)
    if actual.shape != expected.shape:
        return f"shape {actual.shape} instead of {expected.shape}"
    wrong = ~_equal(expected, actual)
    if expected.dtype.kind in "fc" and np.any(wrong):
        with np.errstate(all="ignore"):
            allowed = _slack(node, position, expected, inputs) + slack * _largest((expected, *inputs))
            wrong &= ~(np.abs(actual - expected) <= allowed)
    if mark is not None:
        wrong &= mark
    if not np.any(wrong):
        return None
    first = tuple(int(k) for k in np.argwhere(wrong)[0])
    at = f"element [{', '.join(map(str, first))}]: " if expected.ndim else ""
    return f"{at}{actual[first]!s} instead of {expected[first]!s}; {np.count_nonzero(wrong)} of {expected.size} differ"


def _equal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        same = np.asarray(a == b)
        return same | ((a != a) & (b != b)) if a.dtype.kind in "fc" else same


def _largest(values: Sequence[Any]) -> float:
    floats = [np.abs(x) for x in values if isinstance(x, np.ndarray) and x.dtype.kind in "fc"]
    return max((float(np.max(x, initial=0.0, where=np.isfinite(x))) for x in floats), default=0.0)


def _slack(node: Apply, position: int, expected: np.ndarray, inputs: Sequence[Any]) -> Any:
    """How far a float may be off, for each element."""
    # An Op may compute in a smaller dtype than it gives.
    kinds = [x.dtype for x in (expected, *inputs) if isinstance(x, np.ndarray) and x.dtype.kind in "fc"]
    unit = ULPS * max(float(np.finfo(kind).eps) for kind in kinds)
    magnitude = np.abs(expected)
    if isinstance(node.op, Elemwise):
        return unit * (np.maximum(magnitude, 1) if node.op.function.name in WITH_ZEROS else magnitude)
    if not type(node.op).__module__.startswith(_OURS):
        # A user's Op may not take other values, or may tell somebody that it has run.
        return unit * _largest((expected, *inputs))
    floats = [isinstance(x, np.ndarray) and x.dtype.kind in "fc" for x in inputs]
    sizes = [np.abs(x) if is_float else x for x, is_float in zip(inputs, floats, strict=True)]
    # NumPy adds up rows one after the other.
    terms = max((x.size for x, is_float in zip(inputs, floats, strict=True) if is_float), default=0)
    return unit * np.sqrt(max(1, terms // max(1, expected.size))) * np.abs(perform(node, sizes)[position])
