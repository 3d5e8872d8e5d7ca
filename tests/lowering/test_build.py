"""Sources become native functions: once in a process, once on a machine, and nothing that is damaged is ever run."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import traceback
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from nbgraph.config import config
from nbgraph.dispatch.checks import CheckFailed
from nbgraph.errors import KernelError
from nbgraph.lowering import build as build_module
from nbgraph.lowering import cache, object_code
from nbgraph.lowering.build import Argument, Native, build, cache_key

ROOT = Path(__file__).resolve().parents[2]
ARRAY, SCALAR = Argument("float64", 1), Argument("float64", 0)
SOURCE = """\
from math import exp

import numpy as np

from nbgraph.dispatch.checks import CheckFailed
from nbgraph.dispatch.jit import entry, kernel
from nbgraph.dispatch.memory import empty


@kernel
def fused_0(v0, v1, v2):
    v3 = 0.0
    for i0 in range(v0.shape[0]):
        v4 = exp(v0[i0]) * v1
        v2[i0] = v4
        v3 = v3 + v4
    return v3


@entry
def main(v0, v1):
    if v0.shape[0] > 3:
        raise CheckFailed(3, v0.shape[0], 7)
    v2 = empty((v0.shape[0],), np.float64)
    v3 = fused_0(v0, v1, v2)
    return (v2, v3)
"""
GEMV = """\
import numpy as np

from nbgraph.dispatch.jit import entry
from nbgraph.dispatch.memory import empty
from nbgraph.dispatch.products import gemv


@entry
def main(v0, v1):
    v2 = empty((v0.shape[0],), np.float64)
    gemv(1.0, v0, False, v1, 0.0, v2)
    return (v2,)
"""
# What a child process runs first: it counts what Numba compiles and which modules it brings in.
COUNTING = """\
import json, sys, warnings
import numpy as np
from numba.core import event
from nbgraph.lowering import build as build_module, object_code
from nbgraph.lowering.build import Argument, build

class Count(event.Listener):
    passes = compiled = 0
    def on_start(self, event):
        Count.passes += event.kind == "numba:run_pass"
        Count.compiled += event.kind == "numba:compile"
    def on_end(self, event):
        pass

for kind in ("numba:compile", "numba:run_pass"):
    event.register(kind, Count())

given = json.loads(sys.stdin.read())
types = [Argument(*each) for each in given["types"]]
def counts():
    registries = {"numba.np.linalg", "numba.np.arrayobj"} & set(sys.modules)
    return {"compiled": Count.compiled, "passes": Count.passes, "registries": bool(registries)}
"""
CALL = COUNTING + """
native = build(given["source"], types)
v2, v3 = native.entry(np.array([0.0, 1.0]), 2.0)
print(json.dumps({"hit": native.hit, "ms": native.seconds * 1e3, "key": native.key, "v2": v2.tolist(), "v3": v3,
                  "path": str(native.path), "executed": hasattr(sys.modules["nbgraph_" + native.key], "main"),
                  **counts()}))
