"""Gradients against finite differences and forward mode against reverse: verify_grad, numeric_grad, verify_forward.

    verify_grad(lambda x, y: nt.exp(x) * y, [np.array([0.1, 2.0]), np.array([1.0, 3.0])])

A random projection makes a scalar of the outputs, so that one gradient checks the whole Jacobian. Differences are
extrapolated to a step of 0 (`differences`): some 12 digits of a gradient in double precision, 4 in single.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import compress
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import DTypeError, GradientError, ShapeError, ValueDomainError
from nbgraph.gradient.differences import Difference, Slope, slope
from nbgraph.gradient.forward import Rop
from nbgraph.gradient.reverse import Lop, grad
from nbgraph.graph.basic import Variable
from nbgraph.graph.evaluate import evaluate
from nbgraph.graph.fg import FunctionGraph
from nbgraph.tensor import dtypes
from nbgraph.tensor.type import TensorType

# The first step for numbers up to 1, in proportion above.
LARGEST_STEP = 2.0 ** -6
# Largest relative difference that is let pass, and the absolute one that rounding leaves of numbers round 1.
TOLERANCE = {"float32": 5e-3, "complex64": 5e-3, "float64": 1e-6, "complex128": 1e-6}
ROUNDING = {5e-3: 5e-3, 1e-6: 1e-10}

Function = Callable[..., Any]


class numeric_grad:
    """The gradient of a real scalar function by central differences, extrapolated to a step of 0.

    Parameters
    ----------
    f : callable             takes the arrays of `pt` one by one, gives a real number, or an array of terms of it: what
                             does not move is then no source of rounding errors
    pt : array or list       where to differentiate; discrete arrays are passed on and held fixed
    eps : float, optional    the only step, for |x| <= 1, in proportion above; default: as many as it takes

    Attributes
    ----------
    gf : array or list       as `pt`: dC/da + i dC/db for complex z = a + bi, zeros for discrete arrays
    error : array or list    as `pt`: how far each element of `gf` may be off, by the extrapolation; NaN where `eps`
                             is given, and infinite where `f` has no slope
    """

    def __init__(self, f: Function, pt: Any, eps: float | None = None) -> None:
        points = [np.array(p) for p in (pt if isinstance(pt, (list, tuple)) else [pt])]
        found = [_differences(f, points, i, eps) for i in range(len(points))]
        gradients, errors = [g for g, _ in found], [e for _, e in found]
        self.gf: Any = gradients if isinstance(pt, (list, tuple)) else gradients[0]
        self.error: Any = errors if isinstance(pt, (list, tuple)) else errors[0]

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
            with np.errstate(all="ignore"):
                # No tolerance at all: 0 / 0 where nothing differs.
                score = np.nan_to_num(np.minimum(absolute / abs_tol, relative / rel_tol), posinf=np.inf)
            index = tuple(int(i) for i in np.unravel_index(int(np.argmax(score)), score.shape))
            if score[index] > worst[0]:
                worst = (float(score[index]), argument, index, float(absolute[index]), float(relative[index]))
        return worst[1:]


def _differences(f: Function, points: list[Any], argument: int, eps: float | None) -> tuple[Any, Any]:
    """The slopes with respect to the elements of one array, and their errors."""
    point = points[argument]
    gradient, error = np.zeros(point.shape, point.dtype), np.zeros(point.shape)
    if dtypes.is_discrete(point.dtype.name):
        return np.zeros(point.shape), error
    rounding = max(float(np.finfo(p.dtype).eps) for p in points if not dtypes.is_discrete(p.dtype.name))
    halvings = int(np.log2(LARGEST_STEP / np.cbrt(rounding))) + 2
    for index in np.ndindex(point.shape):
        # A power of 2, so that the step is often exact.
        size = float(np.exp2(np.ceil(np.log2(max(1.0, float(np.abs(point[index])))))))
        for direction in (1.0, 1.0j) if np.iscomplexobj(point) else (1.0,):
            difference = partial(_difference, f, points, argument, index, direction, rounding)
            found = (slope(difference, LARGEST_STEP * size, halvings) if eps is None
                     else Slope(difference(eps * size).value, np.nan))
            gradient[index] += direction * found.value
            error[index] += found.error
    return gradient, error


def _difference(f: Function, points: list[Any], argument: int, index: tuple[int, ...], direction: Any,
                rounding: float, step: float) -> Difference:
    """The central difference for one element of one array."""
    above, below = points[argument].copy(), points[argument].copy()
    with np.errstate(all="ignore"):
        above[index] += direction * step
        below[index] -= direction * step
        high, low = np.broadcast_arrays(*(f(*points[:argument], x, *points[argument + 1:]) for x in (above, below)))
        moving = high != low
        # The step as it came out in the dtype of the point, not as it was asked for.
        width = np.abs(above[index] - below[index], dtype="float64")
        return Difference(float(np.sum(high - low, where=moving) / width),
                          float(rounding * np.sum(np.abs(high), where=moving) / width))


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
    weights = [v.type(f"weight{i}") for i, v in enumerate(outputs)]
    terms = _terms(weights, outputs)
    gradients = grad(_total(terms), moved, disconnected_inputs="ignore")
    compile_ = _compiler(mode)
    value = compile_(inputs, outputs)(*points)
    terms_at, gradient_at = compile_([*inputs, *weights], terms), compile_([*inputs, *weights], gradients)
    loosest = max(TOLERANCE[v.type.dtype] for v in (*moved, *outputs))
    rel_tol = loosest if rel_tol is None else rel_tol
    abs_tol = ROUNDING[loosest] if abs_tol is None else abs_tol
    for _ in range(n_tests):
        drawn = [_draw(rng, np.shape(v), w.type.dtype) for v, w in zip(value, weights, strict=True)]
        numeric = numeric_grad(partial(_terms_where_defined, terms_at, drawn), points, eps)
        kept = [any(x is m for m in moved) for x in inputs]
        numeric.gf, numeric.error = list(compress(numeric.gf, kept)), list(compress(numeric.error, kept))
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
    if absolute > (loosest if abs_tol is None else abs_tol) and relative > (loosest if rel_tol is None else rel_tol):
        raise GradientError(None, f"forward and reverse mode disagree: <v, J u> is {forward}, <J^T v, u> is {reverse}",
                            fix="compare R_op and grad of the Ops between",
                            **{f"argument{i}": x for i, x in enumerate(moved)})


def _inner(xs: Sequence[Any], ys: Sequence[Any]) -> Any:
    """The sum of Re(conj(x) * y) over all arrays, in double precision."""
    return _total(_terms(xs, ys))


def _terms(xs: Sequence[Any], ys: Sequence[Any]) -> list[Any]:
    """Re(conj(x) * y) for each pair of arrays, in double precision."""
    def wide(x: Any) -> Any:
        return nt.cast(x, "complex128" if x.type.dtype in dtypes.COMPLEX else "float64")

    return [nt.real(nt.conj(wide(x)) * wide(y)) for x, y in zip(xs, ys, strict=True)]


def _total(terms: Sequence[Any]) -> Any:
    sums = [nt.sum(t) for t in terms]
    return sum(sums[1:], sums[0])


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


def _draw(rng: Any, shape: tuple[int, ...], dtype: str) -> Any:
    # Away from zero, of both signs: no element of an output goes unseen.
    def part() -> Any:
        return rng.uniform(0.5, 1.5, shape) * np.where(rng.uniform(size=shape) < 0.5, -1.0, 1.0)

    drawn = part() + 1j * part() if dtype in dtypes.COMPLEX else part()
    return np.asarray(drawn, dtype)


def _terms_where_defined(terms_at: Function, weights: Sequence[Any], *points: Any) -> Any:
    """The terms; NaN where the function refuses the points, or has another shape there, as arange has."""
    try:
        return np.concatenate([np.ravel(t) for t in terms_at(*points, *weights)])
    except (ShapeError, ValueDomainError):
        return np.nan


def _compare(numeric: numeric_grad, symbolic: Sequence[Any], wrt: Sequence[Variable], abs_tol: float,
             rel_tol: float) -> None:
    argument, index, absolute, relative = numeric.max_err(list(symbolic), abs_tol, rel_tol)
    if absolute <= abs_tol or relative <= rel_tol:
        return
    mine, theirs = numeric.gf[argument][index], symbolic[argument][index]
    uncertain = "" if np.isnan(numeric.error[argument][index]) else f" +- {numeric.error[argument][index]:.1g}"
    raise GradientError(
        None, f"the gradient of {wrt[argument]} differs most at index {list(index)}: grad gives {theirs}, "
        f"finite differences {mine}{uncertain} (absolute difference {absolute:.3g} > {abs_tol:.3g}, "
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
