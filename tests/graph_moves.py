"""What a random graph can grow by: one function for each family of tensor functions.

    @move(weight=3)
    def reduction(g): ...      gives a new variable (or several) that was admitted, or raises Refused

`step` takes one of them at random, `start` makes the first inputs. Functions are called through `g.tensor`, which notes
their names, so that a test can see that all of them come up. Indexing is in `graph_indexing`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.errors import NbgraphError
from nbgraph.tensor import dtypes
from nbgraph.tensor.functions import ALIASES
from nbgraph.tensor.scalar_function import TABLE, ScalarFunction
from tests.graphs import Grower, Refused

Move = Callable[[Grower], Any]
MOVES: list[tuple[Move, float]] = []
KINDS = {"any": dtypes.ALL, "float": dtypes.FLOATS, "real": dtypes.DISCRETE + dtypes.FLOATS, "int": dtypes.INTEGERS,
         "inexact": dtypes.CONTINUOUS, "discrete": dtypes.DISCRETE, "bool": dtypes.BOOLS, "complex": dtypes.COMPLEX}
# How often dtypes are drawn: float64 most.
DRAWN = ("float64",) * 8 + ("float32",) * 4 + ("int64",) * 2 + ("bool", "complex128", "complex64", *dtypes.INTEGERS)
SPELLINGS: dict[str, list[str]] = {name: [name] for name in TABLE}
for _alias, _name in [*ALIASES.items(), ("where", "switch"), ("rint", "round_half_to_even")]:
    SPELLINGS[_name].append(_alias)


def move(weight: float) -> Callable[[Move], Move]:
    """Register what a graph can grow by."""
    def register(function: Move) -> Move:
        MOVES.append((function, weight))
        return function
    return register


def step(g: Grower) -> Any:
    """One addition to the graph."""
    weights = np.array([weight for _, weight in MOVES])
    made = MOVES[int(g.rng.choice(len(MOVES), p=weights / weights.sum()))][0](g)
    if isinstance(made, (list, tuple)):
        return [g.admit(v) for v in made]
    try:
        return g.admit(made)
    except Refused:
        return g.admit(tame(g, made))


def start(g: Grower) -> None:
    """The first inputs."""
    for _ in range(g.integer(1, 4)):
        new_leaf(g, ndim=int(g.choose([0, 1, 1, 2, 2, 2, 3, 4])))


# What moves are made of ----------------------------------------------------------------------------------------------

def new_leaf(g: Grower, kind: str = "any", ndim: int = 2) -> Any:
    """An input of a rank, its lengths among those of the graph."""
    dtype = g.choose([d for d in DRAWN if d in KINDS[kind]])
    return g.leaf(dtype, [g.choose(g.lengths) for _ in range(ndim)])


def pick(g: Grower, kind: str = "any", low: int = 0, high: int = 4, where: Callable[[Any], bool] | None = None) -> Any:
    """A variable of a kind and of low to high axes: one that is there, late ones first, or a new input."""
    fitting = [v for v in g.pool if v.type.dtype in KINDS[kind] and low <= v.type.ndim <= high
               and (where is None or where(v))]
    if fitting and not g.chance(0.05):
        return fitting[max(g.integer(0, len(fitting)), g.integer(0, len(fitting)))]
    if where is not None:
        raise Refused("nothing fits")
    return new_leaf(g, kind, g.integer(low, min(high, 3) + 1))


def constant_like(g: Grower, dtype: str, low: float = -2.0, high: float = 2.0, shape: Sequence[int] = ()) -> Any:
    """A constant of a dtype, its values in [low, high]."""
    if dtype == "bool":
        return nt.constant(g.rng.random(shape) < 0.5)
    if dtype in dtypes.INTEGERS:
        bottom = max(0, int(np.ceil(low))) if dtype in dtypes.UNSIGNED else int(np.ceil(low))
        return nt.constant(np.asarray(g.rng.integers(bottom, max(bottom, int(high)) + 1, shape), dtype))
    value = g.rng.uniform(low, high, shape)
    if g.chance(0.3):
        value = np.clip(np.round(value), low, high)
    return nt.constant(np.asarray(value + (0.5j if dtype in dtypes.COMPLEX else 0), dtype))


def broadcasts(g: Grower, x: Any, y: Any) -> bool:
    """True where x and y may be operands of one elementwise function, in every world."""
    sizes = zip(reversed(g.sizes(x)), reversed(g.sizes(y)), strict=False)
    known = zip(reversed(x.type.shape), reversed(y.type.shape), strict=False)
    return all(n == 1 or m == 1 or a == b for (a, b), (n, m) in zip(sizes, known, strict=True))


def mate(g: Grower, x: Any, kind: str = "any") -> Any:
    """Something that broadcasts with x."""
    if g.chance(0.75):
        fitting = [v for v in g.pool if v.type.dtype in KINDS[kind] and broadcasts(g, x, v)]
        if fitting:
            return g.choose(fitting)
    dtype = x.type.dtype if x.type.dtype in KINDS[kind] and g.chance(0.6) else g.choose(
        [d for d in DRAWN if d in KINDS[kind]])
    sizes = g.sizes(x)
    if g.chance(0.5) and len(g.inputs) < 7:
        kept = sizes[g.integer(0, len(sizes) + 1):]
        return g.leaf(dtype, [(1, 1) if g.chance(0.15) else n for n in kept])
    fixed = [n[0] for n in sizes] if all(len(set(n)) == 1 for n in sizes) and g.chance(0.4) else []
    return constant_like(g, dtype, shape=fixed)


def inside(g: Grower, x: Any, low: float, high: float) -> Any:
    """x where its values are in [low, high], else a function of x that is there."""
    values = g.exact(x) if g.has(x) else []
    if values and x.type.dtype not in dtypes.COMPLEX and all(((v >= low) & (v <= high)).all() for v in values):
        return x
    if x.type.dtype in dtypes.COMPLEX:
        return inside(g, g.admit(nt.real(x)), low, high)
    if x.type.dtype in dtypes.DISCRETE:
        whole = nt.cast(x, "int64") if x.type.dtype == "bool" or low < 0 else x
        span = max(1, int(np.floor(high)) - int(np.ceil(low)) + 1)
        return nt.mod(whole, span) + int(np.ceil(low))
    middle, half = (low + high) / 2, (high - low) / 2
    form = g.integer(0, 3)
    curve = nt.sin(x) if form == 0 else nt.tanh(x) if form == 1 else None
    return nt.clip(x, low, high) if curve is None else middle + 0.99 * half * curve


def tame(g: Grower, x: Any) -> Any:
    """A moderate function of x."""
    if x.type.dtype in dtypes.COMPLEX:
        return x / (1 + nt.abs(x))
    if x.type.dtype in dtypes.FLOATS:
        return g.choose([lambda: nt.tanh(0.01 * x), lambda: x / (1 + nt.abs(x)), lambda: nt.clip(x, -3, 3)])()
    raise Refused("nothing helps")


def cast_to(g: Grower, x: Any, dtype: str) -> Any:
    """x as another dtype, moved to where the conversion is defined."""
    if x.type.dtype == dtype:
        return x
    if x.type.dtype in dtypes.COMPLEX and dtype not in (*dtypes.COMPLEX, "bool"):
        x = g.admit(g.tensor.real(x))
    if x.type.dtype in dtypes.FLOATS and dtype in dtypes.INTEGERS:
        x = g.admit(inside(g, x, 0.0 if dtype in dtypes.UNSIGNED else -9.0, 9.0))
    return g.choose([lambda: g.tensor.cast(x, dtype), lambda: x.astype(dtype)])()


# Elementwise ---------------------------------------------------------------------------------------------------------

@move(18)
def row(g: Grower) -> Any:
    """A row of the scalar table, by one of its names; operands are moved into its domain where they must be."""
    function = TABLE[g.choose(list(TABLE))]
    operands = _operands(g, function)
    apply = getattr(g.tensor, g.choose(SPELLINGS[function.name]))
    safe = function.name.startswith("cast_") or function.name.endswith("_shift")
    for adapt in ([True] if safe else [False, True]):
        try:
            taken = [_weak_or_inside(g, x, *d) if adapt else x for x, d in zip(operands, function.domain, strict=True)]
            return g.admit(apply(*(taken if function.name != "polygamma" else [g.integer(1, 4), taken[1]])))
        except (Refused, NbgraphError, OverflowError):
            continue
    raise Refused(function.name)


def _operands(g: Grower, function: ScalarFunction) -> list[Any]:
    bits = function.kernel in ("&", "|", "^", "invert") or function.name.endswith("_shift")
    real = function.name in ("complex", "floor_divide", "mod", "arctan2", "logaddexp", "polygamma", "clip")
    kind = "discrete" if bits else "real" if real or g.chance(0.6) else "any"
    if function.expensive and function.nin == 1 and g.chance(0.7):
        kind = "inexact"
    found = [pick(g, kind)]
    for _ in range(function.nin - 1):
        partner = found[0] if g.chance(0.1) else mate(g, found[g.integer(0, len(found))], kind)
        if not all(broadcasts(g, v, partner) for v in found if hasattr(v, "type")):
            raise Refused("these do not broadcast")
        found.append(partner)
    if function.nin > 1 and g.chance(0.2):
        low, high = function.domain[-1]
        found[-1] = g.integer(int(np.ceil(low)), int(high) + 1) if bits or g.chance(0.5) else float(
            g.rng.uniform(low, high))
    return found


def _weak_or_inside(g: Grower, x: Any, low: float, high: float) -> Any:
    return inside(g, x, low, high) if hasattr(x, "type") else x


OPERATORS: list[Callable[[Any, Any], Any]] = [
    lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / (2 + y * y), lambda x, y: x + 1,
    lambda x, y: 2.5 * x, lambda x, y: 1 - x, lambda x, y: x ** 2, lambda x, y: -x, lambda x, y: abs(x),
    lambda x, y: (x > y) & (y > 0), lambda x, y: ~(x <= y), lambda x, y: x // 2, lambda x, y: x % 3,
    lambda x, y: x * (y > 0), lambda x, y: divmod(x, 3)[1], lambda x, y: x * 1 + 0, lambda x, y: x - x + y,
    lambda x, y: (x + y) - y, lambda x, y: x * y / (1 + abs(y)), lambda x, y: x.clip(-1, 1), lambda x, y: 7 // (x + 9),
    lambda x, y: x.copy(), lambda x, y: x.conj(), lambda x, y: x.real + y.imag, lambda x, y: x.round(),
    lambda x, y: 1 / (1 + x * x), lambda x, y: x * 0, lambda x, y: x + x, lambda x, y: x * x * x]
PLAIN: list[Callable[[Any, Any], Any]] = [
    lambda x, y: nt.log(1 + nt.exp(x)), lambda x, y: 1 / (1 + nt.exp(-x)), lambda x, y: nt.exp(x) - 1,
    lambda x, y: nt.log(nt.sigmoid(x)), lambda x, y: 1 - nt.sigmoid(x), lambda x, y: nt.log(1 - nt.sigmoid(x)),
    lambda x, y: nt.exp(x) / nt.sum(nt.exp(x)), lambda x, y: nt.log(nt.sum(nt.exp(x))), lambda x, y: nt.exp(nt.log(
        1 + x * x)), lambda x, y: x * nt.exp(-y) * nt.sigmoid(y), lambda x, y: nt.sqrt(x * x + 1),
    lambda x, y: nt.log(nt.exp(x) + nt.exp(y)), lambda x, y: (x - nt.mean(x)) / (1 + nt.std(x)),
    lambda x, y: nt.sum(x * y) + nt.sum(x), lambda x, y: -0.5 * nt.square(x - y) - nt.log(1 + nt.abs(y)),
    lambda x, y: nt.switch(x > 0, x, 0.1 * y), lambda x, y: nt.log1p(-nt.exp(-1 - nt.abs(x))),
    lambda x, y: nt.sin(x) ** 2 + nt.cos(x) ** 2, lambda x, y: nt.log(x * x + 1) - nt.log(y * y + 1),
    lambda x, y: nt.zeros_like(x) + y, lambda x, y: nt.fill(x, nt.sum(x)) * x, lambda x, y: x.T.T + 0 * y]


@move(6)
def operators(g: Grower) -> Any:
    """Python's operators and methods on variables."""
    x = pick(g, g.choose(["any", "real"]))
    return g.choose(OPERATORS)(x, mate(g, x, "real"))


