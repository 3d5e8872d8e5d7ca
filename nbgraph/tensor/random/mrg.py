"""MRG_RandomStream: random variables from streams of MRG31k3p, in tensors of integers as state.

    stream = MRG_RandomStream(seed=12345)
    x = stream.uniform((2, 3))            stream.normal(size, avg, std), binomial, multinomial, choice: `size` first

States are ordinary tensors, which pickle and copy as arrays do. Where bits of NumPy are wanted, or other distributions,
take a RandomStream.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import ArgumentError, DTypeError, ShapeError, ValueDomainError
from nbgraph.graph.basic import Apply
from nbgraph.graph.null_type import DisconnectedType
from nbgraph.graph.op import Op
from nbgraph.graph.source import user_line
from nbgraph.tensor import dtypes
from nbgraph.tensor.batching import unbatched
from nbgraph.tensor.random.mrg_steps import VARIABLE, as_uniform, checked_seed, jumped, stepped, substreams
from nbgraph.tensor.random.sizes import lengths_of_size, normalize_size_param
from nbgraph.tensor.random.var import shared_state
from nbgraph.tensor.shape import static_length
from nbgraph.tensor.type import tensor_type

# As many streams as numbers, at most: more make longer loops of fewer steps, and larger states.
MOST_STREAMS = 1024


class MRGUniform(Op):
    """Inputs (states, size): draws of uniform numbers in C order from the streams in turn, and the states after them.

    Element i is draw i // n of stream i % n of the n streams.
    """

    __props__ = ("dtype",)
    default_output = 1
    uses_up = (0,)

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def __str__(self) -> str:
        return "mrg_uniform"

    def make_node(self, states: Any, size: Any) -> Apply:
        states, size = nt.as_tensor_variable(states), normalize_size_param(size)
        if states.type.dtype != "int64" or states.type.ndim != 2:
            raise DTypeError(self, f"states are int64[n, 6], got {states} of type {states.type}", line=user_line(),
                             states=states, fix="take those of MRG_RandomStream")
        shape = tuple(static_length(n) for n in lengths_of_size(size))
        return Apply(self, [states, size], [states.type(), tensor_type(self.dtype, shape)()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        states, size = inputs
        shape = tuple(int(n) for n in size)
        if min(shape, default=0) < 0:
            raise negative_size_error(node, shape)
        count = math.prod(shape)
        after, drawn = stepped(states, -(-count // len(states)))
        output_storage[0][0] = after
        output_storage[1][0] = as_uniform(drawn.reshape(-1)[:count], self.dtype).reshape(shape)

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [tuple(shapes[0]), tuple(lengths_of_size(node.inputs[1]))]

    def do_constant_folding(self, fgraph: Any, node: Apply) -> bool:
        """False: draws are made in every call."""
        return False

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """No number moves with a state."""
        return [[False, False], [False, False]]

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> list[Any]:
        return [DisconnectedType()() for _ in inputs]

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> list[Any]:
        """Nothing moves."""
        return [None, None]


def negative_size_error(node: Apply, shape: Sequence[int]) -> ShapeError:
    """The error for a size with a negative length, at run time."""
    return ShapeError(node.op, f"negative dimensions are not allowed: {tuple(shape)}", line=node.line,
                      fix="lengths are >= 0")


unbatched(MRGUniform, "its streams give one array of draws, not one for each element of a batch; draw with a larger "
                      "size=")


class MRG_RandomStream:
    """A source of random variables from MRG31k3p.

    Parameters
    ----------
    seed : int, or six of them    see `mrg_steps.checked_seed`

    Attributes
    ----------
    rstate : int64[6]             the state that the next variable begins with
    state_updates : list of (shared states, their next)    one for each random variable, in their order
    """

    def __init__(self, seed: Any = 12345) -> None:
        self.default_instance_seed = seed
        self.state_updates: list[tuple[Any, Any]] = []
        self.rstate = self._seeded(seed)

    @staticmethod
    def _seeded(seed: Any) -> np.ndarray:
        try:
            return checked_seed(seed)
        except ValueError as error:
            raise ValueDomainError("MRG_RandomStream", str(error), line=user_line(), fix="seed=12345 will do") from None

    def seed(self, seed: Any = None) -> None:
        """Give each variable the states that it would have in a new stream of this seed; None: the first seed."""
        self.rstate = self._seeded(self.default_instance_seed if seed is None else seed)
        for states, _ in self.state_updates:
            states.set_value(self.get_substream_rstates(len(states.get_value(borrow=True))), borrow=True)

    def inc_rstate(self) -> None:
        """Move on 2**134 steps, to where another variable begins."""
        self.rstate = jumped(self.rstate, VARIABLE)

    def get_substream_rstates(self, n_streams: int, inc_rstate: bool = True) -> np.ndarray:
        """The states of so many streams, 2**72 steps apart: int64[n_streams, 6]."""
        found = substreams(self.rstate, n_streams)
        if inc_rstate:
            self.inc_rstate()
        return found

    def updates(self) -> list[tuple[Any, Any]]:
        """(states, next states) of each variable, as function(updates=…) takes it."""
        return list(self.state_updates)

    def uniform(self, size: Any, low: Any = 0.0, high: Any = 1.0, ndim: int | None = None, dtype: Any = None,
                nstreams: int | None = None) -> Any:
        """low + (high - low) u, u from 2**-31 to 1 - 2**-31.

        Parameters
        ----------
        size : int, tuple of ints and int scalars, int vector
        low, high : numbers or tensors that broadcast to `size`
        ndim : int, optional       the number of axes of `size`
        dtype : str, optional      config.floatX unless given
        nstreams : int, optional   how many streams the numbers are taken from in turn
        """
        lengths = self._size("uniform", size, ndim)
        u = self._unit(lengths, self._float("uniform", dtype), nstreams)
        if (low, high) == (0.0, 1.0):
            return u
        low, high = (nt.cast(nt.as_tensor_variable(v), u.type.dtype) for v in (low, high))
        return low + (high - low) * u

    def normal(self, size: Any, avg: Any = 0.0, std: Any = 1.0, ndim: int | None = None, dtype: Any = None,
               nstreams: int | None = None) -> Any:
        """avg + std z, z standard normal by Box and Muller's formula; other arguments as for uniform."""
        lengths = lengths_of_size(self._size("normal", size, ndim))
        kind = self._float("normal", dtype)
        count = nt.product_of_lengths(lengths)
        half = nt.length_quotient(count + 1, 2)
        half = nt.constant((known + 1) // 2, dtype="int64") if (known := static_length(count)) is not None else half
        u = self._unit(normalize_size_param((2, half)), kind, nstreams)
        radius, angle = nt.sqrt(-2 * nt.log(u[0])), (2 * math.pi) * u[1]
        z = nt.concatenate([radius * nt.cos(angle), radius * nt.sin(angle)])[:count]
        z = nt.reshape(z, tuple(lengths), ndim=len(lengths)) if len(lengths) != 1 else z
        if (avg, std) == (0.0, 1.0):
            return z
        avg, std = (nt.cast(nt.as_tensor_variable(v), kind) for v in (avg, std))
        return avg + std * z

    def binomial(self, size: Any = None, n: int = 1, p: Any = 0.5, ndim: int | None = None, dtype: Any = "int64",
                 nstreams: int | None = None) -> Any:
        """How many of n trials succeed: so many numbers of uniform less than p; `size` is that of p unless given."""
        p = nt.as_tensor_variable(p)
        lengths = lengths_of_size(self._size("binomial", tuple(nt.lengths_of(p)) if size is None else size, ndim))
        if not isinstance(n, (int, np.integer)) or n < 0:
            raise ArgumentError("binomial", f"n must be an int >= 0 that is known when the graph is built, got {n!r}",
                                line=user_line(), fix="RandomStream.binomial takes symbolic n")
        u = self._unit(normalize_size_param((int(n), *lengths)), "float64", nstreams)
        return nt.sum(nt.lt(u, p), axis=0).astype(nt.config.floatX if dtype == "floatX" else dtype)

    def multinomial(self, size: Any = None, n: int = 1, pvals: Any = None, ndim: int | None = None,
                    dtype: Any = "int64", nstreams: int | None = None) -> Any:
        """How many of n trials come out as k, with probability pvals[row, k]: a row for each row of pvals."""
        pvals = nt.as_tensor_variable(pvals)
        if pvals.type.ndim != 2 or size is not None:
            raise ShapeError("multinomial", "takes a matrix of probabilities, a row for each draw, and no size",
                             line=user_line(), pvals=pvals, fix="RandomStream.multinomial takes both")
        rows, outcomes = nt.lengths_of(pvals)
        u = self._unit(normalize_size_param((rows, int(n))), "float64", nstreams)
        which = self._outcomes(nt.cast(pvals, "float64"), u)
        counts = nt.sum(nt.eq(which[:, :, None], nt.arange(outcomes)), axis=1)
        return counts.astype(nt.config.floatX if dtype == "floatX" else dtype)

    def choice(self, size: Any = 1, a: Any = None, replace: bool = True, p: Any = None, ndim: int | None = None,
               dtype: Any = "int64", nstreams: int | None = None) -> Any:
        """Integers 0, 1, … a - 1, or elements of the vector a, each as likely as another, or by p; with replacement."""
        if not replace:
            raise ArgumentError("choice", "draws with replacement alone", line=user_line(),
                                fix="RandomStream.choice(a, size, replace=False) draws without")
        u = self._unit(self._size("choice", size, ndim), "float64", nstreams)
        population = nt.as_tensor_variable(a)
        count = nt.lengths_of(population)[0] if population.type.ndim else nt.cast(population, "int64")
        if p is None:
            which = nt.cast(nt.floor(u * nt.cast(count, "float64")), "int64")
        else:
            flat = nt.reshape(u, (1, -1)) if u.type.ndim else nt.reshape(u, (1, 1))
            which = self._outcomes(nt.cast(nt.as_tensor_variable(p), "float64")[None, :], flat)
            which = nt.reshape(which, tuple(nt.lengths_of(u)), ndim=u.type.ndim)
        return population[which] if population.type.ndim else which.astype(dtype)

    @staticmethod
    def _outcomes(pvals: Any, u: Any) -> Any:
        """The first outcome whose sum of probabilities is more than u: int64[rows, n] for (rows, k) and (rows, n)."""
        sums = nt.cumsum(pvals, axis=1)[:, :-1]
        return nt.sum(nt.le(sums[:, None, :], u[:, :, None]), axis=2, dtype="int64")

    def _unit(self, size: Any, dtype: str, nstreams: int | None) -> Any:
        """Uniform numbers of a new variable."""
        known = [static_length(n) for n in lengths_of_size(size)]
        whole = MOST_STREAMS if None in known else math.prod(n for n in known if n is not None)
        streams = nstreams or max(1, min(MOST_STREAMS, whole))
        states = shared_state(self.get_substream_rstates(streams), f"mrg_{len(self.state_updates)}")
        after, drawn = MRGUniform(dtype).make_node(states, size).outputs
        states.default_update = after
        self.state_updates.append((states, after))
        return drawn

    @staticmethod
    def _size(name: str, size: Any, ndim: int | None) -> Any:
        if hasattr(size, "type") and size.type.ndim == 1 and size.type.shape[0] is None and ndim is not None:
            size = nt.specify_shape(size, (ndim,))
        lengths = normalize_size_param(size)
        if ndim is not None and lengths.type.shape[0] != ndim:
            raise ShapeError(name, f"ndim is {ndim}, size has {lengths.type.shape[0]} entries", line=user_line(),
                             fix="leave ndim out")
        return lengths

    @staticmethod
    def _float(name: str, dtype: Any) -> str:
        kind = nt.config.floatX if dtype in (None, "floatX") else dtypes.canonical(dtype)
        if kind not in dtypes.FLOATS:
            raise DTypeError(name, f"its draws are real numbers, which {kind} does not hold", line=user_line(),
                             fix="take float32 or float64")
        return kind


MRG_RandomStreams = MRG_RandomStream
