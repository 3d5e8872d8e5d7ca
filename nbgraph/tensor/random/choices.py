"""Draws from what is given: choice and permutation.

    choice(5, size=3, replace=False)      three of 0, 1, 2, 3, 4          permutation(x)      the rows of x in any order
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import ArgumentError, DTypeError, ShapeError
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.random.discrete import given_dtype
from nbgraph.tensor.random.op import RandomVariable
from nbgraph.tensor.random.parameters import as_parameter, vector
from nbgraph.tensor.random.sizes import lengths_of_size
from nbgraph.tensor.shape import static_length

_P = vector("p", "probabilities, >= 0, of sum 1")


class _FromArray(RandomVariable):
    """Base of draws from the rows of an array, or from 0, 1, … n - 1."""

    __props__ = (*RandomVariable.__props__, "axis")
    no_slope = "what is drawn are places"

    def __init__(self, axis: int = 0) -> None:
        super().__init__()
        self.axis = axis

    def _population(self, a: Any) -> Any:
        """An array, or an integer as int64."""
        given = nt.as_tensor_variable(a)
        if given.type.ndim:
            if not -given.type.ndim <= self.axis < given.type.ndim:
                raise ShapeError(self, f"axis {self.axis} is out of range for {given.type.ndim} axes", line=user_line(),
                                 a=given, fix="name an axis of the array")
            return given
        if given.type.dtype not in dtypes.INTEGERS:
            raise DTypeError(self, f"takes an array or an integer, got {given} of type {given.type}", line=user_line(),
                             a=given, fix="give arange(n) as n, or an array")
        return nt.cast(given, "int64")

    def _lengths(self, shape: Sequence[Any], axis_lengths: Sequence[Any]) -> list[Any]:
        """The lengths of an array with others in the place of its axis."""
        at = self.axis % len(shape)
        return [*shape[:at], *axis_lengths, *shape[at + 1:]]

    def make_node(self, rng: Any, size: Any, dtype: Any, *params: Any) -> Apply:
        """Type a draw; the dtype is that of the population unless given."""
        if not params:
            return super().make_node(rng, size, dtype, *params)
        first = self._population(params[0])
        return super().make_node(rng, size, first.type.dtype if dtype is None else dtype, first, *params[1:])

    def _dtype_index(self, dtype: Any) -> Any:
        """Any dtype that the population is cast to."""
        if isinstance(dtype, Constant):
            return super()._dtype_index(dtype)
        return nt.constant(dtypes.ALL.index(dtypes.canonical(dtype)), dtype="int64")


class ChoiceRV(_FromArray):
    """Choice: rows of `a` along `axis`, or of the integers 0, 1, … a - 1, each as likely as another, or by `p`.

    With replace=False none is drawn twice; their order is random too unless shuffle=False.

    Parameters
    ----------
    a : int64[] or array       how many integers there are, or the rows to choose from
    size : int, tuple of ints and int scalars, int vector, optional    one where None
    replace : bool             False: none twice
    p : float64[n], optional   the probability of each, of sum 1
    axis : int                 which axis of `a` the rows are along
    shuffle : bool             False: without replacement, in an order that is not quite random, which is quicker
    dtype, name, rng, return_next_rng    as for `normal`; the dtype is that of `a` unless given

    Returns
    -------
    tensor    `size` where `a` is a number or a vector; else a's lengths with `size` in the place of `axis`

    Raises
    ------
    ArgumentError        `replace` is symbolic
    ValueDomainError     when run: more than there are without replacement, p that do not sum to 1
    """

    __props__ = (*_FromArray.__props__, "replace", "shuffle", "with_p", "of_dtype")
    name = "choice"

    def __init__(self, replace: bool = True, axis: int = 0, shuffle: bool = True, with_p: bool = False,
                 of_dtype: str = "float64") -> None:
        super().__init__(axis)
        self.replace, self.shuffle, self.with_p, self.of_dtype = replace, shuffle, with_p, of_dtype
        self.ndims_params = (0, 1) if with_p else (0,)

    def called(self, a: Any, size: Any = None, replace: Any = True, p: Any = None, axis: int = 0, shuffle: bool = True,
               **options: Any) -> Any:
        """Rows of an array, or integers; see the class."""
        if isinstance(replace, Constant):
            replace = replace.data
        if isinstance(replace, Variable):
            raise ArgumentError(self, "replace must be known when the graph is built", line=user_line(),
                                replace=replace, fix="give True or False")
        op = ChoiceRV(bool(replace), axis, bool(shuffle), p is not None, given_dtype(p))
        return op.draws((a,) if p is None else (a, p), size=size, **options)

    def _refuse_batch(self, params: Sequence[Any]) -> None:
        """An array has no batch axes: size=() is one row."""

    def _as_parameters(self, params: Sequence[Any]) -> list[Any]:
        found = [self._population(params[0]), *(as_parameter(self, _P, p) for p in params[1:])]
        if any(p.type.ndim != 1 for p in found[1:]):
            raise ShapeError(self, f"p must be a vector, got {found[1]} of type {found[1].type}", line=user_line(),
                             p=found[1], fix="categorical takes a vector of probabilities for each draw")
        return found

    def static_shape(self, size: Any, params: Sequence[Any]) -> list[int | None]:
        lengths = [static_length(n) for n in lengths_of_size(size)]
        return self._lengths(params[0].type.shape, lengths) if params[0].type.ndim else lengths

    def infer_shape(self, fgraph: Any, node: Any, shapes: Sequence[Any]) -> list[Any]:
        lengths = lengths_of_size(node.inputs[1])
        return [None, tuple(self._lengths(shapes[3], lengths) if shapes[3] else lengths)]

    def drawn(self, rng: np.random.Generator, params: Sequence[Any], size: Any, batch: Any, dtype: Any) -> Any:
        a, *p = params
        return rng.choice(a if a.ndim else int(a), size, self.replace, p[0].astype(self.of_dtype) if p else None,
                          self.axis, self.shuffle)

    def checked_batch(self, node: Any, params: Sequence[Any], size: Any) -> tuple[int, ...]:
        return size or ()


class PermutationRV(_FromArray):
    """Permutation: the rows of `x` along `axis`, or the integers 0, 1, … x - 1, in an order as likely as another.

    With `size`, so many of them, each drawn on its own.

    Parameters
    ----------
    x : int64[] or array     how many integers there are, or the rows
    axis : int               which axis the rows are along
    size : int, tuple of ints and int scalars, int vector, optional    how many permutations; one where None
    dtype, name, rng, return_next_rng    as for `normal`; the dtype is that of `x` unless given

    Returns
    -------
    tensor    the lengths of `size`, then those of x, or x for a number
    """

    name = "permutation"
    ndims_params = (0,)

    def called(self, x: Any, axis: int = 0, size: Any = None, **options: Any) -> Any:
        """Rows of an array, or integers, in random order; see the class."""
        return PermutationRV(axis).draws((x,), size=size, **options)

    def _refuse_batch(self, params: Sequence[Any]) -> None:
        """An array has no batch axes: size=() is one permutation."""

    def _as_parameters(self, params: Sequence[Any]) -> list[Any]:
        return [self._population(params[0])]

    def static_shape(self, size: Any, params: Sequence[Any]) -> list[int | None]:
        lengths = [static_length(n) for n in lengths_of_size(size)]
        x = params[0]
        if x.type.ndim:
            return [*lengths, *x.type.shape]
        n = static_length(x)
        return [*lengths, None if n is None else max(n, 0)]

    def infer_shape(self, fgraph: Any, node: Any, shapes: Sequence[Any]) -> list[Any]:
        last = shapes[3] or (nt.maximum(node.inputs[3], nt.constant(0, dtype="int64")),)
        return [None, (*lengths_of_size(node.inputs[1]), *last)]

    def drawn(self, rng: np.random.Generator, params: Sequence[Any], size: Any, batch: Any, dtype: Any) -> Any:
        (x,) = params
        rows = x if x.ndim else int(x)
        if size is None:
            return rng.permutation(rows, axis=self.axis)
        each = x.shape if x.ndim else (max(int(x), 0),)
        found = np.empty((*size, *each), x.dtype)
        for place in np.ndindex(size):
            found[place] = rng.permutation(rows, axis=self.axis)
        return found

    def checked_batch(self, node: Any, params: Sequence[Any], size: Any) -> tuple[int, ...]:
        return size or ()


choice, permutation = ChoiceRV(), PermutationRV()
