"""Every row of the scalar table, compiled and as plain Python, for every dtype that it takes, against NumPy.

All rows of the same operand dtypes are compiled in one loop, written with `resolve` as the lowering writes it.
"""

from __future__ import annotations

import importlib
import itertools
import math
import platform
import re
import zlib

import mpmath
import numpy as np
import pytest
from numba import from_dtype, types
from numba.core.base import BaseContext

import nbgraph.tensor  # noqa: F401  fills the table
from nbgraph.dispatch.jit import entry
from nbgraph.dispatch.scalar import resolve
from nbgraph.errors import KernelError
from nbgraph.tensor import dtypes
from nbgraph.tensor.scalar_function import TABLE

INFIX = {"+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!=", "&", "|", "^"}
SPECIAL = ("gammaln", "digamma", "polygamma", "erfc")
# Rows of floats that call the C library; the others are exact.
LIBM = {"power", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos",
        "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "arctan2", "sigmoid", "softplus", "log1mexp",
        "logaddexp", "erf", "angle"}
# What Numba's own `math` functions call, and so what is there when compiled code is loaded in another process.
C_LIBRARY = {"asinh", "atan2", "cos", "cosh", "expm1", "hypot", "lgamma", "log1p", "sin", "sinh", "tan"}
PRODUCTS = ("mul", "square", "true_divide", "reciprocal")
REDUCTIONS = ("sum", "prod", "max", "min", "all", "any")


def signatures(row):
    """All (operand dtypes..., dtype) of a row."""
    found = set()
    for kinds in itertools.product(dtypes.ALL, repeat=row.nin):
        try:
            found.add(tuple(row.signature(*kinds)))
        except TypeError:
            continue
    return sorted(found)


ROWS = [(name, *signature) for name, row in TABLE.items() for signature in signatures(row)]
GROUPS: dict[tuple[str, ...], list[tuple[str, str]]] = {}
for _name, *_operands, _dtype in ROWS:
    GROUPS.setdefault(tuple(_operands), []).append((_name, _dtype))


def kernel_of(dotted):
    module, name = dotted.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


def source(operands, rows):
    """A loop over all elements with a statement for each row, and what its names stand for."""
    names, lines = {"np": np}, []
    variables = [f"v{i}" for i in range(len(operands))]
    for k, (name, dtype) in enumerate(rows):
        function = resolve(TABLE[name].kernel, operands, dtype)
        if function in INFIX:
            call = f"v0 {function} v1"
        elif function:
            names[f"kernel_{k}"] = kernel_of(function)
            call = f"kernel_{k}({', '.join(variables)})"
        else:
            call = "v0 != 0" if dtype == "bool" else f"np.{dtype}(v0)"
        if dtype not in ("bool", "int64", "float64", "complex128"):
            call = f"np.{dtype}({call})"
        lines.append(f"        out{k}[i] = {call}\n")
    loads = [f"        v{i} = x{i}[i]\n" for i in range(len(operands))]
    arguments = [f"x{i}" for i in range(len(operands))] + [f"out{k}" for k in range(len(rows))]
    text = f"def f({', '.join(arguments)}):\n    for i in range(out0.size):\n{''.join(loads + lines)}"
    exec(text, names)
    return names["f"]


def array_type(dtype):
    return types.Array(types.boolean if dtype == "bool" else from_dtype(np.dtype(dtype)), 1, "C")


def compiled(function, argument_dtypes):
    dispatcher = entry(function)
    dispatcher.compile(tuple(map(array_type, argument_dtypes)))
    return dispatcher


def real_edges(dtype):
    f = np.finfo(dtype)
    return [0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 3, -3, 7, -7, 0.1, -0.3, math.pi, -math.e, 1e-5, 1e-20,
            -1e-20, 1e10, -1e10, 50, -50, 100, -200.5, 700, -700, f.max, f.min, f.tiny, -f.tiny,
            f.smallest_subnormal, f.eps, 1 + f.eps, 1 - f.eps / 2, np.inf, -np.inf, np.nan]


