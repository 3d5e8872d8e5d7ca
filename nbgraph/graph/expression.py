"""A graph as one line of mathematics: what a variable is computed from, with no more parentheses than it needs.

    pp(1 / (1 + nt.exp(-nt.dot(x, w) - b)))      1 / (1 + exp(-dot(x, w) - b))

An Op says how it is written in an optional method `expression(self, node, arguments)`, which takes a Written for each
input and gives one. An Op without it is written as a call of its name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from nbgraph.graph.basic import Apply, Constant, Variable

# How tightly a text holds together, loosest first; the operators are Python's.
COMPARED, OR, XOR, AND, SHIFTED, SUM, PRODUCT, SIGNED, POWER, WHOLE = range(10)

INFIX = {"<": COMPARED, "<=": COMPARED, ">": COMPARED, ">=": COMPARED, "==": COMPARED, "!=": COMPARED, "|": OR,
         "^": XOR, "&": AND, "<<": SHIFTED, ">>": SHIFTED, "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT,
         "//": PRODUCT, "%": PRODUCT, "@": PRODUCT, "**": POWER}

# How many operations `pp` writes: a shared part is written as often as it is used, so a small graph can be a long line.
MOST_OPERATIONS = 500
ELIDED = "…"

Names = Callable[[Variable], str | None]


class Written(NamedTuple):
    """The text of an expression, and how tightly it holds together."""

    text: str
    binds: int = WHOLE

    def inside(self, at_least: int) -> str:
        """The text, in parentheses where it holds together less tightly than `at_least`."""
        return self.text if self.binds >= at_least else f"({self.text})"


def infix(operator: str, left: Written, right: Written) -> Written:
    """left operator right. `x - (y - z)` keeps its parentheses, `(x - y) - z` loses them; powers go from the right."""
    binds = INFIX[operator]
    if operator == "**":
        return Written(f"{left.inside(WHOLE)} ** {right.inside(SIGNED)}", binds)
    # Of two comparisons side by side Python makes a chain, so both sides keep their parentheses.
    first = binds + 1 if binds == COMPARED else binds
    return Written(f"{left.inside(first)} {operator} {right.inside(binds + 1)}", binds)


def prefix(sign: str, operand: Written) -> Written:
    """-x, ~x"""
    return Written(sign + operand.inside(SIGNED), SIGNED)


def call(name: str, *arguments: Written | str, **keywords: object) -> Written:
    """name(x, y, axis=0); a str is taken as it is, a keyword that is None is left out."""
    shown = [a if isinstance(a, str) else a.text for a in arguments]
    shown += [f"{key}={value}" for key, value in keywords.items() if value is not None]
    return Written(f"{name}({', '.join(shown)})")


def indexed(x: Written, entries: Sequence[str]) -> Written:
    """x[i, :, 1:]; x[...] without entries"""
    return Written(f"{x.inside(WHOLE)}[{', '.join(entries) or '...'}]")


def attribute(x: Written, name: str) -> Written:
    """x.T"""
    return Written(f"{x.inside(WHOLE)}.{name}")


def tuple_of(entries: Sequence[Written | str]) -> str:
    """(n, 3), and (n,) of one entry"""
    shown = [e if isinstance(e, str) else e.text for e in entries]
    return f"({shown[0]},)" if len(shown) == 1 else f"({', '.join(shown)})"


def value(text: str) -> Written:
    """A number: with a sign in front it is as loose as a negation."""
    return Written(text, SIGNED if text.startswith("-") else WHOLE)


def expression(variable: Variable, names: Names = lambda variable: None, limit: int = MOST_OPERATIONS) -> str:
    """`variable` in terms of its leaves, on one line.

    Parameters
    ----------
    names : callable    what stands for a variable, or None to write out what it is computed from. It is not asked
                        about `variable` itself where that is computed: a name would say nothing about it.
    limit : int         operations that are written, those nearest to `variable` first; "…" stands for the others
    """
    occurrences, children = _unfolded(variable, names, limit)
    written: list[Written] = [Written(ELIDED)] * len(occurrences)
    # Children come after their parents, so from the end every argument is there when it is needed.
    for place in range(len(occurrences) - 1, -1, -1):
        current, below = occurrences[place], children[place]
        if below is not None:
            written[place] = _applied(current, [written[i] for i in below])
        elif current.owner is None or (place > 0 and names(current) is not None):
            written[place] = _leaf(current, names(current))
    return written[0].text


def _unfolded(variable: Variable, names: Names, limit: int) -> tuple[list[Variable], list[range | None]]:
    """The graph as a tree, breadth first: each variable as often as it is used, and the places of its inputs."""
    occurrences, children = [variable], list[range | None]()
    room = limit
    for place, current in enumerate(occurrences):
        named = place > 0 and names(current) is not None
        if current.owner is None or named or room <= 0:
            children.append(None)
            continue
        room -= 1
        children.append(range(len(occurrences), len(occurrences) + len(current.owner.inputs)))
        occurrences.extend(current.owner.inputs)
    return occurrences, children


def _applied(variable: Variable, arguments: list[Written]) -> Written:
    node: Any = variable.owner
    whole = node.op.expression(node, arguments) if hasattr(node.op, "expression") else call(str(node.op), *arguments)
    # What a call of the Op gives is written as the call.
    only = len(node.outputs) == 1 or node.op.default_output == variable.index
    return whole if only else indexed(whole, [str(variable.index)])


def _leaf(variable: Variable, name: str | None) -> Written:
    if name is not None:
        return Written(name)
    if isinstance(variable, Constant) and variable.name is None:
        return value(variable.type.value_text(variable.data))
    return Written(str(variable))


def pp(variable: Any, limit: int = MOST_OPERATIONS) -> str:
    """`variable` in terms of the leaves of its graph, as one line of mathematics.

    Parameters
    ----------
    variable : Variable, or a Function: a line for every output and update of the graph that runs
    limit : int    operations that are written; what lies deeper is "…"

    Examples
    --------
    >>> import nbgraph.tensor as nt
    >>> x, i = nt.dmatrix("x"), nt.lscalar("i")
    >>> pp((x[1:, i] + 1).sum() / -2 * x.T)
    'sum(x[1:, i] + 1) / -2 * x.T'
    """
    if isinstance(variable, Apply):
        variable = variable.default_output()
    if hasattr(variable, "maker"):
        from nbgraph.graph.printing import roots_of  # which imports this module
        roots, leaves = roots_of(variable)
        names = {v: str(v) for v in leaves}
        return "\n".join(root.label + expression(root.variable, names.get, limit) for root in roots)
    if not isinstance(variable, Variable):
        raise TypeError(f"pp writes one symbolic variable, got {type(variable).__name__} {str(variable)[:60]!r}; "
                        "dprint prints lists of them")
    return expression(variable, limit=limit)
