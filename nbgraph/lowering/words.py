"""What generated code calls things, and what its comments say: the words of the user.

    z = dot(x, w) + b      in a kernel: a buffer z, its element z_i, the comment "z = dot(x, w) + b"

A name comes from the user's variable, else from what the value is for: n, m, k are lengths, total is a sum, at a place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from nbgraph.dispatch.expressions import Assign, Call, Combine, Draw, Keep, Literal, Load, Local, Store
from nbgraph.graph.basic import Variable
from nbgraph.graph.expression import ELIDED, expression
from nbgraph.graph.fg import FunctionGraph
from nbgraph.lowering.inlining import lengths_used
from nbgraph.lowering.names import LONGEST, identifier
from nbgraph.lowering.program import (
    Allocate,
    CallKernel,
    CallLibrary,
    CombineParts,
    MakeAlias,
    Program,
    ReadLength,
    walk,
)

COMMENT = 98  # characters of a comment
# Locals of sums in blocks.
OF_BLOCKS = ("part", "lost")
ACCUMULATORS = {"sum": "total", "prod": "product", "max": "largest", "min": "smallest", "any": "found",
                "all": "all_true", "+": "total"}
LETTERS = ("nmklpqrs", "mknlpqrs", "klmnpqrs", "lpqrsnmk")  # for lengths of the first axis, the second …
COMPUTED = "klpqrsnm"  # for lengths that are worked out

Hints = dict[Any, str | Sequence[str]]


class Words:
    """What variables are called.

    Attributes
    ----------
    names : variable -> the user's name
    outputs : a name for each output
    generated : variable -> the name that the text gives to what is in memory, where the user has none
    """

    def __init__(self, fgraph: FunctionGraph, names: dict[Variable, str], outputs: Sequence[str | None]) -> None:
        self.names = dict(names)
        self.names.update((v, v.name) for v in fgraph.variables
                          if v.name is not None and (v not in names or v.name.isidentifier()))
        self.names.update((v, name) for v, name in zip(fgraph.outputs, outputs, strict=True)
                          if v.owner is not None and name is not None)
        self.outputs = [name or self.called(v) for v, name in zip(fgraph.outputs, outputs, strict=True)]
        self.graph_outputs = fgraph.outputs
        self.generated: dict[Variable, str] = {}

    def called(self, variable: Any) -> str:
        """The user's name, or that of the Op: `sum` of `sum{axes=(0,)}`."""
        if variable in self.names:
            return self.names[variable]
        return str(variable) if variable.owner is None else re.split(r"[^\w.]", str(variable.owner.op))[0] or "v"

    def comment(self, variable: Any, room: int = COMMENT) -> str | None:
        """`p_1 = 1 / (1 + exp(-z))` in `room` characters; None where there is nothing to say."""
        if not isinstance(variable, Variable) or variable.owner is None:
            return None
        name = self.names.get(variable)
        prefix = "" if name is None or len(name) > LONGEST else f"{name} = "
        return one_line(prefix + self._expression(variable, room - len(prefix)))

    def _expression(self, variable: Variable, room: int) -> str:
        """All of it; or with names for what has been computed before; or as much of it as there is room for."""
        def known(v: Variable) -> str | None:
            return None if v is variable else self.names.get(v, self.generated.get(v))

        def named(v: Variable) -> str | None:
            return None if v is variable else self.names.get(v)

        tries: list[tuple[Callable[[Variable], str | None], int]] = [(named, 40), (known, 40)]
        for names, limit in tries:
            text = expression(variable, names, limit)
            if len(text) <= room and ELIDED not in text:
                return text
        for limit in (20, 14, 10, 7, 5, 3, 2, 1):
            text = expression(variable, known, limit)
            if len(text) <= room:
                return text
        return text[:max(room - 1, 0)] + ELIDED