"""
RESULT = {"v2": [2.0, 2.0 * np.exp(1.0)], "v3": 2.0 + 2.0 * np.exp(1.0)}


def start(code: str, source: Any = SOURCE, arguments: tuple[Argument, ...] = (ARRAY, SCALAR),
          **environment: str) -> subprocess.Popen[str]:
    """A new process that runs this code; the source and its types are its standard input."""
    process = subprocess.Popen([sys.executable, "-W", "error::UserWarning", "-c", code], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
                               env=os.environ | environment)
    assert process.stdin is not None
    process.stdin.write(json.dumps({"source": source, "types": [[a.dtype, a.ndim] for a in arguments]}))
    process.stdin.close()
    process.stdin = None
    return process


def finish(process: subprocess.Popen[str]) -> Any:
    """The JSON that it printed last."""
    printed, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return json.loads(printed.splitlines()[-1])


def child(code: str, source: Any = SOURCE, arguments: tuple[Argument, ...] = (ARRAY, SCALAR),
          **environment: str) -> Any:
    """What a new process prints as JSON."""
    return finish(start(code, source, arguments, **environment))


def scaled(factor: float) -> str:
    """A small source of its own."""
    return f"from nbgraph.dispatch.jit import entry\n\n\n@entry\ndef main(v0):\n    return v0 * {factor}\n"


def works(native: Native) -> bool:
    """True where the function of SOURCE gives its results."""
    v2, v3 = native.entry(np.array([0.0, 1.0]), 2.0)
    return np.allclose(v2, RESULT["v2"], rtol=1e-15) and bool(np.isclose(v3, RESULT["v3"], rtol=1e-15))


def test_main_of_the_source_is_compiled_and_kept(fresh_cache: Path):
    native = build(SOURCE, [ARRAY, SCALAR])
    assert works(native)
    assert not native.hit
    assert native.path == fresh_cache / f"nbgraph_{native.key}.nbc"
    assert {file.suffix for file in fresh_cache.iterdir()} == {".nbc", ".py"}
    assert native.path.with_suffix(".py").read_text() == SOURCE


def test_a_source_is_built_once_in_a_process(fresh_cache: Path):
    native = build(scaled(2.5), [SCALAR])
    again = build(scaled(2.5), (Argument("float64", 0),))
    assert again is native
    assert build(scaled(2.5), [Argument("float32", 0)]) is not native


def test_a_built_function_prints_what_it_takes_and_where_it_is(fresh_cache: Path):
    native = build(scaled(3.5), [SCALAR])
    assert str(native).startswith("main(float64)   compiled in ")
    assert f"{native.path}   " in str(native)
    assert " kB" in str(native)
    assert str(Argument("int8", 3)) == "int8[:, :, :]"
    cache.clear()
    assert str(native).endswith("no longer there")


@pytest.mark.parametrize("ndim", [0, 1, 2])
def test_every_dtype_is_taken_and_given_back(fresh_cache: Path, ndim: int):
    dtypes = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64",
              "complex64", "complex128"]
    names = [f"v{i}" for i in range(len(dtypes))]
    source = ("from nbgraph.dispatch.jit import entry\n\n\n@entry\n"
              f"def main({', '.join(names)}):\n    return ({', '.join(names)},)\n")
    native = build(source, [Argument(dtype, ndim) for dtype in dtypes])
    values = [np.ones((2,) * ndim, dtype) for dtype in dtypes]
    given = native.entry(*(values if ndim else [value[()] for value in values]))
    kinds = {"b": bool, "i": int, "u": int, "f": float, "c": complex}
    for value, back in zip(values, given, strict=True):
        assert np.array_equal(value, back)
        assert back.dtype == value.dtype if ndim else type(back) is kinds[value.dtype.kind]


def test_a_second_process_compiles_nothing_and_does_not_run_the_source(fresh_cache: Path):
    cold = child(CALL)
    assert not cold["hit"]
    assert cold["executed"]
    assert cold["compiled"] >= 2  # main, its kernel
    assert cold["passes"] >= 12
    warm = child(CALL)
    assert {name: warm[name] for name in ("hit", "executed", "compiled", "passes", "registries")} == {
        "hit": True, "executed": False, "compiled": 0, "passes": 0, "registries": False}
    for found in (cold, warm):
        assert found["v2"] == pytest.approx(RESULT["v2"], rel=1e-15)
        assert found["v3"] == pytest.approx(RESULT["v3"], rel=1e-15)
    assert warm["key"] == cold["key"] == cache_key(SOURCE, [ARRAY, SCALAR])
    assert warm["path"] == cold["path"] == str(cache.entry_path(warm["key"]))


def test_a_check_that_fails_in_a_loaded_function_raises_with_its_numbers_and_line(fresh_cache: Path):
    native = build(SOURCE, [ARRAY, SCALAR])
    code = COUNTING + """
import traceback
native = build(given["source"], types)
assert native.hit
try:
    native.entry(np.zeros(5), 2.0)
except Exception as error:
    print(json.dumps({"class": f"{type(error).__module__}.{type(error).__name__}", "args": error.args,
                      "trace": traceback.format_exc(), **counts()}))
"""
    found = child(code)
    assert found["class"] == "nbgraph.dispatch.checks.CheckFailed"
    assert found["args"] == [3, 5, 7]
    assert f'{native.path.with_suffix(".py")}"' in found["trace"]
    assert "raise CheckFailed(3, v0.shape[0], 7)" in found["trace"]
    assert found["compiled"] == 0
    with pytest.raises(CheckFailed) as caught:
        native.entry(np.zeros(4), 2.0)
    assert caught.value.args == (3, 4, 7)


def test_loading_and_compiling_mix_in_one_process(fresh_cache: Path):
    code = COUNTING + """
made = []
for factor in given["source"]:
    source = f"from nbgraph.dispatch.jit import entry\\n\\n\\n@entry\\ndef main(v0):\\n    return v0 * {factor}\\n"
    native = build(source, types)
    made.append([native.hit, native.entry(10.0)])
