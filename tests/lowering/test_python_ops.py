"""Ops with Python code only, inside native functions: "the call leaves to Python for that node and comes back"."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numba.core.runtime import _nrt_python as nrt
from numba.core.runtime import rtsys

import nbgraph
import nbgraph.tensor as nt
from nbgraph import function, shared
from nbgraph.errors import KernelError, ShapeError
from nbgraph.graph import Apply, Op, Type
from nbgraph.graph.generic_type import Generic
from nbgraph.tensor import dtypes
from nbgraph.tensor.elemwise import Elemwise

x, m, s, k = nt.dvector("x"), nt.fmatrix("m"), nt.dscalar("s"), nt.lscalar("k")


@pytest.fixture(params=["FAST_RUN", "FAST_COMPILE", "reference", "DebugMode", "NanGuardMode"])
def mode(request: pytest.FixtureRequest) -> Iterator[str]:
    """The test runs once in every mode, also in those that look at values."""
    with nbgraph.config.change_flags(mode=request.param):
        yield request.param


class Python(Op):
    """outputs = compute(*inputs), of the Types that `kinds` gives for the inputs."""

    def __init__(self, compute: Any, kinds: Any = lambda *inputs: [inputs[0].type], lengths: Any = None) -> None:
        self.compute, self.kinds = compute, kinds
        if lengths is not None:
            self.infer_shape = lambda fgraph, node, shapes: lengths(*shapes)

    def make_node(self, *inputs: Any) -> Apply:
        given = [v if isinstance(v, nbgraph.graph.Variable) else nt.as_tensor_variable(v) for v in inputs]
        return Apply(self, given, [kind() for kind in self.kinds(*given)])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        results = self.compute(*inputs)
        for cell, result in zip(output_storage, results if isinstance(results, tuple) else (results,), strict=True):
            cell[0] = result


class Anything(Type):
    """Any object."""

    def filter(self, value: Any, strict: bool = False, allow_downcast: Any = None) -> Any:
        return value

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


def vector(*_: Any) -> Any:
    return [nt.dvector().type]


double = Python(lambda v: v * 2, lengths=lambda v: [v])
unique = Python(lambda v: np.unique(v))
split = Python(lambda v, n: (v[:n].copy(), np.float64(v.sum()) + np.zeros(()), v > 0),
               lambda v, n: [v.type, s.type, nt.tensor(dtype="bool", shape=(None,)).type])


@pytest.mark.parametrize("op", [double, Python(lambda v: v * 2)])
def test_values_go_there_and_come_back_amid_loops(op, mode):
    f = function([x, s], [nt.exp(op(x + 1)) * s, op(s * 3), op(x).shape[0] + k], givens={k: nt.constant(1)})
    z, t, n = f([1.0, 2.0], 0.5)
    np.testing.assert_allclose(z, np.exp([4.0, 6.0]) * 0.5)
    assert (t, n) == (3.0, 3)
    if mode != "reference":
        assert "run_python(python, 0, " in f.source
        assert "computed by Python code:\n  Python" in f.explain() and "test_python_ops.py" in f.explain()


def test_outputs_of_every_kind_and_of_unknown_length(mode):
    a, total, positive = split(x, k)
    f = function([x, k], [unique(x), unique(x).shape[0] * 10, a * 2, total, positive, positive.sum()])
    u, n, a2, t, p, c = f([3.0, -1.0, 3.0], 2)
    assert u.tolist() == [-1.0, 3.0] and n == 20 and a2.tolist() == [6.0, -2.0]
    assert t == 5.0 and p.tolist() == [True, False, True] and c == 2


def test_all_dtypes_ranks_layouts_and_nothing_at_all(mode):
    turned = Python(lambda v: v.T, lambda v: [nt.tensor(dtype=v.type.dtype, shape=v.type.shape[::-1]).type],
                    lambda v: [v[::-1]])
    turned.view_map = {0: [0]}
    for dtype in dtypes.ALL:
        t = nt.tensor("t", dtype=dtype, shape=(None, None, 2))
        f = function([t], turned(t)[::-1])
        for shape in ((3, 1, 2), (0, 4, 2)):
            value = (np.arange(np.prod(shape)).reshape(shape) % 2).astype(dtype)
            np.testing.assert_array_equal(f(value), value.T[::-1])
    for dtype in ("bool", "int8", "float32", "complex64"):
        v = nt.tensor("v", dtype=dtype, shape=())
        assert function([v], Python(lambda v: v.copy())(v))(np.ones((), dtype)).dtype == dtype


def test_an_op_may_keep_overwrite_and_return_what_it_is_given():
    kept: list[Any] = []

    def keep(v: Any) -> Any:
        kept.append(v)
        v *= 2
        return v

    w = shared(np.ones(2), name="w")
    f = function([x], [Python(keep)(x + w), x * 1], updates=[(w, Python(keep)(w))])
    value = np.array([1.0, 2.0])
    assert f(value)[0].tolist() == [4.0, 6.0] and value.tolist() == [1.0, 2.0] and w.get_value().tolist() == [2.0, 2.0]
    first = kept[0].copy()
    f(value + 5)
    np.testing.assert_array_equal(kept[0], first)


def test_what_an_op_raises_arrives_unchanged_with_the_line_and_changes_nothing(mode):
    class Own(Exception):
        pass

    def fail(v: Any) -> Any:
        if v[0] < 0:
            raise Own("negative", v[0])
        return v.copy()

    w = shared(np.zeros(2), name="w")
    f = function([x], Python(fail)(x), updates=[(w, w + x)])
    with pytest.raises(Own) as caught:
        f([-1.0, 2.0])
    assert caught.value.args == ("negative", -1.0)
    assert "test_python_ops.py" in caught.value.__notes__[0] and w.get_value().tolist() == [0.0, 0.0]
    assert "in fail" in "".join(str(frame) for frame in caught.traceback)
    f([1.0, 2.0])
    assert w.get_value().tolist() == [1.0, 2.0]


def test_what_an_op_raises_while_it_handles_another_exception_keeps_that_one(mode):
    def fail(v: Any) -> Any:
        try:
            return {}[1.0]
        except KeyError:
            raise ValueError("not in the table")  # noqa: B904 - its context is what is looked at

    with pytest.raises(ValueError, match="not in the table") as caught:
        function([x], Python(fail)(x))([1.0])
    assert type(caught.value.__context__) is KeyError and caught.value.__cause__ is None


def test_interrupts_pass_too(mode):
    def interrupt(v: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        function([x], Python(interrupt)(x))([1.0])


@pytest.mark.parametrize("compute", [lambda v: np.float32(v), lambda v: v[None], lambda v: None])
def test_a_value_of_another_type_is_refused(compute, mode):
    with pytest.raises(TypeError, match="perform gave a value that is not") as caught:
        function([x], Python(compute)(x) + 1)([1.0, 2.0])
    assert "test_python_ops.py" in str(caught.value)


def test_an_infer_shape_that_is_wrong_is_told():
    with pytest.raises(ShapeError, match="infer_shape gives length 2 for axis 0 of output 0") as caught:
        function([x], Python(lambda v: v[1:], lengths=lambda v: [v])(x) + 1)([1.0, 2.0])
    assert "test_python_ops.py" in str(caught.value)


def raises(*shapes: Any) -> Any:
    raise ZeroDivisionError("division by zero")


def says_nothing(*shapes: Any) -> Any:
    raise NotImplementedError


@pytest.mark.parametrize(("lengths", "said"), [
    ([], r"infer_shape gives \[\] for 1 output\n"), (None, "infer_shape gives None for 1 output\n"),
    ([(1, 2)], r"infer_shape gives \(1, 2\) for output 0 of type float64\[\?\]"),
    ([3], "infer_shape gives 3 for output 0"),
    ([("n",)], "infer_shape gives 'n' for axis 0 of output 0"), ([(x,)], "infer_shape gives x for axis 0 of output 0"),
])
def test_an_infer_shape_that_gives_something_else_is_named_with_the_line(lengths, said):
    op = Python(lambda v: v)
    op.infer_shape = lambda fgraph, node, shapes: lengths
    with pytest.raises(ShapeError, match=said) as caught:
        function([x], op(x) + 1, mode="FAST_RUN")
    assert "test_python_ops.py" in str(caught.value)


def test_what_infer_shape_raises_has_the_line_and_it_may_say_nothing():
    with pytest.raises(ZeroDivisionError) as caught:
        function([x], Python(lambda v: v, lengths=raises)(x) + 1, mode="FAST_RUN")
    assert "infer_shape of Python, made at test_python_ops.py" in caught.value.__notes__[0]
    assert function([x], Python(lambda v: v, lengths=says_nothing)(x) + 1, mode="FAST_RUN")([1.0]).tolist() == [2.0]


def test_python_may_be_forbidden_with_the_place_where_a_kernel_would_go():
    with pytest.raises(KernelError, match="has Python code only, and allow_python=False") as caught:
        function([x], double(x), allow_python=False)
    assert "nbgraph.dispatch.numba_kernel" in str(caught.value) and "test_python_ops.py" in str(caught.value)
    assert function([x], nt.exp(x), allow_python=False)([0.0]).tolist() == [1.0]


def test_an_op_with_a_thunk_alone(mode):
    class Thunk(Op):
        __props__ = ()
        made = 0

        def make_node(self, v: Any) -> Apply:
            return Apply(self, [v], [v.type(), s.type()])

        def make_thunk(self, node: Any, storage_map: Any, compute_map: Any, no_recycling: Any, impl: Any = None) -> Any:
            Thunk.made += 1
            (v,), outputs = node.inputs, node.outputs

            def thunk() -> None:
                assert compute_map[v][0]
                storage_map[outputs[0]][0] = storage_map[v][0] + 1
                storage_map[outputs[1]][0] = np.asarray(storage_map[v][0].sum())
                for out in outputs:
                    compute_map[out][0] = True
            return thunk

    class Forgetful(Thunk):
        def make_thunk(self, node: Any, *rest: Any, **options: Any) -> Any:
            return lambda: None

    z, total = Thunk()(x)
    f = function([x], [z * 2, total])
    for _ in range(3):
        a, b = f([1.0, 2.0])
        assert a.tolist() == [4.0, 6.0] and b == 3.0
    assert Thunk.made <= 2
    with pytest.raises(RuntimeError, match="the thunk of Forgetful does not say"):
        function([x], Forgetful()(x)[0])([1.0])


def test_objects_of_any_type_flow_between_such_ops(mode):
    thing = Anything()
    make = Python(lambda v: {"v": v.tolist()}, lambda v: [thing])
    extend = Python(lambda d, v: {**d, "sum": v.sum()}, lambda d, v: [thing])
    read = Python(lambda d: np.float64(len(d)) + np.zeros(()), lambda d: [s.type])
    f = function([x], [extend(make(x), x * 2), read(extend(make(x), x)) + s], givens={s: nt.constant(0.5)})
    d, n = f([1.0, 2.0])
    assert d == {"v": [1.0, 2.0], "sum": 6.0} and n == 2.5
    g = thing("g")
    h = function([g, x], [read(g) + x, g])
    result, back = h({"a": 1}, [1.0])
    assert result.tolist() == [2.0] and back == {"a": 1}
    constant = extend(make(x), x)
    assert function([x], read(extend(constant, x)))([1.0]) == 2.0


class Incomparable:
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("not to be compared")

    __hash__ = None  # type: ignore[assignment]


def test_objects_are_not_compared_whatever_they_are(mode):
    g = Generic()("g")
    make, back = Python(lambda v: [v, Incomparable()], lambda v: [g.type]), Python(lambda t: t, lambda t: [g.type])
    twice = Python(lambda t, v: (Incomparable(), np.asarray(v * 2)), lambda t, v: [g.type, v.type],
                   lambda t, v: [None, v])
    back.debug_perform = back.perform
    f = function([g, x], [back(g), make(x), twice(g, x)[0], nt.exp(twice(g, x)[1])])
    for value in (None, {1}, "s", np.random.default_rng(1), [np.ones(2), np.ones(3)], np.ones(3),
                  np.ones((2, 2), object), Incomparable()):
        result, _, _, z = f(value, [0.0, 1.0])
        assert type(result) is type(value)
        np.testing.assert_allclose(z, np.exp([0.0, 2.0]))
    for value in (None, {1}, "s", np.random.default_rng(1), [np.ones(2)]):
        assert type(function([], shared(value))()) is type(value)


def test_nothing_is_kept_of_a_call(mode):
    class Thing:
        pass

    seen: list[Any] = []

    def make(v: Any) -> Any:
        thing = Thing()
        seen.append(weakref.ref(thing))
        return thing

    thing = Anything()
    f = function([x], Python(lambda t: np.zeros(()), lambda t: [s.type])(Python(make, lambda v: [thing])(x)))
    f([1.0])
    gc.collect()
    assert seen[0]() is None


def test_objects_that_an_op_overwrites_are_copies(mode):
    thing = Anything()

    def append(items: Any) -> Any:
        items.append(1)
        if len(items) > 2:
            raise OverflowError
        return items, np.asarray(float(len(items)))

    op = Python(append, lambda items: [thing, s.type])
    op.destroy_map = {0: [0]}
    state, g = shared([], name="state"), thing("g")
    assert function([], op(state)[1], accept_inplace=True)() == 1.0
    assert state.get_value() == []
    step = function([], op(state)[1], updates=[(state, op(state)[0])], accept_inplace=True)
    assert [float(step()), float(step())] == [1.0, 2.0]
    with pytest.raises(OverflowError):
        step()
    assert state.get_value() == [1, 1]
    given: list[int] = []
    first, n = op(g)
    assert function([g], [n, op(g)[1], first, g], accept_inplace=True)(given) == [1.0, 1.0, [1], []]
    assert given == []


def test_no_returned_object_is_an_input_a_constant_or_another_result(mode):
    thing = Anything()
    same = Python(lambda t: t, lambda t: [thing])
    pair = Python(lambda t: (t, t), lambda t: [thing, thing])
    g, state, constant = thing("g"), shared([1], name="state"), thing.make_constant([2])
    outputs = [same(g), same(state), same(constant), *pair(Python(lambda t: [*t, 3], lambda t: [thing])(g)), g, state]
    f = function([g], outputs)
    given = [0]
    results = f(given)
    assert results == [[0], [1], [2], [0, 3], [0, 3], [0], [1]]
    for result in results:
        result.append("changed")
    assert (given, state.get_value(), constant.data) == ([0], [1], [2]) and len({id(r) for r in results}) == 7


def test_a_call_that_has_failed_keeps_no_arrays(mode):
    seen: list[Any] = []

    def fail(v: Any) -> Any:
        seen.append(weakref.ref(v))
        raise ArithmeticError

    f = function([x], Python(fail)(x + 1))
    gc.disable()
    try:
        try:
            f([1.0])
        except ArithmeticError:
            assert seen[0]() is not None
        assert seen[0]() is None
    finally:
        gc.enable()


def test_no_memory_is_lost_by_calls_that_succeed_or_fail():
    def fail(v: Any) -> Any:
        if v[0] < 0:
            raise ArithmeticError
        return v

    f = function([x], nt.exp(Python(fail)(nt.tanh(x))) * 2)
    nrt.memsys_enable_stats()
    before = rtsys.get_allocation_stats()
    for _ in range(100):
        f(np.ones(9))
        with pytest.raises(ArithmeticError):
            f(-np.ones(9))
    after = rtsys.get_allocation_stats()
    nrt.memsys_disable_stats()
    assert after.alloc - before.alloc == after.free - before.free >= 300


def test_calls_from_many_threads_and_calls_within_calls():
    inner = function([x], double(x) + 1)
    outer = function([x], Python(lambda v: inner(v))(x) * 10)
    wrong: list[Any] = []

    def work(n: int) -> None:
        for i in range(200):
            value = np.full(5, float(n * 1000 + i))
            if not np.array_equal(outer(value), (value * 2 + 1) * 10):
                wrong.append((n, i))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_class_with_its_own_perform_does_not_inherit_a_kernel():
    class Exp2(Elemwise):
        def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
            output_storage[0][0] = 2.0 ** inputs[0]

    assert function([x], Exp2(nbgraph.tensor.exp(x).owner.op.function)(x), mode="FAST_COMPILE")([3.0]).tolist() == [8.0]


PROGRAM = """
import numpy as np, nbgraph, nbgraph.tensor as nt
from nbgraph.graph import Apply, Op
class Twice(Op):
    __props__ = ()
    def make_node(self, x): return Apply(self, [x], [x.type()])
    def perform(self, node, inputs, out): out[0][0] = inputs[0] * {factor}
x = nt.dvector("x")
f = nbgraph.function([x], nt.exp(Twice()(x)) + 1)
print(f.cache_info().hit, f(np.zeros(2)).tolist(), f(np.ones(1)).round(3).tolist())
"""


def test_the_native_part_is_kept_on_disk_whatever_the_python_code_does(tmp_path):
    def run(factor: int) -> str:
        found = subprocess.run([sys.executable, "-c", PROGRAM.format(factor=factor)], capture_output=True, text=True,
                               check=True, env={**os.environ, "NBGRAPH_CACHE_DIR": str(tmp_path)})
        return found.stdout.strip()

    assert run(2) == "False [2.0, 2.0] [8.389]"
    assert run(3) == "True [2.0, 2.0] [21.086]"
