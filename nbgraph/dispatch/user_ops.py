"""Numba code of users in Ops: elementwise functions that fuse into loops, and kernels of whole arrays.

    @elementwise(derivative=lambda x: 2 * x)          @numba_kernel(RunningMax)
    def squared(x):                                   def running_max(op, node):
        return x * x                                      def kernel(x):
                                                              out = x.copy()
    squared(matrix)     like nt.square                        …
                                                              return out
                                                          return kernel
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.dispatch import user_code
from nbgraph.dispatch.rules import UserKernel, gives_user_kernel
from nbgraph.errors import ArgumentError
from nbgraph.graph.basic import Apply
from nbgraph.graph.null_type import DisconnectedType, grad_not_implemented
from nbgraph.graph.op import Op
from nbgraph.graph.source import user_line
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.scalar_function import ScalarFunction, common, real_float


class _Elements:
    """A function of numbers, of arrays: what `perform` calls."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self._compiled: Any = None

    def __call__(self, *arrays: Any) -> np.ndarray:
        spread = np.broadcast_arrays(*arrays)
        values = [self._value(*(a.flat[k] for a in spread)) for k in range(spread[0].size)]
        return np.array(values or [], None if values else float).reshape(spread[0].shape)

    def _value(self, *numbers: Any) -> Any:
        try:
            return self.function(*numbers)
        except (ValueError, ZeroDivisionError, OverflowError):
            # Where Python's `math` raises, compiled code gives NaN or infinity.
            if self._compiled is None:
                from numba import njit
                self._compiled = njit(error_model="numpy")(self.function)
            return self._compiled(*numbers)


