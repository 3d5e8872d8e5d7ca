"""Shared generators: the state of a random variable between calls.

    rng = generator_variable(np.random.default_rng(7))      as shared(...), and what a draw without `rng` is given

Shared variables belong to a layer above, which is imported when one is made: a stated exception to the layers.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def generator_variable(generator: np.random.Generator, name: str | None = None) -> Any:
    """A shared variable that holds this very generator."""
    from nbgraph.compile.shared import shared
    return shared(generator, name=name, borrow=True)


def shared_state(state: np.ndarray, name: str) -> Any:
    """A shared array that holds this very state, its lengths known."""
    from nbgraph.compile.shared import shared
    return shared(state, name=name, shape=state.shape, borrow=True)


def __getattr__(name: str) -> Any:
    """RandomGeneratorSharedVariable, for those who look for it here."""
    if name != "RandomGeneratorSharedVariable":
        raise AttributeError(f"nbgraph.tensor.random.var has no {name!r}")
    from nbgraph.compile.shared import RandomGeneratorSharedVariable
    return RandomGeneratorSharedVariable