print(json.dumps(made))
"""
    assert child(code, [1.5, 2.5], (SCALAR,)) == [[False, 15.0], [False, 25.0]]
    mixed = child(code, [1.5, 3.5, 2.5, 4.5, 1.5], (SCALAR,))
    assert mixed == [[True, 15.0], [False, 35.0], [True, 25.0], [False, 45.0], [True, 15.0]]


def test_a_loaded_function_calls_blas_without_being_told_where_it_is(fresh_cache: Path):
    arguments = Argument("float64", 2), ARRAY
    a, x = np.arange(6.0).reshape(2, 3), np.array([1.0, 2.0, 3.0])
    assert np.array_equal(build(GEMV, arguments).entry(a, x)[0], a @ x)
    code = COUNTING + """
native = build(given["source"], types)
(found,) = native.entry(np.arange(6.0).reshape(2, 3), np.array([1.0, 2.0, 3.0]))
print(json.dumps({"hit": native.hit, "found": found.tolist(), **counts()}))
"""
    found = child(code, GEMV, arguments)
    assert found == {"hit": True, "found": (a @ x).tolist(), "compiled": 0, "passes": 0, "registries": False}


def test_four_processes_that_build_the_same_function_at_once_agree(fresh_cache: Path):
    processes = [start(CALL) for _ in range(4)]
    found = [finish(process) for process in processes]
    assert all(each["v3"] == pytest.approx(RESULT["v3"], rel=1e-15) for each in found)
    key = found[0]["key"]
    assert sorted(file.name for file in fresh_cache.iterdir()) == [f"nbgraph_{key}.nbc", f"nbgraph_{key}.py"]
    later = child(CALL)
    assert (later["key"], later["hit"]) == (key, True)


def _in_fork(numbers: tuple[float, float]) -> list[float]:
    """Results of a function that the parent built and of one that is new, in a forked process."""
    return [build(scaled(factor), [SCALAR]).entry(2.0) for factor in numbers]


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_uses_and_builds_functions(fresh_cache: Path):
    build(scaled(5.5), [SCALAR])
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(_in_fork, [(5.5, 6.5), (5.5, 7.5)]) == [[11.0, 13.0], [11.0, 15.0]]
    assert cache.info().entries == 3
    assert build(scaled(6.5), [SCALAR]).hit
    assert build(scaled(7.5), [SCALAR]).entry(2.0) == 15.0


def test_threads_that_build_the_same_function_get_one(fresh_cache: Path):
    factors = [8.25, 8.5] * 8
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda factor: build(scaled(factor), [SCALAR]), factors))
    assert len({id(native) for native in found}) == 2
    assert [native.entry(4.0) for native in found] == [33.0, 34.0] * 8


@pytest.mark.parametrize("damage", [
    lambda whole: b"", lambda whole: whole[:-1], lambda whole: whole[:20], lambda whole: b"another program's file",
    lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]), lambda whole: b"nbgraph\x00" + whole[8:],
], ids=["empty", "truncated", "header", "foreign", "changed", "format"])
def test_a_damaged_entry_is_built_again(fresh_cache: Path, damage: Any):
    native = build(scaled(9.5), [SCALAR])
    assert native.path is not None
    whole = native.path.read_bytes()
    native.path.write_bytes(damage(whole))
    build_module._built.clear()
    again = build(scaled(9.5), [SCALAR])
    assert not again.hit
    assert again.entry(2.0) == 19.0
    build_module._built.clear()
    assert build(scaled(9.5), [SCALAR]).hit


@pytest.mark.parametrize(("stored", "reason"), [
    (b"no pickle", "UnpicklingError"),
    (object_code.dumps((["nbgraph_no_such_symbol"], ((),) * len(object_code._FIELDS))), "nbgraph_no_such_symbol"),
    (object_code.dumps(([], ("too", "short", *((),) * (len(object_code._FIELDS) - 2)))), "Error"),
])
def test_a_whole_entry_that_can_not_be_loaded_is_built_again_and_said(fresh_cache: Path, stored: bytes, reason: str):
    key = cache_key(scaled(10.5), [SCALAR])
    cache.write(key, stored)
    with pytest.warns(UserWarning, match=f"can't be loaded and is compiled again .*{reason}"):
        native = build(scaled(10.5), [SCALAR])
    assert not native.hit
    assert native.entry(2.0) == 21.0
    build_module._built.clear()
    assert build(scaled(10.5), [SCALAR]).hit


def test_a_folder_that_can_not_be_written_costs_a_warning_and_no_more(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with config.change_flags(cache_dir=tmp_path / "file" / "cache"):
        with pytest.warns(UserWarning, match="compiled functions are not kept"):
            native = build(scaled(11.5), [SCALAR])
        assert native.entry(2.0) == 23.0
        assert native.path is None
        assert str(native).endswith("not kept on disk")


def test_a_folder_that_others_can_write_to_is_refused(fresh_cache: Path):
    fresh_cache.chmod(0o777)
    with pytest.raises(cache.CacheError, match=f"chmod 700 {fresh_cache}"):
        build(scaled(12.5), [SCALAR])
    fresh_cache.chmod(0o700)
    assert build(scaled(12.5), [SCALAR]).entry(2.0) == 25.0


def test_a_function_that_can_not_be_kept_works_all_the_same(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(_: object) -> bytes:
        raise object_code.Unkeepable("its code refers to objects of this process")

    monkeypatch.setattr(object_code, "dump", refuse)
    with pytest.warns(UserWarning, match="compiled anew by every process: its code refers to objects"):
        native = build(scaled(13.5), [SCALAR])
    assert native.entry(2.0) == 27.0
    assert native.path is None


def test_code_with_addresses_of_this_process_is_not_kept(fresh_cache: Path):
    module = types.ModuleType("module_with_an_address")
    module.address = np.zeros(2**20)  # Numba refers to a large array by its address
    sys.modules[module.__name__] = module
    source = ("from module_with_an_address import address\nfrom nbgraph.dispatch.jit import entry\n\n\n"
              "@entry\ndef main(v0):\n    return address[v0] + 1.0\n")
    with pytest.warns(UserWarning, match="refers to objects of this process"):
        assert build(source, [Argument("int64", 0)]).entry(5) == 1.0


def test_without_jit_the_source_runs_as_python(fresh_cache: Path):
    code = COUNTING + """
