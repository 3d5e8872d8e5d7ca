"""Every code block of README.md and CONTRIBUTING.md runs and prints what stands below it.

Python blocks run in order in one namespace; an indented block that follows one is its output.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n(?P<output>(?:^    [^\n]*\n)+))?", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A python block and the output that stands below it, empty where there is none."""

    code: str
    output: str


def blocks(page: str) -> Iterator[Block]:
    """The python blocks of a page in order."""
    for match in BLOCK.finditer((ROOT / page).read_text()):
        output = "".join(line.removeprefix("    ") for line in (match["output"] or "").splitlines(keepends=True))
        yield Block(match["code"], output)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_block_prints_what_the_page_says(page: str, mode: str):
    namespace: dict[str, object] = {}
    found = list(blocks(page))
    assert found
    for block in found:
        printed = StringIO()
        with redirect_stdout(printed):
            exec(compile(block.code, page, "exec"), namespace)
        assert printed.getvalue() == block.output


def test_no_block_escapes_the_test():
    for page in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / page).read_text()
        assert text.count("```") == 2 * len(list(blocks(page))), f"{page}: every fenced block must be a python block"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_and_file_that_is_named_exists(page: str):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = (ROOT / page).read_text()
    named = {shlex.split(line)[1] for line in re.findall(r"^    (make [a-z].*)$", text, re.MULTILINE)}
    assert named <= targets
    for path in re.findall(r"`((?:nbgraph|tests|\.ci)/[\w./]*)`", text):
        assert (ROOT / path).exists(), path


def test_readme_opens_with_the_two_commands_before_any_code():
    text = (ROOT / "README.md").read_text()
    assert text.index("make demo") < text.index("make test") < text.index("```python")
