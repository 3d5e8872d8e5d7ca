"""The timeline of a compiled function: what is timed, in the words of the user, and what it does.

    stretches()      fused_1   p_1 = sigmoid(dot(x, w) + b)   train.py:12
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbgraph.dispatch.expressions import Assign, Buffer, Combine, For, Store
from nbgraph.graph.basic import Variable
from nbgraph.graph.timeline import Stretch, Work
from nbgraph.lowering.emit import kernel_names
from nbgraph.lowering.program import CallKernel, CallLibrary, walk
from nbgraph.lowering.timing import Span
from nbgraph.lowering.words import Words, one_line

LONGEST = 48  # characters of what a stretch computes


class NativeTimeline:
    """See `nbgraph.graph.timeline.Timeline`. Words are found when someone looks."""

    def __init__(self, stages: Any, signature: Any) -> None:
        self.stages, self.signature, self.timing = stages, signature, stages.timing
        self.readings, self.size = self.timing.readings, self.timing.size

    def work(self, lengths: Sequence[int]) -> Sequence[Work]:
        """What each stretch does in a call that left these lengths in its record."""
        return self.timing.evaluation.work(lengths)

    def stretches(self) -> Sequence[Stretch]:
        """What is timed, in order."""
        words = Words(self.stages.graph, self.signature.names(), self.signature.output_names())
        names = kernel_names(self.stages.program)
        return [_stretch(span, words, names) for span in self.timing.spans]


def _stretch(span: Span, words: Words, names: dict[Any, str]) -> Stretch:
    s = span.statement
    if isinstance(s, CallKernel):
        variables = [v for v in dict.fromkeys(s.variables or _stored(s)) if isinstance(v, Variable)]
        made = _what(variables, words) if variables else "temporaries"
        if not any(isinstance(e, For) for e in s.kernel.body):
            made = "scalars"
        elif s.copies is not None:
            made = f"{words.called(variables[0])}: a copy of {s.copies[1].hint}"
        return Stretch("kernel", names[s.kernel], made, _line(variables), span.begin, span.end)
    if isinstance(s, CallLibrary):
        name = s.function.rpartition(".")[2]
        return Stretch("library", name, _what(s.node.outputs, words), _line(s.node.outputs), span.begin, span.end)
    (claim,) = s.claims
    array: Buffer = s.array
    node = claim.check.node
    return Stretch("check", claim.check.test, f"of {array.hint}", _line(node.outputs), span.begin, span.end)


def _stored(call: CallKernel) -> list[Any]:
    """What the kernel stores, where no nest says what it is: of a loop that has been cut up."""
    statements = walk(call.kernel.body)
    element_of = {s.target: s.variable for s in statements if isinstance(s, Assign)}
    return [s.variable or element_of.get(s.value) for s in statements if isinstance(s, (Store, Combine))]


def _what(variables: Sequence[Variable], words: Words) -> str:
    """`p = sigmoid(z)`; of several results their names, as many as there is room for."""
    if len(variables) == 1:
        return words.comment(variables[0], LONGEST) or words.called(variables[0])
    ordered = sorted(variables, key=lambda v: v not in words.names)
    called = list(dict.fromkeys(one_line(words.called(v)) if v in words.names else
                                words.comment(v, LONGEST // 2) or words.called(v) for v in ordered))
    shown = len(called)
    while shown > 1 and len(", ".join(called[:shown])) > LONGEST - 9:
        shown -= 1
    return ", ".join(called[:shown]) + (f" and {len(called) - shown} more" if shown < len(called) else "")


def _line(variables: Sequence[Variable]) -> str:
    """train.py:12, where the first of them that has a line was written."""
    lines = [v.owner.line for v in variables if v.owner is not None and v.owner.line is not None]
    return lines[0].place() if lines else ""
