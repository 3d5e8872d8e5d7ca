"""Hand-written loops of log-densities and their gradients."""

from __future__ import annotations

import math

import numpy as np

from nbgraph.bench.loops import add, loop
from nbgraph.dispatch import vmath
from nbgraph.dispatch.scalar_combine import larger


@loop
def normal(x, mu, sigma):
    total = squares = 0.0
    inverse = 1 / sigma
    for i in range(x.size):
        z = (x[i] - mu) * inverse
        total = add(total, z)
        squares = add(squares, z * z)
    n = x.size
    front = math.log(sigma) + 0.5 * math.log(2 * math.pi)
    return -0.5 * squares - n * front, total * inverse, (squares - n) * inverse


@loop
def student_t(x, nu, mu, sigma):
    tail = weights = both = 0.0
    inverse = 1 / sigma
    for i in range(x.size):
        z = (x[i] - mu) * inverse
        tail = add(tail, vmath.log1p(z * z / nu))
        weight = (nu + 1) * z / (nu + z * z)
        weights = add(weights, weight)
        both = add(both, weight * z)
    n = x.size
    front = math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2) - 0.5 * math.log(math.pi * nu) - math.log(sigma)
    g_nu = (n * (vmath.digamma((nu + 1) / 2) - vmath.digamma(nu / 2) - 1 / nu) - tail + both / nu) / 2
    return n * front - (nu + 1) / 2 * tail, g_nu, weights * inverse, (both - n) * inverse


@loop
def mixture(x, logits, mu, log_sigma):
    sigma, weight = np.exp(log_sigma), np.exp(logits)
    weight /= weight.sum()
    front = np.log(weight) - log_sigma - 0.5 * math.log(2 * math.pi)
    value = s0 = s1 = s2 = z0 = z1 = z2 = q0 = q1 = q2 = 0.0
    m0, m1, m2 = mu[0], mu[1], mu[2]
    r0, r1, r2 = 1 / sigma[0], 1 / sigma[1], 1 / sigma[2]
    f0, f1, f2 = front[0], front[1], front[2]
    for i in range(x.size):
        a, b, c = (x[i] - m0) * r0, (x[i] - m1) * r1, (x[i] - m2) * r2
        ta, tb, tc = f0 - 0.5 * a * a, f1 - 0.5 * b * b, f2 - 0.5 * c * c
        top = larger(larger(ta, tb), tc)
        ea, eb, ec = vmath.exp(ta - top), vmath.exp(tb - top), vmath.exp(tc - top)
        total = ea + eb + ec
        value = add(value, vmath.log(total) + top)
        scale = 1 / total
        ea, eb, ec = ea * scale, eb * scale, ec * scale
        s0, s1, s2 = add(s0, ea), add(s1, eb), add(s2, ec)
        z0, z1, z2 = add(z0, ea * a), add(z1, eb * b), add(z2, ec * c)
        q0, q1, q2 = add(q0, ea * (a * a - 1)), add(q1, eb * (b * b - 1)), add(q2, ec * (c * c - 1))
    return (value, np.array([s0, s1, s2]) - x.size * weight, np.array([z0 * r0, z1 * r1, z2 * r2]),
            np.array([q0, q1, q2]))


@loop
def negative_binomial(y, x, intercept, slope, alpha):
    value = by_eta = by_slope = by_alpha = 0.0
    front = alpha * math.log(alpha) - math.lgamma(alpha)
    front_alpha = math.log(alpha) + 1 - vmath.digamma(alpha)
    for i in range(y.size):
        eta = intercept + slope * x[i]
        mu = vmath.exp(eta)
        both = alpha + mu
        log_both = vmath.log(both)
        share = (y[i] + alpha) / both
        value = add(value, vmath.gammaln(y[i] + alpha) - vmath.gammaln(y[i] + 1) + front + y[i] * eta
                    - (y[i] + alpha) * log_both)
        g = y[i] - mu * share
        by_eta = add(by_eta, g)
        by_slope = add(by_slope, g * x[i])
        by_alpha = add(by_alpha, vmath.digamma(y[i] + alpha) - log_both + front_alpha - share)
    return value, by_eta, by_slope, by_alpha


@loop
def survival(time, died, log_shape, log_scale):
    shape = math.exp(log_shape)
    value = by_shape = by_scale = 0.0
    for i in range(time.size):
        later = vmath.log(time[i]) - log_scale
        risk = vmath.exp(shape * later)
        hazard = log_shape - log_scale + (shape - 1) * later
        dead = 1.0 if died[i] else 0.0
        value = add(value, dead * hazard - risk)
        by_shape = add(by_shape, dead * (1 + shape * later) - shape * risk * later)
        by_scale = add(by_scale, shape * (risk - dead))
    return value, by_shape, by_scale
