"""Lists of passes with something added or left out: what `Mode.including` and `Mode.excluding` do.

    included(FAST_RUN, [my_rule], into="stability")      excluded(FAST_RUN, ["softmax_gradient", "blas"])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from nbgraph.rewrites.passes import Pass
from nbgraph.rewrites.rule import Rule

Passes = tuple[Pass, ...]


def included(passes: Sequence[Pass], added: Sequence[Any], into: str | None, before: str | None,
             after: str | None) -> Passes:
    """The passes with rules and passes added; see `Mode.including`."""
    strangers = [x for x in added if not isinstance(x, (Rule, Pass))]
    if strangers:
        raise TypeError(f"a mode includes rules and passes, got {strangers[0]!r}; @rule and @node_rule make rules")
    if sum(place is not None for place in (into, before, after)) > 1:
        raise TypeError("give one of into, before and after")
    rules = tuple(x for x in added if isinstance(x, Rule))
    new = [x for x in added if isinstance(x, Pass)]
    found = list(passes)
    if into is not None:
        if new:
            raise TypeError(f"the pass {new[0].name!r} can't join another; give its rules")
        k = _place(found, into)
        found[k] = replace(found[k], rules=(*found[k].rules, *rules))
        return tuple(found)
    if rules:
        new.insert(0, Pass(rules[0].name, rules))
    taken = {step.name for step in found}
    for step in new:
        if step.name in taken:
            raise ValueError(f"there is a pass {step.name!r} already; give the new one another name")
        taken.add(step.name)
    if after is not None:
        k = _place(found, after) + 1
    else:
        k = _place(found, before) if before is not None else max(0, len(found) - 1)
    return (*found[:k], *new, *found[k:])


def excluded(passes: Sequence[Pass], names: Sequence[str]) -> Passes:
    """The passes without some, and without some rules; see `Mode.excluding`."""
    known = {step.name for step in passes} | {r.name for step in passes for r in step.rules}
    for name in names:
        if name not in known:
            raise ValueError(_unknown("pass or rule", name, known))
    return tuple(replace(step, rules=tuple(r for r in step.rules if r.name not in names)) for step in passes
                 if step.name not in names)


def _place(passes: Sequence[Pass], name: str) -> int:
    names = [step.name for step in passes]
    if name not in names:
        raise ValueError(_unknown("pass", name, names))
    return names.index(name)


def _unknown(what: str, name: str, known: Any) -> str:
    near = get_close_matches(name, known, 3, 0.4) or sorted(known)[:6]
    return f"there is no {what} {name!r}; there are {', '.join(near)}" + (" …" if len(near) < len(known) else "")
