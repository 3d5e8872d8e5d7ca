"""Code of users in Ops: "one documented decorator gives an Op a Numba kernel; another makes a differentiable
elementwise Op from a scalar `@njit` function (fused into loops like the built-in ones, derivative given by the user or
by central differences on request)".
"""

from __future__ import annotations

import math
import pickle
from typing import Any

import numba
import numpy as np
import pytest
from numba.core.runtime import _nrt_python as nrt
from numba.core.runtime import rtsys

import nbgraph
import nbgraph.tensor as nt
from nbgraph import function
from nbgraph.dispatch import elementwise, numba_kernel
from nbgraph.errors import ArgumentError, KernelError, NullGradError, ShapeError
from nbgraph.gradient import Rop, verify_grad
from nbgraph.graph import Apply, Op

x, y, m = nt.dvector("x"), nt.dvector("y"), nt.dmatrix("m")
MODES = ("FAST_RUN", "FAST_COMPILE", "reference", "DebugMode")


def bump(v):
    """exp(-1 / (1 - v**2)) inside (-1, 1)"""
    return math.exp(-1 / (1 - v * v)) if abs(v) < 1 else 0.0


smooth = elementwise(bump, derivative="central")
cube = elementwise(numba.njit(lambda v: v * v * v), derivative=lambda v: 3 * v**2, name="cube", expensive=False)


@elementwise(derivative=(lambda a, b: b * nt.cos(a * b), lambda a, b: a * nt.cos(a * b)))
def sin_of_product(a, b):
    """sin(a b)"""
    return math.sin(a * b)


@pytest.mark.parametrize("mode", MODES)
def test_an_elementwise_function_is_like_the_built_in_ones(mode):
    f = function([m, x], [cube(m) + smooth(x), smooth(m).sum(axis=0), sin_of_product(m, 2.0)], mode=mode)
    a, b = np.linspace(-2, 2, 6).reshape(2, 3), np.array([0.5, -0.2, 1.5])
    of_bump = np.vectorize(bump)
    expected = [a**3 + of_bump(b), of_bump(a).sum(axis=0), np.sin(2 * a)]
    for given, wanted in zip(f(a, b), expected, strict=True):
        np.testing.assert_allclose(given, wanted, rtol=1e-14, atol=1e-16)
    assert [v.shape for v in f(a[:, :0], b[:0])] == [(2, 0), (0,), (2, 0)]


def test_it_is_in_the_loop_of_its_neighbours():
    f = function([x], (nt.exp(cube(x)) * smooth(x)).sum())
    assert len(f.stages.program.kernels) == 1 and "buffer" in f.explain() and "0 buffers" in f.explain()
    assert f.source.count("bump_") == 2
    assert smooth.__doc__ == "exp(-1 / (1 - v**2)) inside (-1, 1)"
    assert nbgraph.pp(smooth(x) + 1) == "bump(x) + 1"


def test_dtypes_follow_numpy_and_may_be_given():
    f32, i = nt.fvector("f"), nt.ivector("i")
    assert cube(f32).type.dtype == "float32" and cube(i).type.dtype == "float64"
    positive = elementwise(lambda v: v > 0, derivative=0, dtype="bool", name="positive")
    assert positive(x).type.dtype == "bool"
    for mode in MODES:
        a, b = function([f32, x], [cube(f32), positive(x)], mode=mode)(np.float32([1.5, 2]), [1.0, -1.0])
        assert a.dtype == np.float32 and a.tolist() == [3.375, 8.0] and b.tolist() == [True, False]
    assert function([x], nbgraph.grad((positive(x) * x).sum(), x))([2.0, -2.0]).tolist() == [1.0, 0.0]


