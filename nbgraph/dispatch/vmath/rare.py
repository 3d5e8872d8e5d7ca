"""What few elements need: the C library's function, in a loop that still is made of vector instructions.

    rarely("sin", x, abs(x) >= 2**45)      sin(x) of the C library there, x elsewhere

LLVM does not vectorise a loop that may call a function, unless it knows vector forms of it. Here it is told of some
(its "vector function ABI": they take n numbers and a mask), which return at once where no bit of the mask is set.
"""

from __future__ import annotations

from collections.abc import Callable

from llvmlite import ir

from nbgraph.dispatch.scalar_value import Value, branch

# How many numbers fit into registers of 128, 256 and 512 bits.
_LANES = {64: (2, 4, 8), 32: (4, 8, 16)}
_PURE = ("noinline", "nounwind", "readnone", "willreturn")


def rarely(name: str, x: Value, condition: Value, formula: Callable[[Value], Value] | None = None) -> Value:
    """name(x) of the C library, or the formula of that name, where the condition holds, x elsewhere."""
    label = f"nbgraph_{name}_{x.bits}"
    function = x.builder.module.globals.get(label) or _scalar_form(x, label, formula or (lambda y: y.libm(name)))
    return branch(condition, lambda: x.like(x.builder.call(function, [x.ir])), lambda: x)


def _pure(function: ir.Function) -> None:
    # Weak: whoever links it keeps it, where LLVM finds it when it vectorises.
    function.linkage = "weak_odr"
    for attribute in _PURE:
        set.add(function.attributes, attribute)  # llvmlite does not know `willreturn`


def _scalar_form(x: Value, label: str, formula: Callable[[Value], Value]) -> ir.Function:
    module = x.builder.module
    function = ir.Function(module, ir.FunctionType(x.ir.type, [x.ir.type]), label)
    _pure(function)
    inside = ir.IRBuilder(function.append_basic_block())
    inside.ret(formula(Value(inside, function.args[0], "f")).ir)
    forms = [f"_ZGV_LLVM_M{n}v_{label}({_vector_form(function, n)})" for n in _LANES[x.bits]]
    set.add(function.attributes, f'"vector-function-abi-variant"="{",".join(forms)}"')
    return function


def _vector_form(function: ir.Function, lanes: int) -> str:
    """The function of so many numbers where their mask bits are set, or of all if any is."""
    vector, mask = ir.VectorType(function.ftype.return_type, lanes), ir.VectorType(ir.IntType(1), lanes)
    form = ir.Function(function.module, ir.FunctionType(vector, [vector, mask]), f"{function.name}_{lanes}")
    _pure(form)
    start, some, end = (form.append_basic_block(name) for name in ("start", "some", "end"))
    builder = ir.IRBuilder(start)
    x, wanted = form.args
    bits = ir.IntType(lanes)
    builder.cbranch(builder.icmp_unsigned("==", builder.bitcast(wanted, bits), ir.Constant(bits, 0)), end, some)
    builder.position_at_end(some)
    y = x
    for i in range(lanes):
        place = ir.Constant(ir.IntType(32), i)
        y = builder.insert_element(y, builder.call(function, [builder.extract_element(x, place)]), place)
    builder.branch(end)
    builder.position_at_end(end)
    result = builder.phi(vector)
    result.add_incoming(x, start)
    result.add_incoming(y, some)
    builder.ret(result)
    return form.name
