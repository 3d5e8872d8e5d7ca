"""nbgraph: symbolic array expressions, their gradients, and one native function for all of it.

>>> import nbgraph
>>> import nbgraph.tensor as nt
>>> x = nt.dvector("x")
>>> f = nbgraph.function([x], nbgraph.grad((x**2).sum(), x))

Only names are here; what they name is imported when it is first used.
"""

from importlib import import_module

from nbgraph.config import config

__version__ = "0.1.0"

__all__ = ["In", "Lop", "Mode", "OpFromGraph", "Out", "Param", "ProfileStats", "Rop", "as_op", "config", "debugprint",
           "dprint", "function", "function_dump", "grad", "pp", "shared", "wrap_py"]

# Public names, by the module that is imported when one is first used: `import nbgraph` stays quick.
_LAZY = {
    "In": "nbgraph.compile.io",
    "Lop": "nbgraph.gradient",
    "Mode": "nbgraph.compile.mode",
    "OpFromGraph": "nbgraph.compile.builders",
    "Out": "nbgraph.compile.io",
    "Param": "nbgraph.compile.io",
    "ProfileStats": "nbgraph.compile.profile",
    "Rop": "nbgraph.gradient",
    "as_op": "nbgraph.compile.ops",
    "debugprint": "nbgraph.graph.printing",
    "dprint": "nbgraph.graph.printing",
    "function": "nbgraph.compile.function",
    "function_dump": "nbgraph.compile.function",
    "grad": "nbgraph.gradient",
    "pp": "nbgraph.graph.printing",
    "shared": "nbgraph.compile.shared",
    "wrap_py": "nbgraph.compile.ops",
}
# Packages that are there as attributes after `import nbgraph` alone.
_PACKAGES = ("compile", "gradient", "graph", "tensor")


def __getattr__(name: str) -> object:
    """The public names and packages that are imported when first used."""
    if name in _PACKAGES:
        return import_module(f"nbgraph.{name}")
    if name not in _LAZY:
        raise AttributeError(f"nbgraph has no {name!r}")
    found = getattr(import_module(_LAZY[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """All public names, those not yet imported among them."""
    return sorted({*globals(), *_LAZY, *_PACKAGES})
