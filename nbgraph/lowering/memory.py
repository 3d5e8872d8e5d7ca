"""Memory: what a call allocates, worked out from the lengths of its arguments. Nothing is run and nothing allocated.

    estimate(program, [(1000, 3), (3,)])      outputs 7.8 KiB, temporaries 23.4 KiB, on the stack 512 B
"""

from __future__ import annotations

import importlib
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbgraph.dispatch.expressions import Assign, Buffer, Call, Expr, Literal, Local
from nbgraph.dispatch.scalar import resolve
from nbgraph.errors import GraphError
from nbgraph.lowering.program import Allocate, MakeAlias, Program, ReadLength, StackArray

_OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "<": operator.lt, "<=": operator.le,
              ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "&": operator.and_,
              "|": operator.or_, "^": operator.xor, "/": operator.truediv, "//": operator.floordiv}


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes that a call allocates.

    Attributes
    ----------
    outputs : int        arrays that it returns, and new values of shared variables
    temporaries : int    arrays that are gone when it returns
    stack : int          of its own thread's stack
    unknown : tuple      names of arrays whose lengths depend on values, such as those of a mask; not counted
    """

    outputs: int
    temporaries: int
    stack: int
    unknown: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """All but the stack."""
        return self.outputs + self.temporaries

    def __str__(self) -> str:
        text = f"outputs {_size(self.outputs)}, temporaries {_size(self.temporaries)}, on the stack {_size(self.stack)}"
        return text + (f"; not counted: {', '.join(self.unknown)}" if self.unknown else "")


def _size(count: int) -> str:
    size, units = float(count), ["B", "KiB", "MiB", "GiB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        del units[0]
    return f"{size:.4g} {units[0]}"


def estimate(program: Program, arguments: Sequence[Any]) -> MemoryEstimate:
    """What a call allocates.

    arguments : for each input of the program its shape, or the value of a scalar; None where it is not known

    Raises
    ------
    GraphError   a shape of another rank
    """
    known = Values()
    for value, given in zip(program.inputs, arguments, strict=True):
        if isinstance(value, Buffer) and given is not None:
            if len(given) != value.ndim:
                raise GraphError(f"memory_estimate: {value.hint} has {value.ndim} axes, its shape is given as {given}",
                                 fix="give a length for each axis")
            known.shapes[value] = tuple(given)
        elif isinstance(value, Local) and given is not None:
            known.values[value] = given
    known.shapes.update((buffer, array.shape) for buffer, array in program.constants)
    owner = {d.buffer: d.buffer for d in program.destinations}
    sizes: dict[Buffer, int | None] = {}
    stack = 0
    for s in program.statements:
        if isinstance(s, ReadLength) and s.buffer in known.shapes:
            known.values[s.target] = known.shapes[s.buffer][s.axis]
        elif isinstance(s, Assign):
            known.values[s.target] = known.value(s.value)
        elif isinstance(s, Allocate):
            owner[s.buffer] = s.buffer if s.reuses is None else owner[s.reuses]
            if s.reuses is None:
                sizes[s.buffer] = known.bytes_of(s.buffer)
        elif isinstance(s, MakeAlias):
            owner[s.buffer] = owner.get(s.source, s.source)
        elif isinstance(s, StackArray):
            stack += known.bytes_of(s.buffer) or 0
    given = {d.buffer for d in program.destinations}
    returned = {owner.get(v, v) for v in program.outputs if isinstance(v, Buffer)}
    outputs = sum(size or 0 for buffer, size in sizes.items() if buffer in returned)
    everything = sum(size or 0 for size in sizes.values())
    lost = [buffer.hint for buffer, size in sizes.items() if size is None]
    lost += [b.hint for b in returned if b not in sizes and b not in program.inputs and b not in given]
    return MemoryEstimate(outputs, everything - outputs, stack, tuple(lost))


class Values:
    """Values of scalars, and shapes of arrays; None where they depend on what is not known."""

    def __init__(self) -> None:
        self.shapes: dict[Buffer, tuple[int, ...]] = {}
        self.values: dict[Local, Any] = {}

    def value(self, e: Expr) -> Any:
        """What a scalar expression of the main function is."""
        if isinstance(e, Literal):
            return e.value
        if not isinstance(e, Call):
            return self.values.get(e) if isinstance(e, Local) else None
        operands = [self.value(a) for a in e.arguments]
        if any(v is None for v in operands):
            return None
        if e.function == "identity":
            return np.dtype(e.dtype).type(operands[0])
        name = resolve(e.function, e.operand_dtypes, e.dtype)
        if name in _OPERATORS:
            return _OPERATORS[name](*operands)
        module, _, function = name.rpartition(".")
        return getattr(importlib.import_module(module), function)(*operands)

    def bytes_of(self, buffer: Buffer) -> int | None:
        """The size of an array by its lengths."""
        lengths = [self.value(d) for d in buffer.dims]
        if any(n is None or n < 0 for n in lengths):
            return None
        return math.prod(map(int, lengths)) * np.dtype(buffer.dtype).itemsize
