"""How Numba compiles a kernel: to code that other functions link, and to nothing else.

A kernel is never called from Python. Numba would optimise it and make machine code of it all the same, and then do both
again in each function that calls it: that was 40 % of the time of a compilation. Here it is done where it is linked.
"""

from __future__ import annotations

from typing import Any

from numba import _dynfunc  # type: ignore[attr-defined]
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering


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
class _LinkedLowering(NativeLowering):
    """Numba's lowering, but that the function has no address."""

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


class LinkedCompiler(Compiler):
    """The passes of Numba, the last of them replaced."""

    def define_pipelines(self) -> Any:
        """One pipeline, without object mode."""
        pipelines = super().define_pipelines()
        for passes in pipelines:
            passes.passes = [(_LinkedLowering if kind is NativeLowering else kind, text)
                             for kind, text in passes.passes]
            passes.finalize()
        return pipelines
