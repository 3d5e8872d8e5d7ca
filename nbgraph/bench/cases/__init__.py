"""All bench cases, by name, in the order in which they run: a file for each field of work.

A formula is written once, with a namespace `m`; gradients of the NumPy versions are written by hand.
"""

from nbgraph.bench.case import Case, Problem
from nbgraph.bench.cases import (
    densities,
    elementwise,
    grids,
    hierarchical,
    learning,
    regression,
    rows,
    series,
)

CASES: dict[str, Case] = {**elementwise.TABLE, **densities.TABLE, **regression.TABLE, **learning.TABLE,
                          **hierarchical.TABLE, **rows.TABLE, **grids.TABLE, **series.TABLE}

__all__ = ["CASES", "Case", "Problem"]
