"""Pieces of loops on several cores: every turn once, the same bits for any number of threads."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from numba import njit

from nbgraph.config import config
from nbgraph.dispatch import cores
from nbgraph.dispatch.jit import apart, kernel


@kernel
def count_turns(piece, first, count, times, turns, pieces_seen):
    apart()
    pieces_seen[piece] = count
    for k in range(count):
        turns[first + k] = turns[first + k] + times


@njit
def run(pieces, turns, times, counts, pieces_seen):
    cores.spread(count_turns, pieces, turns, times, counts, pieces_seen)


@pytest.mark.parametrize("threads", [1, 2, 7, 64, 1000])
@pytest.mark.parametrize(("pieces", "turns"), [(1, 10), (2, 2), (3, 1000), (64, 64), (64, 100_003), (1, 0)])
def test_every_turn_is_done_once(pieces, turns, threads):
    counts, seen = np.zeros(turns), np.zeros(64, "int64")
    with config.change_flags(threads=threads):
        run(pieces, turns, 1.0, counts, seen)
    assert (counts == 1).all()
    assert seen.sum() == turns
    assert seen[:pieces].max() - seen[:pieces].min() <= 1


def test_loops_that_are_quick_are_one_piece():
    assert cores.pieces_of(10, 1_000) == 1
    assert cores.pieces_of(200_000, 100) == 20
    assert cores.pieces_of(1_000_000, 100_000) == 64
    assert cores.pieces_of(3, 10**9) == 3
    assert cores.pieces_of(0, 10) == 1


@njit
def compiled_pieces(turns, cost):
    return cores.pieces_of(turns, cost)


@pytest.mark.parametrize(("turns", "cost"), [(0, 1), (1, 10**9), (10, 10), (10**6, 10), (10**6, 10**5), (5, 10**12)])
def test_compiled_code_cuts_loops_as_python_does(turns, cost):
    assert compiled_pieces(turns, cost) == cores.pieces_of(turns, cost)


KINDS = [(name, dtype) for name in ("sum", "prod", "max", "min")
         for dtype in ("float64", "float32", "int64", "uint8", "complex128")]
KINDS += [("any", "bool"), ("all", "bool"), ("sum", "bool"), ("max", "bool"), ("min", "bool")]


@pytest.mark.parametrize(("name", "dtype"), KINDS)
def test_parts_are_combined_as_numpy_does(name, dtype):
    combine = getattr(cores, f"{name}_of")
    compiled = njit(lambda parts, pieces: combine(parts, 1, pieces))
    rng = np.random.default_rng(1)
    parts = (rng.normal(size=64) + (1j * rng.normal(size=64) if dtype == "complex128" else 0)) * 3
    parts = np.abs(parts).astype(dtype) if dtype == "uint8" else parts.astype(dtype)
    rows = np.stack([parts[::-1], parts])
    for pieces in (1, 2, 5, 64):
        wanted = getattr(np, name)(parts[:pieces], **({} if name not in ("sum", "prod") else {"dtype": dtype}))
        tolerance = 1e-5 if dtype == "float32" else 1e-12
        np.testing.assert_allclose(compiled(rows, pieces), wanted, rtol=tolerance)
        np.testing.assert_allclose(combine(rows, 1, pieces), wanted, rtol=tolerance)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_of_one_part_are_those_of_all(special):
    compiled = {np.sum: njit(lambda parts: cores.sum_of(parts, 0, 5)),
                np.max: njit(lambda parts: cores.max_of(parts, 0, 5))}
    for place in (0, 3):
        parts = np.arange(64.0)[None]
        parts[0, place] = special
        for reference, f in compiled.items():
            np.testing.assert_equal(f(parts), reference(parts[0, :5]))


def test_many_threads_may_call_at_the_same_time():
    failed = []

    def call():
        for _ in range(50):
            counts, seen = np.zeros(5000), np.zeros(64, "int64")
            run(16, 5000, 1.0, counts, seen)
            if not (counts == 1).all():
                failed.append(counts)

    with config.change_flags(threads=3):
        callers = [threading.Thread(target=call) for _ in range(6)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    assert not failed


def test_an_array_on_the_stack_is_written_and_read():
    @njit
    def squares_and_more(n):
        squares = cores.on_stack(2, np.float64)
        for k in range(n):
            squares[1, k] = k * k
            squares[0, k] = -k
        return squares[1, n - 1], squares[0, n - 1], squares.shape

    assert squares_and_more(5) == (16.0, -4.0, (2, 64))
