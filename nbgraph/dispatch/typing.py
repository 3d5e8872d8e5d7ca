"""Numba's type inference, which remembers what calls of numbers and arrays give.

Numba finds the signature of every call anew, in each of its rounds, among dozens of overloads: half a millisecond for
an addition. Generated code consists of the same few hundred calls, whatever it computes.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NopythonTypeInference

_PLAIN = (types.Number, types.Boolean, types.NumberClass, types.Literal, types.DType)
_known: dict[tuple[Any, ...], Any] = {}


def _is_plain(kind: Any) -> bool:
    if isinstance(kind, types.Array):
        return isinstance(kind.dtype, _PLAIN)
    if isinstance(kind, (types.UniTuple, types.Tuple)):
        return all(map(_is_plain, kind.types))
    return isinstance(kind, _PLAIN)


class _Remembering:
    """Numba's typing context, but that it answers from memory where only plain types are asked about."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def _ask(self, question: str, subject: Any, kinds: tuple[Any, ...], *more: Any) -> Any:
        if not all(map(_is_plain, kinds)):
            return getattr(self._context, question)(subject, *more)
        key = question, subject, kinds
        if key not in _known:
            answer = getattr(self._context, question)(subject, *more)
            if answer is None:
                return None
            _known[key] = answer
        return _known[key]

    def resolve_function_type(self, func: Any, args: Any, kws: Any) -> Any:
        """The signature of a call; a kernel's is its own."""
        if kws or not isinstance(func, types.Function):
            return self._context.resolve_function_type(func, args, kws)
        return self._ask("resolve_function_type", func, tuple(args), args, kws)

    def resolve_setitem(self, target: Any, index: Any, value: Any) -> Any:
        """The signature of target[index] = value."""
        return self._ask("resolve_setitem", target, (target, index, value), index, value)


@register_pass(mutates_CFG=True, analysis_only=False)
class RememberingInference(NopythonTypeInference):
    """The pass."""

    _name = "remembering_type_inference"

    def run_pass(self, state: Any) -> bool:
        """Infer types, with a memory."""
        context = state.typingctx
        state.typingctx = _Remembering(context)
        try:
            return bool(super().run_pass(state))
        finally:
            state.typingctx = context
