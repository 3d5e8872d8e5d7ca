"""Emit: Program -> Python source. The same program gives the same bytes.

    canonical_source(program)     what is compiled: v0, v1 …, no comments, so that names never change a cache key
    readable_source(program)      what `f.source` shows: the user's names, short expressions in place, comments

Both say the same, statement by statement, and both run without Numba, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nbgraph.dispatch.checks import PYTHON_FAILED
from nbgraph.dispatch.expressions import Assign, Buffer, Call, Combine, Draw, For, Keep, Literal, Local, Store, Stream
from nbgraph.dispatch.scalar import USER_CODE
from nbgraph.lowering.claims import conditions
from nbgraph.lowering.names import Hinted, Numbered
from nbgraph.lowering.program import (
    Allocate,
    CallKernel,
    CallLibrary,
    CallPython,
    CombineParts,
    Kernel,
    MakeAlias,
    Program,
    ReadClock,
    ReadLength,
    StackArray,
    Test,
)
from nbgraph.lowering.text import ExpressionText, Imports, numpy_name

INDENT = "    "


def canonical_source(program: Program) -> str:
    """The text that is compiled."""
    return SourceWriter(program, Numbered()).source("main")


def program_text(program: Program) -> str:
    """The same statements with the names that Locals and Buffers were made with: how a Program prints."""
    kernels = [f"fused_{k}" for k in range(len(program.kernels))]
    return SourceWriter(program, Hinted({}, kernels)).source("main")


class BodyWriter:
    """The lines of one function."""

    def __init__(self, namer: Any, imports: Imports) -> None:
        self.imports = imports
        self.namer = namer
        self.expressions = ExpressionText(namer, imports)
        self.lines: list[str] = []
        self.depth = 1

    def line(self, text: str) -> None:
        """Add a line at the present indentation."""
        self.lines.append(INDENT * self.depth + text)

    def body(self, statements: Sequence[Any]) -> None:
        """The statements of a kernel, or of the main function's scalars."""
        writers: dict[type, Callable[[Any], None]] = {
            Assign: self.assign, Store: self.store, Combine: self.combine, Keep: self.keep, Draw: self.draw,
            For: self.loop, StackArray: self.stack_array}
        for statement in statements:
            writers[type(statement)](statement)

    def assign(self, s: Assign) -> None:
        """target = value"""
        self.line(f"{self.namer.name(s.target)} = {self.expressions.text(s.value)}")

    def store(self, s: Store) -> None:
        """buffer[index] = value"""
        target = f"{self.expressions.buffer(s.buffer)}[{self.expressions.index(s.index)}]"
        self.line(f"{target} = {self.expressions.text(s.value)}")

    def combine(self, s: Combine) -> None:
        """target = combine(target, value)"""
        dtype = s.target.dtype
        call = Call(s.combine, (s.target, s.value), (dtype, dtype), dtype)
        self.line(f"{self.expressions.text(s.target)} = {self.expressions.text(call)}")

    def keep(self, s: Keep) -> None:
        """if better: best, place = …"""
        dtype = s.best.dtype
        text = self.expressions.text
        self.line(f"if {text(Call(s.better, (s.value, s.best), (dtype, dtype), 'bool'))}:")
        self.line(f"{INDENT}{text(s.best)} = {text(s.value)}")
        self.line(f"{INDENT}{text(s.place)} = {text(s.position)}")

    def draw(self, s: Draw) -> None:
        """target = normal(pcg64(state), loc, scale)"""
        arguments = [self.stream(s.stream), *map(self.expressions.text, s.arguments)]
        call = f"{self.imports.name(s.function)}({', '.join(arguments)})"
        self.line(call if s.target is None else f"{self.namer.name(s.target)} = {call}")

    def stream(self, stream: Stream) -> str:
        """pcg64(state)"""
        return f"{self.imports.name(stream.kind)}({self.expressions.buffer(stream.state)})"

    def loop(self, s: For) -> None:
        """for index in range(extent): body"""
        turn = s.index if s.offset is None else s.offset
        self.line(f"for {self.namer.name(turn)} in range({self.expressions.text(s.extent)}):")
        self.depth += 1
        if s.offset is not None:
            self.line(f"{self.namer.name(s.index)} = {self.expressions.text(s.first)} + {self.namer.name(s.offset)}")
        self.body(s.body)
        self.depth -= 1

    def stack_array(self, s: StackArray) -> None:
        """parts = on_stack(2, np.float64)"""
        on_stack = self.imports.name("nbgraph.dispatch.cores.on_stack")
        length = self.expressions.text(s.buffer.dims[0])
        self.line(f"{self.namer.name(s.buffer)} = {on_stack}({length}, np.{numpy_name(s.buffer.dtype)})")


