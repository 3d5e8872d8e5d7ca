"""NanGuardMode: a call in which a NaN, an infinite or a huge value comes up raises, and names what made it first.

    f = function([x], nt.log(x).sum(), mode="NanGuardMode")
    f([-1.0])        NanGuardError: log: element [0] is NaN … model.py:3   y = nt.log(x).sum()
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbgraph.compile.mode import Mode
from nbgraph.compile.watching import WatchingExecutor, as_typed
from nbgraph.errors import NanGuardError
from nbgraph.graph.basic import Constant, Variable

BIG = 1e10


@dataclass(frozen=True)
class NanGuardMode(Mode):
    """FAST_RUN, with every value of a call looked at: inputs, all that is computed on the way, outputs.

    Each call computes twice, and so runs the Python code of Ops.

    Attributes
    ----------
    nan_is_error, inf_is_error, big_is_error : bool      big: a magnitude above 1e10
    """

    name: str = "NanGuardMode"
    nan_is_error: bool = True
    inf_is_error: bool = True
    big_is_error: bool = True

    def execute(self, fgraph: Any, name: str, input_names: Sequence[str | None], *rest: Any, **options: Any) -> Any:
        """What runs `fgraph`, and looks at what it computes."""
        shipped = super().execute(fgraph, name, input_names, *rest, **options)
        return _Guard(self, shipped, fgraph, name, input_names, options.get("generators", ()))


class _Guard(WatchingExecutor):
    def __init__(self, mode: NanGuardMode, *arguments: Any) -> None:
        super().__init__(*arguments)
        tests: list[tuple[bool, str, Callable[[Any], Any]]] = [
            (mode.nan_is_error, "NaN", np.isnan), (mode.inf_is_error, "infinite", np.isinf),
            (mode.big_is_error, f"larger than {BIG:g}", lambda x: np.abs(x) > BIG)]
        self.tests = [(word, test) for wanted, word, test in tests if wanted]

    def look(self, watched: Any, before: Sequence[Any], after: Sequence[Any], results: Sequence[Any],
             outputs: Sequence[Any], seen: Sequence[Any]) -> None:
        """NanGuardError where a value is not what it should be."""
        graph = watched.graph
        python = watched.python
        for variable, value, is_object in zip(graph.inputs, watched.taken(before), python.inputs, strict=True):
            if not is_object:
                self._check(variable, value, None)
        for one in seen:
            self._check(one.variable, one.value, one.mark)
        for variable, value, is_object in zip(graph.outputs, outputs, python.outputs, strict=True):
            if not is_object:
                self._check(variable, value, None)

    def _check(self, variable: Variable, value: Any, mark: Any) -> None:
        array = as_typed(variable, value)
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fc":
            return
        for word, test in self.tests:
            with np.errstate(all="ignore"):
                found = test(array) if mark is None else test(array) & mark
            if np.any(found):
                raise _error(variable, array, np.argwhere(found), word, self._bad_constants(variable))

    def _bad_constants(self, variable: Variable) -> list[str]:
        """Which inputs of the node are constants that are no better than what it gives."""
        bad = []
        for k, v in enumerate(() if variable.owner is None else variable.owner.inputs):
            value = as_typed(v, v.data) if isinstance(v, Constant) else None
            if isinstance(value, np.ndarray) and value.dtype.kind in "fc":
                words = [word for word, test in self.tests if np.any(test(value))]
                bad += [f"input {k} is a constant with elements that are {' or '.join(words)}"
                        + (f", made at {v.line}" if v.line else "")] if words else []
        return bad


def _error(variable: Variable, value: np.ndarray, places: np.ndarray, word: str,
           bad_constants: Sequence[str]) -> NanGuardError:
    first = tuple(int(k) for k in places[0])
    at = f"element [{', '.join(map(str, first))}] is" if value.ndim else "it is"
    what = f"{at} {word} ({value[first]})" + (f", as are {len(places) - 1} more of {value.size}" * (len(places) > 1))
    node = variable.owner
    if node is None:
        return NanGuardError(None, f"the value given for {variable}: {what}", input=variable,
                             fix="look at where this value comes from; NanGuardMode(nan_is_error=False, "
                                 "inf_is_error=False, big_is_error=False) lets such values through")
    operands = {f"input{k}" if v.name is None else v.name: v for k, v in enumerate(node.inputs)}
    fix = ("; ".join(bad_constants) or
           "its inputs are fine: look at their range at that element, and at the formula there")
    return NanGuardError(node.op, what, line=node.line, **operands, fix=fix)
