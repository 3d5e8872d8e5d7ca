"""The boundary between generators of Python and native code: np.random.Generator -> words, and back.

    entry = with_generators(native_entry, states, other)      entry(*values): generators among values and results

Native code moves words that belong to the call. A generator that is given stays where it is; what comes back is
another one, which goes on where the draws have stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nbgraph.dispatch.random.states import kind_or_none, moved_on, state_of
from nbgraph.lowering.states import States

Kinds = tuple[str | None, ...]


def with_generators(native: Callable[..., Any], states: States,
                    other: Callable[[Kinds], Callable[..., Any]]) -> Callable[..., Any]:
    """`native`, which is for the bit generators of `states`, as a function of generators.

    other : what makes a function for other bit generators; called once for each combination that comes up
    """
    taken, given = tuple(states.inputs.items()), tuple(states.outputs.items())
    others: dict[Kinds, Callable[..., Any]] = {}

    def entry(*values: Any) -> Any:
        words = list(values)
        for i, kind in taken:
            if kind_or_none(values[i]) != kind:
                return elsewhere(values)
            words[i] = state_of(values[i])
        results = native(*words)
        if results is None or not given:
            return results
        shown = list(results)
        for k, i in given:
            shown[k] = moved_on(values[i], results[k])
        return tuple(shown)

    def elsewhere(values: Sequence[Any]) -> Any:
        kinds = tuple(map(kind_or_none, values))
        if kinds not in others:
            others[kinds] = other(kinds)
        return others[kinds](*values)

    return entry


def words_of(values: Sequence[Any]) -> list[Any]:
    """Generators as native code takes them; anything else as it is."""
    return [state_of(v) if isinstance(v, np.random.Generator) and kind_or_none(v) else v for v in values]
