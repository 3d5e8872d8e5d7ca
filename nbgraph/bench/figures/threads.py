"""What cores bring: cases with a lot of data, on one core and on all."""

from __future__ import annotations

from typing import Any

from nbgraph.bench.cases import CASES
from nbgraph.bench.contenders import Nbgraph
from nbgraph.bench.turns import in_turns, steady_memory
from nbgraph.config import config, cores

LARGE = ("sigmoid", "black_scholes", "great_circle", "normal", "student_t", "negative_binomial", "layer_norm",
         "logsumexp_rows", "gather_scatter", "heat_step", "pairwise", "mlp")


def measure(quick: bool) -> dict[str, Any]:
    """Microseconds of a call, in turns on one core and on all."""
    found = {}
    steady_memory()
    for name in LARGE[:3] if quick else LARGE:
        call = Nbgraph().build(CASES[name], CASES[name].problem()).call

        def on(count: int, call: Any = call) -> Any:
            def run() -> None:
                config.threads = count
                call()
            return run

        with config.change_flags(threads=cores()):
            found[name] = in_turns({"one": on(1), "all": on(cores())}, rounds=5 if quick else 15, turn_s=0.02)
    return {"cores": cores(), "cases": found}


def rows(content: dict[str, Any]) -> tuple[str, list[list[str]]]:
    """A row for each case."""
    count = content["cores"]
    return ("Microseconds of a call, by cores", [["case", "1 core", f"{count} cores", "speed-up"],
            *([name, f"{us['one']:,.0f}", f"{us['all']:,.0f}", f"{us['one'] / us['all']:.2f}"]
              for name, us in content["cases"].items())])
