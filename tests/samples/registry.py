"""What there is: every Op class of the package, and which of them have their samples elsewhere, or none.

`subjects()` gives the Op classes and the names of scalar functions that `ROWS` must have samples of.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import nbgraph
from nbgraph.graph.op import Op
from nbgraph.tensor.elemwise import Elemwise
from nbgraph.tensor.scalar_function import TABLE

# Bases that are never applied themselves.
BASES = {
    "ViewOp": "a base of Ops that show the elements of their first input; has no make_node",
    "UpdateOp": "a base of IncSubtensor and AdvancedIncSubtensor; has no make_node",
    "Product": "a base of Dot and BatchedDot; has no make_node",
    "AddedProduct": "a base of Gemm and Gemv; does not say what ranks it takes",
    "GradientRule": "a base of Ops that change a gradient; does not say how",
    "HasInnerGraph": "a base of Ops that are graphs; does not say what their inputs are",
}
# Ops that wrap code of users, by the file that tests them with such code.
OF_USERS = {
    "Foreign": "tests/lowering/test_python_ops.py",
    "FromFunctionOp": "tests/compile/test_ops.py",
    "_Undifferentiated": "tests/dispatch/test_user_ops.py",
}
# Families of Ops (and single ones) that have tables of their own, by the file that tests all of them.
FAMILIES = {
    "Allowed": "tests/tensor/random/test_distributions.py",
    "CovarianceRoot": "tests/tensor/random/test_native.py",
    "Drawing": "tests/tensor/random/test_distributions.py",
    "Fitted": "tests/tensor/random/test_native.py",
    "MRGUniform": "tests/tensor/random/test_mrg.py",
    "RandomVariable": "tests/tensor/random/test_distributions.py",
}


def every_op_class() -> list[type[Op]]:
    """All Op classes that the package defines."""
    for module in pkgutil.walk_packages(nbgraph.__path__, "nbgraph."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: dict[type[Op], None] = {}
    pending: list[type[Op]] = [Op]
    while pending:
        below = [cls for cls in pending.pop().__subclasses__() if cls.__module__.startswith("nbgraph.")]
        found |= dict.fromkeys(below)
        pending += below
    return list(found)


def subjects() -> list[Any]:
    """The Op classes that have samples here, and the names of all scalar functions, which are the samples of Elemwise.

    Elemwise itself is not among them.
    """
    apart = BASES | OF_USERS | FAMILIES
    return [*(cls for cls in every_op_class() if cls is not Elemwise and cls.__name__ not in apart
              and FAMILIES.keys().isdisjoint(base.__name__ for base in cls.__mro__)), *TABLE]
