"""The modes by name: what `function(mode=...)` and `config.mode` take."""

from __future__ import annotations

from nbgraph.compile.debug import DebugMode
from nbgraph.compile.mode import FAST_COMPILE, FAST_RUN, REFERENCE, Mode
from nbgraph.compile.nan_guard import NanGuardMode
from nbgraph.config import config

MODES: dict[str, Mode] = {mode.name: mode for mode in (FAST_RUN, FAST_COMPILE, REFERENCE, DebugMode(), NanGuardMode())}


def get_mode(mode: Mode | str | None = None) -> Mode:
    """The Mode of this name; a Mode as it is; None: the default.

    Raises
    ------
    ValueError   no such mode
    TypeError    neither a name nor a Mode
    """
    if mode is None:
        return get_default_mode()
    if isinstance(mode, Mode):
        return mode
    if not isinstance(mode, str):
        raise TypeError(f"mode must be None, a name or a Mode, got {mode!r}")
    if mode not in MODES:
        raise ValueError(f"there is no mode {mode!r}; there are {', '.join(MODES)}")
    return MODES[mode]


def get_default_mode() -> Mode:
    """What config.mode (NBGRAPH_MODE) names."""
    return MODES[config.mode]
