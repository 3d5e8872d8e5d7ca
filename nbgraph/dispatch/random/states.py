"""The state of a NumPy generator as an array of words, and back.

    state = state_of(rng)           uint64[:], a copy
    f(state)                        compiled code draws
    restore(rng, state)             rng goes on where f stopped

| words | of | what |
|---|---|---|
| 0, 1 | all but MT19937 | the half of a draw that is left for the next 32 bits, and whether there is one |
| 2 | all | what is left for the next draw of 1, 8 or 16 bits, within a call |
| 3 to 6 | PCG64, PCG64DXSM | the state and the increment, lower halves first |
| 3 to 6 | SFC64 | the four words |
| 3 to 13 | Philox | the counter (4), the key (2), the buffer (4), the position in it |
| 3 to 315 | MT19937 | 624 numbers of 32 bits, two in a word, then the position |

Nothing here imports Numba.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence

from nbgraph.errors import KernelError

_WORD = 2**64 - 1
_FIRST = 3
_MT_WORDS = 312
# How many words the state of each bit generator has.
WORDS = {"PCG64": 7, "PCG64DXSM": 7, "SFC64": 7, "Philox": 14, "MT19937": _FIRST + _MT_WORDS + 1}


def kind_of(generator: np.random.Generator) -> str:
    """The name of its bit generator.

    Raises
    ------
    KernelError    one whose recurrence nbgraph does not know
    """
    kind = _KINDS.get(type(generator.bit_generator))
    if kind is None:
        raise KernelError(None, f"there are no compiled streams of {type(generator.bit_generator).__name__}",
                          fix=f"use np.random.Generator with one of {', '.join(_READ)}")
    return kind


def kind_or_none(value: Any) -> str | None:
    """The kind of a generator; None where nbgraph does not know its recurrence, and for what is no generator."""
    return _KINDS.get(type(value.bit_generator)) if isinstance(value, np.random.Generator) else None


def state_of(generator: np.random.Generator) -> np.ndarray:
    """uint64[:] : where the generator is, in the layout above; 2 to 5 microseconds (MT19937: 40, as NumPy's own).

    Raises
    ------
    KernelError    a bit generator whose recurrence nbgraph does not know
    """
    kind = kind_of(generator)
    return _READ[kind](generator.bit_generator.state)


def restore(generator: np.random.Generator, state: np.ndarray) -> None:
    """Put the generator where the state says.

    Parameters
    ----------
    generator : with a bit generator of the kind that the state came from
    state : uint64[:]
    """
    generator.bit_generator.state = _WRITTEN[kind_of(generator)](state)


def moved_on(generator: np.random.Generator, state: np.ndarray) -> np.random.Generator:
    """Another generator of the same kind and seed sequence, where the state says; 3 microseconds.

    Parameters
    ----------
    generator : with a bit generator of the kind that the state came from
    state : uint64[:]
    """
    before: Any = generator.bit_generator
    after = type(before)(_UNSEEDED)
    after.__setstate__((_WRITTEN[kind_of(generator)](state), before.seed_seq))
    return type(generator)(after)


class _Unseeded(ISeedSequence):
    """The seed of a bit generator that is given its state: SeedSequence would take most of the time."""

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> np.ndarray:
        """Ones."""
        return np.ones(n_words, dtype)


_UNSEEDED = _Unseeded()


def _with_half(state: Any, *words: Any) -> np.ndarray:
    return np.array([state["uinteger"], state["has_uint32"], 0, *words], dtype=np.uint64)


def _half_of(words: list[int]) -> dict[str, int]:
    return {"has_uint32": words[1], "uinteger": words[0]}


def _read_pcg(state: Any) -> np.ndarray:
    held = state["state"]
    number, increment = held["state"], held["inc"]
    return _with_half(state, number & _WORD, number >> 64, increment & _WORD, increment >> 64)


def _written_pcg(kind: str) -> Callable[[np.ndarray], dict[str, Any]]:
    def written(state: np.ndarray) -> dict[str, Any]:
        words = state.tolist()
        number, increment = words[3] | words[4] << 64, words[5] | words[6] << 64
        return {"bit_generator": kind, "state": {"state": number, "inc": increment}, **_half_of(words)}
    return written


def _read_sfc(state: Any) -> np.ndarray:
    return _with_half(state, *state["state"]["state"])


def _written_sfc(state: np.ndarray) -> dict[str, Any]:
    return {"bit_generator": "SFC64", "state": {"state": state[_FIRST:].copy()}, **_half_of(state.tolist())}


def _read_philox(state: Any) -> np.ndarray:
    held = state["state"]
    return _with_half(state, *held["counter"], *held["key"], *state["buffer"], state["buffer_pos"])


def _written_philox(state: np.ndarray) -> dict[str, Any]:
    return {"bit_generator": "Philox", "state": {"counter": state[3:7].copy(), "key": state[7:9].copy()},
            "buffer": state[9:13].copy(), "buffer_pos": int(state[13]), **_half_of(state.tolist())}


def _read_mt(state: Any) -> np.ndarray:
    words = np.zeros(_FIRST + _MT_WORDS + 1, dtype=np.uint64)
    words[_FIRST:-1] = state["state"]["key"].view(np.uint64)
    words[-1] = state["state"]["pos"]
    return words


def _written_mt(state: np.ndarray) -> dict[str, Any]:
    return {"bit_generator": "MT19937", "state": {"key": state[_FIRST:-1].copy().view(np.uint32),
                                                  "pos": int(state[-1])}}


_READ = {"PCG64": _read_pcg, "PCG64DXSM": _read_pcg, "SFC64": _read_sfc, "Philox": _read_philox,
         "MT19937": _read_mt}
_WRITTEN = {"PCG64": _written_pcg("PCG64"), "PCG64DXSM": _written_pcg("PCG64DXSM"), "SFC64": _written_sfc,
            "Philox": _written_philox, "MT19937": _written_mt}
_KINDS: dict[type, str] = {getattr(np.random, kind): kind for kind in _READ}
