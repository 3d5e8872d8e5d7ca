"""Samples of every distribution: parameters, sizes and dtypes, and the call of NumPy that gives the same bits.

    Sample("normal", ([0.0, 1.0], 2.0), size=(3, 2))      rng.normal([0.0, 1.0], 2.0, (3, 2))

To add a distribution, add a line to NUMPYS, or to OURS with its formula over NumPy's draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

COLUMN = np.array([[0.5], [1.5]])
ROW = np.array([0.8, 1.2, 2.4])


@dataclass(frozen=True)
class Sample:
    """Arguments of a distribution.

    Attributes
    ----------
    params : arrays or numbers    in their order
    size : as NumPy takes it
    options : dict                further keywords, of both
    dtype : str                   None for the default; `cast`: NumPy has none, so its draws are cast
    """

    name: str
    params: tuple[Any, ...]
    size: Any = None
    options: dict[str, Any] = field(default_factory=dict)
    dtype: str | None = None
    cast: bool = True

    def numpys(self, rng: np.random.Generator) -> np.ndarray:
        """What NumPy draws."""
        options = dict(self.options)
        if self.dtype is not None and not self.cast:
            options["dtype"] = self.dtype
        draw: Callable[..., Any] = OURS.get(self.name) or (lambda r, *a, **k: getattr(r, self.name)(*a, **k))
        drawn = np.asarray(draw(rng, *self.params, size=self.size, **options))
        return drawn.astype(self.dtype) if self.dtype is not None else drawn

    def label(self) -> str:
        """For messages."""
        return f"{self.name}{self.params}, size={self.size}, {self.options}, dtype={self.dtype}"


def _shape(size: Any, *params: Any) -> Any:
    return np.broadcast_shapes(*map(np.shape, params)) if size is None else size


# The formulas of what NumPy does not have, or has without a scale.
OURS: dict[str, Callable[..., Any]] = {
    "nbinom": lambda r, n, p, size: r.negative_binomial(n, p, size),
    "randint": lambda r, low, high, size: r.integers(low, high, size),
    "halfnormal": lambda r, loc, scale, size: loc + scale * abs(r.standard_normal(_shape(size, loc, scale))),
    "cauchy": lambda r, loc, scale, size: loc + scale * r.standard_cauchy(_shape(size, loc, scale)),
    "halfcauchy": lambda r, loc, scale, size: loc + scale * abs(r.standard_cauchy(_shape(size, loc, scale))),
    "t": lambda r, df, loc, scale, size: loc + scale * r.standard_t(df + 0 * loc * scale, size),
    "invgamma": lambda r, a, b, size: b / r.standard_gamma(a + 0 * b, size),
    "gengamma": lambda r, a, p, s, size: s * r.standard_gamma(a / p + 0 * s, size) ** (1 / p),
    "bernoulli": lambda r, p, size: (r.random(_shape(size, p)) < p).astype("int64"),
    "betabinom": lambda r, n, a, b, size: r.binomial(n, r.beta(a + 0 * n, b, size)),
    "categorical": lambda r, p, size: r.choice(len(p), size, p=p),
    "permutation": lambda r, x, size, axis=0: r.permutation(x, axis),
    "truncexpon": lambda r, b, loc, scale, size: loc - scale * np.log1p(
        r.random(_shape(size, b, loc, scale)) * np.expm1(-b)),
}

# distribution -> (numbers for its parameters, arrays of three that broadcast against a column)
NUMBERS: dict[str, tuple[tuple[Any, ...], ...]] = {
    "uniform": ((-1.0, 2.0), (-ROW, COLUMN)),
    "normal": ((-1.0, 2.0), (ROW, COLUMN)),
    "halfnormal": ((-1.0, 2.0), (ROW, COLUMN)),
    "cauchy": ((-1.0, 2.0), (ROW, COLUMN)),
    "halfcauchy": ((-1.0, 2.0), (ROW, COLUMN)),
    "laplace": ((-1.0, 2.0), (ROW, COLUMN)),
    "logistic": ((-1.0, 2.0), (ROW, COLUMN)),
    "gumbel": ((-1.0, 2.0), (ROW, COLUMN)),
    "lognormal": ((-1.0, 0.5), (ROW, COLUMN)),
    "t": ((3.0, -1.0, 2.0), (3 * ROW, COLUMN, ROW)),
    "standard_t": ((3.0,), (3 * ROW,)),
    "triangular": ((-1.0, 0.5, 2.0), (-ROW, COLUMN, ROW + COLUMN)),
    "vonmises": ((0.5, 3.0), (ROW, COLUMN)),
    "exponential": ((2.0,), (ROW,)),
    "gamma": ((0.7, 2.0), (ROW, COLUMN)),
    "standard_gamma": ((0.7,), (ROW,)),
    "invgamma": ((2.5, 2.0), (ROW, COLUMN)),
    "gengamma": ((2.5, 1.5, 2.0), (ROW, COLUMN, ROW)),
    "chisquare": ((3.0,), (ROW,)),
    "noncentral_chisquare": ((3.0, 1.5), (ROW, COLUMN)),
    "f": ((3.0, 5.0), (3 * ROW, 4 * COLUMN)),
    "noncentral_f": ((3.0, 5.0, 1.5), (3 * ROW, 4 * COLUMN, ROW)),
    "beta": ((0.7, 2.0), (ROW, COLUMN)),
    "weibull": ((1.5,), (ROW,)),
    "pareto": ((2.5,), (ROW,)),
    "power": ((2.5,), (ROW,)),
    "rayleigh": ((2.0,), (ROW,)),
    "wald": ((2.0, 3.0), (ROW, COLUMN)),
    "truncexpon": ((2.0, -1.0, 2.0), (ROW, COLUMN, ROW)),
    "bernoulli": ((0.3,), (ROW / 4,)),
    "binomial": ((20, 0.3), (np.array([5, 10, 40]), COLUMN / 3)),
    "negative_binomial": ((4.5, 0.3), (3 * ROW, COLUMN / 3)),
    "nbinom": ((4, 0.3), (3 * ROW, COLUMN / 3)),
    "betabinom": ((20, 2.0, 3.0), (np.array([5, 10, 40]), COLUMN, ROW)),
    "geometric": ((0.3,), (ROW / 4,)),
    "hypergeometric": ((15, 12, 8), (np.array([7, 40, 15]), np.array([[5], [9]]), 8)),
    "poisson": ((3.5,), (8 * ROW,)),
    "logseries": ((0.6,), (ROW / 4,)),
    "zipf": ((2.5,), (ROW + 1,)),
    "integers": ((-3, 12), (np.array([-5, 0, 5]), np.array([[6], [90]]))),
    "randint": ((-3, 12), (np.array([-5, 0, 5]), np.array([[6], [90]]))),
}
# Those without parameters.
BARE = ("random", "standard_normal", "standard_cauchy", "standard_exponential")
# dtypes that NumPy draws in ways of their own
OWN_DTYPES = {"random": ("float32",), "standard_normal": ("float32",), "standard_exponential": ("float32",),
              "standard_gamma": ("float32",),
              "integers": ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "uint64")}
MEAN, COV = np.array([1.0, -2.0, 0.5]), np.array([[2.0, 0.5, 0.1], [0.5, 1.0, 0.3], [0.1, 0.3, 0.7]])
P = np.array([0.2, 0.5, 0.3])
ARRAY = np.arange(12.0).reshape(4, 3)


def _scalars() -> Iterator[Sample]:
    for name, (numbers, arrays) in NUMBERS.items():
        casts = () if name in OWN_DTYPES else ("float32",)
        for size in (None, 5, (2, 3), (0, 3)):
            yield Sample(name, numbers, size)
        yield Sample(name, arrays)
        yield Sample(name, arrays, (4, 2, 3))
        for dtype in casts:
            yield Sample(name, numbers, (40,), dtype=dtype)
    for name in BARE:
        for size in (None, 5, (2, 3), (0, 3)):
            yield Sample(name, (), size)
    for name, given in OWN_DTYPES.items():
        for dtype in given:
            numbers = NUMBERS.get(name, ((),))[0]
            params = ((0, 2) if dtype == "bool" else (1, 100)) if name == "integers" else numbers
            yield Sample(name, params, 7, dtype=dtype, cast=False)
            yield Sample(name, params, (3, 2), dtype=dtype, cast=False)


def _vectors() -> Iterator[Sample]:
    for size in (None, 4, (2, 3)):
        yield Sample("multivariate_normal", (MEAN, COV), size)
        yield Sample("dirichlet", (MEAN**2,), size)
        yield Sample("multinomial", (20, P), size)
        yield Sample("categorical", (P,), size)
        for method in ("marginals", "count"):
            yield Sample("multivariate_hypergeometric", (np.array([7, 0, 20, 5]), 9), size, {"method": method})
    for method in ("eigh", "cholesky"):
        yield Sample("multivariate_normal", (MEAN, COV), 4, {"method": method})
    yield Sample("multinomial", (np.array([[5], [9]]), np.stack([P, P[::-1], P])))
    yield Sample("multinomial", (20, P), 4, dtype="float32")


def _choices() -> Iterator[Sample]:
    for size in (None, 4, (2, 2)):
        yield Sample("choice", (9,), size)
        yield Sample("choice", (ARRAY[:, 0],), size)
        yield Sample("choice", (9,), size, {"replace": False})
        yield Sample("choice", (9,), size, {"replace": False, "shuffle": False})
        yield Sample("choice", (3,), size, {"p": P})
        yield Sample("choice", (ARRAY,), size, {"axis": 1})
    yield Sample("choice", (1000,), 7, {"replace": False})
    yield Sample("choice", (20000,), 7, {"replace": False})
    yield Sample("choice", (3,), 2, {"p": P, "replace": False})
    yield Sample("choice", (5,), 4, dtype="int32")
    for axis in (0, 1):
        yield Sample("permutation", (ARRAY,), options={"axis": axis})
    yield Sample("permutation", (7,))
    yield Sample("permutation", (0,))
    yield Sample("permutation", (ARRAY[0],))
    yield Sample("integers", (12, None), 4)
    yield Sample("integers", (-3, 12), 40, dtype="float32")
    yield Sample("integers", (2, 5), 9, {"endpoint": True})


ALL = [*_scalars(), *_vectors(), *_choices()]
NAMES = sorted({sample.name for sample in ALL})
