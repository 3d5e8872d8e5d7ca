"""What modes that look at the values of a call have in common: an executor around the one that ships.

    class Guard(WatchingExecutor):
        def look(self, watched, before, after, results, outputs, seen): ...        raises where something is wrong

A call runs the function that ships, then the same loops and calls once more with all that they compute handed out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from nbgraph.graph.basic import Variable
from nbgraph.graph.fg import FunctionGraph


class WatchingExecutor:
    """Runs `shipped`; `look` sees every value, and may raise. All else is as with `shipped`."""

    states: frozenset[int] = frozenset()  # generators are looked at, too

    def __init__(self, shipped: Any, fgraph: FunctionGraph, name: str, input_names: Sequence[str | None],
                 generators: Sequence[str | None] = ()) -> None:
        # Lowering brings Numba in, which `import nbgraph` must not.
        from nbgraph.lowering.watched import WatchedFunction
        self.shipped = shipped
        self._watched = {tuple(generators): WatchedFunction(fgraph, name, tuple(input_names), generators)}
        self._make = partial(WatchedFunction, fgraph, name, tuple(input_names))
        self._first = self._watched[tuple(generators)]

    def __getattr__(self, name: str) -> Any:
        if name == "shipped":  # before __init__, while unpickling
            raise AttributeError(name)
        return getattr(self.shipped, name)

    def entry(self, *values: Any) -> Any:
        """As that of `shipped`; afterwards everything is looked at."""
        inputs = values[:len(self._first.graph.inputs)]
        before = _copies(inputs)
        results = self.shipped.entry(*values)
        if results is None and self.shipped.refuses:
            return None
        watched = self._watched_for(before)
        # What overwrites its arguments does so here, too.
        outputs, seen = watched(watched.taken(_copies(before)))
        self.look(watched, before, inputs, results, outputs, seen)
        return results

    def _watched_for(self, values: Sequence[Any]) -> Any:
        """The function for the bit generators among the values; made for each combination that comes up."""
        bits = [getattr(v, "bit_generator", None) for v in values]
        kinds = tuple(None if b is None else type(b).__name__ for b in bits)
        if not any(kinds):
            return self._first
        if kinds not in self._watched:
            self._watched[kinds] = self._make(kinds)
        return self._watched[kinds]

    def look(self, watched: Any, before: Sequence[Any], after: Sequence[Any], results: Sequence[Any],
             outputs: Sequence[Any], seen: Sequence[Any]) -> None:
        """Raise where something is wrong.

        Parameters
        ----------
        watched : WatchedFunction that has run
        before, after : values of the inputs, as they were given, and after the call
        results : what the function gave
        outputs, seen : what the watched one gave, and all its values on the way, generators as words
        """
        raise NotImplementedError


def _copies(values: Sequence[Any]) -> list[Any]:
    return [x.copy() if isinstance(x, np.ndarray) else x for x in values]


def as_typed(variable: Variable, value: Any) -> Any:
    """A Python or NumPy number as an array of the variable's dtype; anything else as it is."""
    if isinstance(value, np.ndarray) or not hasattr(variable.type, "numpy_dtype"):
        return value
    return np.asarray(value, variable.type.numpy_dtype)