@move(4)
def plain_spelling(g: Grower) -> Any:
    """What rewriting looks for, and has to leave right."""
    x = pick(g, "float")
    return g.choose(PLAIN)(x, mate(g, x, "float"))


@move(2)
def conversion(g: Grower) -> Any:
    """cast, round, isclose, allclose, tensor_copy, relu, constants."""
    x, y = pick(g), None
    t = g.tensor
    form = g.integer(0, 8)
    if form < 3:
        return cast_to(g, x, g.choose(dtypes.ALL))
    if form == 3:
        x = pick(g, "real")
        return g.choose([lambda: t.round(x, "half_to_even"), lambda: t.round(x, "half_away_from_zero"),
                         lambda: t.round(x, 1), lambda: t.around(x, -1)])()
    if form == 4:
        x = pick(g, "inexact")
        y = mate(g, x, "inexact")
        return g.choose([t.isclose, t.allclose])(x, g.choose([x + 1e-7, y]), rtol=1e-4, equal_nan=g.chance(0.5))
    if form == 5:
        return g.choose([t.tensor_copy(x), t.as_tensor_variable([[1.5, 2], [3, 4]]), t.unbroadcast(x, 0)])
    x = pick(g, "float")
    return t.relu(x, *g.choose([(), (0.1,), (mate(g, x, "float"),)]))


