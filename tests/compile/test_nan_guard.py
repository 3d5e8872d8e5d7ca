"""NanGuardMode "names the first node that makes a NaN, inf or huge value, with the user's line"."""

from __future__ import annotations

import numpy as np
import pytest

import nbgraph.tensor as nt
from nbgraph import function, shared
from nbgraph.compile.nan_guard import NanGuardMode
from nbgraph.errors import NanGuardError

x, s = nt.dvector("x"), nt.dscalar("s")


@pytest.fixture
def mode() -> str:
    """The mode of these tests is their subject."""
    return "FAST_RUN"


@pytest.mark.parametrize(("make", "value", "said"), [
    (lambda: nt.exp(nt.log(x) * 2).sum() + 1, [1.0, -1.0], "log: element [1] is NaN (nan)"),
    (lambda: (1 / x) + 1, [1.0, 0.0, 0.0], "true_divide: element [1] is infinite (inf), as are 1 more of 3"),
    (lambda: nt.sum(nt.exp(x) * 2), [1.0, 30.0], "exp: element [1] is larger than 1e+10"),
    (lambda: nt.dot(x, x), [1e6, 1.0], "dot: it is larger than 1e+10"),
    (lambda: nt.sqrt(x[0] - 2) + x, [1.0], "sqrt: it is NaN (nan)"),
    (lambda: nt.switch(x > 0, nt.log(x), 0.0), [-1.0], "log: element [0] is NaN"),
])
def test_the_first_node_is_named_with_its_line(make, value, said):
    f = function([x], make(), mode="NanGuardMode")
    with pytest.raises(NanGuardError) as caught:
        f(value)
    assert str(caught.value).startswith(said)
    assert "test_nan_guard.py" in str(caught.value)
    assert np.all(np.isfinite(f([3.0] * len(value))))


def test_a_value_that_is_given_is_told_from_one_that_is_made():
    f = function([x, s], x * s, mode="NanGuardMode")
    with pytest.raises(NanGuardError, match=r"the value given for s: it is NaN"):
        f([1.0], np.nan)
    w = shared(np.array([np.inf]), name="w")
    with pytest.raises(NanGuardError, match=r"the value given for w: element \[0\] is infinite"):
        function([], w + 1, mode="NanGuardMode")()


def test_a_constant_that_a_node_reads_is_named():
    worst = nt.constant(np.array([np.nan, 1.0]))
    with pytest.raises(NanGuardError, match=r"fix: input 1 is a constant with elements that are NaN, made at test_nan"):
        function([x], nt.maximum(x, worst).sum(), mode="NanGuardMode")([1.0, 2.0])
    z = nt.maximum(x, nt.constant(np.array([-np.inf, 1.0])))
    assert function([x], z, mode="NanGuardMode")([1.0, 2.0]).tolist() == [1.0, 2.0]
    with pytest.raises(NanGuardError, match=r"fix: its inputs are fine"):
        function([x], nt.log(x), mode="NanGuardMode")([-1.0])


def test_each_kind_may_be_let_through():
    z = [nt.log(x), nt.exp(x)]
    values = [-1.0, 0.0, 30.0, 1000.0]
    allowed = NanGuardMode(nan_is_error=False, inf_is_error=False, big_is_error=False)
    for a, b in zip(function([x], z, mode=allowed)(values), function([x], z)(values), strict=True):
        np.testing.assert_array_equal(a, b)
    for wanted, word in (("nan_is_error", "log: .* NaN"), ("inf_is_error", "is infinite"),
                         ("big_is_error", "larger than")):
        only = NanGuardMode(**{"nan_is_error": False, "inf_is_error": False, "big_is_error": False, wanted: True})
        with pytest.raises(NanGuardError, match=word):
            function([x], z, mode=only)(values)


def test_an_update_that_would_be_nan_is_not_made():
    w = shared(np.array([2.0, 1.0]), name="w")
    f = function([s], [], updates=[(w, nt.log(w - s))], mode="NanGuardMode")
    with pytest.raises(NanGuardError, match="log: element"):
        f(1.5)
    assert w.get_value().tolist() == [2.0, 1.0]
    f(0.5)
    np.testing.assert_allclose(w.get_value(), np.log([1.5, 0.5]))


def test_what_is_right_gives_the_result_of_any_mode():
    z = nt.softplus(x).sum() / s
    np.testing.assert_array_equal(function([x, s], z, mode="NanGuardMode")([1.0, -800.0], 3.0),
                                  function([x, s], z)([1.0, -800.0], 3.0))