class MainWriter(BodyWriter):
    """The lines of the main function."""

    def __init__(self, namer: Any, imports: Imports, kernel_names: dict[Kernel, str] | None = None) -> None:
        super().__init__(namer, imports)
        self.kernel_names = kernel_names or {}

    def main(self, statements: Sequence[Any], outputs: Sequence[Any]) -> None:
        """All statements, and what is returned."""
        writers: dict[type, Callable[[Any], None]] = {
            ReadLength: self.read_length, Allocate: self.allocate, MakeAlias: self.alias,
            StackArray: self.stack_array, CallKernel: self.call_kernel, CombineParts: self.combine_parts,
            CallLibrary: self.call_library, CallPython: self.call_python, Test: self.test, ReadClock: self.read_clock}
        for statement in statements:
            if type(statement) in writers:
                writers[type(statement)](statement)
            else:
                self.body([statement])
        values = [self.value(v) for v in outputs]
        self.line(f"return {', '.join(values) if len(values) > 1 else _tuple(values)}")

    def assign(self, s: Assign) -> None:
        """target = value"""
        if isinstance(s.value, Literal) and s.value.dtype == "int64":
            # Numba would compile a kernel again for each literal that it is called with.
            self.line(f"{self.namer.name(s.target)} = np.int64({s.value.value})")
        else:
            super().assign(s)

    def value(self, v: Any) -> str:
        """A Buffer, an expression or a Python literal."""
        if isinstance(v, Buffer):
            return self.namer.name(v)
        if isinstance(v, (bool, int, float)):
            return repr(v)
        return self.expressions.text(v)

    def read_length(self, s: ReadLength) -> None:
        """n = x.shape[0]"""
        self.line(f"{self.namer.name(s.target)} = {self.namer.name(s.buffer)}.shape[{s.axis}]")

    def allocate(self, s: Allocate) -> None:
        """z = empty((n,), np.float64)"""
        if s.reuses is not None:
            if not self.namer.share(s.buffer, s.reuses):
                self.line(f"{self.namer.name(s.buffer)} = {self.namer.name(s.reuses)}")
            return
        name = self.namer.name(s.buffer)
        empty = self.imports.name("nbgraph.dispatch.memory.empty")
        self.line(f"{name} = {empty}({self.lengths(s.buffer)}, np.{numpy_name(s.buffer.dtype)})")

    def combine_parts(self, s: CombineParts) -> None:
        """s = sum_of(parts, 0, pieces)"""
        combine = self.imports.name(f"nbgraph.dispatch.cores.{s.combine}_of")
        parts, pieces = self.namer.name(s.parts), self.expressions.text(s.pieces)
        self.line(f"{self.namer.name(s.target)} = {combine}({parts}, {s.row}, {pieces})")

    def lengths(self, buffer: Buffer) -> str:
        """The shape of a buffer."""
        return _tuple([self.expressions.text(d) for d in buffer.dims])

    def alias(self, s: MakeAlias) -> None:
        """z = reshape(x, (n, m))"""
        reshape = self.imports.name("nbgraph.dispatch.memory.reshape")
        self.line(f"{self.namer.name(s.buffer)} = {reshape}({self.namer.name(s.source)}, {self.lengths(s.buffer)})")

    def call_kernel(self, s: CallKernel) -> None:
        """s, t = fused_0(x, n, z)"""
        kernel = s.kernel
        arguments = [self.namer.name(v) for v in parameters(kernel)[len(kernel.turns):]]
        if s.pieces is not None:
            spread = self.imports.name("nbgraph.dispatch.cores.spread")
            pieces = map(self.expressions.text, s.pieces)
            self.line(f"{spread}({', '.join([self.kernel_names[kernel], *pieces, *arguments])})")
            return
        call = f"{self.kernel_names[kernel]}({', '.join(arguments)})"
        results = ", ".join(map(self.namer.name, kernel.results))
        self.line(f"{results} = {call}" if results else call)

    def call_library(self, s: CallLibrary) -> None:
        """gemv(1.0, a, False, x, 0.0, z)"""
        arguments = [self.value(a) for a in s.arguments]
        outputs = [self.namer.name(b) for b in s.outputs]
        function = self.imports.name(s.function)
        if s.stream is not None:
            arguments, outputs = [self.stream(s.stream), *arguments], outputs[1:]
        arguments += [self.namer.name(b) for b in s.scratch]
        if s.function.startswith(USER_CODE):
            self.call_user(s, f"{function}({', '.join(arguments)})")
        elif s.allocates:
            comma = "," if len(outputs) == 1 else ""
            self.line(f"{', '.join(outputs)}{comma} = {function}({', '.join(arguments)})")
        else:
            self.line(f"{function}({', '.join([*arguments, *outputs])})")

    def call_user(self, s: CallLibrary, call: str) -> None:
        """z, w = smoothed(x); z = own(z, np.float64, (-1,)); …"""
        own = self.imports.name("nbgraph.dispatch.own.own")
        results = [Local(f"{b.hint}_given") for b in s.outputs]
        self.line(f"{', '.join(map(self.namer.name, results))} = {call}")
        for result, b in zip(results, s.outputs, strict=True):
            self.line(f"{self.namer.name(b)} = {own}({self.namer.name(result)}, np.{numpy_name(b.dtype)}, "
                      f"{_tuple(['-1'] * b.ndim)})")

    def call_python(self, s: CallPython) -> None:
        """if run_python(python, 0, x, n): raise CheckFailed(-1); z = python_array(python, 0, np.float64, (-1,))"""
        python, *arguments = [self.value(a) for a in s.arguments]
        run, array = (self.imports.name(f"nbgraph.dispatch.python.{name}") for name in ("run_python", "python_array"))
        failed = self.imports.name("nbgraph.dispatch.checks.CheckFailed")
        arguments += [self.expressions.text(n) for n in s.lengths]
        self.line(f"if {run}({', '.join([python, str(s.number), *arguments])}):")
        self.line(f"{INDENT}raise {failed}({PYTHON_FAILED})")
        for k, buffer in enumerate(s.outputs):
            self.line(f"{self.namer.name(buffer)} = {array}({python}, {s.place + k}, np.{numpy_name(buffer.dtype)}, "
                      f"{_tuple(['-1'] * buffer.ndim)})")

    def read_clock(self, s: ReadClock) -> None:
        """record[0] = nanoseconds()"""
        nanoseconds = self.imports.name("nbgraph.dispatch.clock.nanoseconds")
        self.line(f"{self.namer.name(s.record)}[{s.place}] = {nanoseconds}()")

    def test(self, s: Test) -> None:
        """if n != m: raise CheckFailed(0, n, m)"""
        values = list(map(self.expressions.text, s.values()))
        if s.array is not None:
            condition, values = self._array_test(s, s.array, values)
        else:
            condition = " or ".join(conditions(s, self.expressions.text, self.imports.name))
        failed = self.imports.name("nbgraph.dispatch.checks.CheckFailed")
        self.line(f"if {condition}:")
        self.line(f"{INDENT}raise {failed}({', '.join([str(s.number), *values])})")

    def _array_test(self, s: Test, buffer: Buffer, shown: list[str]) -> tuple[str, list[str]]:
        (claim,) = s.claims
        flat, at = Local(f"{buffer.hint}_flat"), Local("at")
        name = self.namer.name(buffer)
        if buffer.ndim != 1:
            reshape = self.imports.name("nbgraph.dispatch.memory.reshape")
            self.line(f"{self.namer.name(flat)} = {reshape}({name}, ({name}.size,))")
            name = self.namer.name(flat)
        find = "first_outside" if claim.check.test == "bounds" else "first_negative"
        arguments = [name, *(self.expressions.text(e) for e in claim.operands[1:])]
        function = self.imports.name(f"nbgraph.dispatch.checks.{find}")
        self.line(f"{self.namer.name(at)} = {function}({', '.join(arguments)})")
        return f"{self.namer.name(at)} >= 0", [f"{name}[{self.namer.name(at)}]", *shown]


