"""function: symbolic inputs and outputs become one callable.

    f = function([x, In(y, value=1)], x + y)      f(33) -> array(34.0)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nbgraph.compile.collect import collect
from nbgraph.compile.function.dump import function_dump
from nbgraph.compile.function.maker import FunctionMaker
from nbgraph.compile.function.types import Function
from nbgraph.compile.io import In, Out, Param
from nbgraph.compile.mode import Mode, get_mode
from nbgraph.errors import GraphError

__all__ = ["Function", "FunctionMaker", "In", "Out", "Param", "function", "function_dump"]


def function(inputs: Any, outputs: Any = None, mode: Mode | str | None = None, updates: Any = None,
             givens: Any = None, no_default_updates: bool | Iterable[Any] = False, accept_inplace: bool = False,
             name: str | None = None, rebuild_strict: bool = True, allow_input_downcast: bool | None = None,
             profile: Any = None, on_unused_input: str | None = "raise") -> Function:
    """A Function: a callable that computes `outputs` from values of `inputs`.

    Parameters
    ----------
    inputs : list of Variable, In or shortcuts (see `In`)
    outputs : Variable, Out, a list or dict of these, or None      the call returns the same form
    mode : str or Mode, optional         "FAST_RUN", "FAST_COMPILE" or "reference"; default config.mode
    updates : dict or list of pairs      shared variable -> its next value; all see the values before the call
    givens : dict or list of pairs       variable of the graph -> what stands for it, all at once, in this function only
    no_default_updates : bool or list    True: no `default_update` is applied; a list: not those of these variables
    accept_inplace : bool                True: Ops that overwrite their inputs are let through
    name, profile : str, optional; None or False
    rebuild_strict : bool                False: a given may have another Type; the graph is typed again from it
    allow_input_downcast : bool, optional      True: arguments may lose precision; None: Python floats may, to floatX
    on_unused_input : "raise", "warn" or "ignore"      an input that nothing needs

    Raises
    ------
    GraphError      a leaf without a value, a variable given or updated twice, an unused input
    ArgumentError   a required input after one with a default, a name given twice
    DTypeError      an update or a given of another Type

    Examples
    --------
    >>> import nbgraph.tensor as nt
    >>> x = nt.dscalar("x")
    >>> function([x], 2 * x, mode="reference")(4)
    array(8.)
    """
    if name is not None and not isinstance(name, str):
        raise TypeError(f"the name of a function must be a string or None, got {name!r}")
    if profile:
        raise NotImplementedError("profile: profiling of compiled functions is not available yet; pass profile=None")
    chosen = get_mode(mode)
    collected = collect(inputs, outputs, updates=updates, givens=givens, no_default_updates=no_default_updates,
                        rebuild_strict=rebuild_strict, on_unused_input=on_unused_input)
    _check_inplace(collected.fgraph, accept_inplace)
    return Function(FunctionMaker(collected, chosen, name), name, allow_input_downcast=allow_input_downcast)


def _check_inplace(fgraph: Any, accepted: bool) -> None:
    for node in fgraph.nodes:
        if node.op.destroy_map and not accepted:
            raise GraphError(node.op, "overwrites its input", line=node.line, input=node.inputs[0],
                             fix="use an Op without destroy_map, or pass accept_inplace=True")
