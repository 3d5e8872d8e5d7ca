"""How kernels are compiled: with their arrays apart, linked and then optimised once."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from nbgraph.dispatch import vmath
from nbgraph.dispatch.jit import apart, entry, kernel
from nbgraph.dispatch.linked import _EntryLibrary


@kernel
def doubled(x, out):
    apart()
    for i in range(x.shape[0]):
        out[i] = 2 * x[i]


@kernel
def squared(x, out):
    apart()
    for i in range(x.shape[0]):
        out[i] = x[i] * x[i]


def test_the_arrays_of_a_kernel_share_no_memory_and_llvm_is_told_so():
    @entry
    def run(x, out):
        doubled(x, out)

    out = np.empty(3)
    run(np.arange(3.0), out)
    assert out.tolist() == [0, 2, 4]
    (compiled,) = doubled.overloads.values()
    (definition,) = (f for f in compiled.library.get_defined_functions() if "doubled" in f.name)
    arguments = {a.name: b"noalias" in b" ".join(a.attributes) for a in definition.arguments}
    assert {name for name, alone in arguments.items() if alone} >= {"arg.x.4", "arg.out.4"}
    assert not any(alone for name, alone in arguments.items() if re.fullmatch(r"arg\.\w+\.[0156].*", name))
    assert b"noinline" in b" ".join(definition.attributes)


def test_kernels_are_optimised_with_the_function_that_calls_them_and_only_there(monkeypatch):
    optimised = []
    original = _EntryLibrary._optimize_final_module
    monkeypatch.setattr(_EntryLibrary, "_optimize_final_module",
                        lambda library: (optimised.append(library.name), original(library)))

    @kernel
    def halved(x, out):
        apart()
        for i in range(x.shape[0]):
            out[i] = x[i] / 2

    @entry
    def run(x, out):
        halved(x, out)
        squared(x, out)
        halved(out, x)

    x, out = np.arange(3.0), np.empty(3)
    run(x, out)
    assert out.tolist() == [0, 1, 4] and x.tolist() == [0, 0.5, 2]
    assert len(optimised) == 1 and "run" in optimised[0]


@pytest.mark.parametrize("name", ["exp", "sin", "cos", "tan", "gammaln", "digamma", "power", "erfinv"])
def test_mathematics_is_vectorised_in_the_function_that_links_it(name, monkeypatch):
    seen = []
    original = _EntryLibrary._optimize_final_module
    monkeypatch.setattr(_EntryLibrary, "_optimize_final_module",
                        lambda library: (original(library), seen.append(str(library._final_module))))
    inside = f"{name}(x[i], 1.5)" if name == "power" else f"{name}(x[i])"
    scope = {"kernel": kernel, "entry": entry, "apart": apart, name: getattr(vmath, name)}
    exec(f"@kernel\ndef mapped(x, out):\n    apart()\n    for i in range(x.shape[0]):\n        out[i] = {inside}\n\n\n"
         "@entry\ndef run(x, out):\n    mapped(x, out)", scope)
    x = np.linspace(0.1, 0.9, 9)
    scope["run"](x, np.empty(9))
    (text,) = seen
    (body,) = re.findall(r"^define [^\n]*mapped.*?^}", text, re.M | re.S)
    assert re.search(r"store <\d+ x double>", body)


PROGRAM = """
import sys
import numpy as np, numba
import nbgraph, nbgraph.tensor as nt
a = np.array([3.0, 1.0, 2.0])
if "sorted" in sys.argv:
    numba.njit(lambda v: np.sort(v))(a)
x = nt.dvector("x")
functions = [nbgraph.function([x], z) for z in (x + 1, nt.exp(x).sum(), nt.cumsum(x), x[::-1])]
print(numba.njit(lambda v: v if len("abc" + str(int(v[0]))) == 4 else v * 0)(a).tolist())
print(numba.njit(lambda v: [v, v + 1][1:])(a)[0].tolist(), [f(a).tolist() for f in functions][0])
"""


@pytest.mark.parametrize("arguments", [[], ["sorted"]])
def test_numbas_own_functions_are_not_linked_to_what_generated_code_has_specialised(arguments, tmp_path):
    """LLVM's linker knows functions by name: NRT_incref of ours asks for no NULL."""
    for _ in ("compiled", "loaded"):
        found = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True,
                               env=os.environ | {"NBGRAPH_CACHE_DIR": str(tmp_path)})
        assert found.returncode == 0, found.stderr
        assert found.stdout.splitlines() == ["[3.0, 1.0, 2.0]", "[4.0, 2.0, 3.0] [4.0, 2.0, 3.0]"]
