"""vectorize_graph: the same computation for a whole batch, and the registry of rules that say how.

    z = nt.dot(a, x)      x: float64[?]
    vectorize_graph(z, {x: xs})      xs: float64[?, ?]      float64[?, ?]: a row for each row of xs

Batch axes stand in front of an Op's own axes. A rule, registered with `@batches(Op)`, makes of a node and of inputs
that have batch axes the outputs that have them; `unbatched(Op, reason)` says why there can be none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import nbgraph.tensor as nt
from nbgraph.errors import BatchError, DTypeError, GraphError, ShapeError
from nbgraph.graph.basic import Apply, Variable
from nbgraph.graph.op import Op, known_class
from nbgraph.graph.replace import Replacements, pairs_of
from nbgraph.graph.source import attributed_to, user_line
from nbgraph.graph.traversal import toposort
from nbgraph.tensor.type import TensorType


class Batch:
    """A node, and what stands for its inputs in the batched graph.

    Attributes
    ----------
    node : Apply          of the graph without batch axes
    inputs : list         what stands for each of its inputs: batch axes first, then the axes that the input has
    counts : list[int]    the number of batch axes of each; they are broadcast from the last one on, as in NumPy
    count : int           the largest of these: the number of batch axes of the outputs
    """

    def __init__(self, node: Apply, inputs: Sequence[Any]) -> None:
        self.node, self.inputs = node, list(inputs)
        self.op: Any = node.op
        self.counts = [_rank(new) - _rank(old) for old, new in zip(node.inputs, inputs, strict=True)]
        self.count = max(self.counts, default=0)

    def core(self, place: int) -> int:
        """How many axes the input has without batch axes."""
        return _rank(self.node.inputs[place])

    def padded(self, place: int, core: int) -> Any:
        """The input with `core` axes after its batch axes: new ones of length 1 stand between both."""
        x, count = self.inputs[place], self.counts[place]
        extra = core - self.core(place) if count else 0
        return nt.dimshuffle(x, *range(count), *["x"] * extra, *range(count, x.type.ndim))

    def aligned(self, place: int, core: int | None = None) -> Any:
        """The input with as many batch axes as the outputs, new ones of length 1 in front, and with `core` axes."""
        wanted = self.core(place) if core is None else core
        x, count = self.inputs[place], self.counts[place]
        return nt.dimshuffle(x, *["x"] * (self.count - count), *range(count), *["x"] * (wanted - self.core(place)),
                             *range(count, x.type.ndim))

    @cached_property
    def lengths(self) -> list[Any]:
        """The lengths of the batch axes of the outputs, as int64 scalars."""
        return [nt.lengths_of(self.inputs[place])[axis] for place, axis in self._deciding]

    @cached_property
    def _deciding(self) -> list[tuple[int, int]]:
        return deciding_axes(self.inputs, self.counts)

    def spread(self, place: int) -> Any:
        """The input with all batch axes in their full lengths: repeated, checked at run time."""
        if self._deciding == [(place, axis) for axis in range(self.count)]:
            return self.inputs[place]
        x = self.aligned(place)
        return nt.broadcast_to(x, (*self.lengths, *nt.lengths_of(x)[self.count:]))

    def refuse(self, places: Sequence[int], why: str) -> None:
        """BatchError where one of these inputs has batch axes."""
        bad = [place for place in places if self.counts[place]]
        if bad:
            raise BatchError(self.op, f"cannot be computed for a batch: {why}", line=self.node.line,
                             **{f"x{place}": self.node.inputs[place] for place in bad},
                             fix="compute it from what has no batch axes, or loop over the batch")


def deciding_axes(tensors: Sequence[Any], counts: Sequence[int]) -> list[tuple[int, int]]:
    """Which (tensor, axis) has the length of each batch axis that `counts` leading axes of `tensors` broadcast to.

    One whose length is known if there is one, one of length 1 only where all are.
    """
    found = []
    for behind in range(max(counts, default=0), 0, -1):
        having = [(place, count - behind) for place, count in enumerate(counts) if count >= behind]
        lengths = {pair: tensors[pair[0]].type.shape[pair[1]] for pair in having}
        found.append(min(having, key=lambda pair: (lengths[pair] == 1, lengths[pair] is None)))
    return found


Batching = Callable[[Batch], Sequence[Any]]
_RULES: dict[type, Batching] = {}
UNBATCHED: dict[type, str] = {}


def batches(*ops: type[Op]) -> Callable[[Batching], Batching]:
    """Register a rule for Op classes: a function of a Batch that gives the batched outputs.

    Each output has `batch.count` axes in front of those that the node's output has, in the order of the inputs'.

    Examples
    --------
    >>> import nbgraph.tensor as nt
    >>> class Doubled(nt.Elemwise):
    ...     '''An Op of one input, element by element.'''
    >>> @batches(Doubled)
    ... def doubled(batch):
    ...     return [batch.op(batch.inputs[0])]
    """
    def register(found: Batching) -> Batching:
        for op in ops:
            _RULES[op] = found
        return found
    return register


def unbatched(op: type[Op], reason: str) -> None:
    """Say why an Op has no rule; its nodes may stand in a batched graph where their inputs have no batch axes."""
    UNBATCHED[op] = reason


def rule_of(op: type[Op]) -> Batching | None:
    """The rule of a class, or of a base class whose computation it keeps."""
    cls = known_class(op, _RULES)
    return None if cls is None else _RULES[cls]


def vectorize_graph(outputs: Any, replace: Replacements) -> Any:
    """`outputs` for a batch: each key of `replace` is exchanged for a variable that may have further axes in front.

    All that is computed from the keys gets these axes, in front of its own: element b of a result is what the graph
    gives for element b of the new variables. Batch axes broadcast as in NumPy, from the last one on; what has none is
    the same for the whole batch.

    Parameters
    ----------
    outputs : variable, or a list of them
    replace : dict or pairs    variable -> variable of the same dtype, of the batch axes and then the axes of the key

    Returns
    -------
    A variable for a variable, a list for a list; an output that depends on no key is given back as it is.

    Raises
    ------
    DTypeError   a new variable of another dtype
    ShapeError   a new variable with fewer axes than its key, or another known length; at run time: batch axes of
                 different lengths (a length broadcasts only where it is known to be 1 when the graph is built)
    BatchError   an Op without a rule, or one whose results for the elements of a batch have different shapes

    Examples
    --------
    >>> import nbgraph.tensor as nt
    >>> x, xs = nt.dvector("x"), nt.dmatrix("xs")
    >>> vectorize_graph(nt.sum(x * x), {x: xs}).type
    TensorType(float64, shape=(None,))
    """
    listed = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    mapping: dict[Variable, Any] = {old: _conformed(old, new) for old, new in pairs_of(replace).items()}
    for node in toposort(listed, stop=list(mapping)):
        inputs = [mapping.get(v, v) for v in node.inputs]
        if all(old is new for old, new in zip(node.inputs, inputs, strict=True)):
            continue
        with attributed_to(node.line):
            for old, new in zip(node.outputs, _batched(node, inputs), strict=True):
                mapping.setdefault(old, new)
    found = [mapping.get(v, v) for v in listed]
    return found if isinstance(outputs, (list, tuple)) else found[0]


def _batched(node: Apply, inputs: Sequence[Any]) -> Sequence[Any]:
    batch = Batch(node, inputs)
    if not batch.count:
        return node.clone_with_new_inputs(inputs, strict=False).outputs
    rule = rule_of(type(node.op))
    if rule is None:
        reason = next((UNBATCHED[cls] for cls in type(node.op).__mro__ if cls in UNBATCHED), None)
        fix = (f"register a rule with @nbgraph.tensor.batching.batches({type(node.op).__name__})" if reason is None
               else "compute it from what has no batch axes, or loop over the batch")
        raise BatchError(node.op, f"cannot be computed for a batch: {reason or 'it has no rule for batch axes'}",
                         line=node.line, **{f"x{i}": v for i, v in enumerate(node.inputs)}, fix=fix)
    found = list(rule(batch))
    if len(found) != len(node.outputs):
        raise GraphError(node.op, f"its rule for batch axes gave {len(found)} outputs, it has {len(node.outputs)}",
                         line=node.line, fix="return a list of a variable for each output")
    return [_checked(node, old, new) for old, new in zip(node.outputs, found, strict=True)]


def _checked(node: Apply, old: Any, new: Any) -> Any:
    """`new`, which has the dtype of `old`, and is known to have length 1 where `old` is: it broadcasts alike."""
    if not isinstance(old.type, TensorType):
        return new
    if new.type.dtype != old.type.dtype or new.type.ndim < old.type.ndim:
        raise GraphError(node.op, f"its rule for batch axes gave {new.type} for {old.type}", line=node.line, given=new,
                         fix="give the same dtype, with batch axes in front of the axes of the output")
    count = new.type.ndim - old.type.ndim
    return nt.specify_shape(new, [None] * count + [1 if n == 1 else None for n in old.type.shape])


def _conformed(old: Any, new: Any) -> Any:
    """A replacement whose last axes are known to have the lengths that the key is known to have."""
    if not isinstance(old.type, TensorType) or not isinstance(new.type, TensorType):
        if not old.type.is_super(new.type):
            raise DTypeError("vectorize_graph", f"cannot replace {old} of type {old.type} by {new} of type {new.type}",
                             line=user_line(), key=old, replacement=new, fix="only tensors can have batch axes")
        return new
    if old.type.dtype != new.type.dtype:
        raise DTypeError("vectorize_graph", f"cannot replace {old} of dtype {old.type.dtype} by {new} of dtype "
                         f"{new.type.dtype}", line=user_line(), key=old, replacement=new,
                         fix=f"cast it with .astype({old.type.dtype!r})")
    count = new.type.ndim - old.type.ndim
    lengths = [] if count < 0 else new.type.shape[count:]
    if count < 0 or any(n is not None and m is not None and n != m
                        for n, m in zip(old.type.shape, lengths, strict=True)):
        raise ShapeError("vectorize_graph", f"cannot replace {old} of type {old.type} by {new} of type {new.type}",
                         line=user_line(), key=old, replacement=new,
                         fix="put batch axes in front of the axes of the key")
    wanted = [n if m is None else None for n, m in zip(old.type.shape, lengths, strict=True)]
    return nt.specify_shape(new, [None] * count + wanted)


def _rank(variable: Any) -> int:
    return variable.type.ndim if isinstance(variable.type, TensorType) else 0
