"""What tests of the lowering share: the stages of a graph without compiling it, and generated text run as Python.

    plan = planned(nt.exp(x) + 1)      kinds(plan) == [["store"]]
"""

from __future__ import annotations

import ast
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nbgraph.compile.modes import get_mode
from nbgraph.dispatch.expressions import Assign, Combine, For, Store
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.traversal import graph_inputs
from nbgraph.lowering.executor import Stages, stages_of
from nbgraph.lowering.lower import lower
from nbgraph.lowering.plan import LibraryStep, Plan
from nbgraph.lowering.program import Program, walk

ROOT = Path(__file__).resolve().parents[2]


def staged(*outputs: Any, mode: str = "FAST_RUN") -> Stages:
    """All stages of the function of all leaves, up to its program: nothing is compiled."""
    inputs = leaves_of(outputs)
    fgraph, _ = get_mode(mode).rewrite(FunctionGraph(inputs, outputs))
    return stages_of(fgraph, "f", [v.name or "x" for v in inputs])[0]


def leaves_of(outputs: Sequence[Any]) -> list[Any]:
    """The inputs of a function of these outputs, in the order of their names."""
    return sorted((v for v in graph_inputs(outputs) if not hasattr(v, "data")), key=lambda v: v.name or "")


def planned(*outputs: Any, mode: str = "FAST_RUN") -> Plan:
    """What is computed where."""
    return staged(*outputs, mode=mode).plan


def lowered(*outputs: Any, mode: str = "FAST_RUN") -> Program:
    """The program as it is lowered, before any pass over it."""
    plan = planned(*outputs, mode=mode)
    return lower(plan, "f", [v.name for v in plan.fgraph.inputs])


def kinds(plan: Plan) -> list[list[str]]:
    """The results of each loop nest: "store", "reduce", ..."""
    return [[root.kind for root in nest.roots] for nest in plan.nests]


def checks(plan: Plan) -> list[str]:
    """The tests made at run time."""
    return [step.check.test for step in plan.steps if hasattr(step, "check")]


def calls(plan: Plan) -> list[str]:
    """The library functions called."""
    return [step.rule.function.rpartition(".")[2] for step in plan.steps if isinstance(step, LibraryStep)]


def statements(program: Program, kind: type) -> list[Any]:
    """The statements of one kind in the main function."""
    return [s for s in program.statements if isinstance(s, kind)]


def arguments_of(f: Any, values: Sequence[Any]) -> list[Any]:
    """What the compiled code of a Function is called with when the Function is called with `values`."""
    executor = f.maker.executor
    held = [c.storage[0] for slot, c in zip(f.slots, f.input_storage, strict=True) if slot.read][len(values):]
    found = []
    for v, value, scalar in zip(executor.stages.graph.inputs, [*values, *held], executor.scalar_inputs, strict=True):
        array = np.require(value, v.type.dtype, ["C", "A"])
        found.append(array.item() if scalar else array.copy())
    memory = [np.empty_like(found[state]) for _, state in executor.destinations]
    return [*found, *executor.constants, *memory]


def loops(body: Sequence[Any]) -> Any:
    """A body as nested lists: a loop is a list, other statements are "=", "store" and "combine"."""
    words = {Assign: "=", Store: "store", Combine: "combine"}
    return [loops(s.body) if isinstance(s, For) else words.get(type(s), type(s).__name__.lower()) for s in body]


def count(body: Sequence[Any], function: str) -> int:
    """How many statements of a body, loops included, call a scalar function."""
    return sum(getattr(s.value, "function", None) == function for s in walk(body) if isinstance(s, Assign))


def main_of(text: str, names: dict[str, Any] | None = None) -> Any:
    """The function that a generated text defines last."""
    names = {} if names is None else names
    exec(compile(text, "<generated>", "exec"), names)
    return names[[s.name for s in ast.parse(text).body if isinstance(s, ast.FunctionDef)][-1]]


_PLAIN = """
import pickle, sys
import numpy as np
from tests.lowering.stages import main_of
results = []
with np.errstate(all="ignore"):
    for text, arguments in pickle.load(sys.stdin.buffer):
        try:
            results.append(main_of(text)(*arguments))
        except Exception as error:
            results.append((type(error).__name__, error.args))
sys.stdout.buffer.write(pickle.dumps(results))
"""


def run_as_python(cases: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
    """What the main function of each text gives for its arguments, in a process where Numba compiles nothing."""
    done = subprocess.run([sys.executable, "-c", _PLAIN], input=pickle.dumps(list(cases)), capture_output=True,
                          cwd=ROOT, env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return pickle.loads(done.stdout)
