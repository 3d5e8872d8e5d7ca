"""Walks over a graph, all of them iterative: a chain of 100,000 nodes is an ordinary graph."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from typing import TypeVar

from nbgraph.graph.basic import Apply, Constant, Variable

T = TypeVar("T")


def toposort(outputs: Iterable[Variable], stop: Collection[Variable] = (),
             also: Callable[[Apply], Iterable[Variable]] = lambda node: (),
             barrier: Container[int] | None = None) -> list[Apply]:
    """Apply nodes that `outputs` need, each after the nodes it depends on; `stop` variables are leaves.

    `also` names further variables that must come before a node; `barrier`, in place of `stop`, has the ids of leaves.
    Deterministic: depth first, inputs from left to right.
    """
    barrier = {id(v) for v in stop} if barrier is None else barrier
    done: set[int] = set()
    order: list[Apply] = []
    stack = [v.owner for v in reversed(list(outputs)) if v.owner is not None and id(v) not in barrier]
    while stack:
        node = stack[-1]
        if id(node) in done:
            stack.pop()
            continue
        waiting = [v.owner for v in (*node.inputs, *also(node))
                   if v.owner is not None and id(v) not in barrier and id(v.owner) not in done]
        if waiting:
            stack.extend(reversed(waiting))
        else:
            done.add(id(node))
            order.append(node)
            stack.pop()
    return order


def io_toposort(inputs: Iterable[Variable], outputs: Iterable[Variable]) -> list[Apply]:
    """Apply nodes between `inputs` and `outputs` in an order of computation."""
    return toposort(outputs, stop=list(inputs))


def walk(nodes: Iterable[T], expand: Callable[[T], Iterable[T] | None], bfs: bool = True) -> Iterator[T]:
    """Every node reachable by `expand`, once."""
    pending = list(nodes)
    seen: set[int] = set()
    position = 0
    while position < len(pending) if bfs else pending:
        node = pending[position] if bfs else pending.pop()
        position += bfs
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        pending.extend(expand(node) or ())


def ancestors(outputs: Iterable[Variable], blockers: Collection[Variable] = ()) -> list[Variable]:
    """All variables that `outputs` depend on, the outputs among them; does not look behind `blockers`."""
    barrier = {id(v) for v in blockers}

    def inputs_of(variable: Variable) -> Sequence[Variable]:
        return variable.owner.inputs if variable.owner is not None and id(variable) not in barrier else ()

    return list(walk(outputs, inputs_of, bfs=False))


def graph_inputs(outputs: Iterable[Variable], blockers: Collection[Variable] = ()) -> list[Variable]:
    """The leaves that `outputs` depend on, constants among them."""
    barrier = {id(v) for v in blockers}
    return [v for v in ancestors(outputs, blockers) if v.owner is None or id(v) in barrier]


def explicit_graph_inputs(outputs: Iterable[Variable]) -> list[Variable]:
    """The leaves that need a value from the caller: neither constants nor shared."""
    return [v for v in graph_inputs(outputs) if not isinstance(v, Constant) and not hasattr(v, "container")]
