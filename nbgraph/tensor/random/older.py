"""Arguments of older programs: stream.normal(size=(3,), avg=0, std=2, ndim=1) is normal(loc=0, scale=2, size=(3,)).

Only names are read in this way: an argument without a name has the place that NumPy gives it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import nbgraph.tensor as nt
from nbgraph.errors import ArgumentError, ShapeError
from nbgraph.graph.basic import Variable
from nbgraph.graph.source import user_line

# distribution -> {older name: NumPy's}
NAMES = {"normal": {"avg": "loc", "std": "scale"}, "permutation": {"n": "x"}}
# distribution -> what older programs may leave out, in the order of NumPy's arguments
DEFAULTS: dict[str, dict[str, Any]] = {"binomial": {"n": 1, "p": 0.5}, "multinomial": {"n": 1, "pvals": (0.5, 0.5)},
                                       "choice": {"a": 2}, "permutation": {"x": 1}}


def older_names(op: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """`kwargs` under NumPy's names, with the defaults of older programs.

    Raises
    ------
    ArgumentError   an argument under both names
    ShapeError      `ndim` is not the number of axes of `size`
    """
    given = dict(kwargs)
    for old, new in NAMES.get(op.name, {}).items():
        if old in given and new in given:
            raise ArgumentError(op, f"{old} and {new} are the same argument", line=user_line(), fix=f"give {new}")
        if old in given:
            given[new] = given.pop(old)
    for place, (name, default) in enumerate(DEFAULTS.get(op.name, {}).items()):
        if place >= len(args):
            given.setdefault(name, default)
    ndim = given.pop("ndim", None)
    if ndim is not None and given.get("size") is not None:
        given["size"] = _with_axes(op, given["size"], ndim)
    return given


def _with_axes(op: Any, size: Any, ndim: int) -> Any:
    """`size`, which has `ndim` entries."""
    if isinstance(size, Variable) and size.type.ndim == 1 and size.type.shape[0] is None:
        return nt.specify_shape(size, (ndim,))
    axes = size.type.shape[0] if isinstance(size, Variable) and size.type.ndim else len(size) \
        if isinstance(size, (tuple, list)) else 1
    if axes != ndim:
        raise ShapeError(op, f"ndim is {ndim}, size has {axes} entries", line=user_line(), fix="leave ndim out")
    return size