def one_line(text: str) -> str:
    """The text without what ends a line or can't be written to a file."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))


def hints_of(program: Program, words: Words) -> Hints:
    """Better names than Locals and Buffers were made with."""
    hints: Hints = {}
    lengths = lengths_used(program)
    theirs = {identifier(name) for name in words.names.values()} | {v.hint for v in program.inputs}
    for s in program.statements:
        if isinstance(s, ReadLength):
            hints[s.target] = words.names.get(s.variable) or _letters(LETTERS[min(s.axis, 3)], theirs)
        elif isinstance(s, (Allocate, MakeAlias)):
            hints[s.buffer] = "work" if s.variable is None else words.called(s.variable)
        elif isinstance(s, CombineParts):
            name = identifier(words.names.get(s.variable, ACCUMULATORS.get(s.combine, "total")))
            hints[s.target] = name
        elif isinstance(s, CallLibrary):
            pairs = [*zip(s.outputs, s.node.outputs, strict=True)]
            hints.update((b, words.called(v)) for b, v in pairs[s.stream is not None:])
        elif isinstance(s, CallKernel):
            _BodyHints(s.kernel.body, words, hints).add()
        elif isinstance(s, Assign) and s.target in lengths and s.variable not in words.names:
            hints[s.target] = _letters(COMPUTED, theirs)
    made = {s.target for s in program.statements if isinstance(s, Assign)}
    hints.update((value, words.called(v)) for value, v in zip(program.outputs, words.graph_outputs, strict=True)
                 if value in made)
    _BodyHints(program.statements, words, hints).add()
    hints.update((d.buffer, words.called(words.graph_outputs[d.output])) for d in program.destinations)
    return hints


def _own(hint: str) -> str:
    """What a Local was made with, unless that says nothing."""
    return "t" if hint == "v" else hint


def _letters(letters: str, theirs: set[str]) -> list[str]:
    return [letter for letter in letters if letter not in theirs] or ["length"]


class _BodyHints:
    """Names for the locals of one kernel, or of the main function."""

    def __init__(self, body: Sequence[Any], words: Words, hints: Hints) -> None:
        self.statements = walk(body)
        self.words, self.hints = words, hints
        self.kinds: dict[Any, str] = {}
        self.stored: dict[Any, str] = {}  # variable -> the suffix of its elements
        for s in self.statements:
            if isinstance(s, Store):
                self.stored[s.variable] = _suffix(s.index)
            elif isinstance(s, Combine) and isinstance(s.target, Local):
                own = s.target.hint
                self.kinds[s.target] = own if own in OF_BLOCKS else ACCUMULATORS.get(s.combine, "total")
            elif isinstance(s, Combine):
                self.kinds.update((e, "at") for e in s.target.index if isinstance(e, Local) and not _is_letter(e))
            elif isinstance(s, Keep):
                self.kinds.update({s.best: "best", s.place: "place"})

    def add(self) -> None:
        """Complete `hints`."""
        assigned: set[Local] = set()
        for s in self.statements:
            if isinstance(s, Assign) and s.target not in self.hints:
                self.hints[s.target] = self._hint(s)
            elif isinstance(s, Draw) and s.target is not None:
                self.hints[s.target] = self._element(s.variable) or "drawn"
            if isinstance(s, Assign) and s.target in assigned:
                # What every turn of a loop hands on to the next.
                self.hints[s.target] = self._element(s.variable) or "carry"
            if isinstance(s, Assign):
                assigned.add(s.target)

    def _hint(self, s: Assign) -> str:
        if isinstance(s.value, Load):
            return self._called(s.value.buffer) + _suffix(s.value.index)
        kind = self.kinds.get(s.target)
        if kind == "best":
            return kind
        source = s.value.arguments[0] if isinstance(s.value, Call) and s.value.function == "identity" else s.value
        inherited = self.kinds.get(source) if isinstance(source, Local) else None
        return self._element(s.variable) or kind or inherited or _own(s.target.hint)

    def _element(self, variable: Any) -> str | None:
        name = self.words.names.get(variable)
        return None if name is None else identifier(name) + self.stored.get(variable, "")

    def _called(self, buffer: Any) -> str:
        hint = self.hints.get(buffer, buffer.hint)
        return identifier(hint if isinstance(hint, str) else hint[0])


def _is_letter(e: Any) -> bool:
    """True for the index of a loop."""
    return isinstance(e, Local) and len(e.hint) == 1 and e.hint != "v"


def _suffix(index: Sequence[Any]) -> str:
    """_i_j for [i, j]"""
    places = [e.hint if _is_letter(e) else "at" for e in index if not isinstance(e, Literal)]
    distinct = [place for k, place in enumerate(places) if place != "at" or "at" not in places[:k]]
    return "".join(f"_{place}" for place in distinct)
