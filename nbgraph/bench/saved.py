"""Results that are kept: results/peers.json and results/figures.json, and the README's part that is made from them.

    save("peers", [...])        with the machine, the versions and the date
    python -m nbgraph.bench --report README.md
"""

from __future__ import annotations

import datetime
import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nbgraph.config import cores

FOLDER = Path(__file__).parent / "results"
START, END = "<!-- speed: python -m nbgraph.bench --report README.md -->\n", "<!-- end of speed -->\n"
VERSIONS = ("nbgraph", "numpy", "scipy", "numba", "llvmlite", "pytensor", "jax", "jaxlib", "numexpr")


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    found = {}
    for name in VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return {"cpu": _cpu(), "cores": cores(), "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(), "versions": found,
            "date": datetime.datetime.now(datetime.UTC).date().isoformat()}


def _cpu() -> str:
    """The name of the processor, and the widest vectors that it has."""
    import llvmlite.binding as llvm
    features = llvm.get_host_cpu_features()
    wide = next((label for key, label in (("avx512f", "AVX-512"), ("avx2", "AVX2"), ("neon", "NEON"))
                 if features.get(key)), "")
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    named = model or platform.processor() or "unknown"
    return " ".join(part for part in (named, llvm.get_host_cpu_name(), wide) if part)


def save(name: str, content: Any) -> Path:
    """Write results/NAME.json, with the machine."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    aside = path.with_suffix(f".{os.getpid()}")
    aside.write_text(json.dumps({"machine": machine(), name: content}, indent=1) + "\n")
    aside.replace(path)
    return path


def load(name: str) -> dict[str, Any] | None:
    """What was saved, machine and all; None where nothing was."""
    path = FOLDER / f"{name}.json"
    found: dict[str, Any] | None = json.loads(path.read_text()) if path.exists() else None
    return found


def renewed(page: str, text: str) -> str:
    """The page with `text` between the two markers, of which each stands once.

    Raises
    ------
    ValueError   the page has not both of them, in their order
    """
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"the page has no {START.strip()} and {END.strip()}")
    return f"{before}{start}\n{text}\n{end}{after}"
