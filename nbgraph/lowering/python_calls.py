"""Python's side of a native call: what runs Ops that have Python code only, and keeps the objects of a call.

    entry = with_python(native_entry, parts)      entry(*values): the same, objects of Python among values and results

Native code asks for node k, and gets copies of the arrays that it makes; where the Op raises, the call ends, and the
exception is raised as it is, with the line where the Op was applied.
"""

from __future__ import annotations

import copy
import ctypes
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nbgraph.dispatch.checks import PYTHON_FAILED, CheckFailed
from nbgraph.errors import ShapeError
from nbgraph.graph.basic import Apply
from nbgraph.graph.evaluate import destroyed_by, perform_checked, unaliased
from nbgraph.lowering.foreign import PythonParts
from nbgraph.tensor.type import TensorType

_numbers = itertools.count(1)
_calls: dict[int, _Call] = {}
_signature = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.POINTER(ctypes.c_int64))


class _Call:
    """One call of a native function.

    Attributes
    ----------
    objects : list       what handles stand for
    made : dict          place -> array that a node has made
    failure : the exception that ends the call, or None
    """

    def __init__(self, parts: PythonParts) -> None:
        self.parts = parts
        self.objects = list(parts.constants)
        self.made: dict[int, np.ndarray] = {}
        self.failure: BaseException | None = None

    def handle(self, value: Any) -> int:
        """The number under which an object is found."""
        self.objects.append(value)
        return len(self.objects) - 1

    def run(self, number: int, words: Any) -> None:
        """Node `number`, on the arguments that the words describe; they end with the lengths that it must give."""
        node = self.parts.nodes[number]
        at, destroyed = itertools.count(), destroyed_by(node)
        results = perform_checked(node, [self._argument(v.type, words, at, i in destroyed)
                                         for i, v in enumerate(node.inputs)])
        for k, (v, result) in enumerate(zip(node.outputs, results, strict=True)):
            if not isinstance(v.type, TensorType):
                result = np.array([self.handle(result)])
            array = np.ascontiguousarray(result).reshape(np.shape(result) or (1,))
            for axis, n in enumerate(array.shape):
                wanted = _integer(words[next(at)])
                if wanted not in (-1, n):
                    raise _wrong_length(node, k, axis, wanted, array.shape)
            self.made[self.parts.places[number, k]] = array

    def _argument(self, kind: Any, words: Any, at: Any, destroyed: bool) -> Any:
        """A copy of an array or scalar, since an Op may keep what it is given; the object that a handle stands for."""
        if not isinstance(kind, TensorType):
            value = self.objects[_integer(words[next(at)])]
            return copy.deepcopy(value) if destroyed else value
        start = words[next(at)]
        value = np.empty([words[next(at)] for _ in range(kind.ndim)], kind.numpy_dtype)
        ctypes.memmove(value.ctypes.data, start, value.nbytes)
        return value

    def fetch(self, place: int, words: Any) -> None:
        """The lengths of an array, and where it is."""
        array = self.made[place]
        for axis, n in enumerate(array.shape):
            words[axis] = n
        words[array.ndim] = array.ctypes.data


def _integer(address: int) -> int:
    return ctypes.c_int64.from_address(address).value


def _wrong_length(node: Apply, output: int, axis: int, expected: int, shape: Sequence[int]) -> ShapeError:
    return ShapeError(node.op, f"infer_shape gives length {expected} for axis {axis} of output {output}, perform gives "
                      f"an array of shape {tuple(shape)}", line=node.line, fix="mend its infer_shape")


def _guarded(step: Callable[[_Call], Callable[[int, Any], None]]) -> Any:
    """A C function for a method of the call with a number: 0, or 1 where it has failed."""
    def entered(number: int, place: int, words: Any) -> int:
        call = _calls[number]
        try:
            step(call)(place, words)
        except BaseException as failure:  # told by `entry`: no exception crosses native code
            call.failure = failure
            return 1
        return 0
    return _signature(entered)


_RUN, _FETCH = _guarded(lambda call: call.run), _guarded(lambda call: call.fetch)
_ADDRESSES = [ctypes.cast(function, ctypes.c_void_p).value for function in (_RUN, _FETCH)]


def with_python(native: Callable[..., Any], parts: PythonParts) -> Callable[..., Any]:
    """`native`, which takes int64[3] last where a node is left to Python, as a function of the values of the graph."""
    objects = [k for k, is_object in enumerate(parts.inputs) if is_object]
    returned = [k for k, is_object in enumerate(parts.outputs) if is_object]

    def entry(*values: Any) -> Any:
        call, number = _Call(parts), next(_numbers)
        given = list(values)
        for k in objects:
            given[k] = call.handle(values[k])
        if parts.nodes:
            given.append(np.array([*_ADDRESSES, number]))
        _calls[number] = call
        try:
            results = native(*given)
        except CheckFailed as failed:
            if failed.args[0] != PYTHON_FAILED or call.failure is None:
                raise
        finally:
            del _calls[number]
        if call.failure is not None:
            # Not where the other is handled: that would take the place of what the exception itself was raised in.
            try:
                raise call.failure
            finally:
                call.failure = None  # its traceback leads back to the call: arrays would wait for the collector
        if results is None or not returned:
            return results
        shown = list(results)
        others = [*(values[k] for k in objects), *parts.constants]
        for k, value in zip(returned, unaliased([call.objects[results[k]] for k in returned], others), strict=True):
            shown[k] = value
        return tuple(shown)

    return entry
