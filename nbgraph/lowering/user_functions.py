"""What is asked of functions of users before anything is compiled that calls them.

    check_user_functions(graph)      KernelError: Smoothed: Numba can't compile its kernel: … here: train.py:12

Each is compiled by itself, for the types that it is called with; what is compiled afterwards uses that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from numba import types

from nbgraph.dispatch import user_code
from nbgraph.dispatch.scalar import USER_CODE
from nbgraph.errors import KernelError
from nbgraph.graph.basic import Apply
from nbgraph.graph.fg import FunctionGraph
from nbgraph.lowering.build import Argument, numba_type
from nbgraph.lowering.foreign import Foreign
from nbgraph.tensor.elemwise import Elemwise

_SAID = 3  # lines of what Numba says
_KINDS = (types.Boolean, types.Integer, types.Float, types.Complex)  # each holds those before it


def check_user_functions(graph: FunctionGraph) -> None:
    """Compile the functions of users in a graph, and look at what they give.

    Raises
    ------
    KernelError   Numba can't compile one; its results are not those of its node; an elementwise function may raise, or
                  makes arrays, lists or dicts
    """
    for node in graph.nodes:
        if isinstance(node.op, Foreign) and node.op.kernel:
            _check_kernel(node, node.op)
        elif isinstance(node.op, Elemwise) and node.op.function.kernel.startswith(USER_CODE):
            _check_elementwise(node, node.op)


def _check_kernel(node: Apply, op: Foreign) -> None:
    arguments = [numba_type(Argument(v.type.dtype, v.type.ndim)) for v in node.inputs]
    given: Any = _compiled(node, op.kernel, arguments).signature.return_type
    outputs, is_tuple = op.node.outputs, isinstance(given, types.BaseTuple)
    results = list(given) if is_tuple and len(outputs) > 1 else [given]
    if len(results) != len(outputs):
        raise _misfit(node, f"its kernel gives {given} where {len(outputs)} outputs are due")
    for k, (result, v) in enumerate(zip(results, outputs, strict=True)):
        is_array = isinstance(result, types.Array)
        kind, ndim = (result.dtype, result.ndim) if is_array else (result, 0)
        right_rank = ndim == v.type.ndim or (ndim == 1 and v.type.ndim == 0)
        if not (right_rank and _holds(v.type.dtype, kind)):
            raise _misfit(node, f"its kernel gives {result} for output {k}, which is {v.type}")


def _check_elementwise(node: Apply, op: Elemwise) -> None:
    *wanted, dtype = op.function.signature(*(v.type.dtype for v in node.inputs))
    compiled = _compiled(node, op.function.kernel, [numba_type(Argument(kind, 0)) for kind in wanted])
    given = compiled.signature.return_type
    # An integer `dtype` is the user's own word, by which numbers are cut.
    if not _holds("complex128" if dtype.startswith("complex") else "float64", given):
        raise KernelError(op, f"gives {given} where a number of type {dtype} is due in every case", line=node.line,
                          fix="return a number at every end of it, or say which with elementwise(dtype=...)")
    lines = list(_instructions(compiled.library.get_llvm_str()))
    if any("NRT_" in line for line in lines):
        raise KernelError(op, "makes arrays, lists, dicts or strings, and an elementwise function can't: loops have no "
                          "memory management", line=node.line,
                          fix="compute them once outside of the function, or write an Op with a numba_kernel")
    if any("picklebuf" in line for line in lines):
        raise KernelError(op, "may raise, as an index of a tuple or a quotient of complex numbers does, and an "
                          "elementwise function can't: it runs in loops that do not stop", line=node.line,
                          fix="give NaN where it is not defined, or write an Op with a numba_kernel")


def _instructions(text: str) -> Iterator[str]:
    """The lines of LLVM's text that are in a function; an exception that it may raise is the address of a constant."""
    return (line for line in text.splitlines() if line.startswith(" "))


def _compiled(node: Apply, name: str, arguments: Sequence[Any]) -> Any:
    """The function of a dotted name, compiled for these types."""
    dispatcher = getattr(user_code, name.rpartition(".")[2])
    try:
        dispatcher.compile(tuple(arguments))
    except Exception as error:  # a NumbaError, or whatever a pass that did not expect this code runs into
        taken = ", ".join(map(str, arguments))
        raise KernelError(node.op, f"Numba can't compile {dispatcher.__name__}({taken}): {_said(error)}",
                          line=node.line, fix="mend the kernel: Numba must know the type of all that it uses, which "
                          "must be there before it") from error
    return dispatcher.overloads[tuple(arguments)]


def _said(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith(("Failed in nopython mode", "During:", "- "))]
    return "\n    ".join([type(error).__name__, *told[:_SAID]])


def _holds(dtype: str, given: Any) -> bool:
    """True where a number of that type is one of `dtype`, but for its range and precision."""
    wanted = numba_type(Argument(dtype, 0))
    place = next((k for k, kind in enumerate(_KINDS) if isinstance(given, kind)), len(_KINDS))
    return place <= next(k for k, kind in enumerate(_KINDS) if isinstance(wanted, kind))


def _misfit(node: Apply, what: str) -> KernelError:
    return KernelError(node.op, what, line=node.line,
                       fix="mend the kernel, or what make_node declares; cast with .astype inside the kernel")
