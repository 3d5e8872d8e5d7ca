"""The Python function behind a call, written for one Function: executor, updates, form of the result, conversions.

    f = function([x], [z], updates=[(w, w + x)])           runs, when called with one argument,

    def call(x0):
        with lock0:
            v0 = s0[0]
            try: r = execute(x0, v0)
            except failure as failed: raise error_of(failed) from None
            if r is not None:
                r0, r1 = r
                u0[0] = r1
                return [r0]
        return careful(x0)

Compiled code looks at its arguments itself, and refuses what it can't take: it gives None. Then `careful` converts
them, or raises, and does the same again; it is written when it is first needed. Where the executor does not look at
them, that is all there is. A call with updates holds a lock from reading the states on. It is text because a loop over
arguments costs more than the work of a small function. Updates come after everything that can fail, so a call that
raises changes nothing.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from nbgraph.compile.container import Container
from nbgraph.compile.function.convert import Converter
from nbgraph.graph.basic import Type
from nbgraph.tensor.type import TensorType

Cell = list[Any]
INDENT = "    "


@dataclass(frozen=True)
class CallPlan:
    """What a call does.

    Attributes
    ----------
    executor : Executor          values of the graph's inputs -> tuple of values of its outputs
    argument_types : Types of the arguments
    converters : callables       for each argument, what makes the executor's value of any other
    strict : for each argument, whether only its very dtype will do
    scalars : for every input of the graph, whether the executor takes a Python scalar
    states : cells               read after the arguments; each with its Type, and a cell for spare memory
    result_types : Types of the outputs of the graph
    updates : (cell, output)     stored at the end
    kept : (argument, container) arguments that become the container's value, at the end, too
    form, keys                   of what is returned: the outputs at the positions `returned`
    locks                        held from reading the states to storing them
    calls : CallStats or None    is told the record and the time of every call, where the executor makes a record;
                                 waiting for locks is not in that time
    """

    executor: Any
    argument_types: Sequence[Type]
    converters: Sequence[Converter]
    strict: Sequence[bool]
    scalars: Sequence[bool]
    states: Sequence[tuple[Cell, Type, Cell]]
    result_types: Sequence[Type]
    updates: Sequence[tuple[Cell, int]]
    form: str
    keys: Sequence[Any]
    returned: int
    locks: Sequence[Any] = ()
    kept: Sequence[tuple[int, Container]] = ()
    calls: Any = None


def make_call(plan: CallPlan, checked: bool = True) -> Callable[..., Any]:
    """The function of the arguments that `plan` describes.

    Without `checked`, what compiled code does not look at itself goes to it as it is: integers, known lengths.
    """
    count = len(plan.argument_types)
    names: dict[str, Any] = {"__name__": __name__, "ndarray": np.ndarray, "array": np.array, "item": np.ndarray.item,
                             "empty_like": np.empty_like, "count": sys.getrefcount, "ALONE": ALONE,
                             "float64": np.float64, "execute": plan.executor.entry,
                             "failure": plan.executor.failure, "error_of": plan.executor.error_of}
    names.update((f"convert{i}", convert) for i, convert in enumerate(plan.converters))
    every = [_check(plan, names, i) for i in range(count)]
    given = [f"x{i}" for i in range(count)]
    work = _work(plan, names)
    start, timed = _start(plan, names)
    if plan.executor.refuses:
        quick, kept = start, [*given, *timed]
        for i in range(count):
            if checked and not _looks_itself(plan, i):
                kept[i] = f"given{i}"
                quick += [f"given{i} = x{i}", *every[i]]
        text = _function("call", given, [*quick, *work, f"return careful({', '.join(kept)})"])
        converted = [*(line for lines in every for line in lines), *work,
                     "raise AssertionError('converted arguments are refused')"]

        def careful(*arguments: Any) -> Any:
            # Most functions are never given what must be converted.
            _define("careful", _function("careful", [*given, *timed], converted), names)
            return names["careful"](*arguments)

        names["careful"] = careful
    else:
        text = _function("call", given, [*start, *(line for lines in every for line in lines), *work])
    return _define("call", text, names)


def _define(name: str, text: Sequence[str], names: dict[str, Any]) -> Callable[..., Any]:
    exec(compile("\n".join(text), "<call of an nbgraph function>", "exec"), names)
    made: Callable[..., Any] = names[name]
    return made


def _start(plan: CallPlan, names: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The statements with which a timed call begins, and the names that they make."""
    if plan.calls is None:
        return [], []
    names.update(zeros=np.zeros, int64=np.int64, now=time.monotonic_ns, took=plan.calls.add)
    return [f"record = zeros({plan.executor.timeline.size}, int64)", "began = now()"], ["record", "began"]


