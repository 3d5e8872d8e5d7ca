"""RandomType: the Type of generators of random numbers, np.random.Generator.

    rng = random_generator_type("rng")      a leaf;  shared(np.random.default_rng(7)) has a value of this Type

An Op that draws gives the generator that comes after the draws as another value: it changes none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from typing import Any

import numpy as np

from nbgraph.graph.basic import Type


class RandomType(Type):
    """Base of the Types of generators."""


class RandomGeneratorType(RandomType):
    """Any np.random.Generator, whatever its bit generator.

    Attributes
    ----------
    bit_generator : str     what functions are compiled for where no value is there yet: that of default_rng
    """

    bit_generator = "PCG64"

    def filter(self, value: Any, strict: bool = False, allow_downcast: bool | None = None) -> np.random.Generator:
        """`value` itself.

        Raises
        ------
        TypeError   it is no np.random.Generator
        """
        if isinstance(value, np.random.Generator):
            return value
        hint = "; np.random.default_rng(seed) makes one" if isinstance(value, (int, np.random.RandomState)) else ""
        raise TypeError(f"expected an np.random.Generator, got a {type(value).__name__}{hint}")

    def values_eq(self, a: Any, b: Any) -> bool:
        """True where both will give the same bits from here on."""
        return same_state(a, b)

    def values_eq_approx(self, a: Any, b: Any, **tolerances: Any) -> bool:
        """As values_eq: there is nothing between two states."""
        return same_state(a, b)

    def cell(self) -> list[Any]:
        """A place that may hold a state of native code in the place of a generator."""
        return GeneratorCell([None])

    def value_text(self, value: Any) -> str:
        """Generator(PCG64)"""
        return f"Generator({type(value.bit_generator).__name__})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __str__(self) -> str:
        return "generator"

    def __repr__(self) -> str:
        return "RandomGeneratorType()"


@dataclass(slots=True, eq=False)
class Moved:
    """What is a generator as soon as somebody looks at it: where native code has left one.

    Attributes
    ----------
    before : np.random.Generator    of the same kind and seed sequence
    kind : str                      of its bit generator
    words : uint64[:]               where native code has left it
    make : callable                 (before, words) -> the generator
    made : np.random.Generator      once somebody has looked: where it is from then on
    """

    before: np.random.Generator
    kind: str
    words: np.ndarray
    make: Callable[[np.random.Generator, np.ndarray], np.random.Generator]
    made: np.random.Generator | None = None

    def generator(self) -> np.random.Generator:
        """The generator, which is one object for all who look."""
        if self.made is None:
            with _LOOKING:
                if self.made is None:
                    self.made = self.make(self.before, self.words)
        return self.made


class GeneratorCell(list[Any]):
    """A cell whose item is a generator for whoever looks; native code takes what `held` gives.

    Making a generator costs microseconds, which a state that goes from call to call is spared. Looking stores nothing
    in the cell: another thread may be about to store the next state there.
    """

    def __getitem__(self, place: Any) -> Any:
        value = super().__getitem__(place)
        return value.generator() if isinstance(value, Moved) else value


_LOOKING = RLock()


def held(cell: list[Any]) -> Any:
    """What is in a cell as it is: a generator, or a Moved."""
    return list.__getitem__(cell, 0)


random_generator_type = RandomGeneratorType()


def same_state(a: np.random.Generator, b: np.random.Generator) -> bool:
    """True where two generators have bit generators of one class in one state."""
    one, other = a.bit_generator, b.bit_generator
    return type(one) is type(other) and _flat(one.state) == _flat(other.state)


def _flat(state: Any) -> list[Any]:
    """The entries of a state: dicts of numbers, arrays and dicts."""
    found: list[Any] = []
    pending = [("", state)]
    while pending:
        key, value = pending.pop()
        if isinstance(value, dict):
            pending += sorted(value.items())
        else:
            found.append((key, value.tolist() if isinstance(value, np.ndarray) else value))
    return found
