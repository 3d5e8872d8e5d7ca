"""LAPACK in kernels, by pointer to SciPy's: factorisations of square float64 matrices, column-major and in place.

    info = gesdd(a, s, u, vt, work, iwork)       a = u @ diag(s) @ vt;  a is lost
    info = syevd(a, w, work, iwork)              a = v @ diag(w) @ v.T, from its lower half; a becomes v
    info = potrf(a)                              a = l @ l.T, from its lower half, which becomes l

Matrices are [n, n] and columns of LAPACK's are rows here: each argument is the transpose of what the line above says.
`info` is 0, or what the routine says is wrong; 0 where n is. In 7 n**2 + 300 n + 64 numbers and 8 n + 3 integers each
routine has as much workspace as it asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, type_callable
from numba.np import arrayobj

from nbgraph.dispatch import blas
from nbgraph.errors import KernelError

_INT, _CHAR = ir.IntType(32), ir.IntType(8)
# What each routine takes: a letter as it is, the number of rows of the first array "n", arrays by their position,
# the length of one as "#position"; INFO is the last argument of all.
_ROUTINES: dict[str, tuple[Any, ...]] = {"gesdd": ("A", "n", "n", 0, "n", 1, 2, "n", 3, "n", 4, "#4", 5),
                                         "syevd": ("V", "L", "n", 0, "n", 1, 2, "#2", 3, "#3"),
                                         "potrf": ("L", "n", 0, "n")}


def _routine(name: str, ndims: tuple[int, ...]) -> Callable[..., int]:
    """The function of compiled code that calls a routine with these arrays."""
    def call(*arrays: Any) -> int:
        raise KernelError(None, f"{name} is for compiled code", fix="use scipy.linalg.lapack in Python")

    def typed(*arrays: Any) -> Any:
        fit = all(isinstance(x, types.Array) and x.layout == "C" and x.ndim == ndim
                  for x, ndim in zip(arrays, ndims, strict=True))
        return types.int64 if fit else None

    # Numba counts the parameters.
    typers: dict[int, Callable[..., Any]] = {1: lambda a: typed(a), 4: lambda a, b, c, d: typed(a, b, c, d),
                                             6: lambda a, b, c, d, e, f: typed(a, b, c, d, e, f)}

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        blas.register_lapack()
        arrays = [arrayobj.make_array(kind)(context, builder, value)
                  for kind, value in zip(signature.args, arguments, strict=True)]
        first = [cgutils.unpack_tuple(builder, array.shape)[0] for array in arrays]

        def passed(what: Any) -> Any:
            if isinstance(what, int):
                return arrays[what].data
            if what == "n" or what[0] == "#":
                length = first[0] if what == "n" else first[int(what[1:])]
                return cgutils.alloca_once_value(builder, builder.trunc(length, _INT))
            return cgutils.alloca_once_value(builder, _CHAR(ord(what)))

        info = cgutils.alloca_once_value(builder, _INT(0))
        # LAPACK takes no leading dimension of 0.
        with builder.if_then(builder.icmp_signed(">", first[0], first[0].type(0))):
            given = [*map(passed, _ROUTINES[name]), info]
            kind = ir.FunctionType(ir.VoidType(), [value.type for value in given])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, blas.symbol(name, "float64")), given)
        return builder.sext(builder.load(info), ir.IntType(64))

    call.__name__ = call.__qualname__ = name
    type_callable(call)(lambda context: typers[len(ndims)])
    lower_builtin(call, *[types.Array] * len(ndims))(lower)
    return call


gesdd = _routine("gesdd", (2, 1, 2, 2, 1, 1))
syevd = _routine("syevd", (2, 1, 1, 1))
potrf = _routine("potrf", (2,))
