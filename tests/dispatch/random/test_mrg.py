"""MRG31k3p against its published matrices, and against its recurrences in integers of any size."""

from __future__ import annotations

import numpy as np
import pytest

from nbgraph.dispatch.jit import entry
from nbgraph.dispatch.random import mrg

# The moduli of the paper, and the jump matrices that SSJ and clRNG, of the authors' group, publish.
M1, M2 = 2147483647, 2147462579
PUBLISHED = {
    (1, 72): [[1516919229, 758510237, 499121365], [1884998244, 1516919229, 335398200],
              [601897748, 1884998244, 358115744]],
    (2, 72): [[1228857673, 1496414766, 954677935], [1133297478, 1407477216, 1496414766],
              [2002613992, 1639496704, 1407477216]],
    (1, 134): [[1702500920, 1849582496, 1656874625], [828554832, 1702500920, 1512419905],
               [1143731069, 828554832, 102237247]],
    (2, 134): [[796789021, 1464208080, 607337906], [1241679051, 1431130166, 1464208080],
               [1401213391, 1178684362, 1431130166]],
}
START = np.full(6, 12345, dtype=np.int32)


def recurrence(state, count):
    """The next integers z, and the state after them."""
    x, y, found = list(state[:3]), list(state[3:]), []
    for _ in range(count):
        x = [(4194304 * x[1] + 129 * x[2]) % M1, *x[:2]]
        y = [(32768 * y[0] + 32769 * y[2]) % M2, *y[:2]]
        found.append((x[0] - y[0]) % M1 or M1)
    return found, [*x, *y]


@entry
def _uniform(states, out):
    mrg.mrg_uniform(states, out)


@entry
def _normal(states, out):
    mrg.mrg_normal(states, out)


@pytest.mark.parametrize(("component", "exponent"), PUBLISHED)
def test_jumps_are_the_published_matrices(component, exponent):
    step, modulus = ((mrg.STEP_1, M1), (mrg.STEP_2, M2))[component - 1]
    assert [list(row) for row in mrg.jump(step, modulus, exponent)] == PUBLISHED[component, exponent]


@pytest.mark.parametrize("exponent", [0, 1, 5, 10])
def test_a_jump_is_so_many_steps(exponent):
    assert mrg.ahead(START, exponent).tolist() == recurrence(START.tolist(), 2**exponent)[1]


def test_uniform_numbers_are_those_of_the_recurrence():
    state, out = START.reshape(1, 6).copy(), np.empty(5000)
    _uniform(state, out)
    numbers, after = recurrence(START.tolist(), 5000)
    np.testing.assert_array_equal(out, np.array(numbers) / 2**31)
    assert state[0].tolist() == after


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 700])
def test_streams_take_turns(count):
    states = mrg.streams(START, 7)
    rows, out = states.tolist(), np.empty(count)
    _uniform(states, out)
    for row, start in enumerate(rows):
        numbers, after = recurrence(start, len(out[row::7]))
        np.testing.assert_array_equal(out[row::7], np.array(numbers) / 2**31)
        assert states[row].tolist() == after


def test_streams_are_72_powers_of_two_apart():
    rows = mrg.streams(START, 3)
    assert rows.dtype == np.int32
    np.testing.assert_array_equal(rows[2], mrg.ahead(START, 73))


def test_numbers_are_inside_the_unit_interval_at_its_ends():
    """z = 0 counts as m1; the largest z is below 1 in float32 too."""
    inverse = pow(32769, -1, M2)
    for z in (0, 1, M1 - 1):
        # With two zeros, x[n] = 129 * x2 and y[n] = 32769 * y2.
        x, y = (5 + z) % M1, 5
        state = np.array([[0, 0, x * pow(129, -1, M1) % M1, 0, 0, y * inverse % M2]], dtype=np.int32)
        for dtype in (np.float64, np.float32):
            out = np.empty(1, dtype)
            _uniform(state.copy(), out)
            assert 0 < out[0] < 1
        assert out[0] == np.float32((z or M1) * np.float32(1 / (2**31 + 65)))


def test_normal_numbers_are_box_and_mullers():
    for dtype, tolerance in (np.float64, 1e-14), (np.float32, 1e-5):
        states, other, out, u = mrg.streams(START, 5), mrg.streams(START, 5), np.empty(600, dtype), np.empty(600, dtype)
        _normal(states, out)
        _uniform(other, u)
        r, angle = np.sqrt(-2 * np.log(u[:300].astype(float))), 2 * np.pi * u[300:].astype(float)
        np.testing.assert_allclose(out, np.concatenate([r * np.cos(angle), r * np.sin(angle)]), rtol=0, atol=tolerance)
        np.testing.assert_array_equal(states, other)


def test_normal_numbers_are_normal():
    from scipy import stats

    out = np.empty(100_000)
    _normal(mrg.streams(START, 16), out)
    assert stats.kstest(out, "norm").pvalue > 1e-3
    assert abs(out.mean()) < 4 / np.sqrt(len(out)) and abs(out.var() - 1) < 4 * np.sqrt(2 / len(out))
