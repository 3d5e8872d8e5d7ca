"""Stage 2, collect: inputs, outputs, updates and givens become one FunctionGraph whose inputs and outputs have roles.

    collect([x], z, updates=[(w, w - g)])    graph (x, w) -> (z, w - g);  slots: x argument, w shared and updated

Slots are the inputs in the order: arguments, implicit inputs, shared variables that are read, those only written.
Outputs are the user's, then the new values of updated slots in the order of the slots.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import nbgraph.tensor as nt
from nbgraph.compile.conform import conform, given_pairs
from nbgraph.compile.container import Container, operand
from nbgraph.compile.io import In, Out, as_input
from nbgraph.compile.shared import SharedVariable
from nbgraph.errors import ArgumentError, DTypeError, GraphError
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.names import user_names
from nbgraph.graph.replace import rebuild
from nbgraph.graph.source import user_line
from nbgraph.graph.traversal import toposort
from nbgraph.graph.verify import can_stand_for


@dataclass(frozen=True)
class Slot:
    """An input of the graph, or a shared variable that is only written.

    Attributes
    ----------
    variable : Variable
    name : str, None, or any key that the user chose
    role : "argument", "implicit" or "shared"
    spec : In or None          None for shared variables
    position : int or None     place in the user's list of inputs
    read : bool                False: only written, no input of the graph
    update : int or None       which output of the graph is the next value
    """

    variable: Variable
    name: Any
    role: str
    spec: In | None
    position: int | None
    read: bool
    update: int | None


@dataclass(frozen=True)
class Collected:
    """A graph and the roles of its inputs and outputs.

    Attributes
    ----------
    fgraph : FunctionGraph
    slots : tuple of Slot
    inputs, outputs : tuple of In, of Out     as the user gave them
    form : "none", "single", "list" or "dict" what a call returns
    keys : tuple                              the keys of a dict of outputs
    """

    fgraph: FunctionGraph
    slots: tuple[Slot, ...]
    inputs: tuple[In, ...]
    outputs: tuple[Out, ...]
    form: str
    keys: tuple[Any, ...]

    @property
    def arguments(self) -> tuple[Slot, ...]:
        """The slots that a call may give values to, in the order of its positional arguments."""
        return tuple(slot for slot in self.slots if slot.role == "argument")

    def names(self) -> dict[Variable, str]:
        """What the user calls the variables of the graph."""
        return user_names(self.fgraph.nodes)

    def output_names(self) -> list[str | None]:
        """What the user calls each output of the graph, None without a name; the new value of w is w_next."""
        known = self.names()
        names = [known.get(v, v.name) for v in self.fgraph.outputs]
        for slot in self.slots:
            kind = slot.variable.type
            name = slot.name or slot.variable.name or ("rng" if hasattr(kind, "bit_generator") else None)
            if slot.update is not None and name is not None:
                names[slot.update] = f"{name}_next"
        return names

    def __str__(self) -> str:
        parts = [", ".join(str(s.name or s.variable) for s in self.slots if (s.role == "argument") is chosen)
                 for chosen in (True, False)]
        changed = ", ".join(str(s.name or s.variable) for s in self.slots if s.update is not None)
        names = zip(self.output_names(), self.fgraph.outputs, strict=True)
        given = ", ".join([name or str(v) for name, v in names][:len(self.outputs)])
        return f"({'; '.join(filter(None, parts))}) -> {given or 'nothing'}{'; updates ' if changed else ''}{changed}"


def collect(inputs: Any, outputs: Any, *, updates: Any = None, givens: Any = None,
            no_default_updates: bool | Iterable[Any] = False, rebuild_strict: bool = True,
            on_unused_input: str | None = "raise") -> Collected:
    """The graph of a function.

    Raises
    ------
    GraphError      a variable given twice, two updates for one variable, a leaf without a value, an unused input
    ArgumentError   a required input after one with a default, a name given twice
    DTypeError      an update, a given or a container of another Type
    """
    specs = tuple(as_input(element) for element in _listed(inputs))
    _check_specs(specs)
    form, keys, outs = _outputs(outputs)
    changes = _input_updates(specs) | _shared_updates(updates)
    replacements = _replacements(specs, givens, rebuild_strict)
    written = [out.variable for out in outs]
    changes |= _default_updates([*written, *changes.values()], changes, specs, replacements, no_default_updates,
                                rebuild_strict)
    # All together: what several of them need, as draws and the state after them, stays one node.
    expressions = rebuild([*written, *changes.values()], replacements, strict=rebuild_strict)
    found, changes = expressions[:len(outs)], dict(zip(changes, expressions[len(outs):], strict=True))
    read = _leaves([*found, *changes.values()], specs)
    _check_used(specs, found, changes, on_unused_input)
    slots, next_values = _slots(specs, read, changes, len(found))
    _check_containers(slots)
    fgraph = FunctionGraph([slot.variable for slot in slots if slot.read], [*found, *next_values])
    _check_used_up(fgraph)
    return Collected(fgraph, slots, specs, outs, form, keys)


def _listed(inputs: Any) -> Sequence[Any]:
    if not isinstance(inputs, (list, tuple)):
        raise ArgumentError(None, f"the inputs of a function must be a list, got {inputs!r}", line=user_line(),
                            fix="write function([x], ...), also where there is one input")
    return inputs


def _check_specs(specs: Sequence[In]) -> None:
    """Each variable once, each name once, defaults last; containers for values of the variable's Type."""
    variables: dict[Variable, int] = {}
    names: dict[Any, In] = {}
    optional: In | None = None
    for position, spec in enumerate(specs):
        if spec.variable in variables:
            raise GraphError(None, f"the input {spec.variable} is given twice, at {variables[spec.variable]} and "
                             f"{position}", line=user_line(), **operand(spec.variable), fix="list every input once")
        variables[spec.variable] = position
        if isinstance(spec.value, Container) and not can_stand_for(spec.variable.type, spec.value.type):
            raise DTypeError(f"input {spec.variable}", f"its container is for {spec.value.type}, it is "
                             f"{spec.variable.type}", line=user_line(), **operand(spec.variable),
                             fix="make both of one type")
        if spec.name is not None and spec.name in names:
            raise ArgumentError(None, f"two inputs have the name {spec.name!r}", line=user_line(),
                                first=names[spec.name].variable, second=spec.variable,
                                fix="name them with In(variable, name=...); In(variable, autoname=False) has no name")
        if spec.name is not None:
            names[spec.name] = spec
        if spec.implicit:
            continue
        if spec.value is None and optional is not None:
            raise ArgumentError(None, f"the required input {spec.variable} follows {optional.variable}, which has a "
                                "default", line=user_line(), required=spec.variable, optional=optional.variable,
                                fix="put inputs with defaults last")
        optional = optional if spec.value is None else spec


