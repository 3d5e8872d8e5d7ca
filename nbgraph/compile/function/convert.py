"""From any value a caller passes to what the executor takes: one function for each input, made when compiling.

What needs no work does not come here, see `caller`.

    convert = converter(slot, scalar=True, ...)      convert(3) -> 3.0      convert([3]) -> DTypeError naming the input
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nbgraph.compile.collect import Slot
from nbgraph.compile.container import Container, filter_for, plain
from nbgraph.compile.function.arguments import MISSING, missing_input
from nbgraph.tensor.type import TensorType

Converter = Callable[[Any], Any]
DOWNCAST = ", or pass allow_downcast=True to In or allow_input_downcast=True to function"


def converter(slot: Slot, container: Container, scalar: bool, allow_downcast: bool | None,
              function_name: str | None) -> Converter:
    """What makes a value of the slot's Type from an argument, and gives the stored value for one that is MISSING.

    Parameters
    ----------
    scalar : bool              the executor takes a Python scalar, not a 0-d array
    allow_downcast : bool, optional      the function's, for inputs that say nothing themselves

    Raises (when called)
    --------------------
    TypeError    MISSING, and nothing is stored
    DTypeError   wrong kind, dtype or rank
    ShapeError   a length that is not the known one
    """
    assert slot.spec is not None, "only inputs of the user take arguments"
    variable, strict = slot.variable, slot.spec.strict
    downcast = allow_downcast if slot.spec.allow_downcast is None else slot.spec.allow_downcast
    subject = f"{function_name or 'function'}: input {slot.name or variable} (position {slot.position})"

    def convert(value: Any) -> Any:
        if value is MISSING:
            value = container.storage[0]
            if value is None:
                raise missing_input(slot)
        kept = filter_for(variable, value, subject, strict=strict, allow_downcast=downcast, fix=DOWNCAST)
        if not isinstance(kept, np.ndarray) or not isinstance(variable.type, TensorType):
            return kept
        return kept.item() if scalar else plain(kept)

    return convert
