"""Random graphs over all tensor functions, with values at which every node is defined.

    graph = random_graph(seed)      graph.inputs, graph.outputs, graph.gradients; graph.worlds[k].arguments, .expected

A graph grows node by node (what can be added is in `graph_moves`). It lives in two worlds: arguments of other values,
and where lengths are unknown of other lengths. In each world it is evaluated in reference mode, once as it is and a
few times with noise of some units in the last place on every operation that rounds. What is not finite, too large, or
changes much with the noise (a comparison of nearly equal numbers, a cancellation) is not let in. The spread that the
noise leaves is how far a correct evaluation in another order may be away: the tolerance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import NbgraphError
from nbgraph.gradient import grad
from nbgraph.graph.basic import Apply, Constant
from nbgraph.graph.evaluate import perform_checked, value_of
from nbgraph.graph.traversal import toposort
from nbgraph.tensor import dtypes
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.indexing_advanced import AdvancedSubtensor
from nbgraph.tensor.indexing_basic import Subtensor
from nbgraph.tensor.indexing_update import AdvancedIncSubtensor, IncSubtensor
from nbgraph.tensor.join import Join
from nbgraph.tensor.reduction import Reduce
from nbgraph.tensor.shape import ViewOp

WORLDS = 2
NOISY = 3            # noisy evaluations of each world
NOISE = 4.0          # their amplitude, in units in the last place
LARGEST = 1e4        # larger values are not let in
MOST_ELEMENTS = 400
# How far noise may move a value in proportion to the largest in its array: beyond, it is a cancellation.
CONDITION = {"float64": 1e-9, "complex128": 1e-9, "float32": 2e-3, "complex64": 2e-3}
# What a value may differ: so many times what noise moved it, and so many units in the last place.
SPREADS, ULPS = 8.0, 8.0
# Elementwise functions that give a number as it is, or a whole one: no rounding.
EXACT = {"neg", "abs", "sign", "floor", "ceil", "trunc", "round_half_to_even", "round_half_away_from_zero", "maximum",
         "minimum", "clip", "switch", "real", "imag", "conj", "complex"}
# Functions that are as good as an argument moved by a rounding, and no better near their zeros.
BACKWARD = {"gammaln", "digamma", "polygamma"}

Runs = list[np.ndarray]
Sizes = tuple[int, ...]


class Refused(Exception):
    """This addition to the graph can't be made here."""


@dataclass
class World:
    """Arguments, and what reference mode makes of them.

    expected, tolerance : for each output and then each gradient
    """

    arguments: list[np.ndarray]
    expected: Runs = field(default_factory=list)
    tolerance: Runs = field(default_factory=list)


@dataclass
class RandomGraph:
    """A graph that has grown.

    Attributes
    ----------
    results : outputs and gradients      of `cost` with respect to the variables of `wrt`
    used : names of the tensor functions in it
    smooth : bool                        the gradient is what finite differences give
    noise : float                        how far noise moves `cost`
    """

    seed: int
    inputs: list[Any]
    outputs: list[Any]
    cost: Any
    wrt: list[Any]
    gradients: list[Any]
    worlds: list[World]
    used: Counter[str]
    smooth: bool
    noise: float

    @property
    def results(self) -> list[Any]:
        """What is compared."""
        return [*self.outputs, *self.gradients]

    def __str__(self) -> str:
        return f"seed {self.seed}\n{listing(self.inputs, self.results)}"


def listing(inputs: Sequence[Any], outputs: Sequence[Any]) -> str:
    """The graph, a line for each node."""
    names: dict[Any, str] = {v: f"x{i}" for i, v in enumerate(inputs)}
    lines = [f"{names[v]}: {v.type}" for v in inputs]
    for node in toposort(outputs, stop=inputs):
        for v in node.outputs:
            names[v] = f"n{len(names) - len(inputs)}"
        arguments = ", ".join(names.get(v) or str(v) for v in node.inputs)
        lines.append(f"{', '.join(f'{names[v]}: {v.type}' for v in node.outputs)} = {node.op}({arguments})")
    return "\n".join([*lines, f"return {', '.join(names.get(v) or str(v) for v in outputs)}"])


# Noise ---------------------------------------------------------------------------------------------------------------

