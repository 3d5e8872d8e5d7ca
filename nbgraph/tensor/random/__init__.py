"""Random draws: `nbgraph.tensor.random`, with NumPy's distributions, generators and bits.

>>> from nbgraph.tensor.random.utils import RandomStream
>>> stream = RandomStream(seed=234)
>>> stream.uniform(0, 1, size=(2, 2)).type
TensorType(float64, shape=(2, 2))

Only names are here; what they name is imported when it is first used.
"""

from importlib import import_module
from typing import Any

# Where names are found besides `basic`, which has the distributions.
_ELSEWHERE = {"MRG_RandomStream": "mrg", "RandomGeneratorSharedVariable": "var", "RandomGeneratorType": "type",
              "RandomStream": "utils", "RandomType": "type", "RandomVariable": "op",
              "random_generator_type": "type"}
_MODULES = ("basic", "mrg", "op", "type", "utils", "var")


def __getattr__(name: str) -> Any:
    """Distributions, classes and modules, imported when first used."""
    if name in _MODULES:
        return import_module(f"nbgraph.tensor.random.{name}")
    if name.startswith("__"):
        raise AttributeError(f"nbgraph.tensor.random has no {name!r}")
    module = import_module(f"nbgraph.tensor.random.{_ELSEWHERE.get(name, 'basic')}")
    if not hasattr(module, name):
        raise AttributeError(f"nbgraph.tensor.random has no {name!r}")
    return getattr(module, name)


def __dir__() -> list[str]:
    """All names, those not yet imported among them."""
    basic = import_module("nbgraph.tensor.random.basic")
    return sorted({*globals(), *_ELSEWHERE, *_MODULES, *basic.__all__})
