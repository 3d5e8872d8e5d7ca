"""Scalar kernels without a jitted function each: formulas over `Value`, written into the calling function as LLVM code.

    @native(np.maximum, same)
    def maximum(x, y):
        return select((x > y) | isnan(x), x, y)

`maximum(a, b)` is NumPy's function where Python calls it. Where Numba compiles a call of it, the formula runs once,
with a `Value` for each operand, and leaves its instructions there: 0 to 10 ms (polygamma, the largest, 30), where a
jitted function costs 30 to 130.
A formula may ask for `x.kind` ("b", "i", "u", "f") and `x.bits`; it must not branch on a Value: see `select`.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import lower_builtin, type_callable

ResultType = Callable[..., types.Type]


class Value:
    """A boolean, integer or float in the function that is being compiled. Python numbers beside it take its type."""

    __hash__ = None  # type: ignore[assignment]
    __slots__ = ("bits", "builder", "ir", "kind")

    def __init__(self, builder: ir.IRBuilder, value: ir.Value, kind: str) -> None:
        self.builder, self.ir, self.kind = builder, value, kind
        self.bits = value.type.width if isinstance(value.type, ir.IntType) else _FLOAT_BITS[str(value.type)]

    def like(self, value: ir.Value) -> Value:
        """A value of the same kind."""
        return Value(self.builder, value, self.kind)

    def constant(self, number: Any) -> Value:
        """The number in the type of this value."""
        if self.kind == "f":
            number = float(number)
        elif self.kind in "iu":
            number = int(number)
        return self.like(ir.Constant(self.ir.type, number))

    def other(self, number: Any) -> ir.Value:
        """The second operand beside this one."""
        if not isinstance(number, Value):
            return self.constant(number).ir
        assert number.ir.type == self.ir.type, f"operands differ in type: {self.ir.type} and {number.ir.type}"
        return number.ir

    def __bool__(self) -> bool:
        raise AssertionError("a formula must not branch on a Value; use select or branch")

    def _arithmetic(self, name: str, x: Any, y: Any) -> Value:
        operation = getattr(self.builder, ("f" if self.kind == "f" else "") + name)
        return self.like(operation(x, y))

    def __add__(self, y: Any) -> Value: return self._arithmetic("add", self.ir, self.other(y))
    def __radd__(self, x: Any) -> Value: return self._arithmetic("add", self.other(x), self.ir)
    def __sub__(self, y: Any) -> Value: return self._arithmetic("sub", self.ir, self.other(y))
    def __rsub__(self, x: Any) -> Value: return self._arithmetic("sub", self.other(x), self.ir)
    def __mul__(self, y: Any) -> Value: return self._arithmetic("mul", self.ir, self.other(y))
    def __rmul__(self, x: Any) -> Value: return self._arithmetic("mul", self.other(x), self.ir)

    def __truediv__(self, y: Any) -> Value:
        assert self.kind == "f", "integers have `quotient`"
        return self.like(self.builder.fdiv(self.ir, self.other(y)))

    def __rtruediv__(self, x: Any) -> Value: return self.constant(x) / self

    def __neg__(self) -> Value:
        return self.like(self.builder.fneg(self.ir) if self.kind == "f" else self.builder.neg(self.ir))

    def __and__(self, y: Any) -> Value: return self.like(self.builder.and_(self.ir, self.other(y)))
    def __or__(self, y: Any) -> Value: return self.like(self.builder.or_(self.ir, self.other(y)))
    def __xor__(self, y: Any) -> Value: return self.like(self.builder.xor(self.ir, self.other(y)))
    def __invert__(self) -> Value: return self.like(self.builder.not_(self.ir))
    def __lshift__(self, y: Any) -> Value: return self.like(self.builder.shl(self.ir, self.other(y)))

    def __rshift__(self, y: Any) -> Value:
        shift = self.builder.ashr if self.kind == "i" else self.builder.lshr
        return self.like(shift(self.ir, self.other(y)))

    def compare(self, operator: str, y: Any) -> Value:
        """A comparison; with NaN only != holds."""
        if self.kind != "f":
            compare = self.builder.icmp_signed if self.kind == "i" else self.builder.icmp_unsigned
        else:
            compare = self.builder.fcmp_unordered if operator == "!=" else self.builder.fcmp_ordered
        return Value(self.builder, compare(operator, self.ir, self.other(y)), "b")

    def __lt__(self, y: Any) -> Value: return self.compare("<", y)
    def __le__(self, y: Any) -> Value: return self.compare("<=", y)
    def __gt__(self, y: Any) -> Value: return self.compare(">", y)
    def __ge__(self, y: Any) -> Value: return self.compare(">=", y)
    def __eq__(self, y: Any) -> Value: return self.compare("==", y)  # type: ignore[override]
    def __ne__(self, y: Any) -> Value: return self.compare("!=", y)  # type: ignore[override]

    def quotient(self, y: Any) -> Value:
        """x / y of integers without its fraction; y must not be 0, nor -1 beside the least integer."""
        divide = self.builder.sdiv if self.kind == "i" else self.builder.udiv
        return self.like(divide(self.ir, self.other(y)))

    def remainder(self, y: Any) -> Value:
        """What `quotient` leaves; of floats: fmod, with the sign of x."""
        names = {"i": "srem", "u": "urem", "f": "frem"}
        return self.like(getattr(self.builder, names[self.kind])(self.ir, self.other(y)))

    def intrinsic(self, name: str, *others: Any) -> Value:
        """llvm.name(x, ...), all of one type."""
        kinds = ir.FunctionType(self.ir.type, [self.ir.type] * (1 + len(others)))
        function = cgutils.get_or_insert_function(self.builder.module, kinds,
                                                  f"llvm.{name}.{self.ir.type.intrinsic_name}")
        return self.like(self.builder.call(function, [self.ir, *map(self.other, others)]))

    def libm(self, name: str, *others: Any) -> Value:
        """The C library's function, `namef` for float32. Only those that Numba's own `math` functions call."""
        arguments = [self.ir, *map(self.other, others)]
        kinds = ir.FunctionType(self.ir.type, [a.type for a in arguments])
        function = cgutils.insert_pure_function(self.builder.module, kinds, name + ("f" if self.bits == 32 else ""))
        return self.like(self.builder.call(function, arguments))

    def table(self, numbers: tuple[Any, ...], index: Value) -> Value:
        """numbers[index], in the type of this value."""
        kind = ir.ArrayType(self.ir.type, len(numbers))
        content = ir.Constant(kind, [self.constant(x).ir for x in numbers])
        place = cgutils.global_constant(self.builder.module, "table", content)
        zero = ir.Constant(index.ir.type, 0)
        return self.like(self.builder.load(self.builder.gep(place, [zero, index.ir], inbounds=True)))

    def to_float(self, bits: int = 64) -> Value:
        """The number as a float of so many bits."""
        target = ir.DoubleType() if bits == 64 else ir.FloatType()
        if self.kind == "f":
            convert = self.builder.fpext if bits > self.bits else self.builder.fptrunc
            return self if bits == self.bits else self.like(convert(self.ir, target))
        convert = self.builder.sitofp if self.kind == "i" else self.builder.uitofp
        return Value(self.builder, convert(self.ir, target), "f")

    def to_integer(self, kind: str, bits: int) -> Value:
        """An integer or boolean, wrapped or extended to so many bits."""
        assert self.kind != "f", "a float is converted by `truncated`"
        value, target = self.ir, ir.IntType(bits)
        if bits < self.bits:
            value = self.builder.trunc(value, target)
        elif bits > self.bits:
            value = (self.builder.sext if self.kind == "i" else self.builder.zext)(value, target)
        return Value(self.builder, value, kind)

    def truncated(self, bits: int) -> Value:
        """A float without its fraction as a signed integer; any integer where it does not fit."""
        return Value(self.builder, self.builder.fptosi(self.ir, ir.IntType(bits)), "i")


_FLOAT_BITS = {"float": 32, "double": 64}
# Numba calls it so.
HYPOT = "_hypot" if sys.platform == "win32" else "hypot"


class Complex:
    """A complex number in the function that is being compiled: two Values."""

    __hash__ = None  # type: ignore[assignment]
    __slots__ = ("imag", "real")

    kind = "c"

    def __init__(self, real: Value, imag: Value) -> None:
        self.real, self.imag = real, imag

    def __neg__(self) -> Complex: return Complex(-self.real, -self.imag)
    def __add__(self, y: Complex) -> Complex: return Complex(self.real + y.real, self.imag + y.imag)
    def __sub__(self, y: Complex) -> Complex: return Complex(self.real - y.real, self.imag - y.imag)

    def __mul__(self, y: Complex) -> Complex:
        return Complex(self.real * y.real - self.imag * y.imag, self.real * y.imag + self.imag * y.real)


def select(condition: Value, x: Any, y: Any) -> Any:
    """x where the condition holds, else y; both are computed. One of them may be a Python number."""
    if isinstance(x, Complex) or isinstance(y, Complex):
        return Complex(select(condition, x.real, y.real), select(condition, x.imag, y.imag))
    typed = x if isinstance(x, Value) else y
    return typed.like(condition.builder.select(condition.ir, typed.other(x), typed.other(y)))


def branch(condition: Value, when: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """when() where the condition holds, else otherwise(); only one runs, which stops loops from vectorising."""
    builder = condition.builder
    with builder.if_else(condition.ir) as (true, false):
        with true:
            x = when()
            blocks = [builder.block]
        with false:
            y = otherwise()
            blocks.append(builder.block)
    if isinstance(x, Complex):
        return Complex(_merged(blocks, x.real, y.real), _merged(blocks, x.imag, y.imag))
    return _merged(blocks, x, y)


def _merged(blocks: list[ir.Block], *values: Value) -> Value:
    phi = values[0].builder.phi(values[0].ir.type)
    for block, value in zip(blocks, values, strict=True):
        phi.add_incoming(value.ir, block)
    return values[0].like(phi)


def product_of_squares(x: Any, y: Value, times: Callable[[Any, Any], Any], one: Any) -> Any:
    """`one` times the squares x, x*x, ... of x for which the bits of y are set: x**y for y >= 0."""
    builder = y.builder
    parts = [*_parts(one), *_parts(x), y.to_integer("u", y.bits)]
    held = [cgutils.alloca_once_value(builder, part.ir) for part in parts]
    test, body, end = (builder.append_basic_block(f"power.{name}") for name in ("test", "body", "end"))
    builder.branch(test)
    builder.position_at_end(test)
    *values, left = (part.like(builder.load(place)) for part, place in zip(parts, held, strict=True))
    builder.cbranch((left != 0).ir, body, end)
    builder.position_at_end(body)
    n = len(values) // 2
    result, square = _whole(values[:n]), _whole(values[n:])
    stored = [*_parts(select(left & 1 != 0, times(result, square), result)), *_parts(times(square, square)), left >> 1]
    for value, place in zip(stored, held, strict=True):
        builder.store(value.ir, place)
    builder.branch(test)
    builder.position_at_end(end)
    return result


def _parts(x: Any) -> list[Value]:
    return [x.real, x.imag] if isinstance(x, Complex) else [x]


def _whole(parts: list[Value]) -> Any:
    return Complex(*parts) if len(parts) == 2 else parts[0]


def isnan(x: Value) -> Value:
    """x is NaN."""
    return x != x


def fabs(x: Value) -> Value:
    """|x| of a float."""
    return x.intrinsic("fabs")


def copysign(x: Value, sign: Value) -> Value:
    """|x| with the sign of the other."""
    return x.intrinsic("copysign", sign)


def same(*operands: types.Type) -> types.Type:
    """The result has the type of the last operand."""
    return operands[-1]


def boolean(*operands: types.Type) -> types.Type:
    """The result is a boolean."""
    return types.boolean


def real_part(*operands: types.Type) -> types.Type:
    """The result has the type of the operand's real part."""
    return getattr(operands[-1], "underlying_float", operands[-1])


