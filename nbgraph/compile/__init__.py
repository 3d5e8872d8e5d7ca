"""From a symbolic graph to a callable: In, Out, shared, Mode, function.

    collect  ->  rewrite  ->  lower and compile  ->  Function      each in a module of its own
"""

from nbgraph.compile.builders import OpFromGraph
from nbgraph.compile.container import Container
from nbgraph.compile.debug import DebugMode
from nbgraph.compile.io import In, Out, Param
from nbgraph.compile.mode import Mode
from nbgraph.compile.modes import get_default_mode, get_mode
from nbgraph.compile.nan_guard import NanGuardMode
from nbgraph.compile.profile import ProfileStats
from nbgraph.compile.shared import SharedVariable, TensorSharedVariable, shared

__all__ = ["Container", "DebugMode", "In", "Mode", "NanGuardMode", "OpFromGraph", "Out", "Param", "ProfileStats",
           "SharedVariable", "TensorSharedVariable", "get_default_mode", "get_mode", "shared"]
