"""Gradients against finite differences and forward mode against reverse: verify_grad, numeric_grad, verify_forward.

    verify_grad(lambda x, y: nt.exp(x) * y, [np.array([0.1, 2.0]), np.array([1.0, 3.0])])

A random projection makes a scalar of the outputs, so that one gradient checks the whole Jacobian. Central differences:
the error is of order step**2, the step that balances it against rounding is the cube root of the dtype's epsilon.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, GradientError
from nbgraph.gradient.forward import Rop
from nbgraph.gradient.reverse import Lop, grad
from nbgraph.graph.basic import Variable
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.tensor import dtypes
from nbgraph.tensor.type import TensorType

# Largest absolute and relative difference that is let pass.
TOLERANCE = {"float32": 5e-3, "complex64": 5e-3, "float64": 1e-6, "complex128": 1e-6}

Function = Callable[..., Any]


class numeric_grad:
    """The gradient of a real scalar function by central differences.

    Parameters
    ----------
    f : callable             takes the arrays of `pt` one by one, gives a real number
    pt : array or list       where to differentiate; discrete arrays are passed on and held fixed
    eps : float, optional    the step for |x| <= 1, in proportion above; default: cube root of the dtype's epsilon

    Attributes
    ----------
    gf : array or list    as `pt`: dC/da + i dC/db for complex z = a + bi, zeros for discrete arrays
    """

    def __init__(self, f: Function, pt: Any, eps: float | None = None) -> None:
        points = [np.array(p) for p in (pt if isinstance(pt, (list, tuple)) else [pt])]
        found = [_differences(f, points, i, eps) for i in range(len(points))]
        self.gf: Any = found if isinstance(pt, (list, tuple)) else found[0]

    @staticmethod
    def abs_rel_err(a: Any, b: Any) -> tuple[Any, Any]:
        """|a - b|, and |a - b| / max(|a| + |b|, 1e-8); infinite where one is NaN."""
        a, b = np.asarray(a), np.asarray(b)
        with np.errstate(all="ignore"):
            absolute = np.abs(a - b)
            relative = absolute / np.maximum(np.abs(a) + np.abs(b), 1e-8)
        lost = np.isnan(absolute)
        return np.where(lost, np.inf, absolute), np.where(lost, np.inf, relative)

    def abs_rel_errors(self, g_pt: Any) -> list[tuple[Any, Any]]:
        """abs_rel_err of each array against the numeric gradient.

        Raises
        ------
        ValueError   an array has another shape than the numeric gradient
        """
        mine, theirs = (v if isinstance(v, (list, tuple)) else [v] for v in (self.gf, g_pt))
        for i, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            if np.shape(a) != np.shape(b):
                raise ValueError(f"the gradient of argument {i} has shape {np.shape(b)}, the argument {np.shape(a)}")
        return [self.abs_rel_err(a, b) for a, b in zip(mine, theirs, strict=True)]

    def max_err(self, g_pt: Any, abs_tol: float, rel_tol: float) -> tuple[int, tuple[int, ...], float, float]:
        """Where min(absolute / abs_tol, relative / rel_tol) is largest: (argument, index, absolute, relative)."""
        worst: tuple[float, int, tuple[int, ...], float, float] = (-1.0, 0, (), 0.0, 0.0)
        for argument, (absolute, relative) in enumerate(self.abs_rel_errors(g_pt)):
            if not absolute.size:
                continue
            score = np.minimum(absolute / abs_tol, relative / rel_tol)
            index = tuple(int(i) for i in np.unravel_index(int(np.argmax(score)), score.shape))
            if score[index] > worst[0]:
                worst = (float(score[index]), argument, index, float(absolute[index]), float(relative[index]))
        return worst[1:]


def _differences(f: Function, points: list[Any], argument: int, eps: float | None) -> Any:
    """Central differences with respect to one array."""
    point = points[argument]
    if dtypes.is_discrete(point.dtype.name):
        return np.zeros(point.shape)
    gradient = np.zeros_like(point)
    base = float(np.cbrt(np.finfo(point.dtype).eps)) if eps is None else eps
    for index in np.ndindex(point.shape):
        step = base * max(1.0, abs(float(np.abs(point[index]))))
        for direction in (1.0, 1.0j) if np.iscomplexobj(point) else (1.0,):
            gradient[index] += direction * _slope(f, points, argument, index, step, direction)
    return gradient


def _slope(f: Function, points: list[Any], argument: int, index: tuple[int, ...], step: float, direction: Any) -> Any:
    above, below = points[argument].copy(), points[argument].copy()
    above[index] += direction * step
    below[index] -= direction * step
    values = [np.asarray(f(*points[:argument], moved, *points[argument + 1:])) for moved in (above, below)]
    # The step as it came out in the dtype of the point, not as it was asked for.
    return float(values[0] - values[1]) / float(np.abs(above[index] - below[index]))


def verify_grad(fun: Function, pt: Sequence[Any], n_tests: int = 2, rng: Any = None, eps: float | None = None,
                abs_tol: float | None = None, rel_tol: float | None = None, mode: Any = None) -> None:
    """Compare `grad` with finite differences at a point, under random projections of the outputs.

    Parameters
    ----------
    fun : callable        symbolic variables -> a variable or a list of them; an Op will do
    pt : list of arrays   where; float or complex. Discrete arrays are passed on, not differentiated
    n_tests : int         how many projections
    rng : Generator or RandomState, optional    draws the projections; default: the same ones each time
    eps : float           see numeric_grad
    abs_tol, rel_tol      an element fails where both are exceeded; default 1e-6, 5e-3 with single precision
    mode                  None: NumPy evaluation; or a callable (inputs, outputs) -> function, such as
                          partial(nbgraph.function, on_unused_input="ignore")

    Raises
    ------
    GradientError   they differ; says where most
    DTypeError      no array of `pt` or no output can be differentiated
    """
    points = [np.array(p) for p in pt]
    rng = np.random.default_rng(20240229) if rng is None else rng
    inputs, moved = _inputs_for(points)
    outputs = _outputs_of(fun, inputs, moved)
    weights, cost = _projection(outputs)
    gradients = grad(cost, moved, disconnected_inputs="ignore")
    compile_ = _compiler(mode)
    value = compile_(inputs, outputs)(*points)
    cost_at, gradient_at = compile_([*inputs, *weights], [cost]), compile_([*inputs, *weights], gradients)
    loosest = max(TOLERANCE[v.type.dtype] for v in (*moved, *outputs))
    abs_tol, rel_tol = abs_tol or loosest, rel_tol or loosest
    for _ in range(n_tests):
        drawn = [_draw(rng, np.shape(v), w.type.dtype) for v, w in zip(value, weights, strict=True)]
        numeric = numeric_grad(lambda *arrays, drawn=drawn: cost_at(*arrays, *drawn)[0], points, eps)
        numeric.gf = [g for g, x in zip(numeric.gf, inputs, strict=True) if any(x is m for m in moved)]
        _compare(numeric, gradient_at(*points, *drawn), moved, abs_tol, rel_tol)


def verify_forward(fun: Function, pt: Sequence[Any], rng: Any = None, abs_tol: float | None = None,
                   rel_tol: float | None = None, mode: Any = None) -> None:
    """Compare `Rop` with `Lop`: for a direction u and weights v, <v, J u> and <J^T v, u> are one number.

    Parameters
    ----------
    fun, pt, rng, mode    as for verify_grad
    abs_tol, rel_tol      it fails where both are exceeded; default 1e-10, 1e-4 with single precision

    Raises
    ------
    GradientError   they differ
    """
    points = [np.array(p) for p in pt]
    rng = np.random.default_rng(20240229) if rng is None else rng
    inputs, moved = _inputs_for(points)
    outputs = _outputs_of(fun, inputs, moved)
    directions, weights = [x.type() for x in moved], [v.type() for v in outputs]
    pushed = Rop(outputs, moved, directions, disconnected_outputs="ignore")
    pulled = Lop(outputs, moved, weights, disconnected_inputs="ignore")
    compile_ = _compiler(mode)
    values = compile_(inputs, outputs)(*points)
    drawn = [_draw(rng, np.shape(p), p.dtype.name) for p in points if not dtypes.is_discrete(p.dtype.name)]
    drawn += [_draw(rng, np.shape(v), w.type.dtype) for v, w in zip(values, weights, strict=True)]
    both = [_inner(weights, pushed), _inner(directions, pulled)]
    forward, reverse = (float(v) for v in compile_([*inputs, *directions, *weights], both)(*points, *drawn))
    absolute, relative = numeric_grad.abs_rel_err(forward, reverse)
    loosest = max(1e-10 if TOLERANCE[v.type.dtype] < 1e-3 else 1e-4 for v in (*moved, *outputs))
    if absolute > (abs_tol or loosest) and relative > (rel_tol or loosest):
        raise GradientError(None, f"forward and reverse mode disagree: <v, J u> is {forward}, <J^T v, u> is {reverse}",
                            fix="compare R_op and grad of the Ops between",
                            **{f"argument{i}": x for i, x in enumerate(moved)})


def _inner(xs: Sequence[Any], ys: Sequence[Any]) -> Any:
    """The sum of Re(conj(x) * y) over all arrays, in double precision."""
    terms = [nt.sum(nt.cast(nt.real(nt.conj(x) * y), "float64")) for x, y in zip(xs, ys, strict=True)]
    return sum(terms[1:], terms[0])


def _inputs_for(points: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """A variable for each array, lengths of 1 known; and those of them that a gradient can be taken of."""
    inputs = [TensorType(p.dtype, [1 if n == 1 else None for n in p.shape])(f"x{i}") for i, p in enumerate(points)]
    return inputs, [x for x in inputs if not dtypes.is_discrete(x.type.dtype)]


def _outputs_of(fun: Function, inputs: list[Any], moved: list[Any]) -> list[Any]:
    """The outputs of `fun` that a gradient can be taken of."""
    given = fun(*inputs)
    outputs = [nt.as_tensor_variable(v) for v in (given if isinstance(given, (list, tuple)) else [given])]
    outputs = [v for v in outputs if not dtypes.is_discrete(v.type.dtype)]
    if not outputs or not moved:
        raise DTypeError(None, "verify_grad needs at least one floating or complex point and output",
                         fix="pass float arrays, and a function whose result is no integer",
                         **{f"point{i}": x for i, x in enumerate(inputs)})
    return outputs


def _projection(outputs: Sequence[Any]) -> tuple[list[Any], Any]:
    """Weights (inputs to be drawn), and the sum of Re(conj(weight) * output) over all outputs."""
    weights = [v.type(f"weight{i}") for i, v in enumerate(outputs)]
    return weights, _inner(weights, outputs)


def _draw(rng: Any, shape: tuple[int, ...], dtype: str) -> Any:
    # Away from zero, of both signs: no element of an output goes unseen.
    def part() -> Any:
        return rng.uniform(0.5, 1.5, shape) * np.where(rng.uniform(size=shape) < 0.5, -1.0, 1.0)

    drawn = part() + 1j * part() if dtype in dtypes.COMPLEX else part()
    return np.asarray(drawn, dtype)


def _compare(numeric: numeric_grad, symbolic: Sequence[Any], wrt: Sequence[Variable], abs_tol: float,
             rel_tol: float) -> None:
    argument, index, absolute, relative = numeric.max_err(list(symbolic), abs_tol, rel_tol)
    if absolute <= abs_tol or relative <= rel_tol:
        return
    mine, theirs = numeric.gf[argument][index], symbolic[argument][index]
    raise GradientError(
        None, f"the gradient of {wrt[argument]} differs most at index {list(index)}: grad gives {theirs}, "
        f"finite differences {mine} (absolute difference {absolute:.3g} > {abs_tol:.3g}, "
        f"relative {relative:.3g} > {rel_tol:.3g})",
        argument=wrt[argument], fix="check the grad of the Ops between; if it is right, the function is steep there: "
        "move the point, or give eps, abs_tol or rel_tol")


def _compiler(mode: Any) -> Callable[..., Function]:
    if mode is None or mode == "reference":
        return _reference
    if not callable(mode):
        raise TypeError(f"mode must be None or a callable (inputs, outputs) -> function, such as "
                        f"partial(nbgraph.function, on_unused_input='ignore'), got {mode!r}")
    chosen: Callable[..., Function] = mode
    return chosen


def _reference(inputs: Sequence[Variable], outputs: Sequence[Variable]) -> Function:
    graph = FunctionGraph(inputs, outputs)
    return lambda *values: evaluate(graph, values)