def edges(dtype):
    """Zeros, ones, extremes, infinities, NaN."""
    kind = np.dtype(dtype).kind
    if kind == "b":
        return np.array([False, True])
    if kind in "iu":
        info = np.iinfo(dtype)
        around = [info.min, info.min + 1, info.max, info.max - 1, *range(-9, 10), 15, 16, 17, 31, 32, 33, 63, 64, -32,
                  -64, 100]
        return np.array([x for x in around if info.min <= x <= info.max], dtype)
    with np.errstate(over="ignore"):
        if kind == "f":
            return np.array(real_edges(dtype), dtype)
        f = np.finfo(dtype)
        parts = [0.0, -0.0, 1, -1, 0.5, -2, 3.7, -1e-9, 1e9, 30, -40, f.max / 4, f.tiny * 4, np.inf, -np.inf, np.nan]
        return np.array([complex(a, b) for a in parts for b in parts], dtype)


def random_values(rng, dtype, count):
    kind = np.dtype(dtype).kind
    if kind == "b":
        return rng.integers(0, 2, count).astype(bool)
    if kind in "iu":
        info = np.iinfo(dtype)
        wide = rng.integers(info.min, info.max, count, endpoint=True, dtype=dtype)
        return np.where(rng.random(count) < 0.5, wide, rng.integers(max(info.min, -20), 20, count).astype(dtype))
    wide = rng.normal(size=count) * 10.0 ** rng.uniform(-3, 3, count)
    near = rng.uniform(-3, 3, count)
    real = np.where(rng.random(count) < 0.5, wide, near)
    return (real + 1j * rng.permutation(real) if kind == "c" else real).astype(dtype)


def samples(operands, count=300, edge_limit=3000):
    """Every combination of edge values, thinned to about `edge_limit`, and random values."""
    rng = np.random.default_rng(zlib.crc32("/".join(operands).encode()))
    each = [edges(dtype) for dtype in operands]
    most = int(edge_limit ** (1 / len(operands)))
    each = [e if e.size <= most else e[rng.permutation(e.size)[:most]] for e in each]
    grids = [grid.ravel() for grid in np.meshgrid(*each, indexing="ij")]
    return [np.concatenate([grid, random_values(rng, dtype, count)])
            for grid, dtype in zip(grids, operands, strict=True)]


def domain(name, operands, dtype, xs):
    """Where NumPy's result is defined, and does not depend on the processor."""
    if name == "power" and operands[1] in dtypes.SIGNED:
        return xs[1] >= 0
    if name == "polygamma":
        # Between two poles terms cancel, in SciPy too.
        whole = xs[1] == np.floor(xs[1])
        return (xs[0] >= -1) & (xs[0] < 40) & ((xs[1] > 0) & (xs[1] < 1e3) | whole | np.isnan(xs[1]))
    if name.startswith("cast") and dtype in dtypes.INTEGERS and operands[0] in dtypes.FLOATS:
        bits = 63 if dtype.endswith("64") else 31
        return (xs[0] > -2.0**bits) & (xs[0] < 2.0 ** (bits + (dtype in ("uint32", "uint64"))))
    if operands[-1] in dtypes.COMPLEX and name in (*PRODUCTS, "power"):
        # NumPy may fuse a product and a sum, which tells where the product alone overflows.
        largest = 1e15 if operands[-1] == "complex64" else 1e120
        return np.all([(np.abs(x) < largest) & ((np.abs(x) > 1 / largest) | (x == 0)) for x in xs], axis=0)
    return np.ones(xs[0].size, bool)


def reference(name, xs, dtype, wide):
    """NumPy's value; with `wide`, of a function of the C library computed in 64 bits: NumPy's float32 errs by 4 ulp."""
    if wide and (name in LIBM or (name == "sqrt" and operands_complex(xs))) and name != "logaddexp":
        xs = [x.astype({"float32": "float64", "complex64": "complex128"}.get(x.dtype.name, x.dtype)) for x in xs]
    with np.errstate(all="ignore"):
        return np.asarray(TABLE[name].numpy(*xs)).astype(dtype)


def operands_complex(xs):
    return xs[-1].dtype.kind == "c"


def same_zero_and_nan(a, b):
    return (a == b) & (np.signbit(a) == np.signbit(b)) | np.isnan(a) & np.isnan(b)