@move(1)
def constants(g: Grower) -> Any:
    """A constant of some dtype and shape, used."""
    dtype = g.choose(dtypes.ALL)
    shape = [int(n) for n in g.rng.integers(1, 4, g.integer(0, 4))]
    v = constant_like(g, dtype, -9, 9, shape)
    return v if g.chance(0.3) else v + mate(g, v, "real")


# Reductions ----------------------------------------------------------------------------------------------------------

def some_axes(g: Grower, x: Any) -> Any:
    """None, an axis, or several."""
    ndim = x.type.ndim
    if ndim == 0 or g.chance(0.25):
        return None
    if g.chance(0.55):
        return g.integer(-ndim, ndim)
    return tuple(int(a) for a in g.rng.permutation(ndim)[:g.integer(0 if g.chance(0.1) else 1, ndim + 1)])


@move(8)
def reduction(g: Grower) -> Any:
    """Numbers over some axes."""
    name = g.choose(["sum", "sum", "sum", "prod", "max", "min", "amax", "amin", "all", "any", "mean", "var", "std",
                     "argmax", "argmin", "ptp", "norm", "max_and_argmax", "logsumexp"])
    x = pick(g, "float" if name == "logsumexp" else "any" if g.chance(0.4) else "real", 0 if g.chance(0.1) else 1)
    options: dict[str, Any] = {"keepdims": True} if g.chance(0.35) else {}
    if name in ("sum", "prod", "mean") and g.chance(0.35):
        wanted = "complex" if x.type.dtype in dtypes.COMPLEX else "real" if name != "mean" else "float"
        options[g.choose(["dtype", "acc_dtype"])] = g.choose(KINDS[wanted])
        if x.type.dtype in dtypes.FLOATS:
            x = g.admit(inside(g, x, 0, 3))
    if name in ("var", "std") and g.chance(0.4):
        options["ddof"] = 1
    if name == "norm":
        options["L"] = g.choose([1, 2, np.inf, -np.inf, 0, 3])
    if name == "ptp" and x.type.dtype == "bool":
        x = g.admit(x.astype("int8"))
    return getattr(g.tensor, name)(x, axis=some_axes(g, x), **options)