import types as python_types
native = build(given["source"], types)
v2, v3 = native.entry(np.array([0.0, 1.0]), 2.0)
print(json.dumps({"plain": isinstance(native.entry, python_types.FunctionType), "v2": v2.tolist(), "text": str(native),
                  **counts()}))
"""
    found = child(code, NUMBA_DISABLE_JIT="1")
    assert found["plain"]
    assert found["v2"] == pytest.approx(RESULT["v2"])
    assert "plain Python" in found["text"]
    assert found["compiled"] == 0
    assert list(fresh_cache.iterdir()) == []


@pytest.mark.parametrize(("body", "line"), [
    ("    v1 = v0 + 1.0\n    return v1.no_such_attribute\n", "return v1.no_such_attribute"),
    ("    for v1 in range(3):\n        v0 = v0 @ 'text'\n    return v0\n", "v0 = v0 @ 'text'"),
])
def test_a_source_that_numba_does_not_take_is_a_kernel_error_with_file_and_line(fresh_cache: Path, body: str,
                                                                                            line: str):
    source = f"from nbgraph.dispatch.jit import entry\n\n\n@entry\ndef main(v0):\n{body}"
    number = [text.strip() for text in source.splitlines()].index(line) + 1
    with pytest.raises(KernelError, match="can't compile the generated source: TypingError") as caught:
        build(source, [SCALAR])
    path = cache.source_path(cache_key(source, [SCALAR]))
    assert path.read_text() == source
    assert f"{path}:{number}   {line}" in str(caught.value)
    assert "fix: " in str(caught.value)
    assert isinstance(caught.value.__cause__, numba.core.errors.TypingError)


@pytest.mark.parametrize("body", ["return no_such_function(v0)", "raise v0"])
def test_where_numba_names_no_line_the_kernel_error_names_the_file(fresh_cache: Path, body: str):
    source = f"from nbgraph.dispatch.jit import entry\n\n\n@entry\ndef main(v0):\n    {body}\n"
    with pytest.raises(KernelError) as caught:
        build(source, [SCALAR])
    assert f"where: source   {cache.source_path(cache_key(source, [SCALAR]))}\n" in str(caught.value)


def test_the_line_of_an_error_in_a_kernel_is_the_kernels(fresh_cache: Path):
    source = SOURCE.replace("exp(v0[i0]) * v1", "exp(v0[i0]).wrong * v1")
    with pytest.raises(KernelError) as caught:
        build(source, [ARRAY, SCALAR])
    assert ":14   v4 = exp(v0[i0]).wrong * v1" in str(caught.value)


def test_the_key_changes_with_all_that_decides_what_is_compiled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def key() -> str:
        build_module._environment_digest.cache_clear()
        return cache_key(SOURCE, [ARRAY, SCALAR])

    keys = {key(), cache_key(SOURCE + "#", [ARRAY, SCALAR]), cache_key(SOURCE, [SCALAR, ARRAY]),
            cache_key(SOURCE, [ARRAY, Argument("float32", 0)]), cache_key(SOURCE, [Argument("float64", 2), SCALAR])}
    assert key() in keys
    import llvmlite
    import scipy

    for module in (numba, llvmlite, np, scipy, build_module.nbgraph):
        with monkeypatch.context() as patch:
            patch.setattr(module, "__version__", "0.0.1")
            keys.add(key())
    for name, value in (("NUMBA_OPT", "1"), ("NUMBA_OPT", "max"), ("NUMBA_BOUNDSCHECK", "1"),
                        ("NUMBA_CPU_NAME", "generic")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            keys.add(key())
    with monkeypatch.context() as patch:
        patch.setattr(object_code, "FORMAT", -1)
        keys.add(key())
    (tmp_path / "dispatch" / "vmath").mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(build_module.nbgraph, "__file__", str(tmp_path / "__init__.py"))
        for file, text in (("a.py", "1"), ("a.py", "2"), ("vmath/b.py", "2")):
            (tmp_path / "dispatch" / file).write_text(text)
            keys.add(key())
    assert len(keys) == 5 + 5 + 4 + 1 + 3
    assert key() == cache_key(SOURCE, [ARRAY, SCALAR])


def test_another_processor_is_another_key(fresh_cache: Path):
    code = COUNTING + """