def _shaken(rng: Any, x: np.ndarray, working: str) -> np.ndarray:
    """x, moved by at most NOISE units in the last place of the dtype that is worked in, or of its own."""
    eps = max(np.finfo(dtype).eps for dtype in (x.dtype, working))
    scale = NOISE * eps * np.abs(x)
    moved = x + scale * rng.uniform(-1, 1, x.shape)
    if np.iscomplexobj(x):
        moved = moved + 1j * scale * rng.uniform(-1, 1, x.shape)
    return np.asarray(moved, x.dtype)


def _rounds(node: Apply) -> bool:
    """True where the result of a node is rounded."""
    op, out = node.op, node.outputs[0].type.dtype
    if out not in dtypes.CONTINUOUS:
        return False
    if isinstance(op, Elemwise):
        name, given = op.function.name, node.inputs[0].type.dtype
        if name.startswith("cast_"):
            return not np.can_cast(given, out) and given not in dtypes.DISCRETE
        return name not in EXACT or (name in ("abs", "sign") and given in dtypes.COMPLEX)
    if isinstance(op, Reduce):
        return op.kind in ("sum", "prod")
    return not isinstance(op, (ViewOp, Subtensor, AdvancedSubtensor, Join)) and (
        not isinstance(op, (IncSubtensor, AdvancedIncSubtensor)) or not op.set_instead_of_inc)


def noisy_perform(node: Apply, arguments: Sequence[Any], rng: Any) -> list[Any]:
    """What `perform` gives, every rounding done a little differently; sums find their terms a little different, too."""
    if not _rounds(node):
        return perform_checked(node, arguments)
    working = getattr(node.op, "acc_dtype", node.outputs[0].type.dtype)
    working = working if working in dtypes.CONTINUOUS else "float64"
    if not isinstance(node.op, Elemwise) or node.op.function.name in BACKWARD:
        arguments = [_shaken(rng, x, working) if x.dtype.kind in "fc" else x for x in arguments]
    return [_shaken(rng, x, working) for x in perform_checked(node, arguments)]


def evaluate_all(nodes: Sequence[Apply], known: dict[Any, Any], rng: Any) -> None:
    """Add the values of all outputs of `nodes` to `known`; exact where there is no `rng`."""
    with np.errstate(all="ignore"):
        for node in nodes:
            arguments = [value_of(v, known) for v in node.inputs]
            made = perform_checked(node, arguments) if rng is None else noisy_perform(node, arguments, rng)
            known.update(zip(node.outputs, made, strict=True))


def spread_of(runs: Runs) -> np.ndarray:
    """How far noise moved each element: runs[0] is without."""
    with np.errstate(all="ignore"):
        return np.max([np.abs(noisy - runs[0]) for noisy in runs[1:]], axis=0)


def is_defined(runs: Runs) -> bool:
    """True where values are finite and of moderate size, and noise changes no integer and no number much."""
    exact = runs[0]
    if any(noisy.shape != exact.shape for noisy in runs):
        return False
    if exact.dtype.kind not in "fc":
        return all(np.array_equal(noisy, exact) for noisy in runs)
    if not all(np.isfinite(noisy).all() for noisy in runs):
        return False
    size, moved = np.max(np.abs(exact), initial=0.0), np.max(spread_of(runs), initial=0.0)
    return bool(size <= LARGEST and moved <= CONDITION[exact.dtype.name] * max(size, 1e-3))


def tolerance_of(runs: Runs) -> np.ndarray:
    """What each element of a correct result may differ from runs[0]: nothing where it is an integer."""
    exact = runs[0]
    if exact.dtype.kind not in "fc":
        return np.zeros(exact.shape)
    limits = np.finfo(exact.dtype)
    return SPREADS * spread_of(runs) + ULPS * limits.eps * np.abs(exact) + float(limits.tiny)


# Growth --------------------------------------------------------------------------------------------------------------