@move(3)
def running(g: Grower) -> Any:
    """cumsum, cumprod, softmax, log_softmax."""
    name = g.choose(["cumsum", "cumprod", "softmax", "log_softmax"])
    x = pick(g, "float" if "softmax" in name else "any", 1)
    axis = some_axes(g, x) if "softmax" in name else g.choose([None, g.integer(-x.type.ndim, x.type.ndim)])
    return getattr(g.tensor, name)(x, axis)


# Shapes --------------------------------------------------------------------------------------------------------------

@move(8)
def arrangement(g: Grower) -> Any:
    """Axes in another order, more of them or fewer."""
    x, t = pick(g, "any", 0 if g.chance(0.15) else 1), g.tensor
    n = x.type.ndim
    order = [int(a) for a in g.rng.permutation(n)]
    forms = {
        "transpose": lambda: g.choose([t.transpose(x), t.transpose(x, order), x.T, x.transpose(*order)]),
        "dimshuffle": lambda: t.dimshuffle(x, *_with_new_axes(g, order)),
        "swapaxes": lambda: t.swapaxes(x, g.integer(-n, n), g.integer(0, n)),
        "moveaxis": lambda: t.moveaxis(x, g.integer(-n, n), g.integer(0, n)),
        "expand_dims": lambda: t.expand_dims(x, g.choose([0, -1, (0, -1), g.integer(0, n + 1)])),
        "squeeze": lambda: t.squeeze(x, *_short_axes(g, x)),
        "pad": lambda: g.choose([t.shape_padleft(x), t.shape_padright(x, 1), t.shape_padaxis(x, g.integer(0, n + 1))]),
        "atleast": lambda: g.choose([t.atleast_1d(x), t.atleast_2d(x)]),
        "flatten": lambda: g.choose([t.flatten(x), x.ravel(), t.flatten(x, max(1, g.integer(1, n + 1)) if n else 1)]),
        "broadcast_to": lambda: t.broadcast_to(x, _wider(g, x)),
        "broadcast_arrays": lambda: t.broadcast_arrays(x, mate(g, x)),
        "specify_shape": lambda: t.specify_shape(x, [g.choose([None, m]) for m in _true_lengths(g, x)])}
    return forms[g.choose(list(forms) if n else ["dimshuffle", "expand_dims", "pad", "atleast", "flatten",
                                                  "broadcast_to"])]()


