"""A stream of random bits as compiled code sees it: a pointer to the words of a state; its type is its recurrence.

    rng = pcg64(state)              state : uint64[:], from `states.state_of`
    for i in range(n):
        out[i] = standard_normal(rng)

Kernels are compiled for the kinds that they are called with, so no draw asks which one it is. The words are those of
the array: what is drawn has moved the state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import lower_builtin, models, register_model, type_callable

from nbgraph.dispatch.scalar_value import Value, packed, unpacked
from nbgraph.errors import KernelError

_WORD = ir.IntType(64)


class Stream(types.Type):
    """Of a stream; `kind` is the name of NumPy's bit generator."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(name=f"Stream({kind})")


@register_model(Stream)
class _StreamModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _WORD.as_pointer())


class Words:
    """The words of a state in the function that is being compiled."""

    def __init__(self, builder: ir.IRBuilder, pointer: ir.Value) -> None:
        self.builder, self.pointer = builder, pointer

    def place(self, index: int | Value, bits: int = 64) -> ir.Value:
        """The pointer to a word, or to a number of fewer bits, of which the first is number 0."""
        at = index.ir if isinstance(index, Value) else ir.Constant(_WORD, index)
        pointer = self.pointer
        if bits != 64:
            pointer = self.builder.bitcast(pointer, ir.IntType(bits).as_pointer())
        return self.builder.gep(pointer, [at], inbounds=True)

    def load(self, index: int | Value, bits: int = 64) -> Value:
        """The word of that number."""
        return Value(self.builder, self.builder.load(self.place(index, bits)), "u")

    def store(self, index: int | Value, value: Value | int, bits: int = 64) -> None:
        """Write it."""
        number = value.ir if isinstance(value, Value) else ir.Constant(ir.IntType(bits), value)
        self.builder.store(number, self.place(index, bits))


def stream_of(kind: str) -> Callable[[Any], Any]:
    """The function of compiled code that makes a stream of this kind of a state."""

    def stream(state: Any) -> Any:
        raise KernelError(None, f"{kind} is a stream of compiled code", fix="use np.random.Generator in Python")

    def typed(context: Any) -> Callable[..., Any]:
        return lambda state: Stream(kind) if state == types.Array(types.uint64, 1, "C") else None

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, arguments[0]).data

    stream.__name__ = stream.__qualname__ = kind.lower()
    stream.__doc__ = f"The stream of a state of {kind}."
    type_callable(stream)(typed)
    lower_builtin(stream, types.Array)(lower)
    return stream


def draw(result: types.Type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A kernel of compiled code: formula(kind, words, *numbers) writes the instructions of one draw into the caller."""

    def decorate(formula: Callable[..., Any]) -> Callable[..., Any]:
        def kernel(rng: Any, *numbers: Any) -> Any:
            raise KernelError(None, f"{formula.__name__} draws in compiled code only",
                              fix="use np.random.Generator in Python")

        def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            words = Words(builder, arguments[0])
            numbers = [unpacked(context, builder, kind, number)
                       for kind, number in zip(signature.args[1:], arguments[1:], strict=True)]
            value = formula(signature.args[0].kind, words, *numbers)
            return context.get_dummy_value() if value is None else packed(context, builder, result, value)

        kernel.__name__ = kernel.__qualname__ = formula.__name__
        kernel.__module__, kernel.__doc__ = formula.__module__, formula.__doc__
        type_callable(kernel)(_typer(formula.__code__.co_argcount - 2, result))
        lower_builtin(kernel, types.VarArg(types.Any))(lower)
        return kernel
    return decorate


def _typer(numbers: int, result: types.Type) -> Callable[[Any], Callable[..., Any]]:
    def typed(rng: types.Type, *operands: types.Type) -> types.Type | None:
        return result if isinstance(rng, Stream) else None

    # Numba counts the parameters.
    typers: list[Callable[..., Any]] = [lambda rng: typed(rng), lambda rng, x: typed(rng, x),
                                        lambda rng, x, y: typed(rng, x, y)]
    return lambda context: typers[numbers]


def outlined(builder: ir.IRBuilder, name: str, kind: ir.FunctionType) -> tuple[ir.Function, bool]:
    """A function that is not copied to where it is called, one for all that is linked, and whether it is new here."""
    if name in builder.module.globals:
        return builder.module.globals[name], False
    function = ir.Function(builder.module, kind, name)
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    function.attributes.add("nounwind")
    return function, True
