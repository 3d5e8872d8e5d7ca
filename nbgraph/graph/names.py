"""What the user calls a variable: its name, or what the line that made it assigns it to.

    p_1 = 1 / (1 + at.exp(-z))     the variable of the division is called p_1
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import lru_cache

from nbgraph.errors import DerivedLine, SourceLine
from nbgraph.graph.basic import Apply, Variable

# What may hold several variables is none itself.
_SEVERAL = (ast.List, ast.Tuple, ast.Dict, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# x = function(...) and x = shared(...) are no variables of a graph.
_NOT_VARIABLES = {"function", "shared"}


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
    if isinstance(value, _SEVERAL):
        return None
    called = [node.func for node in ast.walk(value) if isinstance(node, ast.Call)] if value is not None else []
    names = [f.attr if isinstance(f, ast.Attribute) else f.id if isinstance(f, ast.Name) else None for f in called]
    return target.id if isinstance(target, ast.Name) and not set(names) & _NOT_VARIABLES else None


def user_names(nodes: Iterable[Apply]) -> dict[Variable, str]:
    """The names of variables that have one, for nodes in an order of computation.

    Of several nodes made by one line, the last one is what the line assigns. If that one is not there, because only the
    gradient of the line is computed, what is last reads on in that gradient alone, and is not named.
    """
    found: dict[Variable, str] = {}
    last_of_line: dict[SourceLine, Variable] = {}
    read: set[Variable] = set()
    read_elsewhere: set[Variable] = set()
    for node in nodes:
        found.update((v, v.name) for v in (*node.inputs, *node.outputs) if v.name is not None)
        # What this package calls them: gx for the gradient for x.
        found.update((v, v._tag.called) for v in node.outputs if v._tag is not None and hasattr(v._tag, "called"))
        derived = isinstance(node.line, DerivedLine)
        read.update(node.inputs)
        read_elsewhere.update(v for v in node.inputs if not derived or v.line != node.line)
        if node.line is not None and len(node.outputs) == 1 and not derived:
            last_of_line[node.line] = node.outputs[0]
    for line, variable in last_of_line.items():
        unsure = variable in found or (variable in read and variable not in read_elsewhere)
        name = None if unsure else assigned_name(line.text())
        if name is not None:
            found[variable] = name
    return found