def _with_new_axes(g: Grower, order: Sequence[int]) -> list[Any]:
    found: list[Any] = list(order)
    for _ in range(g.integer(0, 3) if len(order) < 3 else 0):
        found.insert(g.integer(0, len(found) + 1), "x")
    return found


def _short_axes(g: Grower, x: Any) -> list[Any]:
    ones = [axis for axis, n in enumerate(g.sizes(x)) if set(n) == {1}]
    return [] if g.chance(0.5) or not ones else [g.choose(ones)]


def _true_lengths(g: Grower, x: Any) -> list[Any]:
    """Its lengths: numbers where they are the same in every world, expressions else."""
    return [n[0] if len(set(n)) == 1 and g.chance(0.5) else length
            for n, length in zip(g.sizes(x), nt.lengths_of(x), strict=True)]


def _wider(g: Grower, x: Any) -> list[Any]:
    """A shape that x broadcasts to."""
    lengths = [some_length(g)[0] if n == 1 and g.chance(0.7) else length
               for n, length in zip(x.type.shape, _true_lengths(g, x), strict=True)]
    return [*([some_length(g)[0]] if len(lengths) < 3 and g.chance(0.5) else []), *lengths]


def some_length(g: Grower, most: int = 7) -> tuple[Any, tuple[int, ...]]:
    """A length, a number or an expression of the graph, and its value in each world."""
    if g.chance(0.25):
        n = g.integer(0 if g.chance(0.1) else 1, 5)
        return n, (n, n)
    options = [v for v in g.pool if v.type.ndim == 0 and v.type.dtype in dtypes.INTEGERS
               and all(0 <= n <= most for n in g.exact(v))]
    options += [v.shape[axis] for v in g.pool[-6:] for axis, n in enumerate(g.sizes(v)) if max(n) <= most]
    if not options:
        return 2, (2, 2)
    v = g.choose(options)
    form = g.integer(0, 6)
    made = v if form < 3 else v + 1 if form == 3 else (v + 1) // 2 if form == 4 else nt.minimum(v * 2, most)
    g.admit(made)
    return made, tuple(int(n) for n in g.exact(made))


