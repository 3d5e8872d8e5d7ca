"""The same computation with parts exchanged.

    clone_replace(z, {x: a + b})      z, built again with a + b wherever x was
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nbgraph.graph.basic import Variable
from nbgraph.graph.traversal import toposort

Replacements = Mapping[Any, Any] | Iterable[tuple[Any, Any]]


def rebuild(outputs: Sequence[Variable], replacements: Mapping[Variable, Variable],
            strict: bool = True) -> list[Variable]:
    """`outputs` with `replacements` put in, nodes built again only where an input changed."""
    mapping = rebuilt(outputs, replacements, strict)
    return [mapping.get(v, v) for v in outputs]


def rebuilt(outputs: Sequence[Variable], replacements: Mapping[Variable, Variable],
            strict: bool = True) -> dict[Variable, Variable]:
    """What stands for each variable that `rebuild` exchanges."""
    mapping = dict(replacements)
    for node in toposort(outputs, stop=list(mapping)):
        inputs = [mapping.get(v, v) for v in node.inputs]
        fresh = node.clone_with_new_inputs(inputs, strict=strict)
        if fresh is node:
            continue
        for old, new in zip(node.outputs, fresh.outputs, strict=True):
            mapping.setdefault(old, new)
    return mapping


def clone_replace(output: Any, replace: Replacements | None = None, rebuild_strict: bool = True) -> Any:
    """`output` (a variable or a list of them) with every key of `replace` exchanged for its value.

    Raises
    ------
    TypeError   with `rebuild_strict`, where a replacement's Type does not fit
    """
    pairs = dict(replace.items() if isinstance(replace, Mapping) else replace or ())
    outputs = output if isinstance(output, (list, tuple)) else [output]
    if rebuild_strict:
        for old, new in pairs.items():
            if not old.type.is_super(new.type):
                raise TypeError(f"cannot replace {old} of type {old.type} by {new} of type {new.type}")
    fresh = rebuild(outputs, pairs, strict=rebuild_strict)
    return fresh if isinstance(output, (list, tuple)) else fresh[0]
