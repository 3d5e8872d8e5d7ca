"""Matrix products for generated code, by pointer to BLAS.

    gemm(1.0, x, False, w, True, 0.0, out)      out = x @ w.T
    gemv(alpha, a, True, x, beta, out)          out = alpha * a.T @ x + beta * out
    batched_gemm(a, False, b, False, out)       out[k] = a[k] @ b[k]

Arrays are C-contiguous and of one dtype, `out` is none of the operands, lengths fit (whoever calls has checked) and may
be 0; flags are literal bools. beta = 0 means that `out` is written only. A call compiles in about 10 ms: these are no
jitted functions, their LLVM code is written here, once in a module for each dtype and each pair of flags.

BLAS is column-major: it sees the transpose of every matrix here. Hence operands change places, and a flag of gemv its
value. Loops for small products were measured against OpenBLAS: equal at 3 x 3, slower from 4 x 4 on.

NumPy's integers and bools are multiplied by loops, wrapping round as np.dot does; a sum of bools is their `or`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, type_callable
from numba.np import arrayobj

from nbgraph.dispatch import blas

_LENGTH = ir.IntType(64)
_INT = ir.IntType(32)  # what BLAS takes; see blas.LONGEST
_CHAR = ir.IntType(8)


def gemm(alpha: Any, a: np.ndarray, transpose_a: bool, b: np.ndarray, transpose_b: bool, beta: Any,
         out: np.ndarray) -> None:
    """out[i, j] = alpha * sum_k op(a)[i, k] op(b)[k, j] + beta * out[i, j]

    Parameters
    ----------
    alpha, beta : numbers, cast to the dtype of the arrays
    a : [n, k], or [k, n] with transpose_a
    b : [k, m], or [m, k] with transpose_b
    out : [n, m], written; not read where beta is 0
    """
    _accumulate(alpha, _op(a, transpose_a), _op(b, transpose_b), beta, out)


def gemv(alpha: Any, a: np.ndarray, transpose_a: bool, x: np.ndarray, beta: Any, out: np.ndarray) -> None:
    """out[i] = alpha * sum_k op(a)[i, k] x[k] + beta * out[i]

    Parameters
    ----------
    alpha, beta : numbers, cast to the dtype of the arrays
    a : [n, k], or [k, n] with transpose_a
    x : [k]
    out : [n], written; not read where beta is 0
    """
    _accumulate(alpha, _op(a, transpose_a), x, beta, out)


def batched_gemm(a: np.ndarray, transpose_a: bool, b: np.ndarray, transpose_b: bool, out: np.ndarray) -> None:
    """out[s, i, j] = sum_k op(a[s])[i, k] op(b[s])[k, j]

    Parameters
    ----------
    a : [s, n, k], or [s, k, n] with transpose_a
    b : [s, k, m], or [s, m, k] with transpose_b
    out : [s, n, m], written
    """
    for one_a, one_b, one_out in zip(a, b, out, strict=True):
        gemm(1, one_a, transpose_a, one_b, transpose_b, 0, one_out)


def _op(a: np.ndarray, transposed: bool) -> np.ndarray:
    return a.T if transposed else a


def _accumulate(alpha: Any, a: np.ndarray, b: np.ndarray, beta: Any, out: np.ndarray) -> None:
    scalar = out.dtype.type
    with np.errstate(all="ignore"):
        product = np.dot(a, b) if alpha == 1 else scalar(alpha) * np.dot(a, b)
        out[...] = product if beta == 0 else product + scalar(beta) * out


# --- types ------------------------------------------------------------------------------------------------------------

def _fit(arrays: tuple[Any, ...], ndims: tuple[int, ...], flags: tuple[Any, ...], *numbers: Any) -> bool:
    """True where these types are those that a product takes; the last array is written."""
    return (all(isinstance(x, types.Array) and x.layout == "C" and x.dtype == arrays[0].dtype for x in arrays)
            and tuple(x.ndim for x in arrays) == ndims and arrays[-1].mutable
            and all(isinstance(flag, types.BooleanLiteral) for flag in flags)
            and all(isinstance(number, (types.Number, types.Boolean)) for number in numbers))


@type_callable(gemm)
def _type_gemm(context: Any) -> Callable[..., Any]:
    def typer(alpha: Any, a: Any, transpose_a: Any, b: Any, transpose_b: Any, beta: Any, out: Any) -> Any:
        if not _fit((a, b, out), (2, 2, 2), (transpose_a, transpose_b), alpha, beta):
            return None
        return types.none(a.dtype, a, transpose_a, b, transpose_b, a.dtype, out)
    return typer


@type_callable(gemv)
def _type_gemv(context: Any) -> Callable[..., Any]:
    def typer(alpha: Any, a: Any, transpose_a: Any, x: Any, beta: Any, out: Any) -> Any:
        if not _fit((a, x, out), (2, 1, 1), (transpose_a,), alpha, beta):
            return None
        return types.none(a.dtype, a, transpose_a, x, a.dtype, out)
    return typer


@type_callable(batched_gemm)
def _type_batched_gemm(context: Any) -> Callable[..., Any]:
    def typer(a: Any, transpose_a: Any, b: Any, transpose_b: Any, out: Any) -> Any:
        if not _fit((a, b, out), (3, 3, 3), (transpose_a, transpose_b)):
            return None
        return types.none(a, transpose_a, b, transpose_b, out)
    return typer


# --- code -------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class _Matrix:
    """LLVM values of a C-contiguous matrix; `transposed` says at compile time what its factor in the product is."""

    transposed: bool
    data: Any
    rows: Any
    columns: Any


@lower_builtin(gemm, types.Any, types.Array, types.Boolean, types.Array, types.Boolean, types.Any, types.Array)
def _lower_gemm(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    a, b, out = (_parts(context, builder, signature, arguments, i) for i in (1, 3, 6))
    flag_a, flag_b = (signature.args[i].literal_value for i in (2, 4))
    _product(context, builder, signature.args[6].dtype, arguments[0], _Matrix(flag_a, *a), _Matrix(flag_b, *b),
             arguments[5], _Matrix(False, *out))
    return context.get_dummy_value()


@lower_builtin(gemv, types.Any, types.Array, types.Boolean, types.Array, types.Any, types.Array)
def _lower_gemv(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    alpha, beta, flag, dtype = arguments[0], arguments[4], signature.args[2].literal_value, signature.args[5].dtype
    (a, rows, columns), (x, inner), (out, length) = (_parts(context, builder, signature, arguments, i)
                                                     for i in (1, 3, 5))
    if str(dtype) in blas.LETTERS:
        _call(context, builder, _gemv_code, dtype, (flag,), (rows, columns, alpha, a, x, beta, out))
    else:  # out = x @ op(a).T, with rows for vectors
        one = _LENGTH(1)
        _product(context, builder, dtype, alpha, _Matrix(False, x, one, inner), _Matrix(not flag, a, rows, columns),
                 beta, _Matrix(False, out, one, length))
    return context.get_dummy_value()


@lower_builtin(batched_gemm, types.Array, types.Boolean, types.Array, types.Boolean, types.Array)
def _lower_batched_gemm(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    a, b, out = (_parts(context, builder, signature, arguments, i) for i in (0, 2, 4))
    flag_a, flag_b = (signature.args[i].literal_value for i in (1, 3))
    dtype = signature.args[4].dtype
    alpha, beta = (context.cast(builder, context.get_constant(types.intp, n), types.intp, dtype) for n in (1, 0))
    with cgutils.for_range(builder, out[1]) as loop:
        def one(transposed: bool, data: Any, _: Any, rows: Any, columns: Any) -> _Matrix:
            start = builder.mul(loop.index, builder.mul(rows, columns))
            return _Matrix(transposed, builder.gep(data, [start]), rows, columns)

        _product(context, builder, dtype, alpha, one(flag_a, *a), one(flag_b, *b), beta, one(False, *out))
    return context.get_dummy_value()


def _parts(context: Any, builder: Any, signature: Any, arguments: Any, i: int) -> Any:
    """(pointer to the elements, lengths...) of argument i, an array."""
    array = arrayobj.make_array(signature.args[i])(context, builder, arguments[i])
    return array.data, *cgutils.unpack_tuple(builder, array.shape)


def _product(context: Any, builder: Any, dtype: Any, alpha: Any, a: _Matrix, b: _Matrix, beta: Any,
             out: _Matrix) -> None:
    """out = alpha * op(a) @ op(b) + beta * out"""
    inner = a.rows if a.transposed else a.columns
    code = _gemm_code if str(dtype) in blas.LETTERS else _loops_code
    _call(context, builder, code, dtype, (a.transposed, b.transposed),
          (out.rows, out.columns, inner, alpha, a.data, b.data, beta, out.data))


# --- functions of the module, each there once -------------------------------------------------------------------------

def _call(context: Any, builder: Any, code: Callable[..., None], dtype: Any, flags: tuple[bool, ...],
          arguments: tuple[Any, ...]) -> None:
    """Call the function that `code` writes for this dtype and these flags; it is written at the first call."""
    name = f"nbgraph.{code.__name__}.{dtype}.{''.join('t' if flag else 'n' for flag in flags)}"
    function = builder.module.globals.get(name)
    if function is None:
        kind = ir.FunctionType(ir.VoidType(), [value.type for value in arguments])
        function = ir.Function(builder.module, kind, name)
        # Private to the module, so that no other object's symbols matter. Inlined, every call would be optimised anew.
        function.linkage = "internal"
        function.attributes.add("noinline")
        if code is not _loops_code:  # all that could be unrolled there is the loop for empty sums
            function.attributes.add("optsize")
        function.args[-1].add_attribute("noalias")  # out is none of the operands
        inner = ir.IRBuilder(function.append_basic_block("entry"))
        code(context, inner, dtype, *flags, *function.args)
        inner.ret_void()
    builder.call(function, arguments)


def _gemm_code(context: Any, builder: Any, dtype: Any, transpose_a: bool, transpose_b: bool, n: Any, m: Any, k: Any,
               alpha: Any, a: Any, b: Any, beta: Any, out: Any) -> None:
    """out.T = alpha * op(b).T @ op(a).T + beta * out.T, column-major."""
    size = builder.mul(n, m)
    with builder.if_else(builder.and_(_nonzero(builder, size), _nonzero(builder, k))) as (some, none):
        with some:
            n, m, k = (builder.trunc(length, _INT) for length in (n, m, k))
            _call_blas(builder, "gemm", dtype, _flag(transpose_b), _flag(transpose_a), m, n, k, alpha,
                       b, k if transpose_b else m, a, n if transpose_a else k, beta, out, m)
        with none:
            _scale(context, builder, dtype, size, beta, out)


def _gemv_code(context: Any, builder: Any, dtype: Any, transpose_a: bool, rows: Any, columns: Any, alpha: Any, a: Any,
               x: Any, beta: Any, out: Any) -> None:
    """BLAS scales by a beta of 0 in ways that differ, and not at all where k is 0; so that is done here."""
    length = columns if transpose_a else rows
    is_zero = _is_zero(builder, beta)
    one = context.cast(builder, context.get_constant(types.intp, 1), types.intp, dtype)
    some = _nonzero(builder, builder.mul(rows, columns))
    with builder.if_then(builder.or_(is_zero, builder.not_(some))):
        _scale(context, builder, dtype, length, beta, out)
    with builder.if_then(some):
        rows, columns, step = builder.trunc(rows, _INT), builder.trunc(columns, _INT), _INT(1)
        _call_blas(builder, "gemv", dtype, _flag(not transpose_a), columns, rows, alpha, a, columns, x, step,
                   builder.select(is_zero, one, beta), out, step)


def _flag(transposed: bool) -> Any:
    return _CHAR(ord("T" if transposed else "N"))


def _nonzero(builder: Any, length: Any) -> Any:
    return builder.icmp_signed("!=", length, length.type(0))


def _is_zero(builder: Any, value: Any) -> Any:
    tests = [builder.fcmp_ordered("==", part, part.type(0.0)) for part in _real_parts(builder, value)]
    return tests[0] if len(tests) == 1 else builder.and_(*tests)


def _real_parts(builder: Any, value: Any) -> list[Any]:
    """[x], or [real, imaginary] of a complex number."""
    if isinstance(value.type, ir.LiteralStructType):
        return [builder.extract_value(value, i) for i in range(2)]
    return [value]


def _multiply(builder: Any, x: Any, y: Any) -> Any:
    """x * y. Numba's own product of complex numbers is a jitted function."""
    xs, ys = _real_parts(builder, x), _real_parts(builder, y)
    if len(xs) == 1:
        return builder.fmul(x, y)
    real = builder.fsub(builder.fmul(xs[0], ys[0]), builder.fmul(xs[1], ys[1]))
    imaginary = builder.fadd(builder.fmul(xs[0], ys[1]), builder.fmul(xs[1], ys[0]))
    return builder.insert_value(builder.insert_value(x, real, 0), imaginary, 1)


