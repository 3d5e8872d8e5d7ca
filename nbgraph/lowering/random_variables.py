"""Random variables into draws from states that are arrays, where there are kernels; the others are left to Python.

A chain is everything that draws from one generator among the inputs, each from the state that the one before leaves.
It is native as a whole or not at all: a state is never handed from native code to Python within a call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import nbgraph.tensor as nt
from nbgraph.dispatch.random import whole
from nbgraph.dispatch.random.distributions import Condition, Native, native
from nbgraph.dispatch.random.domains import Domain
from nbgraph.dispatch.random.states import WORDS
from nbgraph.graph.basic import Apply, Variable
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.op import known_class
from nbgraph.graph.replace import rebuild
from nbgraph.graph.source import attributed_to
from nbgraph.lowering.draws import Allowed, Drawing, Fitted, Origin, words_of
from nbgraph.lowering.states import States
from nbgraph.rewrites.shapes import Shapes
from nbgraph.tensor.random.op import RandomVariable
from nbgraph.tensor.random.type import RandomType
from nbgraph.tensor.scalar_function import ScalarFunction
from nbgraph.tensor.shape import as_length


def with_native_draws(fgraph: FunctionGraph, kinds: Sequence[str | None]) -> tuple[
        FunctionGraph, dict[Variable, Variable], States]:
    """The same graph with draws of native code, what stands for variables that are not there any more, the states.

    kinds : for each input the bit generator that it is to have; one that nbgraph does not know is left to Python
    """
    chains = {i: chain for i, (v, kind) in enumerate(zip(fgraph.inputs, kinds, strict=True))
              if kind in WORDS and isinstance(v.type, RandomType) and (chain := _chain(fgraph, v)) is not None}
    if not chains:
        return fgraph, {}, States()
    chosen = {i: str(kinds[i]) for i in chains}
    drawn = {node: i for i, chain in chains.items() for node in chain}
    conversion = _Conversion(fgraph, chosen, drawn)
    left = {fgraph.inputs[i]: i for i in chains} | {node.outputs[0]: i for node, i in drawn.items()}
    outputs = {k: left[v] for k, v in enumerate(fgraph.outputs) if v in left}
    return conversion.done(), conversion.forward, States(chosen, outputs)


def _chain(fgraph: FunctionGraph, state: Variable) -> list[Apply] | None:
    """The nodes that draw from a generator; None where there are none, or one of them is left to Python."""
    found: list[Apply] = []
    pending = [state]
    while pending:
        v = pending.pop()
        for node, position in fgraph.clients[v]:
            if node is None:
                continue
            if position != 0 or not has_native_draws(node):
                return None
            found.append(node)
            pending.append(node.outputs[0])
    return found or None


def has_native_draws(node: Apply) -> bool:
    """True for a random variable that native code draws."""
    return isinstance(node.op, RandomVariable) and (native(node) is not None or _maker(node.op) is not None)


def _maker(op: RandomVariable) -> Callable[..., Any] | None:
    cls = known_class(type(op), whole.MAKERS)
    return None if cls is None else whole.MAKERS[cls]


class _Conversion:
    """One graph on its way; `drawn` are the nodes to convert, with the position of the input whose chain it is."""

    def __init__(self, fgraph: FunctionGraph, kinds: dict[int, str], drawn: dict[Apply, int]) -> None:
        self.fgraph, self.kinds, self.drawn = fgraph, kinds, drawn
        self.shapes = Shapes(fgraph)
        self.forward: dict[Variable, Variable] = {}
        for i, kind in kinds.items():
            v = fgraph.inputs[i]
            self.forward[v] = words_of(kind)(v.name or "rng")

    def done(self) -> FunctionGraph:
        """All of it."""
        for node in self.fgraph.nodes:
            if node in self.drawn:
                with attributed_to(node.line):
                    self._convert(node)
            elif any(v in self.forward for v in node.inputs):
                fresh = node.clone_with_new_inputs([self.forward.get(v, v) for v in node.inputs], strict=False)
                self.forward.update(zip(node.outputs, fresh.outputs, strict=True))
        return FunctionGraph([self.forward.get(v, v) for v in self.fgraph.inputs],
                             [self.forward.get(v, v) for v in self.fgraph.outputs])

    def _convert(self, node: Apply) -> None:
        drawing = _Drawn(self, node)
        found = native(node)
        maker = _maker(node.op)
        if found is not None:
            draws = drawing.numbers(found)
        else:
            assert maker is not None, "only what has_native_draws is converted"
            draws = maker(drawing)
        draws.name, draws.line = node.outputs[1].name, node.outputs[1].line
        self.forward[node.outputs[0]], self.forward[node.outputs[1]] = drawing.state, draws


class _Drawn:
    """A random variable that is being made of draws.

    Attributes
    ----------
    node : Apply          as the user wrote it;  op : its Op
    state : Variable      after the draws so far
    params : list         the parameters, in the new graph
    lengths : list        of the result: constants and int64 scalars
    sized : bool          a size was given
    """

    def __init__(self, conversion: _Conversion, node: Apply) -> None:
        forward = conversion.forward
        self.node, self.op, self.state = node, node.op, forward[node.inputs[0]]
        self.params = [forward.get(v, v) for v in node.inputs[3:]]
        lengths = [as_length(n) for n in conversion.shapes.of(node.outputs[1])]
        self.lengths: list[Any] = rebuild(lengths, forward)
        self.sized = bool(node.inputs[1].type.shape[0])
        self.kind = conversion.kinds[conversion.drawn[node]]
        self.dtype = node.outputs[1].type.dtype

    @property
    def batch(self) -> list[Any]:
        """The lengths of all draws, without the axes of each."""
        return self.lengths[:len(self.lengths) - self.op.ndim_supp]

    def fitted(self) -> list[Any]:
        """The parameters of a distribution of vectors, whose lengths are looked at before they are broadcast."""
        support = self.op.ndims_params
        op = Fitted(Origin(self.node, self.op, len(self.params), self.sized), support, len(self.batch))
        size = self.batch if self.sized else ()
        made = []
        for p, k in zip(self.params, support, strict=True):
            node = op.make_node(p, *self.params, *size)
            node.line = self.node.line
            made.append(node.outputs[0] if p.type.ndim > k else p)
        return made

    def numbers(self, found: Native, op: RandomVariable | None = None, params: Sequence[Any] | None = None,
                arguments: Sequence[Any] = (), conditions: Sequence[tuple[Any, Condition]] = (),
                dtype: str | None = None, names: Sequence[str] = (), lengths: Sequence[Any] | None = None,
                fits: Sequence[Any] = (), spread: bool = False) -> Any:
        """A number for each place.

        Parameters
        ----------
        op, params, names : what computes the same in NumPy, where that is not the node itself
        arguments : what the kernel takes instead of the parameters
        conditions : (elementwise, what is raised), after those of the domain
        dtype, lengths : of the result
        fits : what must fit together, where that is not `params`
        spread : `op` must be told how many draws there are
        """
        names = names or [p.name for p in (op or self.op).parameters]
        params = self.params if params is None else params
        if found.casts:
            arguments = [nt.cast(p, found.casts) for p in (arguments or params)]
        tests = [*(self.allowed(domain, dict(zip(names, params, strict=False))) for domain in found.domain),
                 *conditions]
        return self.draw(op, params, arguments, tests,
                         self.lengths if lengths is None else lengths, kernel=found.kernel, gives=found.dtype,
                         dtype=dtype or self.dtype, around=found.around, fits=fits,
                         spread=spread or bool(fits))

    def draw(self, op: RandomVariable | None, params: Sequence[Any], arguments: Sequence[Any],
             tests: Sequence[tuple[Any, Condition]], lengths: Sequence[Any], support: int = 0,
             scratch: Sequence[tuple[str, Sequence[Any]]] = (), fits: Sequence[Any] = (), spread: bool = False,
             **what: Any) -> Any:
        """One Drawing; the state is the one after it. For options see there, and at `numbers`."""
        known = [(whole.folded(nt.all(test) if test.type.ndim else test), condition) for test, condition in tests]
        unknown = [(test, condition) for test, condition in known if not whole.always(test)]
        origin = Origin(self.node, op or self.op, len(params), self.sized, spread, support)
        made = Drawing(origin, self.kind, ndim=len(lengths), taken=len(arguments), fits=len(fits),
                       scratch=tuple((dtype, len(dims)) for dtype, dims in scratch),
                       conditions=[condition for _, condition in unknown], **what)
        rooms = [whole.folded(as_length(n)) for _, dims in scratch for n in dims]
        node = made.make_node(self.state, *map(whole.folded, lengths), *params, *map(whole.folded, arguments),
                              *rooms, *fits, *(test for test, _ in unknown))
        node.line = self.node.line
        for v in node.outputs:
            v.line = node.line
        self.state, draws = node.outputs
        return draws

    def allowed(self, domain: Domain, params: dict[str, Any]) -> tuple[Any, Condition]:
        """Whether each element is in the domain."""
        chosen = [params[name] for name in domain.parameters]
        op = Allowed(_row(domain))
        op.origin = Origin(self.node, self.op, len(chosen), self.sized)
        return op(*chosen), Condition(domain.message, domain.error)


@lru_cache(maxsize=256)
def _row(domain: Domain) -> ScalarFunction:
    """The predicate of a domain as a function of tensors."""
    holds = domain.holds
    name = f"{holds.__module__}.{holds.__name__}"
    return ScalarFunction(holds.__name__, len(domain.parameters), holds, lambda *kinds: (*kinds, "bool"),
                          holds.__doc__ or "", name)
