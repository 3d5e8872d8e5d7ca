"""The user's line that is being executed: the first frame outside this package.

Rewrites and gradients replay nodes later; `attributed_to(line)` gives those the line of the node they stand for.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar, Token

from nbgraph.errors import SourceLine

_PACKAGE = __name__.split(".")[0]
_attributed: ContextVar[SourceLine | None] = ContextVar("attributed", default=None)


def user_line() -> SourceLine | None:
    """SourceLine of the innermost frame outside nbgraph; None where every frame is ours."""
    given = _attributed.get()
    if given is not None:
        return given
    frame = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__") or ""
        if module != _PACKAGE and not module.startswith(_PACKAGE + "."):
            return SourceLine(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back  # type: ignore[assignment]
    return None


class attributed_to:
    """Inside the block, new nodes carry `line` instead of the line that is being executed."""

    # A class, since it is entered for every node of a graph and a generator takes five times as long.
    __slots__ = ("line", "token")

    def __init__(self, line: SourceLine | None) -> None:
        self.line = line

    def __enter__(self) -> None:
        self.token: Token[SourceLine | None] = _attributed.set(self.line)

    def __exit__(self, *failure: object) -> None:
        _attributed.reset(self.token)