print(json.dumps(build_module.cache_key(given["source"], types)))
"""
    here, generic, without = (child(code, **names) for names in (
        {}, {"NUMBA_CPU_NAME": "generic"}, {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "+cx8"}))
    assert here == cache_key(SOURCE, [ARRAY, SCALAR])
    assert len({here, generic, without}) == 3


def test_closures_of_one_name_stay_apart_when_loaded_together(fresh_cache: Path, tmp_path: Path):
    # Two processes give two functions the same symbol; LLVM would take one of them for both (numba#10486).
    terms = "\n".join(f"        if x[{i} % n] > {i}.5: s += exp(x[{i} % n] * {i}.25) * c" for i in range(25))
    (tmp_path / "closures.py").write_text(f"""
from math import exp
from nbgraph.dispatch.jit import kernel

def make(c):
    def same_name(x):
        n = x.shape[0]
        s = 0.0
{terms}
        return s + c
    return kernel(same_name)

one, two = make(1.0), make(2.0)
""")
    code = COUNTING + """
sys.path.insert(0, given["source"][0])
results = []
for name in given["source"][1:]:
    source = f"from closures import {name}\\nfrom nbgraph.dispatch.jit import entry\\n\\n\\n@entry\\n"
    source += f"def main(v0):\\n    return {name}(v0) + {name}(v0 * 0.5) + {name}(v0 * 0.25)\\n"
    native = build(source, types)
    results.append([native.hit, native.entry(np.zeros(3))])
print(json.dumps(results))
"""
    folder = str(tmp_path)
    first, second = (start(code, [folder, name], (ARRAY,)) for name in ("one", "two"))
    assert finish(first) == [[False, 3.0]]
    assert finish(second) == [[False, 6.0]]
    assert child(code, [folder, "one", "two"], (ARRAY,)) == [[True, 3.0], [True, 6.0]]


def test_an_untested_numba_goes_its_own_way(fresh_cache: Path):
    code = "from nbgraph.lowering import object_code\nobject_code.TESTED = (0, 0), (0, 0)\n" + CALL
    cold, warm = child(code), child(code)
    assert (cold["hit"], warm["hit"], warm["compiled"], warm["registries"]) == (False, True, 0, True)
    assert warm["v2"] == pytest.approx(RESULT["v2"], rel=1e-15)
    # Entries of either way are loaded by the other.
    short = child(CALL)
    assert (short["hit"], short["compiled"]) == (True, 0)


def test_the_installed_numba_is_loaded_the_short_way():
    assert object_code.short_way(), "run these tests with TESTED widened to this version of Numba"


def test_loading_is_quick(fresh_cache: Path):
    child(CALL)
    best = min(child(CALL)["ms"] for _ in range(3))
    assert best < 50  # 5 ms on a machine at rest; Numba's registries alone would be 250


def test_an_exception_in_plain_python_shows_the_generated_line():
    source = "def main(v0):\n    return v0.missing\n"
    module = build_module._run(source, "ab" * 16)
    with pytest.raises(AttributeError) as caught:
        module.main(1.0)
    assert "return v0.missing" in "".join(traceback.format_exception(caught.value))