def kernel_names(program: Program) -> dict[Kernel, str]:
    """What the text calls each kernel: `fused_0`."""
    return SourceWriter(program, Numbered()).kernels()[1]


def parameters(kernel: Kernel) -> list[Any]:
    """The parameters of a kernel in order."""
    return [*kernel.turns, *kernel.reads, *kernel.scalars, *kernel.writes]


def kernel_lines(kernel: Kernel, name: str, writer: BodyWriter) -> list[str]:
    """A kernel as a function."""
    names = ", ".join(map(writer.namer.name, parameters(kernel)))
    writer.expressions.shares = kernel.shares
    writer.line(f"{writer.imports.name('nbgraph.dispatch.jit.apart')}()")
    writer.body(kernel.body)
    if kernel.results:
        writer.line(f"return {', '.join(writer.expressions.text(r) for r in kernel.results)}")
    return ["@kernel", f"def {name}({names}):", *writer.lines]


class SourceWriter:
    """The whole text: imports, each kernel once, the main function."""

    def __init__(self, program: Program, namer: Any) -> None:
        self.program, self.namer, self.imports = program, namer, Imports()

    def source(self, name: str) -> str:
        """The text."""
        kernels, names = self.kernels()
        main = self.new_main(names)
        given = (*self.program.inputs, *(b for b, _ in self.program.constants),
                 *(d.buffer for d in self.program.destinations),
                 *(b for b in (self.program.record, self.program.python) if b is not None))
        inputs = [self.namer.name(v) for v in given]
        main.main(self.program.statements, self.program.outputs)
        for decorator in ("entry", "kernel") if kernels else ("entry",):
            self.imports.name(f"nbgraph.dispatch.jit.{decorator}")
        functions = ["\n".join(lines) for lines in kernels]
        functions.append("\n".join(["@entry", f"def {name}({', '.join(inputs)}):", *main.lines]))
        return "\n\n".join(self.imports.groups()) + "\n\n\n" + "\n\n\n".join(functions) + "\n"

    def kernels(self) -> tuple[list[list[str]], dict[Kernel, str]]:
        """The kernels' lines, equal ones once, and the name of each."""
        names: dict[Kernel, str] = {}
        known: dict[str, str] = {}
        texts = []
        for kernel in self.program.kernels:
            plain = "\n".join(kernel_lines(kernel, "", BodyWriter(Numbered(), Imports())))
            if plain not in known:
                known[plain] = f"fused_{len(known)}"
                texts.append(self.kernel(kernel, known[plain]))
            names[kernel] = known[plain]
        return texts, names

    def kernel(self, kernel: Kernel, name: str) -> list[str]:
        """The lines of one kernel."""
        return kernel_lines(kernel, name, self.new_body(kernel))

    def new_body(self, kernel: Kernel) -> BodyWriter:
        """What writes the lines of a kernel."""
        return BodyWriter(self.namer.inner(), self.imports)

    def new_main(self, names: dict[Kernel, str]) -> MainWriter:
        """What writes the lines of the main function."""
        return MainWriter(self.namer, self.imports, names)


def _tuple(items: list[str]) -> str:
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
