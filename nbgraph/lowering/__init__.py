"""From a rewritten graph to native code: schedule, loop nests, program, text, build.

| stage    | file        | takes -> gives              |
|----------|-------------|-----------------------------|
| prepare  | prepare.py  | graph -> graph              |
| schedule | schedule.py | graph -> Plan               |
| lower    | lower.py    | Plan -> Program             |
| reuse    | reuse.py    | Program -> Program          |
| emit     | emit.py     | Program -> source           |
| build    | build.py    | source -> Native            |
"""

from nbgraph.dispatch import creation, elemwise, indexing, join, linear, reduction, shape  # noqa: F401  (registers)
from nbgraph.lowering.executor import Compiled, Stages, compile_graph

__all__ = ["Compiled", "Stages", "compile_graph"]