class _Undifferentiated(Elemwise):
    """An elementwise function without a derivative."""

    def L_op(self, inputs: Sequence[Any], outputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        if isinstance(output_gradients[0].type, DisconnectedType):
            return [DisconnectedType()() for _ in inputs]
        return [grad_not_implemented(self, k, x, "give elementwise(derivative=...)") for k, x in enumerate(inputs)]

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        return [grad_not_implemented(self, k, x, "give elementwise(derivative=...)") for k, x in enumerate(inputs)][:1]


def elementwise(function: Any = None, *, derivative: Any = None, dtype: str | None = None, expensive: bool = True,
                name: str | None = None) -> Any:
    """A tensor function made of a Python function of numbers that Numba can compile.

    z[i] = function(x[i], y[i], …), shapes broadcast as in NumPy. It is compiled into the loops of its neighbours, which
    have no memory management and do not stop: it must make no arrays, lists, dicts or strings (it may read arrays that
    are there), and must not raise. Its globals are those of now, later changes do not reach it.

    Parameters
    ----------
    function : Python function, or what `numba.njit` made of one      of numbers; it must not raise
    derivative : callable, sequence of callables, 0 or "central", optional
        symbolic: inputs -> the derivative, or a tuple of one for each input; a callable or 0 for each;
        0: constant between its steps; "central": (f(x + h) - f(x - h)) / 2h with h = eps**(1/3) max(1, |x|), about
        ten digits in float64; None: `grad` says that there is none
    dtype : str, optional      of the result; default: the common float dtype of the inputs
    expensive : bool           False: computing it again is cheaper than reading it from memory
    name : str, optional       default: the function's

    Returns
    -------
    callable (*tensors, name=None) -> variable; its Op is its attribute `op`

    Raises
    ------
    TypeError       `function` is no Python function
    KernelError     it raises, or refers to what can't be pickled; when `nbgraph.function` compiles it: Numba can't, it
                    does not give a number in every case, it makes arrays
    ArgumentError   its parameters are not a fixed number, or there is not one derivative for each

    Examples
    --------
    >>> import math
    >>> @elementwise(derivative="central")
    ... def bump(x):
    ...     return math.exp(-1 / (1 - x * x)) if abs(x) < 1 else 0.0
    """
    if function is None:
        return lambda f: elementwise(f, derivative=derivative, dtype=dtype, expensive=expensive, name=name)
    kernel = user_code.register(function, may_raise=False)
    plain = user_code.call(kernel)
    names = tuple(p.name for p in inspect.signature(plain).parameters.values()
                  if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if not names or len(names) != len(inspect.signature(plain).parameters):
        raise ArgumentError(plain.__name__, "an elementwise function has a fixed number of parameters, at least one",
                            line=user_line(), fix="write def f(x, y): …")
    title = name or plain.__name__
    entry = ScalarFunction(title, len(names), _Elements(plain), _signature(len(names), dtype),
                           inspect.getdoc(plain) or f"{title} of numbers", kernel, None,
                           ((-3.0, 3.0),) * len(names), expensive, module=plain.__module__)
    op = _Undifferentiated(entry) if derivative is None else Elemwise(entry)
    if derivative is not None and not _is_zero(derivative):
        object.__setattr__(entry, "pullback", _pullback(op, derivative, title, len(names)))

    def tensor_function(*args: Any, name: str | None = None) -> Any:
        if len(args) != len(names):
            raise ArgumentError(title, f"takes {len(names)} arguments ({', '.join(names)}), got {len(args)}",
                                line=user_line(), fix="give one for each parameter")
        return op(*args, name=name)

    tensor_function.__name__ = tensor_function.__qualname__ = title
    tensor_function.__doc__ = entry.doc
    tensor_function.op = op  # type: ignore[attr-defined]
    return tensor_function


def _signature(count: int, dtype: str | None) -> Callable[..., tuple[str, ...]]:
    if dtype is None:
        return real_float(count)
    shared = common(count)
    return lambda *kinds: (*shared(*kinds)[:-1], dtype)


def _pullback(op: Elemwise, derivative: Any, title: str, count: int) -> Callable[..., tuple[Any, ...]]:
    """g, inputs, output -> the gradient of each input."""
    if isinstance(derivative, str):
        if derivative != "central":
            raise ArgumentError(title, f"derivative={derivative!r}", line=user_line(), fix='write derivative="central"')
        return lambda g, *inputs: tuple(g * _central(op, inputs[:count], k) for k in range(count))

    def pullback(g: Any, *inputs: Any) -> tuple[Any, ...]:
        xs = inputs[:count]
        found = (tuple(d if _is_zero(d) else d(*xs) for d in derivative) if isinstance(derivative, Sequence)
                 else derivative(*xs))
        slopes = found if isinstance(found, tuple) else (found,)
        if len(slopes) != count:
            raise ArgumentError(title, f"has {count} parameters and {len(slopes)} derivatives", line=user_line(),
                                fix="give a tuple of one for each parameter")
        return tuple(None if _is_zero(d) else g * d for d in slopes)
    return pullback


def _is_zero(derivative: Any) -> bool:
    return isinstance(derivative, (int, float)) and derivative == 0


def _central(op: Elemwise, inputs: Sequence[Any], k: int) -> Any:
    """The slope by input k, from two values."""
    x = inputs[k]
    working = op.function.signature(*(v.type.dtype for v in inputs))[k]
    x = nt.cast(x, working)
    step = float(np.finfo(working).eps) ** (1 / 3) * nt.maximum(nt.abs(x), np.ones((), working))
    above, below = x + nt.cast(step, working), x - nt.cast(step, working)
    return (op(*inputs[:k], above, *inputs[k + 1:]) - op(*inputs[:k], below, *inputs[k + 1:])) / (above - below)


def numba_kernel(op_type: type[Op]) -> Callable[[Callable[[Any, Apply], Any]], Callable[[Any, Apply], Any]]:
    """Give an Op a native kernel: a decorator of a function (op, node) that returns what Numba compiles.

    What it returns takes the values of the node's inputs, C-contiguous arrays and numbers, and gives those of its
    outputs: an array of the output's rank for each, a number or an array of one element for a 0-d one, a tuple where
    there are several. Integers are cast to floats, but a float for an integer output is an error, and so is a length
    that the Type of the output does not have. It may raise; the exception reaches the caller, with a note where the Op
    was applied. It may close over parameters of the Op. `infer_shape` is not trusted: the lengths of what comes back
    are. A second kernel of the same class replaces the first one.

    Raises
    ------
    TypeError        `op_type` is no class of Ops
    AssertionError   nbgraph has a kernel for it

    Examples
    --------
    >>> @numba_kernel(MovingAverage)
    ... def moving_average(op, node):
    ...     window = op.window
    ...     def kernel(x):
    ...         out = np.empty(x.size - window + 1)
    ...         for i in range(out.size):
    ...             out[i] = x[i:i + window].mean()
    ...         return out
    ...     return kernel
    """
    if not (isinstance(op_type, type) and issubclass(op_type, Op)):
        raise TypeError(f"numba_kernel takes a class of Ops, got {op_type!r}")

    def decorate(make: Callable[[Any, Apply], Any]) -> Callable[[Any, Apply], Any]:
        gives_user_kernel(op_type, lambda node: UserKernel(user_code.register(make(node.op, node), may_raise=True)))
        return make
    return decorate
