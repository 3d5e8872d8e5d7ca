"""Vectors for each row of an array: the kernels of `vectors` and `permute`, once for each row of their last argument.

    multinomial(rng, rows, n, p, out)      n: int64[r], p: float64[r, k], out: int64[..., k] of so many rows

Each parameter has a row for each row of `out`, or one for all of them.
"""

from __future__ import annotations

from typing import Any

from nbgraph.dispatch.jit import apart, kernel
from nbgraph.dispatch.memory import reshape
from nbgraph.dispatch.random import derived, hypergeometric, permute, vectors


@kernel
def multinomial(rng: Any, rows: Any, n: Any, p: Any, out: Any) -> Any:
    """int64[..., k] of n: int64[r], p: float64[r, k]"""
    apart()
    flat = reshape(out, (rows, p.shape[1]))
    for i in range(rows):
        vectors.multinomial(rng, n[i if n.shape[0] > 1 else 0], p[i if p.shape[0] > 1 else 0], flat[i])


@kernel
def multivariate_hypergeometric(rng: Any, rows: Any, colors: Any, sample: Any, out: Any) -> Any:
    """int64[..., k] of colors: int64[r, k], sample: int64[r], by marginals"""
    apart()
    flat = reshape(out, (rows, colors.shape[1]))
    for i in range(rows):
        hypergeometric.multivariate_hypergeometric(rng, colors[i if colors.shape[0] > 1 else 0],
                                                   sample[i if sample.shape[0] > 1 else 0], flat[i])


@kernel
def multivariate_hypergeometric_count(rng: Any, rows: Any, again: Any, colors: Any, sample: Any, work: Any,
                                      out: Any) -> Any:
    """The same by counting; what is shuffled is made anew for each row, or (not `again`) shuffled further.

    work : int64[n], n at least the sum of a row of colors
    """
    apart()
    flat = reshape(out, (rows, colors.shape[1]))
    total = 0
    for i in range(rows):
        row = colors[i if colors.shape[0] > 1 else 0]
        if i == 0 or again:
            total = 0
            for k in range(row.shape[0]):
                total += row[k]
            hypergeometric.colors_of(row, work)
        hypergeometric.multivariate_hypergeometric_count(rng, row, sample[i if sample.shape[0] > 1 else 0], total, work,
                                                         flat[i])


@kernel
def dirichlet(rng: Any, rows: Any, alpha: Any, out: Any) -> Any:
    """float64[..., k] of alpha: float64[r, k]"""
    apart()
    flat = reshape(out, (rows, alpha.shape[1]))
    for i in range(rows):
        vectors.dirichlet(rng, alpha[i if alpha.shape[0] > 1 else 0], flat[i])


@kernel
def categorical(rng: Any, rows: Any, p: Any, edges: Any, out: Any) -> Any:
    """int64[...] of probabilities p: float64[r, k]; edges: float64[k], scratch"""
    apart()
    flat = reshape(out, (rows,))
    for i in range(rows):
        if i < p.shape[0]:
            permute.cumulative(p[i], edges)
        flat[i] = derived.categorical(rng, edges)


@kernel
def permutation(rng: Any, rows: Any, n: Any, out: Any) -> Any:
    """int64[..., n]: permutations of 0, 1, ..., n - 1"""
    apart()
    flat = reshape(out, (rows, n))
    for i in range(rows):
        permute.permutation(rng, flat[i])


@kernel
def choice(rng: Any, size: Any, population: Any, shuffled: Any, scratch: Any, out: Any) -> Any:
    """int64[...]: a sample without replacement of 0, 1, ..., population - 1; scratch as in `permute.choice`"""
    apart()
    permute.choice(rng, population, shuffled, scratch, reshape(out, (size,)))


@kernel
def weighted_choice(rng: Any, size: Any, p: Any, left: Any, seen: Any, out: Any) -> Any:
    """int64[...]: a sample without replacement of 0, 1, ..., n - 1 with probabilities p: float64[n]"""
    apart()
    permute.weighted_choice(rng, p, left, seen, reshape(out, (size,)))
