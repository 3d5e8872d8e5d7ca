"""The boundary between generators of Python and native code: np.random.Generator -> words, and back.

    entry = with_generators(native_entry, states, other)      entry(*values): generators among values and results

Native code moves words that belong to the call. A generator that is given stays where it is; what comes back is
another one, which goes on where the draws have stopped. An update is stored as it is (`Moved`), and taken as it is by
the next call: a generator is made of it when somebody looks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from nbgraph.dispatch.random.states import kind_or_none, moved_on, state_of
from nbgraph.lowering.states import Kinds, States
from nbgraph.tensor.random.type import Moved


def with_generators(native: Callable[..., Any], states: States, updates: Collection[int],
                    other: Callable[[Kinds], Callable[..., Any]]) -> Callable[..., Any]:
    """`native`, which is for the bit generators of `states`, as a function of generators.

    updates : positions of outputs that are stored, and given to nobody
    other : what makes a function for other bit generators; called once for each combination that comes up
    """
    taken = tuple(states.inputs.items())
    given = tuple((k, i, states.inputs[i], k in updates) for k, i in states.outputs.items())
    others: dict[Kinds, Callable[..., Any]] = {}

    def entry(*values: Any) -> Any:
        words = list(values)
        for i, kind in taken:
            value = values[i]
            if _kind(value) != kind:
                return elsewhere(values)
            words[i] = value.words.copy() if _is_words(value) else state_of(_generator(value))
        results = native(*words)
        if results is None or not given:
            return results
        shown = list(results)
        for k, i, kind, is_update in given:
            value = values[i]
            before = value.before if type(value) is Moved else value
            shown[k] = Moved(before, kind, results[k], moved_on) if is_update else moved_on(before, results[k])
        return tuple(shown)

    def elsewhere(values: Sequence[Any]) -> Any:
        kinds = tuple(map(_kind, values))
        if kinds not in others:
            others[kinds] = other(kinds)
        return others[kinds](*values)

    return entry


def _is_words(value: Any) -> bool:
    """True for what native code has left, and nobody has looked at: whoever looks may draw from it."""
    return type(value) is Moved and value.made is None


def _kind(value: Any) -> str | None:
    return value.kind if type(value) is Moved else kind_or_none(value)


def _generator(value: Any) -> Any:
    return value.generator() if type(value) is Moved else value
