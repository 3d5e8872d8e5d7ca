"""What Variable.eval compiles: a function from the values that it is given to the variable's value.

    evaluator(x + y, ["x", y])      (["x", y], a function of x and y)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nbgraph.compile.function import function
from nbgraph.errors import ArgumentError, DTypeError
from nbgraph.graph.basic import Variable
from nbgraph.graph.source import user_line
from nbgraph.graph.traversal import explicit_graph_inputs


def evaluator(variable: Variable, keys: Sequence[Any]) -> tuple[list[Any], Callable[..., Any]]:
    """The keys in the order of the function's arguments, and the function.

    Raises
    ------
    ArgumentError   a name that no leaf has, or several have
    DTypeError      a key that is neither a variable nor a name
    GraphError      a leaf without a value, or a value that is not needed
    """
    inputs = [_input(variable, key) for key in keys]
    return list(keys), function(inputs, variable, name="eval")


def _input(variable: Variable, key: Any) -> Variable:
    if isinstance(key, Variable):
        return key
    if not isinstance(key, str):
        raise DTypeError("eval", f"values are given for variables or names, got {type(key).__name__} {key!r}",
                         line=user_line(), fix="pass {x: value} or {'x': value}")
    named = [leaf for leaf in explicit_graph_inputs([variable]) if leaf.name == key]
    if len(named) != 1:
        raise ArgumentError("eval", f"{len(named) or 'no'} inputs of {variable} have the name {key!r}",
                            line=user_line(), fix="pass the variable itself: {x: value}")
    return named[0]
