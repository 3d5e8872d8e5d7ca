"""Bench cases with groups: parameters gathered by an index, gradients scattered back.

    varying intercepts, item response, matrix factorisation, a plain gather and scatter
"""

from __future__ import annotations

import math

import numpy as np

from nbgraph.bench.case import Problem, collector

TABLE, case = collector()


@case("varying-intercept log-density and its gradients, 919 rows in 85 groups", quick=True)
def hierarchical(rng: np.random.Generator) -> Problem:
    def density(m, group, floor, y, intercept, slope, log_sigma, mu, log_tau):
        residual = (y - intercept[group] - slope * floor) / m.exp(log_sigma)
        offset = (intercept - mu) / m.exp(log_tau)
        return [(-0.5 * residual ** 2 - log_sigma).sum() + (-0.5 * offset ** 2 - log_tau).sum()
                - 0.5 * mu ** 2 - 0.5 * slope ** 2]

    def numpy(group, floor, y, intercept, slope, log_sigma, mu, log_tau):
        sigma, tau = math.exp(log_sigma), math.exp(log_tau)
        r = (y - intercept[group] - slope * floor) / sigma
        o = (intercept - mu) / tau
        density = (-0.5 * (r @ r) - len(r) * log_sigma - 0.5 * (o @ o) - len(o) * log_tau
                   - 0.5 * mu ** 2 - 0.5 * slope ** 2)
        return [density, np.bincount(group, weights=r, minlength=len(o)) / sigma - o / tau,
                (r @ floor) / sigma - slope, r @ r - len(r), o.sum() / tau - mu, o @ o - len(o)]

    rows, groups = 919, 85
    data = {"group": rng.integers(0, groups, rows), "floor": rng.integers(0, 2, rows).astype(float),
            "y": rng.normal(1.3, 0.9, rows)}
    parameters = {"intercept": rng.standard_normal(groups), "slope": -0.6, "log_sigma": -0.3, "mu": 1.2,
                  "log_tau": -1.1}
    return Problem(density, data | parameters, list(parameters), numpy=numpy)


@case("item response: log-density and gradients, 20,000 answers of 1,000 people to 100 questions")
def item_response(rng: np.random.Generator) -> Problem:
    def density(m, person, question, right, ability, difficulty, log_slope):
        z = m.exp(log_slope)[question] * (ability[person] - difficulty[question])
        prior = (ability ** 2).sum() + (difficulty ** 2).sum() + (log_slope ** 2).sum()
        return [(right * z - m.softplus(z)).sum() - 0.5 * prior]

    def numpy(person, question, right, ability, difficulty, log_slope):
        slope = np.exp(log_slope)[question]
        apart = ability[person] - difficulty[question]
        z = slope * apart
        e = np.exp(-np.abs(z))
        g = right - np.where(z >= 0, 1, e) / (1 + e)
        prior = (ability ** 2).sum() + (difficulty ** 2).sum() + (log_slope ** 2).sum()
        return [(right * z - np.maximum(z, 0) - np.log1p(e)).sum() - 0.5 * prior,
                np.bincount(person, g * slope, len(ability)) - ability,
                -np.bincount(question, g * slope, len(difficulty)) - difficulty,
                np.bincount(question, g * z, len(difficulty)) - log_slope]

    n, people, questions = 20_000, 1_000, 100
    data = {"person": rng.integers(0, people, n), "question": rng.integers(0, questions, n),
            "right": rng.integers(0, 2, n).astype(float)}
    parameters = {"ability": rng.standard_normal(people), "difficulty": rng.standard_normal(questions),
                  "log_slope": 0.3 * rng.standard_normal(questions)}
    return Problem(density, data | parameters, list(parameters), numpy=numpy)


@case("matrix factorisation: a training step, 20,000 ratings of 500 items by 1,000 users, rank 16")
def factorisation(rng: np.random.Generator) -> Problem:
    def model(m, user, item, rating, tastes, traits):
        error = rating - (tastes[user] * traits[item]).sum(axis=1)
        return [(error ** 2).mean() + 0.01 * ((tastes ** 2).sum() + (traits ** 2).sum())]

    def numpy(user, item, rating, tastes, traits):
        mine, its = tastes[user], traits[item]
        error = rating - (mine * its).sum(axis=1)
        g = (-2 * error / len(rating))[:, None]
        g_tastes, g_traits = 0.02 * tastes, 0.02 * traits
        np.add.at(g_tastes, user, g * its)
        np.add.at(g_traits, item, g * mine)
        return [(error ** 2).mean() + 0.01 * ((tastes ** 2).sum() + (traits ** 2).sum()), tastes - 0.1 * g_tastes,
                traits - 0.1 * g_traits]

    n, users, items, rank = 20_000, 1_000, 500, 16
    data = {"user": rng.integers(0, users, n), "item": rng.integers(0, items, n), "rating": rng.normal(3.5, 1, n)}
    return Problem(model, data, state={"tastes": 0.3 * rng.standard_normal((users, rank)),
                                       "traits": 0.3 * rng.standard_normal((items, rank))}, numpy=numpy)


@case("gather, tanh, sum, and the scatter gradient, 500,000 of 10,000", quick=True)
def gather_scatter(rng: np.random.Generator) -> Problem:
    def numpy(table, index):
        t = np.tanh(table[index])
        return [t.sum(), np.bincount(index, weights=1 - t ** 2, minlength=len(table))]

    return Problem(lambda m, table, index: [m.tanh(table[index]).sum()],
                   {"table": rng.standard_normal(10_000), "index": rng.integers(0, 10_000, 500_000)}, ["table"],
                   numpy=numpy)