def _outputs(outputs: Any) -> tuple[str, tuple[Any, ...], tuple[Out, ...]]:
    """The form of the result, its keys, and every output as an Out."""
    if outputs is None:
        return "none", (), ()
    if isinstance(outputs, Mapping):
        for key in outputs:
            if not isinstance(key, str):
                raise ArgumentError(None, f"the keys of a dict of outputs must be strings, got {key!r}",
                                    line=user_line(), fix="name the outputs with strings")
        return "dict", tuple(outputs), tuple(map(_as_out, outputs.values()))
    if isinstance(outputs, (list, tuple)):
        return "list", (), tuple(map(_as_out, outputs))
    return "single", (), (_as_out(outputs),)


def _as_out(element: Any) -> Out:
    if isinstance(element, (Out, Variable)):
        return element if isinstance(element, Out) else Out(element)
    try:
        return Out(nt.as_tensor_variable(element))
    except (TypeError, ValueError) as error:
        raise DTypeError(None, f"an output must be a symbolic variable, got {type(element).__name__} "
                         f"{str(element)[:60]!r} ({str(error).splitlines()[0]})", line=user_line(),
                         fix="pass variables, Out(...), a list or a dict of these") from None


def _input_updates(specs: Sequence[In]) -> dict[Variable, Variable]:
    return {spec.variable: conform(spec.variable, spec.update, "update") for spec in specs if spec.update is not None}


def _shared_updates(updates: Any) -> dict[Variable, Variable]:
    """Shared variable -> its next value."""
    found: dict[Variable, Variable] = {}
    for variable, expression in given_pairs(updates, "updates"):
        if not isinstance(variable, SharedVariable):
            raise DTypeError(None, f"updates change shared variables, got {variable!r}", line=user_line(),
                             **(operand(variable) if isinstance(variable, Variable) else {}),
                             fix="make it with shared(value), or update an input with In(x, value=..., update=...)")
        if variable in found:
            raise GraphError(None, f"there are two updates for {variable}", line=user_line(), **operand(variable),
                             first=found[variable], second=expression, fix="give one update for each shared variable")
        found[variable] = conform(variable, expression, "update")
    return found


def _replacements(specs: Sequence[In], givens: Any, strict: bool) -> dict[Variable, Variable]:
    """What stands for what; an input that is an expression stands for itself."""
    found: dict[Variable, Variable] = {spec.variable: spec.variable for spec in specs}
    taken: set[Variable] = set()
    for variable, value in given_pairs(givens, "givens"):
        if not isinstance(variable, Variable):
            raise DTypeError(None, f"givens replace symbolic variables, got {variable!r}", line=user_line(),
                             fix="the first of each pair is a variable of the graph")
        if variable in taken:
            raise GraphError(None, f"there are two givens for {variable}", line=user_line(), **operand(variable),
                             fix="give one replacement for each variable")
        taken.add(variable)
        found[variable] = conform(variable, value, "given", strict)
    return found


