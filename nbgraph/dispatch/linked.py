"""How Numba compiles a kernel: to code that other functions link, and to nothing else.

A kernel is never called from Python. Numba would optimise it and make machine code of it all the same, and then do both
again in each function that calls it: that was 40 % of the time of a compilation. Here it is done where it is linked.
"""

from __future__ import annotations

from typing import Any

from numba import _dynfunc  # type: ignore[attr-defined]
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.typed_passes import IRLegalization, NativeLowering, NopythonTypeInference, NoPythonBackend
from numba.core.untyped_passes import FixupArgs, GenericRewrites, IRProcessing, RewriteDynamicRaises, TranslateByteCode

from nbgraph.dispatch.lean import LeanLower


class _LinkedLibrary(JITCodeLibrary):
    """The code of a kernel and of what it calls, not optimised."""

    def add_llvm_module(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout
        self._final_module.link_in(ll_module)

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _EntryLowering(NativeLowering):
    """Numba's lowering, lean."""

    _name = "entry_lowering"

    @property
    def lowering_class(self) -> type[LeanLower]:
        return LeanLower


@register_pass(mutates_CFG=True, analysis_only=False)
class _LinkedLowering(_EntryLowering):
    """The same of a function that has no address."""

    _name = "linked_lowering"

    def run_pass(self, state: Any) -> bool:
        context = state.targetctx
        state.library = _LinkedLibrary(context.codegen(), state.func_id.func_qualname)
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

    passes = (TranslateByteCode, FixupArgs, IRProcessing, NopythonTypeInference, _LinkedLowering, NoPythonBackend)


class EntryCompiler(_Lean):
    """Of what Python calls; it may raise, and owns arrays."""

    passes = (TranslateByteCode, FixupArgs, IRProcessing, GenericRewrites, RewriteDynamicRaises, NopythonTypeInference,
              IRLegalization, _EntryLowering, NoPythonBackend)