@move(5)
def reshaping(g: Grower) -> Any:
    """The same elements in another shape: numbers, expressions of lengths, one -1."""
    x = pick(g, "any", 1)
    lengths, sizes = _true_lengths(g, x), g.sizes(x)
    form = g.integer(0, 6)
    whole = [int(np.prod(n, dtype=np.int64)) for n in zip(*sizes, strict=True)]
    if form == 0:
        shape: Any = (-1,)
    elif form == 1:
        shape = [lengths[int(k)] for k in g.rng.permutation(len(lengths))]
    elif form == 2:
        parts = [k for k in (1, 2, 3, 4, 6) if all(w % k == 0 for w in whole)]
        shape = g.choose([(g.choose(parts), -1), (-1, g.choose(parts)), (g.choose(parts), -1, 1)])
    elif form == 3:
        shape = g.choose([x.shape, g.tensor.shape(x), (x.size,), (1, g.tensor.size(x)), list(nt.shape_tuple(x))])
    elif form == 4 and len(lengths) > 1:
        at = g.integer(0, len(lengths) - 1)
        shape = [*lengths[:at], lengths[at] * lengths[at + 1], *lengths[at + 2:]]
    else:
        shape = [*lengths[:-1], 1, -1]
    return g.choose([lambda: g.tensor.reshape(x, shape), lambda: x.reshape(shape)])()


@move(4)
def lengths(g: Grower) -> Any:
    """Shapes as numbers of the graph, and arithmetic on them."""
    x, t = pick(g, "any", 1), g.tensor
    first = nt.lengths_of(x)[0]
    forms = [lambda: t.shape(x), lambda: t.size(x), lambda: x.shape[-1], lambda: t.shape_tuple(x)[0] + 1,
             lambda: t.length_quotient(first, 2), lambda: t.sum_of_lengths([first, nt.constant(2)]),
             lambda: t.product_of_lengths(nt.lengths_of(x)), lambda: t.broadcast_shape(x, mate(g, x))[0],
             lambda: t.cast(x.shape[0], "float64") / 2, lambda: x.size * 2 - first, lambda: nt.sum(x.shape),
             lambda: x * t.cast(x.shape[0], "float32"), lambda: nt.stack([*t.lengths_of(x)[:1], first * first])]
    return g.choose(forms)()


@move(6)
def creation(g: Grower) -> Any:
    """New arrays whose lengths are numbers or expressions of the graph."""
    t, (n, _), (m, _) = g.tensor, some_length(g), some_length(g)
    dtype = g.choose([None, *dtypes.ALL])
    x, k = pick(g), g.integer(-2, 3)
    scalar = pick(g, "any", 0, 0)
    forms = [lambda: t.zeros((n, m), dtype), lambda: t.ones((n,), dtype), lambda: t.full((n, 2), scalar),
             lambda: t.eye(n, g.choose([None, m]), g.choose([k, k, nt.cast(k, "int64")]), dtype),
             lambda: t.identity(n, dtype), lambda: t.alloc(scalar, n, m), lambda: t.empty((n, 1), dtype),
             lambda: t.tri(n, m, k, dtype), lambda: t.zeros_like(x, dtype), lambda: t.ones_like(x, dtype),
             lambda: t.full_like(x, g.choose([2, scalar.astype(x.type.dtype)]), None), lambda: t.empty_like(x),
             lambda: t.fill(x, scalar), lambda: t.fill(pick(g, "any", 1), mate(g, x, "real")),
             lambda: t.tril(pick(g, "any", 2), k), lambda: t.triu(pick(g, "any", 2), k),
             lambda: t.identity_like(pick(g, "any", 2, 2)), lambda: x.zeros_like(), lambda: x.ones_like()]
    return g.choose([ranges, lambda g: g.choose(forms)()])(g) if g.chance(0.3) else g.choose(forms)()