def _function(name: str, arguments: Sequence[str], body: Sequence[str]) -> list[str]:
    return [f"def {name}({', '.join(arguments)}):", *(INDENT + line for line in body)]


def _looks_itself(plan: CallPlan, i: int) -> bool:
    """True where compiled code sees whether an argument is what it takes: arrays of any lengths, and floats."""
    kind = plan.argument_types[i]
    if not isinstance(kind, TensorType):
        return False
    if plan.scalars[i]:
        return kind.dtype == "float64" and not plan.strict[i]
    return all(n is None for n in kind.shape)


def _check(plan: CallPlan, names: dict[str, Any], i: int) -> list[str]:
    """The statements that take an argument of the right kind as it is, and convert any other."""
    kind, careful = plan.argument_types[i], f"x{i} = convert{i}(x{i})"
    if not isinstance(kind, TensorType):
        return [careful]
    if plan.scalars[i]:
        return [careful] if plan.strict[i] else _scalar_check(f"x{i}", kind.dtype, careful)
    names[f"dtype{i}"] = kind.numpy_dtype
    return [_array_check(f"x{i}", f"dtype{i}", kind, careful)]


def _work(plan: CallPlan, names: dict[str, Any]) -> list[str]:
    """The statements between conversion and return. They end in a return, but where the executor has refused."""
    count = len(plan.argument_types)
    values = [f"x{i}" for i in range(count)]
    for i, (cell, kind, _) in enumerate(plan.states):
        names[f"s{i}"] = cell
        scalar = plan.scalars[count + i] and isinstance(kind, TensorType)
        values.append(f"item(v{i})" if scalar else f"v{i}")
    for i, constant in enumerate(plan.executor.constants):
        names[f"c{i}"] = constant
        values.append(f"c{i}")
    # Each state is read once: another thread may set it while this call runs.
    lines = [f"v{i} = held(s{i})" if count + i in plan.executor.states else f"v{i} = s{i}[0]"
             for i in range(len(plan.states))]
    lines += _memory(plan, names)
    if plan.executor.states:
        from nbgraph.tensor.random.type import held  # loaded where there are generators
        names["held"] = held
    values += [f"d{i}" for i in range(len(plan.executor.destinations))]
    values += [] if plan.calls is None else ["record"]
    lines += [f"try: r = execute({', '.join(values)})", "except failure as failed: raise error_of(failed) from None"]
    lines += _after(plan.executor.refuses, "if r is not None:", _results(plan, names))
    names.update((f"lock{i}", lock) for i, lock in enumerate(plan.locks))
    if not plan.locks:
        return lines
    timed = plan.calls is not None
    # Waiting for other calls is no work of this one.
    lines = [*(["began += now() - waiting"] if timed else []), *lines]
    return [*(["waiting = now()"] if timed else []),
            *_after(True, f"with {', '.join(f'lock{i}' for i in range(len(plan.locks)))}:", lines)]


def _after(wanted: bool, head: str, lines: list[str]) -> list[str]:
    """The statements as the body of another one, where it is wanted."""
    return [head, *(INDENT + line for line in lines)] if wanted else lines


def _scalar_check(x: str, dtype: str, careful: str) -> list[str]:
    """The statements that take Python and NumPy numbers of the right kind as they are."""
    if dtype == "int64":
        return [f"if type({x}) is not int or not {-2**63} <= {x} < {2**63}: {careful}"]
    if dtype == "float64":
        # Up to 2**53 every int is a float; larger ones are the converter's to judge.
        return [f"if type({x}) is not float and type({x}) is not float64:",
                f"    if type({x}) is int and {-2**53} <= {x} <= {2**53}: {x} = float({x})",
                f"    else: {careful}"]
    return [careful]


