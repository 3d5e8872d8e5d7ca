"""Rules on basic indexing and joining: what selects everything goes, and an index of a list of scalars is one of them.

    x[0:n:1], n the length of x   ->   x          make_vector(a, b)[1]         ->   b
    x[i][j]                       ->   x[i, j]    set_subtensor(x[:], y)       ->   y in the shape of x
    x + inc_subtensor(zeros_like(x)[i], y)   ->   inc_subtensor(x[i], y)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import nbgraph.tensor as nt
from nbgraph.graph.basic import Constant, Variable
from nbgraph.rewrites.driver import Context
from nbgraph.rewrites.rule import node_rule
from nbgraph.rewrites.shapes import as_scalar
from nbgraph.rewrites.values import is_value, same_variable
from nbgraph.tensor.indexing_basic import WHOLE, Subtensor, index_entries
from nbgraph.tensor.indexing_update import IncSubtensor, UpdateOp
from nbgraph.tensor.join import Join
from nbgraph.tensor.shape import BroadcastTo, MakeVector
from nbgraph.tensor.shape import static_length as value_of


def _shorter(context: Context, x: Any, pattern: Sequence[Any], scalars: Sequence[Any]) -> list[Any]:
    """The entries of an index without bounds that say nothing, and without whole axes at the end."""
    lengths = context.shapes.of(x)
    entries = [entry if not isinstance(entry, tuple) else _shorter_slice(context, entry, lengths[axis])
               for axis, entry in enumerate(index_entries(tuple(pattern), scalars))]
    while entries and entries[-1] == (None, None, None):
        entries.pop()
    return entries


def _shorter_slice(context: Context, entry: tuple[Any, ...], length: Any) -> tuple[Any, ...]:
    start, stop, step = entry
    if step is not None and value_of(step) != 1:
        return entry
    if start is not None and value_of(start) == 0:
        start = None
    if stop is not None and _reaches_the_end(context, stop, length):
        stop = None
    return start, stop, None


def _reaches_the_end(context: Context, stop: Any, length: Any) -> bool:
    known = value_of(stop)
    if known is not None and isinstance(length, int):
        return known >= length
    return context.shapes.same(stop, length)


def _pattern(entries: Sequence[Any]) -> tuple[tuple[Any, ...], list[Any]]:
    """The pattern and the scalars of entries."""
    pattern = tuple(tuple(b is not None for b in e) if isinstance(e, tuple) else "i" for e in entries)
    scalars = [b for e in entries for b in (e if isinstance(e, tuple) else (e,)) if b is not None]
    return pattern, scalars


def _whole_examples() -> Iterable[Any]:
    x, t = nt.dmatrix("x"), nt.tensor("t", dtype="float64", shape=(3, None))
    n = nt.lengths_of(x)[0]
    from_there = (True, False, False)
    return [Subtensor((WHOLE, WHOLE))(x), Subtensor((from_there,))(x, 0), Subtensor(((False, True, False),))(x, n),
            Subtensor((WHOLE, (False, False, True)))(x, 1), Subtensor(((True, True, False),))(t, 0, 3),
            Subtensor(((False, True, False), from_there))(t, 7, 1), Subtensor((from_there, from_there))(x, 1, 0)]


@node_rule(Subtensor, example=_whole_examples,
           near_misses=lambda: [nt.dmatrix("x")[1:], nt.dvector("x")[::-1], nt.dvector("x")[:-1], nt.dvector("x")[:3]])
def whole_slices(node: Any, context: Context) -> Variable | None:
    """x[0:length] -> x; x[1:, 0:] -> x[1:]"""
    x, *scalars = node.inputs
    pattern, kept = _pattern(_shorter(context, x, node.op.pattern, scalars))
    if not pattern:
        return x
    return None if pattern == node.op.pattern else Subtensor(pattern)(x, *kept)


def _nested_examples() -> Iterable[Any]:
    x = nt.tensor("x", dtype="float64", shape=(3, 2, None))
    return [x[1][0], x[:, 1][2], x[1][1:], x[:, 1][:, ::2], x[2][:, 0]]


@node_rule(Subtensor, example=_nested_examples,
           near_misses=lambda: [nt.dmatrix("x")[1:][0], nt.dmatrix("x")[::2][:3], nt.dmatrix("x")[1]])
def index_of_index(node: Any) -> Variable | None:
    """x[i][j] -> x[i, j], x[:, i][j:] -> x[j:, i]     the inner index has integers and whole axes only"""
    y, *outer = node.inputs
    if y.owner is None or not isinstance(y.owner.op, Subtensor):
        return None
    if any(entry not in ("i", WHOLE) for entry in y.owner.op.pattern):
        return None
    x, *inner = y.owner.inputs
    rest = iter(index_entries(node.op.pattern, outer))
    whole = (None, None, None)
    entries = [next(rest, whole) if isinstance(entry, tuple) else entry
               for entry in index_entries(y.owner.op.pattern, inner)]
    pattern, scalars = _pattern([*entries, *rest])
    return Subtensor(pattern)(x, *scalars)


def _vector_examples() -> Iterable[Any]:
    a, b = nt.dscalar("a"), nt.dscalar("b")
    vector = MakeVector("float64")(a, b, a + b)
    return [Subtensor(("i",))(vector, 1), Subtensor(("i",))(vector, -1), Subtensor(((True, False, False),))(vector, 1),
            Subtensor(((False, False, True),))(vector, -1)]


@node_rule(Subtensor, example=_vector_examples,
           near_misses=lambda: [MakeVector("float64")(nt.dscalar("a"), nt.dscalar("b"))[nt.lscalar("i")]])
def index_of_made_vector(node: Any) -> Variable | None:
    """make_vector(a, b, c)[1] -> b; make_vector(a, b, c)[1:] -> make_vector(b, c)"""
    vector, *scalars = node.inputs
    if vector.owner is None or not isinstance(vector.owner.op, MakeVector) or len(node.op.pattern) != 1:
        return None
    if not all(isinstance(v, Constant) for v in scalars):
        return None
    (entry,) = index_entries(node.op.pattern, [int(v.data) for v in scalars])
    items = vector.owner.inputs
    return vector.owner.op(*items[slice(*entry)]) if isinstance(entry, tuple) else items[entry]


def _spread_examples() -> Iterable[Any]:
    s, n = nt.dscalar("s"), nt.lscalar("n")
    return [nt.full((n, 3), s)[1:], nt.full((n, n), s)[:, ::-1]]


@node_rule(Subtensor, example=_spread_examples,
           near_misses=lambda: [nt.full((3,), nt.dscalar("s"))[nt.lscalar("n")],
                                nt.full((3,), nt.dscalar("s"))[::nt.lscalar("n")]])
def slice_of_spread_scalar(node: Any, context: Context) -> Variable | None:
    """broadcast_to(s, n)[1:] -> broadcast_to(s, n - 1)     slices only: an integer is checked against its axis"""
    x, *scalars = node.inputs
    if x.owner is None or not isinstance(x.owner.op, BroadcastTo) or x.owner.inputs[0].type.ndim:
        return None
    for entry in index_entries(node.op.pattern, scalars):
        if not isinstance(entry, tuple) or (entry[2] is not None and not isinstance(entry[2], Constant)):
            return None
    return nt.broadcast_to(x.owner.inputs[0], tuple(as_scalar(n) for n in context.shapes.of(node.outputs[0])))


def _update_examples() -> Iterable[Any]:
    x, y, r = nt.dmatrix("x"), nt.dmatrix("y"), nt.drow("r")
    return [nt.set_subtensor(x[:], y), nt.inc_subtensor(x[:], y), nt.set_subtensor(x[:, 0:], r),
            nt.inc_subtensor(x[:], 2.0), nt.inc_subtensor(nt.zeros_like(x)[:], y), nt.set_subtensor(x[0:], y[0])]


@node_rule(IncSubtensor, example=_update_examples,
           near_misses=lambda: [nt.set_subtensor(nt.dvector("x")[1:], 0.0), nt.inc_subtensor(nt.dvector("x")[0], 1.0)])
def whole_update(node: Any, context: Context) -> Variable | None:
    """set_subtensor(x[:], y) -> y in the shape of x; inc_subtensor(x[:], y) -> x + y"""
    x, y, *scalars = node.inputs
    if _shorter(context, x, node.op.pattern, scalars):
        return None
    if not node.op.set_instead_of_inc and not is_value(x, 0):
        return x + y
    return nt.broadcast_to(y, tuple(as_scalar(n) for n in context.shapes.of(x)))


def _increment_examples() -> Iterable[Any]:
    x = nt.dvector("x")
    zero = nt.zeros_like(x)
    return [x * 2 + nt.inc_subtensor(zero[1], 3.0), nt.inc_subtensor(zero[[0, 2, 0]], x) + nt.exp(x),
            nt.inc_subtensor(zero[0], 1.0) + nt.inc_subtensor(zero[1], 2.0) + nt.inc_subtensor(zero[2:], 3.0)]


def _increment_near_misses() -> Iterable[Any]:
    x, z, r = nt.dmatrix("x"), nt.dmatrix("z"), nt.drow("r")
    return [x + nt.inc_subtensor(z[0], 1.0), x + nt.inc_subtensor(nt.zeros_like(z)[0], 1.0),
            r + nt.inc_subtensor(nt.zeros_like(x)[0], 1.0), x + nt.set_subtensor(nt.zeros_like(x)[0], 1.0)]


@node_rule("add", example=_increment_examples, ulp=8, near_misses=_increment_near_misses)
def added_increment(node: Any, context: Context) -> Variable | None:
    """x + inc_subtensor(zeros_like(x)[i], y) -> inc_subtensor(x[i], y)     no array of zeros, for each term of a sum"""
    for x, term in (node.inputs, node.inputs[::-1]):
        if term.owner is None or not isinstance(term.owner.op, UpdateOp) or term.owner.op.set_instead_of_inc:
            continue
        zero, *rest = term.owner.inputs
        if (is_value(zero, 0) and x.type == node.outputs[0].type == zero.type and len(context.readers(term)) == 1
                and all(map(context.shapes.same, context.shapes.of(x), context.shapes.of(zero)))):
            return term.owner.op(x, *rest)
    return None


def _twice_examples() -> Iterable[Any]:
    x, k = nt.dvector("x"), nt.lscalar("k")
    zero, rows = nt.zeros_like(x), nt.zeros((4, 3))
    return [nt.inc_subtensor(nt.inc_subtensor(zero[1:], x[1:])[1:], nt.exp(x[1:])),
            nt.inc_subtensor(nt.inc_subtensor(zero[k:], 2.0)[k:], x[k:]),
            nt.inc_subtensor(nt.inc_subtensor(rows[1:], nt.drow("r"))[1:], nt.dvector("y")[0])]


def _twice_near_misses() -> Iterable[Any]:
    x = nt.dvector("x")
    zero = nt.zeros_like(x)
    once = nt.inc_subtensor(zero[1:], x[1:])
    return [nt.inc_subtensor(once[:-1], x[1:]), nt.inc_subtensor(once[1:], x[1:]) * once,
            nt.inc_subtensor(nt.inc_subtensor(x[1:], x[1:])[1:], x[:-1])]


@node_rule(IncSubtensor, example=_twice_examples, near_misses=_twice_near_misses)
def incremented_twice(node: Any, context: Context) -> Variable | None:
    """inc_subtensor(inc_subtensor(zeros_like(x)[i], y)[i], z) -> inc_subtensor(zeros_like(x)[i], y + z)"""
    first, z, *scalars = node.inputs
    if node.op.set_instead_of_inc or first.owner is None or first.owner.op != node.op:
        return None
    zero, y, *before = first.owner.inputs
    if (not is_value(zero, 0) or len(context.readers(first)) > 1 or not y.type.dtype == z.type.dtype == zero.type.dtype
            or not all(map(same_variable, scalars, before))):
        return None
    return node.op(zero, y + z, *scalars)


def _join_examples() -> Iterable[Any]:
    x = nt.dmatrix("x")
    return [Join(0)(x), Join(1)(x)]


@node_rule(Join, example=_join_examples, near_misses=lambda: [Join(0)(nt.dvector("x"), nt.dvector("y"))])
def join_of_one(node: Any) -> Variable | None:
    """join(x) -> x"""
    return node.inputs[0] if len(node.inputs) == 1 else None
