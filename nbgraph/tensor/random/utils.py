"""RandomStream: random variables with states of their own, which move on at each call.

    stream = RandomStream(seed=234)
    x = stream.uniform(0, 1, size=(2, 2))
    f = function([], x)                 f() and f() differ;  function([], x, no_default_updates=True) gives the same

Variable k of a stream has the generator rng_ctor(np.random.SeedSequence(seed).spawn(k + 1)[k]): no two share one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from nbgraph.errors import ArgumentError
from nbgraph.graph.source import user_line
from nbgraph.tensor.random import basic
from nbgraph.tensor.random.older import older_names
from nbgraph.tensor.random.op import RandomVariable
from nbgraph.tensor.random.sizes import broadcast_params, normalize_size_param
from nbgraph.tensor.random.var import generator_variable

__all__ = ["RandomStream", "broadcast_params", "normalize_size_param"]


class RandomStream:
    """A source of random variables; every distribution of `nbgraph.tensor.random` is a method.

    `stream.normal(loc, scale, size=…)` takes what `nbgraph.tensor.random.normal` does, and the names that older
    programs pass: `normal(size=, avg=, std=)`, `binomial(size=, n=, p=)`, `permutation(size=, n=)`, `ndim=`.

    Parameters
    ----------
    seed : int, sequence of ints, optional    None: the system's
    namespace : module, optional              where methods are looked for, by name
    rng_ctor : callable                       np.random.SeedSequence -> np.random.Generator

    Attributes
    ----------
    state_updates : list of (shared generator, its next state)    one for each random variable, in their order
    """

    def __init__(self, seed: Any = None, namespace: Any = None,
                 rng_ctor: Callable[[Any], np.random.Generator] = np.random.default_rng) -> None:
        self.default_instance_seed = seed
        self.namespace = basic if namespace is None else namespace
        self.rng_ctor = rng_ctor
        self.state_updates: list[tuple[Any, Any]] = []
        self.seeds = np.random.SeedSequence(seed)

    def seed(self, seed: Any = None) -> None:
        """Give each variable the state that it would have in a new RandomStream(seed); None: the stream's first seed.

        What compiled functions draw from here on is the same after each seed(n), also of variables made later.
        """
        self.seeds = np.random.SeedSequence(self.default_instance_seed if seed is None else seed)
        fresh = self.seeds.spawn(len(self.state_updates))
        for (state, _), sequence in zip(self.state_updates, fresh, strict=True):
            state.set_value(self.rng_ctor(sequence), borrow=True)

    def updates(self) -> list[tuple[Any, Any]]:
        """(state, next state) of each variable, as function(updates=…) takes it."""
        return list(self.state_updates)

    def gen(self, op: Any, *args: Any, **kwargs: Any) -> Any:
        """Draws of `op`, a RandomVariable, with a generator of their own.

        Raises
        ------
        ArgumentError   `rng` is given
        """
        if kwargs.get("rng") is not None:
            raise ArgumentError("RandomStream", "a stream gives each variable a generator of its own", line=user_line(),
                                fix=f"call nbgraph.tensor.random.{op}(…, rng=rng) to choose one")
        (sequence,) = self.seeds.spawn(1)
        state = generator_variable(self.rng_ctor(sequence), f"rng_{len(self.state_updates)}")
        found = op(*args, **{**kwargs, "rng": state})
        draws = found[1] if isinstance(found, tuple) else found
        state.default_update = draws.update[1]
        self.state_updates.append(draws.update)
        return found

    def random_integers(self, size: Any = None, low: Any = 0, high: Any = 1, **options: Any) -> Any:
        """Integers from low to high, both among them: the older form of integers(low, high, size, endpoint=True)."""
        return self.integers(low, high, size=size, endpoint=True, **options)

    def __getattr__(self, name: str) -> Any:
        op = None if name.startswith("_") else getattr(self.__dict__.get("namespace"), name, None)
        if not isinstance(op, RandomVariable):
            raise AttributeError(f"a RandomStream has no {name!r}: no distribution has this name")
        return update_wrapper(partial(_called, self, op), op, assigned=("__doc__", "__signature__"), updated=())

    def __getstate__(self) -> dict[str, Any]:
        """A module pickles as its name."""
        held = self.namespace
        return {**vars(self), "namespace": held.__name__ if isinstance(held, ModuleType) else held}

    def __setstate__(self, state: dict[str, Any]) -> None:
        held = state["namespace"]
        vars(self).update(state, namespace=import_module(held) if isinstance(held, str) else held)

    def __dir__(self) -> list[str]:
        """Distributions among the methods."""
        return [*super().__dir__(),
                *(name for name, value in vars(self.namespace).items() if isinstance(value, RandomVariable))]


def _called(stream: RandomStream, op: RandomVariable, *args: Any, **kwargs: Any) -> Any:
    """A method: NumPy's arguments as they are, older names as what they mean."""
    return stream.gen(op, *args, **older_names(op, args, kwargs))
