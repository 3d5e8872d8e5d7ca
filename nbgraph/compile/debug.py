"""DebugMode: every call checks itself, and says which node, rule or Op is wrong.

    f = function([x], z, mode="DebugMode")
    f(3.0)      DebugModeError: log1p: the compiled function gives element [0]: 0.5 instead of 0.69 …

| looked at                                       | against                                                      |
|-------------------------------------------------|--------------------------------------------------------------|
| each node of the function that ships            | `perform` (or `debug_perform`) on the values that it read    |
| each replacement by a rewriting rule            | the value of what it replaced                                |
| each result of `perform`                        | the output's Type, `view_map`, `destroy_map`, `infer_shape`  |
| inputs after the call, results among each other | unchanged, memory of their own                               |
| memory that is left unwritten                   | it is filled with a pattern first, where the system can      |

Each call runs the Python code of an Op several times: what it gives must be determined by its inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nbgraph.compile.comparison import difference
from nbgraph.compile.long_double import evaluate_long
from nbgraph.compile.mode import Mode
from nbgraph.compile.watching import WatchingExecutor, as_typed
from nbgraph.errors import DebugModeError
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.graph.evaluate import destroyed_by, evaluate_all, perform_checked, value_of
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.traversal import toposort
from nbgraph.rewrites.shapes import Shapes, as_scalar
from nbgraph.tensor.type import TensorType

# Two sides of a rule that differ by less are equal; where they differ by more, long doubles decide.
RULE_TOLERANCE = {"float64": 1e-12, "complex128": 1e-12, "float32": 1e-5, "complex64": 1e-5}
SHRINKS = 16      # rounding gets so much smaller, at least


@dataclass(frozen=True)
class DebugMode(Mode):
    """FAST_RUN, checked at every call: slow, and meant to find what is wrong in an Op, a rule or this library."""

    name: str = "DebugMode"

    def execute(self, fgraph: FunctionGraph, name: str, input_names: Sequence[str | None], *rest: Any,
                written: FunctionGraph | None = None, report: Any = None, **options: Any) -> Any:
        """What runs `fgraph` and checks it."""
        shipped = super().execute(fgraph, name, input_names, *rest, written=written, report=report, **options)
        return _Debugger(shipped, fgraph, name, input_names, written or fgraph, getattr(report, "rows", ()),
                         options.get("generators", ()))


class _Debugger(WatchingExecutor):
    def __init__(self, shipped: Any, fgraph: FunctionGraph, name: str, input_names: Sequence[str | None],
                 written: FunctionGraph, rows: Sequence[Any], generators: Sequence[str | None]) -> None:
        super().__init__(shipped, fgraph, name, input_names, generators)
        self.written = written
        self.fired = [(row.name, *firing) for row in rows for firing in row.fired]

    def entry(self, *values: Any) -> Any:
        """As that of `shipped`, in memory that holds a pattern before it is written."""
        from nbgraph.lowering.allocator import patterned_memory  # brings Numba in
        with patterned_memory():
            return super().entry(*values)

    def look(self, watched: Any, before: Sequence[Any], after: Sequence[Any], results: Sequence[Any],
             outputs: Sequence[Any], seen: Sequence[Any]) -> None:
        """DebugModeError at the first thing that is wrong."""
        inputs = [as_typed(v, x) for v, x in zip(self.written.inputs, before, strict=True)]
        _check_inputs(self.written.inputs, before, after)
        _check_memory(results, after)
        self._check_written_graph(inputs)
        self._check_rules(inputs)
        self._check_nodes(watched, watched.taken(inputs), watched.taken(results, outputs=True), outputs, seen)

    def _check_written_graph(self, inputs: Sequence[Any]) -> None:
        """The user's graph: Types, words about memory, lengths."""
        known = evaluate_all(self.written, inputs, _performed)
        axes, graph = self._lengths
        asked = evaluate_all(graph, inputs)
        for (v, axis), n in zip(axes, graph.outputs, strict=True):
            actual = np.shape(known[v])
            if axis >= len(actual) or int(value_of(n, asked)) != actual[axis]:
                raise _wrong(v.owner, f"infer_shape gives length {value_of(n, asked)} for axis {axis}, perform gives "
                             f"an array of shape {actual}", "mend its infer_shape")

    @cached_property
    def _lengths(self) -> tuple[list[tuple[Variable, int]], FunctionGraph]:
        """The axes of all that is computed, and a graph of their lengths as `infer_shape` says them."""
        shapes = Shapes(self.written)
        found = {(v, axis): as_scalar(n) for node in self.written.nodes for v in node.outputs
                 if isinstance(v.type, TensorType) for axis, n in enumerate(shapes.of(v))}
        return list(found), FunctionGraph(self.written.inputs, list(found.values()))

    @cached_property
    def _replaced(self) -> tuple[list[tuple[str, Variable, Variable]], FunctionGraph]:
        """The rules that fired, with what each replaced and what by; a graph of all that."""
        pairs = [(f"{name} ({rule})", old, new) for name, rule, old, new in self.fired
                 if isinstance(old.type, TensorType)]
        return pairs, FunctionGraph(self.written.inputs, list(dict.fromkeys(v for _, *both in pairs for v in both)))

    def _check_rules(self, inputs: Sequence[Any]) -> None:
        """What a rule gave has the value of what it replaced."""
        pairs, graph = self._replaced
        known = evaluate_all(graph, inputs)
        long: Any = None
        for rule, old, new in pairs:
            a, b = value_of(old, known), value_of(new, known)
            if _close(a, b, RULE_TOLERANCE.get(old.type.dtype, 0.0)):
                continue
            long = evaluate_long(graph, inputs) if long is None else long
            if not _is_rounding(old, new, (a, b), *long):
                raise DebugModeError(f"rule {rule}", f"gives {_shown(b)} instead of {_shown(a)}",
                                     line=None if old.owner is None else old.owner.line, replaced=old, by=new,
                                     fix="leave it out with Mode().excluding(...), and report it")

    def _check_nodes(self, watched: Any, inputs: Sequence[Any], results: Sequence[Any], outputs: Sequence[Any],
                     seen: Sequence[Any]) -> None:
        """What the compiled function computes is what `perform` gives for the values that it read."""
        from nbgraph.lowering.foreign import touches_objects  # brings Numba in
        graph, parts = watched.graph, watched.python
        # An object is a number in this graph, and what follows from one is not looked at.
        known = {v: x for v, x, is_object in zip(graph.inputs, inputs, parts.inputs, strict=True) if not is_object}
        found: dict[Variable, list[Any]] = {}
        for one in seen:
            found.setdefault(one.variable, []).append((one.value, one.mark))
        arrays = [k for k, is_object in enumerate(parts.outputs) if not is_object]
        for k in arrays:
            found.setdefault(graph.outputs[k], []).append((outputs[k], None))
        read: dict[Apply, list[Any]] = {}
        for node in graph.nodes:
            values = {v: as_typed(v, value) for v in node.outputs for value, mark in found.get(v, ()) if mark is None}
            if any(v not in known and not isinstance(v, Constant) for v in node.inputs) or touches_objects(node):
                known.update(values)
                continue
            arguments = read[node] = [value_of(v, known) for v in node.inputs]
            for k, (v, expected) in enumerate(zip(node.outputs, _performed(node, arguments), strict=True)):
                for value, mark in found.get(v, ()):
                    _compare(node, k, expected, as_typed(v, value), arguments, mark)
                known[v] = values.get(v, expected)
        for k in arrays:
            v = graph.outputs[k]
            if v.owner is not None and v.index is not None and v.owner in read:
                # Where nobody looks, quotients are products: roundings differ on the way.
                slack = RULE_TOLERANCE.get(getattr(v.type, "dtype", ""), 0.0)
                _compare(v.owner, v.index, known[v], as_typed(v, results[k]), read[v.owner], None, slack)


