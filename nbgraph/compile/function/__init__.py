"""function: symbolic inputs and outputs become one callable.

    f = function([x, In(y, value=1)], x + y)      f(33) -> array(34.0)
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from nbgraph.compile.collect import collect
from nbgraph.compile.function.dump import function_dump
from nbgraph.compile.function.maker import FunctionMaker
from nbgraph.compile.function.types import Function
from nbgraph.compile.io import In, Out, Param
from nbgraph.compile.mode import Mode
from nbgraph.compile.modes import get_mode
from nbgraph.compile.profile import profile_of
from nbgraph.errors import GraphError

__all__ = ["Function", "FunctionMaker", "In", "Out", "Param", "function", "function_dump"]


def function(inputs: Any, outputs: Any = None, mode: Mode | str | None = None, updates: Any = None,
             givens: Any = None, no_default_updates: bool | Iterable[Any] = False, accept_inplace: bool = False,
             name: str | None = None, rebuild_strict: bool = True, allow_input_downcast: bool | None = None,
             profile: Any = None, on_unused_input: str | None = "raise", allow_python: bool = True) -> Function:
    """A Function: a callable that computes `outputs` from values of `inputs`.

    Parameters
    ----------
    inputs : list of Variable, In or shortcuts (see `In`)
    outputs : Variable, Out, a list or dict of these, or None      the call returns the same form
    mode : str or Mode, optional         "FAST_RUN", "FAST_COMPILE", "reference", and those that look at what a call
                                         computes: "DebugMode", "NanGuardMode"; default config.mode
    updates : dict or list of pairs      shared variable -> its next value; all see the values before the call
    givens : dict or list of pairs       variable of the graph -> what stands for it, all at once, in this function only
    no_default_updates : bool or list    True: no `default_update` is applied; a list: not those of these variables
    accept_inplace : bool                True: Ops that overwrite their inputs are let through
    name : str, optional                 for people: errors, `f.source`, the profile
    profile : bool or ProfileStats, optional      True: time what every call does, see `f.profile`; a ProfileStats: the
                                         same, together with other functions; None: as config.profile says
    rebuild_strict : bool                False: a given may have another Type; the graph is typed again from it
    allow_input_downcast : bool, optional      True: arguments may lose precision; None: Python floats may, to floatX
    on_unused_input : "raise", "warn" or "ignore"      an input that nothing needs
    allow_python : bool                  False: an Op without a native kernel is an error, not a call of its Python code

    Raises
    ------
    GraphError      a leaf without a value, a variable given or updated twice, an unused input
    ArgumentError   a required input after one with a default, a name given twice
    DTypeError      an update or a given of another Type
    TypeError       `profile` is something else
    KernelError     an Op has Python code only, and allow_python=False

    Examples
    --------
    >>> import nbgraph.tensor as nt
    >>> x = nt.dscalar("x")
    >>> function([x], 2 * x, mode="reference")(4)
    array(8.)
    """
    if name is not None and not isinstance(name, str):
        raise TypeError(f"the name of a function must be a string or None, got {name!r}")
    chosen, stats = get_mode(mode), profile_of(profile)
    start = time.perf_counter()
    collected = collect(inputs, outputs, updates=updates, givens=givens, no_default_updates=no_default_updates,
                        rebuild_strict=rebuild_strict, on_unused_input=on_unused_input)
    collecting_seconds = time.perf_counter() - start
    _check_inplace(collected.fgraph, accept_inplace)
    maker = FunctionMaker(collected, chosen, name, stats is not None, collecting_seconds,
                          allow_python)
    return Function(maker, name, allow_input_downcast=allow_input_downcast, profile=stats)


def _check_inplace(fgraph: Any, accepted: bool) -> None:
    for node in fgraph.nodes:
        if node.op.destroy_map and not accepted:
            raise GraphError(node.op, "overwrites its input", line=node.line, input=node.inputs[0],
                             fix="use an Op without destroy_map, or pass accept_inplace=True")
