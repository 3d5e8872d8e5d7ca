"""The one driver of all rules: bottom-up, memoised, iterative; FunctionGraph -> FunctionGraph.

    fgraph, firings = apply_rules(fgraph, rules)        the same fgraph object where nothing fires

A node's inputs are in their final form before it is looked at. What a rule gives is itself rewritten until nothing
fires. Equal applications (same Op, same inputs) become one node on the way, equal constants one constant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import is_
from typing import Any

import nbgraph.tensor as nt
from nbgraph.errors import GraphError, NbgraphError
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.source import attributed_to
from nbgraph.graph.verify import can_stand_for
from nbgraph.rewrites.rule import COMMUTATIVE, Key, Rule, key_of
from nbgraph.rewrites.shapes import Shapes, as_scalar
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.shape import Length
from nbgraph.tensor.type import TensorType

# (rule, the user's line of the node it fired on) -> how often
Firings = Counter[tuple[str, str]]

# A result of a result of a ... rule: more than this, and the rules undo each other or grow without end.
GENERATIONS = 100
# maximum(0.0, -0.0) may differ from maximum(-0.0, 0.0): found in both orders, merged only in one.
MERGED_IN_BOTH_ORDERS = COMMUTATIVE - {"maximum", "minimum"}


class Context:
    """What a rule may ask about the graph that is being rewritten.

    Attributes
    ----------
    fgraph : FunctionGraph   as it was when the driver began
    shapes : Shapes          lengths of any variable, without computing it
    """

    def __init__(self, fgraph: FunctionGraph) -> None:
        self.fgraph = fgraph
        self.shapes = Shapes(fgraph)
        self.origin: dict[Variable, Variable] = {}

    def readers(self, variable: Variable) -> list[Apply | None]:
        """Who read the variable as it stood in the graph, None for an output; nobody for what rules made."""
        return [reader for reader, _ in self.fgraph.clients.get(self.origin.get(variable, variable), ())]

    def has_one_reader(self, variable: Variable) -> bool:
        """True where the variable, as it stood in the graph, was read once; False for what rules made."""
        return len(self.readers(variable)) == 1


def apply_rules(fgraph: FunctionGraph, rules: Iterable[Rule],
                settled: Iterable[Rule] = ()) -> tuple[FunctionGraph, Firings]:
    """`fgraph` with `rules` applied until none fires, and how often each fired where.

    `settled` are rules that an earlier run has tried on every node of `fgraph`: only new nodes are tried again.

    Raises
    ------
    GraphError   rules undo each other or grow the graph without end; names them
    """
    driver = Driver(fgraph, tuple(rules), frozenset(settled))
    return driver.run(), driver.firings


def _on_inputs(node: Apply, inputs: list[Any]) -> Apply:
    """The node on other inputs. An Elemwise on inputs of the same Types needs no make_node, which is slow."""
    if not isinstance(node.op, Elemwise) or any(a.type != b.type for a, b in zip(node.inputs, inputs, strict=True)):
        return node.clone_with_new_inputs(inputs, strict=False)
    (old,) = node.outputs
    fresh = Apply(node.op, inputs, [old.type.make_variable(old.name)])
    fresh.outputs[0]._tag = old._tag
    return fresh


class Driver:
    """One run over one graph.

    forward    variable -> what stands for it; chains end at a final form
    fired      (rule, variable, what it gave for it), in order; "merge" for equal nodes
    done       nodes in final form
    opened     replaced nodes whose replacements are not in final form yet, with the rule that replaced each
    table      (Op, inputs) -> outputs of the first node of that kind
    constants  (Type, value) -> the first constant that has it; same_constant says it for each that was met
    """

    def __init__(self, fgraph: FunctionGraph, rules: tuple[Rule, ...], settled: frozenset[Rule]) -> None:
        self.fgraph, self.rules, self.settled = fgraph, rules, settled
        self.context = Context(fgraph)
        self.firings: Firings = Counter()
        self.leaves = set(fgraph.inputs)
        self.original = set(fgraph.nodes)
        self.forward: dict[Variable, Variable] = {}
        self.fired: list[tuple[str, Variable, Variable]] = []
        self.done: set[Apply] = set()
        self.opened: dict[Apply, str] = {}
        self.table: dict[Any, tuple[Variable, ...]] = {}
        self.constants: dict[Any, Variable] = {}
        self.same_constant: dict[Constant, Variable] = {}
        self.history: dict[Apply, tuple[str, ...]] = {}
        self.rules_by_key: dict[tuple[Key, bool], tuple[Rule, ...]] = {}

    def run(self) -> FunctionGraph:
        """The rewritten graph."""
        stack = self._waiting(self.fgraph.outputs)
        while stack:
            node = stack[-1]
            if node in self.done:
                stack.pop()
                continue
            if node in self.opened:
                # Everything that was put on the stack for its replacement is done.
                del self.opened[node]
                self.done.add(node)
                stack.pop()
                continue
            waiting = self._waiting(node.inputs)
            if waiting:
                stack.extend(waiting)
            else:
                self._visit(node, stack)
        return self.fgraph.with_outputs([self._resolve(v) for v in self.fgraph.outputs])

    def _waiting(self, variables: Sequence[Variable]) -> list[Apply]:
        """The owners of `variables` that are not in final form, the first to be looked at last."""
        found = []
        for variable in reversed(variables):
            variable = self._resolve(variable)
            if variable.owner is None or variable in self.leaves or variable.owner in self.done:
                continue
            if variable.owner in self.opened:
                raise self._endless(variable.owner, (self.opened[variable.owner],))
            found.append(variable.owner)
        return found

    def _resolve(self, variable: Variable) -> Variable:
        """What stands for `variable` now; chains are made short on the way."""
        if isinstance(variable, Constant):
            return self._one_constant(variable)
        path = []
        while variable in self.forward:
            path.append(variable)
            variable = self.forward[variable]
        for passed in path[:-1]:
            self.forward[passed] = variable
        return self._one_constant(variable) if isinstance(variable, Constant) else variable

    def _one_constant(self, constant: Constant) -> Variable:
        known = self.same_constant.get(constant)
        if known is None:
            try:
                known = self.constants.setdefault((constant.type, constant.signature()), constant)
            except TypeError:  # a user's Type whose values have no hash: each constant stands for itself
                known = constant
            self.same_constant[constant] = known
        return known

    def _visit(self, node: Apply, stack: list[Apply]) -> None:
        with attributed_to(node.line):
            self._advance(node, stack)

    def _advance(self, node: Apply, stack: list[Apply]) -> None:
        fresh = self._rebuilt(node)
        known = self._merged(fresh)
        if known is not None:
            self._count("merge", node)
            self._note("merge", fresh.outputs, known)
            self._forward_all(fresh.outputs, known)
            self.done |= {node, fresh}
            stack.pop()
            return
        replacement = self._fire(fresh)
        if replacement is None:
            self.done |= {node, fresh}
            stack.pop()
            return
        name, variables = replacement
        self._note_history(fresh, name, variables)
        self._note(name, fresh.outputs, variables)
        self._forward_all(fresh.outputs, variables)
        self.opened[node] = self.opened[fresh] = name
        stack[-1] = fresh
        if fresh is not node:
            del self.opened[node]
            self.done.add(node)
        stack.extend(self._waiting(variables))

    def _rebuilt(self, node: Apply) -> Apply:
        """The node on the final forms of its inputs; itself where they are the same, or would not fit."""
        inputs = [self._resolve(v) for v in node.inputs]
        if all(map(is_, inputs, node.inputs)):
            return node
        try:
            fresh = _on_inputs(node, inputs)
        except NbgraphError:
            # What is now known about the inputs shows that they do not fit. That is an error of the run (which may
            # never come here, behind an ifelse); the node as it stood raises it.
            return node
        if not all(can_stand_for(a.type, b.type) for a, b in zip(node.outputs, fresh.outputs, strict=True)):
            return node
        if node in self.history:
            self.history[fresh] = self.history[node]
        for old, new in zip(node.outputs, fresh.outputs, strict=True):
            self.context.origin[new] = self.context.origin.get(old, old)
        self._forward_all(node.outputs, fresh.outputs)
        return fresh

    def _merged(self, node: Apply) -> tuple[Variable, ...] | None:
        """The outputs of an earlier node that computes the same, or None."""
        inputs: Any = tuple(map(id, node.inputs))
        op: Any = node.op
        if isinstance(op, Elemwise):
            op = op.function
            inputs = tuple(sorted(inputs)) if op.name in MERGED_IN_BOTH_ORDERS else inputs
        known = self.table.setdefault((op, inputs), node.outputs)
        if known is node.outputs or [v.type for v in known] != [v.type for v in node.outputs]:
            return None
        if known[0].owner in self.opened:
            raise self._endless(known[0].owner, (self.opened[known[0].owner],))
        return known

    def _forward_all(self, olds: Sequence[Variable], news: Sequence[Variable]) -> None:
        for old, new in zip(olds, news, strict=True):
            if old is not new and old not in self.leaves:
                self.forward[old] = new

    def _note(self, name: str, olds: Sequence[Variable], news: Sequence[Variable]) -> None:
        self.fired += [(name, old, new) for old, new in zip(olds, news, strict=True) if old is not new]

    def _fire(self, node: Apply) -> tuple[str, list[Variable]] | None:
        """The first rule that fires, and a fitting variable for every output; None where none does."""
        for candidate in self._candidates(node):
            given = candidate.attempt(node, self.context)
            if given is None:
                continue
            fitted = [self._fitted(old, new) for old, new in zip(node.outputs, given, strict=True)]
            if None in fitted or all(map(is_, node.outputs, fitted)):
                continue
            self._count(candidate.name, node)
            return candidate.name, fitted  # type: ignore[return-value]
        return None

    def _candidates(self, node: Apply) -> tuple[Rule, ...]:
        key, old = key_of(node.op), node in self.original
        if (key, old) not in self.rules_by_key:
            known_as = {key, *type(node.op).__mro__}
            self.rules_by_key[key, old] = tuple(r for r in self.rules if not (old and r in self.settled)
                                                and (not r.keys or not known_as.isdisjoint(r.keys)))
        return self.rules_by_key[key, old]

    def _fitted(self, old: Variable, new: Variable) -> Variable | None:
        """`new`, repeated to the shape of `old` if it is smaller; None where it cannot stand for `old`."""
        if can_stand_for(old.type, new.type):
            return new
        if not isinstance(old.type, TensorType) or not isinstance(new.type, TensorType):
            return None
        if old.type.dtype != new.type.dtype or new.type.ndim > old.type.ndim:
            return None
        lengths = self.context.shapes.of(old)
        if any(isinstance(n, Variable) and n.owner is not None and isinstance(n.owner.op, Length)
               and n.owner.inputs[0] is old for n in lengths):
            return None
        try:
            wide = nt.broadcast_to(new, tuple(as_scalar(n) for n in lengths))
        except NbgraphError:  # a known length of the right side is not that of the left one
            return None
        return wide if can_stand_for(old.type, wide.type) else None

    def _count(self, name: str, node: Apply) -> None:
        self.firings[name, "" if node.line is None else str(node.line)] += 1

    def _note_history(self, node: Apply, name: str, variables: Sequence[Variable]) -> None:
        """New nodes descend from `node` and take over its names; too long a line of descent is an error."""
        rules = (*self.history.get(node, ()), name)
        if len(rules) > GENERATIONS:
            raise self._endless(node, rules[-6:])
        for old, new in zip(node.outputs, variables, strict=True):
            if new.name is None and new.owner is not None and self._is_new(new.owner):
                new.name = old.name
        pending = [v.owner for v in variables if v.owner is not None]
        while pending:
            made = pending.pop()
            if not self._is_new(made) or made in self.history:
                continue
            self.history[made] = rules
            pending.extend(v.owner for v in made.inputs if v.owner is not None and v not in self.leaves)

    def _is_new(self, node: Apply) -> bool:
        return node not in self.done and node not in self.original and node not in self.opened

    def _endless(self, node: Apply, rules: Sequence[str]) -> GraphError:
        names = ", ".join(dict.fromkeys(rules))
        return GraphError(node.op, f"rewriting does not end: the rules {names} make what they replace",
                          line=node.line, fix="one of these rules must not match what the others give")