def _performed(node: Apply, arguments: Sequence[Any]) -> list[Any]:
    """What `perform` gives; DebugModeError where it does not keep its word about memory."""
    op: Any = node.op
    copies = [x.copy() if isinstance(x, np.ndarray) else x for x in arguments]
    results = perform_checked(node, copies)
    destroyed = destroyed_by(node)
    for k in _tensors(node.inputs):
        given, left = arguments[k], copies[k]
        if isinstance(given, np.ndarray) and k not in destroyed and not _same_bits(given, left):
            raise _wrong(node, f"perform overwrites input {k}, which destroy_map does not say",
                         "say destroy_map = {output: [input]}, or work on a copy")
    for k in _tensors(node.outputs):
        result, allowed = results[k], {*op.view_map.get(k, ()), *op.destroy_map.get(k, ())}
        for i in _tensors(node.inputs):
            x = copies[i]
            if i not in allowed and isinstance(x, np.ndarray) and isinstance(result, np.ndarray) \
                    and x.size and result.size and np.may_share_memory(x, result):
                raise _wrong(node, f"output {k} of perform shares memory with input {i}, which view_map does not say",
                             "say view_map = {output: [input]}, or give a copy")
    if hasattr(op, "debug_perform"):
        storage: list[list[Any]] = [[None] for _ in node.outputs]
        op.debug_perform(node, list(arguments), storage)
        for k, (expected, (other,)) in enumerate(zip(results, storage, strict=True)):
            wrong = difference(node, k, expected, other, arguments)
            if wrong is not None:
                raise _wrong(node, f"debug_perform gives, for output {k}, {wrong}", "make it and perform agree")
    return results


