"""What a computation is made of: Type, Variable, Constant and Apply.

    z = x + y      Apply(add, inputs=(x, y), outputs=(z,));  z.owner is that Apply, x.owner is None

Nothing here knows arrays, NumPy or Numba. Nodes are immutable once built: a rewrite makes new ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from nbgraph.config import config
from nbgraph.errors import GraphError, SourceLine
from nbgraph.graph.source import user_line

if TYPE_CHECKING:
    from nbgraph.graph.op import Op


class Type:
    """What values a Variable may hold. Subclasses define `filter` and equality."""

    variable_type: type[Variable]
    constant_type: type[Constant]

    def filter(self, value: Any, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        """`value` as this Type stores it, or TypeError when it does not fit."""
        raise NotImplementedError(f"{type(self).__name__} must define filter")

    def is_valid_value(self, value: Any, strict: bool = True) -> bool:
        """True where filter accepts `value`."""
        try:
            self.filter(value, strict=strict)
        except (TypeError, ValueError):
            return False
        return True

    def is_super(self, other: Type) -> bool:
        """True where every value of `other` is a value of this Type."""
        return self == other

    def make_variable(self, name: str | None = None) -> Variable:
        """A new Variable of this Type without an owner."""
        return self.variable_type(self, None, None, name=name)

    def make_constant(self, value: Any, name: str | None = None) -> Constant:
        """A Constant of this Type."""
        return self.constant_type(self, value, name=name)

    def __call__(self, name: str | None = None) -> Any:
        return self.make_variable(name)

    def cell(self) -> list[Any]:
        """A place for a value between calls: a list of one, None while there is none."""
        return [None]

    def values_eq(self, a: Any, b: Any) -> bool:
        """True where two values are equal."""
        return bool(a == b)

    def value_text(self, value: Any) -> str:
        """`value` as a person writes it, on one line."""
        return str(value)


class Tag(SimpleNamespace):
    """The user's own notes on a variable: any attributes."""


class Variable:
    """A value that is not there yet: typed, and either a leaf or the `index`-th output of `owner`.

    Attributes
    ----------
    type : Type
    owner : Apply or None
    index : int or None      position among the owner's outputs
    name : str or None       for people; never changes a result
    line : SourceLine        the user's line that made it
    tag : namespace          for the user's own notes
    """

    __slots__ = ("__weakref__", "_evaluators", "_tag", "index", "line", "name", "owner", "type")

    def __init__(self, type: Type, owner: Apply | None = None, index: int | None = None,
                 name: str | None = None) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name must be a string or None, got {name!r}")
        self.type: Any = type  # a Type: what else it has (dtype, shape, ...) is a matter of its class
        self.owner = owner
        self.index = index
        self.name = name
        self.line: SourceLine | None = owner.line if owner is not None else user_line()
        self._tag: Tag | None = None
        self._evaluators: dict[Any, Any] | None = None

    def eval(self, inputs_to_values: Mapping[Any, Any] | None = None) -> Any:
        """The value of this variable for these values of its inputs.

        A function is compiled for each set of inputs, and kept on the variable.

        Parameters
        ----------
        inputs_to_values : dict    variable, or the name of a leaf -> value; None where shared variables and constants
                                   say all

        Raises
        ------
        GraphError      a leaf without a value, a value for what is not needed
        ArgumentError   a name that no leaf has, or several have
        """
        # A layer above, imported when first used: a stated exception to the layers.
        from nbgraph.compile.function.evaluate import evaluator
        if self._evaluators is None:
            self._evaluators = {}
        given = dict(inputs_to_values or {})
        key = config.mode, frozenset(given)
        if key not in self._evaluators:
            self._evaluators[key] = evaluator(self, list(given))
        order, function = self._evaluators[key]
        return function(*(given[key] for key in order))

    @property
    def tag(self) -> Tag:
        """A namespace for the user's own notes, made when first used."""
        if self._tag is None:
            self._tag = Tag()
        return self._tag

    def clone(self, name: str | None = None) -> Variable:
        """A new leaf of the same Type and name."""
        twin = self.type.make_variable(name or self.name)
        twin.line = self.line
        if self._tag is not None:
            twin._tag = Tag(**vars(self._tag))
        return twin

    def __str__(self) -> str:
        if self.name is not None:
            return self.name
        if self.owner is not None:
            suffix = "" if len(self.owner.outputs) == 1 else f".{self.index}"
            return f"{self.owner.op}{suffix}"
        return f"<{self.type}>"

    def __repr__(self) -> str:
        return str(self)

    def __copy__(self) -> Variable:
        """A leaf: its clone. An output: that of another application of the same Op to the same inputs."""
        if self.owner is None or self.index is None:
            return self.clone()
        return copy(self.owner).outputs[self.index]

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self.owner is None:
            return super().__reduce_ex__(protocol)
        from nbgraph.graph.pickling import reduced_variable  # which imports this module
        return reduced_variable(self)

    def __getstate__(self) -> dict[str, Any]:
        """All but its place in the graph, which `pickling` knows, and what was compiled for it."""
        own = getattr(self, "__dict__", {})
        return {"type": self.type, "name": self.name, "line": self.line, "_tag": self._tag, **own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.owner = self.index = self._evaluators = None
        for key, value in state.items():
            setattr(self, key, value)


class Constant(Variable):
    """A leaf whose value is known when the graph is built."""

    __slots__ = ("data",)

    def __init__(self, type: Type, data: Any, name: str | None = None) -> None:
        super().__init__(type, None, None, name=name)
        self.data = type.filter(data)

    @property
    def value(self) -> Any:
        """The constant's value."""
        return self.data

    def clone(self, name: str | None = None) -> Constant:
        """A Constant of the same value."""
        return type(self)(self.type, self.data, name=name or self.name)

    def signature(self) -> Any:
        """Hashable; equal where type and value are equal. Decides what merges."""
        return (self.type, self.data)

    def __str__(self) -> str:
        return self.name if self.name is not None else str(self.data)

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"data": self.data}


