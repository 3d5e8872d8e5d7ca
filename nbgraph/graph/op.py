"""Op: what is applied. The contract for our own Ops and for users' Ops alike.

A subclass defines `make_node` (types the application) and `perform` (computes it with NumPy: the oracle), and lists
its parameters in `__props__`, from which equality, hash and str follow. `grad`, `infer_shape`, `connection_pattern`,
`R_op`, `flops`, `do_constant_folding` and `debug_perform` are optional.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from threading import RLock
from typing import Any, ClassVar

from nbgraph.graph.basic import Apply, Variable
from nbgraph.graph.source import user_line

_OURS = __name__.split(".")[0] + "."


class Op:
    """Base of all Ops.

    Attributes
    ----------
    __props__ : tuple[str, ...]    names of the attributes that decide what is computed
    default_output : int or None   which output `__call__` returns; None: the only one, or the list of all
    view_map : {output: [input]}   outputs that alias an input when performed
    destroy_map : {output: [input]}  inputs that perform overwrites
    computed_by : tuple of str     methods that say what is computed: a subclass with one of its own inherits no kernel
    uses_up : tuple of int         inputs that no other node of a function may use up too, as the state of a generator
    purpose : optional             what the Op was made for, which its errors tell; decides nothing that is computed
    """

    __props__: ClassVar[tuple[str, ...] | None] = None
    default_output: int | None = None
    purpose: Any = None
    computed_by: ClassVar[tuple[str, ...]] = ("perform", "make_thunk")
    uses_up: tuple[int, ...] = ()
    view_map: dict[int, list[int]] = {}  # noqa: RUF012 - the contract's spelling; subclasses assign, never mutate
    destroy_map: dict[int, list[int]] = {}  # noqa: RUF012

    def make_node(self, *inputs: Any) -> Apply:
        """Type the application of this Op to `inputs`."""
        raise NotImplementedError(f"{type(self).__name__} must define make_node")

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        """Compute with NumPy: put the value of output i in `output_storage[i][0]`."""
        raise NotImplementedError(f"{type(self).__name__} defines no perform")

    def __call__(self, *inputs: Any, name: str | None = None, return_list: bool = False, **kwargs: Any) -> Any:
        node = self.make_node(*inputs, **kwargs)
        if not type(self).__module__.startswith(_OURS):
            # The Apply was made in the make_node of a user's Op; what matters is where that Op is applied.
            node.line = user_line()
            for output in node.outputs:
                output.line = node.line
        if name is not None and len(node.outputs) == 1:
            node.outputs[0].name = name
        if self.default_output is not None:
            chosen = node.outputs[self.default_output]
            return [chosen] if return_list else chosen
        if len(node.outputs) == 1 and not return_list:
            return node.outputs[0]
        return list(node.outputs)

    def do_constant_folding(self, fgraph: Any, node: Apply) -> bool:
        """True where an application to constants may be computed when the function is compiled."""
        return True

    # grad, L_op, R_op, support, infer_shape, connection_pattern, make_thunk, flops, debug_perform and expression are
    # looked up by `hasattr`: the contract gives a meaning to their absence, so the base class does not define them.

    def _key(self) -> tuple[Any, ...]:
        assert self.__props__ is not None
        return tuple(getattr(self, prop) for prop in self.__props__)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if self.__props__ is None or type(self) is not type(other):
            return False
        assert isinstance(other, Op)
        return self._key() == other._key()

    def __hash__(self) -> int:
        return object.__hash__(self) if self.__props__ is None else hash((type(self), self._key()))

    def __str__(self) -> str:
        name = type(self).__name__
        if not self.__props__:
            return name
        return f"{name}{{{', '.join(f'{p}={v}' for p, v in zip(self.__props__, self._key(), strict=True))}}}"

    def __repr__(self) -> str:
        return str(self)


class HasInnerGraph(Op):
    """An Op that computes what a graph computes, which rewriting may put in its place.

    Attributes
    ----------
    fgraph : FunctionGraph   its inputs and outputs are those of the Op, in their order
    inline : bool            its graph stands for it from the start of rewriting, else when all passes have run
    """

    fgraph: Any
    inline: bool = False


def known_class(op_type: type[Op], known: Container[type]) -> type[Op] | None:
    """Which of the `known` classes says how `op_type` is computed: itself, or a base whose computation it keeps."""
    for cls in op_type.__mro__:
        if cls in known:
            return cls
        if not vars(cls).keys().isdisjoint(op_type.computed_by):
            return None
    return None


def has_gradient(op: Op) -> bool:
    """True where the Op defines `grad` or `L_op`."""
    return hasattr(op, "grad") or hasattr(op, "L_op")


def gradients_of(node: Apply, output_gradients: Sequence[Any]) -> Any:
    """What `L_op(inputs, outputs, output_gradients)` gives, or `grad(inputs, output_gradients)` without it.

    Of a class and its bases the one that comes first decides: a subclass that defines `grad` alone is asked for that.
    """
    op: Any = node.op
    by = next((cls for cls in type(op).__mro__ if not {"grad", "L_op"}.isdisjoint(vars(cls))), Op)
    if "L_op" in vars(by):
        return op.L_op(list(node.inputs), list(node.outputs), list(output_gradients))
    return op.grad(list(node.inputs), list(output_gradients))


def connection_pattern(node: Apply) -> list[list[bool]]:
    """pattern[i][j]: input i affects the elements of output j; all True where the Op says nothing."""
    if hasattr(node.op, "connection_pattern"):
        pattern = node.op.connection_pattern(node)
        if len(pattern) != len(node.inputs) or any(len(row) != len(node.outputs) for row in pattern):
            raise ValueError(f"{node.op}.connection_pattern must be {len(node.inputs)} lists of "
                             f"{len(node.outputs)} booleans, got {pattern}")
        return pattern
    return [[True] * len(node.outputs) for _ in node.inputs]


def perform(node: Apply, inputs: Sequence[Any]) -> list[Any]:
    """The outputs of `node` for these input values, by the Op's `perform`, or its thunk where it has only that.

    Raises
    ------
    NotImplementedError   the Op has neither
    RuntimeError          the thunk has left an output without a value
    """
    if type(node.op).perform is Op.perform and hasattr(node.op, "make_thunk"):
        return _thunk_of(node)(inputs)
    storage: list[list[Any]] = [[None] for _ in node.outputs]
    node.op.perform(node, list(inputs), storage)
    return [cell[0] for cell in storage]


class _Thunk:
    """What the `make_thunk` of an Op gives for a node, as a function of values: one call after the other."""

    def __init__(self, node: Apply) -> None:
        op: Any = node.op
        self.storage: dict[Variable, list[Any]] = {v: [None] for v in (*node.inputs, *node.outputs)}
        self.computed: dict[Variable, list[Any]] = {v: [v in node.inputs] for v in self.storage}
        self.inputs, self.outputs, self.name = node.inputs, node.outputs, str(op)
        self.lock = RLock()
        self.thunk = op.make_thunk(node, self.storage, self.computed, [], impl=None)

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        with self.lock:
            for v, value in zip(self.inputs, values, strict=True):
                self.storage[v][0] = value
            for v in self.outputs:
                self.storage[v][0], self.computed[v][0] = None, False
            try:
                self.thunk()
                for k, v in enumerate(self.outputs):
                    if not self.computed[v][0]:
                        raise RuntimeError(f"the thunk of {self.name} does not say in compute_map that it has computed "
                                           f"output {k}")
                return [self.storage[v][0] for v in self.outputs]
            finally:
                for cell in self.storage.values():
                    cell[0] = None


def _thunk_of(node: Apply) -> _Thunk:
    thunk: _Thunk | None = getattr(node, "thunk", None)
    if thunk is None:
        thunk = node.thunk = _Thunk(node)
    return thunk


__all__ = ["HasInnerGraph", "Op", "Variable", "connection_pattern", "gradients_of", "has_gradient", "known_class",
           "perform"]