def _call_blas(builder: Any, routine: str, dtype: Any, *arguments: Any) -> None:
    """Call a routine with every argument by reference; those that are pointers already are arrays."""
    blas.register()
    references = [value if isinstance(value.type, ir.PointerType) else cgutils.alloca_once_value(builder, value)
                  for value in arguments]
    kind = ir.FunctionType(ir.VoidType(), [reference.type for reference in references])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, blas.symbol(routine, str(dtype))), references)


def _scale(context: Any, builder: Any, dtype: Any, size: Any, beta: Any, out: Any) -> None:
    """out[i] = beta * out[i], or 0 where beta is 0, whatever was there."""
    with builder.if_else(_is_zero(builder, beta)) as (zero, other):
        with zero:
            itemsize = context.get_abi_sizeof(context.get_data_type(dtype))
            cgutils.memset(builder, out, builder.mul(size, _LENGTH(itemsize)), 0)
        with other, cgutils.for_range(builder, size) as loop:
            place = builder.gep(out, [loop.index])
            builder.store(_multiply(builder, beta, builder.load(place)), place)


def _loops_code(context: Any, builder: Any, dtype: Any, transpose_a: bool, transpose_b: bool, n: Any, m: Any, k: Any,
                alpha: Any, a: Any, b: Any, beta: Any, out: Any) -> None:
    """Integers and bools, of any lengths; inner loops run along rows of b, or along its columns with transpose_b."""
    multiply, add = (builder.and_, builder.or_) if dtype == types.boolean else (builder.mul, builder.add)
    alpha, beta = (context.get_value_as_data(builder, dtype, number) for number in (alpha, beta))
    over = partial(cgutils.for_range, builder)

    def place(matrix: Any, row: Any, columns: Any, column: Any) -> Any:
        return builder.gep(matrix, [builder.add(builder.mul(row, columns), column)])

    def factor(i: Any, t: Any) -> Any:
        return builder.load(place(a, t, n, i) if transpose_a else place(a, i, k, t))

    def accumulate(target: Any, x: Any, y: Any) -> None:
        builder.store(add(builder.load(target), multiply(x, y)), target)

    with over(n) as row:
        with over(m) as column:
            target = place(out, row.index, m, column.index)
            builder.store(multiply(beta, builder.load(target)), target)
            if transpose_b:
                total = cgutils.alloca_once_value(builder, alpha.type(0))
                with over(k) as term:
                    t = term.index
                    accumulate(total, factor(row.index, t), builder.load(place(b, column.index, k, t)))
                accumulate(target, alpha, builder.load(total))
        if not transpose_b:
            with over(k) as term:
                scaled = multiply(alpha, factor(row.index, term.index))
                with over(m) as column:
                    accumulate(place(out, row.index, m, column.index), scaled,
                               builder.load(place(b, term.index, m, column.index)))
