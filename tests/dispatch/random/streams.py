"""What the tests of random kernels share: one compiled loop for each kernel, and a comparison with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from nbgraph.dispatch.jit import entry
from nbgraph.dispatch.random.states import restore, state_of
from nbgraph.dispatch.random.uniform import STREAMS

SEEDS = (1, 20260, 998877)
COUNT = 4000


def generator(kind: str, seed: int) -> np.random.Generator:
    """NumPy's generator of this kind."""
    return np.random.Generator(getattr(np.random, kind)(seed))


def where(rng: np.random.Generator) -> str:
    """The state of a generator, to be compared."""
    return repr(rng.bit_generator.state)


@cache
def filler(kernel: Any, kind: str = "PCG64") -> Callable[..., None]:
    """fill(state, parameters, out): a draw for each element."""
    stream = STREAMS[kind]

    @entry
    def fill(state, parameters, out):
        rng = stream(state)
        for i in range(out.shape[0]):
            out[i] = kernel(rng, *parameters)
    return fill


@cache
def caller(kernel: Any, kind: str = "PCG64") -> Callable[..., None]:
    """call(state, arguments): the kernel once, which writes into its arguments."""
    stream = STREAMS[kind]

    @entry
    def call(state, arguments):
        kernel(stream(state), *arguments)
    return call


@cache
def row_filler(kernel: Any, kind: str = "PCG64") -> Callable[..., None]:
    """fill(state, arguments, out): a vector for each row."""
    stream = STREAMS[kind]

    @entry
    def fill(state, arguments, out):
        rng = stream(state)
        for i in range(out.shape[0]):
            kernel(rng, *arguments, out[i])
    return fill


def drawn(kernel: Any, rng: np.random.Generator, parameters: tuple[Any, ...], out: np.ndarray) -> np.ndarray:
    """`out` filled by the kernel, and the generator moved."""
    state = state_of(rng)
    filler(kernel, type(rng.bit_generator).__name__)(state, parameters, out)
    restore(rng, state)
    return out


def check_stream(kernel: Any, draw: Callable[..., Any], parameters: tuple[Any, ...], dtype: Any = np.float64,
                 kind: str = "PCG64", count: int = COUNT) -> None:
    """The kernel draws what draw(generator, *parameters, count) draws, to the bit, and leaves NumPy's state."""
    for seed in SEEDS:
        ours, numpys = generator(kind, seed), generator(kind, seed)
        found = drawn(kernel, ours, parameters, np.empty(count, dtype))
        expected = draw(numpys, *parameters, count)
        np.testing.assert_array_equal(found, expected, err_msg=f"{parameters}, seed {seed}")
        assert where(ours) == where(numpys), f"{parameters}, seed {seed}"


def check_call(kernel: Any, arguments: tuple[Any, ...], out: np.ndarray,
               draw: Callable[[np.random.Generator], Any], compiled: Any = caller) -> None:
    """The same of a kernel that writes into arrays: kernel(rng, *arguments, out)."""
    for seed in SEEDS:
        ours, numpys = generator("PCG64", seed), generator("PCG64", seed)
        for _ in range(2):
            state = state_of(ours)
            call = compiled(kernel)
            call(state, (*arguments, out)) if compiled is caller else call(state, arguments, out)
            restore(ours, state)
            np.testing.assert_array_equal(out, draw(numpys), err_msg=f"seed {seed}")
        assert where(ours) == where(numpys), f"seed {seed}"