def _tensors(variables: Sequence[Variable]) -> list[int]:
    """The positions of those that are no objects of Python."""
    return [k for k, v in enumerate(variables) if isinstance(v.type, TensorType)]


def _compare(node: Apply, position: int, expected: Any, actual: Any, arguments: Sequence[Any], mark: Any,
             slack: float = 0.0) -> None:
    wrong = difference(node, position, expected, actual, arguments, mark, slack)
    if wrong is None:
        return
    what = "leaves memory unwritten" if _holds_pattern(expected, actual) else "gives"
    fix = ("its kernel, or the loop that it is fused into, is wrong: mode='reference' runs without it, and a small "
           "graph with this node is worth a report")
    if _reads_user_code(node):
        fix = f"what `perform` gives must be determined by its inputs, as it runs several times here; if it is, {fix}"
    raise _wrong(node, f"the compiled function {what}: {wrong}", fix)


def _reads_user_code(node: Apply) -> bool:
    """True for a node that is computed by code of a user, or from what such code gives."""
    from nbgraph.lowering.foreign import Foreign  # brings Numba in
    return any(isinstance(before.op, Foreign) for before in toposort(node.outputs))


def _holds_pattern(expected: Any, actual: Any) -> bool:
    """True where an element that differs is made of the bytes that memory was filled with."""
    from nbgraph.lowering.allocator import PATTERN  # brings Numba in
    if not isinstance(actual, np.ndarray) or actual.shape != np.shape(expected):
        return False
    different = np.ascontiguousarray(actual[actual != expected])
    return bytes([PATTERN]) * different.itemsize in {element.tobytes() for element in different.ravel()}


def _check_inputs(variables: Sequence[Variable], before: Sequence[Any], after: Sequence[Any]) -> None:
    for v, old, new in zip(variables, before, after, strict=True):
        if isinstance(v.type, TensorType) and isinstance(old, np.ndarray) and not _same_bits(old, new):
            raise DebugModeError(None, f"the call has overwritten its argument {v}", variable=v,
                                 fix="a kernel of one's own that writes into what it reads must copy that first; "
                                     "without such a kernel, it is a mistake of nbgraph: please report it")


def _check_memory(results: Sequence[Any], inputs: Sequence[Any]) -> None:
    arrays = [x for x in (*results, *inputs) if isinstance(x, np.ndarray) and x.size]
    for k, result in enumerate(results):
        others = [x for x in arrays if x is not result]
        if isinstance(result, np.ndarray) and any(np.shares_memory(result, x) for x in others):
            raise DebugModeError(None, f"output {k} shares memory with an input or another output",
                                 fix="a mistake of nbgraph: please report it")


def _close(a: Any, b: Any, tolerance: float) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return np.array_equal(a, b) if not tolerance else bool(np.allclose(a, b, tolerance, 0, equal_nan=True))


def _is_rounding(old: Variable, new: Variable, values: tuple[Any, Any], known: dict[Variable, Any],
                 short: set[Variable]) -> bool:
    """True where both sides of a rule come closer together when they are computed with more digits."""
    a, b = values
    long_a, long_b = value_of(old, known), value_of(new, known)
    tolerance = RULE_TOLERANCE.get(old.type.dtype, 0.0)
    if np.asarray(a).dtype.kind not in "fc" or np.shape(a) != np.shape(b):
        return False
    with np.errstate(all="ignore"):
        before, after = np.abs(a - b), np.abs(long_a - long_b)
        same = _both_nan(a, b) | (a == b)
        equal = long_a == long_b
        # What has no value with more digits either may be given one: 0 * inf, or inf / inf.
        hopeless = ~np.isfinite(long_a) | bool({old, new} & short) | np.isclose(long_a, long_b, tolerance, 0)
        better = ~np.isfinite(a) & np.isfinite(b) & hopeless
        return bool(np.all(same | better | equal | (after * SHRINKS <= before)))


def _both_nan(a: Any, b: Any) -> Any:
    return (a != a) & (b != b)


def _same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def _shown(value: Any) -> str:
    return np.array2string(np.asarray(value), threshold=6, edgeitems=2, precision=6)


def _wrong(node: Apply | None, what: str, fix: str) -> DebugModeError:
    assert node is not None, "what is computed has a node"
    operands = {f"input{k}" if v.name is None else v.name: v for k, v in enumerate(node.inputs)}
    return DebugModeError(node.op, what, line=node.line, fix=fix, **operands)
