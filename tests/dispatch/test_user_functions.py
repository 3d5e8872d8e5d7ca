"""What is wrong with a function of a user is said before anything runs: what Numba says, the Op, the user's line."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph import function
from nbgraph.dispatch import elementwise, numba_kernel
from nbgraph.errors import KernelError
from nbgraph.graph import Apply, Op

x, i = nt.dvector("x"), nt.lvector("i")
TABLE = np.array([1.0, 2.0, 4.0])


class Kernel(Op):
    """What a kernel gives, of given Types."""

    __props__ = ()
    kinds: tuple[Any, ...] = ()

    def make_node(self, *values: Any) -> Apply:
        return Apply(self, list(values), [kind() for kind in self.kinds])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        raise NotImplementedError


def kernel(code: Any, *kinds: Any) -> Op:
    """An Op with this kernel and outputs of these Types."""
    made = type("Kernel", (Kernel,), {"kinds": kinds})
    numba_kernel(made)(lambda op, node: code)
    return made()


def error_of(z: Any) -> str:
    """What compiling says, which names the line of z."""
    with pytest.raises(KernelError) as raised:
        function([x], z, on_unused_input="ignore")
    text = str(raised.value)
    assert "mistake of nbgraph" not in text
    assert str((z[0] if isinstance(z, list) else z).owner.line) in text
    return text


@pytest.mark.parametrize(("code", "kinds", "said"), [
    (lambda v: undefined_name + v, [nt.dvector], "NameError: name 'undefined_name' is not defined"),  # noqa: F821
    (lambda v, w: v, [nt.dvector], "Numba can't compile <lambda>(array(float64, 1d, C))"),
    (lambda v: open("a"), [nt.dvector], "Numba can't compile"),
    (lambda v: v.reshape(1, v.size), [nt.dvector], "gives array(float64, 2d, C) for output 0, which is float64[?]"),
    (lambda v: v.sum(), [nt.dvector], "gives float64 for output 0, which is float64[?]"),
    (lambda v: v * 1.5, [nt.lvector], "gives array(float64, 1d, C) for output 0, which is int64[?]"),
    (lambda v: v * 1j, [nt.dvector], "gives array(complex128, 1d, C) for output 0"),
    (lambda v: (v, v), [nt.dvector], "gives UniTuple(array(float64, 1d, C) x 2) for output 0"),
    (lambda v: v, [nt.dvector, nt.dvector], "gives array(float64, 1d, C) where 2 outputs are due"),
    (lambda v: (v, v, v), [nt.dvector, nt.dvector], "where 2 outputs are due"),
    (lambda v: None, [nt.dvector], "gives none for output 0"),
    (lambda v: [1.0, 2.0], [nt.dvector], "for output 0"),
])
def test_what_is_wrong_with_a_kernel_is_said(code, kinds, said):
    z = kernel(code, *kinds)(x)
    text = error_of(z)
    assert said in text and text.startswith("Kernel: ") and "mend the kernel" in text


def test_integers_are_cast_to_floats():
    z, k = kernel(lambda v: (np.arange(v.size), v[0] > 0), nt.dvector, nt.dscalar)(x)
    first, second = function([x], [z, k])([1.0, 2.0])
    assert first.dtype == np.float64 and first.tolist() == [0.0, 1.0] and second == 1.0


def makes_an_array(v):
    made = np.zeros(2)
    made[0] = v
    return made.sum()


def makes_a_list(v):
    made = [v]
    made.append(2.0)
    return sum(made)


def makes_a_dict(v):
    made = {}
    made[1] = v
    return made[1]


def without_a_return(v):
    if v > 0:
        return v


@pytest.mark.parametrize(("code", "said"), [
    (makes_an_array, "loops have no memory management"),
    (makes_a_list, "loops have no memory management"),
    (makes_a_dict, "loops have no memory management"),
    (without_a_return, "gives OptionalType(float64) where a number of type float64 is due in every case"),
    (lambda v: None, "gives none where a number"),
    (lambda v: v * 1j, "gives complex128 where a number"),
    (lambda v: (1.0, 2.0)[int(v)], "may raise"),
    (lambda v: undefined_name + v, "NameError: name 'undefined_name' is not defined"),  # noqa: F821
])
def test_what_an_elementwise_function_can_not_do_is_said(code, said):
    assert said in error_of(elementwise(code)(x))


@numba.njit
def reciprocal(v):
    return 1 / v


@pytest.mark.parametrize("code", [
    lambda v: TABLE[int(v)] + TABLE[-1], lambda v: reciprocal(v), lambda v: math.gamma(v) + round(v) + v // 2 + v % 2,
    lambda v: max(v, (2.0, 3.0)[1]), lambda v: (complex(v, 1.0) ** 2).real])
def test_an_elementwise_function_may_do_what_neither_raises_nor_allocates(code):
    value = np.array([1.0, 2.0])
    np.testing.assert_allclose(function([x], elementwise(code)(x))(value), [code(v) for v in value], rtol=1e-14)


def test_a_dtype_that_is_given_cuts_numbers():
    assert function([x], elementwise(lambda v: v * 1.5, dtype="int64", name="cut")(x))([1.0, -3.0]).tolist() == [1, -4]


def test_an_error_is_said_again_when_the_function_is_made_again():
    z = elementwise(without_a_return)(x)
    assert error_of(z) == error_of(z)
