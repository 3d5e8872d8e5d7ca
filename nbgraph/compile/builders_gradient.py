"""Derivatives of an Op that is a graph: what its overrides say, else what its graph says.

    pull(op, inputs, outputs, output_gradients)     the gradients of its inputs
    push(op, inputs, eval_points)                   how its outputs move

An override is a callable, an Op of the same inputs (another OpFromGraph), or a tuple of these, None and variables.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import nbgraph.tensor as nt
from nbgraph.errors import ArgumentError
from nbgraph.gradient.backward import backward, zero_gradient
from nbgraph.gradient.connections import connect
from nbgraph.gradient.forward import Rop
from nbgraph.graph.basic import Variable
from nbgraph.graph.null_type import DisconnectedType, is_disconnected, is_null
from nbgraph.graph.op import HasInnerGraph
from nbgraph.graph.replace import rebuild
from nbgraph.graph.source import user_line
from nbgraph.tensor.batching import vectorize_graph
from nbgraph.tensor.type import TensorType

Override = Any


def checked_override(given: Any, other: Any, count: int, n_outputs: int) -> Any:
    """The one of both that is given, a list as a tuple; None where none is, or where it is the word "default".

    Raises
    ------
    ArgumentError   both are given; a list of another length than `count`; an entry that is nothing of the above
    """
    chosen = [tuple(o) if isinstance(o, (list, tuple)) else o for o in (given, other)
              if o is not None and not (isinstance(o, str) and o == "default")]
    if len(chosen) > 1:
        raise _error("lop_overrides and grad_overrides are both given", "give one of them")
    if not chosen:
        return None
    override = chosen[0]
    if not isinstance(override, tuple):
        _check_entry(override)
        return override
    if len(override) != count:
        raise _error(f"a list of overrides has {len(override)} entries, {count} are needed",
                     "give an entry for each input (rop_overrides: for each output), None for what the graph says")
    entries = tuple(None if isinstance(e, str) and e == "default" else e for e in override)
    for entry in entries:
        if entry is not None and not (isinstance(entry, Variable) and (is_null(entry) or is_disconnected(entry))):
            _check_entry(entry)
    return entries


def _check_entry(entry: Any) -> None:
    if not callable(entry):
        raise _error(f"an override is a {type(entry).__name__}, which cannot be called", "give a callable, an "
                     "OpFromGraph, a variable of NullType or DisconnectedType (in a list), or None")


def _error(what: str, fix: str) -> ArgumentError:
    return ArgumentError("OpFromGraph", what, line=user_line(), fix=fix)


def pull(op: Any, inputs: Sequence[Any], outputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
    """The gradients of the inputs, shared variables among them."""
    override, count = op.pullback, op.explicit
    if override is None:
        return _by_graph(op, inputs, output_gradients)
    if not isinstance(override, tuple):
        terms = _called(override, list(inputs[:count]), list(outputs), list(output_gradients))
        if len(terms) != count:
            raise _error(f"the override of the gradient of {op} gave {len(terms)} gradients for {count} inputs",
                         "return a list of a variable for each input")
        own = _by_graph(op, inputs, output_gradients)[count:] if len(inputs) > count else []
        return [*terms, *own]
    terms = [None] * len(inputs)
    for i, entry in enumerate(override):
        if isinstance(entry, Variable):
            terms[i] = entry
        elif entry is not None:
            (terms[i],) = _called(entry, list(inputs[:count]), list(outputs), list(output_gradients))
    if None not in terms:
        return terms
    return [own if term is None else term
            for term, own in zip(terms, _by_graph(op, inputs, output_gradients), strict=True)]


def _called(override: Any, inputs: list[Any], outputs: list[Any], gradients: list[Any]) -> list[Any]:
    """What an override gives, as a list."""
    if isinstance(override, HasInnerGraph):
        known = [zero_gradient(z) if is_disconnected(g) else g for z, g in zip(outputs, gradients, strict=True)]
        wanted = getattr(override, "explicit", len(override.fgraph.inputs))
        arguments = [*inputs, *known] if wanted == len(inputs) + len(known) else [*inputs, *outputs, *known]
        return override(*arguments, return_list=True)
    arguments = [inputs, outputs, gradients] if _takes_outputs(override) else [inputs, gradients]
    found = override(*arguments)
    return list(found) if isinstance(found, (list, tuple)) else [found]


def _takes_outputs(function: Any) -> bool:
    """True for a callable of (inputs, outputs, output_gradients), False for one of (inputs, output_gradients)."""
    needed = [p for p in inspect.signature(function).parameters.values()
              if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty]
    return len(needed) == 3


def _by_graph(op: Any, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
    """The gradients that the graph says, in terms of the inputs of the node."""
    inner, outputs = list(op.fgraph.inputs), list(op.fgraph.outputs)
    arriving = {j: g.type() for j, g in enumerate(output_gradients) if not is_disconnected(g)}
    connections = connect([outputs[j] for j in arriving], inner)
    found = backward(connections, [(outputs[j], g) for j, g in arriving.items()], {})
    known = dict(zip(inner, inputs, strict=True)) | {g: output_gradients[j] for j, g in arriving.items()}
    terms = [found.get(v) for v in inner]
    present = rebuild([t for t in terms if t is not None and not is_null(t)], known, strict=False)
    rest = iter(present)
    return [DisconnectedType()() if t is None else t if is_null(t) else next(rest) for t in terms]


def push(op: Any, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
    """How the outputs move, None for one that does not."""
    override, count = op.pushforward, op.explicit
    if override is None:
        return _forward_by_graph(op, inputs, eval_points)
    given = list(inputs[:count]), list(eval_points[:count])
    if not isinstance(override, tuple):
        found = _pushed_by(override, *given)
        if len(found) != len(op.fgraph.outputs):
            raise _error(f"the override of R_op of {op} gave {len(found)} directions for {len(op.fgraph.outputs)} "
                         "outputs", "return a list with a variable or None for each output")
        return found
    moved = [None if entry is None else _pushed_by(entry, *given)[0] for entry in override]
    own = _forward_by_graph(op, inputs, eval_points) if None in override else moved
    return [m if entry is not None else o for entry, m, o in zip(override, moved, own, strict=True)]


def _pushed_by(override: Any, inputs: list[Any], points: list[Any]) -> list[Any]:
    if isinstance(override, HasInnerGraph):
        known = [zero_gradient(x) if p is None else p for x, p in zip(inputs, points, strict=True)]
        return override(*inputs, *known, return_list=True)
    found = override(inputs, points)
    return list(found) if isinstance(found, (list, tuple)) else [found]


def _forward_by_graph(op: Any, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
    inner = list(op.fgraph.inputs)
    moving = {v: p.type() for v, p in zip(inner, eval_points, strict=True) if p is not None}
    points = {moving[v]: p for v, p in zip(inner, eval_points, strict=True) if p is not None}
    found = Rop(list(op.fgraph.outputs), list(moving), list(moving.values()), disconnected_outputs="ignore",
                return_disconnected="none")
    known = dict(zip(inner, inputs, strict=True)) | points
    return [None if t is None else rebuild([t], known, strict=False)[0] for t in found]


@dataclass(frozen=True)
class BatchedPullback:
    """The overridden gradient of `op`, for a batch: that of each element, added up where an input has no batch."""

    op: Any

    def __call__(self, inputs: list[Any], outputs: list[Any], output_gradients: list[Any]) -> list[Any]:
        xs = [v.type() for v in self.op.fgraph.inputs]
        ys = [v.type() for v in self.op.fgraph.outputs]
        gs = [g.type() if is_disconnected(g) else zero_gradient(y).type() for y, g in
              zip(ys, output_gradients, strict=True)]
        news = dict(zip((*xs, *ys), (*inputs, *outputs), strict=True))
        news |= {g: new for g, new in zip(gs, output_gradients, strict=True) if not is_disconnected(new)}
        found = []
        for x, term in zip(inputs, self.op.L_op(xs, ys, gs), strict=True):
            if is_disconnected(term) or is_null(term) or not isinstance(x.type, TensorType):
                found.append(term)
                continue
            whole = vectorize_graph(term, news)
            whole = nt.sum_to_like(nt.shape_padleft(whole, max(0, x.type.ndim - whole.type.ndim)), x)
            found.append(nt.broadcast_to(whole, nt.lengths_of(x)))
        return found


@dataclass(frozen=True)
class BatchedPushforward:
    """The overridden R_op of `op`, for a batch."""

    op: Any

    def __call__(self, inputs: list[Any], eval_points: list[Any]) -> list[Any]:
        xs = [v.type() for v in self.op.fgraph.inputs]
        ps = [None if p is None else zero_gradient(x).type() for x, p in zip(xs, eval_points, strict=True)]
        news = dict(zip(xs, inputs, strict=True))
        news |= {p: new for p, new in zip(ps, eval_points, strict=True) if p is not None}
        outputs = rebuild(self.op.fgraph.outputs, dict(zip(self.op.fgraph.inputs, xs, strict=True)))
        found: list[Any] = []
        for z, t in zip(outputs, self.op.R_op(xs, ps), strict=True):
            if t is None:
                found.append(None)
                continue
            result, moved = vectorize_graph([z, t], news)
            found.append(nt.broadcast_to(moved, nt.lengths_of(result)))
        return found