def ranges(g: Grower) -> Any:
    """arange, up and down, of numbers and expressions."""
    n, _ = some_length(g)
    k, dtype = g.integer(-4, 5), g.choose([None, "float32", "int32", "float64", "uint8"])
    if dtype == "uint8":
        return g.tensor.arange(n, dtype=dtype)
    return g.choose([lambda: g.tensor.arange(n, dtype=dtype), lambda: g.tensor.arange(k, n, dtype=dtype),
                     lambda: g.tensor.arange(n, k, -1, dtype=dtype), lambda: g.tensor.arange(k, n + 3, 2, dtype=dtype),
                     lambda: g.tensor.arange(0.25, nt.cast(n, "float64"), 0.5), lambda: g.tensor.arange(1, 9, 3)])()


# Joining -------------------------------------------------------------------------------------------------------------

def alike(g: Grower, x: Any, axis: int | None = None) -> Any:
    """Another array of the lengths of x, those of `axis` aside: from the pool, an expression or a new input."""
    def fits(v: Any) -> bool:
        return v.type.ndim == x.type.ndim and all(n == m or k == axis for k, (n, m) in enumerate(
            zip(g.sizes(v), g.sizes(x), strict=True)))

    fitting = [v for v in g.pool if fits(v)]
    if len(fitting) > 1 and g.chance(0.6):
        return g.choose(fitting)
    if g.chance(0.5):
        return g.admit(g.choose([nt.zeros_like(x), nt.cast(x, "float32") if x.type.dtype in KINDS["real"] else x * 2]))
    return g.leaf(x.type.dtype, [g.choose(g.lengths) if k == axis else n for k, n in enumerate(g.sizes(x))])


@move(6)
def joining(g: Grower) -> Any:
    """Arrays put together, and taken apart."""
    t, x = g.tensor, pick(g, "any", 1, 3)
    axis = g.integer(0, x.type.ndim)
    others = [alike(g, x, axis) for _ in range(g.integer(1, 3))]
    same = [alike(g, x) for _ in range(g.integer(1, 3))]
    scalars = [pick(g, "any", 0, 0) for _ in range(3)]
    forms = [lambda: t.concatenate([x, *others], axis), lambda: t.join(axis, *others, x),
             lambda: t.stack([x, *same], g.integer(-1, x.type.ndim + 1)), lambda: t.stack(scalars),
             lambda: t.hstack([x, alike(g, x, min(1, x.type.ndim - 1))]), lambda: t.vstack([x, alike(g, x, 0)]),
             lambda: t.concatenate([x, *others], None), lambda: t.as_tensor_variable([scalars[0], 1.0]),
             lambda: pieces(g), lambda: pieces(g), lambda: repeated(g), lambda: repeated(g)]
    return g.choose(forms)()


def pieces(g: Grower) -> Any:
    """split into equal pieces, or into pieces of given lengths."""
    x = pick(g, "any", 1, 3)
    axis = g.integer(0, x.type.ndim)
    sizes = g.sizes(x)[axis]
    if g.chance(0.4):
        return g.tensor.split(x, g.choose([k for k in (1, 2, 3) if all(n % k == 0 for n in sizes)]), axis=axis)
    first = g.integer(0, min(sizes) + 1)
    length = nt.lengths_of(x)[axis]
    return g.tensor.split(x, [first, length - first], 2, axis)


