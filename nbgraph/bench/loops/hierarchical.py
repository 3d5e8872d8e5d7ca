"""Hand-written loops of models with groups."""

from __future__ import annotations

import math

import numpy as np

from nbgraph.bench.loops import add, loop
from nbgraph.dispatch import vmath


@loop
def hierarchical(group, floor, y, intercept, slope, log_sigma, mu, log_tau):
    groups = intercept.size
    sharp, narrow = math.exp(-log_sigma), math.exp(-log_tau)
    by_intercept = np.zeros(groups)
    squares = by_slope = offsets = offset_squares = 0.0
    for i in range(y.size):
        r = (y[i] - intercept[group[i]] - slope * floor[i]) * sharp
        squares += r * r
        by_slope += r * floor[i]
        by_intercept[group[i]] += r
    for k in range(groups):
        o = (intercept[k] - mu) * narrow
        offsets += o
        offset_squares += o * o
        by_intercept[k] = by_intercept[k] * sharp - o * narrow
    density = (-0.5 * squares - y.size * log_sigma - 0.5 * offset_squares - groups * log_tau - 0.5 * mu * mu
               - 0.5 * slope * slope)
    return (density, by_intercept, by_slope * sharp - slope, squares - y.size, offsets * narrow - mu,
            offset_squares - groups)


@loop
def item_response(person, question, right, ability, difficulty, log_slope):
    n = right.size
    slope = np.exp(log_slope)
    by_ability, by_difficulty, by_slope = -ability, -difficulty, -log_slope
    apart, g = np.empty(n), np.empty(n)
    for i in range(n):
        apart[i] = ability[person[i]] - difficulty[question[i]]
        g[i] = slope[question[i]]
    value = 0.0
    for i in range(n):
        z = g[i] * apart[i]
        value = add(value, right[i] * z - vmath.softplus(z))
        apart[i], g[i] = (right[i] - vmath.sigmoid(z)) * z, (right[i] - vmath.sigmoid(z)) * g[i]
    for i in range(n):
        by_ability[person[i]] += g[i]
        by_difficulty[question[i]] -= g[i]
        by_slope[question[i]] += apart[i]
    prior = (ability * ability).sum() + (difficulty * difficulty).sum() + (log_slope * log_slope).sum()
    return value - 0.5 * prior, by_ability, by_difficulty, by_slope


@loop
def factorisation(user, item, rating, tastes, traits):
    rank = tastes.shape[1]
    new_tastes, new_traits = tastes * (1 - 0.1 * 0.02), traits * (1 - 0.1 * 0.02)
    squares, step = 0.0, 0.1 * 2 / rating.size
    for i in range(rating.size):
        u, v = user[i], item[i]
        error = rating[i]
        for k in range(rank):
            error = add(error, -tastes[u, k] * traits[v, k])
        squares += error * error
        for k in range(rank):
            new_tastes[u, k] += step * error * traits[v, k]
        for k in range(rank):
            new_traits[v, k] += step * error * tastes[u, k]
    penalty = (tastes * tastes).sum() + (traits * traits).sum()
    return squares / rating.size + 0.01 * penalty, new_tastes, new_traits


@loop
def gather_scatter(table, index):
    t = np.empty_like(table)
    for k in range(table.size):
        t[k] = vmath.tanh(table[k])
    by_table = np.zeros_like(table)
    total = 0.0
    for i in range(index.size):
        value = t[index[i]]
        total = add(total, value)
        by_table[index[i]] += 1 - value * value
    return total, by_table
