"""How Python calls a generated function: what stands between the tuple of arguments and native code.

    accepted?  every array an ndarray of the dtype, rank and layout that the code was made for, every float a float
    no         None is returned, and nothing has been done: the caller converts the arguments, and calls again
    yes        data pointers and lengths are read, the code runs without the GIL, its results are boxed

Numba's own wrapper counts references to each array, and raises where one is of another kind; dtypes and layouts would
have to be checked in Python before. Both together were 0.14 microseconds an argument, where this is 0.01 (the figure
`call` of the bench).
The offsets are those of CPython's and NumPy's structures, which are part of their binary interfaces.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core import ir as numba_ir
from numba.core.callconv import RETCODE_OK, excinfo_ptr_t
from numba.core.callwrapper import PyCallWrapper
from numba.np.numpy_support import as_dtype

from nbgraph.dispatch import crew, symbols
from nbgraph.dispatch.lean import LeanLower

_HEAD = object.__basicsize__
_TYPE = _HEAD - 8                       # ob_type
_ITEMS = tuple.__basicsize__            # of the first item
_DATA, _NDIM, _LENGTHS, _DTYPE, _FLAGS = _HEAD, _HEAD + 8, _HEAD + 16, _HEAD + 40, _HEAD + 48
_ORDER, _NUMBER = _HEAD + 10, _HEAD + 12  # byteorder and type_num of a dtype
_C_CONTIGUOUS_ALIGNED = 0x101
_FLOAT, _ANY = -1, -2                   # in place of a rank

_byte, _int, _word, _bool = ir.IntType(8), ir.IntType(32), ir.IntType(64), ir.IntType(1)
_pointer = _byte.as_pointer()


class EntryLower(LeanLower):
    """The lowering of what Python calls.

    A tuple that is returned is no value of LLVM's, which takes quadratic time for one of hundreds of arrays, but a list
    of (type, value) until each value is stored where the caller has asked for it.
    """

    def lower_assign(self, ty: Any, inst: Any) -> Any:
        if inst.target.name in self._singly_assigned_vars and hasattr(ty, "types"):
            value = inst.value
            op = value.op if isinstance(value, numba_ir.Expr) else None
            if op == "build_tuple" and inst.target.name in self._returned():
                return self._held_once_more([(kind, self._cast_var(item, kind))
                                             for kind, item in zip(ty.types, value.items, strict=True)])
            items = self._blk_local_varmap.get(value.value.name) if op == "cast" else None
            if isinstance(items, list):
                return self._held_once_more(items)
        return super().lower_assign(ty, inst)

    def _returned(self) -> set[str]:
        """Variables that are returned, and those that are cast to them; nothing else reads these."""
        if not hasattr(self, "_returned_names"):
            casts = {s.target.name: s.value.value.name for s in self._assignments()
                     if isinstance(s.value, numba_ir.Expr) and s.value.op == "cast"}
            returned = {s.value.name for block in self.blocks.values() for s in block.body
                        if isinstance(s, numba_ir.Return)}
            self._returned_names = returned | {casts[name] for name in returned if name in casts}
        return self._returned_names

    def _held_once_more(self, items: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
        for kind, value in items:
            self.incref(kind, value)
        return items

    def decref(self, typ: Any, val: Any) -> None:
        """Let go of a value, or of each value of a tuple."""
        for kind, value in val if isinstance(val, list) else [(typ, val)]:
            super().decref(kind, value)

    def lower_inst(self, inst: Any) -> Any:
        items = self._blk_local_varmap.get(inst.value.name) if isinstance(inst, numba_ir.Return) else None
        if not isinstance(items, list):
            return super().lower_inst(inst)
        place, alike = self.function.args[0], isinstance(self.fndesc.restype, types.UniTuple)
        for k, (kind, value) in enumerate(items):
            model = self.context.data_model_manager[kind]
            given = value if alike else model.as_data(self.builder, value)
            self.builder.store(given, cgutils.gep_inbounds(self.builder, place, 0, k))
        self.call_conv._return_errcode_raw(self.builder, RETCODE_OK)

    def create_cpython_wrapper(self, release_gil: bool = False) -> None:
        """The function that Python calls, in a module beside the code."""
        symbols.register()
        context, fndesc = self.context, self.fndesc
        module = context.create_module("wrapper")
        kind = context.call_conv.get_function_type(fndesc.restype, fndesc.argtypes)
        native = ir.Function(module, kind, fndesc.llvm_func_name)
        _EntryWrapper(context, module, native, fndesc, self.env, self.call_helper, release_gil).build()
        self.library.add_ir_module(module)
        self.library.called_by_python = fndesc.llvm_cpython_wrapper_name


class _EntryWrapper(PyCallWrapper):
    """(self, args, kwargs) -> tuple of results; None where an argument is not what the code was made for."""

    def build_wrapper(self, api: Any, builder: Any, closure: Any, args: Any, kws: Any) -> None:
        """The body of the wrapper."""
        kinds = self.fndesc.argtypes
        accepted = builder.call(_accepts(self.module), [args, _table(self.module, kinds), _word(len(kinds))])
        with cgutils.if_unlikely(builder, builder.not_(accepted)):
            api.return_none()
        environment = self.get_env(api, builder)
        failed = builder.append_basic_block("failed")
        with builder.goto_block(failed):
            builder.ret(api.get_null_object())
        values = [self._value(api, builder, _field(builder, args, _ITEMS + 8 * k, _pointer), kind, failed)
                  for k, kind in enumerate(kinds)]
        state = api.save_thread()
        status, place = self._call(builder, kinds, values)
        api.restore_thread(state)
        with builder.if_then(status.is_ok, likely=True):
            builder.ret(self._boxed(api, builder, place, environment))
        self.context.call_conv.raise_error(builder, api, status)
        builder.ret(api.get_null_object())

    def _call(self, builder: Any, kinds: Any, values: Any) -> tuple[Any, Any]:
        """(status, pointer to what is returned) of the code."""
        convention = self.context.call_conv
        place = cgutils.alloca_once(builder, convention.get_return_type(self.fndesc.restype).pointee)
        failure = cgutils.alloca_once(builder, excinfo_ptr_t)
        arguments = convention._get_arg_packer(kinds).as_arguments(builder, values)
        code = builder.call(self.func, [place, failure, *arguments], attrs=("alwaysinline",))
        return convention._get_return_status(builder, code, builder.load(failure)), place

    def _boxed(self, api: Any, builder: Any, place: Any, environment: Any) -> Any:
        """The object of Python, of a tuple item by item."""
        whole: Any = self.fndesc.restype
        if not hasattr(whole, "types"):
            value = self.context.get_returned_value(builder, whole, builder.load(place))
            return api.from_native_return(whole, value, environment)
        kinds = list(whole.types)
        found = api.tuple_new(len(kinds))
        for k, kind in enumerate(kinds):
            value = builder.load(cgutils.gep_inbounds(builder, place, 0, k))
            if not isinstance(whole, types.UniTuple):
                value = self.context.data_model_manager[kind].from_data(builder, value)
            api.tuple_setitem(found, k, api.from_native_return(kind, value, environment))
        return found

    def _value(self, api: Any, builder: Any, item: Any, kind: Any, failed: Any) -> Any:
        """The native value of an argument that has been accepted."""
        if isinstance(kind, types.Array):
            return self._array(builder, item, kind)
        if kind == types.float64:
            return _field(builder, item, _HEAD, ir.DoubleType())
        native = api.to_native_value(kind, item)
        with cgutils.if_unlikely(builder, native.is_error):
            builder.branch(failed)
        return native.value

    def _array(self, builder: Any, item: Any, kind: Any) -> Any:
        """The array, which the tuple of arguments keeps alive; where it is a result, the same object comes back."""
        from numba.np.arrayobj import make_array, populate_array  # 20 ms that only compiling needs
        array = make_array(kind)(self.context, builder)
        data = _field(builder, item, _DATA, array.data.type)
        lengths = _field(builder, item, _LENGTHS, _pointer)
        shape = [_field(builder, lengths, 8 * axis, _word) for axis in range(kind.ndim)]
        itemsize = _word(self.context.get_abi_sizeof(self.context.get_data_type(kind.dtype)))
        strides = [itemsize]
        for length in reversed(shape[1:]):
            strides.insert(0, builder.mul(strides[0], length))
        populate_array(array, data, shape, strides, itemsize, None, item)
        return array._getvalue()


def _field(builder: Any, place: Any, offset: int, kind: Any) -> Any:
    """What a structure holds so many bytes behind its beginning."""
    return builder.load(builder.bitcast(builder.gep(place, [_word(offset)]), kind.as_pointer()))


def _table(module: Any, kinds: Any) -> Any:
    """(rank, number of the dtype, its byte order) for each argument, in the module."""
    rows = []
    for kind in kinds:
        if isinstance(kind, types.Array):
            dtype = as_dtype(kind.dtype)
            rows.append((kind.ndim, dtype.num, ord(dtype.byteorder)))
        else:
            rows.append((_FLOAT if kind == types.float64 else _ANY, 0, 0))
    numbers = ir.Constant(ir.ArrayType(_int, 3 * len(rows)), [n for row in rows for n in row])
    return cgutils.global_constant(module, "nbgraph_arguments", numbers).bitcast(_pointer)


def _accepts(module: Any) -> Any:
    """The function (args, table, count) -> whether all arguments are as the table says, in the module."""
    function = ir.Function(module, ir.FunctionType(_bool, [_pointer, _pointer, _word]), "nbgraph_accepts")
    function.linkage = "internal"
    args, table, count = function.args
    builder = ir.IRBuilder(function.append_basic_block())
    refused = function.append_basic_block("refused")
    ir.IRBuilder(refused).ret(_bool(0))

    def demand(holds: Any) -> None:
        """Leave where that is not so."""
        further = function.append_basic_block()
        builder.cbranch(holds, further, refused)
        builder.position_at_end(further)

    size = _field(builder, args, _HEAD, _word)
    demand(builder.icmp_signed("==", size, count))
    with cgutils.for_range(builder, count) as loop:
        item = builder.load(builder.bitcast(
            builder.gep(args, [builder.add(_word(_ITEMS), builder.mul(loop.index, _word(8)))]), _pointer.as_pointer()))
        row = builder.gep(table, [builder.mul(loop.index, _word(12))])
        rank = _field(builder, row, 0, _int)
        kind = _field(builder, item, _TYPE, _pointer)
        with builder.if_else(builder.icmp_signed(">=", rank, _int(0))) as (array, scalar):
            with array:
                demand(builder.icmp_unsigned("==", kind, _type(builder, symbols.NDARRAY)))
                dtype = _field(builder, item, _DTYPE, _pointer)
                demand(builder.icmp_signed("==", _field(builder, item, _NDIM, _int), rank))
                demand(builder.icmp_signed("==", _field(builder, dtype, _NUMBER, _int), _field(builder, row, 4, _int)))
                order = builder.zext(_field(builder, dtype, _ORDER, _byte), _int)
                demand(builder.icmp_signed("==", order, _field(builder, row, 8, _int)))
                wanted = _int(_C_CONTIGUOUS_ALIGNED)
                demand(builder.icmp_signed("==", builder.and_(_field(builder, item, _FLAGS, _int), wanted), wanted))
            with scalar:
                known = [builder.icmp_unsigned("==", kind, _type(builder, name)) for name in symbols.FLOATS]
                demand(builder.or_(builder.icmp_signed("==", rank, _int(_ANY)), builder.or_(*known)))
    builder.ret(_bool(1))
    return function


def _type(builder: Any, name: str) -> Any:
    """The address of a type of Python's or NumPy's."""
    return builder.bitcast(crew.external(builder.module, name), _pointer)
