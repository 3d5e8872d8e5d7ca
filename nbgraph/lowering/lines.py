"""Lines of generated code that are too long, in several.

    total_1, total_2 = fused_0(x, y, n, prediction, xent)    ->    total_1, total_2 = fused_0(
                                                                       x, y, n, prediction, xent)
"""

from __future__ import annotations

import re
from bisect import bisect_right

WIDTH = 120
_CONTINUED = " " * 8
# What a statement starts with before the expression that may need parentheses to be broken.
_HEAD = re.compile(r"\s*(?:from [\w.]+ import |return |if |[^()=]+?(?:\[[^=]*\])? = )")


def wrapped(line: str, width: int = WIDTH) -> list[str]:
    """The line as lines of at most `width` characters, broken where spaces stand inside brackets.

    Comments stay as they are. A single word may be longer.
    """
    if len(line) <= width or line.lstrip().startswith(("#", '"""')):
        return [line]
    code, mark, comment = line.partition("    # ")
    indent = code[:len(code) - len(code.lstrip())]
    lines = _broken(code, width, indent + _CONTINUED)
    return [f"{indent}# {comment}", *lines] if mark else lines


def _broken(code: str, width: int, continued: str) -> list[str]:
    code = _enclosed(code) if len(code) > width else code
    depths = _depths(code)
    spaces = [k for k, char in enumerate(code) if char == " " and depths[k] > 0]
    lines: list[str] = []
    start, room = 0, width
    while len(code) - start > room:
        place = _best_place(spaces, depths, start, room)
        if place is None:
            break
        lines.append(continued * bool(lines) + code[start:place])
        start, room = place + 1, width - len(continued)
    return [*lines, continued * bool(lines) + code[start:]]


def _enclosed(code: str) -> str:
    """The statement with its targets and its expression in parentheses, where it could not be broken otherwise."""
    found = _HEAD.match(code)
    head, colon = (found.group() if found else ""), ":" if code.endswith(":") else ""
    body = code[len(head):len(code) - len(colon)]
    indent, targets = head[:len(head) - len(head.lstrip())], head.strip().removesuffix(" =")
    several = any(char == "," and not depth for char, depth in zip(targets, _depths(targets), strict=True))
    if several and head.endswith(" = "):
        head = f"{indent}({targets}) = "
    if not head or all(depth for char, depth in zip(body, _depths(body), strict=True) if char == " "):
        return f"{head}{body}{colon}"
    return f"{head}({body}){colon}"


def _depths(text: str) -> list[int]:
    """For each character how many brackets are open."""
    depth, found = 0, []
    for char in text:
        depth -= char in ")]}"
        found.append(depth)
        depth += char in "([{"
    return found


def _best_place(spaces: list[int], depths: list[int], start: int, room: int) -> int | None:
    """A space, as far out of brackets and as far to the right as can be; None where there is none."""
    first, half, last = (bisect_right(spaces, start + n) for n in (0, room // 2, room))
    if first == last:
        return spaces[last] if last < len(spaces) else None
    return min(spaces[half:last] or spaces[first:last], key=lambda k: (depths[k], -k))
