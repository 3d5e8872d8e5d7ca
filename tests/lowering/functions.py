"""Functions over every kind of generated statement, as a user would write them, with values to call them with.

    for name in FUNCTIONS:
        function, values = build(name)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

import nbgraph
import nbgraph.tensor as nt

rng = np.random.default_rng(11)
FUNCTIONS: dict[str, Callable[[], tuple[Any, list[Any]]]] = {}


def example(make: Callable[[], tuple[Any, list[Any]]]) -> Callable[[], tuple[Any, list[Any]]]:
    """Register a function that gives a compiled one and arguments for it."""
    FUNCTIONS[make.__name__] = make
    return make


@cache
def build(name: str) -> tuple[Any, list[Any]]:
    """The compiled function of this name and its arguments, the same each time."""
    return FUNCTIONS[name]()


@example
def logistic_step() -> tuple[Any, list[Any]]:
    """The training step of the tutorial."""
    x = nt.dmatrix("x")
    y = nt.dvector("y")
    w = nbgraph.shared(np.linspace(-1, 1, 4), name="w")
    b = nbgraph.shared(0.0, name="b")
    p_1 = 1 / (1 + nt.exp(-nt.dot(x, w) - b))
    prediction = p_1 > 0.5
    xent = -y * nt.log(p_1) - (1 - y) * nt.log(1 - p_1)
    cost = xent.mean() + 0.01 * (w ** 2).sum()
    gw, gb = nbgraph.grad(cost, [w, b])
    train = nbgraph.function(inputs=[x, y], outputs=[prediction, xent],
                             updates=((w, w - 0.1 * gw), (b, b - 0.1 * gb)), name="train")
    return train, [rng.normal(size=(6, 4)), rng.integers(0, 2, 6).astype(float)]


@example
def softmax_rows() -> tuple[Any, list[Any]]:
    """Probabilities, the loss of the right classes, and its gradient."""
    x = nt.dmatrix("x")
    label = nt.lvector("label")
    p = nt.special.softmax(x, axis=1)
    loss = -nt.log(p)[nt.arange(label.shape[0]), label].mean()
    gx = nbgraph.grad(loss, x)
    return nbgraph.function([x, label], [p, loss, gx], name="softmax_rows"), [rng.normal(size=(5, 3)),
                                                                             np.array([0, 2, 1, 1, 0])]


@example
def gather_scatter() -> tuple[Any, list[Any]]:
    """A model with a parameter for each group."""
    theta = nt.dvector("theta")
    group = nt.lvector("group")
    y = nt.dvector("y")
    sigma = nt.dscalar("sigma")
    residual = (y - theta[group]) / sigma
    logp = (-0.5 * residual ** 2 - nt.log(sigma)).sum()
    gradients = nbgraph.grad(logp, [theta, sigma])
    values = [rng.normal(size=3), np.array([0, 1, -1, 2, 1]), rng.normal(size=5), 0.7]
    return nbgraph.function([theta, group, y, sigma], [logp, *gradients], name="hierarchical"), values


@example
def stencil() -> tuple[Any, list[Any]]:
    """A step of the heat equation: slices of a field on a copy of it."""
    u = nt.dmatrix("u")
    rate = nt.dscalar("rate")
    laplacian = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4 * u[1:-1, 1:-1]
    heated = nt.inc_subtensor(u[1:-1, 1:-1], rate * laplacian)
    return nbgraph.function([u, rate], [heated, nt.abs(laplacian).max()], name="heat"), [rng.normal(size=(5, 6)), 0.1]


@example
def products() -> tuple[Any, list[Any]]:
    """Matrix products with transposes, and something added."""
    a, b, c = nt.dmatrices("a", "b", "c")
    v = nt.dvector("v")
    z = nt.dot(a.T, nt.dot(b, c.T)) + 1.0
    values = [rng.normal(size=(4, 3)), rng.normal(size=(4, 2)), rng.normal(size=(5, 2)), rng.normal(size=5)]
    return nbgraph.function([a, b, c, v], [z, nt.dot(c.T, v), nt.dot(v, v)], name="products"), values


@example
def masks() -> tuple[Any, list[Any]]:
    """Selection by a mask, assignment under a mask, and what runs along an axis."""
    x = nt.dvector("x")
    mask = x > 0
    positive = x[mask]
    clipped = nt.set_subtensor(x[x < 0], 0.0)
    root = nt.where(mask, nt.sqrt(nt.abs(x)), -1.0)
    outputs = [positive.sum(), root, clipped, nt.argmax(x), nt.cumsum(x)]
    return nbgraph.function([x], outputs, name="masks"), [rng.normal(size=7)]


@example
def reductions() -> tuple[Any, list[Any]]:
    """Sums and maxima over inner, outer and mixed axes, in other dtypes, kept axes."""
    t = nt.ftensor3("t")
    m = nt.dmatrix("m")
    centred = m - m.mean(axis=0, keepdims=True)
    outputs = [t.sum(axis=0), t.sum(axis=(0, 2)), t.prod(axis=1), t.max(), m.std(axis=1), nt.abs(centred).max(axis=0),
               nt.argmin(m, axis=0), (m > 0).all(axis=1), (m > 1).any(), nt.cumprod(m, axis=0),
               nt.logsumexp(m, axis=1), centred]
    return nbgraph.function([t, m], outputs, name="reductions"), [rng.normal(size=(2, 3, 4)).astype("float32"),
                                                                 rng.normal(size=(4, 3))]


@example
def number_kinds() -> tuple[Any, list[Any]]:
    """Integers that wrap and round down, truth values, complex numbers, casts."""
    i, j = nt.bvector("i"), nt.lvector("j")
    u = nt.vector("u", dtype="uint16")
    z = nt.zvector("z")
    outputs = [i + i, i * i - u, -(j // 3) % 5, j % -4, (i > 0) & ~(j > 2), u << 2, nt.cast(j * 0.7, "uint8"),
               z * nt.conj(z) / (1 - z), nt.abs(z), nt.cast(i > 0, "float32") / 3, j ** 2, nt.sgn(j) - i / 2]
    values = [np.array([100, -100, 7, 0], "int8"), np.array([-7, 7, 3, 2]), np.array([1, 2, 65535, 9], "uint16"),
              rng.normal(size=4) + 1j * rng.normal(size=4)]
    return nbgraph.function([i, j, u, z], outputs, name="number_kinds"), values


@example
def made_arrays() -> tuple[Any, list[Any]]:
    """Arrays that are made, joined, reshaped and split."""
    x = nt.dvector("x")
    n = nt.lscalar("n")
    grid = nt.outer(nt.arange(n), x) + nt.eye(n, x.shape[0], 1)
    both = nt.concatenate([grid, grid[::-1] * 2], axis=1)
    flat = both.reshape((-1, 2))
    outputs = [both, flat.sum(axis=1), nt.stack([x, x + 1]), nt.zeros((n, 2)), nt.arange(0.0, 1.0, 0.3) + 0 * n,
               x.reshape((1, -1)), nt.full((n,), x[0])]
    return nbgraph.function([x, n], outputs, name="made_arrays"), [rng.normal(size=4), 3]


@example
def numbers_only() -> tuple[Any, list[Any]]:
    """Statements of the main function alone."""
    a, b = nt.dscalars("a", "b")
    n = nt.lscalar("n")
    ratio = nt.exp(a) / (b + 1)
    return nbgraph.function([a, b, n], [ratio, ratio ** 2 - a, n // 2 + 1, nt.maximum(a, b) > ratio, n / 3],
                            name="numbers_only"), [0.3, 0.6, 7]


@example
def positions() -> tuple[Any, list[Any]]:
    """Bounds and steps that are computed, several index arrays, updates at them."""
    x = nt.dmatrix("x")
    start, step = nt.lscalars("start", "step")
    rows, columns = nt.lvectors("rows", "columns")
    part = x[start:-1:step, ::-1]
    picked = x[rows, columns]
    outputs = [part, x[start], picked, nt.inc_subtensor(x[rows, columns], picked ** 2), x[rows][:, columns],
               nt.set_subtensor(part[:, 0], 1.0), x[rows, 1:].T]
    values = [rng.normal(size=(5, 4)), 1, 2, np.array([0, -1, 0]), np.array([3, 0, 3])]
    return nbgraph.function([x, start, step, rows, columns], outputs, name="positions"), values


@example
def batches() -> tuple[Any, list[Any]]:
    """Products of single precision and of many matrices, a product added to an array."""
    a, b = nt.ftensor3("a"), nt.ftensor3("b")
    m = nt.fmatrix("m")
    layer = nt.tanh(nt.dot(a[0], m) + m[0])
    outputs = [nt.batched_dot(a, b), layer, nt.dot(layer.T, layer) * 2 + nt.dot(m, m.T)]
    values = [rng.normal(size=shape).astype("float32") for shape in ((2, 3, 4), (2, 4, 3), (4, 4))]
    return nbgraph.function([a, b, m], outputs, name="batches"), values


@example
def long_chains() -> tuple[Any, list[Any]]:
    """Hundreds of scalar statements, and of nodes over one vector."""
    a = nt.dscalar("a")
    x = nt.dvector("x")
    number, chain = a, x
    for _ in range(160):
        number = nt.sin(number) + a
        chain = nt.cos(chain) - x
    return nbgraph.function([a, x], [number, chain], name="long_chains"), [0.4, rng.normal(size=3)]


@example
def hostile_names() -> tuple[Any, list[Any]]:
    """Names that are no identifiers, that stand for something else, or that are those of others."""
    names = ["x y", "lambda", "np", "exp", "empty", "fused_0", "t", "total", "i", "n", "a\nimport os", 'q"""', "\\",
             "µ", "μ", "", "1st", "None", "hostile_names", "out" * 30]
    inputs = [nt.dvector(name) for name in names]
    z = sum(nt.exp(v) * (k + 1) for k, v in enumerate(inputs))
    z.name = "exp"
    outputs = [z, z.sum(), inputs[3] * inputs[0]]
    function = nbgraph.function([nbgraph.In(v, autoname=False) for v in inputs], outputs, name='ev"""il\n\\name')
    return function, [rng.normal(size=4) for _ in inputs]
