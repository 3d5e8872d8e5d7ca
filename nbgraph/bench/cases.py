"""All bench cases, by name, in the order in which they run."""

from nbgraph.bench import arrays, densities, learning
from nbgraph.bench.case import Case, Problem

CASES: dict[str, Case] = {**arrays.TABLE, **densities.TABLE, **learning.TABLE}

__all__ = ["CASES", "Case", "Problem"]
