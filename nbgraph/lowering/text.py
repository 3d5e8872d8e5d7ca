"""Expressions as Python text: operators with as few parentheses as they need, casts where Numba's types differ.

    Call("+", (x, Literal(1.0, "float32")), ("float32", "float32"), "float32")     np.float32(x + np.float32(1.0))
"""

from __future__ import annotations

import math
from typing import Any

from nbgraph.dispatch.expressions import Buffer, Call, Expr, Literal, Load, Local
from nbgraph.dispatch.scalar import resolve
from nbgraph.tensor import dtypes

# What arithmetic on operands of these dtypes gives in Numba is of these dtypes, too.
CLOSED = ("bool", "int64", "float64", "complex128")
ATOM = 100
_PRECEDENCE = {"*": 12, "/": 12, "+": 11, "-": 11, "<<": 10, ">>": 10, "&": 9, "^": 8, "|": 7,
               "<": 6, "<=": 6, ">": 6, ">=": 6, "==": 6, "!=": 6}


class Imports:
    """The functions that the text calls, by the name it calls them."""

    def __init__(self) -> None:
        self._modules: dict[str, dict[str, str]] = {}
        self._names: dict[str, str] = {}

    def name(self, dotted: str) -> str:
        """The name under which a function is called."""
        module, _, function = dotted.rpartition(".")
        if module == "numpy":
            return f"np.{function}"
        name = function
        while self._names.get(name, dotted) != dotted:
            name += "_"
        self._names[name] = dotted
        self._modules.setdefault(module, {})[function] = name
        return name

    def names(self) -> set[str]:
        """All names under which functions are called."""
        return set(self._names)

    def groups(self) -> list[str]:
        """The import statements: of Python, of NumPy, of this package."""
        python: list[str] = []
        ours: list[str] = []
        for module, functions in sorted(self._modules.items()):
            names = [f if f == name else f"{f} as {name}" for f, name in sorted(functions.items())]
            group = ours if module.startswith("nbgraph.") else python
            group.append(f"from {module} import {', '.join(names)}")
        return ["\n".join(group) for group in (python, ["import numpy as np"], ours) if group]


class ExpressionText:
    """Text of expressions, names from `namer`; `inlined` are Locals whose text stands in place of their name."""

    def __init__(self, namer: Any, imports: Imports) -> None:
        self.namer, self.imports = namer, imports
        self.inlined: dict[Local, tuple[str, int]] = {}
        self.shares: dict[Buffer, Buffer] = {}

    def text(self, e: Expr) -> str:
        """The expression."""
        return self.ranked(e)[0]

    def ranked(self, e: Expr) -> tuple[str, int]:
        """The expression and how tightly its outermost operator binds."""
        if isinstance(e, Local):
            return self.inlined[e] if e in self.inlined else (self.namer.name(e), ATOM)
        if isinstance(e, Literal):
            text = literal(e.value, e.dtype)
            return text, 13 if text.startswith("-") else ATOM
        if isinstance(e, Load):
            return f"{self.buffer(e.buffer)}[{self.index(e.index)}]", ATOM
        return self._call(e)

    def buffer(self, buffer: Buffer) -> str:
        """The name of a buffer."""
        return self.namer.name(self.shares.get(buffer, buffer))

    def index(self, index: tuple[Expr, ...]) -> str:
        """What stands between the brackets."""
        return ", ".join(map(self.text, index))

    def _call(self, e: Call) -> tuple[str, int]:
        if e.function == "identity":
            return self.cast(self.ranked(e.arguments[0]), e.arguments[0].dtype, e.dtype)
        operands = [self.cast(self.ranked(a), a.dtype, wanted)
                    for a, wanted in zip(e.arguments, e.operand_dtypes, strict=True)]
        if e.function == "neg" and e.dtype in ("int64", "float64"):
            return f"-{_within(operands[0], 13)}", 13
        function = resolve(e.function, e.operand_dtypes, e.dtype)
        if function in _PRECEDENCE:
            made = _infix(function, operands)
        else:
            made = f"{self.imports.name(function)}({', '.join(text for text, _ in operands)})", ATOM
        return made if e.dtype in CLOSED else (f"np.{numpy_name(e.dtype)}({made[0]})", ATOM)

    def cast(self, operand: tuple[str, int], given: str, wanted: str) -> tuple[str, int]:
        """`operand` as `wanted`."""
        if given == wanted:
            return operand
        function = resolve("identity", (given,), wanted)
        if function:
            return f"{self.imports.name(function)}({operand[0]})", ATOM
        if wanted == "bool":
            zero = literal(0, given)
            return _infix("!=", [operand, (zero, ATOM)])
        return f"np.{numpy_name(wanted)}({operand[0]})", ATOM


def _within(operand: tuple[str, int], rank: int) -> str:
    text, own = operand
    return text if own >= rank else f"({text})"


def _infix(operator: str, operands: list[tuple[str, int]]) -> tuple[str, int]:
    rank = _PRECEDENCE[operator]
    (left, left_rank), (right, right_rank) = operands
    # Comparisons chain in Python, so that one inside another needs parentheses on either side.
    left = left if left_rank > rank or (left_rank == rank and rank != 6) else f"({left})"
    right = right if right_rank > rank else f"({right})"
    return f"{left} {operator} {right}", rank


def numpy_name(dtype: str) -> str:
    """What NumPy calls the scalar type."""
    return "bool_" if dtype == "bool" else dtype


def literal(value: Any, dtype: str) -> str:
    """A number of exactly this dtype."""
    if dtype == "bool":
        return repr(bool(value))
    if dtype in dtypes.INTEGERS:
        text = repr(int(value))
        return text if dtype == "int64" else f"np.{dtype}({text})"
    if dtype in dtypes.FLOATS:
        text = _real(float(value))
        return text if dtype == "float64" else f"np.{dtype}({text})"
    text = f"complex({_real(value.real)}, {_real(value.imag)})"
    return text if dtype == "complex128" else f"np.{dtype}({text})"


def _real(value: float) -> str:
    if math.isnan(value):
        return "np.nan"
    if math.isinf(value):
        return "np.inf" if value > 0 else "-np.inf"
    return repr(value)
