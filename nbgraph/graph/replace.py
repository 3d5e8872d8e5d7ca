"""The same computation with parts exchanged.

    clone_replace(z, {x: a + b})      z, built again with a + b wherever x was
    graph_replace([z, w], {x: y})     the same; a key that is not there is an error

All exchanges are made at once: what stands in a replacement is not looked at again, so {x: y, y: x} swaps both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nbgraph.errors import GraphError
from nbgraph.graph.basic import Constant, Variable
from nbgraph.graph.source import user_line
from nbgraph.graph.traversal import ancestors, graph_inputs, toposort

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


def pairs_of(replace: Replacements | None) -> dict[Variable, Variable]:
    """What replaces what, as a dict.

    Raises
    ------
    TypeError   a key or a replacement that is no Variable
    """
    pairs = dict(replace.items() if isinstance(replace, Mapping) else replace or ())
    for old, new in pairs.items():
        for what, given in (("key", old), ("replacement", new)):
            if not isinstance(given, Variable):
                raise TypeError(f"each {what} must be a symbolic variable, got {type(given).__name__} "
                                f"{str(given)[:60]!r}; wrap values with as_tensor_variable")
    return pairs


def _check_types(pairs: Mapping[Variable, Variable]) -> None:
    for old, new in pairs.items():
        if not old.type.is_super(new.type):
            raise TypeError(f"cannot replace {old} of type {old.type} by {new} of type {new.type}")


def clone_replace(output: Any, replace: Replacements | None = None, rebuild_strict: bool = True,
                  copy_inputs_over: bool = True, *, strict: bool | None = None,
                  share_inputs: bool | None = None) -> Any:
    """`output` (a variable or a list of them) with every key of `replace` exchanged for its value.

    Parameters
    ----------
    rebuild_strict : bool      a replacement must have the Type of its key; `strict` is the older name
    copy_inputs_over : bool    True: the copy reads the same leaves. False: leaves that are no constants are cloned
                               (those of replacements stay); `share_inputs` is the older name

    Raises
    ------
    TypeError   with `rebuild_strict`, where a replacement's Type does not fit
    """
    checked = rebuild_strict if strict is None else strict
    pairs = pairs_of(replace)
    outputs = list(output) if isinstance(output, (list, tuple)) else [output]
    if checked:
        _check_types(pairs)
    if not (copy_inputs_over if share_inputs is None else share_inputs):
        leaves = [v for v in graph_inputs(outputs, list(pairs)) if not isinstance(v, Constant) and v not in pairs]
        pairs = {v: v.clone() for v in leaves} | pairs
    fresh = rebuild(outputs, pairs, strict=checked)
    return fresh if isinstance(output, (list, tuple)) else fresh[0]


def graph_replace(outputs: Any, replace: Replacements | None = None, *, strict: bool = True) -> Any:
    """`outputs` with every key of `replace` exchanged for its value, wherever it stands; the rest is shared.

    Parameters
    ----------
    outputs : variable, or a list of them
    replace : dict or pairs    inputs and intermediate variables; a key may be computed from other keys
    strict : bool              every key must be in the graph of `outputs`

    Returns
    -------
    A variable for a variable, a list for a list: the same objects where nothing that they are computed from changed.

    Raises
    ------
    GraphError   with `strict`, a key that no output depends on
    TypeError    a replacement's Type does not fit
    """
    pairs = pairs_of(replace)
    listed = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    _check_types(pairs)
    if strict:
        present = set(ancestors(listed))
        missing = {f"key{i}": v for i, v in enumerate(pairs) if v not in present}
        if missing:
            raise GraphError("graph_replace", f"not in the graph: {', '.join(map(str, missing.values()))}",
                             line=user_line(), **missing, fix="replace variables that the outputs depend on, or pass "
                             "strict=False to leave out the others")
    fresh = rebuild(listed, pairs)
    return fresh if isinstance(outputs, (list, tuple)) else fresh[0]


def __getattr__(name: str) -> Any:
    """vectorize_graph, where older programs look for it."""
    if name == "vectorize_graph":
        # A layer above, imported when first used: a stated exception to the layers.
        from nbgraph.tensor.batching import vectorize_graph
        return vectorize_graph
    raise AttributeError(f"nbgraph.graph.replace has no {name!r}")
