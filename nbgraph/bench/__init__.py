"""python -m nbgraph.bench: cases of a numerical modeller's work, checked against NumPy, then timed.

    case     nodes  kernels  calls  cold ms  warm ms  us  numpy us  ratio  error       a row for each case

Options: --quick (under a minute), --case NAME, --json, --mode. Exit status 1 where a case disagrees with NumPy.
"""

from nbgraph.bench.cases import CASES, Case, Problem

__all__ = ["CASES", "Case", "Problem"]
