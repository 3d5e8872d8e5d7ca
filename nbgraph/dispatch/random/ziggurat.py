"""Standard normal and exponential numbers by the ziggurat: Marsaglia & Tsang, J. Stat. Software 5(8), 2000.

    standard_normal(rng)    standard_exponential(rng)    standard_normal_32(rng)    standard_exponential_32(rng)

One draw of bits gives a layer, a sign, and a place in the layer, which 99 of 100 times is below the density for
certain. See `derive` for the tables. Bit for bit NumPy's `standard_normal` and `standard_exponential`, float64 and
float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import float32, float64, int32, int64, types

from nbgraph.dispatch.jit import apart, kernel
from nbgraph.dispatch.random import tables32, tables64
from nbgraph.dispatch.random.libm import exp, log1p
from nbgraph.dispatch.random.uniform import next_32, next_64, random, random_32
from nbgraph.dispatch.scalar_value import Value, as_type, native

# Where the tails begin, and the inverse.
_EDGE, _EDGE_INVERSE = 3.6541528853610088, 0.27366123732975828
_EXPONENTIAL_EDGE = 7.69711747013104972
_EDGE_32, _EDGE_INVERSE_32 = np.float32(_EDGE), np.float32(_EDGE_INVERSE)
_EXPONENTIAL_EDGE_32 = np.float32(_EXPONENTIAL_EDGE)


def table(numbers: tuple[Any, ...], kind: Any) -> Any:
    """The function of compiled code that gives numbers[i], in this type."""
    def entry(i: Value) -> Value:
        like = i.to_float(kind.bitwidth) if isinstance(kind, types.Float) else i.to_integer("i", kind.bitwidth)
        return like.table(numbers, i)
    return native(lambda i: numbers[i], as_type(kind))(entry)


_width, _height = table(tables64.NORMAL_WIDTH, float64), table(tables64.NORMAL_HEIGHT, float64)
_accept = table(tables64.NORMAL_ACCEPT, int64)
_exponential_width = table(tables64.EXPONENTIAL_WIDTH, float64)
_exponential_height = table(tables64.EXPONENTIAL_HEIGHT, float64)
_exponential_accept = table(tables64.EXPONENTIAL_ACCEPT, int64)
_width_32, _height_32 = table(tables32.NORMAL_WIDTH, float32), table(tables32.NORMAL_HEIGHT, float32)
_accept_32 = table(tables32.NORMAL_ACCEPT, int32)
_exponential_width_32 = table(tables32.EXPONENTIAL_WIDTH, float32)
_exponential_height_32 = table(tables32.EXPONENTIAL_HEIGHT, float32)
_exponential_accept_32 = table(tables32.EXPONENTIAL_ACCEPT, int32)


@kernel
def standard_normal(rng: Any) -> Any:
    """float64 of mean 0 and variance 1."""
    while True:
        bits = int64(next_64(rng))
        layer, j = bits & 0xFF, (bits >> 9) & 0xFFFFFFFFFFFFF
        x = j * _width(layer)
        if bits & 0x100:
            x = -x
        if j < _accept(layer):
            return x
        x = _settled(rng, layer, j, x)
        if x == x:
            return x


@kernel
def _settled(rng: Any, layer: Any, j: Any, x: Any) -> Any:
    """x, if it is below the density, or a number of the tail; NaN if neither."""
    apart()
    if layer > 0:
        height = _height(layer)
        return x if (_height(layer - 1) - height) * random(rng) + height < exp(-0.5 * x * x) else np.nan
    while True:
        beyond = -_EDGE_INVERSE * log1p(-random(rng))
        other = -log1p(-random(rng))
        if other + other > beyond * beyond:
            return -(_EDGE + beyond) if j & 0x100 else _EDGE + beyond


@kernel
def standard_exponential(rng: Any) -> Any:
    """float64 > 0 of mean 1."""
    while True:
        bits = int64(next_64(rng))
        layer, j = (bits >> 3) & 0xFF, (bits >> 11) & 0x1FFFFFFFFFFFFF
        x = j * _exponential_width(layer)
        if j < _exponential_accept(layer):
            return x
        x = _settled_exponential(rng, layer, x)
        if x == x:
            return x


@kernel
def _settled_exponential(rng: Any, layer: Any, x: Any) -> Any:
    """x, if it is below the density, or a number of the tail; NaN if neither."""
    apart()
    if layer == 0:
        return _EXPONENTIAL_EDGE - log1p(-random(rng))
    height = _exponential_height(layer)
    return x if (_exponential_height(layer - 1) - height) * random(rng) + height < exp(-x) else np.nan


@kernel
def standard_normal_32(rng: Any) -> Any:
    """float32 of mean 0 and variance 1."""
    while True:
        bits = int64(next_32(rng))
        layer, j = bits & 0xFF, bits >> 9
        x = float32(j) * _width_32(layer)
        if bits & 0x100:
            x = -x
        if j < _accept_32(layer):
            return x
        x = _settled_32(rng, layer, j, x)
        if x == x:
            return x


@kernel
def _settled_32(rng: Any, layer: Any, j: Any, x: Any) -> Any:
    """As `_settled`."""
    apart()
    if layer > 0:
        height, wide = _height_32(layer), float64(x)
        below = (_height_32(layer - 1) - height) * random_32(rng) + height < exp(-0.5 * wide * wide)
        return x if below else float32(np.nan)
    while True:
        beyond = -_EDGE_INVERSE_32 * log1p(-random_32(rng))
        other = -log1p(-random_32(rng))
        if other + other > beyond * beyond:
            return -(_EDGE_32 + beyond) if j & 0x100 else _EDGE_32 + beyond


@kernel
def standard_exponential_32(rng: Any) -> Any:
    """float32 > 0 of mean 1."""
    while True:
        bits = int64(next_32(rng))
        layer, j = (bits >> 1) & 0xFF, bits >> 9
        x = float32(j) * _exponential_width_32(layer)
        if j < _exponential_accept_32(layer):
            return x
        x = _settled_exponential_32(rng, layer, x)
        if x == x:
            return x


@kernel
def _settled_exponential_32(rng: Any, layer: Any, x: Any) -> Any:
    """As `_settled_exponential`."""
    apart()
    if layer == 0:
        return _EXPONENTIAL_EDGE_32 - log1p(-random_32(rng))
    height = _exponential_height_32(layer)
    below = (_exponential_height_32(layer - 1) - height) * random_32(rng) + height < exp(-x)
    return x if below else float32(np.nan)
