"""Loops over the functions of vmath are vector instructions without a call; what users may do with the functions."""

from __future__ import annotations

import platform
import re

import numpy as np
import pytest
from numba import njit

from nbgraph.dispatch import vmath
from tests.dispatch.vmath.loops import compiled

X86 = platform.machine() in ("x86_64", "AMD64")


def machine_code(loop):
    """The text of the loop, without what Python needs to call it."""
    (text,) = loop.inspect_asm().values()
    functions = re.split(r"\n(?=\w\S*:\s)", text)
    (found,) = (f for f in functions if f.startswith("_ZN") and not f.startswith(("_ZN7cpython", "_ZN5cfunc")))
    return found.split(".Lfunc_end")[0]


@pytest.mark.skipif(not X86, reason="reads x86-64 machine code")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", vmath.__all__)
def test_loops_use_vector_instructions_and_call_nothing(name, dtype):
    arity = 2 if name in ("arctan2", "power", "logaddexp") else 1
    text = machine_code(compiled(getattr(vmath, name), dtype, arity))
    suffix = "pd" if dtype == "float64" or name in vmath.WIDE else "ps"
    assert len(re.findall(rf"\bv?(?:mul|add|fn?m(?:add|sub)\d+){suffix}\s.*%[xyz]mm", text)) > 8
    calls = re.findall(r"\bcallq?\s+(\S+)", text)
    # Those with a rare case call its vector form, and its scalar form for what is left over.
    assert len(calls) <= (8 if name in ("sin", "cos", "tan", "gammaln", "digamma") else 0), calls


@pytest.mark.skipif(not X86, reason="reads x86-64 machine code")
@pytest.mark.parametrize("name", ["sin", "power", "gammaln"])
def test_vectors_on_the_stack_do_not_cross_lines_of_the_cache(name):
    text = machine_code(compiled(getattr(vmath, name), "float64", 2 if name == "power" else 1))
    moves = re.findall(r"\b(vmov[au]p[sd])\s+%[yz]mm\d+, \d*\(%rsp\)", text)
    assert set(moves) <= {"vmovaps", "vmovapd"}


@pytest.mark.parametrize("name", vmath.__all__)
def test_functions_take_arrays_in_python_and_numbers_of_any_kind_in_compiled_code(name):
    function = getattr(vmath, name)
    x = np.array([0.25, 0.5])
    if name in ("arctan2", "power", "logaddexp"):
        results = function(x, x), njit(lambda a, b: (function(a, b), function(np.float32(1), np.float32(1)),
                                                     function(1, b)))(0.5, 0.5)
    else:
        results = function(x), njit(lambda a: (function(a), function(np.float32(1)), function(1)))(0.5)
    assert results[0].shape == (2,)
    assert results[1][0] == pytest.approx(results[0][1], rel=1e-15, nan_ok=name in ("arccosh", "log1mexp"))
    assert function.__doc__