def ulps(a, b):
    """How many units in the last place of b separate reals a and b; inf where one is not finite, or a zero's sign."""
    with np.errstate(all="ignore"):
        apart = np.abs(a - b) / np.spacing(np.abs(b))
    apart = np.where(np.isfinite(apart) & ~((a == 0) & (b == 0)), apart, np.inf)
    return np.where(same_zero_and_nan(a, b), 0, apart)


def parts_agree(a, b, most):
    """Both parts within `most` ulp; the sign of a zero is open, C99 leaves it so in places."""
    parts = (a.real, b.real), (a.imag, b.imag)
    return np.all([(ulps(x, y) <= most) | (x == y) for x, y in parts], axis=0)


def agree(name, xs, result, expected):
    """Where a result is as good as it has to be."""
    if result.dtype.kind in "biu":
        return result == expected
    eps = np.finfo(result.dtype).eps
    if name in SPECIAL:
        # SciPy itself errs; the tests against mpmath are the strict ones.
        with np.errstate(all="ignore"):
            close = np.abs(result - expected) <= 200 * eps * np.maximum(np.abs(expected), 1)
        return close | same_zero_and_nan(result, expected) | (np.abs(xs[-1]) < np.finfo(xs[-1].dtype).tiny)
    if name == "logaddexp":
        scale = np.maximum(np.abs(xs[0]), np.abs(xs[1]))
        with np.errstate(all="ignore"):
            return (ulps(result, expected) <= 2) | (np.abs(result - expected) <= 2 * eps * scale)
    if name == "erfinv":  # ours may err by 4, and SciPy's errs by 2.3
        return ulps(result, expected) <= 6
    if result.dtype.kind == "f":
        libm = name in LIBM or (name == "abs" and operands_complex(xs))
        return ulps(result, expected) <= (2 if libm else 0)
    with np.errstate(all="ignore"):
        if name in PRODUCTS:
            return (np.abs(result - expected) <= 4 * eps * np.abs(expected)) | parts_agree(result, expected, 0)
        if name == "power":
            growth = 1 + np.abs(xs[1]) * (1 + np.abs(np.log(np.where(xs[0] == 0, 1, np.abs(xs[0])))))
            close = np.abs(result - expected) <= 4 * eps * growth * np.abs(expected) + np.finfo(result.dtype).tiny
            return close | ~np.isfinite(expected) & ~np.isfinite(result)
        if name == "log1p":
            return parts_agree(result, expected, 5) | (np.abs(result - expected) <= 2 * eps)
    exact = name in ("add", "sub", "neg", "conj", "maximum", "minimum", "clip", "switch", "sign", "complex")
    return parts_agree(result, expected, 0 if exact else 5)


def faults(function, operands, rows, xs, wide=True):
    """What differs from NumPy, as text, a line for each row that does."""
    counted = [domain(name, operands, dtype, xs) for name, dtype in rows]
    outs = [np.zeros(xs[0].size, dtype) for _, dtype in rows]
    if ("power", operands[0]) in rows:
        xs = [np.where(counted[rows.index(("power", operands[0]))], x, x.dtype.type(1)) for x in xs]
    with np.errstate(all="ignore"):
        function(*xs, *outs)
    found = []
    for (name, dtype), inside, out in zip(rows, counted, outs, strict=True):
        expected = reference(name, xs, dtype, wide)
        wrong = np.flatnonzero(inside & ~agree(name, xs, out, expected))
        if wrong.size:
            i = wrong[0]
            found.append(f"{name}({', '.join(repr(x[i]) for x in xs)}) = {out[i]!r}, expected {expected[i]!r} "
                         f"({wrong.size} of {inside.sum()})")
    return found


def identify(operands):
    return "-".join(operands)


@pytest.mark.parametrize("operands", GROUPS, ids=identify)
def test_compiled_kernels_give_the_values_of_numpy(operands):
    rows = GROUPS[operands]
    function = compiled(source(operands, rows), (*operands, *(dtype for _, dtype in rows)))
    found = faults(function, operands, rows, samples(operands))
    assert not found, "\n".join(found)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("operands", GROUPS, ids=identify)
def test_the_same_source_runs_without_numba(operands):
    rows = GROUPS[operands]
    found = faults(source(operands, rows), operands, rows, samples(operands, count=30, edge_limit=100), wide=False)
    assert not found, "\n".join(found)


