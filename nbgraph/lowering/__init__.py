"""From a rewritten graph to native code: schedule, loop nests, program, text, build.

| stage    | file        | takes -> gives              |
|----------|-------------|-----------------------------|
| prepare  | prepare.py  | graph -> graph              |
| schedule | schedule.py | graph -> Plan               |
| lower    | lower.py    | Plan -> Program             |
| reuse    | reuse.py    | Program -> Program          |
| emit     | emit.py     | Program -> source           |
| build    | build.py    | source -> Native            |

The names below are imported when first used: they bring Numba in, which `nbgraph.lowering.cache` does without.
"""

from typing import TYPE_CHECKING

from nbgraph.dispatch import blocks, creation, elemwise, indexing, join, linear, reduction, shape  # noqa: F401  (registers)

if TYPE_CHECKING:
    from nbgraph.lowering.executor import Compiled, Stages, compile_graph

__all__ = ["Compiled", "Stages", "compile_graph"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"nbgraph.lowering has no {name!r}")
    from nbgraph.lowering import executor
    return getattr(executor, name)