def as_type(result: types.Type) -> ResultType:
    """The result has this type."""
    return lambda *operands: result


def native(reference: Callable[..., Any], result: ResultType) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A kernel: `reference` (NumPy) in Python, the decorated formula over Values in compiled code.

    result : types of the operands -> type of the result; a formula may give a wider float, which is rounded
    """
    def decorate(formula: Callable[..., Any]) -> Callable[..., Any]:
        def kernel(*operands: Any) -> Any:
            with np.errstate(all="ignore"):
                return reference(*operands)

        kernel.__name__ = kernel.__qualname__ = formula.__name__
        kernel.__module__, kernel.__doc__ = formula.__module__, formula.__doc__
        kernel.formula = formula  # type: ignore[attr-defined]
        type_callable(kernel)(_typer(len(inspect.signature(formula).parameters), result))
        lower_builtin(kernel, types.VarArg(types.Any))(_lowering(formula))
        return kernel
    return decorate


def _typer(arity: int, result: ResultType) -> Callable[[Any], Callable[..., Any]]:
    def typed(*operands: types.Type) -> types.Type | None:
        return result(*operands) if all(isinstance(t, (types.Number, types.Boolean)) for t in operands) else None

    # Numba counts the parameters.
    typers: list[Callable[..., Any]] = [lambda x: typed(x), lambda x, y: typed(x, y), lambda x, y, z: typed(x, y, z)]
    return lambda context: typers[arity - 1]


def _lowering(formula: Callable[..., Any]) -> Callable[..., ir.Value]:
    def lower(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        operands = [unpacked(context, builder, t, a) for t, a in zip(signature.args, arguments, strict=True)]
        return packed(context, builder, signature.return_type, formula(*operands))
    return lower


def unpacked(context: Any, builder: ir.IRBuilder, kind: Any, argument: ir.Value) -> Value | Complex:
    """What Numba hands over as a formula takes it."""
    if isinstance(kind, types.Complex):
        z = context.make_complex(builder, kind, value=argument)
        return Complex(Value(builder, z.real, "f"), Value(builder, z.imag, "f"))
    if isinstance(kind, (types.Boolean, types.Float)):
        return Value(builder, argument, "b" if isinstance(kind, types.Boolean) else "f")
    return Value(builder, argument, "i" if kind.signed else "u")


def packed(context: Any, builder: ir.IRBuilder, kind: Any, value: Value | Complex) -> ir.Value:
    """What a formula gives as Numba takes it."""
    if isinstance(value, Complex):
        z = context.make_complex(builder, kind)
        z.real = value.real.to_float(kind.underlying_float.bitwidth).ir
        z.imag = value.imag.to_float(kind.underlying_float.bitwidth).ir
        return z._getvalue()
    return value.to_float(kind.bitwidth).ir if isinstance(kind, types.Float) else value.ir