def test_every_row_resolves_for_every_dtype_that_it_accepts():
    assert len(ROWS) > 600
    for name, *operands, dtype in ROWS:
        function = resolve(TABLE[name].kernel, tuple(operands), dtype)
        assert function in INFIX or callable(kernel_of(function)) if function else name.startswith("cast"), name


@pytest.mark.parametrize("dtype", dtypes.ALL)
def test_every_reduction_resolves_for_every_dtype(dtype):
    for kind in REDUCTIONS if dtype == "bool" else REDUCTIONS[:4]:
        function = resolve(kind, (dtype, dtype), dtype)
        assert function in INFIX or callable(kernel_of(function))
    for kind in ("argmax_better", "argmin_better"):
        function = resolve(kind, (dtype, dtype), "bool")
        assert function in INFIX or callable(kernel_of(function))


def test_an_unknown_kernel_is_an_error():
    with pytest.raises(KernelError, match="no scalar kernel is named 'sin_cos'"):
        resolve("sin_cos", ("float64",), "float64")


def test_no_kernel_compiles_a_function_of_its_own(monkeypatch):
    inner = []
    original = BaseContext.compile_subroutine

    def counted(self, builder, implementation, *arguments, **options):
        inner.append(implementation)
        return original(self, builder, implementation, *arguments, **options)

    monkeypatch.setattr(BaseContext, "compile_subroutine", counted)
    for operands in [("float64",), ("float64", "float64"), ("complex128",), ("complex128", "complex128"),
                     ("int64", "int64"), ("int64", "float64")]:
        compiled(source(operands, GROUPS[operands]), (*operands, *(dtype for _, dtype in GROUPS[operands])))
    assert inner == []


def test_python_literals_are_operands():
    names = {"maximum": kernel_of(resolve("maximum", ("int64", "int64"), "int64")),
             "switch": kernel_of(resolve("switch", ("bool", "int64", "int64"), "int64"))}
    exec("def f(x, out):\n    for i in range(3):\n        out[i] = maximum(x[i], 0) + switch(True, 2, x[i])", names)
    out = np.zeros(3, "int64")
    compiled(names["f"], ("int64", "int64"))(np.array([-4, 0, 5]), out)
    assert out.tolist() == [2, 2, 7]


def test_a_negative_exponent_of_an_integer_neither_hangs_nor_traps():
    x, y, out = np.array([1, 1, 0]), np.array([-5, np.iinfo("int64").min, -1]), np.zeros(3, "int64")
    compiled(source(("int64", "int64"), [("power", "int64")]), ("int64",) * 3)(x, y, out)
    assert out.tolist() == [1, 1, 0]


def test_compiled_kernels_call_only_the_c_library():
    wanted = set()
    for operands in [("float64",), ("float32",), ("float64", "float64"), ("complex128",), ("complex128", "complex128"),
                     ("int64", "int64"), ("int64", "float64")]:
        rows = GROUPS[operands]
        native = compiled(source(operands, rows), (*operands, *(dtype for _, dtype in rows)))
        (text,) = native.inspect_llvm().values()
        wanted |= set(re.findall(r"declare [^@]*@([\w.]+)\(", text))
    called = {name for name in wanted if not name.startswith(("llvm.", "Py", "_Py", "NRT_", "numba_"))}
    assert {name.removesuffix("f") if name != "erf" else name for name in called} == C_LIBRARY


# Reductions


def reduction(kind, dtype):
    """acc = combine(acc, x[i]) from the first element on."""
    function = resolve(kind, (dtype, dtype), dtype)
    call = f"total {function} x[i]" if function in INFIX else "combine(total, x[i])"
    call = call if dtype in ("bool", "int64", "float64", "complex128") else f"np.{dtype}({call})"
    text = (f"def f(x):\n    total = x[0]\n    for i in range(1, x.size):\n        total = {call}\n"
            "    return total\n")
    names = {"np": np, "combine": None if function in INFIX else kernel_of(function)}
    exec(text, names)
    return names["f"]


