"""What the user calls a variable: its name, or what the line that made it assigns it to.

    p_1 = 1 / (1 + at.exp(-z))     the variable of the division is called p_1
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import lru_cache

from nbgraph.errors import DerivedLine, SourceLine
from nbgraph.graph.basic import Apply, Variable

# x = function(...) and x = shared(...) are no variables of a graph.
_NOT_VARIABLES = ("function", "shared")


@lru_cache(maxsize=4096)
def assigned_name(code: str) -> str | None:
    """The name that a line of code assigns its value to; None where there is not exactly one."""
    try:
        statements = ast.parse(code).body
    except SyntaxError:  # part of a longer statement
        return None
    statement = statements[0] if len(statements) == 1 else None
    target: ast.expr
    if isinstance(statement, ast.AnnAssign):
        target, value = statement.target, statement.value
    elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
    else:
        return None
    called = value.func if isinstance(value, ast.Call) else None
    named = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else None
    return target.id if isinstance(target, ast.Name) and named not in _NOT_VARIABLES else None


def user_names(nodes: Iterable[Apply]) -> dict[Variable, str]:
    """The names of variables that have one, for nodes in an order of computation.

    Of several nodes made by one line, the last one is what the line assigns.
    """
    found: dict[Variable, str] = {}
    last_of_line: dict[SourceLine, Variable] = {}
    for node in nodes:
        found.update((v, v.name) for v in (*node.inputs, *node.outputs) if v.name is not None)
        if node.line is not None and len(node.outputs) == 1 and not isinstance(node.line, DerivedLine):
            last_of_line[node.line] = node.outputs[0]
    for line, variable in last_of_line.items():
        name = None if variable in found else assigned_name(line.text())
        if name is not None:
            found[variable] = name
    return found
