"""Roots of covariances, as NumPy's multivariate_normal takes them: a factor with factor @ factor.T = cov.

    factor, status = root(cov, k, "svd", 1e-8, node)        cov: float64[r, k, k]

status[i] is GOOD, INDEFINITE where matrix i is not symmetric with eigenvalues >= 0, FAILED where LAPACK gives up.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.dispatch.jit import apart, kernel
from nbgraph.dispatch.lapack import gesdd, potrf, syevd
from nbgraph.dispatch.rules import Check, Dims, Library, checks, lowers
from nbgraph.graph.basic import Apply
from nbgraph.graph.op import Op
from nbgraph.tensor.type import TensorType

GOOD, INDEFINITE, FAILED = range(3)
_HERE = __name__
_CLOSE_SIZE = 300  # what the blocked routines want for each column, at most


class CovarianceRoot(Op):
    """factor[r, k, k], status[r] of cov[r, k, k]; the other inputs are k and the lengths of two work arrays.

    method : "svd", "eigh" or "cholesky";  tol : of what is called indefinite;  node : whose covariance it is
    """

    __props__ = ("method", "tol")

    def __init__(self, method: str, tol: float, node: Apply) -> None:
        self.method, self.tol, self.node = method, float(tol), node

    def make_node(self, cov: Any, *lengths: Any) -> Apply:
        rows = cov.type.shape[0]
        return Apply(self, [cov, *lengths], [cov.type(), TensorType("int64", (rows,))()])

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[0], shapes[0][:1]]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        """SciPy's LAPACK, which compiled code calls too."""
        from scipy.linalg import lapack
        cov = inputs[0]
        factors, found = np.empty_like(cov), np.zeros(len(cov), "int64")
        for k, matrix in enumerate(cov if cov.shape[1] else ()):
            if self.method == "svd":
                u, s, vt, info = lapack.dgesdd(matrix)
                good = np.allclose((vt.T * s) @ vt, matrix, rtol=self.tol, atol=self.tol)
                factors[k] = u * np.sqrt(s)
            elif self.method == "eigh":
                w, v, info = lapack.dsyevd(matrix, lower=1)
                good = not np.any(w < -self.tol)
                factors[k] = v * np.sqrt(abs(w))
            else:
                factors[k], info = lapack.dpotrf(matrix, lower=1, clean=1)
                good = True
            found[k] = FAILED if info else GOOD if good else INDEFINITE
        output_storage[0][0], output_storage[1][0] = factors, found


def root(cov: Any, k: Any, method: str, tol: float, node: Apply) -> Any:
    """(factor, status) of cov: float64[r, k, k]"""
    room = 7 * k * k + _CLOSE_SIZE * k + 64
    return CovarianceRoot(method, tol, node).make_node(cov, *map(nt.as_tensor_variable, (k, room, 8 * k + 3))).outputs


@lowers(CovarianceRoot)
def covariance_root(node: Apply) -> Library:
    """A routine for each matrix."""
    cov, k, room, places = node.inputs
    square, row = ("float64", (k, k)), ("float64", (k,))
    work = ("float64", (room,)), ("int32", (places,))
    scratch = {"svd": (square, row, square, square, *work), "eigh": (square, row, *work), "cholesky": (square,)}
    method = node.op.method
    given = (cov,) if method == "cholesky" else (cov, node.op.tol)
    return Library(f"{_HERE}.by_{method}", given, scratch=scratch[method])


@checks(CovarianceRoot)
def is_square(node: Apply, dims: Dims) -> list[Check]:
    """Matrices are square, and have the length of the mean."""
    node_of_user = node.op.node
    _, rows, columns = dims(node.inputs[0])

    def wrong(what: str) -> Any:
        return lambda values: node_of_user.op.domain_error(node_of_user, what)

    return [Check("equal", (rows, columns), (), wrong("cov must be 2 dimensional and square"), node),
            Check("equal", (node.inputs[1], columns), (), wrong("mean and cov must have same length"), node)]


@kernel
def _transposed(matrix: Any, out: Any) -> Any:
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            out[j, i] = matrix[i, j]


@kernel
def by_svd(cov: Any, tol: Any, a: Any, s: Any, u: Any, vt: Any, work: Any, iwork: Any, factor: Any,
           status: Any) -> Any:
    """factor = u sqrt(s); indefinite where vt.T s vt is not cov"""
    apart()
    n = s.shape[0]
    for r in range(cov.shape[0]):
        _transposed(cov[r], a)
        info = gesdd(a, s, u, vt, work, iwork)
        good = True
        for i in range(n):
            for j in range(n):
                again = 0.0
                for m in range(n):
                    again += vt[i, m] * s[m] * vt[j, m]
                if not abs(again - cov[r, i, j]) <= tol + tol * abs(cov[r, i, j]):
                    good = False
                factor[r, i, j] = u[j, i] * sqrt(s[j])
        status[r] = FAILED if info != 0 else GOOD if good else INDEFINITE


@kernel
def by_eigh(cov: Any, tol: Any, a: Any, w: Any, work: Any, iwork: Any, factor: Any, status: Any) -> Any:
    """factor = v sqrt(|w|); indefinite where a w is below -tol"""
    apart()
    n = w.shape[0]
    for r in range(cov.shape[0]):
        _transposed(cov[r], a)
        info = syevd(a, w, work, iwork)
        good = True
        for j in range(n):
            if w[j] < -tol:
                good = False
            for i in range(n):
                factor[r, i, j] = a[j, i] * sqrt(abs(w[j]))
        status[r] = FAILED if info != 0 else GOOD if good else INDEFINITE


@kernel
def by_cholesky(cov: Any, a: Any, factor: Any, status: Any) -> Any:
    """factor = l"""
    apart()
    for r in range(cov.shape[0]):
        _transposed(cov[r], a)
        info = potrf(a)
        for i in range(a.shape[0]):
            for j in range(a.shape[0]):
                factor[r, i, j] = a[j, i] if j <= i else 0.0
        status[r] = FAILED if info != 0 else GOOD
