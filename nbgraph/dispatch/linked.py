"""How Numba compiles a kernel: to code that other functions link, and to nothing else.

A kernel is never called from Python. Numba would optimise it and make machine code of it all the same, and then do both
again in each function that calls it: that was 40 % of the time of a compilation. Here it is done where it is linked.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Iterable
from typing import Any

import llvmlite.binding as llvm
from numba import _dynfunc  # type: ignore[attr-defined]
from numba.core import ir
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase
from numba.core.compiler_machinery import FunctionPass, PassManager, register_pass
from numba.core.typed_passes import IRLegalization, NativeLowering, NoPythonBackend
from numba.core.untyped_passes import FixupArgs, GenericRewrites, IRProcessing, RewriteDynamicRaises, TranslateByteCode

from nbgraph.dispatch.entry import EntryLower
from nbgraph.dispatch.lean import LeanLower
from nbgraph.dispatch.typing import RememberingInference


@register_pass(mutates_CFG=False, analysis_only=False)
class _PlainCalls(FunctionPass):
    """f(*(a, b, ...)) -> f(a, b, ...), and one tuple for a sum of tuples.

    So Python compiles calls and tuples of more than 30 values, and so Numba would write out the type of each of the
    growing tuples in LLVM's text.
    """

    _name = "plain_calls"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        """Gather the values of every tuple, put them where it is called with, and drop tuples that nothing reads."""
        blocks = state.func_ir.blocks.values()
        items: dict[str, Any] = {}
        for statement in (s for block in blocks for s in block.find_insts(ir.Assign)):
            value = statement.value
            found = _items_of(value, items)
            if found is not None:
                items[statement.target.name] = found
                statement.value = ir.Expr.build_tuple(found, value.loc)
                state.func_ir._definitions[statement.target.name] = [statement.value]
            elif _op_of(value) == "call" and value.vararg is not None and value.vararg.name in items:
                value.args, value.vararg = [*value.args, *items[value.vararg.name]], None
        if items:
            _drop_unread(blocks, items)
        return bool(items)


# What every module that needs it brings along.
_SHARED = (llvm.Linkage.linkonce_any, llvm.Linkage.linkonce_odr)


def _op_of(value: Any) -> str | None:
    return value.op if isinstance(value, ir.Expr) else None


def _items_of(value: Any, items: dict[str, Any]) -> list[Any] | None:
    """The values of a tuple; None for anything else."""
    if isinstance(value, ir.Var):
        return items.get(value.name)
    if _op_of(value) == "build_tuple":
        return list(value.items)
    if _op_of(value) == "binop" and value.fn is operator.add and value.lhs.name in items and value.rhs.name in items:
        return [*items[value.lhs.name], *items[value.rhs.name]]
    return None


def _drop_unread(blocks: Iterable[Any], items: dict[str, Any]) -> None:
    makers = {s.target.name: s for block in blocks for s in block.find_insts(ir.Assign) if s.target.name in items}
    making = {id(s) for s in makers.values()}
    waiting = [v.name for block in blocks for s in block.body if id(s) not in making
               for v in s.list_vars() if v.name in makers]
    read = set()
    while waiting:
        name = waiting.pop()
        if name not in read:
            read.add(name)
            waiting += [v.name for v in items[name] if v.name in makers]
    gone = {id(s) for name, s in makers.items() if name not in read}
    for block in blocks:
        block.body = [s for s in block.body if id(s) not in gone]


class _EntryLibrary(JITCodeLibrary):
    """The code of a function and of what it calls, optimised once: all of LLVM's passes, when it is complete."""

    called_by_python = ""
    llvm_seconds = 0.0  # what optimising it and making machine code of it took

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        # Nobody else calls them: so LLVM drops arguments that are not read, and copies `main` into its only caller.
        # But the vectoriser finds what is weak by its name (`vmath.rare`).
        own = [function for function in self._final_module.functions if not function.is_declaration
               and function.name != self.called_by_python and function.linkage != llvm.Linkage.weak_odr]
        shared = {function.name for function in own if function.linkage in _SHARED}
        for function in own:
            function.linkage = llvm.Linkage.internal
        start = time.perf_counter()
        passes, builder = self._codegen._module_pass_manager()
        passes.run(self._final_module, builder)
        # LLVM has made them fit the calls that are here, dropping a test for NULL, say. Its linker would take one for
        # that of another module all the same, internal or not, where that has the name.
        for function in self._final_module.functions:
            if function.name in shared:
                function.name = f"{function.name}.{self.called_by_python}"
        self.llvm_seconds += time.perf_counter() - start

    def _finalize_final_module(self) -> None:
        # The object alone goes to LLVM's engine, which would keep the module it is made of for ever.
        start = time.perf_counter()
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._compiled_object = bytes(self._codegen._tm.emit_object(self._final_module))
        engine = self._codegen._engine
        engine._load_defined_symbols(self._final_module)
        engine._ee.add_object_file(llvm.ObjectFileRef.from_data(self._compiled_object))
        engine.finalize_object()
        self.llvm_seconds += time.perf_counter() - start
        self._finalized = True


class _LinkedLibrary(_EntryLibrary):
    """The code of a kernel and of what it calls, not optimised."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


def forget_text(library: Any) -> None:
    """Free what LLVM holds of a function besides its machine code: nothing links it any more."""
    for module in {library._shared_module, library._final_module} - {None}:
        module.close()


@register_pass(mutates_CFG=True, analysis_only=False)
class _EntryLowering(NativeLowering):
    """Numba's lowering, lean."""

    _name = "entry_lowering"

    library = _EntryLibrary

    @property
    def lowering_class(self) -> type[LeanLower]:
        return EntryLower

    def run_pass(self, state: Any) -> bool:
        state.library = self.library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return bool(super().run_pass(state))


@register_pass(mutates_CFG=True, analysis_only=False)
class _LinkedLowering(_EntryLowering):
    """The same of a function that has no address."""

    _name = "linked_lowering"

    library = _LinkedLibrary

    @property
    def lowering_class(self) -> type[LeanLower]:
        return LeanLower

    def run_pass(self, state: Any) -> bool:
        context = state.targetctx
        state.flags.no_compile = True
        super().run_pass(state)
        state.library.finalize()
        lowered = state["cr"]
        fndesc = lowered.fndesc
        # What stands for the function where it is called; Python can't call it.
        key = _dynfunc.make_function(fndesc.lookup_module(), fndesc.qualname, "", 0, lowered.env, (state.library,))
        context.insert_user_function(key, fndesc, [state.library])
        state.reload_init.extend(state.library._reload_init)
        state["cr"] = lowered._replace(cfunc=key)
        return True


class _Lean(CompilerBase):
    """A compiler that knows that it is given generated code: `passes`, one after the other."""

    passes: tuple[type, ...]

    def define_pipelines(self) -> Any:
        """One pipeline, without object mode."""
        manager = PassManager("generated")
        for kind in self.passes:
            manager.add_pass(kind, kind.__name__)
        manager.finalize()
        return [manager]


class LinkedCompiler(_Lean):
    """Of kernels."""

    passes = (TranslateByteCode, FixupArgs, _PlainCalls, IRProcessing, RememberingInference, _LinkedLowering,
              NoPythonBackend)


class EntryCompiler(_Lean):
    """Of what Python calls; it may raise, and owns arrays."""

    passes = (TranslateByteCode, FixupArgs, _PlainCalls, IRProcessing, GenericRewrites, RewriteDynamicRaises,
              RememberingInference, IRLegalization, _EntryLowering, NoPythonBackend)
