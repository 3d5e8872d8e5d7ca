"""The bar chart of a ProfileStats: a bar for each kernel and library call, and for what is around them."""

from __future__ import annotations

from typing import Any

from nbgraph.compile.profile_text import rests

COLOURS = {"kernel": "tab:blue", "library": "tab:orange", "check": "tab:red", "node": "tab:blue"}
REST = "lightgray"


def draw(stats: Any, ax: Any, most: int) -> Any:
    """The chart on `ax`, or on the axes of a new figure; see `ProfileStats.plot`."""
    try:
        from matplotlib import pyplot
    except ImportError as missing:
        raise ImportError("profile.plot draws with matplotlib, which is not installed; "
                          "pip install 'nbgraph[notebooks]', or print profile.summary()") from missing
    rows = stats.rows
    calls = max(stats.calls, 1)
    bars = [(f"{row.name}   {row.what}", row.seconds, COLOURS[row.kind]) for row in rows[:most]]
    others = rests(stats, sum(row.seconds for row in rows), rows[most:])
    bars += [(f"{name}   {what}".rstrip(), seconds, REST) for seconds, name, what in others]
    if ax is None:
        _, ax = pyplot.subplots(figsize=(8, 0.8 + 0.32 * len(bars)), layout="constrained")
    names, seconds, colours = zip(*bars, strict=True)
    # By position: two rows may have one name.
    ax.barh(range(len(bars)), [1e6 * value / calls for value in seconds], color=colours)
    ax.set_yticks(range(len(bars)), names)
    ax.invert_yaxis()
    ax.set_xlabel("microseconds a call")
    called = ", ".join(dict.fromkeys(f.name for f in stats.functions))
    ax.set_title(f"{called}: {stats.calls:,} calls, {1e6 * stats.seconds / calls:,.1f} us each")
    return ax
