"""Function: the callable that `nbgraph.function` gives.

    f(33, w=1)     arguments, defaults, shared values in order -> executor -> updates are stored, results come back

A call keeps nothing on the Function, so threads may call it at once; calls that update the same shared variable come
one after the other, so that no update is lost. A call that raises leaves every value as it was.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from nbgraph.compile.collect import Slot
from nbgraph.compile.container import Container, locks_of, operand
from nbgraph.compile.function.access import DUPLICATE, Containers, Values, find_all
from nbgraph.compile.function.arguments import MISSING, bind, missing_input, with_names
from nbgraph.compile.function.caller import CallPlan, make_call
from nbgraph.compile.function.convert import converter
from nbgraph.compile.function.maker import FunctionMaker
from nbgraph.compile.mode import Executor
from nbgraph.compile.profile import ProfileStats, profile_of
from nbgraph.errors import DTypeError, GraphError
from nbgraph.graph.source import user_line
from nbgraph.graph.verify import can_stand_for


class Function:
    """A compiled function with its containers.

    Attributes
    ----------
    maker : FunctionMaker      graph and compiled code
    name : str or None
    finder : dict              position, Variable and name -> Container, or DUPLICATE
    inv_finder : dict          Container -> its Variable
    value, container           the same by position, name or Variable, with errors that explain
    profile : ProfileStats or None      what calls took, where the function is profiled
    <name>                     the value of the input or shared variable of this name, where nothing else has it
    """

    def __init__(self, maker: FunctionMaker, name: str | None = None, *, containers: Sequence[Container] | None = None,
                 slots: Sequence[Any] | None = None, form: str | None = None,
                 allow_input_downcast: bool | None = None, profile: ProfileStats | None = None) -> None:
        self.maker, self.name = maker, name
        self.allow_input_downcast = allow_input_downcast
        self.profile = profile
        self.slots = tuple(maker.collected.slots if slots is None else slots)
        self.form = maker.collected.form if form is None else form
        self.input_storage = tuple(maker.containers(allow_input_downcast) if containers is None else containers)
        self.finder = find_all(self.slots, self.input_storage)
        self.inv_finder = {c: slot.variable for slot, c in zip(self.slots, self.input_storage, strict=True)}
        self.container = Containers(self.slots, self.finder)
        self.value = Values(self.slots, self.finder, self.inv_finder.__getitem__)
        self._prepare()
        self._made = True

    def _prepare(self) -> None:
        """Work out all that a call would otherwise have to look up."""
        self._arguments = tuple(slot for slot in self.slots if slot.role == "argument")
        scalars = self.maker.executor.scalar_inputs
        self._converters = [converter(slot, container, scalar, self.allow_input_downcast, self.name)
                            for slot, container, scalar in zip(self._arguments, self.input_storage, scalars)]
        self._count = len(self._arguments)
        self._n_outputs = len(self.maker.collected.outputs)
        self._everything = self._plan(self.maker.executor, range(self._n_outputs), self.form, self.maker.collected.keys)
        self._checked = make_call(self._everything)
        self._named = with_names(self._checked, self._arguments)
        self._subsets: dict[Any, Callable[..., Any]] = {}
        self.trust_input = False

    @property
    def trust_input(self) -> bool:
        """True: a call by position leaves all checks to compiled code, which does not know ranges of integers."""
        return self._trust_input

    @trust_input.setter
    def trust_input(self, trusted: bool) -> None:
        self._trust_input = bool(trusted)
        self._call = make_call(self._everything, checked=False) if trusted else self._checked

    def _plan(self, executor: Executor, chosen: Sequence[int], form: str, keys: Sequence[Any]) -> CallPlan:
        """The call that runs `executor` and returns the outputs that it computes for the positions `chosen`."""
        outputs = self.maker.collected.fgraph.outputs
        pairs = list(zip(self.slots, self.input_storage, strict=True))
        shift = len(chosen) - self._n_outputs
        # A call gives such an input to its container, unless an update follows.
        kept = [(i, c) for i, (slot, c) in enumerate(pairs[:self._count])
                if slot.spec and isinstance(slot.spec.value, Container) and slot.update is None]
        return CallPlan(
            executor, [slot.variable.type for slot in self._arguments], self._converters,
            [bool(slot.spec and slot.spec.strict) for slot in self._arguments], executor.scalar_inputs,
            [(c.storage, slot.variable.type, c.spare) for slot, c in pairs[self._count:] if slot.read],
            [outputs[i].type for i in (*chosen, *range(self._n_outputs, len(outputs)))],
            [(c.storage, slot.update + shift) for slot, c in pairs if slot.update is not None],
            form, keys, len(chosen), locks_of([*(c for slot, c in pairs if slot.update is not None),
                                                *(c for _, c in kept)]), kept,
            None if self.profile is None else self.profile.of(self.name, self.maker, executor))

    def __call__(self, /, *args: Any, output_subset: Sequence[Any] | None = None, **kwargs: Any) -> Any:
        """The outputs for these arguments; afterwards the updates are stored.

        Parameters
        ----------
        *args, **kwargs : values of the inputs, by position or name
        output_subset : list of positions, or of keys of a dict of outputs      compute only these; updates are always

        Raises
        ------
        TypeError       an input without a value, an unknown keyword
        ArgumentError   too many arguments, an input given twice
        DTypeError      a value of the wrong dtype or rank
        ShapeError      a value of the wrong length
        """
        if output_subset is not None:
            return self._subset(self._chosen(output_subset))(*self._bound(args, kwargs))
        if kwargs or len(args) != self._count:
            return self._call_by_name(args, kwargs)
        return self._call(*args)

    def _call_by_name(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """The call with keywords, or with stored values for what is not given."""
        if self._named is not None:
            try:
                return self._named(*args, **kwargs)
            except TypeError as error:
                entered = error.__traceback__ is not None and error.__traceback__.tb_next is not None
                if entered:  # so its names were right
                    raise
        return self._checked(*self._bound(args, kwargs))

    def _bound(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
        """A value for each argument, MISSING where the stored one is to be taken."""
        values = bind(self._arguments, args, kwargs)
        for slot, container, value in zip(self._arguments, self.input_storage, values):
            if value is MISSING and container.storage[0] is None:
                raise missing_input(slot)
        return values

    def _subset(self, chosen: tuple[Any, ...]) -> Callable[..., Any]:
        """A call for the chosen outputs, in the order of `chosen`; a dict where the outputs are one."""
        if chosen not in self._subsets:
            positions = tuple(self._position(key) for key in chosen)
            form = "dict" if self.form == "dict" else "list"
            plan = self._plan(self.maker.subset(positions), positions, form, chosen)
            self._subsets[chosen] = make_call(plan)
        return self._subsets[chosen]

    @staticmethod
    def _chosen(keys: Any) -> tuple[Any, ...]:
        if isinstance(keys, str) or not isinstance(keys, Iterable):
            raise TypeError(f"output_subset must be a list of positions or keys, got {keys!r}")
        return tuple(keys)

    def _position(self, key: Any) -> int:
        keys = self.maker.collected.keys
        if key in keys:
            return keys.index(key)
        whole = isinstance(key, (int, np.integer)) and not isinstance(key, bool)
        if whole and 0 <= key < self._n_outputs and not keys:
            return int(key)
        known = ", ".join(keys) if keys else f"0 to {self._n_outputs - 1}"
        raise ValueError(f"output_subset names {key!r}; the outputs of the function are {known or 'none'}")

    def __getitem__(self, key: Any) -> Any:
        return self.value[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.value[key] = value

    def __contains__(self, key: Any) -> bool:
        return not isinstance(key, bool) and key in self.finder

    def __getattr__(self, name: str) -> Any:
        """The stored value of the input or shared variable of this name."""
        if name in vars(self).get("finder", ()) and self.finder[name] is not DUPLICATE:
            return self.value[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}, and no one input of that name")

    def __setattr__(self, name: str, value: Any) -> None:
        """Set the value of the input or shared variable of this name, where it is no attribute of functions."""
        own = vars(self)
        if "_made" not in own or name in own or hasattr(type(self), name) or name not in self.finder:
            object.__setattr__(self, name, value)
        else:
            self.value[name] = value

    @property
    def unpack_single(self) -> bool:
        """True where a call returns its only output itself."""
        return self.form == "single"

    @property
    def return_none(self) -> bool:
        """True where a call returns None."""
        return self.form == "none"

    @property
    def output_keys(self) -> tuple[Any, ...] | None:
        """The keys of a dict of outputs; None where the outputs are no dict."""
        return self.maker.collected.keys if self.form == "dict" else None

    @property
    def stages(self) -> Any:
        """What each stage of compiling made: .graph, .plan, .program."""
        return self.maker.executor.stages

    @property
    def source(self) -> str | None:
        """The generated Python source; None in reference mode."""
        return self.maker.executor.source

    def explain(self) -> str:
        """What the rewriting did, its share of the time that making the function took, and what the graph became."""
        maker = self.maker
        made = (f"made in {1e3 * maker.seconds:.1f} ms, rewriting {1e3 * maker.rewriting_seconds:.1f} ms of it "
                f"({maker.rewriting_seconds / maker.seconds:.0%})")
        parts = [f"{self!r}   mode {maker.mode}", maker.report, made, maker.executor.explain()]
        return "\n\n".join(str(part) for part in parts if part is not None)

    def cache_info(self) -> Any:
        """Where the compiled code came from and is kept."""
        return self.maker.executor.cache_info()

    def memory_estimate(self, shapes: Mapping[Any, Any] | Sequence[Any]) -> Any:
        """What a call will allocate, in bytes; nothing is run.

        Parameters
        ----------
        shapes : for each input, by position, name or Variable, the shape of an array or the value of a scalar;
                 defaults and shared variables are as they are now

        Returns
        -------
        MemoryEstimate with .outputs, .temporaries, .stack, .total; .unknown names arrays whose lengths depend on values

        Raises
        ------
        GraphError   a shape of another rank, an input without a shape, reference mode
        TypeError    a key that no input has, or several have
        """
        given = dict(shapes) if isinstance(shapes, Mapping) else dict(enumerate(shapes))
        by_container = {id(self.container.find(key)): shape for key, shape in given.items()}
        arguments = []
        for slot, container in zip(self.slots, self.input_storage, strict=True):
            if not slot.read:
                continue
            now = container.storage[0]
            if id(container) in by_container:
                arguments.append(by_container[id(container)])
            elif now is not None:
                arguments.append(np.shape(now) or np.asarray(now).item())
            else:
                raise GraphError(f"memory_estimate: input {slot.variable} has no shape", line=slot.variable.line,
                                 fix="give its shape, by position or name")
        return self.maker.executor.memory_estimate(arguments)

    def free(self) -> None:
        """Nothing to free: a call keeps no intermediate values."""

    def copy(self, share_memory: bool = False, swap: Mapping[Any, Any] | None = None, delete_updates: bool = False,
             name: str | None = None, profile: Any = None) -> Function:
        """Another Function on the same compiled code, which returns a list where this one returns a single output.

        Its graph and maker are its own, and so are the values of its inputs.

        Parameters
        ----------
        share_memory : bool      accepted; there is no memory between calls to share
        swap : dict              shared variable -> the one that takes its place
        delete_updates : bool    True: the copy updates nothing
        name : str, optional     default: this name and " copy"
        profile : as of `function`      profiled functions are other code: copying one of the other kind compiles it

        Raises
        ------
        TypeError    a key of `swap` that the function does not use, `profile` is something else
        DTypeError   a replacement that is not shared, or of another Type
        """
        slots, containers = self._swapped(dict(swap or {}))
        if delete_updates:
            slots = [dataclasses.replace(slot, update=None) for slot in slots]
        fresh_name = name if name is not None else None if self.name is None else f"{self.name} copy"
        return self._twin(self.maker.copied(slots, fresh_name), fresh_name, slots, containers,
                          "list" if self.form == "single" else self.form, profile_of(profile))

    def __copy__(self) -> Function:
        slots, containers = self._swapped({})
        return self._twin(self.maker, self.name, slots, containers, self.form, self.profile)

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (type(self), self.maker, self.name, self.input_storage, self.slots, self.form,
                            self.allow_input_downcast, self.profile), {"trust_input": self.trust_input}

    def __setstate__(self, settings: dict[str, Any]) -> None:
        for key, value in settings.items():
            setattr(self, key, value)

    def _twin(self, maker: FunctionMaker, name: str | None, slots: Sequence[Any], containers: Sequence[Container],
              form: str, profile: ProfileStats | None) -> Function:
        twin = type(self)(maker.with_profile(profile is not None), name, containers=containers, slots=slots,
                          form=form, allow_input_downcast=self.allow_input_downcast, profile=profile)
        twin.trust_input = self.trust_input
        return twin

    def _swapped(self, swap: dict[Any, Any]) -> tuple[list[Any], list[Container]]:
        """Slots with shared variables exchanged; containers of inputs duplicated, those of shared variables shared."""
        slots, containers = [], []
        for slot, container in zip(self.slots, self.input_storage, strict=True):
            fresh = swap.pop(slot.variable, None) if slot.role == "shared" else None
            if fresh is not None:
                _check_swap(slot.variable, fresh)
                slot, container = dataclasses.replace(slot, variable=fresh, name=fresh.name), fresh.container
            elif slot.role != "shared" and not (slot.spec and slot.spec.value is container):
                container = container.duplicate()
            slots.append(slot)
            containers.append(container)
        if swap:
            used = ", ".join(str(slot.variable) for slot in self.slots if slot.role == "shared")
            raise TypeError(f"swap names {next(iter(swap))}, which is no shared variable of the function; those are: "
                            f"{used or 'none'}")
        _check_distinct(slots)
        return slots, containers

    def __repr__(self) -> str:
        shown = dataclasses.replace(self.maker.collected, slots=self.slots)
        return f"<nbgraph function {self.name or ''}{shown}>"


def _unpickled(kind: type[Function], maker: FunctionMaker, name: str | None, containers: Sequence[Container],
               slots: Sequence[Any], form: str, allow_input_downcast: bool | None,
               profile: ProfileStats | None) -> Function:
    return kind(maker, name, containers=containers, slots=slots, form=form, allow_input_downcast=allow_input_downcast,
                profile=profile)


def _check_distinct(slots: Sequence[Slot]) -> None:
    """No variable has taken the places of two."""
    for variable, count in Counter(slot.variable for slot in slots).items():
        if count > 1:
            raise GraphError("swap", f"{variable} would be in {count} places", line=user_line(), **operand(variable),
                             fix=f"swap {variable}, which the function uses, for another; or compile with givens")


def _check_swap(old: Any, new: Any) -> None:
    if not hasattr(new, "container"):
        raise DTypeError(f"swap of {old}", f"{new!r} is not a shared variable", line=user_line(), **operand(old),
                         fix="swap shared variables for shared variables")
    # A length that is known to be 1 broadcasts, which the compiled code does not do for one that was not known.
    if not can_stand_for(old.type, new.type):
        raise DTypeError(f"swap of {old}", f"must be {old.type}, got {new.type}", line=user_line(), **operand(old),
                         second=new, fix="make the new shared variable of the same dtype and shape")