def repeated(g: Grower) -> Any:
    """repeat and tile, by numbers and expressions."""
    x = pick(g, "any", 0 if g.chance(0.2) else 1, 3)
    n, _ = some_length(g, 3)
    if g.chance(0.5):
        return g.tensor.tile(x, g.choose([2, (2, 1), (n, 2), (n,)]))
    axis = g.integer(0, x.type.ndim) if x.type.ndim and g.chance(0.7) else None
    if axis is not None and g.chance(0.4):
        return g.tensor.repeat(x, g.leaf("int64", [g.sizes(x)[axis]], 0, 3), axis)
    return g.tensor.repeat(x, g.choose([n, 2]), axis)


# Products ------------------------------------------------------------------------------------------------------------

def partner(g: Grower, sizes: Sequence[Any], dtype: str) -> Any:
    """An array whose lengths are `sizes` (None: any)."""
    def fits(v: Any) -> bool:
        return v.type.ndim == len(sizes) and v.type.dtype not in ("bool",) and all(
            n is None or n == m for n, m in zip(sizes, g.sizes(v), strict=True))

    fitting = [v for v in g.pool if fits(v)]
    if fitting and g.chance(0.7):
        return g.choose(fitting)
    return g.leaf(g.choose([dtype, dtype, "float64"]), [g.choose(g.lengths) if n is None else n for n in sizes])


@move(8)
def product(g: Grower) -> Any:
    """Products of vectors, matrices and stacks of them."""
    t, x = g.tensor, pick(g, "any" if g.chance(0.3) else "inexact", 1, 3)
    if g.chance(0.3) and x.type.ndim == 2:
        x = g.admit(x.T)
    *front, k = g.sizes(x)
    dtype = x.type.dtype
    forms: list[Callable[[], Any]] = [
        lambda: t.dot(x, partner(g, [k], dtype)), lambda: t.dot(x, partner(g, [k, None], dtype)),
        lambda: t.matmul(x, partner(g, [k, None], dtype)), lambda: x @ partner(g, [k], dtype),
        lambda: t.outer(x, pick(g, "real", 1, 2)), lambda: t.inner(x, partner(g, [None, k], dtype)),
        lambda: t.vdot(x, alike(g, x)), lambda: t.kron(x, pick(g, "real", 1, 2)),
        lambda: t.tensordot(x, partner(g, [k, None], dtype), ([-1], [0])),
        lambda: t.tensordot(x, alike(g, x), x.type.ndim), lambda: t.tensordot(x, pick(g, "real", 1, 1), 0)]
    if x.type.ndim == 2:
        n = front[0]
        c = partner(g, [n, None], dtype)
        forms += [lambda: t.dot(x, partner(g, [None, k], dtype).T), lambda: t.dot(x.T, c),
                  lambda: t.matrix_dot(x, partner(g, [k, k], dtype), x.T), lambda: t.matrix_dot(x, x.T, c),
                  lambda: partner(g, [n, g.sizes(c)[1]], dtype) - 0.5 * t.dot(partner(g, [n, k], dtype),
                                                                            partner(g, [k, g.sizes(c)[1]], dtype)),
                  lambda: partner(g, [n], dtype) + t.dot(x, partner(g, [k], dtype)),
                  lambda: t.batched_dot(x, partner(g, [n, k], dtype)), lambda: t.batched_dot(x, partner(g, [n], dtype))]
    if x.type.ndim == 3:
        b, n = front
        forms += [lambda: t.batched_dot(x, partner(g, [b, k, None], dtype)),
                  lambda: t.matmul(x, partner(g, [b, k, None], dtype)),
                  lambda: t.batched_tensordot(x, partner(g, [b, n, k], dtype), ([1, 2], [1, 2])),
                  lambda: t.batched_tensordot(x, partner(g, [b, k, None], dtype), 1)] * 2
    return g.choose(forms)()

