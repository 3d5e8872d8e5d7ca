"""What of Numba's lowering a generated function needs: the same code, made from a third of the instructions.

Numba lowers what anybody may write. A generated function is known better: no index is negative, kernels do not fail,
arguments outlive the call, and a variable that is assigned once holds one value. So no element is looked for from the
end, no status is asked after a call, references to arguments are not counted, and most variables need no memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from llvmlite import ir as llvm
from numba import types
from numba.core import cgutils, ir
from numba.core.analysis import compute_cfg_from_blocks, compute_use_defs, must_use_alloca
from numba.core.imputils import fix_returning_optional
from numba.core.lowering import Lower

_LOOPS = frozenset({"call", "getiter", "iternext", "pair_first", "pair_second"})


class LeanLower(Lower):
    """Numba's `Lower`, of a function whose indices are at least 0."""

    def init(self) -> None:
        """Find out what needs no place in memory, and what no reference is counted for."""
        self._counted: dict[Any, bool] = {}
        self._held_arrays: dict[str, None] = {}
        borrowed = self._borrowed()
        for block in self.blocks.values():
            block.body = [s for s in block.body if not isinstance(s, ir.Del)
                          or (s.value not in borrowed and self._is_counted(self.typeof(s.value)))]
        self._borrowed_names = borrowed
        super().init()

    # --- references ---------------------------------------------------------------------------------------------------

    def _borrowed(self) -> frozenset[str]:
        """Variables that are an argument, whose caller keeps it alive."""
        times: dict[str, int] = defaultdict(int)
        values = {}
        for statement in self._assignments():
            times[statement.target.name] += 1
            values[statement.target.name] = statement.value
        return frozenset(name for name, value in values.items() if times[name] == 1 and isinstance(value, ir.Arg))

    def _assignments(self) -> Iterable[Any]:
        return (s for block in self.blocks.values() for s in block.body if isinstance(s, ir.Assign))

    def _is_counted(self, kind: Any) -> bool:
        if not self.context.enable_nrt:
            return False
        if kind not in self._counted:
            self._counted[kind] = self.context.data_model_manager[kind].contains_nrt_meminfo()
        return self._counted[kind]

    def incref(self, typ: Any, val: Any) -> None:
        if self._is_counted(typ):
            super().incref(typ, val)

    def decref(self, typ: Any, val: Any) -> None:
        if self._is_counted(typ):
            super().decref(typ, val)

    def lower_assign(self, ty: Any, inst: Any) -> Any:
        name, value = inst.target.name, inst.value
        if name in self._borrowed_names:
            return self.context.cast(self.builder, self.fnargs[value.index], self.typeof("arg." + value.name), ty)
        if isinstance(value, ir.Expr) and value.op in _LOOPS and name in self._singly_assigned_vars:
            result = getattr(self, f"_loop_{value.op}")(ty, value)
            if result is not None:
                return result
        return super().lower_assign(ty, inst)

    def lower_inst(self, inst: Any) -> Any:
        """A statement; arrays that it makes are held until the one that lets go of them."""
        super().lower_inst(inst)
        if isinstance(inst, ir.Assign) and self._is_counted(self.typeof(inst.target.name)):
            self._held_arrays[inst.target.name] = None
        elif isinstance(inst, ir.Del):
            self._held_arrays.pop(inst.value, None)

    def free_all(self) -> None:
        """Let go of every array that is held here: the function ends early."""
        for name in self._held_arrays:
            if name not in self._borrowed_names:
                self.decref(self.typeof(name), self.loadvar(name))

    # --- variables ----------------------------------------------------------------------------------------------------

    def _find_singly_assigned_variable(self) -> None:
        """Variables that are assigned in one place, which is passed before every place where they are read."""
        found = compute_use_defs(self.blocks)
        dominators = compute_cfg_from_blocks(self.blocks).dominators()
        in_memory = must_use_alloca(self.blocks)
        times: dict[str, int] = defaultdict(int)
        for statement in self._assignments():
            times[statement.target.name] += 1
        places = {name: block for block, names in found.defmap.items() for name in names if times[name] == 1}
        away = {name for block, names in found.usemap.items() for name in names
                if name in places and (block == places[name] or places[name] not in dominators[block])}
        away |= {s.value for block, body in self.blocks.items() for s in body.find_insts(ir.Del)
                 if s.value in places and places[s.value] not in dominators[block]}
        self._singly_assigned_vars = set(places) - away - set(in_memory)
        self._blk_local_varmap: dict[str, Any] = {}

    # --- loops --------------------------------------------------------------------------------------------------------

    # for i in range(n), where Numba would keep a struct of four numbers in memory. What stands for a range, its
    # iterator and what `next` gives are Python tuples.

    def _loop_call(self, kind: Any, expr: Any) -> Any:
        if not isinstance(kind, types.RangeType) or len(expr.args) != 1 or expr.kws or expr.vararg:
            return None
        return (self._cast_var(expr.args[0], kind.dtype),)

    def _loop_getiter(self, kind: Any, expr: Any) -> Any:
        held = self._held(expr.value)
        if held is None:
            return None
        zero = llvm.Constant(held[0].type, 0)
        return *held, cgutils.alloca_once_value(self.builder, zero)

    def _loop_iternext(self, kind: Any, expr: Any) -> Any:
        held = self._held(expr.value)
        if held is None:
            return None
        stop, place = held
        now = self.builder.load(place)
        self.builder.store(self.builder.add(now, llvm.Constant(now.type, 1), flags=("nsw",)), place)
        return now, self.builder.icmp_signed("<", now, stop)

    def _loop_pair_first(self, kind: Any, expr: Any) -> Any:
        held = self._held(expr.value)
        return held and held[0]

    def _loop_pair_second(self, kind: Any, expr: Any) -> Any:
        held = self._held(expr.value)
        return held and held[1]

    def _held(self, variable: Any) -> tuple[Any, ...] | None:
        value = self._blk_local_varmap.get(variable.name)
        return value if isinstance(value, tuple) else None

    # --- elements -----------------------------------------------------------------------------------------------------

    def _place(self, array: Any, index: Any) -> Any:
        """The pointer to an element of a C-contiguous array; None where the index is not one of integers."""
        kind, of = self.typeof(array.name), self.typeof(index.name)
        kinds = list(of.types) if isinstance(of, (types.UniTuple, types.Tuple)) else [of]
        if not isinstance(kind, types.Array) or kind.layout != "C" or not len(kinds) == kind.ndim > 0:
            return None
        if not all(isinstance(k, types.Integer) for k in kinds):
            return None
        value, numbers = self.loadvar(array.name), self.loadvar(index.name)
        parts = cgutils.unpack_tuple(self.builder, numbers, len(kinds)) if of is not kinds[0] else [numbers]
        parts = [self.context.cast(self.builder, p, k, types.intp) for p, k in zip(parts, kinds, strict=True)]
        members = self.context.data_model_manager[kind]
        at = parts[0]
        for axis, part in enumerate(parts[1:], 1):
            length = self.builder.extract_value(value, [members.get_field_position("shape"), axis])
            at = self.builder.add(self.builder.mul(at, length, flags=("nsw",)), part, flags=("nsw",))
        data = self.builder.extract_value(value, members.get_field_position("data"))
        return self.builder.gep(data, [at], inbounds=True)

    def lower_getitem(self, resty: Any, expr: Any, value: Any, index: Any, signature: Any) -> Any:
        place = self._place(value, index)
        if place is None:
            return super().lower_getitem(resty, expr, value, index, signature)
        kind = self.typeof(value.name).dtype
        return self.context.cast(self.builder, self.context.unpack_value(self.builder, kind, place), kind, resty)

    def lower_setitem(self, target_var: Any, index_var: Any, value_var: Any, signature: Any) -> Any:
        place = self._place(target_var, index_var)
        if place is None:
            return super().lower_setitem(target_var, index_var, value_var, signature)
        kind, given = self.typeof(target_var.name).dtype, self.typeof(value_var.name)
        value = self.context.cast(self.builder, self.loadvar(value_var.name), given, kind)
        return self.context.pack_value(self.builder, kind, value, place)

    # --- calls --------------------------------------------------------------------------------------------------------

    def _lower_call_normal(self, fnty: Any, expr: Any, signature: Any) -> Any:
        """A call of a kernel, which does not fail; of a function of a user, which may."""
        if not isinstance(fnty, types.Dispatcher):
            return super()._lower_call_normal(fnty, expr, signature)
        arguments = self.fold_call_args(fnty, signature, expr.args, expr.vararg, expr.kws)
        compiled = fnty.dispatcher.overloads[signature.args]
        self.library.add_linking_library(compiled.library)
        function = self.context.declare_function(self.module, compiled.fndesc)
        status, result = self.context.call_conv.call_function(self.builder, function, compiled.fndesc.restype,
                                                              compiled.fndesc.argtypes, arguments)
        if not getattr(fnty.dispatcher, "cannot_fail", True):
            with cgutils.if_unlikely(self.builder, status.is_error):
                self.free_all()
                self.context.call_conv.return_status_propagate(self.builder, status)
        return fix_returning_optional(self.context, self.builder, signature, status, result)

