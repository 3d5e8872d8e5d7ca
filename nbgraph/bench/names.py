"""The functions that a case is written with, as one namespace for each library.

    m = nbgraph_names();  m.exp(x), m.erf(x), m.increment(u, np.s_[1:-1], flow)

Nearly all names are NumPy's and come from the library itself; here are the few that it has elsewhere.
"""

from __future__ import annotations

from typing import Any


class Names:
    """The names of `library`, and those given."""

    def __init__(self, library: Any, **others: Any) -> None:
        self._library = library
        self.__dict__.update(others)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)


def numpy_names() -> Names:
    """NumPy and SciPy."""
    import numpy as np
    from scipy import special  # slow to import

    def increment(array: Any, where: Any, amount: Any) -> Any:
        array = array.copy()
        array[where] += amount
        return array

    return Names(np, erf=special.erf, gammaln=special.gammaln, logsumexp=special.logsumexp, sigmoid=special.expit,
                 softplus=lambda x: np.logaddexp(0, x), log_softmax=special.log_softmax, equal=np.equal,
                 increment=increment)


def nbgraph_names() -> Any:
    """nbgraph.tensor."""
    import nbgraph.tensor as nt
    return _like_theano(nt, nt.log_softmax, nt.eq)


def pytensor_names() -> Any:
    """pytensor.tensor."""
    import pytensor.tensor as pt
    return _like_theano(pt, pt.special.log_softmax, pt.eq)


def _like_theano(library: Any, log_softmax: Any, equal: Any) -> Names:
    return Names(library, log_softmax=log_softmax, equal=equal,
                 increment=lambda array, where, amount: library.inc_subtensor(array[where], amount))


def jax_names() -> Names:
    """jax.numpy, with functions of jax.nn and jax.scipy.special."""
    import jax
    from jax.scipy import special

    return Names(jax.numpy, erf=special.erf, gammaln=special.gammaln, logsumexp=special.logsumexp,
                 sigmoid=jax.nn.sigmoid, softplus=jax.nn.softplus, log_softmax=jax.nn.log_softmax,
                 increment=lambda array, where, amount: array.at[where].add(amount))


__all__ = ["Names", "jax_names", "nbgraph_names", "numpy_names", "pytensor_names"]