class Recorder:
    """`nbgraph.tensor`, noting the names that are used."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.names.append(name)
        return getattr(nt, name)


class Grower:
    """A graph while it grows, and the values of all its variables in all runs of all worlds.

    Attributes
    ----------
    pool : variables that further nodes may read
    lengths : for each kind of axis its length in each world
    """

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.tensor = Recorder()
        self.inputs: list[Any] = []
        self.pool: list[Any] = []
        self.used: Counter[str] = Counter()
        self.smooth = True
        self._known: list[dict[Any, Any]] = [{} for _ in range(WORLDS * (1 + NOISY))]
        fixed = [(int(n), int(n)) for n in self.rng.integers(1, 6, 2)]
        free = [(int(self.rng.integers(1, 6)), int(self.rng.integers(1, 7))) for _ in range(2)]
        if self.chance(0.06):
            free[1] = (free[1][0], 0)
        self.lengths: list[Sizes] = [*fixed, *free, *([(1, 1)] if self.chance(0.5) else [])]

    # Choices
    def chance(self, p: float) -> bool:
        """True with probability p."""
        return bool(self.rng.random() < p)

    def choose(self, options: Sequence[Any]) -> Any:
        """One of the options."""
        return options[int(self.rng.integers(len(options)))]

    def integer(self, low: int, high: int) -> int:
        """low <= n < high"""
        return int(self.rng.integers(low, high))

    # Values
    def runs(self, v: Any, world: int) -> Runs:
        """The value in a world, without noise and then with."""
        first = world * (1 + NOISY)
        return [value_of(v, known) for known in self._known[first:first + 1 + NOISY]]

    def exact(self, v: Any) -> Runs:
        """The value in each world, without noise."""
        return [value_of(v, self._known[world * (1 + NOISY)]) for world in range(WORLDS)]

    def sizes(self, v: Any) -> list[Sizes]:
        """For each axis its length in each world."""
        return list(zip(*(x.shape for x in self.exact(v)), strict=True))

    def has(self, v: Any) -> bool:
        """True where the values of v are known."""
        return isinstance(v, Constant) or v in self._known[0]

    # Leaves
    def leaf(self, dtype: str, sizes: Sequence[Sizes], low: Any = None, high: Any = None) -> Any:
        """A new input with these lengths in each world; integers of [low, high), floats of (-2, 2)."""
        if len(self.inputs) >= 8:
            raise Refused("enough inputs")
        shape = [n[0] if len(set(n)) == 1 and self.chance(0.4 if n[0] != 1 else 0.8) else None for n in sizes]
        name = self.choose([None, "x", "y", "w", "b", "alpha", "x 1", "lambda", "v0", "np", "n", "i", "out", "exp"])
        v = nt.tensor(name, dtype=dtype, shape=shape)
        for world in range(WORLDS):
            value = self._draw(dtype, [n[world] for n in sizes], low, high)
            for known in self._known[world * (1 + NOISY):(world + 1) * (1 + NOISY)]:
                known[v] = value
        self.inputs.append(v)
        self.pool.append(v)
        return v

    def _draw(self, dtype: str, shape: Sequence[int], low: Any, high: Any) -> np.ndarray:
        if dtype == "bool":
            return np.asarray(self.rng.random(shape) < 0.5)
        if dtype in dtypes.INTEGERS:
            bottom = (0 if dtype in dtypes.UNSIGNED else -5) if low is None else low
            return np.asarray(self.rng.integers(bottom, 7 if high is None else high, shape), dtype)
        value = self.rng.uniform(-2, 2, shape)
        return np.asarray(value + 1j * self.rng.uniform(-2, 2, shape) if dtype in dtypes.COMPLEX else value, dtype)

    # Nodes
    def admit(self, made: Any) -> Any:
        """Let a variable (or several) into the graph.

        Raises
        ------
        Refused   a value on the way there is not defined
        """
        several = list(made) if isinstance(made, (list, tuple)) else [made]
        nodes = toposort([v for v in several if not self.has(v)], stop=[*self._known[0]])
        found: list[dict[Any, Any]] = []
        for run, known in enumerate(self._known):
            local = _Layered(known)
            try:
                evaluate_all(nodes, local, self.rng if run % (1 + NOISY) else None)
            except NbgraphError as error:
                raise Refused(str(error)) from None
            found.append(local.own)
        for world in range(WORLDS):
            of_world = found[world * (1 + NOISY):(world + 1) * (1 + NOISY)]
            for v in of_world[0]:
                runs = [own[v] for own in of_world]
                if runs[0].size > MOST_ELEMENTS or runs[0].ndim > 5 or not is_defined(runs):
                    raise Refused(f"{v} is not defined")
        for known, own in zip(self._known, found, strict=True):
            known.update(own)
        self.pool += [v for v in several if not any(v is w for w in self.pool) and v.type.ndim <= 4]
        return made


class _Layered(dict[Any, Any]):
    """A dictionary on top of another one."""

    def __init__(self, base: dict[Any, Any]) -> None:
        super().__init__()
        self._base, self.own = base, self

    def __missing__(self, key: Any) -> Any:
        return self._base[key]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or key in self._base


def random_graph(seed: int) -> RandomGraph:
    """The graph of a seed: 3 to 40 additions, a few outputs, and gradients of a number made of the float outputs."""
    import tests.graph_indexing  # noqa: F401  (registers its moves)
    from tests.graph_moves import start, step

    g = Grower(seed)
    start(g)
    wanted = min(40, 2 + int(g.rng.geometric(0.18 if g.chance(0.95) else 0.05)))
    tries = 0
    while wanted and tries < 400:
        tries += 1
        wanted -= attempt(g, step)
    outputs = _outputs(g)
    cost, wrt, gradients = _gradients(g, outputs)
    inputs = list(g.inputs)
    results = [*outputs, *gradients]
    worlds = [World([value_of(x, g._known[world * (1 + NOISY)]) for x in inputs]) for world in range(WORLDS)]
    for number, world in enumerate(worlds):
        runs = [g.runs(v, number) for v in results]
        world.expected, world.tolerance = [r[0] for r in runs], [tolerance_of(r) for r in runs]
    noise = 0.0 if cost is None else float(tolerance_of(g.runs(cost, 0)))
    return RandomGraph(seed, inputs, outputs, cost, wrt, gradients, worlds, g.used, g.smooth, noise)


def attempt(g: Grower, step: Callable[[Grower], Any]) -> bool:
    """One addition; True where it was let in."""
    g.tensor.names.clear()
    try:
        made = step(g)
    except (Refused, NbgraphError, OverflowError):
        return False
    g.used.update(g.tensor.names)
    for v in made if isinstance(made, (list, tuple)) else [made]:
        if g.chance(0.15) and v.name is None and v.owner is not None:
            v.name = g.choose(["a", "a", "z", "total", "for", "v1", "p_1", "fused_0", "μ", "x.T", "empty"])
    return True


def _outputs(g: Grower) -> list[Any]:
    """What nothing reads, some of the rest, and now and then an input, a view, a constant or the same again."""
    read = {v for w in g.pool if w.owner is not None for node in toposort([w], stop=g.inputs) for v in node.inputs}
    ends = [v for v in g.pool if v.owner is not None and v not in read]
    found = [v for v in ends if g.chance(0.9)][-g.integer(2, 5):]
    inner = [v for v in g.pool if v.owner is not None and v in read]
    found += [g.choose(inner) for _ in range(g.integer(0, 2)) if inner]
    extra = [(0.06, lambda: g.choose(g.inputs)), (0.06, lambda: g.admit(g.choose(g.inputs).T)),
             (0.06, lambda: g.choose(found)), (0.05, lambda: nt.constant(g.choose([2.5, [1, 2], True]))),
             (0.06, lambda: g.admit(nt.flatten(g.choose(found))))]
    for p, make in extra:
        if g.chance(p) and (found or g.inputs):
            try:
                found.append(make())
            except (Refused, IndexError, ValueError):
                continue
    return found or [g.inputs[0]]


def _gradients(g: Grower, outputs: Sequence[Any]) -> tuple[Any, list[Any], list[Any]]:
    """A number made of the float outputs, and those of its gradients that are defined."""
    terms = [_weighted(g, v) for v in outputs if v.type.dtype in dtypes.CONTINUOUS]
    floats = [x for x in g.inputs if x.type.dtype in dtypes.CONTINUOUS]
    if not terms or not floats:
        return None, [], []
    cost = terms[0]
    for term in terms[1:]:
        cost = cost + term
    try:
        cost = g.admit(cost)
    except Refused:
        return None, [], []
    wrt, found = [], []
    for x, gradient in zip(floats, grad(cost, floats, disconnected_inputs="ignore"), strict=True):
        try:
            found.append(g.admit(gradient))
            wrt.append(x)
        except Refused:
            continue
    return cost, wrt, found


def _weighted(g: Grower, v: Any) -> Any:
    """The sum of the elements, or of their squares, or of weights times them: float64."""
    real = nt.real(v) + 0.5 * nt.imag(v) if v.type.dtype in dtypes.COMPLEX else v
    form = g.integer(0, 3)
    weighted = real if form == 0 else nt.square(real) if form == 1 else real * g.choose([0.25, -2, 3])
    return nt.cast(nt.sum(weighted), "float64")