def _default_updates(expressions: Sequence[Variable], changes: Mapping[Variable, Variable], specs: Sequence[In],
                     replacements: Mapping[Variable, Variable], refused: bool | Iterable[Any],
                     strict: bool) -> dict[Variable, Variable]:
    """The default updates of the shared variables that are read, of those that these updates read, and so on."""
    if refused is True:
        return {}
    without = set() if refused is False else _refused(refused)
    found: dict[Variable, Variable] = {}
    pending = rebuild(expressions, replacements, strict=strict)
    users = {node.inputs[i]: node for node in toposort(expressions) for i in node.op.uses_up}
    while pending:
        fresh = [v for v in _leaves(pending, specs) if isinstance(v, SharedVariable) and v.default_update is not None
                 and v not in changes and v not in without and v not in found]
        updates = [conform(v, _of_the_same_node(v.default_update, users.get(v)), "default update") for v in fresh]
        found |= dict(zip(fresh, updates, strict=True))
        pending = rebuild(updates, replacements, strict=strict)
    return found


def _of_the_same_node(update: Any, user: Apply | None) -> Variable:
    """The update that the node which uses a state up gives, where that is a clone of the one it was made with."""
    made = update.owner
    if user is not None and made is not None and made is not user and made.op == user.op:
        return user.outputs[update.index]
    found: Variable = update
    return found


def _refused(given: Any) -> set[Any]:
    variables = list(given) if isinstance(given, (list, tuple, set, frozenset, Mapping)) else [given]
    for variable in variables:
        if variable is given or not isinstance(variable, Variable):
            raise DTypeError("no_default_updates", f"must be True, False or a list of shared variables, got {given!r}",
                             line=user_line(), fix="list the shared variables that are not to be updated")
    return set(variables)


def _leaves(outputs: Sequence[Variable], specs: Sequence[In]) -> list[Variable]:
    """The leaves that need a value, inputs among them, in the order in which the computation meets them."""
    stop = [spec.variable for spec in specs]
    inner = set(stop)
    met = [v for node in toposort(outputs, stop=stop) for v in node.inputs]
    return list(dict.fromkeys(v for v in (*met, *outputs)
                              if v in inner or (v.owner is None and not isinstance(v, Constant))))


def _check_used(specs: Sequence[In], found: Sequence[Variable], changes: Mapping[Variable, Variable],
                action: str | None) -> None:
    """Every input is read or updated; else raise, warn or ignore."""
    action = action or "raise"
    if action not in ("raise", "warn", "ignore"):
        raise ValueError(f"on_unused_input must be 'raise', 'warn' or 'ignore', got {action!r}")
    if action == "ignore":
        return
    used = set(_leaves([*found, *changes.values()], specs)) | set(changes)
    for position, spec in enumerate(specs):
        if spec.variable in used:
            continue
        error = GraphError(None, f"no output or update needs the input {spec.variable} (position {position})",
                           line=user_line(), **operand(spec.variable),
                           fix="take it out of the inputs, or pass on_unused_input='ignore' (or 'warn')")
        if action == "raise":
            raise error
        warnings.warn(str(error), stacklevel=4)


def _check_containers(slots: Sequence[Slot]) -> None:
    """No container is updated twice: a clone of a shared variable has the same, and inputs may be given one."""
    updated: dict[Container, Variable] = {}
    for slot in slots:
        container: Any = getattr(slot.variable, "container", None) if slot.spec is None else slot.spec.value
        if slot.update is None or not isinstance(container, Container):
            continue
        if container in updated:
            raise GraphError(None, f"there are two updates for the value that {updated[container]} and {slot.variable} "
                             "share", line=user_line(), first=updated[container], second=slot.variable,
                             fix="give one update for each container")
        updated[container] = slot.variable


def _check_used_up(fgraph: FunctionGraph) -> None:
    """No two nodes use up one value: draws from one state would be the same numbers, or made of the same."""
    users: dict[Variable, Apply] = {}
    for node in fgraph.nodes:
        for place in node.op.uses_up:
            v = node.inputs[place]
            if v in users:
                raise GraphError(node.op, f"draws from the state that {users[v].op} draws from: their numbers are "
                                 "not independent", line=node.line, **operand(v), first=users[v].outputs[-1],
                                 second=node.outputs[-1], fix="thread the state: next_rng, x = normal(…, rng=rng, "
                                 "return_next_rng=True), then rng=next_rng; or draw from a RandomStream; or, where the "
                                 "same numbers are wanted, give one of them rng.clone()")
            users[v] = node


def _slots(specs: Sequence[In], read: Sequence[Variable], changes: Mapping[Variable, Variable],
           n_outputs: int) -> tuple[tuple[Slot, ...], list[Variable]]:
    """The slots in their order, and the new values of those that are updated."""
    slots = [Slot(spec.variable, spec.name, role, spec, position, True, None)
             for role, implicit in (("argument", False), ("implicit", True))
             for position, spec in enumerate(specs) if spec.implicit is implicit]
    slots += [Slot(v, v.name, "shared", None, None, True, None) for v in read if isinstance(v, SharedVariable)]
    present = {slot.variable for slot in slots}
    slots += [Slot(v, v.name, "shared", None, None, False, None) for v in changes if v not in present]
    updated = [i for i, slot in enumerate(slots) if slot.variable in changes]
    for output, i in enumerate(updated, start=n_outputs):
        slots[i] = replace(slots[i], update=output)
    return tuple(slots), [changes[slots[i].variable] for i in updated]