def _array_check(x: str, dtype: str, kind: TensorType, careful: str) -> str:
    """The statement that takes an array of the right dtype, rank, known lengths and layout as it is."""
    # `is` on dtypes: the built-in ones are singletons; another takes the careful way, as read-only arrays do.
    tests = [f"type({x}) is not ndarray", f"{x}.dtype is not {dtype}", f"{x}.ndim != {kind.ndim}",
             f"not {x}.flags.carray",
             *(f"{x}.shape[{axis}] != {n}" for axis, n in enumerate(kind.shape) if n is not None)]
    return f"if {' or '.join(tests)}: {careful}"


def _memory(plan: CallPlan, names: dict[str, Any]) -> list[str]:
    """The statements that find an array for each update: the spare one where nobody else holds it, else a new one.

    Only one that owns its memory: what a view looks at may be somebody else's.
    """
    lines = []
    for i, (_, place) in enumerate(plan.executor.destinations):
        state = place - len(plan.argument_types)
        names[f"p{i}"] = plan.states[state][2]
        lines += [f"d{i} = p{i}[0]",
                  f"if d{i} is None or count(d{i}) != ALONE or d{i}.shape != v{state}.shape "
                  f"or not (d{i}.flags.carray and d{i}.flags.owndata):",
                  f"{INDENT}d{i} = empty_like(v{state})"]
    return lines


def _references_to_what_is_held_once() -> int:
    """What `sys.getrefcount` gives, in a function like those made here, for an array that only a cell holds.

    -1 where that does not tell: then no array is ever found alone.
    """
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return -1  # another thread may be about to hold it
    counts: list[int] = []
    held = np.empty(1)
    for cell in ([np.empty(1)], [held]):
        names: dict[str, Any] = {"count": sys.getrefcount, "p0": cell, "seen": counts.append, "lock": nullcontext()}
        exec("def call():\n    with lock:\n        d0 = p0[0]\n"
             "        if d0 is None or seen(count(d0)) or not d0.flags.carray: d0 = None\n        return d0", names)
        names["call"]()
    alone, shared = counts
    return alone if shared == alone + 1 else -1


ALONE = _references_to_what_is_held_once()


def _own_copy(kind: Type) -> Callable[[Any], Any]:
    """What makes a value for a container from an argument."""
    if not isinstance(kind, TensorType):
        return copy.deepcopy
    return partial(np.array, dtype=kind.numpy_dtype, order="C", copy=True)


def _results(plan: CallPlan, names: dict[str, Any]) -> list[str]:
    """The statements from the executor's results to the return."""
    results = [f"r{i}" for i in range(len(plan.result_types))]
    lines = [f"{', '.join(results)}{',' if len(results) == 1 else ''} = r"] if results else []
    for i, kind in enumerate(plan.result_types):
        if isinstance(kind, TensorType) and kind.ndim == 0:
            names[f"kind{i}"] = kind.numpy_dtype
            lines.append(f"if type(r{i}) is not ndarray: r{i} = array(r{i}, kind{i})")
    for i, container in plan.kept:
        names[f"own{i}"], names[f"put{i}"] = _own_copy(plan.argument_types[i]), container.put
        lines.append(f"k{i} = own{i}(x{i})")
    lines += [f"put{i}(k{i})" for i, _ in plan.kept]
    for i, (_, place) in enumerate(plan.executor.destinations):
        lines.append(f"p{i}[0] = v{place - len(plan.argument_types)}")
    for i, (cell, output) in enumerate(plan.updates):
        names[f"u{i}"] = cell
        lines.append(f"u{i}[0] = r{output}")
    if plan.calls is not None:
        lines.append("took(record, now() - began)")
    given = results[:plan.returned]
    if plan.form == "single":
        lines.append(f"return {given[0]}")
    elif plan.form == "dict":
        lines.append(f"return {{{', '.join(f'{key!r}: {r}' for key, r in zip(plan.keys, given, strict=True))}}}")
    elif plan.form == "list":
        lines.append(f"return [{', '.join(given)}]")
    else:
        lines.append("return None")
    return lines