def test_derivatives_are_those_that_are_given():
    rng = np.random.default_rng(0)
    verify_grad(lambda v: cube(v), [rng.normal(size=4)], rng=rng)
    verify_grad(lambda a, b: sin_of_product(a, b), [rng.normal(size=4), rng.normal(size=4)], rng=rng)
    verify_grad(lambda v: nbgraph.grad(cube(v).sum(), v), [rng.normal(size=3)], rng=rng)
    value = np.array([0.3, -0.7, 0.0, 2.0])
    exact = np.array([bump(v) * -2 * v / (1 - v * v)**2 if abs(v) < 1 else 0.0 for v in value])
    np.testing.assert_allclose(function([x], nbgraph.grad(smooth(x).sum(), x))(value), exact, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(function([x, y], Rop(sin_of_product(x, x), x, y))(value, value),
                               2 * value * np.cos(value**2) * value, rtol=1e-12)


def test_a_sequence_of_derivatives_may_hold_zeros():
    scaled = elementwise(lambda a, b: a * math.floor(b), derivative=(lambda a, b: nt.floor(b), 0), name="scaled")
    gx, gy = function([x, y], nbgraph.grad(scaled(x, y).sum(), [x, y]))([1.0, 2.0], [3.5, 4.5])
    assert gx.tolist() == [3.0, 4.0] and gy.tolist() == [0.0, 0.0]


def test_without_a_derivative_grad_says_so():
    silent = elementwise(lambda v: v + 1, name="silent")
    assert function([x], silent(x))([1.0]).tolist() == [2.0]
    with pytest.raises(NullGradError, match=r"give elementwise\(derivative=...\)"):
        nbgraph.grad(silent(x).sum(), x)
    assert function([x], nbgraph.grad((x * nbgraph.gradient.disconnected_grad(silent(x))).sum(), x))([1.0]) == [2.0]


def test_where_math_raises_in_python_all_modes_give_what_compiled_code_gives():
    root = elementwise(lambda v: math.sqrt(v) + 1 / v, name="root")
    results = [function([x], root(x), mode=mode)([-1.0, 0.0, 4.0]) for mode in MODES]
    for result in results:
        np.testing.assert_array_equal(result, [np.nan, np.inf, 2.25])


@pytest.mark.parametrize(("make", "error", "said"), [
    (lambda: elementwise(math.sin), TypeError, "expected a Python function"),
    (lambda: elementwise(lambda *a: 0.0), ArgumentError, "a fixed number of parameters"),
    (lambda: elementwise(bump, derivative="forward"), ArgumentError, "derivative='forward'"),
    (lambda: nbgraph.grad(elementwise(lambda a, b: a, derivative=lambda a, b: 1.0)(x, y).sum(), x), ArgumentError,
     "has 2 parameters and 1 derivatives"),
    (lambda: cube(x, y), ArgumentError, "cube: takes 1 arguments"),
    (lambda: numba_kernel(3), TypeError, "takes a class of Ops"),
])
def test_what_is_wrong_is_said(make, error, said):
    with pytest.raises(error, match=said):
        make()


def test_an_elementwise_function_must_not_raise():
    def careful(v):
        if v < 0:
            raise ValueError("negative")
        return v

    with pytest.raises(KernelError, match="careful: raises, and an elementwise function can't"):
        elementwise(careful)
    helper = numba.njit(careful)
    with pytest.raises(KernelError, match="calls careful, which raises, and an elementwise function can't"):
        elementwise(lambda v: helper(v) + 1)


# Kernels of whole arrays ----------------------------------------------------------------------------------------------

class Smoothed(Op):
    """Means of so many neighbours, and the largest element."""

    __props__ = ("window",)

    def __init__(self, window: int) -> None:
        self.window = window

    def make_node(self, v: Any) -> Apply:
        v = nt.as_tensor_variable(v)
        return Apply(self, [v], [nt.dvector(), nt.dscalar()])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        if inputs[0].size < self.window:
            raise ValueError("too short")
        output_storage[0][0] = np.convolve(inputs[0], np.ones(self.window) / self.window, "valid")
        output_storage[1][0] = np.asarray(inputs[0].max())

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Any) -> list[Any]:
        return [(shapes[0][0] - self.window + 1,), ()]

    def grad(self, inputs: Any, output_gradients: Any) -> list[Any]:
        (v,), (g, _) = inputs, output_gradients
        n = g.shape[0]
        parts = [nt.inc_subtensor(nt.zeros_like(v)[k:k + n], g / self.window) for k in range(self.window)]
        return [sum(parts[1:], parts[0])]


@numba_kernel(Smoothed)
def smoothed(op, node):
    window = op.window

    def kernel(v):
        if v.size < window:
            raise ValueError("too short")
        out = np.zeros(v.size - window + 1)
        for i in range(out.size):
            for k in range(window):
                out[i] += v[i + k]
        return out / window, v.max()
    return kernel


@pytest.mark.parametrize("mode", MODES)
def test_a_kernel_runs_between_loops(mode):
    means, most = Smoothed(3)(x * 2)
    f = function([x], [nt.exp(means) + most, means.shape[0], Smoothed(1)(x)[0]], mode=mode)
    value = np.array([0.0, 1.0, -1.0, 0.5])
    z, n, same = f(value)
    np.testing.assert_allclose(z, np.exp(np.convolve(2 * value, np.ones(3) / 3, "valid")) + 2, rtol=1e-14)
    assert n == 2 and same.tolist() == value.tolist()
    with pytest.raises(ValueError, match="too short"):
        f(value[:2])


