"""The contract of the page on Ops, sentence by sentence, for Ops of users inside compiled functions."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph import function
from nbgraph.errors import DisconnectedInputError, NullGradError
from nbgraph.gradient import DisconnectedType, Lop, NullType, Rop, grad, verify_grad
from nbgraph.graph import Apply
from tests import own_ops
from tests.own_ops import (
    Destroying,
    Failing,
    Largest,
    PerformOnly,
    Spread,
    SumAndDifference,
    ThunkOnly,
    ToFloat,
    ToInteger,
    View,
    WithKernel,
)

x, y, v, i = nt.dvector("x"), nt.dvector("y"), nt.dscalar("v"), nt.lscalar("i")
MODES = ("FAST_RUN", "FAST_COMPILE", "reference", "DebugMode", "NanGuardMode")
A, B = np.array([0.5, 2.0, 1.5]), np.array([3.0, -1.0, 0.25])

# (expression of x and y, the same of arrays, its gradient by x for a sum)
KINDS: dict[str, Any] = {
    "perform only": (lambda: PerformOnly(3.0)(x) + y, lambda a, b: 3 * a**2 + b, lambda a, b: 6 * a),
    "thunk only": (lambda: ThunkOnly()(x) * y, lambda a, b: np.exp(a) * b, lambda a, b: np.exp(a) * b),
    "own kernel": (lambda: WithKernel(3.0)(x) + y, lambda a, b: 3 * a**2 + b, lambda a, b: 6 * a),
    "several outputs": (lambda: SumAndDifference().make_node(x, y).outputs[0] * SumAndDifference()(x, y),
                        lambda a, b: (a + b) * (a - b), lambda a, b: 2 * a),
    "a view": (lambda: View()(x) * y, lambda a, b: a[::-1] * b, lambda a, b: b[::-1]),
    "destroying": (lambda: Destroying()(x) + x * y, lambda a, b: 3 * a + a * b, lambda a, b: 3 + b),
    "disconnected": (lambda: Spread()(x.sum(), y), lambda a, b: np.full(len(b), a.sum()),
                     lambda a, b: np.full(len(a), float(len(b)))),
    "failing": (lambda: Failing()(x) * y, lambda a, b: a * b, lambda a, b: b),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", KINDS)
def test_ops_of_every_kind_run_and_differentiate(kind, mode):
    make, value, slope = KINDS[kind]
    z = make()
    f = function([x, y], [z, grad(z.sum(), x), (z * 2).sum()], mode=mode, accept_inplace=True)
    a, b = A.copy(), B.copy()
    for _ in range(2):
        result, gradient, total = f(a, b)
        np.testing.assert_allclose(result, value(A, B), rtol=1e-13)
        np.testing.assert_allclose(gradient, slope(A, B), rtol=1e-13)
        np.testing.assert_allclose(total, 2 * value(A, B).sum(), rtol=1e-13)
    np.testing.assert_array_equal(a, A)
    np.testing.assert_array_equal(b, B)


@pytest.mark.parametrize("kind", KINDS)
def test_their_gradients_are_those_of_finite_differences(kind):
    make = KINDS[kind][0]
    z = make()

    def of(p: Any, q: Any) -> Any:
        return nbgraph.graph.clone_replace(z, {x: p, y: q})

    verify_grad(of, [A, B], rng=np.random.default_rng(0))


@pytest.mark.parametrize("kind", KINDS)
def test_they_pickle_and_what_was_compiled_is_found_again(kind, tmp_path):
    make, value, _ = KINDS[kind]
    program = ("import pickle, sys; f = pickle.load(open(sys.argv[1], 'rb')); import numpy as np\n"
               f"print(f.cache_info().hit, f(np.array({A.tolist()}), np.array({B.tolist()})).tolist())")
    with nbgraph.config.change_flags(cache_dir=tmp_path / "cache"):
        f = function([x, y], make(), accept_inplace=True)
        (tmp_path / "f.pkl").write_bytes(pickle.dumps(f))
    environment = os.environ | {"NBGRAPH_CACHE_DIR": str(tmp_path / "cache"),
                                "PYTHONPATH": str(Path(own_ops.__file__).parents[1])}
    found = subprocess.run([sys.executable, "-c", program, str(tmp_path / "f.pkl")], capture_output=True, text=True,
                           check=True, env=environment)
    hit, _, numbers = found.stdout.partition(" ")
    assert hit == "True"
    np.testing.assert_allclose(eval(numbers), value(A, B), rtol=1e-13)


@pytest.mark.parametrize("mode", MODES)
def test_what_fails_arrives_as_it_is_with_the_line(mode):
    f = function([x, y], Failing()(x) + y, mode=mode)
    with pytest.raises(ArithmeticError, match="negative") as caught:
        f(-A, B)
    assert caught.value.args == ("negative",)
    assert "test_seeds_op.py" in caught.value.__notes__[0]


def test_make_node_gives_the_same_again():
    """"a subsequent self.make_node(*apply.inputs) must produce something equivalent to the first apply" """
    node = SumAndDifference().make_node(x, y)
    again = node.op.make_node(*node.inputs)
    assert nbgraph.graph.equal_computations(node.outputs, again.outputs)


def test_props_give_equality_hash_and_str():
    """"This will also enable the automatic generation of appropriate __eq__, __hash__ and __str__ methods." """
    assert PerformOnly(2.0) == PerformOnly(2.0) != PerformOnly(3.0)
    assert hash(PerformOnly(2.0)) == hash(PerformOnly(2.0)) and str(PerformOnly(2.0)) == "PerformOnly{factor=2.0}"
    f = function([x], PerformOnly(2.0)(x) + PerformOnly(2.0)(x) + PerformOnly(3.0)(x), mode="FAST_RUN")
    assert sum(isinstance(node.op, PerformOnly) for node in f.maker.fgraph.nodes) == 2


def test_default_output_is_what_a_call_gives():
    """"the default implementation of __call__ will return node.outputs[self.default_output]" """
    assert SumAndDifference()(x, y).index == 1

    class Both(SumAndDifference):
        default_output = None

    assert len(Both()(x, y)) == 2


def test_constants_are_folded_unless_the_op_forbids_it():
    """"If you want to force the execution … during the function call, make do_constant_folding return False." """
    class Kept(PerformOnly):
        def do_constant_folding(self, fgraph: Any, node: Apply) -> bool:
            return False

    for op, count in ((PerformOnly(), 0), (Kept(), 1)):
        f = function([x], op(nt.constant(A)) + x, mode="FAST_RUN")
        assert sum(isinstance(node.op, PerformOnly) for node in f.maker.fgraph.nodes) == count
        np.testing.assert_allclose(f(B), A**2 + B)


def test_infer_shape_spares_the_computation():
    """"Implementing this method will allow to compute the output's shape without computing the output itself" """
    for mode in ("FAST_RUN", "FAST_COMPILE"):
        assert function([x], Failing()(x).shape[0], mode=mode)([-1.0, -2.0]) == 2


def test_grad_gives_the_product_with_the_transposed_jacobian_and_r_op_with_the_jacobian():
    """"The Op.grad() method should return dot(J.T, z)"; "Jacobian of f and right-multiplying it by v" """
    for op in (PerformOnly(3.0), WithKernel(3.0), ThunkOnly()):
        slope = 6 * A if op != ThunkOnly() else np.exp(A)
        left, right = function([x, y], [Lop(op(x), x, y), Rop(op(x), x, y)])(A, B)
        np.testing.assert_allclose(left, slope * B)
        np.testing.assert_allclose(right, slope * B)


def test_an_op_without_grad_has_been_forgotten():
    """"If the Op.grad() method is not defined, … Symbolic differentiation will fail" """
    class Silent(own_ops.Own):
        def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
            output_storage[0][0] = inputs[0]

    with pytest.raises(NullGradError, match="Silent"):
        grad(Silent()(x).sum(), x)


# Integers -------------------------------------------------------------------------------------------------------------

def test_a_dot_product_of_integers_is_a_step_function():
    """"Its gradient is zero almost everywhere, so Op.grad() should return zeros in the shape of x and y." """
    p, q = nt.lvector("p"), nt.lvector("q")
    g, h = nt.dot(p, q).owner.op.grad([p, q], [nt.dscalar()])
    for found, like in ((g, p), (h, q)):
        assert found.type.dtype == "float64"
        assert function([p, q], found, on_unused_input="ignore")([1, 2, 3], [4, 5, 6]).tolist() == [0.0] * 3, like


def test_a_dot_product_with_a_float_has_the_gradient_of_one_of_floats():
    """"The gradient is exactly the same as if y were floating point." """
    q = nt.lvector("q")
    g = function([x, q], grad(nt.dot(x, q), q), on_unused_input="ignore")(A, [1, 2, 3])
    assert g.dtype == np.float64
    np.testing.assert_allclose(g, A)


def test_argmax_has_a_zero_gradient_by_its_array_and_none_by_its_axis():
    """"The gradient with respect to y is undefined … The gradient with respect to x is 0" """
    m = nt.dmatrix("m")
    z = Largest()(m, i)
    cost = (z * 0.5).sum()
    assert function([m, i], grad(cost, m), on_unused_input="ignore")(np.ones((2, 3)), 0).tolist() == [[0.0] * 3] * 2
    with pytest.raises(NullGradError, match="an axis is no fraction"):
        grad(cost, i)
    assert isinstance(grad(cost, i, null_gradients="return").type, NullType)


def test_what_decides_about_the_shape_alone_is_disconnected():
    """"Only the shape of f depends on x": "should return DisconnectedType", with "a connection_pattern" """
    z = Spread()(v, x)
    assert function([v, x], grad(z.sum(), v))(2.0, A) == 3.0
    with pytest.raises(DisconnectedInputError, match="x"):
        grad(z.sum(), x)
    with pytest.raises(ValueError):
        grad(z.sum(), x)
    assert isinstance(grad(z.sum(), x, disconnected_inputs="ignore", return_disconnected="disconnected").type,
                      DisconnectedType)
    assert function([v, x], grad((z * x).sum(), x))(2.0, A).tolist() == [2.0] * 3


def test_the_gradient_ends_at_a_conversion_to_integers():
    """"the gradient with respect to y will be 0.5, even if y is an integer. However, the gradient with respect to x
    will be 0, because the output of f is integer-valued." """
    middle = ToInteger()(v)
    cost = 0.5 * ToFloat()(middle)
    by_y, by_x = grad(cost, [middle, v])
    assert function([v], [by_y, by_x], on_unused_input="ignore")(2.7) == [0.5, 0.0]


def test_gradients_never_have_an_integer_dtype():
    """"When they are types that have dtypes, they must never have an integer dtype." """
    for dtype in ("int8", "int64", "uint8", "bool"):
        p = nt.vector("p", dtype=dtype)
        assert grad((p * x).sum(), p).type.dtype == "float64"


def test_elements_that_are_not_read_do_not_connect():
    """"the shape Op does not read its input's elements, only its shape metadata … should thus raise a disconnected
    input exception" """
    with pytest.raises(DisconnectedInputError):
        grad(nt.cast(x.shape[0], "float64") * 2, x)
