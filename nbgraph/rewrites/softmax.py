"""Sums of exponentials, with the maximum taken out: logsumexp, softmax, log_softmax from their plain spellings.

    log(sum(exp(x), axis))     ->   m + log(sum(exp(x - m), axis))     m = max(x, axis), or 0 where that is not finite
    exp(x) / sum(exp(x))       ->   exp(x - m) / sum(exp(x - m))
    log(exp(x) / sum(exp(x)))  ->   x - m - log(sum(exp(x - m)))

Rows of -inf give -inf, rows with +inf give +inf. Axes that turn out empty give what the plain spelling gives: -inf, and
an empty softmax. The maximum is taken out as in Blanchard, Higham & Higham, IMA J. Numer. Anal. 41 (2021).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import nbgraph.tensor as nt
from nbgraph.graph.basic import Apply, Variable
from nbgraph.rewrites.rule import node_rule
from nbgraph.tensor import dtypes
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.reduction import Reduce
from nbgraph.tensor.shape import DimShuffle
from nbgraph.tensor.special import HeldConstant

# How many terms of a sum are looked at: a shared sum of sums has exponentially many.
MOST_TERMS = 50


def is_function(x: Any, name: str) -> bool:
    """True where `x` is the scalar function `name` of something."""
    return x.owner is not None and isinstance(x.owner.op, Elemwise) and x.owner.op.function.name == name


def without_dimshuffle(x: Any) -> Variable:
    """What `x` is a dimshuffle of, or `x`."""
    return x.owner.inputs[0] if x.owner is not None and isinstance(x.owner.op, DimShuffle) else x


def _underneath(x: Any) -> Any:
    """`x` without dimshuffles, and without what only gradients see."""
    while x.owner is not None and isinstance(x.owner.op, (DimShuffle, HeldConstant)):
        x = x.owner.inputs[0]
    return x


def sum_of_exp(x: Any) -> tuple[Reduce, Any] | None:
    """(the Reduce, y) where x is sum(exp(y)) in floats; None for another variable."""
    if x.owner is None or not isinstance(x.owner.op, Reduce) or x.owner.op.kind != "sum":
        return None
    (terms,) = x.owner.inputs
    if not is_function(terms, "exp") or x.type.dtype not in dtypes.FLOATS or not terms.type.ndim:
        return None
    if any(terms.type.shape[axis] == 0 for axis in x.owner.op.axes):
        return None
    (y,) = terms.owner.inputs
    return (x.owner.op, y) if y.type.dtype == terms.type.dtype else None


def is_shifted(y: Any) -> bool:
    """True where y is x - max(x) already, whether or not the maximum is guarded against infinity.

    Other rules may have taken the sum apart: with x = -a - b it stands there as -((a + b) + max(-(a + b))).
    """
    terms = _addends(y)
    for place, (sign, term) in enumerate(terms):
        largest = _largest_of(term) if sign < 0 else None
        if largest is not None and Counter(_addends(largest)) == Counter([*terms[:place], *terms[place + 1:]]):
            return True
    return False


def _addends(x: Any) -> list[tuple[int, Any]]:
    """(1 or -1, term) for all that x is a sum of; some of them are sums still where there are many."""
    found: list[tuple[int, Any]] = []
    pending = [(1, x)]
    while pending and len(found) + len(pending) < MOST_TERMS:
        sign, term = pending.pop()
        if is_function(term, "neg"):
            pending.append((-sign, term.owner.inputs[0]))
        elif is_function(term, "add") or is_function(term, "sub"):
            first, second = term.owner.inputs
            pending += [(sign, first), (sign if is_function(term, "add") else -sign, second)]
        else:
            found.append((sign, _underneath(term)))
    return found + pending


def _largest_of(shift: Any) -> Any:
    """x where `shift` is max(x), 0 perhaps where that is infinite; else None."""
    if is_function(shift, "switch"):
        shift = _underneath(shift.owner.inputs[1])
    is_max = shift.owner is not None and isinstance(shift.owner.op, Reduce) and shift.owner.op.kind == "max"
    return shift.owner.inputs[0] if is_max else None


def shift_of(y: Any, axes: tuple[int, ...]) -> Any:
    """max(y) over `axes`, which stay; 0 where it is infinite or NaN, so that y - shift keeps infinities and NaN."""
    largest = nt.expand_dims(Reduce("max", axes, y.type.dtype, y.type.dtype, of_nothing=True)(y), axes)
    return nt.switch(nt.isfinite(largest), largest, 0)


def _without_axes(kept: Any, axes: tuple[int, ...]) -> Any:
    return nt.dimshuffle(kept, *(axis for axis in range(kept.type.ndim) if axis not in axes))


def _logsumexp_examples() -> Iterable[Any]:
    x, f, v = nt.dmatrix("x"), nt.fmatrix("f"), nt.dvector("v")
    return [nt.log(nt.sum(nt.exp(x), 1)), nt.log(nt.sum(nt.exp(x), 0, keepdims=True)), nt.log(nt.sum(nt.exp(f), -1)),
            nt.log(nt.sum(nt.exp(v))), nt.log(nt.sum(nt.exp(x))), nt.log(nt.exp(x).sum(axis=0).dimshuffle("x", 0))]


def _logsumexp_near_misses() -> Iterable[Any]:
    x, e = nt.dmatrix("x"), nt.tensor("e", dtype="float64", shape=(0, 2))
    return [nt.log(nt.sum(x, 1)), nt.log(nt.prod(nt.exp(x), 1)), nt.log(nt.max(nt.exp(x), 1)), nt.logsumexp(x, 1),
            nt.log(nt.sum(nt.exp(e), 0)), nt.log(nt.sum(nt.exp(nt.zmatrix("z")), 1)), nt.log1p(nt.sum(nt.exp(x), 0))]


@node_rule("log", example=_logsumexp_examples, near_misses=_logsumexp_near_misses, ulp=8)
def log_of_sum_of_exp(node: Apply) -> Variable | None:
    """log(sum(exp(x), axis)) -> m + log(sum(exp(x - m), axis)), m = max(x, axis)     exp may overflow"""
    (total,) = node.inputs
    reduced = without_dimshuffle(total)
    found = sum_of_exp(reduced)
    if found is None or is_shifted(found[1]):
        return None
    op, y = found
    shift = shift_of(y, op.axes)
    around = total.owner.op if total is not reduced else None
    pieces = [_without_axes(shift, op.axes), op(nt.exp(y - shift))]
    low, rest = pieces if around is None else [around(piece) for piece in pieces]
    return nt.cast(low, total.type.dtype) + nt.log(rest)


def _softmax_examples() -> Iterable[Any]:
    x, f, v = nt.dmatrix("x"), nt.fmatrix("f"), nt.dvector("v")
    e = nt.exp(x)
    return [e / nt.sum(e, 1, keepdims=True), e / nt.sum(e, 0), nt.exp(v) / nt.sum(nt.exp(v)),
            nt.exp(f) / nt.sum(nt.exp(f), 0, keepdims=True), e / e.sum(1).dimshuffle(0, "x")]


def _softmax_near_misses() -> Iterable[Any]:
    x, y = nt.dmatrix("x"), nt.dmatrix("y")
    square = nt.tensor("s", dtype="float64", shape=(3, 3))
    return [nt.exp(x) / nt.sum(nt.exp(y), 1, keepdims=True), nt.softmax(x, 1), nt.exp(x) / nt.sum(x, 1, keepdims=True),
            nt.exp(square) / nt.sum(nt.exp(square), 1)]


@node_rule("true_divide", example=_softmax_examples, near_misses=_softmax_near_misses, ulp=8)
def exp_over_sum_of_exp(node: Apply) -> Variable | None:
    """exp(x) / sum(exp(x), axis, keepdims=True) -> exp(x - m) / sum(exp(x - m)), m = max(x, axis)"""
    return shifted_softmax(*node.inputs)


def shifted_softmax(e: Any, total: Any) -> Any:
    """exp(x - m) / sum(exp(x - m)) where `e` is exp(x) and `total` its sum over axes that stay; else None."""
    found = sum_of_exp(without_dimshuffle(total))
    if found is None or not is_function(e, "exp") or e.owner.inputs[0] is not found[1] or is_shifted(found[1]):
        return None
    op, x = found
    if not is_keepdims(total, op, e.type.ndim):
        return None
    shifted = nt.exp(x - shift_of(x, op.axes))
    reduced = op(shifted)
    return shifted / (total.owner.op(reduced) if without_dimshuffle(total) is not total else reduced)


def is_keepdims(total: Any, op: Reduce, ndim: int) -> bool:
    """True where `total`, a Reduce of an array of `ndim` axes or a dimshuffle of one, has every axis in its place.

    Leading axes of length 1 may be missing, as broadcasting adds them.
    """
    kept = iter(range(ndim))
    places = [None if axis in op.axes else next(kept) for axis in range(ndim)]
    reduced = without_dimshuffle(total)
    order = tuple(range(reduced.type.ndim)) if total is reduced else total.owner.op.order
    found = [None if axis == "x" else axis for axis in order]
    missing = ndim - len(found)
    return missing >= 0 and [None] * missing + found == places


def _log_softmax_examples() -> Iterable[Any]:
    x, v = nt.dmatrix("x"), nt.fvector("v")
    e = nt.exp(x)
    shifted = nt.exp(x - nt.max(x, 1, keepdims=True))
    return [nt.log(e / nt.sum(e, 1, keepdims=True)), nt.log(nt.exp(v) / nt.sum(nt.exp(v))),
            nt.log(shifted / nt.sum(shifted, 1, keepdims=True))]


@node_rule("log", example=_log_softmax_examples, ulp=16,
           near_misses=lambda: [nt.log(nt.exp(nt.dmatrix("x")) / nt.sum(nt.exp(nt.dmatrix("y")), 1, keepdims=True)),
                                nt.log(nt.dvector("x") / nt.dvector("y"))])
def log_of_softmax(node: Apply) -> Variable | None:
    """log(exp(x) / sum(exp(x))) -> x - log(sum(exp(x)))     the quotient may underflow to 0"""
    (quotient,) = node.inputs
    if not is_function(quotient, "true_divide"):
        return None
    e, total = quotient.owner.inputs
    found = sum_of_exp(without_dimshuffle(total))
    if found is None or not is_function(e, "exp") or e.owner.inputs[0] is not found[1]:
        return None
    return found[1] - nt.log(total)


def _difference_examples() -> Iterable[Any]:
    x, v = nt.dmatrix("x"), nt.dvector("v")
    m = shift_of(x, (1,))
    largest = shift_of(v, (0,)).dimshuffle()
    return [x - (m + nt.log(nt.sum(nt.exp(x - m), 1, keepdims=True))),
            v - (largest + nt.log(nt.sum(nt.exp(v - shift_of(v, (0,))))))]


def _difference_near_misses() -> Iterable[Any]:
    x, m = nt.dmatrix("x"), nt.dcol("m")
    return [x - (m + nt.log(nt.sum(nt.exp(x - m), 1, keepdims=True))), x - (m + nt.log(m))]


@node_rule("sub", example=_difference_examples, near_misses=_difference_near_misses, ulp=64)
def minus_logsumexp(node: Apply) -> Variable | None:
    """x - (m + log(sum(exp(x - m)))) -> (x - m) - log(sum(exp(x - m)))     x may be large against the difference"""
    x, subtracted = node.inputs
    if not is_function(subtracted, "add"):
        return None
    for shift, logarithm in (subtracted.owner.inputs, subtracted.owner.inputs[::-1]):
        if not is_function(logarithm, "log"):
            continue
        found = sum_of_exp(without_dimshuffle(logarithm.owner.inputs[0]))
        if found is not None and is_shifted(found[1]) and found[1].owner.inputs[0] is x:
            return (x - shift) - logarithm
    return None


def _divided_examples() -> Iterable[Any]:
    x, y = nt.dmatrix("x"), nt.dmatrix("y")
    total = nt.sum(nt.exp(x), 1, keepdims=True)
    return [nt.sum(y / total, 1), nt.sum((2 * y) / total, 1),
            nt.sum(nt.dtensor3("t") / nt.sum(nt.exp(nt.dvector("v"))).dimshuffle("x", "x", "x"), (0, 2))]


def _divided_near_misses() -> Iterable[Any]:
    x, y = nt.dmatrix("x"), nt.dmatrix("y")
    return [nt.sum(y / nt.sum(nt.exp(x), 1, keepdims=True), 0), nt.sum(y / nt.dcol("c"), 1),
            nt.max(y / nt.sum(nt.exp(x), 1, keepdims=True), 1)]


@node_rule(Reduce, example=_divided_examples, near_misses=_divided_near_misses, ulp=16)
def sum_of_quotients(node: Apply) -> Variable | None:
    """sum(y / sum(exp(x)), axis) -> sum(y, axis) / sum(exp(x))     one divisor along `axis`: gradients of softmax"""
    op: Any = node.op
    (quotient,) = node.inputs
    if op.kind != "sum" or op.dtype != quotient.type.dtype or not is_function(quotient, "true_divide"):
        return None
    y, total = quotient.owner.inputs
    if sum_of_exp(without_dimshuffle(total)) is None or total.type.ndim != y.type.ndim \
            or y.type.dtype != quotient.type.dtype or total.type.dtype != quotient.type.dtype:
        return None
    along = all(total.type.shape[axis] == 1 for axis in op.axes)
    return op(y) / _without_axes(total, op.axes) if along and y.type.shape == quotient.type.shape else None
