"""python -m nbgraph.bench: cases of a numerical modeller's work, checked against NumPy, then timed.

    python -m nbgraph.bench             nodes  kernels  cold ms  warm ms  us  numpy us  ratio     a row for each case
    python -m nbgraph.bench --peers     the same cases with PyTensor, JAX, numexpr and loops written by hand
    python -m nbgraph.bench --figures call|compile|memory|threads|scaling|all

Options: --quick (under a minute), --case NAME, --json, --mode, --save, --report [FILE], --plot FILE. Exit status 1
where a case disagrees with NumPy.
"""

from nbgraph.bench.cases import CASES, Case, Problem

__all__ = ["CASES", "Case", "Problem"]
