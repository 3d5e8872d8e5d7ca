"""Helpers come when they are called, wait for more, are forgotten where they do not come, and leave."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time

import llvmlite.binding as llvm
import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph import function
from nbgraph.config import config
from nbgraph.dispatch.threads import LONG, MOST, PLACES
from tests.dispatch.test_cores import run

pytestmark = pytest.mark.skipif(not llvm.address_of_symbol("pthread_create"), reason="no POSIX threads")


def places():
    """Where helpers of this process wait."""
    return (ctypes.c_int64 * (MOST + 1)).from_address(llvm.address_of_symbol(PLACES))


def turn(pieces, turns=1000, threads=4):
    counts = np.zeros(turns)
    with config.change_flags(threads=threads):
        run(pieces, turns, 1.0, counts, np.zeros(MOST, "int64"))
    assert (counts == 1).all()


def eventually(holds, patience_s=20.0):
    """Whether it comes to hold."""
    end = time.monotonic() + patience_s
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()


def nobody_waits():
    return not any(places()[:MOST])


def test_helpers_that_have_nothing_to_do_leave():
    turn(LONG)
    assert eventually(nobody_waits)


def test_many_loops_in_a_row():
    for k in range(3000):
        turn(LONG + k % 2, turns=64 + k % 5)
    assert eventually(nobody_waits)


def test_who_does_not_come_is_forgotten():
    turn(LONG)
    assert eventually(nobody_waits)
    held = places()
    held[:MOST] = [1] * MOST  # as in a process that was forked while they waited
    for _ in range(MOST):
        turn(LONG)
    turn(MOST, threads=MOST)
    assert eventually(lambda: held[0] == 0)
    held[:MOST] = [0] * MOST


def test_a_single_short_loop_starts_no_thread():
    turn(LONG)
    assert eventually(nobody_waits)
    time.sleep(0.05)
    before = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else None
    turn(LONG - 1)
    after = len(os.listdir("/proc/self/task")) if before is not None else None
    assert after == before
    assert nobody_waits()


def test_callers_in_many_threads_share_helpers():
    failed = []

    def call():
        try:
            for k in range(300):
                turn(LONG, turns=64 + k)
        except AssertionError as error:
            failed.append(error)

    callers = [threading.Thread(target=call) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not failed
    assert eventually(nobody_waits)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_that_is_forked_while_helpers_wait_has_its_own():
    turn(LONG)
    child = os.fork()
    if not child:
        try:
            for k in range(200):
                turn(LONG, turns=64 + k)
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    turn(LONG)


def test_a_process_may_end_while_helpers_wait(tmp_path):
    x = nt.dvector("x")
    function([x], nt.exp(nt.tanh(x)).sum())(np.ones(9))
    code = ("import numpy as np, nbgraph.tensor as nt\nfrom nbgraph import function\nx = nt.dvector('x')\n"
            "f = function([x], nt.exp(nt.tanh(x)).sum())\nv = np.ones(1_000_000)\n"
            "assert [f(v) for _ in range(3)]")
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False,
                              env=os.environ | {"NBGRAPH_THREADS": "4"})
        assert (done.returncode, done.stderr) == (0, "")