def search(kind, dtype):
    """The place of the best element."""
    function = resolve(f"{kind}_better", (dtype, dtype), "bool")
    call = f"x[i] {function} best" if function in INFIX else "better(x[i], best)"
    text = ("def f(x):\n    best, place = x[0], 0\n    for i in range(1, x.size):\n"
            f"        if {call}:\n            best, place = x[i], i\n    return place\n")
    names = {"better": None if function in INFIX else kernel_of(function)}
    exec(text, names)
    return names["f"]


def reduced_arrays(dtype, kind):
    """Random values, also with infinities, and with a NaN first, in the middle, last."""
    rng = np.random.default_rng(zlib.crc32((dtype + kind).encode()))
    x = random_values(rng, dtype, 101)
    if dtype == "bool":
        return [x, np.ones_like(x), np.zeros_like(x)]
    if dtype in dtypes.INTEGERS:
        return [x, edges(dtype), x[:1]]
    x = (x / (10 if kind == "prod" else 1)).astype(dtype)
    arrays = [x, x[:1]]
    if kind not in ("sum", "prod"):
        arrays += [np.append(x, np.inf).astype(dtype), np.array([-np.inf, -np.inf, -1], dtype)]
        arrays += [np.insert(x, place, np.nan) for place in (0, 50, 101)]
        arrays += [np.insert(arrays[-1], 60, np.nan)]
    if dtype in dtypes.COMPLEX and kind not in ("sum", "prod"):
        arrays += [np.insert(x, 40, complex(1, np.nan)), np.round(x)]
    return arrays


@pytest.mark.parametrize(("kind", "dtype"), [*itertools.product(REDUCTIONS[:4], dtypes.ALL),
                                             ("all", "bool"), ("any", "bool")])
def test_reductions_give_the_values_of_numpy(kind, dtype):
    plain = reduction(kind, dtype)
    native = compiled(plain, (dtype,))
    for x in reduced_arrays(dtype, kind):
        with np.errstate(all="ignore"):
            expected = getattr(np, kind)(x, **({"dtype": dtype} if kind in ("sum", "prod") else {}))
            values = native(x), plain(x)
            if kind in ("sum", "prod") and dtype in dtypes.CONTINUOUS:
                scale = np.abs(x).sum() if kind == "sum" else np.abs(expected)
                assert all(abs(v - expected) <= 101 * np.finfo(dtype).eps * scale for v in values)
            else:
                assert all(np.array_equal(v, expected, equal_nan=True) for v in values)


@pytest.mark.parametrize("dtype", dtypes.ALL)
@pytest.mark.parametrize("kind", ["argmax", "argmin"])
def test_searches_find_the_place_that_numpy_finds(kind, dtype):
    plain = search(kind, dtype)
    native = compiled(plain, (dtype,))
    for x in reduced_arrays(dtype, kind):
        assert native(x) == plain(x) == getattr(np, kind)(x)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads x86-64 machine code")
@pytest.mark.parametrize(("kind", "dtype", "instruction"), [
    ("sum", "float64", "addpd"), ("sum", "float32", "addps"), ("sum", "complex128", "addpd"), ("sum", "int64", "paddq"),
    ("prod", "float64", "mulpd"), ("max", "float64", "maxpd"), ("min", "float32", "minps"), ("max", "int8", "pmaxsb")])
def test_loops_of_reductions_use_vector_instructions(kind, dtype, instruction):
    (text,) = compiled(reduction(kind, dtype), (dtype,)).inspect_asm().values()
    assert re.search(rf"\bv?{instruction}\b", text)


# Special functions and complex ones against mpmath


def computed(name, *xs):
    """The compiled row at real or complex 64-bit numbers."""
    operands = tuple(x.dtype.name for x in xs)
    dtype = TABLE[name].signature(*operands)[-1]
    out = np.zeros(xs[0].size, dtype)
    compiled(source(operands, [(name, dtype)]), (*operands, dtype))(*xs, out)
    return out


def relative_error(result, expected):
    """|result - expected| / |expected| for mpmath numbers."""
    return [float(abs(mpmath.mpmathify(a) - b) / abs(b)) for a, b in zip(result.tolist(), expected, strict=True)]


