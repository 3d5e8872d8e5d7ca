"""RandomVariable: the Op of a distribution. Inputs (generator, size, dtype, *parameters), outputs (generator, draws).

    rng = shared(np.random.default_rng(7))
    x = normal(0, 1, size=(5,), rng=rng)           what np.random.default_rng(7).normal(0, 1, 5) gives
    next_rng, x = x.owner.outputs                  the state after the draws, which function(updates=…) can store

It is a function like any other: the same state gives the same draws, and the state that is read is never changed.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import ArgumentError, DTypeError, NbgraphError, RangeError, ShapeError, ValueDomainError
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.graph.expression import Written, call, tuple_of
from nbgraph.graph.null_type import DisconnectedType, grad_undefined
from nbgraph.graph.op import Op
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.batching import unbatched
from nbgraph.tensor.random.parameters import Parameter, as_parameter, documented, signature_of
from nbgraph.tensor.random.sizes import (
    batch_lengths,
    batch_shape,
    check_batches,
    lengths_of_size,
    normalize_size_param,
)
from nbgraph.tensor.random.type import RandomType, random_generator_type
from nbgraph.tensor.random.var import generator_variable
from nbgraph.tensor.shape import static_length
from nbgraph.tensor.type import tensor_type
from nbgraph.tensor.variable import TensorVariable


class RandomTensorVariable(TensorVariable):
    """Draws of a distribution."""

    __slots__ = ()

    @property
    def rng(self) -> Any:
        """The state that they are drawn from: a shared variable, or the next state of other draws."""
        return self._node.inputs[0]

    @property
    def update(self) -> tuple[Any, Any]:
        """(state, next state), as function(updates=[…]) takes it."""
        return self._node.inputs[0], self._node.outputs[0]

    @property
    def _node(self) -> Apply:
        if self.owner is None or not isinstance(self.owner.op, RandomVariable):
            raise AttributeError(f"{self} is no draw of a distribution")
        return self.owner


class RandomVariable(Op):
    """A distribution.

    A subclass gives `name`, `ndim_supp`, `ndims_params` and `dtype`, and computes draws in `rng_fn`:

        class TwoNormalsRV(RandomVariable):
            name, ndim_supp, ndims_params, dtype = "two_normals", 0, (0, 0), "floatX"

            @classmethod
            def rng_fn(cls, rng, loc, scale, size):
                return loc + scale * (rng.normal(size=size) + rng.normal(size=size))

    `x = TwoNormalsRV()(0.0, 1.0, size=3, rng=rng)`; the default `rng_fn` is the method of the generator of that name.

    Attributes
    ----------
    name : str
    ndim_supp : int               axes of one draw: 0 for a number, 1 for a vector
    ndims_params : tuple of int   for each parameter, its axes for one draw
    dtype : str                   of the draws; "floatX" for config.floatX
    parameters : tuple of Parameter    what is known of each; () in distributions of users
    """

    __props__: ClassVar[tuple[str, ...]] = ("name", "ndim_supp", "ndims_params", "dtype")
    default_output = 1
    computed_by = (*Op.computed_by, "rng_fn", "drawn")
    # The state is used up: a function in which two draws read one state is refused.
    uses_up = (0,)
    name: str = ""
    ndim_supp: int = 0
    ndims_params: Sequence[int] = ()
    dtype: str = "floatX"
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    __signature__: ClassVar[inspect.Signature]
    # Why there is no gradient with respect to parameters, where `slopes` gives none.
    no_slope: ClassVar[str] = "the draws of this distribution are no smooth function of it when the state is fixed"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "parameters" in vars(cls):
            cls.ndims_params = tuple(p.ndim for p in cls.parameters)
            cls.__signature__ = signature_of(cls.parameters)
            cls.__doc__ = documented(cls.__doc__ or cls.name, cls.parameters, cls.dtype, cls.ndim_supp)
        if "called" in vars(cls):
            _, *own = inspect.signature(cls.called).parameters.values()
            cls.__signature__ = inspect.Signature(own)

    def __init__(self, name: str | None = None, ndim_supp: int | None = None, ndims_params: Sequence[int] | None = None,
                 dtype: str | None = None) -> None:
        self.name = name or self.name or type(self).__name__.removesuffix("RV").lower()
        self.ndim_supp = self.ndim_supp if ndim_supp is None else ndim_supp
        self.ndims_params = tuple(self.ndims_params if ndims_params is None else ndims_params)
        self.dtype = dtype or self.dtype

    def __str__(self) -> str:
        return self.name

    # How it is called ------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Draws; see the class for parameters and options."""
        signature: inspect.Signature | None = getattr(self, "__signature__", None)
        if signature is None:
            return self.draws(args, **kwargs)
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise ArgumentError(self, str(error), line=user_line(), fix=f"call it as {self}{signature}") from None
        return self.called(*bound.args, **bound.kwargs)

    def called(self, *args: Any, **kwargs: Any) -> Any:
        """What a call with fitting arguments gives; distributions with options of their own say it anew."""
        bound = self.__signature__.bind(*args, **kwargs)
        bound.apply_defaults()
        given = dict(bound.arguments)
        return self.draws([given.pop(p.name) for p in self.parameters], **given)

    def draws(self, params: Sequence[Any], size: Any = None, name: str | None = None, rng: Any = None,
              dtype: Any = None, return_next_rng: bool = False) -> Any:
        """The draws for parameters in their order; with `return_next_rng` (next state, draws)."""
        node = self.make_node(rng, size, dtype, *params)
        if not type(self).__module__.startswith("nbgraph."):
            node.line = user_line()
            for output in node.outputs:
                output.line = node.line
        next_rng, drawn = node.outputs
        drawn.name = name
        return (next_rng, drawn) if return_next_rng else drawn

    def make_node(self, rng: Any, size: Any, dtype: Any, *params: Any) -> Apply:
        """Type a draw.

        Raises
        ------
        DTypeError      `rng` is no variable of RandomType, a dtype that the distribution cannot have
        ShapeError      lengths that do not fit together
        ArgumentError   another number of parameters
        """
        if len(params) != len(self.ndims_params):
            raise ArgumentError(self, f"takes {len(self.ndims_params)} parameters, got {len(params)}", line=user_line(),
                                fix=f"give {', '.join(p.name for p in self.parameters) or 'one for each ndims_params'}")
        if isinstance(size, (tuple, list)) and not size:
            self._refuse_batch(params)
        inputs = self._as_parameters(params)
        lengths, wanted = normalize_size_param(size), self._dtype_index(dtype)
        shape = self.static_shape(lengths, inputs)
        kind = tensor_type(dtypes.ALL[int(wanted.data)], tuple(shape))
        state = generator_variable(np.random.default_rng()) if rng is None else self._as_generator(rng)
        node = Apply(self, [state, lengths, wanted, *inputs], [random_generator_type(), RandomTensorVariable(kind)])
        if rng is None:
            # Nobody else holds this state, so nobody else could move it on.
            state.default_update = node.outputs[0]
        return node

    def _as_parameters(self, params: Sequence[Any]) -> list[Any]:
        if self.parameters:
            return [as_parameter(self, p, value) for p, value in zip(self.parameters, params, strict=True)]
        found = [nt.as_tensor_variable(p) for p in params]
        for k, (p, ndim) in enumerate(zip(found, self.ndims_params, strict=True)):
            if p.type.ndim < ndim:
                raise ShapeError(self, f"parameter {k} has {p.type.ndim} axes, it needs at least {ndim}",
                                 line=user_line(), parameter=p, fix="give it with all its axes")
        return found

    def _refuse_batch(self, params: Sequence[Any]) -> None:
        """ShapeError where size=() asks for one draw of several distributions."""
        if batch := batch_shape(self, self._as_parameters(params), self.ndims_params):
            shown = tuple("?" if n is None else n for n in batch)
            raise ShapeError(self, f"size () is one draw, the parameters broadcast to {shown}", line=user_line(),
                             fix="leave size out")

    def _as_generator(self, rng: Any) -> Any:
        if isinstance(rng, Variable) and isinstance(rng.type, RandomType):
            return rng
        fix = (f"call the method of the stream: stream.{self.name}(…)" if hasattr(rng, "state_updates") else
               "give shared(generator): a variable, so that it is known who draws from it")
        raise DTypeError(self, f"rng must be a symbolic generator, got {type(rng).__name__} {str(rng)[:60]!r}",
                         line=user_line(), fix=fix)

    def _dtype_index(self, dtype: Any) -> Any:
        """The place in dtypes.ALL of the draws' dtype, as a constant."""
        if isinstance(dtype, Constant) and dtypes.is_discrete(dtype.type.dtype):
            return nt.constant(int(dtype.data), dtype="int64")
        chosen = self.dtype if dtype is None else dtype
        name = nt.config.floatX if chosen == "floatX" else dtypes.canonical(chosen)
        own = nt.config.floatX if self.dtype == "floatX" else dtypes.canonical(self.dtype)
        if name in dtypes.COMPLEX or (name in dtypes.DISCRETE and own not in dtypes.DISCRETE):
            raise DTypeError(self, f"its draws are real numbers, which {name} does not hold", line=user_line(),
                             fix="take float32 or float64, and .astype(…) of the draws")
        return nt.constant(dtypes.ALL.index(name), dtype="int64")

    # Shapes ----------------------------------------------------------------------------------------------------------

    def static_shape(self, size: Any, params: Sequence[Any]) -> list[int | None]:
        """The known lengths of the draws."""
        batch = batch_shape(self, params, self.ndims_params)
        if size.type.shape[0]:
            wanted = [static_length(n) for n in lengths_of_size(size)]
            if len(batch) > len(wanted):
                raise ShapeError(self, f"size has {len(wanted)} axes, the parameters broadcast to {len(batch)}",
                                 line=user_line(), size=size, fix="give a length for every axis")
            for axis in range(-len(batch), 0):
                if batch[axis] not in (None, 1) and wanted[axis] is None:
                    wanted[axis] = batch[axis]
                if None not in (batch[axis], wanted[axis]) and batch[axis] not in (1, wanted[axis]):
                    raise ShapeError(self, f"the parameters have length {batch[axis]} in axis {axis}, size has "
                                     f"{wanted[axis]}", line=user_line(), size=size,
                                     fix="size is the shape of all draws, those of each parameter among them")
            batch = wanted
        return [*batch, *(n if isinstance(n, int) else static_length(n) for n in self.support_lengths(params))]

    def support_lengths(self, params: Sequence[Any], shapes: Sequence[Any] | None = None) -> list[Any]:
        """The lengths of one draw, from the lengths of the parameters."""
        if not self.ndim_supp:
            return []
        lengths = [nt.lengths_of(p) for p in params] if shapes is None else list(shapes)
        return list(self._supp_shape_from_params(params, param_shapes=lengths))

    def _supp_shape_from_params(self, dist_params: Sequence[Any], rep_param_idx: int = 0,
                                param_shapes: Sequence[Any] | None = None) -> Sequence[Any]:
        """The last `ndim_supp` lengths of a parameter that has the shape of a draw; subclasses may say another."""
        given = param_shapes if param_shapes is not None else [nt.lengths_of(p) for p in dist_params]
        return tuple(given[rep_param_idx][-self.ndim_supp:])

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        _, size, _, *params = node.inputs
        if size.type.shape[0]:
            batch = lengths_of_size(size)
        else:
            batch = batch_lengths(self, params, self.ndims_params, shapes[3:])
        return [None, (*batch, *self.support_lengths(params, shapes[3:]))]

    # Values ----------------------------------------------------------------------------------------------------------

    def rng_fn(self, rng: np.random.Generator, *args: Any) -> Any:
        """Draws of NumPy: the method `name` of the generator, for (*parameters, size)."""
        *params, size = args
        return getattr(rng, self.name)(*params, size=size)

    def checked_batch(self, node: Apply, params: Sequence[Any], size: tuple[int, ...] | None) -> tuple[int, ...]:
        """The shape of all draws for these values; a ShapeError where they do not fit together."""
        return check_batches(node, node.inputs[3:], self.ndims_params, params, size)

    def drawn(self, rng: np.random.Generator, params: Sequence[Any], size: tuple[int, ...] | None,
              batch: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
        """Draws for these values; `size` is None where the parameters say all, `batch` is known in either case."""
        return self.rng_fn(rng, *params, size)

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        rng, size, _, *params = inputs
        state = copy.deepcopy(rng)
        shape = tuple(int(n) for n in size) or None
        kind = node.outputs[1].type
        batch = self.checked_batch(node, params, shape)
        try:
            values = np.asarray(self.drawn(state, params, shape, batch, kind.numpy_dtype))
        except (ValueError, OverflowError) as error:
            raise self.domain_error(node, str(error), type(error)) from None
        output_storage[0][0] = state
        output_storage[1][0] = values.astype(kind.numpy_dtype, copy=False)

    def domain_error(self, node: Apply, what: str, kind: type[Exception] = ValueError) -> NbgraphError:
        """The error for parameters that the distribution does not have; `what` is NumPy's text, `kind` its class."""
        named = {p.name: v for p, v in zip(self.parameters, node.inputs[3:], strict=False)}
        fix = "; ".join(f"{p.name}: {p.doc}" for p in self.parameters) or "give parameters of its domain"
        error = RangeError if issubclass(kind, OverflowError) else ValueDomainError
        return error(self, what, line=node.line, **named, fix=fix)

    def do_constant_folding(self, fgraph: Any, node: Apply) -> bool:
        """False: draws are made in every call."""
        return False

    # Derivatives -----------------------------------------------------------------------------------------------------

    def slopes(self, x: Any, *params: Any) -> tuple[Any, ...]:
        """d x / d parameter for each parameter, with the state fixed; None where there is none."""
        return (None,) * len(params)

    def L_op(self, inputs: Sequence[Any], outputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        """Gradients of the parameters, for the numbers that were drawn."""
        g, params = output_gradients[1], inputs[3:]
        apart = [DisconnectedType()() for _ in inputs[:3]]
        if isinstance(g.type, DisconnectedType):
            return [*apart, *(DisconnectedType()() for _ in params)]
        found: list[Any] = []
        for k, (p, slope) in enumerate(zip(params, self.slopes(outputs[1], *params), strict=True), start=3):
            found.append(grad_undefined(self, k, p, f"{self.no_slope[0].upper()}{self.no_slope[1:]}.") if slope is None
                         else nt.cast(nt.sum_to_like(g * slope, p), dtypes.gradient_dtype(p.type.dtype)))
        return [*apart, *found]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Draws move with parameters; nothing moves with a state, and no state with a number."""
        return [[False, k >= 3] for k in range(len(node.inputs))]

    def expression(self, node: Apply, arguments: Sequence[Written]) -> Written:
        """normal(0, sigma, size=(3,))"""
        size = node.inputs[1]
        lengths = lengths_of_size(size) if size.type.shape[0] else []
        known = all(static_length(n) is not None for n in lengths)
        shape = tuple_of([str(static_length(n)) for n in lengths]) if known else arguments[1].text
        return call(self.name, *arguments[3:], size=shape if lengths else None)


unbatched(RandomVariable, "a generator gives one stream of draws, not one for each element of a batch; draw with a "
                          "larger size=, or broadcast the parameters before they are drawn with")
