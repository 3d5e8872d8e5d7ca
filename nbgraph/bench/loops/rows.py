"""Hand-written loops over rows and columns."""

from __future__ import annotations

import math

import numpy as np

from nbgraph.bench.loops import add, loop
from nbgraph.dispatch import vmath
from nbgraph.dispatch.scalar_combine import larger


@loop
def logsumexp_rows(x):
    rows, n = x.shape
    out = np.empty(rows)
    for i in range(rows):
        top = x[i, 0]
        for j in range(n):
            top = larger(top, x[i, j])
        total = 0.0
        for j in range(n):
            total = add(total, vmath.exp(x[i, j] - top))
        out[i] = math.log(total) + top
    return (out,)


@loop
def layer_norm(x, target, scale, shift):
    rows, n = x.shape
    by_x, by_scale, by_shift = np.empty_like(x), np.zeros(n), np.zeros(n)
    loss, per_entry = 0.0, 2 / (rows * n)
    for i in range(rows):
        mean = squares = 0.0
        for j in range(n):
            mean = add(mean, x[i, j])
        mean /= n
        for j in range(n):
            squares = add(squares, (x[i, j] - mean) * (x[i, j] - mean))
        spread = math.sqrt(squares / n + 1e-5)
        row_loss = plain = weighted = 0.0
        for j in range(n):
            unit = (x[i, j] - mean) / spread
            error = unit * scale[j] + shift[j] - target[i, j]
            row_loss = add(row_loss, error * error)
            g = per_entry * error
            by_shift[j] += g
            by_scale[j] += g * unit
            plain = add(plain, g * scale[j])
            weighted = add(weighted, g * scale[j] * unit)
            by_x[i, j] = g * scale[j]
        for j in range(n):
            by_x[i, j] = (by_x[i, j] - plain / n - (x[i, j] - mean) / spread * (weighted / n)) / spread
        loss += row_loss
    return loss / (rows * n), by_x, by_scale, by_shift


@loop
def softmax_xent(x, label):
    rows, n = x.shape
    g = np.empty_like(x)
    value = 0.0
    for i in range(rows):
        top = x[i, 0]
        for j in range(n):
            top = larger(top, x[i, j])
        total = 0.0
        for j in range(n):
            e = vmath.exp(x[i, j] - top)
            g[i, j] = e
            total = add(total, e)
        share = 1 / (total * rows)
        for j in range(n):
            g[i, j] *= share
        g[i, label[i]] -= 1 / rows
        value -= x[i, label[i]] - top - math.log(total)
    return value / rows, g


@loop
def softmax_float32(x):
    rows, n = x.shape
    out = np.empty_like(x)
    for i in range(rows):
        top = x[i, 0]
        for j in range(n):
            top = larger(top, x[i, j])
        total = 0.0
        for j in range(n):
            e = vmath.exp(x[i, j] - top)
            out[i, j] = e
            total = add(total, np.float64(e))
        share = np.float32(1 / total)
        for j in range(n):
            out[i, j] *= share
    return (out,)


@loop
def standardise(x):
    rows, n = x.shape
    out = np.empty_like(x)
    mean, scale = np.zeros(n), np.zeros(n)
    for i in range(rows):
        for j in range(n):
            mean[j] += x[i, j]
    mean /= rows
    for i in range(rows):
        for j in range(n):
            scale[j] += (x[i, j] - mean[j]) * (x[i, j] - mean[j])
    for j in range(n):
        scale[j] = 1 / math.sqrt(scale[j] / rows)
    for i in range(rows):
        for j in range(n):
            out[i, j] = (x[i, j] - mean[j]) * scale[j]
    return (out,)