def test_digamma_is_accurate_at_its_first_roots_and_between_the_poles():
    rng = np.random.default_rng(1)
    roots = np.outer([1.4616321449683622, -0.5040830082644554], np.ones(20)).ravel() + 10.0 ** rng.uniform(-15, -1, 40)
    x = np.concatenate([roots, rng.uniform(-1, 12, 80), 10.0 ** rng.uniform(-300, 300, 40)])
    with mpmath.workdps(40):
        assert max(relative_error(computed("digamma", x), [mpmath.digamma(v) for v in x])) < 2e-15
        x = rng.uniform(-30, -1, 100)
        size = [abs(mpmath.digamma(v)) + abs(mpmath.pi * mpmath.cot(mpmath.pi * v)) for v in x]
        assert max(abs(a - mpmath.digamma(v)) / s
                   for a, v, s in zip(computed("digamma", x), x, size, strict=True)) < 2e-15


def test_gammaln_and_erfc_are_accurate():
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.uniform(-20, 30, 100), 1 + 10.0 ** rng.uniform(-15, -1, 20), [5e-324, 1e-300, 1e10]])
    with mpmath.workdps(60):
        expected = [mpmath.loggamma(v).real for v in x]
        assert max(relative_error(computed("gammaln", x), expected)) < 5e-15
        x = rng.uniform(-6, 26, 100)
        assert max(relative_error(computed("erfc", x), [mpmath.erfc(v) for v in x])) < 1e-15


def test_polygamma_is_accurate_for_positive_and_negative_numbers():
    rng = np.random.default_rng(3)
    n = rng.integers(1, 12, 120)
    x = np.concatenate([rng.uniform(0, 3, 40), rng.uniform(3, 60, 40), rng.uniform(-6, 0, 40)])
    with mpmath.workdps(40):
        expected = [mpmath.polygamma(int(k), mpmath.mpf(v)) for k, v in zip(n, x, strict=True)]
        assert max(relative_error(computed("polygamma", n, x)[:80], expected[:80])) < 2e-15
        # Between two poles the terms from both sides cancel for even orders.
        for k, v, a, b in list(zip(n, x, computed("polygamma", n, x), expected, strict=True))[80:]:
            size = abs(b) + mpmath.factorial(int(k)) * abs(mpmath.mpf(v) - round(v)) ** (-int(k) - 1)
            assert abs(a - b) < 2e-15 * size


MPMATH = {"exp": mpmath.exp, "exp2": lambda z: mpmath.power(2, z), "expm1": mpmath.expm1, "log": mpmath.log,
          "log2": lambda z: mpmath.log(z, 2), "log10": mpmath.log10, "log1p": lambda z: mpmath.log(1 + z),
          "sqrt": mpmath.sqrt, "sin": mpmath.sin, "cos": mpmath.cos, "tan": mpmath.tan, "arcsin": mpmath.asin,
          "arccos": mpmath.acos, "arctan": mpmath.atan, "sinh": mpmath.sinh, "cosh": mpmath.cosh, "tanh": mpmath.tanh,
          "arcsinh": mpmath.asinh, "arccosh": mpmath.acosh, "arctanh": mpmath.atanh}


def test_complex_functions_are_accurate():
    rng = np.random.default_rng(4)
    z = rng.normal(size=60) * 10.0 ** rng.uniform(-6, 2, 60) + 1j * rng.normal(size=60) * 10.0 ** rng.uniform(-6, 2, 60)
    z = np.concatenate([z, np.exp(1j * rng.uniform(0, 6, 20)), 1 + 1e-7 * np.exp(1j * rng.uniform(0, 6, 9))])
    rows = [(name, "complex128") for name in MPMATH]
    outs = [np.zeros(z.size, complex) for _ in rows]
    compiled(source(("complex128",), rows), ("complex128", *(d for _, d in rows)))(z, *outs)
    with mpmath.workdps(60):
        for (name, _), out in zip(rows, outs, strict=True):
            expected = [MPMATH[name](mpmath.mpmathify(complex(v))) for v in z]
            # NumPy has e**(z log 2): the rounded exponent counts.
            errors = np.array(relative_error(out, expected)) / (1 + np.abs(z) if name == "exp2" else 1)
            assert errors.max() < 1e-15, name
            if name in ("log", "log1p", "sqrt", "arcsin", "arctanh"):
                assert max(relative_error(out.real, [w.real for w in expected])) < 1e-15, name
