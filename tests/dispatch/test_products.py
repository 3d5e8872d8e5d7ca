"""gemm, gemv and batched_gemm against NumPy, compiled and as plain Python; and BLAS by pointer in new processes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import product

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from nbgraph.dispatch import blas
from nbgraph.dispatch.products import batched_gemm, gemm, gemv
from nbgraph.errors import KernelError

CONTINUOUS = ("float32", "float64", "complex64", "complex128")
DISCRETE = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLAGS = tuple(product((False, True), repeat=2))
# n, k, m of [n, k] @ [k, m]: all that is small, and blocks of a BLAS with what is left over.
SHAPES = [*product((0, 1, 2, 5), repeat=3), (7, 16, 9), (33, 65, 17), (1, 300, 130), (130, 300, 1), (96, 1, 70),
          (200, 150, 120)]
# alpha, beta. The first, a product that is stored, is the usual one.
FACTORS = [(1.0, 0.0), (2.0, 1.0), (-1.0, -3.0)]


# --- one jitted function for each dtype -------------------------------------------------------------------------------

def any_gemm(ta, tb, alpha, a, b, beta, out):
    """gemm, with flags of run time. alpha and beta too, but for the product that is stored."""
    if ta and tb:
        gemm(alpha, a, True, b, True, beta, out)
    elif ta:
        gemm(alpha, a, True, b, False, beta, out)
    elif tb:
        gemm(alpha, a, False, b, True, beta, out)
    elif alpha == 1 and beta == 0:
        gemm(1.0, a, False, b, False, 0.0, out)
    else:
        gemm(alpha, a, False, b, False, beta, out)


def any_gemv(ta, alpha, a, x, beta, out):
    """gemv, with a flag of run time."""
    if ta:
        gemv(alpha, a, True, x, beta, out)
    elif alpha == 1 and beta == 0:
        gemv(1.0, a, False, x, 0.0, out)
    else:
        gemv(alpha, a, False, x, beta, out)


def any_batched_gemm(ta, tb, a, b, out):
    """batched_gemm, with flags of run time."""
    if ta and tb:
        batched_gemm(a, True, b, True, out)
    elif ta:
        batched_gemm(a, True, b, False, out)
    elif tb:
        batched_gemm(a, False, b, True, out)
    else:
        batched_gemm(a, False, b, False, out)


@cache
def runner(function, how):
    """The function, as Python or compiled; Numba specialises it for each dtype."""
    return function if how == "python" else njit(error_model="numpy", nogil=True, no_cfunc_wrapper=True)(function)


@pytest.fixture(params=("native", "python"))
def how(request):
    return request.param


# --- samples and comparison -------------------------------------------------------------------------------------------

def sample(rng, shape, dtype):
    """Random elements: of bool few true ones, of integers the whole range, so that products wrap round."""
    if dtype == "bool":
        return rng.random(shape) < 0.2
    if np.dtype(dtype).kind in "iu":
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
    values = rng.standard_normal(shape)
    return (values + 1j * rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else values).astype(dtype)


def garbage(shape, dtype):
    """What an array may hold that nothing has been stored in."""
    return np.full(shape, np.nan if dtype in CONTINUOUS else 1, dtype)


def factors(dtype):
    """alpha, beta in this dtype."""
    return [tuple(np.dtype(dtype).type(abs(v) if np.dtype(dtype).kind in "ub" else v) for v in pair)
            for pair in FACTORS]


def assert_product(actual, alpha, a, b, beta, added):
    """actual = alpha * a @ b + beta * added: exactly for integers, else within the bound on rounding errors.

    |error| <= gamma |alpha| |a| |b| + ..., whatever the order of the sums: Higham, Accuracy and Stability of Numerical
    Algorithms, section 3.5; times 4 for complex numbers.
    """
    dtype = actual.dtype
    if dtype.name in DISCRETE:
        expected = alpha * np.matmul(a, b) + (0 if beta == 0 else beta * added)
        np.testing.assert_array_equal(actual, np.asarray(expected, dtype))
        return
    wide = np.result_type(dtype, np.longdouble)
    a, b, added = (x.astype(wide) for x in (a, b, np.zeros_like(added) if beta == 0 else added))
    expected = alpha * (a @ b) + beta * added
    scale = abs(alpha) * (np.abs(a) @ np.abs(b)) + np.abs(beta * added)
    assert actual.shape == expected.shape
    assert np.all(np.abs(actual - expected) <= 4 * (a.shape[-1] + 3) * np.finfo(dtype).eps * scale)


def shapes_of(n, k, m, ta, tb):
    return ((k, n) if ta else (n, k)), ((m, k) if tb else (k, m))


# --- values -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("dtype", CONTINUOUS + DISCRETE)
def test_gemm_is_the_product_of_numpy_scaled_and_added(how, dtype, capfd):
    rng = np.random.default_rng(1)
    run = runner(any_gemm, how)
    for (n, k, m), (ta, tb), (alpha, beta) in product(SHAPES, FLAGS, factors(dtype)):
        a_shape, b_shape = shapes_of(n, k, m, ta, tb)
        a, b = sample(rng, a_shape, dtype), sample(rng, b_shape, dtype)
        before = garbage((n, m), dtype) if beta == 0 else sample(rng, (n, m), dtype)
        out = before.copy()
        run(ta, tb, alpha, a, b, beta, out)
        assert_product(out, alpha, a.T if ta else a, b.T if tb else b, beta, before)
    assert capfd.readouterr() == ("", "")  # where a BLAS complains of its arguments


@pytest.mark.parametrize("dtype", CONTINUOUS + DISCRETE)
def test_gemv_is_the_product_of_numpy_scaled_and_added(how, dtype, capfd):
    rng = np.random.default_rng(2)
    run = runner(any_gemv, how)
    lengths = {(n, k) for n, k, _ in SHAPES} | {(0, 7), (7, 0), (300, 200)}
    for (n, k), ta, (alpha, beta) in product(sorted(lengths), (False, True), factors(dtype)):
        a, x = sample(rng, (k, n) if ta else (n, k), dtype), sample(rng, (k,), dtype)
        before = garbage((n,), dtype) if beta == 0 else sample(rng, (n,), dtype)
        out = before.copy()
        run(ta, alpha, a, x, beta, out)
        assert_product(out, alpha, a.T if ta else a, x, beta, before)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("dtype", CONTINUOUS + DISCRETE)
def test_batched_gemm_multiplies_matrix_by_matrix(how, dtype):
    rng = np.random.default_rng(3)
    run = runner(any_batched_gemm, how)
    shapes = [(0, 2, 3), (2, 0, 3), (2, 3, 0), (1, 1, 1), (2, 5, 3), (9, 17, 4)]
    for s, (n, k, m), (ta, tb) in product((0, 1, 3), shapes, FLAGS):
        a_shape, b_shape = shapes_of(n, k, m, ta, tb)
        a, b = sample(rng, (s, *a_shape), dtype), sample(rng, (s, *b_shape), dtype)
        out = garbage((s, n, m), dtype)
        run(ta, tb, a, b, out)
        assert_product(out, np.dtype(dtype).type(1), np.swapaxes(a, 1, 2) if ta else a,
                       np.swapaxes(b, 1, 2) if tb else b, np.dtype(dtype).type(0), out)


@pytest.mark.parametrize("dtype", CONTINUOUS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_reaches_the_result_even_where_it_meets_a_zero(how, dtype, bad):
    for n, (ta, tb) in product((1, 3, 8, 40), FLAGS):
        a, b = np.ones((n, n), dtype), np.zeros((n, n), dtype)
        a[n // 2, n // 2] = bad
        out = np.ones((n, n), dtype)
        runner(any_gemm, how)(ta, tb, np.dtype(dtype).type(1), a, b, np.dtype(dtype).type(0), out)
        expected = np.zeros((n, n), bool)
        expected[n // 2] = True
        np.testing.assert_array_equal(np.isnan(out), expected)
        runner(any_gemv, how)(ta, np.dtype(dtype).type(1), a, b[0], np.dtype(dtype).type(0), out[0])
        np.testing.assert_array_equal(np.isnan(out[0]), expected[:, 0])


def test_alpha_and_beta_may_be_literals_of_another_type():
    @njit(error_model="numpy")
    def run(a, b, out, x):
        gemm(2, a, False, b, False, 0, out)
        gemm(1.5, a, True, b, False, -1.0, out)
        gemv(2.0, a, False, x, 0, out[0])

    rng = np.random.default_rng(4)
    for dtype in ("float32", "complex64"):
        a, b, x = sample(rng, (3, 3), dtype), sample(rng, (3, 3), dtype), sample(rng, (3,), dtype)
        out = garbage((3, 3), dtype)
        run(a, b, out, x)
        expected = 1.5 * a.T @ b - 2 * a @ b
        expected[0] = 2 * a @ x
        np.testing.assert_allclose(out, expected, rtol=0, atol=100 * np.finfo(dtype).eps)


def test_negative_zero_as_beta_does_not_read_out_either(how):
    out = garbage((2, 2), "float64")
    runner(any_gemm, how)(False, False, 1.0, np.eye(2), np.eye(2), -0.0, out)
    np.testing.assert_array_equal(out, np.eye(2))
    out = garbage((2,), "float64")
    runner(any_gemv, how)(True, 1.0, np.eye(2), np.ones(2), -0.0, out)
    np.testing.assert_array_equal(out, [1, 1])


def test_constants_that_may_not_be_written_are_taken_as_operands():
    a, b, out = np.eye(3), np.arange(9.0).reshape(3, 3), np.empty((3, 3))
    a.flags.writeable = b.flags.writeable = False
    runner(any_gemm, "native")(False, True, 1.0, a, b, 0.0, out)
    np.testing.assert_array_equal(out, b.T)


def test_many_threads_multiply_at_once():
    rng = np.random.default_rng(5)
    run = runner(any_gemm, "native")
    pairs = [(sample(rng, (30, 40), "float64"), sample(rng, (40, 20), "float64")) for _ in range(4)]

    def work(pair):
        outs = [np.empty((30, 20)) for _ in range(50)]
        for out in outs:
            run(False, False, 1.0, *pair, 0.0, out)
        return outs

    run(False, False, 1.0, *pairs[0], 0.0, np.empty((30, 20)))
    with ThreadPoolExecutor(4) as pool:
        for (a, b), outs in zip(pairs, pool.map(work, pairs), strict=True):
            for out in outs:
                np.testing.assert_allclose(out, a @ b, rtol=0, atol=1e-12)


# --- types and code ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("a", "out"), [
    (np.eye(2, dtype="float32"), np.eye(2)), (np.asfortranarray(np.ones((2, 2))), np.eye(2)),
    (np.ones(2), np.eye(2)), (np.eye(2), np.ones(2))], ids=["dtype", "layout", "ndim", "ndim of out"])
def test_arrays_that_do_not_fit_are_refused_when_compiled(a, out):
    with pytest.raises(TypingError):
        njit(lambda a, out: gemm(1.0, a, False, np.eye(2), False, 0.0, out))(a, out)


def test_a_flag_that_is_not_literal_is_refused_when_compiled():
    with pytest.raises(TypingError):
        njit(lambda a, out, flag: gemm(1.0, a, flag, a, False, 0.0, out))(np.eye(2), np.eye(2), True)


def test_the_code_of_a_product_is_in_a_module_once():
    @njit(error_model="numpy")
    def run(a, b, out):
        gemm(1.0, a, False, b, True, 0.0, out)
        gemm(1.0, out, False, b, True, 0.5, a)
        gemm(1.0, a, True, b, True, 0.0, out)

    run(np.eye(2), np.eye(2), np.eye(2))
    (code,) = run.inspect_llvm().values()
    assert code.count("call void @nbgraph_dgemm(") == 2


# --- pointers ---------------------------------------------------------------------------------------------------------

def in_new_process(code, **environment):
    """The standard output of a program."""
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60,
                         env={**os.environ, **environment})
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_registering_imports_neither_numba_nor_scipy_linalg_and_leaves_scipy_as_it_was():
    printed = in_new_process("""
        import sys
        import numpy as np
        from nbgraph.dispatch import blas
        blas.register()
        blas.register()
        print([name for name in ("numba", "scipy.linalg", "scipy.linalg.cython_blas") if name in sys.modules])
        import scipy.linalg.cython_blas
        print("dgemm" in scipy.linalg.cython_blas.__pyx_capi__, scipy.linalg.solve(2 * np.eye(2), np.ones(2)))
    """)
    assert printed == "[]\nTrue [0.5 0.5]"


def test_an_object_from_a_cache_runs_in_a_new_process_that_has_registered(tmp_path):
    tmp_path.joinpath("kept.py").write_text(textwrap.dedent("""
        from numba import njit
        from nbgraph.dispatch.products import batched_gemm, gemm, gemv

        @njit(cache=True)
        def kept(a, b, x, out, y, s):
            gemm(1.0, a, False, b, True, 0.0, out)
            gemv(1.0, a, True, x, 0.0, y)
            batched_gemm(s, False, s, False, s.copy())
    """))
    code = f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        from nbgraph.dispatch import blas
        blas.register()
        import numpy as np
        from kept import kept
        a, b, x = np.ones((2, 3)), np.ones((4, 3)), np.ones(2)
        out, y = np.empty((2, 4)), np.empty(3)
        kept(a, b, x, out, y, np.ones((2, 3, 3)))
        assert (out == 3).all() and (y == 2).all()
        print(*(sum(kept.stats._asdict()[name].values()) for name in ("cache_hits", "cache_misses")))
    """
    folder = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert in_new_process(code, **folder) == "0 1"
    assert in_new_process(code, **folder) == "1 0"


def test_without_the_extension_file_the_ordinary_import_is_taken(monkeypatch):
    monkeypatch.setattr(blas, "_extension_file", lambda name: None)
    monkeypatch.delitem(sys.modules, blas._MODULE, raising=False)
    assert "zgemv" in blas.pointers(blas._MODULE).__pyx_capi__


def test_a_blas_with_other_integers_is_refused():
    capsule = blas.pointers(blas._MODULE).__pyx_capi__["dgemm"]
    with pytest.raises(KernelError, match=r"32-bit integers"):
        blas.address(capsule, "void (char *, char *, long *, ")


def test_lengths_that_blas_takes_end_at_32_bits():
    assert blas.fits(0, blas.LONGEST)
    assert not blas.fits(3, blas.LONGEST + 1)
