"""Purpose: what an Op was made for, where a function of another name made it: what its errors say.

    x[mask]     makes specify_shape(mask, …); where its check fails, the user is told of a boolean index, of x and mask

A purpose is no part of what is computed: Ops that differ in it are equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from nbgraph.errors import ShapeError, SourceLine
from nbgraph.graph.basic import Variable
from nbgraph.graph.op import Op

AnOp = TypeVar("AnOp", bound=Op)


@dataclass(frozen=True)
class Purpose:
    """What the errors of an Op say instead of its own words.

    Attributes
    ----------
    subject : str          the user's function
    what : str             a template for what is wrong, filled by the Op: {axis}, {actual}, {wanted}, {partner};
                           "": the Op's own words
    fix : str
    operands : dict        what the user gave, by name
    partners : dict        axis of the Op's operand -> the {partner} that stands for it in `what`
    kind : class           of the error
    """

    subject: str
    what: str = ""
    fix: str = ""
    operands: Mapping[str, Any] = field(default_factory=dict)
    partners: Mapping[int, int] = field(default_factory=dict)
    kind: type[ShapeError] = ShapeError

    def error(self, line: SourceLine | None, axis: int = 0, actual: int = 0, wanted: int = 0) -> ShapeError:
        """The error for a length that is `actual` where it must be `wanted`."""
        text = self.what.format(axis=axis, actual=actual, wanted=wanted, partner=self.partners.get(axis, axis))
        return self.kind(self.subject, text, line=line, fix=self.fix, **self.operands)


def purpose(subject: str, what: str = "", fix: str = "", partners: Mapping[int, int] | None = None,
            kind: type[ShapeError] = ShapeError, **operands: Any) -> Purpose:
    """A Purpose that names `operands`, and does not keep the graphs that they are computed by."""
    leaves = {name: v.clone() if isinstance(v, Variable) else v for name, v in operands.items()}
    return Purpose(subject, what, fix, leaves, partners or {}, kind)


def made_for(op: AnOp, what_for: Purpose | None) -> AnOp:
    """`op`, whose errors are those of its purpose."""
    op.purpose = what_for
    return op
