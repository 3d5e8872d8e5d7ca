"""What the user calls a variable: its name, or what the line that made it assigns it to.

    p_1 = 1 / (1 + at.exp(-z))     the variable of the division is called p_1
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from nbgraph.errors import SourceLine
from nbgraph.graph.basic import Apply, Variable

_ASSIGNMENT = re.compile(r"([^\W\d]\w*)\s*(?::[^=]*)?=[^=]")


def assigned_name(line: SourceLine | None) -> str | None:
    """The name on the left of the line's assignment; None where there is not exactly one."""
    found = _ASSIGNMENT.match(line.text()) if line is not None else None
    return found.group(1) if found else None


def user_names(nodes: Iterable[Apply]) -> dict[Variable, str]:
    """The names of variables that have one, for nodes in an order of computation.

    Of several nodes made by one line, the last one is what the line assigns.
    """
    found: dict[Variable, str] = {}
    last_of_line: dict[SourceLine, Variable] = {}
    for node in nodes:
        found.update((v, v.name) for v in (*node.inputs, *node.outputs) if v.name is not None)
        if node.line is not None and len(node.outputs) == 1:
            last_of_line[node.line] = node.outputs[0]
    for line, variable in last_of_line.items():
        name = None if variable in found else assigned_name(line)
        if name is not None:
            found[variable] = name
    return found