def test_a_kernel_is_differentiated_by_the_op_and_needs_no_python():
    f = function([x], nbgraph.grad((Smoothed(2)(x)[0] ** 2).sum(), x), allow_python=False)
    assert "smoothed" in f.source or "kernel_" in f.source
    rng = np.random.default_rng(0)
    verify_grad(lambda v: Smoothed(2)(v)[0], [rng.normal(size=5)], rng=rng)


class Given(Op):
    """What a kernel gives, of the Type of the input or a given one."""

    __props__ = ()
    kind: Any = None

    def make_node(self, v: Any) -> Apply:
        return Apply(self, [v], [(self.kind or v.type)()])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        output_storage[0][0] = inputs[0].copy()


def with_kernel(kernel: Any, kind: Any = None) -> type[Op]:
    """An Op class with this kernel, whose output is of that Type."""
    made = type("Made", (Given,), {"kind": kind})
    numba_kernel(made)(lambda op, node: kernel)
    return made


def test_results_of_any_layout_and_owner_are_copied():
    for kernel in (lambda v: v, lambda v: np.asfortranarray(v), lambda v: v.T.copy().T, lambda v: v[::-1][::-1]):
        z = with_kernel(kernel)()(m)
        f = function([m], [z * 1, z])
        value = np.arange(6.0).reshape(2, 3)
        first, second = f(value)
        assert not np.shares_memory(second, value) and second.flags.c_contiguous
        np.testing.assert_array_equal(first, value)
        np.testing.assert_array_equal(second, value)


def test_a_second_kernel_of_a_class_replaces_the_first():
    op = with_kernel(lambda v: v + 1)
    assert function([x], op()(x))([1.0]).tolist() == [2.0]
    numba_kernel(op)(lambda op, node: lambda v: v + 2)
    assert function([x], op()(x))([1.0]).tolist() == [3.0]


def test_what_a_kernel_raises_is_told_where_it_is_applied():
    first, second = Smoothed(3)(x)[0], Smoothed(4)(x * 2)[0]
    for outputs, said in ((first, [first]), ([first, second], [first, second])):
        f = function([x], outputs)
        for _ in range(2):
            with pytest.raises(ValueError, match="too short") as raised:
                f([1.0])
            (note,) = raised.value.__notes__
            assert note.startswith("while computing ") and all(str(z.owner.line) in note for z in said)
            assert ("one of" in note) == (len(said) > 1)


@pytest.mark.parametrize(("shape", "kernel", "said"), [
    ((1000,), lambda v: v, "gives output 0 length 2 along axis 0, where float64[1000] has 1000"),
    ((1,), lambda v: v, "gives output 0 length 2 along axis 0, where float64[1] has 1"),
    ((2, 3), lambda v: np.ones((2, 2)), "gives output 0 length 2 along axis 1, where float64[2, 3] has 3"),
    ((), lambda v: v, "gives output 0 length 2 along axis 0, where float64[] has 1"),
])
def test_lengths_that_a_type_declares_are_checked(shape, kernel, said):
    z = with_kernel(kernel, nt.TensorType("float64", shape))()(x)
    for outputs in (z, z + 1, z.sum()):
        with pytest.raises(ShapeError) as raised:
            function([x], outputs)([1.0, 2.0])
        assert said in str(raised.value) and str(z.owner.line) in str(raised.value)
    fits = with_kernel(lambda v: v[:1], nt.TensorType("float64", (1,)))()(x)
    assert function([x], [fits + 1, nt.zeros(3) + fits, fits])([1.0, 2.0])[1].tolist() == [1.0] * 3


def test_nothing_is_left_allocated_by_kernels():
    means, most = Smoothed(2)(nt.exp(x))
    f = function([x], [nt.exp(means), most])
    value = np.ones(50)
    f(value)
    nrt.memsys_enable_stats()
    before = rtsys.get_allocation_stats()
    for _ in range(200):
        f(value)
        with pytest.raises(ValueError, match="too short"):
            f(value[:1])
    after = rtsys.get_allocation_stats()
    nrt.memsys_disable_stats()
    assert after.alloc - before.alloc == after.free - before.free >= 1000


def test_graphs_with_elementwise_functions_of_a_module_pickle():
    z = pickle.loads(pickle.dumps(smooth(x) * 2))
    (leaf,) = [v for v in nbgraph.graph.graph_inputs([z]) if v.name == "x"]
    assert function([leaf], z)([0.0]).tolist() == [2 * bump(0.0)]
