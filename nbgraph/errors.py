"""Errors that say what is wrong, where, and how to fix it.

    ShapeError(dot, "inner lengths differ: 3 and 4", x=x, y=y, fix="give both the same length")

    ShapeError: dot: inner lengths differ: 3 and 4
      where: x        float64[2, 3]   model.py:12   x = at.dmatrix("x")
             y        float64[4, 5]   model.py:13   y = at.dmatrix("y")
             dot      here            model.py:14   z = at.dot(x, y)
      fix: give both the same length

An operand is a Variable (it knows its type and the user's line) or a plain value, which is printed.
"""

from __future__ import annotations

import linecache
from typing import Any, NamedTuple


class SourceLine(NamedTuple):
    """The user's line that made a Variable or an Apply."""

    file: str
    number: int

    def text(self) -> str:
        """The line's code, stripped; empty where the file can't be read."""
        return linecache.getline(self.file, self.number).strip()

    def place(self) -> str:
        """train.py:12"""
        return f"{self.file.rsplit('/', 1)[-1]}:{self.number}"

    def __str__(self) -> str:
        code = self.text()
        return f"{self.place()}   {code}" if code else self.place()


class DerivedLine(SourceLine):
    """The line of the node that a gradient was taken of: for messages, not what the line assigns."""

    __slots__ = ()


class NbgraphError(Exception):
    """Base of all errors of this package: what, where (the user's line of every operand), fix.

    Parameters
    ----------
    subject : Op, Apply, str or None   what failed; its str opens the message
    what : str                         what is wrong, with the values
    line : SourceLine, optional        the user's line of the subject
    fix : str                          what the user can do
    **operands                         Variables or values, by the name that the message gives them
    """

    def __init__(self, subject: Any = None, what: str = "", /, *, line: SourceLine | None = None, fix: str = "",
                 **operands: Any) -> None:
        self.subject, self.what, self.line, self.fix, self.operands = subject, what, line, fix, operands
        super().__init__(self._message())

    def _message(self) -> str:
        head = self.what if self.subject is None else f"{self.subject}: {self.what}"
        rows = [_operand_row(name, value) for name, value in self.operands.items()]
        if self.line is not None:
            rows.append((str(self.subject or "call"), "here", str(self.line)))
        return "\n".join([head, *_layout(rows), *([f"  fix: {self.fix}"] if self.fix else [])])

    def __reduce__(self) -> tuple[Any, ...]:
        # Operands are symbolic and may not pickle; the message carries all that a person needs.
        return _restore, (type(self), str(self))

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


def _restore(cls: type[NbgraphError], message: str) -> NbgraphError:
    error = cls.__new__(cls)
    Exception.__init__(error, message)
    error.subject, error.what, error.line, error.fix, error.operands = None, message, None, "", {}
    return error


def _operand_row(name: str, value: Any) -> tuple[str, str, str]:
    kind = getattr(value, "type", None)
    if kind is None or not hasattr(value, "owner"):
        return name, str(value), ""
    label = getattr(value, "name", None)
    line = getattr(value, "line", None)
    shown = name if label in (None, name) else f"{name} ({label})"
    return shown, str(kind), str(line) if line is not None else ""


def _layout(rows: list[tuple[str, str, str]]) -> list[str]:
    if not rows:
        return []
    wide = [max(len(row[i]) for row in rows) for i in range(2)]
    lines = [f"{a:<{wide[0]}}   {b:<{wide[1]}}   {c}".rstrip() for a, b, c in rows]
    return [("  where: " if i == 0 else "         ") + line for i, line in enumerate(lines)]


class ShapeError(NbgraphError, ValueError):
    """Shapes do not fit together."""


class DTypeError(NbgraphError, TypeError):
    """A dtype or Type that the operation does not take."""


class BoundsError(NbgraphError, IndexError):
    """An index outside its axis."""


class IndexShapeError(ShapeError, IndexError):
    """Masks or index arrays whose shapes do not fit: an IndexError, as in NumPy, and a ShapeError."""


class RangeError(NbgraphError, OverflowError):
    """A Python number that a dtype cannot hold."""


class ValueDomainError(NbgraphError, ValueError):
    """A value for which the operation is not defined."""


class GraphError(NbgraphError, ValueError):
    """The graph itself is not what is asked for: a missing input, an unused one, a wrong replacement."""


class BatchError(GraphError):
    """A node that cannot be computed for a whole batch at once."""


class ArgumentError(NbgraphError, TypeError):
    """The arguments of a call do not fit the inputs of the function."""


class KernelError(NbgraphError, NotImplementedError):
    """No native kernel exists for an Op or a Type."""


class NullGradError(NbgraphError, TypeError):
    """A gradient that is undefined or not implemented was asked for."""


class DisconnectedInputError(NbgraphError, ValueError):
    """grad was asked for a variable that the cost does not depend on."""


class GradientError(NbgraphError, AssertionError):
    """A symbolic gradient and finite differences disagree."""


class DebugModeError(NbgraphError, AssertionError):
    """DebugMode has found that a node, a rewriting rule or an Op's word about itself is wrong."""


class NanGuardError(NbgraphError, FloatingPointError):
    """NanGuardMode has found a NaN, an infinite or a huge value."""


class RuleError(NbgraphError, AssertionError):
    """A rewriting rule does not keep values, or does not do what it says."""
