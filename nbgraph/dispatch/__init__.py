"""From Ops to native code: lowering rules, scalar kernels, products, and how kernels are compiled.

    @nbgraph.dispatch.lowers(MyOp)
    def my_op(node): return Pointwise(element, cost=1)

`rules` says what a rule may be; `expressions` what loop bodies are made of.
"""

from nbgraph.dispatch.rules import (
    Alias,
    Check,
    Extent,
    Library,
    Part,
    Pointwise,
    Reduction,
    Scan,
    Search,
    Writes,
    checks,
    lowers,
)
from nbgraph.dispatch.user_ops import elementwise, numba_kernel

__all__ = ["Alias", "Check", "Extent", "Library", "Part", "Pointwise", "Reduction", "Scan", "Search", "Writes",
           "checks", "elementwise", "lowers", "numba_kernel"]
