"""python -m nbgraph.cache info | clear: look at the compiled functions that are kept on disk, and remove them.

    $ python -m nbgraph.cache clear
    removed 12 entries, 1.3 MB, from /home/user/.cache/nbgraph
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from nbgraph.lowering import cache


def main(given: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m nbgraph.cache", description="The compiled functions kept on disk. "
                                     "The folder is NBGRAPH_CACHE_DIR, by default nbgraph in the user's cache folder.")
    parser.add_argument("command", choices=["info", "clear"], help="info: folder, number, size, age. clear: remove all")
    if parser.parse_args(given).command == "info":
        print(cache.info())
        return 0
    removed = cache.clear()
    entries = "1 entry" if removed.entries == 1 else f"{removed.entries} entries"
    print(f"removed {entries}, {cache.readable(removed.bytes)}, from {removed.folder}")
    left = cache.info().entries
    if left:
        print(f"{left} could not be removed", file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