class Apply:
    """The application of `op` to `inputs`; makes the owner links of `outputs`.

    Raises
    ------
    TypeError    an input or output is not a Variable
    GraphError   an output already belongs to another Apply
    """

    __slots__ = ("inputs", "line", "op", "outputs", "thunk")

    def __init__(self, op: Op, inputs: Sequence[Variable], outputs: Sequence[Variable]) -> None:
        self.op: Any = op  # an Op, with the parameters of its class
        self.inputs: tuple[Any, ...] = tuple(inputs)
        self.outputs: tuple[Any, ...] = tuple(outputs)
        self.line: SourceLine | None = user_line()
        self.thunk: Any = None  # what the Op's make_thunk has made, once it is run
        for role, variables in (("input", self.inputs), ("output", self.outputs)):
            for variable in variables:
                if not isinstance(variable, Variable):
                    raise TypeError(f"{op}: {role} {variable!r} is a {type(variable).__name__}, not a Variable; "
                                    f"wrap values with as_tensor_variable")
        for index, output in enumerate(self.outputs):
            if output.owner is not None:
                raise GraphError(op, f"output {index} ({output}) already belongs to {output.owner.op}",
                                 fix="make new output Variables in make_node, one per call")
            output.owner, output.index, output.line = self, index, self.line

    @property
    def nin(self) -> int:
        """Number of inputs."""
        return len(self.inputs)

    @property
    def nout(self) -> int:
        """Number of outputs."""
        return len(self.outputs)

    @property
    def out(self) -> Any:
        """The only output."""
        if len(self.outputs) != 1:
            raise AttributeError(f"{self} has {len(self.outputs)} outputs; .out needs exactly one")
        return self.outputs[0]

    def default_output(self) -> Any:
        """The output that the Op names as its default."""
        index = self.op.default_output
        return self.out if index is None else self.outputs[index]

    def clone_with_new_inputs(self, inputs: Sequence[Variable], strict: bool = True) -> Apply:
        """This Op on other inputs, its make_node run again; self where nothing changes.

        With `strict`, an input whose Type does not fit the old one is a TypeError.
        """
        if len(inputs) == len(self.inputs) and all(a is b for a, b in zip(inputs, self.inputs, strict=True)):
            return self
        if strict:
            for old, new in zip(self.inputs, inputs, strict=True):
                if not old.type.is_super(new.type):
                    raise TypeError(f"{self.op}: cannot put {new} of type {new.type} in place of {old} "
                                    f"of type {old.type}")
        node = self.op.make_node(*inputs)
        node.line = self.line
        for old, new in zip(self.outputs, node.outputs, strict=True):
            new.name, new._tag, new.line = old.name, old._tag, old.line
        return node

    def __repr__(self) -> str:
        return f"{self.op}({', '.join(map(str, self.inputs))})"

    def __copy__(self) -> Apply:
        twin = type(self)(self.op, self.inputs, [v.clone() for v in self.outputs])
        for variable in (twin, *twin.outputs):
            variable.line = self.line
        return twin

    def __reduce_ex__(self, protocol: Any) -> Any:
        from nbgraph.graph.pickling import reduced_node  # which imports this module
        return reduced_node(self)


Type.variable_type = Variable
Type.constant_type = Constant

# Functions on graphs that older programs look for here.
_ELSEWHERE = {"ancestors": "traversal", "clone_replace": "replace", "equal_computations": "equal",
              "graph_inputs": "traversal", "graph_replace": "replace", "io_toposort": "traversal", "walk": "traversal"}


def __getattr__(name: str) -> Any:
    """Names of modules that import this one, imported when first used."""
    if name not in _ELSEWHERE:
        raise AttributeError(f"nbgraph.graph.basic has no {name!r}")
    return getattr(import_module(f"nbgraph.graph.{_ELSEWHERE[name]}"), name)
